"""Forms of the reporting room."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from dienrong.core.days import DayField


class MeasureForm(forms.Form):
    """A row of what is to be done."""

    finding = forms.CharField(label=_("Finding"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    cause = forms.CharField(
        label=_("Cause"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    solution = forms.CharField(
        label=_("Proposed solution"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    owner = forms.CharField(label=_("Leading unit"), max_length=200)
    due = DayField(label=_("Due"), required=False)
    follow_up = forms.CharField(
        label=_("Follow-up"),
        max_length=1000,
        required=False,
        help_text=_("By which figure or paper will one see that it is done?"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
