"""What changed between two texts, word by word, for people who compare versions."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Literal

TOKEN = re.compile(r"\n|[^\S\n]+|\S+")
MOST_TOKENS = 12_000


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words that stayed, went or came."""

    kind: Literal["same", "gone", "new"]
    text: str


def differences(before: str, after: str) -> list[Piece]:
    """Compare two texts word by word; very long texts are compared by paragraphs.

    Examples
    --------
    >>> [(one.kind, one.text) for one in differences("thấp hơn", "cao hơn")]
    [('gone', 'thấp'), ('new', 'cao'), ('same', ' hơn')]
    """
    old, new = _tokens(before), _tokens(after)
    if len(old) + len(new) > MOST_TOKENS:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    found: list[Piece] = []
    for kind, first, last, begin, end in difflib.SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if kind == "equal":
            found.append(Piece("same", "".join(old[first:last])))
            continue
        if last > first:
            found.append(Piece("gone", "".join(old[first:last])))
        if end > begin:
            found.append(Piece("new", "".join(new[begin:end])))
    return found


def _tokens(text: str) -> list[str]:
    """Part a text into words, blanks and line ends."""
    return TOKEN.findall(text)
