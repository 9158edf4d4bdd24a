"""The room as a Django application."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class ReadinessConfig(AppConfig):
    """Facilities, machines, go or no-go, gap, budget."""

    name = "dienrong.readiness"
    label = "readiness"
    verbose_name = _("Rooms and machines")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the actions, offer the pages, the cards of today and the kinds of file."""
        from dienrong.core import recording, shell
        from dienrong.cycles import board
        from dienrong.readiness import cards, targets, words  # noqa: F401 - targets register themselves

        recording.name_actions(words.ACTIONS)
        shell.register_links(_links)
        board.register_cards(cards.cards)


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the pages to those who look after rooms and machines."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.core.shell import Link

    if not permissions.may(request.user, "view_readiness"):
        return []
    url = reverse("readiness:home")
    is_current = request.path.startswith(url)
    return [Link(title=gettext("Machines"), url=url, is_current=is_current, order=39, group="project")]
