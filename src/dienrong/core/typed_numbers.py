"""Numbers as people here type them: 0,35 and 1.250.000 in Vietnamese, 0.35 and 1,250,000 in English.

A browser reads its own number field in its own language, which on many office machines is English; so a number is a
line of text, read in the language of the page.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dienrong.core.formats import MINUS, is_vietnamese

GROUPED = {mark: re.compile(rf"-?[1-9]\d{{0,2}}({re.escape(mark)}\d{{3}})+") for mark in ".,"}
BLANKS = str.maketrans("", "", " \u00a0\u202f")


class NumberField(forms.FloatField):
    """A number with decimals, typed with comma or point."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(**options)
        self.error_messages["invalid"] = _("Write a number, such as 12 or 0,35.")

    def to_python(self, value: Any) -> float | None:
        """Read what was typed."""
        return super().to_python(plain_number(value) if isinstance(value, str) else value)

    def prepare_value(self, value: Any) -> Any:
        """Write a number as it is typed in the language of the page."""
        return typed_number(value) if isinstance(value, float | int) else value


def plain_number(text: str) -> str:
    """Give a typed number with a decimal point and nothing between thousands.

    The mark of the language between thousands counts as such only where groups of three follow it and no zero
    leads; otherwise either mark is the decimal one.

    Examples
    --------
    >>> plain_number("0,35"), plain_number("1.250.000,5"), plain_number("0.350"), plain_number("100.000")
    ('0.35', '1250000.5', '0.350', '100000')
    """
    text = text.strip().translate(BLANKS).replace(MINUS, "-")
    between, decimal = (".", ",") if is_vietnamese() else (",", ".")
    whole, mark, decimals = text.partition(decimal)
    if GROUPED[between].fullmatch(whole):
        whole = whole.replace(between, "")
    elif not mark:
        whole = whole.replace(between, ".", 1)
    return f"{whole}.{decimals}" if mark else whole


def typed_number(value: float | int) -> str:
    """Write a number with all its decimals and nothing between thousands.

    Examples
    --------
    >>> typed_number(0.35), typed_number(100.0)
    ('0,35', '100')
    """
    text = f"{Decimal(repr(value)):f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace(".", ",") if is_vietnamese() else text
