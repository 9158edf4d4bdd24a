"""Splits and openings as lines of a batch: previewed with their pupils, applied and undone beside mergers."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dienrong.core.refusals import Refusal
from dienrong.registry import operations, queries
from dienrong.registry.models import (
    AdministrativeUnit,
    MergerBatch,
    MergerPart,
    School,
    SchoolEnrolment,
    SchoolVersion,
    SuccessionCount,
)
from dienrong.registry.queries import Line, LinePart

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon", "registry")]
A, B, C, NEW, OTHER = "01000001", "01000002", "01000003", "01000099", "01000098"
YEAR, JULY = "2025-2026", date(2026, 7, 1)
# School A has 120 pupils in grade 5; school C has 200 in grade 9.
HALVES = (
    LinePart(code=A, shares={5: (70, 2)}),
    LinePart(code=NEW, name="Trường TH Ba Đình 2", commune_code="00008", shares={5: (50, 2)}),
)


def batch(*lines: Line, day: date = JULY) -> MergerBatch:
    return operations.plan_batch(
        AdministrativeUnit.objects.get(level="province", code="01"),
        lines,
        title="Sắp xếp trường",
        decision_number="12/QĐ-UBND",
        decision_date=date(2026, 6, 15),
        effective_date=day,
        by=None,
    )


def split(number: int = 1, code: str = A, parts=HALVES) -> Line:
    return Line(line_number=number, kind="split", predecessor_codes=(code,), parts=parts)


def opening(number: int = 2, **changes: str) -> Line:
    given = {
        "successor_code": OTHER, "successor_name": "Trường THPT Mới", "commune_code": "00008",
        "levels": "THPT", **changes,
    }  # fmt: skip
    return Line(line_number=number, kind="open", predecessor_codes=(), **given)


def frame(day: date = JULY) -> dict[str, int]:
    rows = queries.frame_on(day, YEAR, province_code="01")
    return {row.school_id: sum(row.n_students.values()) for row in rows}


def state() -> tuple:
    return tuple(
        list(model.objects.order_by("pk").values()) for model in (School, SchoolVersion, SchoolEnrolment)
    )


def test_a_split_an_opening_and_a_merger_in_one_batch() -> None:
    before = state()
    merger = Line(line_number=3, kind="merge", predecessor_codes=(B, C), successor_code=B)
    made = batch(split(), opening(), merger)
    plan = queries.preview_batch(made)
    assert plan.problems == ()
    assert (plan.schools.before, plan.schools.after) == (3, 4)
    assert (plan.pupils.before, plan.pupils.after, plan.keeps_pupils) == (440, 440, True)
    assert [(row.title, row.before, row.after) for row in plan.by_commune] == [("Phường Ngọc Hà", 1, 2)]
    assert {row.title: (row.before, row.after) for row in plan.by_level} == {"TH": (3, 3), "THPT": (0, 1)}
    assert state() == before
    operations.apply_batch(batch=made, by=None)
    assert frame() == {A: 70, NEW: 50, B: 320, OTHER: 0}
    parts = SuccessionCount.objects.filter(grade=5).values_list("school_year", "n_students", "n_classes")
    assert sorted(parts) == [(YEAR, 50, 2), (YEAR, 70, 2)]
    opened = School.objects.get(school_id=OTHER)
    assert (opened.managed_by, opened.area, opened.opened_date) == ("province", "urban", JULY)
    operations.undo_batch(batch=made, by=None)
    assert state() == before


def test_a_split_into_two_new_schools_ends_the_old_one() -> None:
    parts = (
        LinePart(code=NEW, name="Trường TH Một", shares={5: (60, 2)}),
        LinePart(code=OTHER, name="Trường TH Hai", shares={5: (60, 2)}),
    )
    made = batch(split(parts=parts))
    plan = queries.preview_batch(made)
    assert [school.school_id for school in plan.vanishing] == [A]
    assert (plan.schools.after, plan.pupils.after) == (4, 120)
    operations.apply_batch(batch=made, by=None)
    assert not School.objects.get(school_id=A).is_open
    assert frame() == {NEW: 60, OTHER: 60, B: 120, C: 200}


def test_a_part_may_be_another_school_that_stands() -> None:
    """B takes 50 pupils of A beside its own 120: 170 afterwards in preview and frame alike."""
    parts = (LinePart(code=A, shares={5: (70, 2)}), LinePart(code=B, shares={5: (50, 2)}))
    made = batch(split(parts=parts))
    plan = queries.preview_batch(made)
    assert (plan.problems, plan.schools.difference) == ((), 0)
    assert (plan.pupils.before, plan.pupils.after) == (240, 240)
    operations.apply_batch(batch=made, by=None)
    assert frame() == {A: 70, B: 170, C: 200}


def test_a_split_accepted_ahead_is_right_on_both_sides_of_its_day() -> None:
    operations.apply_batch(batch=batch(split(), opening(), day=date(2027, 1, 1)), by=None)
    assert frame(date(2026, 12, 31)) == {A: 120, B: 120, C: 200}
    assert frame(date(2027, 1, 1)) == {A: 70, NEW: 50, B: 120, C: 200, OTHER: 0}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (split(parts=HALVES[:1]), "A split needs two schools"),
        (split(parts=(HALVES[0], LinePart(code=NEW, name="X", shares={5: (49, 2)}))), "119"),
        (split(parts=(*HALVES, LinePart(code=OTHER, name="Y", shares={6: (1, 1)}))), "Grade 6 has 0"),
        (split(parts=(HALVES[0], LinePart(code=NEW, shares={5: (50, 2)}))), "no name"),
        (split(parts=(HALVES[0], LinePart(code="", name="X", shares={5: (50, 2)}))), "needs its code"),
        (
            split(parts=(HALVES[0], LinePart(code="79000001", shares={5: (50, 2)}))),
            "belongs to another school",
        ),
        (split(parts=(HALVES[0], LinePart(code=A, shares={5: (50, 2)}))), "named twice"),
        (
            split(parts=(HALVES[0], LinePart(code=NEW, name="X", commune_code="26734", shares={5: (50, 2)}))),
            "26734",
        ),
        (Line(line_number=1, kind="split", predecessor_codes=(A, B), parts=HALVES), "splits one school"),
        (opening(successor_code=A), "belongs to another school"),
        (opening(successor_code=""), "needs its code"),
        (opening(successor_name=""), "no name"),
        (opening(commune_code=""), "needs its commune"),
        (opening(levels=""), "needs its levels"),
        (opening(levels="XX"), "needs its levels"),
        (Line(line_number=1, kind="open", predecessor_codes=(A,), successor_code=NEW), "no school before"),
    ],
)
def test_what_cannot_be_is_said_at_its_line_and_refuses_the_batch(settings, line, words) -> None:
    from django.utils import translation

    before = state()
    made = batch(line)
    with translation.override("en"):
        problems = queries.preview_batch(made).problems
        assert any(words in problem.sentence for problem in problems), problems
        assert all(problem.hint and problem.line_number == line.line_number for problem in problems)
        with pytest.raises(Refusal):
            operations.apply_batch(batch=made, by=None)
    assert state() == before


def test_a_school_of_a_part_stands_in_no_other_line() -> None:
    made = batch(split(), Line(line_number=2, kind="close", predecessor_codes=(A,)))
    assert {problem.line_number for problem in queries.preview_batch(made).problems} == {1, 2}


def test_parts_go_with_their_line() -> None:
    made = batch(split())
    assert MergerPart.objects.count() == 2
    operations.remove_line(batch=made, line_number=1, by=None)
    assert MergerPart.objects.count() == 0


def test_many_splits_are_previewed_with_as_many_queries_as_one() -> None:
    def asked(*lines: Line) -> int:
        made = batch(*lines)
        with CaptureQueriesContext(connection) as seen:
            assert queries.preview_batch(made).problems == ()
        return len(seen)

    second = (
        LinePart(code=B, shares={5: (60, 2)}),
        LinePart(code=OTHER, name="Trường B 2", shares={5: (60, 2)}),
    )
    assert asked(split(), split(2, B, second)) == asked(split())
