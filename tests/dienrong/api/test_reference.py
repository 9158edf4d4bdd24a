"""The description for machines and the page for people say the same, in both languages."""

from __future__ import annotations

import json

import pytest

from dienrong.api.reference import sections_of
from dienrong.api.specification import in_language, specification, written

pytestmark = pytest.mark.django_db


def test_the_committed_description_is_the_present_one(repository) -> None:
    kept = (repository / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert kept == written(specification()), "run: make docs"


def test_the_description_is_open_and_speaks_both_languages(visitor) -> None:
    vietnamese = visitor.get("/api/v1/openapi.json")
    english = visitor.get("/api/v1/openapi.json", headers={"Accept-Language": "en"})
    assert vietnamese.json()["openapi"] == english.json()["openapi"] == "3.1.0"
    assert english.json() == specification()
    assert vietnamese.json()["paths"]["/api/v1/me"]["get"]["summary"].startswith("Khóa")
    assert set(vietnamese.json()["paths"]) == set(specification()["paths"])


def test_the_description_is_valid_openapi() -> None:
    import schemathesis

    schemathesis.openapi.from_dict(specification()).validate()


def test_every_operation_has_words_and_an_id_of_its_own() -> None:
    operations = [
        operation for methods in specification()["paths"].values() for operation in methods.values()
    ]
    assert len({operation["operationId"] for operation in operations}) == len(operations) == 19
    for operation in operations:
        assert operation["summary"]
        assert operation["security"] == [{"Bearer": []}]
        assert all(parameter["description"] for parameter in operation["parameters"]), operation[
            "operationId"
        ]
        assert {"401", "403", "422", "429"} <= set(operation["responses"])


@pytest.mark.parametrize(("language", "word"), [("vi", "Bắt đầu"), ("en", "How to begin")])
def test_the_page_shows_every_operation(client, language, word) -> None:
    client.cookies["dienrong_language"] = language
    html = client.get("/api").content.decode()
    assert word in html
    for path, methods in specification()["paths"].items():
        assert path in html
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in html
    assert "style=" not in html
    assert "<script>" not in html


def test_the_examples_can_be_run_as_they_stand(registry, machine, ministry) -> None:
    """Every example of a read is a command whose address answers with 200 or with an honest 404."""
    import shlex

    caller = machine(ministry)
    for section in sections_of(in_language("en"), "http://testserver"):
        for address in section.addresses:
            words = shlex.split(address.example)
            target = words[-1].removeprefix("http://testserver/api/v1")
            if address.method == "GET":
                assert caller.get(target).status_code in {200, 404}, address.example
            if "-d" in words:
                assert caller.post(target, json.loads(words[words.index("-d") + 1])).status_code == 201


def test_the_page_tells_each_reader_the_next_step(client, signed_in, officer, researcher) -> None:
    assert "Đăng nhập để tạo khóa" in client.get("/api").content.decode()
    assert "/tai-khoan/khoa-api" in signed_in(officer).get("/api").content.decode()
    assert "Vai trò của thầy/cô không tạo khóa" in signed_in(researcher).get("/api").content.decode()
