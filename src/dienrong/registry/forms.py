"""Forms of the registry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dienrong.core.days import DayField
from dienrong.core.formats import day_text
from dienrong.registry.columns import LEVELS
from dienrong.registry.models import AdministrativeUnit, MergerLine, School, SchoolTraits


class DecisionForm(forms.Form):
    """The decision behind an event."""

    on_date = DayField(label=_("Takes effect on"))
    decision_number = forms.CharField(
        label=_("Number of the decision"),
        max_length=60,
        help_text=_("As it stands in the decision, such as 12/QĐ-UBND."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    decision_date = DayField(label=_("Date of the decision"), required=False)


class TraitFields(DecisionForm):
    """The traits of a school and the decision by which they hold."""

    name = forms.CharField(label=_("School name"), max_length=200)
    levels = forms.MultipleChoiceField(
        label=_("Levels"), choices=[(level, level) for level in LEVELS], widget=forms.CheckboxSelectMultiple
    )
    commune = forms.ChoiceField(label=_("Commune"))
    kind = forms.ChoiceField(label=_("Kind of school"), choices=SchoolTraits.Kind.choices)
    sector = forms.ChoiceField(label=_("Owner"), choices=SchoolTraits.Sector.choices)
    managed_by = forms.ChoiceField(label=_("Managed by"), choices=SchoolTraits.ManagedBy.choices)
    area = forms.ChoiceField(label=_("Area"), choices=SchoolTraits.Area.choices)
    boarding = forms.ChoiceField(label=_("Boarding"), choices=SchoolTraits.Boarding.choices)
    is_disadvantaged = forms.BooleanField(label=_("Disadvantaged area"), required=False)
    is_border = forms.BooleanField(label=_("Border area"), required=False)

    field_order = ("name", "levels", "commune", "kind", "sector", "managed_by", "area", "boarding")

    def offer_communes(self, communes: Iterable[AdministrativeUnit], *, is_chosen: bool) -> None:
        """Offer communes; an empty choice comes first where none is chosen yet."""
        self.units = {unit.code: unit for unit in communes}
        choices = [(unit.code, unit.full_name) for unit in self.units.values()]
        self.fields["commune"].choices = choices if is_chosen else [("", _("– choose –")), *choices]

    def traits(self) -> dict[str, Any]:
        """Give the traits as the registry keeps them."""
        names = ("name", "kind", "sector", "managed_by", "area", "boarding", "is_disadvantaged", "is_border")
        values = {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}
        values["levels"] = "-".join(level for level in LEVELS if level in self.cleaned_data["levels"])
        return values

    @property
    def chosen_commune(self) -> AdministrativeUnit:
        """The commune that was chosen."""
        return self.units[self.cleaned_data["commune"]]


class TraitsForm(TraitFields):
    """Traits of a school that change from a day on."""

    def __init__(
        self, *args: Any, school: School, communes: Iterable[AdministrativeUnit], **options: Any
    ) -> None:
        traits = ("name", "kind", "sector", "managed_by", "area", "boarding", "is_disadvantaged", "is_border")
        initial = {name: getattr(school, name) for name in traits}
        initial |= {"levels": school.levels.split("-"), "commune": school.commune.code}
        super().__init__(*args, initial=initial, **options)
        units = {unit.code: unit for unit in communes}
        units.setdefault(school.commune.code, school.commune)
        self.offer_communes(units.values(), is_chosen=True)


class ContactsForm(forms.Form):
    """Data of a school without history."""

    address = forms.CharField(label=_("Postal address"), max_length=240, required=False)
    phone = forms.CharField(label=_("Phone"), max_length=20, required=False)
    email = forms.EmailField(label=_("E-mail"), required=False)
    latitude = forms.DecimalField(
        label=_("Latitude"), required=False, min_value=-90, max_value=90, decimal_places=6, localize=False
    )
    longitude = forms.DecimalField(
        label=_("Longitude"), required=False, min_value=-180, max_value=180, decimal_places=6, localize=False
    )
    n_satellite_sites = forms.IntegerField(
        label=_("Satellite sites"), required=False, min_value=0, max_value=1000
    )
    founded_date = DayField(label=_("Founded"), required=False)

    @classmethod
    def of(cls, school: School) -> ContactsForm:
        """Fill the form with a school as it is."""
        return cls(initial={name: getattr(school, name) for name in cls.base_fields})

    def values(self) -> dict[str, Any]:
        """Give the values as JSON has them."""
        values = dict(self.cleaned_data)
        values["founded_date"] = values["founded_date"].isoformat() if values["founded_date"] else None
        for name in ("latitude", "longitude"):
            values[name] = None if values[name] is None else float(values[name])
        return values


class BatchForm(forms.Form):
    """A batch of mergers: what the decision is called, and when it takes effect."""

    title = forms.CharField(
        label=_("Title"),
        max_length=200,
        help_text=_("A few words by which the batch is found again."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    decision_number = forms.CharField(
        label=_("Number of the decision"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    decision_date = DayField(label=_("Date of the decision"))
    effective_date = DayField(
        label=_("Takes effect on"),
        help_text=_("From this day on the schools are merged in every list and frame."),
    )
    province = forms.ChoiceField(label=_("Province"))

    field_order = ("province", "title", "decision_number", "decision_date", "effective_date")

    def __init__(self, *args: Any, provinces: Iterable[AdministrativeUnit], **options: Any) -> None:
        super().__init__(*args, **options)
        self.units = {unit.code: unit for unit in provinces}
        self.fields["province"].choices = [(unit.code, unit.full_name) for unit in self.units.values()]
        if len(self.units) == 1:
            self.fields["province"].widget = forms.HiddenInput()
            self.fields["province"].initial = next(iter(self.units))

    def clean(self) -> dict[str, Any]:
        """Refuse a decision that is signed after it takes effect by more than a year, a slip of the pen."""
        values = super().clean() or {}
        signed, effective = values.get("decision_date"), values.get("effective_date")
        if signed and effective and abs((effective - signed).days) > 366:
            self.add_error(
                "effective_date",
                _("More than a year lies between %(signed)s and this day; check both.")
                % {"signed": day_text(signed)},
            )
        return values


class LineForm(forms.Form):
    """One line of a batch, after the schools were chosen."""

    kind = forms.ChoiceField(
        label=_("What happens"),
        choices=[
            (value, word)
            for value, word in MergerLine.Kind.choices
            if value not in (MergerLine.Kind.SPLIT, MergerLine.Kind.OPEN)
        ],
    )
    successor = forms.ChoiceField(label=_("The school that goes on"), required=False)
    new_code = forms.CharField(
        label=_("New code"),
        max_length=20,
        required=False,
        help_text=_("For a new school, or to change the code; else leave it empty."),
    )
    new_name = forms.CharField(
        label=_("New name"),
        max_length=200,
        required=False,
        help_text=_("For a new school, or where the name changes too; else leave it empty."),
    )
    commune = forms.ChoiceField(label=_("Commune afterwards"), required=False)

    NEW_SCHOOL = "+"

    def __init__(
        self, *args: Any, schools: Iterable[School], communes: Iterable[AdministrativeUnit], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.fields["successor"].choices = [
            ("", _("– choose –")),
            *((school.school_id, f"{school.name} ({school.school_id})") for school in schools),
            (self.NEW_SCHOOL, _("a new school (give code and name below)")),
        ]
        self.fields["commune"].choices = [
            ("", _("as before")),
            *((unit.code, unit.full_name) for unit in communes),
        ]
