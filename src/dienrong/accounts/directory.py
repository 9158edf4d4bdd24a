"""The port through which accounts learn the names of units and where a unit lies.

Accounts lie below the registry and cannot import it; the registry plugs a provider in when it starts
(``registry/directory.py``). Until then names fall back to codes, and a unit lies in itself alone.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

from dienrong.accounts.models import UnitKind


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The units in which a unit lies today, itself included; None where there is none or it is not known."""

    province_code: str | None = None
    commune_code: str | None = None
    school_id: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UnitChoice:
    """A unit found by its name or code."""

    kind: str
    code: str
    name: str
    place: Place


class Provider(Protocol):
    """What the registry offers. ``kind`` is one of ``models.UnitKind``: province, commune, school."""

    def name_of(self, unit_kind: str, code: str) -> str | None:
        """Give the full name of a unit of today; None where there is none."""

    def place_of(self, unit_kind: str, code: str) -> Place | None:
        """Tell where a unit lies today; None where there is no such unit."""

    def search(self, scope: Any, text: str, limit: int) -> list[UnitChoice]:
        """Find units of a ``permissions.Scope`` by name (without marks) or code: provinces, communes, schools."""


_providers: list[Provider] = []


def plug(provider: Provider) -> None:
    """Set the provider; the registry calls this once."""
    _providers[:] = [provider]


def is_plugged() -> bool:
    """Tell whether names and places are known at all."""
    return bool(_providers)


def name_of(unit_kind: str, code: str) -> str | None:
    """Give the name of a unit of today; None where it is not known."""
    return _providers[0].name_of(unit_kind, code) if _providers and code else None


def place_of(unit_kind: str, code: str) -> Place | None:
    """Tell where a unit lies today; None where there is no such unit."""
    if unit_kind == UnitKind.NATION:
        return Place()
    if _providers:
        return _providers[0].place_of(unit_kind, code)
    return own_place(unit_kind, code)


def own_place(unit_kind: str, code: str) -> Place:
    """Give the place of a unit of which nothing but its code is known."""
    return Place(
        province_code=code if unit_kind == UnitKind.PROVINCE else None,
        commune_code=code if unit_kind == UnitKind.COMMUNE else None,
        school_id=code if unit_kind == UnitKind.SCHOOL else None,
    )


def search(scope: Any, text: str, limit: int) -> list[UnitChoice]:
    """Find units of a scope by name or code; nothing where no provider is plugged in."""
    return _providers[0].search(scope, text, limit) if _providers else []
