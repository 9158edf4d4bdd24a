"""After a whole list came in, the database is told how large its tables are now."""

from __future__ import annotations

from django.db import connection, models


def refresh_statistics(*changed: type[models.Model]) -> None:
    """Let PostgreSQL count the tables anew, inside the transaction.

    Otherwise it plans by the sizes of before until it finds the time by itself: with tables that it believes
    empty, one look-up can take minutes. SQLite plans without sizes.
    """
    if connection.vendor != "postgresql":
        return
    names = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in changed)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {names}")
