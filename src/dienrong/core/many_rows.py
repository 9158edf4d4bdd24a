"""Many rows into one table by one statement, each column handed over whole.

The ORM's own ``bulk_create`` cuts SQLite's statements at 999 values and compiles each anew; for 200,000 pupils that is
most of the time of an import. SQLite takes one prepared statement row by row; PostgreSQL takes the columns as arrays,
since a statement per row costs it more than the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, models


def insert(
    model: type[models.Model], columns: Sequence[tuple[models.Field, Sequence[Any]]], *, ending: str = ""
) -> None:
    """Insert rows.

    Parameters
    ----------
    model : type of Model
        The table.
    columns : sequence of (Field, sequence)
        Each field with its values, one per row, as Python has them.
    ending : str
        What follows the values in the statement: ``ON CONFLICT …``, of our own names alone.
    """
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column) for field, _values in columns)
    head = f"INSERT INTO {quote(model._meta.db_table)} ({names})"
    prepared = [_prepared(field, values) for field, values in columns]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = ", ".join(f"%s::{field.db_type(connection)}[]" for field, _values in columns)
            statement = f"{head} SELECT * FROM unnest({arrays}) {ending}"  # noqa: S608 - names of our own tables
            cursor.execute(statement, prepared)
        else:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"{head} VALUES ({marks}) {ending}", list(zip(*prepared, strict=True)))


def _prepared(field: models.Field, values: Sequence[Any]) -> list[Any]:
    """Give a column as the database takes it; a list holds few days and few keys, each is written once."""
    if isinstance(field, models.BinaryField):
        return [bytes(value) for value in values]
    if isinstance(field, models.DateField | models.ForeignKey):
        written = {value: field.get_db_prep_save(value, connection) for value in set(values)}
        return [written[value] for value in values]
    return list(values)
