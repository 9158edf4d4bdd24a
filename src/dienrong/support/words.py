"""Words of the room: actions and shapes of states."""

from __future__ import annotations

import datetime

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from dienrong.support.models import Question

ACTIONS = {
    "support.asked": _("Question asked"),
    "support.answered": _("Question answered"),
    "support.passed_up": _("Question passed to the level above"),
    "support.settled": _("Question settled"),
    "support.told": _("Communication written down"),
    "support.contact_added": _("Contact added"),
    "support.contact_changed": _("Contact changed"),
    "support.contact_deleted": _("Contact deleted"),
    "support.frequent_question_saved": _("Frequent question saved"),
}
SHAPES = {
    Question.State.OPEN: "queued",
    Question.State.ANSWERED: "in_progress",
    Question.State.CLOSED: "done",
}


def question_state(question: Question, today: datetime.date) -> dict[str, str]:
    """Give the shape and word of a question's state; late ones say so."""
    if question.state == Question.State.OPEN and question.due_on < today:
        return {"shape": "attention", "word": _now("Answer is late")}
    return {
        "shape": SHAPES[Question.State(question.state)],
        "word": str(Question.State(question.state).label),
    }
