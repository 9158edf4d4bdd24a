"""Forms of the room; what they gather goes to one operation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dienrong.datasets import numeric
from dienrong.datasets.models import Release

LINES = {"rows": 5}


class FreezeForm(forms.Form):
    """Which grade of which run is frozen."""

    source = forms.ChoiceField(label=_("Run and grade"))
    note = forms.CharField(label=_("Note"), required=False, max_length=300)

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].choices = choices  # type: ignore[attr-defined]


class ReleaseForm(forms.Form):
    """What a release is."""

    kind = forms.ChoiceField(label=_("For whom"), choices=Release.Kind.choices)
    version = forms.CharField(label=_("Version"), max_length=20, initial="1.0")
    title_vi = forms.CharField(label=_("Title in Vietnamese"), max_length=200)
    title_en = forms.CharField(label=_("Title in English"), max_length=200)
    license_name = forms.CharField(label=_("License"), max_length=120, initial="CC BY 4.0")
    license_url = forms.CharField(
        label=_("Address of the license"),
        required=False,
        max_length=200,
        initial="https://creativecommons.org/licenses/by/4.0/",
    )
    doi = forms.CharField(
        label="DOI", required=False, max_length=120, help_text=_("Empty until one is registered.")
    )
    formats = forms.MultipleChoiceField(
        label=_("Formats"),
        choices=[
            ("sav", "SPSS (.sav)"),
            ("dta", "Stata (.dta)"),
            ("csv", "CSV"),
            ("parquet", "Parquet"),
            ("iea", _("SPSS with the names of IEA")),
        ],
        initial=[one for one in numeric.FORMATS if one != "iea"],
        widget=forms.CheckboxSelectMultiple,
    )
    with_responses = forms.BooleanField(label=_("With the answers to items"), required=False, initial=True)
    errata = forms.CharField(
        label=_("What changed since the version before"),
        required=False,
        widget=forms.Textarea(attrs=LINES),
        help_text=_("One change on a line; it stands on the public page."),
    )
    plan_choice = forms.ChoiceField(
        label=_("Plan that comes with the software"),
        required=False,
        choices=[
            ("", _("For samples of the whole country")),
            ("public_small", _("For samples of few schools (public use)")),
        ],
    )
    plan_text = forms.CharField(
        label=_("Plan of disclosure control"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 10, "class": "mono", "spellcheck": "false"}),
        help_text=_("A plan of your own, in TOML; empty for the one chosen above."),
    )


class PlanForm(forms.Form):
    """The corrected plan of a release."""

    plan_text = forms.CharField(
        label=_("Plan of disclosure control"),
        widget=forms.Textarea(attrs={"rows": 24, "class": "mono", "spellcheck": "false"}),
    )


class ReviewForm(forms.Form):
    """The word of the second person."""

    note = forms.CharField(
        label=_("Note of the reviewer"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed where the files are sent back."),
    )


class ReasonForm(forms.Form):
    """Why something ends."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class GrantForm(forms.Form):
    """How long and how often a link holds."""

    n_days = forms.IntegerField(label=_("Days that the link holds"), min_value=1, max_value=365, initial=30)
    most_downloads = forms.IntegerField(label=_("Downloads"), min_value=1, max_value=20, initial=3)
    note = forms.CharField(label=_("Note"), required=False, max_length=500)


class RequestForm(forms.Form):
    """Who asks for restricted data, and what for."""

    full_name = forms.CharField(
        label=_("Full name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        help_text=_("The answer comes there, and the personal link asks for it."),
    )
    institution = forms.CharField(label=_("Institution"), max_length=200)
    purpose = forms.CharField(
        label=_("Purpose of the study"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("The question, the variables and the method; why the public-use files are not enough."),
    )
    ethics = forms.CharField(
        label=_("Decision of the ethics board"),
        required=False,
        max_length=300,
        help_text=_("Number and day, where there is one."),
    )
    is_undertaken = forms.BooleanField(
        label=_(
            "I undertake: not to try to identify a student, teacher or school; not to share the data; to keep them "
            "secured; to publish aggregated results alone; to destroy every copy at the end and to confirm it."
        )
    )


class LinkForm(forms.Form):
    """The holder of a personal link names themselves."""

    email = forms.EmailField(label=_("E-mail of the request"), max_length=254)


class DestructionForm(forms.Form):
    """The holder confirms that every copy is gone."""

    email = forms.EmailField(label=_("E-mail of the request"), max_length=254)
    note = forms.CharField(
        label=_("How the copies were destroyed"), max_length=300, widget=forms.Textarea(attrs={"rows": 3})
    )
