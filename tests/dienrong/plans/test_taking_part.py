"""Schools in the field through the plans: full, replaced, left, open; of a day, of a province, by hand as well."""

from __future__ import annotations

import datetime

import pytest

from dienrong.fieldwork import operations
from dienrong.fieldwork.models import FieldSchool
from dienrong.plans.models import Phase
from dienrong.plans.queries import taking_part, values
from dienrong.registry.models import School, SchoolVersion
from dienrong.sampling.models import SampledSchool
from small_capacity import on, province
from small_fieldwork import DAYS, bring_to_selected, draw_plan, hold_test, load_schools, start

pytestmark = pytest.mark.django_db
TODAY = datetime.date(2026, 11, 22)
AFTER = datetime.date(2027, 3, 20)


@pytest.fixture
def fieldwork(db, ministry):
    from dienrong.plans.operations.documents import load_phases

    load_schools()
    load_phases(by=ministry)
    return start(draw_plan(), ministry)


@pytest.fixture
def phase(fieldwork) -> Phase:
    return Phase.objects.get(code="2027-2030")


def north() -> list[FieldSchool]:
    found = FieldSchool.objects.filter(school__province__code="01", sampled__role="original")
    return list(
        found.select_related("school__province", "school__commune", "sampled", "plan").order_by("number")
    )


def take_part(school: FieldSchool, by, *, first: int, conclude: bool) -> None:
    bring_to_selected(school, by, first=first)
    school.refresh_from_db()
    with on(DAYS.test_from):
        hold_test(school, by)
    if conclude:
        school.refresh_from_db()
        with on(datetime.date(2027, 3, 10)):
            operations.conclude_school(school=school, by=by)


def value(day, phase, code: str = "participation", **choices):
    return values.value_of(code, province("01"), day, phase=phase, choices=choices)


def test_full_is_concluded_or_tested_as_the_reading_says(fieldwork, phase, ministry) -> None:
    schools = north()
    take_part(schools[0], ministry, first=1, conclude=True)
    take_part(schools[1], ministry, first=200, conclude=False)
    found = value(AFTER, phase)
    assert (found.n_counted, found.n_all) == (1, 4)
    assert found.behind == {schools[0].sampled_id}
    assert value(AFTER, phase, full="tested").n_counted == 2
    assert value(datetime.date(2027, 3, 9), phase).n_counted == 0
    assert value(datetime.date(2027, 2, 28), phase, full="tested").n_counted == 0
    assert value(datetime.date(2026, 11, 20), phase).n_all == 0, "drawn on the 22nd"


def test_by_hand_from_raw_rows(fieldwork, phase, ministry) -> None:
    take_part(north()[0], ministry, first=1, conclude=True)
    drawn = SampledSchool.objects.filter(role="original", school__province__code="01")
    done = [
        one for one in drawn
        if FieldSchool.objects.filter(sampled=one, state="closed", participation_code=1).exists()
    ]  # fmt: skip
    found = value(AFTER, phase)
    assert (found.n_counted, found.n_all) == (len(done), drawn.count()) == (1, 4)


def test_declined_replaced_and_left(fieldwork, phase, ministry) -> None:
    schools = north()
    with on(datetime.date(2026, 12, 1)):
        operations.decline_school(school=schools[0], code=2, reason="Đang sửa chữa", by=ministry)
        operations.decline_school(school=schools[1], code=6, reason="Đã giải thể", by=ministry)
    assert (value(datetime.date(2026, 11, 30), phase).n_all, value(AFTER, phase).n_all) == (4, 3)
    assert dict(value(AFTER, phase).sides) == {"replaced": 0, "open": 2, "out": 1}
    schools[0].refresh_from_db()
    made = operations.call_replacement(school=schools[0], by=ministry)
    take_part(
        FieldSchool.objects.select_related("school__province", "school__commune", "plan").get(pk=made.pk),
        ministry,
        first=1,
        conclude=True,
    )
    found = value(AFTER, phase)
    assert (found.n_counted, found.n_all, found.sides["replaced"]) == (0, 3, 1)
    assert value(AFTER, phase, replaced="yes").n_counted == 1


def test_a_programme_counts_once_nothing_of_it_is_open(fieldwork, phase, ministry) -> None:
    schools = north()
    take_part(schools[0], ministry, first=1, conclude=True)
    assert (value(AFTER, phase, "programmes").n_counted, value(AFTER, phase, "programmes").n_all) == (0, 1)
    assert len(value(AFTER, phase, "programmes").missing) == 3
    for one in schools[1:]:
        operations.decline_school(school=one, code=2, reason="Đang sửa chữa", by=ministry)
    assert value(AFTER, phase, "programmes").n_counted == 1


def test_the_phase_and_the_year_of_the_tests_decide(fieldwork, phase) -> None:
    first = Phase.objects.get(code="2022-2026")
    assert value(AFTER, first).n_all == 0
    assert value(datetime.date(2028, 3, 1), phase, period="year").n_all == 0
    assert value(datetime.date(2028, 3, 1), phase).n_all == 4


def test_centers_in_or_out(fieldwork, phase) -> None:
    code = north()[0].school_id
    for kind in ("vocational_continuing", "inclusion"):
        School.objects.filter(pk=code).update(kind=kind)
        SchoolVersion.objects.filter(school=code).update(kind=kind)
        name = "with_inclusion" if kind == "inclusion" else "with_continuing"
        assert value(AFTER, phase).n_all == 4
        assert value(AFTER, phase, **{name: "no"}).n_all == 3


def test_the_other_province_has_its_own_schools(fieldwork, phase) -> None:
    choices = values.choices_on("participation", None, TODAY)
    turns = taking_part.collect(choices, phase, TODAY)
    assert len(turns.within(province("79"))) == 2
    assert len(turns.within(None)) == 6
