"""Counting people by an indicator, a unit and a day; docs/algorithms/counting_people.md is the prose of this module."""

from __future__ import annotations

import dataclasses
import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from dienrong.capacity import ports
from dienrong.capacity.indicators import VERSION, Indicator, indicator_of
from dienrong.capacity.models import Certificate, Enrolment, Kind, Level, Posting
from dienrong.capacity.queries import places
from dienrong.capacity.queries.places import Place
from dienrong.core.refusals import Refusal
from dienrong.registry.models import AdministrativeUnit, School
from dienrong.registry.queries import in_force
from dienrong.rosters import codes
from dienrong.rosters.models import StaffPlace

LIST_ROLES = {Kind.TEACHER: StaffPlace.Role.TEACHER, Kind.MANAGER: StaffPlace.Role.MANAGER}


class CannotCount(Refusal):
    """A number cannot be given, and none is made up."""

    code = "capacity.cannot_count"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The counts of an indicator for one unit on one day, and who stands behind them.

    Parameters
    ----------
    indicator : Indicator
        The definition that was used.
    day : datetime.date
        The day asked about.
    people, counted : frozenset of int
        Keys of the people of the register in the denominator, and of those who count.
    trained_only, certified_twice, revoked : frozenset of int
        Of the people: trained without a certificate in force; with several in force; with one revoked by the day.
    n_listed_beyond : int
        People whom staff lists show beyond the register; part of the denominator where the definition says so.
    n_undecided : int
        People whose school was divided and whose post nobody has decided; they count at what is certain.
    """

    indicator: Indicator
    day: datetime.date
    people: frozenset[int]
    counted: frozenset[int]
    trained_only: frozenset[int]
    certified_twice: frozenset[int]
    revoked: frozenset[int]
    n_listed_beyond: int
    n_undecided: int
    version: str = VERSION

    @property
    def n_people(self) -> int:
        """The denominator."""
        extra = self.n_listed_beyond if self.indicator.denominator == "staff_lists" else 0
        return len(self.people) + extra

    @property
    def n_counted(self) -> int:
        """The numerator."""
        return len(self.counted)

    @property
    def share(self) -> float | None:
        """Numerator over denominator, between 0 and 1; None where nobody is in the denominator."""
        return self.n_counted / self.n_people if self.n_people else None

    @property
    def missing(self) -> frozenset[int]:
        """Keys of the people of the register who do not count yet."""
        return self.people - self.counted

    def n_to_reach(self, target: float) -> int:
        """Give how many more people must count to reach a target share between 0 and 1; 0 where it is reached.

        The least n with (counted + n) / people >= target, in exact arithmetic of fractions.
        """
        from fractions import Fraction
        from math import ceil

        wanted = ceil(Fraction(str(target)) * self.n_people)
        return max(0, wanted - self.n_counted)


@dataclasses.dataclass(frozen=True, slots=True)
class _Row:
    """One post in the denominator of the whole country."""

    person: int
    kind: str
    place: Place | None
    is_undecided: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What one indicator needs of one day for every unit: posts, merits and staff lists, read once."""

    indicator: Indicator
    day: datetime.date
    rows: tuple[_Row, ...]
    merits: Merits
    listed: Mapping[int, int]
    school_places: Mapping[int, Place]

    def counts(self, unit: AdministrativeUnit | School | None = None) -> Counts:
        """Count for one unit or school of the day; None is the whole country."""
        rows = [row for row in self.rows if _lies_in(row.place, unit)]
        people = frozenset(row.person for row in rows)
        by_school: dict[int, set[int]] = defaultdict(set)
        for row in rows:
            if row.place is not None and row.place.school is not None:
                by_school[row.place.school].add(row.person)
        beyond = sum(
            max(0, n - len(by_school.get(school, ())))
            for school, n in self.listed.items()
            if _lies_in(self.school_places[school], unit)
        )
        merits = self.merits
        counted = merits.certified if self.indicator.measure == "certified" else merits.trained
        return Counts(
            indicator=self.indicator,
            day=self.day,
            people=people,
            counted=people & counted,
            trained_only=people & (merits.trained - merits.certified),
            certified_twice=people & merits.certified_twice,
            revoked=people & merits.revoked,
            n_listed_beyond=beyond,
            n_undecided=len({row.person for row in rows if row.is_undecided}),
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Merits:
    """Who, of everybody, is trained or certified by an indicator's period and topics on its day."""

    trained: frozenset[int]
    certified: frozenset[int]
    certified_twice: frozenset[int]
    revoked: frozenset[int]


def counts(
    indicator: Indicator | str, unit: AdministrativeUnit | School | None, day: datetime.date
) -> Counts:
    """Count people by an indicator in a unit as of a day.

    Parameters
    ----------
    indicator : Indicator or str
        The definition, or the name of one of ``indicators.INDICATORS``.
    unit : AdministrativeUnit, School or None
        A province, a commune or a school of that day; None is the whole country.
    day : datetime.date
        Posts, places, trainings and certificates count as they stood at the end of this day.

    Returns
    -------
    Counts
        Numerator, denominator, and the people behind both.

    Raises
    ------
    UnknownIndicator
        If no indicator has this name.
    CannotCount
        If the indicator asks which schools take part and no room tells.
    """
    return collect(indicator, day).counts(unit)


def counts_by_province(indicator: Indicator | str, day: datetime.date) -> dict[str, Counts]:
    """Count by province of the day, by code; what is read is read once for all of them."""
    collected = collect(indicator, day)
    units = AdministrativeUnit.objects.filter(in_force(day), level=AdministrativeUnit.Level.PROVINCE)
    return {unit.code: collected.counts(unit) for unit in units.order_by("code")}


def collect(indicator: Indicator | str, day: datetime.date) -> Collected:
    """Read everything that an indicator needs of a day."""
    definition = indicator_of(indicator) if isinstance(indicator, str) else indicator
    first = datetime.date(day.year, 1, 1)
    chosen = _participating(definition, day)
    posts = Posting.objects.filter(in_force(day), kind__in=definition.kinds, level__in=definition.levels)
    columns = ("pk", "level", "unit_id", "school_id", "person_id", "kind")
    raw = list(posts.order_by().values_list(*columns))
    lying = places.lying_of_rows([row[:4] for row in raw], day)
    rows = []
    for key, level, _unit, _school, person, kind in raw:
        here = lying[key]
        if level == Level.SCHOOL and not _counts_school(definition, here.places, chosen):
            continue
        rows.append(_Row(person, kind, here.sure, here.is_divided))
    listed, school_places = _listed(definition, day, chosen)
    return Collected(
        indicator=definition,
        day=day,
        rows=tuple(rows),
        merits=_merits(definition, first, day),
        listed=listed,
        school_places=school_places,
    )


def _participating(indicator: Indicator, day: datetime.date) -> set[int] | None:
    """Give the schools (of the day) that take part in the calendar year; None where every school counts."""
    if not indicator.only_participating or Level.SCHOOL not in indicator.levels:
        return None
    told = ports.participating_schools(datetime.date(day.year, 1, 1), day)
    if told is None:
        raise CannotCount(
            _("Which schools take part in assessments is not known here."),
            hint=_("Start the fieldwork of a drawn sample, or choose an indicator over all schools."),
        )
    lying = places.schools_on(told, day)
    return {one.school for here in lying.values() for one in here.places if one.school is not None}


def _counts_school(indicator: Indicator, found: Iterable[Place], chosen: set[int] | None) -> bool:
    """Tell whether a post at a school counts: one of its places is of a kind that counts, and takes part."""
    return any(
        indicator.counts_school_kind(one.school_kind) and (chosen is None or one.school in chosen)
        for one in found
    )


def _lies_in(place: Place | None, unit: AdministrativeUnit | School | None) -> bool:
    """Tell whether a place lies in a unit or school; everything lies in the country, also what is nowhere else."""
    if unit is None:
        return True
    if place is None:
        return False
    if isinstance(unit, School):
        return place.school == unit.pk
    if unit.level == AdministrativeUnit.Level.PROVINCE:
        return place.province == unit.pk
    return place.commune == unit.pk


def _merits(indicator: Indicator, first: datetime.date, day: datetime.date) -> Merits:
    """Read who is trained and who is certified; the calendar year begins on ``first``."""
    since = first if indicator.period == "year" else datetime.date.min
    done = Enrolment.objects.filter(state=Enrolment.State.COMPLETED, completed_on__range=(since, day))
    given = Certificate.objects.filter(issued_on__range=(since, day))
    if indicator.topics:
        done = done.filter(training__course__topic__in=indicator.topics)
        given = given.filter(enrolment__training__course__topic__in=indicator.topics)
    revoked = Q(revoked_on__isnull=False, revoked_on__lte=day)
    expired = Q(valid_to__isnull=False, valid_to__lte=day)
    holding = Counter(given.exclude(revoked | expired).order_by().values_list("person_id", flat=True))
    return Merits(
        trained=frozenset(done.order_by().values_list("person_id", flat=True)),
        certified=frozenset(holding),
        certified_twice=frozenset(person for person, n in holding.items() if n > 1),
        revoked=frozenset(given.filter(revoked).order_by().values_list("person_id", flat=True)),
    )


def _listed(
    indicator: Indicator, day: datetime.date, chosen: set[int] | None
) -> tuple[dict[int, int], dict[int, Place]]:
    """Count the staff lists of the school year by school of the day, in the roles that the indicator counts.

    Lists are read whichever denominator is used: people beyond the register are shown beside the number.
    """
    roles = [LIST_ROLES[kind] for kind in indicator.kinds if kind in LIST_ROLES]
    if not roles or Level.SCHOOL not in indicator.levels:
        return {}, {}
    rows = StaffPlace.objects.filter(school_year=codes.school_year_on(day), role__in=roles).order_by()
    by_school = dict(
        rows.values("school").annotate(n=Count("staff", distinct=True)).values_list("school", "n")
    )
    lying = places.schools_on(by_school, day)
    listed: Counter[int] = Counter()
    where: dict[int, Place] = {}
    for school, n in by_school.items():
        here = lying[school].sure
        if here is None or here.school is None or not _counts_school(indicator, (here,), chosen):
            continue
        listed[here.school] += n
        where[here.school] = here
    return dict(listed), where


def certified_on(day: datetime.date, *, topics: Iterable[str] = ()) -> frozenset[int]:
    """Give the keys of the people who hold a certificate in force on a day."""
    definition: Any = Indicator(code="any", title="", kinds=(), levels=(), topics=tuple(topics))
    return _merits(definition, day, day).certified
