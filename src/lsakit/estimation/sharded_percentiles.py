"""Percentiles of a table in shards by two passes: a histogram, then the rows of the few bins in which they fall.

The rows of the second pass stand at their places among the weights of the bins that were left out, so that the
rule is the one of a table in memory. See ``docs/algorithms/sharded_estimates.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.group_sums import Breakdown, GroupSums, added, matched, with_clusters
from lsakit.estimation.percentile_rules import RULES, refuse_uncountable
from lsakit.estimation.replication import (
    Groups,
    NoRowsError,
    PreparedTable,
    refuse_weightless,
    sums_under_weights,
)
from lsakit.estimation.rows import complete_rows
from lsakit.estimation.shard_sums import ShardTask, opened, shard_part, shard_task
from lsakit.estimation.sharded import ShardedTable
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.io.shards import Shard
from lsakit.kernels.replication import sum_categories
from lsakit.kernels.replication_percentiles import replicate_percentiles

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

HISTOGRAM_BYTES = 48_000_000
"""Size that one shard's histograms of all groups, weights and plausible values may have."""

MOST_BINS, LEAST_BINS, MOST_PAIRS = 256, 16, 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramSums:
    """Sums of the weights of bins of values.

    Parameters
    ----------
    values : str
        A column or a pattern of plausible values.
    percentiles : tuple of float
        Percentiles between 0 and 100.
    rule : str
        Name of the rule.
    edges : tuple of float
        Bounds of the bins, ascending; a value on a bound belongs above it.
    """

    values: str
    percentiles: tuple[float, ...]
    rule: str
    edges: tuple[float, ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        """The column or pattern."""
        return (self.values,)

    @property
    def categories(self) -> tuple[str, ...]:
        """None."""
        return ()

    def learned(self, ready: PreparedTable) -> HistogramSums:
        """The same with bins of about equal weight in these rows."""
        _, (matrix,), _ = complete_rows(ready, [self.values])
        shares = np.arange(1, MOST_BINS) / MOST_BINS
        edges = np.unique(np.quantile(matrix, shares, method="inverted_cdf"))
        return replace(self, edges=tuple(edges.tolist()))

    def coarser(self, n_groups: int, n_values: int, n_weights: int) -> HistogramSums:
        """The same with fewer bins where the histograms would be too large."""
        room = HISTOGRAM_BYTES // (8 * n_groups * n_values * n_weights)
        step = int(np.ceil(len(self.edges) / max(min(room, MOST_BINS), LEAST_BINS)))
        return replace(self, edges=self.edges[:: max(step, 1)])

    def bins(self, matrix: Floats) -> Integers:
        """Bin of each value."""
        return np.searchsorted(np.array(self.edges), matrix, side="right").astype(np.int64)

    def part(self, ready: PreparedTable, breakdown: Breakdown) -> GroupSums:
        """Sums of the weights of each bin and plausible value, and, last, the number of rows with weight."""
        rows, (matrix,), n_missing = complete_rows(ready, [self.values])
        cut = breakdown.cut(rows)
        bins = self.bins(matrix)
        n_bins = len(self.edges) + 1
        n_groups, n_weights = cut.totals.shape
        spread: Floats = np.zeros((n_groups, n_weights, matrix.shape[0] * n_bins + 1))
        for first in range(0, cut.pairs.groups.size, MOST_PAIRS):
            last = min(first + MOST_PAIRS, cut.pairs.groups.size)
            inside = (cut.pairs.of_row >= first) & (cut.pairs.of_row < last) & (cut.groups.codes >= 0)
            some = np.flatnonzero(inside)
            pairs = replace(
                cut.pairs,
                of_row=cut.pairs.of_row[some] - first,
                groups=cut.pairs.groups[first:last],
                cells=cut.pairs.cells[first:last],
            )
            for m in range(matrix.shape[0]):
                sums = sum_categories(
                    bins[m : m + 1, some],
                    rows.scale[some],
                    cut.groups.codes[some],
                    pairs.of_row,
                    (last - first, n_bins),
                )
                spread[:, :, m * n_bins : (m + 1) * n_bins] += sums_under_weights(rows, pairs, sums)
            in_pair = np.bincount(pairs.of_row, minlength=last - first)
            present = in_pair[:, np.newaxis] * (rows.ratios[pairs.cells] > 0.0)
            np.add.at(spread[:, :, -1], pairs.groups, present)
        return cut.sums(spread, form=(matrix.shape[0],), n_missing=n_missing)

    def finish(self, total: GroupSums) -> GroupSums:
        """The sums themselves."""
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class BinRows:
    """The rows of a shard that lie in bins in which a percentile may fall.

    Parameters
    ----------
    groups : ndarray of shape (n_found,)
        Group among all groups.
    values_of : ndarray of shape (n_found,)
        Number of the plausible value.
    values : ndarray of shape (n_found,)
        The values.
    scale : ndarray of shape (n_found,)
        Weight by which ratios are taken.
    cells : ndarray of shape (n_found,)
        Cell among those given.
    ratios : ndarray of shape (n_cells, n_replicates + 1)
        Ratios of those cells.
    """

    groups: NDArray[np.int32]
    values_of: NDArray[np.int16]
    values: Floats
    scale: Floats
    cells: NDArray[np.int32]
    ratios: Floats


def percentiles_of_shards(
    source: ShardedTable, asked: HistogramSums, design: SurveyDesign | None, breakdown: Breakdown
) -> tuple[Groups, Floats, GroupSums]:
    """Compute percentiles by two passes over the shards.

    Parameters
    ----------
    source : ShardedTable
        The shards.
    asked : HistogramSums
        Values, percentiles and rule.
    design : SurveyDesign or None
        Where the weights are.
    breakdown : Breakdown
        By what rows are broken down.

    Returns
    -------
    groups : Groups
        The groups.
    estimates : ndarray of shape (n_groups, n_percentiles, n_plausible_values, n_replicates + 1)
        Percentiles under every weight.
    total : GroupSums
        The histogram, with the design and the rows left out.

    Raises
    ------
    EstimationError
        If no row is left, a group has no weight, or the rule cannot be applied.
    """
    task = shard_task(source, asked, design, breakdown)
    task = replace(task, statistic=_fitting(source, task))
    total: GroupSums | None = None
    for part in source.mapped(partial(shard_part, task)):
        total = part if total is None else added(total, part)
    if total is None or not total.groups.n.size:
        raise EstimationError(f"No row of the shards has a value of {asked.values}.", param="source")
    total = with_clusters(total, breakdown.cluster)
    refuse_weightless(total.groups, total.totals)
    refuse_uncountable(total.groups, total.totals, asked.rule)
    histogram: HistogramSums = task.statistic
    wanted = _wanted_bins(histogram, total)
    keys = replace(total.groups, memory={})
    found = list(source.mapped(partial(_rows_in_bins, task, keys, wanted)))
    return total.groups, _percentiles(histogram, total, wanted, found), total


def _fitting(source: ShardedTable, task: ShardTask) -> HistogramSums:
    """As many bins as the groups of the first shard leave room for."""
    asked: HistogramSums = task.statistic
    for shard in source.shards:
        try:
            with opened(task, shard) as ready:
                rows, (matrix,), _ = complete_rows(ready, [asked.values])
                n_groups = task.breakdown.cut(rows).groups.n.size
        except NoRowsError:
            continue
        return asked.coarser(n_groups, matrix.shape[0], ready.n_replicates + 1)
    return asked


def _wanted_bins(asked: HistogramSums, total: GroupSums) -> Mask:
    """Bins in which a percentile falls under some weight, and their neighbors that are never empty."""
    n_values, n_bins = int(total.form[0]), len(asked.edges) + 1
    wanted: Mask = np.zeros((total.groups.n.size, n_values, n_bins), dtype=np.bool_)
    for g in range(total.groups.n.size):
        for m in range(n_values):
            weights = total.sums[g, :, m * n_bins : (m + 1) * n_bins]
            ends = np.cumsum(weights, axis=1)
            for low, high in _targets(asked, total, g):
                slack = 1e-9 * ends[:, -1]
                first = (ends < (low - slack)[:, np.newaxis]).sum(axis=1)
                last = (ends <= (high + slack)[:, np.newaxis]).sum(axis=1)
                used = ends[:, -1] > 0.0
                begin, end = int(first[used].min()), int(min(last[used].max(), n_bins - 1))
                if asked.rule in (
                    "step",
                    "rrepest",
                ):  # a value of the bin itself; others look at their neighbors
                    wanted[g, m, begin : end + 1] = True
                else:
                    wanted[g, m, _widened(begin, end, weights[used].min(axis=0))] = True
    return wanted


def _targets(asked: HistogramSums, total: GroupSums, g: int) -> Iterator[tuple[Floats, Floats]]:
    """Cumulative weights between which each percentile is decided, generously: of shape (n_weights,) each."""
    weight, n_rows = total.totals[g], np.maximum(total.sums[g, :, -1], 1.0)
    for percentile in asked.percentiles:
        target = weight * percentile / 100.0
        away = np.zeros(weight.size)
        if asked.rule == "intsvy":
            away += 1.0
        elif asked.rule.startswith("edsurvey"):
            away += 1.5 * weight / n_rows + 1.0  # a rank is moved by at most one and a half
        yield np.maximum(target - away, 0.0), np.minimum(target + away, weight)


def _widened(begin: int, end: int, least: Floats) -> slice:
    """Bins from one to another and, on both sides, up to a bin that has weight under every weight."""
    begin -= 1
    while begin > 0 and least[begin] <= 0.0:
        begin -= 1
    end += 1
    while end < least.size - 1 and least[end] <= 0.0:
        end += 1
    return slice(max(begin, 0), min(end + 1, least.size))


def _rows_in_bins(task: ShardTask, groups: Groups, wanted: Mask, shard: Shard) -> BinRows:
    """Read a shard again and keep the rows of wanted bins; what a worker does in the second pass."""
    with opened(task, shard) as ready:
        try:
            return _rows_of_bins(task, groups, wanted, ready)
        except NoRowsError:
            return BinRows(
                groups=np.zeros(0, dtype=np.int32),
                values_of=np.zeros(0, dtype=np.int16),
                values=np.zeros(0),
                scale=np.zeros(0),
                cells=np.zeros(0, dtype=np.int32),
                ratios=ready.ratios[:0],
            )


def _rows_of_bins(task: ShardTask, groups: Groups, wanted: Mask, ready: PreparedTable) -> BinRows:
    """The rows of wanted bins among prepared rows."""
    asked: HistogramSums = task.statistic
    rows, (matrix,), _ = complete_rows(ready, [asked.values])
    cut = task.breakdown.cut(rows)
    _, places, _, _ = matched(groups, cut.groups)
    own = np.where(cut.groups.codes >= 0, np.array(places)[np.maximum(cut.groups.codes, 0)], -1)
    found_m, found_rows = [], []
    for m in range(matrix.shape[0]):
        is_wanted = wanted[np.maximum(own, 0), m, asked.bins(matrix[m])] & (own >= 0)
        found_rows.append(np.flatnonzero(is_wanted))
        found_m.append(np.full(found_rows[-1].size, m))
    m_of, row = np.concatenate(found_m), np.concatenate(found_rows)
    cells, numbers = np.unique(rows.cells[row], return_inverse=True)
    return BinRows(
        groups=own[row].astype(np.int32),
        values_of=m_of.astype(np.int16),
        values=matrix[m_of, row],
        scale=rows.scale[row],
        cells=numbers.astype(np.int32),
        ratios=rows.ratios[cells],
    )


def _percentiles(asked: HistogramSums, total: GroupSums, wanted: Mask, found: list[BinRows]) -> Floats:
    """Apply the rule to the rows that were kept, each at its place among the bins that were not."""
    offsets = np.cumsum([0, *(part.ratios.shape[0] for part in found)])
    ratios = np.concatenate([part.ratios for part in found])
    numbered = zip(found, offsets[:-1].tolist(), strict=True)
    cells = np.concatenate([part.cells + np.int32(offset) for part, offset in numbered])
    values = np.concatenate([part.values for part in found])
    scale = np.concatenate([part.scale for part in found])
    group = np.concatenate([part.groups for part in found])
    value_of = np.concatenate([part.values_of for part in found])
    n_values, n_bins = int(total.form[0]), len(asked.edges) + 1
    probabilities = np.array(asked.percentiles) / 100.0
    shape = (total.groups.n.size, probabilities.size, n_values, total.n_replicates + 1)
    estimates: Floats = np.empty(shape)
    joint = group * n_values + value_of.astype(np.int32)
    order = np.argsort(joint, kind="stable")
    starts = np.searchsorted(joint[order], np.arange(shape[0] * n_values + 1))
    for g in range(shape[0]):
        for m in range(n_values):
            own = order[starts[g * n_values + m] : starts[g * n_values + m + 1]]
            weights = total.sums[g, :, m * n_bins : (m + 1) * n_bins]
            lumps, places = _lumps(np.array(asked.edges), weights, wanted[g, m])
            used, numbers = np.unique(cells[own], return_inverse=True)
            all_values = np.concatenate([values[own], places])
            cell_weights = (
                np.concatenate([scale[own], np.ones(places.size)]),
                np.concatenate([numbers, used.size + np.arange(places.size)]).astype(np.int64),
                np.ascontiguousarray(np.concatenate([ratios[used], lumps])),
            )
            estimates[g, :, m] = replicate_percentiles(
                all_values,
                np.argsort(all_values, kind="stable"),
                cell_weights,
                probabilities,
                RULES[asked.rule],
                np.ascontiguousarray(total.sums[g, :, -1]),
            )
    return estimates


def _lumps(edges: Floats, weights: Floats, wanted: Mask) -> tuple[Floats, Floats]:
    """Weights of the runs of bins that were left out, and a value inside each, which no kept row has."""
    if not edges.size:
        return np.zeros((0, weights.shape[0])), np.zeros(0)
    bounds = np.concatenate([[-np.inf], edges, [np.inf]])
    left_out = ~wanted
    first = np.flatnonzero(left_out & ~np.concatenate([[False], left_out[:-1]]))
    last = np.flatnonzero(left_out & ~np.concatenate([left_out[1:], [False]]))
    lumps = np.zeros((first.size, weights.shape[0]))
    places = np.zeros(first.size)
    for k, (a, b) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        lumps[k] = weights[:, a : b + 1].sum(axis=1)
        low, high = bounds[a], bounds[b + 1]
        places[k] = low if np.isfinite(low) else np.nextafter(high, -np.inf)
    return lumps, places
