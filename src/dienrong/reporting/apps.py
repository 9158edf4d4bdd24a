"""The reporting room as a Django application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class ReportingConfig(AppConfig):
    """National and provincial reports, publication, and the walk back from each figure."""

    name = "dienrong.reporting"
    label = "reporting"
    verbose_name = _("Reporting")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Offer the reports in the navigation, and put results and the step to publish on the board."""
        from dienrong.core import recording, shell
        from dienrong.cycles import board

        recording.name_actions(
            {
                "reporting.published": _("Report published"),
                "reporting.withdrawn": _("Report withdrawn"),
                "reporting.comparison_stored": _("Comparison with real studies stored"),
            }
        )
        shell.register_links(_links)
        board.register_headlines(_headlines)
        board.register_cards(_cards)
        board.register_reports(_reports)


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the reports to everyone."""
    from django.urls import reverse

    from dienrong.core.shell import Link

    url = reverse("reporting:index")
    return (Link(title=gettext("Reports"), url=url, is_current=request.path.startswith(url), order=20),)


def _headlines(user: Any, cycle: Any) -> object | None:
    """Give the main results of the report that the person may read."""
    from django.urls import reverse

    from dienrong.cycles.board import Headlines
    from dienrong.reporting import queries
    from dienrong.reporting.views import reports as views

    report = queries.readable_report(user, cycle)
    if report is None:
        return None
    rows = tuple(views.headline_rows(report, views.language_now()))
    return Headlines(rows=rows, report_url=reverse("reporting:index"))


def _cards(user: Any, cycle: Any) -> Iterable[object]:
    """Remind the ministry of a run that waits to be published."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.cycles.board import Card
    from dienrong.reporting import queries

    if not permissions.may_publish_report(user):
        return ()
    report = queries.readable_report(user, cycle)
    if report is None or (report.publication is not None and queries.newer_run(report) is None):
        return ()
    is_first = report.publication is None
    return (
        Card(
            title=gettext("A report waits to be published")
            if is_first
            else gettext("A newer run waits to be published"),
            text=gettext("Read it through, then publish it."),
            url=reverse("reporting:index"),
            button=gettext("Open the reports"),
            order=15,
        ),
    )


def _reports() -> Iterable[object]:
    """List the published reports for the public."""
    from django.contrib.auth.models import AnonymousUser
    from django.urls import reverse

    from dienrong.core.formats import day_text
    from dienrong.cycles.board import Card
    from dienrong.reporting import queries

    for report in queries.readable_reports(AnonymousUser()):
        day = day_text(report.publication.published_at) if report.publication else ""
        yield Card(
            title=report.cycle.name,
            text=gettext("Published on %(day)s") % {"day": day},
            url=reverse("reporting:index"),
        )
