"""The country's units: counts, keys, codes that keep their zeros."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from lsakit.datasets import units


def test_there_are_34_provinces_of_which_seven_are_cities() -> None:
    table = units.provinces()
    assert table.columns == ["code", "name", "full_name", "kind", "region6"]
    assert table.height == table.get_column("code").n_unique() == 34
    cities = table.filter(table.get_column("kind") == "city").get_column("name").to_list()
    assert sorted(cities) == sorted(
        ["Hà Nội", "Hải Phòng", "Huế", "Đà Nẵng", "Đồng Nai", "Hồ Chí Minh", "Cần Thơ"]
    )


def test_there_are_3321_communes_of_three_kinds() -> None:
    table = units.communes()
    assert table.height == table.get_column("code").n_unique() == 3321
    counts = dict(table.get_column("kind").value_counts().rows())
    assert counts == {"commune": 2611, "ward": 697, "special_zone": 13}


def test_every_commune_lies_in_a_province_and_codes_keep_their_zeros() -> None:
    provinces = set(units.provinces().get_column("code").to_list())
    table = units.communes()
    assert set(table.get_column("province_code").to_list()) == provinces
    assert set(table.get_column("code").str.len_chars().to_list()) == {5}
    assert "00004" in table.get_column("code").to_list()


def test_every_region_has_provinces_and_a_name() -> None:
    regions = units.regions()
    assert set(regions.get_column("code")) == set(units.provinces().get_column("region6"))
    assert regions.height == 6


def test_the_old_units_are_a_tree_of_three_levels() -> None:
    table = units.old_units()
    assert dict(table.get_column("level").value_counts().rows()) == {
        "province": 63,
        "district": 696,
        "commune": 10_035,
    }
    assert table.get_column("code").is_unique().all()
    codes = {level: set(table.filter(level=level).get_column("code")) for level in ("province", "district")}
    assert set(table.filter(level="district").get_column("parent_code")) == codes["province"]
    assert set(table.filter(level="commune").get_column("parent_code")) <= codes["district"]
    named = {row["code"]: row for row in table.to_dicts()}
    assert (named["15"]["name"], named["15"]["kind"]) == ("Yên Bái", "province")
    assert (named["46"]["kind"], named["001"]["kind"]) == ("city", "urban_district")
    assert {row["kind"] for row in named.values()} == {
        *("city", "province", "urban_district", "rural_district", "town", "provincial_city"),
        *("commune", "ward", "township"),
    }
    assert all(row["full_name"].endswith(row["name"]) and row["name"] for row in named.values())


def test_every_old_commune_lives_on_in_a_commune_in_force_and_every_new_one_comes_from_one() -> None:
    table, old = units.crosswalk(), units.old_units()
    assert set(table.get_column("new_code")) == set(units.communes().get_column("code"))
    communes = set(old.filter(level="commune").get_column("code"))
    from_codes = set(table.get_column("old_code"))
    assert communes <= from_codes
    islands = {code for code in from_codes if len(code) == 3}
    assert islands == {"318", "471", "498", "536", "755"}
    assert islands <= set(old.filter(level="district").get_column("code"))
    assert not islands & set(old.filter(level="commune").get_column("parent_code"))
    assert table.select("old_code", "new_code").is_unique().all()


def test_the_shipped_facts_equal_the_shared_ones(shared: Path) -> None:
    source = shared / "domain" / "units" / "units_2026.csv"
    if not source.is_file():
        pytest.skip("the shared list of units is absent")
    with source.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    facts = {
        (row["code"], row["full_name"], row["province_code"]) for row in rows if row["level"] == "commune"
    }
    shipped = set(units.communes().select("code", "full_name", "province_code").rows())
    assert shipped == facts
    names = {(row["code"], row["full_name"]) for row in rows if row["level"] == "province"}
    assert set(units.provinces().select("code", "full_name").rows()) == names


def test_the_shipped_crosswalk_equals_the_shared_one(shared: Path) -> None:
    source = shared / "domain" / "units" / "crosswalk_2025-07-01.csv"
    if not source.is_file():
        pytest.skip("the shared crosswalk is absent")
    corrected = {"06970": "06978"}  # Xã Ba Chẽ, as the list in force has it
    with source.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    facts = {
        (
            row["old_commune_code"] or row["old_district_code"],
            corrected.get(row["new_commune_code"], row["new_commune_code"]),
            row["is_divided"] == "True" and row["old_commune_code"] != "",
        )
        for row in rows
    }
    assert set(units.crosswalk().rows()) == facts
    names = {(row["old_commune_code"], row["old_commune"].lower()) for row in rows if row["old_commune_code"]}
    shipped = units.old_units().filter(level="commune").select("code", "full_name").rows()
    assert {(code, name.lower()) for code, name in shipped} == names
