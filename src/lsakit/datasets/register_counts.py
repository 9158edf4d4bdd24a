"""Pupils, classes and sites of a whole register, and the official totals that agree with them."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.datasets.register_contacts import scatter
from lsakit.datasets.register_layout import COUNTED_SCHOOLS, GRADES_OF_LEVEL, KINDS, LEVELS, Bools, Layout
from lsakit.datasets.school_register import LARGEST_CLASS, Communes, Floats, Ints
from lsakit.datasets.units import read_data_file

PUPILS_PER_GRADE = {
    "MN": 4_900_000,
    "TH": 1_780_000,
    "THCS": 1_630_000,
    "THPT": 980_000,
    "GDTX": 120_000,
}
"""Pupils of one grade (of all kindergarten groups) in a country of 53,000 schools; assumed."""
BOUNDS = {"MN": (45, 800), "TH": (14, 700), "THCS": (14, 700), "THPT": (60, 700), "GDTX": (14, 250)}
AIMS = {
    "MN": (30, 27, 22),
    "TH": (36, 32, 25),
    "THCS": (38, 34, 29),
    "THPT": (41, 39, 36),
    "GDTX": (38, 34, 30),
}
SMALLEST_GRADE = 12
INCLUSION_PUPILS = 18.0


def make_enrolments(
    rng: np.random.Generator, layout: Layout, communes: Communes, *, first_year: int, n_years: int
) -> pl.DataFrame:
    """Draw pupils and classes of every school, grade and year.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream of the counts.
    layout : Layout
        One value per school.
    communes : Communes
        What was drawn per commune.
    first_year : int
        Year in which the first school year begins.
    n_years : int
        School years.

    Returns
    -------
    polars.DataFrame
        school (position), first_year of the school year, grade, n_students, n_classes, counted_on; by school,
        year and grade.
    """
    n_schools = len(layout.kind)
    growth = np.clip(0.015 * rng.standard_normal((n_schools, n_years)), -0.03, 0.03)
    trend = np.exp(np.cumsum(growth, axis=1) - growth[:, :1])
    counted = _days_of_count(rng, n_schools, first_year, n_years)
    column = np.where(layout.ward, 0, np.where(layout.disadvantaged, 2, 1))
    parts = []
    for level in LEVELS:
        school = np.flatnonzero(layout.has(level))
        grades = np.array(GRADES_OF_LEVEL[level])
        base = _mean_sizes(rng, level, school, layout, communes)
        noise = rng.uniform(0.95, 1.05, (len(school), n_years, len(grades)))
        exact = base[:, None, None] * trend[school][:, :, None] * noise
        students = np.maximum(np.rint(exact), SMALLEST_GRADE).astype(np.int64)
        aim = np.array(AIMS[level], dtype=np.float64)[column[school]][:, None, None]
        aim = np.where(_is_inclusion(layout)[school][:, None, None], 14.0, aim)
        classes = np.maximum(np.maximum(1, np.rint(students / aim)), -(-students // LARGEST_CLASS))
        shape = students.shape
        parts.append(
            pl.DataFrame(
                {
                    "school": np.broadcast_to(school[:, None, None], shape).ravel(),
                    "first_year": np.broadcast_to(
                        (first_year + np.arange(n_years))[None, :, None], shape
                    ).ravel(),
                    "grade": np.broadcast_to(grades[None, None, :], shape).ravel(),
                    "n_students": students.ravel(),
                    "n_classes": classes.astype(np.int64).ravel(),
                    "counted_on": np.broadcast_to(counted[school][:, :, None], shape).ravel(),
                }
            )
        )
    return pl.concat(parts).sort("school", "first_year", "grade")


def _is_inclusion(layout: Layout) -> Bools:
    """Tell which schools are centres of inclusive education: small, with small classes."""
    return np.array([one.kind == "inclusion" for one in KINDS])[layout.kind]


def _mean_sizes(
    rng: np.random.Generator, level: str, school: Ints, layout: Layout, communes: Communes
) -> Floats:
    """Split the pupils of a grade over provinces, and within them over schools, log-normally."""
    commune, province = layout.commune[school], layout.province[school]
    n_provinces = int(communes.province.max()) + 1
    pupils = np.bincount(communes.province, weights=communes.pupil_share, minlength=n_provinces)
    total = PUPILS_PER_GRADE[level] * len(layout.kind) / COUNTED_SCHOOLS
    per_commune = np.bincount(commune, minlength=len(communes.province))
    pull = communes.pupil_share[commune] / per_commune[commune]
    weight = np.sqrt(pull) * np.exp(0.45 * rng.standard_normal(len(school)))
    weight *= np.where(layout.sector[school] == "public", 1.0, 0.5)
    in_province = np.bincount(province, weights=weight, minlength=n_provinces)
    size = total * pupils[province] * weight / in_province[province]
    low, high = BOUNDS[level]
    size = np.where(_is_inclusion(layout)[school], INCLUSION_PUPILS, size)
    return np.clip(size, low, high)


def _days_of_count(
    rng: np.random.Generator, n_schools: int, first_year: int, n_years: int
) -> NDArray[np.datetime64]:
    """Draw the day of each school's count: from 15 September to 10 October."""
    start = np.array([f"{first_year + year}-09-15" for year in range(n_years)], dtype="datetime64[D]")
    return np.asarray(start[None, :] + rng.integers(0, 26, (n_schools, n_years)).astype("timedelta64[D]"))


def make_sites(
    rng: np.random.Generator, layout: Layout, counts: pl.DataFrame, place: tuple[Floats, Floats]
) -> pl.DataFrame:
    """Draw satellite sites and share pupils and classes of the last year out over all sites.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream of the sites.
    layout : Layout
        One value per school.
    counts : polars.DataFrame
        From ``make_enrolments``.
    place : tuple of ndarray of shape (n_schools,)
        Latitude and longitude of the schools.

    Returns
    -------
    polars.DataFrame
        school (position), number (0 is the main site), hamlet (empty for the main site), latitude, longitude,
        n_students, n_classes.
    """
    last = counts.filter(pl.col("first_year") == pl.col("first_year").max())
    total = last.group_by("school").agg(pl.col("n_students", "n_classes").sum()).sort("school")
    students, classes = total.get_column("n_students").to_numpy(), total.get_column("n_classes").to_numpy()
    n = len(layout.kind)
    young = (layout.has("MN") | layout.has("TH")) & (layout.sector == "public") & ~_is_inclusion(layout)
    mean = np.where(layout.ward, 0.08, np.where(layout.disadvantaged, 2.4, 0.7))
    satellites = np.minimum(rng.poisson(mean) * young, np.maximum(0, (classes - 2) // 2))
    n_sites = satellites + 1
    school = np.repeat(np.arange(n), n_sites)
    first = np.cumsum(n_sites) - n_sites
    number = np.arange(len(school)) - first[school]
    own_classes = np.where(number == 0, (classes - satellites)[school], 1)
    before = np.cumsum(own_classes) - own_classes
    before -= before[first][school]
    share = students[school] * before // classes[school]
    until = students[school] * (before + own_classes) // classes[school]
    hamlets = np.array(
        read_data_file("register_names.csv").filter(pl.col("kind") == "hamlet").get_column("name")
    )
    start = rng.integers(0, len(hamlets), n)
    latitude, longitude = place
    centre = np.stack([latitude[school], longitude[school]], axis=1)
    away = np.round(scatter(rng, centre, np.full(len(school), 2.5)), 6)
    point = np.where((number == 0)[:, None], centre, away)
    return pl.DataFrame(
        {
            "school": school,
            "number": number,
            "hamlet": np.where(number == 0, "", hamlets[(start[school] + number) % len(hamlets)]),
            "latitude": point[:, 0],
            "longitude": point[:, 1],
            "n_students": until - share,
            "n_classes": own_classes,
        }
    )


def official_totals(schools: pl.DataFrame, enrolments: pl.DataFrame) -> pl.DataFrame:
    """Add up what the provinces would publish: pupils, classes and schools by level.

    Parameters
    ----------
    schools : polars.DataFrame
        school_id, province_code, levels.
    enrolments : polars.DataFrame
        school_id, school_year, grade, n_students, n_classes.

    Returns
    -------
    polars.DataFrame
        province_code, school_year, level (MN, TH, THCS, THPT, GDTX), n_schools, n_classes, n_students. The
        pupils of continuing education count under GDTX whatever their grade.
    """
    by_grade = {grade: level for level in LEVELS[:4] for grade in GRADES_OF_LEVEL[level]}
    of_grade = pl.col("grade").replace_strict(by_grade, return_dtype=pl.String)
    level = pl.when(pl.col("levels") == "GDTX").then(pl.lit("GDTX")).otherwise(of_grade)
    joined = enrolments.join(schools.select("school_id", "province_code", "levels"), on="school_id")
    return (
        joined.group_by("province_code", "school_year", level.alias("level"))
        .agg(
            n_schools=pl.col("school_id").n_unique(),
            n_classes=pl.col("n_classes").sum(),
            n_students=pl.col("n_students").sum(),
        )
        .sort("province_code", "school_year", "level")
    )
