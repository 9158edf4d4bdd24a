"""The room as a Django application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class StandardsConfig(AppConfig):
    """Sessions of standard setting."""

    name = "dienrong.standards"
    label = "standards"
    verbose_name = _("Standard setting")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the actions, offer the sessions and adopted cuts, put what waits for a person on the board."""
        from dienrong.core import recording, shell
        from dienrong.cycles import board
        from dienrong.scaling import adopted
        from dienrong.standards import words

        adopted.plug(_adopted)
        recording.name_actions(words.ACTIONS)
        shell.register_links(_links)
        board.register_cards(_cards)


def _adopted(cycle: Any, subject: str, grade: int | None) -> Any:
    """Give the adopted cuts of a subject with the session that they come from, for the runs of the scaling."""
    from django.urls import reverse

    from dienrong.scaling.adopted import AdoptedLevels
    from dienrong.standards import queries

    setting = queries.adopted_setting(cycle, subject, grade)
    if setting is None:
        return None
    return AdoptedLevels(
        title=setting.title,
        url=reverse("standards:setting", args=[setting.pk]),
        adopted_at=setting.adopted_at,
        cycle=cycle.name,
        cuts=tuple(cut.scale for cut in queries.cuts_of(setting)),
    )


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the sessions to those who may see them."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.core.shell import Link

    if not permissions.may(request.user, "view_standards"):
        return ()
    url = reverse("standards:home")
    is_current = request.path == url or request.path.startswith(f"{url}/")
    return (Link(title=gettext("Standards"), url=url, is_current=is_current, order=46, group="analysis"),)


def _cards(user: Any, cycle: Any) -> Iterable[object]:
    """Give a card for each session whose round is open, or whose cuts wait to be adopted."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.cycles.board import Card
    from dienrong.standards import queries
    from dienrong.standards.models import StandardSetting

    if not permissions.may(user, "manage_standards"):
        return ()
    found = []
    waiting = (StandardSetting.State.OPEN, StandardSetting.State.FINAL)
    for setting in queries.settings_of(cycle).filter(state__in=waiting):
        is_open = setting.state == StandardSetting.State.OPEN
        found.append(
            Card(
                title=gettext("A round of “%(title)s” is open") % {"title": setting.title}
                if is_open
                else gettext("Cuts of “%(title)s” wait to be adopted") % {"title": setting.title},
                text=str(setting.get_method_display()),
                url=reverse("standards:setting", args=[setting.pk]),
                button=gettext("See who has submitted") if is_open else gettext("Look at the cuts"),
                order=22,
            )
        )
    return found
