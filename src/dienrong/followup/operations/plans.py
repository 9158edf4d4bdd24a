"""Plans: made from a template or empty, changed as drafts, adopted, closed."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import directory, permissions
from dienrong.accounts.models import UnitKind
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.text import clean_text
from dienrong.cycles.models import Cycle
from dienrong.followup.models import Plan, Task, TaskLink
from dienrong.followup.programmes import ProgrammeTemplate, templates
from dienrong.followup.queries import access
from dienrong.followup.refusals import FollowupRefusal, NotNow


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """What a plan is; legal bases and recipients are written one per line."""

    year: int
    title: str
    legal_bases: str = ""
    recipients: str = ""
    number: str = ""


@transaction.atomic
def make_plan(
    *,
    unit_kind: str,
    unit_code: str,
    facts: PlanFacts,
    by: Any,
    programme: str = "",
    cycle: Cycle | None = None,
) -> Plan:
    """Make a draft of a plan for a unit, with the tasks of a template where one is named.

    Raises
    ------
    NotAllowed
        If the person does not work in the unit.
    FollowupRefusal
        If the unit or the template is unknown, the title is empty, or the template needs a round and none is named.
    """
    permissions.demand(by, "change_tasks")
    place = directory.place_of(unit_kind, unit_code)
    if place is None:
        raise FollowupRefusal(_("No unit of today has the code %(code)s.") % {"code": unit_code})
    template = _template(programme, cycle)
    values = _checked(facts, template, cycle)
    is_nation = unit_kind == UnitKind.NATION
    name = _("Ministry of Education and Training") if is_nation else directory.name_of(unit_kind, unit_code)
    plan = Plan(
        unit_kind=unit_kind,
        unit_code=unit_code,
        unit_name=name or unit_code,
        province_code=place.province_code or "",
        commune_code=place.commune_code or "",
        programme=programme,
        cycle=cycle,
        made_by=by,
        **values,
    )
    access.demand_owner(by, plan)
    plan.save()
    n_tasks = _fill(plan, template, cycle) if template is not None else 0
    record(
        action="followup.plan_made", actor=by, obj=plan, after={"programme": programme, "n_tasks": n_tasks}
    )
    return plan


def _template(programme: str, cycle: Cycle | None) -> ProgrammeTemplate | None:
    """Give the template that was named."""
    if not programme:
        return None
    found = templates().get(programme)
    if found is None:
        raise FollowupRefusal(_("There is no template “%(name)s”.") % {"name": programme})
    if found.anchor == "first_test_day" and cycle is None:
        raise FollowupRefusal(
            _("The days of this template are counted from the first day of testing."),
            hint=_("Choose the round for which the plan is."),
        )
    return found


def _checked(facts: PlanFacts, template: ProgrammeTemplate | None, cycle: Cycle | None) -> dict[str, Any]:
    """Give the facts in their clean form; what is empty is taken from the template."""
    values = dataclasses.asdict(facts)
    title = clean_text(facts.title)
    if not title and template is not None:
        title = template.title.format(year=facts.year, cycle=cycle.name_vi if cycle else "")
    if not title:
        raise FollowupRefusal(_("A plan has a title."), hint=_("Write it in a few words."))
    if not 2000 <= facts.year <= 2100:
        raise FollowupRefusal(_("The year lies between 2000 and 2100."))
    values |= {"title": title[:300], "number": clean_text(facts.number)}
    for name, lines in (("legal_bases", facts.legal_bases), ("recipients", facts.recipients)):
        kept = [clean_text(line) for line in lines.splitlines()]
        own = getattr(template, name) if template is not None and not any(kept) else ()
        values[name] = "\n".join(line for line in (*kept, *own) if line)
    return values


def _fill(plan: Plan, template: ProgrammeTemplate, cycle: Cycle | None) -> int:
    """Write the tasks of a template, with their dependencies."""
    anchor = datetime.date(plan.year, 1, 1)
    if template.anchor == "first_test_day" and cycle is not None:
        anchor = cycle.first_test_date
    tasks = {}
    for position, one in enumerate(template.tasks, start=1):
        starts, due = one.days(anchor)
        tasks[one.key] = Task.objects.create(
            plan=plan,
            position=position,
            title=one.title,
            lead=one.lead,
            support=one.support,
            product=one.product,
            fallback=one.fallback,
            starts_on=starts,
            due_on=due,
            step_number=one.step,
        )
    TaskLink.objects.bulk_create(
        TaskLink(task=tasks[one.key], after=tasks[key]) for one in template.tasks for key in one.after
    )
    return len(tasks)


@transaction.atomic
def change_plan(*, plan: Plan, facts: PlanFacts, by: Any) -> Plan:
    """Change what a plan says of itself; a closed plan stays as it is.

    Raises
    ------
    NotAllowed
        If the person does not work in the unit of the plan.
    NotNow
        If the plan is closed.
    """
    plan = held(plan, by)
    values = _checked(facts, None, None)
    before = {name: getattr(plan, name) for name in values}
    for name, value in values.items():
        setattr(plan, name, value)
    plan.save()
    changed = {name: value for name, value in values.items() if before[name] != value}
    if changed:
        record(
            action="followup.plan_changed",
            actor=by,
            obj=plan,
            before={name: before[name] for name in changed},
            after=changed,
        )
    return plan


def held(plan: Plan, by: Any, *, allow_closed: bool = False) -> Plan:
    """Lock a plan for a change by its unit; refuse strangers, and a plan that is closed."""
    found = Plan.objects.select_for_update().get(pk=plan.pk)
    access.demand_owner(by, found)
    if found.state == Plan.State.CLOSED and not allow_closed:
        raise NotNow(
            _("The plan is closed; nothing in it changes any more."), hint=_("Make a plan of the next year.")
        )
    return found


@transaction.atomic
def adopt_plan(*, plan: Plan, number: str, adopted_on: datetime.date, by: Any) -> Plan:
    """Put a draft in force: units below read it, and duties are open from now on.

    Raises
    ------
    NotAllowed
        If the person does not work in the unit of the plan.
    NotNow
        If the plan is no draft, or has no task.
    FollowupRefusal
        If the day lies in the future.
    """
    plan = held(plan, by)
    if plan.state != Plan.State.DRAFT:
        raise NotNow(_("Only a draft is put in force."))
    if not plan.tasks.exists():
        raise NotNow(_("The plan has no task yet."), hint=_("Add the first task."))
    if adopted_on > clock.today():
        raise FollowupRefusal(_("A plan is adopted today or earlier."))
    plan.state, plan.number, plan.adopted_on = Plan.State.IN_FORCE, clean_text(number), adopted_on
    plan.save()
    record(
        action="followup.plan_adopted",
        actor=by,
        obj=plan,
        after={"number": plan.number, "adopted_on": adopted_on},
    )
    return plan


@transaction.atomic
def close_plan(*, plan: Plan, by: Any) -> Plan:
    """Close a plan in force; what is open in it stays on record as open.

    Raises
    ------
    NotNow
        If the plan is not in force.
    """
    plan = held(plan, by)
    if plan.state != Plan.State.IN_FORCE:
        raise NotNow(_("Only a plan in force is closed."))
    n_open = plan.tasks.filter(state__in=(Task.State.OPEN, Task.State.RUNNING)).count()
    plan.state = Plan.State.CLOSED
    plan.save()
    record(action="followup.plan_closed", actor=by, obj=plan, after={"n_open": n_open})
    return plan


@transaction.atomic
def delete_plan(*, plan: Plan, by: Any) -> None:
    """Delete a draft; a plan that was in force stays.

    Raises
    ------
    NotNow
        If the plan is no draft.
    """
    plan = held(plan, by)
    if plan.state != Plan.State.DRAFT:
        raise NotNow(_("A plan that was in force is not deleted."), hint=_("Close it."))
    record(
        action="followup.plan_deleted", actor=by, obj=plan, before={"title": plan.title, "year": plan.year}
    )
    plan.delete()
