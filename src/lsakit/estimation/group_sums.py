"""Estimates that are functions of sums: one way from rows to a result, for a table and for its parts.

A statistic gives sums of a part of the rows (`SumStatistic.part`), sums of several parts are added (`added`), and
the statistic turns sums into estimates (`SumStatistic.finish`). A table in memory is one part.
See ``docs/algorithms/sharded_estimates.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import TableError
from lsakit.estimation.replication import (
    Groups,
    Pairs,
    PreparedTable,
    form_groups,
    form_pairs,
    refuse_weightless,
    sums_under_weights,
    weight_sums,
)
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.estimation.weight_cells import key_codes
from lsakit.io.frames import Table, make_table, require_columns, stack_tables

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Result = TypeVar("Result", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSums:
    """Sums of a part of the rows, or of all of them, in every group and under every weight.

    Parameters
    ----------
    groups : Groups
        The groups with their rows counted; in a part, clusters are not counted yet.
    totals : ndarray of shape (n_groups, n_replicates + 1)
        Sums of weights.
    sums : ndarray of shape (n_groups, n_replicates + 1, n_sums)
        Sums of the statistic.
    about : ndarray of shape (n_groups, n_centres)
        What was subtracted from the columns of each group, in their units; the same in all parts.
    form : tuple
        What the statistic must know of its columns to finish; the same in all parts.
    root : ndarray of shape (n_rows, n_replicates)
        A matrix with the cross products of the cells' ratios, for the degrees of freedom of the design; may be empty.
    clusters : tuple of polars.DataFrame
        Distinct groups and clusters of each part, where clusters are counted.
    design : SurveyDesign
        Where the weights are.
    lonely_zones : tuple of str
        Jackknife zones of which only one half is present.
    n_missing_values : int
        Rows left out because a value is missing.
    """

    groups: Groups
    totals: Floats
    sums: Floats
    about: Floats
    form: tuple[Any, ...] = ()
    root: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    clusters: tuple[Table, ...] = ()
    design: SurveyDesign
    lonely_zones: tuple[str, ...] = ()
    n_missing_values: int = 0

    @property
    def n_replicates(self) -> int:
        """Number of replicate weights."""
        return int(self.sums.shape[1]) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """By what rows are broken down, and whether the rows are all there are.

    Parameters
    ----------
    by : tuple of str
        Break-down columns.
    cluster : str, optional
        Column of the school, to count schools.
    is_part : bool
        Whether the rows are a part of a larger table.
    """

    by: tuple[str, ...] = ()
    cluster: str | None = None
    is_part: bool = False

    def cut(self, ready: PreparedTable) -> Cut:
        """Form the groups of rows that are complete, their pairs and their sums of weights."""
        groups = form_groups(ready, self.by, None if self.is_part else self.cluster)
        pairs = form_pairs(ready, groups)
        totals = weight_sums(ready, groups, pairs, is_checked=False)
        clusters: tuple[Table, ...] = ()
        if self.is_part and self.cluster is not None:
            _, distinct = key_codes(ready.table, [*self.by, self.cluster])
            clusters = (distinct,)
        return Cut(ready=ready, groups=groups, pairs=pairs, totals=totals, clusters=clusters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Rows with their groups, pairs and sums of weights.

    Parameters
    ----------
    ready : PreparedTable
        The rows.
    groups : Groups
        Their groups.
    pairs : Pairs
        The (group, cell) pairs.
    totals : ndarray of shape (n_groups, n_replicates + 1)
        Sums of weights.
    clusters : tuple of polars.DataFrame
        Distinct groups and clusters, where clusters are counted later.
    """

    ready: PreparedTable
    groups: Groups
    pairs: Pairs
    totals: Floats
    clusters: tuple[Table, ...] = ()

    def spread(self, sums: Floats) -> Floats:
        """Turn sums of pairs into sums of groups under every weight."""
        return sums_under_weights(self.ready, self.pairs, sums)

    def sums(
        self, spread: Floats, *, about: Floats | None = None, form: tuple[Any, ...] = (), n_missing: int = 0
    ) -> GroupSums:
        """Put sums under every weight together with what belongs to them."""
        return GroupSums(
            groups=self.groups,
            totals=self.totals,
            sums=spread,
            about=np.zeros((self.groups.n.size, 0)) if about is None else about,
            form=form,
            clusters=self.clusters,
            design=self.ready.design,
            lonely_zones=self.ready.lonely_zones,
            n_missing_values=n_missing,
        )


class SumStatistic(Protocol[Result]):
    """A statistic that is a function of sums; a frozen dataclass, so that it can be sent to another machine."""

    @property
    def variables(self) -> tuple[str, ...]:
        """Numeric columns and patterns of plausible values."""

    @property
    def categories(self) -> tuple[str, ...]:
        """Columns of categories."""

    def learned(self, ready: PreparedTable) -> Any:
        """The same statistic with the centres and scales that a first part of the rows suggests."""

    def part(self, ready: PreparedTable, breakdown: Breakdown) -> GroupSums:
        """Add up the rows."""

    def finish(self, total: GroupSums) -> Result:
        """Turn the sums of all rows into the result."""


def finished(statistic: SumStatistic[Result], total: GroupSums) -> Result:
    """Check that every group has weight, and finish a statistic.

    Parameters
    ----------
    statistic : SumStatistic
        The statistic.
    total : GroupSums
        Sums of all rows.

    Returns
    -------
    object
        What the statistic makes of them.

    Raises
    ------
    EstimationError
        If the final weights of a group sum to zero.
    """
    refuse_weightless(total.groups, total.totals)
    return statistic.finish(total)


def added(first: GroupSums, second: GroupSums) -> GroupSums:
    """Add the sums of two parts; groups are matched by their keys.

    Parameters
    ----------
    first : GroupSums
        Sums of some rows; its arrays may be changed in place.
    second : GroupSums
        Sums of other rows.

    Returns
    -------
    GroupSums
        Sums of both.

    Raises
    ------
    TableError
        If the parts were made of columns of different kinds.
    """
    if not first.groups.n.size or not second.groups.n.size:
        full, empty = (first, second) if first.groups.n.size else (second, first)
        return _counted(full, empty)
    if first.form != second.form or first.sums.shape[1:] != second.sums.shape[1:]:
        raise TableError("The parts of the table have columns of different kinds.", param="source")
    places_1, places_2, keys, n_groups = matched(first.groups, second.groups)
    if n_groups == first.groups.n.size and places_1 == list(range(n_groups)):
        total = first
    else:
        total = _widened(first, places_1, keys, n_groups)
        total.about[places_2] = second.about
    total.groups.n[places_2] += second.groups.n
    total.totals[places_2] += second.totals
    total.sums[places_2] += second.sums
    root = _joined_root(first.root, second.root)
    return _counted(replace(total, clusters=(*first.clusters, *second.clusters), root=root), second)


def with_clusters(total: GroupSums, cluster: str | None) -> GroupSums:
    """Count the distinct clusters of all parts.

    Parameters
    ----------
    total : GroupSums
        Sums of all rows.
    cluster : str or None
        Column of the school.

    Returns
    -------
    GroupSums
        The same with the clusters of each group counted.
    """
    if cluster is None:
        return total
    by = list(total.groups.by)
    _, distinct = key_codes(stack_tables(total.clusters), [*by, cluster])
    codes, _ = key_codes(distinct, by)
    counted = np.bincount(codes, minlength=total.groups.n.size)
    return replace(total, clusters=(), groups=replace(total.groups, n_schools=counted))


def as_breakdown(by: Sequence[str] | str | None, cluster: str | None) -> Breakdown:
    """Read the break-down as the user gave it.

    Parameters
    ----------
    by : Sequence of str or str or None
        Break-down columns.
    cluster : str or None
        Column of the school.

    Returns
    -------
    Breakdown
        The break-down of a whole table.
    """
    return Breakdown(by=(by,) if isinstance(by, str) else tuple(by or ()), cluster=cluster)


def without_rows(ready: PreparedTable, breakdown: Breakdown, n_missing_by: int) -> GroupSums:
    """Sums of a part in which no row is left.

    Parameters
    ----------
    ready : PreparedTable
        The rows.
    breakdown : Breakdown
        The break-down.
    n_missing_by : int
        Rows left out because a break-down value is missing; the others lack a value.

    Returns
    -------
    GroupSums
        No groups, and the rows left out.
    """
    require_columns(ready.table, list(breakdown.by))
    groups = Groups(
        by=breakdown.by,
        keys={name: [] for name in breakdown.by},
        codes=np.zeros(0, dtype=np.int64),
        n=np.zeros(0, dtype=np.int64),
        n_schools=None,
        n_missing_by=n_missing_by,
    )
    width = ready.n_replicates + 1
    return GroupSums(
        groups=groups,
        totals=np.zeros((0, width)),
        sums=np.zeros((0, width, 0)),
        about=np.zeros((0, 0)),
        design=ready.design,
        lonely_zones=ready.lonely_zones,
        n_missing_values=ready.table.height - n_missing_by,
    )


def _counted(total: GroupSums, other: GroupSums) -> GroupSums:
    """Add the rows that another part left out."""
    groups = replace(total.groups, n_missing_by=total.groups.n_missing_by + other.groups.n_missing_by)
    return replace(total, groups=groups, n_missing_values=total.n_missing_values + other.n_missing_values)


def matched(first: Groups, second: Groups) -> tuple[list[int], list[int], dict[str, list[Any]], int]:
    """Find the places of the groups of two parts among all groups in ascending order.

    Parameters
    ----------
    first : Groups
        Groups of a part.
    second : Groups
        Groups of another.

    Returns
    -------
    first_places : list of int
        Place of each group of the first part.
    second_places : list of int
        Place of each group of the second part.
    keys : dict of str to list
        Break-down values of all groups.
    n_groups : int
        Number of all groups.
    """
    if first.keys == second.keys:
        own = list(range(first.n.size))
        return own, own, first.keys, first.n.size
    stacked = stack_tables([make_table(first.keys), make_table(second.keys)])
    codes, keys = key_codes(stacked, first.by)
    places = codes.tolist()
    columns = {name: keys.get_column(name).to_list() for name in first.by}
    return places[: first.n.size], places[first.n.size :], columns, keys.height


def _widened(part: GroupSums, places: list[int], keys: dict[str, list[Any]], n_groups: int) -> GroupSums:
    """Lay the sums of a part into arrays for more groups."""

    def laid(values: Any) -> Any:
        wide = np.zeros((n_groups, *values.shape[1:]), dtype=values.dtype)
        wide[places] = values
        return wide

    groups = replace(part.groups, keys=keys, n=laid(part.groups.n), memory={})
    return replace(
        part, groups=groups, totals=laid(part.totals), sums=laid(part.sums), about=laid(part.about)
    )


def _joined_root(first: Floats, second: Floats) -> Floats:
    """A triangle whose cross products are the sum of both, with the same singular values as the stacked rows."""
    if not first.size or not second.size:
        return first if first.size else second
    return np.asarray(np.linalg.qr(np.concatenate([first, second]), mode="r"))
