"""How easily a row of a file could be told to be a certain person's: cells, uniques, individual risk.

See docs/algorithms/disclosure_control.md, section "Risk".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.errors import TableError
from lsakit.io.frames import as_table, floats, require_columns

Floats = NDArray[np.float64]
SERIES_TERMS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSummary:
    """The risk of one file under one key set.

    Parameters
    ----------
    n_rows : int
        Rows.
    n_cells : int
        Combinations of the keys that occur.
    smallest : int
        Rows of the smallest cell: the k of k-anonymity; 0 for an empty file.
    n_unsafe : int
        Rows in cells of fewer than the stated k.
    sample_uniques : int
        Rows alone in their cell.
    mean_risk, max_risk : float
        Individual risk, a probability; its sum over rows is the expected number of true matches.
    """

    n_rows: int
    n_cells: int
    smallest: int
    n_unsafe: int
    sample_uniques: int
    mean_risk: float
    max_risk: float


def cell_counts(data: Any, keys: Sequence[str]) -> pl.DataFrame:
    """Count the rows of each combination of keys.

    Parameters
    ----------
    data : polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        The rows.
    keys : Sequence of str
        Key variables; a missing value is a value of its own.

    Returns
    -------
    polars.DataFrame
        The keys and ``n``, in ascending order of the keys.

    Examples
    --------
    >>> cell_counts({"region": ["N", "N", "S"]}, ["region"]).rows()
    [('N', 2), ('S', 1)]
    """
    table = as_table(data)
    require_columns(table, list(keys))
    return table.group_by(list(keys)).agg(pl.len().cast(pl.Int64).alias("n")).sort(list(keys))


def counts_of_rows(table: pl.DataFrame, keys: Sequence[str]) -> NDArray[np.int64]:
    """Give each row the number of rows in its cell.

    Parameters
    ----------
    table : polars.DataFrame
        The rows.
    keys : Sequence of str
        Key variables.

    Returns
    -------
    ndarray of shape (n_rows,)
        Counts, at least 1.
    """
    require_columns(table, list(keys))
    return table.select(pl.len().over(list(keys)).cast(pl.Int64)).to_series().to_numpy()


def individual_risk(counts: NDArray[np.int64], weight_sums: Floats) -> Floats:
    """Estimate the probability that a row is rightly matched with a person of the population.

    Parameters
    ----------
    counts : ndarray of shape (n_rows,)
        Rows of the sample in the row's cell, f ≥ 1.
    weight_sums : ndarray of shape (n_rows,)
        Sum of the final weights of that cell: the estimated number of people.

    Returns
    -------
    ndarray of shape (n_rows,)
        Risk between 0 and 1, dimensionless.

    Raises
    ------
    TableError
        If a count is below 1 or a sum of weights below its count.

    Notes
    -----
    The posterior mean of 1/F given f under the negative binomial model with :math:`p = f / \\sum w`,
    :math:`p^f/f\\,{}_2F_1(f, f; f+1; 1-p) = \\int_0^1 u^{f-1}/(1+au)\\,du` with :math:`a = (1-p)/p`. It is
    :math:`\\ln(1+a)/a` for f = 1 and rises by :math:`r_{f+1} = (1/f - r_f)/a`, which loses no digits for a ≥ 1; below
    that the hypergeometric series is summed (64 terms, each less than half the one before).

    References
    ----------
    .. [1] Franconi and Polettini (2004), Individual risk estimation in mu-Argus, Privacy in Statistical
       Databases, LNCS 3050, 262-272.

    Examples
    --------
    >>> float(individual_risk(np.array([1]), np.array([1.0]))[0])
    1.0
    >>> round(float(individual_risk(np.array([1]), np.array([100.0]))[0]), 6)
    0.046517
    """
    f = np.asarray(counts, dtype=np.float64)
    total = np.asarray(weight_sums, dtype=np.float64)
    if (f < 1).any() or not np.isfinite(total).all() or (total < f * (1 - 1e-9)).any():
        rows = np.flatnonzero((f < 1) | ~np.isfinite(total) | (total < f * (1 - 1e-9)))
        raise TableError(
            "A cell must hold at least one row, and its weights must sum to at least its number of rows.",
            where=[f"row {row + 1}" for row in rows.tolist()],
            hint="Use final weights that count people.",
            param="weight_sums",
        )
    pairs, places = np.unique(np.column_stack([f, np.maximum(total, f)]), axis=0, return_inverse=True)
    risk = _mean_reciprocal(pairs[:, 0], pairs[:, 1] / pairs[:, 0] - 1.0)
    return np.asarray(risk[places.ravel()])


def _mean_reciprocal(f: Floats, a: Floats) -> Floats:
    """Integrate u^(f-1)/(1+a u) over u from 0 to 1: by the rising recurrence for a ≥ 1, by its series below."""
    risk = np.empty_like(f)
    near = a < 1.0
    if near.any():
        q, terms, total = a[near] / (1.0 + a[near]), np.ones(int(near.sum())), np.zeros(int(near.sum()))
        for n in range(SERIES_TERMS):
            total += terms
            terms = terms * q * (n + 1.0) / (f[near] + 1.0 + n)
        risk[near] = (1.0 - q) / f[near] * total
    far = np.flatnonzero(~near)
    now = np.log1p(a[far]) / a[far]
    for step in range(1, int(f[far].max(initial=0.0)) + 1):
        done = f[far] == step
        risk[far[done]] = now[done]
        now = (1.0 / step - now) / a[far]
    return risk


def summarize_risk(
    table: pl.DataFrame, keys: Sequence[str], *, k: int, weight: str | None = None
) -> RiskSummary:
    """Summarize the risk of a file under a key set.

    Parameters
    ----------
    table : polars.DataFrame
        The rows.
    keys : Sequence of str
        Key variables that an attacker could know.
    k : int
        Smallest allowed number of rows of a cell.
    weight : str, optional
        Column of the final weight; without it every row stands for itself.

    Returns
    -------
    RiskSummary
        Cells, uniques and risk.
    """
    counts = counts_of_rows(table, keys)
    if not len(counts):
        return RiskSummary(
            n_rows=0, n_cells=0, smallest=0, n_unsafe=0, sample_uniques=0, mean_risk=0.0, max_risk=0.0
        )
    weights = np.maximum(floats(table, weight), 1.0) if weight else np.ones(table.height)
    joined = table.select(keys).with_columns(pl.Series("__w", weights))
    sums = joined.select(pl.col("__w").sum().over(list(keys))).to_series().to_numpy()
    risk = individual_risk(counts, np.maximum(sums, counts))
    return RiskSummary(
        n_rows=table.height,
        n_cells=table.select(keys).unique().height,
        smallest=int(counts.min()),
        n_unsafe=int((counts < k).sum()),
        sample_uniques=int((counts == 1).sum()),
        mean_risk=float(risk.mean()),
        max_risk=float(risk.max()),
    )


def linkage(released: pl.DataFrame, published: pl.DataFrame, keys: Sequence[str]) -> tuple[int, int]:
    """Count the released schools that a published list of all schools would name.

    Parameters
    ----------
    released : polars.DataFrame
        Schools of the file.
    published : polars.DataFrame
        Every school of the country, with the same columns.
    keys : Sequence of str
        Variables that both have.

    Returns
    -------
    n_unique : int
        Released schools whose combination of keys stands once in the published list.
    n_found : int
        Released schools whose combination stands there at all.
    """
    lists = cell_counts(published, keys).rename({"n": "__n"})
    joined = released.select(keys).join(lists, on=list(keys), how="left", nulls_equal=True)
    found = joined.get_column("__n").fill_null(0)
    return int((found == 1).sum()), int((found > 0).sum())
