"""Tidy rows for the standard figures: three cycles, groups, gaps, pairs, with their errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from lsakit.estimation.closed_forms import benjamini_hochberg

Z = 1.959963984540054
HIDDEN = "too_few_students:30"
QUARTERS = ("1", "2", "3", "4")
LEVELS = ("below_1", "level_1", "level_2", "level_3", "level_4", "level_5")
PERCENTILES = {"p05": -160.0, "p25": -65.0, "p50": 1.0, "p75": 68.0, "p95": 162.0}
COLUMNS = {
    "figure_id": pl.String, "population": pl.String, "subject": pl.String, "statistic": pl.String,
    "by": pl.String, "group": pl.String, "n": pl.Int64, "n_schools": pl.Int64, "estimate": pl.Float64,
    "standard_error": pl.Float64, "ci_low": pl.Float64, "ci_high": pl.Float64, "suppressed_because": pl.String,
}  # fmt: skip
FURTHER = {
    "cycle": pl.String, "from_cycle": pl.String, "to_cycle": pl.String, "linking_error": pl.Float64,
    "reference": pl.String, "p_value": pl.Float64,
}  # fmt: skip


def row(statistic: str, by: str, group: str, estimate: float, error: float, **more: Any) -> dict[str, Any]:
    """Make one row; ``hidden=True`` suppresses it as the estimates stage does: counts stay, numbers go."""
    hidden = more.pop("hidden", False)
    made: dict[str, Any] = {
        "figure_id": f"grade5/maths/{statistic}/{by}/{group}"
        + "".join(f"/{value}" for value in more.values()),
        "population": "grade5",
        "subject": "maths",
        "statistic": statistic,
        "by": by,
        "group": group,
        "n": 12 if hidden else 1234,
        "n_schools": 2 if hidden else 56,
        "estimate": None if hidden else estimate,
        "standard_error": None if hidden else error,
        "ci_low": None if hidden else estimate - Z * error,
        "ci_high": None if hidden else estimate + Z * error,
        "suppressed_because": HIDDEN if hidden else None,
    }
    return made | more


def table(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Make the tidy table of some rows."""
    further = {name: kind for name, kind in FURTHER.items() if any(name in made for made in rows)}
    return pl.DataFrame(list(rows), schema={**COLUMNS, **further})


def change(statistic: str, by: str, group: str, estimate: float, error: float, **more: Any) -> dict[str, Any]:
    """Make the row of a change between two cycles (``cycles``), with its linking error (``linking``)."""
    first, last = more.pop("cycles")
    linking = more.pop("linking", 0.0)
    whole = float(np.hypot(error, linking))
    made = row(statistic, by, group, estimate, whole, hidden=more.pop("hidden", False))
    return made | {"from_cycle": str(first), "to_cycle": str(last), "linking_error": linking}


def cycles_of(
    means: dict[str, Sequence[float]],
    by: str,
    *,
    error: float = 2.0,
    years: Sequence[int] = (2020, 2023, 2026),
) -> list[dict[str, Any]]:
    """Make the means of groups over cycles."""
    return [
        row("mean", by, group, value, error, cycle=str(year))
        for group, values in means.items()
        for year, value in zip(years, values, strict=True)
    ]


def changes_of(
    means: dict[str, Sequence[float]],
    by: str,
    *,
    linking: float = 2.2,
    years: Sequence[int] = (2020, 2023, 2026),
) -> list[dict[str, Any]]:
    """Make all changes to the last cycle."""
    return [
        change("mean", by, group, values[-1] - value, 2.8, cycles=(year, years[-1]), linking=linking)
        for group, values in means.items()
        for year, value in zip(years[:-1], values[:-1], strict=True)
    ]


def pairs_of(means: dict[str, float], by: str, *, error: float = 4.0) -> list[dict[str, Any]]:
    """Make every pair once, with its p-value by the normal distribution."""
    from scipy import stats

    groups = sorted(means)
    made = []
    for place, first in enumerate(groups):
        for second in groups[place + 1 :]:
            gap = means[first] - means[second]
            one = row("difference", by, first, gap, error, reference=second)
            made.append(one | {"p_value": float(2 * stats.norm.sf(abs(gap) / error))})
    return made


def discoveries(rows: Sequence[dict[str, Any]]) -> int:
    """Count the pairs that remain at a false discovery rate of 5 %."""
    return int(benjamini_hochberg([one["p_value"] for one in rows], level=0.05).sum())
