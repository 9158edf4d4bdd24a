"""From the start of the fieldwork to the outcome of a school; each refusal says what to do."""

from __future__ import annotations

import datetime

import pytest

from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed
from dienrong.fieldwork import numeric, operations
from dienrong.fieldwork.models import FieldEvent, FieldSchool, Fieldwork, ListedPerson, TestSession
from dienrong.fieldwork.operations.lists import ListDiffers
from dienrong.fieldwork.operations.schools import Days
from dienrong.fieldwork.operations.sessions import SessionFacts
from dienrong.fieldwork.queries import access, outcomes
from dienrong.fieldwork.queries.make_up import make_up_of, working_days_after
from dienrong.sampling.models import SampledSchool
from small_fieldwork import (
    DAYS,
    N_STUDENTS,
    bring_to_selected,
    confirm,
    draw_plan,
    fill_list,
    hold_test,
    start,
)

pytestmark = pytest.mark.django_db
State = FieldSchool.State


def again(school: FieldSchool) -> FieldSchool:
    return FieldSchool.objects.select_related("plan", "sampled", "school").get(pk=school.pk)


def test_every_sampled_school_gets_its_row_and_no_replacement_does(fieldwork, ministry) -> None:
    assert FieldSchool.objects.count() == SampledSchool.objects.filter(role="original").count() == 6
    assert set(FieldSchool.objects.values_list("state", flat=True)) == {State.TO_NOTIFY}
    assert AuditEntry.objects.filter(action="fieldwork.started").count() == 1
    with pytest.raises(operations.NotNow):
        start(fieldwork.plan, ministry)


def test_fieldwork_is_started_by_the_ministry_on_a_drawn_plan_with_days_in_order(
    plan, ministry, officer
) -> None:
    with pytest.raises(NotAllowed):
        start(plan, officer)
    late = Days(
        answer_due=DAYS.list_due, list_due=DAYS.answer_due, test_from=DAYS.test_from, test_to=DAYS.test_to
    )
    with pytest.raises(operations.FieldRefusal, match="nối tiếp nhau"):
        operations.start_fieldwork(plan=plan, days=late, by=ministry)
    plan.state = plan.State.COMMITTED
    plan.save()
    with pytest.raises(operations.NotNow):
        start(plan, ministry)


def test_a_school_is_notified_once_and_confirms_itself(school, officer, own_coordinator, stranger) -> None:
    with pytest.raises(NotAllowed):
        operations.mark_notified(schools=[school], by=stranger)
    assert operations.mark_notified(schools=[school], by=officer) == 1
    assert operations.mark_notified(schools=[school], by=officer) == 0
    with pytest.raises(NotAllowed):
        confirm(school, stranger)
    with pytest.raises(operations.FieldRefusal, match="quá ngắn"):
        operations.confirm_school(
            school=school, coordinator_name="Mai", coordinator_phone="12", test_date=None, by=own_coordinator
        )
    confirm(school, own_coordinator)
    assert again(school).state == State.CONFIRMED
    assert again(school).coordinator_phone == "0912345678"
    with pytest.raises(operations.NotNow):
        confirm(school, own_coordinator)
    assert list(FieldEvent.objects.values_list("kind", flat=True)) == ["notified", "confirmed"]


def test_replacements_are_called_on_in_order_and_only_after_a_code_that_allows_it(
    school, officer, own_coordinator, stranger
) -> None:
    with pytest.raises(operations.NotNow):
        operations.call_replacement(school=school, by=officer)
    with pytest.raises(NotAllowed):  # closure is an officer's judgment
        operations.decline_school(school=school, code=6, reason="Đóng cửa", by=own_coordinator)
    with pytest.raises(operations.FieldRefusal):
        operations.decline_school(school=school, code=1, reason="x", by=officer)
    with pytest.raises(operations.FieldRefusal):
        operations.decline_school(school=school, code=2, reason="  ", by=own_coordinator)
    operations.decline_school(school=school, code=6, reason="Trường đã giải thể", by=officer)
    with pytest.raises(operations.NotNow, match="2, 3, 4"):
        operations.call_replacement(school=school, by=officer)
    operations.reopen_school(school=school, reason="Nhầm trường", by=officer)
    operations.decline_school(school=school, code=2, reason="Đang sửa trường", by=own_coordinator)
    with pytest.raises(NotAllowed):
        operations.call_replacement(school=school, by=stranger)
    first = operations.call_replacement(school=school, by=officer)
    assert first.sampled.role == "replacement_1"
    with pytest.raises(operations.NotNow):
        operations.call_replacement(school=school, by=officer)
    with pytest.raises(operations.NotNow):
        operations.reopen_school(school=school, reason="Lại tham gia", by=officer)
    operations.decline_school(school=first, code=3, reason="Lũ lụt", by=officer)
    second = operations.call_replacement(school=first, by=officer)
    assert second.sampled.role == "replacement_2"
    assert second.replaces_id == first.pk
    operations.decline_school(school=second, code=2, reason="Từ chối", by=officer)
    with pytest.raises(operations.NotNow, match="không còn trường thay thế"):
        operations.call_replacement(school=second, by=officer)


def test_a_list_is_frozen_with_study_ids_alone_and_asks_about_a_large_difference(
    school, officer, own_coordinator
) -> None:
    confirm(school, own_coordinator)
    with pytest.raises(operations.FieldRefusal):
        operations.freeze_list(school=school, explanation="", by=own_coordinator)
    fill_list(school.school, 12, 1)
    with pytest.raises(ListDiffers, match="12"):
        operations.freeze_list(school=school, explanation="", by=own_coordinator)
    assert operations.freeze_list(school=school, explanation="Một lớp chuyển đi", by=own_coordinator) == 12
    fill_list(school.school, 20, 100)
    assert operations.freeze_list(school=school, explanation="", by=own_coordinator) == 32
    assert again(school).list_explained == ""
    person = ListedPerson.objects.first()
    assert len(person.study_id) == 16
    assert not {"name", "full_name"} & {field.name for field in ListedPerson._meta.get_fields()}


def test_the_selection_is_repeated_from_the_public_seed(school, officer, own_coordinator, stranger) -> None:
    with pytest.raises(operations.NotNow):
        operations.select_people(school=school, by=officer)
    fill_list(school.school, 30, 1)
    confirm(school, officer)
    operations.freeze_list(school=school, explanation="", by=officer)
    with pytest.raises(NotAllowed):  # a school does not draw its own pupils
        operations.select_people(school=school, by=own_coordinator)
    with pytest.raises(NotAllowed):
        operations.select_people(school=school, by=stranger)
    assert operations.select_people(school=school, by=officer) == N_STUDENTS
    kept = again(school)
    assert kept.seed == str(numeric.seed_of_school("2026", kept.sampled.school_code, kept.number))
    people = [
        {
            "student_id": one.study_id,
            "gender": one.sex,
            "birth_date": f"{one.birth_year:04d}-{one.birth_month:02d}",
        }
        for one in ListedPerson.objects.all()
    ]
    repeated = numeric.select(
        people, school=kept.sampled.school_code, seed=int(kept.seed), n_students=N_STUDENTS, n_booklets=3
    )
    selected = ListedPerson.objects.filter(is_selected=True)
    assert {one.study_id for one in repeated.people} == set(selected.values_list("study_id", flat=True))
    assert set(selected.values_list("probability", flat=True)) == {N_STUDENTS / 30}
    assert all(numeric.is_person_code(one.person_code) for one in selected)
    assert {one.booklet for one in selected} == {1, 2, 3}
    wrong = selected.first().person_code
    assert not numeric.is_person_code(wrong[:-1] + str((int(wrong[-1]) + 1) % 10))
    with pytest.raises(operations.NotNow):
        operations.freeze_list(school=school, explanation="", by=officer)


def test_exclusions_come_before_the_test_and_attendance_from_the_report(
    school, officer, own_coordinator
) -> None:
    bring_to_selected(school, officer, first=1)
    person = ListedPerson.objects.filter(is_selected=True).first()
    with pytest.raises(operations.FieldRefusal):
        operations.set_status(person=person, code=20, text="vắng", by=own_coordinator)
    with pytest.raises(operations.FieldRefusal):
        operations.set_status(person=person, code=31, text="", by=own_coordinator)
    operations.set_status(person=person, code=31, text="Học sinh hòa nhập", by=own_coordinator)
    other = ListedPerson.objects.filter(is_selected=False).first()
    with pytest.raises(operations.NotNow):
        operations.set_status(person=other, code=31, text="x", by=own_coordinator)
    with clock.fixed(datetime.datetime(2027, 3, 1, 5, tzinfo=datetime.UTC)):
        hold_test(school, own_coordinator)
    assert TestSession.objects.get().people.count() == N_STUDENTS - 1
    assert again(school).state == State.TESTED
    assert again(school).participation_code == 1


def test_attendance_below_85_percent_asks_for_a_make_up_session(school, officer, own_coordinator) -> None:
    bring_to_selected(school, officer, first=1)
    hold_test(school, own_coordinator, absent=2)
    due = make_up_of(again(school))
    assert (due.n_present, due.n_eligible, due.n_absent) == (6, 8, 2)
    assert due.until == datetime.date(2027, 3, 15)
    facts = SessionFacts(on_date=datetime.date(2027, 3, 10))
    session = operations.plan_session(school=school, facts=facts, is_make_up=True, by=own_coordinator)
    assert session.people.count() == 2
    assert make_up_of(again(school)) is None
    with pytest.raises(operations.NotNow):
        operations.conclude_school(school=school, by=officer)
    values = {"started": "08:00", "ended": "10:00", "absent": [], "nobody_absent": True}
    operations.save_report(session=session, values=values, by=own_coordinator)
    assert operations.submit_report(session=session, by=own_coordinator) == 2
    operations.conclude_school(school=school, by=officer)
    assert again(school).state == State.CLOSED
    assert set(ListedPerson.objects.filter(is_selected=True).values_list("status", flat=True)) == {10}


def test_a_report_belongs_to_its_administrator_and_is_harmless_twice(
    school, officer, administrator, own_coordinator, stranger
) -> None:
    bring_to_selected(school, officer, first=1)
    facts = SessionFacts(on_date=DAYS.test_from, administrator=administrator)
    with pytest.raises(operations.FieldRefusal):
        operations.plan_session(
            school=school,
            facts=SessionFacts(on_date=DAYS.test_from, administrator=stranger),
            is_make_up=False,
            by=own_coordinator,
        )
    session = operations.plan_session(school=school, facts=facts, is_make_up=False, by=own_coordinator)
    with pytest.raises(NotAllowed):
        operations.save_report(session=session, values={"started": "07:30"}, by=stranger)
    with pytest.raises(operations.FieldRefusal, match="07:00"):
        operations.save_report(
            session=session, values={"started": "07:30", "ended": "07:00"}, by=administrator
        )
    with pytest.raises(operations.FieldRefusal):
        operations.save_report(session=session, values={"absent": ["1"]}, by=administrator)
    operations.save_report(session=session, values={"started": "07:30", "ended": "09:30"}, by=administrator)
    with pytest.raises(operations.FieldRefusal):  # nobody said who was absent
        operations.submit_report(session=session, by=administrator)
    code = session.people.first().person_code
    operations.save_report(
        session=session,
        values={
            "absent": [code],
            "codes": {code: 22},
            "incidents": [{"kind": "power", "text": "Mất điện", "n_affected": 3}],
        },
        by=administrator,
    )
    assert operations.submit_report(session=session, by=administrator) == N_STUDENTS - 1
    assert operations.submit_report(session=session, by=administrator) == N_STUDENTS - 1
    assert ListedPerson.objects.get(person_code=code).status == 22
    assert again(school).incidents.count() == 1
    with pytest.raises(operations.NotNow):
        operations.save_report(session=session, values={"started": "07:00"}, by=administrator)


def test_a_school_that_closes_after_the_draw_waits_for_a_decision(school, officer) -> None:
    from dienrong.registry.models import School
    from dienrong.registry.signals import schools_changed

    School.objects.filter(pk=school.school_id).update(is_open=False)
    schools_changed.send(sender=School, school_keys=[school.school_id])
    assert again(school).attention == FieldSchool.Attention.CLOSED
    other = School.objects.filter(is_open=True, province__code="01").first()
    with pytest.raises(operations.FieldRefusal):
        operations.settle_attention(school=school, successor=other, by=officer)
    operations.settle_attention(school=school, successor=None, by=officer)
    assert again(school).attention == ""
    with pytest.raises(operations.NotNow):
        operations.settle_attention(school=school, successor=None, by=officer)


def test_all_ineligible_is_code_8_and_nobody_assessed_code_4(school, officer) -> None:
    bring_to_selected(school, officer, first=1)
    hold_test(school, officer, absent=N_STUDENTS)
    assert again(school).participation_code == 4
    for person in ListedPerson.objects.filter(is_selected=True):
        operations.set_status(person=person, code=40, text="Chuyển trường", by=officer)
    assert again(school).participation_code == 8


def test_working_days_leave_out_weekends() -> None:
    assert working_days_after(datetime.date(2026, 11, 27), 1) == datetime.date(2026, 11, 30)
    assert working_days_after(datetime.date(2026, 11, 30), 10) == datetime.date(2026, 12, 14)


def test_classes_are_selected_whole(ministry, officer, db) -> None:
    from small_fieldwork import load_schools

    load_schools()
    start(draw_plan(rules="timss", within="classes", n_classes=1), ministry)
    school = FieldSchool.objects.filter(school__province__code="01").first()
    bring_to_selected(school, officer, first=1)
    selected = ListedPerson.objects.filter(is_selected=True)
    assert selected.count() == 15
    assert len(set(selected.values_list("class_name", flat=True))) == 1
    assert again(school).n_classes == 2
    assert set(selected.values_list("probability", flat=True)) == {0.5}
    hold_test(school, officer, absent=3)
    fieldwork = Fieldwork.objects.select_related("plan").get()
    rates = outcomes.rates_of(outcomes.collect(fieldwork, access.schools_of(ministry, fieldwork)))
    assert rates.values["class"]["unweighted"] == 1.0
    assert rates.values["student"]["unweighted"] == 12 / 15


def test_a_merged_school_offers_its_successor_and_goes_on_there(school, officer, ministry) -> None:
    from dienrong.registry import operations as registry
    from dienrong.registry.models import AdministrativeUnit, School
    from dienrong.registry.queries import Line

    sampled = SampledSchool.objects.values_list("school_code", flat=True)
    other = School.objects.filter(province__code="01").exclude(school_id__in=sampled).first()
    lines = [
        Line(
            line_number=1,
            kind="merge",
            predecessor_codes=(school.school.school_id, other.school_id),
            successor_code=other.school_id,
            successor_name=other.name,
        )
    ]
    batch = registry.plan_batch(
        AdministrativeUnit.objects.get(level="province", code="01"),
        lines,
        title="Sắp xếp",
        decision_number="1/QĐ",
        decision_date=datetime.date(2026, 11, 1),
        effective_date=datetime.date(2026, 11, 20),
        by=officer,
    )
    registry.apply_batch(batch=batch, by=officer)
    assert again(school).attention == FieldSchool.Attention.MERGED
    assert FieldEvent.objects.filter(field_school=school, kind="marked").count() == 1
    operations.settle_attention(school=school, successor=other, by=officer)
    kept = again(school)
    assert (kept.attention, kept.school_id, kept.sampled.school_code != other.school_id) == (
        "",
        other.pk,
        True,
    )
    bring_to_selected(kept, officer, first=1)
    assert again(school).state == State.SELECTED
