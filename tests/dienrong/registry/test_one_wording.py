"""A refused row says the same of a code that is unknown and of one that another unit's school has."""

from __future__ import annotations

from datetime import date

import pytest

from dienrong.accounts.permissions import scope_of
from dienrong.registry import operations, queries
from dienrong.registry.models import AdministrativeUnit, School
from dienrong.registry.operations import Decision
from dienrong.registry.queries import Line

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon", "registry")]
UNKNOWN, FOREIGN, TODAY = "00000000", "79000001", date(2026, 11, 22)
SITE = {"site_code": "1", "site_name": "Điểm 1"}
COUNT = {"grade": 5, "n_students": 10, "n_classes": 1}


def said(change) -> set[tuple[str, str, str]]:
    """Give the words of a refusal, with the code taken out."""
    assert change.verdict == "refused"
    return {
        (cell.column, cell.sentence.replace(cell.value, "•"), cell.hint.replace(cell.value, "•"))
        for cell in change.problems
    }


@pytest.mark.parametrize("who", ["officer", "commune_officer", "coordinator"])
def test_sites_and_counts(request, who) -> None:
    scope = scope_of(request.getfixturevalue(who))
    for compare, cells, more in (
        (queries.compare_sites, SITE, {"day": TODAY}),
        (queries.compare_enrolments, COUNT, {"school_year": "2025-2026", "counted_on": TODAY}),
    ):
        rows = [
            (number, {"school_id": code, **cells}) for number, code in enumerate((UNKNOWN, FOREIGN), start=3)
        ]
        unknown, foreign = compare(rows, scope=scope, **more)
        assert said(unknown) == said(foreign)


def test_schools_of_another_unit_unknown_or_not(officer) -> None:
    """An unknown code placed in another province, and the code of a school there: one sentence."""
    row = {"name": "Trường X", "levels": "TH", "commune_code": "26734"}
    rows = [(3, {"school_id": UNKNOWN, **row}), (4, {"school_id": FOREIGN, **row})]
    unknown, foreign = queries.compare_schools(rows, scope=scope_of(officer), day=TODAY)
    assert said(unknown) == said(foreign)


def test_a_code_that_a_school_elsewhere_gave_up_tells_nothing_of_that_school(officer, ministry) -> None:
    southern = School.objects.select_related("commune", "province").get(school_id=FOREIGN)
    decision = Decision(on_date=date(2026, 10, 1), number="1")
    operations.recode_school(school=southern, code="79000777", decision=decision, by=None)
    row = {"school_id": FOREIGN, "name": "Trường X", "levels": "TH", "commune_code": "00004"}
    (mine,) = queries.compare_schools([(3, row)], scope=scope_of(officer), day=TODAY)
    assert "79000777" not in str(mine.problems)
    (national,) = queries.compare_schools([(3, row)], scope=scope_of(ministry), day=TODAY)
    assert "79000777" in str(national.problems)


def test_lines_of_a_batch(officer) -> None:
    lines = [
        Line(line_number=1, kind="close", predecessor_codes=(UNKNOWN,)),
        Line(line_number=2, kind="close", predecessor_codes=(FOREIGN,)),
    ]
    plan = queries.preview_lines(
        AdministrativeUnit.objects.get(level="province", code="01"), lines, on_date=TODAY
    )
    first, second = plan.problems
    assert first.sentence.replace(UNKNOWN, "•") == second.sentence.replace(FOREIGN, "•")
    assert first.hint == second.hint
    assert all(line.predecessors == () for line in plan.lines)
