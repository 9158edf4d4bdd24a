"""Options of a scaling beyond the common: a rule of their own for the values, and items that the calibration releases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

import lsakit as lk
from lsakit.errors import CalibrationError
from lsakit.lineage import Store, rerun
from lsakit.pipeline.registry import STEPS
from lsakit.pipeline.scaling import ScalingDecision, ScalingInputs, ScalingOptions, run_scaling
from scaled_study import ITEMS, OPTIONS, UPTO, Done, second_cycle
from small_study import NOW

TIMSS = replace(OPTIONS, rule="timss_calibration", rule_of_values="timss_scoring")


@pytest.mark.parametrize(
    ("options", "by"),
    [
        (replace(OPTIONS, rule_of_values="pisa2012_scoring"), OPTIONS),
        (TIMSS, replace(TIMSS, rule_of_values="")),
    ],
)
def test_values_may_have_a_rule_of_their_own(
    done: Done, table: pl.DataFrame, options: ScalingOptions, by: ScalingOptions
) -> None:
    """Not reached does not count for the items and is wrong for the students, as in TIMSS and PISA until 2012.

    Whoever did not reach C12 did not reach C11 either: the first of them counts as omitted under the rules of TIMSS.
    """
    late = (done.study.raw["C12"] == 96).fill_null(value=False)
    assert late.sum() > 20
    raw = done.study.raw.with_columns(C11=pl.when(late).then(96).otherwise(pl.col("C11")))
    inputs = replace(done.inputs, raw_responses=done.store.put_table(raw).hash)
    before = done.run(by, inputs=inputs)
    found = done.run(options, inputs=inputs)
    assert found.computed == {"scores", "population", "values"}
    for stage in ("classical", "calibration", "fit", "dif"):
        assert found.manifests[stage] == before.manifests[stage]
    second = done.output("scores", "values_responses", found)
    wanted = lk.score_responses(raw, done.study.items, options.rule_of_values)
    assert second.equals(wanted.table)
    assert done.output("scores", "values_summary", found).equals(wanted.summary)
    first = done.output("scores", "scored_responses", found)
    assert first.filter(late)["C12"].is_null().all()
    assert (second.filter(late)["C12"] == 0).all()
    people = table.select("student_id", "province", "w")
    calibrated = first.join(people, on="student_id")
    cal = lk.calibrate(calibrated, group="province", weights="w", items=ITEMS)
    background = table.select("student_id", "province", "gender", "books", "w")
    scored = second.join(people.drop("w"), on="student_id")
    fitted = lk.fit_population(cal, scored, background=background, weights="w")
    coefficients = done.output("population", "coefficients", found)
    np.testing.assert_allclose(coefficients["estimate"], fitted.coefficients["estimate"], atol=1e-6)
    eap = [done.output("population", "abilities", one).filter(late)["eap"] for one in (before, found)]
    assert (eap[1] < eap[0]).all()


def test_the_same_rule_twice_is_one_rule(done: Done) -> None:
    assert done.run(replace(OPTIONS, rule_of_values="pisa2015")).computed == frozenset()
    assert done.output("scores", "values_responses") is None
    scored = done.store.put_table(done.output("scores", "scored_responses")).hash
    with pytest.raises(CalibrationError, match="the study holds scores"):
        done.run(ScalingOptions(rule_of_values="wrong"), inputs=ScalingInputs(scored_responses=scored))


def test_what_was_reached_shows_in_the_whole_test(tmp_path: Any) -> None:
    """By hand: s1 left M2 and M3 blank and went on to reading, so both are omissions; s2 stopped after M1, so that M2
    is an omission and M3 not reached. By mathematics alone both would have stopped.
    """
    store = Store(tmp_path / "store")
    columns = {"M1": [2, 2, 2, 1], "M2": [99, 99, 1, 2], "M3": [99, 99, 2, 1]}
    other = {"R1": [2, 99, 2, 1], "R2": [1, 99, 1, 2]}
    ids = {"student_id": ["s1", "s2", "s3", "s4"], "booklet": ["1"] * 4}
    test_items = pl.DataFrame(
        {
            "item": [*columns, *other], "format": "mc", "key": 2, "max_score": 1,
            "cluster": ["A"] * 3 + ["B"] * 2, "position": [1, 2, 3, 1, 2],
        }
    )  # fmt: skip
    whole = pl.DataFrame({**ids, **columns, **other})
    inputs = ScalingInputs(
        raw_responses=store.put_table(whole.drop("R1", "R2")).hash,
        items=store.put_table(test_items.head(3)).hash,
        booklets=store.put_table(
            pl.DataFrame({"booklet": ["1", "1"], "position": [1, 2], "cluster": ["A", "B"]})
        ).hash,
        test_responses=store.put_table(whole).hash,
        test_items=store.put_table(test_items).hash,
    )

    def scores(options: ScalingOptions, given: ScalingInputs, role: str = "scored_responses") -> Any:
        found = run_scaling(store, given, options, now=NOW, who="x")
        return store.load(store.manifest(found.manifests["scores"]).outputs[role].hash)

    timss = ScalingOptions(rule="timss_calibration", until="scores")
    found = scores(timss, inputs)
    assert found.columns == ["student_id", "booklet", "M1", "M2", "M3"]
    assert found.select("M1", "M2", "M3").rows()[:2] == [(1, 0, 0), (1, 0, None)]
    assert scores(timss, inputs, "summary")["n_recoded"].to_list() == [0, 0, 1]
    alone = replace(inputs, test_responses=None, test_items=None)
    assert scores(timss, alone)["M3"].to_list()[:2] == [None, None]
    values = ScalingOptions(rule="pisa2015", rule_of_values="timss_calibration", until="scores")
    assert scores(values, inputs, "values_responses").equals(found)
    assert scores(values, inputs)["M3"].to_list()[:2] == [0, 0]
    torn = replace(inputs, test_responses=store.put_table(whole.reverse()).hash)
    with pytest.raises(CalibrationError, match="differ from those of the subject"):
        scores(timss, torn)
    assert scores(replace(timss, rule="wrong"), torn).height == 4, "other rules do not look at the whole test"
    with pytest.raises(CalibrationError, match="come together"):
        replace(inputs, test_items=None)


RELEASED = replace(OPTIONS, release="automatic", rmsd_threshold=0.045)


def test_items_may_be_released_by_the_rule(done: Done, table: pl.DataFrame) -> None:
    """The steps, the shares and the parameters are those of the call; same arithmetic, 1e-9."""
    found = done.run(RELEASED)
    assert found.computed == UPTO
    options = lk.ReleaseOptions(calibration=lk.CalibrationOptions(reference_group="01"))
    wanted = lk.release_items(table, "province", weights="w", threshold=0.045, items=ITEMS, options=options)
    assert wanted.steps.height > 0, "the threshold must release something, or the test says nothing"
    steps = done.output("calibration", "release_steps", found)
    assert steps["item"].to_list() == wanted.steps["item"].to_list()
    assert steps["groups"].to_list() == [text.replace(",", ";") for text in wanted.steps["groups"]]
    np.testing.assert_allclose(steps["rmsd"], wanted.steps["rmsd"], rtol=1e-9)
    shares = done.output("calibration", "release_shares", found)
    assert shares["share_unique"].to_list() == wanted.shares["share_unique"].to_list()
    items = done.output("calibration", "item_parameters", found)
    assert items["item"].to_list() == wanted.calibration.items["item"].to_list()
    for head in ("slope", "difficulty", "se_difficulty"):
        np.testing.assert_allclose(items[head], wanted.calibration.items[head], rtol=1e-9)
    record = done.output("calibration", "release", found)
    assert (record["n_steps"], record["n_rounds"]) == (wanted.steps.height, wanted.n_rounds)
    assert (record["stopped_because"], record["is_comparable"]) == (wanted.stopped_because, True)
    assert record["alarmed"] == []
    assert done.run(replace(RELEASED, cuts=(500.0,))).computed == {"values"}
    assert done.output("calibration", "release") is None
    assert done.output("calibration", "release_steps").height == 0
    for manifest in found.manifests.values():
        assert rerun(done.store, manifest, steps=STEPS).identical


def test_a_decision_stands_in_an_automatic_release(done: Done) -> None:
    freed = ScalingDecision(item="M01", kind="free", groups=("48", "79"))
    items = done.output("calibration", "item_parameters", done.run(RELEASED, (freed,)))
    own = items.filter(pl.col("column") == "M01").select("item", "groups").rows()
    assert ("M01@48+79", "48|79") in own
    assert "M01" not in done.output("calibration", "release_steps", done.run(RELEASED, (freed,)))["item"]


def test_too_many_released_items_ring_the_alarm(done: Done) -> None:
    found = done.run(replace(RELEASED, rmsd_threshold=0.02, release_alarm=0.2, until="calibration"))
    record = done.output("calibration", "release", found)
    assert (record["stopped_because"], record["is_comparable"]) == ("alarm", False)
    shares = dict(done.output("calibration", "release_shares", found).select("group", "share_unique").rows())
    assert record["alarmed"] == [group for group, share in shares.items() if share > 0.2] != []
    assert record["n_flagged"] > 0


def test_held_items_may_be_released_in_a_group(done: Done) -> None:
    """The item keeps its old parameters where they fit, and the line to the old cycle is the same without a release."""
    inputs = second_cycle(done)
    held = replace(RELEASED, link="fixed", until="population", rmsd_threshold=0.06)
    found = done.run(held, inputs=inputs)
    steps = done.output("calibration", "release_steps", found)
    freed = set(steps["item"])
    items = done.output("calibration", "item_parameters", found)
    old = dict(done.output("calibration", "item_parameters").select("item", "difficulty").rows())
    kept = items.filter(pl.col("fixed"))
    assert freed & set(items.filter(pl.col("item").str.contains("@"))["column"])
    assert kept.height > 5
    for name, value in kept.select("item", "difficulty").rows():
        assert value == pytest.approx(old[name], abs=1e-12)  # through intercepts and back
    without = done.run(replace(held, release="none"), inputs=inputs)
    assert done.output("calibration", "trend", found) == done.output("calibration", "trend", without)
