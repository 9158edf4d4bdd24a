"""The room as a Django application."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class PlansConfig(AppConfig):
    """Targets, indicators, where units stand, reports."""

    name = "dienrong.plans"
    label = "plans"
    verbose_name = _("Plan 468")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the actions, offer the page, put what is due on the board."""
        from dienrong.core import recording, shell
        from dienrong.cycles import board
        from dienrong.plans import annexes, cards, ports, words

        ports.plug_annex("readiness", annexes.readiness)
        ports.plug_annex("budget", annexes.budget)
        recording.name_actions(words.ACTIONS)
        shell.register_links(_links)
        board.register_cards(cards.cards)


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the page to those who look after units."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.core.shell import Link

    if not permissions.may(request.user, "view_plans"):
        return ()
    url = reverse("plans:home")
    is_current = request.path == url or request.path.startswith(f"{url}/")
    return (Link(title=gettext("Plan 468"), url=url, is_current=is_current, order=34, group="project"),)
