"""Any statistic of the user's own, with the right error.

See ``docs/algorithms/own_statistics.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.replication import (
    Groups,
    PreparedTable,
    form_groups,
    form_pairs,
    group_name,
    prepared,
    weight_sums,
)
from lsakit.estimation.results import Estimates, gather
from lsakit.estimation.rows import complete_rows
from lsakit.estimation.survey_design import SurveyDesign

Floats = NDArray[np.float64]
Statistic = Callable[[Any, Any], Any]


def estimate(
    table: Any,
    function: Statistic,
    values: str | Sequence[str],
    *,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster: str | None = None,
) -> Estimates:
    """Estimate any statistic of values and weights, with its standard error.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    function : Callable
        ``function(values, weights)`` gives a number, a sequence of numbers, or a mapping of names to numbers.
        ``values`` is an array of shape (n_rows,), or (n_rows, n_variables) where several variables are named;
        ``weights`` one of shape (n_rows,) that may hold zeros. It is called once per group, plausible value and
        weight, and must not depend on the scale of the weights.
    values : str or Sequence of str
        A column or pattern of plausible values, or several.
    by : Sequence of str or str, optional
        Break-down columns.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster : str, optional
        Column of the school, to count schools.

    Returns
    -------
    Estimates
        One row per group and number, named by the mapping, ``"value"`` for one number, ``"value_1"`` … for a
        sequence; in the unit that the function gives.

    Raises
    ------
    EstimationError
        If the function fails or gives something else than finite numbers under the final weight, or changes its
        form between calls.
    TableError
        If a column is absent or not numeric.
    DesignError
        If no design is given.

    Notes
    -----
    Rows without a value are left out and counted. A number that is not finite under a replicate weight makes the
    error of its row undefined, with the reason.

    References
    ----------
    .. [1] Wolter (2007), Introduction to Variance Estimation, 2nd ed., ch. 3-4.
    .. [2] docs/algorithms/own_statistics.md

    Examples
    --------
    >>> rows = {"X": [1.0, 3.0, 5.0, 7.0], "W": [1.0] * 4, "ZONE": [1, 1, 2, 2], "HALF": [1, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> def spread(values, weights):
    ...     return values[weights > 0].max() - values[weights > 0].min()
    >>> estimate(rows, spread, "X", design=design).table["estimate"].to_list()
    [6.0]
    """
    if not callable(function):
        raise EstimationError(
            f"The 'function' must be callable with values and weights. Got {type(function).__name__}.",
            param="function",
        )
    variables = [values] if isinstance(values, str) else list(values)
    ready, matrices, n_missing = complete_rows(prepared(table, design), variables)
    counts = {matrix.shape[0] for matrix in matrices} - {1}
    if len(counts) > 1:
        raise EstimationError(
            f"The variables {', '.join(variables)} differ in their number of plausible values.",
            why="Plausible values of two variables are paired by their number.",
            param="values",
        )
    groups = form_groups(ready, by, cluster)
    weight_sums(ready, groups, form_pairs(ready, groups))
    single = isinstance(values, str)
    stack: list[Floats] = []
    for m in range(max(counts, default=1)):
        columns = [matrix[m if matrix.shape[0] > 1 else 0] for matrix in matrices]
        stack.append(columns[0] if single else np.stack(columns, axis=1))
    names, estimates = _evaluate(function, ready, groups, stack)
    return gather(ready, groups, ", ".join(variables), names, estimates, n_missing_values=n_missing)


def _evaluate(
    function: Statistic, ready: PreparedTable, groups: Groups, stack: Sequence[Floats]
) -> tuple[list[str], Floats]:
    """Call the function for every group, value and weight."""
    names: list[str] = []
    results: list[Floats] = []
    n_weights = ready.n_replicates + 1
    for g in range(groups.n.size):
        members = np.flatnonzero(groups.codes == g)
        weights = ready.scale[members] * ready.ratios[ready.cells[members]].T
        for m, values in enumerate(stack):
            own = values[members]
            for r in range(n_weights):
                where = f"{group_name(groups, g)}, plausible value {m + 1}, weight {r}"
                found, numbers = _called(function, own, weights[r], where, is_replicate=r > 0)
                if names and found and found != names:
                    raise EstimationError(
                        f"The function gives {', '.join(found)} after {', '.join(names)}.",
                        where=[where],
                        hint="Give the same numbers in the same order for every group and weight.",
                        param="function",
                    )
                names = names or found
                if r == 0 and not np.isfinite(numbers).all():
                    raise EstimationError(
                        f"The function gives {numbers[~np.isfinite(numbers)][0]} under the final weight.",
                        where=[where],
                        hint="Leave the group out, or make the function fit for it.",
                        param="function",
                    )
                results.append(numbers if found else np.full(len(names), np.nan))
    shaped = np.array(results).reshape(groups.n.size, len(stack), n_weights, len(names))
    return names, np.where(np.isfinite(shaped), shaped, np.nan).transpose(0, 3, 1, 2)


def _called(
    function: Statistic, values: Floats, weights: Floats, where: str, *, is_replicate: bool
) -> tuple[list[str], Floats]:
    """Call the function once and read what it gives; no names where a replicate leaves no weight."""
    if is_replicate and not weights.any():
        return [], np.empty(0)
    try:
        with np.errstate(all="ignore"):
            given = function(values.copy(), weights.copy())
        if isinstance(given, Mapping):
            names, numbers = [str(name) for name in given], list(given.values())
        else:
            flat = np.asarray(given, dtype=np.float64)
            numbers = flat.ravel().tolist()
            names = ["value"] if flat.ndim == 0 else [f"value_{k + 1}" for k in range(flat.size)]
        result = np.array([float(number) for number in numbers])
    except Exception as error:
        raise EstimationError(
            f"The function failed: {type(error).__name__}: {error}.", where=[where], param="function"
        ) from error
    if not names:
        raise EstimationError("The function gives no number.", where=[where], param="function")
    return names, result
