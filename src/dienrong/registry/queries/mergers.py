"""What a batch of mergers would change: lines resolved, conflicts named, schools and pupils before and after."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from django.db.models import Count as CountRows
from django.db.models import QuerySet

from dienrong.accounts.permissions import Scope
from dienrong.core import clock
from dienrong.registry.frame import Ledger, Transfer
from dienrong.registry.models import AdministrativeUnit, MergerBatch, MergerLine, School
from dienrong.registry.queries.frame import ALL_GRADES, counts_until, held_by, moves_until, newest_school_year
from dienrong.registry.queries.merger_lines import Line, LinePart, LineProblem, PlannedLine, resolve_lines
from dienrong.registry.versions import joined_levels


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BeforeAfter:
    """A number before and after."""

    title: str
    before: int
    after: int

    @property
    def difference(self) -> int:
        """By how much it changes."""
        return self.after - self.before


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlan:
    """What a batch would change.

    ``pupils`` are those of the schools of the lines; ``pupils_closed`` those of schools that close without
    successor, who are no longer counted anywhere until other schools count them.
    """

    lines: tuple[PlannedLine, ...]
    problems: tuple[LineProblem, ...]
    schools: BeforeAfter
    by_commune: tuple[BeforeAfter, ...]
    by_level: tuple[BeforeAfter, ...]
    vanishing: tuple[School, ...]
    pupils: BeforeAfter
    pupils_closed: int
    school_year: str

    @property
    def keeps_pupils(self) -> bool:
        """Whether every pupil is counted once before and once after, those of closed schools apart."""
        return self.pupils.before == self.pupils.after + self.pupils_closed


def batches_in(scope: Scope) -> QuerySet[MergerBatch]:
    """List the batches of a scope, the newest first, with the number of their lines."""
    found = MergerBatch.objects.select_related("province", "created_by").annotate(n_lines=CountRows("lines"))
    return found if scope.is_national else found.filter(province__code__in=scope.provinces)


def batch_by_key(key: int) -> MergerBatch | None:
    """Give a batch, whoever asks; the caller asks whether it may be shown."""
    return MergerBatch.objects.select_related("province", "created_by").filter(pk=key).first()


def lines_of(batch: MergerBatch) -> list[Line]:
    """Give the lines of a batch as they were written down."""
    rows = batch.lines.order_by("line_number").prefetch_related("parts__counts")
    return [
        Line(
            line_number=row.line_number,
            kind=row.kind,
            predecessor_codes=tuple(row.predecessor_codes.split()),
            successor_code=row.successor_code,
            successor_name=row.successor_name,
            commune_code=row.commune_code,
            levels=row.levels,
            parts=tuple(
                LinePart(
                    code=part.code,
                    name=part.name,
                    commune_code=part.commune_code,
                    shares={count.grade: (count.n_students, count.n_classes) for count in part.counts.all()},
                )
                for part in row.parts.all()
            ),
        )
        for row in rows
    ]


def preview_batch(batch: MergerBatch) -> BatchPlan:
    """Say what a batch would change, as the registry is now."""
    return preview_lines(batch.province, lines_of(batch), on_date=batch.effective_date)


def preview_lines(province: AdministrativeUnit, lines: Sequence[Line], *, on_date: date) -> BatchPlan:
    """Say what lines would change; nothing is written, as many queries for one line as for a thousand."""
    planned = resolve_lines(province, lines, on_date=on_date)
    sound = [plan for plan in planned if not plan.problems]
    ending = [school for plan in sound for school in plan.ending]
    vanishing = [
        *ending,
        *(plan.predecessors[0] for plan in sound if plan.line.kind == MergerLine.Kind.RECODE),
    ]
    by_commune, by_level, schools = _schools_before_after(province, sound)
    pupils, closed, year = _pupils_before_after(province, sound, on_date)
    return BatchPlan(
        lines=tuple(planned),
        problems=tuple(problem for plan in planned for problem in plan.problems),
        schools=schools,
        by_commune=by_commune,
        by_level=by_level,
        vanishing=tuple(sorted(vanishing, key=lambda school: school.school_id)),
        pupils=pupils,
        pupils_closed=closed,
        school_year=year,
    )


def _schools_before_after(
    province: AdministrativeUnit, sound: Iterable[PlannedLine]
) -> tuple[tuple[BeforeAfter, ...], tuple[BeforeAfter, ...], BeforeAfter]:
    """Count the open schools of a province before and after, by commune (those that change) and by level."""
    rows = School.objects.filter(province=province, is_open=True).values_list(
        "pk", "commune__code", "commune__full_name", "levels"
    )
    before = {pk: (code, name, levels) for pk, code, name, levels in rows}
    after = dict(before)
    for place, plan in enumerate(sound):
        for school in plan.ending:
            after.pop(school.pk, None)
        after |= _after(plan, place)
    return (
        tuple(row for row in _count_by(before, after, (0, 1)) if row.difference),
        _count_by(before, after, (2,)),
        BeforeAfter(title="", before=len(before), after=len(after)),
    )


def _new_key(place: int, number: int = 0) -> int:
    """Give a key to a school that a line will make."""
    return -1 - place * 100 - number


def _after(plan: PlannedLine, place: int) -> dict[int, tuple[str, str, str]]:
    """Give commune and levels of the schools that go on or begin by a line, by their keys."""
    kind = plan.line.kind
    if kind == MergerLine.Kind.CLOSE:
        return {}
    if kind == MergerLine.Kind.OPEN:
        commune = plan.commune
        return {_new_key(place): (commune.code, commune.full_name, plan.line.levels)} if commune else {}
    first = plan.predecessors[0]
    if kind == MergerLine.Kind.SPLIT:
        return {
            _new_key(place, number) if part.school is None else part.school.pk: (
                (part.commune or first.commune).code,
                (part.commune or first.commune).full_name,
                first.levels,
            )
            if part.school is None
            else (part.school.commune.code, part.school.commune.full_name, part.school.levels)
            for number, part in enumerate(plan.parts)
        }
    model = plan.successor or first
    commune = plan.commune or model.commune
    key = _new_key(place) if plan.makes_school else model.pk
    return {key: (commune.code, commune.full_name, joined_levels(plan.predecessors))}


def _count_by(
    before: dict[int, tuple[str, str, str]], after: dict[int, tuple[str, str, str]], places: tuple[int, ...]
) -> tuple[BeforeAfter, ...]:
    """Count schools by some of what is known of them."""
    counts = [
        Counter(tuple(values[place] for place in places) for values in schools.values())
        for schools in (before, after)
    ]
    return tuple(
        BeforeAfter(title=key[-1], before=counts[0][key], after=counts[1][key])
        for key in sorted({*counts[0], *counts[1]})
    )


def _pupils_before_after(
    province: AdministrativeUnit, sound: Sequence[PlannedLine], on_date: date
) -> tuple[BeforeAfter, int, str]:
    """Count the pupils of the schools of the lines before and after, by the rule of the frame."""
    day = max(on_date, clock.today())
    year = newest_school_year(day, province)
    schools = {school.pk: school for plan in sound for school in plan.predecessors}
    schools |= {
        part.school.pk: part.school for plan in sound for part in plan.parts if part.school is not None
    }
    moves = moves_until(day, year, ALL_GRADES)
    counts = counts_until(day, year, ALL_GRADES, moves.with_origins(schools))
    held = held_by(Ledger(counts, moves.transfers), schools)
    before = {pk: sum(count.n_students for count in grades.values()) for pk, grades in held.items()}
    ended = {school.pk for plan in sound for school in plan.ending}
    planned = [
        transfer
        for place, plan in enumerate(sound)
        for transfer in _transfers(plan, place, len(moves.transfers) + place, on_date)
    ]
    made = {key for place, plan in enumerate(sound) for key in _after(plan, place) if key < 0}
    going_on = (set(schools) - ended) | made
    going_on |= {part.school.pk for plan in sound for part in plan.parts if part.school is not None}
    later = held_by(Ledger(counts, (*moves.transfers, *planned)), going_on)
    after = sum(count.n_students for grades in later.values() for count in grades.values())
    closed = sum(
        before[school.pk]
        for plan in sound
        if plan.line.kind == MergerLine.Kind.CLOSE
        for school in plan.predecessors
    )
    return BeforeAfter(title="", before=sum(before.values()), after=after), closed, year


def _transfers(plan: PlannedLine, place: int, order: int, on_date: date) -> list[Transfer]:
    """Give the pupils whom a line moves, as the frame counts them."""
    if plan.line.kind == MergerLine.Kind.SPLIT:
        # A school of which no pupils are known has none to give; the frame leaves such a split out too.
        if not any(part.part.shares for part in plan.parts):
            return []
        return [
            Transfer(
                order=order,
                on_date=on_date,
                kind="split",
                predecessor=plan.predecessors[0].pk,
                successor=part.school.pk if part.school is not None else _new_key(place, number),
                shares=part.part.shares,
            )
            for number, part in enumerate(plan.parts)
        ]
    if plan.line.kind != MergerLine.Kind.MERGE:
        return []
    return [
        Transfer(
            order=order,
            on_date=on_date,
            kind="merge",
            predecessor=school.pk,
            successor=plan.successor.pk if plan.successor is not None else _new_key(place),
        )
        for school in plan.ending
    ]
