"""Percent correct by domain, and the relative strength of a group in a domain.

See ``docs/algorithms/standard_set.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from lsakit.errors import EstimationError
from lsakit.estimation.combine import combine
from lsakit.estimation.replication import (
    Groups,
    PreparedTable,
    form_groups,
    form_pairs,
    prepared,
    sums_under_weights,
)
from lsakit.estimation.results import Estimates, error_columns, gather, undefined_reasons
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.io.frames import floats, with_columns

Floats = NDArray[np.float64]
ALL_ITEMS = "all"


def estimate_percent_correct(
    table: Any,
    domains: Mapping[str, Sequence[tuple[str, float]]],
    *,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster: str | None = None,
) -> Estimates:
    """Estimate the mean percent correct of the items of each domain.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student, a column of scores per item, empty where the item was not given.
    domains : Mapping of str to Sequence of (str, float)
        For each domain its items, each with its highest score (points).
    by : Sequence of str or str, optional
        Break-down columns.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster : str, optional
        Column of the school, to count schools.

    Returns
    -------
    Estimates
        One row per group and domain, ``"correct_<domain>"``, and ``"correct_all"`` over the items of all domains: the
        unweighted mean over items of the weighted mean share of points (0 to 1) among the students who were given the
        item. A domain is undefined where an item was given to nobody.

    Raises
    ------
    EstimationError
        If there is no domain, one has no item, or a highest score is not positive.
    TableError
        If a column is absent or not numeric.
    DesignError
        If no design is given.

    References
    ----------
    .. [1] Mullis & Martin (eds.), TIMSS 2019 International Results, appendix on average percent correct.
    .. [2] docs/algorithms/standard_set.md

    Examples
    --------
    >>> rows = {"A": [1.0, 0.0, 1.0, 1.0], "B": [2.0, 1.0, 0.0, 1.0], "W": [1.0] * 4,
    ...         "ZONE": [1, 1, 2, 2], "HALF": [1, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> found = estimate_percent_correct(rows, {"number": [("A", 1)], "data": [("B", 2)]}, design=design)
    >>> found.table.select("statistic", "estimate").rows()
    [('correct_number', 0.75), ('correct_data', 0.5), ('correct_all', 0.625)]
    """
    _refuse_domains(domains)
    ready = prepared(table, design)
    groups = form_groups(ready, by, cluster)
    items = [item for own in domains.values() for item in own]
    places = _places(domains)
    shares = _item_shares(ready, groups, items)
    names = [f"correct_{name}" for name in places]
    found = np.stack([shares[:, own, :].mean(axis=1) for own in places.values()], axis=1)
    return gather(ready, groups, "percent correct", names, found[:, :, np.newaxis, :])


def _refuse_domains(domains: Mapping[str, Sequence[tuple[str, float]]]) -> None:
    """Refuse domains that give no number."""
    empty = [name for name, own in domains.items() if not own]
    if not domains or empty:
        raise EstimationError(
            f"The domain {empty[0]!r} has no item." if empty else "No domain is named.",
            hint="Give each domain its items with their highest scores.",
            param="domains",
        )
    wrong = [item for own in domains.values() for item, most in own if not most > 0]
    if wrong or ALL_ITEMS in domains:
        raise EstimationError(
            f"The highest score of the item {wrong[0]!r} is not positive."
            if wrong
            else f"A domain cannot be called {ALL_ITEMS!r}, which stands for all items.",
            param="domains",
        )


def _places(domains: Mapping[str, Sequence[tuple[str, float]]]) -> dict[str, list[int]]:
    """Number the items of each domain, and of all."""
    places: dict[str, list[int]] = {}
    start = 0
    for name, own in domains.items():
        places[name] = list(range(start, start + len(own)))
        start += len(own)
    return {**places, ALL_ITEMS: list(range(start))}


def _item_shares(ready: PreparedTable, groups: Groups, items: Sequence[tuple[str, float]]) -> Floats:
    """Mean share of points of each item under each weight, of shape (groups, items, weights)."""
    both = ready.remembered(("scores", tuple(items)), lambda: _points(ready, items))
    kept = np.flatnonzero(groups.codes >= 0)
    pairs = form_pairs(ready, groups)
    shape = (pairs.groups.size, groups.codes.size)
    summing = csr_matrix((ready.scale[kept], (pairs.of_row[kept], kept)), shape=shape)
    sums = np.ascontiguousarray(summing @ both)
    spread = np.moveaxis(sums_under_weights(ready, pairs, sums), 1, 2)
    points, people = spread[:, : len(items)], spread[:, len(items) :]
    shares = np.full(points.shape, np.nan)
    np.divide(points, people, out=shares, where=people > 0.0)
    return shares


def _points(ready: PreparedTable, items: Sequence[tuple[str, float]]) -> Floats:
    """Share of points of each student in each item (0 where it was not given), then whether it was given."""
    scores = np.column_stack([floats(ready.table, name, nulls=True) / most for name, most in items])
    given = np.isfinite(scores)
    return np.concatenate([np.where(given, scores, 0.0), given.astype(np.float64)], axis=1)


def relative_strengths(part: Estimates, whole: Estimates) -> Estimates:
    """Say in which domains the groups are stronger than their own result over all items lets expect.

    Parameters
    ----------
    part : Estimates
        Percent correct of groups.
    whole : Estimates
        Percent correct of the nation that holds them, of the same table.

    Returns
    -------
    Estimates
        ``"relative_<domain>"``: (group − nation in the domain) − (group − nation over all items), a difference of
        shares, computed inside each replicate.

    Raises
    ------
    EstimationError
        If the two are not percent correct of the same domains.
    """
    names = whole.table.get_column("statistic").to_list()
    own = part.table.get_column("statistic").to_list()
    if not names or len(own) % len(names) or own != names * (len(own) // len(names)) or whole.by:
        raise EstimationError(
            "Relative strengths need percent correct of groups and of the whole, by the same domains.",
            param="whole",
        )
    n, last = len(names), len(names) - 1
    shape = (-1, n, *part.replicate_estimates.shape[1:])
    gaps = part.replicate_estimates.reshape(shape) - whole.replicate_estimates[np.newaxis]
    flat = np.ascontiguousarray(gaps[:, :last] - gaps[:, last:]).reshape(-1, *shape[2:])
    flat.setflags(write=False)
    kept = np.flatnonzero(np.arange(len(own)) % n != last)
    words = {"statistic": [own[row].replace("correct_", "relative_", 1) for row in kept.tolist()]}
    table = part.table[kept.tolist()]
    errors = error_columns(combine(flat, part.design), undefined_reasons(flat))
    return replace(part, table=with_columns(table, {**words, **errors}), replicate_estimates=flat)
