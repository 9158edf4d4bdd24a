"""Plans, tasks and risks: from a template to the end of the year, and who may do what."""

from __future__ import annotations

import datetime

import pytest

from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import NotAllowed, SignInFirst
from dienrong.followup import operations, programmes
from dienrong.followup.models import Plan, Task
from dienrong.followup.operations import PlanFacts, TaskFacts
from dienrong.followup.queries import access, counting, tallies
from small_followup import DAY, TODAY, a_plan, a_risk, a_task, in_force

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]
STRANGERS = ("ministry", "stranger", "commune_officer", "coordinator", "researcher", "newcomer")


@pytest.mark.parametrize("code", sorted(programmes.templates()))
def test_each_template_makes_a_plan_whose_days_follow_from_its_anchor(code, officer, cycle) -> None:
    template = programmes.templates()[code]
    plan = operations.make_plan(
        unit_kind="province",
        unit_code="01",
        facts=PlanFacts(year=2027, title=""),
        programme=code,
        cycle=cycle,
        by=officer,
    )
    tasks = list(plan.tasks.all())
    assert [task.title for task in tasks] == [one.title for one in template.tasks]
    assert str(plan.year) in plan.title or cycle.name_vi in plan.title
    anchor = datetime.date(2027, 1, 1) if template.anchor == "year" else cycle.first_test_date
    for task, one in zip(tasks, template.tasks, strict=True):
        assert (task.starts_on, task.due_on) == one.days(anchor)
        assert task.starts_on <= task.due_on
        waits = {link.after.title for link in task.links.select_related("after")}
        titles = {other.key: other.title for other in template.tasks}
        assert waits == {titles[key] for key in one.after}
    assert counting.slips(plan) == [], "a task of a template begins before what it waits for is due"


def test_the_14_steps_of_the_old_circular_are_all_there() -> None:
    steps = [one.step for one in programmes.templates()["national_tt51"].tasks]
    assert steps == list(range(1, 15))


def test_a_template_of_a_programme_needs_a_round(officer) -> None:
    with pytest.raises(operations.FollowupRefusal, match="buổi khảo sát đầu tiên"):
        a_plan(officer, programme="pisa", title="")
    assert not Plan.objects.exists()


@pytest.mark.parametrize("who", STRANGERS)
def test_a_plan_is_made_by_its_unit_alone(request, who) -> None:
    with pytest.raises(NotAllowed):
        a_plan(request.getfixturevalue(who))
    assert not Plan.objects.exists()


def test_nobody_is_asked_to_sign_in_first(db) -> None:
    from django.contrib.auth.models import AnonymousUser

    with pytest.raises(SignInFirst):
        a_plan(AnonymousUser())


@pytest.mark.parametrize("who", STRANGERS)
def test_strangers_change_nothing(request, officer, who) -> None:
    plan = a_plan(officer)
    task = a_task(plan, officer)
    in_force(plan, officer)
    risk = operations.add_risk(plan=plan, facts=a_risk(), by=officer)
    person, n = request.getfixturevalue(who), AuditEntry.objects.count()
    acts = [
        lambda: a_task(plan, person),
        lambda: operations.change_plan(plan=plan, facts=PlanFacts(year=2026, title="x"), by=person),
        lambda: operations.set_task_state(task=task, state="done", outcome="x", by=person),
        lambda: operations.change_task(
            task=task, facts=TaskFacts(title="x", starts_on=TODAY, due_on=TODAY), by=person
        ),
        lambda: operations.close_plan(plan=plan, by=person),
        lambda: operations.add_risk(plan=plan, facts=a_risk(), by=person),
        lambda: operations.set_risk_state(risk=risk, state="happened", note="x", by=person),
        lambda: operations.hand_out(task=task, units=[], due_on=TODAY, by=person),
    ]
    for act in acts:
        with pytest.raises(NotAllowed):
            act()
    task.refresh_from_db()
    assert (task.state, task.title) == (Task.State.OPEN, "Nộp danh sách")
    assert AuditEntry.objects.count() == n


def test_who_reads_a_draft_and_a_plan_in_force(
    officer, colleague, ministry, stranger, commune_officer, coordinator, researcher
) -> None:
    plan = a_plan(officer)
    a_task(plan, officer)

    def readers() -> set[str]:
        people = (officer, colleague, ministry, stranger, commune_officer, coordinator, researcher)
        return {one.username for one in people if access.plans_of(one).filter(pk=plan.pk).exists()}

    assert readers() == {"so", "so2"}
    in_force(plan, officer)
    assert readers() == {"so", "so2", "bo", "xa", "truong"}


def test_a_life_of_a_plan_leaves_its_trace(officer) -> None:
    plan = a_plan(officer, programme="project_468_year", title="")
    first = plan.tasks.first()
    with pytest.raises(operations.NotNow, match="dự thảo"):
        operations.set_task_state(task=first, state="done", outcome="xong", by=officer)
    in_force(plan, officer)
    with pytest.raises(operations.FollowupRefusal, match="kết quả"):
        operations.set_task_state(task=first, state="done", outcome=" ", by=officer)
    with pytest.raises(operations.FollowupRefusal, match="hôm nay"):
        operations.set_task_state(task=first, state="done", outcome="KH 12", by=officer, done_on=TODAY + DAY)
    operations.set_task_state(task=first, state="done", outcome="KH 12/KH-SGDĐT", by=officer)
    with pytest.raises(operations.NotNow, match="không xóa"):
        operations.delete_plan(plan=plan, by=officer)
    with pytest.raises(operations.NotNow):
        operations.delete_task(task=first, by=officer)
    operations.close_plan(plan=plan, by=officer)
    with pytest.raises(operations.NotNow, match="kết thúc"):
        operations.set_task_state(task=first, state="open", outcome="", by=officer)
    actions = list(
        AuditEntry.objects.filter(action__startswith="followup.")
        .order_by("pk")
        .values_list("action", flat=True)
    )
    assert actions == [
        "followup.plan_made", "followup.plan_adopted", "followup.task_state_set", "followup.plan_closed",
    ]  # fmt: skip


def test_a_draft_goes_with_its_tasks(officer) -> None:
    plan = a_plan(officer)
    a_task(plan, officer)
    operations.delete_plan(plan=plan, by=officer)
    assert not Task.objects.exists()


def test_an_empty_plan_is_not_put_in_force(officer) -> None:
    with pytest.raises(operations.NotNow, match="chưa có nhiệm vụ"):
        in_force(a_plan(officer), officer)


def test_days_the_wrong_way_round_are_named(officer) -> None:
    with pytest.raises(operations.FollowupRefusal, match=r"20/11/2026.*22/11/2026"):
        a_task(a_plan(officer), officer, starts=0, due=-2)


def test_tasks_never_wait_for_each_other_in_a_circle(officer) -> None:
    plan = a_plan(officer)
    one = a_task(plan, officer, title="một")
    two = a_task(plan, officer, title="hai", after=[one.pk])
    three = a_task(plan, officer, title="ba", after=[two.pk])
    days = {"starts_on": TODAY, "due_on": TODAY}
    with pytest.raises(operations.FollowupRefusal, match="“ba” đang chờ"):
        operations.change_task(task=one, facts=TaskFacts(title="một", after=[three.pk], **days), by=officer)
    with pytest.raises(operations.FollowupRefusal, match="cùng kế hoạch"):
        operations.change_task(task=one, facts=TaskFacts(title="một", after=[one.pk], **days), by=officer)
    other = a_task(a_plan(officer, title="khác"), officer)
    with pytest.raises(operations.FollowupRefusal, match="cùng kế hoạch"):
        operations.change_task(task=one, facts=TaskFacts(title="một", after=[other.pk], **days), by=officer)
    assert list(one.links.all()) == []
    assert counting.links_of(plan) == [(one.pk, two.pk), (two.pk, three.pk)]


def test_tallies_count_by_hand(officer) -> None:
    plan = a_plan(officer)
    late = a_task(plan, officer, due=-1)
    a_task(plan, officer, due=0)
    done, dropped = a_task(plan, officer, due=-3), a_task(plan, officer, due=-3)
    in_force(plan, officer)
    operations.set_task_state(task=done, state="done", outcome="BB 01", by=officer)
    operations.set_task_state(task=dropped, state="dropped", outcome="không còn cần", by=officer)
    tally = tallies([plan.pk])[plan.pk]
    assert (tally.n_tasks, tally.n_done, tally.n_late) == (3, 1, 1)
    assert tally.share == pytest.approx(1 / 3)
    assert list(counting.due_tasks(officer)) == [late, *plan.tasks.filter(due_on=TODAY)]


def test_risks_stand_by_weight_and_say_what_is_missing(officer) -> None:
    plan = a_plan(officer)
    light = operations.add_risk(plan=plan, facts=a_risk(title="nhẹ", likelihood=1, impact=2), by=officer)
    grave = operations.add_risk(plan=plan, facts=a_risk(), by=officer)
    assert list(plan.risks.all()) == [grave, light]
    with pytest.raises(operations.FollowupRefusal, match="bốn mục"):
        operations.add_risk(plan=plan, facts=a_risk(fallback=" "), by=officer)
    with pytest.raises(operations.FollowupRefusal, match="1 đến 5"):
        operations.change_risk(risk=grave, facts=a_risk(impact=6), by=officer)
    operations.set_risk_state(risk=grave, state="happened", note="mất điện ở 2 trường", by=officer)
    grave.refresh_from_db()
    assert grave.happened_on == TODAY
