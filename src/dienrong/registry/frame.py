"""The frame on a day, each pupil counted once: the rule of ``docs/algorithms/registry_frame.md``; no ORM here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """Pupils and classes of one grade, as counted on a day."""

    n_students: int
    n_classes: int
    counted_on: date


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Pupils that an event moved from one school to another; with the same school twice, what a split left it.

    ``order`` is the place of the event among all; ``shares`` are pupils and classes by grade, of splits alone.
    """

    order: int
    on_date: date
    kind: Literal["merge", "split"]
    predecessor: int
    successor: int
    shares: Mapping[int, tuple[int, int]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FrameRow:
    """A school open on a day: its code and traits of that day, its pupils and classes by grade.

    ``joined`` names the schools whose counts came in by merges and splits; ``counted_on`` is the newest day on
    which any of the counts was taken, None where there are none.
    """

    school_key: int
    school_id: str
    name: str
    kind: str
    levels: str
    province_code: str
    commune_code: str
    area: str
    sector: str
    managed_by: str
    is_disadvantaged: bool
    is_border: bool
    boarding: str
    n_students: Mapping[int, int]
    n_classes: Mapping[int, int]
    joined: tuple[str, ...] = ()
    counted_on: date | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Holding:
    """What a school has of a grade: the count, the schools it came from; no count where nothing is known."""

    count: Count | None
    joined: frozenset[int] = frozenset()


NOTHING = Holding(None)
Counts = Mapping[int, Mapping[int, Count]]


class Ledger:
    """Counts and transfers up to a day, by which every school's pupils are told.

    Parameters
    ----------
    counts : mapping of school to mapping of grade to Count
        The newest count of each school and grade, none after the day.
    transfers : iterable of Transfer
        Merges and splits up to the day.
    """

    def __init__(self, counts: Counts, transfers: Iterable[Transfer]) -> None:
        self._counts = counts
        self._incoming: dict[int, list[Transfer]] = {}
        for transfer in sorted(transfers, key=lambda transfer: transfer.order):
            self._incoming.setdefault(transfer.successor, []).append(transfer)

    def is_simple(self, school: int) -> bool:
        """Tell whether nothing ever came to a school, so that its own counts are the whole truth."""
        return school not in self._incoming

    def grades_of(self, school: int) -> set[int]:
        """List the grades of which a school may have pupils, its own and those of its predecessors."""
        grades = set(self._counts.get(school, ()))
        for transfer in self._incoming.get(school, ()):
            if transfer.kind == "split":
                grades.update(transfer.shares)
            elif transfer.predecessor != school:
                grades |= self.grades_of(transfer.predecessor)
        return grades

    def holding(self, school: int, grade: int, before: int | None = None) -> Holding:
        """Tell what a school has of a grade, by the events before a place in their order (by all)."""
        incoming = [
            transfer
            for transfer in self._incoming.get(school, ())
            if before is None or transfer.order < before
        ]
        own = self._counts.get(school, {}).get(grade)
        left = _last_share_left(school, own, incoming)
        parts = [Holding(own)] if own is not None else []
        if left is not None:
            parts = [_share(left, grade)]
        for transfer in incoming:
            if transfer.predecessor == school:
                continue
            if left is not None and transfer.order <= left.order:
                continue
            part = self._part(transfer, grade, None if left is not None else own)
            if part.count is not None:
                parts.append(Holding(part.count, part.joined | {transfer.predecessor}))
        return _sum(parts)

    def _part(self, transfer: Transfer, grade: int, own: Count | None) -> Holding:
        """Give what a transfer brings beside the school's own count; nothing where that count holds it already."""
        if transfer.kind == "split":
            is_newer = own is None or own.counted_on <= transfer.on_date
            return _share(transfer, grade) if is_newer else NOTHING
        brought = self.holding(transfer.predecessor, grade, before=transfer.order)
        if own is None or brought.count is None or own.counted_on < transfer.on_date:
            return brought
        counted_apart = brought.count.counted_on >= max(transfer.on_date, own.counted_on)
        return brought if counted_apart else NOTHING


def _last_share_left(school: int, own: Count | None, incoming: Iterable[Transfer]) -> Transfer | None:
    """Give the last split that left the school a share in place of its own count."""
    lefts = [transfer for transfer in incoming if transfer.kind == "split" and transfer.predecessor == school]
    valid = [transfer for transfer in lefts if own is None or own.counted_on <= transfer.on_date]
    return valid[-1] if valid else None


def _share(transfer: Transfer, grade: int) -> Holding:
    """Give the share of a grade; none where the split does not name it."""
    if grade not in transfer.shares:
        return NOTHING
    return Holding(Count(*transfer.shares[grade], transfer.on_date))


def _sum(parts: list[Holding]) -> Holding:
    """Add what a school has from several sides."""
    counts = [part.count for part in parts if part.count is not None]
    if not counts:
        return NOTHING
    if len(parts) == 1:
        return parts[0]
    return Holding(
        Count(
            sum(count.n_students for count in counts),
            sum(count.n_classes for count in counts),
            max(count.counted_on for count in counts),
        ),
        frozenset().union(*(part.joined for part in parts if part.count is not None)),
    )
