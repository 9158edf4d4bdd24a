"""The demonstration finds its plans: one drawn, one draft, at every size, once."""

from __future__ import annotations

import datetime

import pytest

from dienrong import demo_sampling
from dienrong.audit.models import AuditEntry
from dienrong.sampling import outputs, queries
from dienrong.sampling.models import Plan, SampledSchool
from sampling_moments import YEAR
from small_cycle import nation

pytestmark = pytest.mark.django_db
FACTS = {"school_year": YEAR, "frame_date": datetime.date(2026, 11, 22)}


def test_one_plan_is_drawn_and_one_is_a_draft(cycle, country, ministry) -> None:
    drawn, draft = demo_sampling.make_plans(cycle=cycle, by=ministry, **FACTS)
    plan = queries.plan_by_pk(drawn.pk)
    assert plan.state == "drawn"
    assert outputs.verification_of(plan).is_repeated
    assert SampledSchool.objects.filter(draw=plan.draw, role="original").count() == 16
    assert Plan.objects.get(pk=draft.pk).state == "draft"
    before = AuditEntry.objects.count()
    again = demo_sampling.make_plans(cycle=cycle, by=ministry, **FACTS)
    assert [one.pk for one in again] == [drawn.pk, draft.pk]
    assert AuditEntry.objects.count() == before


def test_four_schools_are_enough(cycle, at_noon, ministry) -> None:
    from dienrong.registry import operations as registry_operations

    registry_operations.load_nation(rows=nation(), school_year=YEAR, by=None)
    drawn, _draft = demo_sampling.make_plans(cycle=cycle, by=ministry, **FACTS)
    plan = queries.plan_by_pk(drawn.pk)
    assert (plan.frame.n_schools, queries.counts_of(plan.draw)["original"]) == (3, 2)
