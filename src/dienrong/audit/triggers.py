"""The database's own refusal to change or remove rows of append-only tables, for SQLite and PostgreSQL."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "audit_auditentry"
PROTECTED = {TABLE: "audit"}
"""Each append-only table with the prefix of its triggers; rooms add theirs with ``protect``."""

SENTENCE = "{prefix} entries are never changed or removed"
INSTALL = {
    "sqlite": (
        "CREATE TRIGGER {prefix}_no_update BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, '{sentence}'); END",
        "CREATE TRIGGER {prefix}_no_delete BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{sentence}'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION {prefix}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '{sentence}'; END $$",
        "CREATE TRIGGER {prefix}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION {prefix}_refuse()",
        "CREATE TRIGGER {prefix}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION {prefix}_refuse()",
    ),
}
REMOVE = {
    "sqlite": ("DROP TRIGGER IF EXISTS {prefix}_no_update", "DROP TRIGGER IF EXISTS {prefix}_no_delete"),
    "postgresql": (
        "DROP TRIGGER IF EXISTS {prefix}_no_change ON {table}",
        "DROP TRIGGER IF EXISTS {prefix}_no_truncate ON {table}",
    ),
}


def protect(table: str, prefix: str) -> None:
    """Name a further append-only table; its room's migration installs the triggers."""
    PROTECTED[table] = prefix


def install(connection: BaseDatabaseWrapper, table: str = TABLE) -> None:
    """Create the triggers of a table."""
    _run(connection, INSTALL[connection.vendor], table)


def remove(connection: BaseDatabaseWrapper, table: str = TABLE) -> None:
    """Drop the triggers of a table: for the reverse migration and for emptying a test database."""
    _run(connection, REMOVE[connection.vendor], table)


def _run(connection: BaseDatabaseWrapper, statements: tuple[str, ...], table: str) -> None:
    """Run statements one by one."""
    prefix = PROTECTED[table]
    names = {"table": table, "prefix": prefix, "sentence": SENTENCE.format(prefix=prefix)}
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.format(**names))
