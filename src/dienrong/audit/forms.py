"""Narrowing the audit log."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dienrong.core.days import DayField

ROOM_NAMES = {
    "accounts": _("Accounts"),
    "jobs": _("Background work"),
    "registry": _("Schools and units"),
    "cycles": _("Cycles"),
    "analysis": _("Analysis"),
    "reporting": _("Reports"),
}


class EntriesForm(forms.Form):
    """Room, person and day."""

    action = forms.ChoiceField(label=_("Part"), required=False)
    actor = forms.CharField(label=_("User name"), required=False, max_length=150)
    day = DayField(label=_("Day"), required=False)

    def __init__(self, *args: Any, rooms: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(room, ROOM_NAMES.get(room, room)) for room in rooms]
        self.fields["action"].choices = [("", _("All parts")), *choices]  # type: ignore[attr-defined]
