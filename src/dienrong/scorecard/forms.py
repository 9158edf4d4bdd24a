"""Forms of the scorecard room."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from dienrong.scorecard.models import OfficialTotal


class TotalForm(forms.Form):
    """One official total; it takes the place of the present one of the same province, year and part."""

    province_code = forms.ChoiceField(label=gettext_lazy("Province"))
    school_year = forms.RegexField(
        r"^20\d\d-20\d\d$", label=gettext_lazy("School year"), help_text=gettext_lazy("Such as 2026-2027.")
    )
    part = forms.ChoiceField(label=gettext_lazy("Level or grade"), choices=OfficialTotal.Part.choices)
    n_schools = forms.IntegerField(
        label=gettext_lazy("Schools"), required=False, min_value=0, max_value=999_999
    )
    n_students = forms.IntegerField(label=gettext_lazy("Pupils"), min_value=0, max_value=99_999_999)
    source = forms.CharField(
        label=gettext_lazy("Source"),
        max_length=200,
        help_text=gettext_lazy("Such as the statistics of the beginning of the school year."),
    )

    def __init__(self, *args: Any, provinces: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["province_code"]
        choices.choices = list(provinces.items())


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
