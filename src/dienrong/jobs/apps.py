"""The jobs room."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    """Long work in the background."""

    name = "dienrong.jobs"
    label = "jobs"
    verbose_name = _("Background work")

    def ready(self) -> None:
        """Find the kinds of job in every room's ``tasks.py``; offer the list in the navigation."""
        from dienrong.core import recording, shell
        from dienrong.jobs import actions, queries

        autodiscover_modules("tasks")
        recording.name_actions(actions.WORDS)
        shell.register_links(queries.links_of_request)
