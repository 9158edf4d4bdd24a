"""A small nation carried through every command, over CSV files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lsakit.cli.app import run


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    status: int
    out: str
    err: str


Lsa = Callable[..., Answer]


@pytest.fixture
def lsa(capsys: pytest.CaptureFixture[str]) -> Lsa:
    """Run the command in this process."""

    def call(*words: object) -> Answer:
        capsys.readouterr()
        status = run([str(word) for word in words])
        said = capsys.readouterr()
        return Answer(status, said.out, said.err)

    return call


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run every stage over files; the other tests look at what they left."""
    place = tmp_path_factory.mktemp("files")
    demo = [
        ["registers", "--size", "small", "-o", place],
        ["instrument", "--grade", 5, "--size", "small", "-o", place],
        ["frame", place / "schools.csv", "--grade", 5, "--n-schools-per-province", 12, "-o", place],
        [
            "sample", place / "frame.csv", "--explicit", "province_code", "--implicit", "area", "--n-schools", 12,
            "--in-each-stratum", "-o", place,
        ],
        ["lists", place / "drawn.csv", "--grade", 5, "-o", place],
        ["students", place / "lists.csv", "--drawn", place / "drawn.csv", "-o", place],
        [
            "testday", place / "pupils.csv", "--drawn", place / "drawn.csv", "--lists", place / "lists.csv",
            "--grade", 5, "-o", place,
        ],
        ["score", place / "raw_responses.csv", "--items", place / "items.csv", "-o", place],
        [
            "weights", place / "drawn.csv", "--schools", place / "school_participation.csv", "--students",
            place / "student_participation.csv", "-o", place,
        ],
        [
            "calibrate", place / "scored_responses.csv", "--items", place / "items.csv", "--trend-items",
            place / "trend_items.csv", "--weights", place / "weights.csv", "-o", place,
        ],
        [
            "values", place / "item_parameters.csv", "--groups", place / "groups.csv", "--scored-responses",
            place / "scored_responses.csv", "--background", place / "background.csv", "--weights",
            place / "weights.csv", "--n-plausible-values", 3, "--format", "parquet", "-o", place,
        ],
        [
            "estimate", place / "plausible_values.parquet", "--weights", place / "weights.csv", "--replicates",
            place / "replicates.csv", "--background", place / "background.csv", "--population", "grade5",
            "--truth", place / "truth.csv", "-o", place,
        ],
    ]  # fmt: skip
    quiet = sys.stderr
    for words in demo:
        status = run([str(word) for word in words])
        assert status == 0, words
    assert sys.stderr is quiet
    return place
