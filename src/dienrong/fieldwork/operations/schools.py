"""Schools in the field: start, letters, answers, replacements, what became of a school, conclusion."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed
from dienrong.core.text import clean_text
from dienrong.fieldwork import numeric
from dienrong.fieldwork.models import FieldSchool, Fieldwork, ListedPerson, TestSession
from dienrong.fieldwork.operations.refusals import (
    FieldRefusal,
    NotNow,
    demand_state,
    demand_text,
    locked,
    note,
)
from dienrong.registry.models import School
from dienrong.registry.queries import history
from dienrong.rosters import charge
from dienrong.sampling.models import Plan, SampledSchool

State = FieldSchool.State
BEFORE_TEST = (State.TO_NOTIFY, State.NOTIFIED, State.CONFIRMED, State.LISTED, State.SELECTED)
SCHOOLS_OWN_CODES = (2, 3)
"""Codes that a school may give of itself; all others are an officer's judgment."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Until when schools answer and send their lists, and when the tests are."""

    answer_due: datetime.date
    list_due: datetime.date
    test_from: datetime.date
    test_to: datetime.date


@transaction.atomic
def start_fieldwork(*, plan: Plan, days: Days, by: Any) -> Fieldwork:
    """Begin the fieldwork of a drawn plan: every sampled school gets its row.

    Raises
    ------
    NotAllowed
        If the person does not lead fieldwork for the whole country.
    NotNow
        If the plan is not drawn, or its fieldwork has begun.
    FieldRefusal
        If the days are not in order, the rules are unknown, or schools of the sample are not in the registry.
    """
    _demand_nation(by)
    plan = Plan.objects.select_for_update().get(pk=plan.pk)
    _demand_startable(plan, days)
    sampled = list(
        SampledSchool.objects.filter(draw__plan=plan, role=SampledSchool.Role.ORIGINAL).order_by(
            "selection_order"
        )
    )
    unknown = [one.school_code for one in sampled if one.school_id is None]
    if unknown or not sampled:
        raise FieldRefusal(
            _("%(n)d sampled schools are not in the registry (%(codes)s).")
            % {"n": len(unknown), "codes": ", ".join(unknown[:5])},
            hint=_("Fieldwork needs schools of the registry: their officers, telephones and lists."),
        )
    fieldwork = Fieldwork.objects.create(
        plan=plan, started_at=clock.now(), started_by=by, **dataclasses.asdict(days)
    )
    first = next_number(plan)
    FieldSchool.objects.bulk_create(
        FieldSchool(sampled=one, school_id=one.school_id, plan=plan, number=number)
        for number, one in enumerate(sampled, start=first)
    )
    keys = FieldSchool.objects.filter(plan=plan).values_list("school_id", flat=True)
    schools_were_changed(school_keys=list(keys))
    record(
        action="fieldwork.started",
        actor=by,
        obj=plan,
        after={"n_schools": len(sampled), **dataclasses.asdict(days)},
    )
    return fieldwork


def _demand_nation(by: Any) -> None:
    """Refuse who does not lead fieldwork for the whole country."""
    permissions.demand(by, "change_fieldwork")
    if not charge.scope_with(by, "change_fieldwork").is_national:
        raise NotAllowed(
            _("The fieldwork of a plan is started for the whole country."),
            who_may=permissions.who_may("compute_weights"),
            whom_to_ask=permissions.whom_to_ask(by),
        )


def _demand_startable(plan: Plan, days: Days) -> None:
    """Refuse a plan that is not drawn, has begun, or whose rules or days do not fit."""
    if plan.state != Plan.State.DRAWN:
        raise NotNow(_("Fieldwork begins after the draw."), hint=_("Draw the sample of this plan first."))
    if Fieldwork.objects.filter(plan=plan).exists():
        raise NotNow(_("The fieldwork of this plan has begun already."))
    if plan.population != Plan.Population.STUDENTS:
        raise FieldRefusal(
            _("Fieldwork is kept for samples of students; this plan is of another population.")
        )
    if not numeric.knows_rules(plan.rules):
        raise FieldRefusal(
            _("The rules “%(rules)s” of the plan are not known.") % {"rules": plan.rules},
            hint=_("Make a plan with rules of the list."),
        )
    if not days.answer_due <= days.list_due <= days.test_from <= days.test_to:
        raise FieldRefusal(
            _("The days must follow one another: answers, lists, first and last day of tests."),
            hint=_("Correct the day that stands out of order."),
        )


def next_number(plan: Plan) -> int:
    """Give the next number of a school; plans of one grade share the row, so that person codes never meet."""
    same = FieldSchool.objects.filter(plan__grade=plan.grade)
    return int(same.aggregate(last=Max("number"))["last"] or 0) + 1


@transaction.atomic
def mark_notified(*, schools: Iterable[FieldSchool], by: Any) -> int:
    """Write down that letters went out; schools that were notified before keep their day. Give how many are new.

    Raises
    ------
    NotAllowed
        If one of the schools is not in the person's charge.
    """
    count = 0
    for one in sorted(schools, key=lambda school: school.pk):
        school = locked(one.pk)
        charge.demand_at(by, "change_fieldwork", school.school)
        if school.state != State.TO_NOTIFY:
            continue
        school.state, school.notified_at = State.NOTIFIED, clock.now()
        school.save(update_fields=["state", "notified_at"])
        note(school, "notified", by)
        count += 1
    return count


@transaction.atomic
def note_call(*, school: FieldSchool, text: str, by: Any) -> None:
    """Write down that somebody was called, and what was said.

    Raises
    ------
    NotAllowed
        If the school is not in the person's charge.
    FieldRefusal
        If nothing was written.
    """
    school = locked(school.pk)
    charge.demand_at(by, "view_fieldwork", school.school)
    note(school, "called", by, demand_text(text, _("Write what was said on the telephone.")))


@transaction.atomic
def confirm_school(
    *,
    school: FieldSchool,
    coordinator_name: str,
    coordinator_phone: str,
    test_date: datetime.date | None,
    by: Any,
) -> None:
    """Write down that a school takes part, and who coordinates it there.

    Raises
    ------
    NotAllowed
        If the school is not in the person's charge.
    NotNow
        If the school has answered before.
    FieldRefusal
        If the coordinator is not named, or the day lies outside the tests.
    """
    school = locked(school.pk)
    charge.demand_at(by, "answer_fieldwork", school.school)
    demand_state(school, (State.TO_NOTIFY, State.NOTIFIED))
    name = demand_text(coordinator_name, _("Name the coordinator of the school."))
    phone = "".join(letter for letter in coordinator_phone if letter.isdigit() or letter == "+")
    if len(phone) < 8:
        raise FieldRefusal(
            _("The telephone number “%(phone)s” is too short.") % {"phone": coordinator_phone.strip()},
            hint=_("Write the number with all digits, such as 0912 345 678."),
        )
    fieldwork = Fieldwork.objects.get(plan=school.plan_id)
    if test_date is not None and not fieldwork.test_from <= test_date <= fieldwork.test_to:
        raise FieldRefusal(
            _("The day of the test must lie between %(first)s and %(last)s.")
            % {"first": f"{fieldwork.test_from:%d/%m/%Y}", "last": f"{fieldwork.test_to:%d/%m/%Y}"},
        )
    school.state, school.answered_at = State.CONFIRMED, clock.now()
    school.coordinator_name, school.coordinator_phone = name[:120], phone[:30]
    school.test_date = test_date
    school.save()
    note(school, "confirmed", by)


@transaction.atomic
def decline_school(*, school: FieldSchool, code: int, reason: str, by: Any) -> None:
    """Write down that a school does not take part, with its participation code and reason.

    Raises
    ------
    NotAllowed
        If the school is not in the person's charge, or the code is an officer's to give.
    NotNow
        If the school was tested.
    FieldRefusal
        If the code is none of a school that does not take part, or no reason is given.
    """
    school = locked(school.pk)
    charge.demand_at(by, "answer_fieldwork", school.school)
    demand_state(school, BEFORE_TEST)
    known = {
        one.code
        for one in numeric.codes(school.plan.rules, "school")
        if one.treatment in ("nonrespondent", "ineligible", "excluded")
    }
    if code not in known:
        raise FieldRefusal(
            _("The code %(code)s is not one of a school that does not take part.") % {"code": code},
            hint=_("Choose a code of the list."),
        )
    if code not in SCHOOLS_OWN_CODES and not charge.may_at(by, "change_fieldwork", school.school):
        raise permissions.refusal_for(by, "change_fieldwork")
    school.reason = demand_text(reason, _("Write why the school does not take part."))[:300]
    school.state, school.participation_code, school.answered_at = State.NOT_TAKING_PART, code, clock.now()
    school.attention = ""
    school.save()
    TestSession.objects.filter(field_school=school, state=TestSession.State.PLANNED).update(
        state=TestSession.State.CANCELLED
    )
    note(school, "declined", by, school.reason, code=code)


@transaction.atomic
def reopen_school(*, school: FieldSchool, reason: str, by: Any) -> None:
    """Take back that a school does not take part, while no replacement was called on.

    Raises
    ------
    NotAllowed
        If the school is not in the person's charge.
    NotNow
        If the school takes part, or a replacement was called on.
    """
    school = locked(school.pk)
    charge.demand_at(by, "change_fieldwork", school.school)
    demand_state(school, (State.NOT_TAKING_PART,))
    if FieldSchool.objects.filter(replaces=school).exists():
        raise NotNow(
            _("A replacement was called on for this school; both cannot count."),
            hint=_("Decline the replacement first, with its reason."),
        )
    text = demand_text(reason, _("Write why the school takes part after all."))
    school.state, school.participation_code, school.reason = State.NOTIFIED, None, ""
    school.notified_at = school.notified_at or clock.now()
    school.save()
    ListedPerson.objects.filter(field_school=school).delete()
    note(school, "reopened", by, text)


@transaction.atomic
def call_replacement(*, school: FieldSchool, by: Any) -> FieldSchool:
    """Call on the next replacement of a school that does not take part: the first, then the second.

    Raises
    ------
    NotAllowed
        If the school is not in the person's charge.
    NotNow
        If the school takes part, was replaced, its code allows no replacement, or none is left.
    """
    school = locked(school.pk)
    charge.demand_at(by, "change_fieldwork", school.school)
    demand_state(school, (State.NOT_TAKING_PART,))
    if FieldSchool.objects.filter(replaces=school).exists():
        raise NotNow(_("A replacement was called on for this school already."))
    _demand_replaceable(school)
    original = school.sampled.original or school.sampled
    left = SampledSchool.objects.filter(original=original, field__isnull=True).order_by("role")
    candidate = left.select_related("school").first()
    if candidate is None or candidate.school_id is None:
        raise NotNow(
            _("The draw named no further replacement for %(school)s.") % {"school": original.name},
            hint=_("The school stays a non-respondent; the weights of its neighbors take its place."),
        )
    made = FieldSchool.objects.create(
        sampled=candidate,
        school_id=candidate.school_id,
        plan=school.plan,
        replaces=school,
        number=next_number(school.plan),
    )
    schools_were_changed(school_keys=[made.school_id])
    note(school, "replaced", by, candidate.name)
    note(made, "called_on", by, school.sampled.name)
    made.refresh_from_db()
    return made


def _demand_replaceable(school: FieldSchool) -> None:
    """Refuse a replacement after a code that allows none."""
    code = next(
        one for one in numeric.codes(school.plan.rules, "school") if one.code == school.participation_code
    )
    if code.allows_replacement:
        return
    allowed = [str(one.code) for one in numeric.codes(school.plan.rules, "school") if one.allows_replacement]
    raise NotNow(
        _("Code %(code)d of the school %(school)s allows no replacement.")
        % {"code": code.code, "school": school.sampled.name},
        hint=_(
            "A school that closed, has nobody to test or is excluded stands for others like it. A replacement "
            "is called on after the codes %(codes)s."
        )
        % {"codes": ", ".join(allowed)},
    )


def schools_were_changed(*, school_keys: Iterable[int]) -> int:
    """Mark schools in the field that closed, merged or split since; give how many need a decision now."""
    found = FieldSchool.objects.filter(school__in=list(school_keys), state__in=BEFORE_TEST)
    n_marked = 0
    for one in found.select_related("school", "sampled"):
        mark = ""
        if not one.school.is_open:
            moves = history.successors_of(one.school)
            mark = FieldSchool.Attention.MERGED if moves else FieldSchool.Attention.CLOSED
        n_marked += bool(mark)
        if mark != one.attention:
            FieldSchool.objects.filter(pk=one.pk).update(attention=mark, updated_at=clock.now())
            note(one, "marked" if mark else "unmarked", None, mark)
    return n_marked


@transaction.atomic
def settle_attention(*, school: FieldSchool, successor: School | None, by: Any) -> None:
    """Decide about a school that closed or merged: it goes on in a successor, or as it is.

    That it does not take part is decided by `decline_school`, with its code.

    Raises
    ------
    NotAllowed
        If the school is not in the person's charge.
    NotNow
        If there is nothing to decide.
    FieldRefusal
        If the school chosen is none in which this one lives on, or is in the field itself.
    """
    school = locked(school.pk)
    charge.demand_at(by, "change_fieldwork", school.school)
    if not school.attention:
        raise NotNow(_("There is nothing to decide about this school."))
    if successor is not None:
        offered = {one.pk for one in history.present_successors_of_school(school.school)}
        if successor.pk not in offered:
            raise FieldRefusal(
                _("%(school)s is not a school in which this one lives on.") % {"school": successor.name}
            )
        if SampledSchool.objects.filter(draw__plan=school.plan, school=successor).exists():
            raise FieldRefusal(
                _("%(school)s is in the sample itself and cannot stand for two.")
                % {"school": successor.name},
                hint=_("Give the school that ended its participation code instead."),
            )
        school.school = successor
    school.attention = ""
    school.save(update_fields=["attention", "school"])
    note(school, "settled", by, successor.name if successor else _("goes on as it is"))


@transaction.atomic
def conclude_school(*, school: FieldSchool, by: Any) -> None:
    """Conclude a school whose sessions are reported: nothing about it is open any more.

    Raises
    ------
    NotAllowed
        If the school is not in the person's charge.
    NotNow
        If sessions are not reported or people have no outcome.
    """
    school = locked(school.pk)
    charge.demand_at(by, "change_fieldwork", school.school)
    demand_state(school, (State.TESTED,))
    waiting = TestSession.objects.filter(field_school=school, state=TestSession.State.PLANNED).count()
    open_people = ListedPerson.objects.filter(
        field_school=school, is_selected=True, status__isnull=True
    ).count()
    if waiting or open_people:
        raise NotNow(
            _("%(sessions)d sessions are not reported and %(people)d people have no outcome yet.")
            % {"sessions": waiting, "people": open_people},
            hint=_("Report or cancel the sessions; give each person a code."),
        )
    school.state = State.CLOSED
    school.save(update_fields=["state"])
    settle_outcome(school)
    note(school, "concluded", by)


def settle_outcome(school: FieldSchool) -> None:
    """Give a tested school its code from its people's codes: 1, 4 nobody assessed, 8 nobody to assess."""
    kinds = {one.code: one.treatment for one in numeric.codes(school.plan.rules, "student")}
    people = ListedPerson.objects.filter(field_school=school, is_selected=True, status__isnull=False)
    found = {kinds.get(code) for code in people.values_list("status", flat=True).distinct()}
    if "respondent" in found:
        school.participation_code = 1
    else:
        school.participation_code = 4 if "nonrespondent" in found else 8
    if school.participation_code != 1 and not school.reason:
        school.reason = clean_text(_("From the codes of the people selected."))
    school.save(update_fields=["participation_code", "reason"])
