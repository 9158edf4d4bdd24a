"""Frame checks: each finds what it is for, and nothing in a clean frame."""

from __future__ import annotations

from typing import Any

import pytest

from lsakit.design.frame_checks import OutsideData, check_frame
from lsakit.design.options import Design
from lsakit.errors import UnknownColumnError

CLEAN: dict[str, Any] = {
    "school_id": ["S1", "S2", "S3", "S4"],
    "name": ["a", "b", "c", "d"],
    "commune_code": ["1", "1", "2", "2"],
    "province_code": ["01", "01", "02", "02"],
    "enrolment": [60, 70, 80, 90],
    "classes": [2, 2, 2, 3],
}
PLAN = Design(explicit=["province_code"], n_schools={"01": 2, "02": 2}, n_students=30)


def findings(**changes: Any) -> list[tuple[str, str, int]]:
    found = check_frame({**CLEAN, **changes}, design=PLAN)
    return [(row["check"], row["severity"], row["n"]) for row in found.table.rows(named=True)]


def test_a_clean_frame_has_no_finding() -> None:
    found = check_frame(CLEAN, design=PLAN)
    assert found.table.height == 0
    assert not found.has_errors
    assert found.checked == ("F1", "F2", "F3", "F4", "F6", "F8", "F11")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"school_id": ["S1", "S1", "S3", "S4"]}, ("F1", "error", 1)),
        ({"name": ["a", "a", "c", "d"]}, ("F1", "warning", 2)),
        ({"enrolment": [60, None, 80, 90]}, ("F2", "error", 1)),
        ({"enrolment": [60, -70, 80.5, 90]}, ("F2", "error", 2)),
        ({"enrolment": [60, 0, 80, 90]}, ("F3", "error", 1)),
        ({"province_code": ["01", "01", None, "02"]}, ("F4", "error", 1)),
        ({"classes": [1, 30, 2, 3]}, ("F6", "warning", 1)),
        ({"enrolment_previous": [60, 30, 81, 90]}, ("F6", "warning", 1)),
        ({"parent_school_id": [None, "S1", None, "X"]}, ("F7", "error", 1)),
        ({"province_code": ["01", "02", "02", "02"]}, ("F8", "error", 1)),
        ({"province_code": ["01", "01", "02", "03"]}, ("F8", "error", 1)),
        ({"total_enrolment": [300, 69, 300, 300]}, ("F11", "error", 1)),
        ({"classes": [2, 71, 2, 3]}, ("F11", "error", 1)),
    ],
)
def test_each_check_finds_its_fault(changes: dict[str, Any], expected: tuple[str, str, int]) -> None:
    assert expected in findings(**changes)


def test_a_finding_names_its_rows_in_a_sentence() -> None:
    row = check_frame({**CLEAN, "enrolment": [60, 0, 80, 90]}, design=PLAN).table.row(0, named=True)
    assert row["rows"] == "S2"
    assert "1 schools have no student in 'enrolment'" in row["sentence"]


def test_zero_is_a_warning_where_the_design_raises_it() -> None:
    plan = Design(explicit=["province_code"], n_schools=4, n_students=30, zero_size="floor")
    found = check_frame({**CLEAN, "enrolment": [60, 0, 80, 90]}, design=plan)
    assert ("F3", "warning") in found.table.select("check", "severity").rows()


def test_official_totals() -> None:
    outside = OutsideData(totals={"01": 132, "02": 200, "03": 0})
    found = check_frame(CLEAN, design=PLAN, outside=outside)
    assert found.table.select("check", "severity", "n", "rows").rows() == [
        ("F5", "error", 1, "02"),
        ("F5", "warning", 1, "01"),
    ]
    assert "-15.0% in 02" in found.table["sentence"][0]


def test_code_lists() -> None:
    outside = OutsideData(codes={"province_code": ["01"]})
    found = check_frame(CLEAN, design=PLAN, outside=outside)
    assert found.table.select("check", "n").rows() == [("F4", 2)]
    assert "such as '02'" in found.table["sentence"][0]


def test_one_sampled_school_in_a_stratum_is_an_error() -> None:
    plan = Design(explicit=["province_code"], n_schools={"01": 1, "02": 2}, n_students=30)
    found = check_frame(CLEAN, design=plan)
    assert found.table.select("check", "rows").rows() == [("F8", "01")]


def test_a_column_of_the_design_must_be_there() -> None:
    with pytest.raises(UnknownColumnError, match="no column 'area'"):
        check_frame(CLEAN, design=Design(implicit=["area"], n_schools=2, n_students=30))
