"""What the cycles room puts around every page: the rail of steps, the cycle's name, the link home."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.core.shell import Link, Rail, RailStep
from dienrong.cycles import queries
from dienrong.cycles.models import Cycle


def cycle_of_request(request: HttpRequest) -> Cycle | None:
    """Give the cycle that a page is about: the one of its address, else the newest; asked once per request."""
    if not hasattr(request, "_dienrong_cycle"):
        match = getattr(request, "resolver_match", None)
        slug = match.kwargs.get("slug") if match else None
        found = queries.cycle_by_slug(slug) if slug else queries.current_cycle()
        request._dienrong_cycle = found
    return request._dienrong_cycle


def rail(request: HttpRequest) -> Rail | None:
    """Give the 14 steps to those who work on the cycle."""
    if not permissions.may_view_cycle(request.user):
        return None
    cycle = cycle_of_request(request)
    if cycle is None:
        return None
    match = getattr(request, "resolver_match", None)
    number = match.kwargs.get("number") if match and match.view_name == "cycles:step" else None
    steps = tuple(
        RailStep(
            number=step.number,
            title=step.name,
            state=step.state,
            url=reverse("cycles:step", args=[cycle.slug, step.number]),
            is_current=step.number == number,
        )
        for step in cycle.steps.only("cycle_id", "number", "name_vi", "name_en", "state")
    )
    return Rail(title=_("The 14 steps"), steps=steps, url=reverse("cycles:board", args=[cycle.slug]))


def links(request: HttpRequest) -> Iterable[Link]:
    """Offer the board."""
    if not permissions.may_view_cycle(request.user):
        return ()
    at_home = request.path == "/" or getattr(request.resolver_match, "view_name", "") == "cycles:board"
    return (Link(title=_("Today"), url=reverse("cycles:home"), is_current=at_home, order=10),)


def cycle_name(request: HttpRequest) -> str:
    """Name the cycle in the top bar for those who work on it."""
    if not permissions.may_view_cycle(request.user):
        return ""
    cycle: Any = cycle_of_request(request)
    return cycle.name if cycle else ""
