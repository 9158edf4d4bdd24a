"""What officers find in the demonstration: built once, found at the second start."""

from __future__ import annotations

import datetime

import pytest

from dienrong import demo_registry
from dienrong.accounts import operations as accounts
from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.registry.models import AdministrativeUnit, MergerBatch, School, SchoolEnrolment
from dienrong.rosters.models import StudentPlace, VaultEntry
from dienrong.scorecard.models import Finding

pytestmark = [pytest.mark.web, pytest.mark.django_db]
NOON = datetime.datetime(2026, 11, 22, 5, 0, tzinfo=datetime.UTC)
SEED, SIZE, YEAR = 2026, "small", "2025-2026"


@pytest.fixture
def expert(db):
    with clock.fixed(NOON):
        user = accounts.create_person(
            username="bo", full_name="Nguyễn Thị Minh", password="dien-rong-2026", by=None
        )
        accounts.assign_role(user=user, role="ministry_expert", unit_code="", unit_name="", by=None)
    return user


def build(expert) -> tuple:
    said: list[str] = []

    def say(text: str, _share: float) -> None:
        said.append(text)

    load = demo_registry.load_registry(seed=SEED, size=SIZE, school_year=YEAR, by=expert, say=say)
    school = School.objects.filter(enrolments__grade=5).order_by("school_id").first()
    listed = demo_registry.fill_rosters(
        commune_code=school.commune.code, seed=SEED, size=SIZE, school_year=YEAR, by=expert
    )
    batch = demo_registry.draft_mergers(province=school.province, by=expert)
    faults = demo_registry.check_data(loaded_at=load.loaded_at, by=expert, say=say)
    return school, listed, batch, faults, said


def test_officers_find_something_on_every_page_and_the_second_start_finds_it_done(expert) -> None:
    with clock.fixed(NOON):
        school, listed, batch, faults, said = build(expert)
        assert said
        before = AuditEntry.objects.count()
        again = build(expert)
    assert again[1:] == (listed, batch, faults, [])
    assert AuditEntry.objects.count() == before
    assert AdministrativeUnit.objects.filter(level="commune", valid_to__isnull=False).exists()
    years = set(SchoolEnrolment.objects.values_list("school_year", flat=True))
    assert years == {"2024-2025", "2025-2026", "2026-2027"}
    places = StudentPlace.objects.filter(school__commune=school.commune, school_year="2026-2027")
    assert listed == places.count() == VaultEntry.objects.count() > 50
    assert MergerBatch.objects.get().state == "draft"
    assert batch.lines.count() > 1
    own = set(Finding.objects.filter(school=school, is_open=True).values_list("rule", flat=True))
    assert {"phone_malformed", "coordinates_missing", "not_confirmed"} <= own
    assert 0.02 < faults / School.objects.count() < 0.4
    rules = Finding.objects.filter(is_open=True).values("rule").distinct().count()
    assert rules >= 8
