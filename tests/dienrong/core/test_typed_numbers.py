"""Numbers typed by officers, in both languages; none becomes another number unseen."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from dienrong.core.typed_numbers import NumberField, typed_number


def read(text: str, language: str) -> float | None:
    with override(language):
        return NumberField(required=False).clean(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0,35", 0.35), ("0.35", 0.35), ("0.350", 0.35), ("100.000", 100_000.0), ("1.250.000,5", 1_250_000.5),
        ("1 250", 1250.0), ("12,5", 12.5), ("-3,5", -3.5), ("\u22123,5", -3.5), ("7", 7.0), ("", None),
    ],
)  # fmt: skip
def test_vietnamese(text: str, number: float | None) -> None:
    assert read(text, "vi") == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.35", 0.35), ("0,35", 0.35), ("100,000", 100_000.0), ("1,250,000.5", 1_250_000.5), ("12.5", 12.5)],
)
def test_english(text: str, number: float) -> None:
    assert read(text, "en") == number


@pytest.mark.parametrize("text", ["mười", "1,2,3", "1.2.3", "12.34.567", "1,5 triệu", "--3", "nan", "inf"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_is_no_number_is_refused(text: str, language: str) -> None:
    with pytest.raises(ValidationError):
        read(text, language)


@given(st.floats(-1e9, 1e9).map(lambda number: round(number, 6)), st.sampled_from(["vi", "en"]))
def test_what_is_shown_is_read_again(number: float, language: str) -> None:
    with override(language):
        shown = typed_number(number)
    if ("." in shown and language == "vi") or ("," in shown and language == "en"):
        raise AssertionError(shown)
    assert read(shown, language) == number
