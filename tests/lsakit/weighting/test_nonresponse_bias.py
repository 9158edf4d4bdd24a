"""Non-response bias analysis: the worked vector, a hand-made sample, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lsakit as lk
from lsakit.errors import DesignError, TableError
from lsakit.weighting.final_weights import final_weights
from lsakit.weighting.nonresponse_measures import (
    bias_of_mean,
    rao_scott,
    representativity,
    response_propensities,
)
from lsakit.weighting.weighted import FinalWeights


def test_tv_2_2_bias_and_r_indicator() -> None:
    assert bias_of_mean(0.85, 505.0, 470.0) == pytest.approx(5.25, rel=1e-14)
    found = representativity([0.95, 0.90, 0.85, 0.70, 0.92, 0.88])
    # printed with five decimals
    assert found.r_indicator == pytest.approx(0.82306, abs=5e-6)
    assert found.bias_bound == pytest.approx(0.10208, abs=5e-6)


def test_measures_refuse_what_is_no_proportion() -> None:
    with pytest.raises(DesignError, match="'response_rate'"):
        bias_of_mean(85, 505, 470)
    for wrong in ([0.5], [0.5, 1.2], [0.0, 0.0]):
        with pytest.raises(DesignError, match="propensities"):
            representativity(wrong)


def test_propensities_of_groups_are_their_rates() -> None:
    """A model with one factor is saturated: fitted propensities are the weighted rates, 1 in a full group."""
    group = np.repeat([0, 1, 2], 10)
    responded = np.concatenate([np.arange(10) < 7, np.arange(10) < 4, np.ones(10, dtype=bool)])
    weights = np.tile(np.arange(1.0, 11.0), 3)
    design = np.column_stack([np.ones(30), group == 1, group == 2]).astype(float)
    rho = response_propensities(responded, design, weights)
    assert rho[0] == pytest.approx(28 / 55, abs=1e-8)
    assert rho[10] == pytest.approx(10 / 55, abs=1e-8)
    # separated: the propensity runs to 1, where the deviance no longer moves
    assert rho[20] == pytest.approx(1.0, abs=1e-10)


def test_rao_scott_without_clustering_is_pearson() -> None:
    rng = np.random.default_rng(3)
    rows, columns = rng.integers(0, 2, 3000), rng.integers(0, 3, 3000)
    ones = np.ones(3000)
    found = rao_scott(rows, columns, ones, np.arange(3000), np.zeros(3000, dtype=int))
    # with replacement and n / (n − 1): the correction is 1 up to 1/n and the deviation from independence
    assert found.chi_square == pytest.approx(found.pearson, rel=0.01)
    assert found.df == 2


def test_rao_scott_knows_clusters() -> None:
    """Every unit five times over in one cluster: five times Pearson's statistic, the same evidence."""
    rng = np.random.default_rng(4)
    rows, columns = rng.integers(0, 2, 400), rng.integers(0, 3, 400)
    once = rao_scott(rows, columns, np.ones(400), np.arange(400), np.zeros(400, dtype=int))
    times = [np.repeat(one, 5) for one in (rows, columns, np.arange(400))]
    five = rao_scott(times[0], times[1], np.ones(2000), times[2], np.zeros(2000, dtype=int))
    assert five.pearson == pytest.approx(5 * once.pearson, rel=1e-12)
    assert five.chi_square == pytest.approx(once.chi_square, rel=1e-9)
    with pytest.raises(DesignError, match="two values of each variable"):
        rao_scott(np.zeros(4, dtype=int), np.arange(4), np.ones(4), np.arange(4), np.zeros(4, dtype=int))


N = 12
IDS = [f"S{row:02d}" for row in range(N)]
DRAWN: dict[str, Any] = {"school_id": IDS, "stratum": ["n"] * N, "base_weight": [2.0] * 6 + [3.0] * 6}
SCHOOLS: dict[str, Any] = {
    "school_id": IDS,
    # S01 refused and R01 came, S02 and S09 refused and nobody came; S11 is closed
    "participant_id": [
        None if row in {2, 9, 11} else ("R01" if row == 1 else one) for row, one in enumerate(IDS)
    ],
    "status": [2 if row in {1, 2, 9} else 6 if row == 11 else 1 for row in range(N)],
    "enrolment": [50] * N,
    "enrolment_listed": [None if row in {2, 9, 11} else 50 for row in range(N)],
    "base_weight": DRAWN["base_weight"],
    "stratum": ["n"] * N,
}
FRAME: dict[str, Any] = {
    "school_id": [*IDS, "R01"],
    "area": [*(["rural"] * 4 + ["urban"] * 8), "urban"],
    "size": [*[float(20 + row) for row in range(N)], 90.0],
}
TOOK = [one for one in SCHOOLS["participant_id"] if one]
STUDENTS: dict[str, Any] = {
    "school_id": [one for one in TOOK for _ in range(20)],
    "student_id": [f"{one}-{row:02d}" for one in TOOK for row in range(20)],
    "gender": ["FM"[row % 2] for _ in TOOK for row in range(20)],
    "status": [20 if row in {1, 3, 5} else 10 for _ in TOOK for row in range(20)],
}


def weights() -> FinalWeights:
    return final_weights(DRAWN, SCHOOLS, STUDENTS)


def test_three_parts_by_hand() -> None:
    found = lk.nonresponse_bias(SCHOOLS, FRAME, by=["area", "size"], weights=weights())
    rows = {(row["part"], row["characteristic"], row["level"]): row for row in found.table.rows(named=True)}
    w = np.asarray([2.0] * 6 + [3.0] * 5)
    rural = np.asarray([1.0] * 4 + [0.0] * 7)
    size = 20.0 + np.arange(11)
    itself = np.asarray([row not in {1, 2, 9} for row in range(11)])
    first = rows["originals", "area", "rural"]
    whole, reached = w @ rural / w.sum(), w[itself] @ rural[itself] / w[itself].sum()
    assert (first["n_all"], first["n_respondents"]) == (11, 8)
    assert (first["all"], first["respondents"]) == (pytest.approx(whole), pytest.approx(reached))
    assert first["bias"] == pytest.approx(reached - whole)
    rate = w[itself].sum() / w.sum()
    assert first["bias"] == pytest.approx(bias_of_mean(rate, first["respondents"], first["nonrespondents"]))
    assert first["relative_bias"] == pytest.approx(first["bias"] / whole)
    assert first["effect_size"] == pytest.approx(first["bias"] / np.sqrt(whole * (1 - whole)))
    second = rows["after_replacement", "size", None]
    values = np.where(np.arange(11) == 1, 90.0, size)
    took = np.asarray([row not in {2, 9} for row in range(11)])
    assert second["respondents"] == pytest.approx(w[took] @ values[took] / w[took].sum())
    assert second["all"] == pytest.approx(w @ size / w.sum())
    third = rows["after_adjustment", "size", None]
    # one stratum, one cell: the factor is common and changes no mean
    assert third["respondents"] == pytest.approx(second["respondents"])


def test_flags_follow_the_effect_size() -> None:
    found = lk.nonresponse_bias(SCHOOLS, FRAME, by=["area", "size"])
    for row in found.table.rows(named=True):
        size = abs(row["effect_size"])
        assert row["flag"] == ("act" if size >= 0.2 else "small" if size >= 0.1 else "none")
    assert set(found.table["flag"]) >= {"act"}
    assert set(found.table["part"]) == {"originals", "after_replacement"}


def test_tests_and_indicators() -> None:
    found = lk.nonresponse_bias(SCHOOLS, FRAME, by=["area", "size"])
    assert found.tests.height == 4
    assert ((found.tests["p_value"] > 0) & (found.tests["p_value"] < 1)).all()
    for row in found.representativity.rows(named=True):
        assert row["r_indicator"] < 1
        # a logistic model with an intercept keeps the weighted rate
        part = found.table.filter(part=row["part"], level="rural").row(0, named=True)
        rate = (part["all"] - part["nonrespondents"]) / (part["respondents"] - part["nonrespondents"])
        if row["part"] == "originals":
            assert row["mean_propensity"] == pytest.approx(rate, abs=1e-8)


def test_students_by_hand() -> None:
    """All three absent of twenty are boys: girls are over-represented until the adjustment by gender."""
    found = lk.nonresponse_bias(SCHOOLS, FRAME, by=["gender"], weights=weights(), students=STUDENTS)
    rows = {(row["part"], row["level"]): row for row in found.table.rows(named=True)}
    assert rows["respondents", "F"]["all"] == pytest.approx(0.5)
    assert rows["respondents", "F"]["respondents"] == pytest.approx(10 / 17)
    assert rows["respondents", "F"]["bias"] == pytest.approx(10 / 17 - 0.5)
    assert rows["after_adjustment", "F"]["bias"] == pytest.approx(0.0, abs=1e-12)
    assert set(found.table["stage"]) == {"student"}
    assert found.tests["p_value"][0] < 1e-6


def test_a_full_response_has_no_bias_and_no_test() -> None:
    schools = {**SCHOOLS, "participant_id": IDS, "status": [1] * N}
    found = lk.nonresponse_bias(schools, FRAME, by=["area"])
    assert found.table["bias"].to_list() == pytest.approx([0.0] * 4, abs=1e-15)
    assert found.table["nonrespondents"].null_count() == 4
    assert found.tests["p_value"].null_count() == 2
    assert found.representativity["r_indicator"].to_list() == [1.0, 1.0]


def test_refusals() -> None:
    frame = {key: [*column[:3], *column[4:]] for key, column in FRAME.items()}
    with pytest.raises(DesignError, match=r"1 sampled or replacement schools are not in the frame. See: S03"):
        lk.nonresponse_bias(SCHOOLS, frame, by=["area"])
    with pytest.raises(TableError, match="frame has no column 'sector'"):
        lk.nonresponse_bias(SCHOOLS, FRAME, by=["sector"])
    with pytest.raises(DesignError, match="names no characteristic"):
        lk.nonresponse_bias(SCHOOLS, FRAME, by=[])
    with pytest.raises(TableError, match=r"'area'.*no missing"):
        lk.nonresponse_bias(SCHOOLS, {**FRAME, "area": [None, *FRAME["area"][1:]]}, by=["area"])
    with pytest.raises(DesignError, match="'weights' is missing"):
        lk.nonresponse_bias(SCHOOLS, FRAME, by=["gender"], students=STUDENTS)
    nobody = {**SCHOOLS, "participant_id": [None] * N, "status": [2] * N}
    with pytest.raises(DesignError, match="No school responded"):
        lk.nonresponse_bias(nobody, FRAME, by=["area"])
    with pytest.raises(DesignError, match=r"eligible sampled students are not in the students table"):
        lk.nonresponse_bias(
            SCHOOLS,
            FRAME,
            by=["gender"],
            weights=weights(),
            students={k: v[1:] for k, v in STUDENTS.items()},
        )
