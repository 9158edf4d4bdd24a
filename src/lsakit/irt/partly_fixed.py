"""Items of which some parameters are held fixed and the others estimated.

What can be held is in docs/algorithms/item_models.md, "Fixed parameters". All of it is linear in the native parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import CalibrationError
from lsakit.io.frames import Table, floats, refuse_duplicates, require_columns, strings
from lsakit.irt.models import Floats, item_model
from lsakit.irt.shared_parameters import Binding
from lsakit.kernels.item_families import GRADED, GUESSING, NOMINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class PartlyFixed:
    """What of an item is held.

    Parameters
    ----------
    name : str
        Item.
    model : str or None
        Its model, where the table says.
    slope : float or None
        Slope; None where free.
    difficulty : float or None
        Difficulty, logits; None where free.
    steps : tuple of float or None
        Steps that sum to zero, logits; None where free, or where the item has two categories.
    guessing : float or None
        Lower asymptote; None where free.
    """

    name: str
    model: str | None
    slope: float | None
    difficulty: float | None
    steps: tuple[float, ...] | None
    guessing: float | None

    @property
    def held(self) -> tuple[str, ...]:
        """Names of the columns whose values are held."""
        parts = {"slope": self.slope, "difficulty": self.difficulty, "guessing": self.guessing}
        steps = tuple(f"step_{k + 1}" for k in range(len(self.steps or ())))
        return (*(name for name, value in parts.items() if value is not None), *steps)


def split_fixed(table: Table, *, param: str = "fixed") -> tuple[Table | None, dict[str, PartlyFixed]]:
    """Tell items held whole from items of which some parameters are empty.

    Parameters
    ----------
    table : polars.DataFrame
        Item parameters in the form of ``cal.items``; an empty slope, difficulty or guessing is free.
    param : str, default "fixed"
        What the table is called in a refusal.

    Returns
    -------
    whole : polars.DataFrame or None
        Rows without an empty slope or difficulty; None where there are none.
    partly : dict of str to PartlyFixed
        The others.

    Raises
    ------
    CalibrationError
        If nothing of an item is held, or steps do not sum to zero.
    TableError
        If a column is absent or not numeric, or an item stands twice.
    """
    require_columns(table, ["item", "slope", "difficulty"], param=param)
    refuse_duplicates(table, "item", param=param)
    names = strings(table, "item", param=param)
    models = (
        strings(table, "model", param=param, nulls=True) if "model" in table.columns else [""] * len(names)
    )
    slope, difficulty = (floats(table, name, param=param, nulls=True) for name in ("slope", "difficulty"))
    guessing = np.full(len(names), np.nan)
    if "guessing" in table.columns:
        guessing = floats(table, "guessing", param=param, nulls=True)
    three = np.array([name == "3pl" for name in models])
    is_partly = np.isnan(slope) | np.isnan(difficulty) | (three & np.isnan(guessing))
    heads = [name for name in table.columns if name.startswith("step_")]
    steps = {name: floats(table, name, param=param, nulls=True) for name in heads}
    partly = {}
    for row in np.flatnonzero(is_partly).tolist():
        own = [float(steps[name][row]) for name in heads if not np.isnan(steps[name][row])]
        partly[names[row]] = PartlyFixed(
            name=names[row],
            model=models[row] or None,
            slope=_known(slope[row]),
            difficulty=_known(difficulty[row]),
            steps=tuple(own) or None,
            guessing=_known(guessing[row]) if three[row] else None,
        )
    _refuse_rows(partly.values(), param)
    rows = np.flatnonzero(~is_partly).tolist()
    return (table[rows] if rows else None), partly


def _known(value: float) -> float | None:
    """Give a number, or None where it is missing."""
    return None if np.isnan(value) else float(value)


def _refuse_rows(partly: object, param: str) -> None:
    """Refuse rows that hold nothing, or steps that do not sum to zero."""
    given = list(partly)  # type: ignore[call-overload]
    for bad, what in (
        ([own.name for own in given if not own.held], "have neither slope, difficulty, guessing nor steps"),
        (
            [own.name for own in given if own.steps and abs(sum(own.steps)) > 1e-4],
            "have steps that do not sum to zero",
        ),
        ([own.name for own in given if own.slope == 0.0], "have a slope of zero"),
    ):
        if bad:
            raise CalibrationError(
                f"{len(bad)} items of the table '{param}' {what}.",
                where=bad,
                hint="Leave the row out where nothing is held; an empty cell is estimated.",
                param=param,
            )


def refuse_impossible(own: PartlyFixed, kind: int, model: str, n_steps: int) -> None:
    """Refuse what the item's model does not have, or what does not go with its data.

    Parameters
    ----------
    own : PartlyFixed
        What is held.
    kind : int
        Form of the item's probabilities.
    model : str
        Its model.
    n_steps : int
        Its highest score in the responses.

    Raises
    ------
    CalibrationError
        If it cannot be held.
    """
    reason = ""
    if kind == NOMINAL or model == "rsm":
        reason = f"a {model} item is held whole or not at all"
    elif own.slope not in (None, 1.0) and not item_model(model).free_slope:
        reason = f"the slope of a {model} item is 1"
    elif own.steps is not None and len(own.steps) != n_steps:
        reason = f"it has {len(own.steps)} steps in the table and {n_steps} in the responses"
    elif own.guessing is not None and not 0.0 < own.guessing < 1.0:
        reason = "guessing lies between 0 and 1"
    elif kind == GUESSING and own.difficulty is not None:
        reason = "the difficulty of a 3pl item is held with its slope and guessing or not at all"
    if reason:
        raise CalibrationError(
            f"The parameters of the item {own.name!r} cannot be held so: {reason}.",
            hint="Fill or empty the cells of its row in 'fixed'.",
            param="fixed",
            where=[own.name],
        )


def binding_of(own: PartlyFixed, place: int, kind: int, start: Floats, n_steps: int) -> Binding | None:
    """Bind an item to what is free of it.

    Parameters
    ----------
    own : PartlyFixed
        What is held.
    place : int
        Place of the item.
    kind : int
        Form of its probabilities.
    start : ndarray of shape (n_native,)
        Native parameters to start from.
    n_steps : int
        Highest score.

    Returns
    -------
    Binding or None
        The binding; None where holding the slope or guessing alone leaves the intercepts free.
    """
    steps = own.steps if n_steps > 1 else (0.0,)
    if own.difficulty is None and (own.steps is None or n_steps == 1):
        return None
    number = np.arange(1.0, n_steps + 1.0)
    one: Floats = np.ones(n_steps)
    factor = one if kind == GRADED else number
    if steps is not None:
        shape = np.asarray(steps) if kind == GRADED else np.cumsum(steps)
        return _with_steps(own, (place, n_steps), shape, factor, start)
    return _with_difficulty(own, (place, n_steps), kind, start)


def _with_steps(
    own: PartlyFixed, where: tuple[int, int], shape: Floats, factor: Floats, start: Floats
) -> Binding:
    """Steps are held: c = a·shape − factor·(a·b), so that a and a·b are what can be free."""
    place, n_steps = where
    rise = np.append(shape, 1.0)
    fall = -np.append(factor, 0.0)
    slope = float(start[n_steps])
    if own.slope is None and own.difficulty is None:
        columns, names = [rise, fall], [f"slope of {own.name}", f"slope times difficulty of {own.name}"]
        values = [slope, -float(start[n_steps - 1]) / float(factor[-1])]
        offset = np.zeros(n_steps + 1)
    elif own.slope is None:
        columns, names, values = (
            [rise + float(own.difficulty or 0.0) * fall],
            [f"slope of {own.name}"],
            [slope],
        )
        offset = np.zeros(n_steps + 1)
    else:
        columns, names = [own.slope * fall], [f"difficulty of {own.name}"]
        values = [-float(start[n_steps - 1]) / (float(factor[-1]) * own.slope)]
        offset = own.slope * rise
    return _bind(place, columns, offset, names, values)


def _with_difficulty(own: PartlyFixed, where: tuple[int, int], kind: int, start: Floats) -> Binding:
    """The difficulty alone is held: the last intercept follows from the slope (and, graded, from the others)."""
    place, n_steps = where
    columns = []
    names = [f"intercept {k + 1} of {own.name}" for k in range(n_steps - 1)]
    for k in range(n_steps - 1):
        column = np.zeros(n_steps + 1)
        column[k] = 1.0
        if kind == GRADED:
            column[n_steps - 1] = -1.0
        columns.append(column)
    last = np.zeros(n_steps + 1)
    last[n_steps - 1], last[n_steps] = -n_steps * float(own.difficulty or 0.0), 1.0
    slope = float(start[n_steps])
    values = [float(value) for value in start[: n_steps - 1]]
    if kind == GRADED:  # thresholds must fall: start them evenly around the difficulty
        values = [
            slope * (0.5 * (n_steps - 1) - k - float(own.difficulty or 0.0)) for k in range(n_steps - 1)
        ]
    return _bind(
        place, [*columns, last], np.zeros(n_steps + 1), [*names, f"slope of {own.name}"], [*values, slope]
    )


def _bind(
    place: int, columns: Sequence[Floats], offset: Floats, names: Sequence[str], values: Sequence[float]
) -> Binding:
    """Put the parts of a binding together."""
    return Binding(
        items=(place,),
        designs=(np.column_stack(columns),),
        offsets=(offset,),
        names=tuple(names),
        start=np.array(values, dtype=float),
    )


def told_moments(partly: Mapping[str, PartlyFixed], names: Sequence[str]) -> tuple[bool, bool]:
    """Say what held difficulties tell of the reference group.

    Parameters
    ----------
    partly : Mapping of str to PartlyFixed
        What is held.
    names : Sequence of str
        Items of the responses.

    Returns
    -------
    tuple of (bool, bool)
        Whether the mean is told (one difficulty), and the spread (two different ones).
    """
    known = {own.difficulty for name, own in partly.items() if name in names and own.difficulty is not None}
    return len(known) > 0, len(known) > 1


def held_errors(partly: Mapping[str, PartlyFixed], names: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Mark the standard errors that do not exist because the value was held.

    Parameters
    ----------
    partly : Mapping of str to PartlyFixed
        What is held.
    names : Sequence of str
        Items of the calibration.

    Returns
    -------
    dict of str to ndarray of shape (n_items,)
        Marks per column of standard errors.
    """
    out: dict[str, NDArray[np.bool_]] = {}
    for place, name in enumerate(names):
        for head in partly[name].held if name in partly else ():
            out.setdefault(f"se_{head}", np.zeros(len(names), dtype=bool))[place] = True
    return out
