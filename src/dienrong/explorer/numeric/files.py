"""The prepared files of runs, kept in memory up to a bound; each is opened once however many ask at once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsakit.errors import LineageError
from lsakit.lineage import Store
from lsakit.pipeline.explorer_source import ExplorerSource, open_file
from lsakit.tables.explorer import AnalysisFile

MOST_BYTES = 256 * 1024 * 1024
MOST_ANSWERS = 256


class SourceDamagedError(Exception):
    """The frozen artefacts of a run are absent or were changed; the words for people are the pages'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a question rests on: a store and, grade by grade, the manifests of one run."""

    store_path: Path
    values: tuple[str, ...]
    weights: tuple[str, ...]
    administration: tuple[str, ...]
    estimates: tuple[str, ...]
    populations: tuple[str, ...]
    rules: str

    def of(self, population: str) -> ExplorerSource:
        """Give the manifests of one population."""
        place = self.populations.index(population)
        return ExplorerSource(
            values=self.values[place],
            weights=self.weights[place],
            administration=self.administration[place],
            estimates=self.estimates[place],
            rules=self.rules,
        )


class _Kept:
    """Things made once and kept, the longest unused dropped first; a thing is made by one thread alone."""

    def __init__(self, most: int, size_of: Callable[[Any], int]) -> None:
        self.most = most
        self.size_of = size_of
        self.things: OrderedDict[Any, Any] = OrderedDict()
        self.lock = threading.Lock()
        self.making: dict[Any, threading.Lock] = {}

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        """Give a thing, made now where it is not kept."""
        with self.lock:
            if key in self.things:
                self.things.move_to_end(key)
                return self.things[key]
            own = self.making.setdefault(key, threading.Lock())
        with own:
            with self.lock:
                if key in self.things:
                    return self.things[key]
            try:
                made = make()
            finally:
                with self.lock:
                    self.making.pop(key, None)
            with self.lock:
                self.things[key] = made
                while len(self.things) > 1 and sum(map(self.size_of, self.things.values())) > self.most:
                    self.things.popitem(last=False)
            return made

    def clear(self) -> None:
        """Drop everything."""
        with self.lock:
            self.things.clear()


_files = _Kept(MOST_BYTES, lambda file: int(file.n_bytes))
_answers = _Kept(MOST_ANSWERS, lambda _answer: 1)


def file_of(source: Source, population: str) -> AnalysisFile:
    """Give the prepared file of one population of a run; every artefact is checked against its hash once.

    Raises
    ------
    SourceDamagedError
        If an artefact is absent or was changed.
    """
    try:
        found: AnalysisFile = _files.get(
            (source.store_path, source.of(population)),
            lambda: open_file(Store(source.store_path, create=False), source.of(population)),
        )
    except LineageError as error:
        raise SourceDamagedError(str(error)) from error
    return found


def kept_answer(key: Any, make: Callable[[], Any]) -> Any:
    """Give an answer by its name, computed where it is not kept."""
    return _answers.get(key, make)


def forget_everything() -> None:
    """Drop what is kept in memory; tests and changed stores ask for it."""
    _files.clear()
    _answers.clear()
