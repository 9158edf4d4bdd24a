"""Students in schools: variance between and within, and two-level regression.

See ``docs/algorithms/multilevel.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError, EstimationError, TableError
from lsakit.estimation.formula import Formula, Outcome, read_formula
from lsakit.estimation.model_columns import Model, model_columns, stacked
from lsakit.estimation.regression import refuse_dependent
from lsakit.estimation.replication import (
    Groups,
    form_groups,
    form_pairs,
    group_name,
    prepared,
    sums_under_weights,
    weight_sums,
)
from lsakit.estimation.results import Estimates, gather
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.estimation.weight_cells import key_codes
from lsakit.io.frames import Table, floats
from lsakit.kernels.replication_products import sum_products
from lsakit.kernels.two_level import replicate_two_level

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def estimate_multilevel(
    table: Any,
    formula: str,
    *,
    cluster: str,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster_weight: str | None = None,
) -> Estimates:
    """Estimate a weighted two-level regression with a random intercept of the school.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    formula : str
        Such as ``"PV{m}MATH ~ ESCS + C(GENDER)"``, as `estimate_regression` reads it.
    cluster : str
        Column of the school.
    by : Sequence of str or str, optional
        Break-down columns; one model per group. A school is a school within its group.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster_weight : str, optional
        Column of the school's weight. Left out, it is the mean final weight of its students, so that the product
        of both levels is the final weight.

    Returns
    -------
    Estimates
        Coefficients by name, in units of the outcome per unit of the predictor; ``"variance_between"`` and
        ``"variance_within"``, in squared units of the outcome; ``"icc"``, their share between schools (0 to 1).

    Raises
    ------
    EstimationError
        If the formula cannot be read, a group has fewer than two schools, or a model has no solution.
    TableError
        If a school or its weight is missing, or the weight differs inside a school.
    DesignError
        If no design or cluster is given.

    Notes
    -----
    Pseudo maximum likelihood (not restricted). Student weights are scaled inside each school to sum to its number
    of students (scaling method 2). Standard errors come from the replicate weights, whose factors act on the weight
    of the school, and on students where they differ inside a school.

    References
    ----------
    .. [1] Rabe-Hesketh & Skrondal (2006), Multilevel modelling of complex survey data, Journal of the Royal
       Statistical Society A 169(4), 805-827.
    .. [2] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 15.
    .. [3] docs/algorithms/multilevel.md

    Examples
    --------
    >>> rows = {"Y": [1.0, 2.0, 3.0, 9.0, 8.0, 7.5, 4.0, 5.0], "S": list("aaabbbcc"), "W": [1.0] * 8,
    ...         "ZONE": [1, 1, 1, 1, 1, 1, 2, 2], "HALF": [1, 1, 1, 0, 0, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> result = estimate_multilevel(rows, "Y ~ 1", cluster="S", design=design)
    >>> result.table["statistic"].to_list()
    ['(Intercept)', 'variance_between', 'variance_within', 'icc']
    """
    model = model_columns(prepared(table, design), read_formula(formula))
    groups = _groups_of_schools(model, by, cluster)
    found = _two_level(model, groups, cluster, cluster_weight)
    refuse_dependent(model.names, groups, np.isfinite(found[:, :, :, 0]).all(axis=(1, 2)))
    between, within = found[:, -2:-1], found[:, -1:]
    estimates = np.concatenate([found, between / (between + within)], axis=1)
    names = [*model.names, "variance_between", "variance_within", "icc"]
    return gather(model.ready, groups, formula, names, estimates, n_missing_values=model.n_missing)


def estimate_variance_components(
    table: Any,
    values: str,
    *,
    cluster: str,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster_weight: str | None = None,
) -> Estimates:
    """Estimate how much of the variance lies between schools and within them.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    values : str
        A column or pattern of plausible values.
    cluster : str
        Column of the school.
    by : Sequence of str or str, optional
        Break-down columns; a school is a school within its group.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster_weight : str, optional
        Column of the school's weight, for the intraclass correlation alone.

    Returns
    -------
    Estimates
        ``"variance_total"``, ``"variance_of_means"`` (between the schools' weighted means) and
        ``"variance_about_means"``, which add up, in squared units; ``"share_of_means"`` (0 to 1); and ``"icc"``, the
        intraclass correlation of the two-level model without predictors (0 to 1).

    Raises
    ------
    EstimationError
        If a group has fewer than two schools, or its values do not vary.
    TableError
        If a school is missing.
    DesignError
        If no design or cluster is given.

    Notes
    -----
    The variance of the means holds the chance of who was drawn in each school, and is larger than the variance
    between schools, the more so the fewer students a school has; ``"icc"`` is free of that.

    References
    ----------
    .. [1] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 15.
    .. [2] docs/algorithms/multilevel.md

    Examples
    --------
    >>> rows = {"Y": [1.0, 2.0, 3.0, 9.0, 8.0, 7.0], "S": list("aaabbb"), "W": [1.0] * 6,
    ...         "ZONE": [1, 1, 1, 2, 2, 2], "HALF": [1, 0, 1, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> result = estimate_variance_components(rows, "Y", cluster="S", design=design)
    >>> [round(value, 4) for value in result.table["estimate"].to_list()]
    [9.6667, 9.0, 0.6667, 0.931, 0.8966]
    """
    formula = Formula(text=values, outcome=Outcome(name=values), terms=(), has_intercept=True)
    model = model_columns(prepared(table, design), formula)
    groups = _groups_of_schools(model, by, cluster)
    found = _two_level(model, groups, cluster, cluster_weight)
    parts = _sums_of_squares(model, groups, cluster)
    icc = found[:, 1:2] / (found[:, 1:2] + found[:, 2:3])
    names = ["variance_total", "variance_of_means", "variance_about_means", "share_of_means", "icc"]
    estimates = np.concatenate([parts, icc], axis=1)
    return gather(model.ready, groups, values, names, estimates, n_missing_values=model.n_missing)


def _groups_of_schools(model: Model, by: Sequence[str] | str | None, cluster: str) -> Groups:
    """The groups with their schools counted; every row must name its school."""
    if not cluster:
        raise DesignError("A two-level model needs the column of the school.", param="cluster")
    return form_groups(model.ready, by, cluster)


def _clusters(model: Model, groups: Groups, cluster: str) -> tuple[Integers, Integers]:
    """Number of each row's cluster within its group (−1 outside), and the group of each cluster."""
    codes, _ = key_codes(model.ready.table, [cluster])
    kept = groups.codes >= 0
    joint = groups.codes[kept] * (int(codes.max()) + 1) + codes[kept]
    present, numbers = np.unique(joint, return_inverse=True)
    of_row = np.full(codes.size, -1)
    of_row[kept] = numbers
    owners = np.asarray(present // (int(codes.max()) + 1), dtype=np.int64)
    few = np.flatnonzero(np.bincount(owners, minlength=groups.n.size) < 2)
    if few.size:
        raise EstimationError(
            f"{few.size} of {groups.n.size} groups have fewer than two values of {cluster!r}.",
            where=[group_name(groups, int(g)) for g in few],
            why="One school shows nothing of the variance between schools.",
            hint="Leave those groups out.",
            param="cluster",
        )
    return of_row, owners


def _two_level(model: Model, groups: Groups, cluster: str, cluster_weight: str | None) -> Floats:
    """Coefficients and variances of shape (groups, statistics, values, weights)."""
    ready = model.ready
    weight_sums(ready, groups, form_pairs(ready, groups))
    of_row, owners = _clusters(model, groups, cluster)
    as_groups = _as_groups(of_row, owners.size)
    pairs = form_pairs(ready, as_groups)
    final = ready.scale * ready.ratios[ready.cells, 0]
    kept = of_row >= 0
    counts = np.bincount(of_row[kept], minlength=owners.size).astype(np.float64)
    totals = np.bincount(of_row[kept], final[kept], minlength=owners.size)
    bases = (
        totals / counts if cluster_weight is None else _stated(ready.table, cluster_weight, of_row, owners)
    )
    first = 0 if model.has_intercept else 1
    constant = np.ones((ready.table.height, 1))
    found: Floats = np.empty(
        (groups.n.size, len(model.names) + 2, model.n_plausible_values, ready.n_replicates + 1)
    )
    for m in range(model.n_plausible_values):
        columns = stacked(model, m)
        rows = np.concatenate([constant, columns[:, 1 - first :]], axis=1)
        centres, scales = _rough(rows, is_centred=model.has_intercept)
        rows = (rows - centres) / scales
        size = rows.shape[1]
        a, b = np.indices((size, size)).reshape(2, -1)
        sums = sum_products(rows, a, b, ready.scale, of_row, pairs.of_row, pairs.groups.size)
        sums = sums.reshape(-1, size, size)
        for g in range(groups.n.size):
            own = np.flatnonzero(owners == g)
            mine = np.flatnonzero((pairs.groups >= own[0]) & (pairs.groups <= own[-1]))
            cells, cell_numbers = np.unique(pairs.cells[mine], return_inverse=True)
            solution = replicate_two_level(
                sums[mine],
                pairs.groups[mine] - own[0],
                cell_numbers.astype(np.int64),
                np.ascontiguousarray(ready.ratios[cells]),
                counts[own],
                bases[own],
                first,
            )
            found[g, :, m] = _unscaled(solution, centres, scales, first).T
    return found


def _as_groups(of_row: Integers, n_clusters: int) -> Groups:
    """Clusters in the form of groups, to number their (cluster, cell) pairs."""
    kept = of_row >= 0
    return Groups(
        by=(),
        keys={},
        codes=of_row,
        n=np.bincount(of_row[kept], minlength=n_clusters),
        n_schools=None,
        n_missing_by=int(np.count_nonzero(~kept)),
    )


def _stated(table: Table, name: str, of_row: Integers, owners: Integers) -> Floats:
    """Weight of each cluster as a column states it, the same for all its rows."""
    stated = floats(table, name)
    kept = np.flatnonzero(of_row >= 0)
    weights = np.zeros(owners.size)
    weights[of_row[kept]] = stated[kept]
    wrong = kept[np.abs(stated[kept] - weights[of_row[kept]]) > 1e-9 * np.abs(stated[kept])]
    if wrong.size or (weights <= 0.0).any():
        rows = wrong if wrong.size else kept[stated[kept] <= 0.0]
        raise TableError(
            f"The weight of the school {name!r} must be positive and the same for all students of a school.",
            where=[f"row {row + 1}" for row in rows.tolist()],
            hint="Name the column of the school's weight, or leave 'cluster_weight' out.",
            param=name,
        )
    return weights


def _rough(rows: Floats, *, is_centred: bool) -> tuple[Floats, Floats]:
    """Rough means and spreads of the columns; the constant stays as it is."""
    centres = rows.mean(axis=0) if is_centred else np.zeros(rows.shape[1])
    centres[0] = 0.0
    spread = rows.std(axis=0)
    return centres, np.where(spread > 0.0, spread, 1.0)


def _unscaled(solution: Floats, centres: Floats, scales: Floats, first: int) -> Floats:
    """Coefficients and variances in the units of the columns."""
    result = solution.copy()
    result[:, :-2] *= scales[-1] / scales[first:-1]
    if first == 0:
        result[:, 0] += centres[-1] - result[:, 1:-2] @ centres[1:-1]
    result[:, -2:] *= scales[-1] ** 2
    return result


def _sums_of_squares(model: Model, groups: Groups, cluster: str) -> Floats:
    """Total variance, its parts and the share of the means, of shape (groups, 4, values, weights)."""
    ready = model.ready
    of_row, owners = _clusters(model, groups, cluster)
    as_groups = _as_groups(of_row, owners.size)
    pairs = form_pairs(ready, as_groups)
    shape = (groups.n.size, 4, model.n_plausible_values, ready.n_replicates + 1)
    parts: Floats = np.empty(shape)
    for m in range(model.n_plausible_values):
        y = model.outcome[m]
        centre = y.mean()
        rows = np.stack([np.ones(y.size), y - centre], axis=1)
        sums = sum_products(
            rows,
            np.array([0, 1, 1]),
            np.array([0, 0, 1]),
            ready.scale,
            of_row,
            pairs.of_row,
            pairs.groups.size,
        )
        spread = sums_under_weights(ready, pairs, sums)
        weight, linear, square = spread[..., 0], spread[..., 1], spread[..., 2]
        of_means = np.divide(linear**2, weight, out=np.zeros(weight.shape), where=weight > 0.0)
        for g in range(groups.n.size):
            own = owners == g
            total_weight = weight[own].sum(axis=0)
            safe = np.where(total_weight > 0.0, total_weight, np.nan)
            mean_square = (linear[own].sum(axis=0) / safe) ** 2
            total = square[own].sum(axis=0) / safe - mean_square
            between = of_means[own].sum(axis=0) / safe - mean_square
            share = between / np.where(total > 0.0, total, np.nan)
            parts[g, :, m] = [total, between, total - between, share]
    constant = ~np.isfinite(parts[:, 3, :, 0]).all(axis=1)
    if constant.any():
        raise EstimationError(
            "The values do not vary.",
            where=[group_name(groups, int(g)) for g in np.flatnonzero(constant)],
            param="values",
        )
    return parts
