"""Which unit a code named on a day, what became of the old ones, and that the load is idempotent."""

from __future__ import annotations

import datetime
from datetime import date

import pytest
from django.db import transaction

from dienrong.audit.models import AuditEntry
from dienrong.registry import operations, queries
from dienrong.registry.models import AdministrativeUnit, UnitSuccession
from dienrong.registry.numeric import unit_history_rows

pytestmark = pytest.mark.django_db
BEFORE, SINCE, TODAY = date(2025, 6, 30), date(2025, 7, 1), date(2026, 11, 22)


@pytest.fixture(scope="module")
def country(django_db_setup, django_db_blocker):
    """The whole history of units, once for all tests of this file."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield operations.load_units(rows=unit_history_rows(), by=None)
        transaction.set_rollback(True)


def codes(successors) -> list[tuple[str, bool]]:
    return [(successor.unit.code, successor.is_partial) for successor in successors]


def test_the_country_on_two_days(country) -> None:
    counts = {
        day: [queries.units_on(day, level).count() for level in ("province", "district", "commune")]
        for day in (BEFORE, SINCE)
    }
    assert counts == {BEFORE: [63, 696, 10_035], SINCE: [34, 0, 3_321]}
    assert queries.versions_on(BEFORE, "province").count() == 63
    assert queries.versions_on(TODAY, "commune").count() == 3_321


def test_the_same_load_again_changes_nothing(country) -> None:
    entries = AuditEntry.objects.filter(action="registry.units_loaded").count()
    again = operations.load_units(rows=unit_history_rows(), by=None)
    assert (again.n_units, again.n_versions, again.n_successions) == (0, 0, 0)
    assert AuditEntry.objects.filter(action="registry.units_loaded").count() == entries


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        ("15", "Yên Bái", "Lào Cai"),
        ("24", "Bắc Giang", "Bắc Ninh"),
        ("44", "Quảng Bình", "Quảng Trị"),
        ("80", "Long An", "Tây Ninh"),
        ("82", "Tiền Giang", "Đồng Tháp"),
        ("91", "Kiên Giang", "An Giang"),
    ],
)
def test_a_reused_code_names_another_province_since_the_mergers(country, code, old, new) -> None:
    before, since = queries.unit_on("province", code, BEFORE), queries.unit_on("province", code, SINCE)
    assert (before.name, since.name) == (old, new)
    assert before.pk != since.pk
    assert queries.version_on("province", code, BEFORE).name == old
    # The code came back, and the old province lives on in the one that has the code now.
    assert codes(queries.present_successors(before, TODAY)) == [(code, False)]
    assert {fate.successor_id for fate in queries.fates_of(before)} == {since.pk}
    assert before.pk in {origin.predecessor_id for origin in queries.origins_of(since)}


def test_old_provinces_of_a_reused_code_are_not_confused(country) -> None:
    old_bac_ninh = queries.unit_on("province", "27", BEFORE)
    assert codes(queries.present_successors(old_bac_ninh, TODAY)) == [("24", False)]
    assert queries.unit_on("province", "27", SINCE) is None
    names = [
        origin.predecessor.name for origin in queries.origins_of(queries.unit_on("province", "24", SINCE))
    ]
    assert sorted(names) == sorted(["Bắc Giang", "Bắc Ninh"])


def test_dong_nai_is_a_city_since_the_end_of_april_2026(country) -> None:
    eve, day = date(2026, 4, 29), date(2026, 4, 30)
    before, since = queries.version_on("province", "75", eve), queries.version_on("province", "75", day)
    assert (before.kind, before.full_name) == ("province", "Tỉnh Đồng Nai")
    assert (since.kind, since.full_name, since.decision) == ("city", "Thành phố Đồng Nai", "NQ 30/2026/QH16")
    assert before.unit_id == since.unit_id
    assert [version.kind for version in queries.versions_of(before.unit)] == ["province", "city"]
    assert queries.version_on("province", "46", date(2024, 12, 31)).name == "Thừa Thiên Huế"
    assert queries.version_on("province", "46", date(2025, 1, 1)).full_name == "Thành phố Huế"


def test_children_are_those_of_the_day(country) -> None:
    old_hanoi, hanoi = (queries.unit_on("province", "01", day) for day in (BEFORE, SINCE))
    assert queries.children_on(old_hanoi, BEFORE).count() == 30
    assert queries.children_on(hanoi, SINCE).count() == 126
    assert not queries.children_on(old_hanoi, SINCE).exists()
    ba_dinh = queries.unit_on("district", "001", BEFORE)
    assert queries.children_on(ba_dinh, BEFORE).first().full_name == "Phường Phúc Xá"


def test_a_whole_commune_and_a_divided_one_are_found_today(country) -> None:
    whole = queries.unit_on("commune", "00001", BEFORE)
    assert codes(queries.present_successors(whole, TODAY)) == [("00097", False)]
    divided = queries.unit_on("commune", "00007", BEFORE)
    assert all(is_partial for _code, is_partial in codes(queries.present_successors(divided, TODAY)))
    assert len(queries.present_successors(divided, TODAY)) >= 2
    assert queries.present_successors(divided, BEFORE)[0].unit == divided
    present = queries.unit_on("commune", "00004", TODAY)
    assert codes(queries.present_successors(present, TODAY)) == [("00004", False)]


def test_successors_are_followed_through_generations(country) -> None:
    first = queries.unit_on("commune", "00007", BEFORE)
    middle = queries.present_successors(first, TODAY)[0].unit
    later = AdministrativeUnit.objects.create(
        level="commune", code="99999", kind="ward", name="Mới", full_name="Phường Mới",
        valid_from=date(2026, 10, 1), search_key="phuong moi",
    )  # fmt: skip
    AdministrativeUnit.objects.filter(pk=middle.pk).update(valid_to=date(2026, 10, 1))
    UnitSuccession.objects.create(predecessor=middle, successor=later, on_date=date(2026, 10, 1))
    found = dict(codes(queries.present_successors(first, TODAY)))
    assert found["99999"] is True
    assert middle.code not in found
    assert middle.code in dict(codes(queries.present_successors(first, date(2026, 9, 30))))


def test_an_island_district_without_communes_becomes_a_special_zone(country) -> None:
    con_dao = queries.unit_on("district", "755", BEFORE)
    assert [found.unit.full_name for found in queries.present_successors(con_dao, TODAY)] == [
        "Đặc khu Côn Đảo"
    ]


def test_an_old_unit_is_resolved_by_code_and_day(country) -> None:
    (found,) = queries.resolve_old_unit(code="15", level="province", on=date(2024, 9, 5), today=TODAY)
    assert (found.unit.name, found.successors[0].unit.name, found.is_exact) == ("Yên Bái", "Lào Cai", True)
    (now,) = queries.resolve_old_unit(code="15", level="province", on=TODAY, today=TODAY)
    assert now.unit.name == "Lào Cai"
    (early,) = queries.resolve_old_unit(code="00001", on=date(2020, 9, 5), today=TODAY)
    assert (early.unit.full_name, early.is_exact) == ("Phường Phúc Xá", False)
    assert queries.resolve_old_unit(code="98765", on=BEFORE) == []


def test_an_old_unit_is_resolved_by_its_old_names_however_they_are_spelt(country) -> None:
    for names in (
        ("Thành phố Hà Nội", "Quận Ba Đình", "Phường Phúc Xá"),
        ("ha noi", "ba dinh", "phuc xa"),
        ("Quận Ba Đình", "Phúc Xá"),
    ):
        (found,) = queries.resolve_old_unit(names=names, today=TODAY)
        assert (found.unit.code, codes(found.successors)) == ("00001", [("00097", False)])
    many = queries.resolve_old_unit(names=("Xã Tân Lập",), today=TODAY)
    assert len(many) > 5
    assert queries.resolve_old_unit(names=("Hà Nội", "Xã Không Có"), today=TODAY) == []
    assert queries.resolve_old_unit(names=("", " "), today=TODAY) == []


def test_search_finds_old_and_new_units_without_marks(country) -> None:
    found = [(unit.full_name, unit.valid_to) for unit in queries.search_units("dong nai", day=TODAY)]
    assert found[0] == ("Thành phố Đồng Nai", None)
    assert ("Tỉnh Đồng Nai", SINCE) in found
    assert queries.search_units("00007", day=TODAY)[0].full_name == "Phường Cống Vị"
    assert queries.search_units("  ", day=TODAY) == []


def test_looking_up_takes_one_query_and_following_as_many_as_generations(
    country, django_assert_num_queries
) -> None:
    with django_assert_num_queries(1):
        unit = queries.unit_on("commune", "00007", BEFORE)
    with django_assert_num_queries(1):
        queries.version_on("commune", "00007", BEFORE)
    with django_assert_num_queries(1):
        queries.present_successors(unit, TODAY)
    with django_assert_num_queries(2):
        assert len(queries.resolve_old_unit(names=("Xã Tân Lập",), today=TODAY)) > 5


def test_the_clock_gives_the_day_of_successors(country, noon) -> None:
    assert noon.date() == datetime.date(2026, 11, 22)
    unit = queries.unit_on("commune", "00001", BEFORE)
    assert codes(queries.present_successors(unit)) == [("00097", False)]
