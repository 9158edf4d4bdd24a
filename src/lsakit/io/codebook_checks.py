"""A table against its codebook: wild codes, values out of range, missing codes that are legal values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from lsakit.io.codebook import Codebook, Variable

MAX_VALUES_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One disagreement between a table and its codebook.

    Parameters
    ----------
    check : {"C4", "C7", "names", "type"}
        Which rule found it: C4 wild code or out of range, C7 missing code that is also legal, a column that
        only one of the two has, a column of another kind.
    variable : str
        Column.
    sentence : str
        What was found.
    n : int
        Number of rows concerned; 0 where the codebook alone is wrong.
    rows : tuple of int
        The first rows concerned, counted from 1.
    """

    check: str
    variable: str
    sentence: str
    n: int = 0
    rows: tuple[int, ...] = ()


def check_codebook(codebook: Codebook, table: pl.DataFrame) -> tuple[Finding, ...]:
    """Compare a table with its codebook.

    Parameters
    ----------
    codebook : Codebook
        What the columns should hold.
    table : polars.DataFrame
        The data.

    Returns
    -------
    tuple of Finding
        In the order of the codebook's variables; empty when all agree.

    References
    ----------
    .. [1] docs/algorithms/files.md, section "Checks", after the platform's checks C4 and C7.
    """
    findings: list[Finding] = []
    for variable in codebook:
        findings.extend(_collisions(variable))
        if variable.name not in table.columns:
            findings.append(_finding("names", variable, "The codebook describes a column that is not there."))
            continue
        findings.extend(_column_findings(variable, table.get_column(variable.name)))
    extra = [name for name in table.columns if name not in codebook]
    findings.extend(
        Finding(check="names", variable=name, sentence=f"The column {name!r} is not in the codebook.")
        for name in extra
    )
    return tuple(findings)


def _finding(check: str, variable: Variable, sentence: str, rows: tuple[int, ...] = ()) -> Finding:
    """Make a finding about one variable."""
    return Finding(check=check, variable=variable.name, sentence=sentence, n=len(rows), rows=rows[:5])


def _collisions(variable: Variable) -> Iterator[Finding]:
    """Find missing codes that lie in the legal range (C7)."""
    if variable.valid_range is None:
        return
    low, high = variable.valid_range
    for code in variable.missing:
        if not isinstance(code, str) and low <= code <= high:
            yield _finding(
                "C7",
                variable,
                f"The missing code {code} of {variable.name!r} lies in its legal range {low:g}-{high:g}.",
            )
    span = variable.missing_range
    if span is not None and span[0] <= high and low <= span[1]:
        yield _finding("C7", variable, f"The missing range of {variable.name!r} overlaps its legal range.")


def _column_findings(variable: Variable, column: pl.Series) -> Iterator[Finding]:
    """Check the values of one column (C4), and their kind."""
    wants_text = variable.type == "text"
    is_text = column.dtype == pl.String
    if column.dtype != pl.Null and is_text != wants_text and variable.type in ("text", "integer", "number"):
        yield _finding(
            "type", variable, f"The column {variable.name!r} holds {column.dtype}, not {variable.type}."
        )
        return
    wild: list[int] = []
    seen: list[object] = []
    for value in column.drop_nulls().unique().sort().to_list() if _is_closed(variable) else []:
        if not _is_legal(variable, value):
            seen.append(value)
    if seen:
        wild = (
            (column.is_in(pl.Series(seen, dtype=column.dtype).implode()).fill_null(value=False))
            .arg_true()
            .to_list()
        )
        named = ", ".join(str(value) for value in seen[:MAX_VALUES_NAMED])
        what = "outside its legal range" if variable.valid_range else "without a label"
        yield _finding(
            "C4",
            variable,
            f"The column {variable.name!r} holds {len(seen)} value(s) {what} in {len(wild)} row(s): {named}.",
            tuple(row + 1 for row in wild),
        )


def _is_closed(variable: Variable) -> bool:
    """Tell whether the codebook lists or bounds the legal values."""
    labelled = [code for code in variable.values if not variable.is_missing(code)]
    return variable.valid_range is not None or bool(labelled)


def _is_legal(variable: Variable, value: int | float | str) -> bool:
    """Tell whether a value is labelled, missing by its code, or within the legal range."""
    if value in variable.values or variable.is_missing(value):
        return True
    if variable.valid_range is None or isinstance(value, str):
        return False
    return variable.valid_range[0] <= value <= variable.valid_range[1]
