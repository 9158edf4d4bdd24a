"""People of the register: added, found again, posted, moved; who may, and what the stranger is told."""

from __future__ import annotations

import datetime

import pytest
from django.db import IntegrityError, transaction

from dienrong.audit.models import AuditEntry
from dienrong.capacity import operations, queries
from dienrong.capacity.models import Competence, Kind, Person, Posting
from dienrong.capacity.operations import CapacityRefusal, NotNow, PersonFacts, PostFacts, TwinFound
from dienrong.capacity.queries import access, places
from dienrong.capacity.queries.people import (
    PeopleFilter,
    birth_date_of,
    divided_postings,
    find_people,
    hindrances_of,
)
from dienrong.core.refusals import NotAllowed
from dienrong.registry import operations as registry_operations
from dienrong.registry.operations import Decision, NewSchool
from small_capacity import (
    BIRTH,
    NAMES,
    SINCE,
    TODAY,
    add,
    commune,
    make_course,
    make_training,
    on,
    province,
    school,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]
A, B, C, SOUTH = "01000001", "01000002", "01000003", "79000001"
MERGED_ON = datetime.date(2026, 7, 1)
DECISION = Decision(on_date=MERGED_ON, number="12/QĐ-UBND", signed_on=datetime.date(2026, 6, 15))


def names(user, **narrowed) -> list[str]:
    return [one.full_name for one in find_people(user, PeopleFilter(**narrowed))]


def facts(code: str = "CB900001", name: str = "Nguyễn Thị Ánh", birth=BIRTH) -> PersonFacts:
    return PersonFacts(staff_code=code, full_name=name, birth_date=birth)


def post(at=None, kind: str = Kind.TEACHER, day: datetime.date = SINCE) -> PostFacts:
    is_school = at is not None and hasattr(at, "school_id")
    return PostFacts(
        kind=kind, from_day=day, school=at if is_school else None, unit=None if is_school else at
    )


def test_somebody_is_put_into_the_register_with_a_sealed_birth_date(coordinator) -> None:
    made = operations.add_person(facts=facts(), post=post(school(A)), by=coordinator)
    kept = Person.objects.get(pk=made.pk)
    assert (kept.full_name, kept.staff_code) == ("Nguyễn Thị Ánh", "CB900001")
    assert b"1985" not in bytes(kept.sealed_birth_date)
    assert birth_date_of(kept.sealed_birth_date) == BIRTH
    held = kept.postings.get()
    assert (held.level, held.school.school_id, held.valid_to) == ("school", A, None)
    actions = set(AuditEntry.objects.filter(object_id=str(made.pk)).values_list("action", flat=True))
    assert {"capacity.person_added", "capacity.posted"} <= actions
    assert BIRTH.isoformat() not in str(list(AuditEntry.objects.values_list("after", flat=True)))


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"staff_code": "1"}, "3 to 30"),
        ({"full_name": "Ánh"}, "full name"),
        ({"full_name": "Ánh 123"}, "full name"),
        ({"birth_date": datetime.date(2020, 1, 1)}, "day of birth"),
        ({"birth_date": datetime.date(1900, 1, 1)}, "day of birth"),
    ],
)
def test_what_cannot_be_is_refused_with_a_way_out(ministry, changed, word) -> None:
    from django.utils import translation

    base = {"staff_code": "CB900001", "full_name": "Nguyễn Thị Ánh", "birth_date": BIRTH}
    with translation.override("en"), pytest.raises(CapacityRefusal, match=word) as caught:
        operations.add_person(facts=PersonFacts(**(base | changed)), post=post(school(A)), by=ministry)
    assert caught.value.hint
    assert not Person.objects.exists()


def test_a_staff_code_stands_once_and_a_twin_is_asked_about(ministry) -> None:
    operations.add_person(facts=facts(), post=post(school(A)), by=ministry)
    with pytest.raises(CapacityRefusal):
        operations.add_person(facts=facts(name="Trần Văn Đức"), post=post(school(A)), by=ministry)
    twin = facts(code="CB900002", name="NGUYỄN THỊ ÁNH")
    with pytest.raises(TwinFound):
        operations.add_person(facts=twin, post=post(school(B)), by=ministry)
    operations.add_person(facts=twin, post=post(school(B)), by=ministry, is_another=True)
    assert Person.objects.count() == 2


def test_a_teacher_works_at_a_school_and_testing_staff_at_an_office(ministry) -> None:
    with pytest.raises(CapacityRefusal):
        operations.add_person(facts=facts(), post=post(province("01")), by=ministry)
    with pytest.raises(CapacityRefusal):
        operations.add_person(facts=facts(), post=post(school(A), Kind.TESTING_STAFF), by=ministry)


def test_who_sees_whom(
    ministry, officer, commune_officer, coordinator, stranger, researcher, newcomer
) -> None:
    add(1, by=ministry, at=school(A), name="Người Trường Một")
    add(2, by=ministry, at=school(C), name="Người Trường Ba")
    add(3, by=ministry, at=commune("00004"), kind=Kind.MANAGER, name="Người Phường")
    add(4, by=ministry, at=province("01"), kind=Kind.CORE_EXPERT, name="Người Sở")
    add(5, by=ministry, kind=Kind.CORE_EXPERT, name="Người Bộ")
    add(6, by=ministry, at=school(SOUTH), name="Người Nam")
    seen = {
        "ministry": set(names(ministry)),
        "officer": set(names(officer)),
        "commune": set(names(commune_officer)),
        "coordinator": set(names(coordinator)),
        "stranger": set(names(stranger)),
    }
    assert len(seen["ministry"]) == 6
    assert seen["officer"] == {"Người Trường Một", "Người Trường Ba", "Người Phường", "Người Sở"}
    assert seen["commune"] == {"Người Trường Một", "Người Phường"}
    assert seen["coordinator"] == {"Người Trường Một"}
    assert seen["stranger"] == {"Người Nam"}
    assert names(researcher) == names(newcomer) == []


def test_a_stranger_changes_nobody(ministry, stranger, coordinator, researcher) -> None:
    person = add(1, by=ministry, at=school(A))
    held = person.postings.get()
    for user in (stranger, researcher):
        with pytest.raises(NotAllowed):
            operations.add_person(facts=facts(), post=post(school(A)), by=user)
        with pytest.raises(NotAllowed):
            operations.change_person(person=person, facts=facts(), account=None, by=user)
        with pytest.raises(NotAllowed):
            operations.end_post(posting=held, last_day=TODAY, by=user)
        with pytest.raises(NotAllowed):
            operations.give_post(person=person, post=post(school(A), Kind.CODER), by=user)
        with pytest.raises(NotAllowed):
            operations.record_absence(person=person, first_day=TODAY, last_day=TODAY, reason="phép", by=user)
        with pytest.raises(NotAllowed):
            operations.record_competence(
                person=person, area="coding", grade=1, ground="x", valid_to=None, by=user
            )
    with pytest.raises(NotAllowed):  # a school cannot send its people to another school
        operations.move_person(posting=held, post=post(school(B), day=TODAY), by=coordinator)
    assert Posting.objects.get().valid_to is None


def test_a_move_leaves_no_day_without_a_post_and_none_with_two(officer, ministry) -> None:
    person = add(1, by=ministry, at=school(A))
    day = datetime.date(2026, 9, 1)
    operations.move_person(posting=person.postings.get(), post=post(school(C), day=day), by=officer)
    for asked, expected in ((SINCE, A), (day - datetime.timedelta(days=1), A), (day, C), (TODAY, C)):
        held = [
            one
            for one in person.postings.all()
            if one.valid_from <= asked and (one.valid_to is None or one.valid_to > asked)
        ]
        assert [one.school.school_id for one in held] == [expected]
    old = person.postings.get(school__school_id=A)
    with pytest.raises(NotNow):
        operations.move_person(posting=old, post=post(school(B), day=TODAY), by=officer)


def test_a_post_cannot_end_before_it_begins_or_be_given_twice(ministry) -> None:
    person = add(1, by=ministry, at=school(A))
    with pytest.raises(NotNow):
        operations.end_post(
            posting=person.postings.get(), last_day=SINCE - datetime.timedelta(days=5), by=ministry
        )
    with pytest.raises(NotNow):
        operations.give_post(person=person, post=post(school(A), day=TODAY), by=ministry)
    with pytest.raises(IntegrityError), transaction.atomic():
        Posting.objects.create(
            person=person, kind="teacher", level="school", school=school(A), valid_from=TODAY, valid_to=SINCE
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Posting.objects.create(person=person, kind="teacher", level="school", valid_from=TODAY)


def test_people_of_a_merged_school_belong_to_its_successor(ministry, officer, coordinator) -> None:
    person = add(1, by=ministry, at=school(B))
    new = NewSchool(code="01000099", name="Trường TH Ba Đình")
    merged = registry_operations.merge_schools(
        schools=[school(A), school(B)], successor=new, decision=DECISION, by=ministry
    )
    lying = places.lying_of(person.postings.all(), TODAY)[person.postings.get().pk]
    assert [one.school for one in lying.places] == [merged.pk]
    before = places.lying_of(person.postings.all(), datetime.date(2026, 6, 30))[person.postings.get().pk]
    assert [one.school for one in before.places] == [school(B).pk]
    assert person in access.people_of(officer)
    assert queries.works_at(person, merged, TODAY)
    assert not queries.works_at(person, school(C), TODAY)
    from dienrong.accounts import operations as accounts

    head = accounts.create_person(
        username="hop-nhat", full_name="Hợp Nhất", password="dien-rong-2026", by=None
    )
    accounts.assign_role(user=head, role="school_coordinator", unit_code="01000099", unit_name="", by=None)
    assert names(head) == [person.full_name]
    operations.record_absence(person=person, first_day=TODAY, last_day=TODAY, reason="phép", by=head)


def test_people_of_a_divided_school_wait_for_a_decision(ministry, officer, stranger) -> None:
    person = add(1, by=ministry, at=school(A))
    parts = [
        (NewSchool(code="01000097", name="Trường TH Một"), {5: (60, 2)}),
        (NewSchool(code="01000098", name="Trường TH Hai"), {5: (60, 2)}),
    ]
    registry_operations.split_school(school=school(A), parts=parts, decision=DECISION, by=ministry)
    held = person.postings.get()
    lying = places.lying_of([held], TODAY)[held.pk]
    assert lying.is_divided
    assert lying.sure is not None
    assert (lying.sure.school, lying.sure.province) == (None, province("01").pk)
    assert [one.pk for one in divided_postings(officer)] == [held.pk]
    assert divided_postings(stranger) == []
    operations.move_person(posting=held, post=post(school("01000098"), day=TODAY), by=officer)
    assert divided_postings(officer) == []


def test_search_without_marks_and_vietnamese_order(ministry) -> None:
    for number, name in enumerate(("Trần Văn Bình", "Nguyễn Thị An", "Lê Bình", "Đặng Thị Ánh"), start=1):
        add(number, by=ministry, at=school(A), name=name)
    assert names(ministry) == ["Nguyễn Thị An", "Đặng Thị Ánh", "Lê Bình", "Trần Văn Bình"]
    assert names(ministry, search="dang anh") == ["Đặng Thị Ánh"]
    assert names(ministry, search="CB000003") == ["Lê Bình"]
    assert names(ministry, kind=Kind.CODER) == []


def test_hindrances_name_absence_training_and_nothing_else(ministry) -> None:
    person = add(1, by=ministry, at=school(A))
    other = add(2, by=ministry, at=school(A))
    operations.record_absence(
        person=person, first_day=TODAY, last_day=datetime.date(2026, 11, 23), reason="Nghỉ phép", by=ministry
    )
    training = make_training(make_course(ministry), ministry, organizer=None)
    operations.nominate(training=training, people=[other], by=ministry)
    found = hindrances_of([person, other], datetime.date(2026, 11, 23), datetime.date(2026, 11, 23))
    assert [one.kind for one in found[person.pk]] == ["away"]
    assert [one.kind for one in found[other.pk]] == ["training"]
    assert hindrances_of([person, other], datetime.date(2026, 12, 1), datetime.date(2026, 12, 5)) == {}
    with pytest.raises(CapacityRefusal):
        operations.record_absence(
            person=person, first_day=TODAY, last_day=SINCE, reason="Nghỉ phép", by=ministry
        )


def test_a_competence_has_a_ground_and_replaces_that_of_the_day(ministry) -> None:
    person = add(1, by=ministry, at=school(A))
    with pytest.raises(CapacityRefusal):
        operations.record_competence(
            person=person, area="coding", grade=2, ground=" ", valid_to=None, by=ministry
        )
    operations.record_competence(
        person=person, area="coding", grade=2, ground="Chấm 2025", valid_to=None, by=ministry
    )
    operations.record_competence(
        person=person, area="coding", grade=3, ground="Trưởng nhóm", valid_to=None, by=ministry
    )
    kept = Competence.objects.get()
    assert (kept.grade, kept.ground) == (3, "Trưởng nhóm")


def test_an_account_belongs_to_one_person(ministry, coordinator) -> None:
    first, second = (add(number, by=ministry, at=school(A)) for number in (1, 2))
    known = PersonFacts(staff_code=first.staff_code, full_name=first.full_name)
    operations.change_person(person=first, facts=known, account=coordinator, by=ministry)
    assert queries.person_of_account(coordinator.pk) == first
    assert (
        birth_date_of(Person.objects.get(pk=first.pk).sealed_birth_date) is not None
    )  # empty leaves the kept day
    known = PersonFacts(staff_code=second.staff_code, full_name=second.full_name)
    with pytest.raises(CapacityRefusal):
        operations.change_person(person=second, facts=known, account=coordinator, by=ministry)


def test_a_list_of_people_takes_as_many_queries_whatever_its_length(ministry, officer) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def n_queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            list(access.with_posts(find_people(officer, PeopleFilter()))[:50])
        return len(seen)

    add(1, by=ministry, at=school(A))
    few = n_queries()
    for number in range(2, 12):
        add(number, by=ministry, at=school(A), name=NAMES[number % 12])
    assert n_queries() <= few <= 12


def test_days_before_the_registry_begins_are_answered(ministry) -> None:
    person = add(1, by=ministry, at=school(A))
    with on(datetime.date(2026, 11, 22)):
        lying = places.lying_of(person.postings.all(), datetime.date(2024, 1, 1))
    assert [one.school for one in next(iter(lying.values())).places] == [school(A).pk]
