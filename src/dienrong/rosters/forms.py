"""What is typed about one person, one purpose, one consent; ``rosters.cells`` reads the cells."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dienrong.core import clock
from dienrong.core.days import DayField
from dienrong.core.row_changes import CellProblem
from dienrong.rosters import cells, codes
from dienrong.rosters.models import Consent, Purpose, Sex, StudentPlace

PEOPLES = [("", "—"), *((code, f"{code} · {name}") for code, name in codes.ETHNICITIES.items())]
DAY_HINT = _("Day/month/year, such as 05/09/2015")
FILL_IN = {"required": _("Please fill this in.")}


def text(**attributes: str) -> forms.TextInput:
    """Make a line that the browser neither completes nor corrects."""
    return forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", **attributes})


def day(label: Any, hint: Any = DAY_HINT) -> DayField:
    """Make a field for a date with its hint."""
    return DayField(label=label, help_text=hint)


class FilledForm(forms.Form):
    """A form that says in plain words what is missing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.error_messages |= FILL_IN


class CellForm(FilledForm):
    """A form whose fields are cells of a row, read as those of a file are read."""

    columns: tuple[str, ...] = ()

    def cells(self) -> dict[str, Any]:
        """Give the filled cells by column code."""
        return {
            name: value.isoformat() if hasattr(value, "isoformat") else value
            for name, value in self.cleaned_data.items()
            if value not in (None, "")
        }

    def clean(self) -> dict[str, Any]:
        """Read the cells; a field that has an error already, or is empty, gets no second one."""
        cleaned = super().clean() or self.cleaned_data
        self.read, problems = cells.read(self.cells(), self.columns, clock.today())
        self.add_problems(
            tuple(each for each in problems if each.value != "" and each.column not in self.errors)
        )
        return cleaned

    def add_problems(self, problems: tuple[CellProblem, ...]) -> None:
        """Show beside each field why its cell cannot be taken."""
        for problem in problems:
            column = problem.column if problem.column in self.fields else None
            self.add_error(column, f"{problem.sentence} {problem.hint}".strip())


class IdentityForm(CellForm):
    """Who somebody is."""

    columns = ("full_name", "birth_date", "sex", "personal_id", "ethnicity")

    full_name = forms.CharField(label=_("Full name"), max_length=100, widget=text())
    birth_date = day(_("Date of birth"))
    sex = forms.ChoiceField(label=_("Sex"), choices=Sex.choices)
    personal_id = forms.CharField(
        label=_("Personal number (12 digits)"),
        required=False,
        max_length=20,
        help_text=_("Leave empty where there is none yet."),
        widget=text(inputmode="numeric"),
    )
    ethnicity = forms.ChoiceField(label=_("Ethnic group"), choices=PEOPLES, required=False)


class StudentForm(CellForm):
    """A pupil who is put on the list of a school."""

    columns = tuple(column for column in cells.STUDENT_COLUMNS if column not in ("school_id", "status"))

    student_code = forms.CharField(
        label=_("Pupil's code (10 digits)"),
        max_length=20,
        help_text=_("The code of the sector database. A pupil who comes from another school keeps it."),
        widget=text(inputmode="numeric"),
    )
    full_name = forms.CharField(label=_("Full name"), max_length=100, widget=text())
    birth_date = day(_("Date of birth"))
    sex = forms.ChoiceField(label=_("Sex"), choices=[("", "—"), *Sex.choices])
    grade = forms.IntegerField(label=_("Grade level"), min_value=0, max_value=12)
    class_name = forms.CharField(label=_("Class"), max_length=30, widget=text())
    personal_id = forms.CharField(
        label=_("Personal number (12 digits)"),
        required=False,
        max_length=20,
        help_text=_("Leave empty where there is none yet."),
        widget=text(inputmode="numeric"),
    )
    ethnicity = forms.ChoiceField(label=_("Ethnic group"), choices=PEOPLES, required=False)
    has_special_needs = forms.BooleanField(label=_("Needs special support"), required=False)


class PlaceForm(CellForm):
    """The class of a pupil, and whether the pupil is still there."""

    grade = forms.IntegerField(label=_("Grade level"), min_value=0, max_value=12)
    class_name = forms.CharField(label=_("Class"), max_length=30, widget=text())
    status = forms.ChoiceField(label=_("State"), choices=StudentPlace.Status.choices)
    on_date = day(_("Day of leaving or return"), "")


class PurposeForm(FilledForm):
    """What personal data are processed for and how long they are kept."""

    name_vi = forms.CharField(label=_("Name in Vietnamese"), max_length=200)
    name_en = forms.CharField(label=_("Name in English"), max_length=200)
    basis = forms.ChoiceField(label=_("Legal basis"), choices=Purpose.Basis.choices)
    basis_text = forms.CharField(
        label=_("Text of the legal basis"), max_length=600, widget=forms.Textarea(attrs={"rows": 3})
    )
    data_categories = forms.CharField(
        label=_("Data that are processed"), max_length=600, widget=forms.Textarea(attrs={"rows": 3})
    )
    retention_months = forms.IntegerField(
        label=_("Kept for so many months after the school year"),
        min_value=1,
        max_value=600,
        help_text=_("The school year ends on 31 July. A new period moves the last day of what is kept."),
    )


class ConsentForm(FilledForm):
    """A consent as it was given."""

    purpose = forms.ModelChoiceField(label=_("Purpose"), queryset=Purpose.objects.none(), empty_label=None)
    given_by = forms.ChoiceField(label=_("Given by"), choices=Consent.GivenBy.choices)
    given_on = day(_("Given on"))
    evidence = forms.CharField(
        label=_("Where the paper is kept"),
        max_length=120,
        required=False,
        help_text=_("Number or shelf of the document; please write no names here."),
        widget=text(),
    )

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = Purpose.objects.filter(kind=kind, basis=Purpose.Basis.CONSENT)
        self.fields["purpose"].queryset = found  # type: ignore[attr-defined]
        self.fields["purpose"].label_from_instance = lambda purpose: purpose.name  # type: ignore[attr-defined]
