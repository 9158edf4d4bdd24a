"""Shares of students who reach minimum proficiency, group by group, from the published estimates of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from lsakit.tables.figures import MINIMUM_PROFICIENCY
from lsakit.tables.publication import reason_of
from lsakit.tables.texts import Texts

PLACES = (("nation", "all"), ("gender", "F"), ("gender", "M"), ("area", "urban"), ("area", "rural"))
INDICATORS = {"grade5": "4.1.1 b", "grade9": "4.1.1 c"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareLine:
    """One grade and subject: the share of the nation and of groups, each with its interval or its reason."""

    population: str
    subject: str
    indicator: str
    label: str
    cells: tuple[tuple[str, str, str], ...]


def minimum_shares(estimates: Any, language: str) -> tuple[ShareLine, ...]:
    """Give the shares at or above minimum proficiency of indicator 4.1.1.

    Parameters
    ----------
    estimates : polars.DataFrame
        The published estimates of a run.
    language : str
        ``"vi"`` or ``"en"``.

    Returns
    -------
    tuple of ShareLine
        One per grade and subject; empty where no minimum proficiency was estimated. A cell is the share, its
        interval, and the reason why it is not shown.
    """
    texts = Texts(language)
    table = estimates.filter(pl.col("statistic") == MINIMUM_PROFICIENCY)
    lines = []
    for population, subject in (
        table.select("population", "subject").unique().sort("population", "subject").rows()
    ):
        own = table.filter((pl.col("population") == population) & (pl.col("subject") == subject))
        cells = []
        for by, group in PLACES:
            found = own.filter((pl.col("by") == by) & (pl.col("group") == group)).to_dicts()
            cells.append(_cell(found[0], texts) if found else ("–", "", ""))
        lines.append(
            ShareLine(
                population=population,
                subject=subject,
                indicator=INDICATORS.get(population, "4.1.1"),
                label=f"{texts.subject(population, subject)}, {texts.say(f'population.{population}').lower()}",
                cells=tuple(cells),
            )
        )
    return tuple(lines)


def _cell(row: dict[str, Any], texts: Texts) -> tuple[str, str, str]:
    """Write one share with its interval, or its reason."""
    reason = reason_of(row, texts)
    if reason or row["estimate"] is None:
        return "", "", reason or "–"
    return texts.share(row["estimate"]), f"{texts.share(row['ci_low'])} – {texts.share(row['ci_high'])}", ""
