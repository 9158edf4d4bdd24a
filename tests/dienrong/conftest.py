"""People of two provinces, of the ministry and of nowhere, who try every page."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from dienrong.accounts import operations
from dienrong.accounts.models import User
from dienrong.core import clock
from dienrong.options import Options

PASSWORD = "dien-rong-2026"
PROVINCE, COMMUNE, SCHOOL = "01", "00004", "01000001"
OTHER_PROVINCE, OTHER_COMMUNE, OTHER_SCHOOL = "79", "26734", "79000001"
NOON = datetime.datetime(2026, 11, 22, 5, 0, tzinfo=datetime.UTC)

MakePerson = Callable[..., User]


def make(username: str, name: str, role: str = "", code: str = "", unit: str = "") -> User:
    user = operations.create_person(username=username, full_name=name, password=PASSWORD, by=None)
    if role:
        operations.assign_role(user=user, role=role, unit_code=code, unit_name=unit, by=None)
    return user


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    """Tests hash thousands of passwords; the real hasher is slow on purpose and tested by itself."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def default_options(settings) -> None:
    """Options of the shell in which the tests were started change nothing; the second factor has its own tests."""
    settings.OPTIONS = Options(data_dir=settings.DATA_DIR, require_totp=False, vault_key="5a" * 32)


@pytest.fixture(autouse=True)
def plain_static_files(settings) -> None:
    """Files collected by an earlier start of the demonstration do not change what pages name."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def bare_shell(monkeypatch) -> None:
    """Take the rail and the cycle of higher rooms out of the page, for counts of queries."""
    from dienrong.core import shell

    monkeypatch.setattr(shell, "_rails", [])
    monkeypatch.setattr(shell, "_cycles", [])
    monkeypatch.setattr(shell, "_links", [])


@pytest.fixture
def noon() -> Iterator[datetime.datetime]:
    """Hold the clock at noon of one day in Hanoi."""
    with clock.fixed(NOON) as moment:
        yield moment


@pytest.fixture
def ministry(db) -> User:
    """An expert of the ministry: the whole country."""
    return make("bo", "Nguyễn Thị Hương Giang", "ministry_expert")


@pytest.fixture
def officer(db) -> User:
    """An officer of the first province."""
    return make("so", "Trần Văn Đức", "province_officer", PROVINCE, "Thành phố Hà Nội")


@pytest.fixture
def colleague(db) -> User:
    """Another officer of the same province."""
    return make("so2", "Lê Minh Ánh", "province_officer", PROVINCE, "Thành phố Hà Nội")


@pytest.fixture
def commune_officer(db) -> User:
    """An officer of a commune in the first province."""
    return make("xa", "Phạm Thị Đào", "commune_officer", COMMUNE, "Phường Ba Đình")


@pytest.fixture
def coordinator(db) -> User:
    """The coordinator of a school in that commune."""
    return make("truong", "Giàng A Páo", "school_coordinator", SCHOOL, "Trường TH Hòa Bình")


@pytest.fixture
def researcher(db) -> User:
    """Somebody who works with released files."""
    return make("nghien-cuu", "H'Hen Niê", "researcher")


@pytest.fixture
def stranger(db) -> User:
    """An officer of another province, who must see nothing of the first."""
    return make("la", "Võ Quốc Bảo", "province_officer", OTHER_PROVINCE, "Thành phố Hồ Chí Minh")


@pytest.fixture
def newcomer(db) -> User:
    """A person without any role."""
    return make("moi", "Đỗ Tân Binh")


@pytest.fixture
def visitor() -> Client:
    """A browser in which nobody is signed in."""
    return Client()


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """Give the browser of a person."""

    def open_browser(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return open_browser
