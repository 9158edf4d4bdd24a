"""A synthetic nation: schools, pupils with known abilities, an instrument, and its administration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl

from lsakit.datasets.administration import (
    Administration,
    hold_administration,
    locate_pupils,
    student_ids,
    with_school_ids,
)
from lsakit.datasets.answers import as_instrument
from lsakit.datasets.counter_random import subkeys, uniforms
from lsakit.datasets.instrument import make_booklets, make_items
from lsakit.datasets.nation_size import GRADES, NationSize, as_size, check_grade
from lsakit.datasets.population_model import (
    GradePopulation,
    birth_dates,
    make_population,
    make_pupils,
    positions,
    pupils_of,
)
from lsakit.datasets.school_register import NationUnits, make_schools, nation_units
from lsakit.datasets.truth import TruthOptions, population_truth
from lsakit.errors import DesignError
from lsakit.io.frames import as_table

SES_MISSING_SHARE = 0.02
_SES_MISSING = 20
SCHOOL_FACTS = ("province_code", "region6", "area", "disadvantaged", "sector")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nation:
    """Hold a synthetic nation; made by ``nation``.

    Parameters
    ----------
    seed : int
        Seed from which all of it follows.
    size : NationSize
        Numbers of provinces, schools and pupils.
    units : NationUnits
        ``.provinces`` and ``.communes`` of the nation.
    schools : polars.DataFrame
        The register: one row per school with its enrolments of both grades.
    booklets : polars.DataFrame
        booklet, position, cluster.
    populations : Mapping of int to GradePopulation
        Hidden constants of each grade; no estimate may look at them.
    instruments : Mapping of int to tuple of polars.DataFrame
        Items and true items of each grade.
    """

    seed: int
    size: NationSize
    units: NationUnits
    schools: pl.DataFrame
    booklets: pl.DataFrame
    populations: Mapping[int, GradePopulation] = field(repr=False)
    instruments: Mapping[int, tuple[pl.DataFrame, pl.DataFrame]] = field(repr=False)

    def frame(self, grade: int) -> pl.DataFrame:
        """Give the sampling frame of a grade.

        Parameters
        ----------
        grade : int
            5 or 9.

        Returns
        -------
        polars.DataFrame
            One row per school with the grade: school_id, name, province_code, commune_code, region6, area,
            disadvantaged, sector, minority_share, enrolment (pupils), classes.

        Raises
        ------
        DesignError
            If the grade is not assessed.
        """
        check_grade(grade)
        return self.schools.filter(pl.col(f"enrolment_{grade}") > 0).select(
            "school_id",
            "name",
            "province_code",
            "commune_code",
            "region6",
            "area",
            "disadvantaged",
            "sector",
            "minority_share",
            enrolment=pl.col(f"enrolment_{grade}"),
            classes=pl.col(f"classes_{grade}"),
        )

    def students(self, school_ids: Sequence[str], grade: int) -> pl.DataFrame:
        """List the pupils of some schools with their hidden truth.

        Parameters
        ----------
        school_ids : Sequence of str of shape (n_schools,)
            Schools; a school made alone has the same pupils as in the whole nation.
        grade : int
            5 or 9.

        Returns
        -------
        polars.DataFrame
            As ``lists``, and ses, theta_maths, theta_reading (θ, mean 0 and SD 1 in the previous cycle).

        Raises
        ------
        DesignError
            If a school does not have the grade.
        """
        check_grade(grade)
        population = self.populations[grade]
        chosen = positions(population, list(school_ids))
        school, number = pupils_of(population, chosen)
        made = make_pupils(population, school, number)
        of_class = number * population.n_classes[school] // population.n_listed[school]
        ids = pl.Series(population.school_ids).gather(school)
        table = pl.DataFrame(
            {
                "school_id": ids,
                "student_id": student_ids(population.school_ids, school, number, grade),
                "class_number": of_class + 1,
                "gender": np.where(made.girls, "F", "M"),
                "birth_date": birth_dates(population, school, number),
                "ethnicity": np.where(made.minority, "minority", "kinh"),
                "ses": made.ses,
                "theta_maths": made.theta[0],
                "theta_reading": made.theta[1],
            }
        )
        label = pl.concat_str(
            pl.col("school_id"), pl.lit(f"-{grade}A"), pl.col("class_number").cast(pl.String)
        )
        named = table.with_columns(class_id=label).drop("class_number")
        return named.select(
            "school_id", "student_id", "class_id", pl.exclude("school_id", "student_id", "class_id")
        )

    def lists(self, school_ids: Sequence[str], grade: int) -> pl.DataFrame:
        """List the pupils of some schools as the schools report them.

        Parameters
        ----------
        school_ids : Sequence of str of shape (n_schools,)
            Schools: originals and replacements alike.
        grade : int
            5 or 9.

        Returns
        -------
        polars.DataFrame
            school_id, student_id, class_id, gender ("F", "M"), birth_date, ethnicity ("kinh", "minority").

        Raises
        ------
        DesignError
            If a school does not have the grade.
        """
        return self.students(school_ids, grade).drop("ses", "theta_maths", "theta_reading")

    def items(self, grade: int) -> pl.DataFrame:
        """List the items of a grade.

        Parameters
        ----------
        grade : int
            5 or 9.

        Returns
        -------
        polars.DataFrame
            item, subject, cluster, position, format, key, max_score, is_trend, domain.

        Raises
        ------
        DesignError
            If the grade is not assessed.
        """
        check_grade(grade)
        return self.instruments[grade][0]

    def true_items(self, grade: int) -> pl.DataFrame:
        """Give the true item parameters of a grade.

        Parameters
        ----------
        grade : int
            5 or 9.

        Returns
        -------
        polars.DataFrame
            item, subject, model, slope, difficulty, step_1, step_2, guessing (logit metric, D = 1).

        Raises
        ------
        DesignError
            If the grade is not assessed.
        """
        check_grade(grade)
        return self.instruments[grade][1]

    def trend_items(self, grade: int, subject: str | None = None) -> pl.DataFrame:
        """Give the published parameters of the items that the previous cycle had too.

        Parameters
        ----------
        grade : int
            5 or 9.
        subject : str, optional
            "maths" or "reading"; both where it is left out.

        Returns
        -------
        polars.DataFrame
            Rows of ``true_items``: the metric of the previous cycle, whose pupils had mean 0 and SD 1.

        Raises
        ------
        DesignError
            If the grade is not assessed or the subject not tested.
        """
        trend = self.items(grade).filter("is_trend").get_column("item").to_list()
        rows = self.true_items(grade).filter(pl.col("item").is_in(trend))
        if subject is None:
            return rows
        if subject not in rows.get_column("subject").unique():
            raise DesignError(
                f"The 'subject' must be 'maths' or 'reading'. Got {subject!r}.", param="subject", got=subject
            )
        return rows.filter(pl.col("subject") == subject)

    def truth(self, grade: int, options: TruthOptions | None = None) -> pl.DataFrame:
        """Compute the exact truth of a grade from all its pupils.

        Parameters
        ----------
        grade : int
            5 or 9.
        options : TruthOptions, optional
            Scale, cut scores and groups.

        Returns
        -------
        polars.DataFrame
            population, subject, statistic, by, group, n, truth; see ``truth.population_truth``.

        Raises
        ------
        DesignError
            If the grade is not assessed.
        """
        check_grade(grade)
        return population_truth(self.populations[grade], self.schools, options or TruthOptions())

    def administer(self, pupils: Any, grade: int, *, seed: int, schools: Any = None) -> Administration:
        """Let the selected pupils sit the test.

        Parameters
        ----------
        pupils : table
            Selected pupils of originals and replacements: school_id, student_id, booklet (or an object with
            such a ``.table``).
        grade : int
            5 or 9.
        seed : int
            Seed of the administration; the same pupils with another seed answer anew.
        schools : table, optional
            The drawn sample with school_id, replacement_1, replacement_2 (or an object with such a
            ``.table``). Without it every school of ``pupils`` is an original that has no replacement.

        Returns
        -------
        Administration
            Participation of schools and pupils, and the raw responses of those present.

        Raises
        ------
        DesignError
            If a pupil or school is not of this nation, or a booklet does not exist.
        """
        check_grade(grade)
        instrument = as_instrument(self.items(grade), self.true_items(grade), self.booklets)
        return hold_administration(
            self.populations[grade],
            self.schools,
            instrument,
            getattr(pupils, "table", pupils),
            schools=schools,
            seed=seed,
        )

    def background(self, pupils: Any, grade: int) -> pl.DataFrame:
        """Give what the questionnaire and the register know of pupils.

        Parameters
        ----------
        pupils : table
            student_id, and school_id or not (or an object with such a ``.table``); an identifier begins with
            that of the school.
        grade : int
            5 or 9.

        Returns
        -------
        polars.DataFrame
            In the order given: student_id, school_id, gender, ethnicity, ses (null for two percent, by chance
            alone), province_code, region6, area, disadvantaged, sector.

        Raises
        ------
        DesignError
            If a pupil is not of this nation.
        """
        check_grade(grade)
        table = with_school_ids(as_table(getattr(pupils, "table", pupils), param="pupils"))
        population = self.populations[grade]
        school, number = locate_pupils(population, table)
        made = make_pupils(population, school, number)
        key = subkeys(population.keys[school], number)
        ses = pl.Series(made.ses).set(pl.Series(uniforms(key, _SES_MISSING) < SES_MISSING_SHARE), None)
        answers = table.select("student_id", "school_id").with_columns(
            pl.Series("gender", np.where(made.girls, "F", "M")),
            pl.Series("ethnicity", np.where(made.minority, "minority", "kinh")),
            ses.alias("ses"),
        )
        facts = self.schools.select("school_id", *SCHOOL_FACTS)
        return answers.join(facts, on="school_id", how="left", maintain_order="left")


def nation(seed: int = 2026, size: str | NationSize = "national", *, is_earlier: bool = False) -> Nation:
    """Make a synthetic nation.

    Parameters
    ----------
    seed : int, default 2026
        Seed from which everything follows.
    size : str or NationSize, default "national"
        "national" (34 provinces, 12,000 schools with grade 5 and 9,000 with grade 9), "small" (6 provinces),
        or an own size.
    is_earlier : bool, default False
        Whether the nation of the previous cycle is wanted: the same register, other children, whose abilities have
        mean 0, and an instrument that shares the trend items alone.

    Returns
    -------
    Nation
        The nation; pupils are made when they are asked for, school by school or all at once.

    Raises
    ------
    DesignError
        If the size is not known or impossible.

    References
    ----------
    docs/algorithms/synthetic_nation.md states the model and its assumptions.

    Examples
    --------
    >>> small = nation(seed=1, size="small")
    >>> small.frame(5).height
    540
    >>> small.items(5).height
    156
    """
    numbers = as_size(size)
    places = nation_units(numbers)
    schools = make_schools(seed, numbers, places)
    return Nation(
        seed=seed,
        size=numbers,
        units=places,
        schools=schools,
        booklets=make_booklets(),
        populations=MappingProxyType(
            {grade: make_population(seed, grade, schools, places, is_earlier=is_earlier) for grade in GRADES}
        ),
        instruments=MappingProxyType(
            {grade: make_items(seed, grade, is_earlier=is_earlier) for grade in GRADES}
        ),
    )
