"""Accounts and roles are made rightly or refused, and every change leaves its entry."""

from __future__ import annotations

import datetime
import io

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from dienrong.accounts import operations
from dienrong.accounts.models import Assignment, User
from dienrong.audit.models import AuditEntry

PASSWORD = "dien-rong-2026"
pytestmark = pytest.mark.django_db


def create(username: str = "moi", name: str = "Đỗ Tân Binh", password: str = PASSWORD) -> User:
    return operations.create_person(username=username, full_name=name, password=password, by=None)


def test_an_account_knows_its_keys() -> None:
    user = create("  Hà.Nội ", "Nguyễn  Thị Hương\u00a0Giang")
    assert user.username == "hà.nội"
    assert user.full_name == "Nguyễn Thị Hương Giang"
    assert user.search_key == "nguyen thi huong giang ha noi"
    assert user.sort_key.isdigit()
    assert AuditEntry.objects.get().action == "accounts.person_created"


def test_people_are_listed_by_given_name() -> None:
    for n, name in enumerate(["Trần Bình", "Nguyễn Văn An", "Lê Thị Ánh", "Đỗ An"]):
        create(f"u{n}", name)
    names = list(User.objects.values_list("full_name", flat=True))
    assert names == ["Đỗ An", "Nguyễn Văn An", "Lê Thị Ánh", "Trần Bình"]


@pytest.mark.parametrize(
    ("username", "name", "password"),
    [
        ("a b", "Đỗ Tân Binh", PASSWORD),
        ("", "Đỗ Tân Binh", PASSWORD),
        ("ok", "", PASSWORD),
        ("ok", "Đỗ Tân Binh", "123"),
    ],
)
def test_a_malformed_account_is_refused_and_nothing_is_written(
    username: str, name: str, password: str
) -> None:
    with pytest.raises(operations.PersonRefused):
        create(username, name, password)
    assert not User.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_user_name_is_held_once_whatever_its_case() -> None:
    create("so")
    with pytest.raises(operations.PersonRefused):
        create("SO")


@pytest.mark.parametrize(
    ("role", "code", "sentence"),
    [
        ("wizard", "01", "wizard"),
        ("province_officer", "", "mã đơn vị"),
        ("ministry_expert", "01", "mã đơn vị"),
    ],
)
def test_a_role_is_given_in_a_unit_of_its_kind(newcomer: User, role: str, code: str, sentence: str) -> None:
    with pytest.raises(operations.AssignmentRefused, match=sentence):
        operations.assign_role(user=newcomer, role=role, unit_code=code, by=None)
    assert not Assignment.objects.exists()


def test_a_role_that_ends_before_it_begins_is_refused(newcomer: User) -> None:
    day = datetime.date(2026, 9, 1)
    with pytest.raises(operations.AssignmentRefused):
        operations.assign_role(
            user=newcomer, role="coder", by=None, valid_from=day, valid_to=day - datetime.timedelta(days=1)
        )


@pytest.mark.parametrize(
    "wrong", [{"role": "wizard"}, {"unit_code": ""}, {"valid_to": datetime.date(2000, 1, 1)}]
)
def test_the_database_refuses_it_too(officer: User, wrong: dict) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.filter(user=officer).update(**wrong)


def test_giving_and_ending_a_role_is_written_down(ministry: User, officer: User) -> None:
    operations.end_role(assignment=officer.assignments.get(), on=datetime.date(2030, 1, 1), by=ministry)
    entry = AuditEntry.objects.get(action="accounts.role_ended")
    assert entry.actor == ministry
    assert entry.before["valid_to"] is None
    assert entry.after["valid_to"] == "2030-01-01"
    assert entry.object_title == "Trần Văn Đức"


def test_the_command_makes_the_first_account(monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    said = io.StringIO()
    call_command(
        "createuser",
        "bo",
        full_name="Nguyễn Thị Giang",
        role="ministry_expert",
        password_stdin=True,
        stdout=said,
    )
    user = User.objects.get(username="bo")
    assert user.check_password(PASSWORD)
    assert user.assignments.get().role == "ministry_expert"
    assert "The account bo was made." in said.getvalue()


def test_the_command_makes_all_or_nothing(monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    with pytest.raises(CommandError) as caught:
        call_command("createuser", "so", full_name="Trần Đức", role="province_officer", password_stdin=True)
    assert caught.value.returncode == 2
    assert not User.objects.exists()


def test_the_command_asks_twice(monkeypatch) -> None:
    answers = iter([PASSWORD, "another-one-88"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    with pytest.raises(CommandError, match="The two passwords differ"):
        call_command("createuser", "so", full_name="Trần Đức")
