"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ImportsConfig(AppConfig):
    """Uploads, their preview and their acceptance."""

    name = "dienrong.imports"
    label = "imports"
    verbose_name = _("Imports")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what can be imported; offer the page in the navigation; name the audited actions."""
        from dienrong.core import recording, shell
        from dienrong.imports import actions, queries, targets  # noqa: F401 - targets register themselves

        recording.name_actions(actions.WORDS)
        shell.register_links(queries.links_of_request)
