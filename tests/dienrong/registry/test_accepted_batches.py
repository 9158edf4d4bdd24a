"""Batches of a day to come: accepted at once, right in every frame, followed by the schools on their day."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest

from dienrong.accounts.models import Assignment
from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.core.refusals import Refusal
from dienrong.registry import operations, queries
from dienrong.registry.models import (
    AdministrativeUnit,
    MergerBatch,
    School,
    SchoolEnrolment,
    SchoolEvent,
    SchoolVersion,
)
from dienrong.registry.operations import Decision
from dienrong.registry.queries import Line
from dienrong.registry.queries.schools import SchoolFilter

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon", "registry")]
A, B, C, NEW = "01000001", "01000002", "01000003", "01000099"
YEAR, TODAY, NEW_YEAR = "2025-2026", date(2026, 11, 22), date(2027, 1, 1)
EVE = date(2026, 12, 31)


@contextmanager
def on(day: date) -> Iterator[None]:
    """Let it be noon of a day in Hanoi."""
    with clock.fixed(datetime.datetime.combine(day, datetime.time(5), datetime.UTC)):
        yield


def accepted(*lines: Line, by=None, day: date = NEW_YEAR) -> MergerBatch:
    batch = operations.plan_batch(
        AdministrativeUnit.objects.get(level="province", code="01"),
        lines,
        title="Sắp xếp trường từ 2027",
        decision_number="99/QĐ-UBND",
        decision_date=date(2026, 11, 20),
        effective_date=day,
        by=by,
    )
    return operations.apply_batch(batch=batch, by=by)


def merge_and_recode(by=None) -> MergerBatch:
    return accepted(
        Line(
            line_number=1,
            kind="merge",
            predecessor_codes=(A, B),
            successor_code=NEW,
            successor_name="Trường TH Ba Đình",
            commune_code="00008",
        ),
        Line(
            line_number=2,
            kind="recode",
            predecessor_codes=(C,),
            successor_code="01000077",
            successor_name="Trường THCS Mới",
        ),
        by=by,
    )


def frame(day: date) -> dict[str, int]:
    return {
        row.school_id: sum(row.n_students.values()) for row in queries.frame_on(day, YEAR, province_code="01")
    }


def live() -> list[dict]:
    return list(School.objects.exclude(school_id=NEW).order_by("pk").values())


def state() -> tuple:
    return (
        live(),
        list(SchoolVersion.objects.order_by("pk").values()),
        list(SchoolEnrolment.objects.order_by("pk").values()),
    )


def school(code: str) -> School:
    return School.objects.select_related("commune", "province").get(school_id=code)


def test_today_stays_what_it_is_and_the_frames_around_the_day_are_right(officer) -> None:
    before, frame_before = live(), frame(TODAY)
    batch = merge_and_recode(officer)
    assert (batch.state, live()) == ("accepted", before)
    assert frame(TODAY) == frame(EVE) == frame_before == {A: 120, B: 120, C: 200}
    assert frame(NEW_YEAR) == {NEW: 240, "01000077": 200}
    rows = {row.school_id: row for row in queries.frame_on(NEW_YEAR, YEAR, province_code="01")}
    assert (rows[NEW].commune_code, rows[NEW].joined) == ("00008", (A, B))
    assert rows["01000077"].name == "Trường THCS Mới"
    assert not school(NEW).is_open
    entry = AuditEntry.objects.get(action="registry.batch_accepted")
    assert (entry.after["n_ended"], entry.after["n_new"]) == (2, 1)


def test_lists_of_today_do_not_know_the_school_to_come_and_lists_of_the_day_do(officer) -> None:
    merge_and_recode(officer)
    from dienrong.accounts.permissions import scope_of

    def codes(**narrowed: object) -> set[str]:
        found = queries.find_schools(scope_of(officer), SchoolFilter(**narrowed))
        return {row.school_id for row in queries.rows_of(found)}

    assert codes() == codes(state="all") == {A, B, C}
    assert codes(state="closed") == set()
    assert codes(day=EVE) == {A, B, C}
    assert codes(day=NEW_YEAR) == {NEW, "01000077"}


def test_on_its_day_the_schools_and_their_people_follow(officer, coordinator) -> None:
    batch = merge_and_recode(officer)
    Assignment.objects.filter(user=coordinator).update(unit_code=C)
    with on(EVE):
        assert operations.turn_day() == []
        assert school(A).is_open
    with on(NEW_YEAR):
        assert operations.turn_day() == [batch]
        assert operations.turn_day() == []
        assert [school(code).is_open for code in (A, B, NEW)] == [False, False, True]
        assert [school(code).closed_date for code in (A, B)] == [NEW_YEAR] * 2
        renamed = school("01000077")
        assert (renamed.name, renamed.is_open) == ("Trường THCS Mới", True)
        assert Assignment.objects.get(user=coordinator).unit_code == "01000077"
        assert frame(NEW_YEAR) == {NEW: 240, "01000077": 200}
        assert frame(EVE) == {A: 120, B: 120, C: 200}
        batch.refresh_from_db()
        assert batch.state == "applied"
        assert AuditEntry.objects.filter(action="registry.batch_took_effect").count() == 1


def test_turned_or_not_the_outcome_is_that_of_applying_on_the_day(officer) -> None:
    """A batch accepted in November and turned on its day leaves what one applied on the day leaves."""
    batch = merge_and_recode(officer)
    with on(NEW_YEAR):
        operations.turn_day()
        columns = ("school_id", "name", "commune__code", "levels", "is_open", "closed_date", "search_key")
        ahead = list(School.objects.order_by("school_id").values_list(*columns))
        operations.undo_batch(batch=batch, by=officer)
        operations.apply_batch(batch=batch, by=officer)
        assert list(School.objects.order_by("school_id").values_list(*columns)) == ahead


@pytest.mark.parametrize("turned", [False, True])
def test_it_is_taken_back_as_one_step_before_its_day_and_after(officer, turned) -> None:
    before = state()
    batch = merge_and_recode(officer)
    with on(NEW_YEAR if turned else TODAY):
        if turned:
            operations.turn_day()
        operations.undo_batch(batch=batch, by=officer)
    assert state() == before
    assert not School.objects.filter(school_id=NEW).exists()


def test_nothing_else_happens_to_its_schools_before_the_day(officer) -> None:
    merge_and_recode(officer)
    decision = Decision(on_date=date(2026, 11, 1), number="1")
    for act in (
        lambda: operations.close_school(school=school(A), decision=decision, by=officer),
        lambda: operations.rename_school(school=school(C), name="Khác", decision=decision, by=officer),
    ):
        with pytest.raises(Refusal, match="01/01/2027"):
            act()
    again = operations.plan_batch(
        AdministrativeUnit.objects.get(level="province", code="01"),
        [Line(line_number=1, kind="close", predecessor_codes=(B,))],
        title="Đợt khác",
        decision_number="2",
        decision_date=TODAY,
        effective_date=date(2027, 6, 1),
        by=officer,
    )
    with pytest.raises(Refusal, match="01/01/2027"):
        operations.apply_batch(batch=again, by=officer)
    row = queries.compare_schools(
        [(1, {"school_id": A, "name": "Tên khác"}), (2, {"school_id": A, "phone": "024 3333"})],
        scope=_national(),
        day=TODAY,
    )
    assert row[0].verdict == "refused"
    assert "01/01/2027" in row[0].problems[0].sentence


def test_contacts_still_change_before_the_day(officer) -> None:
    merge_and_recode(officer)
    (row,) = queries.compare_schools(
        [(1, {"school_id": A, "phone": "024 3333"})], scope=_national(), day=TODAY
    )
    assert row.verdict == "changed"


def test_the_code_of_a_school_to_come_is_taken(officer) -> None:
    merge_and_recode(officer)
    for code in (NEW, "01000077"):
        with pytest.raises(Refusal, match=code):
            operations.recode_school(
                school=school("79000001"), code=code, decision=Decision(on_date=TODAY, number="1"), by=None
            )
    (row,) = queries.compare_schools(
        [(1, {"school_id": NEW, "name": "X", "levels": "TH", "commune_code": "00004"})],
        scope=_national(),
        day=TODAY,
    )
    assert row.verdict == "refused"


def test_a_school_that_goes_on_unchanged_is_held_too(officer) -> None:
    """A takes B in without changing: A has no version of its own, and yet nothing may happen to it."""
    accepted(Line(line_number=1, kind="merge", predecessor_codes=(A, B), successor_code=A), by=officer)
    assert not SchoolVersion.objects.filter(school__school_id=A, valid_from=NEW_YEAR).exists()
    with pytest.raises(Refusal, match="01/01/2027"):
        operations.close_school(school=school(A), decision=Decision(on_date=TODAY, number="1"), by=officer)
    with on(NEW_YEAR):
        operations.turn_day()
        assert [school(code).is_open for code in (A, B)] == [True, False]
        assert frame(NEW_YEAR) == {A: 240, C: 200}


def test_a_closing_ahead_and_a_stranger(officer, stranger) -> None:
    batch = accepted(Line(line_number=1, kind="close", predecessor_codes=(B,)), by=officer)
    with pytest.raises(Refusal):
        operations.undo_batch(batch=batch, by=stranger)
    assert SchoolEvent.objects.get().state == "applied"
    with on(NEW_YEAR):
        operations.turn_day()
        assert not school(B).is_open


def _national():
    from dienrong.accounts.permissions import Scope

    return Scope(is_national=True)


def test_the_nightly_command_says_what_took_effect_and_then_nothing(officer, capsys) -> None:
    from django.core.management import call_command

    merge_and_recode(officer)
    call_command("turn_day")
    assert capsys.readouterr().out == ""
    with on(NEW_YEAR):
        call_command("turn_day")
        assert capsys.readouterr().out == "99/QĐ-UBND: in effect since 2027-01-01.\n"
        call_command("turn_day")
    assert capsys.readouterr().out == ""
    assert not school(A).is_open


def test_a_missed_night_is_made_up_for_by_the_officer_of_the_province_alone(
    signed_in, officer, stranger, coordinator
) -> None:
    batch = merge_and_recode(officer)
    page = f"/sap-nhap/{batch.pk}"
    with on(date(2027, 1, 5)):
        for other in (stranger, coordinator):
            assert signed_in(other).post(f"{page}/den-ngay").status_code == 403
        assert school(A).is_open
        browser = signed_in(officer)
        assert f"{page}/den-ngay" in browser.get(page).content.decode()
        browser.post(f"{page}/den-ngay")
        assert (school(A).is_open, school(A).closed_date) == (False, NEW_YEAR)
        assert f"{page}/den-ngay" not in browser.get(page).content.decode()


def test_a_commune_whose_schools_stand_in_it_is_not_changed_before_the_day(officer, ministry) -> None:
    merge_and_recode(officer)
    commune = AdministrativeUnit.objects.select_related("parent").get(level="commune", code="00004")
    change = operations.UnitChange(unit=commune, name="Ba Đình", full_name="Xã Ba Đình", kind="commune")
    with pytest.raises(Refusal, match="01/01/2027"):
        operations.change_unit(
            change=change, decision=Decision(on_date=date(2026, 11, 1), number="1"), by=ministry
        )


def test_the_work_of_the_night_lets_it_take_effect(officer) -> None:
    from dienrong.jobs import kinds
    from dienrong.jobs.models import Job
    from dienrong.jobs.operations import enqueue
    from dienrong.jobs.tasks import run_job

    merge_and_recode(officer)
    assert "registry.turn_day" in {kind.name for kind in kinds.nightly_kinds()}
    with on(NEW_YEAR):
        job = enqueue("registry.turn_day", {})
        assert run_job.func(str(job.pk), 1) == "done", Job.objects.get(pk=job.pk).error
        job = Job.objects.get(pk=job.pk)
        assert (job.state, job.result) == ("done", {"n_batches": 1})
        assert not school(A).is_open
