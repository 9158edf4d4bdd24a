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
        board.register_reports(_public_cards)


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


def _public_cards() -> Iterable[object]:
    """Give the public a card for each draw whose commitment is published; withdrawn ones stay reachable by address."""
    from django.urls import reverse

    from dienrong.core.formats import moment_text
    from dienrong.cycles.board import Card
    from dienrong.sampling.models import Plan
    from dienrong.sampling.queries import public_plans

    return [
        Card(
            title=gettext("Public draw: %(title)s") % {"title": plan.title},
            text=gettext("Drawn: the record can be verified by everybody.")
            if plan.state == Plan.State.DRAWN
            else gettext("The commitment is published; the number is announced at %(moment)s.")
            % {"moment": moment_text(plan.draw.source_due_at)},
            url=reverse("sampling:public", args=[plan.pk]),
            button=gettext("Open the record") if plan.state == Plan.State.DRAWN else gettext("Open the page"),
            order=80,
        )
        for plan in public_plans()
    ]
