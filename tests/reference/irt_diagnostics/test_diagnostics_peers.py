"""Diagnostics against difR, mirt, TAM, psych, eRm and base R; tolerances and reasons stand in README.md."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from lsakit.irt.ability import score
from lsakit.irt.calibration import Calibration, CalibrationOptions, calibrate
from lsakit.irt.classical import classical
from lsakit.irt.dif import DifOptions, dif
from lsakit.irt.item_fit import FitOptions, item_fit
from lsakit.irt.mean_squares import known_ability_sums, mean_squares
from lsakit.irt.posteriors import read_answered
from lsakit.irt.reliability import reliability

EXPECTED: dict[str, Any] = json.loads((Path(__file__).parent / "expected.json").read_text())
PLAIN = DifOptions(purification="none")
FILES = {"LSAT7": ("LSAT7_expanded.csv", 0), "SAT12": ("SAT12_scored.csv", 0), "Science": ("Science.csv", 1)}
FOLDER = {"fims": "fims_dif_country", "idn": "idn2012_dif_gender"}
REFERENCE = {"fims": "AUS", "idn": "Male"}


def classic(shared: Path, name: str) -> pl.DataFrame:
    """One of the classic data sets."""
    file, least = FILES[name]
    return pl.read_csv(shared / "data" / "classic_irt" / file) - least


def stored(shared: Path, which: str, name: str) -> dict[str, Any]:
    """A stored result of a DIF program."""
    path = shared / "reference" / FOLDER[which] / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text())["result"]
    return found


def groups_of(shared: Path, which: str) -> pl.DataFrame:
    """FIMS (complete two-category cases) or Indonesia, with the column g."""
    items = stored(shared, which, "difMH_correctTRUE")["item"]
    if which == "fims":
        data = pl.read_csv(shared / "data" / "fims_aus_jpn" / "items.csv", null_values=["NA"])
        data = data.select([*items, "country"]).drop_nulls()
        label = pl.when(pl.col("country") == 1).then(pl.lit("AUS")).otherwise(pl.lit("JPN"))
        return data.with_columns(g=label).drop("country")
    data = pl.read_csv(shared / "data" / "pisa2012_idn_booklet" / "items.csv")
    right = [(pl.col(name) == "Score 1").cast(pl.Int64).alias(name) for name in items]
    return data.select(*right, pl.col("st04q01").alias("g"))


@pytest.mark.parametrize("name", list(FILES))
def test_alpha_omega_and_item_rest_agree_with_psych_and_base_r(shared: Path, name: str) -> None:
    found, peer = classical(classic(shared, name)), EXPECTED["classical"][name]
    assert found.alpha == pytest.approx(peer["alpha"], abs=1e-9)
    assert found.items["alpha_without"].to_numpy() == pytest.approx(peer["alpha_without"], abs=1e-9)
    assert found.items["item_rest"].to_numpy() == pytest.approx(peer["r_drop"], abs=1e-9)
    assert found.items["item_rest"].to_numpy() == pytest.approx(peer["cor_rest"], abs=1e-9)
    assert found.omega == pytest.approx(peer["omega"], abs=2e-4)


@pytest.mark.parametrize("name", ["LSAT7", "SAT12"])
def test_mean_squares_agree_with_erm(shared: Path, name: str) -> None:
    data, peer = classic(shared, name), EXPECTED["rasch"][name]
    table = {"item": data.columns, "slope": [1.0] * data.width, "difficulty": peer["difficulty"]}
    known = data.with_columns(known=pl.Series(peer["theta"], dtype=pl.Float64))
    cal = Calibration.from_items(table)
    options = FitOptions(ability="known", with_q3=False, with_score_test=False)
    found = item_fit(cal, known, options=options).items
    assert found["infit"].to_numpy() == pytest.approx(peer["item_infit"], abs=1e-9)
    assert found["outfit"].to_numpy() == pytest.approx(peer["item_outfit"], abs=1e-9)
    theta = np.array([np.nan if one is None else one for one in peer["theta"]])
    _, by_student = known_ability_sums(read_answered(cal, data), theta)
    rows = np.array(peer["persons"]) - 1
    squares = mean_squares(by_student[rows])
    assert squares.infit == pytest.approx(peer["person_infit"], abs=1e-9)
    assert squares.outfit == pytest.approx(peer["person_outfit"], abs=1e-9)


@pytest.mark.parametrize("which", list(FOLDER))
def test_mantel_haenszel_agrees_with_difr_and_base_r(shared: Path, which: str) -> None:
    data = groups_of(shared, which)
    found = dif(data, "g", "mh", reference=REFERENCE[which], options=PLAIN).table
    difr, base = stored(shared, which, "difMH_correctTRUE"), EXPECTED[which]
    for peer in (difr["MH"], base["corrected"]):
        assert found["chi_square"].to_numpy() == pytest.approx(peer, rel=1e-9)
    for peer in (difr["alphaMH"], base["odds"]):
        assert found["odds_ratio"].to_numpy() == pytest.approx(peer, rel=1e-9)
    assert found["d_dif"].to_numpy() == pytest.approx(difr["deltaMH"], abs=1e-9)
    assert (found["se"] / 2.35).to_numpy() ** 2 == pytest.approx(difr["varLambda"], rel=1e-9)
    assert found["p"].to_numpy() == pytest.approx(base["p"], abs=1e-12)
    plain = replace(PLAIN, continuity=0.0)
    found = dif(data, "g", "mh", reference=REFERENCE[which], options=plain).table
    for peer in (stored(shared, which, "difMH_correctFALSE")["MH"], base["plain"]):
        assert found["chi_square"].to_numpy() == pytest.approx(peer, rel=1e-9)


@pytest.mark.parametrize("which", list(FOLDER))
def test_standardization_and_breslow_day_agree_with_difr(shared: Path, which: str) -> None:
    found = dif(groups_of(shared, which), "g", "mh", reference=REFERENCE[which], options=PLAIN).table
    assert found["std_p_dif"].to_numpy() == pytest.approx(stored(shared, which, "difStd")["PDIF"], abs=1e-12)
    peer = stored(shared, which, "difBD")["BD"]
    assert found["breslow_day"].to_numpy() == pytest.approx([row["V1"] for row in peer], abs=6e-5)
    assert found["breslow_day_df"].to_list() == [row["V2"] for row in peer]


def test_purified_mantel_haenszel_agrees_with_difr(shared: Path) -> None:
    # difR takes every significant item out, and ended after twenty rounds without standing still.
    options = DifOptions(purification="iterate", purify_by="significant")
    found = dif(groups_of(shared, "idn"), "g", "mh", reference="Male", options=options)
    peer = stored(shared, "idn", "difMH_purified")
    assert found.table["chi_square"].to_numpy() == pytest.approx(peer["MH"], rel=1e-9)
    assert found.table["odds_ratio"].to_numpy() == pytest.approx(peer["alphaMH"], rel=1e-9)
    assert found.purified["Female"][1:] == (20, False)


def test_generalized_mantel_haenszel_agrees_with_base_r(shared: Path) -> None:
    data = classic(shared, "Science")
    parity = ["odd" if row % 2 == 0 else "even" for row in range(data.height)]
    found = dif(data.with_columns(g=pl.Series(parity)), "g", "mh", options=PLAIN).table
    assert found["generalized"].to_numpy() == pytest.approx(EXPECTED["science_odd_even"], rel=1e-9)
    assert found["generalized_df"].to_list() == [3] * 4


@pytest.mark.parametrize("which", list(FOLDER))
def test_logistic_regression_agrees_with_difr_and_base_r(shared: Path, which: str) -> None:
    found = dif(groups_of(shared, which), "g", "logistic", reference=REFERENCE[which], options=PLAIN).table
    base = EXPECTED[which]
    files = {"uniform": "udif", "nonuniform": "nudif", "both": "both"}
    for name, file in files.items():
        difr = stored(shared, which, f"difLogistic_{file}_LRT")
        for peer in (difr["stat"], base[name]):
            assert found[name].to_numpy() == pytest.approx(peer, abs=1e-8)
    assert found["r2_uniform"].to_numpy() == pytest.approx(base["r2_uniform"], abs=1e-10)
    assert found["r2_both"].to_numpy() == pytest.approx(base["r2_both"], abs=1e-10)
    assert found["group_effect"].to_numpy() == pytest.approx(base["group_effect"], abs=1e-6)
    assert found["interaction"].to_numpy() == pytest.approx(base["interaction"], abs=1e-6)


def test_proportional_odds_agree_with_mass(shared: Path) -> None:
    """polr stops at 1e-15 of the deviance, which leaves its estimates some 1e-6 from the maximum."""
    peer = json.loads((Path(__file__).parent / "expected_ordinal.json").read_text())
    data = classic(shared, "Science")
    parity = ["odd" if row % 2 == 0 else "even" for row in range(data.height)]
    found = dif(data.with_columns(g=pl.Series(parity)), "g", "logistic", options=PLAIN).table
    for name in ("uniform", "nonuniform", "both"):
        assert found[name].to_numpy() == pytest.approx(peer[name], abs=1e-8)
    for name in ("r2_uniform", "r2_both"):
        assert found[name].to_numpy() == pytest.approx(peer[name], abs=1e-10)
    for name in ("group_effect", "interaction"):
        assert found[name].to_numpy() == pytest.approx(peer[name], abs=1e-5)


def test_likelihood_ratio_agrees_with_mirt(shared: Path) -> None:
    options = DifOptions(model="2pl", calibration=CalibrationOptions(n_nodes=61))
    found = dif(groups_of(shared, "idn"), "g", "irt", reference="Female", options=options).table
    peer = stored(shared, "idn", "mirt_DIF_drop_a1d")["DIF"]
    assert found["statistic"].to_numpy() == pytest.approx([row["X2"] for row in peer], abs=1e-3)
    assert found["df"].to_list() == [row["df"] for row in peer]


@pytest.mark.slow
def test_likelihood_ratio_agrees_with_mirt_on_fims(shared: Path) -> None:
    options = DifOptions(model="2pl", calibration=CalibrationOptions(n_nodes=61))
    found = dif(groups_of(shared, "fims"), "g", "irt", reference="AUS", options=options).table
    peer = stored(shared, "fims", "mirt_DIF_drop_a1d")["DIF"]
    assert found["statistic"].to_numpy() == pytest.approx([row["X2"] for row in peer], abs=0.02)


def test_s_x2_agrees_with_mirt(shared: Path) -> None:
    data = classic(shared, "LSAT7")
    cal = calibrate(data, model="2pl", options=CalibrationOptions(n_nodes=61, tolerance=1e-8))
    found = item_fit(cal, data, options=FitOptions(with_q3=False)).items
    # The values that mirt's own tests hold it to (tests/testthat/test-01-mirtOne.R), within 0.01 there as here.
    assert found["s_x2"].to_numpy() == pytest.approx(
        [4.749440, 14.451071, 1.270381, 5.237400, 0.941125], abs=0.01
    )
    assert found["s_x2_df"].to_list() == [2] * 5


def test_rmsd_agrees_with_mirt(shared: Path) -> None:
    folder = shared / "reference" / "pisa2022_read_6cnt"
    peer = json.loads((folder / "mirt_mg2pl.json").read_text())["result"]
    theirs = json.loads((folder / "mirt_RMSD_DIF.json").read_text())["result"]
    items = peer["items"]
    cal = Calibration.from_items(
        {
            "item": [row["item"] for row in items],
            "slope": [row["a1"] for row in items],
            "difficulty": [-row["d"] / row["a1"] for row in items],
        }
    )
    groups = {"group": list(theirs), "mean": np.array(peer["means"], float), "sd": np.sqrt(peer["vars"])}
    cal = replace(cal, group="CNT", groups=pl.DataFrame(groups))
    file = shared / "data" / "pisa2022_read_items" / "pisa2022_read_6cnt.csv.gz"
    data = pl.read_csv(file, null_values=["NA", ""], infer_schema_length=None)
    found = item_fit(cal, data, options=FitOptions(with_q3=False, with_score_test=False)).groups
    n_compared = 0
    for country, rows in theirs.items():
        own = found.filter(pl.col("group") == country)
        expected = {row["item"]: row.get("P.1") for row in rows}
        for item, rmsd, n in own.select("item", "rmsd", "n").iter_rows():
            if isinstance(expected.get(item), float) and n >= 30:
                assert rmsd == pytest.approx(expected[item], abs=2e-4), (country, item)
                n_compared += 1
    assert n_compared > 1000


@pytest.mark.parametrize("model", ["rasch", "2pl"])
def test_reliabilities_agree_with_tam_and_mirt(shared: Path, model: str) -> None:
    data = pl.read_csv(shared / "data" / "timss2011_g4_aut" / "items_math_scored.csv", null_values=["NA"])
    folder = shared / "reference" / "timss2011_g4_aut_math"
    tam = json.loads((folder / f"TAM_{model}.json").read_text())["result"]
    mirt = json.loads((folder / f"mirt_{model}.json").read_text())["result"]["reliability"]
    options = CalibrationOptions(n_nodes=61, standard_errors="none")
    answers = data[:, 17:191]
    cal = calibrate(answers, model=model, options=options)
    eap = reliability(score(cal, answers, method="eap"), method="eap").value
    assert eap == pytest.approx(tam["EAP.rel"], abs=5e-5)
    assert eap == pytest.approx(mirt["EAP"], abs=5e-5)
    wle = reliability(score(cal, answers, method="wle"), method="wle")
    assert wle.value == pytest.approx(tam["WLE.rel"], abs=5e-5)
    # mirt's number is the other formula, Var / (Var + mean SE2), on its own errors, which differ by a percent.
    assert wle.variance / (wle.variance + wle.error_variance) == pytest.approx(mirt["WLE"], abs=0.01)
