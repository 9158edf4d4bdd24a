"""Panelists' entries of a standard setting: rounds, panels, judges, and how far they lie apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.io.frames import Table, floats, nullable_column, require_columns, strings
from lsakit.irt.models import Floats

FEW_JUDGES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """Who said what, in which round, about which level.

    Parameters
    ----------
    judge : list of str of shape (n_entries,)
        Judge.
    panel : list of str of shape (n_entries,)
        Panel of the judge; "all" where there is one.
    round_number : ndarray of shape (n_entries,)
        Round, from 1.
    level : list of str of shape (n_entries,)
        Proficiency level that the cut begins; "cut" where there is one.
    """

    judge: list[str]
    panel: list[str]
    round_number: NDArray[np.int64]
    level: list[str]

    @property
    def n_rounds(self) -> int:
        """The last round."""
        return int(self.round_number.max())

    @property
    def levels(self) -> list[str]:
        """Levels in the order in which they were first named."""
        return list(dict.fromkeys(self.level))


def read_entries(table: Table, param: str) -> Entries:
    """Read judges, panels, rounds and levels.

    Parameters
    ----------
    table : polars.DataFrame
        Column judge; round, panel and level may be there.
    param : str
        What the table is called in a refusal.

    Returns
    -------
    Entries
        One per row.

    Raises
    ------
    EstimationError
        If there is no row, a round is no whole number from 1, or a judge sits on two panels.
    """
    require_columns(table, ["judge"], param=param)
    if table.height == 0:
        raise EstimationError(
            f"The {param} hold no entry.", hint="Give one row per judge and entry.", param=param
        )
    judge = strings(table, "judge", param=param)
    panel = strings(table, "panel", param=param) if "panel" in table.columns else ["all"] * len(judge)
    level = strings(table, "level", param=param) if "level" in table.columns else ["cut"] * len(judge)
    number = floats(table, "round", param=param) if "round" in table.columns else np.ones(len(judge))
    wrong = (number < 1) | (number != np.floor(number))
    if wrong.any():
        raise EstimationError(
            f"The column 'round' of the {param} must hold whole numbers from 1. Got {number[wrong][0]:g}.",
            where=[f"row {row + 1}" for row in np.flatnonzero(wrong).tolist()],
            param="round",
        )
    seats: dict[str, set[str]] = {}
    for name, seat in zip(judge, panel, strict=True):
        seats.setdefault(name, set()).add(seat)
    torn = sorted(name for name, own in seats.items() if len(own) > 1)
    if torn:
        raise EstimationError(
            f"{len(torn)} judges sit on more than one panel.",
            where=torn,
            why="Panels must be independent.",
            hint="Give each judge one panel.",
            param="panel",
        )
    return Entries(judge=judge, panel=panel, round_number=number.astype(np.int64), level=level)


def spread_columns(
    cuts: Mapping[tuple[int, str, str], float], panel_of: Mapping[str, str], *, center: str
) -> dict[str, Any]:
    """Summarize judges' cuts by round and level.

    Parameters
    ----------
    cuts : Mapping of tuple of (int, str, str) to float
        Cut of each round, level and judge.
    panel_of : Mapping of str to str
        Panel of each judge.
    center : str
        "mean" or "median".

    Returns
    -------
    dict of str to array of shape (n_rows,)
        round, level, n_judges, cut, mean, median, sd, se, minimum, maximum, n_panels, se_panels (NaN as missing).
    """
    heads = ("round", "level", "n_judges", "cut", "mean", "median", "sd", "se", "minimum", "maximum")
    out: dict[str, list[Any]] = {head: [] for head in (*heads, "n_panels", "se_panels")}
    keys = list(dict.fromkeys((number, level) for number, level, _ in cuts))
    for number, level in sorted(keys, key=lambda key: key[0]):
        own = {judge: value for (n, name, judge), value in cuts.items() if (n, name) == (number, level)}
        values = np.array(list(own.values()))
        sd = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
        se = sd / float(np.sqrt(len(values))) * (1.0 if center == "mean" else float(np.sqrt(np.pi / 2.0)))
        middle = float(values.mean() if center == "mean" else np.median(values))
        panels = sorted({panel_of[judge] for judge in own})
        means = np.array(
            [np.mean([value for judge, value in own.items() if panel_of[judge] == name]) for name in panels]
        )
        between = float(means.std(ddof=1) / np.sqrt(len(means))) if len(means) > 1 else float("nan")
        row: tuple[Any, ...] = (
            number,
            level,
            len(values),
            middle,
            float(values.mean()),
            float(np.median(values)),
        )
        row += (sd, se, float(values.min()), float(values.max()), len(panels), between)
        for head, value in zip(out, row, strict=True):
            out[head].append(value)
    columns: dict[str, Any] = {}
    for head, listed in out.items():
        if head in ("round", "level", "n_judges", "n_panels"):
            columns[head] = listed
        else:
            numbers = np.array(listed, dtype=float)
            columns[head] = nullable_column(numbers, np.isnan(numbers))
    return columns


def doubts(entries: Entries, last: Mapping[str, Floats]) -> tuple[str, ...]:
    """Say what makes the cuts doubtful.

    Parameters
    ----------
    entries : Entries
        The entries.
    last : Mapping of str to ndarray of shape (n_judges,)
        Judges' cuts of the last round, by level.

    Returns
    -------
    tuple of str
        Sentences.
    """
    out = []
    fewest = min(len(values) for values in last.values())
    if fewest < FEW_JUDGES:
        out.append(f"Only {fewest} judges stand behind a cut; ten or more are wanted.")
    if entries.n_rounds < 2:
        out.append("There was one round; two or more let judges weigh the others' reasons.")
    return tuple(out)
