"""A nation comes in with contacts, sites and counts of several years; without them, what stands stays."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from dienrong.registry import operations
from dienrong.registry.models import School, SchoolEnrolment, SchoolSite
from small_cycle import SCHOOLS, nation

pytestmark = pytest.mark.django_db
YEAR = "2025-2026"
CODE = SCHOOLS[0]["school_id"]
DETAILS = {
    "managed_by": "commune",
    "address": "Số 1 đường Hòa Bình",
    "phone": "0501234567",
    "email": "hoabinh@tinh01.example",
    "latitude": 21.03,
    "longitude": 105.83,
    "founded_date": datetime.date(1990, 9, 5),
    "data_at": datetime.date(2025, 10, 12),
    "confirmed_at": None,
}
COUNT = {
    "school_id": CODE,
    "school_year": "2024-2025",
    "grade": 5,
    "n_students": 90,
    "n_classes": 3,
    "counted_on": datetime.date(2024, 10, 1),
}
SITE = {
    "school_id": CODE,
    "site_code": "01",
    "site_name": "Điểm trường Khe Sâu",
    "is_main": False,
    "commune_code": SCHOOLS[0]["commune_code"],
    "address": "Khe Sâu",
    "latitude": 21.04,
    "longitude": 105.84,
}


def rich(fingerprint: str = "sha256:rich"):
    rows = nation(tuple({**row, **DETAILS} for row in SCHOOLS), fingerprint)
    return dataclasses.replace(rows, counts=(COUNT,), sites=(SITE,))


def load(rows) -> None:
    operations.load_nation(rows=rows, school_year=YEAR, by=None)


def state() -> tuple:
    school = School.objects.get(school_id=CODE)
    return (
        school.phone,
        school.data_at,
        list(school.sites.values_list("code", "name", "is_main")),
        sorted(school.enrolments.values_list("school_year", "grade", "n_students")),
    )


def test_contacts_sites_and_earlier_counts_come_in(db) -> None:
    load(rich())
    phone, data_at, sites, counts = state()
    assert (phone, data_at) == ("0501234567", datetime.date(2025, 10, 12))
    assert sites == [("01", "Điểm trường Khe Sâu", False)]
    assert [year for year, *_ in counts] == ["2024-2025", "2025-2026"]
    assert SchoolEnrolment.objects.filter(school_year="2024-2025").count() == 1


def test_the_same_details_under_another_fingerprint_change_nothing(db) -> None:
    load(rich())
    before = state()
    load(rich("sha256:again"))
    assert state() == before
    assert SchoolSite.objects.count() == 1


def test_a_load_without_details_leaves_them_as_they_are(db) -> None:
    load(rich())
    load(nation(SCHOOLS, "sha256:plain"))
    phone, _, sites, counts = state()
    assert phone == "0501234567"
    assert sites
    assert len(counts) == 2
