"""Runs of the scaling over a store: what is asked, which stages it would cost, how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dienrong.analysis.numeric import SOFTWARE_VERSION, Watch
from dienrong.scaling.numeric.results import summary_of
from lsakit.errors import LsakitError
from lsakit.lineage import StepRequest, Store, hash_parameters, step_key
from lsakit.lineage.steps import cached_run

__all__ = [
    "INPUT_ROLES",
    "SOFTWARE_VERSION",
    "ScalingRequest",
    "Watch",
    "plan_of",
    "refusal_of",
    "run",
]

INPUT_ROLES = (
    "raw_responses", "scored_responses", "items", "students", "booklets", "test_responses", "test_items",
    "old_items", "old_scale",
)  # fmt: skip
TO_LINK = ("old_items", "old_scale")
"""Inputs that a run without a link does not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingRequest:
    """What a run is asked to do: hashes of its inputs by role, options, decisions as plain values."""

    inputs: Mapping[str, str]
    options: Mapping[str, Any]
    decisions: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    @property
    def fingerprint(self) -> str:
        """Hash of everything that was asked: two runs with the same one are the same run."""
        return hash_parameters(
            {"inputs": dict(self.inputs), "options": dict(self.options), "decisions": list(self.decisions)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """What one stage left."""

    stage: str
    manifest_id: str
    step: str
    version: str
    is_reused: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How a run ended: ``stages`` and ``summary`` when it is done, ``refusal`` when lsakit refused."""

    stages: tuple[StageResult, ...] = ()
    summary: dict[str, Any] = field(default_factory=dict)
    refusal: str = ""


def _given(request: ScalingRequest) -> tuple[Any, Any, list[Any]]:
    """Translate a request into what lsakit takes."""
    from lsakit.pipeline.scaling import ScalingDecision, ScalingInputs, ScalingOptions

    options = ScalingOptions.from_mapping(request.options)
    roles = {
        role: value
        for role, value in request.inputs.items()
        if role in INPUT_ROLES and (options.link != "none" or role not in TO_LINK)
    }
    decisions = [ScalingDecision.from_mapping(one) for one in request.decisions if one["kind"] != "keep"]
    return ScalingInputs(**roles), options, decisions


def refusal_of(request: ScalingRequest) -> str:
    """Say why lsakit would refuse this before it computes anything; empty where it would not."""
    from lsakit.pipeline.scaling.plan import plan_scaling

    try:
        inputs, options, decisions = _given(request)
        plan_scaling(inputs, options, decisions)
    except LsakitError as refusal:
        return refusal.sentence
    return ""


def plan_of(store_path: Path, request: ScalingRequest) -> dict[str, bool]:
    """Tell for each stage whether it would be computed; the others are in the store.

    Parameters
    ----------
    store_path : Path
        Folder of the cycle's store.
    request : ScalingRequest
        What a run would be asked to do.

    Returns
    -------
    dict of str to bool
        By stage in order: True where it must be computed. Empty where lsakit refuses the request.
    """
    from lsakit.pipeline.scaling.plan import INPUT, plan_scaling

    # Imported after the package whose steps it registers.
    from lsakit.pipeline.registry import STEPS  # isort: skip

    try:
        inputs, options, decisions = _given(request)
        plan = plan_scaling(inputs, options, decisions)
        store = Store(store_path, create=False)
    except LsakitError:
        return {}
    given = inputs.given()
    done: dict[str, Any] = {}
    out: dict[str, bool] = {}
    for planned in plan:
        found = None
        if all(source == INPUT or source in done for source, _role in planned.sources.values()):
            hashes = {
                role: given[name] if source == INPUT else done[source].outputs[name].hash
                for role, (source, name) in planned.sources.items()
            }
            key = step_key(
                STEPS[planned.step],
                StepRequest(inputs=hashes, parameters=planned.parameters, seed=planned.seed),
            )
            try:
                found = cached_run(store, key)
            except LsakitError:
                found = None
        if found is not None:
            done[planned.stage] = found
        out[planned.stage] = found is None
        if planned.stage == options.until:
            break
    return out


def run(store_path: Path, request: ScalingRequest, *, who: str, watch: Watch) -> RunOutcome:
    """Run a scaling over a store; stages that the store already holds are reused.

    Parameters
    ----------
    store_path : Path
        Folder of the cycle's store, which holds the inputs.
    request : ScalingRequest
        What to run.
    who : str
        Who asked, as manifests record it.
    watch : Watch
        Clocks, and a callback that takes a text and a share between 0 and 1; what it raises ends the run.

    Returns
    -------
    RunOutcome
        Stages in the order in which they are made and a summary, or the refusal in words.
    """
    from lsakit.pipeline.scaling import run_scaling

    spans: dict[str, tuple[float, float]] = {}

    def report(text: str, share: float) -> None:
        moment = watch.seconds()
        stage = text.partition(" · ")[0]
        spans[stage] = (spans.get(stage, (moment, moment))[0], moment)
        watch.progress(text, share)

    try:
        store = Store(store_path, create=False)
        inputs, options, decisions = _given(request)
        result = run_scaling(store, inputs, options, decisions, now=watch.now, who=who, progress=report)
        summary = summary_of(store_path, result.manifests)
    except LsakitError as refusal:
        return RunOutcome(refusal=refusal.sentence)
    stages = []
    for stage, manifest_id in result.manifests.items():
        manifest = store.manifest(manifest_id)
        started, ended = spans.get(stage, (0.0, 0.0))
        stages.append(
            StageResult(
                stage=stage,
                manifest_id=manifest_id,
                step=manifest.step,
                version=str(manifest.step_version),
                is_reused=stage not in result.computed,
                seconds=ended - started,
            )
        )
    return RunOutcome(stages=tuple(stages), summary=summary)
