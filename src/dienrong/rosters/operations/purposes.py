"""Purposes and consents."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.recording import ObjectName
from dienrong.core.refusals import Conflict, Refusal
from dienrong.core.text import clean_text
from dienrong.registry.models import School
from dienrong.rosters import charge, codes, queries
from dienrong.rosters.models import Consent, Purpose, VaultEntry

CHANGEABLE = ("name_vi", "name_en", "basis", "basis_text", "data_categories", "retention_months")


class ConsentStands(Conflict):
    """A consent to this purpose stands already."""

    code = "rosters.consent_stands"


class NoSuchPerson(Refusal):
    """The study id has no place at the school."""

    code = "rosters.no_such_person"


class BadDay(Refusal):
    """A consent is given or withdrawn on a day that cannot be."""

    code = "rosters.bad_day"


@transaction.atomic
def change_purpose(*, purpose: Purpose, by: Any, **values: Any) -> Purpose:
    """Change what is said of a purpose; a new period moves the last day of every identity kept under it.

    Raises
    ------
    NotAllowed
        If the person does not manage the vault of the whole country.
    """
    charge.demand_nation(by, "manage_vault")
    unknown = set(values) - set(CHANGEABLE)
    if unknown:
        raise TypeError(f"a purpose has no {', '.join(sorted(unknown))} to change")
    before = {name: getattr(purpose, name) for name in CHANGEABLE}
    for name, value in values.items():
        setattr(purpose, name, clean_text(value) if isinstance(value, str) else value)
    after = {name: getattr(purpose, name) for name in CHANGEABLE}
    if after == before:
        return purpose
    purpose.save()
    n_moved = _move_last_days(purpose, purpose.retention_months - before["retention_months"])
    record(
        action="rosters.purpose_changed",
        actor=by,
        obj=ObjectName("rosters.purpose", purpose.code, purpose.name_vi),
        before={name: before[name] for name in CHANGEABLE if before[name] != after[name]},
        after={name: after[name] for name in CHANGEABLE if before[name] != after[name]}
        | {"n_moved": n_moved},
    )
    return purpose


@transaction.atomic
def record_consent(
    *,
    study_id: str,
    school: School,
    purpose: Purpose,
    given_by: str,
    given_on: datetime.date,
    evidence: str,
    by: Any,
) -> Consent:
    """Write down that somebody of a school, or a parent, consented to a purpose.

    Raises
    ------
    NotAllowed
        If the person may not change the lists of this school.
    NoSuchPerson
        If the study id has no place at the school.
    BadDay
        If the day lies in the future.
    ConsentStands
        If a consent to the purpose stands already.
    """
    charge.demand_at(by, "change_rosters", school)
    if study_id not in queries.at_school(purpose.kind, school, [study_id]):
        raise NoSuchPerson(_("This person is not on the lists of the school."))
    if given_on > clock.today():
        raise BadDay(_("A consent cannot be given in the future."))
    try:
        with transaction.atomic():
            consent = Consent.objects.create(
                study_id=study_id,
                purpose=purpose,
                given_by=given_by,
                given_on=given_on,
                evidence=clean_text(evidence),
            )
    except IntegrityError as error:
        raise ConsentStands(_("A consent to this purpose stands already.")) from error
    _record_consent("rosters.consent_given", consent, by, {"given_on": given_on, "given_by": given_by})
    return consent


@transaction.atomic
def withdraw_consent(*, consent: Consent, school: School, withdrawn_on: datetime.date, by: Any) -> None:
    """Write down that a consent was withdrawn; an identity that was kept by this consent alone is deleted.

    Raises
    ------
    NotAllowed
        If the person may not change the lists of this school.
    NoSuchPerson
        If the person is not on the lists of the school.
    BadDay
        If the day lies before the consent or in the future.
    """
    charge.demand_at(by, "change_rosters", school)
    if consent.study_id not in queries.at_school(consent.purpose.kind, school, [consent.study_id]):
        raise NoSuchPerson(_("This person is not on the lists of the school."))
    if not consent.given_on <= withdrawn_on <= clock.today():
        raise BadDay(_("The day of withdrawal lies between the consent and today."))
    if not Consent.objects.filter(pk=consent.pk, withdrawn_on__isnull=True).update(withdrawn_on=withdrawn_on):
        raise ConsentStands(_("This consent was withdrawn already."))
    n_deleted = 0
    if consent.purpose.basis == Purpose.Basis.CONSENT:
        entries = VaultEntry.objects.filter(study_id=consent.study_id, purpose_id=consent.purpose_id)
        n_deleted = entries.delete()[0]
    after = {"withdrawn_on": withdrawn_on, "identity_deleted": bool(n_deleted)}
    _record_consent("rosters.consent_withdrawn", consent, by, after)


def _record_consent(action: str, consent: Consent, by: Any, after: dict[str, Any]) -> None:
    """Write the audit entry of a consent."""
    person = ObjectName("rosters.person", consent.study_id, consent.study_id)
    record(action=action, actor=by, obj=person, after={"purpose": consent.purpose.code, **after})


def _move_last_days(purpose: Purpose, months: int) -> int:
    """Move the last day of each identity of a purpose; the days are few, the identities many."""
    if not months:
        return 0
    entries = VaultEntry.objects.filter(purpose=purpose)
    days = sorted(set(entries.order_by().values_list("retention_until", flat=True)), reverse=months > 0)
    # The farthest day moves first, so that no identity is moved twice.
    return sum(
        entries.filter(retention_until=day).update(retention_until=codes.months_later(day, months))
        for day in days
    )
