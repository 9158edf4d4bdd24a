"""Administrative units as of a day, and what became of them."""

from __future__ import annotations

import datetime
from typing import Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext_noop as _
from ninja import Field, Path, Query, Router, Schema

from dienrong.accounts import permissions
from dienrong.api import queries
from dienrong.api.access import Caller
from dienrong.api.pages import page_of
from dienrong.api.problems import nothing_here
from dienrong.api.types import Code, Day, Paging, Words
from dienrong.core import clock
from dienrong.registry import queries as registry

router = Router()
Level = Literal["province", "district", "commune"]
LEVEL = Path(..., description=_("Level of the unit."), examples=["commune"])
CODE = Path(..., description=_("Code of the unit on the day."), examples=["00004"])


class UnitOut(Schema):
    """A province, district or commune as it stood on the day asked for."""

    level: str
    code: str = Field(description=_("Official code; codes return with another meaning, so ask with a day."))
    kind: str = Field(description=_("What the law calls the unit: city, province, ward, commune…"))
    name: str
    full_name: str
    region: str = Field(description=_("Socio-economic region of a province; empty for other units."))
    parent_level: str | None = Field(description=_("Level of the unit in which it lay on that day."))
    parent_code: str | None = Field(description=_("Code of the unit in which it lay on that day."))
    valid_from: datetime.date = Field(description=_("Since when it has stood so."))
    valid_to: datetime.date | None = Field(description=_("First day on which it no longer stood so."))


class UnitPage(Schema):
    """A page of units."""

    items: list[UnitOut]
    next: str | None = Field(description=_("Address of the next page; null at the end."))


class SuccessorOut(Schema):
    """A unit of today in which an older one lives on."""

    level: str
    code: str
    full_name: str
    parent_code: str | None
    is_partial: bool = Field(description=_("Whether only a part of the old unit came here."))


class SuccessorsOut(Schema):
    """An older unit and the units of today in which it lives on; several where it was divided."""

    level: str
    code: str
    full_name: str
    valid_from: datetime.date
    valid_to: datetime.date | None
    successors: list[SuccessorOut]


class UnitFilters(Paging):
    """Which units."""

    level: Level = Field("province", description=_("Level of the units."))
    on: Day | None = Field(None, description=_("Day as of which the units are listed; today where absent."))
    parent: Code | None = Field(None, description=_("Code of the unit in which they lay on that day."))
    q: Words | None = Field(None, description=_("Words of the name or the code; marks may be missing."))


class AsOf(Schema):
    """The day as of which something is told."""

    on: Day | None = Field(None, description=_("Day as of which it is told; today where absent."))


class Since(Schema):
    """The day on which an old code was in use."""

    from_: Day | None = Field(
        None,
        alias="from",
        description=_(
            "Day on which the code was in use; where absent, the oldest unit of this code is meant."
        ),
    )


@router.get("/units", response=UnitPage, operation_id="list_units", summary=_("Units in force on a day"))
def list_units(request: HttpRequest, filters: Query[UnitFilters]) -> dict[str, Any]:
    _demand(request)
    rows = registry.versions_on(filters.on or clock.today(), filters.level)
    if filters.parent:
        rows = rows.filter(parent__code=filters.parent)
    if filters.q:
        rows = queries.units_named(rows, filters.q)
    return page_of(request, rows, keys=("unit__code", "id"), paging=filters, write=_unit)


@router.get(
    "/units/{level}/{code}",
    response=UnitOut,
    operation_id="get_unit",
    summary=_("One unit as it stood on a day"),
)
def get_unit(
    request: HttpRequest, filters: Query[AsOf], level: Level = LEVEL, code: Code = CODE
) -> dict[str, Any]:
    _demand(request)
    version = registry.version_on(level, code, filters.on or clock.today())
    if version is None:
        raise nothing_here()
    return _unit(version)


@router.get(
    "/units/{level}/{code}/successors",
    response=SuccessorsOut,
    operation_id="list_unit_successors",
    summary=_("Where an old unit lies today"),
    description=_(
        "Follows mergers and divisions to the units in force today; a unit still in force is its own."
    ),
)
def list_unit_successors(
    request: HttpRequest, filters: Query[Since], level: Level = LEVEL, code: Code = CODE
) -> dict[str, Any]:
    _demand(request)
    found = registry.resolve_old_unit(level=level, code=code, on=filters.from_)
    if not found:
        raise nothing_here()
    unit = found[0].unit
    return {
        "level": unit.level,
        "code": unit.code,
        "full_name": unit.full_name,
        "valid_from": unit.valid_from,
        "valid_to": unit.valid_to,
        "successors": [_successor(successor) for successor in found[0].successors],
    }


def _demand(request: HttpRequest) -> None:
    """Refuse a caller who may not see units; those of the whole country are public."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    permissions.demand(caller.user, "view_units")


def _unit(version: Any) -> dict[str, Any]:
    """Write a unit as it stood in a version."""
    unit, parent = version.unit, version.parent
    return {
        "level": unit.level,
        "code": unit.code,
        "kind": version.kind,
        "name": version.name,
        "full_name": version.full_name,
        "region": unit.region6,
        "parent_level": parent.level if parent else None,
        "parent_code": parent.code if parent else None,
        "valid_from": version.valid_from,
        "valid_to": version.valid_to,
    }


def _successor(successor: Any) -> dict[str, Any]:
    """Write a unit of today."""
    unit = successor.unit
    return {
        "level": unit.level,
        "code": unit.code,
        "full_name": unit.full_name,
        "parent_code": unit.parent.code if unit.parent else None,
        "is_partial": successor.is_partial,
    }
