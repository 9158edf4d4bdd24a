"""The stages over plain files: help, manifests, refusals, nothing half-written."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lsakit.cli.stages import COMMANDS
from lsakit.io.files import read_table, write_table
from lsakit.pipeline.registry import STEPS

ALL = [
    *(command.name for command in COMMANDS),
    "nation",
    "cycle",
    "scale",
    "compare",
    "trace",
    "rerun",
    "verify",
    "commit-draw",
    "public-draw",
    "verify-draw",
]
NAMED = [
    "nation",
    "frame",
    "sample",
    "weights",
    "calibrate",
    "values",
    "estimate",
    "report",
    "trace",
    "rerun",
    "verify",
]


def listing(folder: Path) -> dict[str, int]:
    """Note every file of a folder."""
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_the_help_comes_at_once() -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; from lsakit.cli import main; sys.argv = ['lsa', '--help']; main()",
    ]
    best = 9.0
    for _ in range(3):
        start = time.perf_counter()
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        best = min(best, time.perf_counter() - start)
    assert all(name in answer.stdout for name in NAMED)
    loaded = "import sys; import lsakit.cli.app as a; a.make_app(); print([m for m in ('polars', 'numba', 'scipy', 'numpy') if m in sys.modules])"
    heavy = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert heavy.stdout.strip() == "[]"  # what would make it slow is not even loaded
    assert best < 3.0  # 0.4 s on a quiet core; the bound leaves room for a busy one


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_help_with_an_example(lsa: Any, name: str) -> None:
    answer = lsa(name, "--help")
    assert answer.status == 0
    assert "Example: lsa" in answer.out
    assert f"lsa {name}" in answer.out


def test_every_command_fits_its_step() -> None:
    for command in COMMANDS:
        step = STEPS[command.step]
        given = {one.role for one in command.inputs if one.required}
        assert given >= set(step.inputs), command.name
        assert {one.role for one in command.inputs} <= {*step.inputs, *step.optional_inputs}, command.name


def test_each_output_has_a_manifest_that_names_inputs_parameters_and_seed(folder: Path) -> None:
    manifest = json.loads((folder / "weights.csv.manifest.json").read_text(encoding="utf-8"))
    assert manifest["step"] == "weights"
    assert manifest["seed"] == 2026
    assert manifest["parameters"] == {"rules": "national", "n_replicates": 80, "fay_factor": 0.5}
    assert manifest["files"]["inputs"]["schools"] == "school_participation.csv"
    before = json.loads((folder / "drawn.csv.manifest.json").read_text(encoding="utf-8"))
    assert manifest["inputs"]["drawn"] == before["outputs"]["drawn"]["hash"]
    for path in folder.glob("*.csv"):
        assert path.with_name(path.name + ".manifest.json").is_file()


def test_identifiers_keep_their_zeros_through_every_file(folder: Path) -> None:
    frame = read_table(folder / "frame.csv")
    assert frame.schema["province_code"] == pl.String
    assert frame.get_column("province_code").str.len_chars().unique().to_list() == [2]
    assert frame.get_column("school_id").str.len_chars().unique().to_list() == [8]


def test_the_estimates_hold_the_nation_and_its_provinces(folder: Path) -> None:
    table = read_table(folder / "estimates.csv")
    mean = table.filter(pl.col("figure_id") == "grade5/maths/mean/nation/all").row(0, named=True)
    assert abs(mean["estimate"] - mean["truth"]) < 4 * mean["standard_error"]
    provinces = table.filter((pl.col("by") == "province_code") & (pl.col("statistic") == "mean"))
    assert provinces.height == 2 * 6


def test_a_report_is_written_as_files(lsa: Any, folder: Path, tmp_path: Path) -> None:
    kept = tmp_path / "few.csv"
    table = read_table(folder / "estimates.csv", text_columns={"group": None, "by": None})
    one = table.filter((pl.col("by") != "province_code") | pl.col("group").is_in(["01"]))
    write_table(
        one.filter(~pl.col("by").str.starts_with("province_code+") | pl.col("group").str.starts_with("01")),
        kept,
    )
    answer = lsa("report", folder / "provinces.csv", "--estimates-5", kept, "-o", tmp_path / "report")
    assert answer.status == 0, answer.err
    assert (tmp_path / "report" / "national_vi_pdf.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "report" / "province_01_vi_xlsx.xlsx").read_bytes().startswith(b"PK")
    outline = json.loads((tmp_path / "report" / "specification.json").read_text(encoding="utf-8"))
    assert "grade5/maths/mean/province_code/01" in str(outline["province_01_vi"])


BAD = {
    "no such file": (["frame", "nowhere.csv", "--grade", 5], "There is no file 'nowhere.csv'"),
    "a grade that the register lacks": (["frame", "{folder}/schools.csv", "--grade", 7], "no column 'enrolment_7'"),
    "an unknown stratum": (
        ["sample", "{folder}/frame.csv", "--explicit", "region", "--n-schools", 10],
        "no column 'region'",
    ),
    "more schools than there are": (
        ["sample", "{folder}/frame.csv", "--explicit", "province_code", "--n-schools", 100000],
        "schools",
    ),
    "rules that nobody wrote": (
        [
            "weights", "{folder}/drawn.csv", "--schools", "{folder}/school_participation.csv", "--students",
            "{folder}/student_participation.csv", "--rules", "mine",
        ],
        "mine",
    ),
    "a cut score that is no number": (
        [
            "estimate", "{folder}/plausible_values.parquet", "--weights", "{folder}/weights.csv", "--replicates",
            "{folder}/replicates.csv", "--background", "{folder}/background.csv", "--population", "grade5",
            "--cuts", "400,high",
        ],
        "--cuts must be numbers",
    ),
    "a nation of no known size": (["registers", "--size", "huge"], "'size' of the nation must be one of"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_refusal_is_one_sentence_and_leaves_nothing(
    lsa: Any, folder: Path, tmp_path: Path, name: str
) -> None:
    words, expected = BAD[name]
    out = tmp_path / "out"
    answer = lsa(*(str(word).format(folder=folder) for word in words), "-o", out)
    assert answer.status == 2
    said = [line for line in answer.err.splitlines() if not line.startswith("…")]
    assert len(said) == 1
    assert said[0].startswith("lsa: ")
    assert expected in said[0]
    assert "Traceback" not in answer.err
    assert not out.exists() or not listing(out)


@pytest.mark.parametrize(
    "words", [["bogus"], ["frame"], ["sample", "x.csv"], ["frame", "x.csv", "--grade", "five"]]
)
def test_a_command_that_cannot_be_read_has_status_two(lsa: Any, words: list[str]) -> None:
    assert lsa(*words).status == 2


def test_a_file_that_another_step_wrote_is_not_overwritten(lsa: Any, folder: Path) -> None:
    before = listing(folder)
    answer = lsa(
        "sample", folder / "frame.csv", "--n-schools", 10, "-o", folder, "--seed", 1, "--format", "csv"
    )
    assert answer.status == 0  # the same step may write its file again …
    restored = lsa(
        "sample", folder / "frame.csv", "--explicit", "province_code", "--implicit", "area", "--n-schools", 12,
        "--in-each-stratum", "-o", folder,
    )  # fmt: skip
    assert restored.status == 0
    (folder / "other").mkdir()
    copy = folder / "other" / "schools.csv"
    copy.write_bytes((folder / "schools.csv").read_bytes())
    (folder / "other" / "frame.csv").write_bytes((folder / "frame.csv").read_bytes())
    beside = folder / "other" / "frame.csv.manifest.json"
    beside.write_bytes((folder / "drawn.csv.manifest.json").read_bytes())
    answer = lsa("frame", copy, "--grade", 5, "-o", folder / "other")
    assert answer.status == 2
    assert "would overwrite 'frame.csv', which step 'draw_schools' wrote" in answer.err
    assert set(before) <= set(listing(folder))
    beside.unlink()
    answer = lsa("frame", folder / "other" / "frame.csv", "--grade", 5, "-o", folder / "other")
    assert answer.status == 2


def test_stopping_leaves_nothing_half_written(
    lsa: Any, folder: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    def stop(*_arguments: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lsakit.pipeline.plain_files.write_value", stop)
    answer = lsa(
        "score", folder / "raw_responses.csv", "--items", folder / "items.csv", "-o", tmp_path / "out"
    )
    assert answer.status == 130
    assert "nothing half-written" in answer.err
    assert listing(tmp_path / "out") == {}


def test_a_full_disk_is_said_in_one_sentence(
    lsa: Any, folder: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    def full(*_arguments: Any, **_options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    answer = lsa(
        "score", folder / "raw_responses.csv", "--items", folder / "items.csv", "-o", tmp_path / "out"
    )
    assert answer.status == 2
    assert "No space left on device" in answer.err
    assert listing(tmp_path / "out") == {}
