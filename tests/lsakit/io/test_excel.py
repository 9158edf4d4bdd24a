"""Excel workbooks as offices send them: titles, merged cells, several sheets, lost zeros."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from lsakit.errors import FileFormatError, TableError
from lsakit.io.files import read_file, read_table, write_table


def workbook(path: Path, **sheets: list[list[Any]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        dates = book.add_format({"num_format": "dd/mm/yyyy"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for place, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, dt.date):
                        sheet.write_datetime(place, column, cell, dates)
                    elif cell is not None:
                        sheet.write(place, column, cell)
    return path


def test_cells_keep_their_kinds(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        Lop=[
            ["Mã*", "Họ tên", "Ngày sinh", "Điểm", "Đạt", "Ghi chú"],
            ["01", "Nguyễn\u00a0An ", dt.date(2016, 9, 5), 7.25, True, None],
            ["02", "Bình", None, 8, False, None],
        ],
    )
    contents = read_file(path)
    assert contents.table.columns == ["Mã", "Họ tên", "Ngày sinh", "Điểm", "Đạt", "Ghi chú"]
    assert contents.table.row(0) == ("01", "Nguyễn An", dt.date(2016, 9, 5), 7.25, True, None)
    assert contents.table.schema["Ghi chú"] == pl.String
    assert [note.column for note in contents.notes] == ["Họ tên"]


def test_zeros_that_excel_ate(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", s=[["province_code", "n"], [1, 5], [79, 6], [4, 7]])
    with pytest.raises(FileFormatError) as refused:
        read_table(path, text_columns={"province_code": 2})
    for words in ("'province_code'", "'1' in row 2", "1 more", "leading zeros", "'01'", "restore_zeros=True"):
        assert words in str(refused.value)
    table = read_table(path, text_columns={"province_code": 2}, restore_zeros=True)
    assert table.get_column("province_code").to_list() == ["01", "79", "04"]


def test_half_eaten_codes_are_refused_without_being_declared(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", s=[["code"], [1], [79]])
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("s")
        sheet.write_string(0, 0, "code")
        sheet.write_string(1, 0, "01")
        sheet.write_number(2, 0, 4)
    with pytest.raises(FileFormatError, match=r"'4' as a number in row 3.*text_columns=\{'code': 2\}"):
        read_table(path)
    restored = read_table(path, text_columns={"code": 2}, restore_zeros=True)
    assert restored.rows() == [("01",), ("04",)]


def test_numbers_with_more_digits_than_excel_keeps(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", s=[["id"], [1234567890123456]])
    with pytest.raises(FileFormatError, match=r"no code|row 2"):
        read_table(path, text_columns=["id"])


def test_merged_cells_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("s")
        sheet.write(0, 0, "Mã")
        sheet.merge_range("B1:C1", "Họ và tên")
        sheet.write_row(1, 0, ["01", "Nguyễn", "An"])
    with pytest.raises(FileFormatError, match=r"merged cells at B1:C1.*Unmerge"):
        read_table(path)


def test_a_title_over_the_names_is_passed_by(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("s")
        sheet.merge_range("A1:B1", "DANH SÁCH HỌC SINH")
        sheet.write_row(1, 0, ["Mã", "Tên"])
        sheet.write_row(2, 0, ["01", "An"])
    with pytest.raises(FileFormatError, match="A1:B1"):
        read_table(path)
    assert read_table(path, header_row=2).rows() == [("01", "An")]
    plain = workbook(tmp_path / "b.xlsx", s=[["DANH SÁCH", None], ["Mã", "Tên"], ["01", "An"]])
    with pytest.raises(FileFormatError, match=r"no name|one title"):
        read_table(plain)


def test_several_sheets_need_a_choice(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", one=[["a"], [1]], two=[["b"], [2]], blank=[])
    with pytest.raises(FileFormatError, match=r"2 sheets with data: one, two.*sheet='one'"):
        read_table(path)
    assert read_table(path, sheet="two").rows() == [(2,)]
    with pytest.raises(FileFormatError, match=r"no sheet 'three'.*one, two, blank"):
        read_table(path, sheet="three")
    with pytest.raises(FileFormatError, match="is empty"):
        read_table(workbook(tmp_path / "c.xlsx", s=[]))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"x": [2**60]}, "more than 15 digits"),
        ({"x": [float("inf")]}, "not finite"),
        ({"x": ["a" * 40_000]}, "more than 32767"),
        ({"x": [dt.date(1899, 1, 1)]}, "before March 1900"),
    ],
)
def test_what_a_cell_cannot_hold(tmp_path: Path, columns: dict[str, list[Any]], words: str) -> None:
    with pytest.raises(TableError, match=words):
        write_table(columns, tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_numbers_keep_all_their_digits(tmp_path: Path) -> None:
    values = [0.1 + 0.2, 1 / 3, 2.0**-1000, 1.7976931348623157e308, 123456789.12345678]
    write_table({"x": values}, tmp_path / "a.xlsx")
    assert read_table(tmp_path / "a.xlsx").get_column("x").to_list() == values


def test_a_column_with_a_negative_zero_stays_a_column_of_real_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_table(pl.DataFrame({"real": [-0.0, 1.0]}), path)
    found = read_table(path).get_column("real")
    assert found.dtype == pl.Float64
    assert [value.hex() for value in found] == [(-0.0).hex(), (1.0).hex()]
