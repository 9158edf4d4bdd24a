"""Who sees which question, contact and telling, and who answers.

A question is read by its own unit and by the units that contain it. It is answered by the staff of the level at which
it stands: the commune of the school, its province, the ministry.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from dienrong.accounts import permissions
from dienrong.accounts.models import UnitKind
from dienrong.followup.queries.access import at_units, below, own_units
from dienrong.support.models import Contact, Question, Telling

ABOVE = {
    UnitKind.SCHOOL: UnitKind.COMMUNE,
    UnitKind.COMMUNE: UnitKind.PROVINCE,
    UnitKind.PROVINCE: UnitKind.NATION,
    UnitKind.NATION: UnitKind.NATION,
}


def questions_of(user: Any) -> QuerySet[Question]:
    """List the questions that a person may read."""
    if not permissions.may(user, "ask_questions"):
        return Question.objects.none()
    scope = permissions.scope_of(user)
    if scope.is_national:
        return Question.objects.all()
    return Question.objects.filter(at_units(own_units(user)) | below(scope))


def answerable_by(user: Any) -> QuerySet[Question]:
    """List the questions that a person may answer: those that stand at the level of the own unit."""
    if not permissions.may(user, "answer_questions"):
        return Question.objects.none()
    scope = permissions.scope_of(user)
    found = Q(pk__in=[])
    if scope.is_national:
        found |= Q(level=UnitKind.NATION)
    if scope.provinces:
        found |= Q(level=UnitKind.PROVINCE, province_code__in=scope.provinces)
    if scope.communes:
        found |= Q(level=UnitKind.COMMUNE, commune_code__in=scope.communes)
    return Question.objects.filter(found)


def is_of_own_unit(user: Any, question: Question) -> bool:
    """Tell whether a person works in the unit that asks."""
    return permissions.may(user, "ask_questions") and (question.unit_kind, question.unit_code) in own_units(
        user
    )


def tellings_of(user: Any) -> QuerySet[Telling]:
    """List what the own unit and the units below told."""
    if not permissions.may(user, "ask_questions"):
        return Telling.objects.none()
    scope = permissions.scope_of(user)
    if scope.is_national:
        return Telling.objects.all()
    return Telling.objects.filter(at_units(own_units(user)) | below(scope))


def contacts_of(user: Any) -> QuerySet[Contact]:
    """List whom a person may reach: the own unit, the units below, those above, and all of the own province's officers.

    Schools see the contacts of their commune, province and the ministry, and their own.
    """
    if not permissions.may(user, "ask_questions"):
        return Contact.objects.none()
    scope = permissions.scope_of(user)
    if scope.is_national:
        return Contact.objects.all()
    found = at_units(own_units(user)) | below(scope) | Q(unit_kind=UnitKind.NATION)
    for row in permissions.assignments_of(user):
        place = permissions.last_place(row)
        if place.province_code:
            found |= Q(unit_kind=UnitKind.PROVINCE, unit_code=place.province_code)
        if place.commune_code:
            found |= Q(unit_kind=UnitKind.COMMUNE, unit_code=place.commune_code)
    return Contact.objects.filter(found)
