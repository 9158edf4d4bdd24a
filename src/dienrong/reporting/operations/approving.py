"""From drafter to head: handed over, taken back, returned with a note, approved and frozen, opened again."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.refusals import Conflict, NotAllowed
from dienrong.core.text import clean_text
from dienrong.reporting.models import FrozenText, ProvincialText
from dienrong.reporting.operations.refusals import WritingRefusal, demand_writer, locked
from dienrong.reporting.queries import writing
from dienrong.reporting.queries.evidence import changed_figures
from dienrong.reporting.queries.reports import ReadableReport

State = ProvincialText.State
LONGEST_NOTE = 1000


def hindered(text: ProvincialText, report: ReadableReport) -> list[writing.Hindrance]:
    """Find what keeps a text from going on."""
    changed = changed_figures(report, text.province_code, writing.citations_of(text))
    return writing.hindrances(text, changed)


@transaction.atomic
def hand_over(*, text: ProvincialText, to: Any, report: ReadableReport, by: Any) -> None:
    """Hand a text over for approval by another officer of the department.

    Raises
    ------
    Conflict
        If it is no draft, or something hinders it: an empty heading, an altered quotation, a changed figure.
    WritingRefusal
        If nobody is named, or the person is not another officer of the department.
    """
    demand_writer(by, text.province_code)
    text = locked(text)
    if text.state != State.DRAFT:
        raise Conflict(_("This report is not being written now."))
    if to is None or to.pk == by.pk or not writing.may_write(to, text.province_code):
        raise WritingRefusal(
            _("Choose who approves: another officer of your department."),
            hint=_(
                "Whoever hands a report over does not approve it. Open an account for the head if there is none."
            ),
        )
    _demand_ready(text, report)
    text.state, text.handed_to, text.handed_by, text.handed_at = State.HANDED_OVER, to, by, clock.now()
    text.note, text.noted_by = "", None
    text.save()
    record(action="reporting.text_handed_over", actor=by, obj=text, after={"to": to.username})


@transaction.atomic
def take_back(*, text: ProvincialText, by: Any) -> None:
    """Take a text back that waits for approval.

    Raises
    ------
    Conflict
        If it does not wait.
    """
    demand_writer(by, text.province_code)
    text = locked(text)
    if text.state != State.HANDED_OVER:
        raise Conflict(_("This report does not wait for approval."))
    text.state = State.DRAFT
    text.save(update_fields=["state"])
    record(action="reporting.text_taken_back", actor=by, obj=text)


@transaction.atomic
def return_text(*, text: ProvincialText, note: str, by: Any) -> None:
    """Give a text back to its drafter with a note.

    Raises
    ------
    Conflict
        If it does not wait for this person.
    WritingRefusal
        If the note is empty.
    """
    text = _waiting_for(text, by)
    text.state, text.note, text.noted_by = State.DRAFT, _noted(note), by
    text.save()
    record(action="reporting.text_returned", actor=by, obj=text, after={"note": text.note})


@transaction.atomic
def approve(*, text: ProvincialText, report: ReadableReport, by: Any) -> FrozenText:
    """Approve a text: it is frozen with the run whose figures it quotes, and a hash of both.

    Invariant: whoever handed the text over never approves it; every quotation says its figure as the run tells it.

    Raises
    ------
    Conflict
        If it does not wait for this person, or something hinders it.
    """
    text = _waiting_for(text, by)
    _demand_ready(text, report)
    content = writing.content_of(text)
    report_id = report.source.report_id
    last = text.frozen.first()
    frozen = FrozenText.objects.create(
        text=text,
        number=(last.number if last else 0) + 1,
        content=content,
        sha256=hash_of(content, report_id),
        run=report.run,
        report_id=report_id,
        frozen_at=clock.now(),
        frozen_by=by,
        drafted_by=text.handed_by,
    )
    text.state = State.FINAL
    text.save(update_fields=["state"])
    record(
        action="reporting.text_approved",
        actor=by,
        obj=text,
        after={"number": frozen.number, "sha256": frozen.sha256, "run": report.run.number},
    )
    return frozen


def hash_of(content: dict[str, Any], report_id: str) -> str:
    """Hash an approved text together with the report whose figures it quotes, in a canonical form."""
    whole = {"content": content, "report": report_id}
    written = json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


@transaction.atomic
def reopen(*, text: ProvincialText, note: str, by: Any) -> None:
    """Open an approved text again, with a reason; what was approved stays, and holds until the next approval.

    Raises
    ------
    Conflict
        If it is not approved.
    WritingRefusal
        If no reason is given.
    """
    demand_writer(by, text.province_code)
    text = locked(text)
    if text.state != State.FINAL:
        raise Conflict(_("This report is not approved yet."))
    text.state, text.note, text.noted_by = State.DRAFT, _noted(note), by
    text.save()
    record(action="reporting.text_reopened", actor=by, obj=text, after={"note": text.note})


def _waiting_for(text: ProvincialText, by: Any) -> ProvincialText:
    """Take a text that waits for the approval of a person."""
    demand_writer(by, text.province_code)
    text = locked(text)
    if text.state != State.HANDED_OVER:
        raise Conflict(_("This report does not wait for approval."))
    if text.handed_to_id != by.pk or text.handed_by_id == by.pk:
        raise NotAllowed(
            _("This report waits for the approval of %(name)s.") % {"name": text.handed_to},
            who_may=(str(text.handed_to),),
        )
    return text


def _noted(note: str) -> str:
    """Clean a note; refuse an empty one."""
    note = clean_text(note)
    if not note:
        raise WritingRefusal(_("Write in a few words why."))
    if len(note) > LONGEST_NOTE:
        raise WritingRefusal(_("The note is too long; at most %(most)s letters.") % {"most": LONGEST_NOTE})
    return note


def _demand_ready(text: ProvincialText, report: ReadableReport) -> None:
    """Refuse a text that something hinders."""
    found = hindered(text, report)
    if found:
        raise Conflict(
            _("%(n)s things are still open in this report.") % {"n": len(found)},
            hint=_("They are listed on the page of the report; mend them, then go on."),
        )
