"""Old Vietnamese character sets: tables, both cases, recognition, refusal."""

from __future__ import annotations

import unicodedata

import pytest

from lsakit.errors import FileFormatError
from lsakit.io.vietnamese import (
    TCVN3,
    VNI,
    convert_legacy,
    detect_legacy,
    is_syllable,
    refuse_legacy,
    spelling_evidence,
)

NAMES = ["Nguyễn Văn Bình", "Trần Thị Hường", "Đỗ Quỳnh Như", "Giàng A Páo", "Trường Tiểu học Kim Đồng"]
AS_TCVN3 = [
    "NguyÔn V¨n B×nh",
    "TrÇn ThÞ H\xadêng",
    "§ç Quúnh Nh\xad",
    "Giµng A P¸o",
    "Tr\xadêng TiÓu häc Kim §ång",
]
AS_VNI = [
    "Nguyeãn Vaên Bình",
    "Traàn Thò Höôøng",
    "Ñoã Quyønh Nhö",
    "Giaøng A Paùo",
    "Tröôøng Tieåu hoïc Kim Ñoàng",
]
VOWELS = "aăâeêioôơuưy"
TONES = ["", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323"]
LETTERS = {unicodedata.normalize("NFC", vowel + tone) for vowel in VOWELS for tone in TONES} | {"đ"}


@pytest.mark.parametrize(("charset", "texts"), [("tcvn3", AS_TCVN3), ("vni", AS_VNI)])
def test_names_are_recognised_and_converted(charset: str, texts: list[str]) -> None:
    assert detect_legacy(texts) == charset
    assert [convert_legacy(text, charset) for text in texts] == NAMES


def test_tcvn3_has_every_letter_in_both_cases() -> None:
    reached = set(TCVN3.values())
    accented = {letter for letter in LETTERS if not letter.isascii()}
    assert accented <= reached
    assert {letter.upper() for letter in accented} <= reached
    assert len(TCVN3) == len(reached), "one letter for each code"


def test_vni_has_every_letter_in_both_cases() -> None:
    reached = set(VNI.values())
    accented = {letter for letter in LETTERS if not letter.isascii()}
    assert accented <= reached
    assert {letter.upper() for letter in accented} <= reached


def test_vni_marks_follow_the_base_letter_in_either_case() -> None:
    assert convert_legacy("NGUYEÃN VAÊN BÌNH", "vni") == "NGUYỄN VĂN BÌNH"
    assert convert_legacy("Aùnh", "vni") == "Ánh"
    assert convert_legacy("Ñöùc", "vni") == "Đức"


def test_capital_fonts_of_tcvn3_are_read_by_their_ascii_capitals() -> None:
    assert convert_legacy("NGUYÔN THÞ Hµ", "tcvn3") == "NGUYỄN THỊ HÀ"
    assert convert_legacy("Hµ", "tcvn3") == "Hà", "one capital alone is a name's first letter"


@pytest.mark.parametrize(
    "texts",
    [
        NAMES,
        [unicodedata.normalize("NFD", name) for name in NAMES],
        ["Café, Señor García, naïve façade", "Müller Straße Köln", "École élève à la fenêtre"],
        ["plain ASCII only"],
        [],
        ["Mathématiques é à"],
    ],
)
def test_unicode_and_western_text_is_left_alone(texts: list[str]) -> None:
    assert detect_legacy(texts) is None


def test_evidence_counts_distinct_words() -> None:
    found = spelling_evidence(["NguyÔn", "NguyÔn V¨n"])
    assert (found.n_words, found.tcvn3, found.unicode) == (2, 2, 0)


@pytest.mark.parametrize("word", ["khuya", "quyển", "giếng", "nghiêng", "ƯỚC", "ươn", "Đoàn", "thuở"])
def test_syllables(word: str) -> None:
    assert is_syllable(word)


@pytest.mark.parametrize("word", ["street", "NguyÔn", "Vaên", "ộcole", "ăắ"])
def test_not_syllables(word: str) -> None:
    assert not is_syllable(word)


def test_the_refusal_shows_what_the_text_stands_for() -> None:
    error = refuse_legacy("ds.csv", "tcvn3", column="name", sample="NguyÔn")
    assert isinstance(error, FileFormatError)
    for words in ("'name'", "ds.csv", "TCVN3", "'Nguyễn'", "encoding='tcvn3'"):
        assert words in str(error)
