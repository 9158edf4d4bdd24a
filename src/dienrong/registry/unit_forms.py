"""The form of one decision about one administrative unit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from dienrong.core import clock
from dienrong.registry.forms import DecisionForm
from dienrong.registry.models import AdministrativeUnit
from dienrong.registry.operations import UNIT_KINDS, UnitChange
from dienrong.registry.queries import unit_on


class UnitChangeForm(DecisionForm):
    """Another name or kind, another province, other communes taken in."""

    full_name = forms.CharField(
        label=_("Full name of the unit"),
        max_length=160,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    name = forms.CharField(
        label=_("Name without the kind of unit"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    kind = forms.ChoiceField(label=_("Kind of unit"))
    parent = forms.ChoiceField(label=_("Province"), required=False)
    absorbed = forms.CharField(
        label=_("Communes that it takes in"),
        required=False,
        max_length=200,
        help_text=_("Their codes, separated by commas; they end on the day of the decision."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    new_code = forms.CharField(
        label=_("New code"),
        required=False,
        max_length=5,
        help_text=_("Only where the merged commune gets a code of its own; else leave it empty."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def __init__(
        self, *args: Any, unit: AdministrativeUnit, provinces: Iterable[AdministrativeUnit], **options: Any
    ) -> None:
        initial = {"full_name": unit.full_name, "name": unit.name, "kind": unit.kind}
        if unit.parent is not None:
            initial["parent"] = unit.parent.code
        super().__init__(*args, initial=initial, **options)
        self.unit, self.provinces = unit, {province.code: province for province in provinces}
        words = dict(AdministrativeUnit.Kind.choices)
        self.fields["kind"].choices = [(kind, words[kind]) for kind in UNIT_KINDS.get(unit.level, ())]
        if unit.level == AdministrativeUnit.Level.COMMUNE:
            self.fields["parent"].choices = [
                (code, province.full_name) for code, province in self.provinces.items()
            ]
        else:
            for name in ("parent", "absorbed", "new_code"):
                del self.fields[name]

    def clean_absorbed(self) -> tuple[AdministrativeUnit, ...]:
        """Find the communes of the codes."""
        codes = self.cleaned_data["absorbed"].replace(",", " ").replace(";", " ").split()
        found = [
            (code, unit_on(AdministrativeUnit.Level.COMMUNE, code, clock.today()))
            for code in dict.fromkeys(codes)
        ]
        missing = [code for code, unit in found if unit is None]
        if missing:
            raise forms.ValidationError(_now("No commune in force has code %(code)s.") % {"code": missing[0]})
        return tuple(unit for _code, unit in found if unit is not None)

    def change(self) -> UnitChange:
        """Give what was filled in as a change."""
        values = self.cleaned_data
        parent = self.provinces.get(values.get("parent", ""))
        same = parent is None or (self.unit.parent_id == parent.pk)
        return UnitChange(
            unit=self.unit,
            name=values["name"],
            full_name=values["full_name"],
            kind=values["kind"],
            parent=None if same else parent,
            absorbed=values.get("absorbed", ()),
            new_code=values.get("new_code", "").strip(),
        )
