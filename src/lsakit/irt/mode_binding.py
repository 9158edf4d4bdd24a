"""Items with one slope and two difficulties: the design by which an item's columns of two modes share parameters.

See docs/algorithms/cycle_linking.md, "Mode effects".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lsakit.irt.em import Layout
from lsakit.irt.models import Floats
from lsakit.irt.shared_parameters import Binding
from lsakit.kernels.item_families import GRADED


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftPlaces:
    """Where slopes and shifts stand among the shared parameters.

    Parameters
    ----------
    columns : tuple of str
        Items that have a shift.
    slope : ndarray of shape (n_shifted,)
        Place of each item's slope; −1 where it is held at 1.
    shift : ndarray of shape (n_shifted,)
        Place of each item's τ.
    """

    columns: tuple[str, ...]
    slope: NDArray[np.int64]
    shift: NDArray[np.int64]


def bind_modes(layout: Layout, shifted: tuple[str, ...]) -> tuple[Layout, ShiftPlaces]:
    """Let the two sets of each shifted item differ by a shift of difficulty alone.

    Parameters
    ----------
    layout : Layout
        Layout in which each shifted item has a set per mode, the reference mode's first.
    shifted : tuple of str
        Response columns of the shifted items.

    Returns
    -------
    layout : Layout
        The layout with one binding over all shifted items.
    places : ShiftPlaces
        Where to read slopes and shifts.
    """
    start = layout.start
    columns = start.columns or start.names
    pairs = [tuple(j for j, column in enumerate(columns) if column == name) for name in shifted]
    has_slope = [bool(layout.free_slope[pair[0]]) for pair in pairs]
    sizes = [int(start.n_steps[pair[0]]) + int(own) + 1 for pair, own in zip(pairs, has_slope, strict=True)]
    n_shared = sum(sizes)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    designs: list[Floats] = []
    offsets: list[Floats] = []
    places: list[int] = []
    names: list[str] = []
    values = np.zeros(n_shared)
    for name, pair, own_slope, begin in zip(shifted, pairs, has_slope, first.tolist(), strict=True):
        steps = int(start.n_steps[pair[0]])
        shift = begin + steps + int(own_slope)
        factor = np.ones(steps) if start.kinds[pair[0]] == GRADED else np.arange(1.0, steps + 1.0)
        for place, is_moved in zip(pair, (False, True), strict=True):
            design = np.zeros((steps + 1, n_shared))
            design[np.arange(steps), begin + np.arange(steps)] = 1.0
            if own_slope:
                design[steps, begin + steps] = 1.0
            if is_moved:
                design[:steps, shift] = -factor
            designs.append(design)
            offsets.append(np.append(np.zeros(steps), 0.0 if own_slope else 1.0))
            places.append(place)
        values[begin : begin + steps] = start.intercepts[pair[0], :steps]
        if own_slope:
            values[begin + steps] = start.slope[pair[0]]
        names += [f"intercept {k + 1} of {name}" for k in range(steps)]
        names += [f"slope of {name}"] * own_slope + [f"shift of {name}"]
    binding = Binding(
        items=tuple(places), designs=tuple(designs), offsets=tuple(offsets), names=tuple(names), start=values
    )
    free = layout.native_free.copy()
    if free.size:
        free[places] = False
    native = start.native
    binding.native(values, native)
    bound = replace(
        layout,
        start=start.with_native(native, np.array(places, dtype=np.int64)),
        bindings=(binding,),
        native_free=free if free.any() else np.zeros((0, 0), dtype=bool),
        priors=layout.priors if free.any() else np.zeros((0, 0, 3)),
    )
    steps_of = np.array([int(start.n_steps[pair[0]]) for pair in pairs], dtype=np.int64)
    own = np.array(has_slope, dtype=bool)
    return bound, ShiftPlaces(
        columns=shifted, slope=np.where(own, first + steps_of, -1), shift=first + steps_of + own
    )
