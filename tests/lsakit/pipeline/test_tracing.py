"""From a figure back to the frame row and the answers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lsakit.errors import LineageError
from lsakit.lineage import Store
from lsakit.pipeline import load_estimates, trace_figure
from lsakit.pipeline.tracing import _texts

STAGES = [
    "report", "estimates", "estimates", "values", "calibration", "scoring", "administration", "weights",
    "sample", "frame", "nation",
]  # fmt: skip


def province(cycle: Any) -> str:
    """Take the code of a provincial mean."""
    table = load_estimates(cycle.store)
    return str(
        table.filter((pl.col("by") == "province_code") & (pl.col("statistic") == "mean"))["figure_id"][0]
    )


@pytest.fixture(scope="module")
def trace(cycle: Any) -> Any:
    return trace_figure(cycle.store, province(cycle))


def test_the_walk_goes_from_the_report_to_the_register(cycle: Any, trace: Any) -> None:
    assert [step.stage for step in trace.steps] == STAGES
    for step in trace.steps:
        manifest = cycle.store.manifest(step.manifest_id)
        held = {artefact.hash for artefact in manifest.outputs.values()}
        assert set(step.outputs.values()) <= held
        assert step.inputs == dict(manifest.inputs)
        assert step.rows.height > 0
        assert "{" not in step.sentence


def test_each_step_shows_the_rows_of_one_student_and_school(cycle: Any, trace: Any) -> None:
    by_title = {step.title: step for step in trace.steps}
    assert by_title["Plausible values of one student"].rows["student_id"].to_list() == [trace.student_id]
    assert by_title["Weight of the student"].rows["student_id"].to_list() == [trace.student_id]
    frame = by_title["The school's row in the frame"].rows
    assert frame["school_id"].to_list() == [trace.school_id]
    raw = cycle.store.table(
        cycle.store.manifest(cycle.store.ref("administration/grade5")).outputs["raw_responses"].hash
    )
    answers = dict(by_title["Answers as given"].rows.rows())
    row = raw.filter(pl.col("student_id") == trace.student_id).row(0, named=True)
    assert answers
    assert all(row[item] == answer for item, answer in answers.items())
    assert "was drawn" in by_title["How the school was drawn"].sentence
    assert "stands at place" in by_title["How the school was drawn"].explanation
    assert "Final weight of student" in by_title["Weight of the student"].explanation


def test_the_group_is_counted_as_the_figure_counts_it(cycle: Any, trace: Any) -> None:
    row = load_estimates(cycle.store).filter(pl.col("figure_id") == trace.figure_id).row(0, named=True)
    group = next(step for step in trace.steps if step.title == "The students behind it")
    assert f"{row['n']} students of {row['n_schools']} schools" in group.sentence


def test_a_student_or_a_school_can_be_followed(cycle: Any, trace: Any) -> None:
    code = trace.figure_id
    groups = cycle.store.table(
        cycle.store.manifest(cycle.store.ref("estimates/grade5")).outputs["analysis_groups"].hash
    )
    mine = groups.filter(pl.col("province_code") == code.rpartition("/")[2]).sort("student_id")
    last = mine.row(-1, named=True)
    assert trace_figure(cycle.store, code, student_id=last["student_id"]).school_id == last["school_id"]
    followed = trace_figure(cycle.store, code, school_id=last["school_id"])
    assert followed.school_id == last["school_id"]
    other = groups.filter(pl.col("province_code") != code.rpartition("/")[2])["student_id"][0]
    with pytest.raises(LineageError, match=f"student_id '{other}' does not belong to the figure"):
        trace_figure(cycle.store, code, student_id=other)
    with pytest.raises(LineageError, match="school_id 'nowhere' does not belong"):
        trace_figure(cycle.store, code, school_id="nowhere")


@pytest.mark.parametrize(
    "code",
    ["grade5/maths/gap/gender/F-M", "grade5/reading/level_2/nation/all", "grade5/maths/p50/nation/all"],
)
def test_every_kind_of_figure_can_be_walked(cycle: Any, code: str) -> None:
    steps = trace_figure(cycle.store, code, language="vi").steps
    assert steps[-1].stage == "nation"
    assert {"frame", "administration"} <= {step.stage for step in steps}


def test_a_school_that_stood_in_is_said_to(cycle: Any) -> None:
    weights = cycle.store.table(
        cycle.store.manifest(cycle.store.ref("weights/grade5")).outputs["weights"].hash
    )
    replaced = weights.filter(pl.col("school_id") != pl.col("sampled_school_id"))
    if not replaced.height:
        pytest.skip("no school of this small cycle was replaced")
    found = trace_figure(
        cycle.store, "grade5/maths/mean/nation/all", student_id=replaced["student_id"][0], language="en"
    )
    step = next(step for step in found.steps if step.stage == "sample")
    assert f"its replacement {replaced['school_id'][0]} did" in step.sentence


def test_an_unknown_figure_names_its_neighbours(cycle: Any) -> None:
    with pytest.raises(LineageError, match=r"No figure has the code.*grade5/maths/mean/province_code/"):
        trace_figure(cycle.store, "grade5/maths/mean/province_code/77")
    with pytest.raises(LineageError, match="no name 'estimates/grade9'"):
        trace_figure(cycle.store, "grade9/maths/mean/nation/all")
    with pytest.raises(LineageError, match="'language' parameter"):
        trace_figure(cycle.store, "grade5/maths/mean/nation/all", language="fr")


def test_a_changed_artefact_on_the_way_stops_the_walk(cycle: Any, tmp_path: Path) -> None:
    shutil.copytree(cycle.store.path, tmp_path / "store")
    store = Store(tmp_path / "store")
    artefact = store.manifest(store.ref("frame/grade5")).outputs["frame"]
    path = store.path / artefact.file_name
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(LineageError, match="was changed after it was written"):
        trace_figure(store, province(cycle))


def test_both_languages_say_the_same_things() -> None:
    english, vietnamese = _texts("en"), _texts("vi")
    for part in ("title", "sentence"):
        assert english[part].keys() == vietnamese[part].keys()
    for key, text in english["sentence"].items():
        names = {word.partition("}")[0] for word in text.split("{")[1:]}
        assert names == {word.partition("}")[0] for word in vietnamese["sentence"][key].split("{")[1:]}, key
