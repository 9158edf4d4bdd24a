"""Linear and logistic regression with plausible values on either side.

See ``docs/algorithms/regression.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.cross_products import (
    ColumnFrame,
    CrossProducts,
    arranged,
    column_frame,
    common_frame,
    product_sums,
    stated_frame,
)
from lsakit.estimation.formula import Formula, read_formula
from lsakit.estimation.group_sums import Breakdown, GroupSums
from lsakit.estimation.model_columns import formula_variables, model_columns
from lsakit.estimation.replication import Groups, PreparedTable, form_groups, group_name, prepared
from lsakit.estimation.response_models import response_coefficients
from lsakit.estimation.results import Estimates, gather
from lsakit.estimation.shard_sums import estimated
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.kernels.replication_products import solve_regressions

Floats = NDArray[np.float64]

FAMILIES = ("linear", "logistic", "ordered")


def estimate_regression(
    table: Any,
    formula: str,
    *,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster: str | None = None,
    family: str = "linear",
) -> Estimates:
    """Estimate a regression in every group, with standard errors.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    formula : str
        Such as ``"PV{m}MATH ~ ESCS + C(GENDER)"``; ``a:b`` is an interaction, ``a*b`` both and their
        interaction, ``a^2`` a square, ``0 +`` leaves the intercept out. A plausible value may stand on either
        side; the same m is taken everywhere. ``"PV{m}MATH < 420.07 ~ ESCS"`` makes a truth value.
    by : Sequence of str or str, optional
        Break-down columns; one regression per group.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster : str, optional
        Column of the school, to count schools.
    family : {"linear", "logistic", "ordered"}
        ``"linear"``: weighted least squares. ``"logistic"``: outcome 0 or 1, log odds. ``"ordered"``: ordered
        categories, proportional odds; the slopes are those of higher categories.

    Returns
    -------
    Estimates
        One row per coefficient, named in ``statistic`` (``"(Intercept)"``, ``"ESCS"``, ``"C(GENDER)[2]"``), in
        units of the outcome per unit of the predictor, or log odds. Linear: also ``"beta:<name>"``
        (standardized), ``"r_squared"`` and ``"residual_sd"``. Logistic: also ``"odds_ratio:<name>"``. Ordered:
        ``"threshold:<category>"`` instead of an intercept, and odds ratios.

    Raises
    ------
    EstimationError
        If the formula cannot be read, the predictors of a group are not independent, or a logistic model has no
        finite solution in a group.
    TableError
        If a column is absent or not numeric.
    DesignError
        If no design is given.

    Notes
    -----
    Rows without a value of a variable of the formula are left out and counted in ``n_missing_values``.
    The residual SD divides by Σ w.

    References
    ----------
    .. [1] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 6 and 15.
    .. [2] docs/algorithms/regression.md

    Examples
    --------
    >>> rows = {"Y": [2.0, 4.0, 6.0, 9.0], "X": [1.0, 2.0, 3.0, 4.0], "W": [1.0] * 4,
    ...         "ZONE": [1, 1, 2, 2], "HALF": [1, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> result = estimate_regression(rows, "Y ~ X", design=design)
    >>> [(name, round(value, 6)) for name, value in result.table.select("statistic", "estimate").rows()[:2]]
    [('(Intercept)', -0.5), ('X', 2.3)]
    """
    if family not in FAMILIES:
        raise EstimationError(
            f"The 'family' of a regression is one of {', '.join(FAMILIES)}. Got {family!r}.",
            param="family",
            got=family,
        )
    asked = read_formula(formula)
    if family == "linear":
        return estimated(table, RegressionSums(formula=asked), design, by=by, cluster=cluster)
    model = model_columns(prepared(table, design), asked)
    groups = form_groups(model.ready, by, cluster)
    names, estimates = response_coefficients(model, groups, is_ordered=family == "ordered")
    return gather(model.ready, groups, formula, names, estimates, n_missing_values=model.n_missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionSums:
    """A linear regression as sums of products.

    Parameters
    ----------
    formula : Formula
        The model.
    common : tuple of (tuple of float, tuple of float), optional
        Centres and scales of the columns for all groups; left out, each group has its own centres.
    """

    formula: Formula
    common: tuple[tuple[float, ...], tuple[float, ...]] | None = None

    @property
    def variables(self) -> tuple[str, ...]:
        """Columns and patterns that are numbers."""
        return formula_variables(self.formula)[0]

    @property
    def categories(self) -> tuple[str, ...]:
        """Columns of categories."""
        return formula_variables(self.formula)[1]

    def learned(self, ready: PreparedTable) -> RegressionSums:
        """The same with the centres and scales of these rows."""
        model = model_columns(ready, self.formula)
        columns = [*model.predictors, model.outcome]
        return replace(self, common=common_frame(columns, is_centred=model.has_intercept))

    def part(self, ready: PreparedTable, breakdown: Breakdown) -> GroupSums:
        """Σ w x y of every two columns."""
        model = model_columns(ready, self.formula)
        cut = breakdown.cut(model.ready)
        columns = [*model.predictors, model.outcome]
        if self.common is None:
            frame = column_frame(cut.groups, columns, is_centred=model.has_intercept)
        else:
            frame = stated_frame(self.common, cut.groups.n.size)
        sums = product_sums(model.ready, cut.groups, cut.pairs, columns, frame)
        lines = tuple(column.shape[0] for column in columns)
        form = (model.names, lines, model.has_intercept, tuple(frame.scales.tolist()))
        return cut.sums(cut.spread(sums), about=frame.centres, form=form, n_missing=model.n_missing)

    def finish(self, total: GroupSums) -> Estimates:
        """Coefficients of every group."""
        names, estimates = _linear(total)
        return gather(
            total,
            total.groups,
            self.formula.text,
            names,
            estimates,
            n_missing_values=total.n_missing_values,
        )


def _linear(total: GroupSums) -> tuple[list[str], Floats]:
    """Coefficients, standardized coefficients, R² and residual SD, shaped for `gather`."""
    terms, lines, has_intercept, scales = total.form
    frame = ColumnFrame(centres=total.about, scales=np.array(scales))
    crossed = arranged(total.sums, lines, frame)
    shape = crossed.products.shape
    flat = crossed.products.reshape(-1, *shape[3:])
    coefficients, residuals, solved = solve_regressions(flat)
    solved = solved.reshape(shape[:3])
    refuse_dependent(terms, total.groups, solved[:, 0].all(axis=1))
    slopes = coefficients.reshape(*shape[:3], -1)
    residual = residuals.reshape(shape[:3]) * crossed.scales[-1] ** 2
    weights = np.where(total.totals > 0.0, total.totals, np.nan)[:, :, np.newaxis]
    raw = unscaled(slopes, crossed, has_intercept=has_intercept)
    spreads = _spreads(crossed, weights, has_intercept=has_intercept)
    names = list(terms)
    parts = [raw]
    if has_intercept:
        others = slice(1, len(names))
        safe = np.where(spreads[..., -1:] > 0.0, spreads[..., -1:], np.nan)
        parts.append(raw[..., others] * spreads[..., others] / safe)
        names += [f"beta:{name}" for name in terms[others]]
    variation = spreads[..., -1] ** 2 * weights
    r_squared = 1.0 - residual / np.where(variation > 0.0, variation, np.nan)
    parts += [r_squared[..., np.newaxis], np.sqrt(residual / weights)[..., np.newaxis]]
    names += ["r_squared", "residual_sd"]
    return names, np.concatenate(parts, axis=3).transpose(0, 3, 2, 1)


def refuse_dependent(names: Sequence[str], groups: Groups, solved: Any) -> None:
    """Refuse groups in which the predictors are not independent under the final weight.

    Parameters
    ----------
    names : Sequence of str
        Predictors.
    groups : Groups
        The groups.
    solved : ndarray of shape (n_groups,)
        False where there is no unique solution.

    Raises
    ------
    EstimationError
        If one is false.
    """
    failed = np.flatnonzero(~solved)
    if failed.size:
        raise EstimationError(
            f"The predictors {', '.join(names)} are not independent in {failed.size} of {solved.size} groups.",
            where=[group_name(groups, int(g)) for g in failed],
            why="One of them is constant there or follows from the others, so no single solution exists.",
            hint="Leave those groups out, or take a predictor or an empty category out of the formula.",
            param="formula",
        )


def unscaled(slopes: Floats, crossed: CrossProducts, *, has_intercept: bool) -> Floats:
    """Turn coefficients of moved and scaled columns into those of the columns themselves.

    Parameters
    ----------
    slopes : ndarray of shape (n_groups, n_replicates + 1, n_plausible_values, n_predictors)
        Coefficients of the scaled columns.
    crossed : CrossProducts
        Centres and scales.
    has_intercept : bool
        Whether the first predictor is the constant.

    Returns
    -------
    ndarray of shape (n_groups, n_replicates + 1, n_plausible_values, n_predictors)
        Coefficients in units of the outcome per unit of the predictor.
    """
    raw = slopes * (crossed.scales[-1] / crossed.scales[:-1])
    if has_intercept:
        centres = crossed.centres[:, np.newaxis, np.newaxis, :]
        raw[..., 0] += centres[..., -1] - (raw[..., 1:] * centres[..., 1:-1]).sum(axis=3)
    return np.asarray(raw)


def _spreads(crossed: CrossProducts, weights: Floats, *, has_intercept: bool) -> Floats:
    """Weighted SD of every column; about zero where there is no intercept to take a mean from."""
    squares = np.einsum("...kk->...k", crossed.products) / weights[..., np.newaxis]
    if has_intercept:
        means = crossed.products[..., 0, :] / weights[..., np.newaxis]
        squares = squares - means**2
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)) * crossed.scales)
