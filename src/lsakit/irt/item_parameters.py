"""Item parameters as arrays, and as the table that users read and publish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import CalibrationError
from lsakit.io.frames import Table, floats, nullable_column, refuse_duplicates, require_columns, strings
from lsakit.irt.models import Floats
from lsakit.irt.native_parameters import (
    kinds_of,
    native_from_reading,
    native_jacobian,
    native_sizes,
    read_native,
    refuse_flat_nominal,
)
from lsakit.kernels.item_families import GUESSING, NOMINAL, PARTIAL_CREDIT

GROUP_MARK = "|"


def _nothing() -> Floats:
    """Give the extra parameters of items that have none."""
    return np.zeros((0, 0))


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
    extra : ndarray of shape (n_items, n_most_extra), optional
        Logit of the lower asymptote of a 3PL item; slopes of the categories above zero of a nominal item. Empty
        where no item has such.
    columns : tuple of str, optional
        Column of the responses of each item, where it is not the item's name.
    groups_of : tuple of tuple of str, optional
        Groups in which each item holds; empty for all. Given where items have parameters of their own by group.
    group_column : str, optional
        Column that names the groups of ``groups_of``.
    """

    names: tuple[str, ...]
    models: tuple[str, ...]
    n_steps: NDArray[np.int64]
    slope: Floats
    intercepts: Floats
    extra: Floats = field(default_factory=_nothing)
    columns: tuple[str, ...] = ()
    groups_of: tuple[tuple[str, ...], ...] = ()
    group_column: str | None = None

    @property
    def offset(self) -> NDArray[np.int64]:
        """First row of each item in a table with one row per category."""
        return np.concatenate([[0], np.cumsum(self.n_steps + 1)[:-1]]).astype(np.int64)

    @property
    def n_categories(self) -> int:
        """Number of categories of all items together."""
        return int((self.n_steps + 1).sum())

    @property
    def kinds(self) -> NDArray[np.int64]:
        """Form of each item's probabilities, as `lsakit.kernels.item_families` numbers them."""
        return kinds_of(self.models)

    @property
    def beyond(self) -> NDArray[np.int64]:
        """Places of the items outside the partial credit family."""
        return np.flatnonzero(self.kinds != PARTIAL_CREDIT).astype(np.int64)

    @property
    def native(self) -> Floats:
        """Native parameters, of shape (n_items, n_most_native), zero beyond an item's own."""
        kinds, steps = self.kinds, self.n_steps
        sizes = native_sizes(kinds, steps)
        out = np.zeros((len(self.names), int(sizes.max(initial=1))))
        for item, own in enumerate(steps.tolist()):
            out[item, :own] = self.intercepts[item, :own]
            if kinds[item] == NOMINAL:
                out[item, own : 2 * own] = self.extra[item, :own]
            else:
                out[item, own] = self.slope[item]
            if kinds[item] == GUESSING:
                out[item, own + 1] = self.extra[item, 0]
        return out

    def with_native(self, native: Floats, places: NDArray[np.int64]) -> ItemParameters:
        """Replace the parameters of some items.

        Parameters
        ----------
        native : ndarray of shape (n_items, n_most_native)
            Native parameters.
        places : ndarray of shape (n_replaced,)
            Places of the items to replace.

        Returns
        -------
        ItemParameters
            New parameters.
        """
        kinds, slope, intercepts, extra = (
            self.kinds,
            self.slope.copy(),
            self.intercepts.copy(),
            self.extra.copy(),
        )
        for item in places.tolist():
            own = int(self.n_steps[item])
            intercepts[item, :own] = native[item, :own]
            if kinds[item] == NOMINAL:
                extra[item, :own] = native[item, own : 2 * own]
                slope[item] = native[item, 2 * own - 1] / own
            else:
                slope[item] = native[item, own]
            if kinds[item] == GUESSING:
                extra[item, 0] = native[item, own + 1]
        return replace(self, slope=slope, intercepts=intercepts, extra=extra)


def empty_extra(kinds: NDArray[np.int64], n_steps: NDArray[np.int64]) -> Floats:
    """Make room for the extra parameters.

    Parameters
    ----------
    kinds : ndarray of shape (n_items,)
        Kinds.
    n_steps : ndarray of shape (n_items,)
        Highest scores.

    Returns
    -------
    ndarray of shape (n_items, n_most_extra)
        Zeros; of shape (0, 0) where no item has extra parameters.
    """
    width = np.where(kinds == NOMINAL, n_steps, np.where(kinds == GUESSING, 1, 0))
    most = int(width.max(initial=0))
    return np.zeros((len(kinds), most)) if most else _nothing()


def take_items(parameters: ItemParameters, places: NDArray[np.int64]) -> ItemParameters:
    """Take some of the items.

    Parameters
    ----------
    parameters : ItemParameters
        The items.
    places : ndarray of shape (n_taken,)
        Their places.

    Returns
    -------
    ItemParameters
        The items taken, in that order.
    """
    chosen = places.tolist()
    return replace(
        parameters,
        names=tuple(parameters.names[j] for j in chosen),
        models=tuple(parameters.models[j] for j in chosen),
        n_steps=parameters.n_steps[places],
        slope=parameters.slope[places],
        intercepts=np.ascontiguousarray(parameters.intercepts[places]),
        extra=parameters.extra[places] if len(parameters.extra) else parameters.extra,
        columns=tuple(parameters.columns[j] for j in chosen) if parameters.columns else (),
        groups_of=tuple(parameters.groups_of[j] for j in chosen) if parameters.groups_of else (),
    )


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
    n_steps = np.maximum((~np.isnan(steps)).sum(axis=1), 1).astype(np.int64)
    models = (
        strings(table, "model", param=param) if "model" in table.columns else _guess_models(slope, n_steps)
    )
    kinds = kinds_of(models)
    guessing = _read_guessing(table, names, kinds, param)
    _refuse(names, slope == 0.0, f"a slope of zero in the table '{param}'")
    shifts = np.nan_to_num(steps)
    _refuse(names, np.abs(shifts.sum(axis=1)) > 1e-4, f"steps that do not sum to zero in the table '{param}'")
    shifts[n_steps == 1] = 0.0
    scores = _read_scores(table, names, kinds, n_steps, param)
    most = max(int(n_steps.max(initial=1)), 1)
    sizes = native_sizes(kinds, n_steps)
    native = np.zeros((len(names), int(sizes.max(initial=1))))
    for item in range(len(names)):
        own = int(n_steps[item])
        native[item, : sizes[item]] = native_from_reading(
            int(kinds[item]),
            float(slope[item]),
            float(difficulty[item]),
            shifts[item, :own],
            float(guessing[item]),
            scores[item, :own],
        )
    blank = ItemParameters(
        names=tuple(names),
        models=tuple(models),
        n_steps=n_steps,
        slope=np.ones(len(names)),
        intercepts=np.zeros((len(names), most)),
        extra=empty_extra(kinds, n_steps),
        **_read_places(table, param),
    )
    return blank.with_native(native, np.arange(len(names)))


def _read_guessing(table: Table, names: Sequence[str], kinds: NDArray[np.int64], param: str) -> Floats:
    """Take the lower asymptotes; only the 3PL has one, and it lies between 0 and 1."""
    is_3pl = kinds == GUESSING
    if "guessing" not in table.columns:
        guessing = np.zeros(len(names))
    else:
        guessing = np.nan_to_num(floats(table, "guessing", param=param, nulls=True))
    _refuse(
        names,
        ~is_3pl & (guessing != 0.0),
        f"a guessing parameter, but are no 3pl items in the table '{param}'",
    )
    outside = is_3pl & ~((guessing > 0.0) & (guessing < 1.0))
    _refuse(names, outside, f"no guessing parameter between 0 and 1, though 3pl, in the table '{param}'")
    return guessing


def _read_scores(
    table: Table, names: Sequence[str], kinds: NDArray[np.int64], n_steps: NDArray[np.int64], param: str
) -> Floats:
    """Take score_1 … of nominal items; the highest category's is its number."""
    most = int(n_steps.max(initial=1))
    out = np.tile(np.arange(1.0, most + 1.0), (len(names), 1))
    for k in range(1, most):
        head = f"score_{k}"
        given = (
            floats(table, head, param=param, nulls=True)
            if head in table.columns
            else np.full(len(names), np.nan)
        )
        wanted = (kinds == NOMINAL) & (n_steps > k)
        _refuse(names, wanted & np.isnan(given), f"no {head}, though nominal, in the table '{param}'")
        out[wanted, k - 1] = given[wanted]
    return out


def _read_places(table: Table, param: str) -> dict[str, Any]:
    """Take the response column and the groups of items that hold in some groups only."""
    if "column" not in table.columns or "groups" not in table.columns:
        return {}
    groups = strings(table, "groups", param=param, nulls=True)
    return {
        "columns": tuple(strings(table, "column", param=param)),
        "groups_of": tuple(tuple(text.split(GROUP_MARK)) if text else () for text in groups),
    }


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
            why="Their probabilities would not be those of the model.",
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
    kinds, native = parameters.kinds, parameters.native
    nominal = kinds == NOMINAL
    refuse_flat_nominal(
        [name for name, flag in zip(parameters.names, nominal.tolist(), strict=True) if flag],
        parameters.slope[nominal],
    )
    wide = most if most > 1 else 0
    n_scores = int(parameters.n_steps[nominal].max(initial=1)) - 1
    values = np.full((len(parameters.names), 3 + most + n_scores), np.nan)
    errors = np.full_like(values, np.nan)
    values[:, 2 + most] = 0.0
    for item, own in enumerate(parameters.n_steps.tolist()):
        size = (
            own + 1 if kinds[item] == PARTIAL_CREDIT else int(native_sizes(kinds, parameters.n_steps)[item])
        )
        vector = native[item, :size]
        slope, difficulty, steps, guessing, scores = read_native(int(kinds[item]), vector, own)
        shown = [0, 1]
        values[item, [0, 1, 2 + most]] = slope, difficulty, guessing
        rows = [0, 1]
        if own > 1:
            values[item, 2 : 2 + own] = steps
            shown += range(2, 2 + own)
            rows += range(2, 2 + own)
        if kinds[item] == GUESSING:
            shown.append(2 + most)
            rows.append(2 + own)
        if nominal[item] and own > 1:
            values[item, 3 + most : 2 + most + own] = scores[:-1]
            shown += range(3 + most, 2 + most + own)
            rows += range(3 + own, 2 + 2 * own)
        if item in covariance:
            jacobian = native_jacobian(int(kinds[item]), vector, own)
            if kinds[item] == PARTIAL_CREDIT:
                jacobian = jacobian[: own + 2]
            spread = np.sqrt(np.maximum(np.diag(jacobian @ covariance[item] @ jacobian.T), 0.0))
            errors[item, shown] = spread[rows]
            if not free_slope[item]:
                errors[item, 0] = np.nan
    return _columns(parameters, values, errors, (wide, most, n_scores)) | {"n": n, "fixed": fixed}


def _columns(
    parameters: ItemParameters, values: Floats, errors: Floats, sizes: tuple[int, int, int]
) -> dict[str, Any]:
    """Name the columns of values and standard errors."""
    wide, most, n_scores = sizes
    places = {"slope": 0, "difficulty": 1} | {f"step_{k + 1}": 2 + k for k in range(wide)}
    scores = {f"score_{k + 1}": 3 + most + k for k in range(n_scores)}
    with_guessing = bool((parameters.kinds == GUESSING).any())
    out: dict[str, Any] = {"item": list(parameters.names), "model": list(parameters.models)}
    for head, place in places.items():
        out[head] = _column(values, place)
    out["guessing"] = np.ascontiguousarray(values[:, 2 + most])
    for head, place in scores.items():
        out[head] = _column(values, place)
    told = places | ({"guessing": 2 + most} if with_guessing else {}) | scores
    for head, place in told.items():
        out[f"se_{head}"] = _column(errors, place)
    if parameters.groups_of:
        out["column"] = list(parameters.columns)
        out["groups"] = [GROUP_MARK.join(groups) or None for groups in parameters.groups_of]
    return out


def _column(table: Floats, place: int) -> Any:
    """Take one column, null where it is not a number."""
    own = np.ascontiguousarray(table[:, place])
    return nullable_column(own, np.isnan(own))
