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
    n_common: int
    largest: float | None
    mean_absolute: float | None


def compare_runs(
    old_path: Path, old: Mapping[str, str], new_path: Path, new: Mapping[str, str]
) -> Comparison:
    """Compare what two runs left.

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
        n_common=len(common),
        largest=max(moves, default=None),
        mean_absolute=sum(moves) / len(moves) if moves else None,
    )


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
