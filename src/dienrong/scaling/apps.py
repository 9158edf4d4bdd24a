"""The scaling room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ScalingConfig(AppConfig):
    """Studies of one subject: data, item review, runs."""

    name = "dienrong.scaling"
    label = "scaling"
    verbose_name = _("Scaling")
    default_auto_field = "django.db.models.BigAutoField"
