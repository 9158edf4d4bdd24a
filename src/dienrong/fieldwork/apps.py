"""The room as a Django application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class FieldworkConfig(AppConfig):
    """Participation, lists, sessions, incidents, visits."""

    name = "dienrong.fieldwork"
    label = "fieldwork"
    verbose_name = _("Fieldwork")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to what becomes of schools, name the actions, offer the pages."""
        from dienrong.capacity import ports
        from dienrong.core import recording, shell
        from dienrong.cycles import board
        from dienrong.fieldwork import cards, staffing, words
        from dienrong.readiness.ports import plug_participants
        from dienrong.registry.signals import schools_changed

        recording.name_actions(words.ACTIONS)
        schools_changed.connect(_schools_changed, dispatch_uid="fieldwork.mark")
        shell.register_links(_links)
        board.register_cards(cards.cards)
        ports.plug_participation(staffing.participating_schools)
        ports.plug_duties(staffing.duties)
        ports.plug_work(staffing.work_of)
        plug_participants(staffing.students_by_school)


def _schools_changed(sender: Any, *, school_keys: Iterable[int], **_more: Any) -> None:
    """Mark schools in the field that closed or merged."""
    from dienrong.fieldwork import operations

    operations.schools_were_changed(school_keys=school_keys)


def _links(request: HttpRequest) -> Iterable[object]:
    """Offer the board to those who follow schools, the sessions to those who report some."""
    from django.urls import reverse

    from dienrong.accounts import permissions
    from dienrong.core.shell import Link

    links = []
    offers = (
        ("view_fieldwork", "fieldwork:home", gettext("Participation"), 36),
        ("report_session", "fieldwork:sessions", gettext("Test sessions"), 37),
    )
    for permission, name, title, order in offers:
        if permissions.may(request.user, permission):
            url = reverse(name)
            is_current = request.path == url or request.path.startswith(f"{url}/")
            links.append(Link(title=title, url=url, is_current=is_current, order=order))
    return links
