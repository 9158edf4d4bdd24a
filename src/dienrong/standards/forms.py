"""Forms of the room; what they gather goes to one operation."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dienrong.core.days import DayField
from dienrong.standards.models import StandardSetting
from dienrong.standards.operations import LevelText, NewSession, Person

N_LEVELS = 5
LINES = forms.Textarea(attrs={"rows": "6", "spellcheck": "false"})


class NewSessionForm(forms.Form):
    """What a session is when it is opened; the levels stand beside it as rows."""

    title = forms.CharField(label=_("Title of the session"), max_length=160)
    choice = forms.ChoiceField(
        label=_("Items and scale of"),
        help_text=_("A finished run; its item parameters and the distribution of students are frozen here."),
    )
    method = forms.ChoiceField(
        label=_("Method"),
        choices=StandardSetting.Method.choices,
        help_text=_(
            "Angoff: for each item the share of students just at the level who solve it. Bookmark: the last page of "
            "the ordered booklet that a student just at the level masters."
        ),
    )
    probability = forms.ChoiceField(
        label=_("Response probability (Bookmark)"), choices=StandardSetting.Probability.choices
    )
    n_panels = forms.TypedChoiceField(
        label=_("Panels"),
        coerce=int,
        choices=((1, _("One panel")), (2, _("Two independent panels"))),
    )
    links_end_on = DayField(
        label=_("Last day of the panelists' links"), help_text=_("After this day no link opens anything.")
    )
    left_out = forms.CharField(
        label=_("Items to leave out"),
        required=False,
        help_text=_("Codes, separated by blanks or commas; empty: all items are judged."),
        max_length=4000,
    )

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["choice"].choices = choices  # type: ignore[attr-defined]
        for position in range(1, N_LEVELS + 1):
            for name, longest in (
                ("name_vi", 80), ("name_en", 80), ("description_vi", 1000), ("description_en", 1000),
            ):  # fmt: skip
                widget = forms.Textarea(attrs={"rows": "2"}) if name.startswith("desc") else forms.TextInput()
                self.fields[f"{name}_{position}"] = forms.CharField(
                    label=self._label(name, position),
                    required=name == "name_vi" and position == 1,
                    max_length=longest,
                    widget=widget,
                )

    @staticmethod
    def _label(name: str, position: int) -> str:
        """Label a field of a level."""
        words = {
            "name_vi": gettext("Level %(n)s: name (Vietnamese)"),
            "name_en": gettext("Level %(n)s: name (English)"),
            "description_vi": gettext("Level %(n)s: a student just at it (Vietnamese)"),
            "description_en": gettext("Level %(n)s: a student just at it (English)"),
        }
        return words[name] % {"n": position}

    def level_rows(self) -> list[dict[str, Any]]:
        """Give the fields of the levels, row by row."""
        names = ("name_vi", "name_en", "description_vi", "description_en")
        return [
            {"position": n, "fields": [self[f"{name}_{n}"] for name in names]} for n in range(1, N_LEVELS + 1)
        ]

    def head_fields(self) -> list[Any]:
        """Give the fields before the levels."""
        names = ("title", "choice", "method", "probability", "n_panels", "links_end_on", "left_out")
        return [self[name] for name in names]

    def clean(self) -> dict[str, Any]:
        """Refuse a gap between the levels."""
        cleaned = super().clean() or {}
        named = [bool(cleaned.get(f"name_vi_{n}")) for n in range(1, N_LEVELS + 1)]
        if any(later and not earlier for earlier, later in pairwise(named)):
            raise forms.ValidationError(gettext("Name the levels from the lowest, without a gap."))
        return cleaned

    def session(self) -> NewSession:
        """Give the session as the operation takes it."""
        said = self.cleaned_data
        levels = tuple(
            LevelText(
                **{
                    name: said[f"{name}_{n}"]
                    for name in ("name_vi", "name_en", "description_vi", "description_en")
                }
            )
            for n in range(1, N_LEVELS + 1)
            if said[f"name_vi_{n}"]
        )
        return NewSession(
            title=said["title"],
            choice=said["choice"],
            method=said["method"],
            levels=levels,
            links_end_on=said["links_end_on"],
            probability=said["probability"],
            n_panels=said["n_panels"],
            left_out=tuple(one for one in re.split(r"[\s,;]+", said["left_out"]) if one),
        )


class PeopleForm(forms.Form):
    """Panelists, one a line, as they come out of a list in Excel."""

    people = forms.CharField(
        label=_("Panelists to add"),
        widget=LINES,
        help_text=_(
            "One person a line: full name; position; unit; panel. Lines copied from Excel are fine. The panel may be "
            "left out."
        ),
        max_length=20000,
    )

    def people_read(self) -> list[Person]:
        """Read the lines."""
        found = []
        for line in self.cleaned_data["people"].splitlines():
            if not line.strip():
                continue
            cells = [cell.strip() for cell in re.split(r"[\t;]", line)]
            cells += [""] * (4 - len(cells))
            panel = int(cells[3]) if cells[3].isascii() and cells[3].isdigit() else 1 if not cells[3] else 0
            found.append(Person(full_name=cells[0], position=cells[1], unit=cells[2], panel=panel))
        return found


class NotesForm(forms.Form):
    """What items ask, one a line."""

    texts = forms.CharField(
        label=_("What each item asks"),
        widget=forms.Textarea(attrs={"rows": "14", "spellcheck": "false"}),
        help_text=_(
            "One item a line: code, then a tab or a semicolon, then a few words. Two columns copied from Excel are fine."
        ),
        required=False,
        max_length=100000,
    )

    def texts_read(self) -> dict[str, str]:
        """Read the lines; a later line of an item counts."""
        found = {}
        for line in self.cleaned_data["texts"].splitlines():
            code, _mark, text = line.replace("\t", ";", 1).partition(";")
            if code.strip():
                found[code.strip()] = text.strip()
        return found


class PinForm(forms.Form):
    """The PIN of a slip."""

    pin = forms.CharField(
        label=_("PIN of your slip"),
        max_length=12,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "autofocus": True}),
        help_text=_("Six digits, below the link."),
    )


class CloseForm(forms.Form):
    """How a round is closed."""

    leave_out = forms.BooleanField(
        label=_("Leave out who has not submitted"),
        required=False,
    )
    remark = forms.CharField(label=_("Remark about the round"), max_length=500, required=False)


class ReasonForm(forms.Form):
    """A reason in words."""

    reason = forms.CharField(
        label=_("Decision and reason"), max_length=500, widget=forms.Textarea(attrs={"rows": "2"})
    )
