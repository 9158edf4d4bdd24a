"""Replacements that are due, samples that no longer stand in the frame, and what a draw warns of."""

from __future__ import annotations

import pytest

from lsakit.design.after_draw import check_sample, next_replacement
from lsakit.design.allocation import AllocationLimits, allocate_schools
from lsakit.design.options import Design
from lsakit.design.pps import draw_schools
from lsakit.errors import DesignError, UnknownColumnError

ENROLMENT = [210, 180, 150, 140, 120, 110, 95, 80, 60, 52, 40, 28]
FRAME = {"school_id": list("ABCDEFGHIJKL"), "enrolment": ENROLMENT}
DRAWN = draw_schools(FRAME, Design(n_schools=4, n_students=35), rng=3)


def test_replacements_come_in_their_order_and_only_with_a_reason() -> None:
    full = DRAWN.table.filter(DRAWN.table["replacement_2"].is_not_null()).row(0, named=True)
    original, first, second = full["school_id"], full["replacement_1"], full["replacement_2"]
    assert next_replacement(DRAWN, original, reason=2) == first
    assert next_replacement(DRAWN, original, reason=3, used=[first]) == second
    with pytest.raises(
        DesignError, match=rf"holds 2 replacements of school '{original}', and all were asked"
    ):
        next_replacement(DRAWN, original, reason=4, used=[first, second])
    for reason in (1, 5, 6, 8, 9, 11):
        with pytest.raises(DesignError, match=rf"participation code {reason} .* allows no replacement"):
            next_replacement(DRAWN, original, reason=reason)
    with pytest.raises(DesignError, match=rf"'{first}' is not in the sample"):
        next_replacement(DRAWN, first, reason=2)


def test_a_sampled_school_that_vanished_is_named() -> None:
    check_sample(DRAWN, FRAME)
    gone = DRAWN.table["school_id"][1]
    rows = [row for row, one in enumerate(FRAME["school_id"]) if one != gone]
    frame = {name: [column[row] for row in rows] for name, column in FRAME.items()}
    with pytest.raises(DesignError, match=rf"1 sampled schools vanished from the frame. See: {gone}"):
        check_sample(DRAWN, frame)
    behind = DRAWN.table["replacement_1"].drop_nulls()[0]
    rows = [row for row, one in enumerate(FRAME["school_id"]) if one != behind]
    with pytest.raises(DesignError, match=rf"1 first replacements vanished.*{behind}"):
        check_sample(DRAWN, {name: [column[row] for row in rows] for name, column in FRAME.items()})
    with pytest.raises(UnknownColumnError):
        check_sample(DRAWN, {"id": [1]})


def test_more_replacements_than_the_frame_holds() -> None:
    dense = {"n_schools": 6, "n_students": 35}
    shown = draw_schools(FRAME, Design(**dense), rng=3)
    assert shown.table["replacement_2"].null_count() == 5
    assert any("5 of 6 sampled schools have no second replacement" in one for one in shown.warnings)
    with pytest.raises(
        DesignError, match=r"too few schools for 2 replacements.*5 sampled schools lack one. See: "
    ):
        draw_schools(FRAME, Design(**dense, replacement_gaps="refuse"), rng=3)
    sparse = draw_schools(FRAME, Design(n_schools=2, n_students=35, replacement_gaps="refuse"), rng=1)
    assert sparse.table["replacement_2"].null_count() == 0
    assert sparse.warnings == ()
    none = draw_schools(FRAME, Design(**dense, n_replacements=0, replacement_gaps="refuse"), rng=3)
    assert none.warnings == ()


def test_a_stratum_with_one_school_is_warned_of() -> None:
    frame = {**FRAME, "region": ["N"] * 6 + ["S"] * 6}
    drawn = draw_schools(frame, Design(explicit=["region"], n_schools={"N": 1, "S": 2}, n_students=35), rng=1)
    assert "fewer than two drawn schools (N)" in drawn.warnings[0]


def test_the_reporting_rule_raises_the_total_and_shows_both_numbers() -> None:
    sizes = {"A": 10, "B": 200, "C": 300}
    found = allocate_schools(sizes, 51, limits=AllocationLimits(minimum=5, total="raised"))
    assert found.table.select("stratum", "n_before_limits", "n_schools").rows() == [
        ("A", 1, 5),
        ("B", 20, 20),
        ("C", 30, 30),
    ]
    kept = allocate_schools(sizes, 51, limits=AllocationLimits(minimum=5))
    assert sum(kept.counts.values()) == 51
    assert found.loss > 1
    capped = allocate_schools(
        sizes, 51, limits=AllocationLimits(minimum=5, maximum={"C": 12}, total="raised")
    )
    assert capped.counts == {"A": 5, "B": 20, "C": 12}
    with pytest.raises(DesignError, match=r"1 strata hold fewer schools.*A \(5 of 3\)"):
        allocate_schools(sizes, 51, limits=AllocationLimits(minimum=5, maximum={"A": 3}, total="raised"))
    with pytest.raises(DesignError, match="'total' of allocation limits"):
        AllocationLimits(total="grown")  # type: ignore[arg-type]
