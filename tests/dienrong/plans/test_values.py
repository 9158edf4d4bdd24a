"""Values through the plans: the five persons of the definition, readings, forecast, gaps; schools in the field."""

from __future__ import annotations

import datetime

import pytest

from dienrong.capacity import operations as capacity
from dienrong.capacity.models import Certificate, Kind
from dienrong.capacity.operations import PostFacts
from dienrong.core.refusals import NotAllowed, SignInFirst
from dienrong.plans.definitions import UnknownIndicator, indicator_of
from dienrong.plans.models import Phase, Reading
from dienrong.plans.operations import targets as operations
from dienrong.plans.operations.refusals import NotNow, PlanRefusal
from dienrong.plans.queries import history, standing, values
from dienrong.plans.queries.access import NATION, Unit, find_unit
from dienrong.registry import operations as registry_operations
from dienrong.registry.operations import Decision, NewSchool
from small_capacity import (
    add,
    certificate_of,
    hold,
    issue,
    make_course,
    make_training,
    number_series,
    on,
    province,
    school,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry", "project")]
A, B, C, SOUTH = "01000001", "01000002", "01000003", "79000001"
TRAINED_ON = datetime.date(2026, 11, 24)
REVOKED_ON, MOVED_ON, MERGED_ON = (datetime.date(2026, 12, day) for day in (5, 7, 10))
DAY = datetime.date(2026, 12, 20)
ALL_SCHOOLS = {"only_participating": "no", "denominator": "register"}


@pytest.fixture
def phase() -> Phase:
    return Phase.objects.get(code="2022-2026")


@pytest.fixture
def course(ministry):
    return make_course(ministry, reach="national")


def train(course, people, by, *, code: str, day: datetime.date = TRAINED_ON, certify: bool = True):
    training = hold(make_training(course, by, organizer=None, code=code, days=(day, day)), people, by)
    if certify:
        number_series(by, None, day.year)
        issue(training, by)
    return training


@pytest.fixture
def five(ministry, course):
    """Trained not certified, certified twice, revoked, moved to the south, at a school merged away."""
    people = {
        name: add(number, by=ministry, at=school(code))
        for number, (name, code) in enumerate(
            {"trained": A, "twice": A, "revoked": A, "moved": A, "merged": B}.items(), start=1
        )
    }
    train(course, [people["trained"]], ministry, code="T", certify=False, day=datetime.date(2026, 11, 26))
    train(course, [people[name] for name in ("twice", "revoked", "moved", "merged")], ministry, code="C")
    train(course, [people["twice"]], ministry, code="C2", day=datetime.date(2026, 12, 1))
    with on(REVOKED_ON):
        capacity.revoke_certificate(
            certificate=certificate_of(people["revoked"]), reason="Cấp nhầm", decision="1/QĐ", by=ministry
        )
    with on(MOVED_ON):
        capacity.move_person(
            posting=people["moved"].postings.get(),
            post=PostFacts(kind=Kind.TEACHER, from_day=MOVED_ON, school=school(SOUTH)),
            by=ministry,
        )
    with on(MERGED_ON):
        registry_operations.merge_schools(
            schools=[school(A), school(B)],
            successor=NewSchool(code="01000099", name="Trường TH Ba Đình"),
            decision=Decision(on_date=MERGED_ON, number="12/QĐ"),
            by=ministry,
        )
    return people


def value(code, unit, day, phase, **choices):
    return values.value_of(code, unit, day, phase=phase, choices={**ALL_SCHOOLS, **choices})


def test_the_five_persons_count_as_the_definition_says(five, phase) -> None:
    north, south = province("01"), province("79")
    found = value("school_staff", north, DAY, phase)
    assert found.behind == {five["twice"].pk, five["merged"].pk}
    assert found.missing == {five["trained"].pk, five["revoked"].pk}
    assert (found.n_counted, found.n_all) == (2, 4)
    assert dict(found.sides) == {
        "trained_only": 2, "certified_twice": 1, "revoked": 1, "listed_beyond": 0, "undecided": 0,
    }  # fmt: skip
    assert value("school_staff", south, DAY, phase).behind == {five["moved"].pk}
    merged = school("01000099")
    assert value("school_staff", merged, DAY, phase).behind == {five["twice"].pk, five["merged"].pk}
    assert value("school_staff", school(B), DAY, phase).n_all == 0


def test_the_same_day_before_each_event(five, phase) -> None:
    north = province("01")
    eve = datetime.timedelta(days=1)
    before = value("school_staff", north, REVOKED_ON - eve, phase)
    assert (before.n_counted, before.n_all) == (4, 5)
    assert value("school_staff", north, REVOKED_ON, phase).n_counted == 3
    assert value("school_staff", north, MOVED_ON, phase).n_counted == 2
    assert value("school_staff", school(B), MERGED_ON - eve, phase).behind == {five["merged"].pk}


def test_trained_is_enough_only_where_the_reading_says_so(five, phase) -> None:
    north = province("01")
    assert value("school_staff", north, DAY, phase, measure="trained").n_counted == 4
    assert value("school_staff", north, datetime.date(2027, 2, 1), phase).n_counted == 0
    later = value("school_staff", north, datetime.date(2027, 2, 1), phase, period="cumulative")
    assert later.n_counted == 2


def test_a_number_by_raw_rows_is_the_same(five, phase) -> None:
    """Count without the queries of the room: raw rows of certificates, of people and where they are on the day."""
    holding = set()
    for certificate in Certificate.objects.all():
        is_given = certificate.issued_on.year == 2026 and certificate.issued_on <= DAY
        if is_given and not (certificate.revoked_on and certificate.revoked_on <= DAY):
            holding.add(certificate.person_id)
    lives_on = {A: "01", B: "01", C: "01", SOUTH: "79"}
    north = set()
    for person in five.values():
        for post in person.postings.all():
            holds = post.valid_from <= DAY and (post.valid_to is None or post.valid_to > DAY)
            if holds and lives_on[post.school.school_id] == "01":
                north.add(person.pk)
    found = value("school_staff", province("01"), DAY, phase)
    assert (found.n_counted, found.n_all) == (len(north & holding), len(north)) == (2, 4)


def test_the_state_hash_tells_who_stood_behind(five, phase) -> None:
    north = province("01")
    first = values.value_of("school_staff", north, DAY, phase=phase, choices=ALL_SCHOOLS, with_hash=True)
    again = values.value_of("school_staff", north, DAY, phase=phase, choices=ALL_SCHOOLS, with_hash=True)
    other = values.value_of(
        "school_staff", north, TRAINED_ON, phase=phase, choices=ALL_SCHOOLS, with_hash=True
    )
    assert first.state_hash == again.state_hash != other.state_hash
    assert first.definition_hash == other.definition_hash
    read_otherwise = value("school_staff", north, DAY, phase, measure="trained")
    assert read_otherwise.definition_hash != first.definition_hash


def test_how_many_are_missing_is_exact(five, phase) -> None:
    found = value("school_staff", province("01"), DAY, phase)
    assert [found.n_to_reach(share) for share in ("0.5", "0.51", "0.75", "1")] == [0, 1, 1, 2]
    assert (found.reaches("0.5"), found.reaches("0.5001")) == (True, False)


def test_nobody_reaches_nothing(phase) -> None:
    found = values.value_of("core_experts", province("79"), DAY, phase=phase)
    assert (found.n_all, found.share, found.reaches("0.0001")) == (0, None, False)
    assert standing.state_of(found, "1", None) == "unknown"


def test_every_reading_has_its_own_sentences() -> None:
    for code in ("school_staff", "core_experts", "participation", "programmes"):
        indicator = indicator_of(code)
        plain = indicator.chosen()
        for option in indicator.options:
            for answer, _word in option.choices[1:]:
                assert indicator.sentences({**plain, option.name: answer}) != indicator.sentences(plain), (
                    option.name
                )
    with pytest.raises(UnknownIndicator):
        indicator_of("wishes")
    with pytest.raises(UnknownIndicator):
        indicator_of("core_experts").chosen({"measure": "dreamt"})


def test_a_reading_holds_from_its_day_and_a_province_has_its_own(officer, ministry, stranger) -> None:
    north, south = province("01"), province("79")
    operations.set_reading(
        unit=None, indicator="core_experts", choices={"measure": "trained"}, reason="Công văn 1", by=ministry
    )
    operations.set_reading(
        unit=north, indicator="core_experts", choices={"period": "year"}, reason="Kế hoạch tỉnh", by=officer
    )
    today, yesterday = datetime.date(2026, 11, 22), datetime.date(2026, 11, 21)
    assert values.choices_on("core_experts", north, today)["period"] == "year"
    assert values.choices_on("core_experts", north, today)["measure"] == "certified"
    assert values.choices_on("core_experts", south, today)["measure"] == "trained"
    assert values.choices_on("core_experts", north, yesterday) == indicator_of("core_experts").chosen()
    with pytest.raises(NotNow):
        operations.set_reading(
            unit=north, indicator="core_experts", choices={"period": "year"}, reason="lại", by=officer
        )
    with pytest.raises(PlanRefusal):
        operations.set_reading(unit=north, indicator="core_experts", choices={}, reason=" ", by=officer)
    for somebody, unit in ((stranger, north), (officer, None), (officer, south)):
        with pytest.raises(NotAllowed):
            operations.set_reading(unit=unit, indicator="core_experts", choices={}, reason="x", by=somebody)
    assert Reading.objects.count() == 2


def test_nobody_sets_a_reading(registry) -> None:
    from django.contrib.auth.models import AnonymousUser

    with pytest.raises(SignInFirst):
        operations.set_reading(
            unit=None, indicator="core_experts", choices={}, reason="x", by=AnonymousUser()
        )
    assert Reading.objects.count() == 0


def test_pace_and_the_people_on_their_way(ministry, course, phase) -> None:
    """Ten experts from 5 January, two certified by 1 December (330 days): 30 days more give none, in whole people."""
    people = [add(number, by=ministry, at=province("01"), kind=Kind.CORE_EXPERT) for number in range(1, 11)]
    train(course, people[:2], ministry, code="C")
    waiting = hold(
        make_training(course, ministry, organizer=None, code="W", days=(datetime.date(2026, 11, 25),) * 2),
        people[2:5],
        ministry,
    )
    open_one = make_training(
        course, ministry, organizer=None, code="O", days=(datetime.date(2026, 12, 15),) * 2
    )
    late = make_training(course, ministry, organizer=None, code="L", days=(datetime.date(2027, 1, 15),) * 2)
    capacity.nominate(training=open_one, people=people[5:6], by=ministry)
    capacity.nominate(training=late, people=people[6:7], by=ministry)
    day = datetime.date(2026, 12, 1)
    found = values.value_of("core_experts", province("01"), day, phase=phase)
    seen = history.forecast(found, province("01"), phase)
    assert (found.n_counted, found.n_all) == (2, 10)
    assert seen.since == datetime.date(2026, 1, 5)
    assert seen.n_at_pace == 2 + (2 * 30) // 330
    assert history.on_the_way(found, seen.until) == {one.pk for one in people[2:6]}
    assert seen.n_if_enrolled == 6
    assert waiting.code == "W"
    over = values.value_of("core_experts", province("01"), phase.last_day, phase=phase)
    assert history.forecast(over, province("01"), phase) is None
    early = values.value_of("core_experts", province("01"), datetime.date(2026, 1, 20), phase=phase)
    assert history.forecast(early, province("01"), phase).n_at_pace is None


def test_quarters_and_months() -> None:
    day = datetime.date
    assert history.quarter_ends(day(2026, 1, 1), day(2026, 11, 22)) == [
        day(2026, 3, 31), day(2026, 6, 30), day(2026, 9, 30), day(2026, 11, 22),
    ]  # fmt: skip
    assert history.month_ends(day(2026, 1, 10), day(2026, 3, 5)) == [
        day(2026, 1, 31), day(2026, 2, 28), day(2026, 3, 5),
    ]  # fmt: skip
    assert history.month_ends(day(2026, 12, 1), day(2026, 12, 31)) == [day(2026, 12, 31)]
    assert len(history.month_ends(day(2022, 1, 1), day(2026, 12, 31))) == 12


def test_standing_names_the_next_act(ministry, officer, course, phase) -> None:
    people = [add(number, by=ministry, at=province("01"), kind=Kind.CORE_EXPERT) for number in range(1, 5)]
    unit = find_unit("province", "01")
    today = datetime.date(2026, 11, 22)

    def stand():
        rows = standing.stands_of(unit, phase, today, user=officer)
        return next(one for one in rows if one.aim.indicator.code == "core_experts")

    assert (stand().state, stand().n_missing, stand().gap) == ("behind", 4, 1.0)
    assert stand().act.url.endswith("/boi-duong/dot")
    make_training(course, ministry, organizer=None, code="O")
    assert "/cu" in stand().act.url
    assert "4" in stand().act.text
    assert standing.most_urgent(standing.stands_of(unit, phase, today, user=officer)) is not None
    assert len(people) == 4


def test_the_standing_of_a_school_leaves_out_what_is_the_departments(ministry, phase) -> None:
    rows = standing.stands_of(find_unit("school", A), phase, datetime.date(2026, 11, 22))
    assert "testing_staff" not in {one.aim.indicator.code for one in rows}
    nation = standing.stands_of(NATION, phase, datetime.date(2026, 11, 22))
    assert {one.aim.indicator.code for one in nation} >= {"testing_staff", "core_experts"}
    assert isinstance(NATION, Unit)
