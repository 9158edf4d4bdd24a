"""Keys for programs: shown once, ended in time, narrowed to a unit, never wider than their person."""

from __future__ import annotations

import datetime

import pytest

from dienrong.accounts import operations, permissions, queries
from dienrong.accounts.models import ApiToken, User
from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed

PROVINCE, COMMUNE, SCHOOL = "01", "00004", "01000001"
HERE = {"province_code": PROVINCE, "commune_code": COMMUNE, "school_id": SCHOOL}
pytestmark = pytest.mark.django_db


def make(user: User, **more) -> tuple[ApiToken, str]:
    return operations.make_api_token(user=user, **{"name": "Phần mềm trường", "days": 90, **more})


def test_a_key_finds_its_person_and_is_kept_as_a_hash_alone(officer: User) -> None:
    token, raw = make(officer)
    assert len(raw) == 3 + 43
    found = queries.person_of_token(raw)
    assert found == officer
    assert found.api_token == token
    assert raw not in str(list(ApiToken.objects.values()))
    assert raw not in str(list(AuditEntry.objects.values()))
    assert permissions.scope_of(found) == permissions.scope_of(officer)


@pytest.mark.parametrize("raw", ["", "dr_", "dr_x", "x" * 46, "dr_" + "x" * 300, "dr_\x00", "dr_ô"])
def test_anything_else_finds_nobody(officer: User, raw: str) -> None:
    make(officer)
    assert queries.person_of_token(raw) is None


def test_a_key_ends_on_its_day(noon, officer: User) -> None:
    _token, raw = make(officer, days=1)
    with clock.fixed(noon + datetime.timedelta(days=1, seconds=-1)):
        assert queries.person_of_token(raw) == officer
    with clock.fixed(noon + datetime.timedelta(days=1)):
        assert queries.person_of_token(raw) is None


def test_a_revoked_key_opens_nothing_and_revoking_twice_is_written_once(officer: User) -> None:
    token, raw = make(officer)
    operations.revoke_api_token(token=token, by=officer)
    operations.revoke_api_token(token=token, by=officer)
    assert queries.person_of_token(raw) is None
    assert AuditEntry.objects.filter(action="accounts.api_token_revoked").count() == 1


def test_a_switched_off_account_has_no_keys(officer: User) -> None:
    _token, raw = make(officer)
    User.objects.filter(pk=officer.pk).update(is_active=False)
    assert queries.person_of_token(raw) is None


def test_a_key_narrowed_to_a_unit_gives_that_unit_alone(officer: User, register) -> None:
    _token, raw = make(officer, unit_kind="commune", unit_code=COMMUNE)
    person = queries.person_of_token(raw)
    scope = permissions.scope_of(person)
    assert (scope.provinces, scope.communes, scope.is_national) == (frozenset(), {COMMUNE}, False)
    assert scope.roles == {"province_officer"}
    assert permissions.may_view_unit(person, **HERE)
    assert not permissions.may_view_unit(person, province_code=PROVINCE, commune_code="00025")


def test_a_narrowed_key_leaves_out_the_roles_held_elsewhere(coordinator: User, register) -> None:
    operations.assign_role(user=coordinator, role="commune_officer", unit_code="26734", by=None)
    _token, raw = make(coordinator, unit_kind="school", unit_code=SCHOOL)
    scope = permissions.scope_of(queries.person_of_token(raw))
    assert scope.roles == {"school_coordinator"}
    assert scope.schools == {SCHOOL}
    assert scope.communes == frozenset()


def test_a_unit_that_leaves_the_persons_charge_leaves_the_key_empty(officer: User, register) -> None:
    _token, raw = make(officer, unit_kind="school", unit_code=SCHOOL)
    register.move_school(SCHOOL, "79", "26734")
    assert permissions.scope_of(queries.person_of_token(raw)) == permissions.NOTHING


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "  "},
        {"name": "x" * 101},
        {"days": 0},
        {"days": 367},
        {"unit_kind": "province", "unit_code": "79"},
        {"unit_kind": "school", "unit_code": "99999999"},
        {"unit_kind": "nation", "unit_code": ""},
        {"unit_kind": "province", "unit_code": ""},
        {"unit_kind": "", "unit_code": "01"},
    ],
)
def test_a_key_that_reaches_too_far_is_refused(officer: User, register, wrong: dict) -> None:
    with pytest.raises(operations.ApiTokenRefused):
        make(officer, **wrong)
    assert not ApiToken.objects.exists()


def test_who_may_not_use_the_api_gets_no_key(researcher: User, newcomer: User) -> None:
    for person in (researcher, newcomer):
        with pytest.raises(NotAllowed):
            make(person)


def test_twenty_open_keys_are_enough(officer: User) -> None:
    for n in range(20):
        make(officer, name=f"key {n}")
    with pytest.raises(operations.ApiTokenRefused, match="20"):
        make(officer)


def test_a_use_is_noted_at_most_once_a_minute(noon, officer: User, django_assert_num_queries) -> None:
    _token, raw = make(officer)
    token = queries.person_of_token(raw).api_token
    operations.note_token_use(token=token)
    with django_assert_num_queries(0), clock.fixed(noon + datetime.timedelta(seconds=59)):
        operations.note_token_use(token=token)
    assert ApiToken.objects.get().last_used_at == noon
