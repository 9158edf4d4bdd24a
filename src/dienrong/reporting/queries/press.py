"""Who reads the press note of a cycle."""

from __future__ import annotations

from typing import Any

from dienrong.accounts import permissions
from dienrong.cycles.models import Cycle
from dienrong.reporting.models import PressNote
from dienrong.reporting.queries.reports import ReadableReport


def press_note_of(cycle: Cycle) -> PressNote | None:
    """Give the note of a cycle."""
    return PressNote.objects.select_related("changed_by", "released_run").filter(cycle=cycle).first()


def is_out(report: ReadableReport, note: PressNote | None) -> bool:
    """Tell whether everyone reads the note: its run is the published one."""
    return report.publication is not None and note is not None and note.released_run_id == report.run.pk


def may_read(user: Any, report: ReadableReport, note: PressNote | None) -> bool:
    """Tell whether a person reads the note: the ministry always, everyone once it is out."""
    return permissions.may(user, "publish_report") or is_out(report, note)
