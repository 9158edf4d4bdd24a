"""The small registry, and a country of four schools in good order."""

from __future__ import annotations

import datetime

import pytest

from dienrong.core.text import search_key, sort_key
from dienrong.registry.models import AdministrativeUnit, School, SchoolEnrolment
from small_cycle import registry

__all__ = ["registry"]
DAY = datetime.date(2026, 11, 22)
YEAR, YEAR_BEFORE = "2026-2027", "2025-2026"
HOA_BINH, NGUYEN_TRAI, DUC_THANG, SOUTH = "01000001", "01000002", "01000003", "79000001"
GRADES = {"TH": range(1, 6), "THCS": range(6, 10)}


def fill(school: School, number: int) -> None:
    """Give a school everything that the rules ask for, and counts of two years."""
    School.objects.filter(pk=school.pk).update(
        area="urban",
        boarding="none",
        address=f"Số {number}, phố Hòa Bình",
        phone=f"024382345{number:02d}",
        email=f"truong{number}@vidu.edu.vn",
        latitude=21 + number / 1000,
        longitude=105 + number / 1000,
        founded_date=datetime.date(1990, 9, 5),
        data_at=datetime.date(2026, 10, 1),
        confirmed_at=datetime.datetime(2026, 10, 5, 3, 0, tzinfo=datetime.UTC),
        search_key=search_key(f"{school.name} {school.school_id}"),
        sort_key=sort_key(school.name),
    )
    SchoolEnrolment.objects.filter(school=school).delete()
    SchoolEnrolment.objects.bulk_create(
        SchoolEnrolment(
            school=school,
            school_year=year,
            grade=grade,
            n_students=100 + grade,
            n_classes=3,
            counted_on=datetime.date(int(year[:4]), 10, 1),
        )
        for year in (YEAR, YEAR_BEFORE)
        for grade in GRADES[school.levels]
    )


@pytest.fixture
def good(registry, noon) -> dict[str, School]:
    """Four schools of two provinces without a fault, by their codes."""
    AdministrativeUnit.objects.filter(level="commune").update(kind="ward")
    School.objects.filter(school_id=DUC_THANG).update(levels="THCS")
    for number, school in enumerate(School.objects.order_by("school_id"), start=1):
        fill(school, number)
    return {school.school_id: school for school in School.objects.all()}
