"""What became of schools: old codes, predecessors, successors, events; certificates and trends follow these."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import Prefetch, Q, QuerySet

from dienrong.core import clock
from dienrong.registry.models import MergerBatch, School, SchoolEvent, SchoolSuccession, SchoolVersion
from dienrong.registry.queries.units import in_force

MOVING = (SchoolEvent.Kind.MERGE, SchoolEvent.Kind.SPLIT)


def school_by_code(code: str, day: date | None = None) -> School | None:
    """Find a school by a code that it has or once had.

    Parameters
    ----------
    code : str
        The code.
    day : date, optional
        The day on which the school had it. Without a day the school that has it now is meant, else the one that
        had it last.
    """
    found = SchoolVersion.objects.filter(code=code)
    if day is not None:
        found = found.filter(in_force(day))
    else:
        school = School.objects.select_related("commune", "province").filter(school_id=code).first()
        if school is not None:
            return school
    version = found.select_related("school__commune", "school__province").order_by("-valid_from").first()
    return version.school if version is not None else None


def former_codes(codes: Iterable[str]) -> dict[str, str]:
    """Tell of codes that no school has now to which present code their school came."""
    rows = SchoolVersion.objects.filter(code__in=list(codes)).order_by("valid_from")
    return {old: now for old, now in rows.values_list("code", "school__school_id") if old != now}


def accepted_for(schools: Iterable[int]) -> dict[int, tuple[date, str]]:
    """Tell of schools (keys) that stand in an accepted batch of a later day that day and the batch's title."""
    keys = list(schools)
    if not keys:
        return {}
    found: dict[int, tuple[date, str]] = {}
    rows = SchoolSuccession.objects.filter(
        Q(predecessor__in=keys) | Q(successor__in=keys),
        event__state=SchoolEvent.State.APPLIED,
        event__batch__state=MergerBatch.State.ACCEPTED,
    ).order_by()
    columns = ("predecessor_id", "successor_id", "event__on_date", "event__batch__title")
    wanted = set(keys)
    for before, after, day, title in rows.values_list(*columns):
        found.update({key: (day, title) for key in (before, after) if key in wanted})
    return found


def coming_events(school: School) -> QuerySet[SchoolEvent]:
    """List what is to happen to a school by accepted batches, the first first."""
    taking_part = Q(successions__predecessor=school) | Q(successions__successor=school)
    return (
        SchoolEvent.objects.filter(
            taking_part, state=SchoolEvent.State.APPLIED, batch__state=MergerBatch.State.ACCEPTED
        )
        .distinct()
        .select_related("batch")
        .order_by("on_date", "pk")
    )


def _moves() -> QuerySet[SchoolSuccession]:
    """List what applied merges and splits made of schools."""
    return SchoolSuccession.objects.filter(
        event__state=SchoolEvent.State.APPLIED, event__kind__in=MOVING
    ).select_related(
        "event",
        "predecessor__commune",
        "predecessor__province",
        "successor__commune",
        "successor__province",
    )


def predecessors_of(school: School) -> list[SchoolSuccession]:
    """List the schools that ended, whole or in part, in a school, first to last; itself left out."""
    found = _moves().filter(successor=school, predecessor__isnull=False).exclude(predecessor=school)
    return list(found.order_by("event__on_date", "event_id", "predecessor__school_id"))


def successors_of(school: School) -> list[SchoolSuccession]:
    """List the schools in which a school lives on, whole or in part, first to last; itself left out."""
    found = _moves().filter(predecessor=school, successor__isnull=False).exclude(successor=school)
    return list(found.order_by("event__on_date", "event_id", "successor__school_id"))


def present_successors_of_school(school: School, day: date | None = None) -> list[School]:
    """List the schools, open on a day (today), in which a school lives on: itself while it is open.

    As many queries as generations.
    """
    day = day or clock.today()
    found: dict[int, School] = {}
    seen = {school.pk}
    walking = [school]
    while walking:
        open_keys = set(
            SchoolVersion.objects.filter(in_force(day), school__in=walking).values_list(
                "school_id", flat=True
            )
        )
        found.update({reached.pk: reached for reached in walking if reached.pk in open_keys})
        ended = [reached for reached in walking if reached.pk not in open_keys]
        moves = (
            _moves().filter(predecessor__in=ended, successor__isnull=False, event__on_date__lte=day)
            if ended
            else ()
        )
        onward = {move.successor.pk: move.successor for move in moves if move.successor.pk not in seen}
        seen |= set(onward)
        walking = list(onward.values())
    return sorted(found.values(), key=lambda reached: reached.school_id)


def events_of(school: School) -> QuerySet[SchoolEvent]:
    """List what happened to a school, the last first, undone things included, with all who took part."""
    parts = SchoolSuccession.objects.select_related("predecessor", "successor")
    return (
        SchoolEvent.objects.filter(Q(successions__predecessor=school) | Q(successions__successor=school))
        .distinct()
        .select_related("batch", "recorded_by")
        .prefetch_related(Prefetch("successions", queryset=parts))
        .order_by("-on_date", "-pk")
    )


def school_versions(school: School) -> QuerySet[SchoolVersion]:
    """List what a school was, the last first."""
    return school.versions.select_related("commune", "province", "event").order_by("-valid_from")
