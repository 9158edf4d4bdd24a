"""Laws of calibration, abilities and scoring that hold for all inputs."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsakit.errors import CalibrationError, ConvergenceError
from lsakit.irt.ability import score
from lsakit.irt.calibration import Calibration, CalibrationOptions, calibrate
from lsakit.irt.models import category_probabilities, from_intercepts, to_intercepts
from lsakit.irt.scoring import score_responses

NUMBERS = st.floats(-3.0, 3.0)
SLOPES = st.floats(0.2, 3.0)


def responses(seed: int, n: int = 150) -> pl.DataFrame:
    """Five items of one ability with gaps."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=n)
    columns = {}
    for j in range(5):
        code = (theta * 1.2 + rng.logistic(size=n) > 0.4 * (j - 2)).astype(int)
        columns[f"i{j}"] = [
            None if gone else int(one) for one, gone in zip(code, rng.random(n) < 0.15, strict=True)
        ]
    return pl.DataFrame(columns)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), order=st.permutations(range(5)))
def test_relabelling_students_and_items_permutes_results(seed: int, order: list[int]) -> None:
    data = responses(seed)
    options = CalibrationOptions(standard_errors="none", tolerance=1e-8)
    try:
        plain = calibrate(data, options=options)
    except (CalibrationError, ConvergenceError):
        return
    names = [f"i{j}" for j in order]
    turned = calibrate(data.select(names).sample(fraction=1.0, shuffle=True, seed=seed), options=options)
    assert turned.items["item"].to_list() == names
    assert turned.loglik == pytest.approx(plain.loglik, abs=1e-6)
    mine = {row["item"]: row for row in plain.items.iter_rows(named=True)}
    for row in turned.items.iter_rows(named=True):
        assert row["difficulty"] == pytest.approx(mine[row["item"]]["difficulty"], abs=1e-4)
        assert row["slope"] == pytest.approx(mine[row["item"]]["slope"], abs=1e-4)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 1000.0))
def test_weights_may_be_multiplied_by_anything(seed: int, factor: float) -> None:
    data = responses(seed)
    weight = np.random.default_rng(seed).uniform(0.5, 3.0, data.height)
    options = CalibrationOptions(tolerance=1e-8)
    one = calibrate(data, model="rasch", weights=weight, options=options)
    two = calibrate(data, model="rasch", weights=weight * factor, options=options)
    assert two.loglik == pytest.approx(one.loglik, abs=1e-6)
    assert two.items["se_difficulty"].to_numpy() == pytest.approx(
        one.items["se_difficulty"].to_numpy(), rel=1e-6
    )


@settings(max_examples=100, deadline=None)
@given(slope=SLOPES, difficulty=NUMBERS, steps=st.lists(NUMBERS, min_size=1, max_size=5), theta=NUMBERS)
def test_probabilities_sum_to_one_and_the_forms_agree(
    slope: float, difficulty: float, steps: list[float], theta: float
) -> None:
    centred = np.array(steps) - np.mean(steps)
    p = category_probabilities([theta], slope=slope, difficulty=difficulty, steps=centred.tolist())[0]
    assert p.sum() == pytest.approx(1.0)
    back, shifts = from_intercepts(slope, to_intercepts(slope, difficulty, centred, len(steps)))
    assert back == pytest.approx(difficulty, abs=1e-9)
    assert shifts == pytest.approx(centred, abs=1e-8)


@settings(max_examples=25, deadline=None)
@given(
    slopes=st.lists(SLOPES, min_size=3, max_size=6),
    codes=st.lists(st.integers(0, 1), min_size=6, max_size=6),
    shift=NUMBERS,
)
def test_the_wle_moves_with_the_difficulties(slopes: list[float], codes: list[int], shift: float) -> None:
    names = [f"i{j}" for j in range(len(slopes))]
    answers = {name: [codes[j]] for j, name in enumerate(names)}
    base = np.linspace(-1, 1, len(slopes))
    found = [
        score(Calibration.from_items({"item": names, "slope": slopes, "difficulty": base + move}), answers)
        for move in (0.0, shift)
    ]
    assert found[1]["theta"][0] == pytest.approx(found[0]["theta"][0] + shift, abs=1e-7)
    assert found[1]["se"][0] == pytest.approx(found[0]["se"][0], rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(codes=st.lists(st.sampled_from([1, 2, 3, 4, 96, 98, 99, None]), min_size=4, max_size=4))
def test_each_rule_keeps_answers_and_not_administered(codes: list[int | None]) -> None:
    names = [f"i{j}" for j in range(4)]
    items = {"item": names, "format": ["mc"] * 4, "key": [2] * 4, "max_score": [1] * 4}
    raw = pl.DataFrame(
        {name: pl.Series([code], dtype=pl.Int8) for name, code in zip(names, codes, strict=True)}
    )
    for rule in ("pisa2015", "wrong", "timss_calibration", "timss_scoring"):
        row = score_responses(raw, items, rule=rule).table.row(0)
        for code, found in zip(codes, row, strict=True):
            if code is None:
                assert found is None
            elif code <= 4:
                assert found == int(code == 2)
            else:
                assert found in (0, None)


@settings(max_examples=40, deadline=None)
@given(
    slopes=st.lists(SLOPES, min_size=4, max_size=4),
    difficulties=st.lists(NUMBERS, min_size=4, max_size=4),
    codes=st.lists(st.integers(0, 1), min_size=4, max_size=4),
)
def test_every_two_category_model_without_guessing_is_the_2pl(
    slopes: list[float], difficulties: list[float], codes: list[int]
) -> None:
    """Graded and nominal items of two categories, and a 3PL whose guessing vanishes, score a student as the 2PL does."""
    table = {f"i{j}": [code] for j, code in enumerate(codes)}
    items = {"item": list(table), "slope": slopes, "difficulty": difficulties}
    expected = score(Calibration.from_items(items), table, method="eap")
    for model, more in (("graded", {}), ("nominal", {}), ("3pl", {"guessing": [1e-13] * 4})):
        own = Calibration.from_items(items | {"model": [model] * 4} | more)
        found = score(own, table, method="eap")
        assert found["theta"][0] == pytest.approx(expected["theta"][0], abs=1e-8)
        assert found["se"][0] == pytest.approx(expected["se"][0], abs=1e-8)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_freeing_an_item_never_lowers_the_likelihood(seed: int) -> None:
    data = responses(seed, n=400).with_columns(g=pl.Series((["a"] * 200) + (["b"] * 200)))
    options = {"standard_errors": "none"}
    try:
        common = calibrate(data, model="rasch", group="g", options=CalibrationOptions(**options))
        free = calibrate(
            data, model="rasch", group="g", options=CalibrationOptions(**options, unique={"i2": ["b"]})
        )
    except (CalibrationError, ConvergenceError):
        return
    assert free.loglik >= common.loglik - 1e-6
    assert free.n_parameters == common.n_parameters + 1


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 100_000),
    models=st.lists(
        st.sampled_from(["rasch", "2pl", "3pl", "pcm", "rsm", "gpcm", "graded", "nominal"]),
        min_size=2,
        max_size=6,
    ),
    spread=st.sampled_from([0.1, 1.0, 4.0]),
)
def test_a_handful_of_students_are_calibrated_or_refused_with_a_sentence(
    seed: int, models: list[str], spread: float
) -> None:
    """Never a division by zero, a singular matrix or a likelihood that is not finite."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 80))
    theta = rng.normal(0.0, spread, n)
    columns = {}
    for j, model in enumerate(models):
        n_cuts = 1 if model in ("rasch", "2pl", "3pl") else int(rng.integers(1, 4))
        level = theta * rng.choice([-1.0, 0.3, 1.0, 4.0]) + rng.logistic(size=n)
        code = (level[:, None] > np.sort(rng.normal(0, 1.5, n_cuts))).sum(axis=1)
        columns[f"i{j}"] = [None if rng.random() < 0.15 else int(one) for one in code]
    data = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Int64))
    options = CalibrationOptions(max_iterations=100, on_failure="return")
    try:
        cal = calibrate(data, model=dict(zip(columns, models, strict=True)), options=options)
    except CalibrationError:
        return
    assert np.isfinite(cal.loglik)
    for method in ("wle", "mle", "eap"):
        assert score(cal, data, method=method)["theta"].drop_nulls().is_finite().all()
