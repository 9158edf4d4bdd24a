"""The core room."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    """Base models, clock, text and shell."""

    name = "dienrong.core"
    label = "core"
    verbose_name = _("Core")

    def ready(self) -> None:
        """Register the checks of the options."""
        from dienrong.core import checks  # noqa: F401
