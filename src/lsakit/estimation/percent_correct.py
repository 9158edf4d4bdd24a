"""Percent correct by domain, and the relative strength of a group in a domain.

See ``docs/algorithms/standard_set.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.replication import (
    Groups,
    PreparedTable,
    form_groups,
    form_pairs,
    prepared,
    sums_under_weights,
)
from lsakit.estimation.results import Estimates, gather
from lsakit.estimation.rows import remembered_variable
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.io.frames import floats

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
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
    given = _given(ready, items)
    shares = _Summing(ready, groups, given).means(given.shares)
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


@dataclass(frozen=True, slots=True)
class _Given:
    """The items that students were given: row and item of each answer, and its share of points."""

    rows: Integers
    items: Integers
    shares: Floats
    n_items: int


def _given(ready: PreparedTable, items: Sequence[tuple[str, float]]) -> _Given:
    """List the answers of a table once."""

    def read() -> _Given:
        rows, places, shares = [], [], []
        for place, (name, most) in enumerate(items):
            column = floats(ready.table, name, nulls=True)
            known = np.flatnonzero(np.isfinite(column))
            rows.append(known)
            places.append(np.full(known.size, place))
            shares.append(column[known] / most)
        return _Given(np.concatenate(rows), np.concatenate(places), np.concatenate(shares), len(items))

    found: _Given = ready.remembered(("answers", tuple(items)), read)
    return found


class _Summing:
    """Sums values of answers over groups under each weight; what does not depend on the values is done once."""

    def __init__(self, ready: PreparedTable, groups: Groups, given: _Given) -> None:
        self.ready, self.pairs, self.n_items = ready, form_pairs(ready, groups), given.n_items
        self.inside = np.flatnonzero(groups.codes[given.rows] >= 0)
        rows = given.rows[self.inside]
        self.cells = self.pairs.of_row[rows] * given.n_items + given.items[self.inside]
        self.weights = ready.scale[rows]
        self.people = self._spread(self.weights)

    def _spread(self, weighted: Floats) -> Floats:
        """Sum over the answers of each group and item, of shape (groups, items, weights)."""
        size = self.pairs.groups.size * self.n_items
        sums = np.bincount(self.cells, weights=weighted, minlength=size).astype(np.float64)
        spread = sums_under_weights(self.ready, self.pairs, sums.reshape(-1, self.n_items))
        return np.moveaxis(spread, 1, 2)

    def means(self, values: Floats) -> Floats:
        """Weighted mean of each item's values, of shape (groups, items, weights); NaN where nobody was given it."""
        total = self._spread(self.weights * values[self.inside])
        means = np.full(total.shape, np.nan)
        np.divide(total, self.people, out=means, where=self.people > 0.0)
        return means


def estimate_relative_strengths(
    table: Any,
    domains: Mapping[str, Sequence[tuple[str, float]]],
    values: str,
    expected: tuple[Floats, Mapping[str, Floats]],
    *,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster: str | None = None,
) -> Estimates:
    """Estimate how far groups do better in a domain than their own scores let expect.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student: scores of items, empty where an item was not given, and plausible values.
    domains : Mapping of str to Sequence of (str, float)
        For each domain its items, each with its highest score (points).
    values : str
        Plausible values on the reporting scale.
    expected : tuple of (ndarray of shape (n_nodes,), Mapping of str to ndarray of shape (n_nodes,))
        Equally and finely spaced scores on the reporting scale, of which the nearest is taken, and for each item the
        expected share of points (0 to 1) there.
    by : Sequence of str or str, optional
        Break-down columns.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster : str, optional
        Column of the school, to count schools.

    Returns
    -------
    Estimates
        ``"relative_<domain>"``: mean over the items of observed minus expected share of points, a difference of shares.
        It is 0 where the group does in the domain what its scores over all items let expect.

    Raises
    ------
    EstimationError
        If an item has no expected shares, or the domains give no number.

    References
    ----------
    .. [1] docs/algorithms/standard_set.md, section "Domains".
    """
    _refuse_domains(domains)
    ready = prepared(table, design)
    groups = form_groups(ready, by, cluster)
    items = [item for own in domains.values() for item in own]
    nodes, shares = expected
    unknown = [name for name, _ in items if name not in shares]
    if unknown:
        raise EstimationError(
            f"The item {unknown[0]!r} has no expected share of points.", param="expected", got=unknown[0]
        )
    given = _given(ready, items)
    scores, _ = remembered_variable(ready, values)
    curves = np.column_stack([shares[name] for name, _ in items])
    step = nodes[1] - nodes[0]
    places = {name: own for name, own in _places(domains).items() if name != ALL_ITEMS}
    found = np.empty((groups.n.size, len(places), scores.shape[0], ready.n_replicates + 1))
    summing = _Summing(ready, groups, given)
    flat, first = curves.ravel(), given.items
    for m, own in enumerate(scores):
        nearest = np.clip(np.rint((own - nodes[0]) / step), 0, len(nodes) - 1).astype(np.int64)
        means = summing.means(given.shares - flat[nearest[given.rows] * given.n_items + first])
        found[:, :, m] = np.stack([means[:, at].mean(axis=1) for at in places.values()], axis=1)
    names = [f"relative_{name}" for name in places]
    return gather(ready, groups, f"relative strength under {values}", names, found)
