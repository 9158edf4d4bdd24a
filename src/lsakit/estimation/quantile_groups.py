"""Quarters and other groups of equal weight, such as those of an index of socio-economic status.

See ``docs/algorithms/equity.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.replication import form_groups, prepared
from lsakit.estimation.rows import remembered_variable
from lsakit.estimation.survey_design import SurveyDesign

Floats = NDArray[np.float64]


def quantile_groups(
    table: Any,
    values: str,
    *,
    n_groups: int = 4,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    rng: np.random.Generator | None = None,
) -> NDArray[np.int64]:
    """Cut a column into groups of equal weight, such as quarters within each country.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    values : str
        Column to cut, such as ``"ESCS"``.
    n_groups : int, default 4
        Number of groups.
    by : Sequence of str or str, optional
        Columns within whose groups is cut, such as ``"CNT"``.
    design : SurveyDesign, optional
        Where the final weight is; may be left out for a prepared table.
    rng : numpy.random.Generator, optional
        Splits equal values at a bound at random, as PISA does. Left out, equal values stay together, in the group
        in which the middle of their weights falls.

    Returns
    -------
    ndarray of shape (n_rows,)
        1 for the lowest group up to ``n_groups``; 0 where the value or a break-down value is missing.

    Raises
    ------
    EstimationError
        If the number of groups is below 2, or a pattern of plausible values is given.
    TableError
        If the column is absent or not numeric.

    References
    ----------
    .. [1] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 17.
    .. [2] docs/algorithms/equity.md

    Examples
    --------
    >>> rows = {"X": [5.0, 1.0, 3.0, 2.0], "W": [1.0] * 4, "ZONE": [1, 1, 2, 2], "HALF": [1, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> quantile_groups(rows, "X", n_groups=2, design=design).tolist()
    [2, 1, 2, 1]
    """
    if n_groups < 2:
        raise EstimationError(
            f"'n_groups' must be at least 2. Got {n_groups}.", param="n_groups", got=n_groups
        )
    if "{" in values:
        raise EstimationError(
            f"Groups are cut from one column. Got the pattern {values!r}.",
            why="Each plausible value would put a student into another group.",
            param="values",
        )
    ready = prepared(table, design)
    matrix, valid = remembered_variable(ready, values)
    groups = form_groups(ready, by, None)
    weight = ready.scale * ready.ratios[ready.cells, 0]
    result = np.zeros(valid.size, dtype=np.int64)
    usable = valid & (groups.codes >= 0)
    for g in range(groups.n.size):
        members = np.flatnonzero(usable & (groups.codes == g))
        if members.size:
            result[members] = _numbers(matrix[0, members], weight[members], n_groups, rng)
    return result


def _numbers(
    values: Floats, weights: Floats, n_groups: int, rng: np.random.Generator | None
) -> NDArray[np.int64]:
    """Number of each value's group by the middle of its weight in the cumulative weights."""
    if not weights.sum() > 0.0:
        return np.zeros(values.size, dtype=np.int64)
    if rng is None:
        _, inverse = np.unique(values, return_inverse=True)
        own = np.bincount(inverse, weights)
        middle = (np.cumsum(own) - own / 2.0)[inverse]
    else:
        order = np.lexsort((rng.random(values.size), values))
        middle = np.empty(values.size)
        middle[order] = np.cumsum(weights[order]) - weights[order] / 2.0
    number = np.floor(n_groups * middle / weights.sum() * (1.0 - 1e-12)).astype(np.int64)
    return np.asarray(np.minimum(number, n_groups - 1) + 1, dtype=np.int64)
