"""The cleaning log: every corrected value with its rule, who, when and evidence, so that data follow from raw + log.

See docs/algorithms/disclosure_control.md, section "Cleaning log".
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from lsakit.errors import TableError
from lsakit.io.frames import as_table, refuse_duplicates, require_columns

LOG_COLUMNS = ("file", "key", "var", "old", "new", "rule", "who", "when", "evidence")
_SCHEMA: dict[str, type[pl.String]] = dict.fromkeys(LOG_COLUMNS, pl.String)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Why values were corrected.

    Parameters
    ----------
    rule : str
        Which check or rule asked for it, such as ``"C3"``.
    who, when : str
        Who changed it and at which moment (ISO 8601); the clock is the caller's.
    evidence : str, default ""
        Document that proves it.

    Raises
    ------
    TableError
        If rule, person or moment is missing.
    """

    rule: str
    who: str
    when: str
    evidence: str = ""

    def __post_init__(self) -> None:
        """Refuse a correction that nobody could follow."""
        if not self.rule or not self.who or not self.when:
            raise TableError("A correction needs its rule, who made it and when.", param="rule")


def log_of(before: Any, after: Any, *, file: str, key: str, correction: Correction) -> pl.DataFrame:
    """Write the log of the differences between two states of a file.

    Parameters
    ----------
    before, after : polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        The same rows and columns, in any order of rows.
    file : str
        Name of the file.
    key : str
        Identifier column.
    correction : Correction
        Why.

    Returns
    -------
    polars.DataFrame
        One row per changed value; empty values are null.

    Raises
    ------
    TableError
        If the two differ in rows or columns.
    """
    old, new = as_table(before, param="before"), as_table(after, param="after")
    refuse_duplicates(old, key, param="before")
    refuse_duplicates(new, key, param="after")
    if set(old.columns) != set(new.columns) or set(old[key].to_list()) != set(new[key].to_list()):
        raise TableError(
            "The two states must have the same rows and columns.",
            hint="Rows are added and removed by the import, not by cleaning.",
            param="after",
        )
    joined = old.select(pl.col(key)).join(new, on=key, how="left", maintain_order="left")
    parts = []
    for column in (name for name in old.columns if name != key):
        moved = old.get_column(column).ne_missing(joined.get_column(column))
        texts: dict[str, pl.Series | pl.Expr] = {
            "key": old.get_column(key).cast(pl.String),
            "old": old.get_column(column).cast(pl.String),
            "new": joined.get_column(column).cast(pl.String),
        }
        words = {"file": file, "var": column, **asdict(correction)}
        texts |= {name: pl.lit(value) for name, value in words.items()}
        row = old.select(texts[name].alias(name) for name in LOG_COLUMNS)
        parts.append(row.filter(moved))
    return pl.concat(parts) if parts else pl.DataFrame(schema=_SCHEMA)


def apply_log(raw: Any, log: Any, *, file: str, key: str) -> pl.DataFrame:
    """Make the clean file again from the raw one and the log.

    Parameters
    ----------
    raw : polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        The file as it came.
    log : polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_entries,)
        The cleaning log, in the order of the corrections; those of other files are passed over.
    file : str
        Which file this is.
    key : str
        Identifier column.

    Returns
    -------
    polars.DataFrame
        The clean file; the kinds of its columns stay.

    Raises
    ------
    TableError
        If an entry names a row or variable that is not there, or its old value is not what stands there: then log
        and raw data do not belong together, and nothing is given.

    Examples
    --------
    >>> raw = {"id": ["s1", "s2"], "age": [10, 99]}
    >>> why = Correction(rule="C4", who="an", when="2026-05-04T09:00:00", evidence="list of the class")
    >>> clean = {"id": ["s1", "s2"], "age": [10, 11]}
    >>> log = log_of(raw, clean, file="student", key="id", correction=why)
    >>> apply_log(raw, log, file="student", key="id").rows()
    [('s1', 10), ('s2', 11)]
    """
    table, entries = as_table(raw, param="raw"), as_table(log, param="log")
    require_columns(entries, list(LOG_COLUMNS), param="log")
    refuse_duplicates(table, key, param="raw")
    places = {str(one): row for row, one in enumerate(table.get_column(key).to_list())}
    columns: dict[str, list[Any]] = {}
    for number, entry in enumerate(entries.iter_rows(named=True), start=1):
        if entry["file"] != file:
            continue
        name, row = entry["var"], places.get(entry["key"])
        if row is None or name not in table.columns:
            raise _mismatch(number, entry, "names a row or variable that the file lacks")
        values = columns.setdefault(name, table.get_column(name).cast(pl.String).to_list())
        if values[row] != entry["old"]:
            raise _mismatch(number, entry, f"expects {entry['old']!r} where {values[row]!r} stands")
        values[row] = entry["new"]
    made = [
        pl.Series(name, values, dtype=pl.String).cast(table.schema[name]) for name, values in columns.items()
    ]
    return table.with_columns(made)


def _mismatch(number: int, entry: dict[str, Any], what: str) -> TableError:
    """Refuse an entry that does not fit the raw data."""
    return TableError(
        f"Entry {number} of the cleaning log ({entry['key']}, {entry['var']}) {what}.",
        why="Raw data and log do not belong together, so the clean data cannot be made again.",
        hint="Use the raw file that the log was written for.",
        param="log",
    )
