"""Dates as people here type them: 05/09/2026, in every browser.

A browser writes its own date field in its own order, which on many office machines is the American one; so a
date is a line of text with a fixed order.
"""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

DAY_FORMATS = ["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%Y-%m-%d"]


class DayField(forms.DateField):
    """A date typed as day/month/year."""

    def __init__(self, **options: Any) -> None:
        marks = {
            "inputmode": "numeric",
            "autocomplete": "off",
            "placeholder": "dd/mm/yyyy",
            "maxlength": "10",
        }
        widget = forms.DateInput(format="%d/%m/%Y", attrs=marks)
        super().__init__(input_formats=DAY_FORMATS, widget=widget, **options)
        self.error_messages["invalid"] = _("Write day/month/year, such as 05/09/2026.")


def read_day(text: str) -> datetime.date | None:
    """Read a date; None where none stands there, or none can be read.

    Examples
    --------
    >>> read_day("1/7/2025"), read_day("2025-07-01"), read_day("31/2/2026")
    (datetime.date(2025, 7, 1), datetime.date(2025, 7, 1), None)
    """
    for layout in DAY_FORMATS:
        try:
            return datetime.datetime.strptime(text.strip(), layout).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None
