"""How a figure is quoted in an officer's words: “sentence” (SL.01); marks are found, quotations are checked.

The words stay plain text that can be edited by hand. A quotation must say its figure as it was published; a mark
alone, (SL.01) or (SL.01, SL.02), points to a figure in words of one's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dienrong.core.text import INVISIBLE, nfc

MARK = r"SL\.\d{2,3}"
MENTION = re.compile(rf"(?:“(?P<sentence>[^“”]*)”\s*)?\((?P<marks>{MARK}(?:\s*[,;]\s*{MARK})*)\)")
ONE_MARK = re.compile(MARK)
INNER = str.maketrans({"“": "‘", "”": "’"})
LONGEST_BODY = 20_000


@dataclass(frozen=True, slots=True)
class Mention:
    """A mark in the words; the sentence is empty where it is no quotation."""

    mark: str
    sentence: str
    paragraph: int


@dataclass(frozen=True, slots=True)
class QuoteFault:
    """A mark that names no figure, or a quotation that says something else than its figure."""

    kind: Literal["unknown", "altered"]
    mark: str
    paragraph: int
    written: str
    published: str


def clean_body(body: str) -> str:
    """Compose the text, drop what cannot be seen, write every line end alike."""
    lines = nfc(body).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        letter
        for letter in INVISIBLE.sub("", lines)
        if letter in "\n\t" or letter.isprintable() or letter == "\u00a0"
    )


def paragraphs(body: str) -> tuple[str, ...]:
    """Give the paragraphs of a text: its lines that are not empty."""
    return tuple(line.strip() for line in body.split("\n") if line.strip())


def quotation(mark: str, sentence: str) -> str:
    """Write a quotation.

    Examples
    --------
    >>> quotation("SL.01", "Lớp 5: 500,1.")
    '“Lớp 5: 500,1.” (SL.01)'
    """
    return f"“{sentence.translate(INNER)}” ({mark})"


def mentions(body: str) -> list[Mention]:
    """Find the marks of a text, each with the sentence that is quoted under it."""
    found = []
    for number, paragraph in enumerate(paragraphs(body), start=1):
        for hit in MENTION.finditer(paragraph):
            sentence = _flat(hit["sentence"] or "")
            found += [Mention(mark, sentence, number) for mark in ONE_MARK.findall(hit["marks"])]
    return found


def faults(body: str, published: Mapping[str, str]) -> list[QuoteFault]:
    """Find marks without a figure, and quotations that differ from what was published.

    Parameters
    ----------
    body : str
        The words.
    published : mapping of str to str
        The sentences by their marks.
    """
    found = []
    for one in mentions(body):
        known = published.get(one.mark)
        if known is None:
            found.append(QuoteFault("unknown", one.mark, one.paragraph, one.sentence, ""))
        elif one.sentence and one.sentence != _flat(known.translate(INNER)):
            found.append(QuoteFault("altered", one.mark, one.paragraph, one.sentence, known))
    return found


def renewed(body: str, mark: str, sentence: str) -> str:
    """Put a new sentence into every quotation of a mark; words outside quotations are left alone."""

    def put(hit: re.Match[str]) -> str:
        if hit["sentence"] is None or ONE_MARK.findall(hit["marks"]) != [mark]:
            return hit[0]
        return quotation(mark, sentence)

    return MENTION.sub(put, body)


def _flat(sentence: str) -> str:
    """Turn every run of blanks into one space."""
    return " ".join(sentence.split())
