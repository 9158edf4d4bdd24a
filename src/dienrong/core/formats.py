"""Numbers, dates and durations as people here write them: 1.234,5 · 98,7% · 05/09/2026 · 14:30."""

from __future__ import annotations

import datetime
import math
from decimal import ROUND_HALF_UP, Decimal

from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

MINUS = "\u2212"


def is_vietnamese() -> bool:
    """Tell whether the language being spoken is Vietnamese."""
    return (get_language() or "vi").startswith("vi")


def number_text(value: float | int | Decimal | None, digits: int = 0) -> str:
    """Write a number with so many decimals, rounded half away from zero.

    Parameters
    ----------
    value : float, int, Decimal or None
        The number; None and not-a-number give a dash.
    digits : int
        Decimals to write, trailing zeros kept.

    Returns
    -------
    str
        Vietnamese: dot between thousands, comma before decimals. English: the other way round.
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    rounded = exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    text = f"{abs(rounded):,.{digits}f}"
    if is_vietnamese():
        text = text.translate(str.maketrans(",.", ".,"))
    return (MINUS if rounded < 0 else "") + text


def percent_text(share: float | None, digits: int = 1) -> str:
    """Write a share between 0 and 1 as per cent: 0.987 is 98,7%."""
    if share is None or (isinstance(share, float) and not math.isfinite(share)):
        return "–"
    return number_text(Decimal(str(share)) * 100, digits) + "%"


def day_text(value: datetime.date | datetime.datetime | None) -> str:
    """Write a date as dd/mm/yyyy, in the time zone of the pages."""
    if value is None:
        return "–"
    if isinstance(value, datetime.datetime):
        value = timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return value.strftime("%d/%m/%Y")


def moment_text(value: datetime.datetime | None) -> str:
    """Write a moment as 14:30 22/11/2026, in the time zone of the pages."""
    if value is None:
        return "–"
    return timezone.localtime(value).strftime("%H:%M %d/%m/%Y")


def duration_text(seconds: float | None) -> str:
    """Write a duration in its two largest units, in words."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return "–"
    whole = round(seconds)
    if whole < 60:
        return ngettext("%(n)d second", "%(n)d seconds", whole) % {"n": whole}
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}
    hours, minutes = divmod(minutes, 60)
    return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
