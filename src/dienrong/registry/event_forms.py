"""Forms of single events and of the lines of a batch that are filled in on pages of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dienrong.core.text import clean_text
from dienrong.registry.columns import LEVELS
from dienrong.registry.forms import DecisionForm, TraitFields
from dienrong.registry.models import AdministrativeUnit, School
from dienrong.registry.queries import LinePart, Shareable

CODE_HELP = _("The code that the sector database gave; codes are never given again.")
MOST_PARTS = 5


class ClosingForm(DecisionForm):
    """A school closes without successor: the decision is all there is to say."""


class RecodingForm(DecisionForm):
    """A school gets another code."""

    code = forms.CharField(
        label=_("New code"),
        max_length=20,
        help_text=CODE_HELP,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    field_order = ("code", "on_date", "decision_number", "decision_date")


class OpeningForm(TraitFields):
    """A new school with all its traits."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        help_text=CODE_HELP,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    field_order = ("code", *TraitFields.field_order)

    def __init__(self, *args: Any, communes: Iterable[AdministrativeUnit], **options: Any) -> None:
        super().__init__(*args, **options)
        # A ward is urban, a commune rural: the place says it.
        del self.fields["area"]
        self.offer_communes(communes, is_chosen=False)


class OpeningLineForm(forms.Form):
    """A new school as a line of a batch."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        help_text=CODE_HELP,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    name = forms.CharField(label=_("School name"), max_length=200)
    commune = forms.ChoiceField(label=_("Commune"))
    levels = forms.MultipleChoiceField(
        label=_("Levels"), choices=[(level, level) for level in LEVELS], widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, communes: Iterable[AdministrativeUnit], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["commune"].choices = [
            ("", _("– choose –")),
            *((unit.code, unit.full_name) for unit in communes),
        ]

    @property
    def joined_levels(self) -> str:
        """The levels as the registry keeps them."""
        return "-".join(level for level in LEVELS if level in self.cleaned_data["levels"])


class PartsForm(forms.Form):
    """The schools after a split, with pupils and classes by grade of each.

    Parameters
    ----------
    school : School
        The school that is split.
    known : Shareable
        What it has to share out; without any pupils no numbers are asked for.
    communes : iterable of AdministrativeUnit
        Where the new schools may lie.
    n_parts : int
        How many schools there are afterwards.
    keeps : bool
        Whether the school itself goes on, as the first of them.
    """

    def __init__(
        self,
        *args: Any,
        school: School,
        known: Shareable,
        communes: Iterable[AdministrativeUnit],
        n_parts: int,
        keeps: bool,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.school, self.known, self.n_parts, self.keeps = school, known, n_parts, keeps
        self.units = {unit.code: unit for unit in communes}
        places = [("", _("as before")), *((unit.code, unit.full_name) for unit in self.units.values())]
        for place in self._asked:
            text = forms.TextInput(attrs={"autocomplete": "off"})
            self.fields[f"code_{place}"] = forms.CharField(label=_("Code"), max_length=20, widget=text)
            self.fields[f"name_{place}"] = forms.CharField(
                label=_("School name"),
                max_length=200,
                required=False,
                help_text=_("Empty where another school that stands takes the pupils."),
            )
            self.fields[f"commune_{place}"] = forms.ChoiceField(
                label=_("Commune"), choices=places, required=False
            )
        for grade in known.held:
            for place in range(n_parts):
                for word in ("students", "classes"):
                    self.fields[f"{word}_{grade}_{place}"] = forms.IntegerField(
                        required=False,
                        min_value=0,
                        max_value=20_000,
                        label=_("Grade %(grade)s, school %(place)s") % {"grade": grade, "place": place + 1},
                        widget=forms.TextInput(attrs={"inputmode": "numeric", "size": "4"}),
                    )

    @property
    def _asked(self) -> range:
        """The places of the schools whose code and name are asked for."""
        return range(1 if self.keeps else 0, self.n_parts)

    def heads(self) -> list[dict[str, Any]]:
        """Give the schools with their fields, for the page."""
        return [
            {
                "number": place + 1,
                "itself": self.keeps and place == 0,
                "fields": [self[f"{word}_{place}"] for word in ("code", "name", "commune")]
                if place in self._asked
                else [],
            }
            for place in range(self.n_parts)
        ]

    def grades(self) -> list[dict[str, Any]]:
        """Give the grades with what the school has and the fields of each school, for the page."""
        return [
            {
                "grade": grade,
                "held": held,
                "cells": [
                    (self[f"students_{grade}_{place}"], self[f"classes_{grade}_{place}"])
                    for place in range(self.n_parts)
                ],
            }
            for grade, held in sorted(self.known.held.items())
        ]

    def parts(self) -> tuple[LinePart, ...]:
        """Give the parts as a line of a batch has them."""
        return tuple(self._part(place) for place in range(self.n_parts))

    def _part(self, place: int) -> LinePart:
        """Give one part."""
        values = self.cleaned_data
        shares = {
            grade: (values.get(f"students_{grade}_{place}") or 0, values.get(f"classes_{grade}_{place}") or 0)
            for grade in self.known.held
            if values.get(f"students_{grade}_{place}") or values.get(f"classes_{grade}_{place}")
        }
        if self.keeps and place == 0:
            return LinePart(code=self.school.school_id, shares=shares)
        return LinePart(
            code=clean_text(values[f"code_{place}"]),
            name=clean_text(values[f"name_{place}"]),
            commune_code=values[f"commune_{place}"],
            shares=shares,
        )
