"""Allocation of schools over strata."""

from __future__ import annotations

import pytest

from lsakit.design.allocation import AllocationLimits, allocate_schools
from lsakit.errors import DesignError

SIZES = dict(zip("ABCDEF", [180, 330, 280, 90, 240, 230], strict=True))
DEVIATIONS = dict(zip("ABCDEF", [95, 80, 88, 98, 85, 90], strict=True))


@pytest.mark.parametrize(
    ("method", "rounded", "exact", "loss"),
    [
        ("proportional", [27, 49, 41, 13, 36, 34], [26.667, 48.889, 41.481, 13.333, 35.556, 34.074], 1.00012),
        ("neyman", [29, 45, 42, 15, 34, 35], [28.968, 44.723, 41.741, 14.942, 34.559, 35.067], None),
        ("power", [30, 41, 38, 22, 35, 34], [30.333, 41.071, 37.832, 21.449, 35.026, 34.288], 1.02815),
        ("equal", [34, 34, 33, 33, 33, 33], [33.333] * 6, 1.11117),
    ],
)
def test_tv_1_3(method: str, rounded: list[int], exact: list[float], loss: float | None) -> None:
    found = allocate_schools(SIZES, 200, method=method, deviations=DEVIATIONS)
    assert list(found.counts.values()) == rounded
    assert found.table.get_column("exact").to_list() == pytest.approx(exact, abs=5e-4)
    if loss is not None:
        assert found.loss == pytest.approx(loss, abs=5e-6)


def test_a_minimum_is_taken_from_the_others() -> None:
    found = allocate_schools({"A": 1, "B": 100, "C": 200}, 30, limits=AllocationLimits(minimum=2)).counts
    assert found == {"A": 2, "B": 9, "C": 19}


def test_a_maximum_is_given_to_the_others() -> None:
    limits = AllocationLimits(maximum={"C": 5})
    assert allocate_schools({"A": 1, "B": 3, "C": 400}, 13, limits=limits).counts == {"A": 2, "B": 6, "C": 5}


def test_both_limits_at_once() -> None:
    limits = AllocationLimits(minimum={"A": 4}, maximum={"C": 10})
    found = allocate_schools({"A": 1, "B": 9, "C": 90}, 20, limits=limits).counts
    assert found == {"A": 4, "B": 6, "C": 10}


def test_limits_that_cannot_hold_are_refused() -> None:
    with pytest.raises(DesignError, match="at least 6 and hold at most"):
        allocate_schools({"A": 1, "B": 2, "C": 3}, 5, limits=AllocationLimits(minimum=2))
    with pytest.raises(DesignError, match="hold at most 4"):
        allocate_schools({"A": 1, "B": 2}, 5, limits=AllocationLimits(maximum=2))


def test_sizes_and_deviations_must_be_positive() -> None:
    with pytest.raises(DesignError, match=r"'sizes'.*See: B"):
        allocate_schools({"A": 1, "B": 0}, 5)
    with pytest.raises(DesignError, match=r"'deviations'.*See: B"):
        allocate_schools({"A": 1, "B": 2}, 5, method="neyman", deviations={"A": 1})
    with pytest.raises(DesignError, match="with 'deviations'"):
        allocate_schools({"A": 1, "B": 2}, 5, method="neyman")
