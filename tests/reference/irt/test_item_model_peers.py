"""3PL, graded, nominal and several groups against mirt and TAM; tolerances stand in README.md beside this file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from lsakit.irt.ability import score
from lsakit.irt.calibration import CalibrationOptions, Prior, calibrate
from lsakit.irt.packs import probability_table

OPTIONS = CalibrationOptions(n_nodes=61, tolerance=1e-8)


def result(path: Path) -> dict[str, Any]:
    """Read the result of a peer."""
    found: dict[str, Any] = json.loads(path.read_text())["result"]
    return found


def column(peer: dict[str, Any], names: list[str], part: str, key: str) -> np.ndarray:
    """One parameter or standard error of all items."""
    return np.array([peer["items"][name][part][key] for name in names], dtype=float)


@pytest.mark.parametrize("model", ["graded", "nominal"])
def test_science_agrees_with_mirt(shared: Path, model: str) -> None:
    responses = pl.read_csv(shared / "data" / "classic_irt" / "Science.csv") - 1
    peer = result(shared / "reference" / "classic_irt" / f"Science_mirt_{model}.json")
    cal = calibrate(responses, model=model, options=OPTIONS)
    assert cal.loglik == pytest.approx(peer["logLik"], abs=1e-6)
    names = cal.items["item"].to_list()
    assert cal.items["slope"].to_numpy() == pytest.approx(column(peer, names, "par", "a1"), abs=2e-4)
    assert cal.items["se_slope"].to_numpy() == pytest.approx(column(peer, names, "SE", "a1"), rel=1e-3)
    for k in (1, 2, 3):
        theirs = column(peer, names, "par", f"d{k}")
        assert cal.parameters.intercepts[:, k - 1] == pytest.approx(theirs, abs=5e-4)
    if model == "nominal":
        for k in (1, 2):
            assert cal.items[f"score_{k}"].to_numpy() == pytest.approx(
                column(peer, names, "par", f"ak{k}"), abs=1e-4
            )
            errors = column(peer, names, "SE", f"ak{k}")
            assert cal.items[f"se_score_{k}"].to_numpy() == pytest.approx(errors, rel=1e-3)
    eap = score(cal, responses.head(50), method="eap")
    theirs = np.array(peer["EAP_head"])
    assert eap["theta"].to_numpy() == pytest.approx(theirs[:, 0], abs=5e-5)
    assert eap["se"].to_numpy() == pytest.approx(theirs[:, 1], abs=5e-5)
    if "WLE_head" in peer:
        wle = score(cal, responses.head(50), method="wle")["theta"].to_numpy()
        assert wle == pytest.approx(np.array(peer["WLE_head"])[:, 0], abs=5e-5)


def test_sat12_3pl_with_a_prior_agrees_with_mirt(shared: Path) -> None:
    responses = pl.read_csv(shared / "data" / "classic_irt" / "SAT12_scored.csv")
    peer = result(shared / "reference" / "classic_irt" / "SAT12_mirt_3PL_prior.json")
    prior = Prior(parameter="guessing", distribution="normal", numbers=(-1.5, 0.5))
    cal = calibrate(
        responses, model="3pl", options=CalibrationOptions(n_nodes=61, tolerance=1e-8, priors=(prior,))
    )
    assert cal.loglik + cal.log_prior == pytest.approx(peer["logLik"] + peer["logPrior"], abs=1e-6)
    assert cal.loglik + cal.log_prior >= peer["logLik"] + peer["logPrior"] - 1e-9
    assert cal.n_iterations < 60  # mirt needs 9,597
    names = cal.items["item"].to_list()
    assert cal.items["slope"].to_numpy() == pytest.approx(column(peer, names, "par", "a1"), abs=5e-4)
    assert cal.parameters.intercepts[:, 0] == pytest.approx(column(peer, names, "par", "d"), abs=1e-3)
    assert cal.parameters.extra[:, 0] == pytest.approx(column(peer, names, "par", "logit(g)"), abs=1e-4)
    assert cal.items["se_slope"].to_numpy() == pytest.approx(column(peer, names, "SE", "a1"), rel=5e-4)
    guessing = cal.items["guessing"].to_numpy()
    on_logit = cal.items["se_guessing"].to_numpy() / (guessing * (1 - guessing))
    assert on_logit == pytest.approx(column(peer, names, "SE", "logit(g)"), rel=1e-4)
    eap = score(cal, responses.head(50), method="eap")["theta"].to_numpy()
    assert eap == pytest.approx(np.array(peer["EAP_head"])[:, 0], abs=5e-5)
    # mirt's WLE of a 3PL maximises log L + log(I)/2, which is not Warm's equation; that maximum is theirs.
    grid = np.linspace(-6, 6, 24_001)
    chance = probability_table(cal.parameters, grid)[1::2]
    slope = np.gradient(chance, grid, axis=1)
    information = (slope**2 / (chance * (1 - chance))).sum(axis=0)
    codes = responses.head(50).select(names).to_numpy()
    value = codes @ np.log(chance) + (1 - codes) @ np.log(1 - chance) + 0.5 * np.log(information)
    assert grid[value.argmax(axis=1)] == pytest.approx(np.array(peer["WLE_head"])[:, 0], abs=1e-3)


@pytest.fixture(scope="module")
def pisa(shared: Path) -> pl.DataFrame:
    """PISA 2022 reading, six countries, the 183 items with at least 200 responses, with senate weights."""
    file = shared / "data" / "pisa2022_read_items" / "pisa2022_read_6cnt.csv.gz"
    data = pl.read_csv(file, infer_schema_length=None, null_values=["NA"])
    items = [name for name in data.columns[2:] if data[name].count() >= 200]
    senate = pl.col("W_FSTUWT") * 500 / pl.col("W_FSTUWT").sum().over("CNT")
    return data.select("CNT", senate.alias("senate"), *items)


@pytest.mark.parametrize("name", ["TAM_mg2pl_unweighted", "TAM_mg2pl_senate", "mirt_mg2pl"])
def test_pisa_countries_agree_with_tam_and_mirt(shared: Path, pisa: pl.DataFrame, name: str) -> None:
    peer = result(shared / "reference" / "pisa2022_read_6cnt" / f"{name}.json")
    cal = calibrate(
        pisa,
        model="2pl",
        group="CNT",
        weights="senate" if "senate" in name else None,
        items=pisa.columns[2:],
        options=CalibrationOptions(tolerance=1e-7, standard_errors="none"),
    )
    # The peers stop earlier, so ours is never lower; mirt stopped at 1e-4.
    loose = name.startswith("mirt")
    assert -1e-6 <= cal.loglik - peer["logLik"] < (1e-2 if loose else 1e-3)
    means, variances = ("means", "vars") if loose else ("beta", "variance")
    assert cal.groups["mean"].to_numpy() == pytest.approx(peer[means], abs=3e-3 if loose else 5e-4)
    assert cal.groups["sd"].to_numpy() ** 2 == pytest.approx(peer[variances], abs=1e-3 if loose else 5e-4)
    slopes = [row["a1"] for row in peer["items"]] if loose else [row["alpha"] for row in peer["item_irt"]]
    assert cal.items["slope"].to_numpy() == pytest.approx(slopes, abs=1e-3)


FIMS = "1 2 3 6 7 11 12 14 17 18 19 21 22 23"


@pytest.mark.parametrize("folder", ["fims_dif_country", "idn2012_dif_gender"])
def test_rasch_in_two_groups_agrees_with_tam_and_mirt(shared: Path, folder: str) -> None:
    if folder.startswith("fims"):
        data = pl.read_csv(shared / "data" / "fims_aus_jpn" / "items.csv", null_values=["NA"])
        items = [f"M1PTI{k}" for k in FIMS.split()]
        data, group = data.select(*items, "country").drop_nulls(), "country"
    else:
        data = pl.read_csv(shared / "data" / "pisa2012_idn_booklet" / "items.csv", null_values=["NA"])
        items, group = data.columns[2:], "st04q01"
        data = data.select(group, *(pl.col(name).eq("Score 1").cast(pl.Int8) for name in items))
    tam, mirt = (
        result(shared / "reference" / folder / f"{peer}_multigroup_rasch.json") for peer in ("TAM", "mirt")
    )
    cal = calibrate(data, model="rasch", group=group, items=items, options=OPTIONS)
    assert cal.loglik == pytest.approx(mirt["logLik"], abs=2e-5)
    assert cal.loglik == pytest.approx(
        tam["logLik"], abs=1e-2
    )  # TAM does not renormalise the normal on its nodes
    pars = list(mirt["GroupPars"].values())
    assert cal.groups["mean"].to_list() == pytest.approx([one[0] for one in pars], abs=2e-5)
    assert (cal.groups["sd"] ** 2).to_list() == pytest.approx([one[1] for one in pars], abs=2e-5)
    assert cal.groups["mean"].to_list() == pytest.approx(tam["beta"], abs=2e-5)
    assert cal.items["difficulty"].to_list() == pytest.approx([-d for d in mirt["d"]], abs=2e-5)
    assert cal.items["difficulty"].to_list() == pytest.approx([row["xsi"] for row in tam["xsi"]], abs=2e-5)
