"""The register of schools of a synthetic nation: communes, counts, sizes, kinds, names.

The numbers here are assumptions that make the nation look like the country (docs/algorithms/synthetic_nation.md,
section "Schools"); none is an official statistic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit, logit

from lsakit.datasets import units
from lsakit.datasets.nation_size import GRADES, NationSize
from lsakit.datasets.school_names import name_schools
from lsakit.randomness import stream

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SMALLEST_ENROLMENT = 6
LARGEST_ENROLMENT = 900
LARGEST_CLASS = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class NationUnits:
    """Hold the administrative units of a nation.

    Parameters
    ----------
    provinces : polars.DataFrame
        As ``units.provinces()``, the nation's provinces alone.
    communes : polars.DataFrame
        As ``units.communes()``, the communes of these provinces.
    """

    provinces: pl.DataFrame
    communes: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Communes:
    """Hold what is drawn once per commune, in the order of the communes table.

    Parameters
    ----------
    province : ndarray of shape (n_communes,)
        Position of the province.
    ward : ndarray of shape (n_communes,)
        Whether it is a ward.
    disadvantaged : ndarray of shape (n_communes,)
        Whether it counts as disadvantaged.
    minority_share : ndarray of shape (n_communes,)
        Share of ethnic-minority people, between 0 and 1.
    pupil_share : ndarray of shape (n_communes,)
        Share of the nation's pupils; the sum is 1.
    """

    province: Ints
    ward: NDArray[np.bool_]
    disadvantaged: NDArray[np.bool_]
    minority_share: Floats
    pupil_share: Floats


def nation_units(size: NationSize) -> NationUnits:
    """Take the provinces of a nation and their communes.

    Parameters
    ----------
    size : NationSize
        How many provinces.

    Returns
    -------
    NationUnits
        Both tables, in the order of the codes.
    """
    assumptions = units.read_data_file("nation_assumptions.csv").with_columns(pl.col("order").cast(pl.Int64))
    chosen = assumptions.filter(pl.col("order") <= size.n_provinces).get_column("code").to_list()
    return NationUnits(
        provinces=units.provinces().filter(pl.col("code").is_in(chosen)),
        communes=units.communes().filter(pl.col("province_code").is_in(chosen)),
    )


def province_assumptions(provinces: pl.DataFrame) -> dict[str, Floats]:
    """Read what the synthetic nation assumes of each of its provinces.

    Parameters
    ----------
    provinces : polars.DataFrame
        The nation's provinces.

    Returns
    -------
    dict of str to ndarray of shape (n_provinces,)
        population_thousands, minority_share and disadvantaged_share (shares between 0 and 1), achievement
        (shift in θ).
    """
    table = units.read_data_file("nation_assumptions.csv")
    rows = provinces.select("code").join(table, on="code", how="left", maintain_order="left")
    names = ("population_thousands", "minority_share", "disadvantaged_share", "achievement")
    return {name: rows.get_column(name).cast(pl.Float64).to_numpy() for name in names}


def make_schools(seed: int, size: NationSize, nation: NationUnits) -> pl.DataFrame:
    """Make the register of schools.

    Parameters
    ----------
    seed : int
        Seed of the nation.
    size : NationSize
        Numbers of schools and pupils.
    nation : NationUnits
        The nation's units.

    Returns
    -------
    polars.DataFrame
        One row per school in the order of province, commune and school_id: school_id, name, province_code,
        commune_code, region6, area, disadvantaged, sector, levels, boarding, minority_share,
        n_satellite_sites, enrolment_5, classes_5, enrolment_9, classes_9.
    """
    rng = stream(seed, "nation.schools")
    assumed = province_assumptions(nation.provinces)
    communes = draw_communes(rng, nation, assumed)
    counts = {grade: _schools_per_commune(rng, size.n_schools(grade), communes, assumed) for grade in GRADES}
    combined = _combined_schools(rng, counts, communes)
    commune, has = _lay_out(counts, combined)
    enrolment = {
        grade: _enrolments(rng, size.n_pupils(grade), commune, has[grade], communes) for grade in GRADES
    }
    return _finish(rng, nation, communes, commune, enrolment)


def draw_communes(rng: np.random.Generator, nation: NationUnits, assumed: dict[str, Floats]) -> Communes:
    """Draw size, hardship and ethnic mix of every commune.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream of the nation.
    nation : NationUnits
        The nation's units.
    assumed : dict of str to ndarray of shape (n_provinces,)
        From ``province_assumptions``.

    Returns
    -------
    Communes
        One value per commune.
    """
    codes = nation.provinces.get_column("code").to_list()
    province = np.array([codes.index(code) for code in nation.communes.get_column("province_code")])
    kind = nation.communes.get_column("kind").to_numpy()
    ward = np.asarray(kind == "ward")
    n = len(province)
    disadvantaged = ~ward & (rng.random(n) < assumed["disadvantaged_share"][province])
    weight = np.exp(0.45 * rng.standard_normal(n)) * np.where(ward, 1.9, 1.0)
    weight *= np.where(disadvantaged, 0.5, 1.0) * np.where(kind == "special_zone", 0.25, 1.0)
    pupils = assumed["population_thousands"] * (1 + 0.3 * assumed["minority_share"])
    total = np.bincount(province, weights=weight, minlength=len(codes))
    share = weight / total[province] * pupils[province] / pupils.sum()
    spread = 1.1 * rng.standard_normal(n) + 2.0 * disadvantaged - 1.0 * ward
    minority = _match_province_share(spread, assumed["minority_share"], province, share)
    return Communes(
        province=province,
        ward=ward,
        disadvantaged=disadvantaged,
        minority_share=minority,
        pupil_share=share,
    )


def _match_province_share(spread: Floats, target: Floats, province: Ints, weight: Floats) -> Floats:
    """Shift the communes' log-odds by province until the weighted mean share is the province's (bisection)."""
    low, high = logit(target) - 12.0, logit(target) + 12.0
    total = np.bincount(province, weights=weight)
    for _ in range(60):
        middle = (low + high) / 2
        share = expit(middle[province] + spread)
        too_low = np.bincount(province, weights=weight * share) / total < target
        low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
    return np.asarray(expit(((low + high) / 2)[province] + spread))


def apportion(total: int, weights: Floats, least: Ints) -> Ints:
    """Share out a whole number by largest remainder after a minimum for each.

    Parameters
    ----------
    total : int
        Number to share out.
    weights : ndarray of shape (n_units,)
        Positive weights, dimensionless.
    least : ndarray of shape (n_units,)
        Whole number that each unit gets at least; its sum is at most ``total``.

    Returns
    -------
    ndarray of shape (n_units,)
        Whole numbers with the given sum; ties go to the earlier unit.

    Examples
    --------
    >>> apportion(10, np.array([1.0, 1.0, 2.0]), np.array([3, 0, 0])).tolist()
    [3, 2, 5]
    """
    fixed = np.zeros(len(weights), dtype=bool)
    while True:
        rest = total - int(least[fixed].sum())
        exact = np.where(fixed, least, rest * weights / max(weights[~fixed].sum(), 1e-300))
        below = ~fixed & (exact < least)
        if not below.any():
            break
        fixed |= below
    counts = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(-np.where(fixed, -1.0, exact - counts), kind="stable")
    counts[order[: total - int(counts.sum())]] += 1
    return counts


def _schools_per_commune(
    rng: np.random.Generator, n_schools: int, communes: Communes, assumed: dict[str, Floats]
) -> Ints:
    """Spread the schools of one level over provinces and communes."""
    n_provinces = len(assumed["achievement"])
    pupils = np.bincount(communes.province, weights=communes.pupil_share, minlength=n_provinces)
    least = np.full(n_provinces, int(0.4 * n_schools / n_provinces))
    per_province = apportion(n_schools, np.power(pupils, 0.75).astype(np.float64), least)
    counts = np.zeros(len(communes.province), dtype=np.int64)
    for place in range(n_provinces):
        inside = np.flatnonzero(communes.province == place)
        n = int(per_province[place])
        if n < 1.2 * len(inside):
            chosen = rng.permutation(len(inside))[: max(1, round(n / 2.2))]
            inside = np.sort(inside[chosen])
        weight = communes.pupil_share[inside] ** 0.65
        counts[inside] = apportion(n, weight, np.ones(len(inside), dtype=np.int64))
    return counts


def _combined_schools(rng: np.random.Generator, counts: dict[int, Ints], communes: Communes) -> Ints:
    """Draw how many schools of each commune teach both levels."""
    chance = np.where(communes.ward, 0.03, np.where(communes.disadvantaged, 0.45, 0.2))
    return rng.binomial(np.minimum(counts[5], counts[9]), chance).astype(np.int64)


def _lay_out(counts: dict[int, Ints], combined: Ints) -> tuple[Ints, dict[int, NDArray[np.bool_]]]:
    """Give every school its commune and its levels: combined, then primary, then lower secondary schools."""
    primary, secondary = counts[5] - combined, counts[9] - combined
    n_communes = len(combined)
    commune = np.repeat(np.arange(n_communes), combined + primary + secondary)
    block = np.stack([combined, primary, secondary], axis=1).ravel()
    kind = np.repeat(np.tile(np.arange(3), n_communes), block)
    return commune, {5: kind <= 1, 9: kind != 1}


def _enrolments(
    rng: np.random.Generator, n_pupils: int, commune: Ints, has: NDArray[np.bool_], communes: Communes
) -> Ints:
    """Split the grade's pupils over communes and their schools, log-normally within a commune."""
    size = np.exp(0.55 * rng.standard_normal(len(commune))) * has
    year = communes.pupil_share * np.exp(0.06 * rng.standard_normal(len(communes.pupil_share)))
    in_commune = np.bincount(commune, weights=size, minlength=len(year))
    by_province = np.bincount(communes.province, weights=communes.pupil_share)
    year = np.where(in_commune > 0, year, 0.0)
    served = np.bincount(communes.province, weights=year)
    year *= (by_province / served)[communes.province]
    exact = np.zeros(len(commune))
    exact[has] = (n_pupils * year[commune] * size / np.maximum(in_commune, 1e-300)[commune])[has]
    bounded = np.clip(np.rint(exact), SMALLEST_ENROLMENT, LARGEST_ENROLMENT)
    return np.where(has, bounded, 0.0).astype(np.int64)


def _classes(enrolment: Ints, area: NDArray[np.str_], disadvantaged: NDArray[np.bool_]) -> Ints:
    """Count classes: about 38 in town, 33 in the country, 27 in hard places, never above 45."""
    aim = np.where(area == "urban", 38.0, np.where(disadvantaged, 27.0, 33.0))
    by_aim = np.maximum(1, np.rint(enrolment / aim)).astype(np.int64)
    return np.where(enrolment > 0, np.maximum(by_aim, -(-enrolment // LARGEST_CLASS)), 0)


def _finish(
    rng: np.random.Generator,
    nation: NationUnits,
    communes: Communes,
    commune: Ints,
    enrolment: dict[int, Ints],
) -> pl.DataFrame:
    """Draw the remaining traits, name the schools, sort and return the table."""
    n = len(commune)
    ward, disadvantaged = communes.ward[commune], communes.disadvantaged[commune]
    area = np.where(ward, "urban", "rural")
    minority = expit(logit(communes.minority_share[commune]) + 0.35 * rng.standard_normal(n))
    code = nation.communes.get_column("code").to_numpy()[commune]
    province = nation.provinces.get_column("code").to_numpy()[communes.province[commune]]
    metropolis = np.isin(province, ["01", "79"])
    private = rng.random(n) < np.where(ward, np.where(metropolis, 0.08, 0.03), 0.003)
    remote = disadvantaged & (minority > 0.4) & ~private
    boards = rng.random(n)
    upper = rng.random(n)
    has_5, has_9 = enrolment[5] > 0, enrolment[9] > 0
    boarding = remote & (boards < 0.6)
    residential = boarding & ~has_5 & (boards < 0.06)
    levels = np.where(has_5 & has_9, "TH-THCS", np.where(has_5, "TH", "THCS")).astype("<U12")
    extends = has_9 & ((private & (upper < 0.6)) | residential | (upper < 0.01))
    levels = np.where(extends, np.char.add(levels, "-THPT"), levels)
    sites = rng.poisson(np.where(ward, 0.05, np.where(disadvantaged, 2.6, 0.7))) * has_5 * ~private
    kinds = np.where(private, "private", np.where(ward, "ward", "place"))
    kinds = np.where(boarding, "semi_boarding", kinds)
    kinds = np.where(residential, "boarding", kinds)
    starts = rng.integers(0, 10_000, len(communes.province))[commune]
    places = nation.communes.get_column("name").to_numpy()[commune]
    register = {
        "school_id": _school_ids(rng, n),
        "name": name_schools(
            levels=levels.tolist(),
            kinds=kinds.tolist(),
            communes=code.tolist(),
            places=places.tolist(),
            starts=starts.tolist(),
        ),
        "province_code": province,
        "commune_code": code,
        "region6": nation.provinces.get_column("region6").to_numpy()[communes.province[commune]],
        "area": area,
        "disadvantaged": disadvantaged,
        "sector": np.where(private, "private", "public"),
        "levels": levels,
        "boarding": boarding,
        "minority_share": np.round(minority, 4),
        "n_satellite_sites": sites.astype(np.int64),
    }
    for grade in GRADES:
        register[f"enrolment_{grade}"] = enrolment[grade]
        register[f"classes_{grade}"] = _classes(enrolment[grade], area, disadvantaged)
    return pl.DataFrame(register).sort("province_code", "commune_code", "school_id")


def _school_ids(rng: np.random.Generator, n: int) -> list[str]:
    """Draw distinct opaque eight-digit identifiers; some begin with zero, as real codes do."""
    return [f"{number:08d}" for number in rng.choice(10**8, size=n, replace=False).tolist()]
