"""A file of schools from its template to its undoing, through the pages, with the registry itself."""

from __future__ import annotations

import io

import pytest

from dienrong.audit.models import AuditEntry
from dienrong.imports.models import MatchMemory, StagedRow, Upload
from dienrong.imports.numeric.sheets import Book
from dienrong.registry.models import School, SchoolEnrolment, SchoolSite
from small_files import workbook

HEAD = ["MA_TRUONG*", "TEN_TRUONG_HOC*", "CAP_HOC*", "MA_XA_PHUONG*", "SDT", "GHI_CHU"]
ROWS = [
    ["01000001", "Trường Tiểu học Hòa Bình", "TH", 4, "0241234567", ""],  # a lost zero, two cells change
    ["01000002", "Trường TH Nguyễn Trãi", "TH", "00004", "", ""],  # as it is kept
    ["01000009", "Trường THCS Lê Lợi", "THCS", "00008", "", ""],  # new
    ["01000010", "Trường TH Ma", "TH", "99999", "", ""],  # no such commune
    ["79000001", "Trường TH Lạ", "TH", "26734", "", ""],  # of another province
]
FILE = workbook(("DS", [HEAD, *ROWS]))


@pytest.fixture
def client(registry, officer, signed_in):
    return signed_in(officer)


def page(client, upload: Upload, query: str = "") -> str:
    answer = client.get(f"/nhap-du-lieu/tep/{upload.id}{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_columns_of_the_sector_database_are_matched_by_themselves(client, send) -> None:
    answer = send(client, "truong", FILE)
    text = client.get(answer["Location"]).content.decode()
    assert "Ghép cột" in text
    assert 'value="school_id" selected' in text
    assert 'value="commune_code" selected' in text
    assert "Trường Tiểu học Hòa Bình" in text
    assert School.objects.get(school_id="01000001").phone == ""


def test_the_preview_shows_every_change_and_writes_nothing(client, previewed) -> None:
    upload = previewed(client, "truong", FILE)
    assert upload.counts == {"new": 1, "changed": 1, "unchanged": 1, "refused": 2}
    text = page(client, upload, "?loai=changed")
    assert "<del>Trường TH Hòa Bình</del> → <ins>Trường Tiểu học Hòa Bình</ins>" in text
    assert "0241234567" in text
    refused = page(client, upload, "?loai=refused")
    assert "99999" in refused
    assert "79000001" in refused
    assert "Thêm lại số 0 ở đầu mã" in text
    assert "Các cột không có trong tệp" in text
    assert "Vĩ độ" in text
    assert School.objects.count() == 4
    assert School.objects.get(school_id="01000001").name == "Trường TH Hòa Bình"


def test_accepted_as_one_step_and_taken_back_as_one_step(client, previewed) -> None:
    upload = previewed(client, "truong", FILE)
    before = list(School.objects.order_by("pk").values())
    answer = client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan", follow=True)
    assert "Đã ghi nhận" in answer.content.decode()
    assert School.objects.get(school_id="01000001").phone == "0241234567"
    assert School.objects.filter(school_id="01000009").exists()
    assert not School.objects.filter(school_id="01000010").exists()
    answer = client.post(f"/nhap-du-lieu/tep/{upload.id}/hoan-tac", follow=True)
    assert "hoàn tác" in answer.content.decode()
    assert list(School.objects.order_by("pk").values()) == before
    upload.refresh_from_db()
    assert upload.state == Upload.State.UNDONE
    actions = list(AuditEntry.objects.filter(action__startswith="imports.").values_list("action", flat=True))
    assert set(actions) == {"imports.received", "imports.previewed", "imports.accepted", "imports.undone"}


def test_accepting_twice_and_undoing_twice_do_no_harm(client, previewed) -> None:
    upload = previewed(client, "truong", FILE)
    for _time in range(2):
        assert client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan").status_code == 302
    assert School.objects.count() == 5
    for _time in range(2):
        assert client.post(f"/nhap-du-lieu/tep/{upload.id}/hoan-tac").status_code == 302
    assert School.objects.count() == 4


def test_the_same_file_twice_changes_nothing_and_says_so(client, previewed) -> None:
    good = workbook(("DS", [HEAD, *ROWS[:3]]))
    first = previewed(client, "truong", good)
    client.post(f"/nhap-du-lieu/tep/{first.id}/ghi-nhan")
    second = previewed(client, "truong", good)
    assert second.counts == {"new": 0, "changed": 0, "unchanged": 3, "refused": 0}
    text = page(client, second)
    assert "Không có gì thay đổi" in text
    assert "đã được ghi nhận ngày 22/11/2026" in text
    assert "Trần Văn Đức" in text
    assert "/ghi-nhan" not in text
    answer = client.post(f"/nhap-du-lieu/tep/{second.id}/ghi-nhan")
    assert answer.status_code == 409
    assert "Không có gì thay đổi" in answer.content.decode()


def test_undoing_is_refused_where_something_changed_since(client, previewed) -> None:
    upload = previewed(client, "truong", FILE)
    client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    School.objects.filter(school_id="01000001").update(phone="0249999999")
    answer = client.post(f"/nhap-du-lieu/tep/{upload.id}/hoan-tac")
    assert answer.status_code == 409
    assert "01000001" in answer.content.decode()
    assert School.objects.filter(school_id="01000009").exists()
    upload.refresh_from_db()
    assert upload.state == Upload.State.ACCEPTED


def test_what_changed_since_the_preview_is_never_accepted_unseen(client, previewed) -> None:
    upload = previewed(client, "truong", FILE)
    School.objects.filter(school_id="01000001").update(phone="0241111111")
    answer = client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "đã thay đổi sau khi xem trước, ở các dòng: 2" in text
    assert School.objects.count() == 4
    assert client.post(f"/nhap-du-lieu/tep/{upload.id}/xem-truoc").status_code == 302
    assert client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan").status_code == 302
    assert School.objects.count() == 5


def test_refused_rows_come_back_as_the_same_workbook_with_comments(client, previewed) -> None:
    title = ["DANH SÁCH TRƯỜNG"]
    codes = [["Mã", "Tên"], ["TH", "Tiểu học"]]
    upload = previewed(client, "truong", workbook(("DS", [title, HEAD, *ROWS]), ("Danh mục", codes)))
    answer = client.get(f"/nhap-du-lieu/tep/{upload.id}/dong-bi-tu-choi.xlsx")
    assert answer["Content-Disposition"] == 'attachment; filename="dong-bi-tu-choi.xlsx"'
    book = Book(answer.content)
    sheets = {sheet.name: sheet for sheet in book.sheets()}
    assert list(sheets) == ["DS", "Danh mục"]
    rows = dict(sheets["DS"].head)
    assert rows[1][0] == "DANH SÁCH TRƯỜNG"
    assert rows[2][:6] == HEAD
    assert rows[2][6] == "Góp ý của hệ thống"
    assert [row[0] for number, row in sheets["DS"].head if number > 2] == ["01000010", "79000001"]
    assert "99999" in rows[3][6]
    assert [row for _number, row in sheets["Danh mục"].head] == codes


def test_a_corrected_workbook_of_refused_rows_is_taken(client, previewed) -> None:
    upload = previewed(client, "truong", FILE)
    content = client.get(f"/nhap-du-lieu/tep/{upload.id}/dong-bi-tu-choi.xlsx").content
    rows = [cells for _number, cells in Book(content).rows("DS")]
    rows[1][3] = "00008"
    again = previewed(client, "truong", workbook(("DS", rows)))
    assert again.counts == {"new": 1, "changed": 0, "unchanged": 0, "refused": 1}


def test_columns_are_remembered_for_the_layout(client, previewed, send) -> None:
    head = [*HEAD[:4], "Máy bàn", "Ghi chú"]
    answer = send(client, "truong", workbook(("DS", [head, *ROWS[:2]])))
    upload = Upload.objects.get()
    fields = {"column-0": "school_id", "column-1": "name", "column-4": "phone"}
    client.post(f"/nhap-du-lieu/tep/{upload.id}/ghep-cot", fields)
    assert MatchMemory.objects.get().mapping == {
        "MA_TRUONG": "school_id",
        "TEN_TRUONG_HOC": "name",
        "CAP_HOC": "",
        "MA_XA_PHUONG": "",
        "Máy bàn": "phone",
        "Ghi chú": "",
    }
    answer = send(client, "truong", workbook(("DS", [head, *ROWS[1:3]])))
    text = client.get(answer["Location"]).content.decode()
    assert 'value="phone" selected' in text
    assert 'value="levels" selected' not in text
    assert "như lần trước" in text


def test_a_required_column_that_nothing_fills_is_asked_for_first(client, send) -> None:
    answer = send(
        client, "truong", workbook(("DS", [["TEN_TRUONG_HOC", "SDT"], ["TH A", "024"], ["TH B", "025"]]))
    )
    text = client.get(answer["Location"]).content.decode()
    assert text.index("bắt buộc") < text.index("Cột trong tệp")
    upload = Upload.objects.get()
    answer = client.post(f"/nhap-du-lieu/tep/{upload.id}/ghep-cot", {"column-0": "name"})
    assert answer.status_code == 422
    assert "Chưa có cột nào của tệp ghép với: Mã trường" in answer.content.decode()
    answer = client.post(f"/nhap-du-lieu/tep/{upload.id}/ghep-cot", {"column-0": "name", "column-1": "name"})
    assert "Có hai cột của tệp cùng ghép với “Tên trường”" in answer.content.decode()


def test_two_sheets_with_data_are_asked_about(client, send) -> None:
    data = workbook(("Trường công", [HEAD, ROWS[0]]), ("Trường tư", [HEAD, ROWS[2]]))
    answer = send(client, "truong", data)
    text = client.get(answer["Location"]).content.decode()
    assert "Trường công" in text
    assert "Trường tư" in text
    assert "trang tính" in text
    upload = Upload.objects.get()
    answer = client.post(f"/nhap-du-lieu/tep/{upload.id}/doc-lai", {"sheet": "Trường tư"}, follow=True)
    assert "Trường THCS Lê Lợi" in answer.content.decode()


def test_an_unreadable_file_is_refused_and_nothing_is_kept(client, send, own_folder) -> None:
    answer = send(client, "truong", b"<html><table></table></html>", name="ds.xls")
    assert answer.status_code == 422
    assert "thực chất là một trang web" in answer.content.decode()
    assert not Upload.objects.exists()
    assert not list(own_folder.rglob("uploads/*"))


def test_a_csv_in_unknown_letters_lets_the_person_choose(client, send) -> None:
    data = "MA_TRUONG;TEN_TRUONG_HOC\r\n01000001;Tr\xb8 \xff\x81\xfe\r\n".encode("latin-1")
    answer = send(client, "truong", data, name="ds.csv")
    text = client.get(answer["Location"]).content.decode()
    assert "Không nhận ra bảng mã chữ" in text
    assert "TCVN3" in text
    upload = Upload.objects.get()
    answer = client.post(f"/nhap-du-lieu/tep/{upload.id}/doc-lai", {"charset": "tcvn3"}, follow=True)
    assert "Ghép cột" in answer.content.decode()


def test_too_large_a_file_is_refused(client, send, settings) -> None:
    import dataclasses

    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, upload_megabytes=1)
    answer = send(client, "truong", bytes(1_100_000))
    assert answer.status_code == 422
    assert "nhiều nhất 1 MB" in answer.content.decode()


def test_rows_that_stand_twice_are_refused_once(client, previewed) -> None:
    upload = previewed(client, "truong", workbook(("DS", [HEAD, ROWS[0], ROWS[0]])))
    assert upload.counts["refused"] == 1
    assert "Dòng này trùng với dòng 2: cùng Mã trường." in page(client, upload, "?loai=refused")


def test_two_spellings_of_tone_marks_are_no_change(client, previewed) -> None:
    rows = [["01000001", "Trường TH Hoà Bình", "TH", "00004", "", ""]]
    upload = previewed(client, "truong", workbook(("DS", [HEAD, *rows])))
    assert upload.counts == {"new": 0, "changed": 0, "unchanged": 1, "refused": 0}
    assert upload.repairs["spelling"]["n"] == 1


def test_setting_aside_deletes_file_and_preview(client, previewed, own_folder) -> None:
    upload = previewed(client, "truong", FILE)
    assert list((own_folder / "uploads").iterdir())
    client.post(f"/nhap-du-lieu/tep/{upload.id}/bo")
    assert not StagedRow.objects.exists()
    upload.refresh_from_db()
    assert upload.state == Upload.State.CANCELLED


def test_only_if_no_row_is_refused(client, previewed) -> None:
    upload = previewed(client, "truong", FILE, is_whole_only="on")
    assert "/ghi-nhan" not in page(client, upload)
    answer = client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    assert answer.status_code == 409
    assert "Có 2 dòng bị từ chối" in answer.content.decode()
    assert School.objects.count() == 4


@pytest.mark.parametrize("code", ["truong", "diem-truong", "quy-mo", "quy-mo-ngang"])
def test_downloaded_data_sent_back_unedited_change_nothing(client, previewed, code: str) -> None:
    school = School.objects.get(school_id="01000001")
    facts = {"commune": school.commune, "latitude": "21.028500", "n_students": 80, "address": "Số 5, ngõ 1/2"}
    SchoolSite.objects.create(school=school, code="01", name="Điểm chính", is_main=True, **facts)
    SchoolSite.objects.create(school=school, code="02", name="Điểm Bản Mới", commune=school.commune)
    answer = client.get(f"/nhap-du-lieu/{code}/hien-co.xlsx?school_year=2025-2026")
    assert answer.status_code == 200
    upload = previewed(client, code, answer.content)
    assert upload.counts["new"] == upload.counts["changed"] == upload.counts["refused"] == 0
    assert upload.counts["unchanged"] > 0


def test_enrolments_one_row_a_grade(client, previewed) -> None:
    rows = [
        ["Mã trường", "Khối", "Số học sinh", "Số lớp"],
        ["01000001", 5, "1.121", 30],
        ["01000001", "Lớp 4", 99, 3],
    ]
    upload = previewed(client, "quy-mo", workbook(("DS", rows)))
    assert upload.counts["refused"] == 0, page(client, upload)
    client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    found = SchoolEnrolment.objects.get(school__school_id="01000001", grade=5, is_current=True)
    assert (found.n_students, found.n_classes) == (1121, 30)
    client.post(f"/nhap-du-lieu/tep/{upload.id}/hoan-tac")
    assert (
        SchoolEnrolment.objects.get(school__school_id="01000001", grade=5, is_current=True).n_students == 120
    )


def test_enrolments_one_row_a_school_under_merged_headers(client, previewed) -> None:
    rows = [
        ["Mã trường", "Khối 4", "", "Khối 5", ""],
        ["", "Số học sinh", "Số lớp", "Số học sinh", "Số lớp"],
        ["01000001", 99, 3, 125, 4],
        ["01000002", 80, None, 121, 4],
    ]
    upload = previewed(client, "quy-mo-ngang", workbook(("DS", rows), merged=["A1:A2", "B1:C1", "D1:E1"]))
    assert sum(upload.counts.values()) == 4
    assert upload.counts["refused"] == 1
    text = page(client, upload, "?loai=refused")
    assert "Khối 4: " in text
    workbook_of_refused = client.get(f"/nhap-du-lieu/tep/{upload.id}/dong-bi-tu-choi.xlsx").content
    assert "Khối 4: " in str(list(Book(workbook_of_refused).rows("DS")))


def test_the_template_can_be_filled_and_sent(client, previewed) -> None:
    answer = client.get("/nhap-du-lieu/truong/mau.xlsx")
    book = Book(answer.content)
    rows = [cells for _number, cells in book.rows("Dữ liệu")]
    assert rows[0][0] == "Mã trường*"
    assert rows[1][0].startswith("Hướng dẫn: ")
    assert {sheet.name for sheet in book.sheets()} == {"Dữ liệu", "Danh mục"}
    filled = ["01000009", "Trường TH Mới", "Trường phổ thông", "TH và THCS", "00004", "01", "Công lập"]
    upload = previewed(
        client, "truong", workbook(("Dữ liệu", [*rows[:2], filled]), ("Danh mục", [["x"], ["y"]]))
    )
    assert upload.counts["new"] == 1, page(client, upload)
    client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    assert School.objects.get(school_id="01000009").levels == "TH-THCS"


def test_ids_are_text_and_lists_are_dropdowns_in_the_template(client) -> None:
    import zipfile

    content = client.get("/nhap-du-lieu/truong/mau.xlsx").content
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
        styles = parts.read("xl/styles.xml").decode()
    assert "dataValidation" in sheet
    assert "Danh mục" in sheet
    assert 'formatCode="@"' in styles or 'numFmtId="49"' in styles


def test_a_formula_in_kept_text_never_becomes_one_in_a_download(client) -> None:
    School.objects.filter(school_id="01000001").update(address='=HYPERLINK("http://x","y")')
    import zipfile

    content = client.get("/nhap-du-lieu/truong/hien-co.xlsx").content
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert "<f>" not in parts.read("xl/worksheets/sheet1.xml").decode()


def test_a_batch_of_mergers_becomes_a_draft(client, previewed) -> None:
    from dienrong.registry.models import MergerBatch

    rows = [
        ["STT", "Việc", "Mã các trường trước", "Mã trường sau", "Tên trường sau"],
        [1, "Sáp nhập", "01000001, 01000002", "01000001", "Trường TH Hòa Bình"],
        [2, "Giải thể", "01999999", "", ""],
    ]
    upload = previewed(client, "sap-nhap", workbook(("DS", rows)))
    assert upload.counts == {"new": 1, "changed": 0, "unchanged": 0, "refused": 1}, page(client, upload)
    client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    assert MergerBatch.objects.get().lines.count() == 1
    client.post(f"/nhap-du-lieu/tep/{upload.id}/hoan-tac")
    assert not MergerBatch.objects.exists()


def test_the_list_of_files_shows_files_of_every_state(client, previewed, send) -> None:
    send(client, "truong", FILE)  # columns not matched yet: no counts
    upload = previewed(client, "truong", FILE)
    client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    text = client.get("/nhap-du-lieu").content.decode()
    assert text.count("ds.xlsx") == 2
    assert "/nhap-du-lieu/truong/hien-co.xlsx" in text
    assert "Đã ghi nhận" in text


def test_an_opening_comes_in_by_a_line_and_a_split_is_sent_to_its_page(client, previewed) -> None:
    from dienrong.registry.models import MergerLine

    head = ["STT", "Việc", "Mã các trường trước", "Mã trường sau", "Tên trường sau", "Mã xã", "Cấp học"]
    rows = [
        head,
        [1, "Thành lập", "", "01000077", "Trường THPT Ba Đình", "00004", "THPT"],
        [2, "Tách", "01000001", "", "", "", ""],
        [3, "Thành lập mới", "", "01000078", "Trường không cấp", "00004", ""],
    ]
    upload = previewed(client, "sap-nhap", workbook(("DS", rows)))
    assert upload.counts == {"new": 1, "changed": 0, "unchanged": 0, "refused": 2}, page(client, upload)
    refused = client.get(f"/nhap-du-lieu/tep/{upload.id}?loai=refused").content.decode()
    assert "trên trang của đợt" in refused
    client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    line = MergerLine.objects.get()
    assert (line.kind, line.levels, line.successor_code) == ("open", "THPT", "01000077")
