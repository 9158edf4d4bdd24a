"""The frame on a day, read from the database with four queries; the rule itself stands in ``registry/frame.py``."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from dienrong.registry.frame import Count, FrameRow, Ledger, Transfer
from dienrong.registry.models import (
    SchoolEnrolment,
    SchoolEvent,
    SchoolSuccession,
    SchoolVersion,
    SuccessionCount,
)
from dienrong.registry.queries.units import in_force

TRAIT_COLUMNS = (
    "school_id",
    "code",
    "name",
    "kind",
    "levels",
    "province__code",
    "commune__code",
    "area",
    "sector",
    "managed_by",
    "is_disadvantaged",
    "is_border",
    "boarding",
)
TRAIT_NAMES = ("school_key", "school_id", *(name.removesuffix("__code") for name in TRAIT_COLUMNS[2:]))
ALL_GRADES = tuple(range(13))


def frame_on(
    day: date, school_year: str, grades: Collection[int] = ALL_GRADES, *, province_code: str = ""
) -> list[FrameRow]:
    """List the schools open on a day with traits and pupils of that day, each pupil counted once.

    Parameters
    ----------
    day : date
        The day that is asked for.
    school_year : str
        The school year of the counts, such as ``"2026-2027"``.
    grades : collection of int
        The grades to count, 0 to 12.
    province_code : str, optional
        A province to which the frame is limited.

    Returns
    -------
    list of FrameRow
        In the order of the codes; a school without pupils of these grades is a row without counts.
    """
    versions = SchoolVersion.objects.filter(in_force(day))
    if province_code:
        versions = versions.filter(province__code=province_code)
    ledger, codes = _ledger(day, school_year, grades)
    rows = []
    for values in versions.order_by("code").values_list(*TRAIT_COLUMNS).iterator(chunk_size=5000):
        traits = dict(zip(TRAIT_NAMES, values, strict=True))
        traits["province_code"], traits["commune_code"] = traits.pop("province"), traits.pop("commune")
        rows.append(FrameRow(**traits, **_pupils(ledger, values[0], codes)))
    return rows


def pupils_on(day: date, school_year: str, schools: Iterable[int]) -> dict[int, dict[int, Count]]:
    """Tell the pupils and classes by grade that some schools have on a day, whether or not they are open."""
    ledger, _codes = _ledger(day, school_year, ALL_GRADES)
    found: dict[int, dict[int, Count]] = {}
    for school in schools:
        held = {grade: ledger.holding(school, grade).count for grade in sorted(ledger.grades_of(school))}
        found[school] = {grade: count for grade, count in held.items() if count is not None}
    return found


def newest_school_year(day: date) -> str:
    """Give the last school year of which something was counted up to a day; empty where nothing was."""
    years = SchoolEnrolment.objects.filter(counted_on__lte=day)
    return years.order_by("-school_year").values_list("school_year", flat=True).first() or ""


def _pupils(ledger: Ledger, school: int, codes: dict[int, str]) -> dict[str, Any]:
    """Give the counts of a frame row."""
    held = {grade: ledger.holding(school, grade) for grade in sorted(ledger.grades_of(school))}
    counts = {grade: holding.count for grade, holding in held.items() if holding.count is not None}
    joined = {key for holding in held.values() for key in holding.joined}
    return {
        "n_students": {grade: count.n_students for grade, count in counts.items()},
        "n_classes": {grade: count.n_classes for grade, count in counts.items()},
        "joined": tuple(sorted(codes[key] for key in joined)),
        "counted_on": max((count.counted_on for count in counts.values()), default=None),
    }


def _ledger(day: date, school_year: str, grades: Collection[int]) -> tuple[Ledger, dict[int, str]]:
    """Read counts and transfers up to a day; give the codes of the predecessors beside them."""
    counts: dict[int, dict[int, Count]] = {}
    found = SchoolEnrolment.objects.filter(
        school_year=school_year, grade__in=list(grades), counted_on__lte=day
    ).order_by("counted_on")
    columns = ("school_id", "grade", "n_students", "n_classes", "counted_on")
    for school, grade, n_students, n_classes, counted_on in found.values_list(*columns).iterator(
        chunk_size=5000
    ):
        counts.setdefault(school, {})[grade] = Count(n_students, n_classes, counted_on)
    transfers, codes = _transfers(day, school_year, grades)
    return Ledger(counts, transfers), codes


def _transfers(day: date, school_year: str, grades: Collection[int]) -> tuple[list[Transfer], dict[int, str]]:
    """Read the merges and splits up to a day in their order."""
    moving = (SchoolEvent.Kind.MERGE, SchoolEvent.Kind.SPLIT)
    within = {
        "event__state": SchoolEvent.State.APPLIED,
        "event__kind__in": moving,
        "event__on_date__lte": day,
        "predecessor__isnull": False,
        "successor__isnull": False,
    }
    shares: dict[int, dict[int, tuple[int, int]]] = {}
    divided = set()
    counted = SuccessionCount.objects.filter(
        **{f"succession__{name}": value for name, value in within.items()},
        school_year=school_year,
        grade__in=list(grades),
    )
    shared = ("succession__event_id", "succession_id", "grade", "n_students", "n_classes")
    for event, succession, grade, n_students, n_classes in counted.values_list(*shared):
        divided.add(event)
        shares.setdefault(succession, {})[grade] = (n_students, n_classes)
    columns = ("pk", "event_id", "event__on_date", "event__kind", "predecessor_id", "successor_id")
    rows = SchoolSuccession.objects.filter(**within).order_by("event__on_date", "event_id")
    transfers, codes, places = [], {}, {}
    for pk, event, on_date, kind, predecessor, successor, code in rows.values_list(
        *columns, "predecessor__school_id"
    ):
        codes[predecessor] = code
        if kind == SchoolEvent.Kind.MERGE and predecessor == successor:
            continue
        if kind == SchoolEvent.Kind.SPLIT and event not in divided:
            continue
        transfers.append(
            Transfer(
                order=places.setdefault(event, len(places)),
                on_date=on_date,
                kind=kind,
                predecessor=predecessor,
                successor=successor,
                shares=shares.get(pk, {}),
            )
        )
    return transfers, codes
