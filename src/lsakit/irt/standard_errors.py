"""Sampling covariance of calibrated parameters.

The observed information comes from Louis' identity, computed exactly over the quadrature nodes; it equals
Oakes' form and minus the Hessian of the marginal log-likelihood. With weights the sandwich form is used. See
docs/algorithms/calibration.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsakit.irt.em import Layout, expect
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.models import Floats
from lsakit.irt.packs import Packs
from lsakit.irt.parameter_slots import Slots, chart_of, invert_information, number_slots, prior_information
from lsakit.irt.response_data import ResponseData
from lsakit.irt.student_scores import StudentSums, add_students
from lsakit.kernels import item_families, partial_credit


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariance:
    """Sampling covariance of the free parameters, and where each stands.

    Parameters
    ----------
    matrix : ndarray of shape (n_slots, n_slots)
        Covariance in the native parameters (intercepts, slope …) per item, then mean and standard deviation per
        group. Of shared parameters it is carried to the items.
    item_slots : ndarray of shape (n_items,)
        First row of each item; −1 where nothing was estimated.
    item_sizes : ndarray of shape (n_items,)
        Number of estimated parameters of each item.
    group_slots : ndarray of shape (n_groups, 2)
        Row of each group's mean and standard deviation; −1 where fixed.
    shared : tuple of ndarray of shape (n_shared, n_shared), optional
        Covariance of the shared parameters of each binding.
    """

    matrix: Floats
    item_slots: NDArray[np.int64]
    item_sizes: NDArray[np.int64]
    group_slots: NDArray[np.int64]
    shared: tuple[Floats, ...] = ()

    def of_item(self, item: int, n_native: int) -> Floats:
        """Give the covariance of one item in its native parameters, zero for what was fixed.

        Parameters
        ----------
        item : int
            Place of the item.
        n_native : int
            Number of its native parameters.

        Returns
        -------
        ndarray of shape (n_native, n_native)
            Covariance.
        """
        out = np.zeros((n_native, n_native))
        first, size = int(self.item_slots[item]), int(self.item_sizes[item])
        out[:size, :size] = self.matrix[first : first + size, first : first + size]
        return out

    def of_groups(self) -> Floats:
        """Give the standard errors of group means and standard deviations.

        Returns
        -------
        ndarray of shape (n_groups, 2)
            Standard errors in logits; NaN where fixed.
        """
        errors = np.sqrt(np.diag(self.matrix)) if len(self.matrix) else np.zeros(0)
        out = np.full(self.group_slots.shape, np.nan)
        known = self.group_slots >= 0
        out[known] = errors[self.group_slots[known]]
        return out


def parameter_covariance(
    data: ResponseData, packs: Packs, layout: Layout, vector: Floats, *, method: str
) -> Covariance:
    """Estimate the sampling covariance of the free parameters at the maximum.

    Parameters
    ----------
    data : ResponseData
        The responses.
    packs : Packs
        Their packing.
    layout : Layout
        What is free.
    vector : ndarray of shape (n_free,)
        Parameters at the maximum.
    method : str
        "observed" for the observed information (Louis), "cross_product" for the sum of squared scores. With
        weights, "observed" becomes the sandwich of the two.

    Returns
    -------
    Covariance
        The covariance.

    Raises
    ------
    CalibrationError
        If the information is not positive definite, so that some parameter is not identified.

    References
    ----------
    .. [1] Louis (1982), Finding the observed information matrix when using the EM algorithm, JRSS B 44(2).
    """
    items, mean, sd = layout.unpack(vector)
    slots = number_slots(layout)
    sums = StudentSums(
        np.zeros((slots.n_free,) * 2), np.zeros((slots.n_free,) * 2), np.zeros((slots.n_free,) * 2)
    )
    add_students(data, packs, layout, (items, mean, sd), slots, sums, within=method == "observed")
    chart = chart_of(layout, slots)
    if method == "cross_product":
        squared = (
            sums.squared + prior_information(layout, items, slots) if layout.priors.size else sums.squared
        )
        matrix = invert_information(squared, slots, items, chart)
    else:
        complete = _complete_information(data, packs, layout, (items, mean, sd), slots)
        matrix = invert_information(complete - sums.within + sums.scores, slots, items, chart)
        if needs_sandwich(data):
            matrix = matrix @ sums.squared @ matrix
    return Covariance(
        matrix=matrix,
        item_slots=slots.item_slots,
        item_sizes=slots.item_sizes,
        group_slots=slots.group_slots,
        shared=_shared_covariance(layout, matrix, chart),
    )


def needs_sandwich(data: ResponseData) -> bool:
    """Say whether the curvature of the log-likelihood is not the variance of its score.

    Parameters
    ----------
    data : ResponseData
        The responses.

    Returns
    -------
    bool
        Whether there are weights or partly right answers.
    """
    return data.is_weighted or data.partly is not None


def _shared_covariance(layout: Layout, matrix: Floats, chart: Floats | None) -> tuple[Floats, ...]:
    """Carry the covariance of the slots back to the shared parameters of each binding."""
    if chart is None or not layout.bindings:
        return ()
    back = np.linalg.pinv(chart)
    free = back @ matrix @ back.T
    n_shared = sum(len(binding.start) for binding in layout.bindings)
    begin = chart.shape[1] - n_shared - int(layout.free_mean.sum() + layout.free_sd.sum())
    out = []
    for binding in layout.bindings:
        stop = begin + len(binding.start)
        out.append(free[begin:stop, begin:stop])
        begin = stop
    return tuple(out)


def _complete_information(
    data: ResponseData,
    packs: Packs,
    layout: Layout,
    parameters: tuple[ItemParameters, Floats, Floats],
    slots: Slots,
) -> Floats:
    """Expected information of the complete data."""
    items, mean, sd = parameters
    found = expect(data, packs, items, mean, sd, layout.nodes)
    blocks = partial_credit.complete_information(
        found.counts, items.offset, items.n_steps, layout.nodes, items.slope, items.intercepts
    )
    out = np.zeros((slots.n_free, slots.n_free))
    plain, kinds, native = layout.plain, items.kinds, items.native
    priors = layout.priors if layout.priors.size else np.zeros((*native.shape, 3))
    for item, first in enumerate(slots.item_slots.tolist()):
        size = int(slots.item_sizes[item])
        if size and not plain[item]:
            steps, row = int(items.n_steps[item]), int(items.offset[item])
            out[first : first + size, first : first + size] = item_families.item_information(
                int(kinds[item]),
                found.counts[row : row + steps + 1],
                layout.nodes,
                native[item],
                steps,
                priors[item],
                True,
            )[1]
        elif size:
            out[first : first + size, first : first + size] = blocks[item, :size, :size]
    for group, own in enumerate(slots.group_slots.tolist()):
        z = (layout.nodes - mean[group]) / sd[group]
        number, first_moment, second = (
            float(found.mass[group] @ power) for power in (np.ones_like(z), z, z * z)
        )
        full = np.array([[number, 2.0 * first_moment], [2.0 * first_moment, 3.0 * second - number]])
        here = [place for place in own if place >= 0]
        kept = [k for k in range(2) if own[k] >= 0]
        out[np.ix_(here, here)] = full[np.ix_(kept, kept)] / sd[group] ** 2
    return out
