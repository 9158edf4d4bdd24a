"""The table behind a standard figure: the same rows, with counts, errors, intervals and codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lsakit.tables.publication import PublicationTable, reason_of
from lsakit.tables.standard_figures.wording import has_interval, kind_of, written
from lsakit.tables.texts import Texts

NUMBERS = ("n", "estimate", "standard_error", "interval")


@dataclass(slots=True, kw_only=True)
class Behind:
    """A table that grows row by row.

    Parameters
    ----------
    texts : Texts
        Language.
    labels : Sequence of str
        Headings of the columns before the numbers.
    extras : Sequence of str
        Headings of the columns after the numbers.
    """

    texts: Texts
    labels: Sequence[str]
    extras: Sequence[str] = ()
    lines: list[tuple[str, ...]] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    values: dict[tuple[int, int], tuple[float, str]] = field(default_factory=dict)

    def add(self, labels: Sequence[str], row: Mapping[str, Any], extras: Sequence[str] = ()) -> None:
        """Add an estimate; a suppressed one gives its reason instead of numbers."""
        at, first = len(self.lines), len(labels)
        kind = kind_of(str(row["statistic"]))
        cells = [self.texts.number(row["n"]) if row["n"] is not None else "–", "", "", ""]
        if row["n"] is not None:
            self.values[at, first] = (float(row["n"]), "n")
        reason = reason_of(row, self.texts)
        if reason:
            cells[1] = self.texts.say("column.suppressed", reason=reason)
        elif row["estimate"] is not None:
            cells[1] = written(row["estimate"], kind, self.texts)
            self.values[at, first + 1] = (float(row["estimate"]), kind)
            if row["standard_error"] is not None:
                self.values[at, first + 2] = (float(row["standard_error"]), kind)
                cells[2] = written(row["standard_error"], kind, self.texts).rstrip("%")
            if has_interval(row):
                cells[3] = " – ".join(written(row[end], kind, self.texts) for end in ("ci_low", "ci_high"))
        self.lines.append((*labels, *cells, *extras, *[""] * (len(self.extras) - len(extras))))
        self.codes.append(str(row["figure_id"]))

    def table(self, caption: str, note: str = "") -> PublicationTable:
        """Give the table."""
        heads = [self.texts.say(f"column.{word}") for word in NUMBERS]
        return PublicationTable(
            caption=caption,
            columns=(*self.labels, *heads, *self.extras),
            rows=tuple(self.lines),
            figure_ids=tuple(self.codes),
            note=note,
            values=self.values,
        )
