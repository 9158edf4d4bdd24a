"""Administrative units as of a day, and what became of them."""

from __future__ import annotations

import datetime
from typing import Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext_noop as _
from ninja import Field, Query, Router, Schema

from dienrong.api.pages import page_of
from dienrong.api.types import Code, Day, Paging, Words
from dienrong.core import clock
from dienrong.registry import queries

router = Router()
Level = Literal["province", "district", "commune"]


class UnitOut(Schema):
    """A province, district or commune as it stood on the day asked for."""

    level: str
    code: str = Field(description=_("Official code; codes return with another meaning, so ask with a day."))
    kind: str = Field(description=_("What the law calls the unit: city, province, ward, commune…"))
    name: str
    full_name: str
    region: str = Field(description=_("Socio-economic region of a province; empty for other units."))
    parent_code: str | None = Field(description=_("Code of the unit in which it lies."))
    valid_from: datetime.date
    valid_to: datetime.date | None = Field(description=_("First day on which it is no longer in force."))


class UnitPage(Schema):
    """A page of units."""

    items: list[UnitOut]
    next: str | None = Field(description=_("Address of the next page; null at the end."))


class UnitFilters(Paging):
    """Which units."""

    level: Level = Field("province", description=_("Level of the units."))
    on: Day | None = Field(None, description=_("Day as of which the units are listed; today where absent."))
    parent: Code | None = Field(None, description=_("Code of the unit in which they lie."))
    q: Words | None = Field(None, description=_("Words of the name, with or without marks."))


@router.get("/units", response=UnitPage, operation_id="list_units", summary=_("Units in force on a day"))
def list_units(request: HttpRequest, filters: Query[UnitFilters]) -> dict[str, Any]:
    rows = queries.units_on(filters.on or clock.today(), filters.level).select_related("parent")
    if filters.parent:
        rows = rows.filter(parent__code=filters.parent)
    return page_of(request, rows, keys=("code", "id"), paging=filters, write=_unit)


def _unit(unit: Any) -> dict[str, Any]:
    """Write a unit."""
    return {
        "level": unit.level,
        "code": unit.code,
        "kind": unit.kind,
        "name": unit.name,
        "full_name": unit.full_name,
        "region": unit.region6,
        "parent_code": unit.parent.code if unit.parent else None,
        "valid_from": unit.valid_from,
        "valid_to": unit.valid_to,
    }
