"""Rows of pupils and staff for the tests of the rosters."""

from __future__ import annotations

import datetime
from typing import Any

from dienrong.accounts.permissions import Scope
from dienrong.rosters import operations, queries

YEAR, NEXT_YEAR = "2026-2027", "2027-2028"
HOA_BINH, NGUYEN_TRAI, DUC_THANG, SOUTH = "01000001", "01000002", "01000003", "79000001"
NATION = Scope(is_national=True, roles=frozenset({"province_officer"}))
DAY = datetime.date(2026, 11, 22)


def pupil(number: int, name: str = "Nguyễn Thị Ánh", **changes: Any) -> dict[str, Any]:
    """Write the row of a pupil; the number makes code and personal number."""
    row = {
        "school_id": HOA_BINH,
        "student_code": f"{100000000 + number:010d}",
        "personal_id": f"001316{number:06d}",
        "full_name": name,
        "birth_date": "2016-03-05",
        "sex": "female",
        "ethnicity": "01",
        "grade": 5,
        "class_name": "5A",
        "status": "studying",
        "has_special_needs": False,
    }
    return {**row, **changes}


def teacher(number: int, name: str = "Trần Văn Đức", **changes: Any) -> dict[str, Any]:
    """Write the row of a teacher."""
    row = {
        "school_id": HOA_BINH,
        "staff_code": f"GV{number:06d}",
        "personal_id": f"001080{number:06d}",
        "full_name": name,
        "birth_date": "1980-01-31",
        "sex": "male",
        "role": "teacher",
        "position": "Giáo viên hạng II",
        "subjects": "Toán, Tiếng Việt",
        "grades": "4; 5",
    }
    return {**row, **changes}


def compare(rows: list[dict[str, Any]], *, scope: Scope = NATION, year: str = YEAR, **more: Any) -> list[Any]:
    """Compare rows of pupils, numbered from 3 on as under two rows of headings."""
    return queries.compare_students(enumerate(rows, start=3), scope=scope, school_year=year, **more)


def write(rows: list[dict[str, Any]], *, by: Any = None, year: str = YEAR, on_date: Any = DAY) -> list[Any]:
    """Compare and write rows of pupils."""
    return operations.write_students(compare(rows, year=year), by=by, school_year=year, on_date=on_date)


def compare_staff(rows: list[dict[str, Any]], *, scope: Scope = NATION, year: str = YEAR) -> list[Any]:
    """Compare rows of staff."""
    return queries.compare_staff(enumerate(rows, start=3), scope=scope, school_year=year)


def write_staff(rows: list[dict[str, Any]], *, by: Any = None, year: str = YEAR) -> list[Any]:
    """Compare and write rows of staff."""
    return operations.write_staff(compare_staff(rows, year=year), by=by, school_year=year)
