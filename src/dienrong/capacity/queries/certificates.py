"""The register of certificates, and what the public is told of one."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from django.db.models import Q, QuerySet

from dienrong.capacity import words
from dienrong.capacity.models import (
    Certificate,
    CertificateVersion,
    Enrolment,
    IssueBatch,
    LookUpAttempt,
    NumberSeries,
    Training,
)
from dienrong.capacity.numbering import initials, number_key, typed_code
from dienrong.capacity.queries import access
from dienrong.core import clock, sealing
from dienrong.core.text import search_key

ADDRESS_PURPOSE = "capacity.address"
LOCK_FAILURES, LOCK_LOOK_UPS = 10, 120
LOCK_SPAN = datetime.timedelta(minutes=15)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFilter:
    """What narrows the register."""

    search: str = ""
    year: int | None = None
    state: str = ""

    @property
    def is_used(self) -> bool:
        """Whether anything is narrowed."""
        return self != CertificateFilter()


def find_certificates(user: Any, narrowed: CertificateFilter) -> QuerySet[Certificate]:
    """List certificates in a person's charge by words of the holder's name or by number, year and state."""
    today = clock.today()
    found = access.certificates_of(user)
    for word in search_key(narrowed.search).split():
        found = found.filter(Q(person__search_key__contains=word) | Q(number_key__icontains=word))
    if narrowed.year:
        found = found.filter(issued_on__year=narrowed.year)
    revoked = Q(revoked_on__isnull=False, revoked_on__lte=today)
    expired = Q(valid_to__isnull=False, valid_to__lte=today)
    if narrowed.state == "revoked":
        found = found.filter(revoked)
    elif narrowed.state == "expired":
        found = found.filter(expired).exclude(revoked)
    elif narrowed.state == "valid":
        found = found.exclude(revoked | expired)
    return found.order_by("-issued_on", "-pk")


def years_of(user: Any) -> list[int]:
    """List the years in which certificates in a person's charge were issued, the last first."""
    dates = access.certificates_of(user).order_by().dates("issued_on", "year", order="DESC")
    return [day.year for day in dates]


def certificate_of(key: int) -> Certificate | None:
    """Give a certificate, whoever asks; views demand the scope."""
    found = Certificate.objects.select_related(
        "person", "enrolment__training__course", "batch__series__organizer", "batch__training__organizer"
    )
    return found.filter(pk=key).first()


def version_of(certificate: Certificate, version: int | None = None) -> CertificateVersion:
    """Give one version of a certificate; the one in force where none is named."""
    return certificate.versions.get(version=version or certificate.version)


def batch_of(key: int) -> IssueBatch | None:
    """Give one issue of certificates."""
    found = IssueBatch.objects.select_related("training__course", "training__organizer", "series")
    return found.filter(pk=key).first()


def batches_of(training: Training) -> QuerySet[IssueBatch]:
    """List the issues of a training, the newest first."""
    return IssueBatch.objects.filter(training=training).select_related("series")


def waiting_for(training: Training) -> QuerySet[Enrolment]:
    """List who completed a training and has no certificate yet, by name."""
    found = Enrolment.objects.filter(
        training=training, state=Enrolment.State.COMPLETED, certificate__isnull=True
    )
    return found.select_related("person", "posting__unit", "posting__school").order_by(
        "person__sort_key", "pk"
    )


def series_of(organizer: Any, year: int) -> NumberSeries | None:
    """Give the numbering of an issuer in a year; None where none was set."""
    return NumberSeries.objects.filter(organizer=organizer, year=year).first()


def series_for(user: Any) -> QuerySet[NumberSeries]:
    """List the numberings that a person may see."""
    scope = access.scope_of(user, "issue_certificates")
    found = NumberSeries.objects.select_related("organizer")
    return found if scope.is_national else found.filter(organizer__code__in=scope.provinces)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the public is told of a certificate: enough to trust it or not, too little to find anybody.

    ``is_holder`` is None where no name was given to compare.
    """

    number: str
    standing: str
    course_name: str
    n_hours: int
    first_day: datetime.date
    last_day: datetime.date
    issued_on: datetime.date
    issuer: str
    valid_to: datetime.date | None
    revoked_on: datetime.date | None
    holder: str
    version: int
    asked_version: int
    corrected_on: datetime.date | None
    is_holder: bool | None

    @property
    def is_old_version(self) -> bool:
        """Whether the sheet that was looked up has been corrected since."""
        return self.asked_version < self.version


def verify(number: str, check_code: str, *, version: int | None = None, name: str = "") -> Answer | None:
    """Look a certificate up by number and check code together; None where they do not belong together.

    A wrong number and a wrong code give the same answer, so that numbers cannot be tried out.

    Parameters
    ----------
    number, check_code : str
        As typed or as in the QR code: capitals, blanks and Vietnamese marks do not matter.
    version : int, optional
        The version of the sheet in hand; the one in force where none is named.
    name : str
        A name to compare with the holder's; marks and capitals do not matter.
    """
    import hmac

    found = (
        Certificate.objects.select_related("batch__series").filter(number_key=number_key(number)).first()
        if number.strip()
        else None
    )
    kept = found.check_code if found is not None else "-" * 10
    fits = hmac.compare_digest(kept.encode(), typed_code(check_code).encode())
    if found is None or not fits:
        return None
    says = version_of(found)
    asked = version if version and 1 <= version <= found.version else found.version
    return Answer(
        number=found.number,
        standing=words.standing(found, clock.today()),
        course_name=says.course_name,
        n_hours=says.n_hours,
        first_day=says.first_day,
        last_day=says.last_day,
        issued_on=found.issued_on,
        issuer=found.batch.series.issuer_name,
        valid_to=found.valid_to,
        revoked_on=found.revoked_on,
        holder=initials(says.holder_name),
        version=found.version,
        asked_version=asked,
        corrected_on=says.made_at.date() if says.version > 1 else None,
        is_holder=search_key(name) == search_key(says.holder_name) if name.strip() else None,
    )


def address_digest(address: str) -> str:
    """Give the digest under which the look-ups of an address are counted."""
    return sealing.keyed_digest(ADDRESS_PURPOSE, address)


def lock_ends_at(address: str, what: str) -> datetime.datetime | None:
    """Tell until when an address may not look up: ten misses, or 120 look-ups, within a quarter of an hour."""
    since = clock.now() - LOCK_SPAN
    recent = LookUpAttempt.objects.filter(address_digest=address_digest(address), what=what, at__gt=since)
    ends: list[datetime.datetime] = []
    for rows, limit in ((recent.filter(was_found=False), LOCK_FAILURES), (recent, LOCK_LOOK_UPS)):
        moments = list(rows.order_by("-at").values_list("at", flat=True)[:limit])
        if len(moments) == limit:
            ends.append(moments[-1] + LOCK_SPAN)
    return max(ends, default=None)
