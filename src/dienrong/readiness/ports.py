"""What higher rooms tell this one: which schools take part in a cycle, and with how many students.

The room lies below sampling and fieldwork. The fieldwork plugs its provider in when it starts::

    ports.plug_participants(provider)   # (cycle) -> {key of the school: selected students, None while unknown}, or None
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Participants = Callable[[Any], Mapping[int, int | None] | None]

_participants: list[Participants] = []


def plug_participants(provider: Participants) -> None:
    """Set who tells which schools take part."""
    _participants[:] = [provider]


def participants_of(cycle: Any) -> Mapping[int, int | None] | None:
    """Give the schools (keys) that take part in a cycle with their students; None where nobody knows yet."""
    return _participants[0](cycle) if _participants else None
