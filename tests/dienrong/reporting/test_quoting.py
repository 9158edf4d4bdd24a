"""Marks and quotations in plain words: found, checked, renewed; differences word by word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dienrong.reporting import quoting
from dienrong.reporting.differences import differences

SENTENCE = "Lớp 5, Toán: điểm trung bình là 500,1 (khoảng tin cậy 95% từ 490,0 đến 510,2)."
BODY = f"Kết quả chưa cao.\n\nCụ thể: {quoting.quotation('SL.01', SENTENCE)}\nXem thêm (SL.02, SL.03)."


def test_marks_are_found_with_and_without_a_quotation() -> None:
    found = quoting.mentions(BODY)
    assert [(one.mark, bool(one.sentence), one.paragraph) for one in found] == [
        ("SL.01", True, 2),
        ("SL.02", False, 3),
        ("SL.03", False, 3),
    ]


def test_a_quotation_must_say_what_was_published() -> None:
    published = {"SL.01": SENTENCE, "SL.02": "a", "SL.03": "b"}
    assert quoting.faults(BODY, published) == []
    (fault,) = quoting.faults(BODY.replace("500,1", "600,1"), published)
    assert (fault.kind, fault.mark, fault.paragraph, fault.published) == ("altered", "SL.01", 2, SENTENCE)
    (fault,) = quoting.faults(BODY, {"SL.01": SENTENCE, "SL.02": "a"})
    assert (fault.kind, fault.mark) == ("unknown", "SL.03")


def test_blanks_and_line_ends_of_a_quotation_are_not_an_alteration() -> None:
    body = BODY.replace("điểm trung bình", "điểm  trung\u00a0bình")
    assert quoting.faults(body, {"SL.01": SENTENCE, "SL.02": "a", "SL.03": "b"}) == []


def test_renewing_changes_the_quotation_and_not_one_word_beside_it() -> None:
    new = SENTENCE.replace("500,1", "502,4")
    after = quoting.renewed(BODY, "SL.01", new)
    assert after == BODY.replace("500,1", "502,4")
    assert quoting.renewed(after, "SL.02", "không liên quan") == after


@pytest.mark.parametrize("body", ["a\r\nb", "a\rb", "a\nb"])
def test_line_ends_are_written_alike(body: str) -> None:
    assert quoting.clean_body(body) == "a\nb"


def test_invisible_letters_are_dropped_and_composed_ones_kept() -> None:
    assert quoting.clean_body("Toa\u0301n\u200b\u0007 5") == "Toán 5"


@given(st.text(alphabet="ab \n“”()SL.012", max_size=80), st.text(alphabet="ab \n“”()SL.012", max_size=80))
def test_differences_hold_both_texts_whole(before: str, after: str) -> None:
    pieces = differences(before, after)
    assert "".join(one.text for one in pieces if one.kind != "new") == before
    assert "".join(one.text for one in pieces if one.kind != "gone") == after


@given(st.text(alphabet="ab “”()SL.012\n", max_size=60))
def test_renewing_twice_is_renewing_once(body: str) -> None:
    once = quoting.renewed(body, "SL.01", "a b")
    assert quoting.renewed(once, "SL.01", "a b") == once
