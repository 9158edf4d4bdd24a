"""Writes of cycles; each is one transaction with its permission and its audit entry inside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import demand
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.refusals import Conflict, Refusal
from dienrong.core.text import clean_text
from dienrong.cycles.models import Cycle, CycleGrade, CycleStep, CycleSubject, Programme, StepArtefact
from dienrong.cycles.procedure import STEPS, step_number
from dienrong.cycles.words import SUPPRESSION_RULES


class UnknownState(Refusal):
    """A step cannot take a state that the procedure does not know."""

    code = "cycles.unknown_state"


class RulesFrozen(Refusal):
    """The rule of publication cannot be changed any more, or there is none of that name."""

    code = "cycles.rules_frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectNames:
    """A subject as a cycle names it."""

    code: str
    name_vi: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCycle:
    """What a cycle is when it is made."""

    slug: str
    name_vi: str
    name_en: str
    school_year: str
    first_test_date: date
    grades: tuple[int, ...]
    subjects: tuple[SubjectNames, ...]
    is_demonstration: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOutput:
    """One output of a stage, ready to stand behind a step."""

    stage: str
    grade: int | None
    role: str
    kind: str
    manifest_id: str
    artefact_hash: str
    n_rows: int | None
    n_bytes: int | None
    step_version: str


@transaction.atomic
def create_programme(*, code: str, name_vi: str, name_en: str, legal_basis: str, by: Any | None) -> Programme:
    """Make a programme; one that exists under this code is given back unchanged."""
    if by is not None:
        demand(by, "change_cycle")
    programme, is_new = Programme.objects.get_or_create(
        code=code, defaults={"name_vi": name_vi, "name_en": name_en, "legal_basis": legal_basis}
    )
    if is_new:
        record(action="cycles.programme_created", actor=by, obj=programme, after={"code": code})
    return programme


@transaction.atomic
def create_cycle(*, programme: Programme, new: NewCycle, by: Any | None) -> Cycle:
    """Make a cycle with its grades, subjects and the 14 steps; one that exists is given back unchanged."""
    if by is not None:
        demand(by, "change_cycle")
    found = Cycle.objects.filter(slug=new.slug).first()
    if found is not None:
        return found
    cycle = Cycle.objects.create(
        programme=programme,
        slug=new.slug,
        name_vi=new.name_vi,
        name_en=new.name_en,
        school_year=new.school_year,
        first_test_date=new.first_test_date,
        store_name=new.slug,
        is_demonstration=new.is_demonstration,
        created_at=clock.now(),
    )
    CycleGrade.objects.bulk_create(CycleGrade(cycle=cycle, grade=grade) for grade in new.grades)
    CycleSubject.objects.bulk_create(
        CycleSubject(
            cycle=cycle,
            code=subject.code,
            name_vi=subject.name_vi,
            name_en=subject.name_en,
            position=position,
        )
        for position, subject in enumerate(new.subjects, start=1)
    )
    CycleStep.objects.bulk_create(
        CycleStep(
            cycle=cycle,
            number=step.number,
            name_vi=step.name_vi,
            name_en=step.name_en,
            purpose_vi=step.purpose_vi,
            purpose_en=step.purpose_en,
            owner_role=step.owner_role,
            due_date=step.due(new.first_test_date),
        )
        for step in STEPS
    )
    record(
        action="cycles.cycle_created",
        actor=by,
        obj=cycle,
        after={"grades": list(new.grades), "subjects": [subject.code for subject in new.subjects]},
    )
    return cycle


@transaction.atomic
def choose_suppression_rules(*, cycle: Cycle, rules: str, by: Any | None) -> Cycle:
    """Name the rule set under which the figures of a cycle are published.

    Invariant: from the analysis on the rule is frozen, so nobody chooses it with the results before their eyes.

    Raises
    ------
    RulesFrozen
        If the cycle is analyzed or published, or no rule set has that name.
    """
    if by is not None:
        demand(by, "change_cycle")
    kept = Cycle.objects.select_for_update().get(pk=cycle.pk)
    if rules not in SUPPRESSION_RULES:
        raise RulesFrozen(
            _("There is no rule set “%(rules)s”.") % {"rules": rules[:40]},
            hint=_("Choose one of the list."),
        )
    if kept.phase in {Cycle.Phase.ANALYSIS, Cycle.Phase.PUBLISHED}:
        raise RulesFrozen(
            _("The rule of publication is frozen since the analysis began."),
            hint=_("The next cycle may have another rule."),
        )
    before, kept.suppression_rules = kept.suppression_rules, rules
    if before != rules:
        kept.save(update_fields=["suppression_rules"])
        record(
            action="cycles.suppression_rules_chosen",
            actor=by,
            obj=kept,
            before={"rules": before},
            after={"rules": rules},
        )
    return kept


@transaction.atomic
def change_step(
    *,
    step: CycleStep,
    state: str,
    note: str,
    by: Any | None,
    seen_at: datetime | None = None,
) -> CycleStep:
    """Set the state and note of a step.

    Invariant: two people who change the same step one after the other never overwrite each other unseen;
    ``seen_at`` is the moment of the last change that the person had before their eyes.

    Raises
    ------
    UnknownState
        If the procedure knows no such state.
    Conflict
        If somebody else changed the step meanwhile.
    """
    if by is not None:
        demand(by, "change_cycle")
    if state not in CycleStep.State.values:
        raise UnknownState(
            _("A step knows no state '%(state)s'.") % {"state": state},
            hint=_("Choose one of: %(states)s.") % {"states": ", ".join(map(str, CycleStep.State.labels))},
        )
    kept = CycleStep.objects.select_for_update().get(pk=step.pk)
    if by is not None and kept.changed_at != seen_at:
        raise Conflict(
            _("Somebody changed this step while your page was open."),
            hint=_("Open the step again, look at its state, then decide."),
        )
    before = {"state": kept.state, "note": kept.note}
    after = {"state": state, "note": clean_text(note)[:500]}
    if before == after:
        return kept
    kept.state, kept.note = after["state"], after["note"]
    kept.changed_at, kept.changed_by = clock.now(), by
    kept.save(update_fields=["state", "note", "changed_at", "changed_by"])
    record(action="cycles.step_changed", actor=by, obj=kept, before=before, after=after)
    return kept


@transaction.atomic
def set_phase(*, cycle: Cycle, phase: str, by: Any | None) -> None:
    """Move a cycle to a phase."""
    if by is not None:
        demand(by, "change_cycle")
    if cycle.phase == phase:
        return
    before, cycle.phase = cycle.phase, phase
    cycle.save(update_fields=["phase"])
    record(
        action="cycles.phase_changed", actor=by, obj=cycle, before={"phase": before}, after={"phase": phase}
    )


@transaction.atomic
def register_artefacts(*, cycle: Cycle, outputs: Iterable[StageOutput], by: Any | None) -> int:
    """Put the outputs of a run behind the steps of a cycle, in place of those of earlier runs.

    Invariant: what stood behind a step before stays on record, marked as replaced. A step with current
    artefacts that nobody has begun is marked as done; a state set by a person is left alone.
    """
    outputs = list(outputs)
    steps = {step.number: step for step in cycle.steps.all()}
    StepArtefact.objects.filter(step__cycle=cycle, is_current=True).update(is_current=False)
    now = clock.now()
    rows = [_artefact(output, steps, now) for output in outputs]
    StepArtefact.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["step", "manifest_id", "role"],
        update_fields=["is_current", "stage", "grade", "artefact_hash", "n_rows", "n_bytes"],
    )
    reached = {row.step.number for row in rows}
    _mark_done([steps[number] for number in sorted(reached)], by)
    record(
        action="cycles.artefacts_registered",
        actor=by,
        obj=cycle,
        after={"n_artefacts": len(rows), "manifests": sorted({output.manifest_id for output in outputs})},
    )
    return len(rows)


def _artefact(output: StageOutput, steps: dict[int, CycleStep], now: datetime) -> StepArtefact:
    """Make the pointer of one output."""
    return StepArtefact(
        step=steps[step_number(output.stage, output.role)],
        stage=output.stage,
        grade=output.grade,
        role=output.role,
        kind=output.kind,
        manifest_id=output.manifest_id,
        artefact_hash=output.artefact_hash,
        n_rows=output.n_rows,
        n_bytes=output.n_bytes,
        step_version=output.step_version,
        is_current=True,
        registered_at=now,
    )


def _mark_done(steps: Sequence[CycleStep], by: Any | None) -> None:
    """Mark steps as done that nobody has changed by hand."""
    for step in steps:
        if step.changed_by_id is None and step.state != CycleStep.State.DONE:
            before, step.state, step.changed_at = step.state, CycleStep.State.DONE, clock.now()
            step.save(update_fields=["state", "changed_at"])
            record(
                action="cycles.step_changed",
                actor=by,
                obj=step,
                before={"state": before},
                after={"state": step.state, "because": "artefacts"},
            )
