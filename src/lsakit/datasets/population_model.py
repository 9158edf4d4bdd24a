"""The population model of the synthetic nation: what a pupil's two abilities are made of.

θ of pupil i in school k = level of the school + effects within the school of ethnicity, socio-economic status
and gender + a normal residual, the residuals of the two subjects correlated. The school levels hold province,
area, hardship, school composition and a school effect. The constants are assumptions, stated with their
reasons in docs/algorithms/synthetic_nation.md, section "Abilities".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.datasets.counter_random import normals, subkeys, uniforms
from lsakit.datasets.school_register import NationUnits, province_assumptions
from lsakit.errors import DesignError
from lsakit.randomness import stable_seeds, stream

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SUBJECTS = ("maths", "reading")
REFERENCE_YEAR = 2026

SES_INTRACLASS = 0.30
SES_OF_MINORITY = -0.45
ABILITY_CORRELATION = 0.75
SCHOOL_EFFECT_CORRELATION = 0.85
LIST_CHANGE = 0.03
PROVINCE_NOISE = 0.05
LARGEST_FIXED_SHARE = 0.75
LARGEST_RESIDUAL_CORRELATION = 0.95

# numbers of the variables drawn for one pupil and one school (counter_random)
_GENDER, _ETHNICITY, _SES, _MATHS, _READING, _YEAR, _DAY = range(7)
_LISTED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectAssumptions:
    """State the assumed effects on θ in one grade and subject.

    Parameters
    ----------
    mean : float
        Mean of θ over the pupils of the frame, on the metric of the previous cycle (mean 0, SD 1).
    intraclass : float
        Share of the variance of θ between schools.
    urban, disadvantaged : float
        Shift of a school's level in town and in a hard place.
    minority : float
        Difference of ethnic-minority pupils, within and between schools.
    ses : float
        Rise of θ with one unit of socio-economic status within a school.
    ses_school : float
        Rise of a school's level with one unit of its mean socio-economic status.
    girls : float
        Difference of girls and boys.
    """

    mean: float
    intraclass: float
    urban: float
    disadvantaged: float
    minority: float
    ses: float
    ses_school: float
    girls: float


ASSUMPTIONS = {
    (5, "maths"): SubjectAssumptions(
        mean=0.10,
        intraclass=0.32,
        urban=0.08,
        disadvantaged=-0.16,
        minority=-0.18,
        ses=0.20,
        ses_school=0.35,
        girls=0.03,
    ),
    (5, "reading"): SubjectAssumptions(
        mean=0.12,
        intraclass=0.33,
        urban=0.10,
        disadvantaged=-0.18,
        minority=-0.26,
        ses=0.20,
        ses_school=0.35,
        girls=0.22,
    ),
    (9, "maths"): SubjectAssumptions(
        mean=0.08,
        intraclass=0.38,
        urban=0.12,
        disadvantaged=-0.18,
        minority=-0.18,
        ses=0.18,
        ses_school=0.45,
        girls=-0.02,
    ),
    (9, "reading"): SubjectAssumptions(
        mean=0.10,
        intraclass=0.37,
        urban=0.12,
        disadvantaged=-0.18,
        minority=-0.24,
        ses=0.18,
        ses_school=0.45,
        girls=0.28,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GradePopulation:
    """Hold all that decides the pupils of one grade: constants per school and for the grade.

    Parameters
    ----------
    grade : int
        5 or 9.
    school_ids : tuple of str of shape (n_schools,)
        Schools with the grade, in the order of the register.
    keys : ndarray of shape (n_schools,)
        Random key of each school.
    n_listed : ndarray of shape (n_schools,)
        Pupils on the school's list, which differs a little from the frame's enrolment.
    n_classes : ndarray of shape (n_schools,)
        Classes of the grade.
    minority_share : ndarray of shape (n_schools,)
        Chance of a pupil to belong to an ethnic minority.
    late_share : ndarray of shape (n_schools,)
        Chance of a pupil to be a year older than the grade's cohort.
    ses_mean : ndarray of shape (n_schools,)
        Expected socio-economic status, nation's mean 0 and SD 1.
    ses_residual : float
        SD of socio-economic status within schools, ethnicity apart.
    level : ndarray of shape (2, n_schools)
        Expected θ of each subject in each school.
    effects : ndarray of shape (2, 3)
        Effects of minority, ses and girls within schools, per subject.
    residual : ndarray of shape (2, 2)
        Lower Cholesky factor of the residual covariance of the two abilities.
    """

    grade: int
    school_ids: tuple[str, ...]
    keys: NDArray[np.uint64]
    n_listed: Ints
    n_classes: Ints
    minority_share: Floats
    late_share: Floats
    ses_mean: Floats
    ses_residual: float
    level: Floats
    effects: Floats
    residual: Floats


def _average(values: Floats, weights: Floats) -> float:
    """Average with weights."""
    return float(np.dot(values, weights) / weights.sum())


def _center(values: Floats, weights: Floats) -> Floats:
    """Subtract the weighted mean."""
    return values - _average(values, weights)


def make_population(
    seed: int, grade: int, schools: pl.DataFrame, nation: NationUnits, *, is_earlier: bool = False
) -> GradePopulation:
    """Draw the school levels of one grade and fix the residuals so that the variances come out as assumed.

    Parameters
    ----------
    seed : int
        Seed of the nation.
    grade : int
        5 or 9.
    schools : polars.DataFrame
        The register.
    nation : NationUnits
        The nation's units.
    is_earlier : bool, default False
        Whether the pupils of the previous cycle are wanted: other children of the same schools, whose mean θ is 0.

    Returns
    -------
    GradePopulation
        The constants.
    """
    rows = schools.filter(pl.col(f"enrolment_{grade}") > 0)
    ids = rows.get_column("school_id").to_list()
    cohort = "nation.pupils.earlier" if is_earlier else "nation.pupils"
    keys = stable_seeds(seed, f"{cohort}.grade{grade}", ids)
    enrolment = rows.get_column(f"enrolment_{grade}").to_numpy().astype(np.float64)
    change = np.clip(LIST_CHANGE * normals(keys, _LISTED), -0.1, 0.1)
    rng = stream(seed, f"nation.levels.grade{grade}")
    achievement = _province_levels(rng, rows, nation)
    share = rows.get_column("minority_share").to_numpy()
    hard = rows.get_column("disadvantaged").to_numpy()
    ses_mean = _school_ses(rng, rows, achievement, enrolment)
    mixing = _average(share * (1 - share), enrolment)
    level, effects, residual = _abilities(rng, rows, grade, (achievement, ses_mean, enrolment, mixing))
    if is_earlier:
        level = level - np.array([[ASSUMPTIONS[grade, subject].mean] for subject in SUBJECTS])
    return GradePopulation(
        grade=grade,
        school_ids=tuple(ids),
        keys=keys,
        n_listed=np.maximum(1, np.rint(enrolment * (1 + change))).astype(np.int64),
        n_classes=rows.get_column(f"classes_{grade}").to_numpy().astype(np.int64),
        minority_share=share,
        late_share=np.where(hard, 0.08, 0.02) + 0.03 * share,
        ses_mean=ses_mean,
        ses_residual=float(np.sqrt(1 - SES_INTRACLASS - SES_OF_MINORITY**2 * mixing)),
        level=level,
        effects=effects,
        residual=residual,
    )


def _province_levels(rng: np.random.Generator, rows: pl.DataFrame, nation: NationUnits) -> Floats:
    """Give each school the shift of its province: the assumed one and a little chance."""
    codes = nation.provinces.get_column("code").to_list()
    assumed = province_assumptions(nation.provinces)["achievement"]
    shift = assumed + PROVINCE_NOISE * rng.standard_normal(len(codes))
    place = {code: number for number, code in enumerate(codes)}
    return shift[[place[code] for code in rows.get_column("province_code").to_list()]]


def _school_ses(rng: np.random.Generator, rows: pl.DataFrame, achievement: Floats, weights: Floats) -> Floats:
    """Draw the schools' mean socio-economic status, scaled to the assumed share of variance."""
    urban = rows.get_column("area").to_numpy() == "urban"
    raw = 0.55 * urban - 0.45 * rows.get_column("disadvantaged").to_numpy()
    raw = raw - 0.5 * rows.get_column("minority_share").to_numpy() + 0.7 * achievement
    raw = raw + 0.9 * (rows.get_column("sector").to_numpy() == "private")
    raw = _center(raw + 0.4 * rng.standard_normal(rows.height), weights)
    return raw * float(np.sqrt(SES_INTRACLASS / _average(raw**2, weights)))


def _abilities(
    rng: np.random.Generator,
    rows: pl.DataFrame,
    grade: int,
    parts: tuple[Floats, Floats, Floats, float],
) -> tuple[Floats, Floats, Floats]:
    """Draw school levels and derive effects and residual covariance for both subjects."""
    achievement, ses_mean, weights, mixing = parts
    urban = (rows.get_column("area").to_numpy() == "urban").astype(np.float64)
    hard = rows.get_column("disadvantaged").to_numpy().astype(np.float64)
    share = rows.get_column("minority_share").to_numpy()
    chance = rng.standard_normal((2, rows.height))
    chance[1] = SCHOOL_EFFECT_CORRELATION * chance[0] + np.sqrt(1 - SCHOOL_EFFECT_CORRELATION**2) * chance[1]
    level = np.empty((2, rows.height))
    effects = np.empty((2, 3))
    for number, subject in enumerate(SUBJECTS):
        a = ASSUMPTIONS[grade, subject]
        fixed = achievement + a.urban * urban + a.disadvantaged * hard + a.minority * share
        fixed = _center(fixed + a.ses_school * ses_mean, weights)
        explained = _average(fixed**2, weights)
        fixed *= min(1.0, np.sqrt(LARGEST_FIXED_SHARE * a.intraclass / explained))
        spread = np.sqrt(a.intraclass - _average(fixed**2, weights))
        level[number] = a.mean + fixed + spread * _center(chance[number], weights)
        effects[number] = a.minority, a.ses, a.girls
    return level, effects, _residual_factor(level, effects, grade, weights, mixing)


def _residual_factor(level: Floats, effects: Floats, grade: int, weights: Floats, mixing: float) -> Floats:
    """Find the residual covariance that completes variance 1 and the assumed correlation, as far as it can."""
    minority, ses, girls = effects.T
    within_ses = 1 - SES_INTRACLASS
    crossed = np.outer(minority, ses) + np.outer(ses, minority)
    explained = np.outer(minority, minority) * mixing + np.outer(ses, ses) * within_ses
    explained = explained + crossed * SES_OF_MINORITY * mixing + np.outer(girls, girls) / 4
    within = 1 - np.array([ASSUMPTIONS[grade, subject].intraclass for subject in SUBJECTS])
    centered = level - np.average(level, axis=1, weights=weights)[:, None]
    shared = _average(centered[0] * centered[1], weights)
    target = np.diag(within)
    target[0, 1] = target[1, 0] = ABILITY_CORRELATION - shared
    covariance = target - explained
    most = LARGEST_RESIDUAL_CORRELATION * np.sqrt(covariance[0, 0] * covariance[1, 1])
    covariance[0, 1] = covariance[1, 0] = np.clip(covariance[0, 1], -most, most)
    return np.asarray(np.linalg.cholesky(covariance))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pupils:
    """Hold pupils with their hidden truth, as arrays in one order.

    Parameters
    ----------
    school : ndarray of shape (n_pupils,)
        Position of the school in ``GradePopulation.school_ids``.
    girls : ndarray of shape (n_pupils,)
        Whether the pupil is a girl.
    minority : ndarray of shape (n_pupils,)
        Whether the pupil belongs to an ethnic minority.
    ses : ndarray of shape (n_pupils,)
        Socio-economic status, nation's mean 0 and SD 1.
    theta : ndarray of shape (2, n_pupils)
        Abilities in the order of ``SUBJECTS``, in θ.
    """

    school: Ints
    girls: Bools
    minority: Bools
    ses: Floats
    theta: Floats


def make_pupils(population: GradePopulation, school: Ints, number: Ints) -> Pupils:
    """Make pupils by the position of their school and their number in it.

    Parameters
    ----------
    population : GradePopulation
        The grade's constants.
    school : ndarray of shape (n_pupils,)
        Positions of the schools.
    number : ndarray of shape (n_pupils,)
        Number of each pupil within the school, from 0.

    Returns
    -------
    Pupils
        Always the same pupil for the same school and number, whoever else is made with it.
    """
    key = subkeys(population.keys[school], number)
    share = population.minority_share[school]
    girls = uniforms(key, _GENDER) < 0.48
    minority = uniforms(key, _ETHNICITY) < share
    off = minority - share
    own_ses = SES_OF_MINORITY * off + population.ses_residual * normals(key, _SES)
    theta = population.level[:, school]
    first, second = normals(key, _MATHS), normals(key, _READING)
    for row in range(2):
        on_minority, on_ses, on_girls = population.effects[row]
        noise = population.residual[row, 0] * first + population.residual[row, 1] * second
        theta[row] += on_minority * off + on_ses * own_ses + on_girls * (girls - 0.48) + noise
    return Pupils(
        school=school,
        girls=girls,
        minority=minority,
        ses=population.ses_mean[school] + own_ses,
        theta=theta,
    )


def birth_dates(population: GradePopulation, school: Ints, number: Ints) -> NDArray[np.datetime64]:
    """Draw birth dates: the grade's cohort, some a year older, a few two years.

    Parameters
    ----------
    population : GradePopulation
        The grade's constants.
    school : ndarray of shape (n_pupils,)
        Positions of the schools.
    number : ndarray of shape (n_pupils,)
        Number of each pupil within the school, from 0.

    Returns
    -------
    ndarray of shape (n_pupils,)
        Dates of birth.
    """
    key = subkeys(population.keys[school], number)
    chance = uniforms(key, _YEAR)
    late = population.late_share[school]
    years_late = (chance < late).astype(np.int64) + (chance < 0.15 * late)
    year = REFERENCE_YEAR - 6 - population.grade - years_late
    start = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    day = np.floor(uniforms(key, _DAY) * 365).astype("timedelta64[D]")
    return np.asarray(start + day)


def everybody(population: GradePopulation) -> tuple[Ints, Ints]:
    """Number all pupils of the grade.

    Parameters
    ----------
    population : GradePopulation
        The grade's constants.

    Returns
    -------
    school : ndarray of shape (n_pupils,)
        Positions of the schools.
    number : ndarray of shape (n_pupils,)
        Number of each pupil within the school, from 0.
    """
    return pupils_of(population, np.arange(len(population.school_ids)))


def pupils_of(population: GradePopulation, schools: Ints) -> tuple[Ints, Ints]:
    """Number the pupils of some schools.

    Parameters
    ----------
    population : GradePopulation
        The grade's constants.
    schools : ndarray of shape (n_chosen,)
        Positions of the schools.

    Returns
    -------
    school : ndarray of shape (n_pupils,)
        Positions of the schools, in the order given.
    number : ndarray of shape (n_pupils,)
        Number of each pupil within the school, from 0.
    """
    counts = population.n_listed[schools]
    starts = np.cumsum(counts) - counts
    number = np.arange(int(counts.sum()), dtype=np.int64) - np.repeat(starts, counts)
    return np.repeat(schools, counts), number


def positions(population: GradePopulation, school_ids: list[str]) -> Ints:
    """Find schools by identifier.

    Parameters
    ----------
    population : GradePopulation
        The grade's constants.
    school_ids : list of str of shape (n_chosen,)
        Identifiers.

    Returns
    -------
    ndarray of shape (n_chosen,)
        Positions in ``population.school_ids``.

    Raises
    ------
    DesignError
        If a school is not in the nation or does not have the grade.
    """
    place = {school: number for number, school in enumerate(population.school_ids)}
    unknown = [school for school in school_ids if school not in place]
    if unknown:
        raise DesignError(
            f"{len(unknown)} of the schools asked for have no grade {population.grade} in this nation.",
            where=unknown,
            hint=f"Take school_id from nation.frame({population.grade}) of the same seed and size.",
            param="school_ids",
            got=unknown[0],
        )
    return np.array([place[school] for school in school_ids], dtype=np.int64)
