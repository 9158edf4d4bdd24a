"""Estimates as the rows that people read: formatted, suppressed where the rule says so, each with its code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lsakit.errors import EstimationError
from lsakit.io.frames import require_columns
from lsakit.tables.texts import Texts

NEEDED = (
    "figure_id", "population", "subject", "statistic", "by", "group", "n", "n_schools", "estimate",
    "standard_error", "ci_low", "ci_high", "suppressed_because",
)  # fmt: skip
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationTable:
    """A table ready to be read.

    Parameters
    ----------
    caption : str
        What the table shows.
    columns : tuple of str
        Headings.
    rows : tuple of tuple of str
        Cells, already written in the language of the table.
    figure_ids : tuple of str
        The code of the figure that each row publishes; empty for a row without one.
    note : str
        What holds for the whole table.
    values : Mapping of tuple of int to tuple
        For the cells that are numbers, by (row, column): the unrounded value and its kind, ``"n"``,
        ``"score"``, ``"share"``, ``"hundredth"``, ``"parameter"`` or ``"p"``, so that a workbook holds numbers and
        not their writing.
    is_printed : bool
        Whether the table stands on paper too; a long one stands in the workbook alone.
    is_sourced : bool
        Whether the source line of the report stands below; not below words that no estimate made.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figure_ids: tuple[str, ...]
    note: str = ""
    values: Mapping[tuple[int, int], tuple[float, str]] = field(default_factory=dict)
    is_printed: bool = True
    is_sourced: bool = True

    @property
    def is_number(self) -> tuple[bool, ...]:
        """For each column whether it holds numbers, as `numeric_columns` says."""
        return numeric_columns(self.columns, self.rows)


_NUMBER = re.compile(r"^[−+±<≤≥>-]?\s*[0-9][0-9.,]*\s*%?(\s*[–/;(]\s*[−-]?[0-9][0-9.,]*%?\)?)*$")
_EMPTY = ("", "–")


def numeric_columns(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[bool, ...]:
    """Say which columns of a table hold numbers, and so stand at the right.

    Parameters
    ----------
    columns : Sequence of str
        Headings.
    rows : Sequence of Sequence of str
        Cells as written.

    Returns
    -------
    tuple of bool
        For each column whether every cell that is not empty is a number, an interval or a share; the first
        column, which names the row, never is.

    Examples
    --------
    >>> numeric_columns(("Group", "n", "Interval", "Flag"), (("5", "1,234", "2.0 – −3.5", "low"),))
    (False, True, True, False)
    """
    found = []
    for place in range(len(columns)):
        cells = [row[place].strip() for row in rows]
        written = [cell for cell in cells if cell not in _EMPTY]
        found.append(place > 0 and bool(written) and all(_NUMBER.match(cell) for cell in written))
    return tuple(found)


MOST_LETTERS, LONGEST_WORD = 40, 22


def natural_widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[float, ...]:
    """Share a line among the columns of a table by what stands in them.

    Parameters
    ----------
    columns : Sequence of str
        Headings.
    rows : Sequence of Sequence of str
        Cells.

    Returns
    -------
    tuple of float
        A share per column, in letters: its longest word at least, its longest cell up to forty letters, and room
        beside them. A word longer than a line of a table, such as a hash, is broken and does not count as a whole.
    """
    widths = []
    for place, heading in enumerate(columns):
        cells = [row[place] for row in rows]
        longest_word = max((len(word) for text in (heading, *cells) for word in text.split()), default=1)
        longest_cell = max((len(cell) for cell in cells), default=1)
        wanted = max(min(longest_word, LONGEST_WORD), min(longest_cell, MOST_LETTERS), len(heading) / 2.5)
        widths.append(2.0 + max(4.0, min(wanted, MOST_LETTERS)))
    return tuple(widths)


def select(
    estimates: pl.DataFrame,
    *,
    population: str,
    subject: str,
    by: str = "nation",
    statistics: Sequence[str] = ("mean",),
    groups: Sequence[str] | None = None,
) -> list[Row]:
    """Take some estimates as rows, in the order of the table.

    Parameters
    ----------
    estimates : polars.DataFrame
        The tidy table of estimates.
    population : str
        Population, such as ``"grade5"``.
    subject : str
        Subject.
    by : str, default "nation"
        Grouping of the estimates.
    statistics : Sequence of str, default ("mean",)
        Statistics wanted.
    groups : Sequence of str, optional
        Groups wanted, in this order; all by default.

    Returns
    -------
    list of dict
        The estimates, one mapping per row.

    Raises
    ------
    UnknownColumnError
        If the table is not a table of estimates.
    """
    require_columns(estimates, NEEDED, param="table of estimates")
    chosen = estimates.filter(
        (pl.col("population") == population)
        & (pl.col("subject") == subject)
        & (pl.col("by").fill_null("nation") == by)
        & pl.col("statistic").is_in(list(statistics))
    )
    rows = chosen.to_dicts()
    if groups is None:
        return rows
    return [row for group in groups for row in rows if row["group"] == group]


def one(estimates: pl.DataFrame, *, population: str, subject: str, statistic: str, **where: str) -> Row:
    """Take the one estimate of a nation or of a group.

    Parameters
    ----------
    estimates : polars.DataFrame
        The tidy table of estimates.
    population : str
        Population.
    subject : str
        Subject.
    statistic : str
        Statistic.
    **where : str
        ``by`` and ``group``; the nation by default.

    Returns
    -------
    dict
        The estimate.

    Raises
    ------
    EstimationError
        If there is none, or more than one.
    """
    by, group = where.get("by", "nation"), where.get("group", "all")
    rows = select(
        estimates, population=population, subject=subject, by=by, statistics=[statistic], groups=[group]
    )
    if len(rows) != 1:
        raise EstimationError(
            f"The table of estimates holds {len(rows)} rows for {population}/{subject}/{statistic}/{by}/{group}.",
            hint="A report needs one; estimate it, or take the section out of the report.",
            param="estimates",
        )
    return rows[0]


def reason_of(row: Mapping[str, Any], texts: Texts) -> str:
    """Say why a figure is not published, in the language of the table.

    Parameters
    ----------
    row : Mapping
        An estimate with ``suppressed_because``.
    texts : Texts
        The language.

    Returns
    -------
    str
        The reason; empty where the figure is published.
    """
    code = row.get("suppressed_because")
    if not code:
        return ""
    kind, _, minimum = str(code).partition(":")
    key = f"reason.{kind}"
    return texts.say(key, minimum=minimum) if texts.has(key) else str(code)


def publication_table(
    rows: Sequence[Mapping[str, Any]],
    *,
    caption: str,
    texts: Texts,
    names: Mapping[str, str],
    as_share: bool = False,
    states: Mapping[str, str] | None = None,
) -> PublicationTable:
    """Write estimates as a table with standard errors and intervals.

    Parameters
    ----------
    rows : Sequence of Mapping
        Estimates, as `select` gives them.
    caption : str
        Caption.
    texts : Texts
        Language.
    names : Mapping of str to str
        Names of units by their codes.
    as_share : bool, default False
        Whether the estimates are shares, to be written as percentages.
    states : Mapping of str to str, optional
        For each group the word of its comparison with the nation; adds a column.

    Returns
    -------
    PublicationTable
        The table; a suppressed row gives its reason instead of numbers.
    """
    columns = [
        texts.say(f"column.{word}") for word in ("group", "n", "estimate", "standard_error", "interval")
    ]
    if states is not None:
        columns.append(texts.say("column.state"))
    written = []
    for row in rows:
        label = names.get(row["group"]) or texts.group(str(row["by"] or "nation"), row["group"])
        reason = reason_of(row, texts)
        if reason:
            cells = [label, texts.number(row["n"]), texts.say("column.suppressed", reason=reason), "", ""]
        else:
            show = texts.share if as_share else (lambda value: texts.number(value, 1))
            error = texts.number(100 * row["standard_error"] if as_share else row["standard_error"], 1)
            cells = [
                label,
                texts.number(row["n"]),
                show(row["estimate"]),
                error,
                f"{show(row['ci_low'])} – {show(row['ci_high'])}",
            ]
        if states is not None:
            cells.append("" if reason else states.get(row["group"], ""))
        written.append(tuple(cells))
    kind = "share" if as_share else "score"
    values = {
        (line, column): (float(row[name]), word)
        for line, row in enumerate(rows)
        if not row["suppressed_because"]
        for column, name, word in ((1, "n", "n"), (2, "estimate", kind), (3, "standard_error", kind))
    }
    return PublicationTable(
        caption=caption,
        columns=tuple(columns),
        rows=tuple(written),
        figure_ids=tuple(str(row["figure_id"]) for row in rows),
        values=values,
    )
