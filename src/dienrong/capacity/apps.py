"""The room as a Django application."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class CapacityConfig(AppConfig):
    """People, training, certificates, required and available capacity."""

    name = "dienrong.capacity"
    label = "capacity"
    verbose_name = _("Capacity")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the actions, offer the pages, the cards of today and the kinds of file."""
        from dienrong.capacity import cards, targets, words  # noqa: F401 - targets register themselves
        from dienrong.core import recording, shell
        from dienrong.cycles import board

        recording.name_actions(words.ACTIONS)
        shell.register_links(_links)
        board.register_cards(cards.cards)


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the pages to those who look after people."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.core.shell import Link

    if not permissions.may(request.user, "view_capacity"):
        return []
    url = reverse("capacity:home")
    certificates = reverse("capacity:certificates")
    is_current = request.path.startswith((url, certificates))
    return [Link(title=gettext("Training"), url=url, is_current=is_current, order=38, group="project")]
