"""Students in schools: variance between and within, and two-level regression.

See ``docs/algorithms/multilevel.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError, EstimationError, TableError
from lsakit.estimation.formula import Formula, Outcome, read_formula
from lsakit.estimation.model_columns import Model, model_columns, stacked
from lsakit.estimation.random_effects import (
    EffectOptions,
    effect_names,
    in_units,
    places_of,
    read_effects,
)
from lsakit.estimation.regression import refuse_dependent
from lsakit.estimation.replication import (
    Groups,
    Pairs,
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
from lsakit.kernels.random_slopes import replicate_random_effects
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
    **options: Any,
) -> Estimates:
    """Estimate a weighted two-level regression with a random intercept, and random slopes where asked, of the school.

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
    **options : object
        ``cluster_weight``: column of the school's weight; left out, it is the mean final weight of its students, so
        that the product of both levels is the final weight. ``slopes``: names of predictors whose coefficients vary
        between schools, such as ``["ESCS"]``. ``method``: ``"ml"`` (likelihood, the default) or ``"reml"`` (restricted
        likelihood; the weights of the schools are scaled to a mean of 1).

    Returns
    -------
    Estimates
        Coefficients by name, in units of the outcome per unit of the predictor; ``"variance_between"`` and
        ``"variance_within"``, in squared units of the outcome; ``"icc"``, their share between schools (0 to 1). With
        random slopes ``"variance_between"`` is the variance of the intercepts (where the predictors are 0),
        ``"variance:ESCS"`` and ``"covariance:ESCS:(Intercept)"`` are those of the slopes, and there is no ``"icc"``.

    Raises
    ------
    EstimationError
        If the formula cannot be read, an option is wrong, a group has fewer than two schools, or a model has no
        solution.
    TableError
        If a school or its weight is missing, or the weight differs inside a school.
    DesignError
        If no design or cluster is given.

    Notes
    -----
    Pseudo maximum likelihood. Student weights are scaled inside each school to sum to its number
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
    asked = read_effects(options)
    model = model_columns(prepared(table, design), read_formula(formula))
    groups = _groups_of_schools(model, by, cluster)
    if asked.slopes or asked.is_restricted:
        names, estimates = _random_effects(model, groups, cluster, asked)
        return gather(model.ready, groups, formula, names, estimates, n_missing_values=model.n_missing)
    found = _two_level(model, groups, cluster, asked.cluster_weight)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clusters:
    """The clusters of all groups: pairs with cells, rows, weights."""

    of_row: Integers
    owners: Integers
    pairs: Pairs
    counts: Floats
    bases: Floats


def _formed(model: Model, groups: Groups, cluster: str, cluster_weight: str | None) -> _Clusters:
    """Number the clusters and take their sizes and weights."""
    ready = model.ready
    weight_sums(ready, groups, form_pairs(ready, groups))
    of_row, owners = _clusters(model, groups, cluster)
    final = ready.scale * ready.ratios[ready.cells, 0]
    kept = of_row >= 0
    counts = np.bincount(of_row[kept], minlength=owners.size).astype(np.float64)
    totals = np.bincount(of_row[kept], final[kept], minlength=owners.size)
    if cluster_weight is None:
        bases = totals / counts
    else:
        bases = _stated(ready.table, cluster_weight, of_row, owners)
    pairs = form_pairs(ready, _as_groups(of_row, owners.size))
    return _Clusters(of_row=of_row, owners=owners, pairs=pairs, counts=counts, bases=bases)


def _products(model: Model, formed: _Clusters, rows: Floats) -> Floats:
    """Cross products of columns in every (cluster, cell) pair."""
    size = rows.shape[1]
    a, b = np.indices((size, size)).reshape(2, -1)
    n_pairs = formed.pairs.groups.size
    sums = sum_products(rows, a, b, model.ready.scale, formed.of_row, formed.pairs.of_row, n_pairs)
    return sums.reshape(-1, size, size)


def _of_group(formed: _Clusters, g: int) -> tuple[Integers, Integers, Integers, Integers]:
    """Clusters of a group, their pairs, and cluster and cell number of each pair."""
    own = np.flatnonzero(formed.owners == g)
    pairs = formed.pairs
    mine = np.flatnonzero((pairs.groups >= own[0]) & (pairs.groups <= own[-1]))
    return own, mine, pairs.groups[mine] - own[0], pairs.cells[mine]


def _two_level(model: Model, groups: Groups, cluster: str, cluster_weight: str | None) -> Floats:
    """Coefficients and variances of shape (groups, statistics, values, weights)."""
    ready = model.ready
    formed = _formed(model, groups, cluster, cluster_weight)
    first = 0 if model.has_intercept else 1
    constant = np.ones((ready.table.height, 1))
    found: Floats = np.empty(
        (groups.n.size, len(model.names) + 2, model.n_plausible_values, ready.n_replicates + 1)
    )
    for m in range(model.n_plausible_values):
        columns = stacked(model, m)
        rows = np.concatenate([constant, columns[:, 1 - first :]], axis=1)
        centres, scales = _rough(rows, is_centred=model.has_intercept)
        sums = _products(model, formed, (rows - centres) / scales)
        for g in range(groups.n.size):
            own, mine, of_pair, cells_of_pair = _of_group(formed, g)
            cells, cell_numbers = np.unique(cells_of_pair, return_inverse=True)
            solution = replicate_two_level(
                sums[mine],
                of_pair,
                cell_numbers.astype(np.int64),
                np.ascontiguousarray(ready.ratios[cells]),
                formed.counts[own],
                formed.bases[own],
                first,
            )
            found[g, :, m] = _unscaled(solution, centres, scales, first).T
    return found


def _random_effects(
    model: Model, groups: Groups, cluster: str, asked: EffectOptions
) -> tuple[list[str], Floats]:
    """Names and estimates of shape (groups, statistics, values, weights) of a model with several random effects."""
    if not model.has_intercept:
        raise EstimationError(
            "Random slopes and restricted likelihood need a formula with its intercept.", param="formula"
        )
    places = places_of(asked.slopes, model.names)
    ready = model.ready
    formed = _formed(model, groups, cluster, asked.cluster_weight)
    names = effect_names(model.names, asked.slopes)
    shape = (groups.n.size, len(names), model.n_plausible_values, ready.n_replicates + 1)
    found: Floats = np.empty(shape)
    for m in range(model.n_plausible_values):
        rows = stacked(model, m)
        centres, scales = _rough(rows, is_centred=True)
        sums = _products(model, formed, (rows - centres) / scales)
        for g in range(groups.n.size):
            own, mine, of_pair, cells_of_pair = _of_group(formed, g)
            cells, cell_numbers = np.unique(cells_of_pair, return_inverse=True)
            solution = replicate_random_effects(
                sums[mine],
                (of_pair, cell_numbers.astype(np.int64)),
                np.ascontiguousarray(ready.ratios[cells]),
                (formed.counts[own], formed.bases[own]),
                places,
                asked.is_restricted,
            )
            found[g, :, m] = in_units(solution, centres, scales, places).T
    refuse_dependent(model.names, groups, np.isfinite(found[:, :, :, 0]).all(axis=(1, 2)))
    return names, found


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
