"""Walking a list by its pages: each row once, whatever comes or goes meanwhile."""

from __future__ import annotations

import base64
import json

import pytest

from dienrong.registry import operations
from dienrong.registry.models import School, SchoolVersion
from small_cycle import nation, school_row

pytestmark = pytest.mark.django_db


def load(numbers, fingerprint: str) -> None:
    rows = tuple(school_row(f"01{number:06}", f"Trường TH số {number}", "00004") for number in numbers)
    operations.load_nation(rows=nation(rows, fingerprint), school_year="2025-2026", by=None)


def test_rows_that_come_and_go_meanwhile_double_and_hide_nothing(machine, officer, db) -> None:
    load(range(10, 100, 10), "sha256:a")
    caller = machine(officer)
    first = caller.get("/schools", {"limit": 4}).json()
    load([5, *range(10, 100, 10), 45, 99], "sha256:b")
    SchoolVersion.objects.filter(code="01000040").delete()
    rest = caller.walk(first["next"].partition("/api/v1")[2])
    seen = [int(row["school_id"][2:]) for row in first["items"] + rest]
    assert seen == [10, 20, 30, 40, 45, 50, 60, 70, 80, 90, 99]


def test_ten_thousand_rows_in_twenty_pages(machine, ministry, db) -> None:
    load(range(1, 10_001), "sha256:c")
    caller = machine(ministry)
    rows = caller.walk("/schools", {"limit": 500})
    codes = [row["school_id"] for row in rows]
    assert len(codes) == 10_000
    assert codes == sorted(set(codes))
    assert caller.get("/me").json()["limits"]["remaining"] == 120 - 20 - 1


def test_a_full_last_page_has_no_next(machine, officer, registry) -> None:
    caller = machine(officer)
    assert caller.get("/schools", {"limit": 3}).json()["next"] is None
    assert caller.get("/schools", {"limit": 2}).json()["next"] is not None


def test_next_keeps_the_other_parameters(machine, officer, registry) -> None:
    following = machine(officer).get("/schools", {"limit": 1, "q": "th", "on": "2025-12-01"}).json()["next"]
    assert following.startswith("http://testserver/api/v1/schools?")
    assert "limit=1" in following
    assert "on=2025-12-01" in following


@pytest.mark.parametrize(
    "key",
    [
        [],
        ["01000001"],
        ["01000001", "x"],
        ["01000001", None],
        ["01000001", True],
        ["01000001", 10**30],
        [{"a": 1}, 2],
        ["\0", 1],
        ["\ud800", 1],
        [5, 5, 5],
        "text",
    ],
)
def test_a_forged_cursor_is_refused(machine, officer, registry, key) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")
    answer = machine(officer).get("/schools", {"after": cursor})
    assert answer.status_code == 422, answer.content
    assert answer.json()["code"] == "api.not_accepted"


def test_a_cursor_of_nested_lists_is_refused(machine, officer, registry) -> None:
    cursor = base64.urlsafe_b64encode(b"[" * 400).decode()
    assert machine(officer).get("/schools", {"after": cursor}).status_code == 422


def test_very_long_values_are_refused(machine, officer, registry) -> None:
    caller = machine(officer)
    assert caller.get("/schools", {"after": "a" * 601}).status_code == 422
    assert caller.get("/schools/" + "9" * 4000).status_code == 422
    assert caller.get("/schools/%00").status_code == 422
    assert caller.get("/schools/" + "%F0%9F%92%A9").status_code == 404
    assert School.objects.count() == 4
