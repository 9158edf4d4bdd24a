"""Each cell has one clean form, or a sentence that says why not."""

from __future__ import annotations

import datetime

import pytest

from dienrong.rosters import cells, codes
from small_rosters import pupil, teacher

TODAY = datetime.date(2026, 11, 22)


def read(**changes):
    return cells.read(pupil(1, **changes), cells.STUDENT_COLUMNS, TODAY)


@pytest.mark.parametrize(
    ("column", "written", "clean"),
    [
        ("full_name", "H'Hen  Niê", "H'Hen Niê"),
        ("full_name", "Nguye\u0302\u0303n Thi\u0323 A\u0301nh", "Nguyễn Thị Ánh"),
        ("full_name", "Giàng A Páo", "Giàng A Páo"),
        ("full_name", "Y Moan\u00a0Êban", "Y Moan Êban"),
        ("full_name", "Bơnah K'Să\u0306", "Bơnah K'Să\u0306"),
        ("full_name", "Páo", "Páo"),
        ("class_name", "5 a", "5A"),
        ("class_name", "Lớp 5A", "5A"),
        ("class_name", " 10 A 1", "10A1"),
        ("class_name", "6đ", "6Đ"),
        ("class_name", "Lá  1", "Lá 1"),
        ("class_name", "10 Toán", "10 Toán"),
        ("student_code", "0100 000 001", "0100000001"),
        ("ethnicity", "8", "08"),
        ("has_special_needs", "Có", True),
        ("has_special_needs", 0, False),
        ("grade", "5", 5),
        ("birth_date", datetime.date(2016, 3, 9), "2016-03-09"),
    ],
)
def test_a_cell_gets_its_clean_form(column, written, clean) -> None:
    found, problems = read(**{column: written})
    assert not problems
    assert found[column] == clean


@pytest.mark.parametrize(
    ("column", "written", "words"),
    [
        ("student_code", "100000001", "10 chữ số"),
        ("student_code", "", "để trống"),
        ("personal_id", "1316000001", "12 chữ số"),
        ("personal_id", "097316000001", "không bắt đầu"),
        ("personal_id", "001315000001", "2015"),
        ("personal_id", "001216000001", "nam"),
        ("full_name", "Nguyễn V@n A", "chữ cái"),
        ("full_name", "123", "chữ cái"),
        ("full_name", "O''Neil", "chữ cái"),
        ("birth_date", "2016-02-30", "không phải là ngày"),
        ("birth_date", "2026-11-22", "không hợp lý"),
        ("birth_date", "1899-01-01", "không hợp lý"),
        ("sex", "nữ", "“Nữ” hoặc “Nam”"),
        ("ethnicity", "56", "01 đến 54"),
        ("grade", 13, "1 đến 12"),
        ("grade", True, "1 đến 12"),
        ("class_name", "x" * 31, "30"),
        ("status", "gone", "Đang học"),
        ("has_special_needs", "maybe", "Có"),
    ],
)
def test_a_cell_that_cannot_be_taken_says_why(column, written, words) -> None:
    _found, problems = read(**{column: written})
    assert [problem.column for problem in problems] == [column]
    assert words in problems[0].sentence
    assert problems[0].value == str(written)


def test_optional_cells_may_be_absent() -> None:
    found, problems = read(personal_id=None, ethnicity=None, status="", has_special_needs=None)
    assert not problems
    assert set(found) == {
        "school_id",
        "student_code",
        "full_name",
        "birth_date",
        "sex",
        "grade",
        "class_name",
    }


def test_a_teacher_is_read() -> None:
    found, problems = cells.read(teacher(1, staff_code=" gv 000001"), cells.STAFF_COLUMNS, TODAY)
    assert not problems
    assert (found["staff_code"], found["subjects"], found["grades"]) == (
        "GV000001",
        "Toán; Tiếng Việt",
        "4, 5",
    )


@pytest.mark.parametrize(
    ("column", "written"), [("role", "boss"), ("grades", "lớp"), ("staff_code", "?"), ("position", "x" * 81)]
)
def test_a_teacher_is_refused_by_the_cell(column, written) -> None:
    _found, problems = cells.read(teacher(1, **{column: written}), cells.STAFF_COLUMNS, TODAY)
    assert [problem.column for problem in problems] == [column]


@pytest.mark.parametrize(
    ("levels", "first", "last"),
    [("TH", 1, 5), ("TH-THCS", 1, 9), ("THCS-THPT", 6, 12), ("MN", 0, 0), ("LẠ", 0, 12), ("", 0, 12)],
)
def test_levels_say_which_grades_are_taught(levels, first, last) -> None:
    taught = codes.grades_taught(levels)
    assert (min(taught), max(taught)) == (first, last)


def test_codes_of_peoples_are_the_official_ones() -> None:
    assert [codes.ETHNICITIES[code] for code in ("01", "08", "54", "55")] == [
        "Kinh",
        "Mông",
        "Rơ-măm",
        "Người nước ngoài",
    ]
    assert not codes.is_minority("01")
    assert not codes.is_minority("55")
    assert codes.is_minority("08")


def test_a_period_ends_on_the_same_day_or_the_last_of_a_shorter_month() -> None:
    assert codes.months_later(datetime.date(2027, 7, 31), 24) == datetime.date(2029, 7, 31)
    assert codes.months_later(datetime.date(2027, 7, 31), 7) == datetime.date(2028, 2, 29)
    assert codes.months_later(datetime.date(2027, 7, 31), 2) == datetime.date(2027, 9, 30)
