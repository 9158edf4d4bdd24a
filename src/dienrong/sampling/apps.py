"""The room as a Django application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class SamplingConfig(AppConfig):
    """Frames, plans and public draws."""

    name = "dienrong.sampling"
    label = "sampling"
    verbose_name = _("Sampling")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Offer the pages, name the actions, put draws that wait for their number on the board."""
        from dienrong.core import recording, shell
        from dienrong.cycles import board
        from dienrong.sampling import words

        recording.name_actions(words.ACTIONS)
        shell.register_links(_links)
        board.register_cards(_cards)


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the plans to those who may see them."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.core.shell import Link

    if not permissions.may(request.user, "view_samples"):
        return ()
    url = reverse("sampling:home")
    return (Link(title=gettext("Sampling"), url=url, is_current=request.path.startswith(url), order=34),)


def _cards(user: Any, cycle: Any) -> Iterable[object]:
    """Give a card for each draw whose number is announced and not entered yet."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.core import clock
    from dienrong.cycles.board import Card
    from dienrong.sampling.models import Plan
    from dienrong.sampling.queries import plans_of

    if not permissions.may(user, "draw_samples"):
        return ()
    waiting = plans_of(cycle).filter(state=Plan.State.COMMITTED, draw__source_due_at__lte=clock.now())
    return [
        Card(
            title=gettext("The number for “%(title)s” is announced") % {"title": plan.title},
            text=plan.draw.source_name,
            url=reverse("sampling:draw", args=[plan.pk]),
            button=gettext("Enter the number"),
            order=8,
        )
        for plan in waiting
    ]
