"""What waits for an answer today."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dienrong.accounts import permissions
from dienrong.core.formats import number_text
from dienrong.cycles.board import Card
from dienrong.support import access
from dienrong.support.models import Question


def cards(user: Any, _cycle: Any) -> Iterable[Card]:
    """Give the card of questions that wait for a person's answer, and of answers that wait to be read."""
    if permissions.may(user, "answer_questions"):
        waiting = access.answerable_by(user).filter(state=Question.State.OPEN)
        n = waiting.count()
        if n:
            first = waiting[0]
            yield Card(
                number=number_text(n),
                title=ngettext("%(n)s question waits for an answer", "%(n)s questions wait for an answer", n)
                % {"n": number_text(n)},
                text=first.subject,
                deadline=first.due_on,
                url=reverse("support:question", args=[first.pk]),
                button=_("Answer"),
                order=5 if first.is_urgent else 10,
            )
    if not permissions.may(user, "answer_questions") and permissions.may(user, "ask_questions"):
        answered = access.questions_of(user).filter(state=Question.State.ANSWERED).first()
        if answered is not None:
            yield Card(
                title=_("Your question was answered"),
                text=answered.subject,
                url=reverse("support:question", args=[answered.pk]),
                button=_("Read the answer"),
                order=8,
            )
