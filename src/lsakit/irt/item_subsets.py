"""Some of the items of a calibration, in a wanted order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from lsakit.errors import CalibrationError
from lsakit.irt.item_parameters import ItemParameters


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
    rows = [place[name] for name in names]
    n_items = len(parameters.names)
    changed: dict[str, Any] = {}
    for field in fields(parameters):
        value = getattr(parameters, field.name)
        if isinstance(value, np.ndarray) and value.ndim and value.shape[0] == n_items:
            changed[field.name] = value[rows]
        elif isinstance(value, tuple) and len(value) == n_items:
            changed[field.name] = tuple(value[row] for row in rows)
    return replace(parameters, **changed)
