"""Names of schools compared: the key without marks, the kind, the numbering, the own name; near-duplicates."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import polars as pl

LONG_ENOUGH = 8
"""Letters of the longer own name from which one letter may differ."""
SHORT_FORMS = (
    (r"\bpho thong dan toc noi tru\b", "ptdtnt"),
    (r"\bpho thong dan toc ban tru\b", "ptdtbt"),
    (r"\bdan toc noi tru\b", "dtnt"),
    (r"\bdan toc ban tru\b", "dtbt"),
    (r"\btrung hoc pho thong\b", "thpt"),
    (r"\btrung hoc co so\b", "thcs"),
    (r"\btieu hoc\b", "th"),
    (r"\bmam non\b", "mn"),
    (r"\bmau giao\b", "mg"),
    (r"\bgiao duc thuong xuyen\b", "gdtx"),
    (r"\bgiao duc nghe nghiep\b", "gdnn"),
    (r"\btrung tam\b", "tt"),
    (r"\bpho thong\b", "pt"),
    (r"^truong\b", ""),
    (r"\btu thuc\b", "tuthuc"),
    (r"\bcong lap\b", "conglap"),
    (r"\bdan lap\b", "danlap"),
    (r"\blien cap\b", "liencap"),
    (r"\bso (\d)", "${1}"),
)
KIND_WORDS = frozenset(
    [
        "th",
        "thcs",
        "thpt",
        "mn",
        "mg",
        "nt",
        "pt",
        "ptdtnt",
        "ptdtbt",
        "dtnt",
        "dtbt",
        "gdtx",
        "gdnn",
        "tt",
        "va",
        "liencap",
        "conglap",
        "danlap",
        "tuthuc",
        "chuyen",
    ]
)
"""Words that say the kind of school; none is a syllable of which names of people and places are made."""
SYLLABLE = re.compile(
    r"(ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdghklmnpqrstvx])?"
    r"(uye|uya|uyu|uoi|uou|ieu|yeu|oai|oay|oao|oeo|uai|uay|uao|uau|[aeiou][aeiouy]|y[ae]|uy|[aeiouy])"
    r"(ch|ng|nh|[cmnpt])?"
)
"""A syllable written without marks, near enough."""
NUMBERING = re.compile(r"\d+|[ivx]+|[a-z]")


def keys(names: pl.Series) -> pl.Series:
    """Write names in lower case without marks, with short forms, words parted by one blank."""
    text = pl.col("name").str.to_lowercase().str.normalize("NFD").str.replace_all(r"[\u0300-\u036f]", "")
    text = text.str.replace_all("đ", "d").str.replace_all(r"['’ʼ]", "").str.replace_all(r"[^\w]+|_", " ")
    for long, short in SHORT_FORMS:
        text = text.str.replace_all(long, short)
    return pl.DataFrame({"name": names}).select(text.str.replace_all(r"\s+", " ").str.strip_chars())["name"]


def parts(key: str) -> tuple[str, tuple[str, ...]]:
    """Part a key into (kind and numbering, words of the own name).

    Examples
    --------
    >>> parts("th hoa binh 2"), parts("th thcs le loi")
    (('th 2', ('hoa', 'binh')), ('th thcs', ('le', 'loi')))
    """
    frame: list[str] = []
    own: list[str] = []
    for word in key.split():
        is_frame = word in KIND_WORDS or NUMBERING.fullmatch(word)
        (frame if is_frame else own).append(word)
    return " ".join(frame), tuple(own)


def is_slip(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Tell whether one own name may be the other with a slip of the hand.

    A letter too many or too few is a slip. A letter replaced is one where it leaves a word that is no syllable of the
    language: Toản and Tuấn are two people.

    Examples
    --------
    >>> is_slip(("hoa", "binh"), ("hoa", "bnh")), is_slip(("quoc", "toan"), ("quoc", "tuan"))
    (True, False)
    >>> is_slip(("hoa", "binh"), ("hoa", "bjnh"))
    True
    """
    a, b = "".join(left), "".join(right)
    if a == b:
        return True
    if max(len(a), len(b)) < LONG_ENOUGH or abs(len(a) - len(b)) > 1:
        return False
    short, long = sorted((a, b), key=len)
    place = next((at for at, letter in enumerate(short) if letter != long[at]), len(short))
    if short[place + (len(short) == len(long)) :] != long[place + 1 :]:
        return False
    if len(short) != len(long):
        return True
    return not (SYLLABLE.fullmatch(_word_at(left, place)) and SYLLABLE.fullmatch(_word_at(right, place)))


def _word_at(words: tuple[str, ...], place: int) -> str:
    """The word that holds a letter of the name written without blanks."""
    for word in words:
        if place < len(word):
            return word
        place -= len(word)
    return ""


def near_pairs(communes: Sequence[str], names: Sequence[str | None]) -> list[tuple[int, int]]:
    """Give the pairs of rows of one commune whose names are nearly, but not exactly, the same.

    Each own name is filed under itself and under every word that lacks one of its letters; names that meet in a
    file are compared. The work grows with the number of names, not with the number of pairs.
    """
    key_list = keys(pl.Series("name", names, dtype=pl.String)).to_list()
    files: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    own_names: list[tuple[str, ...]] = []
    alone = _alone(communes)
    for row, (commune, key) in enumerate(zip(communes, key_list, strict=True)):
        frame, own = ("", ()) if key is None or commune in alone else parts(key)
        own_names.append(own)
        for form in _forms("".join(own)):
            files[commune, frame, form].append(row)
    found: set[tuple[int, int]] = set()
    for rows in files.values():
        for at, left in enumerate(rows[:50]):
            for right in rows[at + 1 : 50]:
                if (
                    left != right
                    and names[left] != names[right]
                    and is_slip(own_names[left], own_names[right])
                ):
                    found.add((min(left, right), max(left, right)))
    return sorted(found)


def _alone(communes: Sequence[str]) -> set[str]:
    """Name the communes with a single school."""
    seen: set[str] = set()
    twice = {one for one in communes if one in seen or seen.add(one)}  # type: ignore[func-returns-value]
    return seen - twice


def _forms(own: str) -> Iterable[str]:
    """Give a word and, if it is long, every word that lacks one of its letters."""
    if not own:
        return ()
    if len(own) < LONG_ENOUGH - 1:
        return (own,)
    return {own, *(own[:at] + own[at + 1 :] for at in range(len(own)))}
