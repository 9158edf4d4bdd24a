"""The press note: the ministry's own words, and its release with a run."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import demand
from dienrong.analysis.models import AnalysisRun
from dienrong.audit.operations import record
from dienrong.core.formats import number_text
from dienrong.core.refusals import Conflict
from dienrong.cycles.models import Cycle
from dienrong.reporting import quoting
from dienrong.reporting.models import PressNote
from dienrong.reporting.operations.refusals import WritingRefusal

LONGEST_NOTE = 4000


def _note_of(cycle: Cycle) -> PressNote:
    """Take the note of a cycle for the rest of the transaction."""
    PressNote.objects.get_or_create(cycle=cycle)
    return PressNote.objects.select_for_update().get(cycle=cycle)


@transaction.atomic
def save_press_note(*, cycle: Cycle, body: str, edition: int, by: Any) -> PressNote:
    """Keep the ministry's own words of a press note; a released note is called back by it.

    Raises
    ------
    Conflict
        If somebody else saved since ``edition`` was read; nothing is overwritten.
    WritingRefusal
        If the words are too long for a press note.
    """
    demand(by, "publish_report")
    body = quoting.clean_body(body).strip()
    if len(body) > LONGEST_NOTE:
        raise WritingRefusal(
            _("These words are too long: %(n)s letters; a press note holds %(most)s.")
            % {"n": number_text(len(body)), "most": number_text(LONGEST_NOTE)}
        )
    note = _note_of(cycle)
    if body == note.body:
        return note
    if edition != note.edition:
        raise Conflict(
            _("%(name)s saved this note meanwhile. Your words are still in the field below.")
            % {"name": note.changed_by},
            hint=_("Read what is kept beside it, join the two, and save again."),
        )
    before = note.body
    note.body, note.edition, note.changed_by, note.released_run = body, note.edition + 1, by, None
    note.save()
    record(
        action="reporting.press_written", actor=by, obj=note, before={"body": before}, after={"body": body}
    )
    return note


@transaction.atomic
def release_press_note(*, run: AnalysisRun, by: Any) -> PressNote:
    """Let the note go out with the report of a run.

    Raises
    ------
    Conflict
        If the ministry's own words are missing.
    """
    demand(by, "publish_report")
    note = _note_of(run.cycle)
    if not note.body:
        raise Conflict(
            _("The ministry's own words are still missing."),
            hint=_("Write what follows from the results; the figures alone are no press note."),
        )
    note.released_run = run
    note.save()
    record(action="reporting.press_released", actor=by, obj=note, after={"run": run.number})
    return note


@transaction.atomic
def hold_press_note(*, cycle: Cycle, by: Any) -> None:
    """Call a note back: only the ministry reads it from now on."""
    demand(by, "publish_report")
    note = _note_of(cycle)
    before = note.released_run
    if before is not None:
        note.released_run = None
        note.save()
        record(action="reporting.press_held", actor=by, obj=note, before={"run": before.number})
