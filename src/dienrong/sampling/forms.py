"""Forms of the sampling room."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from dienrong.core.days import DayField
from dienrong.core.typed_numbers import NumberField
from dienrong.sampling import words
from dienrong.sampling.models import FrameExclusion, Plan
from dienrong.sampling.numeric import frames

OFF = {"autocomplete": "off"}


class PlanPart(forms.Form):
    """A form of one step; it carries the moment of the last change that the person had before their eyes."""

    seen_at = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_seen_at(self) -> datetime.datetime | None:
        """Read the moment."""
        text = self.cleaned_data["seen_at"]
        return parse_datetime(text) if text else None

    def values(self) -> dict[str, Any]:
        """Give what was chosen, without the mark."""
        return {name: value for name, value in self.cleaned_data.items() if name != "seen_at"}


class PlanForm(PlanPart):
    """Whom the sample stands for, and how people are taken in a school."""

    title = forms.CharField(label=_("Name of the plan"), max_length=160, widget=forms.TextInput(attrs=OFF))
    population = forms.ChoiceField(label=_("Population"), choices=Plan.Population.choices)
    grade = forms.TypedChoiceField(
        label=_("Grade"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", "–"), *((grade, str(grade)) for grade in range(1, 13))],
        help_text=_("For students; teachers and managers have none."),
    )
    phase = forms.ChoiceField(label=_("Phase"), choices=Plan.Phase.choices)
    rules = forms.ChoiceField(
        label=_("Rules of the programme"),
        choices=list(words.RULES.items()),
        help_text=_("They give the first choices for very large and very small schools."),
    )
    school_year = forms.RegexField(
        r"^20\d\d-20\d\d$",
        label=_("School year of the counts"),
        help_text=_("Such as 2026-2027."),
        widget=forms.TextInput(attrs=OFF),
    )
    frame_date = DayField(
        label=_("Day of the frame"), help_text=_("Schools and units as they were on this day.")
    )
    within = forms.ChoiceField(label=_("Within schools"), choices=Plan.Within.choices)
    n_classes = forms.IntegerField(label=_("Classes in a school"), min_value=1, max_value=20, initial=1)
    n_booklets = forms.IntegerField(label=_("Number of booklets"), min_value=1, max_value=99, initial=1)

    def clean(self) -> dict[str, Any]:
        """Ask for a grade of students, and of nobody else."""
        cleaned = super().clean() or {}
        is_students = cleaned.get("population") == Plan.Population.STUDENTS
        if is_students and not cleaned.get("grade"):
            self.add_error("grade", _("Choose the grade of the students."))
        if not is_students:
            cleaned["grade"] = None
        return cleaned


class RegistryForm(PlanPart):
    """The registry as source, with control of the overlap with an earlier draw."""

    overlap_plan = forms.TypedChoiceField(
        label=_("Overlap with an earlier draw"),
        required=False,
        coerce=int,
        empty_value=None,
        help_text=_("Few or many schools in common, without bending any probability (Keyfitz)."),
    )
    direction = forms.ChoiceField(
        label=_("Schools in common"),
        choices=[("minimize", _("as few as possible")), ("maximize", _("as many as possible"))],
    )

    def __init__(self, *args: Any, earlier: Iterable[Plan] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["overlap_plan"]
        field.choices = [("", _("No control")), *((plan.pk, plan.title) for plan in earlier)]


class FileForm(PlanPart):
    """A file as source."""

    file = forms.FileField(
        label=_("Excel, CSV or Parquet file"),
        help_text=_(
            "One row per school; the first row holds the names of the columns. No contacts of persons."
        ),
        error_messages={"required": _("Please choose a file.")},
    )

    def clean_file(self) -> Any:
        """Refuse a file that is too large."""
        file = self.cleaned_data["file"]
        most = settings.OPTIONS.upload_megabytes
        if file.size > most * 1024 * 1024:
            raise forms.ValidationError(
                _("The file is larger than %(most)s MB. Leave out columns that a frame does not need."),
                params={"most": most},
            )
        return file


class MappingForm(PlanPart):
    """Which column of a file is which."""

    kept = forms.MultipleChoiceField(
        label=_("Further columns to keep, for strata and exclusions"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, columns: Iterable[frames.Column], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [column.name for column in columns]
        for name in frames.STANDARD:
            is_needed = name in ("school_id", frames.SIZE)
            self.fields[f"of_{name}"] = forms.ChoiceField(
                label=words.COLUMNS[name],
                required=is_needed,
                choices=[("", _("none")), *((one, one) for one in names)],
            )
        kept: Any = self.fields["kept"]
        kept.choices = [(name, name) for name in names]
        self.order_fields([f"of_{name}" for name in frames.STANDARD])

    def mapping(self) -> dict[str, str]:
        """Give the chosen column of each that a frame has."""
        return {name: self.cleaned_data[f"of_{name}"] for name in frames.STANDARD}


class RuleForm(PlanPart):
    """A rule by which schools are left out."""

    column = forms.ChoiceField(label=_("Column"))
    op = forms.ChoiceField(
        label=_("Condition"),
        choices=[("is", _("is")), ("below", _("is below")), ("empty", _("is empty or 0"))],
    )
    value = forms.CharField(
        label=_("Value"), required=False, max_length=120, widget=forms.TextInput(attrs=OFF)
    )
    reason = forms.ChoiceField(label=_("Reason"), choices=FrameExclusion.Reason.choices)

    def __init__(self, *args: Any, columns: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        column: Any = self.fields["column"]
        column.choices = [(name, words.column_title(name)) for name in columns]

    def clean(self) -> dict[str, Any]:
        """Ask for the value that the condition needs."""
        cleaned = super().clean() or {}
        if cleaned.get("op") == "below":
            try:
                float(cleaned.get("value", ""))
            except ValueError:
                self.add_error("value", _("Write a number."))
        if cleaned.get("op") == "is" and not cleaned.get("value"):
            self.add_error("value", _("Write the value, as the column holds it."))
        return cleaned


class SchoolForm(PlanPart):
    """A school that is left out by name."""

    school_id = forms.CharField(label=_("School code"), max_length=20, widget=forms.TextInput(attrs=OFF))
    reason = forms.ChoiceField(label=_("Reason"), choices=FrameExclusion.Reason.choices)


class DesignForm(PlanPart):
    """Strata, numbers and rules of the draw."""

    explicit = forms.MultipleChoiceField(
        label=_("Explicit strata"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("A draw of its own in each; at least two schools each."),
    )
    implicit = forms.MultipleChoiceField(
        label=_("Implicit strata"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The order in which the schools are listed: the sample spreads over it."),
    )
    allocation = forms.ChoiceField(
        label=_("How the schools are spread over the strata"),
        choices=[
            ("proportional", _("in proportion to people")),
            ("equal", _("as many in each")),
            ("power", _("by the root of people")),
            ("own", _("own numbers, in the table below")),
        ],
    )
    n_schools = forms.IntegerField(label=_("Schools to draw"), min_value=1, max_value=60_000, required=False)
    n_students = forms.IntegerField(label=_("People in a school"), min_value=1, max_value=2000)
    certainty = forms.ChoiceField(
        label=_("Schools as large as the interval"),
        choices=[
            ("recompute", _("taken for sure, the interval computed anew (IEA)")),
            ("cap", _("size cut to the interval (PISA)")),
        ],
    )
    small_schools = forms.ChoiceField(
        label=_("Small schools"),
        choices=[
            ("floor", _("count with the smallest size")),
            ("equal", _("equal probabilities among them (IEA)")),
            ("undersample", _("fewer of the very small (PISA)")),
        ],
    )
    size_floor = forms.IntegerField(
        label=_("Smallest size"),
        required=False,
        min_value=0,
        max_value=2000,
        help_text=_("Left empty: the people in a school."),
    )
    zero_size = forms.ChoiceField(
        label=_("Schools without people"),
        choices=[("refuse", _("are an error")), ("floor", _("count with the smallest size"))],
    )
    n_replacements = forms.TypedChoiceField(
        label=_("Replacement schools for each"), coerce=int, choices=[(2, "2"), (1, "1"), (0, "0")]
    )

    def __init__(self, *args: Any, columns: Iterable[str], strata: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(name, words.column_title(name)) for name in columns]
        for name in ("explicit", "implicit"):
            field: Any = self.fields[name]
            field.choices = choices
        self.strata = list(strata)

    def clean(self) -> dict[str, Any]:
        """Read own numbers, and ask for a total where there are none."""
        cleaned = super().clean() or {}
        both = set(cleaned.get("explicit", ())) & set(cleaned.get("implicit", ()))
        if both:
            name = words.column_title(sorted(both)[0])
            self.add_error(
                "implicit", _("%(name)s stands among the explicit strata already.") % {"name": name}
            )
        if self.data.get("use_own"):
            cleaned["allocation"] = "own"
        if cleaned.get("allocation") == "own":
            cleaned["own"] = self._own_numbers()
        elif not cleaned.get("n_schools"):
            self.add_error("n_schools", _("Write how many schools are drawn."))
        return cleaned

    def _own_numbers(self) -> dict[str, int]:
        """Read the numbers of the table; each stratum needs one."""
        found: dict[str, int] = {}
        for place, label in enumerate(self.strata):
            text = str(self.data.get(f"own-{place}", "")).strip()
            if not text.isdigit() or not 1 <= int(text) <= 60_000:
                self.add_error(
                    "allocation",
                    _("Stratum “%(label)s” needs a whole number of 1 or more.") % {"label": label},
                )
            else:
                found[label] = int(text)
        return found

    def design(self) -> dict[str, Any]:
        """Give the plan of the draw."""
        values = self.values()
        own = values.pop("own", None)
        if values["allocation"] == "own":
            is_same = list(values["explicit"]) == list(self.initial.get("explicit") or [])
            values["n_schools"] = own if is_same else values["n_schools"]
            values["allocation"] = "proportional"
        return values

    @classmethod
    def initial_of(cls, design: Mapping[str, Any]) -> dict[str, Any]:
        """Give the values of a kept plan as the form shows them."""
        n_schools = design.get("n_schools")
        is_own = isinstance(n_schools, dict)
        total = sum(n_schools.values()) if isinstance(n_schools, dict) else n_schools
        own = {"allocation": "own"} if is_own else {}
        return {**design, "n_schools": total, **own}


class PrecisionForm(PlanPart):
    """What is assumed and wanted of precision."""

    icc = NumberField(label=_("Intraclass correlation"), min_value=0, max_value=1)
    sd = NumberField(label=_("Standard deviation of scores"), min_value=0.001, max_value=10_000)
    school_rate = NumberField(label=_("Share of schools that take part"), min_value=0.01, max_value=1)
    student_rate = NumberField(label=_("Share of people that take part"), min_value=0.01, max_value=1)
    wanted_error = NumberField(
        label=_("Wanted standard error, in points"),
        required=False,
        min_value=0.01,
        max_value=1000,
    )
    per_school = NumberField(label=_("Cost of a school"), required=False, min_value=0)
    per_student = NumberField(label=_("Cost of a person"), required=False, min_value=0)
    fixed = NumberField(label=_("Fixed cost"), required=False, min_value=0)


class CommitForm(PlanPart):
    """The public source, named beforehand."""

    source_name = forms.CharField(
        label=_("Public source of the number"),
        max_length=200,
        widget=forms.TextInput(attrs=OFF),
        help_text=_(
            "So that anyone knows where to look: which lottery, which draw, which day; or who throws the dice."
        ),
    )
    due_day = DayField(label=_("Announced on"))
    due_time = forms.TimeField(
        label=_("At"),
        input_formats=["%H:%M", "%Hh%M", "%H"],
        widget=forms.TimeInput(format="%H:%M", attrs={**OFF, "placeholder": "18:30"}),
    )

    def due_at(self) -> datetime.datetime:
        """Give the moment of the announcement, in the time zone of the pages."""
        moment = datetime.datetime.combine(self.cleaned_data["due_day"], self.cleaned_data["due_time"])
        return timezone.make_aware(moment)


class DrawForm(PlanPart):
    """What was announced, and who saw it."""

    source_text = forms.CharField(
        label=_("What was announced"),
        max_length=200,
        widget=forms.TextInput(attrs=OFF),
        help_text=_("Digit by digit, as it stands in the announcement. Blanks at the ends do not matter."),
    )
    witnesses = forms.CharField(
        label=_("Witnesses"),
        required=False,
        max_length=1200,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One on a line: name, office. Each has a place for a signature on the printed record."),
    )

    def names(self) -> list[str]:
        """Give the witnesses."""
        return [line.strip() for line in self.cleaned_data["witnesses"].splitlines() if line.strip()]


class WithdrawForm(PlanPart):
    """Why a plan does not hold."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.TextInput(attrs=OFF))
