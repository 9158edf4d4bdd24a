"""Some of the items of a calibration, in a wanted order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lsakit.errors import CalibrationError
from lsakit.irt.item_parameters import ItemParameters, take_items


def items_named(parameters: ItemParameters, names: Sequence[str]) -> ItemParameters:
    """Take items by name.

    Parameters
    ----------
    parameters : ItemParameters
        The items.
    names : Sequence of str
        Names wanted, in their order.

    Returns
    -------
    ItemParameters
        Those items; every array with one entry per item is cut alike.

    Raises
    ------
    CalibrationError
        If a name is not among the items.
    """
    place = {name: row for row, name in enumerate(parameters.names)}
    absent = [name for name in names if name not in place]
    if absent:
        raise CalibrationError(
            f"{len(absent)} items have no parameters.",
            where=absent,
            hint="Give the calibration that holds them, or leave them out.",
            param="items",
        )
    return take_items(parameters, np.array([place[name] for name in names], dtype=np.int64))
