"""Forms of the analysis room."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from dienrong.analysis.models import AnalysisRun
from dienrong.analysis.operations import RunOptions

LARGEST_SEED = 2**31 - 1


class RunForm(forms.Form):
    """What a person chooses of a run; what is left empty keeps the default of the pipeline."""

    size = forms.ChoiceField(
        label=_("Size"),
        choices=AnalysisRun.Size.choices,
        help_text=_("A small run ends within a minute; a national one takes about three."),
    )
    seed = forms.IntegerField(
        label=_("Seed"),
        min_value=1,
        max_value=LARGEST_SEED,
        initial=2026,
        help_text=_("All draws follow from this number; the same number gives the same sample."),
    )
    n_schools_per_province = forms.IntegerField(
        label=_("Schools per province"), min_value=2, max_value=500, required=False
    )
    n_students = forms.IntegerField(label=_("Students per school"), min_value=1, max_value=60, required=False)

    def options(self) -> RunOptions:
        """Give the choices as the operation takes them."""
        return RunOptions(**self.cleaned_data)
