"""Two runs side by side: items in and out, parameters that moved, groups, the values' distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from dienrong.scaling.numeric.results import record, table

KEYS = ("kind", "level", "percentile", "group", "value_of", "statistic", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What changed from one run to another.

    Parameters
    ----------
    entered, left : tuple of str
        Sets of item parameters that only the new or only the old run has ("M1@VN" holds in a group).
    moved : list of dict
        Common items, the most moved first: item, slopes and difficulties of both, and their differences (logits).
    groups : list of dict
        Groups with mean and standard deviation in both runs (logits).
    scale : list of dict
        Figures of the reporting scale in both runs.
    means : list of dict
        Means of plausible values of all students (variable and level empty) and of the subgroups that both runs have:
        variable, level, n (of the new run), old, new, change (points), change_theta (logits).
    n_common : int
        Items that both calibrated.
    largest, mean_absolute : float or None
        Largest and mean absolute difference of difficulty, logits.
    """

    entered: tuple[str, ...]
    left: tuple[str, ...]
    moved: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    scale: list[dict[str, Any]]
    means: list[dict[str, Any]]
    n_common: int
    largest: float | None
    mean_absolute: float | None


def compare_runs(
    old_path: Path,
    old: Mapping[str, str],
    new_path: Path,
    new: Mapping[str, str],
    *,
    groups_by: tuple[str | None, str | None] = (None, None),
) -> Comparison:
    """Compare what two runs left.

    Parameters
    ----------
    old_path, new_path : Path
        Folders of their stores.
    old, new : Mapping of str to str
        Manifest by stage.
    groups_by : tuple of str or None
        Columns of the groups of the calibrations, old and new.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    both = _joined(
        table(old_path, old, "calibration", "item_parameters"),
        table(new_path, new, "calibration", "item_parameters"),
        "item",
        ("slope", "difficulty"),
    )
    common = [one for one in both if one["slope_old"] is not None and one["slope_new"] is not None]
    for one in common:
        for name in ("slope", "difficulty"):
            one[f"{name}_change"] = _difference(one[f"{name}_new"], one[f"{name}_old"])
    moves = [abs(one["difficulty_change"]) for one in common if one["difficulty_change"] is not None]
    groups = _joined(
        table(old_path, old, "calibration", "groups"),
        table(new_path, new, "calibration", "groups"),
        "group",
        ("mean", "sd"),
    )
    for one in groups:
        one["change"] = _difference(one["mean_new"], one["mean_old"])
    before, after = record(old_path, old, "values", "scale"), record(new_path, new, "values", "scale")
    names = [name for name in ("slope", "intercept", "mean", "sd") if name in before or name in after]
    return Comparison(
        entered=tuple(one["item"] for one in both if one["slope_old"] is None),
        left=tuple(one["item"] for one in both if one["slope_new"] is None),
        moved=sorted(common, key=lambda one: -abs(one["difficulty_change"] or 0.0)),
        groups=groups,
        scale=[
            {
                "name": name,
                "old": before.get(name),
                "new": after.get(name),
                "change": _difference(after.get(name), before.get(name)),
            }
            for name in names
        ],
        means=_means_compared(means(old_path, old, groups_by[0]), means(new_path, new, groups_by[1])),
        n_common=len(common),
        largest=max(moves, default=None),
        mean_absolute=sum(moves) / len(moves) if moves else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """Mean of the plausible values of some students: their number, points of the scale, logits."""

    n: int
    points: float
    theta: float


def means(path: Path, manifests: Mapping[str, str], group: str | None) -> dict[tuple[str, str], Mean]:
    """Give the means of plausible values of a run, of all students and by subgroup.

    Parameters
    ----------
    path : Path
        Folder of the store.
    manifests : Mapping of str to str
        Manifest by stage.
    group : str or None
        Column of the groups of the calibration.

    Returns
    -------
    dict of (str, str) to Mean
        By variable and level; ("", "") is everybody. All students and the groups come from the distribution; the other
        subgroups from the check of the population model, which leaves students without any answer out. Empty before values
        are on a scale.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    scale = record(path, manifests, "values", "scale")
    distribution = table(path, manifests, "values", "distribution")
    if not scale or distribution is None:
        return {}
    slope, intercept = float(scale["slope"]), float(scale["intercept"])
    found: dict[tuple[str, str], Mean] = {}
    rows = distribution.filter(pl.col("kind") == "mean").select("group", "n", "value").rows()
    for label, n, points in rows:
        if label is None or group is not None:
            key = ("", "") if label is None else (str(group), str(label))
            found[key] = Mean(n=int(n), points=points, theta=(points - intercept) / slope)
    subgroups = table(path, manifests, "population", "subgroups")
    for row in [] if subgroups is None else subgroups.iter_rows(named=True):
        key = (str(row["variable"]), "" if row["level"] is None else str(row["level"]))
        theta = float(row["mean_pv"])
        found.setdefault(key, Mean(n=int(row["n"]), points=intercept + slope * theta, theta=theta))
    return found


def _means_compared(
    old: Mapping[tuple[str, str], Mean], new: Mapping[tuple[str, str], Mean]
) -> list[dict[str, Any]]:
    """Put the means that both runs have side by side, in the order of the new run."""
    return [
        {
            "variable": variable,
            "level": level,
            "n": own.n,
            "old": old[(variable, level)].points,
            "new": own.points,
            "change": own.points - old[(variable, level)].points,
            "change_theta": own.theta - old[(variable, level)].theta,
        }
        for (variable, level), own in new.items()
        if (variable, level) in old
    ]


def _difference(new: Any, old: Any) -> float | None:
    """Subtract, where both are numbers."""
    return None if new is None or old is None else float(new) - float(old)


def _joined(
    old: pl.DataFrame | None, new: pl.DataFrame | None, key: str, values: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Join two tables by a key; what one of them lacks is None. The order is that of the new table."""

    def rows(found: pl.DataFrame | None) -> dict[str, dict[str, Any]]:
        return {} if found is None else {str(one[key]): one for one in found.iter_rows(named=True)}

    before, after = rows(old), rows(new)
    return [
        {
            key: name,
            **{f"{value}_old": before.get(name, {}).get(value) for value in values},
            **{f"{value}_new": after.get(name, {}).get(value) for value in values},
        }
        for name in [*after, *(one for one in before if one not in after)]
    ]
