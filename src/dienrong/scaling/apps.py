"""The scaling room as a Django application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class ScalingConfig(AppConfig):
    """Studies of one subject: data, item review, runs."""

    name = "dienrong.scaling"
    label = "scaling"
    verbose_name = _("Scaling")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the actions, offer the studies in the navigation, and cards on the board for what waits."""
        from dienrong.core import recording, shell
        from dienrong.cycles import board
        from dienrong.scaling import words

        recording.name_actions(words.ACTIONS)
        shell.register_links(_links)
        board.register_cards(_cards)


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the studies to those who may see them."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.core.shell import Link
    from dienrong.cycles.shell import cycle_of_request

    if not permissions.may(request.user, "view_analysis"):
        return ()
    cycle = cycle_of_request(request)
    if cycle is None:
        return ()
    url = reverse("scaling:studies", args=[cycle.slug])
    is_current = request.path == url or request.path.startswith(f"{url}/")
    return (Link(title=gettext("Scaling"), url=url, is_current=is_current, order=42, group="analysis"),)


def _cards(user: Any, cycle: Any) -> Iterable[object]:
    """Give a card for each of the newest studies in which something waits for this person; two at most."""
    from dienrong.accounts import permissions
    from dienrong.cycles.board import Card
    from dienrong.scaling import pages, queries

    if not permissions.may_run_analysis(user):
        return ()
    cards = []
    for study in queries.studies_of(cycle)[:2]:
        step = pages.next_step(study, may_run=True)
        if step is not None and not step["is_done"]:
            cards.append(
                Card(
                    title=f"{study.title}: {step['title']}",
                    text=step["text"],
                    url=step["url"],
                    button=step["button"],
                    order=35,
                )
            )
    return cards
