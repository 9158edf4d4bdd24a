"""The room as a Django application."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class ExplorerConfig(AppConfig):
    """Questions to published runs, and the public portal."""

    name = "dienrong.explorer"
    label = "explorer"
    verbose_name = _("Explorer and public portal")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the action, offer the pages in the navigation and on the page of visitors."""
        from dienrong.core import recording, shell
        from dienrong.cycles import board
        from dienrong.explorer import ports

        ports.register_downloads(_public_files)
        ports.register_documents(_press_notes)
        recording.name_actions({"explorer.answer_kept": _("Answer of the explorer kept")})
        shell.register_links(_links)
        board.register_reports(_reports)


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer both parts to everyone; for people at work they stand beside the reports."""
    from django.urls import reverse

    from dienrong.core.shell import Link

    explore, portal = reverse("explorer:index"), reverse("explorer:portal")
    group = "results" if getattr(request.user, "is_authenticated", False) else ""
    is_portal = request.path.startswith(portal)
    return (
        Link(
            title=gettext("Public results"),
            url=portal,
            is_current=is_portal,
            order=19 if not group else 23,
            group=group,
        ),
        Link(
            title=gettext("Explore the data"),
            url=explore,
            is_current=request.path.startswith(explore),
            order=22,
            group=group,
        ),
    )


def _reports() -> Iterable[object]:
    """Lead visitors of the front page to both parts, where something is published."""
    from django.contrib.auth.models import AnonymousUser
    from django.urls import reverse

    from dienrong.cycles.board import Card
    from dienrong.explorer import queries

    if queries.first_askable(AnonymousUser()) is None:
        return
    yield Card(
        title=gettext("Public results"),
        text=gettext("Main results in plain words, reports and files."),
        url=reverse("explorer:portal"),
        button=gettext("Open the results"),
    )
    yield Card(
        title=gettext("Explore the data"),
        text=gettext("Ask your own question; every number comes with its error."),
        url=reverse("explorer:index"),
        button=gettext("Ask a question"),
    )


def _public_files() -> Iterable[object]:
    """Offer the public data files on the portal."""
    from django.template.defaultfilters import filesizeformat

    from dienrong.datasets.queries import public_files
    from dienrong.explorer.ports import Download

    return [
        Download(title=one.title, url=one.page_url, text=one.license_name, size=filesizeformat(one.n_bytes))
        for one in public_files()
    ]


def _press_notes(cycle: object) -> Iterable[object]:
    """Offer the press note of a published round, once it is out."""
    from typing import cast

    from django.contrib.auth.models import AnonymousUser
    from django.urls import reverse

    from dienrong.cycles.models import Cycle
    from dienrong.explorer.ports import Download
    from dienrong.reporting.queries import readable_report
    from dienrong.reporting.queries.press import is_out, press_note_of

    found = cast(Cycle, cycle)
    report = readable_report(AnonymousUser(), found)
    if report is None or not is_out(report, press_note_of(found)):
        return []
    return [Download(title=gettext("Press note"), url=reverse("reporting:press", args=[found.slug]))]
