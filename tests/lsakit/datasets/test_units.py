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
