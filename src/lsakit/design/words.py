"""The sentences with which a draw explains itself, in English and Vietnamese, kept as data."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from lsakit.errors import LsakitError

Language = Literal["en", "vi"]
LANGUAGES = ("en", "vi")


@cache
def catalog(language: str) -> dict[str, str]:
    """Read the sentences of one language.

    Parameters
    ----------
    language : str
        ``"en"`` or ``"vi"``.

    Returns
    -------
    dict of str to str
        Sentences with places for values, by key such as ``"school.place"``.

    Raises
    ------
    LsakitError
        If the language is neither.
    """
    if language not in LANGUAGES:
        raise LsakitError(
            f"The 'language' parameter must be one of {', '.join(LANGUAGES)}. Got {language!r}.",
            param="language",
            got=language,
        )
    raw = files("lsakit.design").joinpath("texts", f"{language}.toml").read_text(encoding="utf-8")
    return {
        f"{part}.{key}": text for part, inner in tomllib.loads(raw).items() for key, text in inner.items()
    }


def say(language: str, key: str, **values: object) -> str:
    """Give one sentence with its values; real numbers get the language's decimal mark.

    Parameters
    ----------
    language : str
        ``"en"`` or ``"vi"``.
    key : str
        Key of the sentence.
    **values : object
        Values of its places; a real number is written with six significant digits.

    Returns
    -------
    str
        The sentence.

    Raises
    ------
    LsakitError
        If the language is neither.

    Examples
    --------
    >>> say("vi", "school.size", column="enrolment", size=17.5)
    'Cỡ của trường (enrolment) là 17,5.'
    """
    written = {
        name: digits(value, 6, language) if isinstance(value, float) else value
        for name, value in values.items()
    }
    return catalog(language)[key].format(**written)


def digits(value: float, n: int, language: str) -> str:
    """Write a number with some significant digits and the language's decimal mark.

    Parameters
    ----------
    value : float
        The number.
    n : int
        Significant digits.
    language : str
        ``"en"`` or ``"vi"``.

    Returns
    -------
    str
        The number; no thousands mark, so that it can be copied.

    Examples
    --------
    >>> digits(0.123456789, 4, "vi")
    '0,1235'
    """
    text = f"{value:.{n}g}"
    return text.replace(".", ",") if language == "vi" else text
