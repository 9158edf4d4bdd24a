"""Refusals of the room."""

from __future__ import annotations

from django.utils.translation import gettext as _

from dienrong.core.refusals import Conflict, Refusal
from dienrong.core.text import clean_text


class PlanRefusal(Refusal):
    """Something that was typed or chosen does not fit."""

    code = "plans.refused"


class NotNow(Conflict):
    """The state of a report or target forbids the step."""

    code = "plans.not_now"


def demand_text(text: str, sentence: str, *, longest: int = 300) -> str:
    """Give a text without outer blanks; refuse an empty one, or one that is too long.

    Raises
    ------
    PlanRefusal
        If nothing is written, or too much.
    """
    cleaned = clean_text(text)
    if not cleaned:
        raise PlanRefusal(sentence, hint=_("Write it in a few words."))
    if len(cleaned) > longest:
        raise PlanRefusal(
            _("This text has %(n)s letters; at most %(most)s fit.") % {"n": len(cleaned), "most": longest},
            hint=_("Shorten it."),
        )
    return cleaned
