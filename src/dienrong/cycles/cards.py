"""The cards of today: the steps of a cycle that wait for the person at work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dienrong.accounts import permissions
from dienrong.accounts.models import Role
from dienrong.core import clock
from dienrong.core.formats import number_text
from dienrong.cycles.board import Card
from dienrong.cycles.models import Cycle, CycleStep
from dienrong.scorecard.queries import schools as data_quality

# Whose work a step's owner stands for: a province's steps are prepared by its communes and schools.
HELPERS = {
    Role.PROVINCE_OFFICER: {Role.COMMUNE_OFFICER, Role.SCHOOL_COORDINATOR, Role.TEST_ADMINISTRATOR},
}


def cards(user: Any, cycle: Cycle) -> Iterable[Card]:
    """Give a card for each open step of the person's roles, the next three by their due date."""
    roles = permissions.scope_of(user).roles
    mine = {owner for owner, helpers in HELPERS.items() if roles & helpers} | roles
    open_steps = cycle.steps.filter(owner_role__in=mine).exclude(state=CycleStep.State.DONE)
    today = clock.today()
    for step in open_steps.order_by("due_date", "number")[:3]:
        is_late = step.due_date < today
        yield Card(
            number=str(step.number),
            title=step.name,
            text=_("This step is late.") if is_late else str(step.get_state_display()),
            deadline=step.due_date,
            url=reverse("cycles:step", args=[cycle.slug, step.number]),
            button=_("Open the step"),
            order=10 if step.state == CycleStep.State.ATTENTION or is_late else 25,
        )
    yield from _data_card(user)
    if roles & permissions.FIELD - permissions.MINISTRY:
        yield Card(
            title=_("My schools"),
            text=_("Look at the data of the schools in your charge."),
            url=reverse("registry:schools"),
            button=_("Open the list"),
            order=60,
        )


def _data_card(user: Any) -> Iterable[Card]:
    """Give the card of the schools that wait for a confirmation of their data, first of all cards."""
    if not permissions.may(user, "view_scorecard") or permissions.may(user, "run_scorecard"):
        return
    n_waiting, n_schools = data_quality.n_unconfirmed(permissions.scope_of(user))
    if not n_waiting:
        return
    is_school = n_schools == 1
    yield Card(
        number="" if is_school else number_text(n_waiting),
        title=_("Your school has not confirmed its data")
        if is_school
        else ngettext(
            "%(n)s school has not confirmed its data",
            "%(n)s schools have not confirmed their data",
            n_waiting,
        )
        % {"n": number_text(n_waiting)},
        text=_("Look at what is missing, then confirm.")
        if is_school
        else _("Remind them; the message is ready to be copied."),
        url=reverse("scorecard:home"),
        button=_("See what is missing") if is_school else _("Open the list of schools"),
        order=5,
    )
