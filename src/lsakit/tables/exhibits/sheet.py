"""What every exhibit and sentence of one report shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lsakit.tables.publication import PublicationTable, Row, one
from lsakit.tables.report_parts import ReportCycle
from lsakit.tables.standard_figures import Scope
from lsakit.tables.texts import Texts

NATION, ALL = "nation", "all"
EARLIER, CHANGE = "earlier_", "change_"
Cell = tuple[str, float | None, str]
Pair = tuple[str, str]


class NothingToShowError(Exception):
    """The estimates hold nothing for an exhibit; the specification decides what follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Estimates, names, words and cycle of one report.

    Parameters
    ----------
    estimates : polars.DataFrame
        The tidy table of estimates.
    names : Mapping of str to str
        Names of provinces and regions by code.
    texts : Texts
        Language.
    cycle : ReportCycle
        The cycle and its rules.
    province : str or None
        Province that the report is about.
    region : str or None
        Its region.
    participation : polars.DataFrame or None
        Sampling outcomes by place.
    left_out : dict of str to None
        Kinds of exhibits that were left out, in order.
    """

    estimates: pl.DataFrame
    names: Mapping[str, str]
    texts: Texts
    cycle: ReportCycle
    province: str | None = None
    region: str | None = None
    participation: pl.DataFrame | None = None
    left_out: dict[str, None] = field(default_factory=dict)
    index: dict[tuple[str, ...], Row] = field(default_factory=dict)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Populations with their subjects."""
        found = self.estimates.select("population", "subject").unique(maintain_order=True)
        return tuple(found.sort("population", "subject").rows())

    @property
    def populations(self) -> tuple[str, ...]:
        """Populations."""
        return tuple(dict.fromkeys(population for population, _ in self.pairs))

    @property
    def place(self) -> str:
        """Name of the province."""
        return self.label("province_code", self.province or "")

    def scope(self, population: str, subject: str) -> Scope:
        """Give a figure what it is about."""
        return Scope(population=population, subject=subject, language=self.texts.language, names=self.names)

    def words(self, population: str, subject: str) -> dict[str, str]:
        """Name a population and a subject."""
        return {
            "population": self.texts.say(f"population.{population}"),
            "subject": self.texts.subject(population, subject),
        }

    def rows(self) -> dict[tuple[str, ...], Row]:
        """Give every estimate by population, subject, statistic, grouping and group."""
        if not self.index:
            for row in self.estimates.to_dicts():
                key = (row["population"], row["subject"], row["statistic"], row["by"] or NATION, row["group"])
                self.index[key] = row
        return self.index

    def find(self, population: str, subject: str, statistic: str, **where: str) -> Row | None:
        """Take one estimate; None where there is none or it is not published."""
        key = (population, subject, statistic, where.get("by", NATION), where.get("group", ALL))
        row = self.rows().get(key)
        return None if row is None or row["suppressed_because"] or row["estimate"] is None else row

    def at(self, population: str, subject: str, statistic: str, **where: str) -> Row:
        """Take one estimate, suppressed or not; refuse where there is none."""
        key = (population, subject, statistic, where.get("by", NATION), where.get("group", ALL))
        found = self.rows().get(key)
        if found is not None:
            return found
        return one(self.estimates, population=population, subject=subject, statistic=statistic, **where)

    def groups(self, population: str, subject: str, by: str, statistic: str = "mean") -> list[str]:
        """List the groups of a grouping that have a statistic, by their codes."""
        found = [
            key[4]
            for key in self.rows()
            if key[:4] == (population, subject, statistic, by) and key[4] is not None
        ]
        return sorted(set(found))

    def number(self, value: float, digits: int = 1) -> str:
        """Write a number, a score with one decimal."""
        return self.texts.number(value, digits)

    def points(self, share: float) -> str:
        """Write a difference of shares in percentage points."""
        return self.texts.number(100 * share, 1)

    def label(self, by: str, group: str) -> str:
        """Name a group; of crossed groups each part."""
        if "+" in by:
            return ", ".join(
                self.label(key, part) for key, part in zip(by.split("+"), group.split("+"), strict=False)
            )
        return self.names.get(group) or self.texts.group(by, group)

    def caption(self, key: str, population: str, subject: str, **values: object) -> str:
        """Write the caption of a table of one subject."""
        return self.texts.say(f"exhibit_caption.{key}", **self.words(population, subject), **values)

    def text(self, value: str) -> Cell:
        """Make a cell of words."""
        return value, None, ""

    def count(self, value: int | None) -> Cell:
        """Make a cell of a count."""
        return ("–", None, "") if value is None else (self.texts.number(value), float(value), "n")

    def score(self, value: float | None, *, sign: bool = False) -> Cell:
        """Make a cell of points; with its sign where it is a difference."""
        if value is None:
            return "–", None, ""
        written = self.number(value)
        return ("+" + written if sign and value > 0 and written.strip("0,.") else written), value, "score"

    def share(self, value: float | None) -> Cell:
        """Make a cell of a share."""
        return ("–", None, "") if value is None else (self.texts.share(value), value, "share")

    def interval(self, row: Row, *, as_share: bool = False) -> Cell:
        """Make a cell of an interval."""
        if row["ci_low"] is None:
            return "–", None, ""
        write = self.texts.share if as_share else self.number
        return f"{write(row['ci_low'])} – {write(row['ci_high'])}", None, ""

    def table(
        self,
        caption: str,
        headings: Sequence[str],
        rows: Sequence[tuple[str, Sequence[Cell]]],
        *,
        note: str = "",
        is_printed: bool = True,
    ) -> PublicationTable:
        """Write rows of cells, each with the code of its figure, as a table; headings are keys of ``column``."""
        if not rows:
            raise NothingToShowError(caption)
        values = {
            (line, place): (float(cell[1]), cell[2])
            for line, (_, cells) in enumerate(rows)
            for place, cell in enumerate(cells)
            if cell[1] is not None
        }
        columns = tuple(
            self.texts.say(f"column.{key}") if self.texts.has(f"column.{key}") else key for key in headings
        )
        return PublicationTable(
            caption=caption,
            columns=columns,
            rows=tuple(tuple(cell[0] for cell in cells) for _, cells in rows),
            figure_ids=tuple(code for code, _ in rows) if any(code for code, _ in rows) else (),
            note=note,
            values=values,
            is_printed=is_printed,
        )


def is_clear(row: Row) -> bool:
    """Tell whether an interval leaves out 0.

    Parameters
    ----------
    row : dict
        A published difference.

    Returns
    -------
    bool
        True where it does.
    """
    return bool(row["ci_low"] > 0 or row["ci_high"] < 0)


def hidden_reason(sheet: Sheet, row: Mapping[str, Any]) -> str:
    """Say in a few words why a figure is not published; empty where it is.

    Parameters
    ----------
    sheet : Sheet
        The report.
    row : Mapping
        An estimate.

    Returns
    -------
    str
        The words.
    """
    from lsakit.tables.publication import reason_of

    reason = reason_of(row, sheet.texts)
    return sheet.texts.say("column.suppressed", reason=reason) if reason else ""
