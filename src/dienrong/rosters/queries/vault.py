"""Reads about the vault that open nothing: what is kept how long, who looked, who consented."""

from __future__ import annotations

import dataclasses
import datetime

from django.db.models import Count, Q, QuerySet

from dienrong.accounts.permissions import Scope
from dienrong.registry.models import School
from dienrong.rosters.models import Consent, Purpose, StaffPlace, StudentPlace, VaultAccess, VaultEntry
from dienrong.rosters.queries.people import within_schools


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PurposeState:
    """A purpose with what is kept under it in a scope."""

    purpose: Purpose
    n_kept: int
    n_expired: int
    n_consents: int


def entries_within(scope: Scope) -> QuerySet[VaultEntry]:
    """Give the entries of people who have a place at a school of the scope."""
    entries = VaultEntry.objects.all()
    if scope.is_national:
        return entries
    if scope.is_empty:
        return entries.none()
    students = StudentPlace.objects.filter(within_schools(scope)).values("student_id")
    staff = StaffPlace.objects.filter(within_schools(scope)).values("staff_id")
    return entries.filter(Q(study_id__in=students) | Q(study_id__in=staff))


def purposes(scope: Scope, today: datetime.date) -> list[PurposeState]:
    """Give every purpose with the identities kept under it, those past their time, and standing consents."""
    entries = entries_within(scope)
    kept = dict(entries.order_by().values_list("purpose").annotate(Count("pk")))
    over = entries.filter(retention_until__lt=today)
    expired = dict(over.order_by().values_list("purpose").annotate(Count("pk")))
    standing = Consent.objects.filter(withdrawn_on__isnull=True)
    if not scope.is_national:
        standing = standing.filter(study_id__in=entries.values("study_id"))
    consents = dict(standing.order_by().values_list("purpose").annotate(Count("pk")))
    return [
        PurposeState(
            purpose=purpose,
            n_kept=kept.get(purpose.pk, 0),
            n_expired=expired.get(purpose.pk, 0),
            n_consents=consents.get(purpose.pk, 0),
        )
        for purpose in Purpose.objects.all()
    ]


def accesses_in(scope: Scope) -> QuerySet[VaultAccess]:
    """List who opened names of schools of a scope, the newest first."""
    accesses = VaultAccess.objects.select_related("school")
    if scope.is_national:
        return accesses
    return accesses.none() if scope.is_empty else accesses.filter(within_schools(scope))


def accesses_of(school: School) -> QuerySet[VaultAccess]:
    """List who opened names of a school, the newest first."""
    return VaultAccess.objects.filter(school=school).select_related("school")


def entry_of(study_id: str) -> VaultEntry | None:
    """Give the entry of a person, still sealed; None where it was deleted."""
    return VaultEntry.objects.select_related("purpose").filter(study_id=study_id).first()


def consents_of(study_id: str) -> QuerySet[Consent]:
    """List the consents of a person, the newest first."""
    return Consent.objects.filter(study_id=study_id).select_related("purpose")


def consent_purposes(kind: str) -> list[Purpose]:
    """List the purposes that rest on consent."""
    return list(Purpose.objects.filter(kind=kind, basis=Purpose.Basis.CONSENT))
