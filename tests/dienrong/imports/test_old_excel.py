"""Real .xls files go the whole way: read, matched, previewed, accepted, taken back; their refused rows come back as .xlsx."""

from __future__ import annotations

from pathlib import Path

import pytest

from dienrong.imports import queries
from dienrong.imports.columns import target_of
from dienrong.imports.numeric.faults import FileFault
from dienrong.imports.numeric.sheets import Book
from dienrong.registry.models import School, SchoolEnrolment
from dienrong.rosters.models import StudentPlace

FILES = Path(__file__).parents[2] / "data" / "xls"
SCHOOLS, PUPILS, FORMULA = (
    (FILES / f"{name}.xls").read_bytes() for name in ("truong", "hoc-sinh", "cong-thuc")
)
# Where the first record of a number (RK, ten bytes) names its row and column.
PLACE = SCHOOLS.index(b"\x7e\x02\x0a\x00") + 4

pytestmark = pytest.mark.usefixtures("registry")


def test_they_are_old_excel_files() -> None:
    """The samples are compound files of BIFF records, no renamed .xlsx."""
    for data in (SCHOOLS, PUPILS, FORMULA):
        assert data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
        assert Book(data).kind == "xls"


def test_a_list_of_schools_goes_the_whole_way(signed_in, officer, send, previewed) -> None:
    client = signed_in(officer)
    upload = previewed(client, "truong", SCHOOLS, name="ds truong.xls")
    assert upload.counts == {"new": 1, "changed": 2, "unchanged": 0, "refused": 1}
    changes = {
        change.number: change
        for change in queries.changes_of(upload.rows.order_by("number"), target_of("truong"))
    }
    assert [change.key for change in changes.values()] == ["01000001", "01000002", "01000050", "01000051"]
    assert changes[5].values["founded_date"] == "1975-09-05"
    assert changes[7].values["commune_code"] == "00008"
    assert changes[8].problems[0].column == "commune_code"
    client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    assert School.objects.get(school_id="01000002").name == "Trường TH Nguyễn Trãi mới"
    assert School.objects.get(school_id="01000050").levels == "THCS"
    again = previewed(client, "truong", SCHOOLS, name="ds truong.xls")
    assert again.counts == {"new": 0, "changed": 0, "unchanged": 3, "refused": 1}
    client.post(f"/nhap-du-lieu/tep/{upload.id}/hoan-tac")
    assert not School.objects.filter(school_id="01000050").exists()


def test_refused_rows_come_back_as_xlsx_with_their_comment(signed_in, officer, previewed) -> None:
    client = signed_in(officer)
    upload = previewed(client, "truong", SCHOOLS, name="ds truong.xls")
    answer = client.get(f"/nhap-du-lieu/tep/{upload.id}/dong-bi-tu-choi.xlsx")
    assert answer.status_code == 200
    book = Book(answer.content)
    assert book.kind == "xlsx"
    rows = [cells for _number, cells in book.rows("Trường")]
    assert any("01000051" in row for row in rows)
    assert not any("01000002" in row for row in rows)
    assert "99999" in str(rows)


def test_pupils_with_dates_as_dates_and_as_text(signed_in, coordinator, previewed) -> None:
    client = signed_in(coordinator)
    upload = previewed(client, "hoc-sinh", PUPILS, name="5A.XLS")
    assert upload.counts == {"new": 2, "changed": 0, "unchanged": 0, "refused": 1}
    born = [
        change.values["birth_date"]
        for change in queries.changes_of(queries.staged(upload, "new"), target_of("hoc-sinh"))
    ]
    assert born == ["2015-09-05", "2015-09-06"]
    client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    assert StudentPlace.objects.count() == 2


def test_a_formula_gives_its_computed_value(signed_in, officer, previewed) -> None:
    client = signed_in(officer)
    upload = previewed(client, "quy-mo", FORMULA, name="quy mo.xls")
    client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    count = SchoolEnrolment.objects.get(school__school_id="01000001", grade=5, counted_on="2025-09-30")
    assert (count.n_students, count.n_classes) == (7, 1)


@pytest.mark.parametrize("cut", [600, 2_000, len(SCHOOLS) // 2])
def test_a_damaged_one_is_refused_with_a_sentence(signed_in, officer, send, cut) -> None:
    answer = send(signed_in(officer), "truong", SCHOOLS[:cut], name="hong.xls")
    assert answer.status_code == 422
    assert "Excel" in answer.content.decode()


def fault_of(data: bytes) -> str:
    """Read every sheet of a file; give the code of the fault."""
    try:
        book = Book(data)
        for sheet in book.sheets():
            list(book.rows(sheet.name))
    except FileFault as fault:
        return fault.code
    return ""


@pytest.mark.parametrize("cut", range(609, len(SCHOOLS), 970))
def test_a_cut_file_is_a_fault_and_no_crash(cut) -> None:
    """Cut at some bytes, the reader's Rust panicked and the request ended without an answer."""
    assert fault_of(SCHOOLS[:cut]) in ("damaged", "encrypted")


def test_a_cell_in_the_last_row_and_column_does_not_end_the_site() -> None:
    """One cell moved to row and column 65 536: the reader asked for 171 796 469 800 bytes and the process died."""
    broken = SCHOOLS[:PLACE] + b"\xff\xff\xff\xff" + SCHOOLS[PLACE + 4 :]
    assert fault_of(broken) == "damaged"


def test_a_sheet_of_too_many_cells_is_refused_with_its_limit() -> None:
    """A cell in row 65 536 and column 255 is well-formed and spans 16 million cells."""
    wide = SCHOOLS[:PLACE] + b"\xff\xff\xfe\x00" + SCHOOLS[PLACE + 4 :]
    assert fault_of(wide) == "too_many_cells"
