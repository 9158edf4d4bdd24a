"""What is to do today about the plan: the report that is due, people to certify or nominate, schools still open."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dienrong.accounts import permissions
from dienrong.capacity.cards import todays_cards as training_cards
from dienrong.core import clock
from dienrong.core.formats import number_text
from dienrong.cycles.board import MOST_CARDS, Card
from dienrong.plans.models import PlanReport, ReportCall
from dienrong.plans.queries import access, documents, reports
from dienrong.plans.queries.access import Unit
from dienrong.plans.queries.standing import most_urgent, stands_of

SOON = datetime.timedelta(days=45)


def cards(user: Any, _cycle: Any) -> Iterable[Card]:
    """Give the most urgent card of a person for the board of the cycle: a due report before a target."""
    if not permissions.may(user, "view_plans"):
        return []
    due = list(report_cards(user))
    return due[:1] if due else target_cards(user)[:1]


def report_cards(user: Any) -> Iterable[Card]:
    """Give a card for each report that is due soon and not sent, of the units for which a person writes."""
    if not permissions.may(user, "write_plan_reports"):
        return
    today = clock.today()
    for unit in access.units_of(user, "write_plan_reports"):
        if unit.kind not in ("nation", "province"):
            continue
        if unit.row is None:
            yield from _ministry_cards(today)
            continue
        row = reports.next_due(unit.row)  # type: ignore[arg-type]
        if row is None or row.call.due_on > today + SOON:
            continue
        is_begun = row.report is not None
        yield Card(
            title=_("Send the report: %(kind)s") % {"kind": row.call.get_kind_display()},
            text=_("It is late.")
            if row.is_late
            else _("Its numbers are ready; your own words are kept as you write."),
            deadline=row.call.due_on,
            url=reverse("plans:report", args=[row.report.pk]) if row.report else reverse("plans:reports"),
            button=_("Go on writing") if is_begun else _("Begin the report"),
            order=6 if row.is_late else 11,
        )


def _ministry_cards(today: datetime.date) -> Iterable[Card]:
    """Tell the ministry how many provinces owe the report that is due next."""
    call = ReportCall.objects.filter(unit__isnull=True, due_on__lte=today + SOON).order_by("-due_on").first()
    if call is None:
        return
    n_all = len(access_provinces())
    reports_sent = PlanReport.objects.filter(call=call, unit__isnull=False)
    n_sent = reports_sent.exclude(state=PlanReport.State.DRAFT).count()
    if n_sent >= n_all:
        return
    n = n_all - n_sent
    yield Card(
        number=number_text(n),
        title=ngettext(
            "%(n)s province has not sent its report", "%(n)s provinces have not sent their report", n
        )
        % {"n": number_text(n)},
        text=str(call.get_kind_display()),
        deadline=call.due_on,
        url=reverse("plans:call", args=[call.pk]),
        button=_("See who, and remind"),
        order=11,
    )


def access_provinces() -> list[Any]:
    """List the provinces of today."""
    from dienrong.accounts.permissions import Scope
    from dienrong.registry.queries import provinces_in

    return provinces_in(Scope(is_national=True), clock.today())


def target_cards(user: Any) -> list[Card]:
    """Give the card of the target that needs an act first, of the widest unit of a person."""
    units = access.units_of(user)
    phase = documents.phase_on(clock.today())
    if not units or phase is None or units[0].row is None:
        return []
    card = unit_card(user, units[0], phase)
    return [card] if card is not None else []


def unit_card(user: Any, unit: Unit, phase: Any) -> Card | None:
    """Give the card of the most urgent target of a unit."""
    found = most_urgent(stands_of(unit, phase, clock.today(), user=user, with_forecast=False))
    if found is None or found.act is None or found.value is None:
        return None
    return Card(
        number=number_text(found.n_missing) if found.n_missing else "",
        title=str(found.aim.indicator.title),
        text=found.act.text,
        deadline=found.deadline,
        url=found.act.url,
        button=found.act.button,
        order=14,
    )


def todays_cards(user: Any) -> list[Card]:
    """Give what waits for a person on the page of the plan: reports that are due, then trainings and nominations."""
    found = [*report_cards(user), *training_cards(user)]
    return sorted(found, key=lambda card: (card.order, card.deadline or datetime.date.max))[:MOST_CARDS]
