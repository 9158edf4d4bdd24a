"""The room as a Django application."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class SupportConfig(AppConfig):
    """Questions, the communication kit, the directory."""

    name = "dienrong.support"
    label = "support"
    verbose_name = _("Help and communication")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the actions, offer the pages and the cards of today."""
        from dienrong.core import recording, shell
        from dienrong.cycles import board
        from dienrong.support import cards, words

        recording.name_actions(words.ACTIONS)
        shell.register_links(_links)
        board.register_cards(cards.cards)


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the pages in the menu under the person's name."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.core.shell import Link

    if not permissions.may(request.user, "ask_questions"):
        return []
    url = reverse("support:questions")
    is_current = request.path.startswith((url, "/danh-ba", "/truyen-thong"))
    title = gettext("Help and directory")
    return [Link(title=title, url=url, is_current=is_current, order=20, in_menu=True, icon="info-circle")]
