"""The frame through the API: as of a day, each pupil once, within the token's units."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dienrong.registry.models import School, SchoolEvent, SchoolSuccession

pytestmark = pytest.mark.django_db
HOA_BINH, NGUYEN_TRAI, DUC_THANG, SOUTH = "01000001", "01000002", "01000003", "79000001"
YEAR = {"school_year": "2025-2026"}


def test_the_frame_of_a_province(noon, registry, machine, officer) -> None:
    caller = machine(officer)
    rows = caller.walk("/frame", {**YEAR, "limit": 1})
    assert [row["school_id"] for row in rows] == [HOA_BINH, NGUYEN_TRAI, DUC_THANG]
    assert rows[0]["counts"] == [{"grade": 5, "n_students": 120, "n_classes": 4}]
    only = caller.get("/frame", {**YEAR, "grade": 9}).json()["items"]
    assert [len(row["counts"]) for row in only] == [0, 0, 1]
    assert caller.get("/frame", {**YEAR, "province": "79"}).json()["items"] == []
    assert caller.get("/frame", {**YEAR, "on": "2020-01-01"}).json()["items"] == []


def test_a_merged_school_appears_once_with_the_pupils_of_both(noon, registry, machine, officer) -> None:
    old, new = School.objects.get(school_id=NGUYEN_TRAI), School.objects.get(school_id=HOA_BINH)
    event = SchoolEvent.objects.create(kind="merge", state="applied", on_date="2026-08-01", recorded_at=noon)
    for predecessor in (old, new):
        SchoolSuccession.objects.create(event=event, predecessor=predecessor, successor=new)
    old.versions.update(valid_to="2026-08-01")
    caller = machine(officer)
    rows = {row["school_id"]: row for row in caller.get("/frame", YEAR).json()["items"]}
    assert set(rows) == {HOA_BINH, DUC_THANG}
    assert rows[HOA_BINH]["counts"][0]["n_students"] == 240
    assert rows[HOA_BINH]["joined"] == [NGUYEN_TRAI]
    before = caller.walk("/frame", {**YEAR, "on": "2026-07-31"})
    assert sum(count["n_students"] for row in before for count in row["counts"]) == 440


def test_strangers_see_their_own_frame_alone(
    noon, registry, machine, ministry, commune_officer, coordinator, stranger
) -> None:
    expected = {
        ministry: {HOA_BINH, NGUYEN_TRAI, DUC_THANG, SOUTH},
        commune_officer: {HOA_BINH, NGUYEN_TRAI},
        coordinator: {HOA_BINH},
        stranger: {SOUTH},
    }
    for person, schools in expected.items():
        assert {row["school_id"] for row in machine(person).walk("/frame", YEAR)} == schools


def test_the_number_of_queries_is_constant(noon, registry, machine, officer) -> None:
    caller = machine(officer)
    caller.get("/me")
    with CaptureQueriesContext(connection) as asked:
        caller.get("/frame", YEAR)
    assert len(asked) <= 9
