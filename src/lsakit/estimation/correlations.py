"""Correlations between columns and plausible values.

See ``docs/algorithms/correlations.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.cross_products import cross_products
from lsakit.estimation.replication import (
    Groups,
    PreparedTable,
    form_groups,
    form_pairs,
    group_name,
    prepared,
    weight_sums,
)
from lsakit.estimation.results import Estimates, gather, joined
from lsakit.estimation.rows import complete_rows
from lsakit.estimation.survey_design import SurveyDesign

Floats = NDArray[np.float64]


def estimate_correlations(
    table: Any,
    variables: Sequence[str],
    *,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster: str | None = None,
) -> Estimates:
    """Estimate the correlation of every two variables, with standard errors.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    variables : Sequence of str
        Two or more columns or patterns of plausible values, such as ``["PV{m}MATH", "ESCS"]``.
    by : Sequence of str or str, optional
        Break-down columns.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster : str, optional
        Column of the school, to count schools.

    Returns
    -------
    Estimates
        One row per group and pair: statistic ``"correlation"``, dimensionless, with the pair in the columns
        ``variable_1`` and ``variable_2``.

    Raises
    ------
    EstimationError
        If fewer than two variables are named, or one is constant in a group.
    TableError
        If a column is absent or not numeric.
    DesignError
        If no design is given.

    Notes
    -----
    Each pair is taken over the rows that have both variables; ``n`` of the row counts them and
    ``n_missing_values`` is the number left out of the pair with most missing values. Plausible values of two
    patterns are paired by their number.

    References
    ----------
    .. [1] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 8.
    .. [2] docs/algorithms/correlations.md

    Examples
    --------
    >>> rows = {"X": [1.0, 2.0, 3.0, 4.0], "Y": [2.0, 4.0, 6.0, 9.0], "W": [1.0] * 4,
    ...         "ZONE": [1, 1, 2, 2], "HALF": [1, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> round(estimate_correlations(rows, ["X", "Y"], design=design).table["estimate"][0], 6)
    0.994377
    """
    names = list(variables)
    if isinstance(variables, str) or len(names) < 2 or len(set(names)) < len(names):
        raise EstimationError(
            f"Correlations need two or more variables, each once. Got {variables!r}.",
            hint="Such as ['PV{m}MATH', 'ESCS'].",
            param="variables",
            got=variables,
        )
    ready = prepared(table, design)
    _, _, n_missing = complete_rows(ready, names)
    if not n_missing:
        return _correlations(ready, names, by, cluster, list(combinations(names, 2)))
    parts = [_correlations(ready, list(pair), by, cluster, [pair]) for pair in combinations(names, 2)]
    return joined(parts, values=", ".join(names))


def _correlations(
    ready: PreparedTable,
    names: list[str],
    by: Sequence[str] | str | None,
    cluster: str | None,
    wanted: list[tuple[str, str]],
) -> Estimates:
    """Correlations of the wanted pairs over the rows that have every one of the names."""
    complete, matrices, n_missing = complete_rows(ready, names)
    counts = {matrix.shape[0] for matrix in matrices} - {1}
    if len(counts) > 1:
        raise EstimationError(
            f"The variables {', '.join(names)} differ in their number of plausible values.",
            why="Plausible values of two variables are paired by their number.",
            param="variables",
        )
    groups = form_groups(complete, by, cluster)
    pairs = form_pairs(complete, groups)
    totals = weight_sums(complete, groups, pairs)
    ones = np.ones((1, complete.table.height))
    crossed = cross_products(complete, groups, pairs, [ones, *matrices], is_centred=True)
    weights = np.where(totals > 0.0, totals, np.nan)[:, :, np.newaxis, np.newaxis, np.newaxis]
    means = crossed.products[..., 1:, 0] / weights[..., 0]
    covariances = crossed.products[..., 1:, 1:] / weights
    covariances = covariances - means[..., :, np.newaxis] * means[..., np.newaxis, :]
    variances = np.maximum(np.einsum("...kk->...k", covariances), 0.0)
    _refuse_constant(groups, names, variances)
    spreads = np.sqrt(np.where(variances > 0.0, variances, np.nan))
    columns = []
    for first, second in wanted:
        a, b = names.index(first), names.index(second)
        columns.append(covariances[..., a, b] / (spreads[..., a] * spreads[..., b]))
    estimates = np.clip(np.stack(columns, axis=1), -1.0, 1.0).transpose(0, 1, 3, 2)
    labels = {"variable_1": [a for a, _ in wanted], "variable_2": [b for _, b in wanted]}
    statistics = ["correlation"] * len(wanted)
    return gather(
        complete,
        groups,
        ", ".join(names),
        statistics,
        estimates,
        labels=labels,
        n_missing_values=n_missing,
    )


def _refuse_constant(groups: Groups, names: list[str], variances: Floats) -> None:
    """Refuse groups in which a variable does not vary under the final weight."""
    # The columns were scaled to a spread near 1, so that what rounding leaves of a constant is below 1e-20.
    constant = np.min(variances[:, 0], axis=1) < 1e-20
    for k, name in enumerate(names):
        failed = np.flatnonzero(constant[:, k])
        if failed.size:
            raise EstimationError(
                f"The variable {name!r} does not vary in {failed.size} of {groups.n.size} groups.",
                where=[group_name(groups, int(g)) for g in failed],
                why="A correlation with a constant is not defined.",
                hint="Leave those groups out.",
                param="variables",
            )
