"""A table in shards, and who works on them: this process, threads, processes, or a Dask cluster.

See ``docs/beyond_one_machine.md``.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from lsakit.errors import CancelledError, DesignError
from lsakit.estimation.weight_cells import WeightCells
from lsakit.io.codebook import Codebook
from lsakit.io.shards import (
    ROWS_PER_SHARD,
    Shard,
    database_relation,
    is_relation,
    parquet_shards,
    relation_shards,
)

Result = TypeVar("Result")
Progress = Callable[[int, int], None]

EXECUTORS = ("serial", "threads", "processes")

WEIGHT_MEMORY = 256_000_000
"""Bytes of cells that are kept: three million students of stored replicates take a third of it."""


class WeightMemory:
    """Cells of weights that were read once, for the next statistic of the same shards.

    The replicate weights are most of what is read of a shard; kept as cells they are small. What does not fit is
    read again.

    Parameters
    ----------
    most_bytes : int
        How much may be kept.
    """

    def __init__(self, most_bytes: int = WEIGHT_MEMORY) -> None:
        self._left = most_bytes
        self._kept: dict[Any, WeightCells] = {}
        self._lock = Lock()

    def find(self, key: Any) -> WeightCells | None:
        """Cells that were kept; None where they were not."""
        found = self._kept.get(key)
        return None if found is None else found._replace(cells=found.cells.astype(np.int64))

    def keep(self, key: Any, found: WeightCells) -> None:
        """Keep cells while there is room."""
        small = found._replace(cells=found.cells.astype(np.int32))
        size = small.scale.nbytes + small.cells.nbytes + small.ratios.nbytes
        with self._lock:
            if key not in self._kept and size <= self._left:
                self._left -= size
                self._kept[key] = small


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardedTable:
    """A table that is read in shards; the estimates that are sums accept it in the place of a table.

    Parameters
    ----------
    shards : tuple of Shard
        Ranges of rows of Parquet files.
    columns : list of str
        Columns that every file has.
    executor : {"serial", "threads", "processes"}
        Who works on the shards where no client is given.
    n_workers : int
        Number of threads or processes.
    client : object, optional
        A ``dask.distributed.Client``: its workers read the files and send back sums.
    folder : Path, optional
        Where the sums of finished shards are kept, so that an interrupted run goes on from there.
    codebook : Codebook, optional
        Which codes are user-missing.
    progress : Callable, optional
        Called with the number of shards done and of all shards.
    is_cancelled : Callable, optional
        Asked before each shard; true stops the run.
    owner : object, optional
        Keeps temporary files alive.
    pools : dict
        Threads or processes once they are started; they end with the table.
    weights : WeightMemory
        Cells of weights that were read before; used where all work is done in this process.
    """

    shards: tuple[Shard, ...]
    columns: list[str]
    executor: str = "threads"
    n_workers: int = 2
    client: Any = None
    folder: Path | None = None
    codebook: Codebook | None = None
    progress: Progress | None = None
    is_cancelled: Callable[[], bool] | None = None
    owner: Any = field(default=None, repr=False, compare=False)
    pools: dict[str, Executor] = field(default_factory=dict, repr=False, compare=False)
    weights: WeightMemory = field(default_factory=WeightMemory, repr=False, compare=False)

    @property
    def height(self) -> int:
        """Number of rows of all shards."""
        return sum(shard.n_rows for shard in self.shards)

    @property
    def is_local(self) -> bool:
        """Whether all work is done in this process."""
        return self.client is None and self.executor != "processes"

    def mapped(self, work: Callable[[Shard], Result]) -> Iterator[Result]:
        """Apply work to every shard; results come in the order of the shards, whoever finished first."""
        done = 0
        submit, window = self._submitter()
        waiting: deque[Any] = deque()
        rest = iter(self.shards)
        try:
            while True:
                while len(waiting) < window and (shard := next(rest, None)) is not None:
                    self._stop_if_asked()
                    waiting.append(submit(work, shard))
                if not waiting:
                    return
                result: Result = waiting.popleft().result()
                done += 1
                if self.progress is not None:
                    self.progress(done, len(self.shards))
                yield result
        finally:
            for future in waiting:
                future.cancel()

    def _submitter(self) -> tuple[Callable[..., Any], int]:
        """How to hand out a shard, and how many are out at once; the window bounds what waits in memory."""
        if self.client is not None:
            threads = sum(dict(self.client.nthreads()).values())
            return partial(self.client.submit, pure=False), 2 * max(threads, 1)
        if self.executor == "serial":
            return _Now, 1
        if self.executor not in self.pools:
            self.pools[self.executor] = _pool(self.executor, self.n_workers)
        return self.pools[self.executor].submit, self.n_workers + 1

    def _stop_if_asked(self) -> None:
        """Raise when the caller wants the run to stop."""
        if self.is_cancelled is not None and self.is_cancelled():
            raise CancelledError(
                "The estimate was cancelled.",
                hint=""
                if self.folder is None
                else "The shards that are done are kept and need not be read again.",
            )


class _Now:
    """A future that is done when it is made."""

    def __init__(self, work: Callable[[Shard], Any], shard: Shard) -> None:
        self._value = work(shard)

    def result(self) -> Any:
        """Give what the work gave."""
        return self._value

    def cancel(self) -> None:
        """Nothing is left to cancel."""


def _pool(executor: str, n_workers: int) -> Executor:
    """A pool of threads or of fresh processes (a forked one would inherit locks of other threads)."""
    if executor == "threads":
        return ThreadPoolExecutor(n_workers)
    return ProcessPoolExecutor(n_workers, mp_context=multiprocessing.get_context("spawn"))


def open_shards(
    source: Any,
    *,
    query: str | None = None,
    executor: str = "threads",
    n_workers: int | None = None,
    client: Any = None,
    rows_per_shard: int = ROWS_PER_SHARD,
    **options: Any,
) -> ShardedTable:
    """Open a table that need not fit in memory.

    Parameters
    ----------
    source : str or Path or Sequence of these, or duckdb.DuckDBPyRelation
        Parquet files, folders of them, or patterns such as ``"students/part-*.parquet"``; a relation of DuckDB; or,
        with ``query``, a DuckDB database file.
    query : str, optional
        What to select from the database.
    executor : {"threads", "serial", "processes"}
        Who works on the shards. All give the same numbers.
    n_workers : int, optional
        Number of threads or processes; left out, 2, which a disk keeps busy.
    client : dask.distributed.Client, optional
        A cluster whose workers see the same files under the same paths and have lsakit installed.
    rows_per_shard : int, default 150_000
        Most rows of a shard; each worker holds one in memory.
    **options : object
        ``folder`` (where finished shards are kept so that a run can be resumed), ``codebook`` (user-missing codes),
        ``progress`` (called with shards done and all shards), ``is_cancelled`` (asked before each shard).

    Returns
    -------
    ShardedTable
        Accepted by `estimate_means`, `estimate_levels`, `estimate_percentiles`, `estimate_proportions`,
        `estimate_frequencies`, `estimate_cross_table`, `estimate_correlations`, linear `estimate_regression`,
        `estimate_gradient` and `estimate_relative_risk` in the place of a table.

    Raises
    ------
    FileFormatError
        If a file is not there or cannot be read.
    TableError
        If the files differ in the kind of a column.
    DesignError
        If an option is unknown or wrong.

    References
    ----------
    .. [1] docs/algorithms/sharded_estimates.md
    .. [2] docs/beyond_one_machine.md
    """
    if executor not in EXECUTORS:
        raise DesignError(
            f"The 'executor' is one of {', '.join(EXECUTORS)}. Got {executor!r}.",
            hint="For a Dask cluster give its client as client=….",
            param="executor",
            got=executor,
        )
    unknown = sorted(set(options) - {"folder", "codebook", "progress", "is_cancelled"})
    if unknown:
        raise DesignError(f"Opening shards knows no option {unknown[0]!r}.", param=unknown[0])
    if n_workers is not None and n_workers < 1:
        raise DesignError(f"'n_workers' is at least 1. Got {n_workers}.", param="n_workers", got=n_workers)
    owner = None
    if query is not None:
        source = database_relation(source, query)
    if is_relation(source):
        shards, schema, owner = relation_shards(source, rows_per_shard=rows_per_shard)
    else:
        files: Sequence[Any] = [source] if isinstance(source, (str, Path)) else list(source)
        shards, schema = parquet_shards(files, rows_per_shard=rows_per_shard)
    folder = options.pop("folder", None)
    return ShardedTable(
        shards=shards,
        columns=schema.names(),
        executor=executor,
        n_workers=n_workers or 2,
        client=client,
        folder=None if folder is None else Path(folder),
        owner=owner,
        **options,
    )
