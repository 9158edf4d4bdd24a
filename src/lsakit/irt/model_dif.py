"""Differential item functioning by an item response model: likelihood ratios and Wald tests.

Formulas and references: docs/algorithms/differential_item_functioning.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from lsakit.errors import CalibrationError, ConvergenceError
from lsakit.io.frames import Table, make_table, nullable_column
from lsakit.irt.calibration import Calibration, CalibrationOptions, calibrate
from lsakit.irt.models import Floats
from lsakit.irt.packs import normal_prior, probability_table

SMALL, LARGE = 0.43, 0.64
SIGNIFICANT = 0.05
GROUP = "__group"
ROLES = ("reference", "focal")  # alphabetical order would make the focal group the reference of the scale
MARK = " / "
NO_SLOPE = 0.2
NO_FREE_SLOPE = ("rasch", "1pl", "pcm", "rsm")
CURVE_SMALL, CURVE_LARGE = 0.10, 0.12
LR_COLUMNS = (
    "item",
    "statistic",
    "df",
    "p",
    "difference",
    "signed_difference",
    "unsigned_difference",
    "curve_difference",
    "size_class",
)


def _split(item: str, role: str) -> str:
    """Name the item of one group."""
    return item + MARK + role


def _plain(name: str) -> str:
    """Name the item that a split one stands for."""
    return name.rpartition(MARK)[0] if name.endswith(tuple(MARK + role for role in ROLES)) else name


def _is_flat(weight: Floats) -> bool:
    """Tell whether all weights are alike."""
    return bool(np.all(weight == weight[0]))


def split_columns(
    codes: NDArray[np.int8], items: Sequence[str], focal: NDArray[np.int64], split: Sequence[str]
) -> dict[str, Any]:
    """Make an item two items, one for each group.

    Parameters
    ----------
    codes : ndarray of shape (n_items, n_students)
        Scores; −1 where there is none.
    items : Sequence of str of shape (n_items,)
        Item names.
    focal : ndarray of shape (n_students,)
        1 in the focal group, 0 in the reference group.
    split : Sequence of str
        Items to split.

    Returns
    -------
    dict of str to array of shape (n_students,)
        One column per item; a split one has two, each empty for the other group.
    """
    columns: dict[str, Any] = {}
    for place, name in enumerate(items):
        own = codes[place].astype(np.int64)
        if name not in split:
            columns[name] = nullable_column(own, own < 0)
            continue
        for number, role in enumerate(ROLES):
            columns[_split(name, role)] = nullable_column(own, (own < 0) | (focal != number))
    return columns


def likelihood_ratio_dif(
    source: tuple[NDArray[np.int8], tuple[str, ...], NDArray[np.int64], Floats],
    model: str | Mapping[str, str],
    *,
    studied: Sequence[str],
    anchor: Sequence[str],
    options: CalibrationOptions,
) -> dict[str, Any]:
    """Free one item at a time in both groups.

    Parameters
    ----------
    source : tuple of arrays
        Scores of shape (n_items, n_students), item names, focal group (1) and weights of shape (n_students,).
    model : str or Mapping of str to str
        Model of the items.
    studied : Sequence of str
        Items to test.
    anchor : Sequence of str
        Items held equal; the others but the studied one are left out of the calibration.
    options : CalibrationOptions
        How to calibrate.

    Returns
    -------
    dict of str to array of shape (n_studied,)
        item, statistic, df, p, difference (difficulty of the reference less the focal group, logits; NaN where a
        slope is below .2), signed_difference, unsigned_difference and curve_difference (expected shares of the
        highest score, focal minus reference: mean, mean absolute value and root of the mean square over the
        focal group), size_class, undefined_because (an item that cannot be calibrated in one of the groups).
    """
    codes, items, focal, weight = source
    own = replace(options, standard_errors="none", reference_group=ROLES[0])
    rows: dict[str, list[Any]] = {name: [] for name in (*LR_COLUMNS, "undefined_because")}
    equal: dict[tuple[str, ...], Calibration] = {}
    for name in studied:
        used = tuple(one for one in items if one in anchor or one == name)
        if used not in equal:
            equal[used] = _calibrate(codes, items, focal, weight, (used, ()), model, own)
        try:
            free = _calibrate(codes, items, focal, weight, (used, (name,)), model, own)
            values = (name, *_compared(equal[used], free, name, _has_free_slope(model, name)), None)
        except (CalibrationError, ConvergenceError) as refusal:
            # One group alone may lack a category of the item; the other items still have their answer.
            values = (name, *(float("nan"),) * 7, "", refusal.sentence)
        for head, value in zip(rows, values, strict=True):
            rows[head].append(value)
    return {name: list(values) for name, values in rows.items()}


def _compared(equal: Calibration, free: Calibration, name: str, by_curve: bool) -> tuple[Any, ...]:
    """Give test, sizes and class of one item."""
    statistic = max(2.0 * (free.loglik - equal.loglik), 0.0)
    df = free.n_parameters - equal.n_parameters
    p = float(chi2.sf(statistic, df))
    difference, signed, unsigned, root = _sizes(free, name)
    letter = curve_class(root, signed, p) if by_curve else size_class(difference, p)
    return statistic, df, p, difference, signed, unsigned, root, letter


def size_class(difference: float, p: float) -> str:
    """Give the class of a difference of difficulties.

    Parameters
    ----------
    difference : float
        Difference, logits; above 0 easier for the focal group.
    p : float
        Probability of its test.

    Returns
    -------
    str
        "A", "B+", "B-", "C+" or "C-".
    """
    if p >= SIGNIFICANT or abs(difference) < SMALL:
        return "A"
    return ("C" if abs(difference) >= LARGE else "B") + ("+" if difference > 0.0 else "-")


def curve_class(root: float, signed: float, p: float) -> str:
    """Give the class of a difference of expected score curves.

    Parameters
    ----------
    root : float
        Root of the mean squared difference, share of the highest score.
    signed : float
        Mean difference, focal minus reference.
    p : float
        Probability of its test.

    Returns
    -------
    str
        "A", "B+", "B-", "C+" or "C-".
    """
    if p >= SIGNIFICANT or root < CURVE_SMALL:
        return "A"
    return ("C" if root >= CURVE_LARGE else "B") + ("+" if signed > 0.0 else "-")


def _has_free_slope(model: str | Mapping[str, str], name: str) -> bool:
    """Tell whether the model of an item leaves its slope free."""
    own = model if isinstance(model, str) else model[name]
    return own.lower() not in NO_FREE_SLOPE


def _calibrate(
    codes: NDArray[np.int8],
    items: tuple[str, ...],
    focal: NDArray[np.int64],
    weight: Floats,
    which: tuple[Sequence[str], Sequence[str]],
    model: str | Mapping[str, str],
    options: CalibrationOptions,
) -> Calibration:
    """Calibrate some items over both groups, a few of them split."""
    used, split = which
    columns = split_columns(codes, items, focal, split)
    kept = {name: values for name, values in columns.items() if _plain(name) in used}
    kept[GROUP] = [ROLES[number] for number in focal.tolist()]
    own = model if isinstance(model, str) else {name: model[_plain(name)] for name in kept if name != GROUP}
    weights = None if _is_flat(weight) else weight
    return calibrate(make_table(kept), model=own, group=GROUP, weights=weights, options=options)


def _sizes(cal: Calibration, name: str) -> tuple[float, float, float, float]:
    """Difference of difficulties, and of expected scores over the focal group's distribution."""
    row = {item: place for place, item in enumerate(cal.parameters.names)}
    difficulty = cal.items.get_column("difficulty").to_numpy()
    places = [row[_split(name, role)] for role in ROLES]
    nodes = np.linspace(-cal.quadrature[1], cal.quadrature[1], cal.quadrature[0])
    groups = cal.groups.get_column("group").to_list()
    own = groups.index(ROLES[1])
    density = normal_prior(
        nodes, cal.groups.get_column("mean").to_numpy()[[own]], cal.groups.get_column("sd").to_numpy()[[own]]
    )[0]
    table = probability_table(cal.parameters, nodes)
    curves = []
    for place in places:
        first, steps = int(cal.parameters.offset[place]), int(cal.parameters.n_steps[place])
        curves.append(np.arange(steps + 1) @ table[first : first + steps + 1] / steps)
    gap = curves[1] - curves[0]
    difference = float(difficulty[places[0]] - difficulty[places[1]])
    if np.abs(cal.parameters.slope[places]).min() < NO_SLOPE:
        difference = float("nan")  # the difficulty of an item without slope lies anywhere
    mean, root = float(density @ gap), float(np.sqrt(density @ (gap * gap)))
    return difference, mean, float(density @ np.abs(gap)), root


def wald_dif(
    source: tuple[NDArray[np.int8], tuple[str, ...], NDArray[np.int64], Floats],
    model: str | Mapping[str, str],
    *,
    options: CalibrationOptions,
) -> dict[str, Any]:
    """Compare difficulties that were estimated in each group, centered over the items.

    Parameters
    ----------
    source : tuple of arrays
        Scores of shape (n_items, n_students), item names, focal group (1) and weights of shape (n_students,).
    model : str or Mapping of str to str
        Model of the items, without free slopes.
    options : CalibrationOptions
        How to calibrate.

    Returns
    -------
    dict of str to array of shape (n_items,)
        item, difference (logits; above 0 easier for the focal group), se, statistic, df, p, size_class.

    Raises
    ------
    CalibrationError
        If a model has free slopes, or standard errors are switched off.
    """
    codes, items, focal, weight = source
    named = {model} if isinstance(model, str) else set(model.values())
    free = sorted(one for one in named if one.lower() not in NO_FREE_SLOPE)
    if free or options.standard_errors == "none":
        raise CalibrationError(
            f"The Wald test of difficulties needs models without free slope and standard errors. Got "
            f"{', '.join(free) or 'standard_errors=none'}.",
            hint="Use criterion='lr', or model='rasch' or 'pcm'.",
            param="model",
        )
    columns = split_columns(codes, items, focal, items)
    found = []
    for number, role in enumerate(ROLES):
        own = {name: values for name, values in columns.items() if name.endswith(MARK + role)}
        rows = np.flatnonzero(focal == number)
        part: Any = model if isinstance(model, str) else {name: model[_plain(name)] for name in own}
        cal = calibrate(
            make_table(own)[rows.tolist()],
            model=part,
            weights=None if _is_flat(weight) else weight[rows],
            options=replace(options, reference_group=None),
        )
        found.append(_difficulties(cal, items, role))
    difference = found[0][0] - found[1][0]
    se = np.sqrt(found[0][1] ** 2 + found[1][1] ** 2)
    z = difference / se
    p = 2.0 * norm.sf(np.abs(z))
    return {
        "item": list(items),
        "difference": difference,
        "se": se,
        "statistic": z * z,
        "df": np.ones(len(items), dtype=np.int64),
        "p": p,
        "size_class": [
            size_class(one, two) for one, two in zip(difference.tolist(), p.tolist(), strict=True)
        ],
    }


def _difficulties(cal: Calibration, items: Sequence[str], role: str) -> tuple[Floats, Floats]:
    """Centered difficulties and their standard errors in one group."""
    table: Table = cal.items
    place = {name: row for row, name in enumerate(table.get_column("item").to_list())}
    rows = [place[_split(name, role)] for name in items]
    difficulty = table.get_column("difficulty").to_numpy()[rows]
    se = table.get_column("se_difficulty").to_numpy()[rows]
    return difficulty - difficulty.mean(), se
