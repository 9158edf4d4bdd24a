"""Scores and findings through the API, within the token's units."""

from __future__ import annotations

import pytest

from dienrong.core import clock
from dienrong.registry.models import School
from dienrong.scorecard.models import Finding, SchoolState, Score

pytestmark = pytest.mark.django_db
HOA_BINH, NGUYEN_TRAI, DUC_THANG, SOUTH = "01000001", "01000002", "01000003", "79000001"


@pytest.fixture
def scored(noon, registry) -> None:
    """Scores of every unit and school, of two days, and one finding."""
    units = (
        ("nation", ""),
        ("province", "01"),
        ("province", "79"),
        ("commune", "00004"),
        ("commune", "26734"),
    )
    for kind, code in units:
        for day, total, current in (("2026-11-01", 70.0, False), ("2026-11-22", 80.5, True)):
            Score.objects.create(
                unit_kind=kind,
                unit_code=code,
                day=day,
                total=total,
                n_schools=2,
                coverage=0.5,
                is_current=current,
                computed_at=clock.now(),
            )
    for school in School.objects.select_related("province", "commune"):
        SchoolState.objects.update_or_create(
            school=school,
            defaults={
                "province_code": school.province.code,
                "commune_code": school.commune.code,
                "total": 60,
                "scored_at": clock.now(),
            },
        )
    Finding.objects.all().delete()
    Finding.objects.create(
        school=School.objects.get(school_id=HOA_BINH),
        province_code="01",
        rule="gone.rule",
        dimension="complete",
        severity="error",
        cell="phone",
    )


def units_of(caller, **query) -> list[str]:
    return [row["unit_code"] for row in caller.walk("/scores", {"limit": 1, **query})]


def test_scores_of_each_kind(scored, machine, ministry) -> None:
    caller = machine(ministry)
    assert units_of(caller, unit_kind="nation") == [""]
    assert units_of(caller, unit_kind="province") == ["01", "79"]
    assert units_of(caller, unit_kind="province", history="true") == ["01", "01", "79", "79"]
    assert units_of(caller, unit_kind="commune", province="79") == ["26734"]
    assert units_of(caller, unit_kind="school") == [HOA_BINH, NGUYEN_TRAI, DUC_THANG, SOUTH]
    assert units_of(caller, unit_kind="school", unit_code=SOUTH) == [SOUTH]
    (nation,) = caller.get("/scores", {"unit_kind": "nation"}).json()["items"]
    assert (nation["total"], nation["coverage"], nation["correct"]) == (80.5, 0.5, None)
    assert caller.get("/scores", {"unit_kind": "village"}).status_code == 422


def test_strangers_see_the_scores_of_their_units_alone(
    scored, machine, officer, commune_officer, coordinator, stranger
) -> None:
    expected = {
        officer: ([], ["01"], ["00004"], [HOA_BINH, NGUYEN_TRAI, DUC_THANG]),
        commune_officer: ([], [], ["00004"], [HOA_BINH, NGUYEN_TRAI]),
        coordinator: ([], [], [], [HOA_BINH]),
        stranger: ([], ["79"], ["26734"], [SOUTH]),
    }
    for person, lists in expected.items():
        caller = machine(person)
        kinds = ("nation", "province", "commune", "school")
        assert tuple(units_of(caller, unit_kind=kind) for kind in kinds) == lists, person.username
        seen = caller.get(f"/schools/{HOA_BINH}/findings").status_code
        assert seen == (200 if HOA_BINH in lists[3] else 404)


def test_what_is_to_be_mended(scored, machine, coordinator) -> None:
    (finding,) = machine(coordinator).get(f"/schools/{HOA_BINH}/findings").json()["items"]
    assert (finding["severity"], finding["cell"], finding["sentence"]) == ("error", "phone", "gone.rule")
