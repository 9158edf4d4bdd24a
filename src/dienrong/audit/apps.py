"""The audit room."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    """The append-only log."""

    name = "dienrong.audit"
    label = "audit"
    verbose_name = _("Audit log")

    def ready(self) -> None:
        """Become the recorder of every room; offer the log in the navigation."""
        from dienrong.audit import operations, queries
        from dienrong.core import recording, shell

        recording.plug(operations.record)
        recording.plug_history(queries.history_of)
        shell.register_links(queries.links_of_request)
