"""Rows of programs: previewed, accepted once, taken back, in the person's name, within the token's units."""

from __future__ import annotations

import uuid

import pytest

from dienrong.api.models import MadeCall
from dienrong.audit.models import AuditEntry
from dienrong.imports.models import Upload
from dienrong.registry.models import School

pytestmark = pytest.mark.django_db
HOA_BINH, NGUYEN_TRAI, SOUTH = "01000001", "01000002", "79000001"


def packet(*rows: dict, **said) -> dict:
    return {"target": "truong", "on_date": "2026-11-22", "rows": list(rows), **said}


def row(school_id: str = HOA_BINH, **cells) -> dict:
    return {"school_id": school_id, "phone": "0243 825 1111", **cells}


@pytest.fixture
def caller(noon, registry, machine, officer):
    return machine(officer)


def phone() -> str:
    return School.objects.get(school_id=HOA_BINH).phone


def test_rows_are_previewed_accepted_and_taken_back(caller, officer) -> None:
    before = phone()
    sent = caller.post("/imports", packet(row(), row(SOUTH)))
    assert sent.status_code == 201, sent.content
    preview = sent.json()
    assert preview["state"] == "previewed"
    assert preview["counts"] == {"new": 0, "changed": 1, "unchanged": 0, "refused": 1}
    assert phone() == before, "a preview writes nothing"
    (refused,) = preview["refused"]
    assert refused["number"] == 2
    assert refused["problems"][0]["sentence"]

    address = f"/imports/{preview['id']}"
    (changed,) = caller.get(f"{address}/rows", {"verdict": "changed"}).json()["items"]
    assert changed["changed_columns"] == ["phone"]
    assert list(changed["after"]) == ["phone"]
    assert len(caller.walk(f"{address}/rows", {"limit": 1})) == 2

    whole = caller.post(f"{address}/accept?whole=true")
    assert (whole.status_code, whole.json()["code"]) == (409, "imports.rows_refused")
    accepted = caller.post(f"{address}/accept").json()
    assert (accepted["state"], phone() != before) == ("accepted", True)
    assert caller.post(f"{address}/accept").json()["state"] == "accepted"
    assert caller.get(address).json()["accepted_at"]
    undone = caller.post(f"{address}/undo").json()
    assert (undone["state"], phone()) == ("undone", before)
    assert caller.post(f"{address}/undo").json()["state"] == "undone"

    entry = AuditEntry.objects.filter(action="imports.accepted").get()
    assert entry.actor == officer
    assert entry.actor_name == "Trần Văn Đức · Máy chủ của Sở"


def test_the_same_rows_a_second_time_change_nothing(caller) -> None:
    first = caller.post("/imports", packet(row())).json()
    caller.post(f"/imports/{first['id']}/accept")
    again = caller.post("/imports", packet(row())).json()
    assert again["counts"]["unchanged"] == 1
    nothing = caller.post(f"/imports/{again['id']}/accept")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "imports.nothing_changes")


def test_a_key_makes_a_call_once(caller, machine, officer, colleague) -> None:
    key = {"Idempotency-Key": "nightly-2026-11-22"}
    first = caller.post("/imports", packet(row()), **key).json()
    again = caller.post("/imports", packet(row()), **key)
    assert (again.status_code, again.json()["id"]) == (201, first["id"])
    assert (first["is_repeated"], again.json()["is_repeated"]) == (False, True)
    assert Upload.objects.count() == 1
    other = caller.post("/imports", packet(row(phone="0243 825 2222")), **key)
    assert (other.status_code, other.json()["code"]) == (422, "api.key_used_otherwise")
    assert machine(colleague).post("/imports", packet(row()), **key).json()["id"] != first["id"]
    assert caller.post("/imports", packet(row()), **{"Idempotency-Key": "a b"}).status_code == 422


def test_a_refused_call_leaves_no_key(caller) -> None:
    key = {"Idempotency-Key": "nightly-2026-11-22"}
    assert caller.post("/imports", packet(row(), on_date=None), **key).status_code == 422
    assert not MadeCall.objects.exists()
    assert caller.post("/imports", packet(row()), **key).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"target": "truong", "rows": []},
        {"target": "khong-co", "rows": [{"a": 1}]},
        packet(row(), colour="red"),
        packet(row(), on_date="22/11/2026"),
        packet({"school_id": ["nested"]}),
        packet({"school_id": "a\0b"}),
        packet({"a" * 41: 1}),
        packet({f"column_{number}": 1 for number in range(101)}),
        packet({"name": "x" * 1001}),
    ],
)
def test_a_body_that_is_not_accepted(caller, body) -> None:
    answer = caller.post("/imports", body)
    assert answer.status_code == 422, answer.content
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"\xff\xfe",
        b'{"target": NaN}',
        b"[" * 100_000,
        b'{"target": "truong", "on_date": "2026-11-22", "rows": [{"name": "\\ud800"}]}',
    ],
)
def test_a_body_that_is_no_json_or_no_text(caller, text) -> None:
    answer = caller.client.post(
        "/api/v1/imports",
        text,
        content_type="application/json",
        headers={"Authorization": f"Bearer {caller.token}"},
    )
    assert answer.status_code in {400, 422}, answer.content
    assert answer.json()["code"] in {"api.unreadable", "api.not_accepted"}


def test_too_many_rows_and_too_many_bytes(caller) -> None:
    assert caller.post("/imports", packet(*[{"school_id": "1"}] * 5_001)).status_code == 422
    large = caller.post("/imports", packet(*[{"name": "x" * 1000, "address": "y" * 1000}] * 5_000 * 2))
    assert (large.status_code, large.json()["code"]) == (413, "api.too_large")


def test_a_refused_cell_names_its_column_and_never_fails(caller) -> None:
    cells = row(latitude="north", levels="đại học", unknown_column="x", is_border="maybe")
    (refused,) = caller.post("/imports", packet(cells)).json()["refused"]
    assert {problem["column"] for problem in refused["problems"]} >= {"latitude", "levels"}


def test_strangers_see_no_import(caller, machine, officer, colleague, stranger, ministry, noon) -> None:
    made = caller.post("/imports", packet(row())).json()["id"]
    narrow = machine(ministry, "province", "01")
    theirs = machine(ministry).post("/imports", packet(row())).json()["id"]
    for person, number in ((stranger, made), (colleague, made), (ministry, made)):
        other = machine(person)
        assert other.get(f"/imports/{number}").status_code == 404
        assert other.get(f"/imports/{number}/rows").status_code == 404
        assert other.post(f"/imports/{number}/accept").status_code == 404
        assert other.post(f"/imports/{number}/undo").status_code == 404
    assert narrow.get(f"/imports/{theirs}").status_code == 404, "a narrower token of the same person"
    assert narrow.post(f"/imports/{theirs}/accept").status_code == 404
    assert caller.get(f"/imports/{uuid.uuid4()}").status_code == 404


def test_a_narrower_token_writes_within_its_units_alone(noon, registry, machine, ministry) -> None:
    narrow = machine(ministry, "province", "79")
    sent = narrow.post("/imports", packet(row(), row(SOUTH))).json()
    assert [refused["number"] for refused in sent["refused"]] == [1]
    narrow.post(f"/imports/{sent['id']}/accept")
    assert phone() == ""
    assert School.objects.get(school_id=SOUTH).phone


def test_a_role_that_ended_between_preview_and_acceptance(caller, officer) -> None:
    made = caller.post("/imports", packet(row())).json()["id"]
    officer.assignments.all().delete()
    assert caller.post(f"/imports/{made}/accept").status_code == 403


def test_the_kinds_of_rows_are_told_with_their_columns(caller, machine, coordinator) -> None:
    targets = {target["code"]: target for target in caller.get("/import-targets").json()["items"]}
    assert {"truong", "diem-truong", "quy-mo", "hoc-sinh"} <= set(targets)
    assert "school_id" in {column["code"] for column in targets["truong"]["columns"]}
    assert [parameter["code"] for parameter in targets["quy-mo"]["parameters"]] == [
        "school_year",
        "counted_on",
    ]
    assert "truong" not in {
        target["code"] for target in machine(coordinator).get("/import-targets").json()["items"]
    }


def test_names_of_pupils_never_come_back(caller) -> None:
    pupil = {
        "school_id": HOA_BINH,
        "student_code": "0100000001",
        "full_name": "Nguyễn Bí Mật",
        "birth_date": "2015-03-02",
        "sex": "female",
        "grade": 5,
        "class_name": "5A",
    }
    body = {
        "target": "hoc-sinh",
        "school_year": "2026-2027",
        "rows": [pupil, {**pupil, "student_code": "không"}],
    }
    sent = caller.post("/imports", body)
    assert sent.status_code == 201, sent.content
    assert sent.json()["counts"]["new"] == 1
    made = sent.json()["id"]
    told = sent.content + caller.get(f"/imports/{made}/rows").content
    assert caller.post(f"/imports/{made}/accept").status_code == 200
    students = caller.get(f"/rosters/{HOA_BINH}/students", {"school_year": "2026-2027"})
    assert students.json()["items"][0]["class_name"] == "5A"
    for secret in ("Bí Mật", "0100000001", "2015-03-02"):
        assert secret not in (told + students.content).decode()
