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
                "reporting.text_begun": _("Text of a province begun"),
                "reporting.text_written": _("Words of a province's report written"),
                "reporting.text_restored": _("Earlier words brought back"),
                "reporting.text_conflict": _("Words written at the same time kept"),
                "reporting.conflict_settled": _("Words written at the same time settled"),
                "reporting.figure_quoted": _("Figure quoted"),
                "reporting.figure_renewed": _("Quoted figure renewed"),
                "reporting.text_handed_over": _("Report of a province handed over for approval"),
                "reporting.text_taken_back": _("Report of a province taken back"),
                "reporting.text_returned": _("Report of a province given back"),
                "reporting.text_approved": _("Report of a province approved"),
                "reporting.text_reopened": _("Report of a province opened again"),
                "reporting.measure_added": _("Row of work added"),
                "reporting.measure_changed": _("Row of work changed"),
                "reporting.press_written": _("Press note written"),
                "reporting.press_released": _("Press note released"),
                "reporting.press_held": _("Press note called back"),
                "reporting.measure_removed": _("Row of work taken out"),
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
    group = "results" if getattr(request.user, "is_authenticated", False) else ""
    is_current = request.path.startswith(url)
    return (Link(title=gettext("Reports"), url=url, is_current=is_current, order=20, group=group),)


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
        return _writing_cards(user, cycle)
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


def _writing_cards(user: Any, cycle: Any) -> Iterable[object]:
    """Remind officers of the report that they write, or that waits for their approval."""
    from django.urls import reverse

    from dienrong.cycles.board import Card
    from dienrong.reporting import numeric, queries
    from dienrong.reporting.queries import writing

    provinces = writing.provinces_written_by(user)
    report = queries.readable_report(user, cycle) if provinces else None
    if report is None:
        return
    for code in sorted(provinces & set(numeric.provinces(report.source))):
        text = writing.text_of(cycle, code)
        url = reverse("reporting:write", args=[cycle.slug, code])
        if text is not None and text.state == text.State.FINAL:
            continue
        if text is not None and text.state == text.State.HANDED_OVER:
            if text.handed_to_id == user.pk:
                yield Card(
                    title=gettext("A report waits for your approval"),
                    text=gettext("Handed over by %(name)s.") % {"name": text.handed_by},
                    url=url,
                    button=gettext("Read and decide"),
                    order=10,
                )
            continue
        yield Card(
            title=gettext("The report of your province"),
            text=gettext(
                "The figures are published; causes, solutions and recommendations are yours to write."
            ),
            url=url,
            button=gettext("Write the report"),
            order=18,
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
