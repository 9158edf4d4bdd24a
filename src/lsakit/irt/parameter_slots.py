"""Where each parameter stands in the information matrix, and how free parameters reach there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import CalibrationError
from lsakit.irt.em import Layout
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.models import Floats
from lsakit.irt.native_parameters import native_sizes
from lsakit.kernels import item_families


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


def prior_information(layout: Layout, items: ItemParameters, slots: Slots) -> Floats:
    """Give minus the second derivatives of the log priors.

    Parameters
    ----------
    layout : Layout
        What is free, with its priors.
    items : ItemParameters
        The items.
    slots : Slots
        Rows of the matrix.

    Returns
    -------
    ndarray of shape (n_slots, n_slots)
        A diagonal matrix.
    """
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
