"""TV-7.1, and clean data that follow from raw data and the log alone."""

from __future__ import annotations

import polars as pl
import pytest

from lsakit.errors import TableError
from lsakit.release import Correction, apply_log, log_of, reconcile


def test_tv_7_1_four_errors_one_of_them_settled_by_the_data() -> None:
    form = {
        "student_id": ["s1", "s2", "s3", "s4", "s6"],
        "status": ["present", "absent", "present", "present", "left_school"],
        "booklet": [1, 2, 3, 5, 4],
    }
    found = {"student_id": ["s1", "s2", "s4", "s5"], "booklet": [1, 2, 6, 1], "items_booklet": [1, 2, 6, 1]}
    judged = reconcile(form, found)
    assert judged.select("student_id", "check", "outcome").rows() == [
        ("s1", "", "ok"),
        ("s2", "C3", "data_for_absent"),
        ("s3", "C3", "missing_data"),
        ("s4", "C3", "other_booklet"),
        ("s5", "C1", "not_on_form"),
        ("s6", "", "ineligible"),
    ]
    assert (judged["is_error"].sum(), judged["is_resolved"].sum()) == (4, 1)
    assert dict(judged.select("student_id", "action").rows())["s3"] == "code_23_with_session_report"


def test_answers_that_fit_neither_booklet_are_asked_about() -> None:
    form = {"student_id": ["s4"], "status": ["present"], "booklet": [5]}
    judged = reconcile(form, {"student_id": ["s4"], "booklet": [6], "items_booklet": [5]})
    assert judged.select("is_resolved", "action").row(0) == (False, "ask")


def test_raw_and_log_give_the_clean_file_and_nothing_else_does() -> None:
    raw = pl.DataFrame({"id": ["a", "b", "c"], "age": [10, 99, 11], "sex": ["F", "X", None]})
    clean = pl.DataFrame({"id": ["c", "a", "b"], "age": [11, 10, 12], "sex": ["M", "F", "M"]})
    why = Correction(rule="C4", who="an", when="2026-05-04T09:00:00", evidence="danh sách lớp")
    log = log_of(raw, clean, file="student", key="id", correction=why)
    assert log.columns == ["file", "key", "var", "old", "new", "rule", "who", "when", "evidence"]
    assert log.height == 3
    assert apply_log(raw, log, file="student", key="id").equals(clean.sort("id"))
    assert apply_log(raw, log, file="school", key="id").equals(raw)
    with pytest.raises(TableError, match="expects '99' where '98' stands"):
        apply_log(raw.with_columns(age=pl.Series([10, 98, 11])), log, file="student", key="id")
    with pytest.raises(TableError, match="a row or variable that the file lacks"):
        apply_log(raw.filter(pl.col("id") != "b"), log, file="student", key="id")
    with pytest.raises(TableError, match="needs its rule"):
        Correction(rule="", who="an", when="2026-05-04T09:00:00")
