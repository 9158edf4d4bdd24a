"""What is due today for a person's units: late duties and tasks first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dienrong.accounts import permissions
from dienrong.core import clock
from dienrong.core.formats import number_text
from dienrong.cycles.board import Card
from dienrong.followup.queries.counting import due_duties, due_tasks, risks_to_review

ON_THE_BOARD = 1
"""The board of the cycle has five places for all rooms; this one takes one."""


def cards(user: Any, _cycle: Any) -> Iterable[Card]:
    """Give the most urgent card of a person, for the board of the cycle."""
    return todays_cards(user)[:ON_THE_BOARD]


def todays_cards(user: Any) -> list[Card]:
    """Give the cards of a person: duties to report, own tasks that are late or due, risks to look at again."""
    if not permissions.may(user, "view_tasks"):
        return []
    today, found = clock.today(), []
    duties = list(due_duties(user)[:100])
    late = [duty for duty in duties if duty.due_on < today]
    if duties:
        first, n = duties[0], len(duties)
        words = ngettext("%(n)s duty of your unit is due", "%(n)s duties of your unit are due", n)
        text = _("%(n)s of them late. First: %(task)s") if late else _("First: %(task)s")
        found.append(
            Card(
                number=number_text(n),
                title=words % {"n": number_text(n)},
                text=text % {"n": number_text(len(late)), "task": first.task.title},
                deadline=first.due_on,
                url=reverse("followup:report", args=[first.pk]),
                button=_("Report it"),
                order=6 if late else 9,
            )
        )
    tasks = list(due_tasks(user)[:100])
    late_tasks = [task for task in tasks if task.due_on < today]
    if tasks:
        n = len(late_tasks) or len(tasks)
        words = (
            ngettext("%(n)s task of your plan is late", "%(n)s tasks of your plan are late", n)
            if late_tasks
            else ngettext("%(n)s task of your plan is due soon", "%(n)s tasks of your plan are due soon", n)
        )
        found.append(
            Card(
                number=number_text(n),
                title=words % {"n": number_text(n)},
                text=tasks[0].title,
                deadline=tasks[0].due_on,
                url=reverse("followup:task", args=[tasks[0].pk]),
                button=_("Open the task"),
                order=7 if late_tasks else 11,
            )
        )
    risk = risks_to_review(user).first()
    if risk is not None:
        found.append(
            Card(
                title=_("A risk is to be looked at again"),
                text=risk.title,
                deadline=risk.review_on,
                url=reverse("followup:plan", args=[risk.plan_id]) + "?tab=rui-ro",
                button=_("Look at the risks"),
                order=13,
            )
        )
    return sorted(found, key=lambda card: card.order)
