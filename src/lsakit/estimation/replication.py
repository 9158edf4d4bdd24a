"""From the weights of a table to cells, and from cells to sums under every replicate weight.

The method is described in ``docs/algorithms/replication_variance.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from lsakit.errors import DesignError, EstimationError, TableError
from lsakit.estimation.sharded import ShardedTable
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.estimation.weight_cells import key_codes, weight_cells
from lsakit.io.codebook import Codebook
from lsakit.io.frames import Table, as_table
from lsakit.io.missing_codes import without_missing_codes
from lsakit.kernels.replication import spread_over_replicates
from lsakit.kernels.replication_runs import find_runs

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LARGE_GROUP = 16
"""Mean number of cells in a group from which matrix products spread sums faster than loops do."""

LONG_RUN = 6
"""Mean length of the runs of rows of one pair from which adding run by run is faster than row by row."""

MOST_GATHERED = 64_000_000
"""Bytes of ratios, pair by pair, that are kept beside those of the cells."""

RESULT_COLUMNS = (
    "statistic",
    "category",
    "n",
    "n_schools",
    "estimate",
    "standard_error",
    "sampling_variance",
    "imputation_variance",
    "degrees_of_freedom",
    "undefined_because",
)
"""Columns of a result; a break-down column may not have one of these names."""


class NoRowsError(EstimationError):
    """No row of a table is left for a statistic; a part of a larger table may be so, a whole one may not."""

    n_missing_by: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedTable:
    """A table whose weights were read, checked and collapsed into cells once.

    Every ``estimate_…`` function accepts it in the place of a table and then skips that work.

    Parameters
    ----------
    table : polars.DataFrame
        The rows.
    design : SurveyDesign
        The design whose weights were read.
    scale : ndarray of shape (n_rows,)
        Weight by which each row's ratios are taken: the final weight where it is positive.
    cells : ndarray of shape (n_rows,)
        Cell of each row.
    ratios : ndarray of shape (n_cells, n_replicates + 1)
        Weight over scale of each cell; the first column is the final weight's (1, or 0 where it is 0).
    lonely_zones : tuple of str
        Jackknife zones of which only one half is present in the table.
    memory : dict
        Groups, pairs and columns that were already read from these rows, for the next statistic.
    """

    table: Table
    design: SurveyDesign
    scale: Floats
    cells: Integers
    ratios: Floats
    lonely_zones: tuple[str, ...] = ()
    memory: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def remembered(self, key: tuple[Any, ...], make: Callable[[], Any], *, most: int = 8) -> Any:
        """Make something of these rows once; the oldest of its kind (first word of the key) is forgotten first."""
        if key not in self.memory:
            same = [known for known in self.memory if known[0] == key[0]]
            for known in same[: max(len(same) - most + 1, 0)]:
                self.memory.pop(known, None)
            self.memory[key] = make()
        return self.memory[key]

    @property
    def n_replicates(self) -> int:
        """Number of replicate weights."""
        return int(self.ratios.shape[1]) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The groups that the break-down columns form.

    Parameters
    ----------
    by : tuple of str
        Break-down columns; empty for one group of all rows.
    keys : dict of str to list
        Value of each break-down column in each group, groups in ascending order.
    codes : ndarray of shape (n_rows,)
        Group of each row; −1 where a break-down value is missing.
    n : ndarray of shape (n_groups,)
        Number of rows, unweighted.
    n_schools : ndarray of shape (n_groups,) or None
        Number of distinct clusters with rows in the group.
    n_missing_by : int
        Rows left out because a break-down value is missing.
    memory : dict
        Pairs and sums of weights once they are formed.
    """

    by: tuple[str, ...]
    keys: dict[str, list[Any]]
    codes: Integers
    n: Integers
    n_schools: Integers | None
    n_missing_by: int
    memory: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def prepare(table: Any, design: SurveyDesign, *, codebook: Codebook | None = None) -> PreparedTable:
    """Read the weights of a table once, for many estimates.

    Parameters
    ----------
    table : polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    design : SurveyDesign
        Where the weights are.
    codebook : Codebook, optional
        Says which codes are user-missing; they become missing values before anything is computed.

    Returns
    -------
    PreparedTable
        The table with its weights as cells.

    Raises
    ------
    EstimationError
        If the table is empty, a weight is negative, or all weights are zero.
    TableError
        If a weight is missing or not a number, or a column is absent.
    DesignError
        If the halves of the zones are not 0 and 1, or the file says that another design holds.

    Examples
    --------
    >>> rows = {"W": [1.0, 2.0, 3.0], "ZONE": [1, 1, 2], "HALF": [0, 1, 1]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> ready = prepare(rows, design)
    >>> ready.n_replicates, ready.lonely_zones
    (2, ('2',))
    """
    rows = as_table(table) if codebook is None else without_missing_codes(table, codebook)
    if rows.height == 0:
        raise EstimationError("The table has no rows.", param="table", hint="Check the filter that made it.")
    found = weight_cells(rows, design)
    if not (found.scale * found.ratios[found.cells, 0]).any():
        raise EstimationError(f"All weights in {design.weight!r} are zero.", param=design.weight)
    return PreparedTable(
        table=rows,
        design=design,
        scale=found.scale,
        cells=found.cells,
        ratios=found.ratios,
        lonely_zones=found.lonely_zones,
    )


def prepared(table: Any, design: SurveyDesign | None) -> PreparedTable:
    """Prepare a table unless it is prepared already.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    design : SurveyDesign or None
        Where the weights are; may be left out for a prepared table.

    Returns
    -------
    PreparedTable
        The table with its weights as cells.

    Raises
    ------
    DesignError
        If no design is given, or another one than the table was prepared for.
    EstimationError
        If the table is in shards.
    """
    if isinstance(table, ShardedTable):
        raise EstimationError(
            "This statistic cannot be computed from shards.",
            why="It is no function of sums of the rows, and needs all rows in memory at once.",
            hint="Read the columns it needs with lk.read_table. From shards come: means, levels, percentiles, "
            "proportions, frequencies, cross-tables, correlations, linear regressions, gradients and relative risks.",
            param="table",
        )
    if isinstance(table, PreparedTable):
        if design is not None and design != table.design:
            raise DesignError(
                "The table was prepared for another survey design than the one given.",
                hint="Leave 'design' out, or prepare the table anew.",
                param="design",
            )
        return table
    if design is None:
        raise DesignError(
            "An estimate needs a survey design.",
            hint="Pass design=SurveyDesign.read('pisa') or another profile.",
            param="design",
        )
    return prepare(table, design)


def form_groups(ready: PreparedTable, by: Sequence[str] | str | None, cluster: str | None) -> Groups:
    """Number the groups of a table and count their rows and clusters.

    Parameters
    ----------
    ready : PreparedTable
        The rows.
    by : Sequence of str or str or None
        Break-down columns.
    cluster : str or None
        Column of the school, to count schools.

    Returns
    -------
    Groups
        The groups in ascending order of their keys.

    Raises
    ------
    EstimationError
        If a break-down column is named twice or as a column of the result, or every row lacks a break-down
        value.
    TableError
        If a column is absent or a cluster value is missing.
    """
    names = (by,) if isinstance(by, str) else tuple(by or ())
    made: Groups = ready.remembered(("groups", names, cluster), lambda: _groups(ready.table, names, cluster))
    return made


def _groups(table: Table, names: tuple[str, ...], cluster: str | None) -> Groups:
    """Number the groups of named columns."""
    if len(set(names)) < len(names):
        raise EstimationError(f"A break-down column is named twice: {', '.join(names)}.", param="by")
    taken = [name for name in names if name in RESULT_COLUMNS]
    if taken:
        raise EstimationError(
            f"The break-down column {taken[0]!r} has the name of a column of the result.",
            hint="Rename it in the table.",
            param="by",
            got=taken[0],
        )
    codes, keys = key_codes(table, names)
    n_groups = keys.height if names else 1
    kept = codes >= 0
    if n_groups == 0 or not kept.any():
        error = NoRowsError(
            f"Every row lacks a value of {', '.join(names)}; no group is left.", param="by", got=names
        )
        error.n_missing_by = codes.size
        raise error
    return Groups(
        by=names,
        keys={name: keys.get_column(name).to_list() for name in names},
        codes=codes,
        n=np.bincount(codes[kept], minlength=n_groups),
        n_schools=None if cluster is None else _count_clusters(table, cluster, codes, n_groups),
        n_missing_by=int(np.count_nonzero(~kept)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The (group, cell) pairs that occur in a table.

    Parameters
    ----------
    of_row : ndarray of shape (n_rows,)
        Pair of each row; 0 for rows without a group, which the kernels leave out.
    groups : ndarray of shape (n_pairs,)
        Group of each pair.
    cells : ndarray of shape (n_pairs,)
        Cell of each pair.
    n_groups : int
        Number of groups.
    runs : tuple of (ndarray of shape (n_runs + 1,), ndarray of shape (n_runs,)), optional
        Runs of neighboring rows of one pair, where they are long enough to be worth it.
    memory : dict
        Ratios of the pairs once they were gathered.
    """

    of_row: Integers
    groups: Integers
    cells: Integers
    n_groups: int
    runs: tuple[Integers, Integers] | None = None
    memory: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def form_pairs(ready: PreparedTable, groups: Groups) -> Pairs:
    """Number the (group, cell) pairs that occur.

    Parameters
    ----------
    ready : PreparedTable
        Rows with their cells.
    groups : Groups
        Their groups.

    Returns
    -------
    Pairs
        The pairs in ascending order of group, then cell.
    """
    if "pairs" not in groups.memory:
        groups.memory["pairs"] = _pairs(ready, groups)
    made: Pairs = groups.memory["pairs"]
    return made


def _pairs(ready: PreparedTable, groups: Groups) -> Pairs:
    """Number the (group, cell) pairs that occur."""
    n_cells = ready.ratios.shape[0]
    n_groups = groups.n.size
    kept = groups.codes >= 0
    joint = np.where(kept, groups.codes, 0) * n_cells + ready.cells
    if n_groups * n_cells <= max(8 * joint.size, 1_000_000):
        present = np.zeros(n_groups * n_cells, dtype=np.bool_)
        present[joint[kept]] = True
        distinct = np.flatnonzero(present)
        number = np.cumsum(present) - 1
        of_row = np.where(kept, number[joint], 0)
    else:
        distinct, inverse = np.unique(joint[kept], return_inverse=True)
        of_row = np.zeros(joint.size, dtype=np.int64)
        of_row[kept] = inverse
    runs = find_runs(groups.codes, of_row)
    return Pairs(
        of_row=of_row,
        groups=distinct // n_cells,
        cells=distinct % n_cells,
        n_groups=n_groups,
        runs=runs if of_row.size >= LONG_RUN * runs[1].size else None,
    )


def sums_under_weights(ready: PreparedTable, pairs: Pairs, sums: Floats) -> Floats:
    """Turn sums of pairs into sums of groups under the final and each replicate weight.

    Parameters
    ----------
    ready : PreparedTable
        Rows with their cells.
    pairs : Pairs
        The pairs to which the sums belong.
    sums : ndarray of shape (n_pairs, n_sums)
        Sums under the scale.

    Returns
    -------
    ndarray of shape (n_groups, n_replicates + 1, n_sums)
        Sums under each weight, the final one first.
    """
    if pairs.groups.size < LARGE_GROUP * pairs.n_groups:
        return spread_over_replicates(sums, pairs.groups, pairs.cells, ready.ratios, pairs.n_groups)
    spread: Floats = np.empty((pairs.n_groups, ready.n_replicates + 1, sums.shape[1]))
    ends = np.searchsorted(pairs.groups, np.arange(pairs.n_groups + 1))
    ratios = _ratios_of_pairs(ready, pairs)
    with _threads().limit(limits=1, user_api="blas"):  # the same bits on one core and on many
        for g in range(pairs.n_groups):
            own = slice(ends[g], ends[g + 1])
            matrix = ready.ratios[pairs.cells[own]].T if ratios is None else ratios[:, own]
            np.matmul(matrix, sums[own], out=spread[g])
    return spread


def _ratios_of_pairs(ready: PreparedTable, pairs: Pairs) -> Floats | None:
    """Ratios of every pair, one line per weight, for all statistics; None where they would take much memory."""
    if pairs.cells.size * ready.ratios.shape[1] * 8 > MOST_GATHERED:
        return None
    if "ratios" not in pairs.memory:
        pairs.memory["ratios"] = np.ascontiguousarray(ready.ratios[pairs.cells].T)
    made: Floats = pairs.memory["ratios"]
    return made


@cache
def _threads() -> ThreadpoolController:
    """The libraries that have threads, looked for once: the search takes longer than a small estimate."""
    return ThreadpoolController()


def weight_sums(ready: PreparedTable, groups: Groups, pairs: Pairs, *, is_checked: bool = True) -> Floats:
    """Sum every weight in every group.

    Parameters
    ----------
    ready : PreparedTable
        Rows with their cells.
    groups : Groups
        Their groups.
    pairs : Pairs
        The pairs of both.
    is_checked : bool, default True
        Whether a group without weight is refused here; a part of a larger table is checked when it is combined.

    Returns
    -------
    ndarray of shape (n_groups, n_replicates + 1)
        Sums of weights, the final one first.

    Raises
    ------
    EstimationError
        If the final weights of a group sum to zero.
    """
    if "totals" not in groups.memory:
        groups.memory["totals"] = _weight_sums(ready, groups, pairs)
    made: Floats = groups.memory["totals"]
    if is_checked:
        refuse_weightless(groups, made)
    return made


def _weight_sums(ready: PreparedTable, groups: Groups, pairs: Pairs) -> Floats:
    """Sum every weight in every group."""
    kept = groups.codes >= 0
    sums: Floats = np.zeros(pairs.groups.size)
    sums += np.bincount(pairs.of_row[kept], weights=ready.scale[kept], minlength=sums.size)
    totals: Floats = sums_under_weights(ready, pairs, sums[:, np.newaxis])[:, :, 0]
    return totals


def refuse_weightless(groups: Groups, totals: Floats) -> None:
    """Refuse groups whose final weights sum to zero.

    Parameters
    ----------
    groups : Groups
        The groups.
    totals : ndarray of shape (n_groups, n_replicates + 1)
        Sums of weights, the final one first.

    Raises
    ------
    EstimationError
        If there is one.
    """
    empty = np.flatnonzero(totals[:, 0] <= 0.0)
    if empty.size:
        raise EstimationError(
            f"The weights of {empty.size} of {totals.shape[0]} groups sum to zero.",
            where=[group_name(groups, int(g)) for g in empty],
            why="No statistic of such a group is defined.",
            hint="Leave the group out, or correct its weights.",
            param="by",
        )


def group_name(groups: Groups, g: int) -> str:
    """Name a group in a sentence.

    Parameters
    ----------
    groups : Groups
        The groups.
    g : int
        Number of the group.

    Returns
    -------
    str
        Such as ``"CNT=FRA, GENDER=1"``; ``"all rows"`` where there is no break-down.
    """
    return ", ".join(f"{name}={values[g]}" for name, values in groups.keys.items()) or "all rows"


def _count_clusters(table: Table, cluster: str, codes: Integers, n_groups: int) -> Integers:
    """Count the distinct clusters of each group."""
    clusters, names = key_codes(table, [cluster])
    if clusters.min() < 0:
        rows = np.flatnonzero(clusters < 0)
        raise TableError(
            f"The cluster {cluster!r} is missing in {rows.size} of {clusters.size} rows.",
            where=[f"row {row + 1}" for row in rows.tolist()],
            param=cluster,
        )
    kept = codes >= 0
    distinct = np.unique(codes[kept] * names.height + clusters[kept])
    return np.bincount(distinct // names.height, minlength=n_groups)
