"""Agreement with R's survey package; see README.md beside this file."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from lsakit.weighting.calibrate_weights import calibrate_weights
from lsakit.weighting.final_weights import final_weights
from lsakit.weighting.nonresponse_measures import rao_scott
from lsakit.weighting.replicates import ReplicateWeights, replicate_weights
from lsakit.weighting.weighted import FinalWeights

FOLDER = Path(__file__).resolve().parent
# The same arithmetic in another order of additions; calibration stops at 1e-10 of the totals or closer.
RELATIVE = 1e-9


def read_expected(path: Path) -> dict[str, np.ndarray]:
    values: dict[str, list[float]] = defaultdict(list)
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            values[row["name"]].append(float(row["value"]))
    return {name: np.asarray(numbers) for name, numbers in values.items()}


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    return read_expected(FOLDER / "expected.csv")


@pytest.fixture(scope="module")
def students() -> pl.DataFrame:
    return pl.read_csv(FOLDER / "students.csv")


def weights_of(table: pl.DataFrame, *, with_absence: bool) -> FinalWeights:
    facts = table.select("school_id", "stratum", "base_weight", "enrolment").unique(maintain_order=True)
    ids = facts["school_id"].to_list()
    away = ["S04", "S15"] if with_absence else []
    schools: dict[str, Any] = {
        "school_id": ids,
        "participant_id": [None if one in away else one for one in ids],
        "status": [2 if one in away else 1 for one in ids],
        "enrolment": facts["enrolment"].to_list(),
        "enrolment_listed": facts["enrolment"].to_list(),
    }
    people = table.filter(~pl.col("school_id").is_in(away)).with_columns(
        status=pl.when((pl.col("responded") == 1) | (not with_absence)).then(10).otherwise(20)
    )
    return final_weights(facts, schools, people, rules="national")


@pytest.fixture(scope="module")
def full(students: pl.DataFrame) -> FinalWeights:
    return weights_of(students, with_absence=False)


def describe(
    w: FinalWeights, reps: ReplicateWeights, students: pl.DataFrame
) -> dict[str, tuple[float, float]]:
    """Mean, total and ratio with their standard errors, from weights and coefficients alone."""
    rows = dict(students.select("student_id", pl.struct("score", "books")).rows())
    y = np.asarray([rows[one]["score"] for one in w.table["student_id"]])
    x = np.asarray([rows[one]["books"] for one in w.table["student_id"]])
    weight = w.table["final_weight"].to_numpy()

    def with_error(statistic: Any) -> tuple[float, float]:
        whole = statistic(weight)
        each = np.asarray([statistic(column) for column in reps.matrix.T])
        return whole, float(np.sqrt((reps.coefficients * (each - whole) ** 2).sum()))

    return {
        "mean": with_error(lambda w_: w_ @ y / w_.sum()),
        "total": with_error(lambda w_: w_ @ y),
        "ratio": with_error(lambda w_: (w_ @ y) / (w_ @ x)),
    }


def test_final_weights_are_those_that_r_read(full: FinalWeights, students: pl.DataFrame) -> None:
    np.testing.assert_allclose(full.table["final_weight"], students["weight"], rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("jk1", {"method": "jk1"}),
        ("jkn", {"method": "jkn"}),
        ("brr", {"method": "fay", "n_replicates": 20, "fay_factor": 0.0}),
        ("fay", {"method": "fay", "n_replicates": 20, "fay_factor": 0.5}),
    ],
)
def test_replicates_and_errors_agree_with_survey(
    name: str,
    options: dict[str, Any],
    full: FinalWeights,
    students: pl.DataFrame,
    expected: dict[str, np.ndarray],
) -> None:
    reps = replicate_weights(full, **options)
    first = np.flatnonzero(students["school_id"].is_first_distinct().to_numpy())
    theirs = expected[f"{name}.matrix"].reshape(len(first), -1)
    np.testing.assert_allclose(reps.matrix[first], theirs, rtol=RELATIVE, atol=1e-12)
    factors = reps.matrix / full.table["final_weight"].to_numpy()[:, None]
    of_school = students["school_id"].rank("dense").to_numpy().astype(int) - 1
    np.testing.assert_allclose(factors, factors[first][of_school], rtol=1e-12, atol=1e-12)
    for statistic, found in describe(full, reps, students).items():
        np.testing.assert_allclose(found, expected[f"{name}.{statistic}"], rtol=RELATIVE)


def test_jkn_with_a_finite_population_correction(
    full: FinalWeights, students: pl.DataFrame, expected: dict[str, np.ndarray]
) -> None:
    share = dict.fromkeys(students["stratum"].unique().to_list(), 6 / 60)
    reps = replicate_weights(full, method="jkn", sampling_fraction=share)
    for statistic, found in describe(full, reps, students).items():
        np.testing.assert_allclose(found, expected[f"jkn_fpc.{statistic}"], rtol=RELATIVE)


def test_the_error_of_a_total_does_not_depend_on_the_hadamard_matrix(
    full: FinalWeights, students: pl.DataFrame, expected: dict[str, np.ndarray]
) -> None:
    for order in (20, 80):
        found = describe(full, replicate_weights(full, n_replicates=order), students)["total"][1]
        np.testing.assert_allclose(found, expected["fay_own_matrix.total"][0], rtol=RELATIVE)


def test_replicates_with_nonresponse_redone(students: pl.DataFrame, expected: dict[str, np.ndarray]) -> None:
    w = weights_of(students, with_absence=True)
    reps = replicate_weights(w, n_replicates=20)
    stored = pl.read_csv(FOLDER / "nonresponse.csv")
    np.testing.assert_allclose(reps.matrix, stored.select("^r[0-9]+$").to_numpy(), rtol=1e-12)
    found = describe(w, reps, students)
    np.testing.assert_allclose(found["mean"], expected["given.mean"], rtol=RELATIVE)
    np.testing.assert_allclose(found["total"], expected["given.total"], rtol=RELATIVE)


@pytest.mark.parametrize(
    ("name", "method", "bounds"),
    [
        ("rake", "raking", None),
        ("linear", "linear", None),
        ("raking_bounded", "raking", (0.85, 1.6)),
        ("linear_bounded", "linear", (0.85, 1.6)),
    ],
)
def test_calibrated_weights_agree_with_survey(
    name: str, method: Any, bounds: Any, students: pl.DataFrame, expected: dict[str, np.ndarray]
) -> None:
    n = round(students["weight"].sum())
    totals = {"sex": {"F": 0.48 * n, "M": 0.52 * n}, "area": {"rural": 0.45 * n, "urban": 0.55 * n}}
    found = calibrate_weights(students["weight"].to_numpy(), students, totals, method=method, bounds=bounds)
    np.testing.assert_allclose(found.weights, expected[name], rtol=RELATIVE)
    if bounds is not None:
        free = calibrate_weights(students["weight"].to_numpy(), students, totals, method=method, bounds=None)
        assert free.g_weights.min() < bounds[0] or free.g_weights.max() > bounds[1]


def test_generalized_regression_with_a_number(
    students: pl.DataFrame, expected: dict[str, np.ndarray]
) -> None:
    n, weight = round(students["weight"].sum()), students["weight"].to_numpy()
    books = 1.03 * float(weight @ students["books"].to_numpy())
    totals = {"sex": {"F": 0.48 * n, "M": 0.52 * n}, "books": books}
    found = calibrate_weights(weight, students, totals, method="linear", bounds=None)
    np.testing.assert_allclose(found.weights, expected["greg"], rtol=RELATIVE)


def test_rao_scott_agrees_with_survey(students: pl.DataFrame, expected: dict[str, np.ndarray]) -> None:
    codes = [
        np.unique(students[name].to_numpy(), return_inverse=True)[1]
        for name in ("responded", "region", "school_id", "stratum")
    ]
    found = rao_scott(codes[0], codes[1], students["weight"].to_numpy(), codes[2], codes[3])
    ours = [found.f_statistic, found.f_df1, found.f_df2, found.f_p_value, found.pearson, found.p_value]
    np.testing.assert_allclose(ours, expected["rao_scott"], rtol=RELATIVE)


def has_survey() -> bool:
    program = shutil.which("Rscript")
    if program is None:
        return False
    asked = [
        program,
        "-e",
        "quit(status = !all(sapply(c('survey', 'MASS'), requireNamespace, quietly = TRUE)))",
    ]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not has_survey(), reason="R with survey and MASS is not here: r-cran-survey r-cran-mass")
def test_the_stored_references_are_what_r_says_today(tmp_path: Path, expected: dict[str, np.ndarray]) -> None:
    outcome = subprocess.run(
        ["Rscript", str(FOLDER / "generate.R"), str(FOLDER), str(tmp_path / "now.csv")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    now = read_expected(tmp_path / "now.csv")
    assert now.keys() == expected.keys()
    for name, values in now.items():
        # Another version of R's linear algebra may round otherwise; the last digits are not the reference.
        np.testing.assert_allclose(values, expected[name], rtol=1e-11, atol=1e-13, err_msg=name)
