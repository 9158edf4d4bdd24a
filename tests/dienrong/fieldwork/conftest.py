"""A registry of two provinces, a drawn plan and its fieldwork, on 22 November 2026."""

from __future__ import annotations

import pytest

from dienrong.fieldwork.models import FieldSchool, Fieldwork
from dienrong.sampling.models import Plan
from small_fieldwork import draw_plan, load_schools, start


@pytest.fixture(autouse=True)
def still_clock(noon) -> None:
    """Every test is on 22 November 2026."""


@pytest.fixture
def plan(db) -> Plan:
    """A drawn plan: four schools of the north, two of the south, each with replacements."""
    load_schools()
    return draw_plan()


@pytest.fixture
def fieldwork(plan, ministry) -> Fieldwork:
    """The fieldwork of the plan, just begun."""
    return start(plan, ministry)


@pytest.fixture
def school(fieldwork) -> FieldSchool:
    """The first sampled school of the north."""
    return FieldSchool.objects.select_related("school__province", "school__commune").get(
        pk=FieldSchool.objects.filter(school__province__code="01").order_by("number").first().pk
    )


@pytest.fixture
def own_coordinator(school):
    """The coordinator of that school."""
    from dienrong.accounts import operations as accounts

    person = accounts.create_person(
        username="dieu-phoi", full_name="Giàng A Páo", password="dien-rong-2026", by=None
    )
    accounts.assign_role(
        user=person, role="school_coordinator", unit_code=school.school.school_id, unit_name="", by=None
    )
    return person


@pytest.fixture
def administrator(school):
    """A test administrator of that school."""
    from dienrong.accounts import operations as accounts

    person = accounts.create_person(
        username="coi-thi", full_name="Lê Quang Đức", password="dien-rong-2026", by=None
    )
    accounts.assign_role(
        user=person, role="test_administrator", unit_code=school.school.school_id, unit_name="", by=None
    )
    return person
