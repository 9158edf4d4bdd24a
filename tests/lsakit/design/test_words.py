"""Draws explain themselves in both languages, with the same numbers."""

from __future__ import annotations

import re
from string import Formatter
from typing import Any

import pytest

import lsakit as lk
from lsakit.design.classes import ClassOptions
from lsakit.design.overlap import Keyfitz, PermanentNumbers
from lsakit.design.words import catalog, digits, say
from lsakit.errors import LsakitError

FRAME = {
    "school_id": [f"S{row:02d}" for row in range(14)],
    "enrolment": [900, 400, 210, 180, 150, 140, 120, 110, 95, 80, 60, 52, 12, 2],
    "p": [0.5] * 14,
    "was": [1, 0] * 7,
    "prn": [row / 14 for row in range(14)],
}
RULES: dict[str, dict[str, Any]] = {
    "default": {},
    "cap": {"certainty": "cap"},
    "equal": {"small_schools": "equal"},
    "undersample": {"small_schools": "undersample"},
    "keyfitz": {"overlap": Keyfitz(previous_probability="p", previously_drawn="was")},
    "permanent": {"overlap": PermanentNumbers(column="prn", shift=0.3)},
}


def numbers(text: str) -> list[str]:
    """Numbers of a text, in order of size as written, with a point as decimal mark."""
    return sorted(re.findall(r"\d+(?:\.\d+)?", text.replace(",", ".")))


def places(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name)


def test_both_languages_have_the_same_sentences_with_the_same_places() -> None:
    en, vi = catalog("en"), catalog("vi")
    assert set(en) == set(vi)
    assert {key: places(text) for key, text in en.items()} == {key: places(text) for key, text in vi.items()}
    assert all(en[key] != vi[key] for key in en)


@pytest.mark.parametrize("rule", RULES)
def test_a_school_is_explained_with_the_same_numbers_in_both(rule: str) -> None:
    drawn = lk.draw_schools(FRAME, lk.Design(n_schools=5, n_students=30, **RULES[rule]), rng=3)
    for school in FRAME["school_id"]:
        en, vi = drawn.explain(school), drawn.explain(school, language="vi")
        assert "Trường" in vi
        # The words "first" and "second" carry numbers in neither language; all others must agree.
        assert numbers(en) == numbers(vi), (en, vi)
    assert len(drawn.warnings) == len(drawn.warnings_in("vi"))


def test_people_are_explained_in_both() -> None:
    drawn = lk.draw_schools(FRAME, lk.Design(n_schools=3, n_students=10), rng=3)
    school = drawn.table["school_id"][0]
    lists = {
        "school_id": [school] * 40,
        "student_id": [f"P{row:02d}" for row in range(40)],
        "staff_id": [f"T{row:02d}" for row in range(40)],
        "class_id": ["5A"] * 18 + ["5B"] * 18 + ["5C"] * 2 + ["5D"] * 2,
    }
    results = [
        (lk.select_students(lists, drawn, rng=1), "student_id", "Học sinh"),
        (lk.select_classes(lists, drawn, rng=1, options=ClassOptions(n_classes=3)), "student_id", "lớp ghép"),
        (lk.select_staff(lists, drawn, rng=1), "staff_id", "giáo viên"),
        (lk.select_staff(lists, drawn, rng=1, population="managers"), "staff_id", "cán bộ quản lý"),
        (lk.select_for_studies(lists, drawn, rng=1, studies={"a": 4, "b": 2}), "student_id", "khảo sát"),
    ]
    for result, name, word in results:
        texts = [result.explain(one, language="vi") for one in result.table[name]]  # type: ignore[attr-defined]
        assert any(word in text for text in texts), word
        for one, text in zip(result.table[name], texts, strict=True):  # type: ignore[attr-defined]
            assert numbers(result.explain(one)) == numbers(text)  # type: ignore[attr-defined]


def test_numbers_have_the_decimal_mark_of_their_language() -> None:
    assert (digits(0.5, 6, "en"), digits(0.5, 6, "vi")) == ("0.5", "0,5")
    assert say("en", "school.size", column="enrolment", size=17.5).endswith("is 17.5.")
    with pytest.raises(LsakitError, match=r"'language' parameter must be one of en, vi. Got 'fr'"):
        catalog("fr")
