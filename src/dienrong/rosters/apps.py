"""The room as a Django application."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class RostersConfig(AppConfig):
    """Pupils, teachers, managers and the vault of their identifiers."""

    name = "dienrong.rosters"
    label = "rosters"
    verbose_name = _("Rosters")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let nobody change who opened the vault; name the actions; offer the lists in the navigation."""
        from dienrong.audit import triggers
        from dienrong.core import recording, shell
        from dienrong.rosters import words

        triggers.protect("rosters_vaultaccess", "rosters_vault_access")
        recording.name_actions(words.ACTIONS)
        shell.register_links(_links)


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the lists to those who keep some."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.core.shell import Link

    if not permissions.may(request.user, "view_rosters"):
        return ()
    url = reverse("rosters:schools")
    return (
        Link(
            title=gettext("Lists"), url=url, is_current=request.path.startswith(url), order=32, group="data"
        ),
    )
