"""The golden record of contracts/draw_record: confirmed, made again to the letter, and in the form of its schema."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

import lsakit as lk
from independent_draw import draw, frame_hash, seed_of
from lsakit.design.draw_record import PublicSource, design_from_json

FOLDER = Path(__file__).resolve().parents[3] / "contracts" / "draw_record"


def content(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


FRAME, RECORD, SCHEMA = content("frame.json"), content("record.json"), content("schema.json")


def test_the_golden_record_is_confirmed_and_made_again_to_the_letter() -> None:
    found = lk.verify_draw(RECORD, FRAME)
    assert found.is_repeated, found.findings
    again = lk.draw_record(FRAME, design_from_json(RECORD["design"]), source=PublicSource(**RECORD["source"]))
    made = json.loads(again.to_json())
    assert {**made, "software": None} == {**RECORD, "software": None}


def test_the_golden_record_is_confirmed_by_the_standard_library_alone() -> None:
    assert frame_hash(FRAME) == RECORD["frame"]["hash"]
    assert str(seed_of(RECORD["commitment"], RECORD["source"]["text"])) == RECORD["seed"]
    sample = draw(FRAME, RECORD["design"], int(RECORD["seed"]))
    assert sample == {row[0]: (row[2], row[4], row[5]) for row in RECORD["sample"]["rows"]}
    assert any(row[6] for row in RECORD["sample"]["rows"])  # a certainty school is in it
    assert any(row[5] is None for row in RECORD["sample"]["rows"])  # and a missing replacement


def test_the_schema_holds_and_refuses_damage() -> None:
    jsonschema_rs = pytest.importorskip("jsonschema_rs")  # comes with the web's test tools
    check = jsonschema_rs.validator_for(SCHEMA)
    check.validate(RECORD)
    made = lk.draw_record(
        FRAME, lk.Design(n_schools=5, n_students=20), source=PublicSource(name="a", text="1")
    )
    check.validate(json.loads(made.to_json()))
    for path, value in (
        (("commitment",), "sha256:1"),
        (("seed",), 12),
        (("frame", "kinds", "area"), "word"),
        (("frame", "cells", "area"), "12"),
        (("sample", "rows", 0, 2), 1.5),
        (("strata", 0, "random_number"), 0),
        (("note",), "x"),
    ):
        damaged: Any = copy.deepcopy(RECORD)
        place = damaged
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        with pytest.raises(jsonschema_rs.ValidationError):
            check.validate(damaged)
