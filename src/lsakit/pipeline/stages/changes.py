"""Change between two cycles: figures of the earlier one, and differences whose error holds the linking error.

See ``docs/algorithms/standard_set.md``, section "Change between cycles".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from lsakit.estimation.comparisons import compare
from lsakit.estimation.means import estimate_means
from lsakit.estimation.percentiles import estimate_percentiles
from lsakit.estimation.proportions import estimate_levels
from lsakit.estimation.replication import PreparedTable
from lsakit.estimation.results import Estimates
from lsakit.estimation.trends import trend
from lsakit.estimation.variables import value_columns
from lsakit.io.frames import select_rows
from lsakit.irt.linking_error import share_linking_error
from lsakit.pipeline.stages.figure_rows import gaps, rows_of
from lsakit.pipeline.stages.subject_figures import GAPS, SCHOOL, present

MEANS_OF = ("gender", "area", "ethnicity", "disadvantaged", "region6")
LEVELS_OF = ("gender",)
GAPS_OF = ("gender", "area", "ethnicity")
EARLIER, CHANGE = "earlier_", "change_"


def change_rows(
    old: PreparedTable,
    new: PreparedTable,
    subject: str,
    linking_error: float,
    *,
    settings: Mapping[str, Any],
) -> pl.DataFrame:
    """Estimate the earlier cycle's figures and the changes of one subject.

    Parameters
    ----------
    old, new : PreparedTable
        Analysis tables of the two cycles.
    subject : str
        Subject.
    linking_error : float
        Linking error, points of the scale.
    settings : Mapping of str to object
        ``cuts`` and ``percentiles``.

    Returns
    -------
    polars.DataFrame
        Rows ``earlier_<statistic>`` and ``change_<statistic>`` (later minus earlier). The standard error of a change
        holds the linking error, which stands in ``linking_error``; the square of the standard error is
        ``sampling_variance + measurement_variance + linking_error²``.
    """
    values = "PV{m}" + subject.upper()
    cuts = [float(cut) for cut in settings["cuts"]]
    percentiles = [float(p) for p in settings["percentiles"]]
    parts = []
    for by in [[], *([name] for name in present(old.table, MEANS_OF))]:
        means = [estimate_means(cycle, values, by=by or None, cluster=SCHOOL) for cycle in (old, new)]
        parts += _changes(means, by, {"mean": linking_error})
        if by and by[0] in GAPS_OF:
            parts += _gap_changes(means, by[0])
        if not by:
            found = [estimate_percentiles(cycle, values, percentiles, cluster=SCHOOL) for cycle in (old, new)]
            names = found[0].table.get_column("statistic").unique().to_list()
            parts += _changes(found, by, dict.fromkeys(names, linking_error))
    for by in [[], *([name] for name in present(old.table, LEVELS_OF))]:
        shares = [
            _reached(estimate_levels(cycle, values, cuts=cuts, by=by or None, cluster=SCHOOL))
            for cycle in (old, new)
        ]
        for group, rows in _by_group(new.table, by):
            errors = _share_errors(new, values, cuts, rows, linking_error)
            own = [_of_group(result, by, group) for result in shares]
            if all(result.table.height for result in own):
                parts += _changes(own, by, errors)
    return pl.concat(parts).with_columns(subject=pl.lit(subject))


def _reached(levels: Estimates) -> Estimates:
    """Keep the shares at or above each cut."""
    kept = levels.table.get_column("statistic").str.starts_with("at_or_above_").to_numpy()
    return _kept(levels, kept)


def _kept(result: Estimates, kept: Any) -> Estimates:
    """Keep some rows of a result."""
    rows = np.asarray(kept)
    return replace(
        result, table=select_rows(result.table, rows), replicate_estimates=result.replicate_estimates[rows]
    )


def _of_group(result: Estimates, by: Sequence[str], group: Any) -> Estimates:
    """Keep the rows of one group."""
    if not by:
        return result
    return _kept(result, (result.table.get_column(by[0]) == group).to_numpy())


def _by_group(table: pl.DataFrame, by: Sequence[str]) -> list[tuple[Any, np.ndarray[Any, Any]]]:
    """List the groups with their rows."""
    if not by:
        return [(None, np.ones(table.height, dtype=np.bool_))]
    column = table.get_column(by[0])
    return [
        (group, (column == group).fill_null(False).to_numpy())
        for group in column.drop_nulls().unique().sort()
    ]


def _share_errors(
    ready: PreparedTable, values: str, cuts: Sequence[float], rows: Any, linking_error: float
) -> dict[str, float]:
    """Linking error of the share at or above each cut: that of the mean over the plausible values."""
    names = value_columns(ready.table, values)
    scores = np.concatenate([ready.table.get_column(name).to_numpy()[rows] for name in names])
    weights = np.tile(ready.scale[rows], len(names))
    order = np.argsort(scores, kind="stable")  # once: sorting what is sorted already costs nothing
    scores, weights = scores[order], weights[order]
    return {
        f"at_or_above_{number}": share_linking_error(scores, cut, linking_error, weights=weights)
        for number, cut in enumerate(cuts, start=1)
    }


def _changes(
    results: Sequence[Estimates], by: Sequence[str], errors: Mapping[str, float]
) -> list[pl.DataFrame]:
    """Rows of the earlier cycle, and changes of the statistics that have a linking error."""
    names = list(errors)
    old, new = (
        _kept(result, result.table.get_column("statistic").is_in(names).to_numpy()) for result in results
    )
    before = rows_of(old, by).with_columns(statistic=pl.lit(EARLIER) + pl.col("statistic"))
    found = trend([old, new], linking_error=dict(errors)).table
    counted = [rows_of(result, by) for result in (old, new)]
    group = pl.concat_str([pl.col(name) for name in by], separator="+") if by else pl.lit("all")
    changed = found.select(
        "statistic", group.alias("group"), "estimate", "standard_error", "degrees_of_freedom", "p_value",
        "linking_error",
    )  # fmt: skip
    return [before, _with_counts(changed, counted, "+".join(by) or "nation")]


def _with_counts(changed: pl.DataFrame, counted: Sequence[pl.DataFrame], by: str) -> pl.DataFrame:
    """Give changes the counts and variances of the figures that they are between."""
    names = ("n", "n_schools", "sampling_variance", "measurement_variance", "undefined_because")
    joined = changed
    for number, rows in enumerate(counted):
        own = rows.select("statistic", "group", *(pl.col(name).alias(f"{name}_{number}") for name in names))
        joined = joined.join(own, on=["statistic", "group"], how="left", maintain_order="left")
    return joined.select(
        pl.lit(by).alias("by"),
        "group",
        (pl.lit(CHANGE) + pl.col("statistic")).alias("statistic"),
        n=pl.col("n_0") + pl.col("n_1"),
        n_schools=pl.min_horizontal("n_schools_0", "n_schools_1"),
        estimate="estimate",
        standard_error="standard_error",
        sampling_variance=pl.col("sampling_variance_0") + pl.col("sampling_variance_1"),
        measurement_variance=pl.col("measurement_variance_0") + pl.col("measurement_variance_1"),
        degrees_of_freedom="degrees_of_freedom",
        undefined_because=pl.coalesce("undefined_because_0", "undefined_because_1"),
        p_value="p_value",
        linking_error="linking_error",
    )


def _gap_changes(means: Sequence[Estimates], by: str) -> list[pl.DataFrame]:
    """Change of a gap: a gap does not move with the scale, so it has no linking error."""
    pair = GAPS[by]
    counted = [gaps(result, [by], pair) for result in means]
    if any(not rows.height for rows in counted):
        return []
    only = [_kept(result, (result.table.get_column("statistic") == "mean").to_numpy()) for result in means]
    found = trend([compare(result, by) for result in only]).table
    first, second = pair
    same = found.filter(pl.col("group").is_in(pair) & pl.col("reference").is_in(pair))
    sign = pl.when(pl.col("group") == first).then(1.0).otherwise(-1.0)
    changed = same.select(
        pl.lit("gap").alias("statistic"), pl.lit(f"{first}-{second}").alias("group"), pl.col("estimate") * sign,
        "standard_error", "degrees_of_freedom", "p_value", "linking_error",
    )  # fmt: skip
    before = counted[0].with_columns(statistic=pl.lit(f"{EARLIER}gap"))
    return [before, _with_counts(changed, counted, by)]
