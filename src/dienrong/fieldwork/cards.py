"""What is to do today in the fieldwork, for the board of the cycle."""

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
from dienrong.fieldwork.models import FieldSchool, TestSession
from dienrong.fieldwork.queries import access, board


def cards(user: Any, cycle: Any) -> Iterable[Card]:
    """Give the cards of a person: an answer, a list, a report that is due; schools that are late, for officers."""
    return [*_own_sessions(user), *_schools(user, cycle)]


def _own_sessions(user: Any) -> list[Card]:
    """Give a card for the reports that are due."""
    due = access.sessions_of(user).filter(state=TestSession.State.PLANNED, on_date__lte=clock.today())
    n = due.count()
    if not n:
        return []
    return [
        Card(
            title=ngettext("%(n)s session waits for its report", "%(n)s sessions wait for their report", n)
            % {"n": number_text(n)},
            text=_("Five short screens."),
            url=reverse("fieldwork:sessions"),
            button=_("Report"),
            order=4,
        )
    ]


def _schools(user: Any, cycle: Any) -> list[Card]:
    """Give a card for a school's own answer, or for the schools of an officer that are late."""
    if not permissions.may(user, "view_fieldwork"):
        return []
    found = []
    for fieldwork in access.fieldworks_of(user).filter(plan__cycle=cycle):
        mine = access.schools_of(user, fieldwork)
        scope = access.scope_of(user)
        if scope.is_national or scope.provinces or scope.communes:
            late = sum(call.days_late > 0 for call in board.calls_today(mine, fieldwork, clock.today()))
            if late:
                found.append(
                    Card(
                        title=ngettext("%(n)s school is late", "%(n)s schools are late", late)
                        % {"n": number_text(late)},
                        text=str(fieldwork.plan),
                        url=reverse("fieldwork:calls", args=[fieldwork.plan_id]),
                        button=_("Whom to call today"),
                        order=6,
                    )
                )
            continue
        found += [_own(one, fieldwork) for one in mine if one.state in OWN]
    return found


OWN = (
    FieldSchool.State.TO_NOTIFY,
    FieldSchool.State.NOTIFIED,
    FieldSchool.State.CONFIRMED,
)


def _own(school: FieldSchool, fieldwork: Any) -> Card:
    """Give the card of what a school owes."""
    is_confirmed = school.state == FieldSchool.State.CONFIRMED
    return Card(
        title=_("Send the list of the grade in") if is_confirmed else _("Does the school take part?"),
        text=str(fieldwork.plan),
        deadline=fieldwork.list_due if is_confirmed else fieldwork.answer_due,
        url=reverse("fieldwork:school", args=[school.pk]),
        button=_("Send the list in") if is_confirmed else _("Answer"),
        order=3,
    )
