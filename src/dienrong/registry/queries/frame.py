"""The frame on a day, read from the database with four queries; the rule itself stands in ``registry/frame.py``."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from django.db.models import QuerySet

from dienrong.registry.frame import Count, FrameRow, Ledger, Transfer
from dienrong.registry.models import (
    AdministrativeUnit,
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
KEYS_A_QUERY = 5000


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
    return _rows(versions, day, school_year, grades, is_part=bool(province_code))


def frame_of(
    schools: Iterable[int], day: date, school_year: str, grades: Collection[int] = ALL_GRADES
) -> list[FrameRow]:
    """Give those rows of ``frame_on`` that are of some schools (primary keys), without reading the rest."""
    versions = SchoolVersion.objects.filter(in_force(day), school__in=list(schools))
    return _rows(versions, day, school_year, grades, is_part=True)


def _rows(
    versions: QuerySet[SchoolVersion], day: date, school_year: str, grades: Collection[int], *, is_part: bool
) -> list[FrameRow]:
    """Write the rows of versions; where these are a part of the nation, read the counts of that part alone."""
    found = list(versions.order_by("code").values_list(*TRAIT_COLUMNS))
    moves = moves_until(day, school_year, grades)
    schools = [values[0] for values in found] if is_part else None
    ledger = Ledger(counts_until(day, school_year, grades, moves.with_origins(schools)), moves.transfers)
    rows = []
    for values in found:
        traits = dict(zip(TRAIT_NAMES, values, strict=True))
        traits["province_code"], traits["commune_code"] = traits.pop("province"), traits.pop("commune")
        rows.append(FrameRow(**traits, **_pupils(ledger, values[0], moves.codes)))
    return rows


def pupils_on(day: date, school_year: str, schools: Iterable[int]) -> dict[int, dict[int, Count]]:
    """Tell the pupils and classes by grade that some schools have on a day, whether or not they are open."""
    schools = list(schools)
    moves = moves_until(day, school_year, ALL_GRADES)
    counts = counts_until(day, school_year, ALL_GRADES, moves.with_origins(schools))
    return held_by(Ledger(counts, moves.transfers), schools)


def held_by(ledger: Ledger, schools: Iterable[int]) -> dict[int, dict[int, Count]]:
    """Tell the counts by grade that schools have by a ledger."""
    found: dict[int, dict[int, Count]] = {}
    for school in schools:
        held = {grade: ledger.holding(school, grade).count for grade in sorted(ledger.grades_of(school))}
        found[school] = {grade: count for grade, count in held.items() if count is not None}
    return found


def newest_school_year(day: date, province: AdministrativeUnit | None = None) -> str:
    """Give the last school year of which something was counted up to a day; empty where nothing was."""
    years = SchoolEnrolment.objects.filter(counted_on__lte=day)
    if province is not None:
        years = years.filter(school__province=province)
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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """The merges and splits up to a day, and the codes of the schools from which pupils came."""

    transfers: tuple[Transfer, ...]
    codes: dict[int, str]

    def with_origins(self, schools: Iterable[int] | None) -> set[int] | None:
        """Add to schools all those that ended in them; None stands for every school."""
        if schools is None:
            return None
        origins: dict[int, set[int]] = {}
        for transfer in self.transfers:
            origins.setdefault(transfer.successor, set()).add(transfer.predecessor)
        found, walking = set(schools), list(schools)
        while walking:
            new = origins.get(walking.pop(), set()) - found
            found |= new
            walking.extend(new)
        return found


def counts_until(
    day: date, school_year: str, grades: Collection[int], schools: set[int] | None = None
) -> dict[int, dict[int, Count]]:
    """Read the newest counts up to a day, of some schools or of all."""
    found = SchoolEnrolment.objects.filter(
        school_year=school_year, grade__in=list(grades), counted_on__lte=day
    ).order_by("counted_on")
    columns = ("school_id", "grade", "n_students", "n_classes", "counted_on")
    counts: dict[int, dict[int, Count]] = {}
    parts = [found] if schools is None else [found.filter(school__in=part) for part in _parts(schools)]
    for part in parts:
        for school, grade, n_students, n_classes, counted_on in part.values_list(*columns).iterator(
            chunk_size=5000
        ):
            counts.setdefault(school, {})[grade] = Count(n_students, n_classes, counted_on)
    return counts


def _parts(keys: set[int]) -> list[list[int]]:
    """Cut keys into parts that every database takes in one question."""
    ordered = sorted(keys)
    return [ordered[start : start + KEYS_A_QUERY] for start in range(0, len(ordered), KEYS_A_QUERY)]


def moves_until(day: date, school_year: str, grades: Collection[int]) -> Moves:
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
    return Moves(transfers=tuple(transfers), codes=codes)
