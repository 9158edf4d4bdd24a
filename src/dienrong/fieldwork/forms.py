"""Forms of the room; what they gather goes to one operation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dienrong.core.days import DayField
from dienrong.fieldwork.models import Incident
from dienrong.rosters.models import VaultAccess

TIME = forms.TimeInput(
    format="%H:%M", attrs={"inputmode": "numeric", "placeholder": "07:30", "maxlength": "5"}
)
WIDE = {"maxlength": "300"}


class StartForm(forms.Form):
    """The days of a fieldwork."""

    answer_due = DayField(label=_("Schools answer until"))
    list_due = DayField(label=_("Lists are sent in until"))
    test_from = DayField(label=_("First day of tests"))
    test_to = DayField(label=_("Last day of tests"))


class NameForm(forms.Form):
    """Who coordinates the survey at the school."""

    coordinator_name = forms.CharField(label=_("Full name of the coordinator"), max_length=120)


class PhoneForm(forms.Form):
    """How to reach the coordinator."""

    coordinator_phone = forms.CharField(
        label=_("Telephone of the coordinator"),
        max_length=30,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )


class DayForm(forms.Form):
    """The day that suits the school."""

    test_date = DayField(label=_("Day of the test that suits the school"), required=False)


class DeclineForm(forms.Form):
    """Why a school does not take part."""

    code = forms.TypedChoiceField(label=_("Why the school does not take part"), coerce=int, choices=())
    reason = forms.CharField(label=_("In your own words"), max_length=300)

    def __init__(self, *args: Any, codes: list[tuple[int, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["code"].choices = codes  # type: ignore[attr-defined]


class ReasonForm(forms.Form):
    """A reason in words."""

    text = forms.CharField(label=_("Reason"), max_length=300)


class CallForm(forms.Form):
    """What was said on the telephone."""

    text = forms.CharField(label=_("What was said"), max_length=300)


class ListForm(forms.Form):
    """Why a list differs from the frame, where it does."""

    explanation = forms.CharField(
        label=_("Why the list differs from the frame"), max_length=300, required=False
    )


class SessionForm(forms.Form):
    """A session to plan."""

    on_date = DayField(label=_("Day"))
    begins_at = forms.TimeField(
        label=_("Begins at"), required=False, widget=TIME, input_formats=["%H:%M", "%Hh%M", "%H"]
    )
    room = forms.CharField(label=_("Room"), max_length=60, required=False)
    administrator = forms.ChoiceField(label=_("Test administrator"), required=False)
    n_people = forms.IntegerField(
        label=_("Seats (empty: everybody without a session)"), required=False, min_value=1, max_value=500
    )

    def __init__(self, *args: Any, administrators: list[Any], **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [("", _("Nobody yet"))] + [(str(one.pk), str(one)) for one in administrators]
        self.fields["administrator"].choices = choices  # type: ignore[attr-defined]


class StatusForm(forms.Form):
    """The code of one person."""

    code = forms.TypedChoiceField(
        label=_("Code"), coerce=lambda text: int(text) if text else None, required=False
    )
    text = forms.CharField(label=_("Reason"), max_length=200)

    def __init__(self, *args: Any, codes: list[tuple[Any, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["code"].choices = [("", "–"), *codes]  # type: ignore[attr-defined]
        self.fields["code"].empty_value = None  # type: ignore[attr-defined]


class TimesForm(forms.Form):
    """Screen 1 of the report: beginning and end."""

    started = forms.TimeField(label=_("The session began at"), widget=TIME, input_formats=["%H:%M", "%Hh%M"])
    ended = forms.TimeField(label=_("The session ended at"), widget=TIME, input_formats=["%H:%M", "%Hh%M"])


class IncidentForm(forms.Form):
    """Something that went wrong."""

    kind = forms.ChoiceField(label=_("What kind of incident"), choices=Incident.Kind.choices)
    text = forms.CharField(label=_("What went wrong"), max_length=1000)
    n_affected = forms.IntegerField(label=_("People affected"), min_value=0, max_value=9999, required=False)


class VisitForm(forms.Form):
    """The frame of a visit; the check list stands beside it."""

    on_date = DayField(label=_("Day of the visit"))
    text = forms.CharField(label=_("Remarks"), max_length=1000, required=False)


class NamesForm(forms.Form):
    """For what names are printed."""

    reason = forms.ChoiceField(label=_("What the names are needed for"), choices=VaultAccess.Reason.choices)
