"""The frame around every page: the rail of steps, the links on top, who is at work.

Core knows none of these by itself. Higher rooms register providers when they start::

    shell.register_rail(provider)         # (request) -> Rail | None
    shell.register_links(provider)        # (request) -> iterable of Link
    shell.register_identity(provider)     # (request) -> Identity | None
    shell.register_cycle(provider)        # (request) -> str: name of the current cycle
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.functional import SimpleLazyObject, cached_property
from django.utils.translation import gettext_lazy as _

STATES = ("not_started", "in_progress", "done", "attention")
GROUP_WORDS = {
    "data": _("Data"),
    "analysis": _("Analysis"),
    "project": _("Project 468"),
    "results": _("Published and data"),
}
STATE_WORDS = {
    "not_started": _("Not started"),
    "in_progress": _("In progress"),
    "done": _("Done"),
    "attention": _("Needs attention"),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RailStep:
    """One step of the rail."""

    number: int
    title: str
    state: str
    url: str = ""
    is_current: bool = False

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"state must be one of {', '.join(STATES)}. Got {self.state!r}.")

    @property
    def state_word(self) -> str:
        """The state in words."""
        return str(STATE_WORDS[self.state])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rail:
    """The steps of the current cycle, in order."""

    title: str
    steps: tuple[RailStep, ...]
    url: str = ""

    @property
    def current(self) -> RailStep | None:
        """The step whose page is open."""
        return next((step for step in self.steps if step.is_current), None)

    @property
    def n_done(self) -> int:
        """How many steps are done."""
        return sum(step.state == "done" for step in self.steps)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link of the navigation; ``order`` sorts links of different rooms.

    Seldom-used links stand ``in_menu``: the menu under the person's name, with an icon of core/icons. Links of
    one ``group`` share one place in the top bar and a row of their own below it while one of them is open.
    """

    title: str
    url: str
    is_current: bool = False
    order: int = 50
    in_menu: bool = False
    icon: str = ""
    group: str = ""

    def __post_init__(self) -> None:
        if self.group and self.group not in GROUP_WORDS:
            raise ValueError(f"group must be one of {', '.join(GROUP_WORDS)}. Got {self.group!r}.")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who is at work: the person, the role and the unit."""

    name: str
    role: str
    unit: str
    url: str
    sign_out_url: str


RailProvider = Callable[[HttpRequest], Rail | None]
LinksProvider = Callable[[HttpRequest], Iterable[Link]]
IdentityProvider = Callable[[HttpRequest], Identity | None]
CycleProvider = Callable[[HttpRequest], str]

_rails: list[RailProvider] = []
_links: list[LinksProvider] = []
_identities: list[IdentityProvider] = []
_cycles: list[CycleProvider] = []


def register_rail(provider: RailProvider) -> RailProvider:
    """Add a provider of the rail; the first that answers fills it."""
    return _register(_rails, provider)


def register_links(provider: LinksProvider) -> LinksProvider:
    """Add a provider of links for the navigation."""
    return _register(_links, provider)


def register_identity(provider: IdentityProvider) -> IdentityProvider:
    """Add a provider of the person's role and unit."""
    return _register(_identities, provider)


def register_cycle(provider: CycleProvider) -> CycleProvider:
    """Add a provider of the name of the current cycle."""
    return _register(_cycles, provider)


def _register(registry: list[Any], provider: Any) -> Any:
    """Add a provider once."""
    if provider not in registry:
        registry.append(provider)
    return provider


def _first(providers: list[Any], request: HttpRequest) -> Any:
    """Give the first answer that is not empty."""
    return next((answer for provider in providers if (answer := provider(request))), None)


class Shell:
    """What the base template shows around the content; each part is asked for when it is drawn."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def rail(self) -> Rail | None:
        """The steps of the current cycle."""
        return _first(_rails, self.request)  # type: ignore[no-any-return]

    @cached_property
    def links(self) -> list[Link]:
        """The links of the top bar; a group of several stands there as one."""
        links: list[Link] = []
        for link in self.all_links:
            if link.in_menu:
                continue
            group = self._group(link.group)
            if len(group) < 2:
                links.append(link)
            elif link is group[0]:
                is_current = any(member.is_current for member in group)
                title = str(GROUP_WORDS[link.group])
                links.append(dataclasses.replace(link, title=title, is_current=is_current))
        return links

    @cached_property
    def sub_links(self) -> list[Link]:
        """The links of the group in which the open page lies; none where it stands alone."""
        current = next((link for link in self.all_links if link.group and link.is_current), None)
        group = self._group(current.group) if current else []
        return group if len(group) > 1 else []

    def _group(self, name: str) -> list[Link]:
        """Give the links of a group, in order."""
        return [link for link in self.all_links if name and link.group == name and not link.in_menu]

    @cached_property
    def menu_links(self) -> list[Link]:
        """The links of the menu under the person's name."""
        return [link for link in self.all_links if link.in_menu]

    @cached_property
    def all_links(self) -> list[Link]:
        """Every link of every room, in order."""
        links = [link for provider in _links for link in provider(self.request)]
        return sorted(links, key=lambda link: link.order)

    @cached_property
    def identity(self) -> Identity | None:
        """Who is at work."""
        return _first(_identities, self.request)  # type: ignore[no-any-return]

    @cached_property
    def cycle(self) -> str:
        """The name of the current cycle."""
        return _first(_cycles, self.request) or ""

    @cached_property
    def sign_in_url(self) -> str:
        """Where a visitor signs in."""
        return str(resolve_url(settings.LOGIN_URL))

    @cached_property
    def is_demo(self) -> bool:
        """Whether this installation shows synthetic data."""
        return bool(settings.OPTIONS.demo)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give templates the shell, lazily: pages without the frame ask nothing."""
    return {"shell": SimpleLazyObject(lambda: Shell(request))}
