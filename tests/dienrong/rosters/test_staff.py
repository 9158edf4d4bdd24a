"""Rows of teachers and managers: written once, taken back, at several schools at a time."""

from __future__ import annotations

import json

import pytest

from dienrong.accounts.permissions import Scope
from dienrong.audit.models import AuditEntry
from dienrong.rosters import operations
from dienrong.rosters.models import Staff, StaffPlace, VaultEntry
from small_rosters import HOA_BINH, NEXT_YEAR, NGUYEN_TRAI, SOUTH, YEAR, compare_staff, teacher, write_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]


def snapshot():
    places = StaffPlace.objects.order_by("staff", "school")
    return [
        list(Staff.objects.order_by("pk").values()),
        list(VaultEntry.objects.order_by("pk").values()),
        list(places.values_list("staff", "school", "school_year", "role", "position", "subjects", "grades")),
    ]


def test_staff_are_written_and_the_same_rows_twice_change_nothing() -> None:
    rows = [teacher(1), teacher(2, "Lê Thị Hoa", sex="female", personal_id=None, role="manager")]
    written = write_staff(rows)
    place = StaffPlace.objects.get(staff=written[0].key)
    assert (place.role, place.subjects, place.grades) == ("teacher", "Toán; Tiếng Việt", "4, 5")
    before = snapshot()
    assert [change.verdict for change in compare_staff(rows)] == ["unchanged", "unchanged"]
    assert write_staff(rows) == []
    assert snapshot() == before
    assert AuditEntry.objects.get(action="rosters.staff_written").after == {
        "n_new": 2,
        "n_changed": 0,
        "n_schools": 1,
    }


def test_one_person_works_at_two_schools_under_one_study_id() -> None:
    first = write_staff([teacher(1)])[0].key
    second = write_staff([teacher(1, school_id=NGUYEN_TRAI, role="manager")])[0].key
    assert first == second
    roles = dict(StaffPlace.objects.filter(staff=first).values_list("school__school_id", "role"))
    assert roles == {HOA_BINH: "teacher", NGUYEN_TRAI: "manager"}


def test_everything_can_be_taken_back() -> None:
    write_staff([teacher(1)])
    before = snapshot()
    rows = [teacher(1, subjects="Toán", position="Tổ trưởng"), teacher(2, "Lê Thị Hoa", sex="male")]
    written = write_staff([*rows, teacher(3, "Mai An")]) + write_staff(
        [teacher(1, school_id=SOUTH, subjects="Toán")]
    )
    plain = json.dumps([[item.key, item.before, item.after] for item in written], ensure_ascii=False)
    assert "Thị Hoa" not in plain  # short plain letters may stand in sealed bytes by chance
    assert "GV000001" not in plain
    operations.undo_staff(written[3:], by=None)
    operations.undo_staff(written[:3], by=None)
    assert snapshot() == before


def test_what_changed_since_or_has_a_further_place_is_not_taken_back() -> None:
    written = write_staff([teacher(1)])
    write_staff([teacher(1)], year=NEXT_YEAR)
    with pytest.raises(operations.RosterChanged):
        operations.undo_staff(written, by=None)
    write_staff([teacher(1, subjects="Toán")])
    with pytest.raises(operations.RosterChanged):
        operations.undo_staff(written, by=None)
    assert Staff.objects.count() == 1


def test_a_code_of_another_unit_is_taken_only_where_the_person_agrees(stranger) -> None:
    write_staff([teacher(1)])
    scope = Scope(provinces=frozenset({"79"}), roles=frozenset({"province_officer"}))
    (refused,) = compare_staff([teacher(1, "Võ Lạ", school_id=SOUTH, personal_id=None)], scope=scope)
    assert refused.verdict == "refused"
    assert "Đức" not in refused.problems[0].sentence
    changes = compare_staff([teacher(1, school_id=SOUTH)], scope=scope)
    assert changes[0].verdict == "changed"
    assert operations.write_staff(changes, by=stranger, school_year=YEAR)


def test_a_pupil_and_a_teacher_may_have_the_same_number_without_being_one() -> None:
    from small_rosters import pupil, write

    write([pupil(1)])
    (change,) = compare_staff([teacher(1, personal_id="001316000001", birth_date="2016-03-05", sex="female")])
    assert change.verdict == "new"
