"""The port through which studies learn the adopted cut scores of a subject.

The room of standard setting lies above this one and cannot be imported; it plugs itself in when it starts.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

from dienrong.scaling.models import ScalingStudy


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedLevels:
    """Cut scores that were adopted: lower bounds in points, ascending; the session, its page, the day, the cycle."""

    title: str
    url: str
    adopted_at: dt.datetime | None
    cycle: str
    cuts: tuple[float, ...]


Reader = Callable[[Any, str, int | None], AdoptedLevels | None]
_readers: list[Reader] = []


def plug(reader: Reader) -> None:
    """Set the reader, which takes cycle, subject and grade; the room of standard setting calls this once."""
    _readers[:] = [reader]


def levels_for(study: ScalingStudy) -> AdoptedLevels | None:
    """Give the adopted cut scores of a study's subject in its cycle, else those of the studies that it continues."""
    seen: set[int] = set()
    at: ScalingStudy | None = study
    while at is not None and at.pk not in seen:
        seen.add(at.pk)
        found = _readers[0](at.cycle, at.subject, at.grade) if _readers else None
        if found is not None:
            return found
        at = at.previous
    return None
