"""Results of the estimation as rows of the tidy table of figures: intervals, differences, the rule of publication."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy import stats

from lsakit.estimation.comparisons import compare
from lsakit.estimation.results import Estimates

DIFFERENCE = "difference_to_nation"
COLUMNS = (
    "figure_id", "population", "subject", "statistic", "by", "group", "n", "n_schools", "estimate",
    "standard_error", "ci_low", "ci_high", "sampling_variance", "measurement_variance",
    "degrees_of_freedom", "suppressed_because", "flag", "truth", "p_value", "linking_error",
)  # fmt: skip
NUMBERS = (
    "estimate", "standard_error", "ci_low", "ci_high", "sampling_variance", "measurement_variance",
    "degrees_of_freedom", "p_value", "linking_error",
)  # fmt: skip
_SHARE = "^(earlier_)?(below|level|at_or_above|correct)_|^(icc|strength)$"


def tidy(table: pl.DataFrame, *, by: str, group: pl.Expr, n_plausible_values: int) -> pl.DataFrame:
    """Bring one table of results into the tidy columns.

    Parameters
    ----------
    table : polars.DataFrame
        Results with errors.
    by : str
        Grouping, columns joined by ``+``.
    group : polars.Expr
        Its value.
    n_plausible_values : int
        Plausible values behind the results.

    Returns
    -------
    polars.DataFrame
        by, group, statistic, n, n_schools, estimate, standard_error, sampling_variance, measurement_variance,
        degrees_of_freedom, undefined_because, p_value, linking_error; the last two null where there is none.
    """
    measurement = (1.0 + 1.0 / n_plausible_values) * pl.col("imputation_variance")
    absent = [
        pl.lit(None, dtype=pl.Float64).alias(name)
        for name in ("p_value", "linking_error")
        if name not in table.columns
    ]
    return table.with_columns(absent).select(
        pl.lit(by).alias("by"),
        group.alias("group"),
        "statistic",
        pl.col("n").cast(pl.Int64),
        pl.col("n_schools").cast(pl.Int64),
        "estimate",
        "standard_error",
        "sampling_variance",
        measurement.alias("measurement_variance"),
        "degrees_of_freedom",
        "undefined_because",
        "p_value",
        "linking_error",
    )


def rows_of(result: Estimates, by: Sequence[str], statistics: Sequence[str] | None = None) -> pl.DataFrame:
    """Bring estimates into the tidy columns, groups joined by ``+``.

    Parameters
    ----------
    result : Estimates
        The estimates.
    by : Sequence of str
        Their break-down columns.
    statistics : Sequence of str, optional
        Statistics wanted; all by default.

    Returns
    -------
    polars.DataFrame
        The rows.
    """
    group = pl.concat_str([pl.col(name) for name in by], separator="+") if by else pl.lit("all")
    rows = tidy(
        result.table, by="+".join(by) or "nation", group=group, n_plausible_values=result.n_plausible_values
    )
    return rows if statistics is None else rows.filter(pl.col("statistic").is_in(list(statistics)))


def differences_to_nation(part: Estimates, whole: Estimates, by: str) -> pl.DataFrame:
    """Give the difference of each group's mean to the nation's, inside each replicate: part against whole.

    Parameters
    ----------
    part : Estimates
        Means of the groups.
    whole : Estimates
        Mean of the nation that holds them.
    by : str
        Grouping.

    Returns
    -------
    polars.DataFrame
        Rows ``difference_to_nation``.
    """
    found = compare(part, by, against=whole).table.filter(pl.col("statistic") == "mean")
    counts = part.table.filter(pl.col("statistic") == "mean").select(
        pl.col(by).alias("group"), "n", "n_schools"
    )
    joined = found.join(counts, on="group", how="left", maintain_order="left")
    return tidy(
        joined.with_columns(statistic=pl.lit(DIFFERENCE)),
        by=by,
        group=pl.col("group"),
        n_plausible_values=part.n_plausible_values,
    )


def gaps(part: Estimates, by: Sequence[str], pair: tuple[str, str]) -> pl.DataFrame:
    """Give the difference between two groups' means, inside each replicate; empty where one is absent.

    Parameters
    ----------
    part : Estimates
        Means of the groups; of several break-downs the last one is compared within the others.
    by : Sequence of str
        Break-down columns.
    pair : tuple of (str, str)
        First and second group of the last column; the gap is first minus second.

    Returns
    -------
    polars.DataFrame
        Rows ``gap`` with the group ``first-second``, within places ``01+first-second``.
    """
    (first, second), key, places = pair, by[-1], list(by[:-1])
    means = part.table.filter(pl.col("statistic") == "mean")
    held = means.filter(pl.col(key).is_in([first, second]))
    behind = [pl.col("n").sum(), pl.col("n_schools").min(), pl.len().alias("groups")]
    counts = held.group_by(places, maintain_order=True).agg(behind) if places else held.select(behind)
    counts = counts.filter(pl.col("groups") == len(pair))
    if not counts.height:
        return rows_of(part, by).clear()
    found = compare(part, key).table.filter(
        (pl.col("statistic") == "mean")
        & pl.col("group").is_in([first, second])
        & pl.col("reference").is_in([first, second])
    )
    sign = pl.when(pl.col("group") == first).then(1.0).otherwise(-1.0)
    keys = [str(place) for place in places]
    joined = (
        found.join(counts, on=keys, how="inner", maintain_order="left")
        if keys
        else found.join(counts, how="cross")
    )
    joined = joined.with_columns(estimate=pl.col("estimate") * sign, statistic=pl.lit("gap"))
    group = pl.concat_str([*(pl.col(name) for name in keys), pl.lit(f"{first}-{second}")], separator="+")
    return tidy(joined, by="+".join(by), group=group, n_plausible_values=part.n_plausible_values)


def pairwise(part: Estimates, by: str) -> pl.DataFrame:
    """Give the difference of every pair of groups, inside each replicate.

    Parameters
    ----------
    part : Estimates
        Means of the groups.
    by : str
        Grouping.

    Returns
    -------
    polars.DataFrame
        Rows ``difference`` with the group ``first-second`` (in the order of the codes) and their ``p_value``,
        two-sided and unadjusted.
    """
    means = part.table.filter(pl.col("statistic") == "mean")
    if means.height < 2:
        return rows_of(part, [by]).clear()
    counts = means.select(pl.col(by).cast(pl.String).alias("group"), "n", "n_schools")
    found = compare(part, by).table.filter(pl.col("statistic") == "mean")
    second = counts.rename({"group": "reference", "n": "n_2", "n_schools": "n_schools_2"})
    joined = found.join(counts, on="group", how="left", maintain_order="left").join(
        second, on="reference", how="left", maintain_order="left"
    )
    joined = joined.with_columns(
        statistic=pl.lit("difference"),
        n=pl.col("n") + pl.col("n_2"),
        n_schools=pl.min_horizontal("n_schools", "n_schools_2"),
    )
    group = pl.concat_str(["group", "reference"], separator="-")
    return tidy(joined, by=by, group=group, n_plausible_values=part.n_plausible_values)


def with_intervals(rows: pl.DataFrame) -> pl.DataFrame:
    """Add 95 % intervals by the t distribution; shares stay between 0 and 1.

    Parameters
    ----------
    rows : polars.DataFrame
        Tidy rows.

    Returns
    -------
    polars.DataFrame
        With ``ci_low`` and ``ci_high``.
    """
    error = rows.get_column("standard_error").cast(pl.Float64).to_numpy()
    freedom = rows.get_column("degrees_of_freedom").fill_null(np.inf).to_numpy()
    half = np.where(error > 0, stats.t.ppf(0.975, freedom) * error, error)
    estimate = rows.get_column("estimate").to_numpy()
    low, high = estimate - half, estimate + half
    share = rows.get_column("statistic").str.contains(_SHARE).to_numpy()
    low, high = np.where(share, np.maximum(low, 0.0), low), np.where(share, np.minimum(high, 1.0), high)
    return rows.with_columns(
        pl.Series("ci_low", low).fill_nan(None), pl.Series("ci_high", high).fill_nan(None)
    )
