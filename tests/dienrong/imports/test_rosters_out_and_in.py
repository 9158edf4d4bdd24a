"""Rosters downloaded in the layout of the template, changed in Excel, and sent back; names leave their line in the log."""

from __future__ import annotations

import pytest

from dienrong.accounts.permissions import scope_of
from dienrong.audit.models import AuditEntry
from dienrong.imports.columns import target_of
from dienrong.imports.numeric.sheets import Book
from dienrong.rosters import operations
from dienrong.rosters.models import Staff, StaffPlace, Student, StudentPlace, VaultAccess, VaultEntry
from dienrong.rosters.queries import compare_staff, compare_students
from small_files import workbook

A, B, SOUTH, YEAR = "01000001", "01000002", "79000001", "2026-2027"
REASON = "correct"


def pupil(number: int, school: str, name: str, **changes) -> dict:
    return {
        "school_id": school,
        "student_code": f"01000000{number:02d}",
        "full_name": name,
        "birth_date": f"2015-09-{number:02d}",
        "sex": "female",
        "ethnicity": "08",
        "grade": 5,
        "class_name": "5A",
        **changes,
    }


PUPILS = [
    pupil(1, A, "Nguyễn Thị Mai", personal_id="001315000123", ethnicity="01"),
    pupil(2, A, "Sùng A Vừ", sex="male", has_special_needs=True),
    pupil(3, B, "H'Hen Niê", grade=4, class_name="4B"),
    pupil(4, A, "Trần Đức", status="dropped_out"),
]
SOUTHERN = pupil(5, SOUTH, "Võ Quốc Bảo")
TEACHERS = [
    {
        "school_id": A,
        "staff_code": "GV-01",
        "full_name": "Lê Minh Ánh",
        "birth_date": "1985-03-02",
        "sex": "female",
        "role": "teacher",
        "position": "Tổ trưởng",
        "subjects": "Toán; Tin học",
        "grades": "4, 5",
    }
]


@pytest.fixture
def kept(registry, officer, ministry):
    """Pupils of three schools of two provinces, and a teacher."""
    scope = scope_of(ministry)
    rows = list(enumerate([*PUPILS, SOUTHERN], start=3))
    changes = compare_students(rows, scope=scope, school_year=YEAR)
    operations.write_students(changes, by=ministry, school_year=YEAR)
    staff = compare_staff(list(enumerate(TEACHERS, start=3)), scope=scope, school_year=YEAR)
    operations.write_staff(staff, by=ministry, school_year=YEAR)
    assert (StudentPlace.objects.count(), StaffPlace.objects.count()) == (5, 1)


def table(data: bytes) -> list[list]:
    """Read the data sheet of a workbook, header and guide included."""
    return [list(cells) for _number, cells in Book(data).rows("Dữ liệu")]


def changed(data: bytes, old: str, new: str) -> bytes:
    """Change one cell, as a person does in Excel."""
    rows = table(data)
    assert sum(cell == old for row in rows for cell in row) == 1
    return workbook(("Dữ liệu", [[new if cell == old else cell for cell in row] for row in rows]))


def download(client, code: str, **asked) -> bytes:
    answer = client.post(f"/nhap-du-lieu/{code}/hien-co", {"school_year": YEAR, **asked})
    assert answer.status_code == 200, answer.content.decode()[-3000:]
    assert answer["Content-Type"].startswith("application/vnd")
    assert "no-store" in answer["Cache-Control"]
    return answer.content


@pytest.mark.parametrize(("code", "n_rows"), [("hoc-sinh", 3), ("giao-vien", 1)])
def test_sent_back_as_it_is_it_changes_nothing(signed_in, coordinator, kept, previewed, code, n_rows) -> None:
    client = signed_in(coordinator)
    upload = previewed(client, code, download(client, code, reason=REASON))
    assert upload.counts == {"new": 0, "changed": 0, "unchanged": n_rows, "refused": 0}
    assert upload.repairs == {}


def test_one_cell_changed_is_one_change_accepted_and_taken_back(
    signed_in, coordinator, kept, previewed
) -> None:
    client = signed_in(coordinator)
    data = changed(download(client, "hoc-sinh", reason=REASON), "Sùng A Vừ", "Sùng A Vử")
    upload = previewed(client, "hoc-sinh", data)
    assert upload.counts == {"new": 0, "changed": 1, "unchanged": 2, "refused": 0}
    client.post(f"/nhap-du-lieu/tep/{upload.id}/ghi-nhan")
    assert "Sùng A Vử" in str(table(download(client, "hoc-sinh", reason=REASON)))
    client.post(f"/nhap-du-lieu/tep/{upload.id}/hoan-tac")
    assert "Sùng A Vừ" in str(table(download(client, "hoc-sinh", reason=REASON)))


def test_every_school_whose_names_were_opened_has_its_line(signed_in, officer, kept) -> None:
    client = signed_in(officer)
    text = str(table(download(client, "hoc-sinh", reason=REASON)))
    assert all(row["full_name"] in text for row in PUPILS)
    lines = VaultAccess.objects.order_by("school__school_id")
    assert [
        (line.school.school_id, line.action, line.reason, line.n_entries, line.actor) for line in lines
    ] == [(A, "exported", REASON, 3, officer), (B, "exported", REASON, 1, officer)]
    assert AuditEntry.objects.filter(action="rosters.names_opened", actor=officer).count() == 2
    assert AuditEntry.objects.get(action="imports.exported").after["rows"] == 4


def test_without_a_reason_nothing_of_the_vault_leaves(signed_in, officer, kept) -> None:
    text = str(table(download(signed_in(officer), "hoc-sinh")))
    assert A in text
    for row in PUPILS:
        assert all(
            row[cell] not in text for cell in ("full_name", "student_code", "birth_date") if row.get(cell)
        )
    assert "001315000123" not in text
    assert VaultAccess.objects.count() == 0


@pytest.mark.parametrize("who", ["ministry", "commune_officer"])
def test_who_opens_no_names_gets_none_whatever_is_asked(signed_in, request, kept, who) -> None:
    """The ministry and communes see rosters under study ids: a reason smuggled in opens nothing."""
    client = signed_in(request.getfixturevalue(who))
    page = client.get("/nhap-du-lieu/hoc-sinh/hien-co").content.decode()
    assert 'name="reason"' not in page
    assert "không mở tên" in page
    text = str(table(download(client, "hoc-sinh", reason=REASON)))
    assert "Nguyễn Thị Mai" not in text
    assert A in text
    assert VaultAccess.objects.count() == 0


def test_a_stranger_gets_the_own_schools_alone(signed_in, stranger, coordinator, kept) -> None:
    text = str(table(download(signed_in(stranger), "hoc-sinh", reason=REASON)))
    assert "Võ Quốc Bảo" in text
    assert not any(row["full_name"] in text for row in PUPILS)
    for client, foreign in ((signed_in(stranger), A), (signed_in(coordinator), B)):
        for code in (foreign, "00000000"):
            answer = client.post(
                "/nhap-du-lieu/hoc-sinh/hien-co",
                {"school_year": YEAR, "school_id": code, "reason": REASON},
            )
            assert answer.status_code == 422
            assert "Không có trường nào" in answer.content.decode() or "không có trường" in (
                answer.content.decode().lower()
            )
    assert {line.school.school_id for line in VaultAccess.objects.all()} == {SOUTH}


@pytest.mark.parametrize("who", ["researcher", "newcomer"])
def test_others_do_not_find_the_page(signed_in, request, kept, who) -> None:
    client = signed_in(request.getfixturevalue(who))
    assert client.get("/nhap-du-lieu/hoc-sinh/hien-co").status_code in (403, 404)
    assert client.post("/nhap-du-lieu/hoc-sinh/hien-co", {"school_year": YEAR}).status_code in (403, 404)


def test_the_page_asks_and_refuses_with_a_sentence(signed_in, officer, kept) -> None:
    client = signed_in(officer)
    assert client.get("/nhap-du-lieu/truong/hien-co").status_code == 404
    assert client.get("/nhap-du-lieu/hoc-sinh/hien-co.xlsx").status_code == 404
    assert "/nhap-du-lieu/hoc-sinh/hien-co" in client.get("/nhap-du-lieu").content.decode()
    assert "/nhap-du-lieu/hoc-sinh/hien-co" in client.get("/nhap-du-lieu/hoc-sinh").content.decode()
    for wrong in ({"school_year": "2026"}, {"school_year": YEAR, "reason": "curiosity"}):
        assert client.post("/nhap-du-lieu/hoc-sinh/hien-co", wrong).status_code == 422
    assert VaultAccess.objects.count() == 0


def test_too_many_rows_open_nothing(signed_in, officer, kept, monkeypatch) -> None:
    from dienrong.rosters.operations import exporting

    monkeypatch.setattr(exporting, "MOST_ROWS", 3)
    client = signed_in(officer)
    answer = client.post("/nhap-du-lieu/hoc-sinh/hien-co", {"school_year": YEAR, "reason": REASON})
    assert answer.status_code == 422
    assert VaultAccess.objects.count() == 0
    assert len(table(download(client, "hoc-sinh", reason=REASON, school_id=B))) == 3


def test_a_pupil_who_moved_inside_stands_once_and_a_deleted_identity_stays_empty(
    signed_in, officer, kept
) -> None:
    """Moved from B to A in the year: one row at A, none at B; the file would refuse the second."""
    moved = [(3, {**PUPILS[2], "school_id": A})]
    changes = compare_students(moved, scope=scope_of(officer), school_year=YEAR)
    operations.write_students(changes, by=officer, school_year=YEAR)
    assert StudentPlace.objects.filter(school__school_id=B).count() == 1
    VaultEntry.objects.filter(study_id=Student.objects.get(has_special_needs=True).pk).delete()
    rows = table(download(signed_in(officer), "hoc-sinh", reason=REASON))[2:]
    assert [row[0] for row in rows] == [A] * 4
    assert sum("H'Hen Niê" in row for row in rows) == 1
    assert "Sùng A Vừ" not in str(rows)
    alone = table(download(signed_in(officer), "hoc-sinh", reason=REASON, school_id=B))[2:]
    assert [row[0] for row in alone] == [B]


def test_somebody_at_two_schools_stands_once(signed_in, officer, kept, previewed) -> None:
    person = Staff.objects.get()
    from dienrong.registry.models import School

    StaffPlace.objects.create(
        staff=person, school=School.objects.get(school_id=B), school_year=YEAR, role="teacher"
    )
    client = signed_in(officer)
    data = download(client, "giao-vien", reason=REASON)
    assert len(table(data)) == 3
    assert previewed(client, "giao-vien", data).counts["unchanged"] == 1


def test_more_schools_ask_no_more_queries_without_names(officer, kept, django_assert_num_queries) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    target = target_of("hoc-sinh")

    def asked(school_id: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            target.export_people(officer, {"school_year": YEAR, "school_id": school_id, "reason": ""})
        return len(seen)

    asked("")
    assert asked("") == asked(A)
