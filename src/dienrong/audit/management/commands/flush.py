"""Django's ``flush``, kept for test databases: a real installation's audit log is never emptied."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import flush
from django.db import connections

from dienrong.audit import triggers


class Command(flush.Command):
    """Empty a test database, whose audit triggers stand aside meanwhile."""

    def handle(self, **options: Any) -> None:
        """Refuse outside tests."""
        connection = connections[options["database"]]
        name = str(connection.settings_dict["NAME"])
        if not (name.rsplit("/", 1)[-1].startswith("test_") or "mode=memory" in name or name == ":memory:"):
            raise CommandError(
                "The audit log of an installation is never emptied. "
                "To start anew, stop the service and begin with an empty database."
            )
        present = set(connection.introspection.table_names())
        tables = [table for table in triggers.PROTECTED if table in present]
        for table in tables:
            triggers.remove(connection, table)
        try:
            super().handle(**options)
        finally:
            for table in tables:
                triggers.install(connection, table)
