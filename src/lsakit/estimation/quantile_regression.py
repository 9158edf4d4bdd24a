"""Quantile regression with plausible values on either side.

See ``docs/algorithms/quantile_regression.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.estimation.formula import read_formula
from lsakit.estimation.model_columns import Model, model_columns, stacked
from lsakit.estimation.percentiles import checked_percentiles, percentile_name
from lsakit.estimation.regression import refuse_dependent
from lsakit.estimation.replication import form_groups, form_pairs, prepared, weight_sums
from lsakit.estimation.results import Estimates, gather
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.kernels.quantile_regression import replicate_quantile_regression

Floats = NDArray[np.float64]


def estimate_quantile_regression(
    table: Any,
    formula: str,
    percentiles: Sequence[float] = (10, 25, 50, 75, 90),
    *,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster: str | None = None,
) -> Estimates:
    """Estimate how percentiles of an outcome move with predictors, with standard errors.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    formula : str
        Such as ``"PV{m}MATH ~ ESCS + C(GENDER)"``, as `estimate_regression` reads it.
    percentiles : Sequence of float
        Percentiles between 0 and 100, both excluded.
    by : Sequence of str or str, optional
        Break-down columns; one set of regressions per group.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster : str, optional
        Column of the school, to count schools.

    Returns
    -------
    Estimates
        One row per percentile and coefficient, named ``"p10:(Intercept)"``, ``"p10:ESCS"`` …, in units of the
        outcome per unit of the predictor.

    Raises
    ------
    EstimationError
        If the formula cannot be read, a percentile lies outside (0, 100), or the predictors of a group are not
        independent.
    TableError
        If a column is absent or not numeric.
    DesignError
        If no design is given.

    Notes
    -----
    The solution is a vertex of the linear program, exact up to rounding. Where several lines fit equally well
    (as the median of an even number of equal weights), one of them is given.

    References
    ----------
    .. [1] Koenker (2005), Quantile Regression, ch. 6.
    .. [2] Portnoy & Koenker (1997), The Gaussian hare and the Laplacian tortoise, Statistical Science 12(4).
    .. [3] docs/algorithms/quantile_regression.md

    Examples
    --------
    >>> rows = {"Y": [1.0, 2.0, 3.0, 9.0, 5.0], "X": [1.0, 2.0, 3.0, 4.0, 5.0], "W": [1.0] * 5,
    ...         "ZONE": [1, 1, 2, 2, 2], "HALF": [1, 0, 1, 0, 1]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> result = estimate_quantile_regression(rows, "Y ~ X", [50], design=design)
    >>> [round(value, 9) + 0.0 for value in result.table["estimate"].to_list()]
    [0.0, 1.0]
    """
    wanted = checked_percentiles(percentiles)
    model = model_columns(prepared(table, design), read_formula(formula))
    groups = form_groups(model.ready, by, cluster)
    weight_sums(model.ready, groups, form_pairs(model.ready, groups))
    shape = (groups.n.size, wanted.size, len(model.names), model.n_plausible_values)
    estimates: Floats = np.empty((*shape, model.ready.n_replicates + 1))
    for m in range(model.n_plausible_values):
        columns = stacked(model, m)
        for g in range(groups.n.size):
            estimates[g, :, :, m] = _group(model, columns, np.flatnonzero(groups.codes == g), wanted / 100.0)
    solved = np.isfinite(estimates[..., 0]).all(axis=(1, 2, 3))
    refuse_dependent(model.names, groups, solved)
    names = [f"{percentile_name(p)}:{name}" for p in wanted.tolist() for name in model.names]
    flat = estimates.reshape(groups.n.size, -1, *estimates.shape[3:])
    return gather(model.ready, groups, formula, names, flat, n_missing_values=model.n_missing)


def _group(model: Model, columns: Floats, members: NDArray[np.int64], shares: Floats) -> Floats:
    """Coefficients of one group and plausible value, of shape (percentiles, predictors, weights)."""
    rows = columns[members]
    centres = rows.mean(axis=0) if model.has_intercept else np.zeros(rows.shape[1])
    spread = rows.std(axis=0)
    scales = np.where(spread > 0.0, spread, 1.0)
    if model.has_intercept:
        centres[0] = 0.0
    scaled = np.ascontiguousarray((rows - centres) / scales)
    present, cells = np.unique(model.ready.cells[members], return_inverse=True)
    ratios = np.ascontiguousarray(model.ready.ratios[present])
    scale = model.ready.scale[members]
    start = np.asarray(np.linalg.lstsq(scaled[:, :-1], scaled[:, -1], rcond=None)[0], dtype=np.float64)
    result: Floats = np.empty((shares.size, rows.shape[1] - 1, ratios.shape[1]))
    x, y = np.ascontiguousarray(scaled[:, :-1]), np.ascontiguousarray(scaled[:, -1])
    for k, share in enumerate(shares.tolist()):
        guess = start.copy()
        if model.has_intercept:
            guess[0] += float(np.quantile(y - x @ start, share))
        solutions = replicate_quantile_regression(
            x, y, scale, cells.astype(np.int64), ratios, share, guess
        ) * (scales[-1] / scales[:-1])
        if model.has_intercept:
            solutions[:, 0] += centres[-1] - solutions[:, 1:] @ centres[1:-1]
        result[k] = solutions.T
    return result
