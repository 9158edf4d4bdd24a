"""Linking two calibrations through common items: the line between the scales, drift, linking error.

Formulas, choices and references: docs/algorithms/linking.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from lsakit.errors import CalibrationError
from lsakit.io.frames import Table, as_table, make_table, nullable_column, with_columns
from lsakit.io.text_columns import text_column
from lsakit.irt.item_parameters import ItemParameters, read_item_parameters
from lsakit.irt.item_subsets import items_named
from lsakit.irt.linking_error import item_linking_error, unit_linking_error
from lsakit.irt.models import Floats
from lsakit.irt.moved_items import difficulties, drift_reason, moved_items, scaled_items, worst_drift
from lsakit.irt.packs import probability_table
from lsakit.kernels.item_families import GUESSING, NOMINAL, PARTIAL_CREDIT

METHODS = ("mean_mean", "mean_sigma", "haebara", "stocking_lord")
FEWEST, ENOUGH = 3, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOptions:
    """How two calibrations are linked.

    Parameters
    ----------
    drop : str, default "drift"
        "drift" (drifting items are dropped, worst first) or "none" (drift is reported only).
    most_shift : float, default 0.5
        Shift of a difficulty beyond which an item drifts, logits.
    most_z : float, default 2.7
        Robust z beyond which it does.
    scaling : float, default 1.0
        The constant D of the parameters; 1.7 for those published on the normal metric.
    n_nodes : int, default 41
        Nodes of the curve methods.
    node_range : float, default 4.0
        They run from minus to plus this, logits of the old scale.
    symmetric : bool, default False
        Whether the curve methods compare on the new scale as well.
    units : Mapping of str to str, optional
        Unit (cluster, stimulus) of each item, for the linking error by unit.
    """

    drop: str = "drift"
    most_shift: float = 0.5
    most_z: float = 2.7
    scaling: float = 1.0
    n_nodes: int = 41
    node_range: float = 4.0
    symmetric: bool = False
    units: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        """Refuse options outside their range."""
        checks = {
            "drop": self.drop in ("drift", "none"),
            "most_shift": self.most_shift > 0.0,
            "most_z": self.most_z > 0.0,
            "scaling": self.scaling > 0.0,
            "n_nodes": self.n_nodes >= 5,
            "node_range": self.node_range > 0.0,
        }
        for name, good in checks.items():
            if not good:
                raise CalibrationError(
                    f"The option {name!r} of a link cannot be {getattr(self, name)!r}.",
                    hint="See LinkOptions for what it accepts.",
                    param=name,
                    got=getattr(self, name),
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The line from the new to the old scale: old = slope · new + intercept.

    Parameters
    ----------
    slope : float
        Old logits per new logit.
    intercept : float
        Old logits at new 0.
    linking_error : float
        Item-based linking error, logits of the old scale.
    unit_linking_error : float or None
        The same by unit; None without units or with fewer than two.
    method : str
        "mean_mean", "mean_sigma", "haebara" or "stocking_lord".
    items : polars.DataFrame
        Per item of either table: status ("linked", "dropped", "old_only", "new_only"), slope_old, slope_new (on the old
        scale), difficulty_old, difficulty_new (on the old scale), shift, robust_z, reason.
    n_items : int
        Items that carry the link.
    is_comparable : bool
        Whether there are at least twenty.
    doubtful : tuple of str
        Sentences on what is in doubt.
    schema : str
        Name and version of this form.
    """

    slope: float
    intercept: float
    linking_error: float
    unit_linking_error: float | None
    method: str
    items: Table
    n_items: int
    is_comparable: bool
    doubtful: tuple[str, ...]
    schema: str = "lsakit.link/1"

    def transform(self, items: Any) -> Table:
        """Put item parameters of the new scale on the old one.

        Parameters
        ----------
        items : table
            Columns slope, difficulty and step_1 …, in the form of ``cal.items``.

        Returns
        -------
        polars.DataFrame
            The same table, its parameters and their standard errors on the old scale.
        """
        return transform_items(items, (self.slope, self.intercept))

    def theta(self, theta: Any) -> Any:
        """Put abilities of the new scale on the old one.

        Parameters
        ----------
        theta : array of shape (n_students,)
            Abilities, logits of the new scale.

        Returns
        -------
        ndarray of shape (n_students,)
            Logits of the old scale.
        """
        return self.slope * np.asarray(theta, dtype=float) + self.intercept


def transform_items(items: Any, line: tuple[float, float]) -> Table:
    """Put item parameters of the new scale on the old one.

    Parameters
    ----------
    items : table
        Columns slope, difficulty and step_1 …, in the form of ``cal.items``.
    line : tuple of (float, float)
        Slope and intercept of the line from the new to the old scale, logits.

    Returns
    -------
    polars.DataFrame
        The same table, its parameters and their standard errors on the old scale.
    """
    rise, shift = line
    table = as_table(items, param="items")
    out: dict[str, Any] = {}
    gaps = _score_gaps(table)
    for name in table.columns:
        plain = name.removeprefix("se_")
        column = table.get_column(name)
        if plain == "slope":
            out[name] = column / rise
        elif plain == "difficulty" or plain.startswith("step_"):
            moved = column * rise
            if name == "difficulty":
                moved = moved + shift
            elif plain in gaps:
                moved = _nominal_step(moved, gaps[plain], None if name.startswith("se_") else shift)
            out[name] = moved
    return with_columns(table, out)


def _nominal_step(moved: Any, gap: Floats, shift: float | None) -> Any:
    """Add what unequal scores add to the step of a nominal item; its standard error is not known any more."""
    values = np.array([np.nan if one is None else one for one in moved.to_list()], dtype=float)
    is_nominal = ~np.isnan(gap)
    values[is_nominal] += np.nan if shift is None else shift * gap[is_nominal]
    return nullable_column(values, np.isnan(values))


def _score_gaps(table: Table) -> dict[str, Floats]:
    """Give 1 less the difference of neighboring scores per step of nominal items; NaN for other items."""
    if "model" not in table.columns or "nominal" not in table.get_column("model").to_list():
        return {}
    items = read_item_parameters(table, param="items")
    out: dict[str, Floats] = {}
    for step in range(1, int(items.n_steps.max()) + 1):
        gap = np.full(len(items.names), np.nan)
        for row in np.flatnonzero((items.kinds == NOMINAL) & (items.n_steps >= step)).tolist():
            scores = items.extra[row, : int(items.n_steps[row])] / items.slope[row]
            gap[row] = 1.0 - float(np.diff(scores, prepend=0.0)[step - 1])
        out[f"step_{step}"] = gap
    return out


def link(
    old_items: Any, new_items: Any, method: str = "stocking_lord", *, options: LinkOptions | None = None
) -> Link:
    """Link a new calibration to an old one through the items that both hold.

    Parameters
    ----------
    old_items : table
        Item parameters on the old scale, in the form of ``cal.items``.
    new_items : table
        Item parameters on the new scale.
    method : str, default "stocking_lord"
        "mean_mean", "mean_sigma", "haebara" or "stocking_lord".
    options : LinkOptions, optional
        Drift, metric, nodes, units.

    Returns
    -------
    Link
        Slope, intercept, linking error, and what became of each item.

    Raises
    ------
    CalibrationError
        If the method is unknown, fewer than three items are common or remain, an item has different numbers of
        points in the two tables or a slope that is not positive, the difficulties do not vary (mean_sigma), or the
        criterion has no minimum.
    TableError
        If a column is absent or an item stands twice.

    References
    ----------
    .. [1] Kolen and Brennan (2014), Test Equating, Scaling, and Linking, 3rd ed., ch. 6.
    .. [2] docs/algorithms/linking.md.

    Examples
    --------
    >>> new = {"item": list("abcd"), "slope": [1.0, 0.8, 1.2, 0.9], "difficulty": [-1.0, -0.2, 0.3, 1.1]}
    >>> old = {"item": list("abcd"), "slope": [0.5, 0.4, 0.6, 0.45], "difficulty": [-1.5, 0.1, 1.1, 2.7]}
    >>> found = link(old, new)
    >>> round(found.slope, 6), round(found.intercept, 6)
    (2.0, 0.5)
    """
    chosen = options or LinkOptions()
    if method not in METHODS:
        raise CalibrationError(
            f"The 'method' parameter must be one of {', '.join(METHODS)}. Got {method!r}.",
            param="method",
            got=method,
        )
    old = read_item_parameters(as_table(old_items, param="old_items"), param="old_items")
    new = read_item_parameters(as_table(new_items, param="new_items"), param="new_items")
    common = [name for name in old.names if name in set(new.names)]
    if len(common) < FEWEST:
        raise CalibrationError(
            f"The two tables share {len(common)} items; a link needs at least {FEWEST}.",
            where=common,
            hint="Check the item names; trend items must keep their identifiers.",
            param="new_items",
            got=len(common),
        )
    pair = (items_named(old, common), items_named(new, common))
    refuse_unlike(common, *pair)
    kept, reasons, line, judged = _without_drift(common, pair, method, chosen)
    shift, _ = judged
    own = shift[kept]
    doubtful = []
    if int(kept.sum()) < ENOUGH:
        doubtful.append(
            f"Only {int(kept.sum())} items carry the link; with fewer than {ENOUGH} a trend is not comparable."
        )
    if not 0.5 <= line[0] <= 2.0:
        doubtful.append(f"The slope of {line[0]:.3f} is far from 1.")
    names = [name for name, stays in zip(common, kept, strict=True) if stays]
    return Link(
        slope=line[0],
        intercept=line[1],
        linking_error=item_linking_error(own),
        unit_linking_error=error_by_unit(names, own, pair[0].n_steps[kept], chosen.units),
        method=method,
        items=_item_table((old, new), common, pair, line, (kept, reasons, judged)),
        n_items=int(kept.sum()),
        is_comparable=int(kept.sum()) >= ENOUGH,
        doubtful=tuple(doubtful),
    )


def refuse_unlike(common: list[str], old: ItemParameters, new: ItemParameters) -> None:
    """Refuse items that differ in kind.

    Parameters
    ----------
    common : list of str
        Names of the common items.
    old : ItemParameters
        Those of the old cycle.
    new : ItemParameters
        Those of the new cycle.

    Raises
    ------
    CalibrationError
        If an item has different numbers of points, a slope that is not positive or models of different forms.
    """
    for bad, what in (
        (old.n_steps != new.n_steps, "have different numbers of score points in the two tables"),
        ((old.slope <= 0.0) | (new.slope <= 0.0), "have a slope that is not positive"),
        (_form(old) != _form(new), "follow models of different forms in the two tables"),
    ):
        if bad.any():
            raise CalibrationError(
                f"{int(bad.sum())} common items {what}.",
                where=[common[row] for row in np.flatnonzero(bad).tolist()],
                hint="Leave them out of the link; an item that changed is not the same item in both cycles.",
                param="new_items",
            )


def _form(items: ItemParameters) -> NDArray[np.int64]:
    """Number the forms of the probabilities; the 3PL is the 2PL with guessing."""
    return np.where(items.kinds == GUESSING, PARTIAL_CREDIT, items.kinds)


def _without_drift(
    common: list[str], pair: tuple[ItemParameters, ItemParameters], method: str, options: LinkOptions
) -> tuple[NDArray[np.bool_], dict[str, str], tuple[float, float], tuple[Floats, Floats]]:
    """Link, drop the item that drifts most, and link again until none does."""
    kept = np.ones(len(common), dtype=bool)
    reasons: dict[str, str] = {}
    while True:
        names = [name for name, stays in zip(common, kept, strict=True) if stays]
        line = _line(items_named(pair[0], names), items_named(pair[1], names), method, options)
        shift = difficulties(moved_items(pair[1], line))[0] - difficulties(pair[0])[0]
        z, drifting, worst = worst_drift(shift, kept, (options.most_shift, options.most_z))
        if options.drop == "none" or worst is None:
            for row in np.flatnonzero(drifting).tolist():
                reasons[common[row]] = "drifts: " + drift_reason(shift[row], z[row], options.most_shift)
            return kept, reasons, line, (shift, z)
        if int(kept.sum()) <= FEWEST:
            raise CalibrationError(
                f"Only {int(kept.sum())} items are left and they still drift.",
                where=names,
                why="Too few items behave alike in both cycles to carry a link.",
                hint="Look at the shifts with LinkOptions(drop='none').",
                param="new_items",
            )
        kept[worst] = False
        reasons[common[worst]] = drift_reason(shift[worst], z[worst], options.most_shift)


def _line(old: ItemParameters, new: ItemParameters, method: str, options: LinkOptions) -> tuple[float, float]:
    """Find slope and intercept."""
    (b_old, steps_old), (b_new, steps_new) = difficulties(old), difficulties(new)
    if method == "mean_sigma":
        x, y = np.concatenate(steps_new), np.concatenate(steps_old)
        if not (x.std() > 1e-12 and y.std() > 1e-12):
            raise CalibrationError(
                "The difficulties of the common items do not vary, so that mean-sigma has no slope.",
                hint="Use 'mean_mean' or a curve method.",
                param="method",
            )
        slope = float(y.std() / x.std())
        return slope, float(y.mean() - slope * x.mean())
    slope = float(new.slope.mean() / old.slope.mean())
    start = (slope, float(b_old.mean() - slope * b_new.mean()))
    return start if method == "mean_mean" else _by_curves(old, new, method, start, options)


def _by_curves(
    old: ItemParameters, new: ItemParameters, method: str, start: tuple[float, float], options: LinkOptions
) -> tuple[float, float]:
    """Minimize the distance of the curves."""
    nodes = np.linspace(-options.node_range, options.node_range, options.n_nodes)
    weight = np.exp(-0.5 * nodes * nodes)
    weight /= weight.sum()
    scores = np.concatenate([np.arange(int(own) + 1, dtype=float) for own in old.n_steps])

    earlier, later = scaled_items(old, options.scaling), scaled_items(new, options.scaling)
    curves = (probability_table(earlier, nodes), probability_table(later, nodes))

    def distance(gap: Floats) -> float:
        if method == "haebara":
            # Two categories: both differ by the same amount, so that one of them is the curve.
            gap = gap * np.where(np.repeat(old.n_steps, old.n_steps + 1) == 1, np.sqrt(0.5), 1.0)[:, None]
            return float((gap * gap).sum(axis=0) @ weight)
        total = scores @ gap
        return float((total * total) @ weight)

    def criterion(line: Floats) -> float:
        rise, shift = float(line[0]), float(line[1])
        if rise < 1e-3:
            return 1e6
        # Items that are moved have at an ability the curves that they had at the ability moved back.
        value = distance(curves[0] - probability_table(later, (nodes - shift) / rise))
        if options.symmetric:
            value += distance(curves[1] - probability_table(earlier, rise * nodes + shift))
        return value

    found = []
    for first in (start, (1.0, 0.0)):
        best = np.array(first)
        for _ in range(2):
            result = minimize(
                criterion,
                best,
                method="Nelder-Mead",
                options={"xatol": 1e-10, "fatol": 1e-16, "maxiter": 2000, "maxfev": 4000},
            )
            best = np.asarray(result.x, dtype=float)
        found.append((float(result.fun), best))
    value, best = min(found, key=lambda one: one[0])
    if not np.isfinite(value) or best[0] < 0.05 or best[0] > 20.0:
        raise CalibrationError(
            f"The curves of the two calibrations have no closest line (slope {best[0]:.3g}).",
            hint="Look at the common items; 'mean_mean' shows their differences.",
            param="method",
        )
    return float(best[0]), float(best[1])


def error_by_unit(
    names: list[str], shift: Floats, points: NDArray[np.int64], units: Mapping[str, str] | None
) -> float | None:
    """Give the linking error by unit.

    Parameters
    ----------
    names : list of str
        Items that carry the link.
    shift : ndarray of shape (n_items,)
        Shifts of their difficulties, logits.
    points : ndarray of shape (n_items,)
        Their highest scores.
    units : Mapping of str to str or None
        Unit of each item.

    Returns
    -------
    float or None
        Linking error, logits; None without units or with fewer than two.

    Raises
    ------
    CalibrationError
        If an item has no unit.
    """
    if units is None:
        return None
    absent = [name for name in names if name not in units]
    if absent:
        raise CalibrationError(
            f"'units' has no entry for {len(absent)} linked items.",
            where=absent,
            hint="Give every trend item its unit; an item alone is a unit of its own.",
            param="units",
        )
    labels = sorted({units[name] for name in names})
    if len(labels) < 2:
        return None
    place = np.array([labels.index(units[name]) for name in names])
    mass = np.bincount(place, weights=points).astype(float)
    mean = np.bincount(place, weights=points * shift) / mass
    return unit_linking_error(mean, mass)


def _item_table(
    both: tuple[ItemParameters, ItemParameters],
    common: list[str],
    pair: tuple[ItemParameters, ItemParameters],
    line: tuple[float, float],
    judged: tuple[NDArray[np.bool_], dict[str, str], tuple[Floats, Floats]],
) -> Table:
    """One row per item of either table."""
    kept, reasons, (shift, z) = judged
    rows: list[dict[str, Any]] = []
    moved = moved_items(pair[1], line)
    b_old, b_new = difficulties(pair[0])[0], difficulties(moved)[0]
    for row, name in enumerate(common):
        rows.append(
            {
                "item": name,
                "status": "linked" if kept[row] else "dropped",
                "slope_old": pair[0].slope[row],
                "slope_new": moved.slope[row],
                "difficulty_old": b_old[row],
                "difficulty_new": b_new[row],
                "shift": shift[row],
                "robust_z": z[row],
                "reason": reasons.get(name),
            }
        )
    for items, status, head in zip(both, ("old_only", "new_only"), ("old", "new"), strict=True):
        own = items if head == "old" else moved_items(items, line)
        difficulty = difficulties(own)[0]
        for row, name in enumerate(own.names):
            if name not in set(common):
                rows.append(
                    {
                        "item": name,
                        "status": status,
                        f"slope_{head}": own.slope[row],
                        f"difficulty_{head}": difficulty[row],
                        "reason": f"not among the {'new' if head == 'old' else 'old'} items",
                    }
                )
    columns: dict[str, Any] = {}
    for head in rows[0]:
        values = [row.get(head) for row in rows]
        if head in ("item", "status", "reason"):
            columns[head] = text_column(values)
        else:
            numbers = np.array([np.nan if value is None else value for value in values], dtype=float)
            columns[head] = nullable_column(numbers, np.isnan(numbers))
    return make_table(columns)
