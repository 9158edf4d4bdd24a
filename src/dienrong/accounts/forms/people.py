"""What officers type about the people in their charge."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dienrong.accounts import directory, permissions
from dienrong.accounts.models import UNIT_KIND_OF_ROLE, Role, UnitKind
from dienrong.core import text

UNITS_SHOWN = 20
UNITS_ASKED = 400  # all kinds come mixed; those in which the role is not held are left out
Choice = tuple[str, str]


def unit_choices(user: Any, role: str, search: str) -> list[Choice]:
    """Offer the units in which an officer may give a role: their own ones, then what the search finds.

    Parameters
    ----------
    user : User
        The officer.
    role : str
        The role to be given.
    search : str
        Part of a name, without marks, or a code.

    Returns
    -------
    list of (value, text)
        The value is ``kind:code``; only units that ``permissions.may_give`` accepts.
    """
    if role not in Role.values:
        return []
    kinds = UNIT_KIND_OF_ROLE[role]
    found: dict[str, tuple[str, directory.Place]] = {}
    if UnitKind.NATION in kinds:
        found[f"{UnitKind.NATION}:"] = str(UnitKind.NATION.label), directory.Place()
    for row in permissions.assignments_of(user):
        if row.unit_kind in kinds and row.unit_code:
            name = f"{row.unit_name or row.unit_code} ({row.unit_code})"
            found[f"{row.unit_kind}:{row.unit_code}"] = name, permissions.last_place(row)
    search = text.clean_text(search)
    if search and not directory.is_plugged():
        for kind in set(kinds) - {UnitKind.NATION}:
            found[f"{kind}:{search}"] = search, directory.own_place(kind, search)
    elif search:
        for choice in directory.search(permissions.scope_of(user), search, UNITS_ASKED):
            if choice.kind in kinds:
                found[f"{choice.kind}:{choice.code}"] = f"{choice.name} ({choice.code})", choice.place
    allowed = [
        (value, name) for value, (name, place) in found.items() if permissions.may_give_at(user, role, place)
    ]
    return allowed[:UNITS_SHOWN]


class RoleForm(forms.Form):
    """A role in a unit, until a day or without end."""

    unit = forms.ChoiceField(label=gettext_lazy("Unit"), widget=forms.RadioSelect)
    until = forms.DateField(
        label=gettext_lazy("Last day of the role"),
        required=False,
        help_text=gettext_lazy("Empty: without end."),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    def __init__(self, *args: Any, units: list[Choice], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["unit"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = units
        field.error_messages = {
            "required": _("Choose a unit of the list."),
            "invalid_choice": _("Choose a unit of the list."),
        }
        if len(units) == 1:
            field.initial = units[0][0]

    def unit_parts(self) -> tuple[str, str]:
        """Give kind and code of the chosen unit."""
        kind, _colon, code = str(self.cleaned_data["unit"]).partition(":")
        return kind, code


class InviteForm(RoleForm):
    """Whom an officer invites."""

    full_name = forms.CharField(
        label=gettext_lazy("Full name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        required=False,
        help_text=gettext_lazy("Not needed: you hand the link over yourself."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("unit", "full_name", "email", "until")

    def clean_full_name(self) -> str:
        """Keep the name composed and without stray blanks."""
        name = text.clean_text(self.cleaned_data["full_name"])
        if not name:
            raise forms.ValidationError(_("Type the full name."))
        return name
