"""Two real files through every stage, against TAM; tolerances and their reasons stand in README.md beside this file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from lsakit.lineage import Store, ancestry, rerun
from lsakit.pipeline.registry import STEPS
from lsakit.pipeline.scaling import ScalingResult
from lsakit.pipeline.scaling.study_file import read_study, run_study

NOW = datetime(2026, 11, 22, tzinfo=UTC)
READING = """
title = "PISA 2022 reading, six countries"
[files]
responses = "{file}"
student_id = "row"
[options]
group = "CNT"
weight = "W_FSTUWT"
until = "calibration"
"""
MATHS = """
title = "TIMSS 2011 maths, Austria"
[files]
responses = "{file}"
student_id = "uidstud"
item_columns = "^M0"
[options]
dif_by = ["female"]
conditioning = ["female"]
reported = ["female"]
n_values = 5
"""


def run(folder: Path, text: str, file: Path) -> tuple[Store, ScalingResult]:
    """Write a study file and run it."""
    study = folder / "study.toml"
    study.write_text(text.format(file=file), encoding="utf-8")
    store = Store(folder / "store")
    _, result = run_study(store, read_study(study), clock=lambda: NOW, who="an expert")
    return store, result


def output(store: Store, result: ScalingResult, stage: str, role: str) -> Any:
    return store.load(store.manifest(result.manifests[stage]).outputs[role].hash)


def peer(shared: Path, *parts: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared.joinpath("reference", *parts).read_text())["result"]
    return found


def test_pisa_reading_agrees_with_tam(shared: Path, tmp_path: Path) -> None:
    file = shared / "data" / "pisa2022_read_items" / "pisa2022_read_6cnt.csv.gz"
    store, result = run(tmp_path, READING, file)
    theirs = peer(shared, "pisa2022_read_6cnt", "TAM_mg2pl_senate.json")
    record = output(store, result, "calibration", "convergence")
    assert 0.0 <= record["log_likelihood"] - theirs["logLik"] <= 1e-3
    assert record["n_parameters"] == theirs["npar"]
    groups = output(store, result, "calibration", "groups")
    assert groups["group"].to_list() == ["FIN", "JPN", "KOR", "MEX", "NLD", "POL"]
    np.testing.assert_allclose(groups["mean"], theirs["beta"], atol=5e-4)
    np.testing.assert_allclose(groups["sd"] ** 2, theirs["variance"], atol=5e-4)


def test_timss_maths_agrees_with_tam_through_every_stage(shared: Path, tmp_path: Path) -> None:
    file = shared / "data" / "timss2011_g4_aut" / "items_math_scored.csv"
    store, result = run(tmp_path, MATHS, file)
    theirs = peer(shared, "timss2011_g4_aut_math", "TAM_2pl.json")
    record = output(store, result, "calibration", "convergence")
    assert record["log_likelihood"] == pytest.approx(theirs["logLik"], abs=1e-3)
    assert record["bic"] == pytest.approx(theirs["BIC"], abs=2e-3)
    kept = output(store, result, "fit", "reliability")
    assert kept["eap"]["value"] == pytest.approx(theirs["EAP.rel"], abs=1e-4)
    assert kept["wle"]["value"] == pytest.approx(theirs["WLE.rel"], abs=1e-4)
    values = output(store, result, "values", "plausible_values").select(pl.exclude("student_id")).to_numpy()
    assert values.shape == (4668, 5)
    assert values.mean() == pytest.approx(0.0, abs=3 / np.sqrt(4668))
    assert values.var() == pytest.approx(1.0, abs=3 * np.sqrt(2 / 4668))
    dif = output(store, result, "dif", "dif")
    assert dif.height == 174
    assert dif["matching"].unique().to_list() == ["score"]
    walk = ancestry(store, result.manifests["values"], outside="leave")
    assert {"scaling_sources", "scaling_population", "scaling_calibration"} <= {one.step for one in walk}
    for manifest in walk:
        assert rerun(store, manifest.id, steps=STEPS).identical
