"""Surveys and groups of machines from Excel: previewed, refused row by row, written, taken back."""

from __future__ import annotations

from typing import Any

import pytest

from dienrong.accounts.permissions import NOTHING, scope_of
from dienrong.audit.models import AuditEntry
from dienrong.imports.columns import target_of
from dienrong.readiness import operations
from dienrong.readiness.models import Answer, MachineGroup, Survey
from dienrong.readiness.operations import NotNow
from small_readiness import SOUTH, A, B, hand_in, survey_of

pytestmark = pytest.mark.django_db
GROUP = {
    "position": 1, "kind": "desktop", "n_working": 40, "year_bought": 2021, "memory_gb": 4, "screen_width": 1366,
    "screen_height": 768, "system": "windows_10", "browser": "chromium", "browser_version": 120,
}  # fmt: skip
FULL = {
    "n_computer_rooms": 1, "n_seats": 35, "n_paper_rooms": 8, "n_broken": 0, "may_install": True, "has_server": True,
    "lan": "wired", "network_type": "fiber", "network_mbps": 100, "network_stable": "few", "power_cuts": "never",
    "backup_power": "generator", "n_headphones": 20, "n_it_staff": 1,
}  # fmt: skip


def compare(code: str, rows: list[dict[str, Any]], by: Any) -> list[Any]:
    scope = NOTHING if by is None else scope_of(by)
    return target_of(code).compare(list(enumerate(rows, start=2)), scope, {})


def write(code: str, rows: list[dict[str, Any]], by: Any) -> list[Any]:
    changes = [one for one in compare(code, rows, by) if one.verdict in ("new", "changed")]
    return target_of(code).write(changes, by, {})


def test_the_whole_way_of_a_batch(asked, officer) -> None:
    rows = [{"school_id": A, **FULL, "hand_in": True}, {"school_id": B, **FULL, "n_seats": 20}]
    assert [one.verdict for one in compare("khao-sat-phong-may", rows, officer)] == ["refused", "new"]
    groups = write("nhom-may", [{"school_id": A, **GROUP}], officer)
    assert [one.verdict for one in compare("khao-sat-phong-may", rows, officer)] == [
        "changed" if Answer.objects.filter(survey__school__school_id=A).exists() else "new",
        "new",
    ]
    written = write("khao-sat-phong-may", rows, officer)
    assert (survey_of(A).state, survey_of(A).n_usable, survey_of(B).state) == ("submitted", 40, "draft")
    assert [one.verdict for one in compare("khao-sat-phong-may", rows[1:], officer)] == ["unchanged"]
    target_of("khao-sat-phong-may").undo(written, officer, {})
    assert (survey_of(A).state, survey_of(A).submitted_at, survey_of(B).state) == ("draft", None, "empty")
    assert not Answer.objects.exists()
    target_of("nhom-may").undo(groups, officer, {})
    assert not MachineGroup.objects.exists()
    assert AuditEntry.objects.filter(action="readiness.load_undone").count() == 2


def test_an_empty_cell_changes_nothing(asked, officer) -> None:
    write("khao-sat-phong-may", [{"school_id": A, **FULL}], officer)
    found = compare("khao-sat-phong-may", [{"school_id": A, "n_seats": 30, "lan": ""}], officer)
    assert dict(found[0].changes) == {"n_seats": ("35", "30")}


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({"school_id": SOUTH}, "school_id"),
        ({"school_id": "99999999"}, "school_id"),
        ({"school_id": A, "n_seats": 501}, "n_seats"),
        ({"school_id": A, "lan": "cáp"}, "lan"),
        ({"school_id": A, "hand_in": True}, "hand_in"),
    ],
)
def test_rows_are_refused_with_their_cell(asked, officer, row, column) -> None:
    found = compare("khao-sat-phong-may", [row], officer)[0]
    assert [one.column for one in found.problems] == [column]
    assert found.problems[0].sentence


def test_a_school_stands_once_and_a_handed_in_one_is_left_alone(asked, officer, coordinator) -> None:
    rows = [{"school_id": B, "n_seats": 3}, {"school_id": B, "n_seats": 4}]
    assert [one.verdict for one in compare("khao-sat-phong-may", rows, officer)] == ["new", "refused"]
    hand_in(A, coordinator)
    assert compare("khao-sat-phong-may", [{"school_id": A, "n_seats": 3}], officer)[0].verdict == "refused"
    assert compare("nhom-may", [{"school_id": A, **GROUP}], officer)[0].verdict == "refused"


def test_a_new_group_needs_every_cell(asked, officer) -> None:
    found = compare("nhom-may", [{"school_id": A, "position": 1, "n_working": 5}], officer)[0]
    assert {one.column for one in found.problems} == set(GROUP) - {"position", "n_working"}
    assert (
        compare("nhom-may", [{"school_id": A, **GROUP, "year_bought": 2027}], officer)[0].verdict == "refused"
    )


def test_strangers_and_neighbors_write_nothing(asked, stranger, newcomer, coordinator) -> None:
    for person in (stranger, newcomer):
        assert compare("khao-sat-phong-may", [{"school_id": A, "n_seats": 3}], person)[0].verdict == "refused"
    assert (
        compare("khao-sat-phong-may", [{"school_id": B, "n_seats": 3}], coordinator)[0].verdict == "refused"
    )
    with pytest.raises(NotNow):
        operations.write_surveys(compare_rows(A), by=stranger)
    assert set(Survey.objects.values_list("state", flat=True)) == {"empty"}


def compare_rows(code: str) -> list[Any]:
    """What the system itself would take."""
    from dienrong.accounts.permissions import Scope

    return target_of("khao-sat-phong-may").compare(
        [(2, {"school_id": code, "n_seats": 3})], Scope(is_national=True), {}
    )


def test_what_changed_since_is_not_taken_back(asked, officer, coordinator) -> None:
    written = write("khao-sat-phong-may", [{"school_id": A, **FULL}, {"school_id": B, **FULL}], officer)
    operations.answer(survey=survey_of(A), question_code="n_seats", typed="3", by=coordinator)
    with pytest.raises(NotNow):
        target_of("khao-sat-phong-may").undo(written, officer, {})
    assert survey_of(B).answers.count() == len(FULL)


def test_the_file_to_fill_in_names_the_schools_of_the_person_alone(
    asked, officer, coordinator, stranger
) -> None:
    write("khao-sat-phong-may", [{"school_id": A, **FULL}], officer)
    target = target_of("khao-sat-phong-may")
    own = list(target.export(scope_of(coordinator), {}))
    assert [one["school_id"] for one in own] == [A]
    assert own[0]["n_seats"] == 35
    assert own[0]["may_install"] is True
    assert len(list(target.export(scope_of(officer), {}))) == 3
    assert list(target.export(scope_of(stranger), {})) == []
    assert [one["position"] for one in target_of("nhom-may").export(scope_of(coordinator), {})] == [1]
