"""A small study with one finished scaling, for the tests of its stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest

from lsakit.lineage import Store
from lsakit.pipeline.scaling import (
    ScalingDecision,
    ScalingInputs,
    ScalingOptions,
    ScalingResult,
    run_scaling,
)
from small_study import NOW, WITH_SHIFT, Study, make_study

OPTIONS = ScalingOptions(
    group="province",
    reference_group="01",
    weight="final_weight",
    dif_by=("gender",),
    conditioning=("gender", "books"),
    reported=("gender",),
    n_values=4,
    seed=11,
    cuts=(420.0, 500.0, 580.0),
)


@dataclass(frozen=True)
class Done:
    """A store with one finished scaling."""

    store: Store
    study: Study
    inputs: ScalingInputs
    result: ScalingResult

    def output(self, stage: str, role: str, result: ScalingResult | None = None) -> Any:
        manifest = self.store.manifest((result or self.result).manifests[stage])
        return self.store.load(manifest.outputs[role].hash)

    def run(
        self, options: ScalingOptions = OPTIONS, decisions: tuple[ScalingDecision, ...] = (), **more: Any
    ) -> ScalingResult:
        inputs = more.pop("inputs", self.inputs)
        return run_scaling(self.store, inputs, options, decisions, now=NOW, who="an expert", **more)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    store = Store(tmp_path_factory.mktemp("scaling") / "store")
    study = make_study()
    inputs = study.inputs(store)
    return Done(store, study, inputs, run_scaling(store, inputs, OPTIONS, now=NOW, who="an expert"))


@pytest.fixture(scope="module")
def table(done: Done) -> pl.DataFrame:
    """The scores with the students' columns, and senate weights (sum 500 in each province)."""
    scored = done.output("scores", "scored_responses").join(done.study.students, on="student_id", how="left")
    total = pl.col("final_weight").sum().over("province")
    return scored.with_columns(w=500.0 * pl.col("final_weight") / total)


ITEMS = [f"M{place:02d}" for place in range(1, 11)] + ["C11", "C12"]
UPTO = {"calibration", "fit", "population", "values"}
"""Stages that a change of the calibration costs."""


def second_cycle(done: Done) -> ScalingInputs:
    """A second cycle, abler by .6 logits, with one item that drifted."""
    manifest = done.store.manifest(done.result.manifests["calibration"])
    scale = done.store.manifest(done.result.manifests["values"]).outputs["scale"]
    return make_study(seed=6, mean=0.6, shifted=WITH_SHIFT).inputs(
        done.store, old_items=manifest.outputs["item_parameters"].hash, old_scale=scale.hash
    )
