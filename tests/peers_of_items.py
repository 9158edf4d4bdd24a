"""Every stored result of a peer program on items, compared with ours: one list for the test and for the page.

    python tests/peers_of_items.py <folder of shared data>     writes docs/algorithms/agreement_with_peers.md

Each row says data set, quantity, peer, largest difference, tolerance and why the tolerance is what it is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lsakit.irt.ability import score
from lsakit.irt.calibration import Calibration, CalibrationOptions, Prior, calibrate
from lsakit.irt.dif import DifOptions, dif
from lsakit.irt.facets import calibrate_facets
from lsakit.irt.item_fit import FitOptions, item_fit
from lsakit.irt.reliability import reliability

PAGE = Path(__file__).resolve().parent.parent / "docs" / "algorithms" / "agreement_with_peers.md"
FOLDERS = (
    "classic_irt",
    "fims_dif_country",
    "idn2012_dif_gender",
    "pisa2022_read_6cnt",
    "timss2011_g4_aut_math",
)
STRICT = CalibrationOptions(n_nodes=61, tolerance=1e-8)
PLAIN = DifOptions(purification="none")
SAME = "the same arithmetic"
STOP = "the peer's stopping rule on a flat likelihood"
NOT_COMPARED = {
    "fims_dif_country/difMH_purified.json": "difR found DIF in every item and has no number",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison."""

    data: str
    quantity: str
    peer: str
    file: str
    difference: float
    tolerance: float
    why: str


def result(shared: Path, file: str) -> dict[str, Any]:
    """Result of a peer."""
    found: dict[str, Any] = json.loads((shared / "reference" / file).read_text())["result"]
    return found


def gap(mine: Any, theirs: Any, *, relative: bool = False) -> float:
    """Largest difference, absolute or relative."""
    one, other = np.asarray(mine, dtype=float).ravel(), np.asarray(theirs, dtype=float).ravel()
    assert one.shape == other.shape, (one.shape, other.shape)
    assert np.isfinite(other).all()
    away = np.abs(one - other)
    return float((away / np.abs(other)).max() if relative else away.max())


CLASSIC = {
    "LSAT7_mirt_2PL": ("LSAT7_expanded.csv", 0, "2pl"),
    "LSAT7_mirt_Rasch": ("LSAT7_expanded.csv", 0, "rasch"),
    "SAT12_mirt_2PL": ("SAT12_scored.csv", 0, "2pl"),
    "Science_mirt_Rasch": ("Science.csv", 1, "pcm"),
    "Science_mirt_gpcm": ("Science.csv", 1, "gpcm"),
    "Science_mirt_graded": ("Science.csv", 1, "graded"),
    "Science_mirt_nominal": ("Science.csv", 1, "nominal"),
}


@cache
def classic(shared: Path, data: str, least: int, model: str) -> tuple[pl.DataFrame, Calibration]:
    """One of the classic data sets, calibrated."""
    responses = pl.read_csv(shared / "data" / "classic_irt" / data) - least
    return responses, calibrate(responses, model, options=STRICT)


def mirt_column(peer: dict[str, Any], cal: Calibration, part: str, key: str) -> np.ndarray:
    """One parameter or standard error of all items; NaN where an item has none."""
    rows = [peer["items"][name][part].get(key) for name in cal.parameters.names]
    return np.array([np.nan if value is None else value for value in rows], dtype=float)


def classic_mirt(shared: Path) -> Iterator[Row]:
    """Classic data against mirt."""
    for stem, (data, least, model) in CLASSIC.items():
        file = f"classic_irt/{stem}.json"
        peer = result(shared, file)
        responses, cal = classic(shared, data, least, model)
        of: dict[str, Any] = {"data": f"{stem.split('_')[0]}, {model}", "peer": "mirt 1.45.1", "file": file}
        yield Row(
            quantity="log-likelihood",
            difference=gap(cal.loglik, peer["logLik"]),
            tolerance=1e-6,
            why=STOP,
            **of,
        )
        steps = int(cal.parameters.n_steps.max())
        for k in range(steps):
            theirs = mirt_column(peer, cal, "par", "d" if steps == 1 else f"d{k + 1}")
            mine = cal.parameters.intercepts[:, k]
            yield Row(
                quantity=f"intercept {k + 1}", difference=gap(mine, theirs), tolerance=5e-4, why=STOP, **of
            )
        if model not in ("rasch", "pcm"):
            theirs = mirt_column(peer, cal, "par", "a1")
            mine = cal.items["slope"].to_numpy()
            yield Row(quantity="slopes", difference=gap(mine, theirs), tolerance=2e-4, why=STOP, **of)
            theirs = mirt_column(peer, cal, "SE", "a1")
            mine = cal.items["se_slope"].to_numpy()
            away = gap(mine, theirs, relative=True)
            why = "Louis and Oakes are one matrix; carried through from the parameters"
            yield Row(quantity="errors of slopes, relative", difference=away, tolerance=1e-3, why=why, **of)
        if model == "nominal":
            for k in (1, 2):
                theirs = mirt_column(peer, cal, "par", f"ak{k}")
                mine = cal.items[f"score_{k}"].to_numpy()
                yield Row(quantity=f"score {k}", difference=gap(mine, theirs), tolerance=1e-4, why=STOP, **of)
        if model == "rasch":
            theirs = mirt_column(peer, cal, "SE", "d")
            away = gap(cal.items["se_difficulty"].to_numpy(), theirs, relative=True)
            yield Row(
                quantity="errors of difficulties, relative", difference=away, tolerance=1e-4, why=STOP, **of
            )
        variance = peer["items"]["GroupPars"]["par"]["COV_11"]
        away = gap(cal.groups["sd"][0] ** 2, variance)
        yield Row(quantity="variance", difference=away, tolerance=5e-5, why=STOP, **of)
        head = np.array(peer["EAP_head"])
        eap = score(cal, responses.head(len(head)), "eap")
        yield Row(quantity="EAP", difference=gap(eap["theta"], head[:, 0]), tolerance=5e-5, why=STOP, **of)
        yield Row(quantity="SD of EAP", difference=gap(eap["se"], head[:, 1]), tolerance=5e-5, why=STOP, **of)
        whole = reliability(score(cal, responses, "eap"), method="eap").value
        away = gap(whole, peer["EAP_rxx"])
        yield Row(
            quantity="reliability of EAP", difference=away, tolerance=2e-3, why="mirt divides by n − 1", **of
        )
        if "WLE_head" in peer:
            head = np.array(peer["WLE_head"])
            wle = score(cal, responses.head(len(head)), "wle")
            away = gap(wle["theta"], head[:, 0])
            yield Row(quantity="WLE", difference=away, tolerance=1e-3, why="mirt searches WLE to 10⁻³", **of)


def classic_others(shared: Path) -> Iterator[Row]:
    """Classic data against TAM, ltm, eRm, and mirt's 3PL."""
    for model in ("pcm", "gpcm"):
        file = f"classic_irt/Science_TAM_{model}.json"
        peer = result(shared, file)
        responses, cal = classic(shared, "Science.csv", 1, model)
        of: dict[str, Any] = {"data": f"Science, {model}", "peer": "TAM 4.3-25", "file": file}
        yield Row(
            quantity="log-likelihood",
            difference=gap(cal.loglik, peer["logLik"]),
            tolerance=2e-6,
            why=STOP,
            **of,
        )
        for mine, theirs, sign in (("slope", "alpha", 1), ("difficulty", "beta", 1)):
            away = gap(cal.items[mine], [sign * row[theirs] for row in peer["item_irt"]])
            yield Row(quantity=mine, difference=away, tolerance=2e-4, why=STOP, **of)
        for k in (1, 2, 3):
            away = gap(cal.items[f"step_{k}"], [-row[f"tau.Cat{k}"] for row in peer["item_irt"]])
            yield Row(quantity=f"step {k}", difference=away, tolerance=4e-4, why=STOP, **of)
        n = len(peer["EAP"])
        eap, wle = (score(cal, responses.head(n), how) for how in ("eap", "wle"))
        yield Row(quantity="EAP", difference=gap(eap["theta"], peer["EAP"]), tolerance=5e-5, why=STOP, **of)
        yield Row(quantity="WLE", difference=gap(wle["theta"], peer["WLE"]), tolerance=3e-4, why=STOP, **of)
        yield Row(
            quantity="error of WLE", difference=gap(wle["se"], peer["WLE_SE"]), tolerance=3e-4, why=STOP, **of
        )
        for how, theirs in (("eap", "EAP.rel"), ("wle", "WLE.rel")):
            value = reliability(score(cal, responses, how), method=how).value
            away = gap(value, peer[theirs])
            why = "TAM divides the variance of WLE by n − 1"
            yield Row(
                quantity=f"reliability of {how.upper()}", difference=away, tolerance=1.5e-3, why=why, **of
            )
    yield from _ltm(shared)
    yield from _erm(shared)
    yield from _mirt_3pl(shared)


def _ltm(shared: Path) -> Iterator[Row]:
    file = "classic_irt/LSAT7_ltm_2PL.json"
    peer = result(shared, file)
    _, cal = classic(shared, "LSAT7_expanded.csv", 0, "2pl")
    of: dict[str, Any] = {"data": "LSAT7, 2pl", "peer": "ltm 1.2.0", "file": file}
    why = "Gauss–Hermite against equal nodes; ltm's optimiser stops at 10⁻³ of its gradient"
    yield Row(
        quantity="log-likelihood", difference=gap(cal.loglik, peer["logLik"]), tolerance=2e-5, why=why, **of
    )
    for mine, theirs in (("slope", "Dscrmn"), ("difficulty", "Dffclt")):
        away = gap(cal.items[mine], [row[theirs] for row in peer["coef"]])
        yield Row(quantity=mine, difference=away, tolerance=2e-3, why=why, **of)
        errors = [row["std.err"] for row in peer["se"] if row["par"].startswith(theirs)]
        away = gap(cal.items[f"se_{mine}"], errors, relative=True)
        yield Row(quantity=f"error of {mine}, relative", difference=away, tolerance=3e-3, why=why, **of)
    file = "classic_irt/LSAT7_ltm_rasch_equal_slope.json"
    peer = result(shared, file)
    _, cal = classic(shared, "LSAT7_expanded.csv", 0, "rasch")
    of = {"data": "LSAT7, rasch", "peer": "ltm 1.2.0", "file": file}
    values = {row["par"]: row["value"] for row in peer["coef"]}
    yield Row(
        quantity="log-likelihood", difference=gap(cal.loglik, peer["logLik"]), tolerance=2e-5, why=why, **of
    )
    sd = float(cal.groups["sd"][0])  # one common slope with SD 1 is the Rasch model with its SD free
    yield Row(quantity="SD as slope", difference=gap(sd, values["Dscrmn"]), tolerance=2e-3, why=why, **of)
    theirs = [values[f"Dffclt.{name}"] for name in cal.parameters.names]
    away = gap(cal.items["difficulty"].to_numpy() / sd, theirs)
    yield Row(quantity="difficulty over SD", difference=away, tolerance=2e-3, why=why, **of)


def _erm(shared: Path) -> Iterator[Row]:
    file = "classic_irt/LSAT7_eRm_RM_CML.json"
    peer = result(shared, file)
    _, cal = classic(shared, "LSAT7_expanded.csv", 0, "rasch")
    of: dict[str, Any] = {"data": "LSAT7, rasch", "peer": "eRm 1.0-10", "file": file}
    why = "conditional against marginal likelihood: another estimator, a tenth of a standard error allowed"
    own = cal.items["difficulty"].to_numpy()
    theirs = -np.array([peer["beta"][f"beta {name}"] for name in cal.parameters.names])
    away = gap(own - own.mean(), theirs)
    yield Row(quantity="difficulty, centered", difference=away, tolerance=0.007, why=why, **of)


def _mirt_3pl(shared: Path) -> Iterator[Row]:
    file = "classic_irt/SAT12_mirt_3PL_prior.json"
    peer = result(shared, file)
    responses = pl.read_csv(shared / "data" / "classic_irt" / "SAT12_scored.csv")
    prior = Prior(parameter="guessing", distribution="normal", numbers=(-1.5, 0.5))
    cal = calibrate(responses, "3pl", options=replace(STRICT, priors=(prior,)))
    of: dict[str, Any] = {"data": "SAT12, 3pl with prior", "peer": "mirt 1.45.1", "file": file}
    away = gap(cal.loglik + cal.log_prior, peer["logLik"] + peer["logPrior"])
    yield Row(quantity="log posterior", difference=away, tolerance=1e-6, why=STOP, **of)
    why = "mirt's EM stopped after 9,597 steps"
    for quantity, mine, key, tolerance in (
        ("slopes", cal.parameters.slope, "a1", 1e-3),
        ("intercepts", cal.parameters.intercepts[:, 0], "d", 1e-3),
        ("logits of guessing", cal.parameters.extra[:, 0], "logit(g)", 1e-4),
    ):
        theirs = mirt_column(peer, cal, "par", key)
        yield Row(quantity=quantity, difference=gap(mine, theirs), tolerance=tolerance, why=why, **of)
    away = gap(cal.items["se_slope"], mirt_column(peer, cal, "SE", "a1"), relative=True)
    yield Row(quantity="errors of slopes, relative", difference=away, tolerance=1e-3, why=why, **of)
    head = np.array(peer["EAP_head"])
    away = gap(score(cal, responses.head(len(head)), "eap")["theta"], head[:, 0])
    yield Row(quantity="EAP", difference=away, tolerance=5e-5, why=why, **of)


REFERENCE = {"fims_dif_country": ("AUS", "JPN"), "idn2012_dif_gender": ("Male", "Female")}


@cache
def grouped(shared: Path, folder: str) -> pl.DataFrame:
    """FIMS (complete two-category cases) or PISA 2012 Indonesia, with the column g."""
    items = result(shared, f"{folder}/difMH_correctTRUE.json")["item"]
    if folder.startswith("fims"):
        data = pl.read_csv(shared / "data" / "fims_aus_jpn" / "items.csv", null_values=["NA"])
        data = data.select([*items, "country"]).drop_nulls()
        label = pl.when(pl.col("country") == 1).then(pl.lit("AUS")).otherwise(pl.lit("JPN"))
        return data.with_columns(g=label).drop("country")
    data = pl.read_csv(shared / "data" / "pisa2012_idn_booklet" / "items.csv")
    right = [(pl.col(name) == "Score 1").cast(pl.Int64).alias(name) for name in items]
    return data.select(*right, pl.col("st04q01").alias("g"))


def two_groups(shared: Path) -> Iterator[Row]:
    """Two groups: calibration and DIF."""
    for folder, (reference, focal) in REFERENCE.items():
        data = grouped(shared, folder)
        first = sorted((reference, focal))[0]
        name = "FIMS" if folder.startswith("fims") else "PISA 2012 Indonesia"
        cal = calibrate(data, "rasch", "g", options=replace(STRICT, reference_group=first))
        yield from _multigroup(shared, folder, name, cal)
        yield from _facets(shared, folder, name, data, first)
        yield from _score_dif(shared, folder, name, data, reference)
        yield from _likelihood_dif(shared, folder, name, data, first)


def _multigroup(shared: Path, folder: str, name: str, cal: Calibration) -> Iterator[Row]:
    mean, variance = cal.groups["mean"].to_numpy(), cal.groups["sd"].to_numpy() ** 2
    file = f"{folder}/mirt_multigroup_rasch.json"
    peer = result(shared, file)
    of: dict[str, Any] = {"data": f"{name}, two groups, rasch", "peer": "mirt 1.45.1", "file": file}
    pars = np.array(list(peer["GroupPars"].values()))
    yield Row(
        quantity="log-likelihood", difference=gap(cal.loglik, peer["logLik"]), tolerance=2e-5, why=STOP, **of
    )
    yield Row(quantity="means", difference=gap(mean, pars[:, 0]), tolerance=2e-5, why=STOP, **of)
    yield Row(quantity="variances", difference=gap(variance, pars[:, 1]), tolerance=2e-5, why=STOP, **of)
    away = gap(cal.items["difficulty"], [-one for one in peer["d"]])
    yield Row(quantity="difficulties", difference=away, tolerance=2e-5, why=STOP, **of)
    file = f"{folder}/TAM_multigroup_rasch.json"
    peer = result(shared, file)
    of = {"data": f"{name}, two groups, rasch", "peer": "TAM 4.3-25", "file": file}
    why = "TAM does not renormalise the normal on its nodes"
    yield Row(
        quantity="log-likelihood", difference=gap(cal.loglik, peer["logLik"]), tolerance=1e-2, why=why, **of
    )
    yield Row(quantity="means", difference=gap(mean, peer["beta"]), tolerance=2e-5, why=STOP, **of)
    away = gap(variance, np.unique(peer["variance"])[np.argsort(np.argsort(variance))])
    yield Row(quantity="variances", difference=away, tolerance=1e-4, why=STOP, **of)
    away = gap(cal.items["difficulty"], [row["xsi"] for row in peer["xsi"]])
    yield Row(quantity="difficulties", difference=away, tolerance=2e-5, why=STOP, **of)


def _facets(shared: Path, folder: str, name: str, data: pl.DataFrame, first: str) -> Iterator[Row]:
    """The item by group model: the group takes the place of the coder."""
    file = f"{folder}/TAM_mfr_item_x_group.json"
    peer = result(shared, file)
    items = [column for column in data.columns if column != "g"]
    long = (
        data.with_columns(student_id=pl.format("s{}", pl.int_range(pl.len())))
        .unpivot(items, index=["student_id", "g"], variable_name="item", value_name="score")
        .rename({"g": "coder"})
    )
    options = replace(STRICT, standard_errors="none")
    found = calibrate_facets(long, interaction=True, options=options)
    of: dict[str, Any] = {"data": f"{name}, item × group", "peer": "TAM 4.3-25 (mfr)", "file": file}
    yield Row(
        quantity="log-likelihood",
        difference=gap(found.calibration.loglik, peer["logLik"]),
        tolerance=2e-2,
        why="TAM does not renormalise the normal on its nodes",
        **of,
    )
    theirs = {row["parameter"]: row["xsi"] for row in peer["xsi"]}
    assert found.interactions is not None
    letter = {first: "AUS" if first == "AUS" else "F"}
    letter |= {other: "JPN" if other == "JPN" else "M" for other in set(data["g"]) - {first}}
    mine, other = [], []
    for row in found.interactions.iter_rows(named=True):
        key = f"{row['item']}:grp{letter[row['coder']]}"
        if key in theirs:
            mine.append(row["interaction"])
            other.append(theirs[key])
    why = "TAM does not renormalise the normal on its nodes"
    yield Row(quantity="interactions", difference=gap(mine, other), tolerance=1e-3, why=why, **of)
    severity = dict(zip(found.severities["coder"], found.severities["severity"], strict=True))
    own = [severity[group] for group in letter]
    away = gap(own, [theirs[f"grp{letter[group]}"] for group in letter])
    yield Row(quantity="group effects", difference=away, tolerance=5e-4, why=STOP, **of)


def _score_dif(shared: Path, folder: str, name: str, data: pl.DataFrame, reference: str) -> Iterator[Row]:
    of: dict[str, Any] = {"data": f"{name}, DIF", "peer": "difR 5.1"}
    found = dif(data, "g", "mh", reference=reference, options=PLAIN).table
    file = f"{folder}/difMH_correctTRUE.json"
    peer = result(shared, file)
    for quantity, mine, theirs in (
        ("Mantel–Haenszel χ², relative", found["chi_square"], peer["MH"]),
        ("odds ratio, relative", found["odds_ratio"], peer["alphaMH"]),
        ("MH D-DIF, relative", found["d_dif"], peer["deltaMH"]),
        ("its variance, relative", (found["se"] / 2.35) ** 2, peer["varLambda"]),
    ):
        away = gap(mine, theirs, relative=True)
        yield Row(quantity=quantity, file=file, difference=away, tolerance=1e-9, why=SAME, **of)
    file = f"{folder}/difMH_correctFALSE.json"
    plain = dif(data, "g", "mh", reference=reference, options=replace(PLAIN, continuity=0.0)).table
    away = gap(plain["chi_square"], result(shared, file)["MH"], relative=True)
    yield Row(
        quantity="χ² without correction, relative", file=file, difference=away, tolerance=1e-9, why=SAME, **of
    )
    file = f"{folder}/difStd.json"
    away = gap(found["std_p_dif"], result(shared, file)["PDIF"])
    yield Row(quantity="STD P-DIF", file=file, difference=away, tolerance=1e-12, why=SAME, **of)
    file = f"{folder}/difBD.json"
    rows = result(shared, file)["BD"]
    away = gap(found["breslow_day"], [row["V1"] for row in rows])
    why = "stored with four decimals"
    yield Row(quantity="Breslow–Day χ²", file=file, difference=away, tolerance=6e-5, why=why, **of)
    logistic = dif(data, "g", "logistic", reference=reference, options=PLAIN).table
    for head, short in (("uniform", "udif"), ("nonuniform", "nudif"), ("both", "both")):
        file = f"{folder}/difLogistic_{short}_LRT.json"
        away = gap(logistic[head], result(shared, file)["stat"])
        why = "glm stops at 10⁻⁸ of the deviance"
        yield Row(quantity=f"logistic, {head}", file=file, difference=away, tolerance=1e-7, why=why, **of)
    file = f"{folder}/difMH_purified.json"
    if file not in NOT_COMPARED:
        options = DifOptions(purification="iterate", purify_by="significant")
        purified = dif(data, "g", "mh", reference=reference, options=options).table
        away = gap(purified["chi_square"], result(shared, file)["MH"], relative=True)
        why = f"{SAME}; difR purifies by significance"
        yield Row(quantity="purified χ², relative", file=file, difference=away, tolerance=1e-9, why=why, **of)


def _likelihood_dif(shared: Path, folder: str, name: str, data: pl.DataFrame, first: str) -> Iterator[Row]:
    file = f"{folder}/mirt_DIF_drop_a1d.json"
    peer = result(shared, file)
    options = DifOptions(model="2pl", calibration=CalibrationOptions(n_nodes=61, standard_errors="none"))
    found = dif(data, "g", "irt", reference=first, options=options).table
    away = gap(found["statistic"], [row["X2"] for row in peer["DIF"]])
    yield Row(
        data=f"{name}, DIF",
        quantity="likelihood ratio of slope and intercept",
        peer="mirt 1.45.1",
        file=file,
        difference=away,
        tolerance=0.02,
        why="twice the difference of two of mirt's maxima, each stopped at 10⁻⁶",
    )


@cache
def pisa(shared: Path) -> pl.DataFrame:
    """PISA 2022 reading, six countries, the 183 items with at least 200 responses, with senate weights."""
    file = shared / "data" / "pisa2022_read_items" / "pisa2022_read_6cnt.csv.gz"
    data = pl.read_csv(file, infer_schema_length=None, null_values=["NA"])
    items = [name for name in data.columns[2:] if data[name].count() >= 200]
    senate = pl.col("W_FSTUWT") * 500 / pl.col("W_FSTUWT").sum().over("CNT")
    return data.select("CNT", senate.alias("senate"), *items)


def six_countries(shared: Path) -> Iterator[Row]:
    """PISA 2022: several groups, with and without weights, and RMSD."""
    data = pisa(shared)
    items = data.columns[2:]
    options = CalibrationOptions(tolerance=1e-7, standard_errors="none")
    for weights, stems in (("senate", ["TAM_mg2pl_senate"]), (None, ["TAM_mg2pl_unweighted", "mirt_mg2pl"])):
        cal = calibrate(data, "2pl", "CNT", weights, items=items, options=options)
        for stem in stems:
            file = f"pisa2022_read_6cnt/{stem}.json"
            peer, loose = result(shared, file), stem.startswith("mirt")
            of: dict[str, Any] = {
                "data": "PISA 2022 reading, 6 countries" + (", senate weights" if weights else ""),
                "peer": "mirt 1.45.1" if loose else "TAM 4.3-25",
                "file": file,
            }
            why = "mirt stopped at 10⁻⁴" if loose else "TAM stopped at 10⁻⁵; ours is the higher likelihood"
            away = gap(cal.loglik, peer["logLik"])
            yield Row(
                quantity="log-likelihood", difference=away, tolerance=1e-2 if loose else 1e-3, why=why, **of
            )
            away = gap(cal.groups["mean"], peer["means" if loose else "beta"])
            yield Row(quantity="means", difference=away, tolerance=3e-3 if loose else 5e-4, why=why, **of)
            away = gap(cal.groups["sd"] ** 2, peer["vars" if loose else "variance"])
            yield Row(quantity="variances", difference=away, tolerance=1e-3 if loose else 5e-4, why=why, **of)
            theirs = (
                [row["a1"] for row in peer["items"]] if loose else [row["alpha"] for row in peer["item_irt"]]
            )
            yield Row(
                quantity="slopes", difference=gap(cal.items["slope"], theirs), tolerance=1e-3, why=why, **of
            )
            if loose:
                theirs = [-row["d"] / row["a1"] for row in peer["items"]]
            else:
                theirs = [row["beta"] / row["alpha"] for row in peer["item_irt"]]
                other = [row["beta"] for row in peer["item_irt"]]
                if gap(cal.items["difficulty"], other) < gap(cal.items["difficulty"], theirs):
                    theirs = other
            usual = np.abs(np.array(theirs)) < 4.0
            mine = cal.items["difficulty"].to_numpy()
            away = gap(mine[usual], np.array(theirs)[usual])
            yield Row(
                quantity="difficulties within ±4",
                difference=away,
                tolerance=1e-2 if loose else 2e-3,
                why=why,
                **of,
            )
    yield from _rmsd(shared)


def _rmsd(shared: Path) -> Iterator[Row]:
    file = "pisa2022_read_6cnt/mirt_RMSD_DIF.json"
    theirs, peer = result(shared, file), result(shared, "pisa2022_read_6cnt/mirt_mg2pl.json")
    table = {
        "item": [row["item"] for row in peer["items"]],
        "slope": [row["a1"] for row in peer["items"]],
        "difficulty": [-row["d"] / row["a1"] for row in peer["items"]],
    }
    groups = {"group": list(theirs), "mean": np.array(peer["means"], float), "sd": np.sqrt(peer["vars"])}
    cal = replace(Calibration.from_items(table), group="CNT", groups=pl.DataFrame(groups))
    options = FitOptions(with_q3=False, with_score_test=False)
    found = item_fit(cal, pisa(shared), options=options).groups
    away = []
    for country, rows in theirs.items():
        expected = {row["item"]: row.get("P.1") for row in rows}
        own = found.filter((pl.col("group") == country) & (pl.col("n") >= 30))
        for item, rmsd in own.select("item", "rmsd").iter_rows():
            if isinstance(expected.get(item), float):
                away.append(abs(rmsd - expected[item]))
    assert len(away) > 700
    yield Row(
        data="PISA 2022 reading, 6 countries",
        quantity=f"RMSD of {len(away)} items by country, parameters of mirt",
        peer="mirt 1.45.1",
        file=file,
        difference=max(away),
        tolerance=2e-4,
        why="mirt takes 41 nodes on ±6 with its own normalisation of thin ends",
    )


def austria(shared: Path) -> Iterator[Row]:
    """TIMSS 2011 Austria: 174 items, 4,668 students; every student's score."""
    folder = "timss2011_g4_aut_math"
    data = pl.read_csv(shared / "data" / "timss2011_g4_aut" / "items_math_scored.csv", null_values=["NA"])[
        :, 17:191
    ]
    for model in ("rasch", "2pl"):
        cal = calibrate(data, model, options=STRICT)
        eap, wle = score(cal, data, "eap"), score(cal, data, "wle")
        for program in ("mirt", "TAM"):
            file = f"{folder}/{program}_{model}.json"
            peer = result(shared, file)
            of: dict[str, Any] = {
                "data": f"TIMSS 2011 Austria, {model}",
                "peer": "mirt 1.45.1" if program == "mirt" else "TAM 4.3-25",
                "file": file,
            }
            away = gap(cal.loglik, peer["logLik"])
            yield Row(quantity="log-likelihood", difference=away, tolerance=1e-5, why=STOP, **of)
            if program == "mirt":
                theirs = mirt_column(peer, cal, "par", "d")
                away = gap(cal.parameters.intercepts[:, 0], theirs)
                yield Row(quantity="intercepts", difference=away, tolerance=5e-5, why=STOP, **of)
                head, part = ("se_difficulty", "d") if model == "rasch" else ("se_slope", "a1")
                away = gap(cal.items[head], mirt_column(peer, cal, "SE", part), relative=True)
                why = "Louis and Oakes are one matrix"
                yield Row(quantity=f"{head}, relative", difference=away, tolerance=1e-4, why=why, **of)
            else:
                theirs = [row["beta"] for row in peer["item_irt"]]
                away = gap(cal.items["difficulty"], theirs)
                yield Row(quantity="difficulties", difference=away, tolerance=2e-4, why=STOP, **of)
                away = gap(cal.items["slope"], [row["alpha"] for row in peer["item_irt"]])
                yield Row(quantity="slopes", difference=away, tolerance=5e-5, why=STOP, **of)
                value = reliability(wle, method="wle").value
                away = gap(value, peer["WLE.rel"])
                yield Row(quantity="reliability of WLE", difference=away, tolerance=5e-5, why=STOP, **of)
            theirs = peer["EAP.rel"] if program == "TAM" else peer["reliability"]["EAP"]
            away = gap(reliability(eap, method="eap").value, theirs)
            yield Row(quantity="reliability of EAP", difference=away, tolerance=5e-5, why=STOP, **of)
            persons = pl.read_csv(shared / "reference" / folder / f"{program}_{model}_persons.csv.gz")
            of["file"] = f"{folder}/{program}_{model}_persons.csv.gz"
            away = gap(eap["theta"], persons["EAP"])
            yield Row(quantity="EAP of 4,668 students", difference=away, tolerance=5e-5, why=STOP, **of)
            away = gap(wle["theta"], persons["WLE"])
            yield Row(quantity="WLE of 4,668 students", difference=away, tolerance=1e-4, why=STOP, **of)


PARTS = {
    "classic_mirt": classic_mirt,
    "classic_others": classic_others,
    "two_groups": two_groups,
    "six_countries": six_countries,
    "austria": austria,
}


def as_line(row: Row) -> str:
    """One line of the table."""
    file = row.file.removesuffix(".json")
    return f"| {row.data} | {row.quantity} | {row.peer} | {row.difference:.1e} | {row.tolerance:.0e} | {row.why} | `{file}` |"


def page(rows: list[Row]) -> str:
    """The page with its table."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "<!-- table -->\n<!-- end -->\n"
    before, _, rest = text.partition("<!-- table -->\n")
    after = rest.partition("<!-- end -->\n")[2]
    head = "| data | quantity | peer | largest difference | tolerance | why | file |\n|---|---|---|---:|---:|---|---|\n"
    lines = "".join(as_line(row) + "\n" for row in rows)
    return f"{before}<!-- table -->\n{head}{lines}<!-- end -->\n{after}"


def main() -> None:
    """Write the page."""
    shared = Path(sys.argv[1])
    rows = [row for part in PARTS.values() for row in part(shared)]
    PAGE.write_text(page(rows), encoding="utf-8")
    bad = [row for row in rows if not row.difference <= row.tolerance]
    for row in bad:
        print(as_line(row))
    print(f"{len(rows)} comparisons, {len(bad)} beyond their tolerance")


if __name__ == "__main__":
    main()
