"""CSV files as they come: delimiters, character sets, types, and what is refused."""

from __future__ import annotations

import datetime as dt
import unicodedata
from pathlib import Path

import polars as pl
import pytest

from lsakit.errors import FileFormatError, UnknownColumnError
from lsakit.io.codebook import Codebook, Variable
from lsakit.io.files import read_file, read_table, write_table

NAMES = ["Nguyễn Văn Bình", "Trần Thị Hường", "Đỗ Quỳnh Như"]


def saved(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "a.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    text = "id;name;n\n01;'x, y';1\n02;z;2\n".replace(";", delimiter)
    if delimiter == ",":
        text = text.replace("'", '"')
    table = read_table(saved(tmp_path, text))
    assert table.columns == ["id", "name", "n"]
    assert table.get_column("id").to_list() == ["01", "02"]
    assert table.get_column("n").to_list() == [1, 2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1258"])
def test_character_sets_that_are_recognised(tmp_path: Path, encoding: str) -> None:
    text = "id,name\r\n" + "".join(f"0{k},{name}\r\n" for k, name in enumerate(NAMES))
    if encoding == "cp1258":  # base letters with combining tones, as Windows stores them
        letters = unicodedata.normalize("NFD", text)
        for plain, mark in (
            ("a", "\u0306"),
            ("a", "\u0302"),
            ("e", "\u0302"),
            ("o", "\u0302"),
            ("o", "\u031b"),
        ):
            letters = letters.replace(plain + mark, unicodedata.normalize("NFC", plain + mark))
        letters = letters.replace("u\u031b", "ư").replace("U\u031b", "Ư")
        text = "".join(letters)
    contents = read_file(saved(tmp_path, text, encoding))
    assert contents.table.get_column("name").to_list() == NAMES


def test_types_need_every_value(tmp_path: Path) -> None:
    text = (
        "int,float,zeros,mixed,date,when,truth,na,empty,big\n"
        "1,1.5,01,7,2016-09-05,2026-01-02T03:04:05,true,NA,,123456789012345678901\n"
        "-2,2,2,x,2016-02-29,2026-01-02 03:04,false,4,,2\n"
    )
    table = read_table(saved(tmp_path, text))
    assert table.rows()[1] == (
        -2,
        2.0,
        "2",
        "x",
        dt.date(2016, 2, 29),
        dt.datetime(2026, 1, 2, 3, 4),
        False,
        4,
        None,
        "2",
    )
    assert table.get_column("na").to_list() == [None, 4]
    assert table.schema["big"] == pl.String


def test_decimal_commas_of_semicolon_files(tmp_path: Path) -> None:
    table = read_table(saved(tmp_path, "a;b;c\n1,5;1.234,5;1.234\n2;7,25;2.000\n"))
    assert table.rows() == [(1.5, 1234.5, 1.234), (2.0, 7.25, 2.0)]


def test_quoted_digits_are_text_beside_unquoted_numbers(tmp_path: Path) -> None:
    table = read_table(saved(tmp_path, '"school_id","n"\n"64625417",3\n"64625418",4\n'))
    assert table.schema == {"school_id": pl.String, "n": pl.Int64}


def test_text_is_normalised_and_counted(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "Hà Nội")
    contents = read_file(saved(tmp_path, f"name,x\n{decomposed},\u00a01\nA\u200bB ,2\nHuế,3\n"))
    assert contents.table.rows() == [("Hà Nội", 1), ("AB", 2), ("Huế", 3)]
    assert {note.column: note.n for note in contents.notes} == {"name": 2, "x": 1}


def test_a_required_column_loses_its_star(tmp_path: Path) -> None:
    assert read_table(saved(tmp_path, "MA_TRUONG*,TEN\n01,a\n")).columns == ["MA_TRUONG", "TEN"]


def test_old_character_sets_are_refused_or_converted(tmp_path: Path) -> None:
    for charset, text in (("tcvn3", "NguyÔn V¨n B×nh"), ("vni", "Nguyeãn Vaên Höôøng")):
        for encoding in ("latin-1", "utf-8"):
            path = saved(tmp_path, f"id,name\n01,{text}\n", encoding)
            with pytest.raises(FileFormatError, match=rf"old character set .*encoding='{charset}'"):
                read_table(path)
            name = read_table(path, encoding=charset).get_column("name")[0]
            assert name == {"tcvn3": "Nguyễn Văn Bình", "vni": "Nguyễn Văn Hường"}[charset]


def test_a_converted_file_keeps_columns_that_are_unicode_already(tmp_path: Path) -> None:
    path = saved(tmp_path, "a,b\nNguyễn Văn,NguyÔn V¨n\n")
    contents = read_file(path, encoding="tcvn3")
    assert contents.table.rows() == [("Nguyễn Văn", "Nguyễn Văn")]
    assert [note.column for note in contents.notes] == ["b"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"a,b\n1,2\n3\n", r"line 3 has 1 fields"),
        (b"a,b\n1,2,3\n", r"2 columns, but line 2 has 3 fields"),
        (b"a,b\n1,2\n3", "cut off: its last line has 1 of 2 fields"),
        (b'a,b\n1,"2\n3,4\n', "quotation mark is never closed"),
        (b"a,b,a\n1,2,3\n", "'a' twice"),
        (b"a,,c\n1,2,3\n", "column 2 .* has no name"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"a,b\n\xe9\xe8,\xff\xfe\n", "character set cannot be told"),
        (b"a\x00b\n", "zero bytes"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, raw: bytes, words: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(raw)
    with pytest.raises(FileFormatError, match=words):
        read_table(path)


def test_refusals_of_requests(tmp_path: Path) -> None:
    path = saved(tmp_path, "a,b\n1,2\n")
    with pytest.raises(UnknownColumnError, match="no column 'z'"):
        read_table(path, columns=["a", "z"])
    with pytest.raises(FileFormatError, match="encoding 'klingon' is not known"):
        read_table(path, encoding="klingon")
    with pytest.raises(FileFormatError, match=r"no file 'absent.csv'"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(FileFormatError, match=r"\.doc.*can be read"):
        read_table(tmp_path / "a.doc")
    with pytest.raises(FileFormatError, match=r"\.doc.*can be written"):
        write_table({"a": [1]}, tmp_path / "a.doc")
    assert read_table(path, columns=["b"]).rows() == [(2,)]


def test_lost_zeros_are_refused_or_restored(tmp_path: Path) -> None:
    path = saved(tmp_path, "province_code,n\n1,5\n79,6\n")
    with pytest.raises(FileFormatError, match=r"'1' in row 2.*leading zeros.*restore_zeros=True"):
        read_table(path, text_columns={"province_code": 2})
    book = Codebook(variables=(Variable(name="province_code", type="text", width=2, identifier=True),))
    with pytest.raises(FileFormatError, match="2 characters"):
        read_table(path, codebook=book)
    contents = read_file(path, text_columns={"province_code": 2}, restore_zeros=True)
    assert contents.table.get_column("province_code").to_list() == ["01", "79"]
    assert [note.n for note in contents.notes if "zeros" in note.sentence] == [1]
    with pytest.raises(FileFormatError, match="1 characters"):
        read_table(path, text_columns={"province_code": 1}, restore_zeros=True)


def test_a_codebook_gives_types_and_refuses_what_does_not_fit(tmp_path: Path) -> None:
    path = saved(tmp_path, "born,n\n5/9/2015,1\n29/02/2016,2\n")
    book = Codebook(variables=(Variable(name="born", type="date"), Variable(name="n", type="number")))
    assert read_table(path, codebook=book).rows() == [(dt.date(2015, 9, 5), 1.0), (dt.date(2016, 2, 29), 2.0)]
    path = saved(tmp_path, "born,n\n31/02/2015,1\n")
    with pytest.raises(FileFormatError, match=r"'31/02/2015' of column 'born'.*row 1"):
        read_table(path, codebook=book)


def test_a_written_file_reads_back_with_its_codebook(tmp_path: Path) -> None:
    table = pl.DataFrame({"id": ["1", "2"], "code": ["7", "8"], "x": [1.0, 99.0]})
    book = Codebook(variables=(Variable(name="id", type="text"), Variable(name="x", missing={99: "M"})))
    write_table(table, tmp_path / "a.csv", codebook=book)
    contents = read_file(tmp_path / "a.csv")
    assert contents.table.equals(table)
    assert contents.table.schema == table.schema
    assert contents.codebook["x"].missing == {99: "M"}
    assert read_table(tmp_path / "a.csv", user_missing="null").get_column("x").to_list() == [1.0, None]
