"""The port through which every room writes the audit log, and the words of its actions.

Lower rooms cannot import the audit room, which lies above them; it plugs itself in here when it starts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class ObjectName:
    """An object that is no row: its kind as ``room.thing``, its identifier and its name."""

    kind: str
    key: str
    title: str = ""


Recorder = Callable[..., Any]
Reader = Callable[..., Any]
_recorders: list[Recorder] = []
_readers: list[Reader] = []
_words: dict[str, Any] = {}


def plug(recorder: Recorder) -> None:
    """Set the recorder; the audit room calls this once."""
    _recorders[:] = [recorder]


def record(**entry: Any) -> None:
    """Hand an entry to the audit room, in the transaction of the change; refuse where nobody records."""
    if not _recorders:
        raise RuntimeError("no audit room is installed; a change without its audit entry is refused")
    _recorders[0](**entry)


def plug_history(reader: Reader) -> None:
    """Set the reader of the log; the audit room calls this once."""
    _readers[:] = [reader]


def history_of(*, kind: str, key: str, limit: int = 20) -> list[Any]:
    """Give the latest entries about one object, newest first; nothing where nobody keeps a log."""
    return list(_readers[0](kind=kind, key=key)[:limit]) if _readers else []


def name_actions(words: Mapping[str, Any]) -> None:
    """Say in words what actions mean: ``{"cycles.step_done": _("A step was finished")}``."""
    _words.update(words)


def action_word(action: str) -> str:
    """Give the words of an action; the name itself where nobody gave words."""
    return str(_words.get(action, action))


def known_actions() -> frozenset[str]:
    """Name the actions that have words."""
    return frozenset(_words)
