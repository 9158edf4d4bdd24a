"""Every refusal is a problem with a code, a sentence and a way out, in the caller's language."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client

from dienrong.registry import queries

pytestmark = pytest.mark.django_db
PARTS = {"code", "status", "title", "detail", "hint", "request_id"}


def problem_of(answer, status: int) -> dict:
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) >= PARTS
    assert body["status"] == status
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return body


def test_no_token_and_a_wrong_one(visitor) -> None:
    body = problem_of(visitor.get("/api/v1/me"), 401)
    assert body["code"] == "api.token_needed"
    answer = visitor.get(
        "/api/v1/me", headers={"Authorization": "Bearer không-phải".encode().decode("latin-1")}
    )
    problem_of(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    for value in ("Basic abc", "Bearer", "Bearer ", "Bearer " + "a" * 5000, "Bearer a b"):
        problem_of(visitor.get("/api/v1/me", headers={"Authorization": value}), 401)


def test_a_session_opens_nothing(signed_in, ministry) -> None:
    problem_of(signed_in(ministry).get("/api/v1/me"), 401)
    problem_of(Client(enforce_csrf_checks=True).post("/api/v1/units"), 405)


def test_an_address_that_does_not_exist_is_a_problem_too(visitor, machine, officer) -> None:
    for address in ("/api/v1/", "/api/v1/nothing", "/api/v1/units/province", "/api/v1/%00"):
        assert problem_of(visitor.get(address), 404)["code"] == "api.nothing_here"


def test_a_method_that_is_not_taken(machine, officer) -> None:
    answer = machine(officer).post("/units")
    assert problem_of(answer, 405)["code"] == "api.method_not_taken"
    assert answer.headers["Allow"] == "GET"


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"level": "village"}, "level"),
        ({"on": "05/09/2026"}, "on"),
        ({"on": "1757030400"}, "on"),
        ({"on": "2026-02-30"}, "on"),
        ({"after": "!!!"}, None),
        ({"after": "WzEsMiwzXQ"}, None),
        ({"after": "WyIwMSIsMTAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMF0"}, None),
        ({"q": "a\0b"}, "q"),
        ({"q": "a" * 81}, "q"),
        ({"colour": "red"}, "colour"),
        ({"LIMIT": 5}, "LIMIT"),
    ],
)
def test_values_that_are_not_accepted_are_named(machine, officer, query, name) -> None:
    body = problem_of(machine(officer).get("/units", query), 422)
    assert body["code"] == "api.not_accepted"
    assert body["hint"]
    if name:
        assert [fault["name"] for fault in body["faults"]] == [name]


def test_a_parameter_that_comes_twice_is_refused(machine, officer) -> None:
    body = problem_of(machine(officer).get("/units?limit=5&limit=6"), 422)
    assert body["faults"][0]["name"] == "limit"


def test_the_problem_speaks_vietnamese_unless_english_is_asked_for(visitor) -> None:
    assert "khóa API" in problem_of(visitor.get("/api/v1/me"), 401)["detail"]
    answer = visitor.get("/api/v1/me", headers={"Accept-Language": "en"})
    assert problem_of(answer, 401)["detail"] == "This address needs a key."
    assert answer.headers["Content-Language"] == "en"
    odd = visitor.get("/api/v1/me", headers={"Accept-Language": "xx;q=0, \x01" + "a" * 900})
    assert odd.headers["Content-Language"] == "vi"


def test_a_failure_of_ours_is_a_number_not_a_stack_trace(machine, officer, monkeypatch, settings) -> None:
    settings.DEBUG = True

    caller = machine(officer)

    def broken(*_args: object) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(queries, "versions_on", broken)
    answer = caller.get("/units")
    assert problem_of(answer, 500)["code"] == "api.failed"
    assert b"secret" not in answer.content
    assert b"Traceback" not in answer.content


def test_a_database_held_by_a_long_write_says_when_to_come_again(machine, officer, monkeypatch) -> None:
    caller = machine(officer)

    def locked(*_args: object, **_kw: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(queries, "versions_on", locked)
    answer = caller.get("/units")
    assert problem_of(answer, 503)["code"] == "api.busy"
    assert answer.headers["Retry-After"] == "5"


def test_the_tag_of_an_answer_saves_sending_it_again(registry, machine, officer) -> None:
    caller = machine(officer)
    first = caller.get("/units")
    again = caller.get("/units", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["RateLimit-Limit"]
    assert caller.get("/units", **{"If-None-Match": '"other"'}).status_code == 200
