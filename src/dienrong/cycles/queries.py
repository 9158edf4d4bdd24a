"""Reads of cycles, their steps and the artefacts behind each."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from dienrong.cycles.models import Cycle, CycleStep, StepArtefact


def current_cycle() -> Cycle | None:
    """Give the newest cycle with its programme, or None before any was made."""
    return Cycle.objects.select_related("programme").first()


def cycle_by_slug(slug: str) -> Cycle | None:
    """Give a cycle by its address."""
    return Cycle.objects.select_related("programme").filter(slug=slug).first()


def all_cycles() -> QuerySet[Cycle]:
    """List the cycles, the newest first."""
    return Cycle.objects.select_related("programme").annotate(
        n_steps=Count("steps"), n_done=Count("steps", filter=Q(steps__state="done"))
    )


def steps_of(cycle: Cycle) -> list[CycleStep]:
    """List the steps of a cycle, each with the number of artefacts behind it."""
    current = Q(artefacts__is_current=True)
    return list(
        cycle.steps.select_related("changed_by").annotate(n_artefacts=Count("artefacts", filter=current))
    )


def step_of(cycle: Cycle, number: int) -> CycleStep | None:
    """Give one step of a cycle."""
    return cycle.steps.select_related("changed_by").filter(number=number).first()


def artefacts_behind(step: CycleStep) -> list[StepArtefact]:
    """List what stands behind a step now; what later runs replaced is left out."""
    return list(step.artefacts.filter(is_current=True).order_by("grade", "stage", "role"))


def artefacts_of_manifest(cycle: Cycle, manifest_id: str) -> list[StepArtefact]:
    """List the artefacts of a manifest that stand behind steps of this cycle, now or before."""
    rows = StepArtefact.objects.filter(step__cycle=cycle, manifest_id=manifest_id)
    return list(rows.select_related("step").order_by("role"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a cycle is."""

    n_steps: int
    n_done: int
    n_attention: int
    n_late: int

    @property
    def share(self) -> float:
        """Steps done over all steps, 0 where there are none."""
        return self.n_done / self.n_steps if self.n_steps else 0.0


def progress_of(steps: list[CycleStep], today: object) -> Progress:
    """Count the steps that are done, need attention, or are late on a day."""
    late = [step for step in steps if step.state != "done" and step.due_date < today]
    return Progress(
        n_steps=len(steps),
        n_done=sum(step.state == "done" for step in steps),
        n_attention=sum(step.state == "attention" for step in steps),
        n_late=len(late),
    )
