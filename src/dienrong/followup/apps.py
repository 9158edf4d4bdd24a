"""The room as a Django application."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class FollowupConfig(AppConfig):
    """Plans, tasks, duties, risks, reminders."""

    name = "dienrong.followup"
    label = "followup"
    verbose_name = _("Plans and tasks")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the actions, offer the pages and the cards of today."""
        from dienrong.core import recording, shell
        from dienrong.cycles import board
        from dienrong.followup import cards, words

        recording.name_actions(words.ACTIONS)
        shell.register_links(_links)
        board.register_cards(cards.cards)


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the pages to those who work with plans."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.core.shell import Link

    if not permissions.may(request.user, "view_tasks"):
        return []
    url = reverse("followup:home")
    return [
        Link(
            title=gettext("Tasks"),
            url=url,
            is_current=request.path.startswith(url),
            order=35,
            group="project",
        )
    ]
