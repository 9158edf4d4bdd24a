"""Identifiers of a release: numbers in an order that only a secret key gives, different in every release."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from lsakit.errors import TableError
from lsakit.io.codebook import Variable
from lsakit.release.microdata import SCHOOL, STUDENT, MicroData

LEAST_KEY_BYTES = 16


def pseudonyms(ids: Sequence[str], *, key: bytes, purpose: str, first: int = 1) -> list[int]:
    """Give each identifier a number that says nothing.

    Parameters
    ----------
    ids : Sequence of str of shape (n_units,)
        Identifiers, each once.
    key : bytes
        Secret of at least 16 bytes; without it numbers and identifiers cannot be linked.
    purpose : str
        Release and kind of unit; another purpose gives unrelated numbers.
    first : int, default 1
        Lowest number.

    Returns
    -------
    list of int of shape (n_units,)
        ``first`` to ``first + n_units − 1`` in the order of HMAC-SHA256 of the identifiers.

    Raises
    ------
    TableError
        If the key is too short or an identifier stands twice.

    Examples
    --------
    >>> sorted(pseudonyms(["a", "b", "c"], key=b"0123456789abcdef", purpose="demo"))
    [1, 2, 3]
    """
    if len(key) < LEAST_KEY_BYTES:
        raise TableError(
            f"The key of the pseudonyms must have at least {LEAST_KEY_BYTES} bytes. Got {len(key)}.",
            why="A short key could be found by trying.",
            param="key",
        )
    if len(set(ids)) != len(ids):
        raise TableError("The identifiers to replace must be unique.", param="ids")
    marks = [hmac.digest(key, f"{purpose}\x1f{one}".encode(), hashlib.sha256) for one in ids]
    order = sorted(range(len(marks)), key=marks.__getitem__)
    numbers = [0] * len(marks)
    for place, index in enumerate(order):
        numbers[index] = first + place
    return numbers


def with_pseudonyms(data: MicroData, *, key: bytes, purpose: str) -> MicroData:
    """Replace the identifiers of students and schools, and put the rows in the new order.

    Parameters
    ----------
    data : MicroData
        Files with the identifiers of the run.
    key : bytes
        Secret of the installation.
    purpose : str
        Name of the release and population, such as ``"quoc-gia-2026/grade5/public/1"``.

    Returns
    -------
    MicroData
        The files; rows ascend by the new numbers, so that their old order tells nothing either.
    """
    tables = dict(data.tables)
    books = dict(data.codebooks)
    for unit, column in ((SCHOOL, data.school_key), (STUDENT, data.student_key)):
        ids = tables[unit].get_column(column).cast(pl.String).to_list()
        base = 10 ** len(str(len(ids)))
        numbers = pseudonyms(ids, key=key, purpose=f"{purpose}/{unit}", first=base + 1)
        mapping = pl.DataFrame(
            {"__old": ids, "__new": numbers}, schema={"__old": pl.String, "__new": pl.Int64}
        )
        for name, table in tables.items():
            if column in table.columns:
                tables[name] = _replaced(table, column, mapping)
                books[name] = replace(
                    books[name],
                    variables=tuple(
                        _described(one, base) if one.name == column else one for one in books[name]
                    ),
                )
    ordered = {
        name: table.sort(data.student_key if data.student_key in table.columns else data.school_key)
        for name, table in tables.items()
    }
    return replace(data, tables=ordered, codebooks=books)


def _replaced(table: pl.DataFrame, column: str, mapping: pl.DataFrame) -> pl.DataFrame:
    """Put new numbers in the place of old identifiers."""
    keyed = table.with_columns(pl.col(column).cast(pl.String).alias("__old"))
    joined = keyed.join(mapping, on="__old", how="left", maintain_order="left")
    return joined.with_columns(pl.col("__new").alias(column)).drop("__old", "__new")


def _described(variable: Variable, base: int) -> Variable:
    """Describe a column of new numbers."""
    return replace(
        variable, type="integer", width=len(str(base)), decimals=0, identifier=False, values={}, missing={}
    )
