"""The sums of a table in shards: what is looked up first, what a worker does, and what is kept for a resumed run.

See ``docs/algorithms/sharded_estimates.md``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError, EstimationError, LsakitError
from lsakit.estimation.group_sums import (
    Breakdown,
    GroupSums,
    SumStatistic,
    added,
    as_breakdown,
    finished,
    with_clusters,
    without_rows,
)
from lsakit.estimation.kept_sums import keep, kept
from lsakit.estimation.replication import NoRowsError, PreparedTable, prepared
from lsakit.estimation.sharded import ShardedTable, WeightMemory
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.estimation.variables import value_columns
from lsakit.estimation.weight_cells import key_codes, weight_cells
from lsakit.io.codebook import Codebook
from lsakit.io.frames import Table, codes_among, complete_values, require_columns, stack_tables
from lsakit.io.missing_codes import without_missing_codes
from lsakit.io.shards import Shard

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardTask:
    """What a worker must know of a statistic; small, and sent with every shard.

    Parameters
    ----------
    statistic : object
        The statistic.
    breakdown : Breakdown
        By what rows are broken down.
    design : SurveyDesign
        Where the weights are.
    columns : tuple of str
        Columns to read.
    codebook : Codebook, optional
        Which codes are user-missing.
    zones : polars.DataFrame, optional
        All jackknife zones of the whole table.
    lonely_zones : tuple of str
        Zones of which only one half is present in the whole table.
    known : dict of str to polars.DataFrame
        All categories of the columns of categories.
    folder : str, optional
        Where finished shards are kept.
    weights : WeightMemory, optional
        Cells that were read before, where the work is done in this process.
    """

    statistic: Any
    breakdown: Breakdown
    design: SurveyDesign
    columns: tuple[str, ...]
    codebook: Codebook | None = None
    zones: Table | None = None
    lonely_zones: tuple[str, ...] = ()
    known: dict[str, Table] = field(default_factory=dict)
    folder: str | None = None
    weights: WeightMemory | None = None


def estimated(
    table: Any,
    statistic: SumStatistic[Result],
    design: SurveyDesign | None,
    *,
    by: Sequence[str] | str | None = None,
    cluster: str | None = None,
) -> Result:
    """Estimate a statistic that is a function of sums, from a table or from shards.

    Parameters
    ----------
    table : ShardedTable or PreparedTable or polars.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    statistic : SumStatistic
        The statistic.
    design : SurveyDesign or None
        Where the weights are; may be left out for a prepared table.
    by : Sequence of str or str, optional
        Break-down columns.
    cluster : str, optional
        Column of the school, to count schools.

    Returns
    -------
    object
        What the statistic makes of the sums.
    """
    breakdown = as_breakdown(by, cluster)
    if isinstance(table, ShardedTable):
        return finished(statistic, reduced(table, statistic, design, breakdown))
    return finished(statistic, statistic.part(prepared(table, design), breakdown))


def reduced(
    source: ShardedTable, statistic: Any, design: SurveyDesign | None, breakdown: Breakdown
) -> GroupSums:
    """Add up the sums of all shards.

    Parameters
    ----------
    source : ShardedTable
        The shards.
    statistic : SumStatistic
        The statistic.
    design : SurveyDesign or None
        Where the weights are.
    breakdown : Breakdown
        By what rows are broken down.

    Returns
    -------
    GroupSums
        Sums of all rows, added in the order of the shards.

    Raises
    ------
    DesignError
        If no design is given.
    EstimationError
        If no row of any shard is left.
    CancelledError
        If the run was cancelled.
    """
    task = shard_task(source, statistic, design, breakdown)
    total: GroupSums | None = None
    for part in source.mapped(partial(shard_part, task)):
        total = part if total is None else added(total, part)
    if total is None or not total.groups.n.size:
        raise EstimationError(
            f"No row of the {len(source.shards)} shards has a value of {', '.join(statistic.variables)} "
            f"and of {', '.join(breakdown.by) or 'the weights'}.",
            hint="Check the files and their missing codes.",
            param="source",
        )
    return with_clusters(total, breakdown.cluster)


def shard_task(
    source: ShardedTable, statistic: Any, design: SurveyDesign | None, breakdown: Breakdown
) -> ShardTask:
    """Look up what no shard knows alone: zones, categories, centres and scales.

    Parameters
    ----------
    source : ShardedTable
        The shards.
    statistic : SumStatistic
        The statistic.
    design : SurveyDesign or None
        Where the weights are.
    breakdown : Breakdown
        By what rows are broken down.

    Returns
    -------
    ShardTask
        What every worker needs.

    Raises
    ------
    DesignError
        If no design is given.
    """
    if design is None:
        raise DesignError(
            "An estimate needs a survey design.",
            hint="Pass design=SurveyDesign.read('pisa') or another profile.",
            param="design",
        )
    variables = [name for values in statistic.variables for name in value_columns(source, values)]
    names = [*variables, *statistic.categories, *breakdown.by, *_weight_columns(design)]
    names += [breakdown.cluster] if breakdown.cluster else []
    names += [name for name, _ in design.requires if name in source.columns]
    require_columns(source, names, param="source")
    zones, lonely = _zones(source, design)
    task = ShardTask(
        statistic=statistic,
        breakdown=replace(breakdown, is_part=True),
        design=design,
        columns=tuple(dict.fromkeys(names)),
        codebook=source.codebook,
        zones=zones,
        lonely_zones=lonely,
        known=_categories(source, statistic.categories, variables),
        folder=None if source.folder is None else str(source.folder),
        weights=source.weights if source.is_local else None,
    )
    return replace(task, statistic=_learned(source, task))


def shard_part(task: ShardTask, shard: Shard) -> GroupSums:
    """Read one shard and add it up; what a worker does.

    Parameters
    ----------
    task : ShardTask
        The task.
    shard : Shard
        Which rows.

    Returns
    -------
    GroupSums
        Sums of the shard, read from the folder where it was done before.
    """
    place = None if task.folder is None else Path(task.folder) / f"{described_hash(task, shard)}.npz"
    if place is not None and (found := kept(place, task.design)) is not None:
        return found
    with opened(task, shard) as ready:
        part = _part(task, ready)
    if place is not None:
        keep(place, part)
    return part


def read_shard(task: ShardTask, shard: Shard) -> PreparedTable:
    """Read the rows of a shard and prepare them.

    Parameters
    ----------
    task : ShardTask
        The task.
    shard : Shard
        Which rows.

    Returns
    -------
    PreparedTable
        The rows, with the categories of the whole table known.
    """
    key = (shard, task.design)
    found = None if task.weights is None else task.weights.find(key)
    if found is None:
        table = _read(shard, task.columns, task.codebook)
        found = weight_cells(table, task.design, zones=task.zones)
        if task.weights is not None:
            task.weights.keep(key, found)
        table = table[list(_without_weights(task))]  # the replicate weights are most of the shard's memory
    else:
        table = _read(shard, _without_weights(task), task.codebook)
    ready = PreparedTable(
        table=table,
        design=task.design,
        scale=found.scale,
        cells=found.cells,
        ratios=found.ratios,
        lonely_zones=task.lonely_zones,
    )
    for name, values in task.known.items():
        ready.memory["codes", name] = (codes_among(table, name, values), values)
    return ready


def _without_weights(task: ShardTask) -> tuple[str, ...]:
    """Columns that are still needed when the weights are cells; never none, so that the rows can be counted."""
    replicates = set(task.design.replicate_columns())
    return tuple(name for name in task.columns if name not in replicates)


@contextmanager
def located(shard: Shard) -> Iterator[None]:
    """Say in which file a refused row stands.

    Parameters
    ----------
    shard : Shard
        The rows that are worked on.

    Yields
    ------
    None
        Nothing.
    """
    try:
        yield
    except LsakitError as error:
        where = [_in_file(place, shard) for place in error.where] or [shard.label]
        error.where = tuple(where)
        error.args = (error.sentence,)
        raise


@contextmanager
def opened(task: ShardTask, shard: Shard) -> Iterator[PreparedTable]:
    """Read a shard, and let go of it at the end.

    Parameters
    ----------
    task : ShardTask
        The task.
    shard : Shard
        Which rows.

    Yields
    ------
    PreparedTable
        The rows.
    """
    with located(shard):
        ready = read_shard(task, shard)
        try:
            yield ready
        finally:
            ready.memory.clear()  # it holds the table itself: such a circle would stay until it is searched for


def _in_file(place: object, shard: Shard) -> str:
    """A row of a shard as a row of its file."""
    match = re.fullmatch(r"row (\d+)", str(place))
    row = f"row {int(match[1]) + shard.first}" if match else str(place)
    return f"{shard.label} {row}"


def _part(task: ShardTask, ready: PreparedTable) -> GroupSums:
    """Sums of prepared rows; a shard in which no row is left gives none."""
    try:
        part: GroupSums = task.statistic.part(ready, task.breakdown)
    except NoRowsError as error:
        return without_rows(ready, task.breakdown, error.n_missing_by)
    groups = replace(part.groups, codes=np.zeros(0, dtype=np.int64), memory={})
    return replace(part, groups=groups)


def _read(shard: Shard, columns: Sequence[str], codebook: Codebook | None) -> Table:
    """Columns of a shard with user-missing codes empty."""
    table = shard.read(columns)
    return table if codebook is None else without_missing_codes(table, codebook)


def _weight_columns(design: SurveyDesign) -> list[str]:
    """Columns of the weights of a design."""
    derived = [name for name in (design.zone, design.half) if name is not None]
    return [design.weight, *derived, *design.replicate_columns()]


def _zones(source: ShardedTable, design: SurveyDesign) -> tuple[Table | None, tuple[str, ...]]:
    """All jackknife zones, and those of which only one half is present."""
    if not design.is_derived:
        return None, ()
    zone, half = str(design.zone), str(design.half)
    work = partial(_distinct, columns=(zone, half), codebook=source.codebook)
    _, pairs = key_codes(stack_tables(list(source.mapped(work))), [zone, half])
    codes, zones = key_codes(pairs, [zone])
    names = zones.get_column(zone).to_list()
    lonely = np.flatnonzero(np.bincount(codes, minlength=zones.height) < 2)
    return zones, tuple(str(names[z]) for z in lonely.tolist())


def _distinct(shard: Shard, *, columns: tuple[str, ...], codebook: Codebook | None) -> Table:
    """Distinct rows of a few columns."""
    return key_codes(_read(shard, columns, codebook), columns)[1]


def _categories(source: ShardedTable, names: Sequence[str], variables: Sequence[str]) -> dict[str, Table]:
    """All categories of columns among the rows that have every variable."""
    if not names:
        return {}
    work = partial(_listed, names=tuple(names), needed=tuple(variables), codebook=source.codebook)
    parts = list(source.mapped(work))
    stacked = {name: stack_tables([part[name] for part in parts]) for name in names}
    found = {name: key_codes(table, [name])[1] for name, table in stacked.items()}
    empty = [name for name, table in found.items() if not table.height]
    if empty:
        raise EstimationError(f"No row has a value of {', '.join(names)}.", param=empty[0])
    return found


def _listed(
    shard: Shard, *, names: tuple[str, ...], needed: tuple[str, ...], codebook: Codebook | None
) -> dict[str, Table]:
    """Categories of a shard."""
    with located(shard):
        return complete_values(_read(shard, [*dict.fromkeys([*names, *needed])], codebook), names, needed)


def _learned(source: ShardedTable, task: ShardTask) -> Any:
    """Take centres and scales from the first shard that has rows."""
    for shard in source.shards:
        try:
            with opened(task, shard) as ready:
                return task.statistic.learned(ready)
        except NoRowsError:
            continue
    return task.statistic


def described_hash(*parts: object) -> str:
    """A hash of everything that a kept sum depends on.

    Parameters
    ----------
    *parts : object
        Dataclasses, tables, arrays, numbers and texts.

    Returns
    -------
    str
        Hexadecimal digits, the same in every process.
    """
    digest = hashlib.sha256(b"lsakit.group_sums/1")
    for part in parts:
        digest.update(repr(_plain(part)).encode())
    return digest.hexdigest()[:40]


def _plain(value: Any) -> Any:
    """Something whose representation is the same in every process."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        own = [f for f in dataclasses.fields(value) if f.name not in ("folder", "weights")]
        return [type(value).__name__, *((f.name, _plain(getattr(value, f.name))) for f in own)]
    if isinstance(value, np.ndarray):
        plain: NDArray[Any] = value
        return (plain.shape, plain.tobytes().hex())
    if isinstance(value, dict):
        return [(key, _plain(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (str, int, float, bool, type(None))):
        return value
    if hasattr(value, "to_dict"):
        return value.to_dict(as_series=False)
    return [_plain(item) for item in value]
