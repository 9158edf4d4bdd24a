"""Laws of plausible values: at fixed parameters a student's values depend on himself and the draw's number alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsakit.irt.calibration import Calibration
from lsakit.population.latent_regression import Population, PopulationOptions, fit_population
from lsakit.population.plausible_values import draw_plausible_values

N = 48
ITEMS = {
    "item": ["a", "b", "c", "d", "e", "f"],
    "model": ["3pl", "2pl", "gpcm", "3pl", "graded", "nominal"],
    "slope": [1.6, 1.1, 0.8, 2.2, 1.2, 0.7],
    "difficulty": [-0.5, 0.2, 0.0, 1.0, 0.3, -0.2],
    "step_1": [None, None, 0.5, None, 0.6, 0.4],
    "step_2": [None, None, -0.5, None, -0.6, -0.4],
    "guessing": [0.2, None, None, 0.25, None, None],
    "score_1": [None] * 5 + [0.8],
}


def fitted(names: str, subjects: dict[str, str] | None = None) -> Population:
    """Fit a model of some items; one student in twelve has no answers, others have gaps."""
    rng = np.random.default_rng(11)
    theta = rng.normal(size=N)
    ids = [f"s{i:02d}" for i in range(N)]
    columns: dict[str, object] = {"student_id": ids}
    for place, name in enumerate(ITEMS["item"]):
        most = 1 if ITEMS["step_1"][place] is None else 2
        code = np.clip(np.round(most * (0.5 + 0.4 * theta + 0.4 * rng.normal(size=N))), 0, most)
        gone = (rng.random(N) < 0.2) | (np.arange(N) % 12 == 7)
        columns[name] = [None if out else int(one) for one, out in zip(code, gone, strict=True)]
    places = {
        part: [ITEMS["item"].index(name) for name in part] for part in (subjects or {"": names}).values()
    }
    cals = {
        part: Calibration.from_items({key: [value[p] for p in own] for key, value in ITEMS.items()})
        for part, own in places.items()
    }
    background = {"student_id": ids, "x": theta + rng.normal(size=N)}
    few = PopulationOptions(tolerance=1e-3)
    if subjects is None:
        return fit_population(cals[names], columns, background=background, options=few)
    named = {subject: cals[part] for subject, part in subjects.items()}
    return fit_population(named, columns, background=background, options=few)


POPULATIONS = {
    "partial credit": fitted("bc"),
    "all models": fitted("abcdef"),
    "two dimensions": fitted("", {"maths": "abc", "reading": "def"}),
}


def kept(pop: Population, rows: np.ndarray) -> Population:
    """The same model with some of the students, in another order."""
    return replace(
        pop,
        student_ids=tuple(pop.student_ids[i] for i in rows),
        answers=pop.answers.take(rows),
        background=replace(pop.background, standard=pop.background.standard[rows]),
        centres=pop.centres[rows],
    )


@pytest.mark.parametrize("name", list(POPULATIONS))
@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    rows=st.lists(st.integers(0, N - 1), min_size=1, max_size=N, unique=True),
    fewer=st.integers(1, 10),
)
def test_no_student_moves_another_and_no_number_an_earlier_value(
    name: str, seed: int, rows: list[int], fewer: int
) -> None:
    pop = POPULATIONS[name]
    everyone = draw_plausible_values(pop, n=10, seed=seed)
    some = draw_plausible_values(kept(pop, np.array(rows)), n=fewer, seed=seed)
    wanted = everyone[np.array(rows)].select(some.columns)
    assert some.equals(wanted)
    assert np.isfinite(everyone.drop("student_id").to_numpy()).all()
    other = draw_plausible_values(pop, n=1, seed=seed + 1).drop("student_id").to_numpy()
    assert not np.isclose(other, everyone.select(pl.col("^PV1(|MATHS|READING)$")).to_numpy()).any()
