"""One subject scaled from a study file: results, reuse, the walk back, refusals."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lsakit.io.files import read_table
from lsakit.pipeline.scaling.sources import read_bytes
from small_study import make_study

STUDY = """
title = "Maths, grade 5"
[files]
responses = "responses.csv"
items = "items.csv"
students = "students.csv"

[options]
group = "province"
weight = "final_weight"
dif_by = ["gender"]
conditioning = ["gender", "books"]
n_values = 3
cuts = [450, 550]
"""
FREED = """
[[decisions]]
item = "M03"
kind = "free"
groups = ["48"]
reason = "harder there"
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of a study; its store is filled by the first test that runs it."""
    folder = tmp_path_factory.mktemp("scale")
    study = make_study()
    study.raw.write_csv(folder / "responses.csv")
    study.items.write_csv(folder / "items.csv")
    study.students.write_csv(folder / "students.csv")
    (folder / "maths.toml").write_text(STUDY, encoding="utf-8")
    (folder / "maths_freed.toml").write_text(STUDY + FREED, encoding="utf-8")
    return folder


def test_a_study_is_scaled_and_its_results_written(lsa: Any, place: Path) -> None:
    answer = lsa("scale", place / "maths.toml", "--store", place / "store", "--out", place / "results")
    assert answer.status == 0, answer.err
    assert "Maths, grade 5: 7 of 7 stages computed" in answer.out
    assert "Calibration: 900 students" in answer.out
    items = read_table(place / "results" / "calibration.item_parameters.xlsx")
    assert items.height == 12
    scale = json.loads((place / "results" / "values.scale.json").read_text(encoding="utf-8"))
    assert scale["mean"] == 500.0
    assert scale["held"] is False
    values = read_table(place / "results" / "values.scaled_values.xlsx")
    assert values.columns == ["student_id", "PV1", "PV2", "PV3"]


def test_a_decision_computes_what_depends_on_it_and_no_more(lsa: Any, place: Path) -> None:
    store = ("--store", place / "store")
    lsa("scale", place / "maths.toml", *store)
    assert "0 of 7 stages computed" in lsa("scale", place / "maths.toml", *store).out
    answer = lsa(
        "scale",
        place / "maths_freed.toml",
        *store,
        "--out",
        place / "some",
        "--role",
        "item_fit",
        "--format",
        "csv",
    )
    assert "4 of 7 stages computed" in answer.out
    assert [path.name for path in (place / "some").iterdir()] == ["fit.item_fit.csv"]


def test_the_walk_leads_from_the_values_to_the_files(lsa: Any, place: Path) -> None:
    store = ("--store", place / "store")
    lsa("scale", place / "maths.toml", *store)
    answer = lsa("trace", "maths/values", *store)
    assert answer.status == 0, answer.err
    steps = [line.split(" · ")[1] for line in answer.out.splitlines() if " · manifest " in line]
    assert steps[0] == "scaling_values"
    assert set(steps) == {
        "scaling_values", "scaling_population", "scaling_calibration", "scaling_scores", "scaling_sources",
    }  # fmt: skip
    for name in ("responses.csv", "items.csv", "students.csv"):
        assert f"({name})" in answer.out
    manifest = answer.out.partition("manifest ")[2][:12]
    again = lsa("rerun", manifest, *store)
    assert again.status == 0
    assert "identical" in again.out
    assert lsa("trace", manifest, *store).out.count("scaling_values · manifest") == 1
    assert lsa("verify", *store).status == 0


def test_students_can_stand_in_the_file_of_responses(lsa: Any, place: Path, tmp_path: Path) -> None:
    study = make_study()
    together = study.raw.join(study.students, on="student_id").rename({"student_id": "pupil"})
    scored = together.select(
        "pupil", "province", *(pl.col(f"M{k:02d}") == 2 for k in range(1, 11))
    ).with_columns(pl.col("^M.*$").cast(pl.Int64))
    content = gzip.compress(scored.write_csv().encode())
    (tmp_path / "all.csv.gz").write_bytes(content)
    text = '[files]\nresponses = "all.csv.gz"\nstudent_id = "pupil"\nitem_columns = "^M"\n[options]\ngroup = "province"\nuntil = "fit"\n'
    (tmp_path / "one.toml").write_text(text, encoding="utf-8")
    answer = lsa(
        "scale",
        tmp_path / "one.toml",
        "--store",
        tmp_path / "store",
        "--out",
        tmp_path / "out",
        "--format",
        "csv",
    )
    assert answer.status == 0, answer.err
    assert "4 of 4 stages" in answer.out
    groups = read_table(tmp_path / "out" / "calibration.groups.csv", text_columns={"group": 2})
    assert groups["group"].to_list() == ["01", "48", "79"]


REFUSED = {
    "no TOML": ("[files", "is no TOML file"),
    "unknown section": ("[option]\nmodel = 'pcm'\n", "unknown section: 'option'"),
    "unknown entry": ("[files]\nanswers = 'a.csv'\n", "unknown entry of [files]: 'answers'"),
    "no responses": ("[files]\nkind = 'raw'\n", "names no file of responses"),
    "no file": ("[files]\nresponses = 'gone.csv'\n", "'gone.csv' (responses of the study 'bad.toml') is not there"),
    "kind": ("[files]\nresponses = 'responses.csv'\nkind = 'fresh'\n", "must be raw or scored"),
    "option": ("[files]\nresponses = 'responses.csv'\n[options]\nmodels = 3\n", "must give a model by item"),
    "stranger": ("[files]\nresponses = 'responses.csv'\n[options]\nscale = 3\n", "no option 'scale'"),
    "identifier": ("[files]\nresponses = 'responses.csv'\nstudent_id = 'id'\n", "no column 'id' that identifies"),
    "no item": ("[files]\nresponses = 'responses.csv'\nitem_columns = '^X'\n", "No column of the responses is an item"),
    "text": (
        "[files]\nresponses = 'students.csv'\n[options]\ngroup = 'province'\n",
        "1 columns of the responses hold text",
    ),
    "students": (
        "[files]\nresponses = 'responses.csv'\n[options]\ngroup = 'region'\n",
        "region",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(REFUSED))
def test_an_impossible_study_is_refused_with_a_sentence(lsa: Any, place: Path, name: str) -> None:
    text, sentence = REFUSED[name]
    (place / "bad.toml").write_text(text, encoding="utf-8")
    answer = lsa("scale", place / "bad.toml", "--store", place / "bad_store")
    assert answer.status == 2
    assert sentence in answer.err
    assert "Traceback" not in answer.err


def test_a_broken_gzip_file_and_scale_are_refused(lsa: Any, place: Path) -> None:
    (place / "cut.csv.gz").write_bytes(gzip.compress(b"student_id,M1\n1,0\n")[:12])
    (place / "bad.toml").write_text("[files]\nresponses = 'cut.csv.gz'\n", encoding="utf-8")
    assert "is no whole gzip file" in lsa("scale", place / "bad.toml", "--store", place / "bad_store").err
    (place / "scale.json").write_text("[1, 2]", encoding="utf-8")
    text = "[files]\nresponses = 'responses.csv'\nold_scale = 'scale.json'\n"
    (place / "bad.toml").write_text(text, encoding="utf-8")
    assert "is no JSON record" in lsa("scale", place / "bad.toml", "--store", place / "bad_store").err
    answer = lsa(
        "scale", place / "maths.toml", "--store", place / "store", "--out", place / "x", "--role", "scores"
    )
    assert "gives no 'scores'" in answer.err


def test_a_table_is_read_from_bytes_as_from_its_file(place: Path) -> None:
    found = read_bytes((place / "students.csv").read_bytes(), "students.csv")
    assert found["student_id"].to_list() == make_study().students["student_id"].to_list()
