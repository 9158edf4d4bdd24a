"""What is to do today about people and trainings, for the board of the cycle and the first page of the room."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dienrong.accounts import permissions
from dienrong.capacity.models import Enrolment, Training
from dienrong.capacity.queries import access
from dienrong.capacity.queries.people import divided_postings
from dienrong.capacity.queries.training import candidates
from dienrong.core import clock
from dienrong.core.formats import number_text
from dienrong.cycles.board import MOST_CARDS, Card

ON_THE_BOARD = 1
"""The board of the cycle has five places for all rooms; this one takes one."""


def cards(user: Any, _cycle: Any) -> Iterable[Card]:
    """Give the most urgent card of a person about a training, for the board of the cycle."""
    return _in_order(_of_trainings(user))[:ON_THE_BOARD]


def todays_cards(user: Any) -> list[Card]:
    """Give the cards of a person: nominations that are open or wait, attendance today, ends, certificates, divided schools."""
    found = _of_trainings(user)
    divided = len(divided_postings(user)) if permissions.may(user, "change_people") else 0
    if divided:
        found.append(
            Card(
                number=number_text(divided),
                title=_("Posts at schools that were divided or closed"),
                text=_("Decide where these people work now; until then they count at the province alone."),
                url=reverse("capacity:divided"),
                button=_("Decide"),
                order=12,
            )
        )
    return _in_order(found)


def _in_order(found: list[Card]) -> list[Card]:
    """Give the most urgent cards, as many as a page shows."""
    return sorted(found, key=lambda card: (card.order, str(card.deadline or "")))[:MOST_CARDS]


def _of_trainings(user: Any) -> list[Card]:
    """Give the cards of all trainings; one query, and one more for each training whose nominations are open."""
    if not permissions.may(user, "view_capacity"):
        return []
    trainings = list(
        access.trainings_of(user)
        .exclude(state__in=(Training.State.CANCELLED, Training.State.PLANNED))
        .annotate(
            n_waiting=Count("enrolments", filter=Q(enrolments__state=Enrolment.State.NOMINATED)),
            n_uncertified=Count(
                "enrolments",
                filter=Q(enrolments__state=Enrolment.State.COMPLETED, enrolments__certificate__isnull=True),
            ),
        )
        .order_by("first_day", "pk")
    )
    return [card for one in trainings for card in _of_training(user, one)]


def _of_training(user: Any, training: Training) -> Iterable[Card]:
    """Give the cards of one training."""
    url = reverse("capacity:training", args=[training.pk])
    today = clock.today()
    name = f"{training.course.name} ({training.code})"
    if not access.may_run(user, training):
        is_open = training.state == Training.State.OPEN and today <= training.nominate_until
        if is_open and candidates(user, training).exists():
            yield Card(
                title=_("Nominate people for a training"),
                text=name,
                deadline=training.nominate_until,
                url=reverse("capacity:nominate", args=[training.pk]),
                button=_("Nominate"),
                order=8,
            )
        return
    if training.state == Training.State.OPEN and training.n_waiting:  # type: ignore[attr-defined]
        n = training.n_waiting  # type: ignore[attr-defined]
        yield Card(
            number=number_text(n),
            title=ngettext("%(n)s nomination waits", "%(n)s nominations wait", n) % {"n": number_text(n)},
            text=name,
            deadline=training.first_day,
            url=url,
            button=_("Look at nominations"),
            order=9,
        )
    if training.state == Training.State.OPEN and training.first_day <= today:
        yield Card(
            title=_("Begin the training"),
            text=name,
            deadline=training.first_day,
            url=url,
            button=_("Open it"),
            order=7,
        )
    if training.state == Training.State.RUNNING:
        is_over = training.last_day < today
        yield Card(
            title=_("Conclude the training") if is_over else _("Take attendance"),
            text=name,
            deadline=training.last_day,
            url=url if is_over else reverse("capacity:attendance", args=[training.pk]),
            button=_("Open it"),
            order=7,
        )
    if training.state == Training.State.CONCLUDED and training.course.is_certified and training.n_uncertified:  # type: ignore[attr-defined]
        n = training.n_uncertified  # type: ignore[attr-defined]
        yield Card(
            number=number_text(n),
            title=ngettext("%(n)s person waits for a certificate", "%(n)s people wait for a certificate", n)
            % {"n": number_text(n)},
            text=name,
            url=reverse("capacity:issue", args=[training.pk]),
            button=_("Issue certificates"),
            order=10,
        )
