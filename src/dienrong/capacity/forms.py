"""Forms of the room; what they gather goes to one operation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dienrong.capacity import words
from dienrong.capacity.models import Competence, Course, Kind, StaffNorm
from dienrong.core.days import DayField
from dienrong.core.typed_numbers import NumberField

OFF = {"autocomplete": "off"}


class PlaceField(forms.CharField):
    """A unit or school, by code or name; the choices stand in a list below the field."""

    def __init__(self, **options: Any) -> None:
        marks = {"list": "places", "autocomplete": "off", "maxlength": "260"}
        options.setdefault("required", False)
        super().__init__(widget=forms.TextInput(attrs=marks), max_length=260, **options)


class PersonForm(forms.Form):
    """What is known of a person."""

    staff_code = forms.CharField(
        label=_("Code of the person"),
        max_length=30,
        help_text=_("Code of the sector database"),
        widget=forms.TextInput(attrs=OFF),
    )
    full_name = forms.CharField(label=_("Full name"), max_length=120, widget=forms.TextInput(attrs=OFF))
    birth_date = DayField(
        label=_("Day of birth"),
        required=False,
        help_text=_("Needed on certificates alone; it is kept sealed."),
    )
    email = forms.EmailField(label=_("E-mail"), required=False, max_length=120)
    phone = forms.CharField(
        label=_("Telephone"),
        required=False,
        max_length=30,
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
    )


class PostForm(forms.Form):
    """A post: what, where, since when."""

    kind = forms.ChoiceField(label=_("Post"), choices=Kind.choices)
    place = PlaceField(
        label=_("Works at"),
        help_text=_("School, commune or province: its code, or words of its name. Empty: the Ministry."),
    )
    title = forms.CharField(label=_("Position"), required=False, max_length=100)
    from_day = DayField(label=_("From this day"))
    decision = forms.CharField(label=_("Decision"), required=False, max_length=120)


class NewPersonForm(PersonForm, PostForm):
    """Somebody new, with a first post."""

    is_another = forms.BooleanField(
        label=_("This is another person with the same name and day of birth"), required=False
    )

    field_order = [
        "full_name", "staff_code", "birth_date", "kind", "place", "title", "from_day", "decision", "email", "phone",
        "is_another",
    ]  # fmt: skip


class ChangePersonForm(PersonForm):
    """A change of what is known, and of the account behind the person."""

    username = forms.CharField(
        label=_("User name of the account"),
        required=False,
        max_length=150,
        help_text=_("So that duties in the field are seen as conflicts. May be empty."),
        widget=forms.TextInput(attrs=OFF),
    )


class EndPostForm(forms.Form):
    """The end of a post."""

    last_day = DayField(label=_("Last day in the post"))


class CompetenceForm(forms.Form):
    """What somebody can do."""

    area = forms.ChoiceField(label=_("Area of competence"), choices=Competence.Area.choices)
    grade = forms.TypedChoiceField(label=_("How far"), coerce=int, choices=Competence.Grade.choices)
    ground = forms.CharField(label=_("On which ground"), max_length=200)
    valid_to = DayField(label=_("Until"), required=False)


class AbsenceForm(forms.Form):
    """Days on which somebody takes no duty."""

    first_day = DayField(label=_("First day"))
    last_day = DayField(label=_("Last day"))
    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("Such as: on leave. No illnesses.")
    )


class CourseForm(forms.Form):
    """A course."""

    code = forms.CharField(label=_("Code"), max_length=30, widget=forms.TextInput(attrs=OFF))
    name_vi = forms.CharField(label=_("Name in Vietnamese"), max_length=200)
    name_en = forms.CharField(label=_("Name in English"), max_length=200)
    reach = forms.ChoiceField(label=_("Who gives it"), choices=Course.Reach.choices)
    topic = forms.ChoiceField(label=_("Subject matter"), choices=Course.Topic.choices)
    audience = forms.MultipleChoiceField(
        label=_("For whom"), choices=Kind.choices, widget=forms.CheckboxSelectMultiple
    )
    n_hours = forms.IntegerField(label=_("Hours"), min_value=1, max_value=999)
    has_test = forms.BooleanField(label=_("Ends with a test"), required=False, initial=True)
    pass_mark = NumberField(label=_("Mark to pass, of 10"), min_value=0, max_value=10, initial=5)
    least_attendance = NumberField(
        label=_("Least attendance, per cent"), min_value=0, max_value=100, initial=80
    )
    is_certified = forms.BooleanField(label=_("Leads to a certificate"), required=False, initial=True)
    valid_months = forms.IntegerField(
        label=_("The certificate holds for so many months (empty: without end)"),
        required=False,
        min_value=1,
        max_value=240,
    )
    partner = forms.CharField(label=_("Partner"), required=False, max_length=160)
    legal_basis = forms.CharField(label=_("Legal ground"), required=False, max_length=240)


class ChangeCourseForm(CourseForm):
    """A change of a course, and whether it is still given."""

    is_open = forms.BooleanField(label=_("In use"), required=False)


class TrainingForm(forms.Form):
    """A training of a course."""

    code = forms.CharField(
        label=_("Code"), max_length=30, help_text=_("Such as BD-2026-01"), widget=forms.TextInput(attrs=OFF)
    )
    organizer = forms.ChoiceField(label=_("Organizer"))
    place = forms.CharField(label=_("Place"), max_length=200)
    first_day = DayField(label=_("First day"))
    last_day = DayField(label=_("Last day"))
    n_halves = forms.IntegerField(
        label=_("Half-days taught (empty: two a day)"), required=False, min_value=1, max_value=200
    )
    n_seats = forms.IntegerField(label=_("Seats"), min_value=1, max_value=5000)
    nominate_until = DayField(label=_("Nominations until"))

    def __init__(self, *args: Any, organizers: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["organizer"].choices = organizers  # type: ignore[attr-defined]


class QuotaForm(forms.Form):
    """A quota of one unit or school."""

    place = PlaceField(label=_("Unit or school"), required=True)
    n_places = forms.IntegerField(
        label=_("Places"), min_value=0, max_value=5000, help_text=_("0 takes the quota away.")
    )


class ReasonForm(forms.Form):
    """A reason in words."""

    text = forms.CharField(label=_("Reason"), max_length=300)


class MaterialForm(forms.Form):
    """A document of a training."""

    title = forms.CharField(label=_("Name of the material"), max_length=160)
    file = forms.FileField(label=_("File, at most 10 MB"), required=False)
    address = forms.URLField(label=_("Or its address"), required=False, assume_scheme="https")


class LearnerForm(forms.Form):
    """The code that a learner types on a phone."""

    learner_code = forms.CharField(
        label=_("Your learner code"),
        max_length=12,
        help_text=_("Six characters, on your invitation and on the list at the entrance."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )


class EvaluationForm(LearnerForm):
    """The evaluation of a training: a mark by question, a remark."""

    remark = forms.CharField(
        label=_("What should be different next time?"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        remark = self.fields.pop("remark")
        for name, sentence in words.QUESTIONS.items():
            self.fields[name] = forms.TypedChoiceField(
                label=sentence,
                coerce=int,
                choices=[("", "–"), *((str(mark), f"{mark} · {word}") for mark, word in words.MARKS.items())],
            )
        self.fields["remark"] = remark

    @property
    def marks(self) -> dict[str, int]:
        """The marks by question."""
        return {name: int(self.cleaned_data[name]) for name in words.QUESTIONS}


class SeriesForm(forms.Form):
    """The numbering of certificates."""

    organizer = forms.ChoiceField(label=_("Issuer"))
    year = forms.IntegerField(label=_("Year"), min_value=2000, max_value=2100)
    issuer_name = forms.CharField(label=_("Name of the issuer"), max_length=160)
    issuer_code = forms.CharField(
        label=_("Sign of the issuer"), max_length=20, widget=forms.TextInput(attrs=OFF)
    )
    pattern = forms.CharField(
        label=_("Pattern of the number"),
        max_length=60,
        initial="{serial:5}/{year}/CN-{issuer}",
        help_text=_("{serial:5} is the running number with five digits; {year} and {issuer} are filled in."),
        widget=forms.TextInput(attrs=OFF),
    )
    next_serial = forms.IntegerField(label=_("Next running number"), min_value=1, initial=1)

    def __init__(self, *args: Any, organizers: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["organizer"].choices = organizers  # type: ignore[attr-defined]


class IssueForm(forms.Form):
    """Who signs certificates, by which decision."""

    issued_on = DayField(label=_("Day of issue"))
    decision = forms.CharField(label=_("Decision"), max_length=120, help_text=_("Number and day"))
    place = forms.CharField(label=_("Place of signing"), max_length=80)
    signer_title = forms.CharField(label=_("Title of the signer"), max_length=120)
    signer_name = forms.CharField(label=_("Name of the signer"), max_length=120)


class CorrectionForm(forms.Form):
    """What a corrected certificate says."""

    holder_name = forms.CharField(label=_("Full name"), max_length=120, widget=forms.TextInput(attrs=OFF))
    birth_date = DayField(label=_("Day of birth"), required=False, help_text=_("Empty: as it is."))
    workplace = forms.CharField(label=_("Workplace"), required=False, max_length=200)
    reason = forms.CharField(label=_("Why it is corrected"), max_length=300)


class RevocationForm(forms.Form):
    """Why a certificate no longer holds."""

    reason = forms.CharField(label=_("Why it is revoked"), max_length=300)
    decision = forms.CharField(label=_("Decision"), max_length=120, help_text=_("Number and day"))


class LookUpForm(forms.Form):
    """Number and check code of a certificate, and perhaps a name to compare."""

    so = forms.CharField(
        label=_("Number of the certificate"), max_length=100, widget=forms.TextInput(attrs=OFF)
    )
    ma = forms.CharField(
        label=_("Check code"),
        max_length=20,
        help_text=_("Ten characters beside the QR code."),
        widget=forms.TextInput(attrs={**OFF, "autocapitalize": "characters", "spellcheck": "false"}),
    )
    ten = forms.CharField(
        label=_("Full name on the certificate (may be empty)"),
        required=False,
        max_length=120,
        help_text=_("The page then says whether it is the holder's name; it never shows the name."),
        widget=forms.TextInput(attrs=OFF),
    )
    ban = forms.IntegerField(required=False, min_value=1, max_value=999, widget=forms.HiddenInput)


class NormForm(forms.Form):
    """A staff norm."""

    kind = forms.ChoiceField(label=_("Which staff"), choices=Kind.choices)
    n_people = forms.IntegerField(label=_("Staff"), min_value=0, max_value=9999)
    n_work = forms.IntegerField(label=_("For so many"), min_value=1, max_value=1_000_000, initial=1)
    per = forms.ChoiceField(label=_("Of"), choices=StaffNorm.Per.choices)
    n_days = NumberField(label=_("Paid days of a person"), min_value=0, max_value=999, initial=1)
    note = forms.CharField(label=_("Ground"), required=False, max_length=200)


class AllowanceForm(forms.Form):
    """An allowance norm."""

    kind = forms.ChoiceField(label=_("Which staff"), choices=Kind.choices)
    amount = forms.IntegerField(label=_("Dong a day"), min_value=0, max_value=100_000_000)
    legal_basis = forms.CharField(label=_("Legal ground"), max_length=200)
    from_day = DayField(label=_("From"))
