"""On PostgreSQL a text key gets a second index for searches by its beginning; nobody searches random ids so.

Each costs an insertion at a random place per pupil and table. Going back leaves them away: no query misses them.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

TABLES = ("rosters_student", "rosters_studentplace", "rosters_staff", "rosters_staffplace", "rosters_vaultentry")


def drop(_apps: Any, editor: Any) -> None:
    """Drop the second indexes."""
    if editor.connection.vendor != "postgresql":
        return
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() "
            "AND tablename = ANY(%s) AND indexname LIKE %s",
            [list(TABLES), r"%\_like"],
        )
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        editor.execute(f"DROP INDEX {editor.quote_name(name)}")


class Migration(migrations.Migration):
    """Drop indexes that no query uses."""

    dependencies = [("rosters", "0002_purposes_and_append_only_accesses")]
    operations = [migrations.RunPython(drop, migrations.RunPython.noop)]
