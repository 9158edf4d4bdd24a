"""One administration of the synthetic cycle: who took part, and what they answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.datasets import participation as rules
from lsakit.datasets.answers import NOT_ADMINISTERED, Instrument, answer
from lsakit.datasets.counter_random import subkeys
from lsakit.datasets.population_model import GradePopulation, Pupils, make_pupils, positions
from lsakit.errors import DesignError
from lsakit.io.frames import as_table, refuse_duplicates, require_columns
from lsakit.randomness import stable_seeds

Ints = NDArray[np.int64]
SCHOOL_ID_DIGITS = 8
ID_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Administration:
    """Hold what comes back from the field.

    Parameters
    ----------
    schools : polars.DataFrame
        One row per original school of the sample: school_id, participant_id (the school that took part:
        itself, a replacement, or null), status (1 participant, 2 refusal, 4 no student assessed, 6 closed,
        8 all ineligible), enrolment (of the original in the frame), enrolment_listed (pupils on the list of
        the school that took part; of the original where none did).
    students : polars.DataFrame
        One row per sampled pupil of the schools that took part: school_id, student_id, status (10 present,
        20 absent, 21 and 22 refused, 30 and 31 excluded, 40 left school).
    raw_responses : polars.DataFrame
        One row per pupil present: student_id, booklet, then one Int8 column per item (null = not
        administered; codes in docs/algorithms/synthetic_nation.md).
    """

    schools: pl.DataFrame
    students: pl.DataFrame
    raw_responses: pl.DataFrame


def student_ids(school_ids: Sequence[str], school: Ints, number: Ints, grade: int) -> pl.Series:
    """Compose pupil identifiers: the school's, the grade, and a four-digit number in the school.

    Parameters
    ----------
    school_ids : Sequence of str of shape (n_schools,)
        Identifiers of the schools.
    school : ndarray of shape (n_pupils,)
        Position of each pupil's school.
    number : ndarray of shape (n_pupils,)
        Number within the school, from 0.
    grade : int
        5 or 9.

    Returns
    -------
    polars.Series
        Texts of 13 digits that hold no name, birth date or gender.
    """
    table = pl.DataFrame({"school": pl.Series(list(school_ids)).gather(school), "number": number + 1})
    padded = pl.col("number").cast(pl.String).str.zfill(ID_DIGITS)
    return table.select(student_id=pl.concat_str(pl.col("school"), pl.lit(str(grade)), padded)).to_series()


def with_school_ids(pupils: pl.DataFrame) -> pl.DataFrame:
    """Complete a table of pupils by the schools that their identifiers begin with.

    Parameters
    ----------
    pupils : polars.DataFrame
        Table with student_id, and school_id or not.

    Returns
    -------
    polars.DataFrame
        The same rows with school_id.
    """
    require_columns(pupils, ["student_id"], param="pupils")
    if "school_id" in pupils.columns:
        return pupils
    return pupils.with_columns(school_id=pl.col("student_id").str.slice(0, SCHOOL_ID_DIGITS))


def locate_pupils(population: GradePopulation, pupils: pl.DataFrame) -> tuple[Ints, Ints]:
    """Find school and number of pupils by their identifiers.

    Parameters
    ----------
    population : GradePopulation
        The grade's constants.
    pupils : polars.DataFrame
        Table with school_id and student_id.

    Returns
    -------
    school : ndarray of shape (n_pupils,)
        Positions of the schools.
    number : ndarray of shape (n_pupils,)
        Numbers within the schools, from 0.

    Raises
    ------
    DesignError
        If an identifier names no pupil of this nation, grade and school.
    """
    require_columns(pupils, ["school_id", "student_id"], param="pupils")
    unique = pupils.get_column("school_id").unique(maintain_order=True).to_list()
    table = pl.DataFrame({"school_id": unique, "school": positions(population, unique)})
    school = pupils.select("school_id").join(table, on="school_id", how="left", maintain_order="left")
    place = school.get_column("school").to_numpy()
    identifier = pupils.get_column("student_id")
    suffix = identifier.str.slice(-ID_DIGITS).cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    expected = student_ids(population.school_ids, place, suffix - 1, population.grade)
    wrong = (identifier != expected).fill_null(True).to_numpy()
    wrong = wrong | (suffix < 1) | (suffix > population.n_listed[place])
    if wrong.any():
        rows = identifier.filter(pl.Series(wrong)).to_list()
        raise DesignError(
            f"{len(rows)} of the pupils are on no list of grade {population.grade} of their school.",
            where=rows,
            hint="Select them from nation.lists(school_ids, grade) of the same seed and size.",
            param="student_id",
            got=rows[0],
        )
    return place, suffix - 1


def hold_administration(
    population: GradePopulation,
    register: pl.DataFrame,
    instrument: Instrument,
    pupils: Any,
    *,
    schools: Any,
    seed: int,
) -> Administration:
    """Let the sampled pupils sit the test.

    Parameters
    ----------
    population : GradePopulation
        The grade's constants.
    register : polars.DataFrame
        The nation's schools.
    instrument : Instrument
        The grade's items.
    pupils : table
        Selected pupils of originals and replacements: school_id, student_id, booklet.
    schools : table or None
        The drawn sample: school_id, replacement_1, replacement_2. None takes every school of ``pupils`` as an
        original without replacements.
    seed : int
        Seed of the administration.

    Returns
    -------
    Administration
        Participation and responses.

    Raises
    ------
    DesignError
        If a pupil or school is not of this nation, or a booklet does not exist.
    """
    chosen = _check_pupils(as_table(pupils, param="pupils"), instrument)
    originals = _originals(chosen, schools)
    outcome = _schools_table(population, register, originals, chosen, seed)
    taking_part = outcome.get_column("participant_id").drop_nulls()
    invited = chosen.filter(pl.col("school_id").is_in(taking_part.to_list()))
    school, number = locate_pupils(population, invited)
    made = make_pupils(population, school, number)
    keys, school_keys = _keys(population, invited, school, number, seed, "presence")
    status = rules.decide_students(school_keys, keys, made.girls)
    students = invited.select("school_id", "student_id").with_columns(pl.Series("status", status))
    outcome, students = _settle_empty_schools(outcome, students)
    present = status == rules.PRESENT
    answer_keys, _ = _keys(population, invited, school, number, seed, "answers")
    responses = _responses(instrument, invited.filter(pl.Series(present)), made, present, answer_keys)
    return Administration(schools=outcome, students=students, raw_responses=responses)


def _check_pupils(pupils: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    """Refuse duplicates and booklets that do not exist."""
    require_columns(pupils, ["school_id", "student_id", "booklet"], param="pupils")
    refuse_duplicates(pupils, "student_id", param="pupils")
    wrong = pupils.filter(~pl.col("booklet").is_between(1, len(instrument.booklets)).fill_null(False))
    if wrong.height:
        raise DesignError(
            f"The 'booklet' of a pupil must lie between 1 and {len(instrument.booklets)}. "
            f"Got {wrong.item(0, 'booklet')!r} for {wrong.height} of {pupils.height} pupils.",
            where=wrong.get_column("student_id").to_list(),
            hint="Assign booklets with select_students.",
            param="booklet",
            got=wrong.item(0, "booklet"),
        )
    return pupils


def _originals(pupils: pl.DataFrame, schools: Any) -> pl.DataFrame:
    """Take the original schools with their replacements, or every school of the pupils as an original."""
    if schools is None:
        rows = pupils.select("school_id").unique(maintain_order=True)
        nobody = pl.lit(None, dtype=pl.String)
        return rows.with_columns(replacement_1=nobody, replacement_2=nobody)
    table = as_table(getattr(schools, "table", schools), param="schools")
    require_columns(table, ["school_id", "replacement_1", "replacement_2"], param="schools")
    refuse_duplicates(table, "school_id", param="schools")
    _refuse_shared_replacements(table)
    return table.select("school_id", pl.col("replacement_1", "replacement_2").cast(pl.String))


def _refuse_shared_replacements(table: pl.DataFrame) -> None:
    """Refuse a school that would stand for two: its pupils could not carry two weights."""
    names = ("school_id", "replacement_1", "replacement_2")
    candidates = pl.concat([table.get_column(name).cast(pl.String).alias("school") for name in names])
    shared = (
        candidates.drop_nulls().filter(candidates.drop_nulls().is_duplicated()).unique(maintain_order=True)
    )
    if len(shared):
        raise DesignError(
            f"{len(shared)} schools stand for more than one school of the sample.",
            where=shared.to_list(),
            why="A school's pupils cannot carry the weights of two schools.",
            hint="Draw the sample with draw_schools, which gives every replacement once.",
            param="schools",
        )


def _schools_table(
    population: GradePopulation,
    register: pl.DataFrame,
    originals: pl.DataFrame,
    pupils: pl.DataFrame,
    seed: int,
) -> pl.DataFrame:
    """Decide which schools take part."""
    names = ["school_id", "replacement_1", "replacement_2"]
    ids = np.stack([originals.get_column(name).fill_null("").to_numpy() for name in names], axis=1)
    listed = set(pupils.get_column("school_id").to_list())
    exists = np.array([[school in listed for school in row] for row in ids.tolist()]).reshape(ids.shape)
    keys = stable_seeds(seed, f"participation.school.grade{population.grade}", ids.ravel().tolist())
    place = positions(population, originals.get_column("school_id").to_list())
    facts = originals.select("school_id").join(register, on="school_id", how="left", maintain_order="left")
    urban = facts.get_column("area").to_numpy() == "urban"
    outcome = rules.decide_schools(keys.reshape(ids.shape), urban, exists)
    taking = np.where(outcome.participant >= 0, outcome.participant, 0)
    participant = ids[np.arange(len(ids)), taking]
    counted = positions(population, participant.tolist())
    return pl.DataFrame(
        {
            "school_id": originals.get_column("school_id"),
            "participant_id": [
                name if number >= 0 else None
                for name, number in zip(participant.tolist(), outcome.participant.tolist(), strict=True)
            ],
            "status": outcome.status,
            "enrolment": facts.get_column(f"enrolment_{population.grade}"),
            "enrolment_listed": population.n_listed[np.where(outcome.participant >= 0, counted, place)],
        },
        schema_overrides={"participant_id": pl.String},
    )


def _keys(
    population: GradePopulation, pupils: pl.DataFrame, school: Ints, number: Ints, seed: int, purpose: str
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Derive the random keys of pupils and of their schools for one purpose."""
    unique, inverse = np.unique(school, return_inverse=True)
    names = [population.school_ids[place] for place in unique.tolist()]
    of_school = stable_seeds(seed, f"participation.{purpose}.grade{population.grade}", names)[inverse]
    return subkeys(of_school, number), of_school


def _settle_empty_schools(schools: pl.DataFrame, students: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Mark the schools in which nobody was assessed, and take their pupils out of the table."""
    present = pl.col("status").is_in(rules.RESPONDENT_CODES).any()
    eligible = pl.col("status").is_in(rules.ELIGIBLE_CODES).any()
    by_school = students.group_by("school_id").agg(present=present, eligible=eligible)
    empty = by_school.filter(~pl.col("present"))
    if not empty.height:
        return schools, students
    code = pl.when(pl.col("eligible")).then(rules.NO_STUDENTS).otherwise(rules.ALL_INELIGIBLE)
    codes = empty.select(participant_id="school_id", empty=code.cast(pl.Int64))
    joined = schools.join(codes, on="participant_id", how="left", maintain_order="left")
    refused = pl.col("status") != rules.PARTICIPANT
    settled = joined.with_columns(
        status=pl.when(pl.col("empty").is_null() | refused).then("status").otherwise("empty"),
        participant_id=pl.when(pl.col("empty").is_null()).then("participant_id").otherwise(None),
    )
    gone = empty.get_column("school_id").to_list()
    return settled.drop("empty"), students.filter(~pl.col("school_id").is_in(gone))


def _responses(
    instrument: Instrument,
    respondents: pl.DataFrame,
    made: Pupils,
    present: NDArray[np.bool_],
    keys: NDArray[np.uint64],
) -> pl.DataFrame:
    """Draw the responses booklet by booklet and lay them out over all items."""
    theta, keys = made.theta[:, present], keys[present]
    booklet = respondents.get_column("booklet").to_numpy()
    codes = np.full((len(instrument.names), respondents.height), NOT_ADMINISTERED, dtype=np.int8)
    for number, inside in enumerate(instrument.booklets, start=1):
        rows = np.flatnonzero(booklet == number)
        if len(rows):
            codes[np.ix_(inside, rows)] = answer(instrument, number, keys[rows], theta[:, rows]).T
    columns = [pl.Series(name, codes[place]) for place, name in enumerate(instrument.names)]
    answers = pl.DataFrame(columns).select(
        pl.when(pl.col(name) != NOT_ADMINISTERED).then(pl.col(name)).alias(name) for name in instrument.names
    )
    return respondents.select("student_id", "booklet").hstack(answers)
