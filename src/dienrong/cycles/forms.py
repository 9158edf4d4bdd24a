"""Forms of the cycles room."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dienrong.cycles.models import CycleStep


class StepForm(forms.Form):
    """State and note of a step."""

    state = forms.ChoiceField(label=_("State"), choices=CycleStep.State.choices)
    note = forms.CharField(
        label=_("Note"), required=False, max_length=500, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    seen_at = forms.CharField(required=False, widget=forms.HiddenInput)

    @classmethod
    def of(cls, step: CycleStep) -> StepForm:
        """Fill the form with a step as it is."""
        return cls(initial={"state": step.state, "note": step.note, "seen_at": moment_mark(step)})


def moment_mark(step: CycleStep) -> str:
    """Write the moment of the last change as a form carries it."""
    return step.changed_at.isoformat() if step.changed_at else ""


def cleaned_seen_at(form: Any) -> Any:
    """Read the moment of the last change that the person had before their eyes."""
    from django.utils.dateparse import parse_datetime

    return parse_datetime(form.cleaned_data["seen_at"]) if form.cleaned_data["seen_at"] else None
