"""Columns of a file set against columns of a target: by memory, by name, by what the cells hold."""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from dienrong.core.text import search_key
from dienrong.imports.columns import Column, Target
from dienrong.imports.numeric.cells import clean

COMMENT_TITLES = ("Góp ý của hệ thống", "Comments of the system")
NEAR_ENOUGH = 0.88
CONTENT_ENOUGH = 0.8
GuessedBy = Literal["memory", "name", "near", "content", ""]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One column of the file with the target column it fills.

    Parameters
    ----------
    place : int
        Place in the file, counted from 0.
    name : str
        Header in the file.
    column : str
        Code of the target column; empty where the file's column is left out.
    by : str
        How it was guessed.
    samples : tuple of str
        Three values of the file.
    """

    place: int
    name: str
    column: str = ""
    by: GuessedBy = ""
    samples: tuple[str, ...] = ()


def signature_of(names: Sequence[str]) -> str:
    """Give the signature of a layout: a digest of its headers in their order."""
    text = "\n".join(search_key(name) for name in names)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def known_names(target: Target) -> dict[str, list[str]]:
    """Map every name under which a column may stand to the codes that it may mean, the likeliest first."""
    names: dict[str, list[str]] = {}
    for column in target.columns:
        for spelling in (column.title.vi, column.title.en, column.code, *column.aliases):
            codes = names.setdefault(name_key(spelling), [])
            if column.code not in codes:
                codes.append(column.code)
    return names


def name_key(name: str) -> str:
    """Give the key under which headers are compared: no marks, no underscores, no blanks."""
    return search_key(name).replace(" ", "")


def is_comment(name: str) -> bool:
    """Tell whether a column is the one that our files of refused rows add."""
    return name_key(name) in {name_key(title) for title in COMMENT_TITLES}


def guess(
    target: Target,
    names: Sequence[str],
    samples: Sequence[Sequence[Any]],
    *,
    remembered: Mapping[str, str] | None = None,
    today: dt.date,
) -> list[Match]:
    """Guess which column of the target each column of the file fills.

    Parameters
    ----------
    target : Target
        What is imported.
    names : sequence of str
        Headers of the file.
    samples : sequence of sequence
        Some values of each column of the file.
    remembered : mapping of str to str, optional
        What was chosen for this layout before: header to column code, empty for left out.
    today : date
        Decides the century of years of two digits in samples.

    Returns
    -------
    list of Match
        One for each named column of the file; no target column is given twice.
    """
    places = [place for place, name in enumerate(names) if name and not is_comment(name)]
    guesses = _Guesses(target, names, samples, today)
    guesses.by_memory(places, remembered or {})
    guesses.by_name(places)
    guesses.by_near_name(places)
    guesses.by_content(places)
    return [
        Match(
            place=place,
            name=names[place],
            column=guesses.found.get(place, ("", ""))[0],
            by=guesses.found.get(place, ("", ""))[1],
            samples=tuple(_shown(value) for value in samples[place] if value not in ("", None))[:3],
        )
        for place in places
    ]


class _Guesses:
    """Guesses taken one after the other; no column of the target is given twice."""

    def __init__(
        self, target: Target, names: Sequence[str], samples: Sequence[Sequence[Any]], today: dt.date
    ) -> None:
        self._target, self._names, self._samples, self._today = target, names, samples, today
        self._known = known_names(target)
        self._taken: set[str] = set()
        self.found: dict[int, tuple[str, GuessedBy]] = {}

    def _take(self, place: int, code: str, by: GuessedBy) -> bool:
        """Give a column to a place, unless it is given already."""
        if code in self._taken or self._target.column(code) is None:
            return False
        self._taken.add(code)
        self.found[place] = (code, by)
        return True

    def by_memory(self, places: Sequence[int], remembered: Mapping[str, str]) -> None:
        """Take what was chosen for this layout before."""
        memory = {name_key(name): code for name, code in remembered.items()}
        for place in places:
            code = memory.get(name_key(self._names[place]))
            if code == "":
                self.found[place] = ("", "memory")
            elif code:
                self._take(place, code, "memory")

    def by_name(self, places: Sequence[int]) -> None:
        """Take columns by their names; where a name may mean several, what the cells hold decides."""
        for place in places:
            if place in self.found:
                continue
            codes = self._known.get(name_key(self._names[place]), [])
            if len(codes) > 1:
                fits = {code: _fit(self._target, code, self._samples[place], self._today) for code in codes}
                codes = sorted(codes, key=lambda code: -fits[code])
            any(self._take(place, code, "name") for code in codes)

    def by_near_name(self, places: Sequence[int]) -> None:
        """Take columns whose name differs by a letter or two."""
        for place in places:
            if place in self.found:
                continue
            key = name_key(self._names[place])
            for name in difflib.get_close_matches(key, list(self._known), n=1, cutoff=NEAR_ENOUGH):
                any(self._take(place, code, "near") for code in self._known[name])

    def by_content(self, places: Sequence[int]) -> None:
        """Take a column whose cells can only be of one kind: a code of fixed width, a date, words of a list."""
        telling = [
            column
            for column in self._target.columns
            if column.code not in self._taken
            and (column.kind in ("choice", "choices", "date") or (column.width and not column.is_opaque))
        ]
        for place in places:
            values = [value for value in self._samples[place] if value not in ("", None)]
            if place in self.found or len({str(value) for value in values}) < 2:
                continue
            fits = [
                column
                for column in telling
                if _fit(self._target, column.code, values, self._today) >= CONTENT_ENOUGH
            ]
            if len(fits) == 1:
                self._take(place, fits[0].code, "content")


def _fit(target: Target, code: str, values: Sequence[Any], today: dt.date) -> float:
    """Give the share of sample cells that a column can read as they are."""
    column = target.column(code)
    filled = [value for value in values if value not in ("", None)]
    if column is None or not filled:
        return 0.0
    rule = dataclasses.replace(column.rule(), pads=False)
    return sum(clean(value, rule, today=today).fault is None for value in filled) / len(filled)


def _shown(value: Any) -> str:
    """Write a sample as Excel would show it."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.date):
        return value.strftime("%d/%m/%Y")
    return str(value)[:80]


def mapping_of(matches: Sequence[Match]) -> dict[int, str]:
    """Give place and column code of every match that fills something."""
    return {match.place: match.column for match in matches if match.column}


def missing_required(target: Target, mapping: Mapping[int, str]) -> list[Column]:
    """Name the required columns that nothing fills."""
    filled = set(mapping.values())
    return [column for column in target.required if column.code not in filled]


def missing_when_new(target: Target, mapping: Mapping[int, str]) -> list[Column]:
    """Name the columns without which no new thing can be added."""
    filled = set(mapping.values())
    return [column for column in target.columns if column.is_needed_when_new and column.code not in filled]
