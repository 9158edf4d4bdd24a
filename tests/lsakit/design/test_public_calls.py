"""The calls that users' scripts rely on, as written, with Polars and pandas; every result is frozen."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import lsakit as lk
from lsakit.design.coverage import PopulationCounts
from lsakit.design.draw_record import PublicSource
from lsakit.design.small_schools import plan_small_schools


def frame_of(kind: Any) -> Any:
    rng = np.random.default_rng(5)
    n = 500
    return kind(
        {
            "school_id": [f"{row:04d}" for row in range(n)],
            "region": rng.choice(["North", "South"], n).tolist(),
            "sector": rng.choice(["public", "private"], n).tolist(),
            "area": rng.choice(["rural", "urban"], n).tolist(),
            "enrolment": rng.integers(12, 300, n).tolist(),
        }
    )


def lists_of(schools: list[str], kind: Any) -> Any:
    rng = np.random.default_rng(6)
    size = rng.integers(20, 90, len(schools))
    return kind(
        {
            "school_id": np.repeat(schools, size).tolist(),
            "student_id": [f"{one}-{row}" for one, n in zip(schools, size, strict=True) for row in range(n)],
            "gender": rng.choice(["F", "M"], size.sum()).tolist(),
        }
    )


@pytest.mark.parametrize("kind", [pl.DataFrame, pd.DataFrame, dict])
def test_the_calls_of_the_plan_run_as_written(kind: Any) -> None:
    frame = frame_of(kind)
    design = lk.Design(
        explicit=["region"],
        implicit=["sector", "area"],
        measure_of_size="enrolment",
        n_schools={"North": 40, "South": 60},
        n_students=35,
    )
    plan = lk.plan_precision(design, frame, icc=0.35, sd=100)
    assert plan.table.columns[:5] == ["stratum", "n", "deff", "n_eff", "se"]
    drawn = lk.draw_schools(frame, design, rng=np.random.default_rng(2026))
    assert drawn.table.columns[:6] == [
        "school_id",
        "stratum",
        "probability",
        "base_weight",
        "replacement_1",
        "replacement_2",
    ]
    assert drawn.table.height == 100
    school = drawn.table["school_id"][0]
    assert f"School {school} stands at place" in drawn.explain(school)
    lists = lists_of(drawn.table["school_id"].to_list(), kind)
    pupils = lk.select_students(lists, drawn, rng=np.random.default_rng(7))
    assert pupils.table.columns[:4] == ["school_id", "student_id", "probability", "booklet"]
    assert "got booklet" in pupils.explain(pupils.table["student_id"][0])
    reference = lk.draw_schools(frame_of(pl.DataFrame), design, rng=np.random.default_rng(2026))
    assert drawn.table.equals(reference.table)


def test_every_result_is_frozen() -> None:
    frame = frame_of(pl.DataFrame)
    design = lk.Design(n_schools=20, n_students=35)
    drawn = lk.draw_schools(frame, design, rng=1)
    schools = drawn.table["school_id"].to_list()
    lists = lists_of(schools, pl.DataFrame)
    with_classes = lists.with_columns(class_id=pl.lit("5A"))
    staff = lists.rename({"student_id": "staff_id"})
    made = lk.draw_record(frame, design, source=PublicSource(name="dice", text="123"))
    results: list[Any] = [
        design,
        drawn,
        lk.plan_precision(design, frame, icc=0.3, sd=1),
        lk.select_students(lists, drawn, rng=1),
        lk.select_classes(with_classes, drawn, rng=1),
        lk.select_staff(staff, drawn, rng=1),
        lk.select_for_studies(lists, drawn, rng=1, studies={"a": 3}),
        lk.coverage_indices(
            PopulationCounts(enrolled=2, school_excluded=0, participants=2, within_excluded=0)
        ),
        plan_small_schools([50.0] * 30, n_schools=10, n_students=35),
        lk.commit_draw(frame, design),
        made,
        lk.verify_draw(made, frame),
        lk.allocate_schools({"a": 3, "b": 4}, 5),
    ]
    for one in results:
        name = next(iter(one.__dataclass_fields__))
        with pytest.raises((FrozenInstanceError, AttributeError)):
            setattr(one, name, None)
