"""A store with a chain of three small steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from lsakit.lineage import Manifest, Step, StepCall, StepRequest, Store, run_step
from lsakit.randomness import stream

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


def draw(call: StepCall) -> dict[str, Any]:
    rng = stream(call.required_seed, "draw")
    n = call.parameters["n"]
    return {"scores": pl.DataFrame({"id": [f"s{k}" for k in range(n)], "score": rng.normal(500.0, 100.0, n)})}


def summarise(call: StepCall) -> dict[str, Any]:
    scores = call.inputs["scores"]["score"].to_numpy()
    return {"summary": {"mean": float(np.mean(scores)), "n": len(scores)}}


def publish(call: StepCall) -> dict[str, Any]:
    return {"report": f"mean {call.inputs['summary']['mean']:.1f}\n".encode()}


STEPS = {
    step.name: step
    for step in (
        Step(name="draw", version=1, title="draw scores", run=draw, outputs=("scores",)),
        Step(
            name="summarise", version=1, title="mean", run=summarise, inputs=("scores",), outputs=("summary",)
        ),
        Step(name="publish", version=1, title="write", run=publish, inputs=("summary",), outputs=("report",)),
    )
}


@dataclass
class Chain:
    """A store, the manifests of three steps and a way to run one more."""

    store: Store
    run: Callable[..., Manifest]
    steps: dict[str, Step] = field(default_factory=lambda: dict(STEPS))
    manifests: dict[str, Manifest] = field(default_factory=dict)


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    """Run draw → summarise → publish in a new store."""
    store = Store(tmp_path / "store")

    def run(name: str, inputs: dict[str, str], seed: int | None = None, **parameters: Any) -> Manifest:
        request = StepRequest(inputs=inputs, parameters=parameters, seed=seed)
        return run_step(store, STEPS[name], request, now=NOW, who="an expert")

    found = Chain(store, run)
    found.manifests["draw"] = run("draw", {}, seed=7, n=50)
    scores = found.manifests["draw"].outputs["scores"].hash
    found.manifests["summarise"] = run("summarise", {"scores": scores})
    summary = found.manifests["summarise"].outputs["summary"].hash
    found.manifests["publish"] = run("publish", {"summary": summary})
    store.set_ref("publish/grade5", found.manifests["publish"].id)
    return found
