"""Logistic and ordered logistic regression under every weight.

See ``docs/algorithms/response_models.md``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.model_columns import Model, category_label
from lsakit.estimation.replication import Groups, form_pairs, group_name, weight_sums
from lsakit.kernels.ordered_response import replicate_ordered_response

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_CATEGORIES = 20


def response_coefficients(model: Model, groups: Groups, *, is_ordered: bool) -> tuple[list[str], Floats]:
    """Fit a logistic or ordered logistic model in every group, value and weight.

    Parameters
    ----------
    model : Model
        Columns of the model.
    groups : Groups
        Groups of its rows.
    is_ordered : bool
        Ordered categories instead of 0 and 1.

    Returns
    -------
    names : list of str
        Names of the statistics.
    estimates : ndarray of shape (n_groups, n_statistics, n_plausible_values, n_replicates + 1)
        Coefficients (log odds) and odds ratios.

    Raises
    ------
    EstimationError
        If the outcome is not 0 and 1, has one or too many categories, or a group has no finite solution.
    """
    weight_sums(model.ready, groups, form_pairs(model.ready, groups))
    codes, labels = _outcome_codes(model, is_ordered=is_ordered)
    first = 1 if model.has_intercept else 0
    names = list(model.names[first:])
    if is_ordered and not first:
        raise EstimationError(
            "An ordered model has a threshold below each category but the first; none can be left out.",
            hint="Write the formula without '0 +'.",
            param="formula",
        )
    n_thresholds = len(labels) - 1 if first else 0
    size = len(names) + n_thresholds
    shape = (groups.n.size, size, model.n_plausible_values, model.ready.n_replicates + 1)
    solutions: Floats = np.empty(shape)
    for g in range(groups.n.size):
        members = np.flatnonzero(groups.codes == g)
        for m in range(model.n_plausible_values):
            columns = [c[m if c.shape[0] > 1 else 0, members] for c in model.predictors[first:]]
            rows = np.stack(columns, axis=1) if columns else np.empty((members.size, 0))
            centres = rows.mean(axis=0) if first else np.zeros(rows.shape[1])
            spread = rows.std(axis=0)
            scales = np.where(spread > 0.0, spread, 1.0)
            y = codes[m if codes.shape[0] > 1 else 0, members]
            _refuse_empty(groups, g, y, labels)
            found = replicate_ordered_response(
                np.ascontiguousarray((rows - centres) / scales),
                y,
                model.ready.scale[members],
                model.ready.cells[members],
                model.ready.ratios,
                len(labels),
                size,
            )
            if np.isnan(found[0]).any():
                _refuse_infinite(groups, g, names)
            slopes = found[:, : len(names)] / scales
            thresholds = found[:, len(names) :] + (slopes @ centres)[:, np.newaxis]
            solutions[g, :, m] = np.concatenate([slopes, thresholds], axis=1).T
    return _named(names, labels, solutions, is_ordered=is_ordered)


def _named(
    names: list[str], labels: list[str], solutions: Floats, *, is_ordered: bool
) -> tuple[list[str], Floats]:
    """Order coefficients, intercept or thresholds, and odds ratios."""
    slopes, thresholds = solutions[:, : len(names)], solutions[:, len(names) :]
    # The delta method of the odds ratio, exp(b) and exp(b) SE(b), written as replicates.
    middle = slopes[..., 0].mean(axis=2, keepdims=True)[..., np.newaxis]
    ratios = np.exp(middle) * (1.0 + slopes - middle)
    ratio_names = [f"odds_ratio:{name}" for name in names]
    if is_ordered:
        ends = [f"threshold:{label}" for label in labels[1:]]
        return [*names, *ends, *ratio_names], np.concatenate([slopes, thresholds, ratios], axis=1)
    ends = ["(Intercept)"] if thresholds.shape[1] else []
    return [*ends, *names, *ratio_names], np.concatenate([-thresholds, slopes, ratios], axis=1)


def _outcome_codes(model: Model, *, is_ordered: bool) -> tuple[Integers, list[str]]:
    """Category of each row and value, and the names of the categories in ascending order."""
    values = np.unique(model.outcome)
    if not is_ordered:
        if not np.isin(values, (0.0, 1.0)).all():
            raise EstimationError(
                f"The outcome of a logistic model is 0 or 1. Got {values[~np.isin(values, (0.0, 1.0))][0]:g}.",
                hint="Compare it in the formula, such as 'PV{m}MATH >= 420.07 ~ ESCS' or \"ST004 == '1' ~ ESCS\".",
                param="formula",
            )
        return model.outcome.astype(np.int64), ["0", "1"]
    if not 2 <= values.size <= MOST_CATEGORIES:
        raise EstimationError(
            f"An ordered model has 2 to {MOST_CATEGORIES} categories. The outcome has {values.size} values.",
            param="formula",
        )
    return np.searchsorted(values, model.outcome), [category_label(v) for v in values.tolist()]


def _refuse_empty(groups: Groups, g: int, codes: Integers, labels: list[str]) -> None:
    """Refuse a group that lacks one of the categories of the outcome."""
    absent = np.flatnonzero(np.bincount(codes, minlength=len(labels)) == 0)
    if absent.size:
        raise EstimationError(
            f"No row of the group has the outcome {labels[int(absent[0])]}.",
            where=[group_name(groups, g)],
            why="The model has no finite solution there.",
            hint="Leave the group out, or join categories.",
            param="by",
        )


def _refuse_infinite(groups: Groups, g: int, names: list[str]) -> None:
    """Refuse a group in which no finite maximum exists."""
    raise EstimationError(
        f"The model with {', '.join(names) or 'no predictor'} has no single finite solution.",
        where=[group_name(groups, g)],
        why="A predictor separates the categories perfectly there, or the predictors are not independent.",
        hint="Leave the group out, or take that predictor out of the formula.",
        param="formula",
    )
