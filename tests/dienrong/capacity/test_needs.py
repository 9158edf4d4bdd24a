"""Required against available people of a cycle, by the fieldwork's own words; and conflicts of administrators."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from dienrong.accounts import operations as accounts
from dienrong.capacity import operations, ports, queries
from dienrong.capacity.models import Course, Kind, Person
from dienrong.capacity.operations import CapacityRefusal, NormFacts, NotNow
from dienrong.capacity.queries.planning import allowances_on, capacity_of, needed, norms_of, totals
from dienrong.core.refusals import NotAllowed
from dienrong.fieldwork import operations as field
from dienrong.fieldwork.models import FieldSchool
from dienrong.fieldwork.operations.refusals import NotNow as FieldNotNow
from dienrong.fieldwork.operations.sessions import SessionFacts
from dienrong.registry.models import School
from small_capacity import TODAY, add, hold, issue, make_course, make_training, number_series, province
from small_fieldwork import DAYS, N_STUDENTS, bring_to_selected, draw_plan, load_schools, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(db):
    """A drawn plan: four schools of the north, two of the south."""
    load_schools()
    return draw_plan()


@pytest.fixture
def fieldwork(plan, ministry):
    return start(plan, ministry)


def set_norm(by, kind: str, n_people: int, per: str, n_work: int = 1, n_days: str = "1", cycle=None):
    facts = NormFacts(
        kind=kind, n_people=n_people, per=per, n_work=n_work, n_days=Decimal(n_days), cycle=cycle
    )
    return operations.set_norm(facts=facts, by=by)


@pytest.mark.parametrize(
    ("per", "n_people", "n_work", "expected"),
    [
        ("school", 2, 3, 6),  # seven schools are three groups of three
        ("school", 1, 7, 1),
        ("sitting", 2, 1, 18),
        ("student", 1, 100, 3),
        ("province", 4, 1, 4),
        ("school", 0, 1, 0),
    ],
)
def test_a_norm_rounds_work_up(ministry, per, n_people, n_work, expected) -> None:
    norm = set_norm(ministry, "coder", n_people, per, n_work)
    assert needed(norm, ports.Work(n_schools=7, n_sittings=9, n_students=201)) == expected
    assert needed(norm, ports.Work()) == 0


def test_needs_follow_from_the_drawn_sample_before_the_fieldwork(plan, ministry) -> None:
    work = ports.work_of(plan.cycle)
    assert work is not None
    assert {code: (one.n_schools, one.n_sittings, one.n_students) for code, one in work.items()} == {
        "01": (4, 4, 4 * N_STUDENTS),
        "79": (2, 2, 2 * N_STUDENTS),
    }


def test_needs_by_province_and_what_they_are_paid(plan, ministry) -> None:
    set_norm(ministry, "test_administrator", 2, "sitting", n_days="1.5")
    set_norm(ministry, "monitor", 1, "school", 3, n_days="2")
    operations.set_allowance(
        kind="test_administrator",
        amount=300_000,
        legal_basis="NQ 01",
        from_day=datetime.date(2026, 1, 1),
        by=ministry,
    )
    home = School.objects.filter(province__code="01").order_by("school_id").first()
    people = [add(number, by=ministry, at=home, kind=Kind.TEST_ADMINISTRATOR) for number in (1, 2, 3)]
    course = make_course(ministry, reach=Course.Reach.NATIONAL, topic=Course.Topic.FIELDWORK)
    training = hold(make_training(course, ministry, organizer=None), people[:2], ministry)
    number_series(ministry, None)
    issue(training, ministry)
    rows = {(one.province_code, one.kind): one for one in capacity_of(plan.cycle, training.last_day)}
    north = rows["01", "test_administrator"]
    assert (north.n_needed, north.n_people, north.n_certified, north.n_missing) == (8, 3, 2, 6)
    assert (north.person_days, north.amount) == (Decimal("12.0"), Decimal(3_600_000))
    south = rows["79", "monitor"]
    assert (south.n_needed, south.n_people, south.n_missing, south.amount) == (1, 0, 1, None)
    sums = {one["kind_word"]: one for one in totals(list(rows.values()))}
    assert [one["n_needed"] for one in sums.values()] == [1 + 2, 8 + 4]
    own = capacity_of(plan.cycle, TODAY, frozenset({"79"}))
    assert {one.province_code for one in own} == {"79"}


def test_a_cycles_own_norm_goes_before_the_general_one(plan, ministry) -> None:
    set_norm(ministry, "coder", 1, "student", 100)
    set_norm(ministry, "coder", 1, "student", 10, cycle=plan.cycle)
    assert norms_of(plan.cycle)["coder"].n_work == 10


def test_an_allowance_holds_from_a_day(ministry, officer) -> None:
    with pytest.raises(NotAllowed):
        operations.set_allowance(
            kind="coder", amount=1, legal_basis="x", from_day=datetime.date(2026, 1, 1), by=officer
        )
    with pytest.raises(NotAllowed):
        set_norm(officer, "coder", 1, "student")
    with pytest.raises(CapacityRefusal):
        operations.set_allowance(
            kind="coder", amount=1, legal_basis=" ", from_day=datetime.date(2026, 1, 1), by=ministry
        )
    for amount, day in ((100, datetime.date(2026, 1, 1)), (200, datetime.date(2026, 7, 1))):
        operations.set_allowance(kind="coder", amount=amount, legal_basis="NQ", from_day=day, by=ministry)
    assert allowances_on(datetime.date(2026, 6, 30))["coder"].amount == 100
    assert allowances_on(datetime.date(2026, 7, 1))["coder"].amount == 200
    with pytest.raises(NotNow):
        operations.set_allowance(
            kind="coder", amount=3, legal_basis="NQ", from_day=datetime.date(2026, 5, 1), by=ministry
        )


def test_schools_that_take_part_are_those_in_the_field(fieldwork, ministry) -> None:
    """Sampled schools count from the letter on until they decline; the tests of this plan are in 2027."""
    told = ports.participating_schools(datetime.date(2027, 1, 1), datetime.date(2027, 3, 1))
    field_schools = FieldSchool.objects.filter(plan=fieldwork.plan)
    assert told == set(field_schools.values_list("school_id", flat=True))
    assert ports.participating_schools(datetime.date(2026, 1, 1), datetime.date(2026, 12, 31)) == set()
    one = field_schools.first()
    field.decline_school(school=one, code=2, reason="Sửa chữa", by=ministry)
    told = ports.participating_schools(datetime.date(2027, 1, 1), datetime.date(2027, 3, 1))
    assert one.school_id not in (told or set())


def test_the_indicator_of_schools_counts_those_in_the_field(fieldwork, ministry) -> None:
    inside = FieldSchool.objects.filter(plan=fieldwork.plan).select_related("school").first().school
    outside = School.objects.exclude(
        pk__in=FieldSchool.objects.filter(plan=fieldwork.plan).values("school")
    ).first()
    add(1, by=ministry, at=inside)
    add(2, by=ministry, at=outside)
    found = queries.counts("school_staff", None, datetime.date(2027, 3, 1))
    assert (found.n_counted, found.n_people) == (0, 1)


@pytest.fixture
def sessions(fieldwork, ministry):
    """Two schools with people selected, and an administrator of both."""
    schools = list(
        FieldSchool.objects.filter(plan=fieldwork.plan, school__province__code="01")
        .select_related("school__province", "school__commune")
        .order_by("number")[:2]
    )
    administrator = accounts.create_person(
        username="coi-hai", full_name="Lê Quang Đức", password="dien-rong-2026", by=None
    )
    for place, one in enumerate(schools):
        bring_to_selected(one, ministry, first=1 + 100 * place)
        one.refresh_from_db()
        accounts.assign_role(
            user=administrator,
            role="test_administrator",
            unit_code=one.school.school_id,
            unit_name="",
            by=None,
        )
    return schools, administrator


def test_an_administrator_is_not_at_two_schools_on_one_day(sessions, ministry) -> None:
    (first, second), administrator = sessions
    facts = SessionFacts(on_date=DAYS.test_from, administrator=administrator)
    field.plan_session(school=first, facts=facts, is_make_up=False, by=ministry)
    with pytest.raises(FieldNotNow, match=first.sampled.name):
        field.plan_session(school=second, facts=facts, is_make_up=False, by=ministry)
    later = SessionFacts(on_date=DAYS.test_from + datetime.timedelta(days=1), administrator=administrator)
    field.plan_session(school=second, facts=later, is_make_up=False, by=ministry)


def test_an_administrator_who_is_away_or_in_training_is_not_free(sessions, ministry) -> None:
    (first, _second), administrator = sessions
    person = add(1, by=ministry, at=first.school, kind=Kind.TEST_ADMINISTRATOR)
    Person.objects.filter(pk=person.pk).update(account=administrator)
    operations.record_absence(
        person=person, first_day=DAYS.test_from, last_day=DAYS.test_from, reason="Nghỉ phép", by=ministry
    )
    facts = SessionFacts(on_date=DAYS.test_from, administrator=administrator)
    with pytest.raises(FieldNotNow, match="Nghỉ phép"):
        field.plan_session(school=first, facts=facts, is_make_up=False, by=ministry)
    later = SessionFacts(on_date=DAYS.test_from + datetime.timedelta(days=1), administrator=administrator)
    field.plan_session(school=first, facts=later, is_make_up=False, by=ministry)
    person.refresh_from_db()
    duties = queries.hindrances_of([person], later.on_date, later.on_date)
    assert [one.kind for one in duties[person.pk]] == ["duty"]
    training = make_training(
        make_course(ministry), ministry, organizer=province("01"), days=(later.on_date, later.on_date)
    )
    with pytest.raises(NotNow):
        operations.nominate(training=training, people=[person], by=ministry)


def test_nobody_tells_and_nothing_is_made_up(plan, monkeypatch) -> None:
    monkeypatch.setattr(ports, "_work", [])
    with pytest.raises(queries.CannotCount):
        capacity_of(plan.cycle, TODAY)
