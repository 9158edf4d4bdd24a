"""Pages of administrative units: which there were on a day, and what became of them."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from dienrong.accounts.permissions import may, requires
from dienrong.core import clock
from dienrong.core.days import read_day
from dienrong.registry import queries
from dienrong.registry.models import AdministrativeUnit, UnitVersion

TABS = ("what", "versions", "lineage")
FOUND = 100


@require_GET
@requires("view_units")
def units(request: HttpRequest) -> HttpResponse:
    """List the provinces of a day, or the units of every time that a text may mean."""
    today = clock.today()
    asked = request.GET.get("day", "")
    day = read_day(asked) or today
    words = request.GET.get("q", "").strip()[:80]
    found = queries.search_units(words, day=day, limit=FOUND + 1) if words else []
    provinces = [] if words else list(queries.versions_on(day, AdministrativeUnit.Level.PROVINCE))
    n_communes = queries.count_children(day)
    for version in provinces:
        version.url = address_of(version.unit, day)
        version.n_communes = n_communes.get(version.unit_id, 0)
    for unit in found:
        unit.url = address_of(unit, day)
    context = {
        "day": day,
        "is_today": day == today,
        "is_unread_day": bool(asked.strip()) and read_day(asked) is None,
        "words": words,
        "found": found[:FOUND],
        "is_cut": len(found) > FOUND,
        "provinces": provinces,
        "n_communes": sum(n_communes.get(version.unit_id, 0) for version in provinces),
        "days": [date(2025, 6, 30), date(2025, 7, 1), date(2026, 4, 30)],
    }
    return render(request, "registry/units.html", context)


@require_GET
@requires("view_units")
def unit(request: HttpRequest, level: str, code: str, since: str) -> HttpResponse:
    """Show one unit: what it is on a day with the units below, its versions, whence and whither."""
    begun = read_day(since)
    found = queries.unit_by_key(level, code, begun) if begun else None
    if found is None:
        raise Http404
    day = _day_within(found, read_day(request.GET.get("day", "")))
    tab = request.GET.get("tab", TABS[0])
    tab = tab if tab in TABS else TABS[0]
    versions = list(queries.versions_of(found))
    address = address_of(found, day)
    titles = {
        "what": _("What it is"),
        "versions": _("What it was called"),
        "lineage": _("Where it came from, what became of it"),
    }
    context = {
        "unit": found,
        "version": _version_of_day(versions, day),
        "versions": versions,
        "day": day,
        "is_today": day == clock.today(),
        "since": found.valid_from.isoformat(),
        "may_change": may(request.user, "change_units")
        and found.valid_to is None
        and found.level != AdministrativeUnit.Level.DISTRICT,
        "tab": tab,
        "tabs": [
            {"title": titles[name], "url": f"{address}&tab={name}", "is_current": name == tab}
            for name in TABS
        ],
        "parent_url": address_of(found.parent, day) if found.parent else "",
        **(_children(found, day) if tab == "what" else {}),
        **(_lineage(found) if tab == "lineage" else {}),
    }
    return render(request, "registry/unit.html", context)


def address_of(found: AdministrativeUnit, day: date) -> str:
    """Give the page of a unit as of a day."""
    path = reverse("registry:unit", args=[found.level, found.code, found.valid_from.isoformat()])
    return f"{path}?day={day.isoformat()}"


def _day_within(found: AdministrativeUnit, asked: date | None) -> date:
    """Give the day that was asked for, or the nearest on which the unit was in force."""
    day = asked or clock.today()
    if day < found.valid_from:
        return found.valid_from
    if found.valid_to is not None and day >= found.valid_to:
        return date.fromordinal(found.valid_to.toordinal() - 1)
    return day


def _version_of_day(versions: list[UnitVersion], day: date) -> UnitVersion | None:
    """Give the version that held on a day."""
    held = [version for version in versions if version.valid_from <= day]
    return held[-1] if held else None


def _children(found: AdministrativeUnit, day: date) -> dict[str, Any]:
    """List the units below on a day."""
    children = list(queries.children_on(found, day))
    for version in children:
        version.url = address_of(version.unit, day)
    return {"children": children}


def _lineage(found: AdministrativeUnit) -> dict[str, Any]:
    """Tell from which units it came, what it became, and where it lies today."""
    today = clock.today()
    origins, fates = list(queries.origins_of(found)), list(queries.fates_of(found))
    for row in origins:
        row.other = row.predecessor
        row.url = address_of(row.predecessor, row.on_date)
    for row in fates:
        row.other = row.successor
        row.url = address_of(row.successor, row.on_date)
    ended = found.valid_to is not None and found.valid_to <= today
    present = queries.present_successors(found, today) if ended else []
    return {
        # Communes carry the district above their predecessor too; it is shown where there is nothing nearer.
        "origins": [row for row in origins if row.predecessor.level == found.level] or origins,
        "fates": fates,
        "present": [(successor, address_of(successor.unit, today)) for successor in present],
    }
