"""A file is opened, its table found, its rows read; or refused with a sentence that says what to do."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

import pytest

from dienrong.imports.columns import COUNTED_ON, Choice, Column, Target, Words
from dienrong.imports.matching import guess, mapping_of
from dienrong.imports.numeric.faults import FileFault
from dienrong.imports.numeric.sheets import Book
from dienrong.imports.reading import Reader, layout_of
from dienrong.imports.sentences import file_refusal
from small_files import text_file, workbook

TODAY = dt.date(2026, 11, 22)
HEAD = ["Mã trường*", "Tên trường*", "Số học sinh", "Ngày thành lập"]
ROWS = [
    ["01000001", "Trường TH Hòa Bình", 145, dt.date(1975, 9, 5)],
    ["01000002", "Trường TH Ba Đình", 97, None],
]


def named(code: str, title: str, **more) -> Column:
    return Column(code=code, title=Words(title, code), guide=Words("Hướng dẫn", "Guide"), **more)


TARGET = Target(
    code="thu",
    title=Words("Thử", "Trial"),
    lead=Words("", ""),
    columns=(
        named(
            "school_id",
            "Mã trường",
            aliases=("MA_TRUONG",),
            kind="code",
            width=8,
            is_opaque=True,
            is_required=True,
        ),
        named("name", "Tên trường", aliases=("TEN_TRUONG_HOC",), is_required=True),
        named("n_students", "Số học sinh", aliases=("SO_HS",), kind="integer", low=0, high=9_999),
        named("founded", "Ngày thành lập", kind="date"),
        named("n_5", "Khối 5 · Số học sinh", kind="integer"),
        named("c_5", "Khối 5 · Số lớp", kind="integer"),
        named(
            "sector",
            "Loại hình",
            kind="choice",
            choices=(
                Choice(code="public", label=Words("Công lập", "Public")),
                Choice(code="private", label=Words("Tư thục", "Private")),
            ),
        ),
    ),
    key=("school_id",),
    compare=lambda rows, scope, params: [],
    write=lambda changes, by, params: [],
    undo=lambda written, by, params: None,
    parameters=(COUNTED_ON,),
)


def read(data: bytes, *, sheet: str = "", charset: str = ""):
    book = Book(data, charset)
    layout = layout_of(book, TARGET, sheet=sheet)
    if layout.header is None:
        return layout, [], None
    matches = guess(TARGET, layout.header.names, layout.samples, today=TODAY)
    reader = Reader(book, layout, TARGET, mapping_of(matches), today=TODAY)
    return layout, list(reader.rows()), reader.tally


def refused(data: bytes, **choices) -> str:
    with pytest.raises(FileFault) as caught:
        read(data, **choices)
    refusal = file_refusal(caught.value, "ds.xlsx")
    return f"{refusal.sentence} {refusal.hint}"


def values(rows):
    return [(row.number, dict(row.values)) for row in rows]


PLAIN = [
    (2, {"school_id": "01000001", "name": "Trường TH Hòa Bình", "n_students": 145, "founded": "1975-09-05"}),
    (3, {"school_id": "01000002", "name": "Trường TH Ba Đình", "n_students": 97}),
]


def test_a_plain_workbook() -> None:
    layout, rows, tally = read(workbook(("DS", [HEAD, *ROWS])))
    assert values(rows) == PLAIN
    assert layout.sheet == "DS"
    assert layout.notes == ()
    assert tally.repairs == {}


def test_title_rows_stars_and_the_instruction_row() -> None:
    guide = ["Hướng dẫn: mã 8 chữ số", "Tên đầy đủ", "Số nguyên", "ngày/tháng/năm"]
    data = workbook(
        ("DS", [["SỞ GDĐT HÀ NỘI"], ["DANH SÁCH TRƯỜNG"], [], HEAD, guide, *ROWS]), merged=["A1:D1", "A2:D2"]
    )
    layout, rows, _tally = read(data)
    assert [row.number for row in rows] == [6, 7]
    assert layout.header.row == 4
    assert {note["code"] for note in layout.notes} == {"titles_above", "guide_row"}


def test_a_row_that_counts_the_columns_is_left_out() -> None:
    layout, rows, _tally = read(workbook(("DS", [HEAD, ["(1)", "(2)", "(3)", "(4)"], *ROWS])))
    assert [row.number for row in rows] == [3, 4]
    assert "numbered_row" in layout.header.notes


def test_merged_header_cells_are_joined_with_the_row_under_them() -> None:
    data = workbook(
        (
            "DS",
            [
                ["Mã trường", "Tên trường", "Khối 5", ""],
                ["", "", "Số học sinh", "Số lớp"],
                ["01000001", "TH A", 30, 1],
            ],
        ),
        merged=["A1:A2", "B1:B2", "C1:D1"],
    )
    layout, rows, _tally = read(data)
    assert layout.header.names == ("Mã trường", "Tên trường", "Khối 5 · Số học sinh", "Khối 5 · Số lớp")
    assert values(rows) == [(3, {"school_id": "01000001", "name": "TH A", "n_5": 30, "c_5": 1})]
    assert "merged_header" in layout.header.notes


def test_a_table_that_does_not_begin_in_the_first_column() -> None:
    data = workbook(("DS", [[], ["", "", *HEAD], ["", "", *ROWS[0]]]))
    _layout, rows, _tally = read(data)
    assert values(rows) == [(3, PLAIN[0][1])]


def test_of_two_sheets_with_data_a_person_chooses() -> None:
    data = workbook(("Hà Nội", [HEAD, ROWS[0]]), ("Hà Nam", [HEAD, ROWS[1]]))
    layout, rows, _tally = read(data)
    assert layout.candidates == ("Hà Nội", "Hà Nam")
    assert layout.sheet == ""
    assert rows == []
    _layout, rows, _tally = read(data, sheet="Hà Nam")
    assert [row.values["school_id"] for row in rows] == ["01000002"]


def test_sheets_of_code_lists_are_left_out() -> None:
    codes = [["Mã", "Tên"], ["01", "Hà Nội"], ["04", "Cao Bằng"]]
    layout, rows, _tally = read(workbook(("Danh mục", codes), ("DS", [HEAD, *ROWS]), ("dm xã", codes)))
    assert layout.sheet == "DS"
    assert len(rows) == 2
    assert layout.left_out == ("Danh mục", "dm xã")


def test_rows_that_sum_up_and_empty_rows_are_left_out() -> None:
    data = workbook(("DS", [HEAD, ROWS[0], [], ROWS[1], ["", "Tổng cộng", 242], ["Tổng cộng", "", 242]]))
    _layout, rows, tally = read(data)
    assert [row.number for row in rows] == [2, 4]
    assert tally.n_total_rows == 2


def test_what_was_put_right_is_counted_with_an_example() -> None:
    data = workbook(
        (
            "DS",
            [
                HEAD,
                [1000001, "Trường TH Hòa\u00a0Bình", "1.234", "5/9/75"],
                [1000002, "Tru\u031bo\u031b\u0300ng B", "97", 27642],
            ],
        )
    )
    _layout, rows, tally = read(data)
    assert [row.values["school_id"] for row in rows] == ["01000001", "01000002"]
    assert rows[0].values["n_students"] == 1234
    assert [row.values["founded"] for row in rows] == ["1975-09-05", "1975-09-05"]
    assert {kind: found["n"] for kind, found in tally.repairs.items()} == {
        "zeros": 2,
        "invisible": 1,
        "number_text": 2,
        "date_text": 1,
        "composed": 1,
        "date_serial": 1,
    }
    assert tally.repairs["zeros"]["example"] == "Mã trường · 2: “1000001” → “01000001”"


def test_cells_pasted_from_an_old_font_are_converted_in_the_midst_of_unicode() -> None:
    data = workbook(
        (
            "DS",
            [
                HEAD,
                ["01000001", "Tr­êng TiÓu häc Hßa B×nh", 1, None],
                ["01000002", "Trường Tiểu học Ba Đình", 2, None],
            ],
        )
    )
    _layout, rows, tally = read(data)
    assert [row.values["name"] for row in rows] == ["Trường Tiểu học Hòa Bình", "Trường Tiểu học Ba Đình"]
    assert tally.repairs["tcvn3"]["n"] == 1


def test_problems_name_column_value_and_way_out() -> None:
    _layout, rows, _tally = read(workbook(("DS", [HEAD, ["01000001", "", "một trăm", "31/02/2015"]])))
    sentences = {problem.column: (problem.value, problem.sentence) for problem in rows[0].problems}
    assert sentences == {
        "name": ("", "“Tên trường” đang để trống nhưng bắt buộc phải có."),
        "n_students": ("một trăm", "“Số học sinh” phải là số nguyên."),
        "founded": ("31/02/2015", "“Ngày thành lập” ghi một ngày không có thật."),
    }
    assert all(problem.hint for problem in rows[0].problems)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_csv_in_every_delimiter_and_unicode(delimiter: str, charset: str) -> None:
    rows = [
        ["MA_TRUONG", "TEN_TRUONG_HOC", "SO_HS"],
        ["01000001", "Trường TH Hòa Bình", "145"],
        ["01000002", "TH Ba Đình", "97"],
    ]
    _layout, found, _tally = read(text_file(rows, delimiter=delimiter, charset=charset))
    assert [row.values["name"] for row in found] == ["Trường TH Hòa Bình", "TH Ba Đình"]
    assert [row.number for row in found] == [2, 3]


def test_csv_in_tcvn3_is_recognised_and_said() -> None:
    rows = [
        ["MA_TRUONG", "TEN_TRUONG_HOC"],
        ["01000001", "Tr­êng TiÓu häc NguyÔn V¨n Hµ"],
        ["01000002", "TiÓu häc TrÇn H­ng §¹o"],
    ]
    layout, found, _tally = read(text_file(rows, charset="latin-1"))
    assert [row.values["name"] for row in found] == [
        "Trường Tiểu học Nguyễn Văn Hà",
        "Tiểu học Trần Hưng Đạo",
    ]
    assert layout.charset == "tcvn3"
    assert {"code": "charset", "charset": "tcvn3"} in layout.notes


def test_csv_in_vni_and_in_windows_1258() -> None:
    rows = [
        ["MA_TRUONG", "TEN_TRUONG_HOC"],
        ["01000001", "Nguyeãn Thò Höông"],
        ["01000002", "Traàn Vaên Bình"],
    ]
    layout, found, _tally = read(text_file(rows, charset="latin-1"))
    assert layout.charset == "vni"
    assert found[0].values["name"] == "Nguyễn Thị Hương"
    import unicodedata

    def windows(text: str) -> str:
        return "".join(
            unicodedata.normalize("NFC", part)
            for part in unicodedata.normalize("NFD", text).replace("\u0302", "\u0302")
        )

    body = "MA_TRUONG;TEN_TRUONG_HOC\r\n01000001;Nguyê\u0303n Thi\u0323 Hương\r\n01000002;Trâ\u0300n Bi\u0300nh\r\n"
    layout, found, _tally = read(windows(body).encode("cp1258", "strict") if False else body.encode("cp1258"))
    assert layout.charset == "cp1258"
    assert [row.values["name"] for row in found] == ["Nguyễn Thị Hương", "Trần Bình"]


def test_the_person_may_choose_the_character_set() -> None:
    data = "MA_TRUONG;TEN_TRUONG_HOC\r\n01000001;NguyÔn V¨n Hµ\r\n".encode("latin-1")
    _layout, found, _tally = read(data, charset="tcvn3")
    assert found[0].values["name"] == "Nguyễn Văn Hà"


def test_a_row_of_excel_separator_advice_is_no_header() -> None:
    data = b"sep=;\r\nMA_TRUONG;TEN_TRUONG_HOC\r\n01000001;TH A\r\n"
    _layout, found, _tally = read(data)
    assert values(found) == [(3, {"school_id": "01000001", "name": "TH A"})]


def test_columns_are_guessed_by_what_they_hold_where_names_say_nothing() -> None:
    head = ["Mã trường", "Tên trường", "Cột A", "Cột B"]
    data = workbook(
        (
            "DS",
            [
                head,
                ["01000001", "TH A", "05/09/1975", "Công lập"],
                ["01000002", "TH B", "06/09/1975", "Tư thục"],
            ],
        )
    )
    _layout, rows, _tally = read(data)
    assert rows[0].values["founded"] == "1975-09-05"
    assert rows[0].values["sector"] == "public"


# --- refusals, in the words the officer reads ---------------------------------------------------------------


def broken_zip() -> bytes:
    return workbook(("DS", [HEAD, *ROWS]))[:-400]


def changed_part(part: str, content: bytes) -> bytes:
    source, target = io.BytesIO(workbook(("DS", [HEAD, *ROWS]))), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(item.filename, content if item.filename == part else old.read(item.filename))
    return target.getvalue()


def sheet_with(cells: str) -> bytes:
    head = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    return changed_part("xl/worksheets/sheet1.xml", f"{head}{cells}</sheetData></worksheet>".encode())


REFUSALS = {
    "empty": (b"", "Tệp “ds.xlsx” không có nội dung."),
    "blank sheet": (workbook(("DS", [])), "Tệp “ds.xlsx” không có nội dung."),
    "html": (b"<html><body><table><tr><td>1</td></tr></table></body></html>", "thực chất là một trang web"),
    "xml": (b'<?xml version="1.0"?><Workbook></Workbook>', "thực chất là một trang web"),
    "encrypted": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(600)
        + "EncryptedPackage".encode("utf-16-le")
        + bytes(200),
        "đang đặt mật khẩu",
    ),
    "pdf": (b"%PDF-1.7 " + bytes(50), "PDF"),
    "cut off": (broken_zip(), "bị hỏng"),
    "no header": (workbook(("DS", [[1, 2, 3], [4, 5, 6], [7, 8, 9]])), "Không tìm thấy dòng tiêu đề"),
    "no data": (workbook(("DS", [HEAD])), "chưa có dòng dữ liệu nào"),
    "far corner": (sheet_with('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), "1.048.576"),
    "far right": (sheet_with('<row r="1"><c r="XFD1"><v>1</v></c></row>'), "cột 16.384"),
    "uncalculated": (
        sheet_with('<row r="1"><c r="A1"><f>1+1</f></c><c r="B1"><f>2</f><v></v></c></row>'),
        "2 công thức chưa có kết quả",
    ),
    "wrong letters": (bytes(range(0x80, 0xFF)) * 3 + b";a\r\nb;c\r\n", "bảng mã chữ"),
}


@pytest.mark.parametrize("case", list(REFUSALS))
def test_what_cannot_be_read_is_refused_with_a_way_out(case: str) -> None:
    data, words = REFUSALS[case]
    said = refused(data)
    assert words in said, said
    assert "ds.xlsx" in said


def test_a_bomb_is_found_before_anything_is_opened(monkeypatch) -> None:
    from dienrong.imports.numeric import containers

    monkeypatch.setattr(containers, "MAX_INFLATED", 1 << 22)
    rows = "".join(f'<row r="{k}"><c r="A{k}"><v>1</v></c></row>' for k in range(1, 200_000))
    assert "lớn hơn mọi danh sách" in refused(sheet_with(rows))


def test_formulas_are_read_by_their_saved_results_and_said() -> None:
    layout, rows, _tally = read(workbook(("DS", [HEAD, ["01000001", "TH A", "=3+4", None]])))
    assert rows[0].values["n_students"] == 7
    assert {"code": "formulas", "n": 1} in layout.notes


def test_an_error_of_a_formula_is_refused_in_its_cell() -> None:
    cells = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>Mã trường</t></is></c><c r="B1" t="inlineStr"><is><t>Tên trường</t></is></c></row>'
        '<row r="2"><c r="A2" t="inlineStr"><is><t>01000001</t></is></c><c r="B2" t="e"><f>NA()</f><v>#N/A</v></c></row>'
    )
    _layout, rows, _tally = read(sheet_with(cells))
    assert rows[0].problems[0].sentence == "Công thức ở “Tên trường” báo lỗi, không cho ra giá trị."


def test_formats_down_to_the_last_row_are_no_data() -> None:
    cells = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>Mã trường</t></is></c><c r="B1" t="inlineStr"><is><t>Tên trường</t></is></c></row>'
        '<row r="2"><c r="A2" t="inlineStr"><is><t>01000001</t></is></c><c r="B2" t="inlineStr"><is><t>TH A</t></is></c><c r="XFD2" s="0"/></row>'
        '<row r="1048576"><c r="A1048576" s="0"/></row>'
    )
    _layout, rows, _tally = read(sheet_with(cells))
    assert len(rows) == 1
