"""Rules of counting: trained, certified, twice, revoked, moved, merged, divided; each as its definition says."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from dienrong.capacity import operations, ports, queries
from dienrong.capacity.indicators import INDICATORS, Indicator, UnknownIndicator, indicator_of
from dienrong.capacity.models import Course, Kind
from dienrong.capacity.operations import PostFacts
from dienrong.capacity.queries import CannotCount
from dienrong.registry import operations as registry_operations
from dienrong.registry.operations import Decision, NewSchool
from small_capacity import (
    SINCE,
    add,
    certificate_of,
    commune,
    hold,
    issue,
    make_course,
    make_training,
    number_series,
    province,
    school,
)
from small_rosters import teacher

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]
A, B, C, SOUTH = "01000001", "01000002", "01000003", "79000001"
TRAINED_ON = datetime.date(2026, 11, 24)
DAY = datetime.date(2026, 12, 31)
TEACHERS = Indicator(code="teachers", title="", kinds=("teacher",), levels=("school",))
MERGED_ON = datetime.date(2026, 12, 10)


@pytest.fixture
def course(ministry) -> Course:
    return make_course(ministry, reach=Course.Reach.NATIONAL)


def train(course, people, by, *, code: str = "QG-1", day: datetime.date = TRAINED_ON, certify: bool = True):
    """Train people on one day; with certificates of the same day."""
    training = hold(make_training(course, by, organizer=None, code=code, days=(day, day)), people, by)
    if certify:
        number_series(by, None, day.year)
        issue(training, by)
    return training


def counts(unit=None, indicator=TEACHERS, day: datetime.date = DAY):
    found = queries.counts(indicator, unit, day)
    return found.n_counted, found.n_people


def test_trained_without_a_certificate_does_not_count_as_certified(ministry, course) -> None:
    trained, certified, neither = (add(number, by=ministry, at=school(A)) for number in (1, 2, 3))
    train(course, [certified], ministry)
    train(course, [trained], ministry, code="QG-2", certify=False, day=datetime.date(2026, 11, 26))
    found = queries.counts(TEACHERS, None, DAY)
    assert (found.n_counted, found.n_people, found.share) == (1, 3, 1 / 3)
    assert found.counted == {certified.pk}
    assert found.trained_only == {trained.pk}
    assert found.missing == {trained.pk, neither.pk}
    assert counts(indicator=dataclasses.replace(TEACHERS, measure="trained")) == (2, 3)


def test_certified_twice_counts_once(ministry, course) -> None:
    person = add(1, by=ministry, at=school(A))
    train(course, [person], ministry)
    train(course, [person], ministry, code="QG-2", day=datetime.date(2026, 12, 1))
    found = queries.counts(TEACHERS, None, DAY)
    assert (found.n_counted, found.n_people, found.certified_twice) == (1, 1, {person.pk})


def test_a_revoked_certificate_counts_until_the_day_before(ministry, course) -> None:
    person = add(1, by=ministry, at=school(A))
    train(course, [person], ministry)
    from small_capacity import on

    with on(datetime.date(2026, 12, 15)):
        operations.revoke_certificate(
            certificate=certificate_of(person), reason="Thi hộ", decision="1/QĐ", by=ministry
        )
    assert counts(day=datetime.date(2026, 12, 14)) == (1, 1)
    assert counts(day=datetime.date(2026, 12, 15)) == (0, 1)
    found = queries.counts(TEACHERS, None, DAY)
    assert (found.revoked, found.trained_only) == ({person.pk}, {person.pk})


def test_revoked_and_certified_anew_counts(ministry, course) -> None:
    person = add(1, by=ministry, at=school(A))
    first = train(course, [person], ministry)
    from small_capacity import on

    with on(datetime.date(2026, 12, 1)):
        operations.revoke_certificate(
            certificate=certificate_of(person, first), reason="Sai", decision="1/QĐ", by=ministry
        )
    train(course, [person], ministry, code="QG-2", day=datetime.date(2026, 12, 7))
    found = queries.counts(TEACHERS, None, DAY)
    assert (found.n_counted, found.certified_twice, found.revoked) == (1, frozenset(), {person.pk})


def test_before_training_and_before_the_post_nobody_counts(ministry, course) -> None:
    person = add(1, by=ministry, at=school(A))
    train(course, [person], ministry)
    assert counts(day=TRAINED_ON - datetime.timedelta(days=1)) == (0, 1)
    assert counts(day=TRAINED_ON) == (1, 1)
    assert counts(day=SINCE - datetime.timedelta(days=1)) == (0, 0)


def test_an_expired_certificate_no_longer_counts(ministry) -> None:
    course = make_course(ministry, valid_months=1)
    person = add(1, by=ministry, at=school(A))
    train(course, [person], ministry)
    assert counts(day=datetime.date(2026, 12, 23)) == (1, 1)
    assert counts(day=datetime.date(2026, 12, 24)) == (0, 1)


def test_yearly_and_cumulative(ministry, course) -> None:
    person = add(1, by=ministry, at=school(A))
    train(course, [person], ministry)
    yearly = dataclasses.replace(TEACHERS, period="year")
    next_year = datetime.date(2027, 3, 1)
    assert counts(indicator=yearly) == (1, 1)
    assert counts(indicator=yearly, day=next_year) == (0, 1)
    assert counts(day=next_year) == (1, 1)


def test_somebody_who_moves_takes_the_certificate_along(ministry, course) -> None:
    person = add(1, by=ministry, at=school(A))
    train(course, [person], ministry)
    moved_on = datetime.date(2026, 12, 1)
    operations.move_person(
        posting=person.postings.get(),
        post=PostFacts(kind=Kind.TEACHER, from_day=moved_on, school=school(SOUTH)),
        by=ministry,
    )
    eve = moved_on - datetime.timedelta(days=1)
    assert (counts(province("01"), day=eve), counts(province("79"), day=eve)) == ((1, 1), (0, 0))
    assert (counts(province("01")), counts(province("79"))) == ((0, 0), (1, 1))
    assert (counts(school(A), day=eve), counts(school(A)), counts(school(SOUTH))) == ((1, 1), (0, 0), (1, 1))


def test_a_school_merged_away_counts_in_its_successor_from_the_day_on(ministry, course) -> None:
    from_a, from_b = add(1, by=ministry, at=school(A)), add(2, by=ministry, at=school(B))
    train(course, [from_a], ministry)
    from small_capacity import on

    with on(MERGED_ON):
        merged = registry_operations.merge_schools(
            schools=[school(A), school(B)],
            successor=NewSchool(code="01000099", name="Trường TH Ba Đình"),
            decision=Decision(on_date=MERGED_ON, number="12/QĐ"),
            by=ministry,
        )
    eve = MERGED_ON - datetime.timedelta(days=1)
    assert (counts(school(A), day=eve), counts(school(B), day=eve), counts(merged, day=eve)) == (
        (1, 1),
        (0, 1),
        (0, 0),
    )
    assert (counts(school(A)), counts(school(B)), counts(merged)) == ((0, 0), (0, 0), (1, 2))
    assert counts(commune("00004")) == counts(province("01")) == counts() == (1, 2)
    assert from_b.pk in queries.counts(TEACHERS, merged, DAY).missing


def test_a_divided_school_counts_at_what_is_certain(ministry, course) -> None:
    person = add(1, by=ministry, at=school(A))
    train(course, [person], ministry)
    from small_capacity import on

    parts = [
        (NewSchool(code="01000097", name="Trường TH Một"), {5: (60, 2)}),
        (NewSchool(code="01000098", name="Trường TH Hai", commune=commune("00008")), {5: (60, 2)}),
    ]
    with on(MERGED_ON):
        registry_operations.split_school(
            school=school(A), parts=parts, decision=Decision(on_date=MERGED_ON, number="1/QĐ"), by=ministry
        )
    found = queries.counts(TEACHERS, province("01"), DAY)
    assert (found.n_counted, found.n_people, found.n_undecided) == (1, 1, 1)
    assert counts(commune("00004")) == counts(commune("00008")) == (0, 0)
    assert counts(school("01000097")) == counts(school("01000098")) == (0, 0)


def test_a_merged_province_counts_where_it_lives_on(ministry, course) -> None:
    """Bạc Liêu ended on 2025-07-01 and lives on in Cà Mau; a core expert of its department counts there."""
    from dienrong.registry.models import AdministrativeUnit, UnitSuccession

    old = AdministrativeUnit.objects.create(
        level="province", code="95", kind="province", name="Bạc Liêu", full_name="Tỉnh Bạc Liêu",
        valid_from=datetime.date(2004, 1, 1), valid_to=datetime.date(2025, 7, 1), search_key="bac lieu",
    )  # fmt: skip
    new = province("79")
    UnitSuccession.objects.create(predecessor=old, successor=new, on_date=datetime.date(2025, 7, 1))
    person = operations.add_person(
        facts=operations.PersonFacts(staff_code="BL000001", full_name="Trần Văn Út"),
        post=PostFacts(kind=Kind.CORE_EXPERT, from_day=datetime.date(2024, 10, 1), unit=old),
        by=ministry,
    )
    train(course, [person], ministry)
    assert counts(new, "core_experts") == (1, 1)
    assert counts(province("01"), "core_experts") == (0, 0)
    assert counts(old, "core_experts", datetime.date(2025, 1, 1)) == (0, 1)
    assert counts(old, "core_experts") == (0, 0)


def test_two_posts_of_one_person_count_once(ministry, course) -> None:
    person = add(1, by=ministry, at=school(A))
    operations.give_post(
        person=person, post=PostFacts(kind=Kind.MANAGER, from_day=SINCE, school=school(A)), by=ministry
    )
    operations.give_post(
        person=person, post=PostFacts(kind=Kind.TEACHER, from_day=SINCE, school=school(B)), by=ministry
    )
    train(course, [person], ministry)
    both = dataclasses.replace(TEACHERS, kinds=("teacher", "manager"))
    assert counts(indicator=both) == counts(province("01"), both) == (1, 1)
    assert counts(school(A), both) == counts(school(B), both) == (1, 1)


def test_continuing_and_inclusion_centers_in_or_out(ministry) -> None:
    from dienrong.registry.models import School, SchoolVersion

    for code, kind in ((B, "vocational_continuing"), (C, "inclusion")):
        School.objects.filter(school_id=code).update(kind=kind)
        SchoolVersion.objects.filter(school__school_id=code).update(kind=kind)
    for number, code in enumerate((A, B, C), start=1):
        add(number, by=ministry, at=school(code))
    readings = {
        (True, True): 3, (False, True): 2, (True, False): 2, (False, False): 1,
    }  # fmt: skip
    for (continuing, inclusion), expected in readings.items():
        reading = dataclasses.replace(TEACHERS, with_continuing=continuing, with_inclusion=inclusion)
        assert counts(indicator=reading) == (0, expected)


def test_only_schools_that_take_part(ministry, course, monkeypatch) -> None:
    inside, outside = add(1, by=ministry, at=school(A)), add(2, by=ministry, at=school(C))
    train(course, [inside, outside], ministry)
    reading = dataclasses.replace(TEACHERS, only_participating=True)
    asked = []

    def told(first, last):
        asked.append((first, last))
        return {school(A).pk}

    monkeypatch.setattr(ports, "_participation", [told])
    assert counts(indicator=reading) == counts(province("01"), reading) == (1, 1)
    assert set(asked) == {(datetime.date(2026, 1, 1), DAY)}
    monkeypatch.setattr(ports, "_participation", [])
    with pytest.raises(CannotCount):
        counts(indicator=reading)


def test_staff_lists_show_people_beyond_the_register(ministry, course) -> None:
    from dienrong.rosters import operations as rosters
    from dienrong.rosters import queries as lists
    from small_rosters import NATION

    person = add(1, by=ministry, at=school(A))
    train(course, [person], ministry)
    rows = [teacher(number, school_id=A) for number in (1, 2, 3)] + [teacher(4, school_id=C)]
    for row in rows:
        row["personal_id"] = f"001080{int(row['staff_code'][2:]):06d}"
    changes = lists.compare_staff(list(enumerate(rows, start=3)), scope=NATION, school_year="2026-2027")
    assert len(rosters.write_staff(changes, by=None, school_year="2026-2027")) == 4
    by_list = dataclasses.replace(TEACHERS, denominator="staff_lists")
    found = queries.counts(TEACHERS, province("01"), DAY)
    assert (found.n_people, found.n_listed_beyond) == (1, 3)
    assert counts(province("01"), by_list) == (1, 4)
    assert counts(school(A), by_list) == (1, 3)
    assert counts(province("79"), by_list) == (0, 0)
    add(2, by=ministry, at=school(C))
    add(3, by=ministry, at=school(C))  # the register knows more than the list: the register decides there
    assert counts(school(C), by_list) == (0, 2)
    assert counts(province("01"), by_list) == (1, 5)


def test_topics_that_do_not_count(ministry) -> None:
    other = make_course(ministry, topic=Course.Topic.QUALITY)
    person = add(1, by=ministry, at=school(A))
    train(other, [person], ministry)
    assert counts() == (0, 1)
    assert counts(indicator=dataclasses.replace(TEACHERS, topics=())) == (1, 1)


def test_provinces_add_up_to_the_country(ministry, course) -> None:
    people = [
        add(number, by=ministry, at=school(code)) for number, code in enumerate((A, B, C, SOUTH), start=1)
    ]
    train(course, people[1:], ministry)
    by_province = queries.counts_by_province(TEACHERS, DAY)
    assert {code: (one.n_counted, one.n_people) for code, one in by_province.items()} == {
        "01": (2, 3),
        "79": (1, 1),
    }
    assert counts() == (3, 4)


@pytest.mark.parametrize(
    ("counted", "people", "target", "more"),
    [
        (0, 3, 0.5, 2),
        (1, 3, 0.5, 1),
        (2, 3, 0.5, 0),
        (0, 10, 0.3, 3),
        (0, 0, 1.0, 0),
        (7, 7, 1.0, 0),
        (6, 7, 1.0, 1),
    ],
)
def test_how_many_are_missing_to_a_target(counted, people, target, more) -> None:
    found = queries.Counts(
        indicator=TEACHERS, day=DAY, people=frozenset(range(people)), counted=frozenset(range(counted)),
        trained_only=frozenset(), certified_twice=frozenset(), revoked=frozenset(), n_listed_beyond=0, n_undecided=0,
    )  # fmt: skip
    assert found.n_to_reach(target) == more


def test_every_definition_stands_in_words_and_readings_differ() -> None:
    for one in INDICATORS.values():
        assert len(one.sentences) >= 4
        assert all(len(sentence) > 20 for sentence in one.sentences)
    school_staff = INDICATORS["school_staff"]
    other = dataclasses.replace(
        school_staff, with_continuing=False, denominator="register", measure="trained"
    )
    assert len(set(school_staff.sentences) ^ set(other.sentences)) == 8  # four sentences each
    with pytest.raises(UnknownIndicator):
        indicator_of("khong-co")
    with pytest.raises(ValueError, match="measure"):
        dataclasses.replace(school_staff, measure="sure")


def test_counting_takes_as_many_queries_whatever_the_number_of_people(ministry, course) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def n_queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            queries.counts_by_province(TEACHERS, DAY)
        return len(seen)

    add(1, by=ministry, at=school(A))
    few = n_queries()
    for number in range(2, 8):
        add(number, by=ministry, at=school((A, B, C)[number % 3]))
    assert n_queries() <= few <= 10
