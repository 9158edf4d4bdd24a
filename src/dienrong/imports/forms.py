"""The forms with which a file is sent in, and rosters are downloaded."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dienrong.core.days import DayField
from dienrong.imports.columns import SCHOOL_YEAR, Target, default_value
from dienrong.imports.numeric.texts import CHARSETS
from dienrong.imports.sentences import CHARSET_WORDS
from dienrong.rosters.models import VaultAccess


class SendForm(forms.Form):
    """File, what is asked once for the whole file, character set."""

    file = forms.FileField(
        label=_("Excel or CSV file"),
        help_text=_(".xlsx, .xls or .csv. Title rows, other sheets and extra columns do no harm."),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xls,.csv,.txt"}),
        error_messages={
            "required": _("Please choose a file."),
            "empty": _("This file is empty. Please open it in Excel, save it and choose it again."),
        },
    )

    def __init__(self, *args: Any, target: Target, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for parameter in target.parameters:
            is_date = parameter.kind == "date"
            self.fields[parameter.code] = forms.CharField(
                label=str(parameter.title),
                help_text=str(parameter.guide),
                initial=default_value(parameter, today),
                max_length=200 if parameter.kind == "text" else 20,
                widget=DayField().widget if is_date else forms.TextInput(),
            )
        self.fields["charset"] = forms.ChoiceField(
            label=_("Character set (CSV files)"),
            help_text=_("Leave it as it is; choose only where letters look wrong."),
            required=False,
            choices=[("", _("Recognise it")), *((name, CHARSET_WORDS[name]) for name in CHARSETS)],
        )
        self.fields["is_whole_only"] = forms.BooleanField(
            label=_("Accept the file only if no row is refused"), required=False
        )


class PeopleForm(forms.Form):
    """What of the rosters is downloaded: the year, one school or all, and for what work with names."""

    school_year = forms.CharField(label=SCHOOL_YEAR.title, help_text=SCHOOL_YEAR.guide, max_length=9)
    school_id = forms.CharField(
        label=_("School code"),
        max_length=20,
        required=False,
        help_text=_("Empty: every open school in your charge, up to 20,000 rows."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    reason = forms.ChoiceField(
        label=_("Names, dates of birth, codes and numbers"),
        required=False,
        help_text=_(
            "Opened for a stated reason; who, when, why and how many is written down for each school."
        ),
    )

    def __init__(self, *args: Any, may_open: bool, today: dt.date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["school_year"].initial = default_value(SCHOOL_YEAR, today)
        if may_open:
            self.fields["reason"].choices = [("", _("without them")), *VaultAccess.Reason.choices]
        else:
            del self.fields["reason"]

    def asked(self) -> dict[str, str]:
        """Give what was filled in."""
        return {
            "school_year": self.cleaned_data["school_year"],
            "school_id": self.cleaned_data["school_id"].strip(),
            "reason": self.cleaned_data.get("reason", ""),
        }
