"""Percent correct by domain and relative strengths, against their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from lsakit.errors import EstimationError
from lsakit.estimation.percent_correct import estimate_percent_correct, estimate_relative_strengths
from lsakit.estimation.survey_design import SurveyDesign

DOMAINS = {"number": [("A", 1.0), ("B", 2.0)], "data": [("C", 1.0)]}
DESIGN = SurveyDesign(weight="W", replicates="R{r}", n_replicates=8, method="fay", fay_factor=0.5)
NODES = np.linspace(200.0, 800.0, 6001)


def table(n: int = 300) -> pl.DataFrame:
    """Make answers of two groups; a third of the items was not given."""
    rng = np.random.default_rng(11)
    columns: dict[str, Any] = {
        "G": np.where(rng.random(n) < 0.4, "x", "y").tolist(),
        "W": rng.uniform(1, 5, n),
    }
    for name, most in (("A", 1), ("B", 2), ("C", 1)):
        score = rng.integers(0, most + 1, n).astype(float)
        columns[name] = [
            None if gone else value for gone, value in zip(rng.random(n) < 0.3, score, strict=True)
        ]
    for r in range(1, 9):
        columns[f"R{r}"] = columns["W"] * np.where(rng.random(n) < 0.5, 0.5, 1.5)
    for m in range(1, 4):
        columns[f"PV{m}"] = rng.normal(500.0, 80.0, n)
    return pl.DataFrame(columns)


def by_hand(rows: pl.DataFrame, values: dict[str, np.ndarray[Any, Any]], weight: str) -> dict[str, float]:
    """Compute the mean over items of weighted item means."""
    means = {}
    for name, own in values.items():
        known = ~np.isnan(own)
        weights = rows[weight].to_numpy()[known]
        means[name] = float((own[known] * weights).sum() / weights.sum())
    return {domain: float(np.mean([means[name] for name, _ in items])) for domain, items in DOMAINS.items()}


def shares(rows: pl.DataFrame) -> dict[str, np.ndarray[Any, Any]]:
    return {
        name: rows[name].cast(pl.Float64).to_numpy() / most for own in DOMAINS.values() for name, most in own
    }


@pytest.mark.parametrize("group", [None, "x", "y"])
def test_percent_correct_and_its_error_are_the_formulas(group: str | None) -> None:
    data = table()
    rows = data if group is None else data.filter(pl.col("G") == group)
    found = estimate_percent_correct(data, DOMAINS, by="G" if group else None, design=DESIGN).table
    if group:
        found = found.filter(pl.col("G") == group)
    whole = by_hand(rows, shares(rows), "W")
    replicates = [by_hand(rows, shares(rows), f"R{r}") for r in range(1, 9)]
    for domain in DOMAINS:
        row = found.filter(pl.col("statistic") == f"correct_{domain}").row(0, named=True)
        variance = sum((one[domain] - whole[domain]) ** 2 for one in replicates) / (8 * 0.25)
        assert row["estimate"] == pytest.approx(whole[domain], rel=1e-12)
        assert row["standard_error"] == pytest.approx(variance**0.5, rel=1e-9)
        assert row["n"] == rows.height


def test_relative_strength_is_observed_minus_expected() -> None:
    data = table()
    curves = {
        name: 1 / (1 + np.exp(-(NODES - 500.0) / scale))
        for name, scale in (("A", 90.0), ("B", 70.0), ("C", 110.0))
    }
    found = estimate_relative_strengths(data, DOMAINS, "PV{m}", (NODES, curves), by="G", design=DESIGN).table
    rows = data.filter(pl.col("G") == "x")
    means = []
    for m in range(1, 4):
        scores = rows[f"PV{m}"].to_numpy()
        residual = {name: own - np.interp(scores, NODES, curves[name]) for name, own in shares(rows).items()}
        means.append(by_hand(rows, residual, "W"))
    for domain in DOMAINS:
        row = found.filter((pl.col("G") == "x") & (pl.col("statistic") == f"relative_{domain}")).row(
            0, named=True
        )
        # The nearest of nodes 0.1 points apart is taken: an expected share is off by 0.05 points of its slope at most.
        assert row["estimate"] == pytest.approx(np.mean([one[domain] for one in means]), abs=1e-4)
        between = float(np.var([one[domain] for one in means], ddof=1))
        assert row["imputation_variance"] == pytest.approx(between, rel=0.02)


def test_answers_that_follow_the_curves_have_no_relative_strength() -> None:
    data = table()
    curves = {name: np.full(NODES.shape, 0.5) for name in "ABC"}
    half = data.with_columns(A=pl.lit(0.5), B=pl.lit(1.0), C=pl.lit(0.5))
    found = estimate_relative_strengths(half, DOMAINS, "PV{m}", (NODES, curves), by="G", design=DESIGN).table
    assert found["estimate"].abs().max() == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize(
    ("domains", "sentence"),
    [
        ({}, "No domain is named"),
        ({"number": []}, "'number' has no item"),
        ({"number": [("A", 0.0)]}, "highest score of the item 'A' is not positive"),
        ({"all": [("A", 1.0)]}, "cannot be called 'all'"),
    ],
)
def test_domains_that_give_no_number_are_refused(domains: Any, sentence: str) -> None:
    with pytest.raises(EstimationError, match=sentence):
        estimate_percent_correct(table(), domains, design=DESIGN)


def test_an_item_without_a_curve_is_refused() -> None:
    with pytest.raises(EstimationError, match="'C' has no expected share"):
        estimate_relative_strengths(
            table(), DOMAINS, "PV{m}", (NODES, {"A": NODES, "B": NODES}), design=DESIGN
        )


def test_an_item_given_to_nobody_of_a_group_leaves_its_domain_undefined() -> None:
    data = table().with_columns(C=pl.when(pl.col("G") == "y").then(pl.col("C")))
    found = estimate_percent_correct(data, DOMAINS, by="G", design=DESIGN).table
    row = found.filter((pl.col("G") == "x") & (pl.col("statistic") == "correct_data")).row(0, named=True)
    assert row["estimate"] is None
