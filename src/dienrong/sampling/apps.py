"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SamplingConfig(AppConfig):
    """Frames, plans and public draws."""

    name = "dienrong.sampling"
    label = "sampling"
    verbose_name = _("Sampling")
    default_auto_field = "django.db.models.BigAutoField"
