"""Variance units: who is paired with whom when sampling variance is estimated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError
from lsakit.randomness import stable_seeds

Lonely = Literal["refuse", "collapse", "split"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceUnits:
    """Hold the variance units and which unit each student belongs to.

    Parameters
    ----------
    unit_id : list of str of shape (n_units,)
        School, half of a school, or student.
    school : ndarray of shape (n_units,)
        Place of the unit's school among the participating schools.
    stratum : ndarray of shape (n_units,)
        Number of the (possibly merged) explicit stratum.
    zone, role, n_in_zone : ndarray of shape (n_units,)
        Pair or triplet from 0, role in it from 1, units in it.
    unit_of_student : ndarray of shape (n_students,)
        Unit of each eligible student.
    """

    unit_id: list[str]
    school: NDArray[np.int64]
    stratum: NDArray[np.int64]
    zone: NDArray[np.int64]
    role: NDArray[np.int64]
    n_in_zone: NDArray[np.int64]
    unit_of_student: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Participants:
    """Hold the participating schools in frame order and their eligible students.

    Parameters
    ----------
    school_id : list of str of shape (n_schools,)
        Sampled schools whose place was filled, in frame order.
    stratum : list of str of shape (n_schools,)
        Explicit strata.
    is_certainty : ndarray of shape (n_schools,)
        Schools drawn with probability 1.
    school_of_student : ndarray of shape (n_students,)
        Place of each eligible student's school.
    student_id : list of str of shape (n_students,)
        The students.
    line : ndarray of shape (n_students,)
        Place of the student in the school's list.
    """

    school_id: list[str]
    stratum: list[str]
    is_certainty: NDArray[np.bool_]
    school_of_student: NDArray[np.int64]
    student_id: list[str]
    line: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingRule:
    """Say how pairs are formed.

    Parameters
    ----------
    certainty_students : bool
        Whether the students of a certainty school are its variance units.
    split_odd : bool
        Whether an odd last school is split into halves (True) or makes a triplet with the last pair.
    lonely : {"refuse", "collapse", "split"}
        What happens to a stratum with one school: refused; joined with the neighbouring stratum; its
        students split into random halves.
    seed : int
        Seed of the roles.
    """

    certainty_students: bool
    split_odd: bool
    lonely: Lonely
    seed: int


@dataclass(slots=True)
class _Builder:
    """Collect units zone by zone."""

    unit_id: list[str]
    school: list[int]
    stratum: list[int]
    zone: list[int]
    n_in_zone: list[int]
    students: list[NDArray[np.int64]]
    n_zones: int = 0

    def add_zone(self, stratum: int, members: Sequence[tuple[str, int, NDArray[np.int64]]]) -> None:
        """Add one pair or triplet."""
        for name, school, students in members:
            self.unit_id.append(name)
            self.school.append(school)
            self.stratum.append(stratum)
            self.zone.append(self.n_zones)
            self.n_in_zone.append(len(members))
            self.students.append(students)
        self.n_zones += 1


def pair_units(people: Participants, rule: PairingRule) -> VarianceUnits:
    """Pair the participating schools in frame order inside each explicit stratum.

    Parameters
    ----------
    people : Participants
        Schools and students.
    rule : PairingRule
        What to do with odd, lonely and certainty schools.

    Returns
    -------
    VarianceUnits
        Units with zone and role.

    Raises
    ------
    DesignError
        If a stratum has one school and ``lonely="refuse"``, or a school to be split has one student.

    Notes
    -----
    Roles inside a pair are random, from a stable hash of the seed and the unit's identifier.

    References
    ----------
    .. [1] ``docs/algorithms/replicate_weights.md``, section 1.
    """
    of_school = _students_by_school(people)
    builder = _Builder([], [], [], [], [], [])
    by_students = people.is_certainty & rule.certainty_students
    for number, schools in enumerate(_strata(people, by_students, rule)):
        others = [school for school in schools if not by_students[school]]
        _pair_schools(builder, number, others, people, of_school, rule)
        for school in schools:
            if by_students[school]:
                _pair_students(builder, number, school, people, of_school[school])
    return _finish(builder, people, rule)


def list_units(people: Participants, *, stratified: bool, lonely: Lonely) -> VarianceUnits:
    """Take each participating school as one variance unit, for the jackknives that leave one out.

    Parameters
    ----------
    people : Participants
        Schools and students.
    stratified : bool
        Whether explicit strata count (JKn) or not (JK1).
    lonely : {"refuse", "collapse"}
        What happens to a stratum with one school.

    Returns
    -------
    VarianceUnits
        One unit per school; zones are the units themselves.

    Raises
    ------
    DesignError
        If a stratum, or the whole sample, has one school.
    """
    n_schools = len(people.school_id)
    nobody = np.zeros(n_schools, dtype=bool)
    stratum = np.zeros(n_schools, dtype=np.int64)
    rule = PairingRule(certainty_students=False, split_odd=False, lonely=lonely, seed=0)
    if stratified:
        for number, schools in enumerate(_strata(people, nobody, rule)):
            stratum[schools] = number
    if n_schools < 2:
        _refuse_lonely([people.stratum[0]] if people.stratum else ["the sample"])
    return VarianceUnits(
        unit_id=list(people.school_id),
        school=np.arange(n_schools),
        stratum=stratum,
        zone=np.arange(n_schools),
        role=np.ones(n_schools, dtype=np.int64),
        n_in_zone=np.ones(n_schools, dtype=np.int64),
        unit_of_student=people.school_of_student,
    )


def bootstrap_units(people: Participants, *, lonely: Lonely) -> VarianceUnits:
    """Take each participating school as one unit of its stratum, each student of a certainty school as one.

    Parameters
    ----------
    people : Participants
        Schools and students.
    lonely : {"refuse", "collapse"}
        What happens to a stratum with one school.

    Returns
    -------
    VarianceUnits
        One unit per school or student; a certainty school is a stratum of its own; zones are the units.

    Raises
    ------
    DesignError
        If a stratum has one school, or a certainty school one student.
    """
    rule = PairingRule(certainty_students=True, split_odd=False, lonely=lonely, seed=0)
    of_school = _students_by_school(people)
    builder = _Builder([], [], [], [], [], [])
    groups = _strata(people, people.is_certainty, rule)
    number = len(groups)
    for place, schools in enumerate(groups):
        for school in schools:
            if not people.is_certainty[school]:
                builder.add_zone(place, [(people.school_id[school], school, of_school[school])])
                continue
            _refuse_lonely_student(people.school_id[school], len(of_school[school]))
            for row in of_school[school].tolist():
                unit = (people.student_id[row], school, np.asarray([row], dtype=np.int64))
                builder.add_zone(number, [unit])
            number += 1
    return _finish(builder, people, rule)


def _refuse_lonely_student(school_id: str, n_students: int) -> None:
    """Refuse a certainty school with one student."""
    if n_students == 1:
        raise DesignError(
            f"The certainty school {school_id} has one eligible student, so its variance "
            "cannot be estimated.",
            hint="Draw at least two students there, or treat the school as not participating.",
            param="weights",
        )


def _students_by_school(people: Participants) -> list[NDArray[np.int64]]:
    """Row numbers of each school's students, in list order."""
    ids = np.asarray(people.student_id, dtype=np.str_)
    order = np.lexsort((ids, people.line, people.school_of_student))
    borders = np.searchsorted(people.school_of_student[order], np.arange(len(people.school_id) + 1))
    return [order[low:high] for low, high in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True)]


def _strata(people: Participants, by_students: NDArray[np.bool_], rule: PairingRule) -> list[list[int]]:
    """List the schools of each stratum in frame order; a lonely one is refused, kept or joined."""
    groups: dict[str, list[int]] = {}
    for school, label in enumerate(people.stratum):
        groups.setdefault(label, []).append(school)

    def is_lonely(schools: list[int]) -> bool:
        return sum(not by_students[school] for school in schools) == 1

    lonely = [label for label, schools in groups.items() if is_lonely(schools)]
    if lonely and (rule.lonely == "refuse" or (rule.lonely == "collapse" and len(groups) == 1)):
        _refuse_lonely(lonely)
    if rule.lonely != "collapse":
        return list(groups.values())
    merged: list[list[int]] = []
    for schools in groups.values():
        if merged and (is_lonely(schools) or is_lonely(merged[-1])):
            merged[-1] = merged[-1] + schools
        else:
            merged.append(schools)
    if is_lonely(merged[-1]) and len(merged) > 1:
        merged[-2:] = [merged[-2] + merged[-1]]
    if len(merged) == 1 and is_lonely(merged[0]):
        _refuse_lonely(lonely)
    return merged


def _refuse_lonely(labels: Sequence[str]) -> None:
    """Refuse strata with one school."""
    raise DesignError(
        f"{len(labels)} strata have one participating school, so a variance zone would hold one school.",
        where=labels,
        why="The spread between schools cannot be seen in one school.",
        hint="Pass lonely='collapse' to join such a stratum with its neighbour (a careful, larger variance), "
        "or lonely='split' to halve the school's students (leaves the variance between schools out).",
        param="lonely",
    )


def _pair_schools(
    builder: _Builder,
    stratum: int,
    schools: Sequence[int],
    people: Participants,
    of_school: Sequence[NDArray[np.int64]],
    rule: PairingRule,
) -> None:
    """Pair 1-2, 3-4, …; the odd last school is halved or makes a triplet."""
    units = [(people.school_id[school], school, of_school[school]) for school in schools]
    odd = len(units) % 2 == 1
    halved = units.pop() if odd and (rule.split_odd or len(units) == 1) else None
    last = len(units) - 3 if len(units) % 2 == 1 else len(units)
    for start in range(0, last, 2):
        builder.add_zone(stratum, units[start : start + 2])
    if last < len(units):
        builder.add_zone(stratum, units[last:])
    if halved is not None:
        builder.add_zone(stratum, _halves(halved, rule.seed))


def _halves(unit: tuple[str, int, NDArray[np.int64]], seed: int) -> list[tuple[str, int, NDArray[np.int64]]]:
    """Split one school's students into two random halves."""
    name, school, students = unit
    if len(students) < 2:
        raise DesignError(
            f"School {name} is alone in its variance zone and has one eligible student, so it cannot be halved.",
            hint="Pass lonely='collapse', or another method.",
            param="lonely",
        )
    order = np.argsort(stable_seeds(seed, f"halves of {name}", [str(row) for row in range(len(students))]))
    middle = len(students) // 2
    return [
        (f"{name}#{half + 1}", school, np.sort(students[part]))
        for half, part in enumerate((order[:middle], order[middle:]))
    ]


def _pair_students(
    builder: _Builder, stratum: int, school: int, people: Participants, students: NDArray[np.int64]
) -> None:
    """Pair the students of a certainty school in list order; an odd last one makes a triplet."""
    units = [
        (people.student_id[row], school, students[place : place + 1])
        for place, row in enumerate(students.tolist())
    ]
    _refuse_lonely_student(people.school_id[school], len(units))
    last = len(units) - 3 if len(units) % 2 == 1 else len(units)
    for start in range(0, last, 2):
        builder.add_zone(stratum, units[start : start + 2])
    if last < len(units):
        builder.add_zone(stratum, units[last:])


def _finish(builder: _Builder, people: Participants, rule: PairingRule) -> VarianceUnits:
    """Give roles and the students' units."""
    zone = np.asarray(builder.zone, dtype=np.int64)
    seeds = stable_seeds(rule.seed, "variance_unit_role", builder.unit_id)
    order = np.lexsort((np.arange(len(zone)), seeds, zone))
    starts = np.searchsorted(zone[order], np.arange(builder.n_zones))
    role = np.empty(len(zone), dtype=np.int64)
    role[order] = np.arange(len(zone)) - starts[zone[order]] + 1
    unit = np.full(len(people.student_id), -1, dtype=np.int64)
    for place, students in enumerate(builder.students):
        unit[students] = place
    return VarianceUnits(
        unit_id=builder.unit_id,
        school=np.asarray(builder.school, dtype=np.int64),
        stratum=np.asarray(builder.stratum, dtype=np.int64),
        zone=zone,
        role=role,
        n_in_zone=np.asarray(builder.n_in_zone, dtype=np.int64),
        unit_of_student=unit,
    )
