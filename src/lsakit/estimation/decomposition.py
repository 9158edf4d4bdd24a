"""A gap between two groups, in what they have and what it is worth to them (Oaxaca and Blinder).

See ``docs/algorithms/gap_decomposition.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.cross_products import cross_products
from lsakit.estimation.formula import read_formula
from lsakit.estimation.model_columns import Model, category_label, model_columns
from lsakit.estimation.regression import refuse_dependent, unscaled
from lsakit.estimation.replication import (
    Groups,
    form_groups,
    form_pairs,
    prepared,
    weight_sums,
)
from lsakit.estimation.results import Estimates, gather
from lsakit.estimation.rows import rows_of
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.estimation.weight_cells import key_codes
from lsakit.kernels.replication_products import solve_regressions

Floats = NDArray[np.float64]

REFERENCES = {"first": 1.0, "second": 0.0, "average": 0.5}


def estimate_decomposition(
    table: Any,
    formula: str,
    group: str,
    *,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    reference: str = "average",
) -> Estimates:
    """Split the gap of two groups into what their predictors explain and what they do not.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    formula : str
        Regression that holds in both groups, such as ``"PV{m}MATH ~ ESCS + C(AREA)"``.
    group : str
        Column with two values; the gap is the first (in ascending order) minus the second.
    by : Sequence of str or str, optional
        Break-down columns; one decomposition per group of them.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    reference : {"average", "first", "second"}
        Whose coefficients value a difference in predictors: the mean of both, the first's or the second's.

    Returns
    -------
    Estimates
        ``"gap"``, ``"explained"``, ``"unexplained"``, then ``"explained:<predictor>"`` and
        ``"unexplained:<predictor>"``, in the unit of the outcome. The first two parts add up to the gap.

    Raises
    ------
    EstimationError
        If the column does not have two values, or the predictors are not independent in one of the groups.
    TableError
        If a column is absent or not numeric.
    DesignError
        If no design is given.

    Notes
    -----
    The parts of single categorical predictors in the unexplained part depend on their reference category; the sum
    does not.

    References
    ----------
    .. [1] Oaxaca (1973), Male-female wage differentials in urban labor markets, International Economic Review
       14(3), 693-709; Blinder (1973), Wage discrimination, Journal of Human Resources 8(4), 436-455.
    .. [2] Jann (2008), The Blinder–Oaxaca decomposition for linear regression models, Stata Journal 8(4), 453-479.
    .. [3] docs/algorithms/gap_decomposition.md

    Examples
    --------
    >>> rows = {"Y": [1.0, 2.0, 3.0, 4.0, 3.0, 5.0, 7.0, 9.0], "X": [1.0, 2.0, 3.0, 4.0] * 2,
    ...         "G": list("aaaabbbb"), "W": [1.0] * 8, "ZONE": [1, 1, 2, 2] * 2, "HALF": [1, 0, 1, 0] * 2}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> result = estimate_decomposition(rows, "Y ~ X", "G", design=design)
    >>> [(name, round(value, 6) + 0.0) for name, value in result.table.select("statistic", "estimate").rows()[:3]]
    [('gap', -3.5), ('explained', 0.0), ('unexplained', -3.5)]
    """
    if reference not in REFERENCES:
        raise EstimationError(
            f"The 'reference' is one of {', '.join(REFERENCES)}. Got {reference!r}.",
            param="reference",
            got=reference,
        )
    asked = read_formula(formula)
    if not asked.has_intercept:
        raise EstimationError("A decomposition needs a formula with its intercept.", param="formula")
    ready = prepared(table, design)
    codes, keys = key_codes(ready.table, [group])
    if keys.height != 2:
        raise EstimationError(
            f"The column {group!r} must have two values. It has {keys.height}.",
            hint="Filter the table to the two groups that are compared.",
            param="group",
        )
    without = int(np.count_nonzero(codes < 0))
    model = model_columns(rows_of(ready, codes >= 0), asked)
    outer = form_groups(model.ready, by, None)
    inner, _ = key_codes(model.ready.table, [group])
    means, slopes = _means_and_slopes(model, outer, inner, keys.get_column(group).to_list())
    names, estimates = _parts(model, means, slopes, REFERENCES[reference])
    result = gather(model.ready, outer, formula, names, estimates, n_missing_values=model.n_missing + without)
    first, second = (category_label(value) for value in keys.get_column(group).to_list())
    return replace(result, values=f"{formula}; {group}: {first} − {second}")


def _means_and_slopes(
    model: Model, outer: Groups, inner: NDArray[np.int64], labels: list[Any]
) -> tuple[Floats, Floats]:
    """Means of all columns and coefficients, of shape (groups, 2, weights, values, columns)."""
    kept = outer.codes >= 0
    codes = np.where(kept, 2 * outer.codes + inner, -1)
    n = np.bincount(codes[kept], minlength=2 * outer.n.size)
    names = {name: [value for value in values for _ in labels] for name, values in outer.keys.items()}
    names["group"] = [label for _ in range(outer.n.size) for label in labels]
    split = Groups(
        by=(*outer.by, "group"), keys=names, codes=codes, n=n, n_schools=None, n_missing_by=outer.n_missing_by
    )
    pairs = form_pairs(model.ready, split)
    totals = weight_sums(model.ready, split, pairs)
    columns = [*model.predictors, model.outcome]
    crossed = cross_products(model.ready, split, pairs, columns, is_centred=True)
    shape = crossed.products.shape
    found, _, solved = solve_regressions(crossed.products.reshape(-1, *shape[3:]))
    refuse_dependent(model.names, split, solved.reshape(shape[:3])[:, 0].all(axis=1))
    slopes = unscaled(found.reshape(*shape[:3], -1), crossed, has_intercept=True)
    weights = np.where(totals > 0.0, totals, np.nan)[:, :, np.newaxis, np.newaxis]
    centres = crossed.centres[:, np.newaxis, np.newaxis]
    means = centres + crossed.scales * crossed.products[..., 0, :] / weights
    means[..., 0] = 1.0
    halves = (outer.n.size, 2)
    return means.reshape(*halves, *means.shape[1:]), slopes.reshape(*halves, *slopes.shape[1:])


def _parts(model: Model, means: Floats, slopes: Floats, share: float) -> tuple[list[str], Floats]:
    """The gap and its parts, shaped for `gather`."""
    first, second = means[:, 0], means[:, 1]
    gap = first[..., -1] - second[..., -1]
    worth = share * slopes[:, 0] + (1.0 - share) * slopes[:, 1]
    explained = (first[..., :-1] - second[..., :-1]) * worth
    unexplained = first[..., :-1] * (slopes[:, 0] - worth) + second[..., :-1] * (worth - slopes[:, 1])
    names = ["gap", "explained", "unexplained"]
    names += [f"explained:{name}" for name in model.names[1:]]
    names += [f"unexplained:{name}" for name in model.names]
    sums = np.stack([gap, explained.sum(axis=3), unexplained.sum(axis=3)], axis=3)
    parts = np.concatenate([sums, explained[..., 1:], unexplained], axis=3)
    return names, parts.transpose(0, 3, 2, 1)
