"""Opening, correcting and deleting identities. Each opening leaves its line; each deletion leaves the rosters."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dienrong.accounts.permissions import Scope
from dienrong.audit.operations import record
from dienrong.core import requests
from dienrong.core.recording import ObjectName
from dienrong.core.refusals import Conflict, Refusal
from dienrong.registry.models import School
from dienrong.rosters import charge, codes, queries, vault
from dienrong.rosters.models import (
    PersonKind,
    Staff,
    Student,
    VaultAccess,
    VaultEntry,
)
from dienrong.rosters.operations.people import tell_schools
from dienrong.rosters.operations.students import EVERYWHERE
from dienrong.rosters.vault import Identity

PURGE_BATCH = 2000


class NoReason(Refusal):
    """Names are opened for a stated reason only."""

    code = "rosters.no_reason"


class NoIdentity(Refusal):
    """The identity was deleted, or is none of this school's."""

    code = "rosters.no_identity"


class NotThePresentSchool(Refusal):
    """The person is at another school now."""

    code = "rosters.not_the_present_school"


class IdentityTaken(Conflict):
    """The number belongs to another person."""

    code = "rosters.identity_taken"


class DeletionReason(models.TextChoices):
    """Why one identity is deleted before its time."""

    REQUEST = "request", gettext_lazy("Request of the person or a parent")
    CONSENT = "consent", gettext_lazy("Consent withdrawn")
    MISTAKE = "mistake", gettext_lazy("Recorded by mistake")


@transaction.atomic
def open_identities(
    *, school: School, kind: str, study_ids: Iterable[str], by: Any, action: str, reason: str
) -> dict[str, Identity]:
    """Open the identities of people of a school; who, when, why and how many is written in the same transaction.

    Raises
    ------
    NotAllowed
        If the person may not see names of this school.
    NoReason
        If the reason is none of the list.
    """
    charge.demand_at(by, "view_identities", school)
    if reason not in VaultAccess.Reason.values:
        raise NoReason(
            _("Names are opened for a stated reason."), hint=_("Choose the reason and open the names again.")
        )
    wanted = queries.at_school(kind, school, study_ids)
    entries = VaultEntry.objects.filter(kind=kind, study_id__in=wanted)
    found = {entry.study_id: vault.identity_of(entry) for entry in entries}
    VaultAccess.objects.create(
        actor=by,
        actor_name=str(by)[:150],
        school=school,
        action=action,
        reason=reason,
        n_entries=len(found),
        request_id=requests.current().reference,
    )
    record(
        action="rosters.names_opened",
        actor=by,
        obj=school,
        after={"what": action, "reason": reason, "n_entries": len(found)},
    )
    return found


@transaction.atomic
def correct_identity(*, study_id: str, school: School, cells: Mapping[str, Any], by: Any) -> None:
    """Correct name, date of birth, sex, personal number or people of somebody at a school.

    ``cells`` are clean, as ``rosters.cells`` reads them; a cell that is absent stays as it is.

    Raises
    ------
    NotAllowed
        If the person may not see and change identities of this school.
    NoIdentity
        If nothing is kept.
    NotThePresentSchool
        If the person is at another school now.
    IdentityTaken
        If the personal number belongs to another person.
    """
    charge.demand_at(by, "view_identities", school)
    charge.demand_at(by, "change_rosters", school)
    entry = _entry_at(study_id, school)
    if school.pk not in queries.present_schools(entry.kind, study_id):
        raise NotThePresentSchool(_("Only the school where this person is now corrects the identity."))
    before = vault.identity_of(entry)
    said = {name: cells[name] for name in vault.IDENTITY_CELLS if name in cells and name != "code"}
    after = dataclasses.replace(before, **said)
    entry.sealed = vault.seal(study_id, after)
    entry.personal_id_digest = vault.personal_id_digest(entry.kind, after.personal_id)
    try:
        with transaction.atomic():
            entry.save(update_fields=["sealed", "personal_id_digest"])
    except IntegrityError as error:
        raise IdentityTaken(
            _("This personal number belongs to another person on the lists."),
            hint=_("Check the number and the code on the papers of both."),
        ) from error
    _correct_traits(entry.kind, study_id, after, cells)
    tell_schools([school.pk])
    changed = [name for name in said if getattr(before, name) != said[name]]
    record(
        action="rosters.identity_corrected",
        actor=by,
        obj=ObjectName("rosters.person", study_id, study_id),
        after={"cells": sorted({*changed, *(["sex"] if "sex" in cells else [])})},
    )


@transaction.atomic
def delete_identity(*, study_id: str, school: School, reason: str, by: Any) -> None:
    """Delete the identity behind a study id; every row of the rosters and every result stays.

    Raises
    ------
    NotAllowed
        If the person does not manage the vault of this school.
    NoReason
        If the reason is none of the list.
    NoIdentity
        If nothing is kept.
    """
    charge.demand_at(by, "manage_vault", school)
    if reason not in DeletionReason.values:
        raise NoReason(_("Choose why the identity is deleted."))
    entry = _entry_at(study_id, school)
    purpose = entry.purpose.code
    entry.delete()
    record(
        action="rosters.identity_deleted",
        actor=by,
        obj=ObjectName("rosters.person", study_id, study_id),
        before={"purpose": purpose},
        after={"reason": reason},
    )


def purge_expired(
    today: datetime.date,
    *,
    by: Any | None = None,
    scope: Scope = EVERYWHERE,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Delete the identities whose time is over, batch by batch, each with its audit entry.

    Parameters
    ----------
    today : datetime.date
        An identity is kept up to and including its last day.
    by : User or None
        Who asked; None is the system.
    scope : Scope
        Whose identities; everywhere by default.
    progress : callable, optional
        Called with (deleted, total) after each batch.

    Returns
    -------
    int
        How many were deleted. Rosters and results keep every row.
    """
    over = queries.entries_within(scope).filter(retention_until__lt=today)
    total, deleted = over.count(), 0
    while True:
        with transaction.atomic():
            batch = list(over.order_by("pk").values_list("pk", "purpose__code")[:PURGE_BATCH])
            if not batch:
                return deleted
            VaultEntry.objects.filter(pk__in=[key for key, _code in batch]).delete()
            counts = {code: sum(other == code for _key, other in batch) for _key, code in batch}
            record(
                action="rosters.vault_purged",
                actor=by,
                obj=ObjectName("rosters.vault", today.isoformat(), ""),
                after={"n_deleted": counts, "kept_until_before": today},
            )
        deleted += len(batch)
        if progress is not None:
            progress(deleted, max(total, deleted))


def _entry_at(study_id: str, school: School) -> VaultEntry:
    """Find the entry of a person who has a place at a school."""
    entry = VaultEntry.objects.select_for_update().filter(study_id=study_id).first()
    if entry is None or study_id not in queries.at_school(entry.kind, school, [study_id]):
        raise NoIdentity(
            _("No identity is kept behind this study id."),
            hint=_("It was deleted when its time was over or on request; the lists keep the study id."),
        )
    return entry


def _correct_traits(kind: str, study_id: str, identity: Identity, cells: Mapping[str, Any]) -> None:
    """Bring the open traits in line with the identity."""
    year, month = (int(part) for part in identity.birth_date.split("-")[:2])
    traits: dict[str, Any] = {"birth_year": year}
    if "sex" in cells:
        traits["sex"] = cells["sex"]
    if kind == PersonKind.STAFF:
        Staff.objects.filter(study_id=study_id).update(**traits)
        return
    traits["birth_month"] = month
    if identity.ethnicity:
        traits["is_minority"] = codes.is_minority(identity.ethnicity)
    Student.objects.filter(study_id=study_id).update(**traits)
