"""Large files part by part, and conversions between formats."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from lsakit.errors import CancelledError, FileFormatError
from lsakit.io.codebook import Codebook, Variable
from lsakit.io.files import read_file, read_table, write_table
from lsakit.io.streams import convert_table, iterate_table

TABLE = pl.DataFrame(
    {
        "student_id": [f"{k:06d}" for k in range(1000)],
        "name": ["Nguyễn" if k % 3 else None for k in range(1000)],
        "x": [None if k % 7 == 0 else (k * 37) % 100 for k in range(1000)],
        "w": [k / 7 for k in range(1000)],
    }
)
BOOK = Codebook(
    variables=(
        Variable(name="student_id", type="text", width=6, identifier=True),
        Variable(name="x", label="Câu", type="integer", values={1: "Một", 99: "Bỏ trống"}, missing={99: "M"}),
    )
)


@pytest.mark.parametrize("extension", ["csv", "parquet", "sav", "zsav", "dta", "xlsx"])
def test_parts_put_together_are_the_table(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.{extension}"
    write_table(TABLE, path, codebook=BOOK)
    parts = list(iterate_table(path, rows=300))
    assert max(part.height for part in parts) <= 300
    assert len({tuple(part.schema.items()) for part in parts}) == 1
    together = pl.concat(parts).with_columns(pl.col("x").cast(pl.Int64))
    assert together.equals(TABLE)


@pytest.mark.parametrize("source", ["csv", "parquet", "sav", "zsav", "dta", "xlsx"])
@pytest.mark.parametrize("target", ["csv", "parquet", "sav", "zsav"])
def test_conversions_keep_values_labels_and_missing_codes(tmp_path: Path, source: str, target: str) -> None:
    write_table(TABLE, tmp_path / f"a.{source}", codebook=BOOK)
    done = convert_table(tmp_path / f"a.{source}", tmp_path / f"b.{target}")
    assert (done.n_rows, done.n_columns) == (1000, 4)
    found = read_file(tmp_path / f"b.{target}")
    assert found.table.with_columns(pl.col("x").cast(pl.Int64)).equals(TABLE)
    assert found.codebook["x"].missing == {99: "M"}
    assert found.codebook["x"].values == BOOK["x"].values


@pytest.mark.parametrize("target", ["dta", "xlsx"])
def test_conversions_to_whole_file_formats(tmp_path: Path, target: str) -> None:
    write_table(TABLE, tmp_path / "a.sav", codebook=BOOK)
    convert_table(tmp_path / "a.sav", tmp_path / f"b.{target}")
    assert read_table(tmp_path / f"b.{target}").equals(TABLE)


@pytest.mark.parametrize("target", ["csv", "parquet", "sav"])
def test_a_cancelled_conversion_leaves_nothing(tmp_path: Path, target: str) -> None:
    write_table(TABLE, tmp_path / "a.parquet")

    def stop(stage: str, fraction: float) -> None:
        raise CancelledError("Stopped on request.")

    with pytest.raises(CancelledError):
        convert_table(tmp_path / "a.parquet", tmp_path / f"b.{target}", progress=stop)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.parquet"]


def test_progress_rises_to_one(tmp_path: Path) -> None:
    write_table(TABLE, tmp_path / "a.csv")
    seen: list[tuple[str, float]] = []
    convert_table(tmp_path / "a.csv", tmp_path / "b.sav", progress=lambda *step: seen.append(step))
    assert [stage for stage, _ in seen] == ["examine", "convert"]
    assert seen[-1][1] == 1.0


def test_a_refused_source_leaves_no_target(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3\n")
    with pytest.raises(FileFormatError, match="line 3"):
        convert_table(tmp_path / "a.csv", tmp_path / "b.sav")
    assert not (tmp_path / "b.sav").exists()


def test_a_csv_column_that_changes_late_is_typed_over_the_whole_file(tmp_path: Path) -> None:
    lines = ["id,x"] + [f"{k},1" for k in range(1, 700)] + ["007,1.5"]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    parts = list(iterate_table(tmp_path / "a.csv", rows=100))
    assert parts[0].schema == {"id": pl.String, "x": pl.Float64}
    assert parts[-1].row(-1) == ("007", 1.5)
