"""The step of a standard-setting session: cuts on the reporting scale, panels, impact, and what it refuses."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from lsakit.errors import EstimationError
from lsakit.estimation.proportions import estimate_levels
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.lineage import StepRequest, Store, run_step
from lsakit.lineage.rerun import rerun
from lsakit.pipeline.registry import STEPS
from lsakit.pipeline.stages.standard_setting import (
    STANDARD_SETTING,
    Distribution,
    StandardRules,
    cuts_by_panel,
    impact_of_cuts,
    items_of_session,
    set_cuts,
)
from lsakit.population.standard_setting import angoff, bookmark

ITEMS = pl.DataFrame(
    {
        "item": list("abcdx"),
        "subject": ["maths"] * 4 + ["reading"],
        "slope": [1.0] * 5,
        "difficulty": [-0.8, 0.1, -1.1, 0.3, 0.0],
    }
)
MATHS = ITEMS.filter(pl.col("subject") == "maths")


def placements(pages: dict[str, list[int]], rounds: int = 1) -> pl.DataFrame:
    """Bookmarks of six judges of two panels."""
    rows = [
        (f"J{judge}", f"panel{1 + judge % 2}", number + 1, level, page)
        for number in range(rounds)
        for level, own in pages.items()
        for judge, page in enumerate(own)
    ]
    return pl.DataFrame(rows, schema=["judge", "panel", "round", "level", "page"], orient="row")


BOOKMARKS = placements({"two": [3, 3, 4, 4, 3, 4], "one": [1, 1, 2, 2, 1, 1]}, rounds=2)
RULES = StandardRules(
    method="bookmark", levels=("one", "two"), probability=2 / 3, slope=100.0, intercept=500.0
)


def students(n: int = 400) -> dict[str, Any]:
    """A distribution with weights and replicates."""
    rng = np.random.default_rng(7)
    names = [f"S{row:04d}" for row in range(n)]
    theta = rng.normal(500, 100, n)
    values = {f"PV{m}MATHS": theta + rng.normal(0, 30, n) for m in (1, 2, 3)}
    weight = rng.uniform(1, 3, n)
    factor = rng.choice([0.5, 1.5], (n, 8))
    return {
        "plausible_values": pl.DataFrame({"student_id": names, **values}),
        "weights": pl.DataFrame({"student_id": names, "final_weight": weight}),
        "replicates": pl.DataFrame(
            {"student_id": names, **{f"replicate_{r + 1}": weight * factor[:, r] for r in range(8)}}
        ),
    }


def test_bookmarks_on_the_reporting_scale_in_the_order_of_the_levels() -> None:
    found = set_cuts(MATHS, BOOKMARKS, RULES)
    assert found.cuts["level"].to_list() == ["one", "two"]
    # The booklet: c −1.1, a −.8, b .1, d .3, each + ln 2; medians over judges: page 1, and pages 3 and 4 halved.
    expected = np.array([-1.1, 0.2]) + np.log(2)
    assert found.cuts["theta"].to_list() == pytest.approx(expected, abs=1e-9)
    assert found.cuts["scale"].to_list() == pytest.approx(500 + 100 * expected, abs=1e-7)
    alone = bookmark(BOOKMARKS, MATHS).cuts.sort("cut")
    assert found.cuts["se_scale"].to_list() == pytest.approx((100 * alone["se"]).to_list(), rel=1e-12)


def test_angoff_goes_through_the_characteristic_curve() -> None:
    ratings = {"J1": [0.6, 0.4, 0.7, 0.5], "J2": [0.7, 0.5, 0.8, 0.4], "J3": [0.5, 0.45, 0.75, 0.55]}
    rows = [(j, "1", 1, "one", i, v) for j, own in ratings.items() for i, v in zip("abcd", own, strict=True)]
    entries = pl.DataFrame(rows, schema=["judge", "panel", "round", "level", "item", "rating"], orient="row")
    rules = StandardRules(method="angoff", levels=("one",), slope=100.0, intercept=500.0)
    row = set_cuts(MATHS, entries, rules).cuts.row(0, named=True)
    assert row["theta"] == pytest.approx(-0.0639423, abs=5e-8)  # TV-8.8
    assert row["scale"] == pytest.approx(500 - 6.39423, abs=5e-6)
    assert row["se_scale"] == pytest.approx(100 * angoff(entries, MATHS).cuts["se_theta"].item())


def test_panels_stand_apart() -> None:
    panels = cuts_by_panel(set_cuts(MATHS, BOOKMARKS, RULES).judges, "bookmark")
    assert panels.height == 2 * 2 * 2
    first = panels.filter((pl.col("panel") == "panel1") & (pl.col("round") == 2) & (pl.col("level") == "two"))
    assert first["n_judges"].item() == 3
    # Judges 0, 2, 4: pages 3, 4, 3.
    assert first["cut"].item() == pytest.approx(0.1 + np.log(2), abs=1e-9)
    lone = cuts_by_panel(
        pl.DataFrame({"round": [1], "level": ["one"], "panel": ["p"], "judge": ["J"], "cut": [0.5]}),
        "bookmark",
    )
    assert lone.select("n_judges", "cut", "sd", "se").row(0) == (1, 0.5, None, None)


def test_impact_is_that_of_estimate_levels_and_falls_with_the_cut() -> None:
    data = students()
    cuts = pl.DataFrame({"level": ["one", "two"], "scale": [450.0, 560.0], "se_scale": [10.0, None]})
    impact = impact_of_cuts(cuts, Distribution(pattern="PV{m}MATHS", **data))
    table = (
        data["plausible_values"]
        .join(data["weights"], on="student_id")
        .join(data["replicates"], on="student_id")
    )
    design = SurveyDesign(
        weight="final_weight", replicates="replicate_{r}", n_replicates=8, method="fay", fay_factor=0.5
    )
    whole = estimate_levels(table, "PV{m}MATHS", cuts=[450.0, 560.0], design=design).table
    for level in (1, 2):
        expected = whole.filter(pl.col("statistic") == f"at_or_above_{level}").row(0, named=True)
        row = impact.row(level - 1, named=True)
        assert row["share_at_or_above"] == pytest.approx(expected["estimate"], rel=1e-12)
        assert row["standard_error"] == pytest.approx(expected["standard_error"], rel=1e-9)
        half = stats.t.ppf(0.975, expected["degrees_of_freedom"]) * expected["standard_error"]
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(
            (expected["estimate"] - half, expected["estimate"] + half), rel=1e-9
        )
    first, second = impact.iter_rows(named=True)
    assert first["share_one_se_lower"] > first["share_at_or_above"] > first["share_one_se_higher"]
    assert second["share_one_se_lower"] is None


def test_without_replicates_the_share_has_no_error_and_says_why() -> None:
    data = students() | {"replicates": None}
    cuts = pl.DataFrame({"level": ["one"], "scale": [450.0], "se_scale": [10.0]})
    row = impact_of_cuts(cuts, Distribution(pattern="PV{m}MATHS", **data)).row(0, named=True)
    assert row["standard_error"] is None
    assert row["no_error_because"] == "no_replicate_weights"
    assert 0 < row["share_at_or_above"] < 1


def test_a_student_without_weight_is_refused() -> None:
    data = students()
    data["weights"] = data["weights"].head(399)
    cuts = pl.DataFrame({"level": ["one"], "scale": [450.0], "se_scale": [10.0]})
    with pytest.raises(EstimationError, match="S0399"):
        impact_of_cuts(cuts, Distribution(pattern="PV{m}MATHS", **data))


def test_cuts_that_fall_are_refused_with_the_level() -> None:
    turned = StandardRules(method="bookmark", levels=("two", "one"), slope=100.0, intercept=500.0)
    with pytest.raises(EstimationError, match="do not rise with the levels") as refusal:
        set_cuts(MATHS, BOOKMARKS, turned)
    assert "one" in str(refusal.value)


def test_strange_and_missing_levels_items_and_methods_are_refused() -> None:
    with pytest.raises(EstimationError, match="not among the levels"):
        set_cuts(MATHS, BOOKMARKS, StandardRules(method="bookmark", levels=("one",)))
    with pytest.raises(EstimationError, match="no entry for 1 levels"):
        set_cuts(
            MATHS,
            BOOKMARKS.filter(pl.col("level") == "one"),
            StandardRules(method="bookmark", levels=("one", "two")),
        )
    with pytest.raises(EstimationError, match="'method'"):
        StandardRules(method="ebel", levels=("one",))
    with pytest.raises(EstimationError, match="code of its own"):
        StandardRules(method="angoff", levels=("one", "one"))
    with pytest.raises(EstimationError, match="not among the 4 items"):
        items_of_session(ITEMS, subject="maths", left_out=["x"])
    with pytest.raises(EstimationError, match="1 items are left"):
        items_of_session(ITEMS, subject="maths", left_out=["a", "b", "c"])


def test_a_session_is_a_step_that_can_be_run_again(tmp_path) -> None:
    assert STEPS["standard_setting"] is STANDARD_SETTING
    store = Store(tmp_path / "store")
    inputs = {"item_parameters": store.put_table(ITEMS), "entries": store.put_table(BOOKMARKS)}
    inputs |= {role: store.put_table(table) for role, table in students().items()}
    parameters = {
        "method": "bookmark", "levels": ["one", "two"], "response_probability": 2 / 3, "scale_slope": 100.0,
        "scale_intercept": 500.0, "subject": "maths", "left_out": [], "values_pattern": "PV{m}MATHS",
        "weight": "final_weight", "fay_factor": 0.5,
    }  # fmt: skip
    request = StepRequest(
        inputs={role: artefact.hash for role, artefact in inputs.items()}, parameters=parameters
    )
    now = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
    manifest = run_step(store, STANDARD_SETTING, request, now=now, who="an expert")
    cuts = store.table(manifest.outputs["cuts"].hash)
    mapped = store.table(manifest.outputs["item_map"].hash)
    assert mapped.height == 4
    # RP62 puts every item lower than its RP67 page, so the item of a cut lies below that cut.
    lowest = mapped.sort("scale").row(0, named=True)
    assert lowest["item"] == "c"
    assert lowest["proficiency_level"] is None
    assert lowest["scale"] < cuts["scale"][0]
    assert store.table(manifest.outputs["impact"].hash).height == 2
    assert all(one.verdict == "identical" for one in rerun(store, manifest.id, steps=STEPS).outputs)
