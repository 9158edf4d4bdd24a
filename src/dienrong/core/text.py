"""Vietnamese text: clean forms, keys for sorting and for searching.

The order of the alphabet and of the tones is that of Vietnamese dictionaries: letters
a ă â b c d đ e ê f g h i j k l m n o ô ơ p q r s t u ư v w x y z, tones level, grave, hook, tilde, acute, dot;
text is compared syllable by syllable, first by letters, then by tone (so every *Hà* stands before every *Hạ*).
People are ordered by given name (the last word), then family name (the first), then what stands between.

A sort key is a string of digits alone, so that every database, whatever its collation, sorts it alike.
"""

from __future__ import annotations

import re
import unicodedata

ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
LETTER_CODES = {letter: f"{20 + place:02d}" for place, letter in enumerate(ALPHABET)}
DIGIT_CODES = {str(digit): f"{10 + digit:02d}" for digit in range(10)}
TONES = {"\u0300": "2", "\u0309": "3", "\u0303": "4", "\u0301": "5", "\u0323": "6"}
LEVEL_TONE = "1"
SHAPES = {
    ("a", "\u0306"): "ă",
    ("a", "\u0302"): "â",
    ("e", "\u0302"): "ê",
    ("o", "\u0302"): "ô",
    ("o", "\u031b"): "ơ",
    ("u", "\u031b"): "ư",
}
LOOKALIKES = str.maketrans({"ð": "đ", "ɖ": "đ", "ƀ": "b", "ł": "l", "ø": "o", "ß": "s", "æ": "a", "œ": "o"})
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
BLANKS = re.compile(r"\s+")
APOSTROPHES = re.compile("['\u2019\u2018\u02bc\u0060\u00b4]")
END_OF_SYLLABLE = "00"
END_OF_PART = "0"


def nfc(text: str) -> str:
    """Compose text as Unicode NFC, the one form that is stored."""
    return unicodedata.normalize("NFC", text)


def clean_text(text: str) -> str:
    """Compose, drop invisible characters, turn every run of blanks into one space and strip the ends.

    Examples
    --------
    >>> clean_text(" Tr\u01b0\u01a1\u0300ng\u00a0TH  Hòa\u200b Bình ")
    'Trường TH Hòa Bình'
    """
    return BLANKS.sub(" ", INVISIBLE.sub("", nfc(text))).strip()


def search_key(text: str) -> str:
    """Give the form under which text is searched: no marks, đ as d, lower case, words parted by one space.

    Parameters
    ----------
    text : str
        Any spelling: composed or not, *hòa* or *hoà*, with or without marks.

    Returns
    -------
    str
        ASCII letters and digits where the text is Vietnamese. Two spellings of the same word give one key.

    Examples
    --------
    >>> search_key("Trường Tiểu học Hòa Bình"), search_key("H'Hen Niê"), search_key("đức")
    ('truong tieu hoc hoa binh', 'hhen nie', 'duc')
    """
    lowered = clean_text(text).lower().translate(LOOKALIKES).replace("đ", "d")
    bare = "".join(mark for mark in unicodedata.normalize("NFD", lowered) if not unicodedata.combining(mark))
    joined = APOSTROPHES.sub("", bare)
    return " ".join(re.findall(r"\w+", joined.replace("_", " ")))


def sort_key(text: str) -> str:
    """Give a string of digits that sorts as a Vietnamese dictionary does.

    Parameters
    ----------
    text : str
        Any text; case, punctuation and the place of the tone mark in a syllable do not count.

    Returns
    -------
    str
        Digits. Numbers inside the text sort before letters, digit by digit; letters of other scripts last.

    Examples
    --------
    >>> sorted(["Đà Nẵng", "Hạ Long", "Hà Nội", "Dĩ An", "An Giang"], key=sort_key)
    ['An Giang', 'Dĩ An', 'Đà Nẵng', 'Hà Nội', 'Hạ Long']
    """
    joined = APOSTROPHES.sub("", clean_text(text).lower().translate(LOOKALIKES))
    syllables = re.findall(r"[\w\u0300-\u036f]+", joined.replace("_", " "))
    return "".join(_syllable_key(syllable) for syllable in syllables) + END_OF_PART


def person_sort_key(full_name: str) -> str:
    """Give the key under which people are listed: given name, then family name, then what stands between.

    Examples
    --------
    >>> names = ["Trần Văn Bình", "Nguyễn Thị An", "Lê Bình", "Trần An Bình"]
    >>> sorted(names, key=person_sort_key)
    ['Nguyễn Thị An', 'Lê Bình', 'Trần An Bình', 'Trần Văn Bình']
    """
    words = clean_text(full_name).split(" ")
    given, family, middle = words[-1], words[0] if len(words) > 1 else "", " ".join(words[1:-1])
    return sort_key(given) + sort_key(family) + sort_key(middle)


def _syllable_key(syllable: str) -> str:
    """Code the letters of one syllable, then its tone."""
    codes: list[str] = []
    tone = LEVEL_TONE
    for letter in unicodedata.normalize("NFC", syllable):
        base, *marks = unicodedata.normalize("NFD", letter)
        shape = base
        for mark in marks:
            shape = SHAPES.get((base, mark), shape)
            if tone == LEVEL_TONE:
                tone = TONES.get(mark, LEVEL_TONE)
        if unicodedata.combining(base):
            tone = TONES.get(base, tone) if tone == LEVEL_TONE else tone
            continue
        codes.append(LETTER_CODES.get(shape) or DIGIT_CODES.get(shape) or f"99{ord(shape):07d}")
    return "".join(codes) + END_OF_SYLLABLE + tone
