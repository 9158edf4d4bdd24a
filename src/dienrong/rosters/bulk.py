"""Many rows into one table at once, over those that stand under the same key.

The ORM's own ``bulk_create(update_conflicts=True)`` cuts SQLite's statements at 999 values and compiles each anew;
for 200,000 pupils that is most of the time of an import. One prepared statement does the same on both databases.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, models


def upsert(
    model: type[models.Model], rows: Sequence[Any], *, key: Sequence[str], fields: Sequence[str]
) -> None:
    """Insert rows; where a row stands under the same key, overwrite these of its fields.

    Parameters
    ----------
    model : type of Model
        The table.
    rows : sequence of Model
        The rows (their fields are text, numbers, truth, days and bytes), each key once; a row that the database numbers gets its number there and not here.
    key : sequence of str
        Fields of a unique constraint without condition.
    fields : sequence of str
        What is overwritten.
    """
    if not rows:
        return
    meta = model._meta
    columns = [field for field in meta.concrete_fields if not isinstance(field, models.AutoField)]
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column) for field in columns)
    target = ", ".join(quote(meta.get_field(name).column) for name in key)
    changed = (quote(meta.get_field(name).column) for name in fields)
    overwrite = ", ".join(f"{name} = excluded.{name}" for name in changed)
    marks = ", ".join(["%s"] * len(columns))
    statement = (
        f"INSERT INTO {quote(meta.db_table)} ({names}) VALUES ({marks}) "  # noqa: S608 - names of our own tables
        f"ON CONFLICT ({target}) DO UPDATE SET {overwrite}"
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, zip(*(_column(rows, field) for field in columns), strict=True))


def _column(rows: Sequence[Any], field: models.Field) -> list[Any]:
    """Give one column of the rows as the database takes it; a list holds few days, each is written once."""
    values = [getattr(row, field.attname) for row in rows]
    if isinstance(field, models.DateField):
        written = {value: field.get_db_prep_save(value, connection) for value in set(values)}
        return [written[value] for value in values]
    if isinstance(field, models.BinaryField):
        return [field.get_db_prep_save(value, connection) for value in values]
    return values
