"""Linking the responses of a second cycle to the scale of the first: fixed parameters with drift, or concurrently.

The procedures stand in docs/algorithms/cycle_linking.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import CalibrationError
from lsakit.io.frames import Table, as_table, make_table, nullable_column
from lsakit.io.text_columns import text_column
from lsakit.irt.calibration import Calibration, calibrate_held, items_from
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.item_subsets import items_named
from lsakit.irt.linking import ENOUGH, FEWEST, error_by_unit, refuse_unlike
from lsakit.irt.linking_error import item_linking_error, robust_spread
from lsakit.irt.models import Floats, item_model
from lsakit.irt.moved_items import Line, difficulties, drift_reason, moved_items, worst_drift
from lsakit.irt.options import CalibrationOptions
from lsakit.irt.plan import Held
from lsakit.irt.response_data import ResponseData, read_responses


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleLinkOptions:
    """How a cycle is linked by fixed parameters.

    Parameters
    ----------
    most_shift : float, default 0.5
        Shift of a difficulty beyond which an item is let go, logits.
    most_z : float, default 2.7
        Robust z beyond which it is.
    on_few : str, default "refuse"
        "refuse" or "report" where fewer than twenty items carry the link at the end.
    units : Mapping of str to str, optional
        Unit of each trend item, for the linking error by unit.
    old_responses : table, optional
        Responses of the old cycle with the same group column, for the linking error of PISA since 2015.
    calibration : CalibrationOptions, optional
        How each calibration is carried out; ``unique`` and ``checkpoint`` are refused.
    """

    most_shift: float = 0.5
    most_z: float = 2.7
    on_few: str = "refuse"
    units: Mapping[str, str] | None = None
    old_responses: Any = None
    calibration: CalibrationOptions = field(default_factory=CalibrationOptions)

    def __post_init__(self) -> None:
        """Refuse options outside their range."""
        checks = {
            "most_shift": self.most_shift > 0.0,
            "most_z": self.most_z > 0.0,
            "on_few": self.on_few in ("refuse", "report"),
            "calibration": not self.calibration.unique and self.calibration.checkpoint is None,
        }
        for name, good in checks.items():
            if not good:
                raise CalibrationError(
                    f"The option {name!r} of a cycle's link cannot be {getattr(self, name)!r}.",
                    hint="See CycleLinkOptions for what it accepts.",
                    param=name,
                    got=getattr(self, name),
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleLink:
    """A cycle on the scale of an earlier one.

    Parameters
    ----------
    calibration : Calibration
        The new cycle on the old scale: trend items held fixed, those let go and new ones estimated.
    items : polars.DataFrame
        Per item of either cycle: status ("linked", "let_go", "old_only", "new_only"), difficulty_old, difficulty_new (as
        it is in the new cycle, on the old scale), shift, robust_z, round (in which it was let go), reason.
    slope : float
        Slope of the line from the freely calibrated to the old scale.
    intercept : float
        Its intercept, logits.
    linking_error : float
        By item, logits of the old scale.
    unit_linking_error : float or None
        By unit; None without units or with fewer than two.
    group_linking_error : float or None
        That of PISA since 2015; None without old responses.
    let_go : tuple of str
        Items that drifted, in the order in which they were let go.
    n_items : int
        Items that carry the link.
    is_comparable : bool
        Whether there are at least twenty.
    n_rounds : int
        Number of calibrations with fixed items.
    doubtful : tuple of str
        Sentences on what is in doubt.
    schema : str
        Name and version of this form.
    """

    calibration: Calibration
    items: Table
    slope: float
    intercept: float
    linking_error: float
    unit_linking_error: float | None
    group_linking_error: float | None
    let_go: tuple[str, ...]
    n_items: int
    is_comparable: bool
    n_rounds: int
    doubtful: tuple[str, ...]
    schema: str = "lsakit.cycle_link/1"


def link_cycle(
    responses: Any,
    old_items: Any,
    model: str | Mapping[str, str] = "gpcm",
    group: str | None = None,
    weights: str | ArrayLike | None = None,
    *,
    items: Sequence[str] | None = None,
    options: CycleLinkOptions | None = None,
) -> CycleLink:
    """Calibrate a new cycle on the scale of an old one, letting go the trend items that drifted.

    Parameters
    ----------
    responses : table
        Scored responses of the new cycle.
    old_items : table or Calibration
        Item parameters of the old cycle, in the form of ``cal.items``.
    model : str or Mapping of str to str, default "gpcm"
        Model of the new items; trend items keep their old models.
    group : str, optional
        Column of the group.
    weights : str or array of shape (n_students,), optional
        Weights, dimensionless.
    items : Sequence of str, optional
        Item columns; by default all but identifiers, group and weights.
    options : CycleLinkOptions, optional
        Limits of drift, units, old responses, calibration.

    Returns
    -------
    CycleLink
        The calibration, what became of each item, and the linking errors.

    Raises
    ------
    CalibrationError
        If fewer than three trend items are common or remain, fewer than twenty remain (unless ``on_few="report"``), a
        trend item has another highest score than before, or the responses cannot identify the model.
    ResponseError
        If a response is no whole number from 0, or above a trend item's highest score.
    ConvergenceError
        If a calibration does not converge.

    References
    ----------
    .. [1] Kolen and Brennan (2014), Test Equating, Scaling, and Linking, 3rd ed., ch. 6.
    .. [2] docs/algorithms/cycle_linking.md.
    """
    chosen = options or CycleLinkOptions()
    old = items_from(old_items, "old_items")
    if old is None:
        raise CalibrationError(
            "The old items are missing.", hint="Give cal.items of the old cycle.", param="old_items"
        )
    data = read_responses(
        as_table(responses, param="responses"),
        items=items,
        group=group,
        weights=weights,
        fractions=chosen.calibration.partly_right,
    )
    common = [name for name in old.names if name in data.items]
    refuse_few(common, len(common), "refuse" if len(common) < FEWEST else "report")
    models = _models(data, old, model)
    work = _Cycle(data=data, old=items_named(old, common), models=models, group=group, options=chosen)
    free, _ = work.calibrate(Held(fixed=None, start=None))
    refuse_unlike(common, work.old, items_named(free.parameters, common))
    return work.run(
        free, old, as_old(chosen.old_responses, group, weights, fractions=chosen.calibration.partly_right)
    )


def _models(data: ResponseData, old: ItemParameters, model: str | Mapping[str, str]) -> dict[str, str]:
    """Give trend items their old models, and the others the model asked for."""
    known = dict(zip(old.names, old.models, strict=True))
    return {
        name: known.get(name) or (model if isinstance(model, str) else model.get(name, ""))
        for name in data.items
    }


def refuse_few(names: Sequence[str], number: int, on_few: str) -> tuple[str, ...]:
    """Refuse, or report, a link of fewer than twenty items.

    Parameters
    ----------
    names : Sequence of str
        Items that carry the link.
    number : int
        How many they are.
    on_few : str
        "refuse" or "report".

    Returns
    -------
    tuple of str
        The sentence to report; empty where there are enough.

    Raises
    ------
    CalibrationError
        If there are too few.
    """
    if number < FEWEST or (number < ENOUGH and on_few == "refuse"):
        raise CalibrationError(
            f"Only {number} common items carry the link: the two sides are not comparable.",
            where=list(names),
            why=f"With fewer than {ENOUGH} common items a trend is reported as not comparable.",
            hint="Check the item names; or ask for the result with on_few='report' (at least three items).",
            param="items",
            got=number,
        )
    if number >= ENOUGH:
        return ()
    return (f"Only {number} items carry the link; with fewer than {ENOUGH} the cycles are not comparable.",)


def as_old(responses: Any, group: str | None, weights: Any, *, fractions: bool) -> ResponseData | None:
    """Read the responses of the old cycle, where they are given.

    Parameters
    ----------
    responses : table or None
        Scored responses.
    group : str or None
        Column of the group.
    weights : str or array of shape (n_students,) or None
        Weights of the new cycle; a column's name is taken in the old one too.
    fractions : bool
        Whether partly right answers are read.

    Returns
    -------
    ResponseData or None
        The responses.
    """
    if responses is None:
        return None
    named = weights if isinstance(weights, str) else None
    return read_responses(
        as_table(responses, param="old_responses"), group=group, weights=named, fractions=fractions
    )


def pooled_moments(
    data: ResponseData, cal: Calibration, among: Sequence[str] | None = None
) -> tuple[float, float]:
    """Give mean and standard deviation of all students under a calibration.

    Parameters
    ----------
    data : ResponseData
        The responses, whose weights count.
    cal : Calibration
        Means and standard deviations of the groups.
    among : Sequence of str, optional
        Groups to pool; all by default.

    Returns
    -------
    tuple of (float, float)
        Mean and standard deviation, logits.
    """
    mass = np.bincount(data.group, weights=data.weight, minlength=len(data.groups))
    if among is not None:
        mass = np.where(np.isin(data.groups, list(among)), mass, 0.0)
    share = mass / mass.sum()
    mean, sd = (cal.groups.get_column(name).to_numpy() for name in ("mean", "sd"))
    center = float(share @ mean)
    return center, float(np.sqrt(share @ (sd**2 + (mean - center) ** 2)))


def line_between(old: tuple[float, float], new: tuple[float, float], *, same_unit: bool) -> Line:
    """Give the line that carries one pair of moments to another.

    Parameters
    ----------
    old : tuple of (float, float)
        Mean and standard deviation on the old scale, logits.
    new : tuple of (float, float)
        Those on the new scale.
    same_unit : bool
        Whether both scales have the same unit (slopes of 1), so that only a shift is between them.

    Returns
    -------
    tuple of (float, float)
        Slope and intercept.
    """
    rise = 1.0 if same_unit else old[1] / new[1]
    return rise, old[0] - rise * new[0]


def group_means(data: ResponseData, items: ItemParameters, options: CalibrationOptions) -> dict[str, float]:
    """Estimate group means with all items fixed.

    Parameters
    ----------
    data : ResponseData
        The responses.
    items : ItemParameters
        Parameters of all their items.
    options : CalibrationOptions
        How to calibrate.

    Returns
    -------
    dict of str to float
        Mean of each group, logits.
    """
    cal = fixed_groups(data, items, options)
    return dict(cal.groups.select("group", "mean").iter_rows())


def fixed_groups(data: ResponseData, items: ItemParameters, options: CalibrationOptions) -> Calibration:
    """Estimate means and standard deviations of groups with all items fixed.

    Parameters
    ----------
    data : ResponseData
        The responses.
    items : ItemParameters
        Parameters of all their items.
    options : CalibrationOptions
        How to calibrate.

    Returns
    -------
    Calibration
        The calibration.
    """
    plain = replace(options, standard_errors="none", start=None, priors=(), unique={})
    absent = [name for name in data.items if name not in items.names]
    if absent:
        raise CalibrationError(
            f"{len(absent)} items of the old responses have no parameters among the old items.",
            where=absent,
            why="The group means of the old cycle are those under its published parameters.",
            hint="Give the parameters of all items of the old cycle, or leave the columns out.",
            param="old_responses",
        )
    return calibrate_held(data, "gpcm", None, Held(fixed=items, start=None), plain)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cycle:
    """The new cycle, and what is known of its trend items."""

    data: ResponseData
    old: ItemParameters
    models: dict[str, str]
    group: str | None
    options: CycleLinkOptions

    def calibrate(self, held: Held, *, method: str = "none") -> tuple[Calibration, ResponseData]:
        """Calibrate the new cycle."""
        options = replace(self.options.calibration, standard_errors=method, unique={})
        if held.fixed is not None:  # priors are of free items
            kept = [name for name in self.data.items if name not in held.fixed.names]
            options = replace(
                options, priors=tuple(p for p in options.priors if not p.items or set(p.items) <= set(kept))
            )
        return calibrate_held(self.data, self.models, self.group, held, options)

    def line(self, free: Calibration, cal: Calibration) -> Line:
        """Give the line from the free to the fixed calibration of the same students."""
        same = not any(item_model(name).free_slope for name in self.models.values())
        moments = (pooled_moments(self.data, cal), pooled_moments(self.data, free))
        return line_between(*moments, same_unit=same)

    def run(self, free: Calibration, every: ItemParameters, old_data: ResponseData | None) -> CycleLink:
        """Let items go one by one until none drifts."""
        options, names = self.options, list(self.old.names)
        new = items_named(free.parameters, names)
        kept = np.ones(len(names), dtype=bool)
        told: dict[str, tuple[int, str]] = {}
        start: ItemParameters | None = None
        groups: Mapping[str, tuple[float, float]] = {}
        while True:
            fixed = items_named(self.old, [name for name, stays in zip(names, kept, strict=True) if stays])
            cal, _ = self.calibrate(Held(fixed=fixed, start=start, groups=groups))
            line = self.line(free, cal)
            shift = difficulties(moved_items(new, line))[0] - difficulties(self.old)[0]
            z, _, worst = worst_drift(shift, kept, (options.most_shift, options.most_z))
            start, groups = cal.parameters, _moments(cal)
            if worst is None:
                break
            kept[worst] = False
            told[names[worst]] = (len(told) + 1, drift_reason(shift[worst], z[worst], options.most_shift))
            refuse_few(
                [name for name, stays in zip(names, kept, strict=True) if stays], int(kept.sum()), "report"
            )
        carriers = [name for name, stays in zip(names, kept, strict=True) if stays]
        doubtful = refuse_few(carriers, len(carriers), options.on_few)
        cal, _ = self.calibrate(
            Held(fixed=fixed, start=start, groups=groups), method=options.calibration.standard_errors
        )
        own = shift[kept]
        return CycleLink(
            calibration=cal,
            items=_item_table(self.data, (every, free.parameters), line, (names, kept, shift, z), told),
            slope=line[0],
            intercept=line[1],
            linking_error=item_linking_error(own),
            unit_linking_error=error_by_unit(carriers, own, fixed.n_steps, options.units),
            group_linking_error=self._group_error(every, moved_items(new, line), old_data),
            let_go=tuple(told),
            n_items=len(carriers),
            is_comparable=not doubtful,
            n_rounds=len(told) + 1,
            doubtful=doubtful,
        )

    def _group_error(
        self, every: ItemParameters, moved: ItemParameters, old_data: ResponseData | None
    ) -> float | None:
        """Compare the group means of the old cycle under the old and the new parameters."""
        if old_data is None:
            return None
        refuse_few_groups(old_data.groups)
        options = self.options.calibration
        published = group_means(old_data, every, options)
        again = group_means(old_data, replaced_items(every, moved), options)
        return robust_spread([again[name] - published[name] for name in old_data.groups])


def refuse_few_groups(groups: Sequence[str]) -> None:
    """Refuse a linking error by group from fewer than three groups.

    Parameters
    ----------
    groups : Sequence of str
        Groups of the old cycle.

    Raises
    ------
    CalibrationError
        If there are fewer than three.
    """
    if len(groups) < 3:
        raise CalibrationError(
            f"The old responses hold {len(groups)} groups; the linking error of PISA since 2015 is a spread over at least 3.",
            hint="Name the group column (provinces, regions), or leave old_responses out.",
            param="old_responses",
            got=len(groups),
        )


def replaced_items(every: ItemParameters, newer: ItemParameters) -> ItemParameters:
    """Replace the parameters of some items.

    Parameters
    ----------
    every : ItemParameters
        All items.
    newer : ItemParameters
        Other parameters of some of them, with the same models.

    Returns
    -------
    ItemParameters
        All items, with the newer parameters where there are any.
    """
    native = every.native
    place = {name: row for row, name in enumerate(every.names)}
    rows = []
    for row, name in enumerate(newer.names):
        own = newer.native[row]
        width = min(len(own), native.shape[1])
        native[place[name], :width] = own[:width]
        rows.append(place[name])
    return every.with_native(native, np.array(sorted(rows), dtype=np.int64))


def _moments(cal: Calibration) -> dict[str, tuple[float, float]]:
    """Means and standard deviations to start the next calibration from."""
    return {name: (mean, sd) for name, mean, sd in cal.groups.select("group", "mean", "sd").iter_rows()}


def _item_table(
    data: ResponseData,
    both: tuple[ItemParameters, ItemParameters],
    line: Line,
    judged: tuple[list[str], NDArray[np.bool_], Floats, Floats],
    told: Mapping[str, tuple[int, str]],
) -> Table:
    """One row per item of either cycle."""
    names, kept, shift, z = judged
    old = dict(zip(both[0].names, difficulties(both[0])[0].tolist(), strict=True))
    moved = moved_items(both[1], line)
    new = dict(zip(moved.names, difficulties(moved)[0].tolist(), strict=True))
    place = {name: row for row, name in enumerate(names)}
    every = [*names, *(name for name in both[0].names if name not in place)]
    every += [name for name in data.items if name not in set(every)]
    status, reason = [], []
    numbers = np.full((len(every), 4), np.nan)
    rounds = np.zeros(len(every), dtype=np.int64)
    for row, name in enumerate(every):
        numbers[row, :2] = old.get(name, np.nan), new.get(name, np.nan)
        if name in place:
            status.append("linked" if kept[place[name]] else "let_go")
            numbers[row, 2:] = shift[place[name]], z[place[name]]
            rounds[row], why = told.get(name, (0, None))
            reason.append(why)
        else:
            status.append("old_only" if name in old else "new_only")
            reason.append(None)
    heads = ("difficulty_old", "difficulty_new", "shift", "robust_z")
    columns = {
        head: nullable_column(np.ascontiguousarray(numbers[:, k]), np.isnan(numbers[:, k]))
        for k, head in enumerate(heads)
    }
    return make_table(
        {
            "item": text_column(every),
            "status": text_column(status),
            **columns,
            "round": nullable_column(rounds, rounds == 0),
            "reason": text_column(reason),
        }
    )
