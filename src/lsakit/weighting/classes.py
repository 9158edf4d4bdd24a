"""Sampled classes: which of them count, and the chain of weights of programmes that draw intact classes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError, TableError
from lsakit.io.frames import floats, strings
from lsakit.weighting.cells import response_factor
from lsakit.weighting.participation import (
    INELIGIBLE,
    NONRESPONDENT,
    RESPONDENT,
    SAME_PROBABILITY,
    SchoolOutcomes,
    StudentOutcomes,
    WithinSchool,
)
from lsakit.weighting.profiles import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassOutcomes:
    """Hold the sampled classes of the schools that took part.

    Parameters
    ----------
    class_id : list of str of shape (n_classes,)
        Class, named with its school.
    school_row : ndarray of shape (n_classes,)
        Row of the sampled school in `SchoolOutcomes`.
    n_sampled, n_eligible, n_respondents : ndarray of shape (n_classes,)
        Students of the class in the sample; eligible; respondents.
    counts : ndarray of shape (n_classes,)
        Whether enough of its eligible students responded.
    is_eligible : ndarray of shape (n_classes,)
        Whether it has an eligible student.
    class_of_student : ndarray of shape (n_students,)
        Class of each student.
    """

    class_id: list[str]
    school_row: NDArray[np.int64]
    n_sampled: NDArray[np.int64]
    n_eligible: NDArray[np.int64]
    n_respondents: NDArray[np.int64]
    counts: NDArray[np.bool_]
    is_eligible: NDArray[np.bool_]
    class_of_student: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassChain:
    """Hold the factors of the chain for intact classes.

    Parameters
    ----------
    stratum_code : ndarray of shape (n_schools,)
        Number of the explicit stratum.
    strata : list of str of shape (n_strata,)
        The strata.
    school_factor, class_factor : ndarray of shape (n_strata,)
        School and class non-response factors (dimensionless).
    class_weight : ndarray of shape (n_classes,)
        Classes of the school over sampled classes.
    student_weight : ndarray of shape (n_classes,)
        Students of the class over those sampled from it; 1 for an intact class.
    student_factor : ndarray of shape (n_classes,)
        Eligible students over respondents; 1 for a class that does not count.
    """

    stratum_code: NDArray[np.int64]
    strata: list[str]
    school_factor: NDArray[np.float64]
    class_factor: NDArray[np.float64]
    class_weight: NDArray[np.float64]
    student_weight: NDArray[np.float64]
    student_factor: NDArray[np.float64]


def read_classes(students: StudentOutcomes, rules: Rules) -> ClassOutcomes:
    """Group the students by sampled class and apply the threshold of the class.

    Parameters
    ----------
    students : StudentOutcomes
        The students; the table must have the column pseudo_class, as the draw of classes gives it, or
        class_id.
    rules : Rules
        ``participation.class_minimum``, a proportion of the eligible students.

    Returns
    -------
    ClassOutcomes
        Classes in the order of their schools and names.

    Raises
    ------
    UnknownColumnError
        If the students table has no class_id.
    """
    name = "pseudo_class" if "pseudo_class" in students.table.columns else "class_id"
    labels = strings(students.table, name, param="students table")
    keys = sorted(set(zip(students.school_row.tolist(), labels, strict=True)))
    number = {key: place for place, key in enumerate(keys)}
    pairs = zip(students.school_row.tolist(), labels, strict=True)
    of_student = np.asarray([number[pair] for pair in pairs], dtype=np.int64)
    eligible = students.outcome <= NONRESPONDENT
    n_eligible = np.bincount(of_student[eligible], minlength=len(keys))
    n_respondents = np.bincount(of_student[students.outcome == RESPONDENT], minlength=len(keys))
    enough = n_respondents >= rules.participation.class_minimum * n_eligible
    return ClassOutcomes(
        class_id=[label for _, label in keys],
        school_row=np.asarray([row for row, _ in keys], dtype=np.int64),
        n_sampled=np.bincount(of_student, minlength=len(keys)),
        n_eligible=n_eligible,
        n_respondents=n_respondents,
        counts=enough & (n_respondents > 0),
        is_eligible=n_eligible > 0,
        class_of_student=of_student,
    )


def count_by_class(counts: WithinSchool, classes: ClassOutcomes) -> WithinSchool:
    """Let a school count as soon as one of its classes does.

    Parameters
    ----------
    counts : WithinSchool
        Counts of the schools.
    classes : ClassOutcomes
        The classes.

    Returns
    -------
    WithinSchool
        The same counts with outcomes by the rule of classes.
    """
    n_schools = len(counts.n_sampled)
    reached = np.bincount(classes.school_row[classes.counts], minlength=n_schools) > 0
    listed = counts.n_sampled > 0
    outcome = np.where(listed & (counts.n_eligible > 0) & ~reached, NONRESPONDENT, counts.outcome)
    outcome = np.where(listed & (counts.n_eligible == 0), INELIGIBLE, outcome)
    return replace(counts, outcome=outcome, counts_for_rate=outcome == RESPONDENT)


def chain_of_classes(
    stratum: list[str],
    schools: SchoolOutcomes,
    students: StudentOutcomes,
    counts: WithinSchool,
    classes: ClassOutcomes,
) -> ClassChain:
    """Build the factors of schools, classes and students.

    Parameters
    ----------
    stratum : list of str of shape (n_schools,)
        Explicit stratum of each sampled school.
    schools : SchoolOutcomes
        The schools; the table must have n_classes (classes of the grade) or n_pseudo_classes, and n_classes_sampled where a
        sampled class has no student in the students table.
    students : StudentOutcomes
        The students; where a class was not taken whole class_size, or probability (of class and student, within
        the school) as the draw of classes gives it.
    counts : WithinSchool
        Outcomes of the schools by the rule of classes.
    classes : ClassOutcomes
        The classes.

    Returns
    -------
    ClassChain
        The factors.

    Raises
    ------
    DesignError
        If a stratum has eligible schools and none that took part.
    TableError
        If a school has fewer classes than were sampled, or a class fewer students.

    Notes
    -----
    ``A_sc`` is the number of eligible sampled schools over those that took part, and ``A_cl`` the number of
    schools that took part over the sum of their shares of sampled classes that count, both in the explicit
    stratum; ``A_st`` is the number of eligible students over respondents in the class.

    References
    ----------
    .. [1] Martin, von Davier and Mullis (2020), Methods and Procedures: TIMSS 2019, chapter 3.
    """
    names = sorted(set(stratum))
    code = np.searchsorted(np.asarray(names), np.asarray(stratum)).astype(np.int64)
    took_part = counts.outcome == RESPONDENT
    eligible = took_part | (counts.outcome == NONRESPONDENT)
    n_eligible = np.bincount(code[eligible], minlength=len(names)).astype(float)
    n_part = np.bincount(code[took_part], minlength=len(names)).astype(float)
    school_factor = response_factor(n_eligible, n_part, names)
    n_classes, n_drawn = _numbers_of_classes(schools, classes, took_part)
    n_counting = np.bincount(classes.school_row[classes.counts], minlength=len(code))
    share = np.divide(n_counting, n_drawn, out=np.zeros(len(code)), where=took_part)
    shares = np.bincount(code[took_part], share[took_part], minlength=len(names))
    class_weight = (n_classes / np.maximum(n_drawn, 1.0))[classes.school_row]
    everyone = np.where(classes.counts, classes.n_eligible, 0).astype(float)
    reached = np.where(classes.counts, classes.n_respondents, 0).astype(float)
    return ClassChain(
        stratum_code=code,
        strata=names,
        school_factor=school_factor,
        class_factor=np.divide(n_part, shares, out=np.ones(len(names)), where=shares > 0),
        class_weight=class_weight,
        student_weight=_student_weights(students, classes, class_weight),
        student_factor=response_factor(everyone, reached, classes.class_id),
    )


def _numbers_of_classes(
    schools: SchoolOutcomes, classes: ClassOutcomes, took_part: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Classes of each school and sampled classes; a class without any eligible student is no class."""
    name = "n_pseudo_classes" if "n_pseudo_classes" in schools.table.columns else "n_classes"
    listed = floats(schools.table, name, param="schools table", nulls=True)
    drawn = np.bincount(classes.school_row, minlength=len(listed)).astype(float)
    if "n_classes_sampled" in schools.table.columns:
        given = floats(schools.table, "n_classes_sampled", param="schools table", nulls=True)
        _refuse_fewer(took_part, given, drawn, schools, "n_classes_sampled", "in the students table")
        drawn = np.where(np.isnan(given), drawn, given)
    _refuse_fewer(took_part, listed, drawn, schools, name, "sampled")
    gone = np.bincount(classes.school_row[~classes.is_eligible], minlength=len(listed))
    return np.where(took_part, np.nan_to_num(listed), 1.0), np.maximum(drawn - gone, took_part * 1.0)


def _refuse_fewer(
    took_part: NDArray[np.bool_],
    listed: NDArray[np.float64],
    least: NDArray[np.float64],
    schools: SchoolOutcomes,
    name: str,
    words: str,
) -> None:
    """Refuse schools that took part with fewer classes than the sample shows."""
    bad = np.flatnonzero(took_part & ~(listed >= least))
    if len(bad):
        row = int(bad[0])
        raise TableError(
            f"The column {name!r} of the schools table must hold at least the classes {words}. "
            f"Got {listed[row]:g} for {least[row]:g} in school {schools.participant_id[row]}.",
            where=[schools.participant_id[one] for one in bad.tolist()],
            why="The class weight is classes of the grade over sampled classes.",
            hint="Count the classes on the list from which they were drawn.",
            param=name,
            got=float(listed[row]),
        )


def _student_weights(
    students: StudentOutcomes, classes: ClassOutcomes, class_weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Students of each class over those sampled from it; from the draw's probabilities without class_size."""
    n_classes = len(classes.class_id)
    if "class_size" not in students.table.columns:
        if "probability" in students.table.columns:
            return _from_probabilities(students, classes, class_weight)
        return np.ones(n_classes)
    size = floats(students.table, "class_size", param="students table")
    largest = np.zeros(n_classes)
    np.maximum.at(largest, classes.class_of_student, size)
    mixed = np.unique(classes.class_of_student[size != largest[classes.class_of_student]])
    small = np.flatnonzero(largest < classes.n_sampled)
    for bad, words in ((mixed, "differs between students of one class"), (small, "is below those sampled")):
        if len(bad):
            raise DesignError(
                f"The column 'class_size' of the students table {words} in {len(bad)} classes.",
                where=[classes.class_id[one] for one in bad.tolist()],
                hint="Give each student the number of students on the list of the class.",
                param="class_size",
            )
    return largest / classes.n_sampled


def _from_probabilities(
    students: StudentOutcomes, classes: ClassOutcomes, class_weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weight inside each class: the inverse probability within the school over the class weight."""
    chance = floats(students.table, "probability", param="students table")
    weight = np.divide(1.0, chance, out=np.zeros_like(chance), where=chance > 0)
    weight = weight / class_weight[classes.class_of_student]
    low, high = np.full(len(classes.class_id), np.inf), np.zeros(len(classes.class_id))
    np.minimum.at(low, classes.class_of_student, weight)
    np.maximum.at(high, classes.class_of_student, weight)
    bad = np.flatnonzero((low < 1.0 - SAME_PROBABILITY) | (high > low * (1.0 + SAME_PROBABILITY)))
    if len(bad):
        raise DesignError(
            f"The column 'probability' of the students table does not fit {len(bad)} classes: it differs "
            "between students of one class, or is larger than sampled classes over classes of the school.",
            where=[classes.class_id[one] for one in bad.tolist()],
            hint="Take probability and the numbers of classes from one draw.",
            param="probability",
        )
    return np.where(np.abs(high - 1.0) <= SAME_PROBABILITY, 1.0, high)
