"""Enrolments: pupils and classes by grade; one row a grade, or one row a school with columns for the grades."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dienrong.accounts.permissions import Scope
from dienrong.imports.columns import COUNTED_ON, SCHOOL_YEAR, Column, Target, Values, Words, register
from dienrong.imports.targets import lists
from dienrong.imports.targets.schools import as_date
from dienrong.registry import operations, queries

GRADES = range(13)
COUNTED = Column(
    code="counted_on",
    title=Words("Ngày chốt", "Counted on"),
    guide=Words("Để trống: lấy ngày chốt đã chọn khi gửi tệp", "Empty: the day chosen when the file is sent"),
    aliases=("NGAY_CHOT", "Ngày chốt số liệu", "Ngày đếm"),
    kind="date",
    sample="30/09/2026",
)


def grade_title(grade: int) -> Words:
    """Name a grade in a header."""
    return Words("Mầm non", "Kindergarten") if grade == 0 else Words(f"Khối {grade}", f"Grade {grade}")


def _wide_columns() -> tuple[Column, ...]:
    """Make two columns for every grade."""
    columns = [lists.SCHOOL_ID]
    for grade in GRADES:
        title = grade_title(grade)
        names = (
            ("Mầm non", "MN") if grade == 0 else (f"Khối {grade}", f"Lớp {grade}", f"K{grade}", f"L{grade}")
        )
        for base, short in ((lists.N_STUDENTS, "HS"), (lists.N_CLASSES, "lớp")):
            words = (base.title.vi, short, *base.aliases)
            columns.append(
                dataclasses.replace(
                    base,
                    code=f"{base.code}_{grade}",
                    title=Words(f"{title.vi} · {base.title.vi}", f"{title.en} · {base.title.en}"),
                    aliases=tuple(
                        spelling
                        for name in names
                        for word in words
                        for spelling in (f"{name} {word}", f"{word} {name}")
                    ),
                )
            )
    return (*columns, COUNTED)


def spread(number: int, values: Values) -> Iterator[tuple[int, Values]]:
    """Make one row for each grade that has a number in either of its columns."""
    for grade in GRADES:
        n_students, n_classes = values.get(f"n_students_{grade}"), values.get(f"n_classes_{grade}")
        if n_students is not None or n_classes is not None:
            yield (
                number,
                {
                    "school_id": values.get("school_id"),
                    "grade": grade,
                    "n_students": n_students,
                    "n_classes": n_classes,
                    "counted_on": values.get("counted_on"),
                },
            )


def with_grade_as_number(number: int, values: Values) -> Iterator[tuple[int, Values]]:
    """Give the row with its grade as a number."""
    grade = values.get("grade")
    yield number, {**values, "grade": None if grade is None else int(grade)}


def compare(rows: Any, scope: Scope, params: Values) -> Any:
    """Compare rows with the enrolments of the registry; rows may name days of their own."""
    found: dict[int, Any] = {}
    for day, places in _by_day([values for _number, values in rows], params).items():
        changes = queries.compare_enrolments(
            [rows[place] for place in places],
            scope=scope,
            school_year=params["school_year"],
            counted_on=as_date(day),
        )
        for place, change in zip(places, changes, strict=True):
            own = rows[place][1].get("counted_on")
            found[place] = dataclasses.replace(change, values={**change.values, "counted_on": own})
    return [found[place] for place in range(len(rows))]


def write(changes: Any, by: Any, params: Values) -> Any:
    """Write enrolments."""
    written: list[Any] = []
    for day, places in _by_day([change.values for change in changes], params).items():
        written += operations.write_enrolments(
            [changes[place] for place in places],
            by=by,
            school_year=params["school_year"],
            counted_on=as_date(day),
        )
    return written


def _by_day(rows: Sequence[Values], params: Values) -> dict[str, list[int]]:
    """Put places of rows together by the day on which they were counted."""
    days: dict[str, list[int]] = {}
    for place, values in enumerate(rows):
        days.setdefault(str(values.get("counted_on") or params["counted_on"]), []).append(place)
    return days


def undo(written: Any, by: Any, _params: Values) -> Any:
    """Take written enrolments back."""
    return operations.undo_enrolments(written, by=by)


def export(scope: Scope, params: Values) -> Iterator[Mapping[str, Any]]:
    """Give the newest counts of a school year, one row a grade."""
    for school in queries.schools_in(scope).order_by("school_id").iterator(chunk_size=1_000):
        for row in school.enrolments.all():
            if row.school_year == params["school_year"]:
                yield {
                    "school_id": school.school_id,
                    "grade": str(row.grade),
                    "n_students": row.n_students,
                    "n_classes": row.n_classes,
                    "counted_on": row.counted_on.isoformat(),
                }


def export_wide(scope: Scope, params: Values) -> Iterator[Mapping[str, Any]]:
    """Give the newest counts of a school year, one row a school."""
    for school in queries.schools_in(scope).order_by("school_id").iterator(chunk_size=1_000):
        values: dict[str, Any] = {"school_id": school.school_id}
        for row in school.enrolments.all():
            if row.school_year == params["school_year"]:
                values[f"n_students_{row.grade}"] = row.n_students
                values[f"n_classes_{row.grade}"] = row.n_classes
                values["counted_on"] = row.counted_on.isoformat()
        if len(values) > 1:
            yield values


LONG = register(
    Target(
        code="quy-mo",
        title=Words("Quy mô học sinh, lớp (mỗi khối một dòng)", "Enrolments (a row for each grade)"),
        lead=Words(
            "Số học sinh và số lớp của từng khối, theo năm học và ngày chốt.",
            "Pupils and classes of each grade, by school year and day of counting.",
        ),
        columns=(
            lists.SCHOOL_ID,
            lists.GRADE,
            dataclasses.replace(lists.N_STUDENTS, is_required=True),
            dataclasses.replace(lists.N_CLASSES, is_required=True),
            COUNTED,
        ),
        key=("school_id", "grade"),
        compare=compare,
        write=write,
        undo=undo,
        export=export,
        spread=with_grade_as_number,
        parameters=(SCHOOL_YEAR, COUNTED_ON),
        order=30,
    )
)
WIDE = register(
    Target(
        code="quy-mo-ngang",
        title=Words("Quy mô học sinh, lớp (mỗi trường một dòng)", "Enrolments (a row for each school)"),
        lead=Words(
            "Như trên, nhưng mỗi khối có hai cột: số học sinh và số lớp.",
            "The same, with two columns for each grade: pupils and classes.",
        ),
        columns=_wide_columns(),
        key=("school_id",),
        compare=compare,
        write=write,
        undo=undo,
        export=export_wide,
        spread=spread,
        parameters=(SCHOOL_YEAR, COUNTED_ON),
        order=31,
    )
)
