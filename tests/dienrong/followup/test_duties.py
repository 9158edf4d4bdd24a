"""Duties: handed to the units below, reported by them alone, returned with a reason."""

from __future__ import annotations

import pytest

from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import NotAllowed
from dienrong.followup import operations
from dienrong.followup.models import Duty
from dienrong.followup.queries import access, counting, units
from dienrong.registry.models import AdministrativeUnit, School
from small_followup import DAY, TODAY, a_plan, a_task, handed, in_force

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]


@pytest.fixture
def task(officer):
    plan = a_plan(officer)
    made = a_task(plan, officer)
    in_force(plan, officer)
    return made


def test_all_communes_of_the_province_and_no_other_have_the_duty(task, officer) -> None:
    duties = handed(task, officer)
    expected = set(
        AdministrativeUnit.objects.filter(
            level="commune", parent__code="01", valid_to__isnull=True
        ).values_list("code", flat=True)
    )
    assert {one.unit_code for one in duties} == expected
    assert {one.province_code for one in duties} == {"01"}
    with pytest.raises(operations.FollowupRefusal, match="đều đã được giao"):
        handed(task, officer)


def test_all_open_schools_of_the_province(task, officer) -> None:
    duties = handed(task, officer, kind="school")
    expected = set(
        School.objects.filter(is_open=True, province__code="01").values_list("school_id", flat=True)
    )
    assert {one.unit_code for one in duties} == expected


def test_a_unit_of_another_province_is_refused_and_nothing_is_written(task, officer) -> None:
    chosen = units.named("00004, 26734", units.KINDS)
    with pytest.raises(operations.FollowupRefusal, match="không thuộc"):
        operations.hand_out(task=task, units=chosen, due_on=TODAY, by=officer)
    assert not Duty.objects.exists()


def test_unknown_codes_are_named() -> None:
    with pytest.raises(operations.FollowupRefusal, match="99999"):
        units.named("00004 99999", units.KINDS)
    with pytest.raises(operations.FollowupRefusal, match="Chưa ghi đơn vị"):
        units.named("  ", units.KINDS)


@pytest.mark.parametrize("who", ["officer", "ministry", "stranger", "coordinator", "researcher", "newcomer"])
def test_a_duty_is_reported_by_its_own_unit_alone(request, task, officer, who) -> None:
    duty = next(one for one in handed(task, officer) if one.unit_code == "00004")
    with pytest.raises(NotAllowed):
        operations.report_duty(duty=duty, outcome="xong", by=request.getfixturevalue(who))
    duty.refresh_from_db()
    assert duty.state == Duty.State.OPEN


def test_reported_returned_reported_again(task, officer, commune_officer) -> None:
    duty = next(one for one in handed(task, officer) if one.unit_code == "00004")
    with pytest.raises(operations.FollowupRefusal, match="Ghi ngắn gọn"):
        operations.report_duty(duty=duty, outcome=" ", by=commune_officer)
    with pytest.raises(operations.FollowupRefusal, match="hôm nay"):
        operations.report_duty(duty=duty, outcome="xong", by=commune_officer, done_on=TODAY + DAY)
    operations.report_duty(duty=duty, outcome="Đã nộp, CV 12", by=commune_officer)
    with pytest.raises(operations.NotNow):
        operations.report_duty(duty=duty, outcome="lần nữa", by=commune_officer)
    with pytest.raises(operations.NotNow):
        operations.take_back(duty=duty, by=officer)
    with pytest.raises(operations.FollowupRefusal, match="lý do"):
        operations.return_duty(duty=duty, reason="", by=officer)
    returned = operations.return_duty(duty=duty, reason="Thiếu lớp 5B", by=officer, due_on=TODAY + 9 * DAY)
    assert (returned.state, returned.done_on, returned.due_on) == (Duty.State.RETURNED, None, TODAY + 9 * DAY)
    again = operations.report_duty(duty=duty, outcome="Đã bổ sung", by=commune_officer)
    assert (again.state, again.returned_because) == (Duty.State.DONE, "")
    actions = (
        AuditEntry.objects.filter(object_kind="followup.duty").order_by("pk").values_list("action", flat=True)
    )
    assert list(actions) == ["followup.duty_reported", "followup.duty_returned", "followup.duty_reported"]


def test_a_duty_of_a_draft_is_not_reported(officer, commune_officer) -> None:
    plan = a_plan(officer)
    duty = next(one for one in handed(a_task(plan, officer), officer) if one.unit_code == "00004")
    with pytest.raises(operations.NotNow, match="chưa có hiệu lực"):
        operations.report_duty(duty=duty, outcome="xong", by=commune_officer)
    assert list(access.duties_of(commune_officer)) == []


def test_the_board_of_units_counts_and_shows_each_reader_what_is_theirs(
    task, officer, commune_officer, stranger
) -> None:
    duties = handed(task, officer, due=-1)
    mine = next(one for one in duties if one.unit_code == "00004")
    rows = counting.late_units(task.plan, access.visible_duties(officer, task.plan))
    assert {row["n_late"] for row in rows} == {1}
    assert len(rows) == len(duties)
    operations.report_duty(duty=mine, outcome="xong", by=commune_officer)
    rows = counting.late_units(task.plan, access.visible_duties(officer, task.plan))
    assert (rows[-1]["unit_code"], rows[-1]["n_done"], rows[-1]["n_late"]) == ("00004", 1, 0)
    assert [one.unit_code for one in access.visible_duties(commune_officer, task.plan)] == ["00004"]
    assert not access.visible_duties(stranger, task.plan).exists()


def test_dropped_tasks_ask_nobody(task, officer, commune_officer) -> None:
    handed(task, officer)
    assert access.duties_of(commune_officer).count() == 1
    operations.set_task_state(task=task, state="dropped", outcome="hoãn", by=officer)
    assert not access.duties_of(commune_officer).exists()
