"""Numbers of certificates: made by a pattern that is data, compared without marks, checked by a random code."""

from __future__ import annotations

import re
import secrets

from dienrong.core.text import search_key

TOKEN = re.compile(r"\{(serial|year|issuer)(?::0?(\d))?\}")
LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CHECK_LENGTH, LEARNER_LENGTH = 10, 6
MOST_CHARACTERS = 80


class PatternError(ValueError):
    """A pattern of numbers cannot be used."""


def number_of(pattern: str, *, serial: int, year: int, issuer: str) -> str:
    """Write a number by its pattern.

    Parameters
    ----------
    pattern : str
        Text with ``{serial}``, ``{year}`` and ``{issuer}``; ``{serial:5}`` fills with zeros to five digits.
    serial : int
        The running number, from 1.
    year : int
        The year of the series.
    issuer : str
        The sign of the issuer.

    Raises
    ------
    PatternError
        If the pattern lacks ``{serial}``, names something unknown, or gives more than 80 characters.

    Examples
    --------
    >>> number_of("{serial:5}/{year}/CN-{issuer}", serial=7, year=2026, issuer="SGDĐT.CM")
    '00007/2026/CN-SGDĐT.CM'
    """
    values = {"serial": str(serial), "year": str(year), "issuer": issuer}
    if "serial" not in {found.group(1) for found in TOKEN.finditer(pattern)}:
        raise PatternError("serial")
    number = TOKEN.sub(lambda found: values[found.group(1)].zfill(int(found.group(2) or 0)), pattern)
    if "{" in number or "}" in number:
        raise PatternError("unknown")
    if len(number) > MOST_CHARACTERS:
        raise PatternError("long")
    return number


def number_key(number: str) -> str:
    """Give the form under which a number is looked up: letters and digits alone, without marks.

    Examples
    --------
    >>> number_key(" 00007/2026/CN-SGDĐT.CM "), number_key("00007 2026 cn sgddt cm")
    ('00007-2026-CN-SGDDT-CM', '00007-2026-CN-SGDDT-CM')
    """
    return search_key(number).upper().replace(" ", "-")[:MOST_CHARACTERS]


def new_check_code() -> str:
    """Give a random check code: ten characters of 31, about 49 bits, derived from nothing."""
    return "".join(secrets.choice(LETTERS) for _place in range(CHECK_LENGTH))


def new_learner_code() -> str:
    """Give a random learner code: six characters of 31."""
    return "".join(secrets.choice(LETTERS) for _place in range(LEARNER_LENGTH))


def typed_code(text: str) -> str:
    """Give a code as it is kept, whatever case, blanks and strokes it was typed with.

    Examples
    --------
    >>> typed_code(" ab2d-ef ")
    'AB2DEF'
    """
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def initials(full_name: str) -> str:
    """Give the first letters of a name, by which a holder is recognized and nobody is found.

    Examples
    --------
    >>> initials("Nguyễn Thị Ánh"), initials("Y Moan Êban")
    ('N. T. Á.', 'Y. M. Ê.')
    """
    return " ".join(f"{word[0].upper()}." for word in full_name.split() if word)
