"""Writes of the registry; each is one transaction with its audit entry inside."""

from __future__ import annotations

from dienrong.registry.operations.applying import Decision, Happening
from dienrong.registry.operations.contacts import change_contacts
from dienrong.registry.operations.counting import undo_enrolments, undo_sites, write_enrolments, write_sites
from dienrong.registry.operations.due import let_take_effect, turn_day
from dienrong.registry.operations.events import (
    change_school,
    close_school,
    merge_schools,
    open_school,
    recode_school,
    rename_school,
    split_school,
)
from dienrong.registry.operations.loading import first_day_of, load_nation
from dienrong.registry.operations.mergers import (
    add_line,
    apply_batch,
    plan_batch,
    remove_batch,
    remove_line,
    undo_batch,
)
from dienrong.registry.operations.planning import (
    NewSchool,
    plan_closing,
    plan_opening,
    plan_recoding,
    plan_split,
)
from dienrong.registry.operations.refusals import UnknownCommune
from dienrong.registry.operations.undoing import undo_event
from dienrong.registry.operations.unit_changes import KINDS as UNIT_KINDS
from dienrong.registry.operations.unit_changes import (
    PlannedUnitChange,
    UnitChange,
    change_unit,
    plan_unit_change,
)
from dienrong.registry.operations.units import UnitsLoaded, load_units
from dienrong.registry.operations.writing import undo_schools, write_schools

__all__ = [
    "UNIT_KINDS",
    "Decision",
    "Happening",
    "NewSchool",
    "PlannedUnitChange",
    "UnitChange",
    "UnitsLoaded",
    "UnknownCommune",
    "add_line",
    "apply_batch",
    "change_contacts",
    "change_school",
    "change_unit",
    "close_school",
    "first_day_of",
    "let_take_effect",
    "load_nation",
    "load_units",
    "merge_schools",
    "open_school",
    "plan_batch",
    "plan_closing",
    "plan_opening",
    "plan_recoding",
    "plan_split",
    "plan_unit_change",
    "recode_school",
    "remove_batch",
    "remove_line",
    "rename_school",
    "split_school",
    "turn_day",
    "undo_batch",
    "undo_enrolments",
    "undo_event",
    "undo_schools",
    "undo_sites",
    "write_enrolments",
    "write_schools",
    "write_sites",
]
