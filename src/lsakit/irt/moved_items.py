"""Items on another scale: what becomes of their parameters when θ_old = A·θ_new + B, and how far they drifted.

Formulas: docs/algorithms/linking.md.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.models import Floats
from lsakit.irt.native_parameters import native_sizes, read_native
from lsakit.kernels.item_families import GRADED, NOMINAL

Line = tuple[float, float]
LEAST_RANGE = 1e-4


def moved_items(items: ItemParameters, line: Line) -> ItemParameters:
    """Put items on the old scale.

    Parameters
    ----------
    items : ItemParameters
        Items of the new scale.
    line : tuple of (float, float)
        Slope and intercept of the line from the new to the old scale, logits.

    Returns
    -------
    ItemParameters
        The same items, with the same probabilities at the same students.
    """
    rise, shift = line
    native, kinds = items.native.copy(), items.kinds
    for item, steps in enumerate(items.n_steps.tolist()):
        if kinds[item] == NOMINAL:
            slopes = native[item, steps : 2 * steps] / rise
            native[item, steps : 2 * steps] = slopes
        else:
            native[item, steps] /= rise
            factor = 1.0 if kinds[item] == GRADED else np.arange(1.0, steps + 1.0)
            slopes = factor * native[item, steps]
        native[item, :steps] -= slopes * shift
    return items.with_native(native, np.arange(len(items.names)))


def scaled_items(items: ItemParameters, scaling: float) -> ItemParameters:
    """Multiply the constant D into slopes and intercepts.

    Parameters
    ----------
    items : ItemParameters
        Items whose parameters are meant with the constant D.
    scaling : float
        The constant D, dimensionless.

    Returns
    -------
    ItemParameters
        The same items with D = 1.
    """
    extra = items.extra
    if extra.size:
        extra = np.where((items.kinds == NOMINAL)[:, None], extra * scaling, extra)
    return replace(items, slope=items.slope * scaling, intercepts=items.intercepts * scaling, extra=extra)


def difficulties(items: ItemParameters) -> tuple[Floats, list[Floats]]:
    """Give the difficulty of each item, and the locations of its steps.

    Parameters
    ----------
    items : ItemParameters
        The items.

    Returns
    -------
    difficulty : ndarray of shape (n_items,)
        Difficulties, logits.
    locations : list of ndarray of shape (n_steps,)
        Difficulty less step of each item, logits; thresholds of a graded item. Of a nominal item the difficulty alone,
        since its steps do not move in a line with the scale.
    """
    kinds, native = items.kinds, items.native
    sizes = native_sizes(kinds, items.n_steps)
    found = [
        read_native(int(kinds[j]), native[j, : sizes[j]], int(items.n_steps[j]))[1:3]
        for j in range(len(items.names))
    ]
    locations = [
        np.array([one]) if kind == NOMINAL else one - steps
        for (one, steps), kind in zip(found, kinds.tolist(), strict=True)
    ]
    return np.array([one for one, _ in found]), locations


def robust_z(shift: Floats, kept: NDArray[np.bool_]) -> Floats:
    """Measure shifts from their median in units of the interquartile range.

    Parameters
    ----------
    shift : ndarray of shape (n_items,)
        Shifts of difficulty, logits.
    kept : ndarray of shape (n_items,)
        Items that median and range are taken over.

    Returns
    -------
    ndarray of shape (n_items,)
        Robust z, dimensionless; 0 where the range is below 10⁻⁴ logits, which is no more than where iterations stop.
    """
    low, middle, high = np.quantile(shift[kept], [0.25, 0.5, 0.75])
    width = 0.74 * float(high - low)
    return np.asarray((shift - middle) / width) if width > LEAST_RANGE else np.zeros(len(shift))


def worst_drift(
    shift: Floats, kept: NDArray[np.bool_], limits: tuple[float, float]
) -> tuple[Floats, NDArray[np.bool_], int | None]:
    """Judge which items drift.

    Parameters
    ----------
    shift : ndarray of shape (n_items,)
        Difficulty on the old scale, new less old, logits.
    kept : ndarray of shape (n_items,)
        Items that carry the link.
    limits : tuple of (float, float)
        Shift (logits) and robust z beyond which an item drifts.

    Returns
    -------
    z : ndarray of shape (n_items,)
        Robust z.
    drifting : ndarray of shape (n_items,)
        Items that carry the link and drift.
    worst : int or None
        The one that drifts most.
    """
    z = robust_z(shift, kept)
    drifting = kept & ((np.abs(shift) > limits[0]) | (np.abs(z) > limits[1]))
    size = np.maximum(np.abs(shift) / limits[0], np.abs(z) / limits[1])
    worst = int(np.argmax(np.where(drifting, size, -1.0))) if drifting.any() else None
    return z, drifting, worst


def drift_reason(shift: float, z: float, most_shift: float) -> str:
    """Say why an item drifts.

    Parameters
    ----------
    shift : float
        Shift, logits.
    z : float
        Robust z.
    most_shift : float
        Shift beyond which an item drifts, logits.

    Returns
    -------
    str
        A phrase.
    """
    if abs(shift) > most_shift:
        return f"shift {shift:+.3f} logits"
    return f"robust z {z:+.2f} (shift {shift:+.3f} logits)"
