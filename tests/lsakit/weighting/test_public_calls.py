"""The calls as users write them, from a frame to replicate weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import lsakit as lk


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(8)
    n = 1200
    return pl.DataFrame(
        {
            "school_id": [f"S{row:04d}" for row in range(n)],
            "region": np.where(np.arange(n) < 500, "North", "South"),
            "sector": rng.choice(["public", "private"], n, p=[0.9, 0.1]),
            "area": rng.choice(["rural", "urban"], n),
            "enrolment": rng.integers(40, 400, n),
        }
    )


def collected(frame: pl.DataFrame) -> tuple[Any, pl.DataFrame, pl.DataFrame]:
    """Draw, refuse here and there, replace once, and test."""
    design = lk.Design(
        explicit=["region"],
        implicit=["sector", "area"],
        measure_of_size="enrolment",
        n_schools={"North": 40, "South": 60},
        n_students=35,
    )
    drawn = lk.draw_schools(frame, design, rng=np.random.default_rng(2026))
    size = dict(frame.select("school_id", "enrolment").rows())
    rows = drawn.table.rows(named=True)
    who = [
        row["replacement_1"] if place % 20 == 3 else None if place % 20 == 7 else row["school_id"]
        for place, row in enumerate(rows)
    ]
    taking = [one for one in who if one]
    lists = {
        "school_id": [one for one in taking for _ in range(size[one])],
        "student_id": [f"{one}-{row:03d}" for one in taking for row in range(size[one])],
    }
    sample = drawn.table.with_columns(
        school_id=pl.Series([one or row["school_id"] for one, row in zip(who, rows, strict=True)])
    )
    pupils = lk.select_students(lists, sample, rng=np.random.default_rng(7), n_students=35).table
    schools = pl.DataFrame(
        {
            "school_id": drawn.table["school_id"],
            "participant_id": who,
            "status": [1 if one == row["school_id"] else 2 for one, row in zip(who, rows, strict=True)],
            "enrolment": [size[row["school_id"]] for row in rows],
            "base_weight": drawn.table["base_weight"],
            "stratum": drawn.table["stratum"],
        }
    )
    absent = np.random.default_rng(9).random(pupils.height) < 0.04
    students = pupils.with_columns(
        status=pl.Series(np.where(absent, 20, 10)),
        gender=pl.Series(np.where(np.arange(pupils.height) % 2 == 0, "F", "M")),
    )
    return drawn, schools, students


@pytest.fixture(scope="module")
def sample(frame: pl.DataFrame) -> tuple[Any, pl.DataFrame, pl.DataFrame]:
    return collected(frame)


def test_from_the_draw_to_replicates(sample: tuple[Any, pl.DataFrame, pl.DataFrame]) -> None:
    drawn, schools, students = sample
    rates = lk.response_rates(schools, students, rules="pisa")
    assert rates.school_before.unweighted == pytest.approx(0.90)
    assert rates.school_after.unweighted == pytest.approx(0.95)
    assert rates.zone == "acceptable"
    assert rates.student is not None
    assert rates.student.weighted == pytest.approx(0.96, abs=0.01)
    w = lk.final_weights(drawn, schools, students, rules="pisa")
    names = {"student_id", "base_weight", "nonresponse_factor", "final_weight"}
    assert names <= set(w.table.columns)
    assert "took part for" in w.explain(
        w.table.filter(w.table["school_id"] != w.table["sampled_school_id"])["student_id"][0]
    )
    reps = lk.replicate_weights(w, method="fay", n_replicates=80, fay_factor=0.5)
    assert reps.matrix.shape == (w.table.height, 80)
    for method in ("jk1", "jkn", "jk2", "jk2_both", "bootstrap"):
        other = lk.replicate_weights(w, method=method)
        assert other.matrix.shape[0] == w.table.height
        # every method is centred on the full sample
        assert other.matrix.sum(axis=0).mean() == pytest.approx(w.table["final_weight"].sum(), rel=0.01)


def test_the_weights_estimate_the_population(
    frame: pl.DataFrame, sample: tuple[Any, pl.DataFrame, pl.DataFrame]
) -> None:
    """The estimated enrolment lies within three standard errors, JKn, of the frame's."""
    w = lk.final_weights(*sample, rules="national")
    reps = lk.replicate_weights(w, method="jkn")
    total = float(w.table["final_weight"].sum())
    error = float((reps.coefficients * (reps.matrix.sum(axis=0) - total) ** 2).sum() ** 0.5)
    assert abs(total - frame["enrolment"].sum()) <= 3 * max(error, 1.0)


def test_bias_and_calibration_follow(
    frame: pl.DataFrame, sample: tuple[Any, pl.DataFrame, pl.DataFrame]
) -> None:
    drawn, schools, students = sample
    w = lk.final_weights(drawn, schools, students, rules="pisa")
    bias = lk.nonresponse_bias(
        schools, frame, by=["region", "area", "enrolment", "gender"], weights=w, students=students
    )
    assert set(bias.table["part"]) == {
        "originals",
        "after_replacement",
        "after_adjustment",
        "respondents",
    }
    region = bias.table.filter(characteristic="region", part="after_adjustment")
    assert region["bias"].abs().max() < 0.05
    sizes = dict(frame.group_by("region").agg(pl.col("enrolment").sum()).rows())
    of_school = dict(frame.select("school_id", "region").rows())
    table = students.with_columns(region=pl.Series([of_school[one] for one in students["school_id"]]))
    reps = lk.replicate_weights(w)
    found = lk.calibrate_weights(w, table, {"region": sizes}, replicates=reps)
    assert found.weights.sum() == pytest.approx(frame["enrolment"].sum(), rel=1e-10)
    assert found.replicates is not None
    assert found.replicates.matrix.sum(axis=0) == pytest.approx(
        np.full(80, frame["enrolment"].sum()), rel=1e-10
    )


def test_pandas_gives_the_same(frame: pl.DataFrame, sample: tuple[Any, pl.DataFrame, pl.DataFrame]) -> None:
    drawn, schools, students = sample

    def pandas(table: pl.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({name: table[name].to_list() for name in table.columns})

    one = lk.final_weights(drawn, schools, students)
    two = lk.final_weights(pandas(drawn.table), pandas(schools), pandas(students))
    assert one.table["final_weight"].to_list() == two.table["final_weight"].to_list()
    rates = [
        lk.response_rates(*tables) for tables in ((schools, students), (pandas(schools), pandas(students)))
    ]
    assert rates[0].table.equals(rates[1].table)
    bias = [
        lk.nonresponse_bias(schools, frame, by=["area"]).table,
        lk.nonresponse_bias(pandas(schools), pandas(frame), by=["area"]).table,
    ]
    assert bias[0].equals(bias[1])
