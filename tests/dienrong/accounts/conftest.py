"""A directory of four schools in two provinces, and short ways to write people and codes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pyotp
import pytest

from dienrong.accounts import directory
from dienrong.accounts.directory import Place, UnitChoice
from dienrong.core import clock
from dienrong.core.text import search_key

UNITS = {
    ("province", "01"): ("Thành phố Hà Nội", Place(province_code="01")),
    ("province", "79"): ("Thành phố Hồ Chí Minh", Place(province_code="79")),
    ("commune", "00004"): ("Phường Ba Đình", Place(province_code="01", commune_code="00004")),
    ("commune", "00025"): ("Phường Ngọc Hà", Place(province_code="01", commune_code="00025")),
    ("commune", "26734"): ("Phường Sài Gòn", Place(province_code="79", commune_code="26734")),
}
SCHOOLS = {
    "01000001": ("Trường TH Hòa Bình", "01", "00004"),
    "01000002": ("Trường THCS Đức Thắng", "01", "00025"),
    "01000003": ("Trường TH Hoà An", "01", "00004"),
    "79000001": ("Trường TH Hòa Bình", "79", "26734"),
}


class Register:
    """What the registry would answer."""

    def __init__(self) -> None:
        self.places = {key: place for key, (_name, place) in UNITS.items()}
        self.names = {key: name for key, (name, _place) in UNITS.items()}
        for code, (name, province, commune) in SCHOOLS.items():
            self.move_school(code, province, commune)
            self.names["school", code] = name

    def move_school(self, code: str, province: str, commune: str) -> None:
        self.places["school", code] = Place(province_code=province, commune_code=commune, school_id=code)

    def name_of(self, unit_kind, code):
        return self.names.get((unit_kind, code))

    def place_of(self, unit_kind, code):
        return self.places.get((unit_kind, code))

    def search(self, scope, text, limit):
        wanted = search_key(text)
        found = [
            UnitChoice(kind=kind, code=code, name=name, place=self.places[kind, code])
            for (kind, code), name in self.names.items()
            if wanted in search_key(f"{name} {code}")
        ]
        inside = [
            unit
            for unit in found
            if scope.covers(unit.place.province_code, unit.place.commune_code, unit.place.school_id)
        ]
        return inside[:limit]


@pytest.fixture
def register(monkeypatch) -> Iterator[Register]:
    """Plug a small register in, so that names and places of units are known."""
    plugged = Register()
    monkeypatch.setattr(directory, "_providers", [plugged])
    return plugged


@pytest.fixture
def second_factor_required(settings) -> None:
    """Ask officers for the second factor, as installations do."""
    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, require_totp=True)


def code_now(secret: str, steps: int = 0) -> str:
    """Give the code that an app shows now, or some steps away."""
    return pyotp.TOTP(secret.replace(" ", "")).at(int(clock.now().timestamp()) + steps * 30)
