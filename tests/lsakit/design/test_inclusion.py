"""Monte Carlo: each school is drawn as often as its probability says."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from lsakit.design.options import Design
from lsakit.design.pps import draw_schools
from lsakit.design.random_starts import START_DENOMINATOR
from lsakit.design.systematic import systematic_pps

N_DRAWS = 10_000
# Two-sided bound: with 14 schools, a normal quantile of 4 has a chance of false alarm below 0.001 in all.
QUANTILE = 4.0
SIZES = [900, 400, 210, 180, 150, 140, 120, 110, 95, 80, 60, 52, 40, 35]


def frequencies(certainty: str, n_draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    hits = np.zeros(len(SIZES))
    starts = rng.integers(1, START_DENOMINATOR + 1, n_draws).tolist()
    for start in starts:
        draw = systematic_pps(SIZES, 5, random_number=Fraction(start, START_DENOMINATOR), certainty=certainty)
        hits[list(draw.selected)] += 1
    return hits, np.asarray(draw.probability)


@pytest.mark.parametrize("certainty", ["recompute", "cap"])
def test_inclusion_probabilities_hold(certainty: str) -> None:
    hits, probability = frequencies(certainty, N_DRAWS, seed=17)
    bound = QUANTILE * np.sqrt(N_DRAWS * probability * (1 - probability)) + 1e-9
    assert (np.abs(hits - N_DRAWS * probability) <= bound).all()
    assert hits[0] == N_DRAWS


def test_the_bound_can_fail() -> None:
    """Negative control: probabilities of equal-chance sampling are rejected by the same bound."""
    hits, _ = frequencies("recompute", N_DRAWS, seed=17)
    wrong = 5 / len(SIZES)
    assert (np.abs(hits - N_DRAWS * wrong) > QUANTILE * np.sqrt(N_DRAWS * wrong * (1 - wrong))).any()


FRAME = {
    "school_id": [f"S{row:02d}" for row in range(30)],
    "region": ["N"] * 14 + ["S"] * 16,
    "enrolment": [*SIZES, 400, *range(2, 32, 2)],
}
RULES: dict[str, dict[str, Any]] = {
    "floor": {},
    "cap": {"certainty": "cap"},
    "equal": {"small_schools": "equal"},
    "undersample": {"small_schools": "undersample"},
}


def whole_draws_hold(rule: str, n_draws: int) -> None:
    """Draw whole samples with certainty schools and schools far below the floor, and count each school."""
    design = Design(
        explicit=["region"], implicit=[], n_schools={"N": 5, "S": 4}, n_students=25, **RULES[rule]
    )
    hits = dict.fromkeys(FRAME["school_id"], 0)
    for seed in range(n_draws):
        drawn = draw_schools(FRAME, design, rng=seed)
        for school in drawn.table["school_id"]:
            hits[school] += 1
    certain = 0
    for school, p in drawn.frame.select("school_id", "probability").rows():
        assert abs(hits[school] - n_draws * p) <= QUANTILE * np.sqrt(n_draws * p * (1 - p)) + 1e-9, school
        certain += p == 1
    assert certain == 2
    assert drawn.frame["size"].min() < 25 / 4


@pytest.mark.parametrize("rule", RULES)
def test_whole_draws_over_seeds_hold_too(rule: str) -> None:
    whole_draws_hold(rule, 300)


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES)
def test_ten_thousand_whole_draws_hold(rule: str) -> None:
    whole_draws_hold(rule, 10_000)


@pytest.mark.parametrize("rule", RULES)
def test_ten_thousand_starts_hold_for_every_school_of_a_frame(rule: str) -> None:
    """The measures of size, order and certainties of a whole draw, with 10,000 starts of their own."""
    design = Design(explicit=["region"], n_schools={"N": 5, "S": 4}, n_students=25, **RULES[rule])
    frame = draw_schools(FRAME, design, rng=0).frame
    rng = np.random.default_rng(23)
    for region, n_schools in (("N", 5), ("S", 4)):
        inside = frame.filter(frame["stratum"] == region)
        size, p = inside["measure_of_size"].to_numpy(), inside["probability"].to_numpy()
        hits = np.zeros(len(size))
        for start in rng.integers(1, START_DENOMINATOR + 1, N_DRAWS).tolist():
            number = Fraction(start, START_DENOMINATOR)
            draw = systematic_pps(size, n_schools, random_number=number, certainty=design.certainty)
            hits[list(draw.selected)] += 1
        assert (np.abs(hits - N_DRAWS * p) <= QUANTILE * np.sqrt(N_DRAWS * p * (1 - p)) + 1e-9).all()
        assert (hits[p == 1] == N_DRAWS).all()
        assert (p == 1).sum() == 1
