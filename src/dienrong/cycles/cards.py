"""The cards of today: the steps of a cycle that wait for the person at work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.accounts.models import Role
from dienrong.core import clock
from dienrong.cycles.board import Card
from dienrong.cycles.models import Cycle, CycleStep

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
    if roles & permissions.FIELD - permissions.MINISTRY:
        yield Card(
            title=_("My schools"),
            text=_("Look at the data of the schools in your charge."),
            url=reverse("registry:schools"),
            button=_("Open the list"),
            order=60,
        )
