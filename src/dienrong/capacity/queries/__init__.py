"""Reads of the room; ``counts`` is what plans ask for."""

from dienrong.capacity.queries.certificates import Answer, verify
from dienrong.capacity.queries.counting import (
    CannotCount,
    Counts,
    certified_on,
    collect,
    counts,
    counts_by_province,
)
from dienrong.capacity.queries.people import hindrances_of, person_of_account, works_at
from dienrong.capacity.queries.planning import Need, capacity_of

__all__ = [
    "Answer",
    "CannotCount",
    "Counts",
    "Need",
    "capacity_of",
    "certified_on",
    "collect",
    "counts",
    "counts_by_province",
    "hindrances_of",
    "person_of_account",
    "verify",
    "works_at",
]
