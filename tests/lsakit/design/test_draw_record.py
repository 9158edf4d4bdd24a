"""The public draw: committed, drawn with an announced number, repeated by others, and its changes named."""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import lsakit as lk
from independent_draw import draw as draw_again
from independent_draw import frame_hash, seed_of, sha
from lsakit.design.draw_record import (
    DrawRecord,
    PublicSource,
    design_from_json,
    design_to_json,
    public_seed,
)
from lsakit.design.overlap import Keyfitz, PermanentNumbers
from lsakit.errors import DesignError, TableError

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
        "enrolment": [3000, *rng.integers(10, 300, n - 1).tolist()],
        "distance": rng.normal(size=n).tolist(),
    }


FRAME = frame_of()
MADE = lk.draw_record(FRAME, PLAN, source=SOURCE)


def test_the_record_is_repeated_bit_for_bit() -> None:
    for frame in (FRAME, pl.DataFrame(FRAME), pd.DataFrame(FRAME), pl.DataFrame(FRAME).reverse()):
        for record in (MADE, MADE.record, MADE.to_json(), json.loads(MADE.to_json())):
            found = lk.verify_draw(record, frame)
            assert found.is_repeated, found.findings
            assert found.findings == ()
            assert found.changes.height == 0
            assert found.drawn is not None
            assert found.drawn.table.equals(MADE.drawn.table)
    assert "repeated bit for bit: 30 schools of 300" in found.sentence
    assert lk.draw_record(FRAME, PLAN, source=SOURCE).to_json() == MADE.to_json()


def test_a_stranger_repeats_the_draw_from_the_document_alone() -> None:
    """Hashes, seed, sample, probabilities and replacements by the standard library (independent_draw.py)."""
    record = json.loads(MADE.to_json())
    assert record["frame"]["hash"] == frame_hash(FRAME)
    commitment = {
        "design": record["design"],
        "frame": record["frame"]["hash"],
        "schema": "lsakit.draw_commitment/1",
    }
    text = json.dumps(commitment, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    assert record["commitment"] == sha(text)
    seed = seed_of(record["commitment"], record["source"]["text"])
    assert record["seed"] == str(seed)
    again = draw_again(FRAME, record["design"], seed)
    rows = [dict(zip(record["sample"]["columns"], row, strict=True)) for row in record["sample"]["rows"]]
    assert {row["school_id"] for row in rows} == set(again)
    for row in rows:
        assert (row["probability"], row["replacement_1"], row["replacement_2"]) == again[row["school_id"]]
    assert any(row["is_certainty"] for row in rows)


def test_days_read_back_as_text_are_the_same_days() -> None:
    days = pl.Series([dt.date(2027, 3, 1 + row % 28) for row in range(300)])
    frame = pl.DataFrame(FRAME).with_columns(listed_on=days)
    design = lk.Design(implicit=["listed_on"], n_schools=20, n_students=35)
    made = lk.draw_record(frame, design, source=SOURCE)
    assert made.record["frame"]["kinds"]["listed_on"] == "time"
    found = lk.verify_draw(made, frame.with_columns(pl.col("listed_on").cast(pl.String)))
    assert found.is_repeated, found.findings


def test_letters_composed_or_not_are_the_same_letters() -> None:
    """The frame of one system writes "Bắc" in five code points, that of another in three."""
    apart = {**FRAME, "region": [unicodedata.normalize("NFD", one) for one in FRAME["region"]]}
    assert apart["region"] != FRAME["region"]
    found = lk.verify_draw(MADE, apart)
    assert found.is_repeated, found.findings
    assert lk.commit_draw(apart, PLAN).hash == MADE.record["commitment"]
    assert lk.draw_record(apart, PLAN, source=SOURCE).to_json() == MADE.to_json()


def test_the_commitment_comes_first_and_binds() -> None:
    published = lk.commit_draw(FRAME, PLAN)
    assert published.hash == MADE.record["commitment"]
    assert published.n_schools == 300
    assert lk.draw_record(FRAME, PLAN, source=SOURCE, commitment=published.hash).to_json() == MADE.to_json()
    changed = {**FRAME, "enrolment": [2999, *FRAME["enrolment"][1:]]}
    with pytest.raises(DesignError, match="not the one that was published"):
        lk.draw_record(changed, PLAN, source=SOURCE, commitment=published.hash)
    other = lk.Design(**{**design_to_json(PLAN), "n_students": 36})
    assert lk.commit_draw(FRAME, other).hash != published.hash
    with pytest.raises(DesignError, match="asks stratum 'Bắc' for 900"):
        lk.commit_draw(FRAME, lk.Design(explicit=["region"], n_schools={"Bắc": 900, "Nam": 2}, n_students=9))


def test_the_seed_follows_from_commitment_and_text() -> None:
    assert SOURCE.text == "48213 07"
    seed = public_seed("sha256:ab", SOURCE)
    assert seed == seed_of("sha256:ab", "48213 07")
    assert seed != public_seed("sha256:ac", SOURCE)
    assert seed != public_seed("sha256:ab", PublicSource(name="x", text="48213 08"))
    assert seed == public_seed("sha256:ab", PublicSource(name="another name", text="48213 07"))
    with pytest.raises(DesignError, match="bytes that are no letters"):
        PublicSource(name="x", text="48\udcff")
    with pytest.raises(DesignError, match="'text' of the public source is empty"):
        PublicSource(name="x", text="  ")


@pytest.mark.parametrize(
    ("column", "value", "now"),
    [
        ("enrolment", 201, "'201'"),
        ("region", "Bac", "'Bac'"),
        ("distance", 0.25, "'0.25'"),
        ("sector", "", "nothing"),
        ("area", None, "nothing"),
    ],
)
def test_one_changed_cell_is_named_by_school_and_column(column: str, value: Any, now: str) -> None:
    row = 17
    changed = {**FRAME, column: [*FRAME[column][:row], value, *FRAME[column][row + 1 :]]}
    found = lk.verify_draw(MADE, changed)
    school = FRAME["school_id"][row]
    assert not found.is_repeated
    assert found.changes.select("school_id", "column", "change").rows() == [(school, column, "changed")]
    assert (
        f"School {school}, column '{column}': changed since the draw; it now holds {now}." in found.findings
    )


def test_one_digit_of_any_school_is_named() -> None:
    """One digit of every third school's size, one after the other: 100 changes, 100 names."""
    for row in range(0, 300, 3):
        sizes = list(FRAME["enrolment"])
        sizes[row] += 1
        changes = lk.verify_draw(MADE, {**FRAME, "enrolment": sizes}).changes
        assert changes.select("school_id", "column").rows() == [(FRAME["school_id"][row], "enrolment")]


def test_vanished_and_added_schools_and_columns_are_named() -> None:
    sampled = MADE.drawn.table["school_id"][3]
    frame = pl.DataFrame(FRAME)
    found = lk.verify_draw(MADE, frame.filter(pl.col("school_id") != sampled))
    assert f"School {sampled}: vanished since the draw. It was sampled." in found.findings
    assert any(one.startswith(f"The repeated draw does not hold {sampled}") for one in found.findings)
    renamed = frame.with_columns(pl.col("school_id").replace({sampled: "99999"}))
    found = lk.verify_draw(MADE, renamed)
    assert "School 99999: added since the draw." in found.findings
    wider = lk.verify_draw(MADE, frame.with_columns(extra=pl.lit(1)).drop("distance"))
    assert {"Column 'extra': added since the draw.", "Column 'distance': vanished since the draw."} < set(
        wider.findings
    )
    assert wider.drawn is not None
    assert wider.drawn.table.equals(MADE.drawn.table)  # neither column decides the draw
    gone = lk.verify_draw(MADE, frame.drop("area"))
    assert any("could not be repeated: The frame has no column 'area'" in one for one in gone.findings)


def edited(**members: Any) -> dict[str, Any]:
    return {**json.loads(MADE.to_json()), **members}


def test_a_record_that_contradicts_itself_is_found_out() -> None:
    record = json.loads(MADE.to_json())
    rows = record["sample"]["rows"]
    for changed, words in (
        ({"seed": "1"}, "The record's seed is 1; the announced text '48213 07' gives"),
        ({"source": {"name": "x", "text": "1"}}, "the announced text '1' gives"),
        ({"commitment": "sha256:0"}, "The record's commitment is sha256:0"),
        ({"result_hash": "sha256:0"}, "The record's result hash is sha256:0"),
        ({"design": {**record["design"], "n_students": 36}}, "The record's commitment is"),
        ({"sample": {**record["sample"], "rows": rows[1:]}}, "its sample gives"),
        (
            {"strata": [{**row, "random_number": 0.5} for row in record["strata"]]},
            "The record's strata differ from those of the repeated draw: Bắc, Nam.",
        ),
    ):
        found = lk.verify_draw(edited(**changed), FRAME)
        assert not found.is_repeated
        assert any(words in one for one in found.findings), (words, found.findings)
    swapped = [
        ["00000" if row is rows[0] and at == 0 else value for at, value in enumerate(row)] for row in rows
    ]
    forged = edited(sample={**record["sample"], "rows": swapped})
    assert not lk.verify_draw(forged, FRAME).is_repeated
    cells = {**record["frame"]["cells"]}
    cells["enrolment"] = "000000" + cells["enrolment"][6:]
    found = lk.verify_draw(edited(frame={**record["frame"], "cells": cells}), FRAME)
    assert found.findings[0] == "The record's fingerprints do not belong to the frame that its hash names."


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("{", "is not JSON"),
        ({"schema": "x"}, "its schema is 'x'"),
        ([1], "its schema is 'list'"),
        (edited(frame={"hash": "x"}), "parts of its frame or sample do not fit"),
        ({key: value for key, value in json.loads(MADE.to_json()).items() if key != "seed"}, "has no 'seed'"),
    ],
)
def test_what_is_no_record_is_refused(record: Any, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        lk.verify_draw(record, FRAME)


def test_a_frame_with_a_school_twice_is_refused() -> None:
    twice = {name: [*column, column[0]] for name, column in FRAME.items()}
    with pytest.raises(TableError, match="must be unique"):
        lk.verify_draw(MADE, twice)
    with pytest.raises(TableError, match="must be unique"):
        lk.commit_draw(twice, PLAN)


def test_designs_survive_json() -> None:
    for design in (
        PLAN,
        lk.Design(n_schools=7, n_students=20, certainty="cap", size_floor=10, zero_size="floor"),
        lk.Design(
            explicit=["a", "b"],
            n_schools={("x", True): np.int64(3), ("y", False): 4},
            n_students=np.int64(30),
            overlap=Keyfitz(previous_probability="p", previously_drawn="w", direction="maximize"),
        ),
        lk.Design(n_schools=7, n_students=20, overlap=PermanentNumbers(column="u", shift=0.5)),
    ):
        written = json.loads(json.dumps(design_to_json(design)))
        again = design_from_json(written)
        assert design_to_json(again) == written
        assert again.overlap == design.overlap
    with pytest.raises(DesignError, match="no field 'colour'"):
        design_from_json({"colour": 1})
    with pytest.raises(DesignError, match="needs the field 'n_students'"):
        design_from_json({"n_schools": 1})
    with pytest.raises(DesignError, match="'overlap' of a design is not understood"):
        design_from_json({"n_schools": 1, "n_students": 1, "overlap": {"method": "keyfitz"}})


def test_a_record_is_frozen() -> None:
    with pytest.raises(AttributeError):
        MADE.record = {}  # type: ignore[misc]
    assert isinstance(MADE, DrawRecord)
