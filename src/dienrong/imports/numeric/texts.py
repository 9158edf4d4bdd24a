"""Text as it should be: character sets of CSV files, old Vietnamese letters in single cells, invisible marks.

A column of a workbook may mix Unicode rows with rows pasted from a file in an old font. So the decision is made
cell by cell: a cell is converted where all its accented words become Vietnamese syllables and not all were
before, and where either the cell alone (two words) or the rest of the file (two distinct words) says so too.
"""

from __future__ import annotations

import contextlib
import functools
import re
import unicodedata
from collections.abc import Iterable

from dienrong.imports.numeric.faults import FileFault
from lsakit.io.vietnamese import Legacy, convert_legacy, is_syllable, spelling_evidence

CHARSETS = ("utf-8", "utf-16", "cp1258", "cp1252", "tcvn3", "vni")
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
BLANKS = re.compile(r"\s+")
HARD_BLANKS = re.compile("[\u00a0\u202f\u2007\u3000]")
WORD = re.compile(
    "[A-Za-z\u0080-\u009f\u00a1-\u00ff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]+"
)
BEYOND_WESTERN = re.compile(
    "[\u0100-\u0151\u0154-\u015f\u0162-\u0177\u0179-\u017c\u0180-\u0191\u0193-\u02c5\u0300-\u036f\u1e00-\u1eff]"
)
HEAD = 1 << 16
CONTROLS = {
    bytes([code]).decode("cp1252"): chr(code)
    for code in range(0x80, 0xA0)
    if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
AS_BYTES = str.maketrans(CONTROLS)
TONES = "\u0300\u0301\u0303\u0309\u0323"


def charset_of(data: bytes) -> str:
    """Recognise the character set of a text file.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    str
        One of ``CHARSETS``.

    Raises
    ------
    FileFault
        ``unknown_charset`` where no reading gives Vietnamese or plain text.
    """
    head = data[:HEAD]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if head[:200].count(b"\x00") >= len(head[:200]) // 4 > 0:
        return "utf-16"
    if b"\x00" in head:
        raise FileFault("not_text")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _single_byte(data)
    return "utf-8"


def _single_byte(data: bytes) -> str:
    """Choose among the sets of one byte a letter by how many words are Vietnamese syllables."""
    lines = [line for line in data.splitlines() if not line.isascii()][:2_000]
    western = spelling_evidence(line.decode("latin-1") for line in lines)
    windows = spelling_evidence(line.decode("cp1258", "replace") for line in lines)
    best_old = max(western.tcvn3, western.vni)
    if windows.n_words and windows.unicode > best_old and windows.unicode >= 0.6 * windows.n_words:
        return "cp1258"
    if best_old and best_old >= 0.6 * western.n_words and best_old > western.unicode:
        return "tcvn3" if western.tcvn3 >= western.vni else "vni"
    if western.unicode and western.unicode >= 0.6 * western.n_words:
        with contextlib.suppress(UnicodeDecodeError):
            data.decode("cp1252")
            return "cp1252"
    raise FileFault("unknown_charset")


def decoded(data: bytes, charset: str) -> str:
    """Decode a text file; TCVN3 and VNI come out in Unicode.

    Raises
    ------
    FileFault
        ``wrong_charset`` where the bytes do not fit the set that was chosen.
    """
    try:
        if charset == "utf-16":
            marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
            text = data.decode("utf-16" if marked else _byte_order(data))
        elif charset in ("tcvn3", "vni"):
            return "\n".join(
                line if line.isascii() else convert_legacy(line, charset)  # type: ignore[arg-type]
                for line in data.decode("latin-1").splitlines()
            )
        else:
            text = data.decode("utf-8-sig" if charset == "utf-8" else charset)
    except (UnicodeError, LookupError) as error:
        raise FileFault("wrong_charset", charset=charset) from error
    return text.removeprefix("\ufeff")


def _byte_order(data: bytes) -> str:
    """Tell the byte order of UTF-16 without a mark by where the zero bytes stand."""
    head = data[:400]
    return "utf-16-be" if head[::2].count(0) > head[1::2].count(0) else "utf-16-le"


def repaired(text: str, known: frozenset[Legacy] = frozenset()) -> tuple[str, tuple[str, ...]]:
    """Clean one text cell and name what was repaired.

    Parameters
    ----------
    text : str
        The cell as it stands.
    known : frozenset of {"tcvn3", "vni"}
        Old character sets for which the file as a whole gave evidence.

    Returns
    -------
    str
        NFC, no invisible characters, one space between words.
    tuple of str
        Kinds of repair: ``tcvn3``, ``vni``, ``composed``, ``invisible``, ``blanks``.
    """
    if text.isascii() and "  " not in text and text == text.strip() and text.isprintable():
        return text, ()
    repairs: list[str] = []
    if not text.isascii():
        old = legacy_of(text, known)
        if old:
            text = convert_legacy(text.translate(AS_BYTES), old)
            repairs.append(old)
        for kind, better in (
            ("composed", unicodedata.normalize("NFC", text)),
            ("invisible", HARD_BLANKS.sub(" ", INVISIBLE.sub("", unicodedata.normalize("NFC", text)))),
        ):
            if better != text:
                text = better
                repairs.append(kind)
    tidy = BLANKS.sub(" ", text).strip()
    if tidy != text:
        repairs.append("blanks")
    return tidy, tuple(repairs)


def legacy_of(text: str, known: frozenset[Legacy] = frozenset()) -> Legacy | None:
    """Tell the old character set of one cell; None where it reads as Unicode or the evidence is thin."""
    if BEYOND_WESTERN.search(text):
        return None
    words = [word for word in WORD.findall(text) if not word.isascii()]
    if not words:
        return None
    readings = [_reading(word) for word in words]
    as_it_is = sum(reading[0] for reading in readings)
    if as_it_is == len(words):
        return None
    for old, place in (("tcvn3", 1), ("vni", 2)):
        if sum(reading[place] for reading in readings) == len(words):
            telling = {
                word
                for word, reading in zip(words, readings, strict=True)
                if not reading[0] and len(word) > 1
            }
            enough = len(telling) >= 2
            if enough or old in known:
                return old  # type: ignore[return-value]
    return None


def legacy_evidence(texts: Iterable[str]) -> frozenset[Legacy]:
    """Name the old character sets for which a sample of cells holds two distinct words of evidence."""
    found: dict[str, set[str]] = {"tcvn3": set(), "vni": set()}
    for text in texts:
        if text.isascii() or BEYOND_WESTERN.search(text):
            continue
        for word in WORD.findall(text):
            if word.isascii() or len(word) < 2:
                continue
            plain, tcvn3, vni = _reading(word)
            if not plain and tcvn3:
                found["tcvn3"].add(word)
            if not plain and vni:
                found["vni"].add(word)
    # A word may read under both sets; the set that explains clearly less is not evidence.
    most = max(len(words) for words in found.values())
    return frozenset(
        old  # type: ignore[misc]
        for old, words in found.items()
        if len(words) >= 2 and 2 * len(words) >= most
    )


@functools.lru_cache(maxsize=50_000)
def _reading(word: str) -> tuple[bool, bool, bool]:
    """Tell whether a word is a Vietnamese syllable as it stands, read as TCVN3, read as VNI."""
    as_bytes = word.translate(AS_BYTES)
    return (
        is_syllable(word),
        is_syllable(convert_legacy(as_bytes, "tcvn3")),
        is_syllable(convert_legacy(as_bytes, "vni")),
    )


def spelling_key(text: str) -> str:
    """Give one key for the two spellings of tone marks; everything else still counts.

    Examples
    --------
    >>> spelling_key("Trường TH Hòa Thủy") == spelling_key("Trường TH Hoà Thuỷ")
    True
    >>> spelling_key("Hòa") == spelling_key("hòa")
    False
    """
    if text.isascii():
        return text
    keys = []
    for word in unicodedata.normalize("NFD", text).split(" "):
        tones = "".join(mark for mark in word if mark in TONES)
        keys.append("".join(mark for mark in word if mark not in TONES) + tones)
    return " ".join(keys)
