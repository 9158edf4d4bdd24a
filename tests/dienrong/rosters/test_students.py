"""Rows of pupils are compared, written once, and taken back; a pupil keeps the study id everywhere."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dienrong.accounts.permissions import NOTHING, Scope
from dienrong.audit.models import AuditEntry
from dienrong.core.row_changes import RowChange
from dienrong.registry.signals import schools_changed
from dienrong.rosters import operations, queries, vault
from dienrong.rosters.models import Student, StudentPlace, VaultEntry
from dienrong.rosters.queries.people import HIDDEN
from small_rosters import (
    HOA_BINH,
    NATION,
    NEXT_YEAR,
    NGUYEN_TRAI,
    SOUTH,
    YEAR,
    compare,
    pupil,
    write,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]
COMMUNE = Scope(communes=frozenset({"00004"}), roles=frozenset({"commune_officer"}))
NORTH = Scope(provinces=frozenset({"01"}), roles=frozenset({"province_officer"}))
FAR = Scope(provinces=frozenset({"79"}), roles=frozenset({"province_officer"}))


def verdicts(rows, **more):
    return [change.verdict for change in compare(rows, **more)]


def problem(row, **more):
    (change,) = compare([row], **more)
    assert change.verdict == "refused"
    return change.problems[0]


def snapshot():
    return [list(model.objects.order_by("pk").values()) for model in (Student, VaultEntry)] + [
        list(
            StudentPlace.objects.order_by("student", "school").values_list(
                "student",
                "school__school_id",
                "school_year",
                "grade",
                "class_name",
                "status",
                "since",
                "until",
            )
        )
    ]


def test_new_rows_are_written_and_the_same_rows_twice_change_nothing() -> None:
    rows = [pupil(1), pupil(2, "Giàng A Páo", ethnicity="08", class_name="5 b", has_special_needs=True)]
    assert verdicts(rows) == ["new", "new"]
    written = write(rows)
    assert [item.number for item in written] == [3, 4]
    second = Student.objects.get(study_id=written[1].key)
    assert (second.birth_year, second.birth_month, second.is_minority, second.has_special_needs) == (
        2016,
        3,
        True,
        True,
    )
    place = second.places.get()
    assert (place.school.school_id, place.grade, place.class_name, place.status) == (
        HOA_BINH,
        5,
        "5B",
        "studying",
    )
    entry = VaultEntry.objects.get(study_id=second.study_id)
    assert vault.identity_of(entry).full_name == "Giàng A Páo"
    assert entry.retention_until.isoformat() == "2029-07-31"
    before = snapshot()
    assert verdicts(rows) == ["unchanged", "unchanged"]
    assert write(rows) == []
    assert snapshot() == before
    assert AuditEntry.objects.filter(action="rosters.students_written").count() == 1


def test_a_study_id_is_random_letters_and_digits() -> None:
    ids = {item.key for item in write([pupil(n) for n in range(50)])}
    assert len(ids) == 50
    assert all(len(key) == 16 and key.isalnum() for key in ids)


def test_changed_cells_are_named_and_written() -> None:
    study_id = write([pupil(1)])[0].key
    row = pupil(1, "Nguyễn Thị Anh", class_name="5B", sex="female", has_special_needs=True)
    (change,) = compare([row])
    assert change.verdict == "changed"
    assert change.changes == {
        "full_name": ("Nguyễn Thị Ánh", "Nguyễn Thị Anh"),
        "class_name": ("5A", "5B"),
        "has_special_needs": (False, True),
    }
    write([row])
    assert vault.identity_of(VaultEntry.objects.get(study_id=study_id)).full_name == "Nguyễn Thị Anh"
    assert StudentPlace.objects.get(student=study_id).class_name == "5B"


def test_a_cell_that_is_absent_leaves_what_is_kept() -> None:
    write([pupil(1, has_special_needs=True)])
    row = pupil(1, personal_id=None, ethnicity=None, has_special_needs=None, status=None)
    assert verdicts([row]) == ["unchanged"]


def test_a_personal_number_may_come_later_and_finds_the_pupil() -> None:
    study_id = write([pupil(1, personal_id=None)])[0].key
    write([pupil(1)])
    (change,) = compare([pupil(1, student_code="0999999999")])
    assert (change.verdict, change.changes) == ("changed", {"student_code": ("0100000001", "0999999999")})
    assert write([pupil(1, student_code="0999999999")])[0].key == study_id


def test_a_pupil_who_moved_keeps_the_study_id_and_leaves_the_old_school() -> None:
    study_id = write([pupil(1)])[0].key
    row = pupil(1, school_id=SOUTH, class_name="5C")
    (change,) = compare([row])
    assert change.changes == {"school_id": (HOA_BINH, SOUTH), "class_name": ("5A", "5C")}
    assert write([row])[0].key == study_id
    places = {p.school.school_id: (p.status, p.until) for p in StudentPlace.objects.filter(student=study_id)}
    assert places[SOUTH] == ("studying", None)
    assert places[HOA_BINH][0] == "moved"
    assert str(places[HOA_BINH][1]) == "2026-11-22"
    entry = AuditEntry.objects.filter(action="rosters.students_written").first()
    assert entry.after == {"n_new": 0, "n_changed": 1, "n_moved_from_other_schools": 1, "n_schools": 2}


def test_a_pupil_of_the_next_year_keeps_the_study_id_and_is_kept_longer() -> None:
    study_id = write([pupil(1, grade=4, class_name="4A")])[0].key
    assert write([pupil(1)], year=NEXT_YEAR)[0].key == study_id
    assert StudentPlace.objects.filter(student=study_id).count() == 2
    assert VaultEntry.objects.get(study_id=study_id).retention_until.isoformat() == "2030-07-31"


def test_a_state_other_than_studying_ends_the_place() -> None:
    study_id = write([pupil(1)])[0].key
    write([pupil(1, status="dropped_out")])
    place = StudentPlace.objects.get(student=study_id)
    assert (place.status, str(place.until)) == ("dropped_out", "2026-11-22")
    write([pupil(1)])
    place.refresh_from_db()
    assert (place.status, place.until) == ("studying", None)


def test_doubles_in_one_file_are_refused_on_the_second_row() -> None:
    changes = compare([pupil(1), pupil(1, personal_id=None), pupil(2, personal_id="001316000001")])
    assert [change.verdict for change in changes] == ["new", "refused", "refused"]
    assert "Dòng 3" in changes[1].problems[0].sentence
    assert [change.problems[0].column for change in changes[1:]] == ["student_code", "personal_id"]


def test_doubles_are_found_across_the_calls_for_one_file() -> None:
    seen: dict[str, int] = {}
    assert verdicts([pupil(1)], seen=seen) == ["new"]
    later = queries.compare_students(
        [(900, pupil(2)), (901, pupil(1))], scope=NATION, school_year=YEAR, seen=seen
    )
    assert [change.verdict for change in later] == ["new", "refused"]
    assert not any("0100000001" in key for key in seen)


def test_people_are_not_mixed_up() -> None:
    write([pupil(1), pupil(2, "Lê Bình")])
    other = problem(pupil(1, personal_id="001316000002"))
    assert (other.column, "người khác" in other.sentence) == ("personal_id", True)
    differs = problem(pupil(1, personal_id="001316000077"))
    assert (differs.column, "số định danh cá nhân khác" in differs.sentence) == ("personal_id", True)
    stolen = problem(pupil(9, "Phạm Thị Đào", personal_id="001316000002"))
    assert stolen.column == "personal_id"
    assert "Lê Bình" not in stolen.sentence + stolen.hint


def test_two_rows_about_one_person_under_two_names_are_refused() -> None:
    write([pupil(1)])
    changes = compare([pupil(1, personal_id=None), pupil(5, personal_id="001316000001")])
    assert [change.verdict for change in changes] == ["unchanged", "refused"]


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"school_id": "99999999"}, "school_id"),
        ({"grade": 6}, "grade"),
        ({"birth_date": "2015-03-05"}, "personal_id"),
        ({"sex": "male"}, "personal_id"),
    ],
)
def test_rows_that_contradict_the_registry_or_themselves_are_refused(changes, column) -> None:
    assert problem(pupil(1, **changes)).column == column


def test_schools_of_other_units_are_refused_with_the_same_sentence_as_unknown_ones() -> None:
    unknown, foreign = (
        problem(pupil(1, school_id="99999999"), scope=COMMUNE),
        problem(pupil(1, school_id=SOUTH), scope=COMMUNE),
    )
    assert unknown.sentence == foreign.sentence
    assert problem(pupil(1), scope=NOTHING).column == "school_id"


def test_a_code_alone_tells_a_stranger_nothing() -> None:
    write([pupil(1)])
    for row in (
        pupil(1, "Võ Thị Lạ", school_id=SOUTH, personal_id=None),
        pupil(1, school_id=SOUTH, personal_id=None, birth_date="2016-03-06"),
        pupil(7, "Võ Thị Lạ", school_id=SOUTH, personal_id="001316000001"),
    ):
        found = problem(row, scope=FAR)
        text = json.dumps([found.sentence, found.hint], ensure_ascii=False)
        assert "Ánh" not in text
        assert HOA_BINH not in text
    (moved,) = compare([pupil(1, school_id=SOUTH)], scope=FAR)
    assert moved.verdict == "changed"


def test_who_may_not_see_names_does_not_see_the_name_that_was_kept() -> None:
    write([pupil(1)])
    (change,) = compare([pupil(1, "Nguyễn Thị Anh", ethnicity="02")], scope=COMMUNE)
    assert change.changes == {"full_name": (HIDDEN, "Nguyễn Thị Anh"), "ethnicity": (HIDDEN, "02")}


def test_writing_keeps_to_the_scope_of_the_person(officer, stranger) -> None:
    changes = compare([pupil(1)])
    with pytest.raises(operations.RosterChanged, match="3"):
        operations.write_students(changes, by=stranger, school_year=YEAR)
    assert not Student.objects.exists()
    assert not VaultEntry.objects.exists()
    assert operations.write_students(changes, by=officer, school_year=YEAR)


def test_refused_and_unchanged_rows_are_not_written() -> None:
    changes = compare([pupil(1), pupil(2, grade=9)])
    assert len(operations.write_students(changes, by=None, school_year=YEAR)) == 1
    assert Student.objects.count() == 1


def test_a_preview_that_grew_old_writes_no_pupil_twice() -> None:
    changes = compare([pupil(1), pupil(2)])
    write([pupil(1)])
    written = operations.write_students(changes, by=None, school_year=YEAR)
    assert [item.number for item in written] == [4]
    assert Student.objects.count() == 2


def test_changes_survive_json() -> None:
    (change,) = compare([pupil(1)])
    values = json.loads(json.dumps(dict(change.values)))
    again = RowChange(number=3, key=change.key, verdict="new", values=values, changes=change.changes)
    (item,) = operations.write_students([again], by=None, school_year=YEAR)
    assert json.loads(json.dumps(item.after)) == item.after


def test_everything_can_be_taken_back() -> None:
    write([pupil(1), pupil(2, "Lê Bình")])
    before = snapshot()
    rows = [
        pupil(1, "Nguyễn Thị Anh", class_name="5B", has_special_needs=True),
        pupil(2, "Lê Bình", school_id=SOUTH),
        pupil(3, "Trần An"),
    ]
    written = write(rows)
    plain = json.dumps([[item.key, item.before, item.after] for item in written], ensure_ascii=False)
    assert not any(text in plain for text in ("Thị Anh", "Lê Bình", "0100000003", "2016-03-05"))
    restored = [
        type(item)(
            number=item.number,
            key=item.key,
            **json.loads(json.dumps({"before": item.before, "after": item.after})),
        )
        for item in written
    ]
    operations.undo_students(restored, by=None)
    assert snapshot() == before
    entry = AuditEntry.objects.get(action="rosters.students_undone")
    assert entry.after == {"n_removed": 1, "n_restored": 2}


def test_what_changed_since_is_not_taken_back() -> None:
    written = write([pupil(1), pupil(2, "Lê Bình")])
    write([pupil(2, "Lê Bình", class_name="5C")])
    before = snapshot()
    with pytest.raises(operations.RosterChanged, match="4") as refusal:
        operations.undo_students(written, by=None)
    assert "Bình" not in str(refusal.value)
    assert snapshot() == before


def test_a_pupil_who_has_a_further_year_is_not_removed() -> None:
    written = write([pupil(1)])
    write([pupil(1)], year=NEXT_YEAR)
    with pytest.raises(operations.RosterChanged):
        operations.undo_students(written, by=None)
    assert Student.objects.count() == 1


def test_the_rooms_above_hear_which_schools_changed() -> None:
    heard: list[list[int]] = []

    def listen(school_keys, **_more):
        heard.append(school_keys)

    schools_changed.connect(listen)
    try:
        written = write([pupil(1), pupil(2, "Lê Bình", school_id=NGUYEN_TRAI)])
        operations.undo_students(written, by=None)
    finally:
        schools_changed.disconnect(listen)
    assert len(heard) == 2
    assert heard[0] == heard[1]
    assert len(heard[0]) == 2


def test_two_thousand_rows_take_as_many_queries_to_compare_as_two() -> None:
    rows = [pupil(n) for n in range(2000)]
    write(rows[:1])
    with CaptureQueriesContext(connection) as few:
        compare(rows[:2])
    write(rows[1:])
    with CaptureQueriesContext(connection) as many:
        assert set(verdicts(rows)) == {"unchanged"}
    assert len(few) == len(many) == 6
    with pytest.raises(ValueError, match="2000"):
        compare([*rows, pupil(3000)])


def test_a_school_year_is_two_years_that_follow() -> None:
    with pytest.raises(ValueError, match="2026-2028"):
        queries.compare_students([], scope=NATION, school_year="2026-2028")
