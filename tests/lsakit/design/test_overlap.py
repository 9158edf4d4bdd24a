"""Overlap control: Keyfitz and permanent random numbers, formulas and whole draws."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from lsakit.design.options import Design
from lsakit.design.overlap import (
    Keyfitz,
    PermanentNumbers,
    keyfitz_probabilities,
    pareto_ranks,
    permanent_random_numbers,
    shifted_numbers,
)
from lsakit.design.pps import draw_schools
from lsakit.design.systematic import draw_by_probability
from lsakit.errors import DesignError


@pytest.mark.parametrize(
    ("p1", "p2", "direction", "given", "otherwise"),
    [
        (0.2, 0.3, "minimize", 0, 0.375),
        (0.2, 0.3, "maximize", 1, 0.125),
        (0.6, 0.7, "minimize", 0.5, 1),
        (0.6, 0.7, "maximize", 1, 0.25),
    ],
)
def test_tv_1_9_conditional_probabilities(
    p1: float, p2: float, direction: Any, given: float, otherwise: float
) -> None:
    found = keyfitz_probabilities([p1, p1], [p2, p2], [True, False], direction=direction)
    assert found.tolist() == pytest.approx([given, otherwise], abs=1e-15)
    assert p1 * found[0] + (1 - p1) * found[1] == pytest.approx(p2, abs=1e-15)


def test_tv_1_10_pareto_ranks_and_the_shift() -> None:
    p = [0.9, 0.66, 0.48, 0.36, 0.36, 0.24]
    u = [0.62, 0.18, 0.35, 0.90, 0.07, 0.41]
    ranks = pareto_ranks(p, u)
    assert ranks.tolist() == pytest.approx([0.1813, 0.1131, 0.5833, 16.0, 0.1338, 2.2006], abs=5.1e-5)
    frame = {
        "school_id": list("123456"),
        "enrolment": [300, 220, 160, 120, 120, 80],
        "prn": u,
    }
    for shift, expected in ((0.0, {"1", "2", "5"}), (0.5, {"1", "2", "4"})):
        plan = Design(
            n_schools=3, n_students=30, overlap=PermanentNumbers(column="prn", shift=shift), n_replacements=0
        )
        drawn = draw_schools(frame, plan, rng=1)
        assert drawn.frame.sort("school_id")["probability"].to_list() == pytest.approx(p, abs=1e-15)
        assert set(drawn.table["school_id"]) == expected
        assert "among the 3 smallest of the stratum" in drawn.explain("1")
        assert drawn.warnings == (
            "1 strata have few schools (all), so the probabilities of a draw by permanent random numbers are "
            "approximate there; a systematic draw would be exact.",
        )


def test_permanent_numbers_stay_with_their_school() -> None:
    ids = [f"S{row:04d}" for row in range(4000)]
    numbers = permanent_random_numbers(ids, seed=7)
    assert np.array_equal(permanent_random_numbers(ids[::-1], seed=7)[::-1], numbers)
    assert not np.array_equal(permanent_random_numbers(ids, seed=8), numbers)
    assert ((numbers >= 0) & (numbers < 1)).all()
    # Uniform: a Kolmogorov-Smirnov distance above 1.95 / sqrt(n) has probability 0.001.
    assert np.abs(np.sort(numbers) - (np.arange(4000) + 0.5) / 4000).max() < 1.95 / np.sqrt(4000)


def test_a_shift_goes_around_the_circle() -> None:
    assert shifted_numbers([0.1, 0.5, 0.9], 0.3).tolist() == pytest.approx([0.8, 0.2, 0.6])


@pytest.mark.parametrize(("n_units", "n_schools", "bound"), [(6, 3, 0.009), (100, 20, 0.001)])
def test_pareto_probabilities_are_close_to_their_targets(n_units: int, n_schools: int, bound: float) -> None:
    """The bounds that docs/algorithms/overlap.md names; 40,000 draws have a standard error below 0.0025."""
    rng = np.random.default_rng(5)
    size = rng.integers(40, 120, n_units) if n_units > 6 else np.asarray([300, 220, 160, 120, 120, 80])
    p = n_schools * size / size.sum()
    assert p.max() < 1
    numbers = rng.random((40_000, n_units))
    ranks = (numbers / (1 - numbers)) * ((1 - p) / p)
    taken = np.argpartition(ranks, n_schools, axis=1)[:, :n_schools]
    share = np.bincount(taken.ravel(), minlength=n_units) / 40_000
    assert np.abs(share - p).max() < bound + 4 * np.sqrt(0.25 / 40_000)


def frame_of(n: int = 40) -> dict[str, Any]:
    rng = np.random.default_rng(2)
    size = [400, *rng.integers(20, 90, n - 1).tolist()]
    return {"school_id": [f"S{row:02d}" for row in range(n)], "enrolment": size}


def two_draws(direction: Any, n_pairs: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Draw twice, the second with overlap control; count the second draw's hits and the common schools."""
    frame, first = frame_of(), Design(n_schools=8, n_students=25, n_replacements=0)
    ids = frame["school_id"]
    number = {one: row for row, one in enumerate(ids)}
    overlap = Keyfitz(previous_probability="p", previously_drawn="was", direction=direction)
    second = Design(n_schools=10, n_students=25, overlap=overlap, n_replacements=0)
    old = draw_schools(frame, first, rng=0).frame.sort("school_id")["probability"].to_list()
    hits, common = np.zeros(len(ids)), 0
    probability = None
    for seed in range(n_pairs):
        before = set(draw_schools(frame, first, rng=2 * seed).table["school_id"])
        again = draw_schools(
            {**frame, "p": old, "was": [one in before for one in ids]}, second, rng=2 * seed + 1
        )
        taken = again.table["school_id"].to_list()
        hits[[number[one] for one in taken]] += 1
        common += len(before & set(taken))
        probability = again.frame.sort("school_id")["probability"].to_numpy()
    assert probability is not None
    return hits, probability, common / n_pairs


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_keyfitz_draws_keep_their_probabilities_and_control_the_overlap(direction: Any) -> None:
    n_pairs = 400
    hits, p, common = two_draws(direction, n_pairs)
    # 40 schools, two-sided: a normal quantile of 4.2 has a chance of false alarm near 0.001 in all.
    assert (np.abs(hits - n_pairs * p) <= 4.2 * np.sqrt(n_pairs * p * (1 - p)) + 1e-9).all()
    old = draw_schools(frame_of(), Design(n_schools=8, n_students=25), rng=0).frame.sort("school_id")
    before = old["probability"].to_numpy()
    least, most = np.maximum(0, before + p - 1).sum(), np.minimum(before, p).sum()
    assert common == pytest.approx(least if direction == "minimize" else most, abs=0.15)
    assert abs(common - (before * p).sum()) > 0.5  # negative control: independent draws share other numbers


def test_the_words_and_columns_of_a_controlled_draw() -> None:
    frame = frame_of(12)
    overlap = Keyfitz(previous_probability="p", previously_drawn="was")
    frame = {**frame, "p": [0.5] * 12, "was": [1, 0] * 6}
    drawn = draw_schools(frame, Design(n_schools=4, n_students=25, overlap=overlap), rng=3)
    assert {"previous_probability", "was_drawn", "conditional_probability"} <= set(drawn.frame.columns)
    text = drawn.explain(next(one for one in drawn.table["school_id"] if one != "S00"))
    assert (
        "The earlier draw, in which its probability was 0.5, did not draw it; to minimize the overlap" in text
    )
    np.testing.assert_allclose(drawn.table["probability"] * drawn.table["base_weight"], 1, rtol=1e-15)


def test_given_probabilities_are_hit_exactly() -> None:
    assert draw_by_probability([0, 1, 0, 1], random_number=Fraction(1, 3))[0] == (1, 3)
    assert draw_by_probability([0.0, 0.0], random_number=Fraction(1, 3)) == ((), ())
    assert draw_by_probability([0.25] * 4, random_number=Fraction(1, 4))[0] == (0,)
    with pytest.raises(DesignError, match="from 0 to 1"):
        draw_by_probability([1.2], random_number=Fraction(1, 3))


def plan_with(overlap: Any, **more: Any) -> Design:
    return Design(n_schools=3, n_students=20, overlap=overlap, **more)


KEYFITZ = Keyfitz(previous_probability="p", previously_drawn="was")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"p": [0.0, 0.5, 0.5], "was": [1, 0, 0]}, r"'p' of the frame must be above 0.*Got 0 in 1 of 3.*A"),
        ({"p": [0.5, 1.0, 0.5], "was": [1, 0, 0]}, r"must be below 1.*B"),
        ({"p": [0.5, 1.5, 0.5], "was": [1, 0, 0]}, r"must lie from 0 to 1.*B"),
        ({"p": [0.5, 0.5, 0.5], "was": [1, 2, 0]}, r"'was' of the frame must be 0 or 1.*B"),
        ({"p": [0.5, None, 0.5], "was": [1, 0, 0]}, "no missing values"),
        ({"p": [0.5, 0.5, 0.5]}, "no column 'was'"),
    ],
)
def test_an_impossible_past_is_refused_with_the_school(columns: dict[str, Any], words: str) -> None:
    frame = {"school_id": list("ABC"), "enrolment": [40, 50, 60], **columns}
    with pytest.raises(ValueError, match=words):
        draw_schools(frame, plan_with(KEYFITZ), rng=1)


def test_bad_overlap_control_is_refused() -> None:
    with pytest.raises(DesignError, match="'direction'"):
        Keyfitz(previous_probability="p", previously_drawn="was", direction="most")  # type: ignore[arg-type]
    with pytest.raises(DesignError, match="'shift'"):
        PermanentNumbers(column="prn", shift=1.0)
    with pytest.raises(DesignError, match="'overlap' parameter"):
        plan_with("keyfitz")
    with pytest.raises(DesignError, match="certainty='cap'"):
        plan_with(PermanentNumbers(column="prn"), certainty="cap")
    frame = {"school_id": list("ABC"), "enrolment": [40, 50, 60], "prn": [0.1, 1.0, 0.2]}
    with pytest.raises(DesignError, match=r"'prn'.*from 0 to below 1.*B"):
        draw_schools(frame, plan_with(PermanentNumbers(column="prn")), rng=1)
    with pytest.raises(DesignError, match="'target' probability"):
        pareto_ranks([0.0], [0.5])
    with pytest.raises(DesignError, match="permanent random number"):
        pareto_ranks([0.5], [1.5])
    with pytest.raises(DesignError, match="'previous' probability must lie"):
        keyfitz_probabilities([1.5], [0.5], [True])
