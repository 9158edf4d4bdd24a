"""Forms of the room; what they gather goes to one operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dienrong.core.days import DayField
from dienrong.followup.models import Risk, Task

LINES = forms.Textarea(attrs={"rows": 3})
GRADES = [(1, "1"), (2, "2"), (3, "3"), (4, "4"), (5, "5")]


class PlanForm(forms.Form):
    """What a plan says of itself."""

    year = forms.IntegerField(label=_("Year"), min_value=2000, max_value=2100)
    title = forms.CharField(label=_("Name of the plan"), max_length=300)
    number = forms.CharField(label=_("Number and symbol"), max_length=60, required=False)
    legal_bases = forms.CharField(
        label=_("Legal bases"),
        required=False,
        widget=LINES,
        help_text=_("One per line, as they stand in the document."),
    )
    recipients = forms.CharField(
        label=_("Recipients"), required=False, widget=LINES, help_text=_("One per line.")
    )


class NewPlanForm(PlanForm):
    """A new plan: for which unit, from which template, for which round."""

    unit = forms.ChoiceField(label=_("Unit of the plan"))
    programme = forms.ChoiceField(
        label=_("Template of tasks"),
        required=False,
        help_text=_("Its tasks are taken over and can be changed."),
    )
    cycle = forms.ChoiceField(
        label=_("Round of the programme"),
        required=False,
        help_text=_("Templates of a programme count their days from its first test."),
    )

    field_order = ["unit", "programme", "cycle", "year", "title", "number", "legal_bases", "recipients"]

    def __init__(
        self,
        *args: Any,
        units: Sequence[tuple[str, str]],
        programmes: Sequence[tuple[str, str]],
        cycles: Sequence[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["unit"].choices = units
        fields["programme"].choices = [("", _("none: an empty plan")), *programmes]
        fields["cycle"].choices = [("", "–"), *cycles]
        fields["title"].required = False
        fields["title"].help_text = _("Empty: the title of the template.")


class AdoptForm(forms.Form):
    """The document by which a plan is put in force."""

    number = forms.CharField(label=_("Number and symbol"), max_length=60)
    adopted_on = DayField(label=_("Adopted on"))


class TaskForm(forms.Form):
    """A task."""

    title = forms.CharField(label=_("Task"), max_length=300)
    detail = forms.CharField(label=_("Content"), required=False, widget=LINES)
    lead = forms.CharField(label=_("Lead unit"), max_length=200, required=False)
    support = forms.CharField(label=_("Taking part"), max_length=300, required=False)
    starts_on = DayField(label=_("Begins on"))
    due_on = DayField(label=_("Task due on"))
    product = forms.CharField(label=_("Product"), max_length=300, required=False)
    fallback = forms.CharField(
        label=_("Contingency plan"),
        required=False,
        widget=LINES,
        help_text=_("What is done when it cannot go as planned: power, network, weather, illness."),
    )
    after = forms.TypedMultipleChoiceField(
        label=_("Begins when these are done"), required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, others: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["after"].choices = others
        if not others:
            del fields["after"]


class TaskStateForm(forms.Form):
    """How far a task is."""

    state = forms.ChoiceField(label=_("State"), choices=Task.State.choices)
    outcome = forms.CharField(label=_("What came of it"), max_length=500, required=False)


class HandOutForm(forms.Form):
    """To whom a task is handed, and until when."""

    reach = forms.ChoiceField(label=_("To whom"), widget=forms.RadioSelect)
    units = forms.CharField(
        label=_("Codes of units"),
        required=False,
        widget=LINES,
        help_text=_("Codes of provinces, communes or schools, parted by commas or lines."),
    )
    due_on = DayField(label=_("Task due on"))

    def __init__(self, *args: Any, reaches: Sequence[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["reach"].choices = reaches


class ReportForm(forms.Form):
    """What a unit reports of its duty."""

    outcome = forms.CharField(
        label=_("What was done"),
        max_length=500,
        widget=LINES,
        help_text=_("In a few words; number of the document where there is one."),
    )
    done_on = DayField(label=_("Done on"))


class ReturnForm(forms.Form):
    """Why a duty is returned."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=LINES)
    due_on = DayField(label=_("New day"), required=False, help_text=_("Empty: the day stays."))


class RiskForm(forms.Form):
    """A risk."""

    title = forms.CharField(label=_("What may happen"), max_length=300)
    cause = forms.CharField(label=_("Why it may happen"), max_length=300, required=False)
    likelihood = forms.TypedChoiceField(label=_("How likely, 1 to 5"), coerce=int, choices=GRADES)
    impact = forms.TypedChoiceField(label=_("How grave, 1 to 5"), coerce=int, choices=GRADES)
    prevention = forms.CharField(label=_("What prevents it"), widget=LINES)
    fallback = forms.CharField(label=_("What is done if it happens"), widget=LINES)
    owner = forms.CharField(label=_("Who watches it"), max_length=200)
    review_on = DayField(label=_("Looked at again on"))


class RiskStateForm(forms.Form):
    """What became of a risk."""

    state = forms.ChoiceField(label=_("State"), choices=Risk.State.choices)
    note = forms.CharField(label=_("Note"), max_length=500)
