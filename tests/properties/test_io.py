"""Laws of files: what is written is what is read, in every format, with labels and missing codes."""

from __future__ import annotations

import datetime as dt
import unicodedata
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lsakit.io.codebook import Codebook, Variable
from lsakit.io.files import read_file, write_table
from lsakit.io.missing_labels import marked_labels, read_marked
from lsakit.io.streams import convert_table
from lsakit.io.vietnamese import TCVN3, VNI, convert_legacy

FORMATS = ("csv", "xlsx", "parquet", "sav", "zsav", "dta")
# No capital of Latin-1 after a vowel: "aÀ" is how VNI writes "ầ", and the reader refuses such a file, as it must.
LETTERS = "abcXYZ019 .,;:'\"=-_/()[]\t\nđĐăầễợựỹạ"
KINDS = ("V", "R", "N", "I", "M", "D")
SETTINGS = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


def tidy(text: str) -> str | None:
    """Write text as reading leaves it: NFC, no outer spaces, empty is missing."""
    return unicodedata.normalize("NFC", text).strip() or None


texts = st.text(LETTERS, max_size=20).map(tidy)
words = st.sampled_from(
    ["01", "079", "Nguyễn Thị Ánh", "Ê-đê", "a;b", 'nói "có"', "x,y", "hai\ndòng", "NA", "true"]
)
floats = st.floats(-1e12, 1e12, allow_nan=False) | st.sampled_from([0.1 + 0.2, -0.0, 5e-324, 1e300, 1e-7])
dates = st.dates(dt.date(1900, 3, 1), dt.date(2100, 1, 1))


@st.composite
def tables(draw: st.DrawFn) -> tuple[pl.DataFrame, Codebook]:
    n = draw(st.integers(1, 12))

    def column(values: st.SearchStrategy[object]) -> list[object]:
        return draw(st.lists(st.none() | values, min_size=n, max_size=n))

    codes = draw(st.lists(st.sampled_from([96, 97, 98, 99]), unique=True, max_size=3))
    missing = {code: draw(st.sampled_from(KINDS)) for code in sorted(codes)}
    labels = {k: draw(st.text("Aễn =[]1M", min_size=1, max_size=8)).strip() or "x" for k in (1, 2, *missing)}
    book = Codebook(
        variables=(
            Variable(name="item", label="Câu hỏi", type="integer", values=labels, missing=missing),
            Variable(name="text", type="text"),
            Variable(name="word", type="text"),
            Variable(name="real", type="number", decimals=2),
            Variable(name="day", type="date"),
            Variable(name="count", type="integer"),
        )
    )
    table = pl.DataFrame(
        {
            "item": pl.Series(column(st.sampled_from([1, 2, 3, *missing])), dtype=pl.Int64),
            "text": pl.Series(column(texts), dtype=pl.String),
            "word": pl.Series(column(words), dtype=pl.String),
            "real": pl.Series(column(floats), dtype=pl.Float64),
            "day": pl.Series(column(dates), dtype=pl.Date),
            "count": pl.Series(column(st.integers(-(10**14), 10**14)), dtype=pl.Int64),
        }
    )
    return table, book


def ends_in_a_value(table: pl.DataFrame) -> bool:
    """Tell whether the last row is not empty: empty rows at the end of a sheet are no rows."""
    return any(value is not None for value in table.row(-1))


def bits(table: pl.DataFrame) -> list[object]:
    """Tell numbers apart to the last bit, the sign of zero included."""
    return [value.hex() if isinstance(value, float) else value for row in table.rows() for value in row]


@pytest.mark.parametrize("extension", FORMATS)
@SETTINGS
@given(drawn=tables())
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, extension: str, drawn: tuple[pl.DataFrame, Codebook]
) -> None:
    table, book = drawn
    assume(extension != "xlsx" or ends_in_a_value(table))
    path = tmp_path_factory.mktemp("io") / f"a.{extension}"
    write_table(table, path, codebook=book)
    found = read_file(path)
    assert bits(found.table) == bits(table)
    assert found.table.schema == table.schema
    item = found.codebook["item"]
    assert item.missing == book["item"].missing
    assert item.values == book["item"].values
    assert item.label == book["item"].label
    nulled = read_file(path, user_missing="null").table.get_column("item").to_list()
    assert nulled == [
        None if value in item.missing else value for value in table.get_column("item").to_list()
    ]


@SETTINGS
@given(drawn=tables(), source=st.sampled_from(FORMATS), target=st.sampled_from(FORMATS))
def test_conversions_change_no_value(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[pl.DataFrame, Codebook], source: str, target: str
) -> None:
    table, book = drawn
    assume("xlsx" not in (source, target) or ends_in_a_value(table))
    folder: Path = tmp_path_factory.mktemp("io")
    write_table(table, folder / f"a.{source}", codebook=book)
    convert_table(folder / f"a.{source}", folder / f"b.{target}")
    found = read_file(folder / f"b.{target}")
    whole = found.table.with_columns(pl.col("item", "count").cast(pl.Int64), pl.col("day").cast(pl.Date))
    typed = whole.with_columns(pl.col("text", "word").cast(pl.String), pl.col("real").cast(pl.Float64))
    assert bits(typed) == bits(table)
    assert found.codebook["item"].missing == book["item"].missing


@given(drawn=tables())
@settings(max_examples=50, deadline=None)
def test_codebooks_survive_table_and_json(drawn: tuple[pl.DataFrame, Codebook]) -> None:
    book = drawn[1]
    assert Codebook.from_json(book.to_json()) == book
    assert Codebook.from_table(book.to_table()) == book


@given(st.dictionaries(st.integers(0, 99), st.sampled_from(KINDS)), st.text("MVRInvalid []", max_size=20))
def test_marks_of_missing_labels_can_be_undone(missing: dict[int, str], label: str) -> None:
    variable = Variable(name="x", values=dict.fromkeys(missing, label), missing=missing)
    plain, kinds = read_marked(marked_labels(variable), list(missing))
    assert kinds == missing
    assert all(plain[code] == label for code in missing if label)


SMALL_TCVN3 = {letter: code for code, letter in TCVN3.items() if letter.islower() and len(letter) == 1}
SMALL_VNI = {letter: pair for pair, letter in VNI.items() if letter.islower() and pair.islower()}


@given(st.text("bcdghklmnpqrstvx aăâeêioôơuưyđắằẵẳặấầẫẩậéèẹẻẽếềễểệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵáàảãạ"))
def test_legacy_text_converts_back(text: str) -> None:
    as_tcvn3 = "".join(SMALL_TCVN3.get(letter, letter) for letter in text)
    assert convert_legacy(as_tcvn3, "tcvn3") == text
    as_vni = "".join(SMALL_VNI.get(letter, letter) for letter in text)
    assert convert_legacy(as_vni, "vni") == text
