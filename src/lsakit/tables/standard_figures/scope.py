"""What a standard figure is about, in which words, and at which width it is drawn."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from lsakit.errors import EstimationError
from lsakit.io.frames import require_columns
from lsakit.tables.publication import NEEDED, Row
from lsakit.tables.texts import Texts

NATION, ALL = "nation", "all"
JOIN = "+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Width of a drawing and what follows from it.

    Parameters
    ----------
    name : str
        ``"wide"`` or ``"narrow"``.
    width : int
        Width of the whole drawing, labels and legend included, pixels.
    label_letters : int
        Letters of a name before it is broken into a further line.
    legend_columns : int
        Entries of a legend beside one another.
    font_size : int
        Size of labels, pixels.
    """

    name: str
    width: int
    label_letters: int
    legend_columns: int
    font_size: int


WIDE = Layout(name="wide", width=700, label_letters=34, legend_columns=6, font_size=12)
"""For a page of a computer and for A4."""
NARROW = Layout(name="narrow", width=350, label_letters=15, legend_columns=2, font_size=11)
"""For a telephone 390 pixels wide: nothing has to be moved sideways."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What all figures of one subject in one grade share.

    Parameters
    ----------
    population : str
        Population, such as ``"grade5"``.
    subject : str
        Subject, such as ``"maths"``.
    language : str
        ``"vi"`` or ``"en"``.
    names : Mapping of str to str
        Names of groups by code; a code without one takes its text of ``group.<by>.<code>``, or stands for itself.
    layout : Layout
        `WIDE` (default) or `NARROW`.
    """

    population: str
    subject: str
    language: str
    names: Mapping[str, str] = field(default_factory=dict)
    layout: Layout = WIDE

    @property
    def texts(self) -> Texts:
        """The texts of the language."""
        return Texts(self.language)

    @property
    def words(self) -> dict[str, str]:
        """Words of population and subject, for a title."""
        return {
            "population": self.texts.say(f"population.{self.population}"),
            "subject": self.texts.subject(self.population, self.subject),
        }

    def label(self, by: str | None, group: str) -> str:
        """Name a group; of crossed groups, joined by ``+``, each part is named."""
        by = by or NATION
        parts = str(group).split(JOIN)
        keys = by.split(JOIN)
        if len(keys) != len(parts):
            keys = [by] * len(parts)
        return ", ".join(
            self.names.get(part) or self.texts.group(key, part) for key, part in zip(keys, parts, strict=True)
        )

    def key(self, family: str, *parts: str) -> str:
        """Make the key of a figure of this scope."""
        return "-".join([self.population, self.subject, family, *parts]).replace("_", "-").replace("+", "-")

    def rows(
        self,
        estimates: pl.DataFrame,
        *,
        by: str,
        statistics: Sequence[str],
        groups: Sequence[str] | None = None,
        more: Sequence[str] = (),
    ) -> list[Row]:
        """Take the rows of some statistics of one grouping.

        Parameters
        ----------
        estimates : polars.DataFrame
            The tidy table of estimates.
        by : str
            Grouping.
        statistics : Sequence of str
            Statistics wanted.
        groups : Sequence of str, optional
            Groups wanted, in this order; all by their codes by default.
        more : Sequence of str, optional
            Columns that the table must have beside those of every table of estimates.

        Returns
        -------
        list of dict
            The estimates in the order of groups, then of statistics.

        Raises
        ------
        UnknownColumnError
            If the table is not a table of estimates.
        """
        require_columns(estimates, [*NEEDED, *more], param="table of estimates")
        chosen = estimates.filter(
            (pl.col("population") == self.population)
            & (pl.col("subject") == self.subject)
            & (pl.col("by").fill_null(NATION) == by)
            & pl.col("statistic").is_in(list(statistics))
        ).to_dicts()
        known = list(groups) if groups is not None else sorted({str(row["group"]) for row in chosen})
        order = {group: place for place, group in enumerate(known)}
        place = {name: at for at, name in enumerate(statistics)}
        kept = [row for row in chosen if str(row["group"]) in order]
        return sorted(kept, key=lambda row: (order[str(row["group"])], place[row["statistic"]]))

    def needed(self, found: Collection[object], what: str) -> None:
        """Refuse a figure without a row.

        Parameters
        ----------
        found : Collection
            What was found.
        what : str
            What was looked for, such as ``"mean by region6"``.

        Raises
        ------
        EstimationError
            If there is none.
        """
        if not found:
            raise EstimationError(
                f"There is nothing to draw: the table of estimates holds no {what} of "
                f"{self.population}/{self.subject}.",
                hint="Estimate it, or take the figure out of the report.",
                param="estimates",
            )
