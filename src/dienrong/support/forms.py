"""Forms of the room; what they gather goes to one operation."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from dienrong.core.days import DayField
from dienrong.support.models import Telling, Topic

WORDS = forms.Textarea(attrs={"rows": 5})


class AskForm(forms.Form):
    """A question."""

    topic = forms.ChoiceField(label=_("What it is about"), choices=Topic.choices)
    subject = forms.CharField(label=_("Question in one line"), max_length=200)
    words = forms.CharField(
        label=_("What happened, what was tried"),
        max_length=4000,
        widget=WORDS,
        help_text=_("No names of pupils: their codes are enough."),
    )
    is_urgent = forms.BooleanField(label=_("Urgent: the test is today or tomorrow"), required=False)


class WordsForm(forms.Form):
    """An answer, or the reason for passing a question up."""

    words = forms.CharField(label=_("Answer or reason"), max_length=4000, widget=WORDS)


class TellingForm(forms.Form):
    """What was told."""

    on_day = DayField(label=_("On the day"))
    channel = forms.ChoiceField(label=_("By which way"), choices=Telling.Channel.choices)
    audience = forms.ChoiceField(label=_("Told to whom"), choices=Telling.Audience.choices)
    title = forms.CharField(label=_("What was told"), max_length=300)
    n_reached = forms.IntegerField(
        label=_("How many it reached, about"), required=False, min_value=0, max_value=100_000_000
    )
    link = forms.URLField(label=_("Address on the web"), required=False, assume_scheme="https")


class ContactForm(forms.Form):
    """A contact of the own unit."""

    full_name = forms.CharField(label=_("Full name"), max_length=120)
    position = forms.CharField(label=_("Position"), max_length=120, required=False)
    duty = forms.CharField(label=_("For what"), max_length=200, required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=30, required=False)
    email = forms.EmailField(label=_("E-mail"), required=False)


class FrequentForm(forms.Form):
    """A frequent question."""

    topic = forms.ChoiceField(label=_("What it is about"), choices=Topic.choices)
    question_vi = forms.CharField(label=_("Question in Vietnamese"), max_length=300)
    answer_vi = forms.CharField(label=_("Answer in Vietnamese"), widget=WORDS)
    question_en = forms.CharField(label=_("Question in English"), max_length=300, required=False)
    answer_en = forms.CharField(label=_("Answer in English"), required=False, widget=WORDS)
    position = forms.IntegerField(label=_("Place in the list"), min_value=0, max_value=9999, initial=0)
    is_public = forms.BooleanField(label=_("Shown to everyone"), required=False, initial=True)
