"""Old Vietnamese character sets, recognised and converted, and the cleaning of Unicode text.

Before Unicode, Vietnamese files used TCVN3 (one byte per letter, fonts ``.VnTime``) and VNI (a base letter
followed by a mark). Opened today they look like ``NguyÔn`` or ``Nguyeãn``. The tables below are TCVN 5712
(VN1, which contains VN3) and the VNI for Windows layout; docs/algorithms/files.md prints them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from lsakit.errors import FileFormatError

Legacy = Literal["tcvn3", "vni"]

_TCVN3_ROWS = {
    0xA1: "ĂÂÊÔƠƯĐăâêôơưđ",  # A1-AE, then AF is the capital of VN1
    0xAF: "Ằ",
    0xB0: "\u0300\u0309\u0303\u0301\u0323",
    0xB5: "àảãáạ",
    0xBA: "ẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậè",
    0xCD: "Ểẻẽéẹềểễếệìỉ",
    0xD9: "ỄẾỒĩíịò",
    0xE0: "Ổỏõóọồổỗốộờởỡớợù",
    0xF0: "Ỗủũúụừửữứựỳỷỹýỵ",
    0xFF: "Ố",
    0x80: "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ",
    0x01: "ÚỤ",
    0x04: "ỪỬỮ",
    0x11: "ỨỰỲỶỸÝỴ",
}
TCVN3 = {chr(start + k): letter for start, row in _TCVN3_ROWS.items() for k, letter in enumerate(row)}

_TONES = {"ø": "\u0300", "ù": "\u0301", "û": "\u0309", "õ": "\u0303", "ï": "\u0323"}
_CIRCUMFLEX = {"â": "", "à": "\u0300", "á": "\u0301", "å": "\u0309", "ã": "\u0303", "ä": "\u0323"}
_BREVE = {"ê": "", "è": "\u0300", "é": "\u0301", "ú": "\u0309", "ü": "\u0303", "ë": "\u0323"}
_VNI_SINGLE = {"ì": "ì", "í": "í", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "ô": "ơ", "ö": "ư", "ñ": "đ", "î": "ỵ"}

_TONE_MARKS = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_SYLLABLE = re.compile(
    r"(?:ngh|ng|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdđghklmnpqrstvx])?"
    r"(?:(?:uyê|iê|yê|uô|ươ|oă|uâ|oa|oe|oo|uê|uy|[aăâeêioôơuưy])(?:ch|ng|nh|[cmnpt])?"
    r"|iêu|yêu|oai|oay|oeo|uôi|ươi|ươu|uây|uyu|uya|ai|ao|au|ay|âu|ây|eo|êu|ia|iu|oi|ôi|ơi|ui|ưi|ưu|ua|uơ|ưa)"
)
_LEGACY_TOKEN = re.compile(r"[A-Za-z\u00a1-\u00ff\u0080-\u009f\u0300-\u0323Ơ-ưĂăĐđ\u1ea0-\u1ef9Ĩĩ]+")
MIN_EVIDENCE = 2


def _vni_table() -> dict[str, str]:
    """Spell out every VNI pair and single letter, in both cases."""
    table = dict(_VNI_SINGLE)
    for base in "aeouy":
        table |= {base + mark: base + tone for mark, tone in _TONES.items()}
    for base in "aeo":
        table |= {base + mark: base + "\u0302" + tone for mark, tone in _CIRCUMFLEX.items()}
    table |= {"a" + mark: "a\u0306" + tone for mark, tone in _BREVE.items()}
    table |= {"ô" + mark: "ơ" + tone for mark, tone in _TONES.items()}
    table |= {"ö" + mark: "ư" + tone for mark, tone in _TONES.items()}
    composed = {pair: unicodedata.normalize("NFC", letter) for pair, letter in table.items()}
    for pair, letter in list(composed.items()):
        composed[pair.upper()] = letter.upper()
        composed[pair[0].upper() + pair[1:]] = letter.upper()
        composed[pair[0] + pair[1:].upper()] = letter
    return composed


VNI = _vni_table()
_VNI_PATTERN = re.compile("|".join(sorted(map(re.escape, VNI), key=len, reverse=True)))


def convert_legacy(text: str, charset: Legacy) -> str:
    """Turn TCVN3 or VNI text, as Western software shows it, into Unicode.

    Parameters
    ----------
    text : str
        Text whose characters are the old bytes read as Windows-1252, as in ``"NguyÔn"``.
    charset : {"tcvn3", "vni"}
        The old character set.

    Returns
    -------
    str
        The text in Unicode NFC.

    Notes
    -----
    TCVN3 files use capital fonts (``.VnTimeH``) in which toned letters keep their small codes. A text without
    any small ASCII letter that has a word with two ASCII capitals is therefore taken as capitals throughout.

    Examples
    --------
    >>> convert_legacy("NguyÔn V¨n Hµ", "tcvn3"), convert_legacy("NGUYÔN THÞ", "tcvn3")
    ('Nguyễn Văn Hà', 'NGUYỄN THỊ')
    >>> convert_legacy("Nguyeãn Thò Höông", "vni")
    'Nguyễn Thị Hương'
    """
    if charset == "vni":
        return unicodedata.normalize("NFC", _VNI_PATTERN.sub(lambda match: VNI[match.group()], text))
    converted = unicodedata.normalize("NFC", "".join(TCVN3.get(letter, letter) for letter in text))
    if not re.search("[a-z]", text) and re.search("[A-Z][^\\s]*[A-Z]", text):
        return converted.upper()
    return converted


def is_syllable(word: str) -> bool:
    """Tell whether a word is spelled like a Vietnamese syllable.

    Parameters
    ----------
    word : str
        One word, in any case and normal form.

    Returns
    -------
    bool
        Whether onset, vowel, ending and at most one tone mark fit the spelling rules.

    Examples
    --------
    >>> is_syllable("Nguyễn"), is_syllable("NguyÔn"), is_syllable("street")
    (True, False, False)
    """
    spread = unicodedata.normalize("NFD", word.lower())
    plain, n_tones = _TONE_MARKS.subn("", spread)
    return n_tones <= 1 and _SYLLABLE.fullmatch(unicodedata.normalize("NFC", plain)) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpellingEvidence:
    """How many accented words of a text are Vietnamese under each reading of its characters.

    Parameters
    ----------
    n_words : int
        Distinct words that hold a character outside ASCII.
    unicode, tcvn3, vni : int
        How many of them are Vietnamese syllables as they stand, read as TCVN3, read as VNI.
    """

    n_words: int
    unicode: int
    tcvn3: int
    vni: int

    @property
    def legacy(self) -> Legacy | None:
        """The old character set that explains the text, or None where Unicode does as well."""
        best: Legacy = "tcvn3" if self.tcvn3 >= self.vni else "vni"
        score = max(self.tcvn3, self.vni)
        convincing = score >= MIN_EVIDENCE and score >= 0.6 * self.n_words
        return best if convincing and score > 1.25 * self.unicode else None


def spelling_evidence(texts: Iterable[str]) -> SpellingEvidence:
    """Weigh how a text's accented words read under Unicode, TCVN3 and VNI.

    Parameters
    ----------
    texts : Iterable of str
        Cells or lines; a few hundred are enough.

    Returns
    -------
    SpellingEvidence
        The counts, over distinct words.
    """
    words: set[str] = set()
    for text in texts:
        if not text.isascii():
            words.update(token for token in _LEGACY_TOKEN.findall(text) if not token.isascii())
    readings = [
        (
            is_syllable(word),
            is_syllable(convert_legacy(word, "tcvn3")),
            is_syllable(convert_legacy(word, "vni")),
        )
        for word in words
    ]
    return SpellingEvidence(
        n_words=len(words),
        unicode=sum(reading[0] for reading in readings),
        tcvn3=sum(reading[1] for reading in readings),
        vni=sum(reading[2] for reading in readings),
    )


def detect_legacy(texts: Iterable[str]) -> Legacy | None:
    """Recognise TCVN3 or VNI text that was read as if it were Western or Unicode.

    Parameters
    ----------
    texts : Iterable of str
        Cells or lines.

    Returns
    -------
    {"tcvn3", "vni"} or None
        The old character set, or None where the text is Unicode, ASCII or another language.

    Notes
    -----
    The test is spelling: at least two distinct accented words, and 60 % of them, must be Vietnamese syllables
    after the conversion, and clearly more than before it.

    Examples
    --------
    >>> detect_legacy(["NguyÔn V¨n B×nh"]), detect_legacy(["École, élève"])
    ('tcvn3', None)
    """
    return spelling_evidence(texts).legacy


def refuse_legacy(name: str, charset: Legacy, *, column: str, sample: str) -> FileFormatError:
    """Word the refusal of a file whose text is in an old Vietnamese character set.

    Parameters
    ----------
    name : str
        File name.
    charset : {"tcvn3", "vni"}
        What was recognised.
    column : str
        Where it was found; the file's lines when empty.
    sample : str
        One value as it stands in the file; one word of it is shown, never a whole name.

    Returns
    -------
    FileFormatError
        The error, for the caller to raise.
    """
    long = {"tcvn3": "TCVN3 (ABC, fonts .VnTime)", "vni": "VNI (fonts VNI-Times)"}[charset]
    words = [word for word in _LEGACY_TOKEN.findall(sample) if not word.isascii()]
    sample = next((word for word in words if is_syllable(convert_legacy(word, charset))), sample)
    place = f"column {column!r}" if column else "text"
    return FileFormatError(
        f"The {place} of {name!r} is in the old character set {long}, not in Unicode: "
        f"{sample!r} stands for {convert_legacy(sample, charset)!r}.",
        why="Names read this way would be stored as nonsense.",
        hint=f"Read it with encoding={charset!r} to convert it, or save the file again as Unicode UTF-8.",
        param="encoding",
        got=charset,
        expected="Unicode text",
    )
