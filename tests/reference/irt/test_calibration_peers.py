"""Calibrations against mirt and TAM; tolerances and their reasons stand in README.md beside this file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from lsakit.irt.ability import score
from lsakit.irt.calibration import Calibration, CalibrationOptions, calibrate

OPTIONS = CalibrationOptions(n_nodes=61, tolerance=1e-8)
CASES = {
    "LSAT7 2PL": ("LSAT7_expanded.csv", 0, "2pl", "LSAT7_mirt_2PL.json"),
    "LSAT7 Rasch": ("LSAT7_expanded.csv", 0, "rasch", "LSAT7_mirt_Rasch.json"),
    "Science PCM": ("Science.csv", 1, "pcm", "Science_mirt_Rasch.json"),
    "Science GPCM": ("Science.csv", 1, "gpcm", "Science_mirt_gpcm.json"),
    "SAT12 2PL": ("SAT12_scored.csv", 0, "2pl", "SAT12_mirt_2PL.json"),
}


def result(path: Path) -> dict[str, Any]:
    """Read the result of a peer."""
    found: dict[str, Any] = json.loads(path.read_text())["result"]
    return found


def errors_in_mirt_form(cal: Calibration, name: str) -> dict[str, float]:
    """Standard errors of slope and difficulty as a dictionary."""
    row = cal.items.filter(pl.col("item") == name).row(0, named=True)
    return {key: row[key] for key in ("se_slope", "se_difficulty")}


def compare_items(cal: Calibration, peer: dict[str, Any], tolerance: float) -> None:
    """Compare slopes, intercepts and the slopes' standard errors with mirt's (d is our intercept)."""
    for place, name in enumerate(cal.parameters.names):
        par, se = peer["items"][name]["par"], peer["items"][name]["SE"]
        assert cal.parameters.slope[place] == pytest.approx(par["a1"], abs=tolerance)
        own = int(cal.parameters.n_steps[place])
        theirs = [par["d"]] if "d" in par else [par[f"d{k}"] for k in range(1, own + 1)]
        assert cal.parameters.intercepts[place, :own] == pytest.approx(theirs, abs=tolerance)
        if se["a1"] is not None:
            assert errors_in_mirt_form(cal, name)["se_slope"] == pytest.approx(se["a1"], rel=1e-4)
        elif own == 1:
            # With slope 1 the difficulty is minus the intercept and has its standard error.
            assert errors_in_mirt_form(cal, name)["se_difficulty"] == pytest.approx(se["d"], rel=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_classic_data_agree_with_mirt(shared: Path, case: str) -> None:
    data, least, model, reference = CASES[case]
    responses = pl.read_csv(shared / "data" / "classic_irt" / data) - least
    peer = result(shared / "reference" / "classic_irt" / reference)
    cal = calibrate(responses, model=model, options=OPTIONS)
    assert cal.loglik == pytest.approx(peer["logLik"], abs=1e-6)
    compare_items(cal, peer, 2e-4)
    variance = peer["items"]["GroupPars"]["par"]["COV_11"]
    group = cal.groups.row(0, named=True)
    assert group["sd"] ** 2 == pytest.approx(variance, abs=5e-5)
    if group["se_sd"] is not None:
        own = 2 * group["sd"] * group["se_sd"]
        assert own == pytest.approx(peer["items"]["GroupPars"]["SE"]["COV_11"], rel=1e-4)


@pytest.mark.parametrize("case", ["LSAT7 2PL", "Science PCM", "SAT12 2PL"])
def test_classic_eap_agrees_with_mirt(shared: Path, case: str) -> None:
    data, least, model, reference = CASES[case]
    responses = pl.read_csv(shared / "data" / "classic_irt" / data) - least
    peer = result(shared / "reference" / "classic_irt" / reference)
    cal = calibrate(responses, model=model, options=OPTIONS)
    eap = score(cal, responses.head(50), method="eap")
    theirs = np.array(peer["EAP_head"])
    assert eap["theta"].to_numpy() == pytest.approx(theirs[:, 0], abs=5e-5)
    assert eap["se"].to_numpy() == pytest.approx(theirs[:, 1], abs=5e-5)
    wle = score(cal, responses.head(50), method="wle")["theta"].to_numpy()
    assert wle == pytest.approx(np.array(peer["WLE_head"])[:, 0], abs=1e-3)


@pytest.mark.parametrize(("model", "name"), [("pcm", "Science_TAM_pcm"), ("gpcm", "Science_TAM_gpcm")])
def test_science_agrees_with_tam(shared: Path, model: str, name: str) -> None:
    responses = pl.read_csv(shared / "data" / "classic_irt" / "Science.csv") - 1
    peer = result(shared / "reference" / "classic_irt" / f"{name}.json")
    cal = calibrate(responses, model=model, options=OPTIONS)
    assert cal.loglik == pytest.approx(peer["logLik"], abs=2e-6)
    for row, theirs in zip(cal.items.iter_rows(named=True), peer["item_irt"], strict=True):
        assert row["slope"] == pytest.approx(theirs["alpha"], abs=2e-4)
        assert row["difficulty"] == pytest.approx(theirs["beta"], abs=2e-4)
        for k in range(1, 4):  # TAM's tau is a step difficulty: minus our step
            assert row[f"step_{k}"] == pytest.approx(-theirs[f"tau.Cat{k}"], abs=4e-4)
    wle = score(cal, responses.head(50), method="wle")
    assert wle["theta"].to_numpy() == pytest.approx(peer["WLE"], abs=3e-4)
    assert score(cal, responses.head(50), method="eap")["theta"].to_numpy() == pytest.approx(
        peer["EAP"], abs=5e-5
    )


@pytest.fixture(scope="module")
def austria(shared: Path) -> pl.DataFrame:
    """TIMSS 2011 grade 4 Austria: 4,668 students, 174 two-category items."""
    data = pl.read_csv(shared / "data" / "timss2011_g4_aut" / "items_math_scored.csv", null_values=["NA"])
    return data[:, 17:191]


@pytest.mark.parametrize("model", ["rasch", "2pl"])
def test_timss_austria_agrees_with_mirt_and_tam(shared: Path, austria: pl.DataFrame, model: str) -> None:
    folder = shared / "reference" / "timss2011_g4_aut_math"
    peer = result(folder / f"mirt_{model}.json")
    cal = calibrate(austria, model=model, options=OPTIONS)
    assert cal.loglik == pytest.approx(peer["logLik"], abs=1e-6)
    assert cal.loglik == pytest.approx(result(folder / f"TAM_{model}.json")["logLik"], abs=1e-5)
    compare_items(cal, peer, 5e-5)
    eap, wle = score(cal, austria, method="eap"), score(cal, austria, method="wle")
    for program in ("mirt", "TAM"):
        persons = pl.read_csv(folder / f"{program}_{model}_persons.csv.gz")
        assert eap["theta"].to_numpy() == pytest.approx(persons["EAP"].to_numpy(), abs=5e-5)
        assert eap["se"].to_numpy() == pytest.approx(persons[persons.columns[-3]].to_numpy(), abs=5e-5)
        assert wle["theta"].to_numpy() == pytest.approx(persons["WLE"].to_numpy(), abs=1e-4)
    tam = pl.read_csv(folder / f"TAM_{model}_persons.csv.gz")
    ratio = (wle["se"] / tam["WLE_SE"]).to_numpy()
    assert ratio == pytest.approx(np.ones(len(ratio)), abs=1e-4)


def test_timss_austria_weighted_agrees_with_tam(shared: Path, austria: pl.DataFrame) -> None:
    peer = result(shared / "reference" / "timss2011_aut_latreg" / "TAM_2pl_weighted_calibration.json")
    weight = pl.read_csv(shared / "data" / "timss2011_g4_aut" / "latreg_Y.csv")["w"].to_numpy()
    cal = calibrate(austria, model="2pl", weights=weight, options=OPTIONS)
    assert cal.loglik == pytest.approx(peer["logLik"], abs=1e-3)
    slopes = [row["alpha"] for row in peer["items"]]
    difficulties = [row["beta"] for row in peer["items"]]
    assert cal.items["slope"].to_numpy() == pytest.approx(slopes, abs=1e-3)
    assert cal.items["difficulty"].to_numpy() == pytest.approx(difficulties, abs=1e-3)
