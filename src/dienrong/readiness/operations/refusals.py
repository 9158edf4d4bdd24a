"""Refusals of the room, and the small demands that its operations share."""

from __future__ import annotations

from django.utils.translation import gettext as _

from dienrong.core.refusals import Conflict, Refusal
from dienrong.core.text import clean_text


class ReadinessRefusal(Refusal):
    """Something that was typed or chosen does not fit."""

    code = "readiness.refused"


class NotNow(Conflict):
    """The state of a survey, a link or a budget forbids the step."""

    code = "readiness.not_now"


class ReportRefused(Refusal):
    """A report of a machine is not taken; ``status`` tells the page why."""

    code = "readiness.report_refused"

    def __init__(self, sentence: str, *, status: int = 400, hint: str = "") -> None:
        self.status = status
        super().__init__(sentence, hint=hint)


class CodesLocked(Refusal):
    """Too many wrong codes came from one address."""

    code = "readiness.codes_locked"


def demand_text(text: str, sentence: str, *, most: int = 300) -> str:
    """Give a text without outer blanks; refuse an empty one.

    Raises
    ------
    ReadinessRefusal
        If nothing is written.
    """
    cleaned = clean_text(text)
    if not cleaned:
        raise ReadinessRefusal(sentence, hint=_("Write it in a few words."))
    return cleaned[:most]
