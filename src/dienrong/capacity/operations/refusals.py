"""Refusals of the room, and what they share: texts that must stand, states that must fit."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from dienrong.capacity.models import Training
from dienrong.core.refusals import Conflict, Refusal
from dienrong.core.text import clean_text


class CapacityRefusal(Refusal):
    """Something that was typed or chosen does not fit."""

    code = "capacity.refused"


class NotNow(Conflict):
    """The state of a person, a training or a certificate forbids the step."""

    code = "capacity.not_now"


class TwinFound(Conflict):
    """Somebody of this name and day of birth stands in the register already."""

    code = "capacity.twin_found"


class LookUpLocked(Refusal):
    """Too many look-ups came from one address."""

    code = "capacity.look_up_locked"


def demand_text(text: str, sentence: str, *, hint: str = "") -> str:
    """Give a text without outer blanks; refuse an empty one.

    Raises
    ------
    CapacityRefusal
        If nothing is written.
    """
    cleaned = clean_text(text)
    if not cleaned:
        raise CapacityRefusal(sentence, hint=hint or _("Write it in a few words."))
    return cleaned


def demand_state(training: Training, states: Iterable[str]) -> None:
    """Refuse a step that the state of a training forbids.

    Raises
    ------
    NotNow
        If the training is in none of the states.
    """
    allowed = tuple(states)
    if training.state in allowed:
        return
    words = ", ".join(f"“{Training.State(one).label}”" for one in allowed)
    raise NotNow(
        _("The training %(code)s is in the state “%(state)s”; this step is for trainings in: %(states)s.")
        % {"code": training.code, "state": Training.State(training.state).label, "states": words},
        hint=_("Open the page of the training: it shows what comes next."),
    )
