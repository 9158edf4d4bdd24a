"""What happens to schools: opened, merged, split, closed, renamed, recoded, changed; refused; undone; followed."""

from __future__ import annotations

import datetime
from datetime import date

import pytest

from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import Refusal
from dienrong.registry import operations, queries
from dienrong.registry.models import AdministrativeUnit, School, SchoolEnrolment, SchoolEvent, SchoolVersion
from dienrong.registry.operations import Decision, NewSchool

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon", "registry")]
A, B, C, SOUTH = "01000001", "01000002", "01000003", "79000001"
YEAR, TODAY = "2025-2026", date(2026, 11, 22)
JULY = Decision(on_date=date(2026, 7, 1), number="12/QĐ-UBND", signed_on=date(2026, 6, 15))
AUGUST = Decision(on_date=date(2026, 8, 1), number="15/QĐ-UBND")
NEW = NewSchool(code="01000099", name="Trường TH Ba Đình")


def school(code: str) -> School:
    return School.objects.select_related("commune", "province").get(school_id=code)


def commune(code: str) -> AdministrativeUnit:
    return AdministrativeUnit.objects.select_related("parent").get(level="commune", code=code)


def frame(day: date, grades=(5, 9), year: str = YEAR) -> dict[str, dict[int, int]]:
    return {row.school_id: dict(row.n_students) for row in queries.frame_on(day, year, grades)}


def state() -> tuple:
    """Everything of schools that an undoing must bring back."""
    return (
        list(School.objects.order_by("pk").values()),
        list(SchoolVersion.objects.order_by("pk").values()),
        list(SchoolEnrolment.objects.order_by("pk").values()),
    )


def merge_into_new(by=None, decision=JULY) -> School:
    return operations.merge_schools(schools=[school(A), school(B)], successor=NEW, decision=decision, by=by)


def test_two_schools_become_a_new_one(officer) -> None:
    merged = merge_into_new(officer)
    assert (merged.school_id, merged.commune.code, merged.levels, merged.is_open) == (
        "01000099", "00004", "TH", True,
    )  # fmt: skip
    assert [school(code).closed_date for code in (A, B)] == [JULY.on_date] * 2
    assert [move.predecessor.school_id for move in queries.predecessors_of(merged)] == [A, B]
    assert [move.successor.school_id for move in queries.successors_of(school(A))] == ["01000099"]
    event = queries.events_of(merged).get()
    assert (event.kind, event.decision_number, event.recorded_by) == ("merge", "12/QĐ-UBND", officer)
    entry = AuditEntry.objects.get(action="registry.school_merged")
    assert (entry.before["schools"], entry.after["schools"]) == ([A, B], ["01000099"])
    assert frame(date(2026, 6, 30)) == {A: {5: 120}, B: {5: 120}, C: {9: 200}, SOUTH: {5: 120}}
    assert frame(JULY.on_date) == {"01000099": {5: 240}, C: {9: 200}, SOUTH: {5: 120}}
    (row,) = [row for row in queries.frame_on(TODAY, YEAR, [5]) if row.school_id == "01000099"]
    assert (row.joined, row.n_classes, row.name) == ((A, B), {5: 8}, "Trường TH Ba Đình")


def test_one_school_takes_another_in_and_both_levels_are_taught() -> None:
    merged = operations.merge_schools(
        schools=[school(A), school(C)], successor=school(A), decision=JULY, by=None
    )
    assert (merged.school_id, merged.levels) == (A, "TH")
    operations.change_school(school=school(A), traits={"levels": "TH-THCS"}, decision=AUGUST, by=None)
    assert frame(TODAY)[A] == {5: 120, 9: 200}
    assert [version.levels for version in queries.school_versions(school(A))] == ["TH-THCS", "TH"]
    assert [move.predecessor.school_id for move in queries.predecessors_of(school(A))] == [C]


def test_levels_are_joined() -> None:
    School.objects.filter(school_id=C).update(levels="THCS")
    SchoolVersion.objects.filter(school__school_id=C).update(levels="THCS")
    merged = operations.merge_schools(
        schools=[school(C), school(A)], successor=school(A), decision=JULY, by=None
    )
    assert merged.levels == "TH-THCS"


def test_a_report_after_the_merge_takes_over() -> None:
    merged = merge_into_new()
    SchoolEnrolment.objects.create(
        school=merged, school_year=YEAR, grade=5, n_students=230, n_classes=8, counted_on=date(2026, 9, 5)
    )
    assert frame(date(2026, 9, 4))["01000099"] == {5: 240}
    assert frame(date(2026, 9, 5))["01000099"] == {5: 230}


def test_a_chain_of_merges_and_present_successors() -> None:
    first = merge_into_new()
    last = operations.merge_schools(
        schools=[first, school(C)],
        successor=NewSchool(code="01000100", name="Trường PT"),
        decision=AUGUST,
        by=None,
    )
    assert frame(TODAY)["01000100"] == {5: 240, 9: 200}
    assert queries.present_successors_of_school(school(A)) == [last]
    assert queries.present_successors_of_school(school(A), date(2026, 7, 15)) == [first]
    assert queries.present_successors_of_school(school(A), date(2026, 6, 1)) == [school(A)]
    assert queries.present_successors_of_school(last) == [last]


def test_a_split_gives_pupils_to_each_and_keeps_the_total() -> None:
    merged = merge_into_new()
    parts = [(merged, {5: (140, 5)}), (NewSchool(code="01000101", name="Trường TH Mới"), {5: (100, 3)})]
    operations.split_school(school=merged, parts=parts, decision=AUGUST, by=None)
    found = frame(TODAY)
    assert (found["01000099"], found["01000101"]) == ({5: 140}, {5: 100})
    assert frame(date(2026, 7, 31))["01000099"] == {5: 240}
    assert queries.present_successors_of_school(school("01000099")) == [school("01000099")]


def test_a_split_that_ends_the_school_and_shares_that_do_not_add_up() -> None:
    parts = [
        (NewSchool(code="01000102", name="Trường TH 1"), {5: (70, 2)}),
        (NewSchool(code="01000103", name="Trường TH 2", commune=commune("00008")), {5: (40, 1)}),
    ]
    with pytest.raises(Refusal, match=r"120.*110"):
        operations.split_school(school=school(A), parts=parts, decision=JULY, by=None)
    parts[1] = (parts[1][0], {5: (50, 2)})
    one, two = operations.split_school(school=school(A), parts=parts, decision=JULY, by=None)
    assert not school(A).is_open
    assert (one.commune.code, two.commune.code) == ("00004", "00008")
    assert queries.present_successors_of_school(school(A)) == [one, two]
    assert sum(grades.get(5, 0) for grades in frame(TODAY).values()) == 360


def test_closing_takes_a_school_out_of_the_frame() -> None:
    operations.close_school(school=school(A), decision=JULY, by=None)
    assert A in frame(date(2026, 6, 30))
    assert A not in frame(JULY.on_date)
    assert queries.present_successors_of_school(school(A)) == []


def test_renaming_and_a_new_code_keep_the_school() -> None:
    key = school(A).pk
    operations.rename_school(school=school(A), name=" Trường TH  Kim Đồng ", decision=JULY, by=None)
    operations.recode_school(school=school(A), code="01009999", decision=AUGUST, by=None)
    found = School.objects.get(pk=key)
    assert (found.name, found.school_id) == ("Trường TH Kim Đồng", "01009999")
    assert found.search_key == "truong th kim dong 01009999"
    assert queries.school_by_code(A).pk == queries.school_by_code("01009999").pk == key
    assert queries.school_by_code(A, date(2026, 7, 31)).pk == key
    assert queries.school_by_code(A, AUGUST.on_date) is None
    assert queries.school_by_code("00000000") is None
    assert queries.former_codes([A, B]) == {A: "01009999"}
    assert frame(date(2026, 7, 31))[A] == {5: 120}
    assert frame(AUGUST.on_date)["01009999"] == {5: 120}
    names = [row.name for day in (date(2026, 6, 30), JULY.on_date) for row in queries.frame_on(day, YEAR, [5])
             if row.school_id == A]  # fmt: skip
    assert names == ["Trường TH Hòa Bình", "Trường TH Kim Đồng"]


def test_opening_and_moving_to_another_commune(officer) -> None:
    new = NewSchool(
        code="01000200", name="Trường THPT Mới", commune=commune("00008"), traits={"levels": "THPT"}
    )
    opened = operations.open_school(new=new, decision=JULY, by=officer)
    assert (opened.opened_date, opened.area, opened.province.code) == (JULY.on_date, "urban", "01")
    assert frame(JULY.on_date)["01000200"] == {}
    assert "01000200" not in frame(date(2026, 6, 30))
    moved = operations.change_school(
        school=opened, traits={"commune": commune("00004")}, decision=AUGUST, by=officer
    )
    assert moved.commune.code == "00004"
    days = {day: row.commune_code for day in (JULY.on_date, AUGUST.on_date)
            for row in queries.frame_on(day, YEAR, [5]) if row.school_id == "01000200"}  # fmt: skip
    assert list(days.values()) == ["00008", "00004"]


@pytest.mark.parametrize("name", ["merge", "close", "rename", "recode", "change", "split", "open"])
def test_every_event_can_be_undone_and_leaves_no_trace_in_the_schools(name) -> None:
    before = state()
    act = {
        "merge": merge_into_new,
        "close": lambda: operations.close_school(school=school(A), decision=JULY, by=None),
        "rename": lambda: operations.rename_school(school=school(A), name="Khác", decision=JULY, by=None),
        "recode": lambda: operations.recode_school(school=school(A), code="X1", decision=JULY, by=None),
        "change": lambda: operations.change_school(
            school=school(A), traits={"is_border": True, "boarding": "boarding"}, decision=JULY, by=None
        ),
        "split": lambda: operations.split_school(
            school=school(A), parts=[(school(A), {5: (100, 3)}), (NEW, {5: (20, 1)})], decision=JULY, by=None
        ),
        "open": lambda: operations.open_school(
            new=NewSchool(code="X2", name="Mới", commune=commune("00004"), traits={"levels": "TH"}),
            decision=JULY,
            by=None,
        ),
    }
    act[name]()
    event = SchoolEvent.objects.get()
    assert state() != before
    operations.undo_event(event=event, by=None)
    assert state() == before
    event.refresh_from_db()
    assert event.state == "undone"
    assert AuditEntry.objects.filter(action="registry.event_undone").count() == 1
    with pytest.raises(Refusal):
        operations.undo_event(event=event, by=None)
    assert frame(TODAY) == {A: {5: 120}, B: {5: 120}, C: {9: 200}, SOUTH: {5: 120}}


def test_undoing_is_refused_where_something_later_depends() -> None:
    merged = merge_into_new()
    event = SchoolEvent.objects.get(kind="merge")
    operations.rename_school(school=merged, name="Khác", decision=AUGUST, by=None)
    with pytest.raises(Refusal, match="01000099"):
        operations.undo_event(event=event, by=None)
    operations.undo_event(event=SchoolEvent.objects.get(kind="rename"), by=None)
    count = SchoolEnrolment.objects.create(
        school=merged, school_year="2026-2027", grade=5, n_students=1, n_classes=1,
        counted_on=date(2026, 9, 5), recorded_at=datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC),
    )  # fmt: skip
    with pytest.raises(Refusal, match="01000099"):
        operations.undo_event(event=event, by=None)
    count.delete()
    operations.undo_event(event=event, by=None)
    assert school(A).is_open


def test_a_code_given_again_meanwhile_keeps_a_recoding_from_being_undone() -> None:
    operations.recode_school(school=school(A), code="X1", decision=JULY, by=None)
    School.objects.filter(school_id=B).update(school_id=A)
    with pytest.raises(Refusal, match=A):
        operations.undo_event(event=SchoolEvent.objects.get(), by=None)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda: operations.close_school(school=school(A), decision=Decision(on_date=date(2026, 12, 1)), by=None), "01/12/2026"),
        (lambda: operations.close_school(school=school(A), decision=Decision(on_date=date(2025, 9, 5)), by=None), "05/09/2025"),
        (lambda: operations.close_school(school=school(A), decision=Decision(on_date=date(2020, 1, 1)), by=None), "05/09/2025"),
        (lambda: operations.recode_school(school=school(A), code=B, decision=JULY, by=None), B),
        (lambda: operations.recode_school(school=school(A), code=" ", decision=JULY, by=None), ""),
        (lambda: operations.rename_school(school=school(A), name=school(A).name, decision=JULY, by=None), ""),
        (lambda: operations.rename_school(school=school(A), name="", decision=JULY, by=None), ""),
        (lambda: operations.merge_schools(schools=[school(A)], successor=school(A), decision=JULY, by=None), ""),
        (lambda: operations.merge_schools(schools=[school(A), school(B)], successor=NewSchool(code=C, name="X"), decision=JULY, by=None), C),
        (lambda: operations.merge_schools(schools=[school(A), school(B)], successor=NewSchool(code="X", name=""), decision=JULY, by=None), ""),
        (lambda: operations.split_school(school=school(A), parts=[(school(A), {})], decision=JULY, by=None), ""),
        (lambda: operations.open_school(new=NewSchool(code="X", name="X"), decision=JULY, by=None), ""),
        (lambda: operations.open_school(new=NewSchool(code="X", name="X", commune=commune("00004")), decision=JULY, by=None), ""),
        (lambda: operations.open_school(new=NewSchool(code="X", name="X", commune=commune("00004"), traits={"levels": "TH"}), decision=Decision(on_date=date(2025, 6, 30)), by=None), ""),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_a_way_out_and_nothing_is_written(act, words) -> None:
    before = state()
    with pytest.raises(Refusal, match=words or ".") as refused:
        act()
    assert refused.value.hint
    assert state() == before
    assert not SchoolEvent.objects.exists()


def test_a_closed_school_takes_part_in_nothing() -> None:
    operations.close_school(school=school(A), decision=JULY, by=None)
    for act in (
        lambda: operations.close_school(school=school(A), decision=AUGUST, by=None),
        lambda: operations.merge_schools(
            schools=[school(A), school(B)], successor=school(B), decision=AUGUST, by=None
        ),
        lambda: operations.rename_school(school=school(A), name="X", decision=AUGUST, by=None),
    ):
        with pytest.raises(Refusal, match=A):
            act()
    former = operations.recode_school(school=school(B), code="X9", decision=AUGUST, by=None)
    with pytest.raises(Refusal, match=B):
        operations.open_school(
            new=NewSchool(code=B, name="X", commune=former.commune, traits={"levels": "TH"}),
            decision=AUGUST,
            by=None,
        )


def test_a_stranger_changes_nothing(stranger, coordinator, commune_officer, newcomer) -> None:
    before = state()
    for person in (stranger, newcomer):
        for act in (
            lambda by: operations.close_school(school=school(A), decision=JULY, by=by),
            lambda by: merge_into_new(by),
            lambda by: operations.merge_schools(
                schools=[school(SOUTH), school(A)], successor=school(SOUTH), decision=JULY, by=by
            ),
            lambda by: operations.recode_school(school=school(A), code="X", decision=JULY, by=by),
            lambda by: operations.open_school(
                new=NewSchool(code="X", name="X", commune=commune("00004"), traits={"levels": "TH"}),
                decision=JULY,
                by=by,
            ),
        ):
            with pytest.raises(Refusal):
                act(person)
    with pytest.raises(Refusal):
        operations.change_school(
            school=school(SOUTH), traits={"commune": commune("00004")}, decision=JULY, by=stranger
        )
    assert state() == before
    operations.rename_school(school=school(A), name="Khác", decision=JULY, by=None)
    with pytest.raises(Refusal):
        operations.undo_event(event=SchoolEvent.objects.get(), by=stranger)


def test_the_frame_takes_as_many_queries_for_a_thousand_schools(django_assert_num_queries) -> None:
    with django_assert_num_queries(4):
        queries.frame_on(TODAY, YEAR, [5])
    model = school(A)
    many = [School(**{**{f.attname: getattr(model, f.attname) for f in School._meta.concrete_fields},
                      "id": None, "school_id": f"M{n:07d}"}) for n in range(1000)]  # fmt: skip
    School.objects.bulk_create(many)
    from dienrong.registry.versions import version_of

    SchoolVersion.objects.bulk_create([version_of(made, date(2025, 9, 5)) for made in many])
    SchoolEnrolment.objects.bulk_create(
        [SchoolEnrolment(school=made, school_year=YEAR, grade=5, n_students=10, n_classes=1,
                         counted_on=date(2025, 9, 5)) for made in many]
    )  # fmt: skip
    with django_assert_num_queries(4):
        rows = queries.frame_on(TODAY, YEAR, [5])
    assert sum(row.n_students.get(5, 0) for row in rows) == 10_000 + 360
    assert len(queries.frame_on(TODAY, YEAR, [5], province_code="79")) == 1


def test_the_people_of_a_school_follow_it_to_its_new_code_and_back(coordinator, stranger) -> None:
    from dienrong.accounts.permissions import scope_of

    def codes(person) -> set[str]:
        person.__dict__.pop("_assignments_today", None)
        return set(scope_of(person).schools)

    school = School.objects.get(school_id="01000001")
    decision = operations.Decision(on_date=date(2026, 7, 1), number="12/QĐ-UBND")
    operations.recode_school(school=school, code="01009999", decision=decision, by=None)
    assert (codes(coordinator), codes(stranger)) == ({"01009999"}, set())
    operations.undo_event(event=SchoolEvent.objects.get(kind="recode"), by=None)
    assert codes(coordinator) == {"01000001"}
