"""Run the stages of a scaling: each once, unchanged ones reused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lsakit.lineage import Manifest, Progress, StepRequest, Store
from lsakit.pipeline.runners import LocalRunner
from lsakit.pipeline.scaling.options import SCALING_STAGES, ScalingDecision, ScalingOptions
from lsakit.pipeline.scaling.plan import (
    INPUT,
    SHARES,
    PlannedScaling,
    ScalingInputs,
    plan_scaling,
)

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingResult:
    """What a scaling left in its store.

    Parameters
    ----------
    manifests : Mapping of str to str
        Manifest id by stage; a stage that the options do not ask for is absent.
    computed : frozenset of str
        Stages that were computed now; the others were reused.
    """

    manifests: Mapping[str, str]
    computed: frozenset[str]


def run_scaling(
    store: Store,
    inputs: ScalingInputs,
    options: ScalingOptions,
    decisions: Sequence[ScalingDecision] = (),
    *,
    now: datetime | Clock,
    who: str,
    progress: Progress | None = None,
) -> ScalingResult:
    """Run the stages of a scaling, reusing what the store already holds.

    Parameters
    ----------
    store : Store
        Where artefacts and manifests lie and go.
    inputs : ScalingInputs
        Hashes of the tables to start from; they are in the store.
    options : ScalingOptions
        What is asked for.
    decisions : Sequence of ScalingDecision, optional
        Decisions on items that stand.
    now : datetime or callable
        Moment of the run, or a clock that gives it: one reading per stage.
    who : str
        Who started it.
    progress : callable, optional
        Takes a text ("stage · what") and the share done; it may raise :class:`~lsakit.errors.CancelledError`, which
        ends the scaling and leaves the stages that are done.

    Returns
    -------
    ScalingResult
        Manifests by stage, and which were computed.

    Raises
    ------
    CalibrationError
        If the options need a table that is not given, or decisions contradict each other.
    LsakitError
        If a stage refuses its inputs.
    """
    last = SCALING_STAGES.index(options.until)
    plan = [
        one for one in plan_scaling(inputs, options, decisions) if SCALING_STAGES.index(one.stage) <= last
    ]
    clock = now if callable(now) else lambda: now
    runner = LocalRunner(store, clock, who)
    whole = sum(SHARES[one.stage] for one in plan)
    done: dict[str, Manifest] = {}
    computed: set[str] = set()
    before = 0.0
    for planned in plan:
        say = _Part(planned.stage, progress, before / whole, SHARES[planned.stage] / whole)
        done[planned.stage] = runner.run(planned.step, _request(planned, inputs, done), say)
        if not say.is_reused:
            computed.add(planned.stage)
        before += SHARES[planned.stage]
    return ScalingResult(
        manifests={stage: manifest.id for stage, manifest in done.items()}, computed=frozenset(computed)
    )


def _request(planned: PlannedScaling, inputs: ScalingInputs, done: Mapping[str, Manifest]) -> StepRequest:
    """Find the hash of every input of a stage."""
    given = inputs.given()
    found = {
        role: given[output] if source == INPUT else done[source].outputs[output].hash
        for role, (source, output) in planned.sources.items()
    }
    return StepRequest(inputs=found, parameters=planned.parameters, seed=planned.seed)


class _Part:
    """Progress of one stage as a part of the whole; it never goes back."""

    def __init__(self, stage: str, progress: Progress | None, low: float, width: float) -> None:
        self.stage = stage
        self.progress = progress
        self.low = low
        self.width = width
        self.highest = 0.0
        self.is_reused = False

    def __call__(self, text: str, share: float) -> None:
        self.is_reused = self.is_reused or text == f"scaling_{self.stage}: unchanged"
        self.highest = max(self.highest, min(share, 1.0))
        if self.progress is not None:
            self.progress(f"{self.stage} · {text}", round(self.low + self.width * self.highest, 6))
