"""Refusals of the fieldwork, and the line that every change leaves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.recording import ObjectName
from dienrong.core.refusals import Conflict, Refusal
from dienrong.core.text import clean_text
from dienrong.fieldwork.models import FieldEvent, FieldSchool


class FieldRefusal(Refusal):
    """Something that was typed does not fit."""

    code = "fieldwork.refused"


class NotNow(Conflict):
    """The state of the school or of the session forbids the step."""

    code = "fieldwork.not_now"


def note(school: FieldSchool, kind: str, by: Any, text: str = "", **after: Any) -> FieldEvent:
    """Write what happened to a school into its history and into the audit log."""
    event = FieldEvent.objects.create(
        field_school=school, at=clock.now(), by=by, kind=kind, text=clean_text(text)[:500]
    )
    name = ObjectName(
        "fieldwork.school", str(school.pk), f"{school.sampled.name} ({school.sampled.school_code})"
    )
    record(action=f"fieldwork.{kind}", actor=by, obj=name, after={"text": event.text, **after})
    return event


def locked(key: int) -> FieldSchool:
    """Give a school in the field as it is now, held until the end of the transaction."""
    return (
        FieldSchool.objects.select_for_update(of=("self",))
        .select_related("plan", "sampled", "school__province", "school__commune")
        .get(pk=key)
    )


def demand_state(school: FieldSchool, states: Iterable[str]) -> None:
    """Refuse a step that the school's state forbids; the sentence says the state and what comes first.

    Raises
    ------
    NotNow
        If the school is in none of the states.
    """
    allowed = tuple(states)
    if school.state in allowed:
        return
    words = ", ".join(f"“{FieldSchool.State(one).label}”" for one in allowed)
    raise NotNow(
        _("The school %(school)s is in the state “%(state)s”; this step is for schools in: %(states)s.")
        % {
            "school": school.sampled.name,
            "state": FieldSchool.State(school.state).label,
            "states": words,
        },
        hint=_("Open the school's page: it shows what comes next."),
    )


def demand_text(text: str, sentence: str) -> str:
    """Give a text without outer blanks; refuse an empty one."""
    cleaned = clean_text(text)
    if not cleaned:
        raise FieldRefusal(sentence, hint=_("Write it in a few words, without names of pupils."))
    return cleaned
