"""Two cycles calibrated together, items released where they do not fit, the joint scale carried to the published one.

The procedure stands in docs/algorithms/cycle_linking.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import CalibrationError
from lsakit.io.frames import Table, as_table, nullable_column, with_columns
from lsakit.irt.calibration import Calibration, items_from
from lsakit.irt.cycle_linking import (
    fixed_groups,
    line_between,
    pooled_moments,
    refuse_few,
)
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.linking import transform_items
from lsakit.irt.linking_error import robust_spread
from lsakit.irt.models import item_model
from lsakit.irt.moved_items import Line
from lsakit.irt.release import Release, ReleaseOptions, release_data
from lsakit.irt.response_data import ResponseData, read_responses

CYCLES = ("old", "new")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcurrentOptions:
    """How two cycles are calibrated together.

    Parameters
    ----------
    threshold : float, default 0.12
        RMSD above which an item is released in a group of a cycle.
    old_items : table or Calibration, optional
        Published parameters of the old cycle's items; the joint scale is carried to theirs.
    on_few : str, default "refuse"
        "refuse" or "report" where fewer than twenty items are common at the end.
    release : ReleaseOptions, optional
        Alarm, rounds, checkpoint and calibration of the release.
    """

    threshold: float = 0.12
    old_items: Any = None
    on_few: str = "refuse"
    release: ReleaseOptions = field(default_factory=ReleaseOptions)

    def __post_init__(self) -> None:
        """Refuse options outside their range."""
        if self.on_few not in ("refuse", "report") or self.release.fixed is not None:
            name = "on_few" if self.on_few not in ("refuse", "report") else "release"
            raise CalibrationError(
                f"The option {name!r} of a concurrent link cannot be {getattr(self, name)!r}.",
                hint="See ConcurrentOptions for what it accepts; fixed items are for link_cycle.",
                param=name,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcurrentLink:
    """Two cycles on one scale.

    Parameters
    ----------
    release : Release
        The joint calibration with its releases; its scale has mean 0 in the first group.
    items : polars.DataFrame
        Items in the form of ``cal.items``, on the published scale where it is given, else on the joint one.
    groups : polars.DataFrame
        Groups "old", "new" or "old: A" …: mean, sd and standard errors, on the same scale as ``items``.
    common : tuple of str
        Items with a set of parameters that holds in both cycles.
    slope : float
        Slope of the line from the joint to the scale of ``items``; 1 without published parameters.
    intercept : float
        Its intercept, logits.
    group_linking_error : float or None
        That of PISA since 2015, logits; None without published parameters or with fewer than three groups.
    is_comparable : bool
        Whether at least twenty items are common and no alarm rings.
    doubtful : tuple of str
        Sentences on what is in doubt.
    schema : str
        Name and version of this form.
    """

    release: Release
    items: Table
    groups: Table
    common: tuple[str, ...]
    slope: float
    intercept: float
    group_linking_error: float | None
    is_comparable: bool
    doubtful: tuple[str, ...]
    schema: str = "lsakit.concurrent_link/1"


def link_concurrent(
    old_responses: Any,
    new_responses: Any,
    model: str | Mapping[str, str] = "gpcm",
    group: str | None = None,
    weights: str | ArrayLike | None = None,
    *,
    options: ConcurrentOptions | None = None,
) -> ConcurrentLink:
    """Calibrate two cycles together, with common parameters where they hold.

    Parameters
    ----------
    old_responses : table
        Scored responses of the old cycle.
    new_responses : table
        Scored responses of the new cycle; items of the same name are the same.
    model : str or Mapping of str to str, default "gpcm"
        One model for all items, or a mapping from item to model.
    group : str, optional
        Column of the group, in both tables.
    weights : str, optional
        Column of the weights, in both tables, dimensionless.
    options : ConcurrentOptions, optional
        Threshold, published parameters, release.

    Returns
    -------
    ConcurrentLink
        Items and groups of both cycles on one scale, and what is not common.

    Raises
    ------
    CalibrationError
        If fewer than three items are common, fewer than twenty at the end (unless ``on_few="report"``), the alarm rings
        under ``on_alarm="raise"``, or the responses cannot identify the model.
    ResponseError
        If a response is no whole number from 0.
    ConvergenceError
        If a calibration does not converge.

    References
    ----------
    .. [1] OECD (2017), PISA 2015 Technical Report, ch. 9 and 12.
    .. [2] docs/algorithms/cycle_linking.md.
    """
    chosen = options or ConcurrentOptions()
    if weights is not None and not isinstance(weights, str):
        raise CalibrationError(
            "The 'weights' parameter must name a column that both tables have.",
            hint="Put the weights of both cycles into a column of the same name.",
            param="weights",
        )
    sides = [
        read_responses(
            as_table(table, param=name),
            group=group,
            weights=weights,
            fractions=chosen.release.calibration.partly_right,
        )
        for table, name in ((old_responses, "old_responses"), (new_responses, "new_responses"))
    ]
    shared = [name for name in sides[0].items if name in sides[1].items]
    refuse_few(shared, len(shared), "report")
    data = joined_cycles(sides[0], sides[1], has_groups=group is not None)
    found = release_data(data, "cycle", model, chosen.threshold, chosen.release)
    common = tuple(name for name in shared if _is_common(found.calibration.parameters, name, sides))
    doubtful = (*refuse_few(common, len(common), chosen.on_few), *found.alarms)
    line, error = _to_published(sides[0], data, found.calibration, chosen)
    return ConcurrentLink(
        release=found,
        items=transform_items(found.calibration.items, line),
        groups=_moved_groups(found.calibration, line),
        common=common,
        slope=line[0],
        intercept=line[1],
        group_linking_error=error,
        is_comparable=not doubtful,
        doubtful=doubtful,
    )


def joined_cycles(old: ResponseData, new: ResponseData, *, has_groups: bool) -> ResponseData:
    """Put the responses of two cycles under one another.

    Parameters
    ----------
    old : ResponseData
        The old cycle.
    new : ResponseData
        The new cycle.
    has_groups : bool
        Whether the groups within a cycle are kept apart.

    Returns
    -------
    ResponseData
        All students; groups "old" and "new", or "old: A" …
    """
    items = tuple(dict.fromkeys([*old.items, *new.items]))
    place = {name: column for column, name in enumerate(items)}
    codes: NDArray[np.int8] = np.full((len(old.weight) + len(new.weight), len(items)), -1, dtype=np.int8)
    first = 0
    labels: list[str] = []
    for cycle, side in zip(CYCLES, (old, new), strict=True):
        own = slice(first, first + len(side.weight))
        codes[own, [place[name] for name in side.items]] = side.codes
        labels += [f"{cycle}: {name}" if has_groups else cycle for name in side.groups]
        first = own.stop
    partly = _joined_shares(items, (old, new))
    known = tuple(sorted(labels))
    number = np.array([known.index(label) for label in labels], dtype=np.int64)
    weight = np.concatenate([old.weight, new.weight])  # each has mean 1 already
    return replace(
        old,
        items=items,
        codes=codes,
        weight=weight,
        group=np.concatenate([number[old.group], number[len(old.groups) + new.group]]),
        groups=known,
        n_left_out=old.n_left_out + new.n_left_out,
        is_weighted=old.is_weighted or new.is_weighted,
        partly=partly,
    )


def _joined_shares(items: Sequence[str], sides: Sequence[ResponseData]) -> NDArray[np.float64] | None:
    """Join how right partly right answers are; refuse items of which the cycles differ."""
    if all(side.partly is None for side in sides):
        return None
    out = np.zeros(len(items))
    for side in sides:
        for name, share in zip(side.items, [] if side.partly is None else side.partly.tolist(), strict=False):
            place = list(items).index(name)
            if share and out[place] and not np.isclose(share, out[place]):
                raise CalibrationError(
                    f"A partly right answer to {name!r} counts {out[place]:g} in one cycle and {share:g} in the other.",
                    hint="Score both cycles by the same number of options.",
                    param=name,
                )
            out[place] = max(out[place], share)
    return out


def _is_common(items: ItemParameters, name: str, sides: list[ResponseData]) -> bool:
    """Say whether a set of the item holds in a group of each cycle."""
    columns, groups_of = items.columns or items.names, items.groups_of or ((),) * len(items.names)
    for column, groups in zip(columns, groups_of, strict=True):
        if column == name:
            cycles = {label.split(":")[0] for label in groups}
            if not groups or cycles >= set(CYCLES):
                return True
    return False


def _to_published(
    old: ResponseData, data: ResponseData, cal: Calibration, options: ConcurrentOptions
) -> tuple[Line, float | None]:
    """Find the line to the published scale, and how the old groups' means moved."""
    published = items_from(options.old_items, "old_items")
    if published is None:
        return (1.0, 0.0), None
    before = fixed_groups(old, published, options.release.calibration)
    own = [name for name in data.groups if name.split(":")[0] == CYCLES[0]]
    same = not any(item_model(name).free_slope for name in cal.parameters.models)
    line = line_between(pooled_moments(old, before), pooled_moments(data, cal, own), same_unit=same)
    if len(old.groups) < 3:
        return line, None
    after = dict(cal.groups.select("group", "mean").iter_rows())
    was = dict(before.groups.select("group", "mean").iter_rows())
    return line, robust_spread(
        [line[0] * after[f"{CYCLES[0]}: {name}"] + line[1] - was[name] for name in old.groups]
    )


def _moved_groups(cal: Calibration, line: Line) -> Table:
    """Put means and standard deviations on the scale of the items."""
    columns: dict[str, Any] = {}
    for name in ("mean", "sd", "se_mean", "se_sd"):
        values = np.array([np.nan if one is None else one for one in cal.groups.get_column(name).to_list()])
        values = values * line[0] + (line[1] if name == "mean" else 0.0)
        columns[name] = nullable_column(values, np.isnan(values))
    return with_columns(cal.groups, columns)
