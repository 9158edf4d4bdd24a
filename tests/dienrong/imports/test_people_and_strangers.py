"""Who sees what: rows of children are sealed, and a file is its sender's alone."""

from __future__ import annotations

import pytest
from django.db import connection

from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import NotAllowed
from dienrong.imports import operations, queries
from dienrong.imports.columns import target_of
from dienrong.imports.models import StagedRow, Upload, WrittenBlock
from dienrong.imports.numeric.sheets import Book
from dienrong.jobs.models import Job
from dienrong.rosters.models import Student
from small_files import workbook

HEAD = [
    "Mã trường",
    "Mã học sinh",
    "Số định danh",
    "Họ tên",
    "Ngày sinh",
    "Giới tính",
    "Dân tộc",
    "Khối",
    "Lớp",
    "Trạng thái",
]
PUPILS = [
    [
        "01000001",
        100000001,
        "001315000123",
        "Nguyễn Thị Mai",
        "05/09/2015",
        "Nữ",
        "Kinh",
        "5",
        "5A",
        "Đang học",
    ],
    ["01000001", 100000002, "", "Sùng A Vừ", "6/9/15", "nam", "H'Mông", "Lớp 5", "5A", "1"],
    ["01000001", 100000003, "", "Trần Văn Đức", "31/02/2015", "Nam", "Kinh", "5", "5A", "Đang học"],
    ["01000002", 100000004, "", "Lê Văn Lạ", "05/09/2015", "Nam", "Kinh", "5", "5A", "Đang học"],
]
FILE = workbook(("DS", [HEAD, *PUPILS]))
SECRETS = ("Nguyễn Thị Mai", "Sùng A Vừ", "Trần Văn Đức", "0100000001", "001315000123")


@pytest.fixture
def school_client(registry, coordinator, signed_in):
    return signed_in(coordinator)


@pytest.fixture
def upload(school_client, previewed) -> Upload:
    return previewed(school_client, "hoc-sinh", FILE)


def everything_stored() -> bytes:
    """Give all that the database holds of uploads, jobs and audit, as bytes."""
    found = bytearray()
    for table in (Upload, StagedRow, WrittenBlock, Job, AuditEntry):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table._meta.db_table}")
            for row in cursor.fetchall():
                for cell in row:
                    found += bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()
    return bytes(found)


def test_a_school_previews_its_pupils_and_another_schools_row_is_refused(school_client, upload) -> None:
    assert upload.counts == {"new": 2, "changed": 0, "unchanged": 0, "refused": 2}
    text = school_client.get(f"/nhap-du-lieu/tep/{upload.id}?loai=new").content.decode()
    assert "Nguyễn Thị Mai" in text
    assert "05/09/2015" in text
    assert "Mông" in text
    refused = school_client.get(f"/nhap-du-lieu/tep/{upload.id}?loai=refused").content.decode()
    assert "một ngày không có thật" in refused
    assert "0100000004" in refused


def test_no_name_and_no_code_of_a_child_lies_open(school_client, upload, own_folder) -> None:
    school_client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    stored = everything_stored() + b"".join(path.read_bytes() for path in (own_folder / "uploads").iterdir())
    for secret in SECRETS:
        assert secret.encode() not in stored, secret
    assert set(StagedRow.objects.values_list("key", flat=True)) == {""}


def test_pupils_are_written_and_taken_back(school_client, upload) -> None:
    assert school_client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan").status_code == 302
    assert Student.objects.count() == 2
    assert school_client.post(f"/nhap-du-lieu/tep/{upload.id}/hoan-tac").status_code == 302
    assert Student.objects.count() == 0


def test_the_same_pupils_twice_change_nothing(school_client, upload, previewed) -> None:
    school_client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    again = previewed(school_client, "hoc-sinh", workbook(("DS", [HEAD, *PUPILS[:2]])))
    assert again.counts == {"new": 0, "changed": 0, "unchanged": 2, "refused": 0}


def test_refused_pupils_come_back_in_the_workbook(school_client, upload) -> None:
    content = school_client.get(f"/nhap-du-lieu/tep/{upload.id}/dong-bi-tu-choi.xlsx").content
    rows = [cells for _number, cells in Book(content).rows("DS")]
    assert [row[3] for row in rows[1:]] == ["Trần Văn Đức", "Lê Văn Lạ"]


def test_teachers_are_taken(school_client, previewed) -> None:
    head = [
        "Mã trường",
        "Mã giáo viên",
        "Họ và tên",
        "Ngày sinh",
        "Giới tính",
        "Nhóm",
        "Chức vụ",
        "Môn dạy",
        "Khối dạy",
    ]
    rows = [
        ["01000001", "GV0001", "Phạm Thị Đào", "01/02/1980", "Nữ", "GV", "", "Toán", "4, 5"],
        ["01000001", "GV0002", "Đỗ Tân Bình", "01/02/1975", "Nam", "Hiệu trưởng", "Hiệu trưởng", "", ""],
    ]
    found = previewed(school_client, "giao-vien", workbook(("DS", [head, *rows])))
    page = school_client.get(f"/nhap-du-lieu/tep/{found.id}").content.decode()
    assert found.counts == {"new": 2, "changed": 0, "unchanged": 0, "refused": 0}, page
    assert school_client.post(f"/nhap-du-lieu/tep/{found.id}/ghi-nhan").status_code == 302
    assert school_client.post(f"/nhap-du-lieu/tep/{found.id}/hoan-tac").status_code == 302


GETS = ("", "/tien-do", "/dong-bi-tu-choi.xlsx", "?loai=new")
POSTS = ("/ghep-cot", "/doc-lai", "/xem-truoc", "/ghi-nhan", "/hoan-tac", "/bo")


@pytest.mark.parametrize(
    "who", ["stranger", "officer", "colleague", "commune_officer", "ministry", "researcher", "newcomer"]
)
def test_a_file_is_its_senders_alone(upload, signed_in, request, who: str) -> None:
    client = signed_in(request.getfixturevalue(who))
    for tail in GETS:
        answer = client.get(f"/nhap-du-lieu/tep/{upload.id}{tail}")
        assert answer.status_code in (403, 404), (who, tail)
        assert "Mai" not in answer.content.decode()
    for tail in POSTS:
        assert client.post(f"/nhap-du-lieu/tep/{upload.id}{tail}").status_code in (403, 404), (who, tail)
    upload.refresh_from_db()
    assert upload.state == Upload.State.PREVIEWED
    assert Student.objects.count() == 0
    answer = client.get("/nhap-du-lieu")
    assert answer.status_code in (200, 403)
    assert str(upload.id) not in answer.content.decode()


def test_a_visitor_is_asked_to_sign_in(upload, visitor) -> None:
    for address in [
        "/nhap-du-lieu",
        "/nhap-du-lieu/hoc-sinh",
        "/nhap-du-lieu/truong/mau.xlsx",
        "/nhap-du-lieu/truong/hien-co.xlsx",
    ]:
        assert visitor.get(address).status_code == 302
    for tail in GETS:
        answer = visitor.get(f"/nhap-du-lieu/tep/{upload.id}{tail}")
        assert answer.status_code == 302
        assert "dang-nhap" in answer["Location"]
    for tail in POSTS:
        assert visitor.post(f"/nhap-du-lieu/tep/{upload.id}{tail}").status_code == 302


def test_people_are_offered_what_their_role_may_import(
    registry, signed_in, officer, commune_officer, coordinator, researcher
) -> None:
    offered = {
        person.username: [target.code for target in queries.targets_for(person)]
        for person in (officer, commune_officer, coordinator, researcher)
    }
    own = ["diem-truong", "quy-mo", "quy-mo-ngang", "hoc-sinh", "giao-vien"]
    rooms = ["khao-sat-phong-may", "nhom-may"]
    assert offered == {
        "so": ["truong", *own, "sap-nhap", "doi-ngu", "ket-qua-boi-duong", *rooms, "so-chinh-thuc"],
        "xa": [*own, "doi-ngu", *rooms],
        "truong": [*own, "doi-ngu", *rooms],
        "nghien-cuu": [],
    }
    client = signed_in(coordinator)
    for address in ("", "/mau.xlsx", "/hien-co.xlsx"):
        assert client.get(f"/nhap-du-lieu/truong{address}").status_code == 404
    assert client.post("/nhap-du-lieu/truong", {}).status_code == 404


def test_a_download_holds_the_own_units_alone(registry, signed_in, stranger, commune_officer) -> None:
    content = signed_in(stranger).get("/nhap-du-lieu/truong/hien-co.xlsx").content
    assert [cells[0] for _number, cells in Book(content).rows("Dữ liệu")][2:] == ["79000001"]
    content = (
        signed_in(commune_officer).get("/nhap-du-lieu/quy-mo/hien-co.xlsx?school_year=2025-2026").content
    )
    codes = {cells[0] for _number, cells in Book(content).rows("Dữ liệu")} - {"Mã trường*"}
    assert {code for code in codes if code.isdigit()} == {"01000001", "01000002"}


def test_rows_of_other_units_are_refused_for_every_target(
    registry, signed_in, coordinator, previewed
) -> None:
    client = signed_in(coordinator)
    rows = [["Mã trường", "Khối", "Số học sinh", "Số lớp"], ["01000002", 5, 10, 1], ["79000001", 5, 10, 1]]
    assert previewed(client, "quy-mo", workbook(("DS", rows))).counts["refused"] == 2
    rows = [["Mã trường", "Mã điểm trường", "Tên điểm trường"], ["01000002", "01", "Điểm A"]]
    assert previewed(client, "diem-truong", workbook(("DS", rows))).counts["refused"] == 1


def test_a_role_that_ended_takes_the_file_with_it(upload, school_client, coordinator) -> None:
    coordinator.assignments.all().delete()
    assert school_client.get(f"/nhap-du-lieu/tep/{upload.id}").status_code in (403, 404)
    assert school_client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan").status_code in (403, 404)


def test_units_that_changed_since_the_preview_ask_for_a_new_one(
    registry, signed_in, officer, previewed
) -> None:
    from dienrong.accounts.operations import assign_role

    client = signed_in(officer)
    rows = [["Mã trường", "Khối", "Số học sinh", "Số lớp"], ["01000001", 5, 10, 1]]
    found = previewed(client, "quy-mo", workbook(("DS", rows)))
    assign_role(user=officer, role="province_officer", unit_code="79", unit_name="TP Hồ Chí Minh", by=None)
    answer = client.post(f"/nhap-du-lieu/tep/{found.id}/ghi-nhan")
    assert answer.status_code == 409
    assert "Phạm vi đơn vị" in answer.content.decode()


def test_the_warning_about_the_same_file_is_not_given_to_other_units(
    registry, signed_in, officer, stranger, previewed
) -> None:
    rows = [["Mã trường", "Khối", "Số học sinh", "Số lớp"], ["01000001", 5, 10, 1], ["79000001", 5, 10, 1]]
    data = workbook(("DS", rows))
    first = previewed(signed_in(officer), "quy-mo", data)
    signed_in(officer).post(f"/nhap-du-lieu/tep/{first.id}/ghi-nhan")
    client = signed_in(stranger)
    second = previewed(client, "quy-mo", data)
    assert "đã được ghi nhận ngày" not in client.get(f"/nhap-du-lieu/tep/{second.id}").content.decode()


def test_rows_of_a_machine_go_the_same_way(registry, officer, stranger) -> None:
    target = target_of("quy-mo")
    params = {"school_year": "2025-2026", "counted_on": "2025-09-30"}
    rows = [
        {"school_id": "01000001", "grade": 5, "n_students": 99, "n_classes": 3},
        {"school_id": "01000001", "grade": 4, "n_students": "nhiều", "n_classes": 3},
        {"school_id": "79000001", "grade": 5, "n_students": 99, "n_classes": 3},
        {"school_id": "01000002", "grade": 5, "n_students": 99, "n_classes": 3, "lop": 1},
    ]
    found = operations.take_rows(target, rows, by=officer, params=params)
    assert found.source == "api"
    assert found.counts["refused"] == 3
    with pytest.raises(NotAllowed):
        operations.accept_upload(by=stranger, upload=found)
    operations.accept_upload(by=officer, upload=found)
    operations.undo_upload(by=officer, upload=found)
    with pytest.raises(operations.UploadState):
        operations.take_rows(target, [], by=officer, params=params)


def test_pages_ask_the_database_as_often_for_many_rows_as_for_few(
    registry, officer, signed_in, previewed, bare_shell, django_assert_max_num_queries
) -> None:
    client = signed_in(officer)
    head = ["Mã trường", "Khối", "Số học sinh", "Số lớp"]
    few = previewed(client, "quy-mo", workbook(("DS", [head, ["01000001", 5, 1, 1]])))
    many = previewed(
        client, "quy-mo", workbook(("DS", [head, *[["01000001", grade, 7, 1] for grade in range(1, 6)]]))
    )
    counts = []
    for found in (few, many):
        with django_assert_max_num_queries(30) as seen:
            client.get(f"/nhap-du-lieu/tep/{found.id}")
        counts.append(len(seen))
    assert counts[0] == counts[1]
    with django_assert_max_num_queries(12):
        client.get("/nhap-du-lieu")


def test_the_same_personal_number_two_thousand_rows_later_is_refused_as_a_double(
    registry, coordinator, signed_in, previewed
) -> None:
    """Rows are compared 2,000 at a time: row 2 402 with the number of row 2 was shown as new, and row 1 as well."""
    from dienrong.imports.reading import BLOCK_ROWS

    def row(number: int, personal_id: str = "") -> list:
        return ["01000001", f"01{number:08d}", personal_id, *PUPILS[0][3:]]

    n_rows = BLOCK_ROWS + 400
    rows = [row(number) for number in range(1, n_rows)]
    rows[0] = row(1, "001315000123")
    rows.append(row(n_rows, "001315000123"))
    upload = previewed(signed_in(coordinator), "hoc-sinh", workbook(("DS", [HEAD, *rows])))
    upload = operations.preview_upload(upload.id, by=coordinator)
    assert upload.counts == {"new": n_rows - 1, "changed": 0, "unchanged": 0, "refused": 1}
    (refused,) = queries.changes_of(queries.staged(upload, "refused"), target_of("hoc-sinh"))
    assert (refused.number, refused.problems[0].column) == (n_rows + 1, "personal_id")
    assert "2" in refused.problems[0].sentence


def test_an_unknown_school_and_one_of_another_unit_are_refused_in_the_same_words(
    registry, coordinator, signed_in, previewed
) -> None:
    strangers = [
        [code, f"010000010{place}", "", *PUPILS[0][3:]] for place, code in enumerate(("01000002", "99"))
    ]
    upload = previewed(signed_in(coordinator), "hoc-sinh", workbook(("DS", [HEAD, *strangers])))
    foreign, unknown = queries.changes_of(queries.staged(upload, "refused"), target_of("hoc-sinh"))
    assert [(cell.sentence, cell.hint) for cell in foreign.problems] == [
        (cell.sentence, cell.hint) for cell in unknown.problems
    ]
