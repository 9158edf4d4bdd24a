"""The whole history of administrative units comes in: once, and again without changing anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core.recording import ObjectName
from dienrong.core.refusals import Refusal
from dienrong.core.statistics import refresh_statistics
from dienrong.core.text import clean_text, search_key
from dienrong.registry.models import AdministrativeUnit, UnitSuccession, UnitVersion
from dienrong.registry.numeric import UnitHistoryRows, UnitKey

BATCH = 1000
UNIT_FIELDS = ("kind", "name", "full_name", "region6", "parent_id", "valid_to", "search_key")
VERSION_FIELDS = ("kind", "name", "full_name", "parent_id", "valid_to", "decision")
SUCCESSION_FIELDS = ("on_date", "is_partial", "decision")
TOP_DOWN = (
    AdministrativeUnit.Level.PROVINCE,
    AdministrativeUnit.Level.DISTRICT,
    AdministrativeUnit.Level.COMMUNE,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UnitsLoaded:
    """How many units, versions and successions a load wrote; all zero where everything stood already."""

    n_units: int
    n_versions: int
    n_successions: int


class UnknownUnit(Refusal):
    """A row names a unit that no row describes."""

    code = "registry.unknown_unit"


@transaction.atomic
def load_units(*, rows: UnitHistoryRows, by: Any | None) -> UnitsLoaded:
    """Take the history of units into the registry; what stands there already, alike, is not touched.

    Invariant: every unit, version and succession of the rows stands in the registry as the rows have it; nothing
    is removed. An audit entry is written where something changed.

    Raises
    ------
    UnknownUnit
        If a parent or a succession names a unit that the rows do not hold; nothing is written.
    """
    keys: dict[UnitKey, int] = {}
    n_units = sum(_load_level(rows.units, level, keys) for level in TOP_DOWN)
    n_versions = _write(
        UnitVersion,
        VERSION_FIELDS,
        {(_pk(keys, row["unit"]), row["valid_from"]): _version(row, keys) for row in rows.versions},
        lambda version: (version.unit_id, version.valid_from),
    )
    n_successions = _write(
        UnitSuccession,
        SUCCESSION_FIELDS,
        {
            (_pk(keys, row["predecessor"]), _pk(keys, row["successor"])): _succession(row, keys)
            for row in rows.successions
        },
        lambda succession: (succession.predecessor_id, succession.successor_id),
    )
    loaded = UnitsLoaded(n_units=n_units, n_versions=n_versions, n_successions=n_successions)
    if any(dataclasses.astuple(loaded)):
        refresh_statistics(AdministrativeUnit, UnitVersion, UnitSuccession)
        record(
            action="registry.units_loaded",
            actor=by,
            obj=ObjectName("registry.units", rows.fingerprint[:80], rows.source),
            after=dataclasses.asdict(loaded),
        )
    return loaded


def _load_level(rows: Iterable[dict[str, Any]], level: str, keys: dict[UnitKey, int]) -> int:
    """Write the units of one level and add their keys."""
    wanted = {
        (level, row["code"], row["valid_from"]): _unit(row, keys) for row in rows if row["level"] == level
    }
    written = _write(AdministrativeUnit, UNIT_FIELDS, wanted, _unit_key)
    keys.update({_unit_key(unit): unit.pk for unit in AdministrativeUnit.objects.filter(level=level)})
    return written


def _write(model: type[models.Model], fields: tuple[str, ...], wanted: dict[Any, Any], key: Any) -> int:
    """Write the rows that are missing or differ, and say how many."""
    kept = {key(row): row for row in model._default_manager.order_by()}
    new = [row for mark, row in wanted.items() if mark not in kept]
    changed = []
    for mark, row in wanted.items():
        old = kept.get(mark)
        if old is not None and any(getattr(old, name) != getattr(row, name) for name in fields):
            for name in fields:
                setattr(old, name, getattr(row, name))
            changed.append(old)
    model._default_manager.bulk_create(new, batch_size=BATCH)
    model._default_manager.bulk_update(changed, fields, batch_size=BATCH)
    return len(new) + len(changed)


def _unit_key(unit: AdministrativeUnit) -> UnitKey:
    """Give what identifies a unit."""
    return unit.level, unit.code, unit.valid_from


def _pk(keys: dict[UnitKey, int], key: UnitKey) -> int:
    """Give the row of a unit, or refuse."""
    if key not in keys:
        raise UnknownUnit(
            _("The list of units names %(code)s, which it does not describe.") % {"code": key[1]},
            hint=_("Load a complete list."),
        )
    return keys[key]


def _unit(row: dict[str, Any], keys: dict[UnitKey, int]) -> AdministrativeUnit:
    """Make a unit of a row."""
    return AdministrativeUnit(
        level=row["level"],
        code=row["code"],
        kind=row["kind"],
        name=clean_text(row["name"]),
        full_name=clean_text(row["full_name"]),
        region6=row["region6"],
        parent_id=_pk(keys, row["parent"]) if row["parent"] else None,
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
        search_key=search_key(row["full_name"]),
    )


def _version(row: dict[str, Any], keys: dict[UnitKey, int]) -> UnitVersion:
    """Make a version of a row."""
    return UnitVersion(
        unit_id=_pk(keys, row["unit"]),
        kind=row["kind"],
        name=clean_text(row["name"]),
        full_name=clean_text(row["full_name"]),
        parent_id=_pk(keys, row["parent"]) if row["parent"] else None,
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
        decision=row["decision"],
    )


def _succession(row: dict[str, Any], keys: dict[UnitKey, int]) -> UnitSuccession:
    """Make a succession of a row."""
    return UnitSuccession(
        predecessor_id=_pk(keys, row["predecessor"]),
        successor_id=_pk(keys, row["successor"]),
        on_date=row["on_date"],
        is_partial=row["is_partial"],
        decision=row["decision"],
    )
