"""SPSS, Stata and Parquet: what is kept, checked with pyreadstat as an independent reader."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pyreadstat
import pytest

from lsakit.errors import FileFormatError, TableError
from lsakit.io.codebook import Codebook, Variable
from lsakit.io.files import read_file, read_table, write_table
from lsakit.io.sav_writer import compressed

FORMATS = ("sav", "zsav", "dta", "parquet", "xlsx", "csv")
BOOK = Codebook(
    variables=(
        Variable(
            name="Q1",
            label="Câu một",
            type="integer",
            values={1: "Có", 2: "Không", 98: "Không hợp lệ", 99: "Từ chối"},
            missing={98: "I", 99: "M"},
        ),
        Variable(name="province_code", label="Mã tỉnh", type="text"),
    ),
    file_label="Khảo sát",
)
TABLE = pl.DataFrame(
    {
        "Q1": [1, 99, 2, None, 98],
        "province_code": ["01", "79", "04", None, "12"],
        "W_FSTUWT": [0.1 + 0.2, 1 / 3, None, 1e-300, -1.5],
        "tên_trường": ["Tiểu học Kim Đồng", "x" * 300, "ầ" * 200, None, "a"],
        "birth_date": [
            dt.date(2016, 2, 29),
            None,
            dt.date(1999, 12, 31),
            dt.date(2015, 9, 5),
            dt.date(1970, 1, 1),
        ],
        "started_at": [dt.datetime(2026, 1, 2, 3, 4, 5, 250_000), None, *[dt.datetime(2026, 5, 1)] * 3],
    }
)


@pytest.mark.parametrize("extension", FORMATS)
def test_values_types_labels_and_missing_codes_come_back(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.{extension}"
    assert write_table(TABLE, path, codebook=BOOK) == ()
    contents = read_file(path)
    assert contents.table.equals(TABLE)
    assert contents.table.schema == TABLE.schema
    found = contents.codebook["Q1"]
    assert (found.label, found.values, found.missing) == ("Câu một", BOOK["Q1"].values, BOOK["Q1"].missing)
    assert contents.codebook["province_code"].label == "Mã tỉnh"
    assert Codebook.read(path)["Q1"].missing == BOOK["Q1"].missing
    assert read_table(path, user_missing="null").get_column("Q1").to_list() == [1, None, 2, None, None]


@pytest.mark.parametrize("extension", ["sav", "zsav"])
def test_our_spss_files_are_read_by_another_reader(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.{extension}"
    write_table(TABLE, path, codebook=BOOK)
    found, metadata = pyreadstat.read_sav(str(path), user_missing=True, output_format="polars")
    assert found.get_column("W_FSTUWT").to_list() == TABLE.get_column("W_FSTUWT").to_list()
    assert found.get_column("tên_trường").to_list()[:3] == TABLE.get_column("tên_trường").to_list()[:3]
    assert found.get_column("birth_date").to_list() == TABLE.get_column("birth_date").to_list()
    assert metadata.missing_ranges["Q1"] == [{"lo": 98.0, "hi": 98.0}, {"lo": 99.0, "hi": 99.0}]
    assert metadata.variable_value_labels["Q1"][1.0] == "Có"
    assert metadata.file_label == "Khảo sát"
    assert metadata.number_rows == 5
    assert metadata.file_encoding == "UTF-8"


def test_files_of_another_writer_are_read(tmp_path: Path) -> None:
    path = str(tmp_path / "a.sav")
    pyreadstat.write_sav(
        pl.DataFrame({"x": [1.0, 2.5, 97.0], "s": ["a", "b", "zz"]}),
        path,
        variable_value_labels={"x": {97: "Not applicable"}},
        missing_ranges={"x": [{"lo": 90, "hi": 99}], "s": ["zz"]},
        row_compress=True,
    )
    found = read_file(path)
    assert found.codebook["x"].missing == {97: "N"}
    assert found.codebook["x"].missing_range == (90.0, 99.0)
    assert found.codebook["s"].missing == {"zz": "U"}
    assert read_table(path, user_missing="null").rows() == [(1.0, "a"), (2.5, "b"), (None, None)]
    again = tmp_path / "b.sav"
    write_table(found.table, again, codebook=found.codebook)
    assert read_file(again).codebook["x"].missing_range == (90.0, 99.0)


def test_five_missing_codes_of_pisa_survive_the_range(tmp_path: Path) -> None:
    missing = {95: "V", 96: "R", 97: "N", 98: "I", 99: "M"}
    book = Codebook(variables=(Variable(name="x", type="integer", missing=missing),))
    write_table({"x": [1, 95, 96, 97, 98, 99]}, tmp_path / "a.sav", codebook=book)
    found = read_file(tmp_path / "a.sav").codebook["x"]
    assert found.missing == missing
    assert found.missing_range is None


def test_stata_letters_and_codes(tmp_path: Path) -> None:
    path = tmp_path / "a.dta"
    write_table(TABLE.select("Q1"), path, codebook=BOOK)
    raw, metadata = pyreadstat.read_dta(str(path), user_missing=True, output_format="dict")
    assert raw["Q1"] == [1, "m", 2, None, "i"]
    assert metadata.variable_value_labels["Q1"]["m"] == "Từ chối [99]"


def test_foreign_stata_letters_get_codes_above_the_values(tmp_path: Path) -> None:
    path = str(tmp_path / "a.dta")
    pyreadstat.write_dta(
        pl.DataFrame({"x": pl.Series([1, 98, "a", "m"], dtype=pl.Object)}),
        path,
        missing_user_values={"x": ["a", "m"]},
        variable_value_labels={"x": {"a": "Not reached"}},
    )
    found = read_file(path)
    assert found.table.get_column("x").to_list() == [1, 98, 996, 999]
    assert found.codebook["x"].missing == {996: "R", 999: "M"}
    stated = Codebook(variables=(Variable(name="x", type="integer", missing={-1: "U", -9: "M", -8: "U"}),))
    assert read_table(path, codebook=stated).get_column("x").to_list() == [1, 98, -8, -9]


def test_stata_says_what_it_cannot_keep(tmp_path: Path) -> None:
    book = Codebook(variables=(Variable(name="s", type="text", values={"a": "b"}),))
    notes = write_table({"s": ["a"]}, tmp_path / "a.dta", codebook=book)
    assert [(note.column, note.n) for note in notes] == [("s", 1)]


@pytest.mark.parametrize("extension", ["sav", "dta"])
@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"two words": [1]}, "'two words' cannot stand"),
        ({"a" * 70: [1]}, "cannot stand"),
        ({"x": [2**60]}, "too large|cannot hold exactly"),
        ({"x": [[1, 2]]}, "cannot hold"),
        ({"x": [float("inf")]}, "too large"),
    ],
)
def test_what_a_statistical_file_cannot_hold(
    tmp_path: Path, extension: str, columns: dict[str, list[object]], words: str
) -> None:
    with pytest.raises(TableError, match=words):
        write_table(columns, tmp_path / f"a.{extension}")
    assert list(tmp_path.iterdir()) == []


def test_names_that_differ_only_in_case_are_one_for_spss(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="one name for SPSS"):
        write_table({"a": [1], "A": [2]}, tmp_path / "a.sav")


@pytest.mark.parametrize("extension", ["sav", "zsav", "dta", "parquet", "xlsx"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
def test_truncated_files_are_refused_by_name(tmp_path: Path, extension: str, share: float) -> None:
    path = tmp_path / f"cut.{extension}"
    write_table({"x": list(range(400)), "s": [f"{k:08d}" for k in range(400)]}, path)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    with pytest.raises(FileFormatError, match=rf"cut\.{extension}"):
        read_table(path)


@pytest.mark.parametrize("extension", ["sav", "dta", "parquet", "xlsx", "xls"])
def test_another_format_under_the_extension_is_refused(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.{extension}"
    path.write_text("id,name\n1,a\n" * 50)
    with pytest.raises(FileFormatError, match="cannot be read as"):
        read_table(path)


def test_old_vietnamese_text_in_an_spss_file_is_refused_or_converted(tmp_path: Path) -> None:
    path = tmp_path / "a.sav"
    pyreadstat.write_sav(
        pl.DataFrame({"name": ["NguyÔn V¨n", "TrÇn ThÞ"]}),
        str(path),
        column_labels={"name": "Hä vµ tªn häc sinh"},
    )
    with pytest.raises(FileFormatError, match="TCVN3"):
        read_table(path)
    found = read_file(path, encoding="tcvn3")
    assert found.table.get_column("name").to_list() == ["Nguyễn Văn", "Trần Thị"]
    assert found.codebook["name"].label == "Họ và tên học sinh"


def test_a_column_of_fractions_with_an_integer_format_stays_exact(tmp_path: Path) -> None:
    path = tmp_path / "a.sav"
    pyreadstat.write_sav(pl.DataFrame({"w": [1.25, 2.0]}), str(path), variable_format={"w": "F8.0"})
    found = read_file(path)
    assert found.table.get_column("w").to_list() == [1.25, 2.0]
    assert found.codebook["w"].type == "number"


def test_bytecode_by_hand() -> None:
    """Eight codes, then the raw words that code 253 announces (PSPP manual, data record)."""
    codes = np.array([101, 253, 255, 254, 253, 99, 0, 0], dtype=np.uint8)
    words = np.array([0, 7, 0, 0, 9, 0, 0, 0], dtype=np.uint64)
    assert compressed(words, codes) == codes.tobytes() + (7).to_bytes(8, "little") + (9).to_bytes(8, "little")


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.sav"
    write_table({"x": [1]}, path)
    before = path.read_bytes()

    def stop(stage: str, fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table({"x": [2]}, path, progress=stop)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.sav"]


@pytest.mark.parametrize("extension", FORMATS)
def test_an_empty_table_keeps_its_columns(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.{extension}"
    write_table(TABLE.head(0).select("Q1", "province_code"), path, codebook=BOOK)
    found = read_file(path)
    assert found.table.shape == (0, 2)
    assert found.codebook["Q1"].label == "Câu một"


def test_real_files_go_round_unchanged(tmp_path: Path, shared: Path) -> None:
    table = read_table(shared / "data" / "pisa2018_fra_ita_mex" / "students.csv")
    assert table.shape == (1269, 191)
    last = table
    for extension in ("sav", "dta", "parquet"):
        write_table(last, tmp_path / f"a.{extension}")
        last = read_table(tmp_path / f"a.{extension}")
        assert last.equals(table), extension
        assert last.schema == table.schema, extension


def test_reading_needs_no_pandas(tmp_path: Path) -> None:
    """pyreadstat loads pandas unless told otherwise; it is no dependency of lsakit and takes seconds to load."""
    write_table(TABLE, tmp_path / "a.sav", codebook=BOOK)
    write_table(TABLE, tmp_path / "a.dta", codebook=BOOK)
    program = (
        "import sys; sys.modules['pandas'] = None\n"
        "from lsakit.io.files import read_table, write_table\n"
        f"t = read_table({str(tmp_path / 'a.sav')!r}); assert t.height == 5\n"
        f"t = read_table({str(tmp_path / 'a.dta')!r}); assert t.height == 5\n"
        f"write_table(t, {str(tmp_path / 'b.dta')!r}); write_table(t, {str(tmp_path / 'b.sav')!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
