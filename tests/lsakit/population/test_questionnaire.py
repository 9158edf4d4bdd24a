"""Questionnaire scales and the socio-economic index: TV-8.7 by name, metric, invariance, imputation, refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from lsakit.errors import CalibrationError, EstimationError, UnknownColumnError
from lsakit.population.questionnaire_scale import QuestionnaireOptions, questionnaire_scale
from lsakit.population.socioeconomic_index import IndexOptions, socioeconomic_index

FOUR = {"hisei": [30, 45, 60, 75], "pared": [9, 12, 14, 16], "homepos": [-1.1, -0.2, 0.3, 1.2]}


def test_tv_8_7_index() -> None:
    found = socioeconomic_index(FOUR, seed=1)
    assert found.table["raw"].to_list() == pytest.approx([-1.391227, -0.345885, 0.410334, 1.326778], abs=5e-7)
    assert found.table["index"].to_list() == pytest.approx(
        [-1.394042, -0.346585, 0.411164, 1.329462], abs=5e-7
    )
    assert found.loadings == pytest.approx({"hisei": 1 / 3, "pared": 1 / 3, "homepos": 1 / 3})


def students(n: int = 4000, seed: int = 3) -> pl.DataFrame:
    """Three correlated components."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=n)
    parts = [0.7 * common + 0.7 * rng.normal(size=n) for _ in range(3)]
    return pl.DataFrame(
        {
            "student_id": [f"S{row:05d}" for row in range(n)],
            "hisei": 50 + 20 * parts[0],
            "pared": 12 + 3 * parts[1],
            "homepos": parts[2],
        }
    )


def test_imputation_keeps_the_spread_and_nobody_moves_another() -> None:
    data = students()
    rng = np.random.default_rng(1)
    gone = rng.random(data.height) < 0.3
    holed = data.with_columns(pared=pl.when(pl.Series(gone)).then(None).otherwise(pl.col("pared")))
    found = socioeconomic_index(holed, seed=7)
    assert found.n_imputed == int(gone.sum())
    z = found.table["z_pared"].to_numpy()
    # The residual draw keeps the variance; a plain regression would shrink it to R2 (about .4).
    assert z[gone].std() == pytest.approx(1.0, abs=0.08)
    other = found.table["z_hisei"].to_numpy()
    assert np.corrcoef(z[gone], other[gone])[0, 1] == pytest.approx(
        np.corrcoef(z[~gone], other[~gone])[0, 1], abs=0.06
    )
    turned = socioeconomic_index(holed.sample(fraction=1.0, shuffle=True, seed=2), seed=7).table
    both = found.table.join(turned, on="student_id")
    assert (both["index"] - both["index_right"]).abs().max() < 1e-9
    another = socioeconomic_index(holed, seed=8).table["z_pared"].to_numpy()
    assert np.abs(another - z)[gone].min() > 0.0
    assert np.abs(another - z)[~gone].max() == 0.0


def test_two_missing_components_give_no_index() -> None:
    data = students(50)
    some = data.with_columns(
        pared=pl.when(pl.int_range(pl.len()) < 2).then(None).otherwise(pl.col("pared")),
        homepos=pl.when(pl.int_range(pl.len()) < 1).then(None).otherwise(pl.col("homepos")),
    )
    found = socioeconomic_index(some, seed=1).table
    assert found["status"].to_list()[:3] == ["missing", "imputed", "complete"]
    assert found["index"][0] is None
    assert found["imputed"].to_list()[:3] == [None, "pared", None]


def test_the_reference_students_have_mean_0_and_sd_1() -> None:
    data = students().with_columns(
        oecd=pl.int_range(pl.len()) % 2, w=pl.lit(1.0) + pl.int_range(pl.len()) % 3
    )
    found = socioeconomic_index(data, seed=1, weights="w", options=IndexOptions(reference="oecd")).table
    mass = (data["w"] * data["oecd"]).to_numpy()
    index = found["index"].to_numpy()
    mean = mass @ index / mass.sum()
    assert mean == pytest.approx(0.0, abs=1e-12)
    assert mass @ (index - mean) ** 2 / mass.sum() == pytest.approx(1.0)


def test_principal_component_weights_sum_to_one() -> None:
    found = socioeconomic_index(students(), seed=1, options=IndexOptions(weights_of="pca"))
    assert sum(found.loadings.values()) == pytest.approx(1.0)
    assert min(found.loadings.values()) > 0.3  # the components are alike


def test_what_the_index_refuses() -> None:
    with pytest.raises(UnknownColumnError, match="no column 'homepos'"):
        socioeconomic_index({"hisei": [1, 2], "pared": [1, 2]}, seed=1)
    with pytest.raises(EstimationError, match="'pared' does not vary"):
        socioeconomic_index({**FOUR, "pared": [9, 9, 9, 9]}, seed=1)
    few = {**FOUR, "student_id": list("abcd"), "pared": [None, 12, 14, 16]}
    with pytest.raises(EstimationError, match="Only 3 students have every component"):
        socioeconomic_index(few, seed=1)
    with pytest.raises(UnknownColumnError, match="student_id"):
        socioeconomic_index({**FOUR, "pared": [None, 12, 14, 16]}, seed=1)
    with pytest.raises(EstimationError, match="'equal' or 'pca'"):
        IndexOptions(weights_of="irt")


def attitudes(seed: int = 1, n: int = 1500) -> tuple[pl.DataFrame, np.ndarray]:
    """Five items of four categories; the last is worded the other way round."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=n)
    columns = {}
    for j in range(5):
        noisy = 1.5 * theta + rng.logistic(size=n)
        columns[f"q{j}"] = (noisy[:, None] > np.array([-1.5, 0.0, 1.5])).sum(axis=1)
    columns["q4"] = 3 - columns["q4"]
    return pl.DataFrame(columns), theta


def test_a_scale_recovers_the_attitude() -> None:
    data, theta = attitudes()
    options = QuestionnaireOptions(reverse=["q4"], mean=10.0, sd=2.0)
    found = questionnaire_scale(data, options=options)
    scale = found.table["scale"].to_numpy()
    assert scale.mean() == pytest.approx(10.0)
    assert scale.std() == pytest.approx(2.0)
    assert np.corrcoef(scale, theta)[0, 1] > 0.85
    assert found.alpha > 0.7
    assert found.reliability > 0.6  # five items; the errors of extreme scores are large
    assert found.doubtful == ()
    assert (found.items["slope"] > 0.6).all()  # cumulative logits of slope 1.5 are flatter as adjacent ones


def test_a_forgotten_reversal_is_doubtful() -> None:
    data, _ = attitudes()
    found = questionnaire_scale(data)
    assert found.alpha < 0.7
    assert any("Alpha is" in sentence for sentence in found.doubtful)


def test_a_held_scale_stays() -> None:
    data, _ = attitudes()
    first = questionnaire_scale(data, options=QuestionnaireOptions(reverse=["q4"]))
    later, _ = attitudes(seed=2)
    held = QuestionnaireOptions(
        reverse=["q4"], fixed=first.items, slope=first.slope, intercept=first.intercept
    )
    found = questionnaire_scale(later, options=held)
    assert (found.slope, found.intercept) == (first.slope, first.intercept)
    assert found.items["difficulty"].to_numpy() == pytest.approx(first.items["difficulty"].to_numpy())


def test_few_answers_give_no_score() -> None:
    data, _ = attitudes()
    holed = data.with_columns(
        *(
            pl.when(pl.int_range(pl.len()) == 0).then(None).otherwise(pl.col(f"q{j}")).alias(f"q{j}")
            for j in range(5)
        )
    ).with_columns(
        *(
            pl.when(pl.int_range(pl.len()) == 1).then(None).otherwise(pl.col(f"q{j}")).alias(f"q{j}")
            for j in range(3)
        )
    )
    found = questionnaire_scale(holed, options=QuestionnaireOptions(reverse=["q4"])).table
    assert found["status"].to_list()[:3] == ["no_responses", "too_few_items", "estimated"]
    assert found["scale"].to_list()[:2] == [None, None]


def test_an_item_that_means_something_else_in_one_group_is_flagged() -> None:
    parts = []
    for number, name in enumerate("abc"):
        data, _ = attitudes(seed=number)
        if name == "b":
            data = data.with_columns(q1=pl.col("q4"))  # the other direction
        parts.append(data.with_columns(country=pl.lit(name)))
    found = questionnaire_scale(
        pl.concat(parts), group="country", options=QuestionnaireOptions(reverse=["q4"], rmsd_threshold=0.2)
    )
    flagged = found.invariance.filter(pl.col("flagged"))
    assert ("q1", "b") in set(flagged.select("item", "group").rows())
    assert any("RMSD" in sentence for sentence in found.doubtful)


def test_what_a_scale_refuses() -> None:
    data, _ = attitudes(n=100)
    with pytest.raises(CalibrationError, match="at least 3 items"):
        questionnaire_scale(data, items=["q0", "q1"])
    with pytest.raises(CalibrationError, match="1 items to reverse are not among the items"):
        questionnaire_scale(data, options=QuestionnaireOptions(reverse=["q9"]))
    with pytest.raises(CalibrationError, match="given together"):
        QuestionnaireOptions(slope=1.0)
    with pytest.raises(CalibrationError, match="Only 0 students answered 6 items"):
        questionnaire_scale(data, options=QuestionnaireOptions(reverse=["q4"], least_items=6))
