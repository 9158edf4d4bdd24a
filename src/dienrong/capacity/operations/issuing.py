"""Certificates: numbered, issued in batches, corrected as new versions, revoked with a reason."""

from __future__ import annotations

import calendar
import dataclasses
import datetime
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.capacity import documents, kept
from dienrong.capacity.models import (
    Certificate,
    CertificateVersion,
    Enrolment,
    IssueBatch,
    NumberSeries,
    Training,
)
from dienrong.capacity.numbering import PatternError, new_check_code, number_key, number_of
from dienrong.capacity.operations.courses import locked
from dienrong.capacity.operations.refusals import CapacityRefusal, NotNow, demand_state, demand_text
from dienrong.capacity.queries import access
from dienrong.capacity.queries.certificates import series_of, version_of, waiting_for
from dienrong.capacity.queries.people import BIRTH_PURPOSE, birth_date_of
from dienrong.capacity.queries.places import place_name
from dienrong.core import clock, sealing
from dienrong.core.text import clean_text
from dienrong.registry.models import AdministrativeUnit
from dienrong.rosters.cells import NAME

JOB = "capacity.issue"
AT_A_TIME = 50
Progress = Callable[[str, float], None]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFacts:
    """How an issuer numbers in a year; without organizer the issuer is the ministry."""

    year: int
    pattern: str
    issuer_code: str
    issuer_name: str
    organizer: AdministrativeUnit | None = None
    next_serial: int = 1


@transaction.atomic
def set_series(*, facts: SeriesFacts, by: Any) -> NumberSeries:
    """Set how an issuer numbers its certificates in a year.

    Raises
    ------
    NotAllowed
        If the person does not issue for this issuer.
    CapacityRefusal
        If the pattern has no ``{serial}`` or an unknown part, or sign or name is missing.
    NotNow
        If certificates of the series were issued: their pattern stays, and numbers go up alone.
    """
    organizer, year, next_serial = facts.organizer, facts.year, facts.next_serial
    access.demand_organizer(by, "issue_certificates", organizer)
    code = demand_text(facts.issuer_code, _("Write the sign of the issuer."), hint=_("Such as “SGDĐT”."))[:20]
    name = demand_text(facts.issuer_name, _("Write the name of the issuer."))[:160]
    pattern = clean_text(facts.pattern)
    try:
        shown = number_of(pattern, serial=next_serial, year=year, issuer=code)
    except PatternError as error:
        raise CapacityRefusal(
            _("The pattern “%(pattern)s” cannot be used.") % {"pattern": pattern},
            hint=_(
                "It holds {serial} and may hold {year} and {issuer}, such as {serial:5}/{year}/CN-{issuer}."
            ),
        ) from error
    if not 2000 <= year <= 2100 or next_serial < 1:
        raise CapacityRefusal(_("The year has four digits, and numbers begin at 1."))
    kept_one = NumberSeries.objects.select_for_update().filter(organizer=organizer, year=year).first()
    is_used = kept_one is not None and kept_one.batches.filter(n_issued__gt=0).exists()
    if is_used and (
        (pattern, code) != (kept_one.pattern, kept_one.issuer_code) or next_serial < kept_one.next_serial
    ):
        raise NotNow(
            _("Certificates of %(year)s carry numbers of this series already.") % {"year": year},
            hint=_("Pattern and sign stay for the year; a new pattern begins with the next year."),
        )
    clash = NumberSeries.objects.filter(issuer_code=code, year=year).exclude(organizer=organizer)
    if clash.exists():
        raise CapacityRefusal(
            _("Another issuer has the sign %(code)s in %(year)s.") % {"code": code, "year": year}
        )
    series, is_new = NumberSeries.objects.update_or_create(
        organizer=organizer,
        year=year,
        defaults={"pattern": pattern, "issuer_code": code, "issuer_name": name, "next_serial": next_serial},
    )
    record(
        action="capacity.series_set",
        actor=by,
        obj=series,
        after={"pattern": pattern, "next": shown, "is_new": is_new},
    )
    return series


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class IssueFacts:
    """Who signs, by which decision, on which day; ``address`` is the public page that checks numbers."""

    issued_on: datetime.date
    decision: str
    place: str
    signer_title: str
    signer_name: str
    address: str


@transaction.atomic
def start_issue(*, training: Training, facts: IssueFacts, by: Any) -> IssueBatch:
    """Begin an issue for everybody who completed a training and has no certificate; the work follows in the background.

    Raises
    ------
    NotAllowed
        If the person does not issue for the organizer.
    NotNow
        If the training is not concluded, leads to no certificate, nobody waits for one, or no numbering was set.
    CapacityRefusal
        If decision, place or signer is missing, or the day lies before the end of the training or ahead.
    """
    from dienrong.jobs.operations import enqueue

    batch = _begin(training, facts, by)
    enqueue(JOB, {"batch_id": batch.pk}, by=by)
    return batch


def issue_now(*, training: Training, facts: IssueFacts, by: Any) -> IssueBatch:
    """Issue in this process what ``start_issue`` hands to the background; refuses as it does."""
    with transaction.atomic():
        batch = _begin(training, facts, by)
    issue_batch(batch=batch)
    batch.refresh_from_db()
    return batch


def _begin(training: Training, facts: IssueFacts, by: Any) -> IssueBatch:
    """Check and write the batch, with its entry in the log."""
    training = locked(training.pk)
    access.demand_organizer(by, "issue_certificates", training.organizer)
    demand_state(training, (Training.State.CONCLUDED,))
    if not training.course.is_certified:
        raise NotNow(_("The course %(code)s leads to no certificate.") % {"code": training.course.code})
    if not waiting_for(training).exists():
        raise NotNow(_("Everybody who completed this training has a certificate."))
    if not training.last_day <= facts.issued_on <= clock.today():
        raise CapacityRefusal(
            _("Certificates are dated between the end of the training (%(day)s) and today.")
            % {"day": f"{training.last_day:%d/%m/%Y}"}
        )
    series = series_of(training.organizer, facts.issued_on.year)
    if series is None:
        raise NotNow(
            _("No numbering of certificates is set for %(year)s.") % {"year": facts.issued_on.year},
            hint=_("Set it under “Numbering” in the register of certificates."),
        )
    batch = IssueBatch.objects.create(
        training=training,
        series=series,
        issued_on=facts.issued_on,
        decision=demand_text(facts.decision, _("Write number and day of the decision."))[:120],
        place=demand_text(facts.place, _("Write the place of signing."))[:80],
        signer_title=demand_text(facts.signer_title, _("Write the title of the signer."))[:120],
        signer_name=demand_text(facts.signer_name, _("Write the name of the signer."))[:120],
        address=facts.address[:200],
        made_at=clock.now(),
        made_by=by,
    )
    record(
        action="capacity.issue_started",
        actor=by,
        obj=training,
        after={"batch": batch.pk, "decision": batch.decision},
    )
    return batch


def issue_batch(*, batch: IssueBatch, progress: Progress | None = None) -> int:
    """Issue the certificates of a batch, fifty a transaction; run again it goes on where it stopped. Give how many.

    Raises
    ------
    NotNow
        If a number that the pattern gives is taken.
    """
    say = progress or (lambda _stage, _share: None)
    total = waiting_for(batch.training).count() + batch.certificates.count()
    while True:
        done = batch.certificates.count()
        say(
            _("%(done)s of %(total)s certificates") % {"done": done, "total": total},
            0.9 * done / total if total else 0.9,
        )
        if not _issue_some(batch.pk):
            break
    say(_("Printing the sheets"), 0.92)
    return _finish(batch.pk)


@transaction.atomic
def _issue_some(batch_id: int) -> int:
    """Issue the next certificates of a batch: numbers, rows, versions, files and the entry in the log together."""
    batch = IssueBatch.objects.select_for_update().get(pk=batch_id)
    learners = list(waiting_for(batch.training)[:AT_A_TIME])
    if not learners:
        return 0
    series = NumberSeries.objects.select_for_update().get(pk=batch.series_id)
    batch.series = series
    made = [_issue_one(batch, series, one, place) for place, one in enumerate(learners)]
    series.next_serial += len(made)
    series.save(update_fields=["next_serial"])
    batch.n_issued += len(made)
    batch.save(update_fields=["n_issued"])
    after = {"batch": batch.pk, "first": made[0].number, "last": made[-1].number, "n": len(made)}
    record(action="capacity.issued", actor=batch.made_by, obj=batch.training, after=after)
    return len(made)


def _issue_one(batch: IssueBatch, series: NumberSeries, learner: Enrolment, place: int) -> Certificate:
    """Issue one certificate with the number that comes at this place."""
    serial = series.next_serial + place
    number = number_of(series.pattern, serial=serial, year=series.year, issuer=series.issuer_code)
    key = number_key(number)
    if Certificate.objects.filter(number_key=key).exists():
        raise NotNow(
            _("The number %(number)s is taken.") % {"number": number},
            hint=_("Set the next number of the series beyond it."),
        )
    training, person = batch.training, learner.person
    certificate = Certificate.objects.create(
        number=number,
        number_key=key,
        check_code=new_check_code(),
        person=person,
        enrolment=learner,
        batch=batch,
        issued_on=batch.issued_on,
        valid_to=_months_later(batch.issued_on, training.course.valid_months),
    )
    says = CertificateVersion(
        certificate=certificate,
        version=1,
        holder_name=person.full_name,
        sealed_birth_date=person.sealed_birth_date,
        workplace=place_name(learner.posting)[:200] if learner.posting is not None else "",
        course_name=training.course.name_vi,
        n_hours=training.course.n_hours,
        first_day=training.first_day,
        last_day=training.last_day,
        made_at=clock.now(),
        made_by=batch.made_by,
    )
    _print(certificate, says)
    says.save()
    return certificate


def _print(certificate: Certificate, says: CertificateVersion) -> None:
    """Print a version and keep the file under its hash."""
    sheet = documents.sheet_of(certificate, says)
    says.file_hash = kept.keep(documents.pdf([sheet], title=certificate.number))


def _months_later(day: datetime.date, months: int | None) -> datetime.date | None:
    """Give the first day on which a certificate no longer holds: the same day so many months later, or the month's last."""
    if not months:
        return None
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return datetime.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _finish(batch_id: int) -> int:
    """Print all certificates of a batch on one file, and end it; a second time nothing changes."""
    batch = IssueBatch.objects.select_related("training", "series").get(pk=batch_id)
    rows = list(batch.certificates.select_related("batch__series__organizer").order_by("pk"))
    versions = {
        one.certificate_id: one
        for one in CertificateVersion.objects.filter(certificate__batch=batch, version=1)
    }
    sheets = [documents.sheet_of(one, versions[one.pk]) for one in rows]
    digest = kept.keep(documents.pdf(sheets, title=batch.decision)) if sheets else ""
    with transaction.atomic():
        batch = IssueBatch.objects.select_for_update().select_related("training").get(pk=batch_id)
        if batch.finished_at is None:
            batch.sheet_hash, batch.finished_at = digest, clock.now()
            batch.save(update_fields=["sheet_hash", "finished_at"])
            after = {"batch": batch.pk, "n": len(rows), "sheet": digest}
            record(action="capacity.issue_finished", actor=batch.made_by, obj=batch.training, after=after)
    return len(rows)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a corrected certificate says; an empty day of birth leaves the kept one."""

    holder_name: str
    workplace: str
    reason: str
    birth_date: datetime.date | None = None


@transaction.atomic
def correct_certificate(*, certificate: Certificate, correction: Correction, by: Any) -> CertificateVersion:
    """Correct a certificate: a new version under the same number; the old one stays and says that it was replaced.

    Raises
    ------
    NotAllowed
        If the person does not issue for the organizer.
    NotNow
        If the certificate is revoked, or nothing would change.
    CapacityRefusal
        If the name is none, or no reason is written.
    """
    certificate = _locked(certificate.pk)
    access.demand_organizer(by, "issue_certificates", certificate.batch.training.organizer)
    if certificate.revoked_on is not None:
        raise NotNow(_("A revoked certificate is not corrected."))
    before = version_of(certificate)
    name, workplace = clean_text(correction.holder_name), clean_text(correction.workplace)[:200]
    if not NAME.fullmatch(name) or " " not in name or len(name) > 120:
        raise CapacityRefusal(_("“%(name)s” is no full name.") % {"name": name})
    reason = demand_text(correction.reason, _("Write why the certificate is corrected."))[:300]
    old_birth = birth_date_of(before.sealed_birth_date)
    birth = correction.birth_date or old_birth
    if (name, workplace, birth) == (before.holder_name, before.workplace, old_birth):
        raise NotNow(_("Nothing would change."), hint=_("Correct what is wrong, then save."))
    certificate.version += 1
    certificate.save(update_fields=["version"])
    says = CertificateVersion(
        certificate=certificate,
        version=certificate.version,
        holder_name=name,
        sealed_birth_date=sealing.seal(BIRTH_PURPOSE, birth.isoformat().encode()) if birth else None,
        workplace=workplace,
        course_name=before.course_name,
        n_hours=before.n_hours,
        first_day=before.first_day,
        last_day=before.last_day,
        reason=reason,
        made_at=clock.now(),
        made_by=by,
    )
    _print(certificate, says)
    says.save()
    record(
        action="capacity.certificate_corrected",
        actor=by,
        obj=certificate,
        before={"holder": before.holder_name, "workplace": before.workplace},
        after={"holder": name, "workplace": workplace, "version": says.version, "reason": reason},
    )
    return says


@transaction.atomic
def revoke_certificate(*, certificate: Certificate, reason: str, decision: str, by: Any) -> Certificate:
    """Revoke a certificate as of today; it stays in the register, and its page says that it no longer holds.

    Raises
    ------
    NotAllowed
        If the person does not issue for the organizer.
    NotNow
        If it was revoked before.
    CapacityRefusal
        If reason or decision is missing.
    """
    certificate = _locked(certificate.pk)
    access.demand_organizer(by, "issue_certificates", certificate.batch.training.organizer)
    if certificate.revoked_on is not None:
        raise NotNow(
            _("This certificate was revoked on %(day)s.") % {"day": f"{certificate.revoked_on:%d/%m/%Y}"}
        )
    certificate.revoked_reason = demand_text(reason, _("Write why the certificate is revoked."))[:300]
    certificate.revoked_decision = demand_text(decision, _("Write number and day of the decision."))[:120]
    certificate.revoked_on, certificate.revoked_by = max(clock.today(), certificate.issued_on), by
    certificate.save(update_fields=["revoked_on", "revoked_by", "revoked_reason", "revoked_decision"])
    after = {"reason": certificate.revoked_reason, "decision": certificate.revoked_decision}
    record(action="capacity.certificate_revoked", actor=by, obj=certificate, after=after)
    return certificate


def _locked(key: int) -> Certificate:
    """Give a certificate as it is now, held until the end of the transaction."""
    found = Certificate.objects.select_for_update(of=("self",))
    return found.select_related("batch__series__organizer", "batch__training__organizer", "person").get(
        pk=key
    )
