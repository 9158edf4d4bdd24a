"""A calibration of a Parquet file is that of the table in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lsakit.errors import FileFormatError, ResponseError, UnknownColumnError
from lsakit.io.parquet_columns import ParquetColumns
from lsakit.irt.calibration import calibrate


def responses() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    theta = rng.normal(size=(400, 1))
    codes = (theta + rng.logistic(size=(400, 20)) > np.linspace(-1, 1, 20)).astype(np.int8)
    table = pl.DataFrame({f"q{j:02d}": codes[:, j] for j in range(20)})
    some = pl.Series(rng.random(400) < 0.8)
    return table.with_columns(
        q03=pl.when(some).then(pl.col("q03")),
        g=pl.Series(["a", "b"] * 200),
        w=pl.Series(rng.uniform(0.5, 2.0, 400)),
        student_id=pl.Series([f"s{i}" for i in range(400)]),
    )


def test_the_file_gives_the_numbers_of_the_table(tmp_path: Path) -> None:
    table, file = responses(), tmp_path / "responses.parquet"
    table.write_parquet(file)
    one, other = (calibrate(given, "2pl", "g", "w") for given in (table, file))
    assert one.items.equals(other.items)
    assert one.groups.equals(other.groups)
    assert one.loglik == other.loglik


def test_only_what_is_asked_for_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "responses.parquet"
    responses().write_parquet(file)
    read: list[str] = []
    plain = ParquetColumns.get_column
    monkeypatch.setattr(
        ParquetColumns, "get_column", lambda self, name: read.append(name) or plain(self, name)
    )
    calibrate(file, "rasch", items=["q00", "q01", "q02"])
    assert read == ["q00", "q01", "q02"]


def test_refusals_are_those_of_a_table(tmp_path: Path) -> None:
    file = tmp_path / "responses.parquet"
    responses().with_columns(q05=pl.lit(-3)).write_parquet(file)
    with pytest.raises(ResponseError, match=r"'q05' must be whole numbers from 0. Got -3"):
        calibrate(file, "rasch", "g", "w")
    with pytest.raises(UnknownColumnError, match="absent"):
        calibrate(file, "rasch", "absent", items=["q00", "q01"])
    with pytest.raises(FileFormatError, match=r"'none.parquet' cannot be read as Parquet"):
        calibrate(tmp_path / "none.parquet")
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(b"no parquet")
    with pytest.raises(FileFormatError, match=r"'bad.parquet' cannot be read"):
        calibrate(bad)
