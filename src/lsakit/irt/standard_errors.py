"""Sampling covariance of calibrated parameters.

The observed information comes from Louis' identity, computed exactly over the quadrature nodes; it equals
Oakes' form and minus the Hessian of the marginal log-likelihood. With weights the sandwich form is used. See
docs/algorithms/calibration.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import CalibrationError
from lsakit.irt.em import Layout, Packs, expect, normal_prior, packed_table, pad, probability_table
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.models import Floats
from lsakit.irt.native_parameters import native_sizes
from lsakit.irt.response_data import ResponseData
from lsakit.kernels import item_families, partial_credit, response_packs

CHUNK = 2048
LEAST_POSTERIOR = 1e-12


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """Where each parameter stands in the information matrix.

    Parameters
    ----------
    item_slots : ndarray of shape (n_items,)
        First row of each item; −1 where nothing was estimated.
    item_sizes : ndarray of shape (n_items,)
        Number of native parameters of each item.
    group_slots : ndarray of shape (n_groups, 2)
        Row of each group's mean and standard deviation; −1 where fixed.
    n_free : int
        Number of rows.
    """

    item_slots: NDArray[np.int64]
    item_sizes: NDArray[np.int64]
    group_slots: NDArray[np.int64]
    n_free: int


def number_slots(layout: Layout) -> Slots:
    """Number the free parameters: items first, then groups.

    Parameters
    ----------
    layout : Layout
        What is free.

    Returns
    -------
    Slots
        Rows of the information matrix.
    """
    start = layout.start
    whole = native_sizes(start.kinds, start.n_steps)
    plain = start.n_steps + layout.free_slope
    sizes = np.where(layout.free_intercepts, np.where(layout.plain, plain, whole), 0).astype(np.int64)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    groups = np.column_stack([layout.free_mean, layout.free_sd])
    group_slots = np.full(groups.shape, -1, dtype=np.int64)
    group_slots[groups] = int(sizes.sum()) + np.arange(int(groups.sum()))
    return Slots(
        item_slots=np.where(sizes > 0, first, -1).astype(np.int64),
        item_sizes=sizes,
        group_slots=group_slots,
        n_free=int(sizes.sum() + groups.sum()),
    )


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
    sums = _Sums(np.zeros((slots.n_free,) * 2), np.zeros((slots.n_free,) * 2), np.zeros((slots.n_free,) * 2))
    _add_students(data, packs, layout, (items, mean, sd), slots, sums, within=method == "observed")
    chart = chart_of(layout, slots)
    if method == "cross_product":
        squared = (
            sums.squared + _prior_information(layout, items, slots) if layout.priors.size else sums.squared
        )
        matrix = invert_information(squared, slots, items, chart)
    else:
        complete = _complete_information(data, packs, layout, (items, mean, sd), slots)
        matrix = invert_information(complete - sums.within + sums.scores, slots, items, chart)
        if data.is_weighted:
            matrix = matrix @ sums.squared @ matrix
    return Covariance(
        matrix=matrix,
        item_slots=slots.item_slots,
        item_sizes=slots.item_sizes,
        group_slots=slots.group_slots,
        shared=_shared_covariance(layout, matrix, chart),
    )


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


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums over students of w·E[ss'], w·s̄s̄' and w²·s̄s̄'."""

    within: Floats
    scores: Floats
    squared: Floats


def chart_of(layout: Layout, slots: Slots) -> Floats | None:
    """Differentiate the slots in what is free.

    Parameters
    ----------
    layout : Layout
        What is free.
    slots : Slots
        Rows of the information matrix.

    Returns
    -------
    ndarray of shape (n_slots, n_free) or None
        The derivatives; None where slots and free parameters are the same.
    """
    n_fixed = int((~layout.native_free[layout.long_way]).sum()) if layout.native_free.size else 0
    if not layout.bindings and not n_fixed:
        return None
    columns = []
    bound = set(layout.bound.tolist())
    for item, (first, size) in enumerate(
        zip(slots.item_slots.tolist(), slots.item_sizes.tolist(), strict=True)
    ):
        if item in bound:
            continue
        is_long = layout.native_free.size and layout.native_free[item].any()
        for place in range(size):
            if not is_long or layout.native_free[item, place]:
                columns.append(np.eye(1, slots.n_free, first + place)[0])
    for binding in layout.bindings:
        block = np.zeros((slots.n_free, len(binding.start)))
        for item, design in zip(binding.items, binding.designs, strict=True):
            first = int(slots.item_slots[item])
            block[first : first + len(design)] = design
        columns += list(block.T)
    columns += [
        np.eye(1, slots.n_free, place)[0] for place in slots.group_slots.ravel().tolist() if place >= 0
    ]
    return np.column_stack(columns)


def _prior_information(layout: Layout, items: ItemParameters, slots: Slots) -> Floats:
    """Give minus the second derivatives of the log priors."""
    out = np.zeros((slots.n_free, slots.n_free))
    native = items.native
    for item in layout.long_way.tolist():
        for place in range(int(slots.item_sizes[item])):
            row = int(slots.item_slots[item]) + place
            out[row, row] = item_families.prior_terms(native[item, place], layout.priors[item, place])[2]
    return out


def invert_information(
    information: Floats, slots: Slots, items: ItemParameters, chart: Floats | None = None
) -> Floats:
    """Invert the information in what is free, and carry the inverse to the slots.

    Parameters
    ----------
    information : ndarray of shape (n_slots, n_slots)
        Information in the slots.
    slots : Slots
        Rows of the matrix.
    items : ItemParameters
        The items, named in a refusal.
    chart : ndarray of shape (n_slots, n_free), optional
        Derivatives of the slots in what is free.

    Returns
    -------
    ndarray of shape (n_slots, n_slots)
        Covariance.

    Raises
    ------
    CalibrationError
        If the information is not positive definite; the item whose parameter carries none is named.
    """
    if chart is not None:
        information = chart.T @ information @ chart
    if not len(information):
        return information
    scale = 1.0 / np.sqrt(np.maximum(np.diag(information), 1e-300))
    values, vectors = np.linalg.eigh(information * scale[:, None] * scale)
    if values[0] < 1e-10:
        weakest = scale * vectors[:, 0]
        worst = int(np.abs(weakest if chart is None else chart @ weakest).argmax())
        owner = np.flatnonzero((slots.item_slots <= worst) & (worst < slots.item_slots + slots.item_sizes))
        name = items.names[int(owner[0])] if len(owner) else "the group distribution"
        raise CalibrationError(
            "The information about the parameters is not positive definite at the solution.",
            where=[name],
            why="Some parameter is not identified by these responses, so it has no standard error.",
            hint="Leave the item out, collapse its rare categories, or ask for standard_errors='none'.",
            param="standard_errors",
        )
    inverse = (vectors / values) @ vectors.T * scale[:, None] * scale
    return np.asarray(inverse if chart is None else chart @ inverse @ chart.T)


def score_table(items: ItemParameters, layout: Layout) -> Floats:
    """Differentiate log P(category) at the nodes in the native parameters of the items.

    Parameters
    ----------
    items : ItemParameters
        The items.
    layout : Layout
        What is free.

    Returns
    -------
    ndarray of shape (n_nodes, n_categories, n_most_native)
        Derivatives, zero beyond an item's own parameters.
    """
    nodes = layout.nodes
    chance = probability_table(items, nodes)
    kinds, native = items.kinds, items.native
    sizes = native_sizes(kinds, items.n_steps)
    out = np.zeros((len(nodes), items.n_categories, int(sizes.max())))
    form = (kinds, items.offset, items.n_steps)
    for item, first in enumerate(items.offset.tolist()):
        steps = int(items.n_steps[item])
        if not layout.plain[item] or kinds[item] != item_families.PARTIAL_CREDIT:
            block = out[:, first : first + steps + 1, : sizes[item]]
            item_families.fill_family_scores(item, form, native, nodes, block)
            continue
        own = chance[first : first + steps + 1].T
        score = np.arange(steps + 1)
        block = out[:, first : first + steps + 1]
        block[:, :, :steps] = np.eye(steps + 1)[None, :, 1:] - own[:, None, 1:]
        if layout.free_slope[item]:
            block[:, :, steps] = nodes[:, None] * (score - (own @ score)[:, None])
    return out


def _group_scores(layout: Layout, mean: float, sd: float) -> Floats:
    """Derivatives of the log density of the nodes in mean and standard deviation."""
    z = (layout.nodes - mean) / sd
    return np.column_stack([z / sd, (z * z - 1.0) / sd])


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


def _add_students(
    data: ResponseData,
    packs: Packs,
    layout: Layout,
    parameters: tuple[ItemParameters, Floats, Floats],
    slots: Slots,
    sums: _Sums,
    *,
    within: bool,
) -> None:
    """Add all students to the sums, in chunks of like booklets."""
    items, mean, sd = parameters
    table = packed_table(packs, items, layout.nodes)
    prior = pad(normal_prior(layout.nodes, mean, sd), table.shape[1])
    posterior = np.empty((len(data.weight), len(layout.nodes)))
    size = (0,) * table.shape[1]
    response_packs.posterior_pass((packs.indptr, packs.rows), table, prior, data.group, size, 0, posterior)
    scores = score_table(items, layout)
    free = slots.item_sizes > 0
    pattern = np.packbits(data.codes[:, free] >= 0, axis=1)
    order = np.lexsort((*pattern.T[::-1], data.group))
    for group in range(len(data.groups)):
        own = order[data.group[order] == group]
        extra = _group_scores(layout, float(mean[group]), float(sd[group]))
        for first in range(0, len(own), CHUNK):
            students = own[first : first + CHUNK]
            chunk = _Chunk.of(data.codes, students, items, slots, group)
            chunk.add(data, posterior, scores, extra, sums, within=within)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """Students of one group and like booklets, and the parameters that their responses inform."""

    students: NDArray[np.int64]
    items: NDArray[np.int64]
    slot: NDArray[np.int64]
    sizes: NDArray[np.int64]
    columns: NDArray[np.int64]
    group_kept: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        codes: NDArray[np.int8],
        students: NDArray[np.int64],
        items: ItemParameters,
        slots: Slots,
        group: int,
    ) -> _Chunk:
        """Find the free items that these students met."""
        met = np.flatnonzero((codes[students] >= 0).any(axis=0) & (slots.item_sizes > 0))
        sizes = slots.item_sizes[met]
        slot = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64) if len(met) else sizes
        columns = [np.arange(size) + slots.item_slots[j] for j, size in zip(met, sizes, strict=True)]
        own = slots.group_slots[group]
        return cls(
            students=students,
            items=np.column_stack([met, items.offset[met]]).astype(np.int64),
            slot=slot,
            sizes=sizes,
            columns=np.concatenate([*columns, own[own >= 0]]).astype(np.int64),
            group_kept=np.flatnonzero(own >= 0),
        )

    def add(
        self,
        data: ResponseData,
        posterior: Floats,
        scores: Floats,
        extra: Floats,
        sums: _Sums,
        *,
        within: bool,
    ) -> None:
        """Add the chunk's outer products to the sums."""
        weight = data.weight[self.students]
        n_items = int(self.sizes.sum())
        square = np.zeros((len(self.columns),) * 2)
        average = np.zeros((len(self.students), len(self.columns)))
        for q in range(posterior.shape[1]):
            chance = posterior[self.students, q]
            rows = np.flatnonzero(chance > LEAST_POSTERIOR)
            if not len(rows):
                continue
            part = np.empty((len(rows), len(self.columns)))
            root = np.sqrt(chance[rows])
            partial_credit.fill_scores(
                data.codes, self.students[rows], self.items, scores[q], (self.slot, self.sizes), root, part
            )
            part[:, n_items:] = root[:, None] * extra[q, self.group_kept]
            average[rows] += root[:, None] * part
            if within:
                part *= np.sqrt(weight[rows])[:, None]
                square += part.T @ part
        place = np.ix_(self.columns, self.columns)
        sums.within[place] += square
        weighted = average * weight[:, None]
        sums.scores[place] += weighted.T @ average
        sums.squared[place] += weighted.T @ weighted
