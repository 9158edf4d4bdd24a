"""Forms of the room; what they gather goes to one operation."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dienrong.core.days import DayField
from dienrong.plans.definitions import INDICATORS, PlanIndicator
from dienrong.plans.models import Phase, ReportCall
from dienrong.plans.operations.reports import CallFacts
from dienrong.plans.operations.targets import TargetFacts

LINES = forms.Textarea(attrs={"rows": "4"})


class TargetForm(forms.Form):
    """A target that a unit adds."""

    indicator = forms.ChoiceField(label=_("Indicator"))
    phase = forms.ModelChoiceField(label=_("Phase"), queryset=Phase.objects.none(), empty_label=None)
    percent = forms.DecimalField(
        label=_("Target, per cent"), min_value=Decimal("0.01"), max_value=100, decimal_places=2, localize=True
    )
    number = forms.CharField(label=_("Number and symbol of the document"), max_length=60)
    issued_on = DayField(label=_("Day of the document"))
    place = forms.CharField(
        label=_("Place in the document"), max_length=40, help_text=_("Such as: II.1.2, second dash.")
    )
    quote = forms.CharField(label=_("Words of the document"), max_length=2000, widget=LINES)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["indicator"].choices = [(one.code, one.title) for one in INDICATORS.values()]  # type: ignore[attr-defined]
        self.fields["phase"].queryset = Phase.objects.all()  # type: ignore[attr-defined]

    def facts(self) -> TargetFacts:
        """Give the target as the operation takes it."""
        said = self.cleaned_data
        return TargetFacts(
            indicator=said["indicator"],
            phase=said["phase"],
            share=said["percent"] / 100,
            number=said["number"],
            issued_on=said["issued_on"],
            place=said["place"],
            quote=said["quote"],
        )


class ReadingForm(forms.Form):
    """How an indicator is read: a question for each thing that the plans leave open."""

    def __init__(self, *args: Any, indicator: PlanIndicator, **options: Any) -> None:
        super().__init__(*args, **options)
        for option in indicator.options:
            self.fields[f"option_{option.name}"] = forms.ChoiceField(
                label=option.question, choices=option.choices, widget=forms.Select
            )
        self.fields["reason"] = forms.CharField(
            label=_("Why it is read so"),
            max_length=300,
            help_text=_("Best with the document that says it."),
        )

    def choices(self) -> dict[str, str]:
        """Give what was chosen."""
        return {
            name.removeprefix("option_"): value
            for name, value in self.cleaned_data.items()
            if name.startswith("option_")
        }


class CallForm(forms.Form):
    """A report that is due."""

    kind = forms.ChoiceField(label=_("Kind of report"), choices=ReportCall.Kind.choices)
    phase = forms.ModelChoiceField(label=_("Phase"), queryset=Phase.objects.none(), empty_label=None)
    first_day = DayField(label=_("First day of the period"))
    last_day = DayField(label=_("Last day of the period"))
    due_on = DayField(label=_("Due on"))
    basis = forms.CharField(
        label=_("Legal ground"), max_length=300, help_text=_("The document by which the report is asked for.")
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["phase"].queryset = Phase.objects.all()  # type: ignore[attr-defined]

    def facts(self) -> CallFacts:
        """Give the call as the operation takes it."""
        return CallFacts(**self.cleaned_data)


class HeadForm(forms.Form):
    """What reports bear as official documents; lists are one entry a line."""

    parent_agency = forms.CharField(
        label=_("Agency above"), required=False, max_length=160, widget=forms.Textarea(attrs={"rows": "2"})
    )
    agency = forms.CharField(label=_("Agency"), max_length=160)
    symbol = forms.CharField(label=_("Symbol"), max_length=40)
    place = forms.CharField(label=_("Place of issue"), max_length=80)
    addressees = forms.CharField(label=_("Addressed to, one a line"), required=False, widget=LINES)
    bases = forms.CharField(
        label=_("Legal bases, one a line"), required=False, widget=forms.Textarea(attrs={"rows": "6"})
    )
    authority = forms.CharField(
        label=_("Authority of the signer, one a line"),
        required=False,
        widget=forms.Textarea(attrs={"rows": "2"}),
    )
    signer = forms.CharField(label=_("Signer"), required=False, max_length=120)
    recipients = forms.CharField(label=_("Recipients, one a line"), required=False, widget=LINES)

    def values(self) -> dict[str, Any]:
        """Give the head as the operation takes it."""
        lists = ("addressees", "bases", "authority", "recipients")
        said = self.cleaned_data
        return {name: said[name].splitlines() if name in lists else said[name] for name in said}


class SendForm(forms.Form):
    """Number and day of the document, where the office has given them; why, for a corrected version."""

    number = forms.CharField(
        label=_("Number of the document"),
        required=False,
        max_length=20,
        help_text=_("Empty while the office has not given one."),
    )
    signed_on = DayField(label=_("Day of signing"), required=False)
    reason = forms.CharField(label=_("Why it is corrected"), required=False, max_length=300)

    def __init__(self, *args: Any, is_correction: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["reason"].required = is_correction
        if not is_correction:
            del self.fields["reason"]

    def clean_signed_on(self) -> datetime.date | None:
        """Give the day."""
        found: datetime.date | None = self.cleaned_data.get("signed_on")
        return found


class ReasonForm(forms.Form):
    """Why something is taken back."""

    reason = forms.CharField(label=_("Reason"), max_length=300)


class SignedForm(forms.Form):
    """The signed copy."""

    file = forms.FileField(label=_("Signed copy (PDF)"), allow_empty_file=True)


class ReminderForm(forms.Form):
    """What a province is told."""

    text = forms.CharField(label=_("Message"), max_length=2000, widget=LINES)
