"""The exact truth of a synthetic nation: statistics of all its pupils, no sample and no model in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.datasets.population_model import SUBJECTS, GradePopulation, everybody, make_pupils
from lsakit.errors import EstimationError

Floats = NDArray[np.float64]
Codes = NDArray[np.int16]  # sorting 16-bit codes is a radix sort

DEFAULT_CUTS = (357.77, 420.07, 482.38, 544.68, 606.99)
PERCENTS = (5, 25, 50, 75, 95)
GAPS = {"gender": ("F", "M"), "area": ("urban", "rural"), "ethnicity": ("kinh", "minority")}


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthOptions:
    """State the reporting scale and the groups of the truth.

    Parameters
    ----------
    slope, intercept : float, default 100 and 500
        Score = intercept + slope · θ.
    cuts : tuple of float
        Lower cut scores of level 1, level 2 and so on, ascending, in score points.
    by : tuple of str
        Keys of the groups; several keys of one table joined by "×".
    """

    slope: float = 100.0
    intercept: float = 500.0
    cuts: tuple[float, ...] = DEFAULT_CUTS
    by: tuple[str, ...] = field(
        default=(
            "nation",
            "province_code",
            "region6",
            "gender",
            "area",
            "ethnicity",
            "disadvantaged",
            "ses_quarter",
            "province_code×gender",
            "province_code×area",
        )
    )


def population_truth(
    population: GradePopulation, schools: pl.DataFrame, options: TruthOptions
) -> pl.DataFrame:
    """Compute the statistics of all pupils of one grade.

    Parameters
    ----------
    population : GradePopulation
        The grade's constants.
    schools : polars.DataFrame
        The register.
    options : TruthOptions
        Scale, cuts and groups.

    Returns
    -------
    polars.DataFrame
        population ("grade5"), subject, statistic ("mean", "sd", "p05" … "p95", "below_1", "level_1" …,
        "at_or_above_1" …, "gap"), by (null for the nation), group ("all" for the nation, parts joined by "×"),
        n (pupils), truth (score points, or a share between 0 and 1). The SD divides by n; the p-th percentile
        is the smallest score that at least p percent of the pupils do not exceed; a gap is the difference of
        the two means in the order of its group, such as "F-M".

    Raises
    ------
    EstimationError
        If a key in ``by`` is not known.
    """
    school, number = everybody(population)
    pupils = make_pupils(population, school, number)
    factors = _factors(population, schools, pupils.school, pupils.girls, pupils.minority, pupils.ses)
    unknown = [key for name in options.by for key in name.split("×") if key not in factors]
    if unknown:
        raise EstimationError(
            f"The truth knows no group {unknown[0]!r}.",
            hint=f"Its groups are: {', '.join(factors)}.",
            param="by",
            got=unknown[0],
        )
    crossed = {name: _cross([factors[key] for key in name.split("×")]) for name in options.by}
    tables = []
    for row, subject in enumerate(SUBJECTS):
        scores = options.intercept + options.slope * pupils.theta[row]
        order = np.argsort(scores, kind="stable")
        ascending = scores[order]
        for name, (codes, groups) in crossed.items():
            columns = _statistics(ascending, codes[order], groups, options.cuts, name)
            tables.append(pl.DataFrame(columns).with_columns(subject=pl.lit(subject)))
    return pl.concat(tables).select(
        population=pl.lit(f"grade{population.grade}"),
        subject=pl.col("subject"),
        statistic=pl.col("statistic"),
        by=pl.when(pl.col("by") == "nation").then(None).otherwise(pl.col("by")),
        group=pl.col("group"),
        n=pl.col("n"),
        truth=pl.col("truth"),
    )


def _factors(
    population: GradePopulation,
    schools: pl.DataFrame,
    school: NDArray[np.int64],
    girls: NDArray[np.bool_],
    minority: NDArray[np.bool_],
    ses: Floats,
) -> dict[str, tuple[Codes, list[str]]]:
    """Code every grouping variable of every pupil with the labels that the analysis table uses."""
    rows = pl.DataFrame({"school_id": population.school_ids}).join(
        schools, on="school_id", how="left", maintain_order="left"
    )
    cuts = np.quantile(ses, [0.25, 0.5, 0.75], method="inverted_cdf")
    factors: dict[str, tuple[Codes, list[str]]] = {
        "nation": (np.zeros(len(school), dtype=np.int16), ["all"]),
        "gender": ((~girls).astype(np.int16), ["F", "M"]),
        "ethnicity": (minority.astype(np.int16), ["kinh", "minority"]),
        "ses_quarter": (np.searchsorted(cuts, ses, side="left").astype(np.int16), ["1", "2", "3", "4"]),
    }
    for name in ("province_code", "region6", "area", "sector", "disadvantaged"):
        column = rows.get_column(name).cast(pl.String)
        labels = column.unique().sort().to_list()
        place = {label: number for number, label in enumerate(labels)}
        factors[name] = (
            np.array([place[value] for value in column.to_list()], dtype=np.int16)[school],
            labels,
        )
    return factors


def _cross(parts: Sequence[tuple[Codes, list[str]]]) -> tuple[Codes, list[str]]:
    """Cross factors; the label of a crossed group joins its parts."""
    codes, labels = parts[0]
    for more, names in parts[1:]:
        codes = (codes * np.int16(len(names)) + more).astype(np.int16)
        labels = [f"{label}×{name}" for label in labels for name in names]
    return codes, labels


def _statistics(
    scores: Floats, codes: Codes, groups: list[str], cuts: Sequence[float], by: str
) -> dict[str, list[object]]:
    """Compute all statistics of all groups of one factor from scores in ascending order."""
    n_groups = len(groups)
    count = np.bincount(codes, minlength=n_groups)
    size = np.maximum(count, 1)
    mean = np.bincount(codes, weights=scores, minlength=n_groups) / size
    square = np.bincount(codes, weights=(scores - mean[codes]) ** 2, minlength=n_groups) / size
    parts: dict[str, Floats] = {"mean": mean, "sd": np.sqrt(square)}
    grouped = scores[np.argsort(codes, kind="stable")]
    start = np.cumsum(count) - count
    for percent in PERCENTS:
        rank = np.maximum(-(-count * percent // 100), 1) - 1
        parts[f"p{percent:02d}"] = grouped[np.minimum(start + rank, len(grouped) - 1)]
    level = np.searchsorted(np.asarray(cuts), scores, side="right")
    table = np.bincount(
        codes.astype(np.int64) * (len(cuts) + 1) + level, minlength=n_groups * (len(cuts) + 1)
    )
    shares = table.reshape(n_groups, -1) / size[:, None]
    parts["below_1"] = shares[:, 0]
    for number in range(1, len(cuts) + 1):
        parts[f"level_{number}"] = shares[:, number]
        parts[f"at_or_above_{number}"] = shares[:, number:].sum(axis=1)
    columns: dict[str, list[object]] = {"statistic": [], "by": [], "group": [], "n": [], "truth": []}
    for statistic, values in parts.items():
        for place in np.flatnonzero(count).tolist():
            _append(columns, statistic, by, groups[place], int(count[place]), float(values[place]))
    if by in GAPS and np.all(count > 0) and set(GAPS[by]) <= set(groups):
        first, second = (groups.index(label) for label in GAPS[by])
        difference = float(mean[first] - mean[second])
        _append(columns, "gap", by, "-".join(GAPS[by]), int(count.sum()), difference)
    return columns


def _append(
    columns: dict[str, list[object]], statistic: str, by: str, group: str, n: int, truth: float
) -> None:
    """Add one row."""
    for name, value in zip(columns, (statistic, by, group, n, truth), strict=True):
        columns[name].append(value)
