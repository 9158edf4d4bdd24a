"""The scaling of one subject: every stage is the public call it names, and only what changed is computed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

import lsakit as lk
from lsakit.errors import CalibrationError, CancelledError, ResponseError, TableError, UnknownColumnError
from lsakit.lineage import Store, rerun
from lsakit.pipeline.registry import STEPS
from lsakit.pipeline.scaling import (
    SCALING_STAGES,
    ScalingDecision,
    ScalingInputs,
    ScalingOptions,
    run_scaling,
)
from lsakit.pipeline.scaling.values import weighted_percentiles
from scaled_study import ITEMS, OPTIONS, UPTO, Done, second_cycle
from small_study import NOW, WITH_DIF, WITH_SHIFT, make_study


def test_every_stage_is_there_but_the_link(done: Done) -> None:
    assert [stage for stage in SCALING_STAGES if stage in done.result.manifests] == [
        stage for stage in SCALING_STAGES if stage != "link"
    ]
    assert done.result.computed == frozenset(done.result.manifests)
    assert all(STEPS[f"scaling_{stage}"].name == f"scaling_{stage}" for stage in SCALING_STAGES)


def test_scores_are_those_of_the_scoring_call(done: Done) -> None:
    wanted = lk.score_responses(done.study.raw, done.study.items)
    assert done.output("scores", "scored_responses").equals(wanted.table)
    assert done.output("scores", "summary").equals(wanted.summary)


def test_the_classical_table_is_that_of_the_classical_call(done: Done, table: pl.DataFrame) -> None:
    keys = pl.DataFrame({"item": ITEMS[:10], "key": ["2"] * 10, "options": ["1 2 3 4"] * 10})
    mixed = table.with_columns(done.study.raw.get_column(name) for name in ITEMS[:10])
    wanted = lk.classical(mixed, keys=keys, items=ITEMS, weights="w")
    found = done.output("classical", "item_statistics")
    for ours, theirs in (("discrimination", "item_rest"), ("facility", "facility"), ("biserial", "biserial")):
        np.testing.assert_allclose(
            found[ours].to_numpy(), wanted.items[theirs].to_numpy(), rtol=1e-12, err_msg=ours
        )
    assert found["flags"].to_list() == [text.replace(",", ";") for text in wanted.items["flags"]]
    assert found["n_not_reached"].to_list()[-1] == done.output("scores", "summary")["n_not_reached"][-1] > 0
    assert done.output("classical", "consistency")["alpha"] == pytest.approx(wanted.alpha, rel=1e-12)
    key = done.output("classical", "option_statistics").filter(pl.col("is_key"))
    assert key["option"].to_list() == ["2"] * 10


def test_the_calibration_is_the_call_with_senate_weights(done: Done, table: pl.DataFrame) -> None:
    """Each province counts the same, whatever the sum of its final weights; same arithmetic, 1e-9."""
    wanted = lk.calibrate(table, group="province", weights="w", items=ITEMS)
    found = done.output("calibration", "item_parameters")
    for head in ("slope", "difficulty", "step_1", "se_difficulty"):
        np.testing.assert_allclose(found[head].to_numpy(), wanted.items[head].to_numpy(), rtol=1e-9)
    record = done.output("calibration", "convergence")
    assert record["log_likelihood"] == pytest.approx(wanted.loglik, rel=1e-12)
    assert record["bic"] == pytest.approx(wanted.bic, rel=1e-12)
    assert done.output("calibration", "trend_items").height == 0
    assert done.output("calibration", "trend") is None


def test_the_fit_is_that_of_the_fit_call(done: Done, table: pl.DataFrame) -> None:
    """Parameters went through the store as slope, difficulty and steps: 1e-9."""
    cal = lk.calibrate(table, group="province", weights="w", items=ITEMS)
    wanted = lk.item_fit(cal, table, weights="w")
    found = done.output("fit", "item_fit")
    for head in ("infit", "outfit_t", "s_x2", "s_x2_df", "worst_rmsd"):
        np.testing.assert_allclose(found[head].to_numpy(), wanted.items[head].to_numpy(), rtol=1e-7)
    groups = done.output("fit", "group_fit")
    np.testing.assert_allclose(groups["rmsd"], wanted.groups["rmsd"], rtol=1e-7)
    assert {"item", "group", "rmsd", "md", "n", "exceeds"} <= set(groups.columns)
    for method in ("wle", "eap"):
        direct = lk.reliability(lk.score(cal, table, method=method), method=method, weights=table["w"])
        assert done.output("fit", "reliability")[method]["value"] == pytest.approx(direct.value, rel=1e-9)


def test_the_map_has_persons_and_every_step(done: Done) -> None:
    found = done.output("fit", "wright")
    steps = found.filter(pl.col("kind") == "item")
    assert steps.height == 10 + 2 * 2
    cal = done.output("calibration", "item_parameters").row(0, named=True)
    first = steps.row(0, named=True)
    assert (first["item"], first["step"]) == ("M01", 1)
    assert first["location"] == pytest.approx(cal["difficulty"], abs=1e-9)  # RP 50 of a 2PL item
    everyone = found.filter((pl.col("kind") == "students") & pl.col("group").is_null())
    assert everyone["share"].sum() == pytest.approx(1.0)


def test_planted_differential_functioning_is_found(done: Done) -> None:
    found = done.output("dif", "dif")
    assert found["variable"].unique().to_list() == ["gender"]
    row = found.filter(pl.col("item") == WITH_DIF).row(0, named=True)
    assert (row["reference"], row["focal"], row["category"], row["matching"]) == ("F", "M", "C", "score")
    assert row["direction"] == "+"
    assert row["ci_low"] < row["statistic"] < row["ci_high"]
    two_points = found.filter(pl.col("item") == "C11").row(0, named=True)
    assert two_points["measure"] == "smd_over_sd"
    assert two_points["se"] is None
    direct = lk.dif(_with(done, "gender"), group="gender", items=ITEMS).table
    np.testing.assert_allclose(found["p"], direct["p"], rtol=1e-12)


def _with(done: Done, name: str) -> pl.DataFrame:
    return done.output("scores", "scored_responses").join(
        done.study.students.select("student_id", name), on="student_id", how="left"
    )


def test_plausible_values_are_those_of_the_population_calls(done: Done, table: pl.DataFrame) -> None:
    cal = lk.calibrate(table, group="province", weights="w", items=ITEMS)
    background = table.select("student_id", "province", "gender", "books", "w")
    fitted = lk.fit_population(cal, table, background=background, weights="w")
    found = done.output("population", "coefficients")
    assert found["term"].to_list() == fitted.coefficients["term"].to_list()
    np.testing.assert_allclose(found["estimate"], fitted.coefficients["estimate"], atol=1e-6)
    drawn = lk.draw_plausible_values(fitted, n=4, seed=11)
    np.testing.assert_allclose(  # the fit stops at 1e-6, and a draw follows its mean
        done.output("values", "plausible_values")["PV3"], drawn["PV3"], atol=1e-4
    )


def test_groups_may_have_models_of_their_own(done: Done, table: pl.DataFrame) -> None:
    again = done.run(replace(OPTIONS, per_group=True))
    assert again.computed == {"population", "values"}
    manifest = done.store.manifest(again.manifests["population"])
    cal = lk.calibrate(table, group="province", weights="w", items=ITEMS)
    background = table.select("student_id", "province", "gender", "books", "w")
    fitted = lk.fit_population_by_group(cal, table, background, "w", group="province")
    found = done.store.table(manifest.outputs["coefficients"].hash)
    assert found.columns[0] == "province"
    assert found["term"].to_list() == fitted.coefficients["term"].to_list()
    np.testing.assert_allclose(found["estimate"], fitted.coefficients["estimate"], atol=1e-6)
    record = done.store.parameters(manifest.outputs["population"].hash)
    assert record["n_models"] == 3
    drawn = lk.draw_plausible_values(fitted, n=4, seed=11).sort("student_id")
    values = done.store.table(manifest.outputs["draws"].hash).sort("student_id")
    np.testing.assert_allclose(values["PV2"], drawn["PV2"], atol=1e-4)  # as above


def test_conditioning_may_enter_by_components(done: Done) -> None:
    again = done.run(replace(OPTIONS, pca_share=0.9))
    assert again.computed == {"population"}, "the one component is the variable: the draws are the same"
    manifest = done.store.manifest(again.manifests["population"])
    record = done.store.parameters(manifest.outputs["population"].hash)
    assert record["n_components"] >= 1
    assert 0.9 <= record["pca_share"] <= 1.0
    terms = done.store.table(manifest.outputs["coefficients"].hash)["term"].to_list()
    assert [name for name in terms if name.startswith("province")], "groups stay regressors themselves"


def test_the_scale_is_set_on_the_reference_group(done: Done, table: pl.DataFrame) -> None:
    scaled = done.output("values", "scaled_values").join(
        table.select("student_id", "province", "w"), on="student_id"
    )
    own = scaled.filter(pl.col("province") == "01")
    names = [f"PV{place}" for place in range(1, 5)]
    mean = np.mean([np.average(own[name], weights=own["w"]) for name in names])
    assert mean == pytest.approx(500.0, abs=1e-9)
    record = done.output("values", "scale")
    assert record["held"] is False
    logits = done.output("values", "plausible_values")["PV2"]
    np.testing.assert_allclose(
        done.output("values", "scaled_values")["PV2"], record["intercept"] + record["slope"] * logits
    )


def test_the_distribution_has_the_percentiles_of_the_estimation(done: Done, table: pl.DataFrame) -> None:
    values = done.output("values", "scaled_values")
    design = lk.SurveyDesign(weight="w", zone="zone", half="half", method="jk2")
    given = values.join(table.select("student_id", "w"), on="student_id").with_columns(
        zone=pl.int_range(pl.len()) % 10, half=pl.int_range(pl.len()) % 2
    )
    wanted = lk.estimate_percentiles(given, "PV{m}", [5, 50, 95], design=design).table["estimate"]
    matrix = values.select(pl.exclude("student_id")).to_numpy()
    np.testing.assert_allclose(weighted_percentiles(matrix, given["w"], (5, 50, 95)), wanted, rtol=1e-12)
    found = done.output("values", "distribution").filter(pl.col("group").is_null())
    levels = found.filter(pl.col("kind") == "level")
    assert levels["value"].sum() == pytest.approx(1.0)
    above = dict(found.filter(pl.col("kind") == "at_or_above").select("at", "value").rows())
    assert above[500.0] == pytest.approx(levels.filter(pl.col("at") >= 2.0)["value"].sum(), abs=1e-12)


DECISIONS = {
    "drop": (ScalingDecision(item="M09", kind="drop"), UPTO | {"dif"}),
    "collapse": (ScalingDecision(item="C12", kind="collapse", scores={2: 1}), UPTO | {"dif"}),
    "free": (ScalingDecision(item=WITH_DIF, kind="free", groups=("48",)), UPTO),
}


@pytest.mark.parametrize("kind", list(DECISIONS))
def test_a_decision_computes_only_what_depends_on_it(done: Done, kind: str) -> None:
    decision, wanted = DECISIONS[kind]
    found = done.run(decisions=(decision,))
    assert found.computed == wanted
    assert done.run(decisions=(decision,)).computed == frozenset()
    assert found.manifests["scores"] == done.result.manifests["scores"]
    assert found.manifests["classical"] == done.result.manifests["classical"]


OTHER_OPTIONS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "cuts": ({"cuts": (450.0,)}, {"values"}),
    "scale": ({"scale_mean": 250.0}, {"values"}),
    "reference group": ({"reference_group": "48"}, UPTO),
    "conditioning": ({"conditioning": ("gender",)}, {"population", "values"}),
    "seed": ({"seed": 12}, {"population", "values"}),
    "threshold": ({"rmsd_threshold": 0.2}, {"fit"}),
    "variables of DIF": ({"dif_by": ("province",)}, {"dif"}),
    "model": ({"model": "pcm"}, UPTO | {"dif"}),
    "rule": ({"rule": "wrong"}, UPTO | {"dif", "scores", "classical"}),
    "last stage": ({"until": "fit"}, set()),
}


@pytest.mark.parametrize("name", list(OTHER_OPTIONS))
def test_an_option_computes_only_what_depends_on_it(done: Done, name: str) -> None:
    changed, wanted = OTHER_OPTIONS[name]
    assert done.run(replace(OPTIONS, **changed)).computed == wanted


def test_the_order_of_decisions_does_not_matter(done: Done) -> None:
    both = (DECISIONS["drop"][0], DECISIONS["free"][0])
    first = done.run(decisions=both)
    assert done.run(decisions=both[::-1]).computed == frozenset()
    items = done.output("calibration", "item_parameters", first)["item"].to_list()
    assert "M09" not in items
    assert f"{WITH_DIF}@48" in items
    assert WITH_DIF in items


def test_a_collapsed_item_has_fewer_categories(done: Done) -> None:
    found = done.run(decisions=(DECISIONS["collapse"][0],))
    items = done.output("calibration", "item_parameters", found)
    assert items.filter(pl.col("item") == "C12")["step_1"].item() is None
    assert items.filter(pl.col("item") == "C11")["step_1"].item() is not None
    kept = done.output("scores", "scored_responses", found)
    assert kept["C12"].max() == 2


def test_a_freed_item_keeps_its_group_in_every_stage(done: Done) -> None:
    found = done.run(decisions=(DECISIONS["free"][0],))
    fit = done.output("fit", "group_fit", found)
    assert fit.filter(pl.col("item") == f"{WITH_DIF}@48")["group"].to_list() == ["48"]
    assert fit.filter(pl.col("item") == WITH_DIF)["group"].to_list() == ["01", "79"]
    values = done.output("values", "plausible_values", found)
    assert values.height == 900
    before = done.output("values", "plausible_values")
    assert not values["PV1"].equals(before["PV1"])


def test_a_rerun_of_each_manifest_gives_the_same_hashes(done: Done) -> None:
    linked = done.run(replace(OPTIONS, link="fixed"), inputs=second_cycle(done))
    for manifest in {*done.result.manifests.values(), *linked.manifests.values()}:
        report = rerun(done.store, manifest, steps=STEPS)
        assert report.identical, report.sentence
    assert done.store.verify() == []


@pytest.mark.parametrize("method", ["fixed", "stocking_lord", "haebara"])
def test_a_second_cycle_stands_on_the_scale_of_the_first(done: Done, method: str) -> None:
    """The population moved by .6 logits. 900 students and 11 items give the shift to about .07 (1 SE), 3 SE allowed."""
    found = done.run(replace(OPTIONS, link=method), inputs=second_cycle(done))
    items = done.output("link", "link_items", found)
    shifted = items.filter(pl.col("item") == WITH_SHIFT).row(0, named=True)
    assert shifted["kept"] is False
    assert shifted["difference"] == pytest.approx(1.5, abs=0.5)
    record = done.output("link", "link", found)
    assert record["method"] == method
    assert record["n_common"] == 12
    assert record["n_kept"] <= 11
    assert record["is_comparable"] is False  # fewer than twenty items
    assert record["linking_error_item_points"] == pytest.approx(
        record["linking_error_item"] * done.output("values", "scale")["slope"]
    )
    assert record["linking_error_unit"] is not None  # by the clusters of the items table
    groups = dict(done.output("link", "linked_groups", found).select("group", "mean").rows())
    before = dict(done.output("calibration", "groups").select("group", "mean").rows())
    moved = np.mean([groups[name] - before[name] for name in groups])
    assert moved == pytest.approx(0.6, abs=0.21)
    scale = done.output("values", "scale", found)
    assert scale["held"] is True
    assert scale["slope"] == done.output("values", "scale")["slope"]


def test_old_items_are_held_and_drift_can_be_left_alone(done: Done) -> None:
    inputs = second_cycle(done)
    found = done.run(replace(OPTIONS, link="fixed"), inputs=inputs)
    items = done.output("calibration", "item_parameters", found)
    old = done.output("calibration", "item_parameters")
    kept = done.output("link", "link_items", found).filter(pl.col("status") == "linked")["item"].to_list()
    held = items.filter(pl.col("fixed"))
    assert held["item"].to_list() == [name for name in old["item"] if name in kept]
    assert held["slope"].to_list() == old.filter(pl.col("item").is_in(kept))["slope"].to_list()
    everything = done.run(replace(OPTIONS, link="fixed", drift=0.0, until="link"), inputs=inputs)
    assert done.output("link", "link", everything)["n_kept"] == 12
    collapsed = done.run(
        replace(OPTIONS, link="fixed", until="link"), (DECISIONS["collapse"][0],), inputs=inputs
    )
    row = done.output("link", "link_items", collapsed).filter(pl.col("item") == "C12").row(0, named=True)
    assert (row["status"], row["kept"]) == ("changed", None)


def test_scored_responses_stand_alone(done: Done) -> None:
    scored = done.output("scores", "scored_responses")
    inputs = ScalingInputs(scored_responses=done.store.put_table(scored).hash)
    found = done.run(ScalingOptions(n_values=2), inputs=inputs)
    assert set(found.manifests) == {"scores", "classical", "calibration", "fit", "population", "values"}
    assert done.output("scores", "summary", found)["n_omitted"].null_count() == 12
    assert done.output("population", "coefficients", found)["term"].to_list() == ["intercept"]
    mean = done.output("values", "distribution", found).filter(pl.col("kind") == "mean")
    assert mean["value"].to_list() == [pytest.approx(500.0)]


def test_adaptive_responses_are_matched_by_ability(done: Done) -> None:
    """Every student sees a random ten of the twelve items: no booklet has a hundred students."""
    rng = np.random.default_rng(3)
    scored = done.output("scores", "scored_responses")
    holes = np.ones((scored.height, 12), dtype=bool)
    for row in range(scored.height):
        holes[row, rng.choice(12, 2, replace=False)] = False
    thinned = scored.with_columns(
        pl.when(pl.Series(holes[:, place])).then(pl.col(name)).alias(name) for place, name in enumerate(ITEMS)
    )
    inputs = ScalingInputs(scored_responses=done.store.put_table(thinned).hash, students=done.inputs.students)
    found = done.output(
        "dif", "dif", done.run(ScalingOptions(dif_by=("gender",), until="dif"), inputs=inputs)
    )
    assert found["matching"].unique().to_list() == ["ability"]
    assert found.filter(pl.col("category") == "C")["item"].to_list() == [WITH_DIF]


def test_progress_rises_and_a_cancellation_keeps_what_is_done(tmp_path: Any) -> None:
    store = Store(tmp_path / "store")
    inputs = make_study(seed=8).inputs(store)
    shares: list[float] = []

    def stop(text: str, share: float) -> None:
        shares.append(share)
        if text.startswith("fit"):
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        run_scaling(store, inputs, OPTIONS, now=NOW, who="an expert", progress=stop)
    assert shares == sorted(shares)
    again = run_scaling(store, inputs, OPTIONS, now=NOW, who="an expert")
    assert again.computed == {"fit", "dif", "population", "values"}


REFUSED_OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "model": ({"model": "4pl"}, "must be one of rasch"),
    "model of an item": ({"models": {"M1": "4pl"}}, r"models\[M1\]"),
    "rule": ({"rule": "none"}, "must be one of pisa2015"),
    "rule of values": ({"rule_of_values": "none"}, "must be one of pisa2015"),
    "reference": ({"reference_group": "01"}, "needs the option 'group'"),
    "threshold": ({"rmsd_threshold": 0.0}, "must be above 0 and at most 1"),
    "share": ({"pca_share": 1.5}, "must be above 0"),
    "reported": ({"reported": ("gender",)}, "are not in the population model"),
    "categorical": ({"categorical": ("grade",)}, "must name variables of 'conditioning'"),
    "concurrent": ({"link": "concurrent"}, "needs the responses of both cycles"),
    "link": ({"link": "equipercentile"}, "must be one of none, fixed"),
    "drift": ({"drift": -1.0}, "must lie between 0 and 10"),
    "values": ({"n_values": 1}, "must lie between 2 and 100"),
    "text as list": ({"dif_by": "gender"}, "must be a list of names"),
    "twice": ({"dif_by": ("gender", "gender")}, "each name once"),
    "cuts": ({"cuts": (500.0, 400.0)}, "must ascend"),
    "cuts of text": ({"cuts": ("high",)}, "must be numbers"),
    "spread": ({"scale_sd": 0.0}, "must be above 0"),
    "release": ({"release": "always"}, "must be one of none, automatic"),
    "release of what": ({"release": "automatic"}, "needs the option 'group'"),
    "models of what": ({"per_group": True}, "needs the option 'group'"),
    "alarm": ({"group": "province", "release_alarm": 0.0}, "must be above 0 and at most 1"),
    "stage": ({"until": "report"}, "must be one of scores"),
    "number as name": ({"group": 3}, "must be text"),
    "number as list": ({"reported": 3}, "must be a list of names"),
    "truth as number": ({"n_values": True}, "must lie between"),
}


@pytest.mark.parametrize("name", list(REFUSED_OPTIONS))
def test_impossible_options_are_refused(name: str) -> None:
    changed, sentence = REFUSED_OPTIONS[name]
    with pytest.raises(CalibrationError, match=sentence):
        ScalingOptions(**changed)


def test_options_are_read_from_json_and_strangers_refused() -> None:
    assert ScalingOptions.from_mapping({"cuts": [400, 500], "dif_by": ["gender"]}).cuts == (400.0, 500.0)
    with pytest.raises(CalibrationError, match="no option 'groups'"):
        ScalingOptions.from_mapping({"groups": "province"})


REFUSED_DECISIONS: dict[str, tuple[dict[str, Any], str]] = {
    "kind": ({"item": "M1", "kind": "hide"}, "must be one of drop, collapse, free"),
    "no scores": ({"item": "M1", "kind": "collapse"}, "needs 'scores'"),
    "no groups": ({"item": "M1", "kind": "free"}, "needs 'groups'"),
    "too much": ({"item": "M1", "kind": "drop", "groups": ["01"]}, "has no meaning for 'groups'"),
    "upwards": ({"item": "M1", "kind": "collapse", "scores": {"1": 2}}, "the same or lower"),
    "no item": ({"kind": "drop"}, "A decision needs 'item'"),
}


@pytest.mark.parametrize("name", list(REFUSED_DECISIONS))
def test_decisions_that_decide_nothing_are_refused(name: str) -> None:
    given, sentence = REFUSED_DECISIONS[name]
    with pytest.raises(CalibrationError, match=sentence):
        ScalingDecision.from_mapping(given)


REFUSED_RUNS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "unknown item": ([{"item": "M99", "kind": "drop"}], "are not among the responses. See: M99"),
    "dropped and freed": (
        [{"item": "M01", "kind": "drop"}, {"item": "M01", "kind": "free", "groups": ["01"]}],
        "dropped and also decided otherwise",
    ),
    "collapsed twice": (
        [{"item": "C12", "kind": "collapse", "scores": {"2": 1}}] * 2,
        "are collapsed twice",
    ),
    "a gap": ([{"item": "C12", "kind": "collapse", "scores": {"1": 0}}], "leaves a gap: 0, 2"),
    "one score": ([{"item": "M01", "kind": "collapse", "scores": {"1": 0}}], "leaves one score only: 0"),
    "all dropped": ([{"item": name, "kind": "drop"} for name in ITEMS[:11]], "drop 11 of 12 items"),
    "unknown group": ([{"item": "M01", "kind": "free", "groups": ["99"]}], "are not among the groups"),
}


@pytest.mark.parametrize("name", list(REFUSED_RUNS))
def test_decisions_that_the_data_contradict_are_refused(done: Done, name: str) -> None:
    given, sentence = REFUSED_RUNS[name]
    decisions = tuple(ScalingDecision.from_mapping(one) for one in given)
    with pytest.raises(CalibrationError, match=sentence):
        done.run(replace(OPTIONS, until="calibration"), decisions)


def test_inputs_that_do_not_fit_are_refused(done: Done) -> None:
    raw, items = done.inputs.raw_responses, done.inputs.items
    with pytest.raises(CalibrationError, match="either raw or scored"):
        ScalingInputs()
    with pytest.raises(CalibrationError, match="need the table of items"):
        ScalingInputs(raw_responses=raw)
    alone = ScalingInputs(raw_responses=raw, items=items)
    with pytest.raises(CalibrationError, match="the columns province, final_weight, gender, books"):
        done.run(inputs=alone)
    with pytest.raises(CalibrationError, match="the link 'fixed'"):
        done.run(ScalingOptions(link="fixed"), inputs=alone)
    with pytest.raises(CalibrationError, match="has no groups"):
        done.run(ScalingOptions(), (DECISIONS["free"][0],), inputs=alone)
    with pytest.raises(UnknownColumnError, match="region"):
        done.run(replace(OPTIONS, group="region", reference_group=None))
    some = done.store.put_table(done.study.students.head(800)).hash
    with pytest.raises(
        CalibrationError, match="100 students with responses are not in the table of students"
    ):
        done.run(inputs=replace(done.inputs, students=some))
    negative = done.study.students.with_columns(final_weight=pl.col("final_weight") - 6.0)
    with pytest.raises(CalibrationError, match="must not be negative"):
        done.run(inputs=replace(done.inputs, students=done.store.put_table(negative).hash))
    codes = done.study.raw.with_columns(pl.col("student_id"))
    with pytest.raises(ResponseError, match="above its highest score"):
        done.run(ScalingOptions(), inputs=ScalingInputs(scored_responses=done.store.put_table(codes).hash))
    twice = pl.concat([done.study.raw, done.study.raw.head(1)])
    with pytest.raises(TableError, match="S0000"):
        done.run(inputs=replace(done.inputs, raw_responses=done.store.put_table(twice).hash))
    bad_scale = done.store.put_parameters({"slope": 0.0, "intercept": 500.0}).hash
    with pytest.raises(CalibrationError, match="positive 'slope'"):
        done.run(inputs=replace(done.inputs, old_scale=bad_scale))
