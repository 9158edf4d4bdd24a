"""Events are taken back here, one or a whole batch, as long as nothing later was built upon them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError, Q
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.registry.models import (
    School,
    SchoolEnrolment,
    SchoolEvent,
    SchoolSite,
    SchoolSuccession,
    SchoolVersion,
)
from dienrong.registry.operations.applying import CHUNK, demand_scope, move_people
from dienrong.registry.operations.refusals import CodeTaken, SomethingDepends
from dienrong.registry.signals import schools_changed
from dienrong.registry.versions import LIVE_FIELDS, return_to

NAMED = 5
MOVING_PUPILS = (SchoolEvent.Kind.OPEN, SchoolEvent.Kind.MERGE, SchoolEvent.Kind.SPLIT)


@transaction.atomic
def undo_event(*, event: SchoolEvent, by: Any | None) -> SchoolEvent:
    """Take back one event; the schools are again what they were on the day before.

    Raises
    ------
    SomethingDepends
        If it was undone already, belongs to a batch, or something later was built upon it.
    """
    event = SchoolEvent.objects.select_for_update().get(pk=event.pk)
    if event.batch_id is not None:
        raise SomethingDepends(
            _("This belongs to a batch of mergers, which is undone as one."),
            hint=_("Open the batch and undo it there."),
        )
    demand_scope(by, schools_of([event]))
    codes = take_back([event])
    _refuse_gone_places([event])
    record(
        action="registry.event_undone",
        actor=by,
        obj=event,
        before={"kind": event.kind, "on_date": event.on_date, "schools": codes},
    )
    event.refresh_from_db()
    return event


def _refuse_gone_places(events: Sequence[SchoolEvent]) -> None:
    """Refuse to bring schools back into a commune that has ended, or that belongs to another province now."""
    for school in schools_of(events):
        commune = school.commune
        if commune.valid_to is not None or commune.parent_id != school.province_id:
            raise SomethingDepends(
                _("School %(code)s followed its commune, which was changed by a decision of its own.")
                % {"code": school.school_id},
                hint=_("Place the school by a new decision instead."),
            )


def schools_of(events: Iterable[SchoolEvent]) -> list[School]:
    """List the schools that took part in events."""
    keys = [event.pk for event in events]
    taking_part = Q(successions_forward__event__in=keys) | Q(successions_back__event__in=keys)
    return list(
        School.objects.filter(taking_part)
        .select_related("commune", "province")
        .distinct()
        .order_by("school_id")
    )


def take_back(events: Sequence[SchoolEvent]) -> list[str]:
    """Undo events together and give the codes of the schools that took part; the caller writes the audit entry.

    Invariant: afterwards every school that took part is what its last version before the events says, and the
    schools that the events made are gone.

    Raises
    ------
    SomethingDepends
        If an event is not applied, or something later was built upon one of them; nothing is changed.
    CodeTaken
        If an old code was given to another school meanwhile.
    """
    keys = {event.pk for event in events}
    if any(event.state != SchoolEvent.State.APPLIED for event in events):
        raise SomethingDepends(_("This was undone already."), hint=_("Reload the page."))
    schools = schools_of(events)
    made = _made_by(schools, keys)
    _refuse_what_depends(events, schools, made)
    remaining = [school for school in schools if school.pk not in made]
    codes = [school.school_id for school in schools]
    SchoolVersion.objects.filter(event__in=keys).delete()
    _reopen(remaining, events)
    _remove([school for school in schools if school.pk in made], keys)
    SchoolEvent.objects.filter(pk__in=keys).update(state=SchoolEvent.State.UNDONE)
    schools_changed.send(sender=SchoolEvent, school_keys=sorted(school.pk for school in remaining))
    return codes


def _made_by(schools: list[School], keys: set[int]) -> set[int]:
    """Give the schools that exist by these events alone: no version comes from anywhere else."""
    others = SchoolVersion.objects.filter(school__in=schools).exclude(event__in=keys)
    return {school.pk for school in schools} - set(others.values_list("school_id", flat=True))


def _refuse_what_depends(events: Sequence[SchoolEvent], schools: list[School], made: set[int]) -> None:
    """Refuse where a later event, version, count or site was built upon the events."""
    keys = {event.pk for event in events}
    reasons = [
        *_later_events(schools, keys, events),
        *_later_versions(schools, keys, events),
        *_later_counts(schools, events),
        *_sites(made),
    ]
    if reasons:
        raise SomethingDepends(
            _("This cannot be undone: %(reasons)s.") % {"reasons": "; ".join(dict.fromkeys(reasons))},
            hint=_("Undo what came later first, or record a new event."),
        )


def _later_events(schools: list[School], keys: set[int], events: Sequence[SchoolEvent]) -> list[str]:
    """Name schools to which something happened afterwards."""
    first = min(events, key=lambda event: (event.on_date, event.pk))
    taking_part = Q(predecessor__in=schools) | Q(successor__in=schools)
    after = Q(event__on_date__gt=first.on_date) | Q(event__on_date=first.on_date, event__gt=first.pk)
    later = (
        SchoolSuccession.objects.filter(taking_part, after, event__state=SchoolEvent.State.APPLIED)
        .exclude(event__in=keys)
        .values_list("predecessor__school_id", "successor__school_id")
    )
    mine = {school.school_id for school in schools}
    codes = sorted({code for pair in later for code in pair if code in mine})
    return [_("something happened later to %(codes)s") % {"codes": _few(codes)}] if codes else []


def _later_versions(schools: list[School], keys: set[int], events: Sequence[SchoolEvent]) -> list[str]:
    """Name schools whose traits were changed afterwards."""
    last = max(event.on_date for event in events)
    later = SchoolVersion.objects.filter(school__in=schools, valid_from__gte=last)
    codes = sorted({version.code for version in later if version.event_id not in keys})
    return [_("the data of %(codes)s were changed later") % {"codes": _few(codes)}] if codes else []


def _later_counts(schools: list[School], events: Sequence[SchoolEvent]) -> list[str]:
    """Name successors that were counted since the events were written down."""
    since = min(event.recorded_at for event in events)
    successors = SchoolSuccession.objects.filter(
        event__in=events, event__kind__in=MOVING_PUPILS, successor__isnull=False
    )
    counted = SchoolEnrolment.objects.filter(
        school__in=successors.values("successor"),
        recorded_at__gt=since,
        counted_on__gte=min(event.on_date for event in events),
    )
    codes = sorted(set(counted.values_list("school__school_id", flat=True)))
    return [_("pupils of %(codes)s were counted since") % {"codes": _few(codes)}] if codes else []


def _sites(made: set[int]) -> list[str]:
    """Name new schools that have sites."""
    sites = SchoolSite.objects.filter(school__in=made)
    codes = sorted(set(sites.values_list("school__school_id", flat=True)))
    return [_("%(codes)s have sites of their own") % {"codes": _few(codes)}] if codes else []


def _reopen(schools: list[School], events: Sequence[SchoolEvent]) -> None:
    """Let the versions before the events hold again, and the schools be what they say."""
    days = {event.on_date for event in events}
    SchoolVersion.objects.filter(school__in=schools, valid_to__in=days).update(valid_to=None)
    last = {
        version.school_id: version
        for version in SchoolVersion.objects.filter(school__in=schools, valid_to__isnull=True).order_by()
    }
    back = {last[school.pk].code: school.pk for school in schools}
    taken = School.objects.filter(school_id__in=back).exclude(pk__in=[school.pk for school in schools])
    codes = sorted(taken.values_list("school_id", flat=True))
    if codes:
        raise CodeTaken(
            _("The old codes %(codes)s belong to other schools now.") % {"codes": _few(codes)},
            hint=_("Give those schools other codes first."),
        )
    moved = [(school.school_id, school.commune_id, school) for school in schools]
    for school in schools:
        return_to(school, last[school.pk])
        school.is_open, school.closed_date = True, None
    School.objects.bulk_update(schools, LIVE_FIELDS, batch_size=CHUNK)
    move_people(moved)


def _remove(schools: list[School], keys: set[int]) -> None:
    """Remove the schools that the events made."""
    gone = [school.pk for school in schools]
    # The rows of undone events stay, and forget the school that is gone.
    undone = SchoolSuccession.objects.filter(Q(event__state=SchoolEvent.State.UNDONE) | Q(event__in=keys))
    undone.filter(predecessor__in=gone).delete()
    undone.filter(successor__in=gone, predecessor__isnull=True).delete()
    undone.filter(successor__in=gone).update(successor=None)
    remove_schools(gone)


def remove_schools(gone: Sequence[int]) -> None:
    """Remove schools that have no history of their own; refuse where another room holds rows of theirs.

    Raises
    ------
    SomethingDepends
        If rows of another room would be left without their school.
    """
    try:
        with transaction.atomic():
            School.objects.filter(pk__in=gone).delete()
    except ProtectedError as error:
        kinds = sorted({str(row._meta.verbose_name) for row in error.protected_objects})
        raise SomethingDepends(
            _("This cannot be undone: the new schools have %(kinds)s.") % {"kinds": ", ".join(kinds)},
            hint=_("Undo what came later first, or record a new event."),
        ) from error


def _few(codes: list[str]) -> str:
    """Name the first codes and say how many more there are."""
    named = ", ".join(codes[:NAMED])
    rest = len(codes) - NAMED
    return named if rest <= 0 else _("%(codes)s and %(n)d more") % {"codes": named, "n": rest}
