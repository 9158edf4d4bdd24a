"""Whoever has no business with a school learns nothing of it, by no address and no parameter."""

from __future__ import annotations

import datetime
import re
import uuid

import pytest

from dienrong.accounts import directory
from dienrong.accounts import operations as accounts
from dienrong.accounts.models import User
from dienrong.api.specification import specification
from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.registry.models import AdministrativeUnit, School

pytestmark = pytest.mark.django_db
HOA_BINH, NGUYEN_TRAI, DUC_THANG, SOUTH = "01000001", "01000002", "01000003", "79000001"
ALL = {HOA_BINH, NGUYEN_TRAI, DUC_THANG, SOUTH}


def addresses():
    """Give every method and address of the description, filled with something."""
    for path, methods in specification()["paths"].items():
        filled = path.replace("{import_id}", str(uuid.UUID(int=7))).replace("{level}", "province")
        filled = re.sub(r"{[a-z_]+}", "01000001", filled)
        for method in methods:
            yield method, filled


def seen(caller) -> set[str]:
    return {row["school_id"] for row in caller.walk("/schools", {"limit": 1})}


def seen_one_by_one(caller) -> set[str]:
    found = set()
    for code in ALL:
        answer = caller.get(f"/schools/{code}")
        history = caller.get(f"/schools/{code}/history")
        assert answer.status_code == history.status_code
        if answer.status_code == 200:
            found.add(code)
        else:
            unknown = caller.get("/schools/99999999").json()
            told = answer.json()
            assert {**told, "request_id": ""} == {**unknown, "request_id": ""}
    return found


def counted(caller) -> set[str]:
    return {row["school_id"] for row in caller.walk("/enrolments", {"school_year": "2025-2026"})}


def test_each_token_sees_the_schools_of_its_units_alone(
    registry, machine, ministry, officer, commune_officer, coordinator, stranger
) -> None:
    expected = {
        ministry: ALL,
        officer: {HOA_BINH, NGUYEN_TRAI, DUC_THANG},
        commune_officer: {HOA_BINH, NGUYEN_TRAI},
        coordinator: {HOA_BINH},
        stranger: {SOUTH},
    }
    for person, schools in expected.items():
        caller = machine(person)
        assert seen(caller) == schools, person.username
        assert seen_one_by_one(caller) == schools, person.username
        assert counted(caller) == schools, person.username


@pytest.mark.parametrize(
    "query",
    [{"province": "01"}, {"commune": "00004"}, {"q": "Nguyen Trai"}, {"q": HOA_BINH}, {"on": "2025-12-01"}],
)
def test_no_filter_widens(registry, machine, stranger, query) -> None:
    assert {row["school_id"] for row in machine(stranger).walk("/schools", query)} <= {SOUTH}


def test_a_cursor_of_another_token_widens_nothing(registry, machine, ministry, stranger) -> None:
    page = machine(ministry).get("/schools", {"limit": 1}).json()
    address = page["next"].partition("/api/v1")[2]
    rows = machine(stranger).get(address).json()["items"]
    assert [row["school_id"] for row in rows] == [SOUTH]


def test_a_narrower_token_sees_less_than_its_person(
    registry, machine, ministry, officer, commune_officer, monkeypatch
) -> None:
    from dienrong.registry.directory import RegistryDirectory

    monkeypatch.setattr(directory, "_providers", [RegistryDirectory()])
    assert seen(machine(ministry, "province", "79")) == {SOUTH}
    assert seen(machine(ministry, "school", DUC_THANG)) == {DUC_THANG}
    narrow = machine(officer, "province", "01")
    assert seen(narrow) == {HOA_BINH, NGUYEN_TRAI, DUC_THANG}
    me = narrow.get("/me").json()
    assert (me["scope"]["is_national"], me["scope"]["provinces"]) == (False, ["01"])
    assert seen(machine(commune_officer, "school", NGUYEN_TRAI)) == {NGUYEN_TRAI}


def test_a_token_ends_with_its_person_its_role_and_its_time(noon, registry, machine, officer) -> None:
    caller = machine(officer)
    assert caller.get("/schools").status_code == 200
    with clock.fixed(noon + datetime.timedelta(days=91)):
        assert caller.get("/schools").status_code == 401, "expired"

    yesterday = noon.date() - datetime.timedelta(days=1)
    officer.assignments.update(valid_from=yesterday, valid_to=noon.date())
    ended = caller.get("/schools")
    assert (ended.status_code, ended.json()["code"]) == (403, "dienrong.not_allowed")
    officer.assignments.update(valid_to=None)
    assert caller.get("/schools").status_code == 200

    User.objects.filter(pk=officer.pk).update(is_active=False)
    assert caller.get("/schools").status_code == 401, "switched off"
    User.objects.filter(pk=officer.pk).update(is_active=True)

    accounts.revoke_api_token(token=officer.api_tokens.get(), by=officer)
    assert caller.get("/schools").status_code == 401, "revoked"


def test_a_role_that_does_not_use_the_api_is_refused_everywhere(registry, machine, officer) -> None:
    caller = machine(officer)
    officer.assignments.update(role="test_administrator", unit_kind="school", unit_code=HOA_BINH)
    for method, address in addresses():
        send = getattr(caller, method)
        assert send(address.removeprefix("/api/v1")).status_code == 403, (method, address)


def test_no_address_of_the_description_answers_without_a_token(visitor) -> None:
    for method, address in addresses():
        assert getattr(visitor, method)(address).status_code in {401, 429}, (method, address)


def test_a_code_that_returned_with_another_meaning_opens_nothing(registry, machine, stranger) -> None:
    """The province 79 of old may be another than the one of today: a version's unit never grants a thing."""
    school = School.objects.get(school_id=HOA_BINH)
    foreign = AdministrativeUnit.objects.get(level="province", code="79")
    school.versions.update(province=foreign)
    caller = machine(stranger)
    assert HOA_BINH not in {row["school_id"] for row in caller.walk("/schools", {"on": "2025-12-01"})}
    assert caller.get(f"/schools/{HOA_BINH}", {"on": "2025-12-01"}).status_code == 404


def test_tokens_stand_nowhere_in_clear(registry, machine, officer) -> None:
    caller = machine(officer)
    caller.get("/schools")
    kept = officer.api_tokens.get()
    assert caller.token not in str(kept.__dict__)
    assert all(caller.token not in str(entry.__dict__) for entry in AuditEntry.objects.all())
