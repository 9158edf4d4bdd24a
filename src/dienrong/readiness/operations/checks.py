"""Links of the machine check, and reports of machines: counted, signed, taken once."""

from __future__ import annotations

import datetime
import hashlib
import json
import secrets
import uuid
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock, formats, sealing
from dienrong.core.recording import ObjectName
from dienrong.core.text import clean_text
from dienrong.readiness import judging
from dienrong.readiness.models import CheckLink, CheckMiss, MachineReport, Survey
from dienrong.readiness.operations.judging_again import judge_survey
from dienrong.readiness.operations.refusals import CodesLocked, NotNow, ReadinessRefusal, ReportRefused
from dienrong.readiness.queries import access
from dienrong.readiness.queries.machines import link_by_code, report_findings
from dienrong.readiness.queries.norms import norm_of

LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
N_LETTERS = 10
"""31^10, about 49 bits: with the lock a code cannot be found by trying."""
SALT = "readiness.ticket"
TICKET_DAYS = 30
MOST_BYTES = 16_384
MOST_AN_HOUR = 400
"""Reports of one school in an hour: more than its machines, checked twice, could send."""
MISSES, MISS_SPAN, KEEP = 10, datetime.timedelta(minutes=15), datetime.timedelta(days=1)
PURPOSE = "readiness.address"
BOUNDS: dict[str, tuple[float, float]] = {
    "browser_version": (0, 999),
    "screen_width": (1, 20_000),
    "screen_height": (1, 20_000),
    "memory_gb": (0, 1024),
    "storage_mb": (0, 100_000_000),
    "clock_skew_s": (-400_000_000, 400_000_000),
    "latency_ms": (0, 600_000),
    "down_kbps": (0, 100_000_000),
    "up_kbps": (0, 100_000_000),
    "loss_percent": (0, 100),
}
FLAGS = ("storage_works", "sound_works", "autosave_works", "server_works")
TEXTS = {"engine": 10, "system": 60, "label": 40}
NEEDED = ("engine", "screen_width", "screen_height")
FRACTIONS = ("memory_gb", "loss_percent")
KNOWN = {*BOUNDS, *FLAGS, *TEXTS, "typing", "ticket", "report_id", "machine_id", "measured_at"}


def shown_code(code: str) -> str:
    """Write a code in two groups, as people read it aloud."""
    return f"{code[:5]}-{code[5:]}"


@transaction.atomic
def make_link(*, survey: Survey, closes_on: datetime.date, server_address: str, by: Any) -> CheckLink:
    """Make the link with which machines of a school check themselves; the link before is closed.

    Raises
    ------
    NotAllowed
        If the school is not in the person's charge.
    ReadinessRefusal
        If the day is past, or the address of the school server is none.
    """
    access.demand_survey(by, survey, "answer_readiness")
    if closes_on < clock.today():
        raise ReadinessRefusal(_("The last day lies in the past."), hint=_("Choose today or a later day."))
    address = clean_text(server_address).rstrip("/")
    if address:
        parts = urlsplit(address)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.path
            or set(address) & set("'\";, ")
        ):
            raise ReadinessRefusal(
                _("The address of the school server is not one: %(address)s.") % {"address": address[:60]},
                hint=_("Write it like http://192.168.1.10:8000, or leave it empty."),
            )
    Survey.objects.select_for_update(of=("self",)).get(pk=survey.pk)
    CheckLink.objects.filter(survey=survey, is_open=True).update(is_open=False)
    made = CheckLink.objects.create(
        survey=survey,
        code="".join(secrets.choice(LETTERS) for _place in range(N_LETTERS)),
        closes_on=closes_on,
        server_address=address[:120],
        made_by=by,
    )
    after = {"until": closes_on, "server": address}
    record(action="readiness.link_made", actor=by, obj=survey, after=after)
    return made


@transaction.atomic
def close_link(*, survey: Survey, by: Any) -> None:
    """Close the open link of a school.

    Raises
    ------
    NotAllowed
        If the school is not in the person's charge.
    """
    access.demand_survey(by, survey, "answer_readiness")
    n = CheckLink.objects.filter(survey=survey, is_open=True).update(is_open=False)
    if n:
        record(action="readiness.link_closed", actor=by, obj=survey)


def find_link(*, code: str, address: str) -> CheckLink:
    """Give the open link of a code that somebody typed or opened; wrong ones are counted by address.

    Raises
    ------
    CodesLocked
        If too many wrong codes came from the address.
    ReportRefused
        If there is no such link, or it is closed.
    """
    digest = sealing.keyed_digest(PURPOSE, address)
    since = clock.now() - MISS_SPAN
    misses = list(CheckMiss.objects.filter(address_digest=digest, at__gt=since).order_by("-at")[:MISSES])
    if len(misses) >= MISSES:
        raise CodesLocked(
            _("Too many wrong codes came from here. Try again at %(moment)s.")
            % {"moment": formats.moment_text(misses[-1].at + MISS_SPAN)}
        )
    link = link_by_code(code)
    if link is None:
        _note_miss(digest, n_before=len(misses))
        raise ReportRefused(
            _("There is no machine check with this code."),
            status=404,
            hint=_("Compare it with the sheet of the school: ten letters and digits."),
        )
    if not link.is_open or link.closes_on < clock.today():
        raise ReportRefused(
            _("This machine check is closed."),
            status=410,
            hint=_("Ask the coordinator of the school for a new code."),
        )
    return link


@transaction.atomic
def _note_miss(digest: str, *, n_before: int) -> None:
    """Count a wrong code; the one that reaches the limit is audited. Old ones are forgotten."""
    now = clock.now()
    CheckMiss.objects.filter(at__lt=now - KEEP).delete()
    CheckMiss.objects.create(address_digest=digest, at=now)
    if n_before + 1 >= MISSES:
        until = (now + MISS_SPAN).isoformat()
        record(
            action="readiness.codes_locked",
            actor=None,
            obj=ObjectName("readiness.check_code", "codes"),
            after={"until": until},
        )


def ticket_of(link: CheckLink) -> str:
    """Make the ticket with which a page sends one report."""
    return signing.dumps({"link": link.pk, "nonce": secrets.token_hex(12)}, salt=SALT, compress=False)


def receive_report(*, link: CheckLink, body: bytes, way: str = "online") -> MachineReport:
    """Take the report of a machine; the same one a second time is harmless.

    Raises
    ------
    ReportRefused
        If it is too large, no report, forged, stale, of another school, or a second one with the ticket of a first;
        ``status`` says which.
    """
    if len(body) > MOST_BYTES:
        raise ReportRefused(_("The report is larger than a report can be."), status=413)
    content = _read(body)
    nonce = _nonce(link, content.get("ticket"))
    values = _values(content)
    with transaction.atomic():
        return _keep(link, content, nonce, values, way)


def receive_for(*, survey: Survey, body: bytes) -> MachineReport:
    """Take a report that was carried by hand to the school of a survey; its ticket tells the link, which may be closed by now.

    Raises
    ------
    ReportRefused
        As ``receive_report``; also if the report belongs to no link of this school.
    """
    if len(body) > MOST_BYTES:
        raise ReportRefused(_("The report is larger than a report can be."), status=413)
    content = _read(body)
    for link in CheckLink.objects.filter(survey=survey).select_related("survey__cycle"):
        try:
            _nonce(link, content.get("ticket"))
        except ReportRefused:
            continue
        return receive_report(link=link, body=body, way=MachineReport.Way.FILE)
    raise ReportRefused(
        _("The report belongs to another school or another link."), status=403,
        hint=_("Hand it over on the page of the school whose code was used."),
    )  # fmt: skip


def _read(body: bytes) -> dict[str, Any]:
    """Read the JSON of a report; unknown fields are refused, so that nothing is kept unseen."""
    try:
        content = json.loads(body.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ReportRefused(
            _("This is no report of a machine."), hint=_("Send the file that the check page gave.")
        )
    unknown = sorted(set(content) - KNOWN)
    if unknown:
        raise ReportRefused(
            _("The report has fields that there are not: %(names)s.") % {"names": ", ".join(unknown[:5])[:80]}
        )
    return content


def _nonce(link: CheckLink, ticket: Any) -> str:
    """Give what makes a ticket unique, having checked who made it, for whom and when."""
    try:
        found = signing.loads(str(ticket), salt=SALT, max_age=datetime.timedelta(days=TICKET_DAYS))
        key, nonce = int(found["link"]), str(found["nonce"])
    except signing.SignatureExpired as error:
        raise ReportRefused(
            _("The report is older than %(n)s days.") % {"n": TICKET_DAYS},
            status=410,
            hint=_("Check the machine again."),
        ) from error
    except (signing.BadSignature, KeyError, TypeError, ValueError) as error:
        raise ReportRefused(_("The report was not made by a page of this system."), status=403) from error
    if key != link.pk:
        raise ReportRefused(_("The report belongs to another school or another link."), status=403)
    return nonce


def _values(content: dict[str, Any]) -> dict[str, Any]:
    """Give the measures of a report, each within its bounds.

    Raises
    ------
    ReportRefused
        Naming the first field that cannot be.
    """
    values: dict[str, Any] = {}
    for name in ("report_id", "machine_id"):
        try:
            values[name] = uuid.UUID(str(content.get(name)))
        except ValueError as error:
            raise _bad(name, content.get(name)) from error
    for name, most in TEXTS.items():
        found = content.get(name) or ""
        if not isinstance(found, str) or len(found) > most:
            raise _bad(name, found)
        values[name] = clean_text(found)
    for name, (low, high) in BOUNDS.items():
        found = content.get(name)
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        if found is not None and (not is_number or not low <= found <= high):
            raise _bad(name, found)
        values[name] = (
            None
            if found is None
            else (
                Decimal(str(round(found, 2 if name == "memory_gb" else 1)))
                if name in FRACTIONS
                else round(found)
            )
        )
    for name in FLAGS:
        found = content.get(name)
        if found is not None and not isinstance(found, bool):
            raise _bad(name, found)
        values[name] = found
    values["typing"] = content.get("typing") or ""
    if values["typing"] and values["typing"] not in MachineReport.Typing.values:
        raise _bad("typing", values["typing"])
    for name in NEEDED:
        if not values[name]:
            raise _bad(name, content.get(name))
    values["measured_at"] = _moment(content.get("measured_at"))
    return values


def _moment(found: Any) -> datetime.datetime:
    """Read the moment of a measurement; what lies ahead or cannot be read counts as now, since clocks go wrong."""
    now = clock.now()
    try:
        moment = datetime.datetime.fromisoformat(str(found).replace("Z", "+00:00"))
    except ValueError:
        return now
    if moment.tzinfo is None or not now - datetime.timedelta(days=400) <= moment <= now:
        return now
    return moment


def _bad(name: str, value: Any) -> ReportRefused:
    """Say which field of a report cannot be."""
    return ReportRefused(
        _("The field “%(name)s” of the report cannot be: %(value)s.")
        % {"name": name, "value": str(value)[:40]}
    )


def _keep(
    link: CheckLink, content: dict[str, Any], nonce: str, values: dict[str, Any], way: str
) -> MachineReport:
    """Keep a report that was read, judge it, and judge the school again."""
    survey = Survey.objects.select_for_update(of=("self",)).select_related("cycle").get(pk=link.survey_id)
    plain = {name: value for name, value in content.items() if name != "ticket"}
    digest = "sha256:" + hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
    known = MachineReport.objects.filter(report_id=values["report_id"]).first()
    if known is not None:
        if known.digest == digest and known.link_id == link.pk:
            return known
        raise ReportRefused(_("Another report came under the number of this one."), status=409)
    if MachineReport.objects.filter(nonce=nonce).exists():
        raise ReportRefused(
            _("This page has sent its report already."),
            status=409,
            hint=_("Open the page again to check once more."),
        )
    now = clock.now()
    recent = MachineReport.objects.filter(
        link=link, received_at__gt=now - datetime.timedelta(hours=1)
    ).count()
    if recent >= MOST_AN_HOUR:
        raise ReportRefused(_("Too many reports came from this school within an hour."), status=429)
    norm = norm_of(survey.cycle)
    if norm is None:
        raise NotNow(_("This cycle has no norm of readiness yet."))
    MachineReport.objects.filter(link__survey=survey, machine_id=values["machine_id"], is_latest=True).update(
        is_latest=False
    )
    report = MachineReport(
        link=link, nonce=nonce, digest=digest, way=way, received_at=now, norm=norm,
        verdict=MachineReport.Verdict.FAILED, **values,
    )  # fmt: skip
    report.verdict = MachineReport.Verdict(judging.verdict(report_findings(report, norm)))
    report.save()
    judge_survey(survey)
    after = {
        "machine": str(report.machine_id)[:8],
        "label": report.label,
        "verdict": report.verdict,
        "way": way,
    }
    record(action="readiness.reported", actor=None, obj=survey, after=after)
    return report
