"""What higher rooms tell this one: which schools take part, where people are on duty, how much work a cycle has.

The room lies below sampling and fieldwork and cannot read them. They plug providers in when they start::

    ports.plug_participation(provider)   # (first, last) -> keys of registry schools that take part in those days
    ports.plug_duties(provider)          # (user keys, first, last) -> iterable of Duty
    ports.plug_work(provider)            # (cycle) -> {province code: Work}
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A person with an account is somewhere on duty on a day; ``begins_at`` is None where only the day is known."""

    user_id: int
    day: datetime.date
    title: str
    begins_at: datetime.time | None = None
    school_key: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The work of a cycle in one province, counted."""

    n_schools: int = 0
    n_sittings: int = 0
    n_students: int = 0


Participation = Callable[[datetime.date, datetime.date], set[int]]
Duties = Callable[[Iterable[int], datetime.date, datetime.date], Iterable[Duty]]
WorkOfCycle = Callable[[Any], Mapping[str, Work]]

_participation: list[Participation] = []
_duties: list[Duties] = []
_work: list[WorkOfCycle] = []


def plug_participation(provider: Participation) -> None:
    """Set who tells which schools take part."""
    _participation[:] = [provider]


def plug_duties(provider: Duties) -> None:
    """Set who tells where people are on duty."""
    _duties[:] = [provider]


def plug_work(provider: WorkOfCycle) -> None:
    """Set who tells how much work a cycle has."""
    _work[:] = [provider]


def participating_schools(first: datetime.date, last: datetime.date) -> set[int] | None:
    """Give the keys of the schools that take part in an assessment in these days; None where nobody tells."""
    return _participation[0](first, last) if _participation else None


def duties_of(users: Iterable[int], first: datetime.date, last: datetime.date) -> list[Duty]:
    """List the duties of people (keys of accounts) in these days, both included."""
    keys = [key for key in users if key]
    return list(_duties[0](keys, first, last)) if _duties and keys else []


def work_of(cycle: Any) -> Mapping[str, Work] | None:
    """Give the work of a cycle by province code; None where nobody tells."""
    return _work[0](cycle) if _work else None
