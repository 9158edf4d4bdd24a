"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RostersConfig(AppConfig):
    """Pupils, teachers, managers and the vault of their identifiers."""

    name = "dienrong.rosters"
    label = "rosters"
    verbose_name = _("Rosters")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let nobody change who opened the vault; name the actions."""
        from dienrong.audit import triggers
        from dienrong.core import recording
        from dienrong.rosters import words

        triggers.protect("rosters_vaultaccess", "rosters_vault_access")
        recording.name_actions(words.ACTIONS)
