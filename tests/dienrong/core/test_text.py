"""Vietnamese text: clean forms, search and order. Expected orders are those of Vietnamese dictionaries."""

from __future__ import annotations

import random
import unicodedata

import pytest

from dienrong.core import text


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Hòa Bình", "hoa binh"),
        ("hoà bình", "hoa binh"),
        (unicodedata.normalize("NFD", "Hòa Bình"), "hoa binh"),
        ("ĐỨC", "duc"),
        ("đức", "duc"),
        ("Ðức", "duc"),  # U+00D0, the Icelandic letter that old fonts wrote for Đ
        ("Thuỷ  Nguyên", "thuy nguyen"),
        ("H'Hen Niê", "hhen nie"),
        ("H\u2019Hen Niê", "hhen nie"),
        ("Trường TH&THCS số 2 (Bản Lầu)", "truong th thcs so 2 ban lau"),
        ("Buôn Ma Thuột\u200b\u00a0", "buon ma thuot"),
        ("", ""),
    ],
)
def test_search_is_blind_to_marks_and_case(written: str, key: str) -> None:
    assert text.search_key(written) == key


def test_text_is_kept_composed_and_without_invisible_letters() -> None:
    written = "\ufeff Tru\u031bo\u031b\u0300ng\u00a0 TH\u200b  Hòa Bình\u00ad "
    assert text.clean_text(written) == "Trường TH Hòa Bình"
    assert unicodedata.is_normalized("NFC", text.clean_text(written))


def in_order(words: list[str]) -> None:
    shuffled = words[:]
    random.Random(468).shuffle(shuffled)
    assert sorted(shuffled, key=text.sort_key) == words


def test_the_alphabet_is_in_its_order() -> None:
    in_order(
        [
            "a",
            "ă",
            "â",
            "b",
            "c",
            "d",
            "đ",
            "e",
            "ê",
            "g",
            "h",
            "i",
            "k",
            "l",
            "m",
            "n",
            "o",
            "ô",
            "ơ",
            "p",
            "q",
            "r",
            "s",
            "t",
            "u",
            "ư",
            "v",
            "x",
            "y",
        ]
    )


def test_tones_are_in_dictionary_order() -> None:
    in_order(["ma", "mà", "mả", "mã", "má", "mạ"])


def test_syllables_are_compared_one_by_one() -> None:
    in_order(["ca", "ca dao", "cà", "cà chua", "cả", "cá", "cá chép", "can", "căn", "cần"])


def test_letters_come_before_tones() -> None:
    in_order(["hoa", "hòa", "hóa", "hoan", "hoàn", "hoặc", "hoc", "học", "hô", "hồ", "hơ"])


def test_provinces_are_in_dictionary_order() -> None:
    in_order(
        [
            "An Giang", "Bắc Ninh", "Cà Mau", "Cao Bằng", "Cần Thơ", "Đà Nẵng", "Đắk Lắk", "Điện Biên",
            "Đồng Nai", "Đồng Tháp", "Gia Lai", "Hà Nội", "Hà Tĩnh", "Hải Phòng", "Huế", "Hưng Yên",
        ]
    )  # fmt: skip


def test_two_spellings_of_a_tone_sort_alike() -> None:
    assert text.sort_key("Hòa") == text.sort_key("Hoà") == text.sort_key(unicodedata.normalize("NFD", "hoà"))
    assert text.sort_key("Thủy") == text.sort_key("Thuỷ")


def test_people_sort_by_given_name_then_family_then_middle() -> None:
    people = [
        "Nguyễn Văn An", "Trần Thị An", "Lê Thị Ánh", "Y Moan Êban", "Nguyễn Thị Hà", "Nguyễn Văn Hà",
        "Phạm Hà", "Lê Hạ", "Bùi Văn Hải", "H'Hen Niê", "Giàng A Páo",
    ]  # fmt: skip
    shuffled = people[:]
    random.Random(2026).shuffle(shuffled)
    assert sorted(shuffled, key=text.person_sort_key) == people


def test_keys_are_digits_so_that_every_database_agrees() -> None:
    for name in ("Đặng Thùy Trâm", "H'Hen Niê", "Ă â đ", "Лев", "Trường số 10"):
        assert text.sort_key(name).isdigit()
        assert text.person_sort_key(name).isdigit()


def test_numbers_come_before_letters_and_other_scripts_last() -> None:
    in_order(["Trường 1", "Trường 2", "Trường An", "Trường Ý", "Trường Ж"])
