"""Forms of the room: what is typed, read in the language of the page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dienrong.core.typed_numbers import NumberField
from dienrong.readiness.models import Item, MachineGroup, NormSet, Section, Source, Stream, SurveyRound
from dienrong.readiness.operations import GroupFacts, LineFacts, NormFacts
from dienrong.readiness.operations.surveys import BOUNDS


def day_field(label: Any) -> forms.DateField:
    """Make a field for a day typed as dd/mm/yyyy."""
    return forms.DateField(
        label=label,
        input_formats=["%d/%m/%Y", "%Y-%m-%d"],
        widget=forms.DateInput(
            format="%d/%m/%Y",
            attrs={"inputmode": "numeric", "placeholder": "31/12/2026", "autocomplete": "off"},
        ),
        error_messages={"invalid": _("Write the day like 31/12/2026.")},
    )


class WholeField(NumberField):
    """A whole number typed with or without marks between thousands."""

    default_error_messages = {"whole": _("Write a whole number.")}

    def clean(self, value: Any) -> Any:
        """Give an int."""
        found = super().clean(value)
        if found is None:
            return None
        if found != int(found):
            raise forms.ValidationError(self.error_messages["whole"], code="whole")
        return int(found)


class RoundForm(forms.Form):
    """Opens the survey in a province."""

    province = forms.ChoiceField(label=_("Province"))
    reach = forms.ChoiceField(label=_("Which schools"), choices=SurveyRound.Reach.choices)
    due_on = day_field(_("Until"))

    def __init__(self, *args: Any, provinces: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["province"].choices = provinces  # type: ignore[attr-defined]
        if len(provinces) == 1:
            self.fields["province"].widget = forms.HiddenInput()
            self.fields["province"].initial = provinces[0][0]


class GroupForm(forms.Form):
    """A group of machines that are alike."""

    kind = forms.ChoiceField(label=_("Which machines"), choices=MachineGroup.Kind.choices)
    n_working = WholeField(label=_("Machines that work"))
    year_bought = WholeField(label=_("Year bought"))
    memory_gb = WholeField(label=_("Memory, GB"), initial=4)
    screen = forms.ChoiceField(
        label=_("Screen"),
        choices=[
            (one, one.replace("x", " × "))
            for one in ("1366x768", "1280x800", "1440x900", "1600x900", "1920x1080", "1280x1024", "1024x768")
        ],
    )
    system = forms.ChoiceField(label=_("System"), choices=MachineGroup.System.choices, initial="windows_10")
    browser = forms.ChoiceField(label=_("Browser"), choices=MachineGroup.Browser.choices)
    browser_version = WholeField(
        label=_("Main version of the browser"),
        help_text=_("In the browser: menu, Help, About. For example 109."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, (low, high) in BOUNDS.items():
            if name in self.fields:
                self.fields[name].min_value, self.fields[name].max_value = low, high  # type: ignore[attr-defined]

    def facts(self) -> GroupFacts:
        """Give what was typed."""
        values = dict(self.cleaned_data)
        width, height = values.pop("screen").split("x")
        return GroupFacts(**values, screen_width=int(width), screen_height=int(height))


class ReviewForm(forms.Form):
    """Returns a survey with a reason."""

    reason = forms.CharField(
        label=_("What the school is to correct"), max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )


class LinkForm(forms.Form):
    """Makes the link of the machine check."""

    closes_on = day_field(_("Until"))
    server_address = forms.CharField(
        label=_("Address of the school server"), max_length=120, required=False,
        help_text=_("Leave it empty while none is on. For example http://192.168.1.10:8000."),
    )  # fmt: skip


class HandOverForm(forms.Form):
    """A report that was carried by hand: a file, or the text of it."""

    report_file = forms.FileField(label=_("File of the report"), required=False)
    report_text = forms.CharField(
        label=_("Or the text of the report"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def body(self) -> bytes:
        """Give what was handed over."""
        found = self.cleaned_data.get("report_file")
        return found.read(20_000) if found else self.cleaned_data["report_text"].strip().encode()


class NormForm(forms.ModelForm):  # type: ignore[type-arg]
    """The numbers of a norm."""

    class Meta:
        """Everything but cycle, version and who."""

        model = NormSet
        fields = tuple(NormFacts.__dataclass_fields__)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.label = str(field.label)[:1].upper() + str(field.label)[1:]
            if isinstance(field, forms.IntegerField):
                field.widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})


class PriceForm(forms.Form):
    """Sets a unit price."""

    item = forms.ChoiceField(
        label=_("Article"), choices=[one for one in Item.choices if one[0] not in (Item.DUTY, Item.OTHER)]
    )
    amount = WholeField(label=_("Unit price, dong"), min_value=1)
    legal_basis = forms.CharField(label=_("Ground of the price"), max_length=240)
    from_day = day_field(_("From"))


class BudgetForm(forms.Form):
    """Begins an estimate."""

    province = forms.ChoiceField(label=_("Province"))
    year = forms.IntegerField(
        label=_("Budget year"),
        min_value=2020,
        max_value=2060,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    stream = forms.ChoiceField(label=_("Sent to"), choices=Stream.choices)

    def __init__(self, *args: Any, provinces: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["province"].choices = provinces  # type: ignore[attr-defined]
        if len(provinces) == 1:
            self.fields["province"].widget = forms.HiddenInput()
            self.fields["province"].initial = provinces[0][0]


class LineForm(forms.Form):
    """Adds a line that is typed."""

    section = forms.ChoiceField(label=_("Part"), choices=Section.choices)
    name = forms.CharField(label=_("Content of spending"), max_length=200)
    unit = forms.CharField(label=_("Unit"), max_length=30)
    quantity = NumberField(label=_("Quantity"), min_value=0)
    norm = NumberField(label=_("Norm (days, times)"), min_value=0, initial=1)
    unit_price = WholeField(label=_("Unit price, dong"), min_value=1)
    source = forms.ChoiceField(label=_("Source"), choices=Source.choices)
    legal_basis = forms.CharField(label=_("Ground of the price"), max_length=240, required=False)

    def facts(self) -> LineFacts:
        """Give what was typed."""
        values = dict(self.cleaned_data)
        for name in ("quantity", "norm"):
            values[name] = Decimal(str(values[name]))
        return LineFacts(**values)


class StepForm(forms.Form):
    """Takes an estimate a step on."""

    document = forms.CharField(
        label=_("Number and day of the document"), max_length=120, required=False,
        help_text=_("For example “125/TTr-SGDĐT”, 05/10/2026."),
    )  # fmt: skip
    note = forms.CharField(label=_("Note"), max_length=300, required=False)


class VersionForm(forms.Form):
    """Begins a further version."""

    change_note = forms.CharField(label=_("What the further version changes"), max_length=300)
