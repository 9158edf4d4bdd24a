"""Steps that change rows in small cells: merge within, coarsen geography, local suppression.

See docs/algorithms/disclosure_control.md, section "Small cells".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.randomness import stable_seeds
from lsakit.release.microdata import SCHOOL, MicroData
from lsakit.release.plan import PlanStep
from lsakit.release.recodes import suppressed_code
from lsakit.release.risk import counts_of_rows

Rows = NDArray[np.int64]


def merge_cells(
    table: pl.DataFrame,
    keys: Sequence[str],
    *,
    k: int,
    merged: dict[str, int | str],
    counts: str | None = None,
) -> tuple[pl.DataFrame, list[tuple[str, ...]]]:
    """Merge the categories of the last keys inside the groups of the first ones, until no cell is too small.

    Parameters
    ----------
    table : polars.DataFrame
        The rows.
    keys : Sequence of str
        Key variables, the widest first; ``merged`` names those at the end that may be merged.
    k : int
        Fewest rows of a cell.
    merged : dict of str to code
        Variables that may be merged and the value that stands for "all".
    counts : str, optional
        Column with how many rows each row stands for; by default one.

    Returns
    -------
    table : polars.DataFrame
        The rows after the merges.
    log : list of tuple of str
        One entry per merge: the variable and the group's values of the keys before it.

    Notes
    -----
    A group whose cells are one already gains nothing and is left for the next wider key.

    Examples
    --------
    >>> rows = {"region": ["R1"] * 3 + ["R2"], "type": ["pub", "pub", "priv", "pub"],
    ...         "size": ["L", "S", "L", "L"], "n": [7, 2, 1, 5]}
    >>> table, log = merge_cells(pl.DataFrame(rows), ["region", "type", "size"], k=3,
    ...                          merged={"type": "all", "size": "all"}, counts="n")
    >>> table.group_by("region", "type", "size").agg(pl.col("n").sum()).sort("region").rows()
    [('R1', 'all', 'all', 10), ('R2', 'pub', 'L', 5)]
    >>> log
    [('size', 'R1', 'pub'), ('type', 'R1')]
    """
    names = list(keys)
    log: list[tuple[str, ...]] = []
    for place in range(len(names) - 1, 0, -1):
        if names[place] not in merged:
            break
        outer, inner = names[:place], names[place:]
        size = pl.col(counts).sum() if counts else pl.len()
        cells = table.group_by(names).agg(size.alias("__n"))
        groups = cells.group_by(outer).agg(pl.col("__n").min().alias("__least"), pl.len().alias("__cells"))
        chosen = groups.filter((pl.col("__least") < k) & (pl.col("__cells") > 1)).sort(outer)
        if not chosen.height:
            continue
        log.extend((names[place], *(str(value) for value in row)) for row in chosen.select(outer).rows())
        mark = chosen.select(outer).with_columns(pl.lit(value=True).alias("__merge"))
        joined = table.join(mark, on=outer, how="left", nulls_equal=True, maintain_order="left")
        is_merged = pl.col("__merge").fill_null(value=False)
        table = joined.with_columns(
            pl.when(is_merged).then(pl.lit(merged[name])).otherwise(pl.col(name)).alias(name)
            for name in inner
        ).drop("__merge")
    return table, log


def merge(data: MicroData, step: PlanStep) -> tuple[MicroData, int]:
    """Merge small cells of the school file.

    Parameters
    ----------
    data : MicroData
        The files.
    step : PlanStep
        ``keys``, ``k`` and the variables that may be merged; "all" is the variable's suppressed code.

    Returns
    -------
    data : MicroData
        The files.
    n : int
        Number of merges.
    """
    merged = {name: suppressed_code(data.variable(name)) for name in step.variables}
    table, log = merge_cells(
        data.tables[step.file], step.settings["keys"], k=int(step.settings["k"]), merged=merged
    )
    return data.with_table(step.file, table), len(log)


def coarsen(data: MicroData, step: PlanStep, seed: int) -> MicroData:
    """Show the wider geography alone for schools of small cells.

    Parameters
    ----------
    data : MicroData
        The files.
    step : PlanStep
        One variable among ``keys``; schools in cells of fewer than ``k`` get its suppressed code, with schools of
        other cells of the same outer keys until ``k`` share it.
    seed : int
        Seed of the choice of those.

    Returns
    -------
    MicroData
        The files.
    """
    name = step.variables[0]
    table = data.tables[step.file]
    chosen = rows_to_hide(
        table, name, step.settings["keys"], k=int(step.settings["k"]),
        gone=suppressed_code(data.variable(name)), order=_order(table, data.school_key, seed, step),
        balanced=False,
    )  # fmt: skip
    return data.with_table(step.file, _hidden(data, table, name, chosen))


def suppress(data: MicroData, step: PlanStep, seed: int) -> MicroData:
    """Hide values of small cells, one variable after the other, until no cell is too small.

    Parameters
    ----------
    data : MicroData
        The files.
    step : PlanStep
        ``keys``, ``k``, and the variables in the order in which they are given up.
    seed : int
        Seed of the choice of rows that are hidden so that the small cells cannot be inferred.

    Returns
    -------
    MicroData
        The files. A variable of the school is hidden for whole schools.

    Notes
    -----
    Where only small cells were hidden, the hidden value would tell the cell. So at least as many rows of other
    cells are hidden with them, and at least ``k`` in all, as far as there are such rows.
    """
    k = int(step.settings["k"])
    keys = list(step.settings["keys"])
    for name in step.variables:
        view = data.view(step.file)
        counts = counts_of_rows(view, keys)
        if counts.min(initial=k) >= k:
            break
        home = data.home_of(name)
        table = data.tables[home]
        gone = suppressed_code(data.variable(name))
        if home == SCHOOL and step.file != SCHOOL:
            chosen = _schools_to_hide(data, view, counts < k, name, keys)
        else:
            key = data.school_key if home == SCHOOL else data.student_key
            chosen = rows_to_hide(
                view, name, keys, k=k, gone=gone, order=_order(view, key, seed, step), balanced=True
            )
        data = data.with_table(home, _hidden(data, table, name, chosen))
    return data


def _schools_to_hide(
    data: MicroData, view: pl.DataFrame, is_unsafe: NDArray[np.bool_], name: str, keys: Sequence[str]
) -> Rows:
    """Choose the schools of students in small cells, and for each one more that differs in the variable alone."""
    schools = data.tables[SCHOOL]
    bad = view.filter(pl.Series(is_unsafe)).get_column(data.school_key).unique()
    marked = schools.with_row_index("__row").with_columns(
        pl.col(data.school_key).is_in(bad.implode()).alias("__bad")
    )
    outer = [key for key in keys if key != name and key in schools.columns]
    spare = marked.filter(~pl.col("__bad")).sort(data.school_key)
    chosen = set(marked.filter(pl.col("__bad")).get_column("__row").to_list())
    taken: set[int] = set()
    for row in marked.filter(pl.col("__bad")).sort(data.school_key).iter_rows(named=True):
        like = spare.filter(pl.all_horizontal([pl.col(key).eq_missing(row[key]) for key in outer]))
        other = like.filter(pl.col(name) != row[name]).get_column("__row").to_list()
        found = next((place for place in other if place not in taken), None)
        if found is not None:
            taken.add(found)
    return np.asarray(sorted(chosen | taken), dtype=np.int64)


def _order(table: pl.DataFrame, key: str, seed: int, step: PlanStep) -> NDArray[np.uint64]:
    """Put rows in an order that depends on each identifier alone."""
    ids = table.get_column(key).cast(pl.String).to_list()
    return stable_seeds(seed, f"release.{step.kind}.{step.variables[0]}", ids)


def _hidden(data: MicroData, table: pl.DataFrame, name: str, rows: Rows) -> pl.DataFrame:
    """Put the suppressed code of a variable into some rows."""
    mask = np.zeros(table.height, dtype=bool)
    mask[rows] = True
    gone = suppressed_code(data.variable(name))
    return table.with_columns(pl.when(pl.Series(mask)).then(pl.lit(gone)).otherwise(pl.col(name)).alias(name))


def rows_to_hide(
    table: pl.DataFrame,
    name: str,
    keys: Sequence[str],
    *,
    k: int,
    gone: int | str,
    order: NDArray[np.uint64],
    balanced: bool,
) -> Rows:
    """Choose the rows whose value is hidden: those of small cells, and others that keep them company.

    Parameters
    ----------
    table : polars.DataFrame
        The rows.
    name : str
        Variable to hide; one of the keys.
    keys : Sequence of str
        Key variables.
    k : int
        Fewest rows of a cell.
    gone : int or str
        The code of hidden values.
    order : ndarray of shape (n_rows,)
        Rows with lower numbers are chosen first.
    balanced : bool
        Whether at least as many rows of other cells are hidden with those of small ones.

    Returns
    -------
    ndarray of shape (n_chosen,)
        Numbers of the chosen rows, ascending.
    """
    outer = [key for key in keys if key != name]
    frame = table.select(*dict.fromkeys([*outer, name])).with_columns(
        pl.Series("__n", counts_of_rows(table, keys)), pl.Series("__order", order)
    )
    frame = frame.with_row_index("__row").with_columns((pl.col(name) == gone).alias("__gone"))
    unsafe = frame.filter((pl.col("__n") < k) & ~pl.col("__gone"))
    if not unsafe.height:
        return np.zeros(0, dtype=np.int64)
    groups = unsafe.select(outer).unique() if outer else pl.DataFrame({"__one": [1]})
    near = frame.join(groups, on=outer, how="inner", nulls_equal=True) if outer else frame
    chosen: list[int] = []
    parts = near.partition_by(outer, maintain_order=True) if outer else [near]
    for part in parts:
        chosen.extend(_choice(part, name, k=k, balanced=balanced))
    return np.asarray(sorted(chosen), dtype=np.int64)


def _choice(part: pl.DataFrame, name: str, *, k: int, balanced: bool) -> list[int]:
    """Choose the rows of one group of the outer keys."""
    small = part.filter((pl.col("__n") < k) & ~pl.col("__gone"))
    chosen = small.get_column("__row").to_list()
    n_gone = int(part.get_column("__gone").sum())
    want = max(k - n_gone - len(chosen), (len(chosen) - n_gone) if balanced else 0, 0)
    cells = part.filter((pl.col("__n") >= k) & ~pl.col("__gone")).sort("__order").partition_by(name)
    cells.sort(key=lambda cell: (-cell.height, str(cell[name][0])))
    for cell in cells:
        take = min(want, cell.height - k)
        if take > 0:
            chosen.extend(cell.get_column("__row").head(take).to_list())
            want -= take
    for cell in reversed(cells):
        if want <= 0:
            break
        fresh = [row for row in cell.get_column("__row").to_list() if row not in set(chosen)]
        chosen.extend(fresh)
        want -= len(fresh)
    return chosen
