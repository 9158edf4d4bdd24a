"""What accounts learn of units: names, places, and choices within a scope."""

from __future__ import annotations

import pytest

from dienrong.accounts import directory
from dienrong.accounts.permissions import NOTHING, Scope, scope_of
from dienrong.registry.models import AdministrativeUnit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon", "registry")]
A, SOUTH = "01000001", "79000001"
NATION = Scope(is_national=True)


def found(scope: Scope, text: str, limit: int = 10) -> list[tuple[str, str]]:
    return [(choice.kind, choice.code) for choice in directory.search(scope, text, limit)]


def test_names_of_units_of_today() -> None:
    assert directory.is_plugged()
    assert directory.name_of("province", "01") == "Thành phố Hà Nội"
    assert directory.name_of("commune", "00004") == "Phường Ba Đình"
    assert directory.name_of("school", A) == "Trường TH Hòa Bình"
    assert directory.name_of("school", "00000000") is None
    assert directory.name_of("commune", "99999") is None
    assert directory.name_of("nonsense", "01") is None
    AdministrativeUnit.objects.filter(level="commune", code="00004").update(valid_to="2026-01-01")
    assert directory.name_of("commune", "00004") is None


def test_places_of_units() -> None:
    assert directory.place_of("nation", "") == directory.Place()
    assert directory.place_of("province", "01") == directory.Place(province_code="01")
    commune = directory.Place(province_code="01", commune_code="00004")
    assert directory.place_of("commune", "00004") == commune
    school = directory.Place(province_code="01", commune_code="00004", school_id=A)
    assert directory.place_of("school", A) == school
    assert directory.place_of("school", "00000000") is None


def test_search_stays_within_the_scope(officer, stranger, commune_officer, coordinator, newcomer) -> None:
    assert found(NATION, "hoa binh") == [("school", A), ("school", SOUTH)]
    assert found(NATION, "ha noi") == [("province", "01")]
    assert found(scope_of(officer), "ba dinh") == [("commune", "00004")]
    assert found(scope_of(officer), "hoa binh") == [("school", A)]
    assert found(scope_of(commune_officer), "phuong") == [("commune", "00004")]
    assert found(scope_of(coordinator), "truong") == [("school", A)]
    for words in ("ha noi", "ba dinh", "hoa binh", A):
        assert set(found(scope_of(stranger), words)) <= {("school", SOUTH)}
        assert found(scope_of(newcomer), words) == []
    assert found(NOTHING, "truong") == []
    assert found(NATION, "  ") == []
    assert len(found(NATION, "t", 2)) == 2
    assert found(NATION, "truong", 0) == []
