"""Trace, rerun and verify, over plain files and over a store."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lsakit.datasets.nation_size import NationSize
from lsakit.io.files import read_table
from lsakit.lineage import Store
from lsakit.pipeline import CycleOptions, run_cycle

FIGURE = "grade5/maths/mean/province_code/01"


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """Copy the files, to be damaged."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a very small cycle into a store."""
    place = tmp_path_factory.mktemp("cli") / "store"
    size = NationSize(n_provinces=2, n_schools_5=60, n_schools_9=60, n_pupils_5=6_000, n_pupils_9=6_000)
    options = CycleOptions(
        size=size, grades=(5,), n_schools_per_province=14, with_report_files=False, n_plausible_values=3
    )
    run_cycle(Store(place), options, now=datetime(2026, 11, 22, tzinfo=UTC), who="an expert")
    return place


def test_a_figure_is_walked_back_along_the_files(lsa: Any, folder: Path) -> None:
    answer = lsa("trace", folder / "estimates.csv", FIGURE)
    assert answer.status == 0, answer.err
    for words in (
        "The figure",
        "Plausible values",
        "Answers as given",
        "Weight of the student",
        "in the frame",
    ):
        assert words in answer.out
    register = read_table(folder / "schools.csv")
    assert sum(school in answer.out for school in register.get_column("school_id").to_list()) >= 1
    assert "manifest " in answer.out
    assert "sha256:" in answer.out


def test_a_walk_follows_the_student_that_is_named(lsa: Any, folder: Path) -> None:
    groups = read_table(folder / "analysis_groups.csv", text_columns={"province_code": 2})
    mine = groups.filter(groups["province_code"] == "01").sort("student_id")
    student = mine["student_id"][-1]
    answer = lsa(
        "trace", folder / "estimates.csv", FIGURE, "--student", student, "--language", "vi", "--full"
    )
    assert answer.status == 0, answer.err
    assert f"học sinh {student}" in answer.out


def test_a_walk_ends_where_the_manifests_do(lsa: Any, copy: Path) -> None:
    (copy / "frame.csv.manifest.json").unlink()
    answer = lsa("trace", copy / "estimates.csv", FIGURE)
    assert answer.status == 0
    assert "How the school was drawn" in answer.out
    assert "The school in the register" not in answer.out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([FIGURE], "needs a figure, and either --store or a file"),
        (["{folder}/estimates.csv", "mean"], "is not the code of a figure"),
        (
            ["{folder}/estimates.csv", "grade9/maths/mean/nation/all"],
            "does not hold the estimates of grade 9",
        ),
        (["{folder}/weights.csv", FIGURE], "does not hold the estimates"),
        (["{folder}/nothing.csv", FIGURE], "has no manifest beside it"),
        ([FIGURE, "--store", "{folder}"], "is not a store of lsakit"),
    ],
)
def test_a_walk_that_cannot_begin_is_refused(lsa: Any, folder: Path, words: list[str], expected: str) -> None:
    answer = lsa("trace", *(word.format(folder=folder) for word in words))
    assert answer.status == 2
    assert expected in answer.err


@pytest.mark.parametrize("name", ["drawn.csv", "weights.csv", "estimates.csv", "population.json"])
def test_files_are_identical_when_they_are_made_again(lsa: Any, folder: Path, name: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    answer = lsa("rerun", folder / f"{name}.manifest.json")
    assert answer.status == 0, answer.out
    assert "identical" in answer.out
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_a_result_that_cannot_be_made_again_is_said_to_differ(lsa: Any, copy: Path, monkeypatch: Any) -> None:
    from lsakit.lineage import Step
    from lsakit.pipeline import registry

    known = registry.STEPS["scoring"]

    def other(call: Any) -> dict[str, Any]:
        made = dict(known.run(call))
        table = made["scored_responses"]
        item = table.columns[-1]
        return {
            **made,
            "scored_responses": table.with_columns(**{item: (table[item] * 0).cast(table.schema[item])}),
        }

    fake = Step(
        name="scoring", version=known.version, title=known.title, run=other, inputs=known.inputs,
        optional_inputs=known.optional_inputs, outputs=known.outputs,
    )  # fmt: skip
    monkeypatch.setitem(registry.STEPS, "scoring", fake)
    answer = lsa("rerun", copy / "scored_responses.csv")
    assert answer.status == 1
    assert "different" in answer.out
    assert "column 'G5R6Q12' differs" in answer.out


def test_whole_files_are_whole_and_a_changed_one_is_named(lsa: Any, copy: Path) -> None:
    assert lsa("verify", copy).status == 0
    table = copy / "weights.csv"
    content = table.read_bytes()
    table.write_bytes(content[:-3] + b"9" + content[-2:])
    answer = lsa("verify", copy)
    assert answer.status == 1
    assert "weights.csv (output 'weights' of step 'weights') was changed" in answer.out
    table.write_bytes(content)
    manifest = copy / "frame.csv.manifest.json"
    data = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**data, "who": "somebody else"}), encoding="utf-8")
    answer = lsa("verify", copy)
    assert answer.status == 1
    assert "The manifest frame.csv.manifest.json was changed" in answer.out
    (copy / "drawn.csv").unlink()
    assert "drawn.csv, is missing" in lsa("verify", copy).out
    assert lsa("verify", copy / "report-of-nobody").status == 1


def test_a_store_is_traced_verified_and_run_again(lsa: Any, store: Path) -> None:
    answer = lsa("trace", FIGURE, "--store", store)
    assert answer.status == 0, answer.err
    assert "Published in" in answer.out
    assert "was drawn" in answer.out
    answer = lsa("verify", "--store", store)
    assert (answer.status, "Whole:" in answer.out) == (0, True)
    manifest = Store(store).ref("scoring/grade5")
    answer = lsa("rerun", manifest[:12], "--store", store)
    assert (answer.status, "identical" in answer.out) == (0, True)
    assert lsa("rerun", "abcdef", "--store", store).status == 2


def test_a_flipped_byte_in_a_store_is_named(lsa: Any, store: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(store, tmp_path / "store"))
    artefact = Store(place).manifest(Store(place).ref("frame/grade5")).outputs["frame"]
    path = place / artefact.file_name
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(bytes(content))
    answer = lsa("verify", "--store", place)
    assert answer.status == 1
    assert artefact.file_name in answer.out
    assert "step 'frame', output 'frame'" in answer.out


def test_a_cycle_runs_into_a_store_by_command(lsa: Any, tmp_path: Path, monkeypatch: Any) -> None:
    size = NationSize(n_provinces=2, n_schools_5=60, n_schools_9=60, n_pupils_5=6_000, n_pupils_9=6_000)
    monkeypatch.setitem(__import__("lsakit.datasets.nation_size", fromlist=["SIZES"]).SIZES, "small", size)
    words = ["cycle", "--store", tmp_path / "store", "--size", "small", "--grade", 5, "--no-report-files"]
    answer = lsa(*words)
    assert answer.status == 0, answer.err
    assert "21 of 21 stages computed" in answer.out
    assert "National means" in answer.out
    assert "0 of 21 stages computed" in lsa(*words).out
