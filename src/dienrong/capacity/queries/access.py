"""Whom and what a person sees: people by where their posts lie today, trainings and certificates by these."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.accounts.permissions import Scope
from dienrong.capacity.models import Certificate, Level, Person, Posting, Training
from dienrong.capacity.queries import places
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed, SignInFirst
from dienrong.registry.models import AdministrativeUnit, School
from dienrong.registry.queries import in_force
from dienrong.rosters import charge


def scope_of(user: Any, permission: str = "view_capacity") -> Scope:
    """Give the units in which a person holds a permission of this room, as far as an API key leaves them."""
    return charge.scope_with(user, permission)


def people_of(user: Any, permission: str = "view_capacity") -> QuerySet[Person]:
    """List the people whose present post lies in a person's units; those without one by their last post."""
    scope = scope_of(user, permission)
    people = Person.objects.all()
    if scope.is_national:
        return people
    if scope.is_empty:
        return people.none()
    today = clock.today()
    theirs = Posting.objects.filter(person=OuterRef("pk")).order_by()
    mine = theirs.filter(places.within(scope, today))
    present = in_force(today) | Q(valid_from__gt=today)
    return people.filter(Exists(mine.filter(present)) | (~Exists(theirs.filter(present)) & Exists(mine)))


def with_posts(people: QuerySet[Person]) -> QuerySet[Person]:
    """Fetch the posts of today beside people, as ``posts_today``."""
    rows = Posting.objects.filter(in_force(clock.today())).select_related("unit", "school")
    return people.prefetch_related(Prefetch("postings", rows.order_by("kind", "pk"), to_attr="posts_today"))


def may_see(user: Any, person: Person, permission: str = "view_capacity") -> bool:
    """Tell whether somebody of the register is a person's business."""
    return people_of(user, permission).filter(pk=person.pk).exists()


def demand_person(user: Any, person: Person, permission: str) -> None:
    """Refuse whoever has no charge of somebody of the register.

    Raises
    ------
    SignInFirst
        If nobody is signed in.
    NotAllowed
        If the role does not hold the permission, or the person works in no unit in charge.
    """
    permissions.demand(user, permission)
    if not may_see(user, person, permission):
        raise NotAllowed(
            _("This person works in no unit of your charge."), whom_to_ask=permissions.whom_to_ask(user)
        )


def demand_place(
    user: Any, permission: str, *, unit: AdministrativeUnit | None, school: School | None
) -> None:
    """Refuse whoever holds no permission at a place; without unit and school the place is the ministry.

    Raises
    ------
    NotAllowed
        If the place does not lie in the units where the person holds the permission.
    """
    permissions.demand(user, permission)
    scope = scope_of(user, permission)
    if scope.is_national:
        return
    today = clock.today()
    lying = places.NATION
    if school is not None:
        lying = places.schools_on([school.pk], today)[school.pk]
    elif unit is not None:
        lying = places.units_lying_on([unit.pk], today)[unit.pk]
    if (unit is None and school is None) or not places.covers(scope, lying):
        raise NotAllowed(
            _("This belongs to a unit that is not in your charge."), whom_to_ask=permissions.whom_to_ask(user)
        )


def trainings_of(user: Any) -> QuerySet[Training]:
    """List the trainings that a person may know of: those of the ministry, and those of the own province."""
    found = Training.objects.select_related("course", "organizer")
    scope = scope_of(user)
    if scope.is_national:
        return found
    if scope.is_empty:
        return found.none()
    return found.filter(Q(organizer__isnull=True) | Q(organizer__code__in=_provinces_of(user)))


def _provinces_of(user: Any) -> set[str]:
    """Give the codes of the provinces in which a person works, whatever the level of the role."""
    found: set[str] = set()
    for row in permissions.assignments_of(user):
        place = permissions.last_place(row)
        if place.province_code:
            found.add(place.province_code)
    return found


def may_run(user: Any, training: Training) -> bool:
    """Tell whether a person organizes a training: the ministry every one, a province its own."""
    return _holds_at(user, "change_training", training.organizer)


def may_issue(user: Any, training: Training) -> bool:
    """Tell whether a person issues certificates of a training."""
    return _holds_at(user, "issue_certificates", training.organizer)


def _holds_at(user: Any, permission: str, organizer: AdministrativeUnit | None) -> bool:
    """Tell whether a person holds a permission for an organizer."""
    scope = scope_of(user, permission)
    return scope.is_national or (organizer is not None and organizer.code in scope.provinces)


def demand_organizer(user: Any, permission: str, organizer: AdministrativeUnit | None) -> None:
    """Refuse whoever does not act for an organizer.

    Raises
    ------
    SignInFirst
        If nobody is signed in.
    NotAllowed
        If the person does not hold the permission, or for another organizer.
    """
    if _holds_at(user, permission, organizer):
        return
    if not getattr(user, "is_authenticated", False):
        raise SignInFirst(_("Please sign in first."))
    permissions.demand(user, permission)
    raise NotAllowed(
        _("This belongs to another organizer: %(name)s.")
        % {"name": organizer.full_name if organizer is not None else Level.NATION.label},
        whom_to_ask=permissions.whom_to_ask(user),
    )


def certificates_of(user: Any) -> QuerySet[Certificate]:
    """List the certificates of a person's people, and those that the own organizer issued."""
    found = Certificate.objects.select_related("person", "enrolment__training__course", "batch__series")
    scope = scope_of(user)
    if scope.is_national:
        return found
    own = Q(person__in=people_of(user).order_by().values("pk"))
    if scope.provinces:
        own |= Q(batch__training__organizer__code__in=scope.provinces)
    return found.filter(own)
