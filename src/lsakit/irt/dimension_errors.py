"""Standard errors of a calibration in several dimensions.

The score of a student is the posterior mean of the complete-data score (Fisher's identity). "cross_product" sums its
squares; "observed" differentiates its sum by central differences, which is the observed information; with weights it
becomes the sandwich. See docs/algorithms/several_dimensions.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsakit.irt.dimension_grid import (
    DimensionState,
    Posterior,
    Space,
    chunks_of_group,
    grid_prior,
    packed_tables,
    posterior_of,
)
from lsakit.irt.models import Floats
from lsakit.irt.parameter_slots import Slots, chart_of, invert_information, number_slots
from lsakit.irt.standard_errors import Covariance
from lsakit.irt.student_scores import score_table

STEP = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionCovariance:
    """Sampling covariance of the items, and standard errors of the groups.

    Parameters
    ----------
    items : Covariance
        Items.
    groups : ndarray of shape (n_groups, n_dimensions, 2)
        Standard errors of means and standard deviations, logits; NaN where fixed.
    correlations : ndarray of shape (n_groups, n_pairs)
        Standard errors of the correlations, dimensionless.
    """

    items: Covariance
    groups: Floats
    correlations: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """Where items and groups stand: item slots first, then means, deviations and correlations."""

    slots: Slots
    mean: NDArray[np.int64]
    sd: NDArray[np.int64]
    correlation: NDArray[np.int64]
    n_slots: int


def dimension_covariance(space: Space, state: DimensionState, *, method: str) -> DimensionCovariance:
    """Estimate the sampling covariance at the maximum.

    Parameters
    ----------
    space : Space
        Items, dimensions and groups.
    state : DimensionState
        Parameters at the maximum.
    method : str
        "observed" or "cross_product".

    Returns
    -------
    DimensionCovariance
        Covariance of the items, standard errors of the groups.

    Raises
    ------
    CalibrationError
        If the information is not positive definite.
    """
    places = _places(space)
    chart = _chart(space, places)
    squared = np.zeros((places.n_slots, places.n_slots))
    _scores(space, state, places, squared)
    if method == "cross_product":
        matrix = invert_information(squared, places.slots, state.items, chart)
    else:
        information = np.empty((places.n_slots, chart.shape[1]))
        for column in range(chart.shape[1]):
            ahead = _scores(space, _moved(space, state, places, STEP * chart[:, column]), places, None)
            behind = _scores(space, _moved(space, state, places, -STEP * chart[:, column]), places, None)
            information[:, column] = (behind - ahead) / (2.0 * STEP)
        small = chart.T @ information
        small = 0.5 * (small + small.T)
        unit = np.eye(chart.shape[1])
        inverse = invert_information(small, places.slots, state.items, unit)
        matrix = chart @ inverse @ chart.T
        if space.data.is_weighted:
            matrix = matrix @ squared @ matrix
    errors = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    slots = places.slots
    groups = np.full((*space.free_mean.shape, 2), np.nan)
    groups[..., 0][places.mean >= 0] = errors[places.mean[places.mean >= 0]]
    groups[..., 1][places.sd >= 0] = errors[places.sd[places.sd >= 0]]
    return DimensionCovariance(
        items=Covariance(
            matrix=matrix,
            item_slots=slots.item_slots,
            item_sizes=slots.item_sizes,
            group_slots=slots.group_slots,
        ),
        groups=groups,
        correlations=errors[places.correlation],
    )


def _places(space: Space) -> _Places:
    """Number the parameters."""
    slots = number_slots(space.layout)
    n_groups, n_pairs = len(space.data.groups), len(space.pairs)
    begin = slots.n_free
    mean, sd = np.full(space.free_mean.shape, -1), np.full(space.free_mean.shape, -1)
    mean[space.free_mean] = begin + np.arange(int(space.free_mean.sum()))
    begin += int(space.free_mean.sum())
    sd[space.free_sd] = begin + np.arange(int(space.free_sd.sum()))
    begin += int(space.free_sd.sum())
    correlation = begin + np.arange(n_groups * n_pairs).reshape(n_groups, n_pairs)
    return _Places(slots=slots, mean=mean, sd=sd, correlation=correlation, n_slots=begin + n_groups * n_pairs)


def _chart(space: Space, places: _Places) -> Floats:
    """Differentiate the slots in what is free."""
    own = chart_of(space.layout, places.slots)
    n_own = places.slots.n_free
    items = np.eye(n_own) if own is None else own
    n_more = places.n_slots - n_own
    out = np.zeros((places.n_slots, items.shape[1] + n_more))
    out[:n_own, : items.shape[1]] = items
    out[n_own:, items.shape[1] :] = np.eye(n_more)
    return out


def _moved(space: Space, state: DimensionState, places: _Places, move: Floats) -> DimensionState:
    """Move the parameters by a step in the slots."""
    native = state.items.native
    slots = places.slots
    for item, size in enumerate(slots.item_sizes.tolist()):
        first = int(slots.item_slots[item])
        native[item, :size] += move[first : first + size] if size else 0.0
    items = state.items.with_native(native, np.flatnonzero(slots.item_sizes > 0))
    mean, covariance = state.mean.copy(), state.covariance.copy()
    for g in range(len(mean)):
        sd = np.sqrt(np.diag(covariance[g]))
        correlation = covariance[g] / (sd[:, None] * sd)
        for d in range(len(sd)):
            if places.mean[g, d] >= 0:
                mean[g, d] += move[places.mean[g, d]]
            if places.sd[g, d] >= 0:
                sd[d] += move[places.sd[g, d]]
        for pair, (d, e) in enumerate(space.pairs):
            correlation[d, e] += move[places.correlation[g, pair]]
            correlation[e, d] = correlation[d, e]
        covariance[g] = correlation * (sd[:, None] * sd)
    return DimensionState(items=items, mean=mean, covariance=covariance)


def _scores(space: Space, state: DimensionState, places: _Places, squared: Floats | None) -> Floats:
    """Sum the students' weighted scores; add their outer products where a matrix is given."""
    tables = packed_tables(space, state.items)
    derivatives = score_table(state.items, space.layout)
    total = np.zeros(places.n_slots)
    for g in range(len(state.mean)):
        prior = grid_prior(space.layout.nodes, state.mean[g], state.covariance[g])
        for students in chunks_of_group(space, g):
            found = posterior_of(space, tables, prior, students)
            own = np.zeros((len(students), places.n_slots))
            _item_scores(space, state, found, derivatives, (places.slots, own))
            _group_scores(space, state, found, (g, places), own)
            weighted = own * space.data.weight[students][:, None]
            total += weighted.sum(axis=0)
            if squared is not None:
                squared += weighted.T @ weighted
    return total


def _item_scores(
    space: Space, state: DimensionState, found: Posterior, derivatives: Floats, out: tuple[Slots, Floats]
) -> None:
    """Write the posterior means of the items' scores."""
    slots, own = out
    for item, size in enumerate(slots.item_sizes.tolist()):
        if not size:
            continue
        first, row = int(slots.item_slots[item]), int(state.items.offset[item])
        marginal = found.marginals[int(space.of_item[item])]
        codes = space.data.codes[found.students, item]
        for code in range(int(state.items.n_steps[item]) + 1):
            chosen = np.flatnonzero(codes == code)
            own[chosen, first : first + size] = marginal[chosen] @ derivatives[:, row + code, :size]


def _group_scores(
    space: Space, state: DimensionState, found: Posterior, where: tuple[int, _Places], own: Floats
) -> None:
    """Write the posterior means of the scores of a group's means, deviations and correlations."""
    g, places = where
    mean, covariance = state.mean[g], state.covariance[g]
    inverse = np.linalg.inv(covariance)
    sd = np.sqrt(np.diag(covariance))
    correlation = covariance / (sd[:, None] * sd)
    away = found.mean - mean
    about = (
        found.second
        - found.mean[:, :, None] * mean
        - mean[:, None] * found.mean[:, None, :]
        + mean[:, None] * mean
    )
    by_mean = away @ inverse
    by_covariance = 0.5 * (inverse @ about @ inverse - inverse)
    for d in range(len(sd)):
        if places.mean[g, d] >= 0:
            own[:, places.mean[g, d]] = by_mean[:, d]
        if places.sd[g, d] >= 0:
            own[:, places.sd[g, d]] = 2.0 * by_covariance[:, d] @ (sd * correlation[d])
    for pair, (d, e) in enumerate(space.pairs):
        own[:, places.correlation[g, pair]] = 2.0 * by_covariance[:, d, e] * sd[d] * sd[e]
