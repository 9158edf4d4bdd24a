"""Writes of the scorecard: checks, confirmations, reminders, official totals."""

from __future__ import annotations

from dienrong.scorecard.operations.checking import (
    NationCheck,
    check_nation,
    check_provinces,
    check_schools,
    schools_were_changed,
)
from dienrong.scorecard.operations.keeping import (
    ErrorsOpen,
    NewTotal,
    TotalsRefused,
    confirm_school,
    import_totals,
    remind_school,
    remove_total,
    set_total,
)
from dienrong.scorecard.operations.totals import undo_totals, write_totals

__all__ = [
    "ErrorsOpen",
    "NationCheck",
    "NewTotal",
    "TotalsRefused",
    "check_nation",
    "check_provinces",
    "check_schools",
    "confirm_school",
    "import_totals",
    "remind_school",
    "remove_total",
    "schools_were_changed",
    "set_total",
    "undo_totals",
    "write_totals",
]
