"""The history of units comes in after a nation, or before it; an incomplete list is refused whole."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import Refusal
from dienrong.registry import operations, queries
from dienrong.registry.models import AdministrativeUnit, UnitVersion
from dienrong.registry.numeric import unit_history_rows
from small_cycle import nation

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 22)


def test_a_nation_loaded_first_gets_its_history_afterwards(db) -> None:
    operations.load_nation(rows=nation(), school_year="2025-2026", by=None)
    key = AdministrativeUnit.objects.get(level="commune", code="00004").pk
    loaded = operations.load_units(rows=unit_history_rows(), by=None)
    # Four of the five units stood as they are; 26734 is an invention of the tests, which no list names.
    assert loaded.n_units == 63 + 696 + 10_035 + 34 + 3_321 - 4
    assert queries.unit_on("commune", "00004", TODAY).pk == key
    assert UnitVersion.objects.filter(unit=key).count() == 1
    entry = AuditEntry.objects.get(action="registry.units_loaded")
    assert entry.after["n_units"] == loaded.n_units
    operations.load_nation(rows=nation(fingerprint="sha256:2"), school_year="2025-2026", by=None)
    assert operations.load_units(rows=unit_history_rows(), by=None).n_units == 0


def test_a_list_that_names_an_unknown_unit_is_refused(db) -> None:
    rows = unit_history_rows()
    broken = dataclasses.replace(rows, units=rows.units[1:])
    with pytest.raises(Refusal, match="01"):
        operations.load_units(rows=broken, by=None)
    assert not AdministrativeUnit.objects.exists()
