"""Many rows into one table at once, over those that stand under the same key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, models

from dienrong.core import many_rows


def upsert(
    model: type[models.Model], rows: Sequence[Any], *, key: Sequence[str], fields: Sequence[str]
) -> None:
    """Insert rows; where a row stands under the same key, overwrite these of its fields.

    Parameters
    ----------
    model : type of Model
        The table.
    rows : sequence of Model
        The rows (their fields are text, numbers, truth, days and bytes), each key once; a row that the database
        numbers gets its number there and not here.
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
    target = ", ".join(quote(meta.get_field(name).column) for name in key)
    changed = (quote(meta.get_field(name).column) for name in fields)
    overwrite = ", ".join(f"{name} = excluded.{name}" for name in changed)
    many_rows.insert(
        model,
        [(field, [getattr(row, field.attname) for row in rows]) for field in columns],
        ending=f"ON CONFLICT ({target}) DO UPDATE SET {overwrite}",
    )
