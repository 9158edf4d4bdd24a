"""The first page of the room: what to do, the counts of the indicators, trainings to come; and one indicator by unit."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from dienrong.accounts.permissions import requires
from dienrong.capacity.cards import todays_cards
from dienrong.capacity.indicators import INDICATORS
from dienrong.capacity.models import Person, Training
from dienrong.capacity.queries import access, counting
from dienrong.capacity.queries.counting import CannotCount, Collected, Counts
from dienrong.capacity.queries.training import with_tallies
from dienrong.capacity.views import parts
from dienrong.capacity.words import training_state
from dienrong.core import clock
from dienrong.core.days import read_day
from dienrong.registry.models import AdministrativeUnit, School
from dienrong.registry.queries import provinces_in

MOST_TRAININGS, MOST_PEOPLE = 6, 200


def units_of(user: Any) -> list[AdministrativeUnit | School | None]:
    """List the units whose counts a person sees, the widest first; None is the country."""
    scope = access.scope_of(user)
    if scope.is_national:
        return [None]
    units = AdministrativeUnit.objects.filter(valid_to__isnull=True)
    found: list[AdministrativeUnit | School | None] = list(
        units.filter(level="province", code__in=scope.provinces)
    )
    found += list(units.filter(level="commune", code__in=scope.communes))
    found += list(School.objects.filter(school_id__in=scope.schools).order_by("sort_key"))
    return found


@require_safe
@requires("view_capacity")
def home(request: HttpRequest) -> HttpResponse:
    """Show what to do today, where the unit stands, which trainings come."""
    units = units_of(request.user)
    unit = units[0] if units else None
    tiles = [_tile(code, unit) for code in INDICATORS] if units else []
    coming = with_tallies(access.trainings_of(request.user)).exclude(
        state__in=(Training.State.CONCLUDED, Training.State.CANCELLED)
    )
    context = {
        "tabs": parts.tabs(request),
        "cards": todays_cards(request.user),
        "unit_name": getattr(unit, "full_name", "") or getattr(unit, "name", ""),
        "tiles": [tile for tile in tiles if tile is not None],
        "trainings": [
            {"training": one, "state": training_state(one)}
            for one in coming.order_by("first_day")[:MOST_TRAININGS]
        ],
    }
    return render(request, "capacity/home.html", context)


def _tile(code: str, unit: Any) -> dict[str, Any] | None:
    """Give the counts of an indicator as a tile; a sentence where they cannot be given; nothing where nobody is meant."""
    try:
        found = counting.counts(code, unit, clock.today())
    except CannotCount as refusal:
        return {"indicator": INDICATORS[code], "refusal": refusal}
    if not found.n_people:
        return None
    return {"indicator": found.indicator, "counts": found, "url": reverse("capacity:indicator", args=[code])}


@require_safe
@requires("view_capacity")
def indicator(request: HttpRequest, code: str) -> HttpResponse:
    """Show an indicator: its definition in words, its counts by unit, the people behind one unit's."""
    if code not in INDICATORS:
        raise Http404
    day = read_day(request.GET.get("ngay", "")) or clock.today()
    units = units_of(request.user)
    collected = counting.collect(code, day)
    chosen = units[0] if units else None
    rows = [_row(collected, unit) for unit in units]
    if units and units[0] is None:
        rows += [_row(collected, unit) for unit in provinces_in(access.scope_of(request.user), day)]
        rows = [row for row in rows if row["counts"].n_people or row is rows[0]]
    counts: Counts = rows[0]["counts"] if rows else collected.counts()
    missing = Person.objects.filter(pk__in=list(counts.missing)[:20_000]).order_by("sort_key", "staff_code")
    visible = (
        access.people_of(request.user).filter(pk__in=missing.values("pk")).order_by("sort_key", "staff_code")
    )
    context = {
        "tabs": parts.tabs(request),
        "indicator": collected.indicator,
        "day": day,
        "rows": rows,
        "counts": counts,
        "unit": chosen,
        "missing": access.with_posts(visible[:MOST_PEOPLE]),
        "n_missing": len(counts.missing),
        "most": MOST_PEOPLE,
    }
    return render(request, "capacity/indicator.html", context)


def _row(collected: Collected, unit: Any) -> dict[str, Any]:
    """Give the counts of one unit as a row."""
    name = getattr(unit, "full_name", None) or getattr(unit, "name", None)
    return {"name": name, "counts": collected.counts(unit)}
