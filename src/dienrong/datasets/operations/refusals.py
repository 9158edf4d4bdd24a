"""Refusals of the room."""

from __future__ import annotations

from django.utils.translation import gettext as _

from dienrong.core.refusals import Conflict, Refusal
from dienrong.core.text import clean_text


class DatasetsRefusal(Refusal):
    """Something that was typed or chosen does not fit."""

    code = "datasets.refused"


class NotNow(Conflict):
    """The state of a release, a request or a link forbids the step."""

    code = "datasets.not_now"


class TooMany(Refusal):
    """Too many files or requests came from one address."""

    code = "datasets.too_many"


def demand_text(text: str, sentence: str) -> str:
    """Give a text without outer blanks; refuse an empty one.

    Raises
    ------
    DatasetsRefusal
        If nothing is written.
    """
    cleaned = clean_text(text)
    if not cleaned:
        raise DatasetsRefusal(sentence, hint=_("Write it in a few words."))
    return cleaned
