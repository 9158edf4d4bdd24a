"""What is to do today about rooms and machines: one card on the board of the cycle, all of them on the room's page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dienrong.accounts import permissions
from dienrong.core.formats import number_text
from dienrong.cycles.board import Card
from dienrong.readiness.models import Budget, Survey
from dienrong.readiness.queries import access
from dienrong.readiness.queries.surveys import rounds_of

ON_THE_BOARD = 1
OPEN = (Survey.State.EMPTY, Survey.State.DRAFT, Survey.State.RETURNED)


def cards(user: Any, cycle: Any) -> Iterable[Card]:
    """Give the most urgent card of a person, for the board of the cycle."""
    return todays_cards(user, cycle)[:ON_THE_BOARD]


def todays_cards(user: Any, cycle: Any) -> list[Card]:
    """Give the cards of a person: forms to fill, forms to look over, modes to decide, estimates to send on."""
    if cycle is None or not permissions.may(user, "view_readiness"):
        return []
    found: list[Card] = []
    days = [one.due_on for one in rounds_of(user, cycle)]
    until = min(days, default=None)
    scope = access.scope_of(user)
    if scope.schools:
        found += _of_school(user, cycle, until)
    if scope.is_national or scope.provinces or scope.communes:
        found += _of_officer(user, cycle, until)
    if permissions.may(user, "manage_budgets"):
        drafts = (
            access.budgets_of(user)
            .filter(cycle=cycle, state__in=(Budget.State.DRAFT, Budget.State.APPRAISED))
            .count()
        )
        if drafts:
            found.append(
                Card(
                    number=number_text(drafts),
                    title=ngettext(
                        "%(n)s estimate waits for its next step",
                        "%(n)s estimates wait for their next step",
                        drafts,
                    )
                    % {"n": number_text(drafts)},
                    url=reverse("readiness:budgets"),
                    button=_("Open the estimates"),
                    order=14,
                )
            )
    return sorted(found, key=lambda card: card.order)


def _of_school(user: Any, cycle: Any, until: Any) -> Iterable[Card]:
    """Give the cards of a school: fill the form, correct it, check machines."""
    mine = access.surveys_of(user, cycle, "answer_readiness").filter(
        school__school_id__in=access.scope_of(user).schools
    )
    for survey in mine.select_related("school")[:3]:
        code = survey.school.school_id
        if survey.state == Survey.State.RETURNED:
            yield Card(
                title=_("Correct the survey of facilities"),
                text=survey.return_reason,
                deadline=until,
                url=reverse("readiness:school", args=[code]),
                button=_("Correct it"),
                order=5,
            )
        elif survey.is_open:
            yield Card(
                title=_("Fill in the survey of facilities"),
                text=_("About ten minutes; every answer is kept at once."),
                deadline=until,
                url=reverse("readiness:screen", args=[code, 1]),
                button=_("Begin") if survey.state == Survey.State.EMPTY else _("Go on"),
                order=6,
            )
        if survey.n_passed + survey.n_failed == 0:
            yield Card(
                title=_("Check the machines of the school"),
                text=_("Open the check page on each machine; it takes two minutes."),
                url=reverse("readiness:machines", args=[code]),
                button=_("Get the code"),
                order=7,
            )


def _of_officer(user: Any, cycle: Any, until: Any) -> Iterable[Card]:
    """Give the cards of an officer: look over, remind, decide."""
    mine = access.surveys_of(user, cycle, "review_readiness")
    may_decide = permissions.may(user, "decide_readiness")
    states = (Survey.State.SUBMITTED, Survey.State.CHECKED) if may_decide else (Survey.State.SUBMITTED,)
    n_waiting = mine.filter(state__in=states).count()
    if n_waiting:
        n = number_text(n_waiting)
        yield Card(
            number=n,
            title=ngettext("%(n)s survey waits for review", "%(n)s surveys wait for review", n_waiting)
            % {"n": n},
            url=f"{reverse('readiness:schools')}?trang-thai=waiting",
            button=_("Review"),
            order=8,
        )
    n_open = mine.filter(state__in=OPEN).count()
    if n_open:
        n = number_text(n_open)
        yield Card(
            number=n,
            title=ngettext("%(n)s school has not handed in", "%(n)s schools have not handed in", n_open)
            % {"n": n},
            deadline=until,
            url=reverse("readiness:reminders"),
            button=_("Remind them"),
            order=9,
        )
    if may_decide:
        n_open = mine.filter(state=Survey.State.ACCEPTED, decided="").filter(~Q(suggested="unknown")).count()
        if n_open:
            n = number_text(n_open)
            yield Card(
                number=n,
                title=ngettext("%(n)s school waits for its mode", "%(n)s schools wait for their mode", n_open)
                % {"n": n},
                url=f"{reverse('readiness:schools')}?trang-thai=accepted",
                button=_("Decide"),
                order=11,
            )
