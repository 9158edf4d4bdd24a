"""The room as a Django application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class DatasetsConfig(AppConfig):
    """Freezes of a run, releases of data files, requests and copies."""

    name = "dienrong.datasets"
    label = "datasets"
    verbose_name = _("Data files")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the actions, offer the pages and the cards of today."""
        from dienrong.core import recording, shell
        from dienrong.cycles import board
        from dienrong.datasets import words

        recording.name_actions(words.ACTIONS)
        shell.register_links(_links)
        board.register_cards(_cards)


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the files to everyone, the work on them to the ministry."""
    from django.urls import reverse

    from dienrong.core.shell import Link

    url = reverse("datasets:public")
    group = "results" if getattr(request.user, "is_authenticated", False) else ""
    is_current = request.path.startswith(url)
    return (Link(title=gettext("Data files"), url=url, is_current=is_current, order=42, group=group),)


def _cards(user: Any, cycle: Any) -> Iterable[object]:
    """Remind the ministry of requests that wait and of releases that wait for a second person."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.cycles.board import Card
    from dienrong.datasets import queries

    if not permissions.may(user, "manage_datasets"):
        return
    n_waiting = queries.waiting_requests().count()
    if n_waiting:
        yield Card(
            title=gettext("Requests for restricted data wait"),
            text=gettext("Decide on each, with the reason where it is refused."),
            number=n_waiting,
            url=reverse("datasets:manage"),
            button=gettext("See the requests"),
            order=34,
        )
    n_review = queries.releases_to_review(user).count()
    if n_review:
        yield Card(
            title=gettext("Data files wait for a second person"),
            text=gettext("Read the risk report, then approve or send back."),
            number=n_review,
            url=reverse("datasets:manage"),
            button=gettext("Review the files"),
            order=35,
        )
