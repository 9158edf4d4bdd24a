"""The words of both languages."""

from __future__ import annotations

import re

import pytest

from lsakit.errors import LsakitError
from lsakit.tables.texts import Texts, _catalogue


def test_both_languages_have_the_same_texts_with_the_same_places() -> None:
    vietnamese, english = _catalogue("vi"), _catalogue("en")
    assert vietnamese.keys() == english.keys()
    for key, text in vietnamese.items():
        assert text.strip(), key
        assert english[key].strip(), key
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", english[key])), key


@pytest.mark.parametrize(
    ("language", "value", "digits", "written"),
    [
        ("vi", 1234.56, 1, "1.234,6"),
        ("en", 1234.56, 1, "1,234.6"),
        ("vi", -0.01, 1, "0,0"),
        ("en", -12.34, 1, "−12.3"),
        ("vi", 1234567, 0, "1.234.567"),
    ],
)
def test_a_number_is_written_as_its_language_writes_it(
    language: str, value: float, digits: int, written: str
) -> None:
    assert Texts(language).number(value, digits) == written


def test_a_share_is_written_as_a_percentage() -> None:
    assert Texts("vi").share(0.98724) == "98,7%"


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(LsakitError, match=r"'language' parameter must be one of vi, en. Got 'fr'"):
        Texts("fr")


def test_a_missing_text_is_refused_by_name() -> None:
    with pytest.raises(LsakitError, match=r"'nothing.here' is missing in vi.toml"):
        Texts("vi").say("nothing.here")
