"""The analysis room as a Django application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class AnalysisConfig(AppConfig):
    """Runs of the pipeline and the artefacts that they leave."""

    name = "dienrong.analysis"
    label = "analysis"
    verbose_name = _("Analysis")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Offer the runs in the navigation, and a card on the board while one is under way or missing."""
        from dienrong.core import recording, shell
        from dienrong.cycles import board

        recording.name_actions(
            {
                "analysis.run_requested": _("Run requested"),
                "analysis.run_done": _("Run done"),
                "analysis.run_failed": _("Run refused"),
                "analysis.run_cancelled": _("Run cancelled"),
            }
        )
        shell.register_links(_links)
        board.register_cards(_cards)


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the runs to those who may see them."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.core.shell import Link
    from dienrong.cycles.shell import cycle_of_request

    if not permissions.may(request.user, "view_analysis"):
        return ()
    cycle = cycle_of_request(request)
    if cycle is None:
        return ()
    url = reverse("analysis:runs", args=[cycle.slug])
    is_current = request.path.startswith(url)
    return (Link(title=gettext("Analysis runs"), url=url, is_current=is_current, order=40, group="analysis"),)


def _cards(user: Any, cycle: Any) -> Iterable[object]:
    """Give the card of the run that is under way, or of the first run to start."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.analysis import queries
    from dienrong.cycles.board import Card

    if not permissions.may_run_analysis(user):
        return ()
    run = queries.open_run(cycle)
    if run is not None:
        return (
            Card(
                title=gettext("A run of the analysis is under way"),
                text=str(run.get_state_display()),
                url=reverse("analysis:run", args=[cycle.slug, run.number]),
                button=gettext("See how far it is"),
                order=20,
            ),
        )
    if queries.last_done(cycle) is None:
        return (
            Card(
                title=gettext("No analysis has been run yet"),
                text=gettext("From the list of schools to the report, in one go."),
                url=reverse("analysis:new", args=[cycle.slug]),
                button=gettext("Start a run"),
                order=30,
            ),
        )
    return ()
