"""Frame, design, sample and conditioning, stage by stage."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from lsakit.errors import CalibrationError, DesignError, UnknownColumnError
from lsakit.lineage import StepCall
from lsakit.pipeline.registry import STEPS
from lsakit.pipeline.stages.calibration import calibrate_subjects
from lsakit.pipeline.stages.frame import cycle_design, grade_frame
from lsakit.pipeline.stages.sample import design_of, wanted_schools
from lsakit.pipeline.stages.values import constant_columns


def schools(**changes: Any) -> pl.DataFrame:
    columns: dict[str, Any] = {
        "school_id": [f"S{k}" for k in range(6)],
        "name": [f"Trường {k}" for k in range(6)],
        "province_code": ["01", "01", "01", "01", "04", "04"],
        "commune_code": ["00001"] * 6,
        "region6": ["r"] * 6,
        "area": ["urban", "rural"] * 3,
        "disadvantaged": [False] * 6,
        "sector": ["public"] * 6,
        "minority_share": [0.1] * 6,
        "enrolment_5": [100, 90, 80, 0, 60, 50],
        "classes_5": [3, 3, 2, 0, 2, 2],
    }
    return pl.DataFrame({**columns, **changes})


def test_the_frame_holds_the_schools_with_the_grade() -> None:
    frame = grade_frame(schools(), 5)
    assert frame.get_column("school_id").to_list() == ["S0", "S1", "S2", "S4", "S5"]
    assert frame.get_column("enrolment").to_list() == [100, 90, 80, 60, 50]


def test_a_register_without_the_grade_is_refused() -> None:
    with pytest.raises(UnknownColumnError, match="'enrolment_9'"):
        grade_frame(schools(), 9)
    with pytest.raises(DesignError, match="No school of the register has grade 5"):
        grade_frame(schools(enrolment_5=[0] * 6), 5)


def test_a_province_gives_no_more_schools_than_it_has() -> None:
    design = cycle_design(grade_frame(schools(), 5), n_schools_per_province=3, n_students=30)
    assert design.n_schools == {"01": 3, "04": 2}


def test_a_design_holds_in_each_stratum() -> None:
    frame = grade_frame(schools(), 5)
    fields = {"explicit": ["province_code", "area"], "n_schools": 2, "n_students": 20}
    design = design_of(frame, {"design": fields, "in_each_stratum": True})
    assert design.n_schools == {
        ("01", "rural"): 1,
        ("01", "urban"): 2,
        ("04", "rural"): 1,
        ("04", "urban"): 1,
    }
    assert design_of(frame, {"design": fields, "in_each_stratum": False}).n_schools == 2


def test_lists_are_asked_of_originals_and_replacements_once() -> None:
    drawn = pl.DataFrame(
        {"school_id": ["b", "a"], "replacement_1": ["c", None], "replacement_2": [None, "c"]},
    )
    assert wanted_schools(drawn) == ["a", "b", "c"]


def test_a_frame_with_errors_is_not_drawn_from() -> None:
    call = StepCall(
        inputs={"schools": schools(school_id=["S0", "S0", "S2", "S3", "S4", "S5"])},
        parameters={"grade": 5, "n_schools_per_province": 2, "n_students": 30},
        seed=None,
    )
    with pytest.raises(ValueError, match="school_id"):
        STEPS["frame"].run(call)


def test_a_subject_without_trend_items_is_refused() -> None:
    items = pl.DataFrame({"item": ["a", "b"], "subject": ["maths", "reading"]})
    trend = pl.DataFrame({"item": ["a"], "slope": [1.0], "difficulty": [0.0]})
    scored = pl.DataFrame({"student_id": ["1", "2", "3"], "b": [0, 1, 1]})
    with pytest.raises(CalibrationError, match="'reading' has no trend item"):
        calibrate_subjects(scored, items.filter(pl.col("subject") == "reading"), trend, model="2pl")


def test_a_variable_that_does_not_vary_conditions_nothing() -> None:
    table = pl.DataFrame({"student_id": ["1", "2"], "weight": [1.0, 1.0], "a": ["x", "x"], "b": [0.0, 1.0]})
    assert constant_columns(table) == ["a"]
