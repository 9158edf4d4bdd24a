"""Item parameters as arrays, and as the table that users read and publish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import CalibrationError
from lsakit.io.frames import Table, floats, nullable_column, refuse_duplicates, require_columns, strings
from lsakit.irt.models import Floats, from_intercepts, item_model, reading_jacobian, to_intercepts


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemParameters:
    """Parameters of items in the form that the engine uses.

    Parameters
    ----------
    names : tuple of str
        Item names.
    models : tuple of str
        Name of each item's model.
    n_steps : ndarray of shape (n_items,)
        Highest score of each item.
    slope : ndarray of shape (n_items,)
        Slopes, per logit.
    intercepts : ndarray of shape (n_items, n_most_steps)
        Intercepts, logits; zero beyond an item's own steps.
    """

    names: tuple[str, ...]
    models: tuple[str, ...]
    n_steps: NDArray[np.int64]
    slope: Floats
    intercepts: Floats

    @property
    def offset(self) -> NDArray[np.int64]:
        """First row of each item in a table with one row per category."""
        return np.concatenate([[0], np.cumsum(self.n_steps + 1)[:-1]]).astype(np.int64)

    @property
    def n_categories(self) -> int:
        """Number of categories of all items together."""
        return int((self.n_steps + 1).sum())


def read_item_parameters(table: Table, *, param: str = "fixed") -> ItemParameters:
    """Read item parameters from a table in the form of ``cal.items``.

    Parameters
    ----------
    table : polars.DataFrame
        Columns item, slope, difficulty, and step_1 … for items of several steps; model and guessing may
        be there. Logit metric, D = 1.
    param : str, default "fixed"
        What the table is called in a refusal.

    Returns
    -------
    ItemParameters
        The parameters.

    Raises
    ------
    CalibrationError
        If steps do not sum to zero, a slope is zero, or a guessing parameter is not.
    TableError
        If a column is absent or not numeric, or an item stands twice.
    """
    require_columns(table, ["item", "slope", "difficulty"], param=param)
    refuse_duplicates(table, "item", param=param)
    names = strings(table, "item", param=param)
    slope = floats(table, "slope", param=param)
    difficulty = floats(table, "difficulty", param=param)
    steps = _read_steps(table, param)
    if "guessing" in table.columns:
        guessing = floats(table, "guessing", param=param, nulls=True)
        _refuse(names, np.nan_to_num(guessing) != 0.0, f"a guessing parameter in the table '{param}'")
    _refuse(names, slope == 0.0, f"a slope of zero in the table '{param}'")
    n_steps = np.maximum((~np.isnan(steps)).sum(axis=1), 1)
    shifts = np.nan_to_num(steps)
    _refuse(names, np.abs(shifts.sum(axis=1)) > 1e-4, f"steps that do not sum to zero in the table '{param}'")
    shifts[n_steps == 1] = 0.0
    intercepts = np.zeros((len(names), max(int(n_steps.max(initial=1)), 1)))
    for item in range(len(names)):
        own = int(n_steps[item])
        intercepts[item, :own] = to_intercepts(float(slope[item]), float(difficulty[item]), shifts[item], own)
    models = (
        strings(table, "model", param=param) if "model" in table.columns else _guess_models(slope, n_steps)
    )
    for model in models:
        item_model(model)
    return ItemParameters(
        names=tuple(names),
        models=tuple(models),
        n_steps=n_steps.astype(np.int64),
        slope=slope,
        intercepts=intercepts,
    )


def _read_steps(table: Table, param: str) -> Floats:
    """Take step_1 … as a matrix with NaN where an item has no such step."""
    columns: list[Floats] = []
    while f"step_{len(columns) + 1}" in table.columns:
        columns.append(floats(table, f"step_{len(columns) + 1}", param=param, nulls=True))
    return np.column_stack(columns) if columns else np.full((table.height, 1), np.nan)


def _guess_models(slope: Floats, n_steps: NDArray[Any]) -> list[str]:
    """Name the model of items given without one."""
    return [
        ("rasch" if steps == 1 else "pcm") if one == 1.0 else ("2pl" if steps == 1 else "gpcm")
        for one, steps in zip(slope.tolist(), n_steps.tolist(), strict=True)
    ]


def _refuse(names: Sequence[str], bad: NDArray[np.bool_], what: str) -> None:
    """Refuse marked items by name."""
    if bad.any():
        where = [names[place] for place in np.flatnonzero(bad).tolist()]
        raise CalibrationError(
            f"{len(where)} items have {what}.",
            where=where,
            why="The models here are those of the generalised partial credit family.",
            hint="Correct the parameters or leave these items out.",
            param=what.split("'")[1],
        )


def write_item_parameters(
    parameters: ItemParameters,
    *,
    covariance: dict[int, Floats],
    free_slope: NDArray[np.bool_],
    fixed: NDArray[np.bool_],
    n: NDArray[Any],
) -> dict[str, Any]:
    """Write the columns of ``cal.items``.

    Parameters
    ----------
    parameters : ItemParameters
        The items.
    covariance : dict of int to ndarray of shape (n_steps + 1, n_steps + 1)
        Sampling covariance of (intercepts, slope) of each item that was estimated; an item's place is the key.
    free_slope : ndarray of shape (n_items,)
        Whether the slope was estimated.
    fixed : ndarray of shape (n_items,)
        Whether the item was held fixed.
    n : ndarray of shape (n_items,)
        Number of students whose response counts.

    Returns
    -------
    dict of str to array of shape (n_items,)
        Columns item, model, slope, difficulty, step_1 …, guessing, their standard errors, n, fixed.
    """
    most = int(parameters.n_steps.max())
    wide = most if most > 1 else 0
    values = np.full((len(parameters.names), 2 + most), np.nan)
    errors = np.full_like(values, np.nan)
    for item, own in enumerate(parameters.n_steps.tolist()):
        slope, intercepts = float(parameters.slope[item]), parameters.intercepts[item, :own]
        difficulty, steps = from_intercepts(slope, intercepts)
        values[item, 0], values[item, 1] = slope, difficulty
        if own > 1:
            values[item, 2 : 2 + own] = steps
        if item in covariance:
            jacobian = reading_jacobian(slope, intercepts)
            spread = np.sqrt(np.diag(jacobian @ covariance[item] @ jacobian.T))
            shown = 2 + own if own > 1 else 2
            errors[item, :shown] = spread[:shown]
            if not free_slope[item]:
                errors[item, 0] = np.nan
    heads = ["slope", "difficulty", *(f"step_{k + 1}" for k in range(wide))]
    out: dict[str, Any] = {"item": list(parameters.names), "model": list(parameters.models)}
    for place, head in enumerate(heads):
        out[head] = nullable_column(values[:, place], np.isnan(values[:, place]))
    out["guessing"] = np.zeros(len(parameters.names))
    for place, head in enumerate(heads):
        out[f"se_{head}"] = nullable_column(errors[:, place], np.isnan(errors[:, place]))
    out["n"] = n
    out["fixed"] = fixed
    return out
