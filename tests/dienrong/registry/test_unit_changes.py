"""One decision about one unit: renamed, another kind, moved, others taken in; schools follow, every day before stays."""

from __future__ import annotations

from datetime import date

import pytest

from dienrong.accounts.models import Assignment
from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import Refusal
from dienrong.registry import operations, queries
from dienrong.registry.models import (
    AdministrativeUnit,
    School,
    SchoolEvent,
    SchoolSite,
    SchoolVersion,
    UnitSuccession,
    UnitVersion,
)
from dienrong.registry.operations import Decision, UnitChange

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon", "registry")]
A, B, C = "01000001", "01000002", "01000003"
DAY, EVE = date(2026, 10, 1), date(2026, 9, 30)
DECISION = Decision(on_date=DAY, number="1/NQ-UBTVQH", signed_on=date(2026, 9, 1))


def unit(code: str, level: str = "commune") -> AdministrativeUnit:
    return AdministrativeUnit.objects.select_related("parent").get(level=level, code=code)


def change(code: str, level: str = "commune", **changes) -> UnitChange:
    found = unit(code, level)
    return UnitChange(
        unit=found,
        **{"name": found.name, "full_name": found.full_name, "kind": found.kind, **changes},
    )


def apply(wanted: UnitChange, by=None, decision: Decision = DECISION) -> AdministrativeUnit:
    return operations.change_unit(change=wanted, decision=decision, by=by)


def places(day: date) -> dict[str, tuple[str, str]]:
    rows = queries.frame_on(day, "2025-2026")
    return {row.school_id: (row.province_code, row.commune_code) for row in rows}


def test_a_commune_is_renamed_and_every_day_before_keeps_its_name(ministry) -> None:
    apply(change("00004", name="Hoàn Kiếm", full_name="Phường Hoàn Kiếm"), ministry)
    assert queries.version_on("commune", "00004", EVE).full_name == "Phường Ba Đình"
    now = queries.version_on("commune", "00004", DAY)
    assert (now.full_name, now.decision) == ("Phường Hoàn Kiếm", "1/NQ-UBTVQH")
    assert [found.code for found in queries.search_units("hoan kiem", day=DAY)] == ["00004"]
    assert SchoolEvent.objects.count() == 0
    entry = AuditEntry.objects.get(action="registry.unit_changed")
    assert (entry.actor, entry.before["full_name"], entry.after["full_name"]) == (
        ministry, "Phường Ba Đình", "Phường Hoàn Kiếm",
    )  # fmt: skip


def test_a_province_becomes_a_city(ministry) -> None:
    apply(change("79", "province", kind="province", full_name="Tỉnh Hồ Chí Minh"), ministry)
    assert queries.version_on("province", "79", DAY).kind == "province"
    assert queries.version_on("province", "79", EVE).kind == "city"


def test_a_ward_that_becomes_a_commune_makes_its_schools_rural(ministry) -> None:
    apply(change("00004", kind="commune", full_name="Xã Ba Đình"), ministry)
    assert School.objects.get(school_id=A).area == "rural"
    assert SchoolVersion.objects.get(school__school_id=A, valid_to=DAY).area == "urban"
    event = SchoolEvent.objects.filter(successions__successor__school_id=A).get()
    assert (event.kind, event.decision_number) == ("change", "1/NQ-UBTVQH")


def test_a_commune_moves_to_another_province_with_its_schools_and_people(ministry, coordinator) -> None:
    apply(change("00004", parent=unit("79", "province")), ministry)
    assert places(EVE)[A] == ("01", "00004")
    assert places(DAY)[A] == places(DAY)[B] == ("79", "00004")
    assert places(DAY)[C] == ("01", "00008")
    assert Assignment.objects.get(user=coordinator).province_code == "79"
    assert [version.unit.code for version in queries.children_on(unit("79", "province"), DAY)] == [
        "00004",
        "26734",
    ]


def test_a_commune_takes_another_in(ministry) -> None:
    site = SchoolSite.objects.create(
        school=School.objects.get(school_id=C), code="1", name="Điểm", is_main=True, commune=unit("00008")
    )
    planned = operations.plan_unit_change(
        change=change("00004", absorbed=(unit("00008"),)), decision=DECISION, by=ministry
    )
    assert [school.school_id for school in planned.schools] == [C]
    assert (UnitSuccession.objects.count(), places(DAY)[C]) == (0, ("01", "00008"))
    apply(change("00004", absorbed=(unit("00008"),)), ministry)
    assert places(EVE)[C] == ("01", "00008")
    assert places(DAY)[C] == ("01", "00004")
    assert queries.unit_on("commune", "00008", DAY) is None
    (found,) = queries.resolve_old_unit(code="00008", on=EVE, today=DAY)
    assert [(row.unit.code, row.is_partial) for row in found.successors] == [("00004", False)]
    site.refresh_from_db()
    assert site.commune.code == "00004"


def test_communes_merge_into_a_new_one_with_a_code_of_its_own(ministry) -> None:
    new = apply(
        change(
            "00004", name="Thăng Long", full_name="Phường Thăng Long", absorbed=(unit("00008"),),
            new_code="00011",
        ),
        ministry,
    )  # fmt: skip
    assert (new.code, new.valid_from, new.parent.code) == ("00011", DAY, "01")
    assert {places(DAY)[code] for code in (A, B, C)} == {("01", "00011")}
    assert {places(EVE)[code][1] for code in (A, B, C)} == {"00004", "00008"}
    assert sorted(row.predecessor.code for row in queries.origins_of(new)) == ["00004", "00008"]
    assert UnitVersion.objects.filter(unit__code__in=["00004", "00008"], valid_to=DAY).count() == 2


def test_an_event_of_a_school_that_followed_is_not_undone_by_itself(ministry) -> None:
    apply(change("00004", absorbed=(unit("00008"),)), ministry)
    with pytest.raises(Refusal):
        operations.undo_event(event=SchoolEvent.objects.get(), by=ministry)
    assert School.objects.get(school_id=C).commune.code == "00004"


@pytest.mark.parametrize(
    ("code", "changes", "words"),
    [
        ("00004", {}, "Nothing was changed"),
        ("00004", {"name": "Khác"}, "must end with the name"),
        ("00004", {"kind": "city"}, "cannot be of this kind"),
        ("00004", {"new_code": "00011"}, "where communes merge"),
        ("00004", {"absorbed": ("00004",)}, "not another commune"),
        ("00004", {"absorbed": ("26734",)}, "not another commune"),
        ("00004", {"absorbed": ("00008", "00008")}, "named twice"),
        ("00004", {"absorbed": ("00008",), "new_code": "11"}, "no code of a commune"),
        ("00004", {"absorbed": ("00008",), "new_code": "26734"}, "is in use"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(ministry, code, changes, words) -> None:
    from django.utils import translation

    if "absorbed" in changes:
        changes = {**changes, "absorbed": tuple(unit(other) for other in changes["absorbed"])}
    before = list(AdministrativeUnit.objects.order_by("pk").values())
    with translation.override("en"), pytest.raises(Refusal, match=words) as refused:
        apply(change(code, **changes), ministry)
    assert refused.value.hint
    assert list(AdministrativeUnit.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("day", [date(2027, 1, 1), date(2000, 1, 1)])
def test_days_that_do_not_fit_are_refused(ministry, day) -> None:
    wanted = change("00004", name="Hoàn Kiếm", full_name="Phường Hoàn Kiếm")
    with pytest.raises(Refusal):
        apply(wanted, ministry, Decision(on_date=day, number="1"))


def test_provinces_do_not_merge_here(ministry) -> None:
    with pytest.raises(Refusal):
        apply(change("79", "province", absorbed=(unit("01", "province"),)), ministry)


@pytest.mark.parametrize("who", ["officer", "stranger", "commune_officer", "coordinator"])
def test_nobody_but_the_ministry_changes_units(signed_in, request, who) -> None:
    person = request.getfixturevalue(who)
    with pytest.raises(Refusal):
        apply(change("00004", name="Hoàn Kiếm", full_name="Phường Hoàn Kiếm"), person)
    browser, page = signed_in(person), _page()
    assert browser.get(f"{page}/sua").status_code == 403
    assert browser.post(f"{page}/sua", {**_given(), "accept": "1"}).status_code == 403
    assert f"{page}/sua" not in browser.get(page).content.decode()
    assert unit("00004").full_name == "Phường Ba Đình"


def test_the_page_previews_accepts_and_shows_the_history(signed_in, ministry) -> None:
    browser, page = signed_in(ministry), _page()
    assert f"{page}/sua" in browser.get(page).content.decode()
    assert browser.get(f"{page}/sua").status_code == 200
    unknown = browser.post(f"{page}/sua", {**_given(), "absorbed": "99999"})
    assert (unknown.status_code, "99999" in unknown.content.decode()) == (422, True)
    preview = browser.post(f"{page}/sua", {**_given(), "absorbed": "00008"}).content.decode()
    for words in ("Phường Hoàn Kiếm", "Phường Ngọc Hà", C, "Hiện chưa có gì thay đổi"):
        assert words in preview
    assert unit("00004").full_name == "Phường Ba Đình"
    done = browser.post(f"{page}/sua", {**_given(), "absorbed": "00008", "accept": "1"}, follow=True)
    assert "Phường Hoàn Kiếm" in done.content.decode()
    assert browser.get("/don-vi/district/1/2025-01-01/sua").status_code == 404


def _page() -> str:
    return f"/don-vi/commune/00004/{unit('00004').valid_from.isoformat()}"


def _given() -> dict[str, str]:
    return {
        "on_date": "01/10/2026",
        "decision_number": "1/NQ-UBTVQH",
        "full_name": "Phường Hoàn Kiếm",
        "name": "Hoàn Kiếm",
        "kind": "ward",
        "parent": "01",
        "absorbed": "",
        "new_code": "",
    }
