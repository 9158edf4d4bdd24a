"""One cell becomes one clean value of its column, or a fault that says why not.

What is put right on the way is named by kind, so that the preview can count it and show an example. Nothing is
guessed where two readings are possible: a date 12/31/2015 is refused, not turned round.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from dienrong.core.text import search_key
from dienrong.imports.numeric.faults import CellFault, Cleaned
from dienrong.imports.numeric.texts import repaired
from lsakit.io.vietnamese import Legacy

Kind = Literal["text", "code", "choice", "choices", "integer", "decimal", "date", "yes_no"]

EXACT_DIGITS = 15
SHORT_CODE = 6
MOST_ZEROS_OF_LONG_CODE = 2
"""Provinces begin with at most two zeros (001 of a personal number, 01 of a pupil's code); more are missing digits."""
EXCEL_DAY_ZERO = dt.date(1899, 12, 30)
FIRST_SERIAL, LAST_SERIAL = 1, 80_000
DATE = re.compile(r"(\d{1,2})\s*[/.\-]\s*(\d{1,2})\s*[/.\-]\s*(\d{4}|\d{2})")
ISO_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.0+)?)?)?")
COMPACT_DATE = re.compile(r"(\d{2})(\d{2})(\d{4})")
POWER = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
PLAIN = re.compile(r"[+-]?\d+")
DOTTED = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+")
COMMAED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+")
SPACED = re.compile(r"[+-]?\d{1,3}(?: \d{3})+")
DECIMAL_COMMA = re.compile(r"[+-]?(?:\d{1,3}(?:[. ]\d{3})+|\d+),\d+")
DECIMAL_DOT = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)\.\d+")
YES = frozenset({"1", "x", "co", "yes", "true", "dung", "v", "y"})
NO = frozenset({"0", "khong", "no", "false", "sai", "k", "n"})
JOINER = "-"
SEPARATORS = re.compile(r"\s*(?:[;,+/&|\-]|\band\b|\bva\b|\bvà\b)\s*")
ERROR_VALUES = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CellRule:
    """How the cells of one column are read.

    Parameters
    ----------
    kind : str
        ``text``, ``code``, ``choice``, ``choices``, ``integer``, ``decimal``, ``date`` or ``yes_no``.
    width : int, optional
        Digits of a code of fixed width.
    pads : bool
        Whether lost leading zeros are restored also where the cell is text.
    is_opaque : bool
        Whether other codes than ``width`` digits are also codes.
    words : mapping of str to str
        Search keys of accepted words to the code each stands for; for choices.
    low, high : float, optional
        Bounds, both included.
    max_length : int
        Letters of a text at most.
    """

    kind: Kind = "text"
    width: int | None = None
    pads: bool = True
    is_opaque: bool = False
    words: Mapping[str, str] = dataclasses.field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    max_length: int = 240


def clean(value: Any, rule: CellRule, *, today: dt.date, known: frozenset[Legacy] = frozenset()) -> Cleaned:
    """Read one cell by the rule of its column.

    Parameters
    ----------
    value : object
        What the file holds: text, number, truth, date, or nothing.
    rule : CellRule
        The column's rule.
    today : date
        Decides the century of years of two digits.
    known : frozenset of {"tcvn3", "vni"}
        Old character sets for which the file gave evidence.

    Returns
    -------
    Cleaned
        The value (None where the cell is empty), the repairs, or the fault.
    """
    if value is None or value == "":
        return Cleaned()
    repairs: tuple[str, ...] = ()
    if isinstance(value, str):
        value, repairs = repaired(value, known)
        if value in ("", "-", "–"):
            return Cleaned()
        if value.upper() in ERROR_VALUES:
            return Cleaned(fault=CellFault("formula_error"))
    found = READERS[rule.kind](value, rule, today)
    if not repairs or found.fault:
        return found
    return Cleaned(found.value, (*repairs, *found.repairs))


def _number_as_text(value: Any) -> str:
    """Write a cell's number as a person would have typed it."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**EXACT_DIGITS:
        return str(int(value))
    if isinstance(value, dt.datetime | dt.date):
        return value.strftime("%d/%m/%Y")
    return str(value)


def _text(value: Any, rule: CellRule, _today: dt.date) -> Cleaned:
    """Read free text."""
    text = value if isinstance(value, str) else _number_as_text(value)
    if len(text) > rule.max_length:
        return Cleaned(fault=CellFault("too_long", {"n": len(text), "limit": rule.max_length}))
    return Cleaned(text)


def _code(value: Any, rule: CellRule, _today: dt.date) -> Cleaned:
    """Read a code: opaque text, of a fixed width where the column has one."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and (not math.isfinite(value) or value < 0 or float(value) != int(value)):
        return Cleaned(fault=CellFault("not_a_code"))
    if isinstance(value, dt.date | dt.time | bool):
        return Cleaned(fault=CellFault("code_became_date"))
    text = str(int(value)) if is_number else value
    if is_number and len(text) > EXACT_DIGITS:
        return Cleaned(fault=CellFault("digits_lost", {"limit": EXACT_DIGITS}))
    if not is_number and POWER.fullmatch(text):
        return Cleaned(fault=CellFault("power_of_ten"))
    repairs: tuple[str, ...] = ()
    if not is_number and " " in text and text.replace(" ", "").isdigit():
        text, repairs = text.replace(" ", ""), ("blanks",)
    if not is_number and text.startswith("'"):
        text, repairs = text[1:], ("blanks",)
    width = rule.width
    is_short = bool(width) and text.isascii() and text.isdigit() and len(text) < width
    if is_short and (is_number or rule.pads) and _may_have_lost(width - len(text), rule):
        return Cleaned(text.zfill(width), (*repairs, "zeros"))
    if width and not rule.is_opaque and not (text.isascii() and text.isdigit() and len(text) == width):
        return Cleaned(fault=CellFault("code_width", {"width": width, "got": len(text)}))
    if len(text) > rule.max_length:
        return Cleaned(fault=CellFault("too_long", {"n": len(text), "limit": rule.max_length}))
    return Cleaned(text, repairs)


def _may_have_lost(n_zeros: int, rule: CellRule) -> bool:
    """Tell whether a code may have begun with so many zeros; a long code of a person begins with a province."""
    return rule.is_opaque or rule.width <= SHORT_CODE or n_zeros <= MOST_ZEROS_OF_LONG_CODE


def _choice(value: Any, rule: CellRule, _today: dt.date) -> Cleaned:
    """Read one word of a code list, in any spelling that the column knows."""
    if isinstance(value, bool):
        value = "1" if value else "0"
    code = rule.words.get(search_key(str(_number_as_text(value))))
    if code is None:
        return Cleaned(fault=CellFault("unknown_word"))
    return Cleaned(code)


def _choices(value: Any, rule: CellRule, today: dt.date) -> Cleaned:
    """Read several words of a code list; a word for the whole combination is tried first."""
    whole = _choice(value, rule, today)
    if whole.fault is None:
        return whole
    codes: list[str] = []
    for part in SEPARATORS.split(str(value)):
        found = _choice(part, rule, today) if part else Cleaned()
        if found.fault:
            return whole
        codes += [code for code in (found.value or "").split(JOINER) if code]
    order = list(dict.fromkeys(code for codes in rule.words.values() for code in codes.split(JOINER)))
    return Cleaned(JOINER.join(sorted(set(codes), key=order.index)))


def _integer(value: Any, rule: CellRule, _today: dt.date) -> Cleaned:
    """Read a whole number."""
    repairs: tuple[str, ...] = ()
    if isinstance(value, str):
        text = value
        if DOTTED.fullmatch(text) or COMMAED.fullmatch(text) or SPACED.fullmatch(text):
            text = re.sub("[., ]", "", text)
        elif DECIMAL_COMMA.fullmatch(text) and set(text.rpartition(",")[2]) == {"0"}:
            text = re.sub("[. ]", "", text.rpartition(",")[0])
        if not PLAIN.fullmatch(text) or len(text) > EXACT_DIGITS:
            return Cleaned(fault=CellFault("not_a_whole_number"))
        number, repairs = int(text), ("number_text",)
    elif isinstance(value, bool | dt.date | dt.time):
        return Cleaned(fault=CellFault("not_a_whole_number"))
    elif isinstance(value, int | float) and math.isfinite(value) and float(value).is_integer():
        number = int(value)
    else:
        return Cleaned(fault=CellFault("not_a_whole_number"))
    return _bounded(number, rule, repairs)


def _decimal(value: Any, rule: CellRule, _today: dt.date) -> Cleaned:
    """Read a number: decimal comma, thousands dot; a dot is decimal where only that lies in the bounds."""
    if isinstance(value, bool | dt.date | dt.time):
        return Cleaned(fault=CellFault("not_a_number"))
    if isinstance(value, int | float):
        return (
            _bounded(float(value), rule, ())
            if math.isfinite(value)
            else Cleaned(fault=CellFault("not_a_number"))
        )
    text, share = value, 1.0
    if text.endswith("%"):
        text, share = text[:-1].strip(), 0.01
    readings: list[str] = []
    if PLAIN.fullmatch(text):
        readings.append(text)
    if DECIMAL_COMMA.fullmatch(text):
        readings.append(re.sub("[. ]", "", text).replace(",", "."))
    if DOTTED.fullmatch(text) or SPACED.fullmatch(text):
        readings.append(re.sub("[. ]", "", text))
    if DECIMAL_DOT.fullmatch(text):
        readings.append(text.replace(",", ""))
    if not readings:
        return Cleaned(fault=CellFault("not_a_number"))
    outcomes = [_bounded(round(float(reading) * share, 12), rule, ("number_text",)) for reading in readings]
    return next((outcome for outcome in outcomes if outcome.fault is None), outcomes[0])


def _bounded(number: Any, rule: CellRule, repairs: tuple[str, ...]) -> Cleaned:
    """Hold a number against the bounds of its column."""
    if (rule.low is not None and number < rule.low) or (rule.high is not None and number > rule.high):
        return Cleaned(fault=CellFault("out_of_bounds", {"low": rule.low, "high": rule.high}))
    return Cleaned(number, repairs)


def _date(value: Any, _rule: CellRule, today: dt.date) -> Cleaned:
    """Read a date: a date cell, a serial number, or text in one of the forms people type."""
    if isinstance(value, dt.datetime):
        value = value.date()
    if isinstance(value, dt.date):
        return Cleaned(value.isoformat())
    if isinstance(value, bool | dt.time | dt.timedelta):
        return Cleaned(fault=CellFault("not_a_date"))
    if isinstance(value, int | float):
        return _serial(float(value))
    if match := ISO_DATE.fullmatch(value):
        year, month, day = match.groups()
        # ISO text is what machines write; it is no repair.
        return _real_date(year, month, day, today, () if value == f"{year}-{month}-{day}" else ("date_text",))
    if match := DATE.fullmatch(value):
        day, month, year = match.groups()
        return _real_date(year, month, day, today, ("date_text",))
    if re.fullmatch(r"\d{5}", value):
        return _serial(float(value))
    if match := COMPACT_DATE.fullmatch(value):
        day, month, year = match.groups()
        return _real_date(year, month, day, today, ("date_text",))
    return Cleaned(fault=CellFault("not_a_date"))


def _serial(number: float) -> Cleaned:
    """Read Excel's count of days."""
    if not math.isfinite(number) or not FIRST_SERIAL <= number <= LAST_SERIAL:
        return Cleaned(fault=CellFault("not_a_date"))
    if 1900 <= number <= 2100:
        return Cleaned(fault=CellFault("year_alone"))
    return Cleaned((EXCEL_DAY_ZERO + dt.timedelta(days=int(number))).isoformat(), ("date_serial",))


def _real_date(year: str, month: str, day: str, today: dt.date, repairs: tuple[str, ...]) -> Cleaned:
    """Make a date of its parts; a year of two digits never lies more than a year ahead."""
    number = int(year)
    if len(year) == 2:
        number += 2000 if number <= (today.year + 1) % 100 else 1900
    try:
        found = dt.date(number, int(month), int(day))
    except ValueError:
        swapped = int(month) > 12 >= int(day)
        return Cleaned(fault=CellFault("month_first" if swapped else "no_such_day"))
    if not 1900 <= found.year <= 2100:
        return Cleaned(fault=CellFault("no_such_day"))
    return Cleaned(found.isoformat(), repairs)


def _yes_no(value: Any, rule: CellRule, _today: dt.date) -> Cleaned:
    """Read yes or no."""
    if isinstance(value, bool):
        return Cleaned(value)
    key = search_key(_number_as_text(value))
    word = rule.words.get(key)
    if word is not None:
        return Cleaned(word == "yes")
    if key in YES:
        return Cleaned(value=True)
    if key in NO:
        return Cleaned(value=False)
    return Cleaned(fault=CellFault("not_yes_no"))


READERS: dict[str, Callable[[Any, CellRule, dt.date], Cleaned]] = {
    "text": _text,
    "code": _code,
    "choice": _choice,
    "choices": _choices,
    "integer": _integer,
    "decimal": _decimal,
    "date": _date,
    "yes_no": _yes_no,
}
