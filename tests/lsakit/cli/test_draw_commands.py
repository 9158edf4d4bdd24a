"""The commands of the public draw: exit status 0, 1 and 2, and the words for each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import lsakit as lk
from lsakit.design.draw_record import PublicSource, design_to_json

SOURCE = PublicSource(name="Xổ số miền Bắc, 1/3/2027, giải đặc biệt", text=" 48213  07 ")
PLAN = lk.Design(
    explicit=["region"], implicit=["sector", "area"], n_schools={"Bắc": 12, "Nam": 18}, n_students=35
)


def frame_of(n: int = 300) -> dict[str, list[Any]]:
    rng = np.random.default_rng(1)
    return {
        "school_id": [f"{row:05d}" for row in rng.permutation(n).tolist()],
        "region": rng.choice(["Bắc", "Nam"], n).tolist(),
        "sector": rng.choice(["1", "2", "10"], n).tolist(),
        "area": rng.choice([True, False], n).tolist(),
        "enrolment": rng.integers(10, 300, n).tolist(),
        "distance": rng.normal(size=n).tolist(),
    }


FRAME = frame_of()
MADE = lk.draw_record(FRAME, PLAN, source=SOURCE)


def files_in(folder: Path) -> tuple[Path, Path, Path]:
    frame, design, record = folder / "frame.parquet", folder / "design.json", folder / "record.json"
    pl.DataFrame(FRAME).write_parquet(frame)
    design.write_text(json.dumps(design_to_json(PLAN)), encoding="utf-8")
    return frame, design, record


def test_the_commands_commit_draw_and_verify(lsa: Any, tmp_path: Path) -> None:
    frame, design, record = files_in(tmp_path)
    answer = lsa("commit-draw", frame, "--design", design)
    assert answer.status == 0
    assert MADE.record["commitment"] in answer.out
    named = ["--source", SOURCE.name, "--text", SOURCE.text, "--out", record]
    answer = lsa("public-draw", frame, "--design", design, *named, "--commitment", "sha256:0")
    assert (answer.status, record.exists()) == (2, False)
    assert "not the one that was published" in answer.err
    answer = lsa("public-draw", frame, "--design", design, *named, "--commitment", MADE.record["commitment"])
    assert answer.status == 0
    assert record.read_text(encoding="utf-8") == MADE.to_json()
    answer = lsa("verify-draw", record, frame)
    assert answer.status == 0
    assert "repeated bit for bit" in answer.out


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_the_form_of_the_frame_file_does_not_matter(lsa: Any, tmp_path: Path, suffix: str) -> None:
    frame, _, record = files_in(tmp_path)
    record.write_text(MADE.to_json(), encoding="utf-8")
    other = frame.with_suffix("." + suffix)
    lk.write_table(pl.DataFrame(FRAME), other)
    answer = lsa("verify-draw", record, other)
    assert answer.status == 0, answer.out + answer.err


def test_one_changed_byte_in_the_frame_file_ends_with_status_one_and_its_name(
    lsa: Any, tmp_path: Path
) -> None:
    frame, _, record = files_in(tmp_path)
    record.write_text(MADE.to_json(), encoding="utf-8")
    other = frame.with_suffix(".csv")
    lk.write_table(pl.DataFrame(FRAME), other)
    whole = other.read_bytes()
    school = FRAME["school_id"][5].encode()
    line = whole.index(b'\n"' + school) + 1
    end = whole.index(b"\n", line)
    at = whole.rindex(b",", line, whole.rindex(b",", line, end)) + 1  # the first digit of the enrolment
    changed = b"2" if whole[at : at + 1] != b"2" else b"1"
    other.write_bytes(whole[:at] + changed + whole[at + 1 :])
    answer = lsa("verify-draw", record, other)
    assert answer.status == 1
    assert f"School {school.decode()}, column 'enrolment': changed since the draw" in answer.out


def test_files_that_are_no_record_are_refused_with_status_two(lsa: Any, tmp_path: Path) -> None:
    frame, design, record = files_in(tmp_path)
    assert lsa("verify-draw", record, frame).status == 2
    record.write_text("{", encoding="utf-8")
    assert "is not JSON" in lsa("verify-draw", record, frame).err
    record.write_text("[]", encoding="utf-8")
    assert "does not hold a JSON object" in lsa("verify-draw", record, frame).err
    assert "its schema is None" in lsa("verify-draw", design, frame).err
