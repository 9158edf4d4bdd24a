"""Weights of teachers: as a population of their own, and as teachers of the sampled students."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.design.drawn import DrawnSchools
from lsakit.errors import DesignError, TableError
from lsakit.io.frames import Table, as_table, floats, make_table, require_columns, strings, with_columns
from lsakit.weighting.final_weights import final_weights
from lsakit.weighting.profiles import Rules, read_rules
from lsakit.weighting.replicates import ReplicateWeights
from lsakit.weighting.weighted import FinalWeights


@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherWeights:
    """Hold the weights of a teacher sample.

    Parameters
    ----------
    table : polars.DataFrame
        One row per teacher who responded: teacher_id, school_id, sampled_school_id, stratum, base_weight,
        nonresponse_factor, n_schools (schools in which the teacher could have been drawn), final_weight.
        Weights count teachers.
    chain : FinalWeights
        The chain before the division by n_schools, teachers in place of students; `replicate_weights` takes
        it, and `replicated_teachers` brings its replicates to the teachers' weights.
    schema : str
        Name and version of this result's form.
    """

    table: Table
    chain: FinalWeights
    schema: str = "lsakit.teacher_weights/1"

    def explain(self, teacher_id: str) -> str:
        """Tell in words how a teacher's weight came about.

        Parameters
        ----------
        teacher_id : str
            An eligible sampled teacher.

        Returns
        -------
        str
            One sentence per step; "student" stands for teacher.

        Raises
        ------
        DesignError
            If no eligible teacher of a school that counts has this identifier.
        """
        words = self.chain.explain(teacher_id)
        ids = strings(self.table, "teacher_id")
        if teacher_id not in ids:
            return words
        row = self.table.row(ids.index(teacher_id), named=True)
        if row["n_schools"] == 1:
            return words
        return (
            f"{words} The teacher works in {row['n_schools']:g} schools and could have been drawn in each: "
            f"divided by that number, the weight is {row['final_weight']:.6g}."
        )


def teacher_weights(
    drawn: DrawnSchools | Any,
    schools: Any,
    teachers: Any,
    *,
    rules: str | Rules | Mapping[str, Any] = "talis",
) -> TeacherWeights:
    """Weight a sample of teachers drawn inside the sampled schools.

    Parameters
    ----------
    drawn : DrawnSchools or table
        The school sample, as for `final_weights`.
    schools : table
        One row per sampled school: school_id, participant_id, status, n_teachers (frame),
        n_teachers_listed (teachers on the list of the school that took part).
    teachers : table
        One row per sampled teacher: school_id, teacher_id (or staff_id), status; n_schools where teachers work in more
        than one school of the population.
    rules : str or Rules or Mapping, default "talis"
        Codes and thresholds.

    Returns
    -------
    TeacherWeights
        Weights of the teachers who responded.

    Raises
    ------
    DesignError
        If the tables contradict each other, or a cell has no respondents.
    TableError
        If a column is absent or holds what it may not hold.

    Notes
    -----
    ``final = f2 * (listed / sampled) * f1 * w1 / n_schools``; the weight of teachers who did not respond goes
    to colleagues of the same school.

    References
    ----------
    .. [1] OECD (2019), TALIS 2018 Technical Report, chapter on weighting.
    .. [2] ``docs/algorithms/weights.md``, section 9.
    """
    people = as_table(teachers, param="teachers")
    places = as_table(schools, param="schools")
    if "teacher_id" not in people.columns and "staff_id" in people.columns:
        people = with_columns(people, {"teacher_id": people.get_column("staff_id")})
    require_columns(people, ["teacher_id", "school_id", "status"], param="teachers table")
    require_columns(places, ["n_teachers", "n_teachers_listed"], param="schools table")
    times = _n_schools(people)
    ruled = read_rules(rules)
    if ruled.structure.units != "teachers":
        raise DesignError(
            f"The rules {ruled.name!r} draw {ruled.structure.units}, not teachers.",
            hint='Pass rules="talis", or rules whose structure says units = "teachers".',
            param="rules",
            got=ruled.name,
        )
    chain = final_weights(drawn, places, people, rules=ruled)
    of = dict(zip(strings(people, "teacher_id"), times.tolist(), strict=True))
    ids = strings(chain.table, "student_id")
    n_schools = np.asarray([of[one] for one in ids])
    columns = ("school_id", "sampled_school_id", "stratum", "base_weight", "nonresponse_factor")
    table = make_table(
        {
            "teacher_id": ids,
            **{name: chain.table.get_column(name) for name in columns},
            "n_schools": n_schools,
            "final_weight": floats(chain.table, "final_weight") / n_schools,
        }
    )
    return TeacherWeights(table=table, chain=chain)


def _n_schools(people: Table) -> NDArray[np.float64]:
    """Schools in which each teacher could have been drawn."""
    if "n_schools" not in people.columns:
        return np.ones(people.height)
    times = floats(people, "n_schools", param="teachers table")
    bad = np.flatnonzero(times < 1)
    if len(bad):
        raise TableError(
            f"The column 'n_schools' of the teachers table must be 1 or more. Got {times[bad[0]]:g}.",
            where=[strings(people, "teacher_id")[row] for row in bad.tolist()],
            hint="Count the schools of the population in which the teacher teaches.",
            param="n_schools",
            got=float(times[bad[0]]),
        )
    return times


def replicated_teachers(weights: TeacherWeights, replicates: ReplicateWeights) -> ReplicateWeights:
    """Bring the replicates of the chain to the teachers' weights.

    Parameters
    ----------
    weights : TeacherWeights
        The teachers' weights.
    replicates : ReplicateWeights
        ``replicate_weights(weights.chain)``.

    Returns
    -------
    ReplicateWeights
        The same, each row divided by the teacher's number of schools.

    Raises
    ------
    DesignError
        If the replicates are of other teachers.
    """
    if replicates.student_id != tuple(strings(weights.table, "teacher_id")):
        raise DesignError(
            "The replicates are of other teachers than the weights.",
            hint="Pass replicate_weights(w.chain) of the same w.",
            param="replicates",
        )
    times = floats(weights.table, "n_schools")
    return replace(replicates, matrix=replicates.matrix / times[:, None])


def linked_teacher_weights(weights: FinalWeights, links: Any, *, by: str | None = None) -> Table:
    """Weight teachers as the teachers of students: for reports such as "students whose teacher …".

    Parameters
    ----------
    weights : FinalWeights
        Weights of the students.
    links : table
        One row per respondent and teacher: student_id, teacher_id, and the column ``by``.
    by : str, optional
        Column (the subject) within which a student's weight is shared among teachers.

    Returns
    -------
    polars.DataFrame
        The links with n_teachers (of the student, within ``by``) and teacher_weight = final weight over
        n_teachers, students. Within each value of ``by`` the weights of a student's teachers add up to the
        student's weight. They describe students, not the population of teachers.

    Raises
    ------
    DesignError
        If a link names no respondent, or stands twice.

    References
    ----------
    .. [1] Martin, von Davier and Mullis (2020), Methods and Procedures: TIMSS 2019, chapter 3 (MATWGT, SCIWGT).
    """
    table = as_table(links, param="links")
    students, teachers = (strings(table, name, param="links") for name in ("student_id", "teacher_id"))
    groups = [""] * table.height if by is None else strings(table, by, param="links")
    ids, final = strings(weights.table, "student_id"), floats(weights.table, "final_weight")
    weight = dict(zip(ids, final.tolist(), strict=True))
    strangers = sorted(set(students) - set(weight))
    if strangers:
        raise DesignError(
            f"{len(strangers)} students of the links are not respondents with a weight.",
            where=strangers,
            hint="Leave out the links of students who did not respond.",
            param="links",
        )
    keys = list(zip(students, groups, strict=True))
    whole = list(zip(keys, teachers, strict=True))
    if len(set(whole)) < len(whole):
        times = Counter(whole)
        twice = sorted({f"{key[0]} and {one}" for (key, one), number in times.items() if number > 1})
        raise DesignError(
            f"{len(twice)} links stand more than once.",
            where=twice,
            hint="Keep one row for each student and teacher.",
            param="links",
        )
    count = Counter(keys)
    n_teachers = np.asarray([count[key] for key in keys])
    return with_columns(
        table,
        {
            "n_teachers": n_teachers,
            "teacher_weight": np.asarray([weight[one] for one in students]) / n_teachers,
        },
    )
