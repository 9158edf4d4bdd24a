"""Laws of diagnostics, linking and standard setting that hold for all inputs."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsakit.errors import CalibrationError, LsakitError
from lsakit.irt.calibration import Calibration
from lsakit.irt.classical import classical
from lsakit.irt.dif import DifOptions, dif
from lsakit.irt.item_fit import FitOptions, item_fit
from lsakit.irt.linking import LinkOptions, link
from lsakit.irt.linking_error import item_linking_error, robust_spread, unit_linking_error
from lsakit.irt.mantel_haenszel import mantel_haenszel, mantel_of_scores
from lsakit.population.item_maps import ordered_item_booklet

COUNTS = st.lists(
    st.tuples(*[st.integers(1, 60)] * 4).map(lambda four: [[four[0], four[1]], [four[2], four[3]]]),
    min_size=1,
    max_size=8,
)
SHIFTS = st.lists(st.floats(-2.0, 2.0), min_size=2, max_size=20)


@given(counts=COUNTS, factor=st.integers(2, 9))
def test_copies_of_all_students_leave_the_odds_ratio(counts: list, factor: int) -> None:
    one = mantel_haenszel(counts)
    many = mantel_haenszel(np.array(counts) * factor)
    assert many.d_dif == pytest.approx(one.d_dif, rel=1e-9, abs=1e-12)
    assert many.std_p_dif == pytest.approx(one.std_p_dif, rel=1e-9, abs=1e-12)
    assert many.se == pytest.approx(one.se / np.sqrt(factor), rel=1e-9)


@given(counts=COUNTS)
def test_exchanging_groups_or_answers_turns_the_sign(counts: list) -> None:
    table = np.array(counts, dtype=float)
    one = mantel_haenszel(table)
    for turned in (table[:, ::-1], table[:, :, ::-1]):
        other = mantel_haenszel(turned)
        assert other.d_dif == pytest.approx(-one.d_dif, abs=1e-9)
        assert other.se == pytest.approx(one.se, rel=1e-9)
        assert other.chi_square == pytest.approx(one.chi_square, rel=1e-7, abs=1e-9)
        assert other.breslow_day == pytest.approx(one.breslow_day, rel=1e-6, abs=1e-9, nan_ok=True)


@given(counts=COUNTS)
def test_no_difference_within_strata_gives_zero(counts: list) -> None:
    table = np.array(counts, dtype=float)
    table[:, 1] = 2.0 * table[:, 0]
    assert mantel_haenszel(table).d_dif == pytest.approx(0.0, abs=1e-12)
    assert mantel_of_scores(table).smd == pytest.approx(0.0, abs=1e-12)
    assert mantel_of_scores(table).generalized == pytest.approx(0.0, abs=1e-9)


@given(shifts=SHIFTS, constant=st.floats(-5.0, 5.0), factor=st.floats(0.1, 10.0))
def test_a_linking_error_ignores_shift_and_scales(
    shifts: list[float], constant: float, factor: float
) -> None:
    values = np.array(shifts)
    for error in (item_linking_error, robust_spread):
        own = error(values)
        assert error(values + constant) == pytest.approx(own, abs=1e-9)
        assert error(values * factor) == pytest.approx(own * factor, abs=1e-9)
    assert unit_linking_error(values, np.ones(len(values))) == pytest.approx(item_linking_error(values))


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    slope=st.floats(0.6, 1.6),
    intercept=st.floats(-1.0, 1.0),
    method=st.sampled_from(["mean_mean", "mean_sigma", "haebara", "stocking_lord"]),
)
def test_linking_there_and_back(seed: int, slope: float, intercept: float, method: str) -> None:
    rng = np.random.default_rng(seed)
    old = pl.DataFrame(
        {
            "item": [f"i{j}" for j in range(12)],
            "slope": rng.uniform(0.6, 1.6, 12),
            "difficulty": rng.normal(size=12),
        }
    )
    new = old.with_columns(pl.col("slope") * slope, (pl.col("difficulty") - intercept) / slope)
    options = LinkOptions(drop="none")
    there, back = link(old, new, method, options=options), link(new, old, method, options=options)
    assert there.slope == pytest.approx(slope, abs=1e-5)
    assert there.slope * back.slope == pytest.approx(1.0, abs=1e-4)
    assert there.intercept + there.slope * back.intercept == pytest.approx(0.0, abs=1e-4)


def answers(seed: int, n: int = 120) -> pl.DataFrame:
    """Six items, one of three categories, with gaps."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=n)
    columns = {}
    for j in range(6):
        code = (theta + rng.logistic(size=n) > 0.3 * (j - 2)).astype(int)
        code += (j == 5) & (theta + rng.logistic(size=n) > 1.0)
        columns[f"i{j}"] = [
            None if gone else int(one) for one, gone in zip(code, rng.random(n) < 0.1, strict=True)
        ]
    return pl.DataFrame(columns).with_columns(g=pl.Series(["ab"[one] for one in rng.integers(0, 2, n)]))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), order=st.permutations(range(6)))
def test_the_order_of_rows_and_items_does_not_matter(seed: int, order: list[int]) -> None:
    data = answers(seed)
    turned = data.select([f"i{j}" for j in order] + ["g"]).sample(fraction=1.0, shuffle=True, seed=seed)
    items = [f"i{j}" for j in range(6)]
    one, two = classical(data.drop("g")).items, classical(turned.drop("g")).items
    both = one.join(two, on="item")
    for name in ("facility", "item_rest", "item_total"):
        gap = (both[name] - both[f"{name}_right"]).abs().max()
        assert gap is None or gap < 1e-9
    try:
        plain = DifOptions(purification="none")
        first, second = dif(data, "g", options=plain).table, dif(turned, "g", options=plain).table
    except LsakitError:
        return
    both = first.join(second, on="item")
    gap = (both["chi_square"] - both["chi_square_right"]).abs().max()
    assert gap is None or gap < 1e-9
    assert first["item"].to_list() == items


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_mean_squares_and_rmsd_are_not_negative_and_md_is_smaller(seed: int) -> None:
    items = {
        "item": [f"i{j}" for j in range(6)],
        "slope": [1.0] * 6,
        "difficulty": [0.3 * (j - 2) for j in range(6)],
        "step_1": [None] * 5 + [0.4],
        "step_2": [None] * 5 + [-0.4],
    }
    found = item_fit(Calibration.from_items(items), answers(seed), group="g", options=FitOptions(least_n=20))
    assert (found.items["infit"] > 0).all()
    assert (found.groups["rmsd"] >= found.groups["md"].abs() - 1e-12).all()
    assert found.q3["q3"].is_between(-1, 1).all()


@given(difficulties=st.lists(st.floats(-3, 3), min_size=1, max_size=10), probability=st.floats(0.2, 0.9))
def test_a_booklet_is_in_order_and_rises_with_the_probability(
    difficulties: list[float], probability: float
) -> None:
    items = {
        "item": [f"i{j}" for j in range(len(difficulties))],
        "slope": [1.2] * len(difficulties),
        "difficulty": difficulties,
    }
    low, high = ordered_item_booklet(items, probability), ordered_item_booklet(items, probability + 0.05)
    assert (np.diff(low["location"].to_numpy()) >= 0).all()
    assert (high["location"] > low["location"]).all()


def test_the_refusals_are_lsakits_own() -> None:
    with pytest.raises(CalibrationError):
        mantel_haenszel([[[1, 2], [0, 0]]])
