"""The instrument of the synthetic cycle: items, true parameters, clusters, booklets, trend items."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.randomness import stream

CLUSTERS = ("M1", "M2", "M3", "M4", "M5", "M6", "M7", "R1", "R2", "R3", "R4", "R5", "R6")
OFFSETS = (0, 1, 3, 9)
ITEMS_PER_CLUSTER = 12
TREND_CLUSTERS = ("M1", "M3", "M6", "R1", "R3", "R5")
CLUSTERS_WITH_TWO = ("M2", "M5", "R4")
SUBJECT_OF = {"M": "maths", "R": "reading"}
DOMAINS = {
    "maths": ("number",) * 6 + ("geometry",) * 4 + ("data",) * 2,
    "reading": ("retrieve",) * 4 + ("interpret",) * 5 + ("evaluate",) * 3,
}
"""Domain of each position of a cluster: content of mathematics, process of reading. Difficulty does not depend on it."""


def make_booklets() -> pl.DataFrame:
    """List the clusters of the thirteen booklets.

    Returns
    -------
    polars.DataFrame
        booklet (1 … 13), position (1 … 4), cluster. Booklet b holds the clusters at offsets 0, 1, 3 and 9
        (modulo 13) from the b-th: every cluster stands once in each position and every pair of clusters
        meets in exactly one booklet.

    References
    ----------
    OECD (2005), PISA 2003 Technical Report, ch. 2 (the balanced incomplete block design).

    Examples
    --------
    >>> make_booklets().filter(pl.col("booklet") == 1).get_column("cluster").to_list()
    ['M1', 'M2', 'M4', 'R3']
    """
    rows = [
        (booklet + 1, position + 1, CLUSTERS[(booklet + offset) % len(CLUSTERS)])
        for booklet in range(len(CLUSTERS))
        for position, offset in enumerate(OFFSETS)
    ]
    return pl.DataFrame(
        rows, schema={"booklet": pl.Int64, "position": pl.Int64, "cluster": pl.String}, orient="row"
    )


def make_items(seed: int, grade: int, *, is_earlier: bool = False) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Make the items of one grade and their true parameters.

    Parameters
    ----------
    seed : int
        Seed of the nation.
    grade : int
        5 or 9.
    is_earlier : bool, default False
        Whether the instrument of the previous cycle is wanted: the same trend items, other items beside them.

    Returns
    -------
    items : polars.DataFrame
        item, subject, cluster, position, format ("mc" or "cr"), key (null for cr), max_score, is_trend, domain.
    true_items : polars.DataFrame
        item, subject, model ("2pl" or "gpcm"), slope, difficulty, step_1, step_2 (null for one-point items),
        guessing (0); logit metric with D = 1, rounded to four decimals as a publication would print them.
    """
    if is_earlier:
        return _earlier_items(seed, grade)
    return _drawn_items(stream(seed, f"nation.items.grade{grade}"), grade, "Q")


def _earlier_items(seed: int, grade: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keep the trend clusters as they are, and put items that were released since then in the place of the others."""
    kept = _drawn_items(stream(seed, f"nation.items.grade{grade}"), grade, "Q")
    others = _drawn_items(stream(seed, f"nation.items.earlier.grade{grade}"), grade, "P")
    is_trend = kept[0].get_column("is_trend")
    place = pl.Series(range(kept[0].height))
    order = pl.concat([place.filter(is_trend), place.filter(~is_trend)]).arg_sort()
    items, true_items = (
        pl.concat([now.filter(is_trend), before.filter(~is_trend)])[order.to_list()]
        for now, before in zip(kept, others, strict=True)
    )
    return items, true_items


def _drawn_items(rng: np.random.Generator, grade: int, letter: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Draw the items of all clusters; the letter stands before the number of an item."""
    n_clusters, n = len(CLUSTERS), len(CLUSTERS) * ITEMS_PER_CLUSTER
    cluster = np.repeat(np.array(CLUSTERS), ITEMS_PER_CLUSTER)
    position = np.tile(np.arange(1, ITEMS_PER_CLUSTER + 1), n_clusters)
    two_point, constructed = _formats(rng, cluster)
    spread = np.linspace(-1.6, 1.7, ITEMS_PER_CLUSTER)
    difficulty = np.concatenate([rng.permutation(spread) for _ in CLUSTERS]) + 0.25 * rng.standard_normal(n)
    slope = np.clip(1.15 * np.exp(0.25 * rng.standard_normal(n)), 0.5, 2.2)
    slope = np.where(two_point, 0.75 * slope, slope)
    step = np.clip(0.55 + 0.2 * rng.standard_normal(n), 0.1, 1.2).round(4)
    subject = np.array([SUBJECT_OF[name[0]] for name in cluster.tolist()])
    names = [f"G{grade}{c}{letter}{p:02d}" for c, p in zip(cluster.tolist(), position.tolist(), strict=True)]
    key = rng.integers(1, 5, n)
    items = pl.DataFrame(
        {
            "item": names,
            "subject": subject,
            "cluster": cluster,
            "position": position,
            "format": np.where(constructed, "cr", "mc"),
            "key": [None if free else int(k) for free, k in zip(constructed, key, strict=True)],
            "max_score": np.where(two_point, 2, 1),
            "is_trend": np.isin(cluster, TREND_CLUSTERS),
            "domain": [DOMAINS[s][p - 1] for s, p in zip(subject.tolist(), position.tolist(), strict=True)],
        }
    )
    steps = [None if not two else float(d) for two, d in zip(two_point, step, strict=True)]
    true_items = pl.DataFrame(
        {
            "item": names,
            "subject": subject,
            "model": np.where(two_point, "gpcm", "2pl"),
            "slope": slope.round(4),
            "difficulty": difficulty.round(4),
            "step_1": steps,
            "step_2": [None if d is None else -d for d in steps],
            "guessing": np.zeros(n),
        }
    )
    return items, true_items


def _formats(
    rng: np.random.Generator, cluster: NDArray[np.str_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Choose the items that pupils write: one two-point item per cluster, a second one in three, some short."""
    two_point = np.zeros(len(cluster), dtype=bool)
    short = np.zeros(len(cluster), dtype=bool)
    for name in CLUSTERS:
        inside = np.flatnonzero(cluster == name)
        chosen = rng.permutation(inside)
        n_two = 2 if name in CLUSTERS_WITH_TWO else 1
        two_point[chosen[:n_two]] = True
        short[chosen[n_two : n_two + 1]] = True
    return two_point, two_point | short
