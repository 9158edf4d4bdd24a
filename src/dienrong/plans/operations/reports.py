"""Reports: asked for, begun, written, sent and frozen, corrected as new versions, signed copies."""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import re
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.text import clean_text
from dienrong.plans import kept
from dienrong.plans.composing import files
from dienrong.plans.composing.content import content_of
from dienrong.plans.composing.facts import Facts, day_of, facts_of, values_for_snapshot
from dienrong.plans.composing.parts import OWN_PARTS
from dienrong.plans.definitions import digest_of
from dienrong.plans.models import (
    Phase,
    PlanReport,
    Reminder,
    ReportCall,
    ReportHead,
    ReportText,
    ReportVersion,
    Snapshot,
)
from dienrong.plans.operations.refusals import NotNow, PlanRefusal, demand_text
from dienrong.plans.queries import access
from dienrong.plans.queries import reports as reading
from dienrong.registry.models import AdministrativeUnit
from dienrong.rosters import charge

State = PlanReport.State
LONGEST_TEXT = 20_000
LARGEST_SIGNED = 20 * 1024 * 1024
JOINED_MINUTES = 10
"""Words saved again by the same person within so many minutes replace their last version, so that typing makes few."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """A report that is due."""

    kind: str
    phase: Phase
    first_day: datetime.date
    last_day: datetime.date
    due_on: datetime.date
    basis: str


@transaction.atomic
def call_report(*, facts: CallFacts, by: Any, unit: AdministrativeUnit | None = None) -> ReportCall:
    """Ask all provinces for a report, or let a province open one of its own.

    Raises
    ------
    NotAllowed
        If the person may not ask all provinces, or does not write for the province.
    PlanRefusal
        If the days are turned round, lie outside the phase, or the ground is missing.
    NotNow
        If this period is asked for already.
    """
    if unit is None:
        charge.demand_nation(by, "call_plan_reports")
    else:
        access.demand_unit(by, access.unit_of_row(unit), "write_plan_reports")
    if facts.kind not in ReportCall.Kind.values:
        raise PlanRefusal(_("Choose the kind of report."))
    if not facts.phase.first_day <= facts.first_day <= facts.last_day <= facts.phase.last_day:
        raise PlanRefusal(
            _("The period must lie in the phase: %(first)s – %(last)s.")
            % {"first": f"{facts.phase.first_day:%d/%m/%Y}", "last": f"{facts.phase.last_day:%d/%m/%Y}"},
            hint=_("Correct the first or the last day."),
        )
    if facts.due_on < facts.first_day:
        raise PlanRefusal(_("The report is due before its period begins."), hint=_("Choose a later day."))
    period = {"kind": facts.kind, "first_day": facts.first_day, "last_day": facts.last_day}
    if ReportCall.objects.filter(unit=unit, **period).exists():
        raise NotNow(_("A report of this period is asked for already."))
    call = ReportCall.objects.create(
        **period,
        phase=facts.phase,
        due_on=facts.due_on,
        basis=demand_text(facts.basis, _("Write by which document the report is due.")),
        unit=unit,
        called_at=clock.now(),
        called_by=by,
    )
    record(action="plans.report_called", actor=by, obj=call, after={**period, "due_on": facts.due_on})
    return call


@transaction.atomic
def begin_report(*, call: ReportCall, unit: AdministrativeUnit | None, by: Any) -> PlanReport:
    """Begin the report of a unit in answer to a call, or give the one that was begun.

    Raises
    ------
    NotAllowed
        If the person does not write for the unit.
    PlanRefusal
        If the call is another province's.
    """
    access.demand_unit(by, access.unit_of_row(unit), "write_plan_reports")
    if call.unit_id is not None and (unit is None or call.unit_id != unit.pk):
        raise PlanRefusal(_("This report was opened by another province for itself."))
    report, is_new = PlanReport.objects.get_or_create(call=call, unit=unit, defaults={"begun_by": by})
    if is_new:
        _carry_texts(report, by)
        record(action="plans.report_begun", actor=by, obj=report, after={"call": call.pk})
    return report


def _carry_texts(report: PlanReport, by: Any) -> None:
    """Carry the officer's words of the unit's last report over; they are a draft to be changed."""
    last = (
        PlanReport.objects.filter(unit=report.unit, call__kind=report.call.kind)
        .exclude(pk=report.pk)
        .order_by("-call__last_day", "-pk")
        .first()
    )
    if last is None:
        return
    rows = [
        ReportText(report=report, part=part, version=1, text=text, saved_at=clock.now(), saved_by=by)
        for part, text in reading.texts_of(last).items()
        if text
    ]
    ReportText.objects.bulk_create(rows)


def locked(key: int) -> PlanReport:
    """Give a report as it is now, held until the end of the transaction."""
    found = PlanReport.objects.select_for_update(of=("self",)).select_related("call__phase", "unit")
    return found.get(pk=key)


@transaction.atomic
def save_text(*, report: PlanReport, part: str, text: str, seen_version: int | None, by: Any) -> ReportText:
    """Keep the officer's words of one part.

    Parameters
    ----------
    seen_version : int or None
        The version that the person had before their eyes; None where the part was empty, or nobody asks.

    Raises
    ------
    NotAllowed
        If the person does not write for the unit.
    NotNow
        If the report is sent, or somebody else changed the part meanwhile.
    PlanRefusal
        If the part takes no words, or there are too many.
    """
    report = locked(report.pk)
    access.demand_unit(by, access.unit_of_row(report.unit), "write_plan_reports")
    _demand_open(report)
    if part not in OWN_PARTS:
        raise PlanRefusal(_("This part of the report takes no words of one's own."))
    written = "\n".join(clean_text(line) for line in text.splitlines()).strip()
    if len(written) > LONGEST_TEXT:
        raise PlanRefusal(
            _("This text has %(n)s letters; at most %(most)s fit.")
            % {"n": len(written), "most": LONGEST_TEXT},
            hint=_("Shorten it."),
        )
    last = report.texts.filter(part=part).order_by("-version").first()
    if last is not None and last.text == written:
        return last
    if seen_version is not None and last is not None and last.version != seen_version:
        raise NotNow(
            _("%(name)s changed this part meanwhile.") % {"name": str(last.saved_by or "")},
            hint=_("Copy your words, load the page again and put both together."),
        )
    now = clock.now()
    if last is not None and last.saved_by_id == by.pk and _is_fresh(last, now):
        last.text, last.saved_at = written, now
        last.save(update_fields=["text", "saved_at"])
        _note_text(report, last, by)
        return last
    made = ReportText.objects.create(
        report=report,
        part=part,
        version=(last.version if last is not None else 0) + 1,
        text=written,
        saved_at=now,
        saved_by=by,
    )
    _note_text(report, made, by)
    return made


def _note_text(report: PlanReport, row: ReportText, by: Any) -> None:
    """Write into the log that words were saved; the words themselves stand in the version."""
    after = {"part": row.part, "version": row.version, "n_letters": len(row.text)}
    record(action="plans.text_saved", actor=by, obj=report, after=after)


def _is_fresh(last: ReportText, now: datetime.datetime) -> bool:
    """Tell whether a version is young enough to be written over by its writer, and not part of a sent report."""
    sent = last.report.versions.order_by("-number").first()
    if sent is not None and sent.sent_at >= last.saved_at:
        return False
    return now - last.saved_at < datetime.timedelta(minutes=JOINED_MINUTES)


def _demand_open(report: PlanReport) -> None:
    """Refuse a change of a report that is sent."""
    if report.state == State.SENT:
        raise NotNow(
            _("This report is sent; nothing of it changes any more."),
            hint=_("Open it for correction; a new version then says what changed."),
        )


@transaction.atomic
def set_head(*, unit: AdministrativeUnit | None, values: Mapping[str, Any], by: Any) -> ReportHead:
    """Set what the reports of a unit bear as official documents.

    Raises
    ------
    NotAllowed
        If the person does not write for the unit.
    PlanRefusal
        If agency, symbol or place is missing.
    """
    access.demand_unit(by, access.unit_of_row(unit), "write_plan_reports")
    lines = ("addressees", "bases", "authority", "recipients")
    said: dict[str, Any] = {
        name: [clean_text(line) for line in values.get(name, ()) if clean_text(line)] for name in lines
    }
    said |= {
        "parent_agency": "\n".join(
            clean_text(line) for line in str(values.get("parent_agency", "")).splitlines()
        ),
        "agency": demand_text(values.get("agency", ""), _("Write the name of the agency."), longest=160),
        "symbol": demand_text(
            values.get("symbol", ""), _("Write the symbol, such as “BC-SGDĐT”."), longest=40
        ),
        "place": demand_text(values.get("place", ""), _("Write the place."), longest=80),
        "signer": clean_text(values.get("signer", ""))[:120],
        "changed_at": clock.now(),
        "changed_by": by,
    }
    head, _is_new = ReportHead.objects.update_or_create(unit=unit, defaults=said)
    after = {name: value for name, value in said.items() if name not in ("changed_at", "changed_by")}
    record(action="plans.head_changed", actor=by, obj=head, after=after)
    return head


def take_snapshot(*, report: PlanReport, facts: Facts, by: Any) -> Snapshot:
    """Keep the values of a report with their definitions and the hashes of who stood behind; inside a transaction."""
    values = values_for_snapshot(facts.stands, report, facts.day)
    made = Snapshot.objects.create(
        unit=report.unit,
        day=facts.day,
        taken_at=clock.now(),
        taken_by=by,
        values=values,
        digest=digest_of(values),
    )
    record(action="plans.snapshot_taken", actor=by, obj=made, after={"day": facts.day, "hash": made.digest})
    return made


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """Number and day that the office gave the document, where it has them; why, for a corrected version."""

    number: str = ""
    signed_on: datetime.date | None = None
    reason: str = ""


@transaction.atomic
def send_report(*, report: PlanReport, sending: Sending, by: Any) -> ReportVersion:
    """Freeze a report and send it: content, Word, PDF and Excel are kept under their hashes.

    Raises
    ------
    NotAllowed
        If the person does not write for the unit.
    NotNow
        If it is sent already.
    PlanRefusal
        If its period has not begun, or a corrected version does not say why.
    """
    report = locked(report.pk)
    access.demand_unit(by, access.unit_of_row(report.unit), "write_plan_reports")
    _demand_open(report)
    if report.call.first_day > clock.today():
        raise PlanRefusal(_("The period of this report has not begun."), hint=_("Send it when it is over."))
    before = report.versions.order_by("-number").first()
    reason = clean_text(sending.reason)[:300]
    if before is not None and not reason:
        raise PlanRefusal(_("Write why the report is corrected."), hint=_("The recipients read it."))
    number = clean_text(sending.number)[:20]
    facts = facts_of(report)
    signed_on = sending.signed_on.isoformat() if sending.signed_on is not None else None
    head = reading.head_values(report, number=number, signed_on=signed_on)
    content = content_of(facts, reading.texts_of(report), head)
    made = ReportVersion.objects.create(
        report=report,
        number=(before.number if before is not None else 0) + 1,
        sent_at=clock.now(),
        sent_by=by,
        document_number=number,
        signed_on=sending.signed_on,
        snapshot=take_snapshot(report=report, facts=facts, by=by),
        content=content,
        content_hash=digest_of(content),
        files={
            "docx": kept.keep(files.word(content)),
            "pdf": kept.keep(files.pdf(content)),
            "xlsx": kept.keep(files.workbook(content)),
        },
        reason=reason,
        changes=changes_between(before.content, content) if before is not None else {},
    )
    report.state = State.SENT
    report.save(update_fields=["state"])
    after = {"version": made.number, "hash": made.content_hash, "files": made.files, "reason": reason}
    record(action="plans.report_sent", actor=by, obj=report, after=after)
    return made


@transaction.atomic
def reopen_report(*, report: PlanReport, reason: str, by: Any) -> None:
    """Open a sent report for correction; what was sent stays.

    Raises
    ------
    NotAllowed
        If the person does not write for the unit.
    NotNow
        If it is not sent.
    PlanRefusal
        If no reason is written.
    """
    report = locked(report.pk)
    access.demand_unit(by, access.unit_of_row(report.unit), "write_plan_reports")
    if report.state != State.SENT:
        raise NotNow(_("This report is not sent yet; change it as it is."))
    why = demand_text(reason, _("Write why the report is corrected."))
    report.state = State.CORRECTING
    report.save(update_fields=["state"])
    record(action="plans.report_reopened", actor=by, obj=report, after={"reason": why})


@transaction.atomic
def keep_signed(*, version: ReportVersion, name: str, content: bytes, by: Any) -> ReportVersion:
    """Keep the signed copy of a version with its hash; another one takes its place and the log has both.

    Raises
    ------
    NotAllowed
        If the person does not write for the unit.
    PlanRefusal
        If the file is no PDF, is empty or too large.
    """
    version = (
        ReportVersion.objects.select_for_update(of=("self",))
        .select_related("report__unit")
        .get(pk=version.pk)
    )
    access.demand_unit(by, access.unit_of_row(version.report.unit), "write_plan_reports")
    if not content.startswith(b"%PDF-"):
        raise PlanRefusal(
            _("The signed copy is a PDF file."), hint=_("Scan or save the signed document as PDF.")
        )
    if len(content) > LARGEST_SIGNED:
        raise PlanRefusal(_("The file is larger than 20 MB."), hint=_("Scan it in black and white."))
    before = version.signed_hash
    version.signed_hash = kept.keep(content)
    version.signed_name = clean_text(name).replace("/", "-").replace("\\", "-")[-160:] or "signed.pdf"
    version.signed_at, version.signed_by = clock.now(), by
    version.save(update_fields=["signed_hash", "signed_name", "signed_at", "signed_by"])
    after = {"version": version.number, "hash": version.signed_hash}
    record(
        action="plans.signed_copy_kept", actor=by, obj=version.report, before={"hash": before}, after=after
    )
    return version


@transaction.atomic
def remind(*, call: ReportCall, unit: AdministrativeUnit, text: str, by: Any) -> Reminder:
    """Note that a province was reminded of a report, with the words.

    Raises
    ------
    NotAllowed
        If the person does not act for the ministry.
    NotNow
        If the province has sent its report.
    PlanRefusal
        If nothing is written.
    """
    charge.demand_nation(by, "call_plan_reports")
    if PlanReport.objects.filter(call=call, unit=unit).exclude(state=State.DRAFT).exists():
        raise NotNow(_("%(name)s has sent this report.") % {"name": unit.full_name})
    words = demand_text(text, _("Write what the province is told."), longest=2000)
    made = Reminder.objects.create(call=call, unit=unit, at=clock.now(), by=by, text=words)
    record(action="plans.reminded", actor=by, obj=call, after={"unit": unit.code, "text": words})
    return made


SENTENCE = re.compile(r"(?<=[.;:!?])\s+|\n+")


def changes_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """List what differs between two versions: figures by indicator, sentences by part.

    Returns
    -------
    dict
        ``figures``: label, old and new words of each; ``words``: heading, sentences taken out, sentences put in.
    """
    figures = []
    for code, now in new["figures"].items():
        before = old["figures"].get(code)
        if before != now:
            figures.append({"label": now["label"], "old": _figure_words(before), "new": _figure_words(now)})
    kept_parts = {part["key"]: part for part in old["parts"]}
    words = []
    for part in new["parts"]:
        before = _sentences(kept_parts.get(part["key"], {}))
        after = _sentences(part)
        if before == after:
            continue
        found = list(difflib.ndiff(before, after))
        words.append(
            {
                "heading": part["heading"],
                "out": [line[2:] for line in found if line.startswith("- ")],
                "in": [line[2:] for line in found if line.startswith("+ ")],
            }
        )
    return {"figures": figures, "words": [one for one in words if one["out"] or one["in"]]}


def _figure_words(one: Mapping[str, Any] | None) -> str:
    """Write the numbers of a target."""
    if one is None:
        return "–"
    return f"{one['n_counted']}/{one['n_all']} ({one['share']}; {one['target']})"


def _sentences(part: Mapping[str, Any]) -> list[str]:
    """Give the sentences of a part: those of the numbers, the officer's, and the rows of its tables."""
    said = [*part.get("paragraphs", ()), part.get("own", "")]
    found = [one.strip() for text in said for one in SENTENCE.split(text) if one.strip()]
    for table in part.get("tables", ()):
        found += [" · ".join(row) for row in table["rows"]]
    return found


__all__ = [
    "CallFacts", "Sending", "begin_report", "call_report", "changes_between", "day_of", "keep_signed", "remind",
    "reopen_report", "save_text", "send_report", "set_head", "take_snapshot",
]  # fmt: skip
