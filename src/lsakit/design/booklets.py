"""Balanced booklets: which clusters of items a booklet holds, and the checks of a booklet design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lsakit.errors import DesignError, TableError
from lsakit.io.frames import Table, as_table, floats, make_table, strings

DIFFERENCE_SETS = {7: (0, 1, 3), 13: (0, 1, 3, 9)}


@dataclass(frozen=True, slots=True, kw_only=True)
class BookletChecks:
    """Hold what was found about a booklet design.

    Parameters
    ----------
    clusters : tuple of str of shape (n_clusters,)
        Clusters in the order of their first appearance.
    n_uses : ndarray of shape (n_clusters,)
        Booklets that hold each cluster.
    n_pairs : ndarray of shape (n_clusters, n_clusters)
        Booklets that hold both clusters; the diagonal is ``n_uses``.
    n_positions : ndarray of shape (n_clusters, n_positions)
        Booklets that hold the cluster at each position.
    is_replication_equal : bool
        Whether all clusters are used equally often.
    is_pair_balanced : bool
        Whether all pairs of clusters meet equally often, at least once.
    is_position_balanced : bool
        Whether every cluster stands equally often at every position.
    is_connected : bool
        Whether every two clusters are joined through common booklets, so that all can be put on one scale.
    """

    clusters: tuple[str, ...]
    n_uses: NDArray[np.int64]
    n_pairs: NDArray[np.int64]
    n_positions: NDArray[np.int64]
    is_replication_equal: bool
    is_pair_balanced: bool
    is_position_balanced: bool
    is_connected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BookletDesign:
    """Hold a booklet design.

    Parameters
    ----------
    table : polars.DataFrame
        One row per cluster of a booklet: booklet (from 1), position (from 1), cluster.
    n_booklets : int
        Booklets.
    checks : BookletChecks
        Balance and connection.
    schema : str
        Name and version of this result's form.
    """

    table: Table
    n_booklets: int
    checks: BookletChecks
    schema: str = "lsakit.booklet_design/1"


def booklet_design(clusters: Sequence[str], *, offsets: Sequence[int] | None = None) -> BookletDesign:
    """Turn clusters around a circle into booklets.

    Parameters
    ----------
    clusters : Sequence of str
        Clusters of items in cyclic order.
    offsets : Sequence of int, optional
        Steps from the booklet's first cluster to those of its positions, starting with 0. For 7 and 13
        clusters the default is a perfect difference set, with which every pair of clusters meets in exactly
        one booklet; for other numbers it must be given.

    Returns
    -------
    BookletDesign
        One booklet per cluster; every cluster stands once at every position.

    Raises
    ------
    DesignError
        If clusters repeat, the offsets are missing or repeat, or the booklets are not connected.

    References
    ----------
    .. [1] OECD (2005), PISA 2003 Technical Report, chapter 2 (13 booklets).
    .. [2] Johnson (1992), The design of the National Assessment of Educational Progress, Journal of
       Educational Measurement 29(2).

    Examples
    --------
    >>> booklet_design(list("ABCDEFG")).table.head(3).get_column("cluster").to_list()
    ['A', 'B', 'D']
    """
    names = list(clusters)
    steps = DIFFERENCE_SETS.get(len(names)) if offsets is None else tuple(offsets)
    if len(set(names)) != len(names) or not names:
        raise DesignError(
            "The 'clusters' parameter must name each cluster once.", where=names, param="clusters"
        )
    if steps is None or not steps or len({step % len(names) for step in steps}) != len(steps):
        raise DesignError(
            f"The 'offsets' parameter must give different steps around {len(names)} clusters. Got {offsets!r}.",
            why=f"Ready sets exist for {' and '.join(map(str, DIFFERENCE_SETS))} clusters.",
            hint="Pass offsets such as (0, 1, 3, 9), or use 7 or 13 clusters.",
            param="offsets",
            got=offsets,
        )
    table = make_table(
        {
            "booklet": np.repeat(np.arange(1, len(names) + 1), len(steps)),
            "position": np.tile(np.arange(1, len(steps) + 1), len(names)),
            "cluster": [names[(start + step) % len(names)] for start in range(len(names)) for step in steps],
        }
    )
    checks = check_booklets(table)
    if not checks.is_connected:
        raise DesignError(
            f"The offsets {steps} leave the booklets in parts that share no cluster.",
            why="Abilities from parts without common items cannot be put on one scale.",
            hint="Choose offsets that have no common divisor with the number of clusters.",
            param="offsets",
            got=offsets,
        )
    return BookletDesign(table=table, n_booklets=len(names), checks=checks)


def check_booklets(booklets: Any) -> BookletChecks:
    """Check the balance and connection of any booklet table.

    Parameters
    ----------
    booklets : table
        booklet, position, cluster.

    Returns
    -------
    BookletChecks
        Counts and verdicts.

    Raises
    ------
    TableError
        If a column is absent, a position is filled twice, or a cluster stands twice in a booklet.

    Examples
    --------
    >>> table = {"booklet": [1, 1, 2, 2], "position": [1, 2, 1, 2], "cluster": ["A", "B", "B", "A"]}
    >>> check_booklets(table).is_position_balanced
    True
    """
    table = as_table(booklets, param="booklets")
    number, booklet = np.unique(floats(table, "booklet", param="booklets"), return_inverse=True)
    place, position = np.unique(floats(table, "position", param="booklets"), return_inverse=True)
    cluster_of_row = strings(table, "cluster", param="booklets")
    names = tuple(dict.fromkeys(cluster_of_row))
    cluster = np.asarray([names.index(one) for one in cluster_of_row], dtype=np.int64)
    holds = _count(booklet, cluster, (len(number), len(names)))
    filled = _count(booklet, position, (len(number), len(place)))
    if not names or holds.max() > 1 or filled.max() > 1:
        raise TableError(
            "A booklet of the booklets table holds a cluster twice or fills a position twice, or there is none.",
            hint="Give each booklet one row per position, with different clusters.",
            param="booklets",
        )
    pairs = holds.T @ holds
    positions = _count(cluster, position, (len(names), len(place)))
    off_diagonal = pairs[~np.eye(len(names), dtype=bool)]
    n_parts = sparse.csgraph.connected_components(sparse.csr_array(pairs), directed=False)[0]
    return BookletChecks(
        clusters=names,
        n_uses=pairs.diagonal().copy(),
        n_pairs=pairs,
        n_positions=positions,
        is_replication_equal=len(np.unique(pairs.diagonal())) == 1,
        is_pair_balanced=len(np.unique(off_diagonal)) <= 1 and bool((off_diagonal > 0).all()),
        is_position_balanced=len(np.unique(positions)) == 1,
        is_connected=int(n_parts) == 1,
    )


def _count(rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.int64]:
    """Count pairs of codes in a table."""
    counts: NDArray[np.int64] = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1])
    return counts.reshape(shape)
