"""Planning: design effects, errors, needed schools, differences between cycles, cost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import lsakit as lk
from lsakit.design.precision import PlanOptions, SurveyCost
from lsakit.design.precision_formulas import (
    best_cluster_size,
    cluster_design_effect,
    detectable_difference,
    intraclass_correlation,
    mean_error,
    proportion_error,
    schools_needed,
    two_stage_error,
    weighting_loss,
)
from lsakit.errors import DesignError
from lsakit.tables.plan_figures import precision_curve


@pytest.mark.parametrize(
    ("schools", "m", "icc", "deff", "n_eff", "error", "half"),
    [
        (150, 35, 0.35, 12.90, 406.98, 4.957, 2.478),
        (150, 42, 0.30, 13.30, 473.68, 4.595, 2.297),
        (150, 30, 0.40, 12.60, 357.14, 5.292, 2.646),
        (200, 30, 0.40, 12.60, 476.19, 4.583, 2.291),
    ],
)
def test_tv_1_4_errors(
    schools: int, m: int, icc: float, deff: float, n_eff: float, error: float, half: float
) -> None:
    """Formulas and the plan of a frame agree with the vector to half a unit of its last printed digit."""
    assert cluster_design_effect(m, icc) == pytest.approx(deff, abs=5e-3)
    assert mean_error(schools, m, icc=icc, sd=100) == pytest.approx(error, abs=5.1e-4)
    assert 100 * proportion_error(schools, m, icc=icc) == pytest.approx(half, abs=5.1e-4)
    frame = {"school_id": [f"S{row:03d}" for row in range(600)], "enrolment": [m + 5] * 600}
    plan = lk.plan_precision(lk.Design(n_schools=schools, n_students=m), frame, icc=icc, sd=100)
    row = plan.table.row(0, named=True)
    assert row["n"] == schools * m
    assert row["deff"] == pytest.approx(deff, abs=1e-9)
    assert row["n_eff"] == pytest.approx(n_eff, abs=5e-3)
    assert row["se"] == pytest.approx(error, abs=5.1e-4)
    assert row["se_half"] == pytest.approx(half, abs=5.1e-4)


def test_tv_1_4_needed_schools() -> None:
    assert schools_needed(5, 35, icc=0.35, sd=100) == pytest.approx(147.43, abs=5e-3)
    with_rates = schools_needed(5, 35, icc=0.35, sd=100, student_rate=0.9, school_rate=0.95)
    assert with_rates == pytest.approx(156.06, abs=5e-3)
    assert schools_needed(8, 30, icc=0.35, sd=95) == pytest.approx(52.41, abs=5e-3)
    frame = {"school_id": [f"S{row:03d}" for row in range(600)], "enrolment": [90] * 600}
    design = lk.Design(n_schools=150, n_students=35)
    for options, needed in (
        (PlanOptions(wanted_error=5), 148),
        (PlanOptions(wanted_error=5, student_rate=0.9, school_rate=0.95), 157),
    ):
        plan = lk.plan_precision(design, frame, icc=0.35, sd=100, options=options)
        assert plan.nation["n_schools_needed"] == needed


def test_tv_1_4_finite_population() -> None:
    assert mean_error(60, 30, icc=0.35, sd=100) == pytest.approx(7.870, abs=5e-4)
    assert two_stage_error(60, 400, 30, icc=0.35, sd=100) == pytest.approx(7.293, abs=5.1e-4)
    frame = {"school_id": [f"S{row:03d}" for row in range(400)], "enrolment": [77] * 400}
    design = lk.Design(n_schools=60, n_students=30)
    options = PlanOptions(finite_population=True)
    plan = lk.plan_precision(design, frame, icc=0.35, sd=100, options=options)
    assert plan.nation["se"] == pytest.approx(two_stage_error(60, 400, 30, icc=0.35, sd=100), rel=1e-12)


@pytest.mark.parametrize(("error", "difference"), [(3, 11.9), (5, 19.8), (8, 31.7)])
def test_tv_1_4_differences_between_cycles(error: float, difference: float) -> None:
    assert detectable_difference(error, error) == pytest.approx(difference, abs=0.05)


def test_tv_1_4_difference_with_link_error_and_the_icc() -> None:
    assert detectable_difference(3, 3, link_error=2.24) == pytest.approx(13.43, abs=5e-3)
    assert detectable_difference(3, 3, power=0.5) == pytest.approx(1.96 * math.sqrt(18), abs=1e-12)
    assert intraclass_correlation(3200, 6400) == pytest.approx(0.3333, abs=5e-5)


def frame_of(n: int = 600) -> dict[str, Any]:
    rng = np.random.default_rng(4)
    return {
        "school_id": [f"S{row:04d}" for row in range(n)],
        "region": rng.choice(["North", "South"], n).tolist(),
        "area": rng.choice(["rural", "urban"], n).tolist(),
        "enrolment": rng.integers(8, 300, n).tolist(),
    }


PLAN = lk.Design(explicit=["region"], n_schools={"North": 40, "South": 60}, n_students=35)


def test_the_call_of_the_issue_gives_strata_nation_and_domains() -> None:
    for frame in (frame_of(), pd.DataFrame(frame_of()), pl.DataFrame(frame_of())):
        plan = lk.plan_precision(PLAN, frame, icc=0.35, sd=100)
        assert plan.table.columns[:5] == ["stratum", "n", "deff", "n_eff", "se"]
        assert plan.domains.select("domain", "value").rows() == [
            ("nation", "all"),
            ("region", "North"),
            ("region", "South"),
        ]
    table, regions = plan.table, plan.domains.filter(plan.domains["domain"] == "region")
    assert regions["se"].to_list() == table["se"].to_list()
    np.testing.assert_allclose(table["n_eff"], table["n"] / table["deff"], rtol=1e-12)
    np.testing.assert_allclose(table["se"], 100 / np.sqrt(table["n_eff"]), rtol=1e-12)


def test_the_nation_combines_strata_by_their_shares_of_students() -> None:
    frame = frame_of()
    plan = lk.plan_precision(PLAN, frame, icc={"North": 0.2, "South": 0.5}, sd={"North": 80, "South": 110})
    size, region = np.asarray(frame["enrolment"]), np.asarray(frame["region"])
    share = np.asarray([size[region == one].sum() for one in ("North", "South")]) / size.sum()
    expected = math.sqrt((share**2 * plan.table["se"].to_numpy() ** 2).sum())
    assert plan.nation["se"] == pytest.approx(expected, rel=1e-12)
    assert plan.nation["n"] == pytest.approx(plan.table["n"].sum(), rel=1e-12)


def test_a_domain_across_strata_is_planned_by_its_part_of_each() -> None:
    plan = lk.plan_precision(PLAN, frame_of(), icc=0.35, sd=100, options=PlanOptions(domains=["area"]))
    areas = plan.domains.filter(plan.domains["domain"] == "area")
    assert areas["value"].to_list() == ["rural", "urban"]
    assert areas["n_schools"].sum() == pytest.approx(100, abs=1e-6)
    assert areas["n"].sum() == pytest.approx(plan.nation["n"], rel=1e-12)
    assert (areas["se"].to_numpy() > plan.nation["se"]).all()


@pytest.mark.parametrize("rule", ["floor", "undersample", "none"])
def test_the_planned_error_is_that_of_repeated_surveys(rule: str) -> None:
    """Means of 2,000 surveys of clustered populations vary as planned, with small schools in the frame.

    The standard deviation of 2,000 draws has a relative error of 1.6 %; 6 % is nearly four of them.
    """
    rng = np.random.default_rng(9)
    n, m, icc, n_surveys = 2_000, 20, 0.3, 2_000
    size = rng.integers(2, 26, n)
    frame = {"school_id": [f"S{row:04d}" for row in range(n)], "enrolment": size.tolist()}
    kind = {"small_schools": "undersample"} if rule == "undersample" else {}
    design = lk.Design(n_schools=60, n_students=m, size_floor=0 if rule == "none" else None, **kind)
    plan = lk.plan_precision(design, frame, icc=icc, sd=100)
    drawn = lk.draw_schools(frame, design, rng=1).frame.sort("school_id")
    total = drawn["measure_of_size"].to_numpy().cumsum()
    chance, means = drawn["probability"].to_numpy(), []
    for start in rng.random(n_surveys):
        rows = np.searchsorted(total, (1 - start + np.arange(60)) * total[-1] / 60)
        school = rng.normal(0, 100 * math.sqrt(icc), 60)
        inside = rng.normal(0, 100 * np.sqrt((1 - icc) / np.minimum(size[rows], m)))
        means.append(np.average(school + inside, weights=size[rows] / chance[rows]))
    assert np.std(means) == pytest.approx(plan.nation["se"], rel=0.06)
    if rule == "floor":  # negative control: the formula that knows no small schools fails here
        assert np.std(means) != pytest.approx(mean_error(60, m, icc=icc, sd=100), rel=0.06)


def test_cost_and_its_curve() -> None:
    options = PlanOptions(cost=SurveyCost(fixed=1000, per_school=10, per_student=0.5))
    plan = lk.plan_precision(PLAN, frame_of(), icc=0.35, sd=100, options=options)
    assert plan.cost == pytest.approx(1000 + 10 * 100 + 0.5 * plan.nation["n"], rel=1e-12)
    chosen = plan.curve.filter(plan.curve["is_design"]).row(0, named=True)
    assert chosen["cost"] == pytest.approx(plan.cost, rel=1e-12)
    assert chosen["se"] == pytest.approx(plan.nation["se"], rel=1e-12)
    for students in plan.curve["n_students"].unique():
        line = plan.curve.filter(plan.curve["n_students"] == students)
        assert (np.diff(line["cost"]) > 0).all()
        assert (np.diff(line["se"]) < 0).all()
    assert lk.plan_precision(PLAN, frame_of(), icc=0.35, sd=100).cost is None
    assert best_cluster_size(900, 1, icc=0.5) == pytest.approx(30)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_figure_has_its_table_behind(language: str) -> None:
    options = PlanOptions(cost=SurveyCost(per_school=10, per_student=0.5))
    for one, columns in ((options, 5), (None, 4)):
        plan = lk.plan_precision(PLAN, frame_of(), icc=0.35, sd=100, options=one)
        figure = precision_curve(plan, language=language)
        assert figure.svg.startswith("<svg")
        assert len(figure.table.rows) == plan.curve.height
        assert {len(row) for row in figure.table.rows} == {columns} == {len(figure.table.columns)}
        assert sum("(" in row[0] for row in figure.table.rows) == 1
        written = f"{plan.nation['se']:.1f}"
        assert (written.replace(".", ",") if language == "vi" else written) in figure.title


def test_unequal_weights_lose_precision() -> None:
    assert weighting_loss([1, 1, 1]) == 1
    assert weighting_loss([1, 1, 2]) == pytest.approx(1 + np.var([1, 1, 2]) / np.mean([1, 1, 2]) ** 2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cluster_design_effect(0, 0.3), "'n_students'"),
        (lambda: mean_error(10, 30, icc=1.2, sd=100), "'icc'"),
        (lambda: mean_error(10, 30, icc=0.2, sd=0), "'sd'"),
        (lambda: two_stage_error(10, 9, 30, icc=0.2, sd=1), "at least the 10 schools"),
        (lambda: schools_needed(0, 30, icc=0.2, sd=1), "'standard_error'"),
        (lambda: schools_needed(1, 30, icc=0.2, sd=1, school_rate=0), "'school_rate'"),
        (lambda: detectable_difference(1, 1, power=0.3), "'power'"),
        (lambda: proportion_error(10, 30, icc=0.2, proportion=1), "'proportion'"),
        (lambda: weighting_loss([]), "'weights'"),
        (lambda: best_cluster_size(1, 1, icc=0), "'icc'"),
        (lambda: intraclass_correlation(0, 0), "not both 0"),
        (lambda: PlanOptions(student_rate=0), "'student_rate'"),
        (lambda: PlanOptions(wanted_error=-1), "'wanted_error'"),
        (lambda: SurveyCost(per_school=-1, per_student=0), "'per_school'"),
        (lambda: lk.plan_precision(PLAN, frame_of(), icc=1.5, sd=100), "'icc' must be from 0 to 1"),
        (lambda: lk.plan_precision(PLAN, frame_of(), icc=0.3, sd={"North": 90}), "'sd'.*See: South"),
        (lambda: lk.plan_precision(PLAN, frame_of(), icc=0.3, sd=float("nan")), "'sd'"),
    ],
)
def test_assumptions_outside_their_range_are_refused(call: Any, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        call()
