"""Filling in the survey, handing it in, looking it over."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed
from dienrong.readiness.form_file import AnswerError, read_answer
from dienrong.readiness.models import Answer, MachineGroup, Survey
from dienrong.readiness.operations.judging_again import judge_survey
from dienrong.readiness.operations.refusals import NotNow, ReadinessRefusal, demand_text
from dienrong.readiness.queries import access
from dienrong.readiness.queries.surveys import answers_of, form
from dienrong.rosters import charge

MOST_GROUPS = 30
BOUNDS = {
    "n_working": (1, 1000),
    "year_bought": (1995, 2100),
    "memory_gb": (1, 256),
    "screen_width": (320, 10000),
    "screen_height": (240, 10000),
    "browser_version": (0, 999),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GroupFacts:
    """A group of machines that are alike."""

    kind: str
    n_working: int
    year_bought: int
    memory_gb: int
    screen_width: int
    screen_height: int
    system: str
    browser: str
    browser_version: int


def _held(survey: Survey) -> Survey:
    """Give the survey with its row held until the change is written."""
    return (
        Survey.objects.select_for_update(of=("self",))
        .select_related("school__commune", "school__province", "cycle")
        .get(pk=survey.pk)
    )


def _open(survey: Survey, by: Any) -> Survey:
    """Hold a survey whose answers may change.

    Raises
    ------
    NotNow
        If it was handed in.
    """
    access.demand_survey(by, survey, "answer_readiness")
    held = _held(survey)
    if not held.is_open:
        raise NotNow(
            _("This survey was handed in (“%(state)s”); its answers cannot change now.")
            % {"state": held.get_state_display()},
            hint=_("Ask the officer who reviews it to return it."),
        )
    return held


def _touch(held: Survey) -> None:
    """Note that a survey is being filled in."""
    if held.state == Survey.State.EMPTY:
        held.state = Survey.State.DRAFT
        held.started_at = clock.now()
        held.save(update_fields=["state", "started_at"])


@transaction.atomic
def answer(*, survey: Survey, question_code: str, typed: str, by: Any) -> str:
    """Keep the answer to one question at once; an empty one takes the answer away. Gives what is kept.

    Raises
    ------
    ReadinessRefusal
        If the question cannot be answered so.
    NotNow
        If the survey was handed in.
    """
    held = _open(survey, by)
    question = form(held).question(question_code)
    if question is None or (question.kind == "groups" and typed not in ("", "0")):
        raise ReadinessRefusal(_("The form has no such question."))
    try:
        value = "0" if question.kind == "groups" and typed == "0" else read_answer(question, typed)
    except AnswerError as problem:
        raise ReadinessRefusal(str(problem)) from problem
    kept = Answer.objects.filter(survey=held, question=question.code)
    before = kept.values_list("value", flat=True).first() or ""
    if before == value:
        return value
    if question.kind == "groups" and value == "0" and held.groups.exists():
        raise ReadinessRefusal(_("Groups of machines are named; remove them first."))
    if value:
        Answer.objects.update_or_create(survey=held, question=question.code, defaults={"value": value})
    else:
        kept.delete()
    _touch(held)
    name = {question.code: value}
    record(action="readiness.answered", actor=by, obj=held, before={question.code: before}, after=name)
    return value


def read_group(facts: GroupFacts) -> dict[str, Any]:
    """Check a group of machines and give its values.

    Raises
    ------
    ReadinessRefusal
        If a number is out of bounds, or a choice is unknown.
    """
    values = dataclasses.asdict(facts)
    for name, (low, high) in BOUNDS.items():
        if not low <= values[name] <= high:
            raise ReadinessRefusal(
                _("“%(name)s” is from %(low)s to %(high)s.")
                % {"name": MachineGroup._meta.get_field(name).verbose_name, "low": low, "high": high}
            )
    if values["year_bought"] > clock.today().year:
        raise ReadinessRefusal(_("The year in which the machines were bought lies ahead."))
    choices = {"kind": MachineGroup.Kind, "system": MachineGroup.System, "browser": MachineGroup.Browser}
    for name, known in choices.items():
        if values[name] not in known.values:
            raise ReadinessRefusal(_("Choose kind, system and browser of the machines."))
    return values


@transaction.atomic
def add_group(*, survey: Survey, facts: GroupFacts, by: Any) -> MachineGroup:
    """Add a group of machines.

    Raises
    ------
    ReadinessRefusal
        If a value cannot be, or there are too many groups.
    NotNow
        If the survey was handed in.
    """
    held = _open(survey, by)
    values = read_group(facts)
    positions = list(held.groups.values_list("position", flat=True))
    if len(positions) >= MOST_GROUPS:
        raise ReadinessRefusal(
            _("A school has at most %(n)s groups; join machines that are alike.") % {"n": MOST_GROUPS}
        )
    made = MachineGroup.objects.create(survey=held, position=max(positions, default=0) + 1, **values)
    Answer.objects.filter(survey=held, question="machines").delete()
    _touch(held)
    record(action="readiness.groups_changed", actor=by, obj=held, after={"added": values})
    return made


@transaction.atomic
def remove_group(*, survey: Survey, position: int, by: Any) -> None:
    """Take a group of machines away.

    Raises
    ------
    NotNow
        If the survey was handed in, or there is no such group.
    """
    held = _open(survey, by)
    found = held.groups.filter(position=position).first()
    if found is None:
        raise NotNow(_("This group of machines is gone already."))
    before = {"removed": str(found), "position": position}
    found.delete()
    _touch(held)
    record(action="readiness.groups_changed", actor=by, obj=held, before=before)


@transaction.atomic
def submit(*, survey: Survey, by: Any) -> Survey:
    """Hand the survey in.

    Raises
    ------
    ReadinessRefusal
        If answers are missing; the sentence names the first ones.
    NotNow
        If it was handed in already.
    """
    held = _open(survey, by)
    missing = form(held).missing(answers_of(held), held.groups.count())
    if missing:
        names = ", ".join(one.label for one in missing[:5])
        raise ReadinessRefusal(
            _("%(n)s questions are not answered yet: %(names)s.") % {"n": len(missing), "names": names},
            hint=_("Answer them, then hand the survey in."),
        )
    held.state = Survey.State.SUBMITTED
    held.submitted_at, held.submitted_by = clock.now(), by
    held.return_reason = ""
    held.save(update_fields=["state", "submitted_at", "submitted_by", "return_reason"])
    judge_survey(held)
    record(action="readiness.submitted", actor=by, obj=held, after={"suggested": held.suggested})
    return held


REVIEWS: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "check": ((Survey.State.SUBMITTED,), Survey.State.CHECKED, "readiness.checked"),
    "accept": ((Survey.State.SUBMITTED, Survey.State.CHECKED), Survey.State.ACCEPTED, "readiness.accepted"),
    "return": (
        (Survey.State.SUBMITTED, Survey.State.CHECKED, Survey.State.ACCEPTED),
        Survey.State.RETURNED,
        "readiness.returned",
    ),
}


def may_accept(user: Any, survey: Survey) -> bool:
    """Tell whether a person accepts surveys: the province or the Ministry."""
    return charge.may_at(user, "decide_readiness", survey.school)


@transaction.atomic
def review(*, survey: Survey, step: str, by: Any, reason: str = "") -> Survey:
    """Check (commune), accept (province) or return a survey with a reason.

    Raises
    ------
    NotAllowed
        If the person does not review surveys of this school; a commune does not accept, nor return what was accepted.
    NotNow
        If the survey is not waiting for this step.
    ReadinessRefusal
        If it is returned without a reason.
    """
    access.demand_survey(by, survey, "review_readiness")
    held = _held(survey)
    if step not in REVIEWS:
        raise ReadinessRefusal(_("Choose what becomes of the survey."))
    states, after, action = REVIEWS[step]
    asks_province = step == "accept" or (step == "return" and held.state == Survey.State.ACCEPTED)
    if asks_province and not may_accept(by, held):
        raise NotAllowed(
            _("The province accepts surveys and returns accepted ones."),
            whom_to_ask=permissions.whom_to_ask(by),
        )
    if held.state not in states:
        raise NotNow(
            _("The survey is in the state “%(state)s”; it does not wait for this step.")
            % {"state": held.get_state_display()}
        )
    why = demand_text(reason, _("Write what the school is to correct.")) if step == "return" else ""
    before = held.state
    held.state = Survey.State(after)
    held.reviewed_at, held.reviewed_by, held.return_reason = clock.now(), by, why
    held.save(update_fields=["state", "reviewed_at", "reviewed_by", "return_reason"])
    judge_survey(held)
    changes = {"state": after, "reason": why} if why else {"state": after}
    record(action=action, actor=by, obj=held, before={"state": before}, after=changes)
    return held
