"""Systematic PPS against hand-worked vectors and at its edges."""

from __future__ import annotations

from fractions import Fraction

import pytest

from lsakit.design.systematic import systematic_pps
from lsakit.errors import DesignError

TV_1_5 = [210, 180, 150, 140, 120, 110, 95, 80, 60, 52, 40, 35]
TV_1_6 = [900, 400, 210, 180, 150, 140, 120, 110, 95, 80, 60, 52, 40, 35]


def test_tv_1_5_draws_a_c_e_i() -> None:
    draw = systematic_pps(TV_1_5, 4, random_number=Fraction("0.4275"))
    assert ["ABCDEFGHIJKL"[place] for place in draw.selected] == ["A", "C", "E", "I"]
    assert draw.interval == 318
    assert [float(number) for number in draw.selection_numbers] == [135.945, 453.945, 771.945, 1089.945]
    weights = [draw.base_weight[place] for place in draw.selected]
    assert weights == pytest.approx([1.5142857142857142, 2.12, 2.65, 5.3], abs=1e-15)


def test_tv_1_6_takes_the_large_school_and_computes_the_interval_again() -> None:
    draw = systematic_pps(TV_1_6, 5, random_number=Fraction("0.6133"))
    assert [TV_1_6[place] for place in draw.selected] == [900, 400, 180, 120, 60]
    assert draw.interval == 418
    assert draw.is_certainty == (True, *[False] * 13)
    assert draw.probability[1] == pytest.approx(0.9569378, abs=5e-8)
    assert [float(one) for one in draw.selection_numbers] == [256.3594, 674.3594, 1092.3594, 1510.3594]
    weights = [draw.base_weight[place] for place in draw.selected]
    assert weights == pytest.approx([1, 1.045, 2.3222222, 3.4833333, 6.9666667], abs=5e-8)
    assert sum(draw.probability) == pytest.approx(5, abs=1e-12)


def test_capped_convention_keeps_the_interval() -> None:
    draw = systematic_pps(TV_1_6, 5, random_number=Fraction("0.6133"), certainty="cap")
    assert draw.interval == Fraction(2572, 5)
    assert draw.probability[0] == 1.0
    assert draw.is_certainty[0]
    assert not draw.is_certainty[1]
    assert draw.probability[1] == pytest.approx(400 / 514.4, abs=1e-15)
    assert 0 in draw.selected
    expected = sum(draw.probability)
    assert len(draw.selected) in {int(expected), int(expected) + 1}


@pytest.mark.parametrize("numerator", [1, 2, 17, 999, 1000])
def test_a_capped_school_is_drawn_for_every_start(numerator: int) -> None:
    draw = systematic_pps(
        [10, 90, 10, 10, 10, 70], 3, random_number=Fraction(numerator, 1000), certainty="cap"
    )
    assert {1, 5} <= set(draw.selected)


def test_a_second_round_of_certainties() -> None:
    draw = systematic_pps([1000, 300, 10, 10, 10, 10], 3, random_number=Fraction(1, 3))
    assert draw.is_certainty == (True, True, False, False, False, False)
    assert draw.interval == 40
    assert sum(draw.probability) == pytest.approx(3)


def test_as_many_as_there_are_takes_all() -> None:
    draw = systematic_pps([5, 1, 30], 3, random_number=Fraction(1, 2))
    assert draw.selected == (0, 1, 2)
    assert draw.base_weight == (1.0, 1.0, 1.0)
    assert draw.interval is None


def test_a_number_on_a_border_belongs_to_the_lower_school() -> None:
    draw = systematic_pps([10, 10, 10, 10], 2, random_number=Fraction(1, 2))
    assert draw.selected == (0, 2)


def test_a_start_of_one_ends_on_the_last_school() -> None:
    assert systematic_pps([1, 1, 1, 1], 2, random_number=Fraction(1)).selected == (1, 3)


def test_sevenths_do_not_drift() -> None:
    """With floating point, 0.1-like steps over 7,000 units drift over a border; integers do not."""
    draw = systematic_pps([3] * 7001, 7000, random_number=Fraction(1, 7))
    assert len(set(draw.selected)) == 7000
    assert draw.base_weight[0] == 7001 / 7000


def test_halves_of_a_student_are_exact() -> None:
    draw = systematic_pps([17.5, 35.0, 70.0, 8.75], 2, random_number=Fraction(1, 2))
    assert draw.interval == Fraction(245, 4)


@pytest.mark.parametrize("sizes", [[10, 0], [10, -1], [10, float("nan")]])
def test_a_size_that_is_not_positive_is_refused(sizes: list[float]) -> None:
    with pytest.raises(DesignError, match=r"positive number.*place 2"):
        systematic_pps(sizes, 1, random_number=Fraction(1, 2))


@pytest.mark.parametrize("start", [Fraction(0), Fraction(11, 10)])
def test_a_start_outside_is_refused(start: Fraction) -> None:
    with pytest.raises(DesignError, match="above 0"):
        systematic_pps([1, 2], 1, random_number=start)


@pytest.mark.parametrize("number", [0, 3])
def test_more_than_there_are_is_refused(number: int) -> None:
    with pytest.raises(DesignError, match="from 1 to 2"):
        systematic_pps([1, 2], number, random_number=Fraction(1, 2))
