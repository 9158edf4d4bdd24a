"""Laws of the text keys for all inputs."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("django", reason="the web extra is not installed")

from dienrong.core import text

VIETNAMESE = st.text(
    alphabet="aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệghiìỉĩíịklmnoòỏõóọôồổỗốộơờởỡớợpqrstuùủũúụưừửữứựvxyỳỷỹýỵ '-",
    max_size=40,
)


@given(st.text(max_size=60))
def test_cleaning_twice_is_cleaning_once(written: str) -> None:
    once = text.clean_text(written)
    assert text.clean_text(once) == once


@given(st.text(max_size=60))
def test_keys_never_fail_and_sort_keys_are_digits(written: str) -> None:
    assert text.sort_key(written).isdigit()
    assert text.person_sort_key(written).isdigit()
    text.search_key(written)


@given(VIETNAMESE)
def test_keys_do_not_depend_on_composition_or_case(written: str) -> None:
    for other in (unicodedata.normalize("NFD", written), written.upper()):
        assert text.sort_key(other) == text.sort_key(written)
        assert text.search_key(other) == text.search_key(written)


@given(VIETNAMESE)
def test_search_keys_of_vietnamese_are_plain_ascii(written: str) -> None:
    key = text.search_key(written)
    assert key.isascii()
    assert text.search_key(key) == key


@given(VIETNAMESE, VIETNAMESE)
def test_a_word_sorts_before_what_continues_it(first: str, second: str) -> None:
    joined = f"{first} {second}"
    assert text.sort_key(first) <= text.sort_key(joined)
