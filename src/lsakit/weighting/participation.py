"""Who took part: participation tables of schools and students, checked and classed by the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError, TableError
from lsakit.io.frames import Table, as_table, floats, refuse_duplicates, strings
from lsakit.weighting.profiles import Rules, SchoolStatus, StudentStatus

RESPONDENT, NONRESPONDENT, EXCLUDED, INELIGIBLE = 0, 1, 2, 3
OUTCOMES = ("participant", "nonrespondent", "excluded", "ineligible")
# Probabilities of one school come from one division; in a file they keep nine digits or more.
SAME_PROBABILITY = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolOutcomes:
    """Hold the sampled schools' outcomes, row by row.

    Parameters
    ----------
    school_id, participant_id : list of str of shape (n_schools,)
        Sampled school; school that took part in its place, itself included, or ``""``.
    outcome : ndarray of shape (n_schools,)
        Place in `OUTCOMES`.
    enrolment, enrolment_listed : ndarray of shape (n_schools,)
        Students on the frame, and on the list of the school that took part (NaN where none).
    table : polars.DataFrame
        The table as given.
    """

    school_id: list[str]
    participant_id: list[str]
    outcome: NDArray[np.int64]
    enrolment: NDArray[np.float64]
    enrolment_listed: NDArray[np.float64]
    table: Table

    @property
    def row_of_participant(self) -> dict[str, int]:
        """Row of the sampled school by the school that took part."""
        return {one: row for row, one in enumerate(self.participant_id) if one}


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentOutcomes:
    """Hold the sampled students' outcomes, row by row (students not sampled are left out).

    Parameters
    ----------
    student_id, school_id : list of str of shape (n_students,)
        Student; school that took part.
    school_row : ndarray of shape (n_students,)
        Row of the sampled school in `SchoolOutcomes`.
    outcome : ndarray of shape (n_students,)
        Place in `OUTCOMES`; 0 is a respondent.
    table : polars.DataFrame
        The rows of the table as given, those not sampled left out.
    """

    student_id: list[str]
    school_id: list[str]
    school_row: NDArray[np.int64]
    outcome: NDArray[np.int64]
    table: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinSchool:
    """Count the students of each sampled school.

    Parameters
    ----------
    n_sampled, n_eligible, n_respondents : ndarray of shape (n_schools,)
        Students drawn; those of them neither excluded nor ineligible; respondents.
    outcome : ndarray of shape (n_schools,)
        The school's outcome after the within-school rule, place in `OUTCOMES`.
    counts_for_rate : ndarray of shape (n_schools,)
        Whether the school counts as a participant in the school response rate.
    """

    n_sampled: NDArray[np.int64]
    n_eligible: NDArray[np.int64]
    n_respondents: NDArray[np.int64]
    outcome: NDArray[np.int64]
    counts_for_rate: NDArray[np.bool_]


def read_schools(schools: Any, rules: Rules) -> SchoolOutcomes:
    """Check the participation table of schools.

    Parameters
    ----------
    schools : table
        One row per sampled school: school_id, status, enrolment; participant_id (without the column, no
        school was replaced); enrolment_listed where a school took part (n_teachers,
        n_teachers_listed where teachers are drawn). Rows whose code says that they
        are no part of the sample are left out.
    rules : Rules
        Meaning of the codes.

    Returns
    -------
    SchoolOutcomes
        Outcomes in the table's row order.

    Raises
    ------
    TableError
        If a column is absent, a code is unknown, or a school stands twice.
    DesignError
        If code and participant contradict each other, or a school takes part for two.
    """
    table = as_table(schools, param="schools")
    status = floats(table, "status", param="schools table")
    others = np.isin(status, rules.school_status.not_sampled)
    table, status = (table.filter(~others), status[~others]) if others.any() else (table, status)
    refuse_duplicates(table, "school_id", param="schools table")
    ids = strings(table, "school_id", param="schools table")
    if not ids:
        raise TableError("The schools table has no rows.", hint="Pass one row per sampled school.")
    who = participants(table, status, ids, rules)
    outcome = _classed(status, rules.school_status, ids, "schools table")
    took_part = np.asarray([bool(one) for one in who])
    _refuse_contradictions(ids, who, outcome, took_part)
    size = _column(table, "enrolment", "n_teachers", rules)
    enrolment = floats(table, size, param="schools table")
    _refuse_negative(enrolment, ids, size)
    found = _column(table, "enrolment_listed", "n_teachers_listed", rules)
    has_listed = found in table.columns
    listed = floats(table, found, param="schools table", nulls=True) if has_listed else None
    return SchoolOutcomes(
        school_id=ids,
        participant_id=who,
        outcome=np.where(took_part, RESPONDENT, outcome),
        enrolment=enrolment,
        enrolment_listed=np.full(len(ids), np.nan) if listed is None else listed,
        table=table,
    )


def participants(table: Table, status: NDArray[np.float64], ids: Sequence[str], rules: Rules) -> list[str]:
    """Take the schools that took part; without the column each participant stands for itself.

    Parameters
    ----------
    table : polars.DataFrame
        The schools table.
    status : ndarray of shape (n_schools,)
        Codes; NaN where not known.
    ids : Sequence of str of shape (n_schools,)
        The sampled schools.
    rules : Rules
        Meaning of the codes.

    Returns
    -------
    list of str of shape (n_schools,)
        School that took part, or ``""``.
    """
    if "participant_id" in table.columns:
        return strings(table, "participant_id", param="schools table", nulls=True)
    itself = np.isin(status, rules.school_status.participant).tolist()
    return [school if took_part else "" for school, took_part in zip(ids, itself, strict=True)]


def _column(table: Table, name: str, of_teachers: str, rules: Rules) -> str:
    """Name of a column: that of teachers where teachers are drawn and the table has it."""
    return of_teachers if rules.structure.units == "teachers" and of_teachers in table.columns else name


def read_students(students: Any, schools: SchoolOutcomes, rules: Rules) -> StudentOutcomes:
    """Check the participation table of students.

    Parameters
    ----------
    students : table
        One row per sampled student: school_id (the school that took part), student_id (teacher_id or staff_id
        where teachers are drawn), status.
    schools : SchoolOutcomes
        The schools.
    rules : Rules
        Meaning of the codes.

    Returns
    -------
    StudentOutcomes
        Outcomes in the table's row order, without students who were not sampled.

    Raises
    ------
    TableError
        If a column is absent, a code is unknown, or a student stands twice.
    DesignError
        If a student's school did not take part.
    """
    table = as_table(students, param="students")
    status = floats(table, "status", param="students table")
    table = table.filter(~np.isin(status, rules.student_status.not_sampled))
    status = status[~np.isin(status, rules.student_status.not_sampled)]
    key = _column(table, "student_id", "teacher_id", rules)
    key = _column(table, key, "staff_id", rules)
    refuse_duplicates(table, key, param="students table")
    ids = strings(table, key, param="students table")
    where = strings(table, "school_id", param="students table")
    row_of = schools.row_of_participant
    strangers = [student for student, school in zip(ids, where, strict=True) if school not in row_of]
    if strangers:
        raise DesignError(
            f"{len(strangers)} students of the students table are in schools that did not take part.",
            where=strangers,
            why="A weight comes from the school that took part; these students have none.",
            hint="Correct school_id, or name the school as participant_id in the schools table.",
            param="students",
        )
    return StudentOutcomes(
        student_id=ids,
        school_id=where,
        school_row=np.asarray([row_of[school] for school in where], dtype=np.int64),
        outcome=_classed(status, rules.student_status, ids, "students table"),
        table=table,
    )


def with_listed(schools: SchoolOutcomes, students: StudentOutcomes, rules: Rules) -> SchoolOutcomes:
    """Count the listed students from the probabilities of the student draw, where no column counts them.

    Parameters
    ----------
    schools : SchoolOutcomes
        The schools.
    students : StudentOutcomes
        The students; probability within the school, as the student draw gave it.
    rules : Rules
        What is drawn inside a school; classes have a chain of their own.

    Returns
    -------
    SchoolOutcomes
        The same where classes are drawn, the schools table counts the listed, or the students table has no
        probability; else
        with ``enrolment_listed`` the number of sampled students over their probability.

    Raises
    ------
    TableError
        If a probability is not above 0 and at most 1.
    DesignError
        If probabilities differ inside a school.
    """
    counted = not np.isnan(schools.enrolment_listed).all()
    known = "probability" in students.table.columns and len(students.student_id) > 0
    if counted or not known or rules.structure.units == "classes":
        return schools
    chance = floats(students.table, "probability", param="students table")
    bad = np.flatnonzero((chance <= 0) | (chance > 1))
    if len(bad):
        raise TableError(
            "The column 'probability' of the students table must be above 0 and at most 1. "
            f"Got {chance[bad[0]]:g}.",
            where=[students.student_id[row] for row in bad.tolist()],
            hint="Take the table that select_students gave.",
            param="probability",
            got=float(chance[bad[0]]),
        )
    n_schools = len(schools.school_id)
    low, high = np.full(n_schools, np.inf), np.zeros(n_schools)
    np.minimum.at(low, students.school_row, chance)
    np.maximum.at(high, students.school_row, chance)
    mixed = np.flatnonzero(high > low * (1.0 + SAME_PROBABILITY))
    if len(mixed):
        raise DesignError(
            f"The column 'probability' of the students table differs inside {len(mixed)} schools.",
            where=[schools.participant_id[row] for row in mixed.tolist()],
            hint="Give enrolment_listed in the schools table, and weight unequal draws by class or by study.",
            param="probability",
        )
    sampled = np.bincount(students.school_row, minlength=n_schools)
    listed = np.divide(sampled, high, out=np.full(n_schools, np.nan), where=high > 0)
    whole = np.round(listed)
    near = np.abs(listed - whole) <= SAME_PROBABILITY * np.maximum(whole, 1.0)
    return replace(schools, enrolment_listed=np.where(near, whole, listed))


def count_within(schools: SchoolOutcomes, students: StudentOutcomes, rules: Rules) -> WithinSchool:
    """Count each school's students and apply the within-school thresholds.

    Parameters
    ----------
    schools : SchoolOutcomes
        The schools.
    students : StudentOutcomes
        The students.
    rules : Rules
        Thresholds; proportions of the eligible sampled students.

    Returns
    -------
    WithinSchool
        Counts and the school's outcome: below ``keep_minimum`` a non-respondent, ineligible where every
        sampled student was excluded or ineligible.

    Raises
    ------
    DesignError
        If a school that took part has no student in the table.
    """
    n_schools = len(schools.school_id)
    sampled = np.bincount(students.school_row, minlength=n_schools)
    eligible = np.bincount(students.school_row[students.outcome <= NONRESPONDENT], minlength=n_schools)
    responded = np.bincount(students.school_row[students.outcome == RESPONDENT], minlength=n_schools)
    took_part = schools.outcome == RESPONDENT
    empty = np.flatnonzero(took_part & (sampled == 0))
    if len(empty):
        raise DesignError(
            f"{len(empty)} schools took part but have no student in the students table.",
            where=[schools.participant_id[row] for row in empty.tolist()],
            hint="Add their students with a status, or give the school status 4 (no students assessed).",
            param="students",
        )
    share = np.divide(responded, eligible, out=np.zeros(n_schools), where=eligible > 0)
    outcome = np.where(took_part & (eligible == 0), INELIGIBLE, schools.outcome)
    dropped = took_part & (eligible > 0) & ((share < rules.participation.keep_minimum) | (responded == 0))
    outcome = np.where(dropped, NONRESPONDENT, outcome)
    return WithinSchool(
        n_sampled=sampled,
        n_eligible=eligible,
        n_respondents=responded,
        outcome=outcome,
        counts_for_rate=(outcome == RESPONDENT) & (share >= rules.participation.school_minimum),
    )


def _classed(
    status: NDArray[np.float64], codes: SchoolStatus | StudentStatus, ids: Sequence[str], param: str
) -> NDArray[np.int64]:
    """Turn codes into outcomes, refusing a code that the rules do not know."""
    first = codes.participant if isinstance(codes, SchoolStatus) else codes.respondent
    outcome = np.full(len(status), -1, dtype=np.int64)
    for place, known in enumerate((first, codes.nonrespondent, codes.excluded, codes.ineligible)):
        outcome[np.isin(status, known)] = place
    unknown = np.flatnonzero(outcome < 0)
    if len(unknown):
        raise TableError(
            f"The column 'status' of the {param} holds codes that the rules do not know. "
            f"Got {status[unknown[0]]:g} in {len(unknown)} of {len(status)} rows.",
            where=[ids[row] for row in unknown.tolist()],
            hint="Correct the code, or add it to the rules under its meaning.",
            param="status",
            got=float(status[unknown[0]]),
        )
    return outcome


def _refuse_contradictions(
    ids: Sequence[str], who: Sequence[str], outcome: NDArray[np.int64], took_part: NDArray[np.bool_]
) -> None:
    """Refuse a participant without a participating school, a replaced ineligible school, a school for two."""
    nobody = np.flatnonzero((outcome == RESPONDENT) & ~took_part)
    replaced = np.flatnonzero((outcome >= EXCLUDED) & took_part)
    itself = np.asarray([one == school for one, school in zip(who, ids, strict=True)])
    against = np.flatnonzero((outcome == NONRESPONDENT) & itself)
    for rows, words, hint in (
        (nobody, "have the status of a participant but no participant_id", "Name the school that took part."),
        (replaced, "are ineligible or excluded but have a participant_id", "Such a school is not replaced."),
        (against, "did not take part by their status but stand as their own participant", "Correct one."),
    ):
        if len(rows):
            raise DesignError(
                f"{len(rows)} rows of the schools table {words}.",
                where=[ids[row] for row in rows.tolist()],
                hint=hint,
                param="participant_id",
            )
    twice = sorted(one for one, times in Counter(one for one in who if one).items() if times > 1)
    if twice:
        raise DesignError(
            f"{len(twice)} schools take part for more than one sampled school.",
            where=twice,
            why="A school serves one sampled school; its students would be counted twice.",
            hint="Keep one of the rows.",
            param="participant_id",
        )


def _refuse_negative(values: NDArray[np.float64], ids: Sequence[str], name: str) -> None:
    """Refuse negative numbers of students."""
    bad = np.flatnonzero(values < 0)
    if len(bad):
        raise TableError(
            f"The column {name!r} of the schools table must not be negative. Got {values[bad[0]]:g}.",
            where=[ids[row] for row in bad.tolist()],
            hint="Correct the number.",
            param=name,
            got=float(values[bad[0]]),
        )
