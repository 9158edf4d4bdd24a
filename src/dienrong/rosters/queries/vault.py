"""Reads about the vault that open nothing: what is kept how long, who looked, who consented."""

from __future__ import annotations

import dataclasses
import datetime

from django.db.models import Count, Q, QuerySet

from dienrong.accounts.permissions import Scope
from dienrong.registry.models import School
from dienrong.rosters.models import (
    Consent,
    PersonKind,
    Purpose,
    StaffPlace,
    StudentPlace,
    VaultAccess,
    VaultEntry,
)
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
    if scope.is_national:
        return VaultEntry.objects.all()
    if scope.is_empty:
        return VaultEntry.objects.none()
    return VaultEntry.objects.filter(_of_students(scope) | _of_staff(scope))


def _entries_by_kind(scope: Scope) -> tuple[QuerySet[VaultEntry], ...]:
    """Give the same entries in parts that a database counts quickly: each has its index."""
    if scope.is_national or scope.is_empty:
        return (entries_within(scope),)
    return (VaultEntry.objects.filter(_of_students(scope)), VaultEntry.objects.filter(_of_staff(scope)))


def _of_students(scope: Scope) -> Q:
    """Limit entries to pupils of the scope's schools."""
    places = StudentPlace.objects.filter(within_schools(scope)).order_by()
    return Q(kind=PersonKind.STUDENT, study_id__in=places.values("student_id"))


def _of_staff(scope: Scope) -> Q:
    """Limit entries to the staff of the scope's schools."""
    places = StaffPlace.objects.filter(within_schools(scope)).order_by()
    return Q(kind=PersonKind.STAFF, study_id__in=places.values("staff_id"))


def purposes(scope: Scope, today: datetime.date) -> list[PurposeState]:
    """Give every purpose with the identities kept under it, those past their time, and standing consents."""
    kept: dict[int, tuple[int, int]] = {}  # a purpose has one kind, so no two parts share one
    over = Count("pk", filter=Q(retention_until__lt=today))
    for entries in _entries_by_kind(scope):
        rows = entries.order_by().values_list("purpose").annotate(n_kept=Count("pk"), n_expired=over)
        kept |= {purpose: (n_kept, n_expired) for purpose, n_kept, n_expired in rows}
    found = list(Purpose.objects.all())
    consents: dict[int, int] = {}
    if any(purpose.basis == Purpose.Basis.CONSENT for purpose in found):
        standing = Consent.objects.filter(withdrawn_on__isnull=True)
        if not scope.is_national:
            standing = standing.filter(study_id__in=entries_within(scope).values("study_id"))
        consents = dict(standing.order_by().values_list("purpose").annotate(Count("pk")))
    return [
        PurposeState(
            purpose=purpose,
            n_kept=kept.get(purpose.pk, (0, 0))[0],
            n_expired=kept.get(purpose.pk, (0, 0))[1],
            n_consents=consents.get(purpose.pk, 0),
        )
        for purpose in found
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
