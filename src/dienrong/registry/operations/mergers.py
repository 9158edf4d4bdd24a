"""Batches of mergers: written down line by line, applied as one transaction, undone as one step."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.refusals import Conflict
from dienrong.core.text import clean_text
from dienrong.registry.models import (
    AdministrativeUnit,
    MergerBatch,
    MergerLine,
    MergerPart,
    MergerPartCount,
    SchoolEvent,
)
from dienrong.registry.operations.applying import Decision, Happening, apply_happenings, demand_province
from dienrong.registry.operations.planning import NewSchool, make_school, place_in
from dienrong.registry.operations.refusals import (
    BatchHasConflicts,
    IncompleteEvent,
    SomethingDepends,
)
from dienrong.registry.operations.undoing import take_back
from dienrong.registry.queries.merger_lines import Line, PlannedLine, resolve_lines
from dienrong.registry.queries.mergers import lines_of
from dienrong.registry.versions import joined_levels, set_traits, usual_traits

NAMED = 5
IN_THE_HISTORY = (MergerBatch.State.ACCEPTED, MergerBatch.State.APPLIED)


@transaction.atomic
def plan_batch(
    province: AdministrativeUnit,
    lines: Sequence[Line],
    *,
    title: str,
    decision_number: str,
    decision_date: date,
    effective_date: date,
    by: Any | None,
) -> MergerBatch:
    """Write down a batch as a draft, with any lines; nothing about the schools is changed.

    Raises
    ------
    OutOfScope
        If the province is not the person's.
    IncompleteEvent
        If title or number are missing, or a line number stands twice.
    """
    demand_province(province, by)
    title, number = clean_text(title), clean_text(decision_number)
    if not title or not number:
        raise IncompleteEvent(
            _("Title and number of the decision are missing."),
            hint=_("Write them as they stand in the decision."),
        )
    if len({line.line_number for line in lines}) != len(lines):
        raise IncompleteEvent(
            _("A line number stands twice."), hint=_("Number the lines one after the other.")
        )
    batch = MergerBatch.objects.create(
        province=province,
        title=title[:200],
        decision_number=number[:60],
        decision_date=decision_date,
        effective_date=effective_date,
        created_at=clock.now(),
        created_by=by,
        changed_at=clock.now(),
    )
    rows = [_row(batch, line) for line in lines]
    MergerLine.objects.bulk_create(rows, batch_size=500)
    _write_parts(list(zip(rows, lines, strict=True)))
    record(
        action="registry.batch_planned",
        actor=by,
        obj=batch,
        after={"decision_number": number, "effective_date": effective_date, "n_lines": len(lines)},
    )
    return batch


@transaction.atomic
def add_line(*, batch: MergerBatch, line: Line, by: Any | None) -> MergerLine:
    """Add a line at the end of a batch that is not applied; its number is given here.

    Raises
    ------
    Conflict
        If the batch is applied.
    """
    batch = _open_batch(batch, by)
    last = batch.lines.order_by("-line_number").values_list("line_number", flat=True).first() or 0
    row = _row(batch, line)
    row.line_number = last + 1
    row.save()
    _write_parts([(row, line)])
    _changed(batch, by, {"added": row.line_number, "schools": list(line.predecessor_codes)})
    return row


@transaction.atomic
def remove_line(*, batch: MergerBatch, line_number: int, by: Any | None) -> None:
    """Take a line out of a batch that is not applied.

    Raises
    ------
    Conflict
        If the batch is applied.
    """
    batch = _open_batch(batch, by)
    batch.lines.filter(line_number=line_number).delete()
    _changed(batch, by, {"removed": line_number})


@transaction.atomic
def remove_batch(*, batch: MergerBatch, by: Any | None) -> None:
    """Throw a draft away.

    Raises
    ------
    Conflict
        If the batch was ever applied: its history stays.
    """
    batch = _open_batch(batch, by)
    if batch.events.exists():
        raise Conflict(
            _("This batch was applied once; it stays with its history."), hint=_("Leave it as undone.")
        )
    record(action="registry.batch_removed", actor=by, obj=batch, before={"n_lines": batch.lines.count()})
    batch.delete()


@transaction.atomic
def apply_batch(*, batch: MergerBatch, by: Any | None) -> MergerBatch:
    """Apply every line of a batch, or none.

    A batch whose day has not come is accepted for it: versions and events are written from that day on, today's
    schools stay what they are until ``turn_day`` lets them follow, and nothing else may happen to them before.

    Raises
    ------
    BatchHasConflicts
        If a line cannot be applied; the refusal names the first of them.
    """
    batch = _open_batch(batch, by)
    planned = resolve_lines(batch.province, lines_of(batch), on_date=batch.effective_date)
    problems = [problem for plan in planned for problem in plan.problems]
    if problems or not planned:
        numbers = ", ".join(str(number) for number in sorted({p.line_number for p in problems})[:NAMED])
        raise BatchHasConflicts(
            _("Lines with conflicts: %(numbers)s. %(first)s")
            % {"numbers": numbers, "first": problems[0].sentence}
            if problems
            else _("The batch has no lines."),
            hint=_("Mend the lines that the preview names, then apply."),
        )
    decision = Decision(
        on_date=batch.effective_date, number=batch.decision_number, signed_on=batch.decision_date
    )
    happenings = [_happening(plan, decision) for plan in planned]
    apply_happenings(happenings, decision=decision, by=by, batch=batch)
    is_due = batch.effective_date <= clock.today()
    batch.state = MergerBatch.State.APPLIED if is_due else MergerBatch.State.ACCEPTED
    batch.changed_at = clock.now()
    batch.save(update_fields=["state", "changed_at"])
    record(
        action="registry.batch_applied" if is_due else "registry.batch_accepted",
        actor=by,
        obj=batch,
        after={
            "n_lines": len(planned),
            "n_ended": sum(len(plan.ending) for plan in planned),
            "n_new": sum(plan.n_new for plan in planned),
            "effective_date": batch.effective_date,
        },
    )
    return batch


@transaction.atomic
def undo_batch(*, batch: MergerBatch, by: Any | None) -> MergerBatch:
    """Take a whole batch back as one step; its lines stay and can be mended.

    Raises
    ------
    SomethingDepends
        If something later was built upon a line, with the reasons; nothing is undone.
    """
    demand_province(batch.province, by)
    batch = MergerBatch.objects.select_for_update().get(pk=batch.pk)
    if batch.state not in IN_THE_HISTORY:
        raise SomethingDepends(_("This batch is not applied."), hint=_("Reload the page."))
    events = list(batch.events.filter(state=SchoolEvent.State.APPLIED))
    codes = take_back(events)
    batch.state, batch.changed_at = MergerBatch.State.UNDONE, clock.now()
    batch.save(update_fields=["state", "changed_at"])
    record(
        action="registry.batch_undone",
        actor=by,
        obj=batch,
        before={"n_events": len(events), "n_schools": len(codes)},
    )
    return batch


def _open_batch(batch: MergerBatch, by: Any | None) -> MergerBatch:
    """Hold a batch that is not applied, for the time of the transaction."""
    demand_province(batch.province, by)
    held = MergerBatch.objects.select_for_update().get(pk=batch.pk)
    if held.state in IN_THE_HISTORY:
        raise Conflict(_("This batch is applied already."), hint=_("Undo it first, then change it."))
    held.province = batch.province
    return held


def _row(batch: MergerBatch, line: Line) -> MergerLine:
    """Make the row of a line."""
    return MergerLine(
        batch=batch,
        line_number=line.line_number,
        kind=line.kind[:8],
        predecessor_codes=" ".join(dict.fromkeys(code[:20] for code in line.predecessor_codes)),
        successor_code=clean_text(line.successor_code)[:20],
        successor_name=clean_text(line.successor_name)[:200],
        commune_code=clean_text(line.commune_code)[:5],
        levels=line.levels[:40],
    )


def _write_parts(pairs: Sequence[tuple[MergerLine, Line]]) -> None:
    """Write the parts of lines that split a school, with their pupils by grade."""
    parts = [
        (
            MergerPart(
                line=row,
                place=place,
                code=clean_text(part.code)[:20],
                name=clean_text(part.name)[:200],
                commune_code=clean_text(part.commune_code)[:5],
            ),
            part.shares,
        )
        for row, line in pairs
        for place, part in enumerate(line.parts)
    ]
    MergerPart.objects.bulk_create([part for part, _shares in parts], batch_size=500)
    MergerPartCount.objects.bulk_create(
        [
            MergerPartCount(part=part, grade=grade, n_students=n_students, n_classes=n_classes)
            for part, shares in parts
            for grade, (n_students, n_classes) in sorted(shares.items())
        ],
        batch_size=500,
    )


def _changed(batch: MergerBatch, by: Any | None, facts: dict[str, Any]) -> None:
    """Note that a batch was changed."""
    batch.changed_at = clock.now()
    batch.save(update_fields=["changed_at"])
    record(action="registry.batch_changed", actor=by, obj=batch, after=facts)


def _happening(plan: PlannedLine, decision: Decision) -> Happening:
    """Make the event of a line without conflicts."""
    line, before = plan.line, plan.predecessors
    if line.kind == MergerLine.Kind.CLOSE:
        return Happening(kind=SchoolEvent.Kind.CLOSE, predecessors=before, line_number=line.line_number)
    if line.kind == MergerLine.Kind.OPEN:
        return _opening(plan, decision)
    if line.kind == MergerLine.Kind.SPLIT:
        return _split(plan, decision)
    traits: dict[str, Any] = {"name": line.successor_name} if line.successor_name else {}
    if line.kind == MergerLine.Kind.MERGE:
        traits["levels"] = joined_levels(before)
    if plan.makes_school:
        new = NewSchool(
            code=line.successor_code, name=line.successor_name, commune=plan.commune, traits=traits
        )
        after = make_school(new, before[0], decision)
    else:
        after = copy.copy(plan.successor or before[0])
        if line.kind == MergerLine.Kind.RECODE:
            after.school_id = line.successor_code
        if plan.commune is not None:
            place_in(after, plan.commune, decision)
        set_traits(after, traits)
    return Happening(kind=line.kind, predecessors=before, successors=(after,), line_number=line.line_number)


def _opening(plan: PlannedLine, decision: Decision) -> Happening:
    """Make the event of a line that opens a school; what the line does not say is as for most schools."""
    line = plan.line
    traits = usual_traits(line.levels)
    new = NewSchool(code=line.successor_code, name=line.successor_name, commune=plan.commune, traits=traits)
    school = make_school(new, None, decision)
    return Happening(kind=SchoolEvent.Kind.OPEN, successors=(school,), line_number=line.line_number)


def _split(plan: PlannedLine, decision: Decision) -> Happening:
    """Make the event of a line that splits a school."""
    before = plan.predecessors[0]
    after = tuple(
        part.school
        if part.school is not None
        else make_school(
            NewSchool(code=part.part.code, name=part.part.name, commune=part.commune), before, decision
        )
        for part in plan.parts
    )
    return Happening(
        kind=SchoolEvent.Kind.SPLIT,
        predecessors=(before,),
        successors=after,
        shares={place: dict(part.part.shares) for place, part in enumerate(plan.parts)},
        school_year=plan.school_year,
        line_number=plan.line.line_number,
    )
