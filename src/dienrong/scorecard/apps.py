"""The room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ScorecardConfig(AppConfig):
    """Rules about the registry, findings and scores."""

    name = "dienrong.scorecard"
    label = "scorecard"
    verbose_name = _("Data quality")
    default_auto_field = "django.db.models.BigAutoField"
