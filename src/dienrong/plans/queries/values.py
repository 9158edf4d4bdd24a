"""The value of an indicator for a unit on a day, under a reading; docs/algorithms/plan_indicators.md is its prose."""

from __future__ import annotations

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import ceil
from typing import Any

from dienrong.capacity.models import Person
from dienrong.capacity.queries import counting
from dienrong.capacity.queries.counting import CannotCount
from dienrong.plans.definitions import VERSION, PlanIndicator, definition_hash, digest_of, indicator_of
from dienrong.plans.models import Phase, Reading
from dienrong.plans.queries import taking_part
from dienrong.plans.queries.taking_part import Turn
from dienrong.registry.models import AdministrativeUnit, School


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What an indicator gives for one unit on one day.

    Parameters
    ----------
    indicator : PlanIndicator
        The indicator.
    choices : mapping
        The reading under which it was computed.
    day : datetime.date
        The day asked about.
    n_counted, n_all : int
        Numerator and denominator; of a programme or school its turns.
    behind, missing : frozenset of int
        Keys of the people or sampled schools that count, and of those that do not yet.
    sides : mapping
        Numbers shown beside the value, such as people trained without a certificate.
    state_hash : str
        Hash of who stood behind the value: the state of the registers as far as it matters here.
    """

    indicator: PlanIndicator
    choices: Mapping[str, str]
    day: datetime.date
    n_counted: int
    n_all: int
    behind: frozenset[int]
    missing: frozenset[int]
    sides: Mapping[str, int]
    state_hash: str
    version: str = VERSION

    @property
    def share(self) -> float | None:
        """Numerator over denominator; None where nobody is in the denominator."""
        return self.n_counted / self.n_all if self.n_all else None

    @property
    def sentences(self) -> tuple[str, ...]:
        """The definition in plain words."""
        return self.indicator.sentences(self.choices)

    @property
    def definition_hash(self) -> str:
        """The hash of the definition."""
        return definition_hash(self.indicator.code, self.choices)

    def n_to_reach(self, share: Any) -> int:
        """Give how many more must count to reach a share: the least n with (counted + n) / all >= share."""
        return max(0, ceil(Fraction(str(share)) * self.n_all) - self.n_counted)

    def reaches(self, share: Any) -> bool:
        """Tell whether a share is reached, in exact fractions; nobody in the denominator reaches nothing."""
        return bool(self.n_all) and Fraction(self.n_counted, self.n_all) >= Fraction(str(share))


class Counting:
    """What one definition needs of one day, read once and asked for any number of units."""

    def __init__(self, code: str, choices: Mapping[str, str], phase: Phase, day: datetime.date) -> None:
        self.indicator = indicator_of(code)
        self.choices = self.indicator.chosen(choices)
        self.day = day
        self._people: Any = None
        self._turns: Any = None
        if self.indicator.counts == "people":
            self._people = counting.collect(self.indicator.people(self.choices), day)
        else:
            self._turns = taking_part.collect(self.choices, phase, day)

    def of(self, unit: AdministrativeUnit | School | None, *, with_hash: bool = False) -> Value:
        """Give the value of one unit of the day; the hash only where it will be kept."""
        if self._people is not None:
            return self._of_people(unit, with_hash)
        if self.indicator.counts == "schools":
            return self._of_schools(unit, with_hash)
        return self._of_programmes(unit, with_hash)

    def _of_people(self, unit: Any, with_hash: bool) -> Value:
        """Count people."""
        found = self._people.counts(unit)
        state = ""
        if with_hash:
            names = dict(Person.objects.filter(pk__in=found.people).values_list("pk", "staff_code"))
            state = digest_of(
                {
                    "people": sorted(names[key] for key in found.people),
                    "counted": sorted(names[key] for key in found.counted),
                    "listed_beyond": found.n_listed_beyond,
                }
            )
        return Value(
            indicator=self.indicator,
            choices=self.choices,
            day=self.day,
            n_counted=found.n_counted,
            n_all=found.n_people,
            behind=found.counted,
            missing=found.missing,
            sides={
                "trained_only": len(found.trained_only),
                "certified_twice": len(found.certified_twice),
                "revoked": len(found.revoked),
                "listed_beyond": found.n_listed_beyond,
                "undecided": found.n_undecided,
            },
            state_hash=state,
        )

    def _of_schools(self, unit: Any, with_hash: bool) -> Value:
        """Count turns of schools."""
        turns = self._turns.within(unit)
        good = ("full", "replaced") if self.choices["replaced"] == "yes" else ("full",)
        counted = [one for one in turns if one.state in good]
        sides = {name: sum(one.state == name for one in turns) for name in ("replaced", "open", "out")}
        return self._of_turns(turns, counted, len(counted), len(turns), sides, with_hash)

    def _of_programmes(self, unit: Any, with_hash: bool) -> Value:
        """Count samples in which every drawn school of the unit has an outcome and one took part at least."""
        turns = self._turns.within(unit)
        by_plan: dict[int, list[Turn]] = defaultdict(list)
        for one in turns:
            by_plan[one.plan].append(one)
        done = {
            plan
            for plan, rows in by_plan.items()
            if all(one.state != "open" for one in rows)
            and any(one.state in ("full", "replaced") for one in rows)
        }
        counted = [one for one in turns if one.plan in done]
        sides = {"open": len(by_plan) - len(done)}
        value = self._of_turns(turns, counted, len(done), len(by_plan), sides, with_hash)
        waiting = (one.sampled for one in turns if one.plan not in done and one.state == "open")
        return dataclasses.replace(value, missing=frozenset(waiting))

    def _of_turns(
        self,
        turns: Iterable[Turn],
        counted: Iterable[Turn],
        n_counted: int,
        n_all: int,
        sides: Mapping[str, int],
        with_hash: bool,
    ) -> Value:
        """Give a value that rests on turns of schools."""
        every, good = list(turns), {one.sampled for one in counted}
        state = ""
        if with_hash:
            state = digest_of(sorted([one.plan, one.school_code, one.state] for one in every))
        return Value(
            indicator=self.indicator,
            choices=self.choices,
            day=self.day,
            n_counted=n_counted,
            n_all=n_all,
            behind=frozenset(good),
            missing=frozenset(one.sampled for one in every if one.sampled not in good),
            sides=sides,
            state_hash=state,
        )

    def turns_of(self, unit: AdministrativeUnit | School | None) -> list[Turn]:
        """List the turns of schools behind a value; none where people are counted."""
        return self._turns.within(unit) if self._turns is not None else []


def value_of(
    code: str,
    unit: AdministrativeUnit | School | None,
    day: datetime.date,
    *,
    phase: Phase,
    choices: Mapping[str, str] | None = None,
    with_hash: bool = False,
) -> Value:
    """Give the value of an indicator.

    Parameters
    ----------
    code : str
        Name of the indicator.
    unit : AdministrativeUnit, School or None
        A unit of the day; None is the whole country.
    day : datetime.date
        Everything counts as it stood at the end of this day.
    phase : Phase
        The phase whose samples count.
    choices : mapping, optional
        What the reading chooses; the defaults otherwise.

    Raises
    ------
    UnknownIndicator
        If there is no such indicator, or a choice is unknown.
    CannotCount
        If a register that it needs is not known here.
    """
    return Counting(code, choices or {}, phase, day).of(unit, with_hash=with_hash)


def reading_on(code: str, unit: AdministrativeUnit | None, day: datetime.date) -> Reading | None:
    """Give the reading in force on a day: the province's own, else the nation's; None where the defaults hold."""
    found = Reading.objects.filter(indicator=code, valid_from__lte=day).order_by("-version")
    if unit is not None:
        own = found.filter(unit=unit).first()
        if own is not None:
            return own
    return found.filter(unit__isnull=True).first()


def choices_on(code: str, unit: AdministrativeUnit | None, day: datetime.date) -> dict[str, str]:
    """Give what a unit's reading chooses on a day, every option of the indicator with its value."""
    reading = reading_on(code, unit, day)
    return indicator_of(code).chosen(reading.choices if reading is not None else None)


def readings_of(code: str, unit: AdministrativeUnit | None) -> list[Reading]:
    """List the readings of an indicator, the newest first: those of the nation, and of one province."""
    found = Reading.objects.filter(indicator=code).select_related("unit", "set_by")
    if unit is None:
        return list(found.filter(unit__isnull=True))
    return list(found.filter(unit__isnull=True)) + list(found.filter(unit=unit))


__all__ = [
    "CannotCount", "Counting", "Value", "choices_on", "reading_on", "readings_of", "value_of",
]  # fmt: skip
