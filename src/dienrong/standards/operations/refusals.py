"""Refusals of the room, and the line that every change leaves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core.recording import ObjectName
from dienrong.core.refusals import Conflict, Refusal
from dienrong.core.text import clean_text
from dienrong.standards.models import Panelist, StandardSetting


class StandardRefusal(Refusal):
    """Something that was typed does not fit."""

    code = "standards.refused"


class NotNow(Conflict):
    """The state of the session or of its round forbids the step."""

    code = "standards.not_now"


class LinkClosed(Conflict):
    """A panelist's link is wrong, was revoked or is past its day."""

    code = "standards.link_closed"


def note(
    setting: StandardSetting, kind: str, by: Any, *, panelist: Panelist | None = None, **after: Any
) -> None:
    """Write what happened into the audit log; a panelist is named by code, since the log is read widely."""
    name = ObjectName("standards.setting", str(setting.pk), setting.title)
    facts = {"panelist": panelist.code, **after} if panelist is not None else after
    record(action=f"standards.{kind}", actor=by, obj=name, after=facts)


def locked(key: int) -> StandardSetting:
    """Give a session as it is now, held until the end of the transaction."""
    found = StandardSetting.objects.select_for_update(of=("self",)).select_related("cycle")
    return found.get(pk=key)


def demand_state(setting: StandardSetting, states: Iterable[str]) -> None:
    """Refuse a step that the session's state forbids; the sentence says the state.

    Raises
    ------
    NotNow
        If the session is in none of the states.
    """
    if setting.state in tuple(states):
        return
    raise NotNow(
        _("The session “%(title)s” is in the state “%(state)s”; this step does not fit there.")
        % {"title": setting.title, "state": setting.get_state_display()},
        hint=_("Open the page of the session: it shows what comes next."),
    )


def demand_text(text: str, sentence: str, longest: int = 500) -> str:
    """Give a text without outer blanks; refuse an empty one."""
    cleaned = clean_text(text)
    if not cleaned:
        raise StandardRefusal(sentence, hint=_("A few words are enough."))
    return cleaned[:longest]
