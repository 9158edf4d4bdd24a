"""People and marks from Excel: previewed, refused row by row, accepted, taken back; strangers and other units."""

from __future__ import annotations

import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from python_calamine import CalamineWorkbook

from dienrong.accounts.permissions import Scope, scope_of
from dienrong.audit.models import AuditEntry
from dienrong.capacity import operations
from dienrong.capacity.models import Enrolment, Person, Posting
from dienrong.capacity.operations import NotNow
from dienrong.capacity.queries.comparing import compare_people, compare_scores
from dienrong.capacity.queries.people import birth_date_of
from dienrong.imports.columns import target_of
from dienrong.imports.models import Upload
from small_capacity import TODAY, add, enrolment_of, hold, make_course, make_training, on, province, school

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]
A, B, C, SOUTH = "01000001", "01000002", "01000003", "79000001"
NATION = Scope(is_national=True, roles=frozenset({"ministry_expert"}))
DAY = "2026-09-01"
FIRST, LAST = datetime.date(2026, 11, 23), datetime.date(2026, 11, 24)


def row(number: int = 1, **changes: Any) -> dict[str, Any]:
    values = {
        "staff_code": f"GV{number:05d}",
        "full_name": "Nguyễn Thị Ánh",
        "birth_date": "1985-09-05",
        "kind": "teacher",
        "school_id": A,
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


def compare(rows: list[dict[str, Any]], scope: Scope = NATION, day: str = DAY) -> list[Any]:
    return compare_people(list(enumerate(rows, start=2)), scope=scope, on_date=day)


def write(rows: list[dict[str, Any]], *, by: Any, day: str = DAY) -> list[Any]:
    found = compare(rows, NATION if by is None else scope_of(by), day)
    return operations.write_people(
        [one for one in found if one.verdict in ("new", "changed")], by=by, on_date=day
    )


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"staff_code": "a"}, "staff_code"),
        ({"full_name": "Ánh"}, "full_name"),
        ({"full_name": None}, "full_name"),
        ({"kind": "giam-doc"}, "kind"),
        ({"birth_date": "2020-01-01"}, "birth_date"),
        ({"birth_date": "khong"}, "birth_date"),
        ({"email": "khong-phai"}, "email"),
        ({"phone": "0" * 31}, "phone"),
        ({"school_id": "99999999"}, "school_id"),
        ({"school_id": None}, "school_id"),  # a teacher of the Ministry
        ({"school_id": None, "commune_code": "99999", "kind": "manager"}, "commune_code"),
        ({"commune_code": "00004"}, "commune_code"),  # two places
        ({"kind": "testing_staff"}, "school_id"),
    ],
)
def test_a_row_that_cannot_be_is_refused_at_its_cell(changes, column) -> None:
    (found,) = compare([row(**changes)])
    assert found.verdict == "refused"
    assert column in {one.column for one in found.problems}
    assert all(one.sentence for one in found.problems)


def test_new_changed_unchanged_moved(ministry) -> None:
    rows = [row(1), row(2, full_name="Trần Văn Đức", birth_date=None, title="Tổ trưởng")]
    assert [one.verdict for one in compare(rows)] == ["new", "new"]
    assert len(write(rows, by=ministry)) == 2
    assert [one.verdict for one in compare(rows)] == ["unchanged", "unchanged"]
    assert write(rows, by=ministry) == []
    changed = [row(1, phone="0912345678"), row(2, full_name="Trần Văn Đức", birth_date=None, school_id=C)]
    found = compare(changed, day="2026-11-01")
    assert [one.verdict for one in found] == ["changed", "changed"]
    assert dict(found[0].changes) == {"phone": (None, "0912345678")}
    assert dict(found[1].changes) == {"school_id": ("Trường TH Hòa Bình", C)}
    write(changed, by=ministry, day="2026-11-01")
    person = Person.objects.get(staff_code="GV00002")
    held = [(one.school.school_id, one.valid_to) for one in person.postings.order_by("valid_from")]
    assert held == [(A, datetime.date(2026, 11, 1)), (C, None)]
    assert birth_date_of(Person.objects.get(staff_code="GV00001").sealed_birth_date) == datetime.date(
        1985, 9, 5
    )


def test_two_posts_of_somebody_new_in_one_file(ministry) -> None:
    rows = [row(1), row(1, kind="core_expert")]
    written = write(rows, by=ministry)
    assert Person.objects.count() == 1
    assert Posting.objects.count() == 2
    operations.undo_people(written, by=ministry)
    assert Person.objects.count() == Posting.objects.count() == 0


def test_doubles_and_twins_are_refused(ministry) -> None:
    found = compare([row(1), row(1)])
    assert [one.verdict for one in found] == ["new", "refused"]
    write([row(1)], by=ministry)
    (twin,) = compare([row(9)])
    assert (twin.verdict, twin.problems[0].column) == ("refused", "staff_code")


def test_a_unit_writes_its_own_people_alone(
    ministry, coordinator, commune_officer, officer, stranger
) -> None:
    assert compare([row(1)], scope_of(coordinator))[0].verdict == "new"
    for user, changes in (
        (coordinator, {"school_id": B}),
        (commune_officer, {"school_id": C}),
        (stranger, {}),
    ):
        assert compare([row(1, **changes)], scope_of(user))[0].verdict == "refused"
    write([row(1, school_id=SOUTH)], by=ministry)
    (found,) = compare(
        [row(1)], scope_of(officer)
    )  # somebody of the south: the north cannot take the person away
    assert found.verdict == "refused"
    with pytest.raises(NotNow):
        operations.write_people([compare([row(1, phone="0911")])[0]], by=officer, on_date=DAY)
    assert Posting.objects.get().school.school_id == SOUTH


def test_a_move_before_the_present_post_is_refused_whole(ministry) -> None:
    write([row(1)], by=ministry)
    moving = [row(2, full_name="Lê Thị Hòa", birth_date=None), row(1, school_id=C)]
    found = compare(moving, day=DAY)
    with pytest.raises(NotNow):
        operations.write_people(found, by=ministry, on_date=DAY)
    # Whoever joins on that very day moves on a later one.
    assert Person.objects.count() == 1


def test_a_load_is_taken_back_unless_something_came_after(ministry) -> None:
    first = write([row(1)], by=ministry)
    second = write([row(1, school_id=C, phone="0912345678")], by=ministry, day="2026-11-01")
    operations.undo_people(second, by=ministry)
    person = Person.objects.get()
    assert (person.phone, [one.valid_to for one in person.postings.all()]) == ("", [None])
    training = make_training(make_course(ministry), ministry, organizer=None)
    operations.nominate(training=training, people=[person], by=ministry)
    with pytest.raises(NotNow):
        operations.undo_people(first, by=ministry)
    assert Person.objects.exists()
    assert AuditEntry.objects.filter(action="capacity.load_undone").count() == 1


def test_a_load_is_not_taken_back_over_a_correction(ministry) -> None:
    written = write([row(1)], by=ministry)
    person = Person.objects.get()
    operations.change_person(
        person=person,
        facts=operations.PersonFacts(staff_code=person.staff_code, full_name="Nguyễn Thị Ánh Hồng"),
        account=None,
        by=ministry,
    )
    with pytest.raises(NotNow):
        operations.undo_people(written, by=ministry)


def workbook(headers: list[str], rows: list[list[Any]]) -> bytes:
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, headers)
        for line, cells in enumerate(rows, start=1):
            sheet.write_row(line, 0, cells)
    return buffer.getvalue()


def send(browser: Any, code: str, data: bytes, **params: str) -> Upload:
    answer = browser.post(f"/nhap-du-lieu/{code}", {**params, "file": SimpleUploadedFile("ds.xlsx", data)})
    assert answer.status_code == 302, answer.content.decode()[:3000]
    return Upload.objects.latest("created_at")


def test_the_way_of_a_file_of_people(signed_in, officer, own_folder) -> None:
    from dienrong.imports import operations as imports

    headers = ["Mã cán bộ", "Họ và tên", "Ngày sinh", "Vị trí", "Mã tỉnh", "Mã trường", "Chức vụ"]
    rows = [
        ["CB000001", "Nguyễn Thị Ánh", "05/09/1985", "Cán bộ cốt cán", "01", "", "Chuyên viên"],
        ["CB000002", "Trần Văn Đức", "", "GV", "", A, "Tổ trưởng"],
        ["CB000003", "Lê Thị Hòa", "", "Giáo viên", "", SOUTH, ""],
        ["CB000004", "Phạm", "", "Giáo viên", "", A, ""],
    ]
    browser = signed_in(officer)
    upload = send(browser, "doi-ngu", workbook(headers, rows), on_date="2026-11-22")
    assert b"Nguy" not in b"".join(path.read_bytes() for path in (own_folder / "uploads").iterdir())
    imports.inspect_upload(upload.id)
    upload.refresh_from_db()
    from dienrong.imports import queries as uploads

    seen = uploads.inspected(upload)
    mapping = {match.place: match.column for match in seen.matches if match.column}
    assert set(mapping.values()) == {
        "staff_code",
        "full_name",
        "birth_date",
        "kind",
        "province_code",
        "school_id",
        "title",
    }
    imports.match_columns(by=officer, upload=upload, mapping=mapping)
    imports.preview_upload(upload.id, by=officer)
    upload.refresh_from_db()
    verdicts = {one.number: one.verdict for one in uploads.staged(upload)}
    assert list(verdicts.values()) == ["new", "new", "refused", "refused"]
    refused = list(uploads.changes_of(uploads.staged(upload, "refused"), target_of("doi-ngu")))
    assert [one.problems[0].column for one in refused] == ["school_id", "full_name"]
    assert browser.get(f"/nhap-du-lieu/tep/{upload.id}").status_code == 200
    imports.accept_upload(by=officer, upload=upload)
    assert set(Person.objects.values_list("full_name", flat=True)) == {"Nguyễn Thị Ánh", "Trần Văn Đức"}
    export = browser.get("/nhap-du-lieu/doi-ngu/hien-co.xlsx?on_date=2026-11-22")
    cells = CalamineWorkbook.from_filelike(BytesIO(export.content)).get_sheet_by_index(0).to_python()
    flat = [cell for line in cells for cell in line]
    assert "Trần Văn Đức" in flat
    assert not any("1985" in str(cell) for cell in flat)


def test_marks_by_learner_code(officer, stranger, ministry) -> None:
    people = [add(number, by=ministry, at=school(A)) for number in (1, 2)]
    training = make_training(make_course(officer), officer, organizer=province("01"))
    made = operations.nominate(training=training, people=people, by=officer)
    operations.confirm(training=training, enrolments=made, by=officer)
    first, second = made

    def compare_marks(
        rows: list[dict[str, Any]], scope: Scope | None = None, code: str = "BD-2026-01"
    ) -> list[Any]:
        return compare_scores(
            list(enumerate(rows, start=2)), scope=scope or scope_of(officer), training_code=code
        )

    good = {"learner_code": first.learner_code, "full_name": first.person.full_name.upper(), "score": 7.5}
    assert compare_marks([good])[0].verdict == "refused"  # the training does not run yet
    with on(FIRST):
        operations.begin_training(training=training, by=officer)
        wrong = [
            good | {"score": 11},
            good | {"score": "bảy"},
            good | {"learner_code": "ZZZZZZ"},
            good | {"full_name": second.person.full_name},
        ]
        assert [one.verdict for one in compare_marks(wrong[:1])] == ["refused"]
        assert {compare_marks([one])[0].verdict for one in wrong} == {"refused"}
        assert compare_marks([good], scope_of(stranger))[0].verdict == "refused"
        assert compare_marks([good], code="KHONG-CO")[0].verdict == "refused"
        assert [one.verdict for one in compare_marks([good, good])] == ["changed", "refused"]
        rows = [good, {"learner_code": second.learner_code.lower(), "score": "4,25"}]
        written = operations.write_scores(compare_marks(rows), by=officer, training_code="BD-2026-01")
        assert [enrolment_of(one, training).score for one in people] == [Decimal("7.50"), Decimal("4.25")]
        assert [one.verdict for one in compare_marks(rows)] == ["unchanged", "unchanged"]
        operations.undo_scores(written, by=officer, training_code="BD-2026-01")
        assert set(Enrolment.objects.values_list("score", flat=True)) == {None}
        again = operations.write_scores(compare_marks(rows), by=officer, training_code="BD-2026-01")
        operations.record_scores(training=training, scores={first.pk: Decimal(9)}, by=officer)
        with pytest.raises(NotNow):
            operations.undo_scores(again, by=officer, training_code="BD-2026-01")


def test_marks_are_not_taken_after_the_end(officer, ministry) -> None:
    person = add(1, by=ministry, at=school(A))
    training = hold(make_training(make_course(officer), officer, organizer=province("01")), [person], officer)
    learner = enrolment_of(person, training)
    rows = [(2, {"learner_code": learner.learner_code, "score": 10})]
    (found,) = compare_scores(rows, scope=scope_of(officer), training_code=training.code)
    assert found.verdict == "refused"
    assert training.last_day > TODAY
