"""Rows of schools, sites and counts: compared, written, taken back; the same twice changes nothing."""

from __future__ import annotations

import datetime
import json
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dienrong.accounts.permissions import Scope, scope_of
from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import Conflict
from dienrong.core.row_changes import Written
from dienrong.registry import operations, queries
from dienrong.registry.models import School, SchoolEnrolment, SchoolSite, SchoolVersion
from dienrong.registry.operations import Decision
from dienrong.registry.signals import schools_changed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon", "registry")]
A, B, C, SOUTH = "01000001", "01000002", "01000003", "79000001"
TODAY, YEAR = date(2026, 11, 22), "2025-2026"
NATION = Scope(is_national=True)
NEW = {
    "school_id": "01000500",
    "name": "Trường THPT Chu Văn An",
    "levels": "THPT",
    "commune_code": "00008",
    "province_code": "01",
    "minority_share": 0.12345,
    "phone": "0243000001",
    "founded_date": "1908-09-05",
    "is_border": False,
    "latitude": 21.0445678,
}


def compare(*rows: dict[str, Any], scope: Scope = NATION, day: date = TODAY):
    return queries.compare_schools(list(enumerate(rows, 2)), scope=scope, day=day)


def write(*rows: dict[str, Any], by=None, day: date = TODAY) -> list[Written]:
    return operations.write_schools(compare(*rows, day=day), by=by, on_date=day)


def stored(written: list[Written]) -> list[Written]:
    """Send what was written through JSON, as it is kept between the write and the undo."""
    return [
        Written(
            number=row.number,
            key=row.key,
            before=json.loads(json.dumps(row.before)),
            after=json.loads(json.dumps(row.after)),
        )
        for row in written
    ]


def state() -> tuple:
    return (
        list(School.objects.order_by("pk").values()),
        list(SchoolVersion.objects.order_by("pk").values()),
        list(SchoolSite.objects.order_by("pk").values()),
        list(SchoolEnrolment.objects.order_by("pk").values()),
    )


def test_a_new_school_gets_its_province_and_its_first_version() -> None:
    (change,) = compare(NEW)
    assert (change.verdict, change.key) == ("new", "01000500")
    assert change.changes["name"] == (None, "Trường THPT Chu Văn An")
    heard = []
    listener = lambda school_keys, **_: heard.append(school_keys)  # noqa: E731
    schools_changed.connect(listener)
    (row,) = write(NEW)
    schools_changed.disconnect(listener)
    school = School.objects.get(school_id="01000500")
    assert heard == [[school.pk]]
    assert (school.province.code, school.area, school.managed_by, school.kind) == (
        "01",
        "urban",
        "province",
        "general",
    )
    assert (str(school.minority_share), str(school.latitude)) == ("0.1235", "21.044568")
    assert school.versions.get().valid_from == TODAY
    assert (row.before, row.after["name"]) == (None, "Trường THPT Chu Văn An")
    assert AuditEntry.objects.get(action="registry.schools_written").after["n_new"] == 1
    assert compare(NEW)[0].verdict == "unchanged"
    assert write(NEW) == []


def test_changed_traits_begin_a_version_and_contacts_do_not() -> None:
    before = state()
    (change,) = compare({"school_id": A, "phone": "024", "address": "Số 1", "name": "Trường TH Hòa Bình"})
    assert (change.verdict, set(change.changes)) == ("changed", {"phone", "address"})
    contacts = write({"school_id": A, "phone": "024", "address": "Số 1"})
    school = School.objects.get(school_id=A)
    assert (school.phone, school.versions.count(), school.data_at) == ("024", 1, TODAY)
    traits = write({"school_id": A, "name": "Trường TH Mới", "is_border": True, "commune_code": "00008"})
    assert [version.name for version in queries.school_versions(school)] == [
        "Trường TH Mới",
        "Trường TH Hòa Bình",
    ]
    assert school.versions.first().valid_to == school.versions.last().valid_from == TODAY
    again = write({"school_id": A, "name": "Trường TH Mới nhất"})
    assert school.versions.count() == 2
    for written in (again, traits, contacts):
        operations.undo_schools(stored(written), by=None)
    assert state() == before


def test_undoing_new_schools_removes_them_and_refuses_when_rows_hang_on_them() -> None:
    before = state()
    written = stored(write(NEW, {"school_id": B, "name": "Trường TH Khác"}))
    counts = operations.write_enrolments(
        queries.compare_enrolments(
            [(2, {"school_id": "01000500", "grade": 10, "n_students": 40, "n_classes": 1})],
            scope=NATION, school_year=YEAR, counted_on=TODAY,
        ),
        by=None, school_year=YEAR, counted_on=TODAY,
    )  # fmt: skip
    with pytest.raises(Conflict, match="01000500"):
        operations.undo_schools(written, by=None)
    operations.undo_enrolments(stored(counts), by=None)
    operations.undo_schools(written, by=None)
    assert state() == before


def test_undoing_is_refused_whole_where_one_row_changed_since() -> None:
    written = stored(write(NEW, {"school_id": B, "name": "Trường TH Khác"}))
    write({"school_id": B, "phone": "1"})
    before = state()
    with pytest.raises(Conflict, match=B):
        operations.undo_schools(written, by=None)
    assert state() == before
    assert AuditEntry.objects.filter(action="registry.schools_unwritten").count() == 0


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({**NEW, "commune_code": "99999"}, "commune_code"),
        ({**NEW, "province_code": "79"}, "province_code"),
        ({**NEW, "levels": "TH&THCS"}, "levels"),
        ({**NEW, "levels": "TH-TH"}, "levels"),
        ({**NEW, "sector": "Công lập"}, "sector"),
        ({**NEW, "name": None}, "name"),
        ({"school_id": "01000500"}, "name"),
        ({**NEW, "minority_share": 45}, "minority_share"),
        ({**NEW, "minority_share": "abc"}, "minority_share"),
        ({**NEW, "latitude": 121.0}, "latitude"),
        ({**NEW, "founded_date": "05/09/1908"}, "founded_date"),
        ({**NEW, "email": "khong"}, "email"),
        ({**NEW, "is_border": "x"}, "is_border"),
        ({**NEW, "n_satellite_sites": 1.5}, "n_satellite_sites"),
        ({**NEW, "name": "x" * 201}, "name"),
        ({"name": "X"}, "school_id"),
    ],
)
def test_a_cell_that_does_not_fit_is_refused_by_its_column_with_a_hint(row, column) -> None:
    (change,) = compare(row)
    assert change.verdict == "refused"
    assert column in {problem.column for problem in change.problems}
    assert all(problem.sentence and problem.hint for problem in change.problems)


def test_a_school_twice_in_a_file_a_closed_one_an_old_code_and_an_old_file_are_refused() -> None:
    first, second = compare(NEW, NEW)
    assert (first.verdict, second.verdict) == ("new", "refused")
    assert "2" in second.problems[0].sentence
    operations.close_school(
        school=School.objects.get(school_id=A), decision=Decision(on_date=date(2026, 7, 1)), by=None
    )
    operations.recode_school(
        school=School.objects.get(school_id=B),
        code="X1",
        decision=Decision(on_date=date(2026, 7, 1)),
        by=None,
    )
    closed, recoded = compare({"school_id": A, "name": "X"}, {**NEW, "school_id": B})
    assert (closed.verdict, recoded.verdict) == ("refused", "refused")
    assert "X1" in recoded.problems[0].sentence
    (old,) = compare({"school_id": "X1", "name": "Y"}, day=date(2026, 6, 1))
    assert old.verdict == "refused"
    (same_day,) = compare({"school_id": "X1", "name": "Y"}, day=date(2026, 7, 1))
    assert same_day.verdict == "refused"
    assert compare({"school_id": "X1", "phone": "1"}, day=date(2026, 6, 1))[0].verdict == "changed"


def test_a_stranger_brings_nothing_in(stranger, officer, commune_officer, coordinator, newcomer) -> None:
    rows = (NEW, {"school_id": A, "name": "X"}, {"school_id": SOUTH, "commune_code": "00004"})
    expected = {
        stranger: ["refused", "refused", "refused"],
        officer: ["new", "changed", "refused"],
        commune_officer: ["refused", "changed", "refused"],
        coordinator: ["refused", "changed", "refused"],
        newcomer: ["refused", "refused", "refused"],
    }
    for person, verdicts in expected.items():
        found = compare(*rows, scope=scope_of(person))
        assert [change.verdict for change in found] == verdicts, person.username
        count = {"school_id": A, "grade": 5, "n_students": 1, "n_classes": 1}
        site = {"school_id": A, "site_code": "1", "site_name": "X"}
        for (change,) in (
            queries.compare_enrolments(
                [(2, count)], scope=scope_of(person), school_year=YEAR, counted_on=TODAY
            ),
            queries.compare_sites([(2, site)], scope=scope_of(person), day=TODAY),
        ):
            assert (change.verdict == "refused") == (verdicts[1] == "refused")
    before = state()
    with pytest.raises(Conflict):
        operations.write_schools(compare({"school_id": A, "name": "X"}), by=stranger, on_date=TODAY)
    assert state() == before
    (moved,) = compare({"school_id": A, "commune_code": "26734"}, scope=scope_of(officer))
    assert moved.problems[0].column == "commune_code"


def test_a_row_that_was_previewed_and_changed_meanwhile_is_refused_whole() -> None:
    changes = compare({"school_id": A, "name": "X"}, {"school_id": B, "name": "Y"})
    operations.close_school(
        school=School.objects.get(school_id=A), decision=Decision(on_date=date(2026, 7, 1)), by=None
    )
    with pytest.raises(Conflict, match=A):
        operations.write_schools(changes, by=None, on_date=TODAY)
    assert School.objects.get(school_id=B).name == "Trường TH Nguyễn Trãi"


def enrol(*rows: tuple[str, int, int], day: date = TODAY, year: str = YEAR):
    values = [{"school_id": s, "grade": g, "n_students": n, "n_classes": 1} for s, g, n in rows]
    return queries.compare_enrolments(
        list(enumerate(values, 2)), scope=NATION, school_year=year, counted_on=day
    )


def write_counts(*rows: tuple[str, int, int], day: date = TODAY) -> list[Written]:
    return operations.write_enrolments(enrol(*rows, day=day), by=None, school_year=YEAR, counted_on=day)


def test_a_further_count_becomes_the_current_one_and_goes_again() -> None:
    before = state()
    new, further = enrol((A, 4, 30), (A, 5, 121))
    assert (new.verdict, further.verdict) == ("new", "changed")
    assert further.changes["n_students"] == (120, 121)
    written = write_counts((A, 4, 30), (A, 5, 121))
    counts = SchoolEnrolment.objects.filter(school__school_id=A)
    assert list(counts.values_list("grade", "n_students", "is_current")) == [
        (4, 30, True),
        (5, 120, False),
        (5, 121, True),
    ]
    assert School.objects.get(school_id=A).data_at == TODAY
    assert [change.verdict for change in enrol((A, 4, 30), (A, 5, 121))] == ["unchanged"] * 2
    assert write_counts((A, 4, 30), (A, 5, 121)) == []
    corrected = write_counts((A, 5, 122))
    with pytest.raises(Conflict, match=f"{A}/5"):
        operations.undo_enrolments(stored(written), by=None)
    operations.undo_enrolments(stored(corrected), by=None)
    operations.undo_enrolments(stored(written), by=None)
    assert state()[1:] == before[1:]


def test_a_count_of_an_earlier_day_does_not_become_current() -> None:
    write_counts((A, 5, 99), day=date(2025, 9, 1))
    counts = SchoolEnrolment.objects.filter(school__school_id=A, grade=5)
    assert list(counts.values_list("n_students", "is_current")) == [(99, False), (120, True)]
    assert enrol((A, 5, 120))[0].verdict == "changed"  # the same number, counted anew


@pytest.mark.parametrize(
    "row", [("00000000", 5, 1), (A, 13, 1), (A, -1, 1), (A, 5, -1), (A, 5, 10**9), ("", 5, 1)]
)
def test_a_count_that_cannot_be_is_refused(row) -> None:
    (change,) = enrol(row)
    assert change.verdict == "refused"
    assert change.problems[0].hint


def sites(*rows: dict[str, Any]):
    return queries.compare_sites(list(enumerate(rows, 2)), scope=NATION, day=TODAY)


def test_sites_come_in_change_and_go() -> None:
    before = state()
    main = {"school_id": A, "site_code": "01", "site_name": "Điểm chính", "is_main": True, "n_students": 90}
    far = {
        "school_id": A,
        "site_code": "02",
        "site_name": "Bản Xa",
        "commune_code": "00008",
        "latitude": 21.5,
    }
    second_main = {**far, "site_code": "03", "is_main": True}
    found = sites(main, far, second_main)
    assert [change.verdict for change in found] == ["new", "new", "refused"]
    written = operations.write_sites(found[:2], by=None, on_date=TODAY)
    school = School.objects.get(school_id=A)
    assert list(school.sites.values_list("code", "is_main", "commune__code")) == [
        ("01", True, "00004"),
        ("02", False, "00008"),
    ]
    assert [change.verdict for change in sites(main, far)] == ["unchanged"] * 2
    changed = operations.write_sites(sites({**far, "n_classes": 3}), by=None, on_date=TODAY)
    with pytest.raises(Conflict, match=f"{A}/02"):
        operations.undo_sites(stored(written), by=None)
    operations.undo_sites(stored(changed), by=None)
    operations.undo_sites(stored(written), by=None)
    assert state() == before
    (unknown,) = sites({**far, "commune_code": "99999"})
    assert unknown.problems[0].column == "commune_code"


def test_comparing_and_writing_take_as_many_queries_for_many_rows() -> None:
    def cost(n: int, start: int) -> tuple[int, int]:
        rows = [(k, {**NEW, "school_id": f"N{start + k:06d}"}) for k in range(n)]
        with CaptureQueriesContext(connection) as comparing:
            changes = queries.compare_schools(rows, scope=NATION, day=TODAY)
        with CaptureQueriesContext(connection) as writing:
            operations.write_schools(changes, by=None, on_date=TODAY)
        inserts = sum(q["sql"].startswith(("INSERT", "UPDATE")) for q in writing)
        return len(comparing), len(writing) - inserts

    assert cost(400, 1000) == cost(3, 0)


def test_the_moment_of_a_count_is_kept() -> None:
    write_counts((A, 4, 30))
    count = SchoolEnrolment.objects.get(school__school_id=A, grade=4)
    assert count.recorded_at == datetime.datetime(2026, 11, 22, 5, 0, tzinfo=datetime.UTC)
