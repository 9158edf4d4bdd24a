"""Coder severities: against direct maximisation of the plain log-likelihood, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize

from irt_plain_loops import probabilities
from lsakit.errors import CalibrationError, ResponseError
from lsakit.irt.ability import score
from lsakit.irt.calibration import CalibrationOptions, Prior
from lsakit.irt.facets import FacetCalibration, calibrate_facets, ratings_table

SEVERITY = np.array([-0.6, 0.1, 0.5])
DIFFICULTY = (-0.5, 0.2, 0.6)


def coded(n: int = 350, seed: int = 1, *, per_response: int = 2) -> pl.DataFrame:
    """Three items, the last of three categories, each response scored by some of three coders."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(0, 1.1, n)
    rows = []
    for i in range(n):
        for j, b in enumerate(DIFFICULTY):
            for c in rng.choice(3, per_response, replace=False):
                par = {"slope": 1.0, "difficulty": b + SEVERITY[c], "steps": [0.5, -0.5] if j == 2 else ()}
                chance = probabilities("pcm", theta[[i]], par)[0]
                rows.append(
                    (f"s{i:04d}", f"q{j}", f"coder {c}", int((rng.random() > np.cumsum(chance)[:-1]).sum()))
                )
    return pl.DataFrame(rows, schema=["student_id", "item", "coder", "score"], orient="row")


@pytest.fixture(scope="module")
def solved() -> tuple[pl.DataFrame, FacetCalibration]:
    ratings = coded()
    return ratings, calibrate_facets(ratings, options=CalibrationOptions(tolerance=1e-8))


def test_the_maximum_is_that_of_a_direct_search(solved: tuple[pl.DataFrame, FacetCalibration]) -> None:
    ratings, found = solved
    wide = ratings_table(ratings)
    names = wide.columns[1:]
    codes = wide.select(names).fill_null(-1).to_numpy()
    nodes = np.linspace(-6, 6, 41)

    def minus_loglik(x: np.ndarray) -> float:
        severity = np.append(x[4:6], -x[4:6].sum())
        prior = np.exp(-0.5 * (nodes / np.exp(x[6])) ** 2)
        total = np.tile(np.log(prior / prior.sum()), (len(codes), 1))
        for k, name in enumerate(names):
            item, coder = int(name[1]), int(name[-1])
            steps = [x[3], -x[3]] if item == 2 else ()
            par = {"slope": 1.0, "difficulty": x[item] + severity[coder], "steps": steps}
            seen = codes[:, k] >= 0
            total[seen] += np.log(probabilities("pcm", nodes, par)[:, codes[seen, k]]).T
        return -float(np.log(np.exp(total).sum(axis=1)).sum())

    direct = minimize(minus_loglik, np.zeros(7), method="BFGS", options={"gtol": 1e-6})
    assert found.calibration.loglik == pytest.approx(-direct.fun, abs=1e-6)
    assert found.items["difficulty"].to_numpy() == pytest.approx(direct.x[:3], abs=1e-4)
    assert found.items["step_1"][2] == pytest.approx(direct.x[3], abs=1e-4)
    assert found.severities["severity"].to_numpy()[:2] == pytest.approx(direct.x[4:6], abs=1e-4)
    assert found.severities["severity"].sum() == pytest.approx(0.0, abs=1e-12)
    assert found.calibration.n_parameters == 7
    h = 1e-3
    moves = h * np.eye(7)
    hessian = np.array(
        [
            [
                minus_loglik(direct.x + a + b)
                - minus_loglik(direct.x + a - b)
                - minus_loglik(direct.x - a + b)
                + minus_loglik(direct.x - a - b)
                for b in moves
            ]
            for a in moves
        ]
    ) / (4 * h * h)
    covariance = np.linalg.inv(hessian)
    errors = np.sqrt([covariance[4, 4], covariance[5, 5], covariance[4:6, 4:6].sum()])
    assert found.severities["se"].to_numpy() == pytest.approx(errors, rel=5e-3)  # second differences
    assert found.items["se_difficulty"].to_numpy() == pytest.approx(
        np.sqrt(np.diag(covariance)[:3]), rel=5e-3
    )
    assert found.items["se_step_1"][2] == pytest.approx(np.sqrt(covariance[3, 3]), rel=5e-3)


def test_severities_are_recovered_and_scores_are_freed_from_them(
    solved: tuple[pl.DataFrame, FacetCalibration],
) -> None:
    _, found = solved
    away = (found.severities["severity"].to_numpy() - SEVERITY) / found.severities["se"].to_numpy()
    assert np.abs(away).max() < 4.0
    assert found.doubtful == ()
    # The same scores under a severe coder are worth more.
    cal = found.calibration
    both = [
        score(
            cal, pl.DataFrame({name: [1 if name.endswith(coder) else None] for name in cal.parameters.names})
        )
        for coder in ("coder 0", "coder 2")
    ]
    assert both[1]["theta"][0] - both[0]["theta"][0] == pytest.approx(
        found.severities["severity"][2] - found.severities["severity"][0], abs=1e-6
    )


def test_coders_without_a_common_student_are_told() -> None:
    ratings = coded(per_response=1)
    by_student = {s: f"coder {i % 3}" for i, s in enumerate(sorted(set(ratings["student_id"])))}
    alone = ratings.with_columns(coder=pl.col("student_id").replace_strict(by_student))
    found = calibrate_facets(alone)
    assert "fall into 3 sets that share no student (coder 0; coder 1; coder 2)" in found.doubtful[0]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"coder": pl.lit("one")}, CalibrationError, r"have 1 coders"),
        ({"score": pl.lit(0.5)}, ResponseError, r"whole numbers from 0 to 90. Got 0.5"),
        ({"score": pl.lit(99)}, ResponseError, r"whole numbers from 0 to 90. Got 99"),
        ({"score": pl.lit(0)}, CalibrationError, r"3 items got the same score from everybody"),
    ],
)
def test_what_is_refused(change: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        calibrate_facets(coded(60).with_columns(**change))


def test_a_response_scored_twice_by_the_same_coder() -> None:
    ratings = coded(60)
    with pytest.raises(ResponseError, match=r"1 responses were scored twice by the same coder. See: row 361"):
        calibrate_facets(pl.concat([ratings, ratings.head(1)]))


def test_options_without_meaning_here() -> None:
    prior = Prior(parameter="slope", distribution="normal", numbers=(1, 1))
    with pytest.raises(CalibrationError, match=r"'priors' does not apply to facets"):
        calibrate_facets(coded(60), options=CalibrationOptions(priors=(prior,)))
