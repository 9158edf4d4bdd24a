"""Forms of the scorecard room."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dienrong.scorecard.models import OfficialTotal


class TotalForm(forms.ModelForm):
    """One official total."""

    class Meta:
        """The fields that a person writes."""

        model = OfficialTotal
        fields = ("province_code", "school_year", "part", "n_schools", "n_students", "source")

    def __init__(self, *args: Any, provinces: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["province_code"] = forms.ChoiceField(
            label=gettext_lazy("Province"), choices=list(provinces.items())
        )
        self.fields["school_year"].help_text = _("Such as 2026-2027.")
        self.fields["source"].help_text = _("Such as the statistics of the beginning of the school year.")

    def validate_unique(self) -> None:
        """Let a total take the place of the present one."""

    def validate_constraints(self) -> None:
        """Let a total take the place of the present one."""


class TotalsForm(forms.Form):
    """Lines pasted from a sheet."""

    lines = forms.CharField(
        label=gettext_lazy("Lines of the sheet"),
        help_text=gettext_lazy(
            "One line per province and level: province code, school year, level (MN, TH, THCS, THPT, GDTX) or grade, "
            "schools, pupils. Copy the five columns in Excel and paste them here."
        ),
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        max_length=200_000,
    )
    source = forms.CharField(label=gettext_lazy("Source"), max_length=200)
