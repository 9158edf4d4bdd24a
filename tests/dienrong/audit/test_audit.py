"""The log is written with the change, never changed, and shows when somebody tried."""

from __future__ import annotations

import datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from dienrong.accounts.models import User
from dienrong.audit import operations, queries, triggers
from dienrong.audit.models import AppendOnlyError, AuditEntry
from dienrong.core import clock, recording

pytestmark = pytest.mark.django_db


def write(action: str = "cycles.step_done", **more) -> AuditEntry:
    with transaction.atomic():
        return operations.record(action=action, actor=more.pop("actor", None), **more)


def test_an_entry_tells_who_what_when_and_from_where(rf, officer: User, noon: datetime.datetime) -> None:
    from dienrong.core import requests

    with requests.serving(requests.RequestContext("abcde-fghjk", "10.1.2.3")):
        entry = write(actor=officer, obj=officer, before={"state": "draft"}, after={"state": "done"})
    entry.refresh_from_db()
    assert (entry.actor, entry.actor_name) == (officer, "Trần Văn Đức")
    assert (entry.object_kind, entry.object_id) == ("accounts.user", str(officer.pk))
    assert entry.object_title == "Trần Văn Đức"
    assert (entry.before, entry.after) == ({"state": "draft"}, {"state": "done"})
    assert (entry.request_id, entry.address, entry.at) == ("abcde-fghjk", "10.1.2.3", noon)


def test_values_keep_their_meaning() -> None:
    import decimal

    day = datetime.date(2026, 9, 5)
    entry = write(
        after={"day": day, "sum": decimal.Decimal("1.50"), "set": {"b", "a"}, "list": (1, None, True)}
    )
    entry.refresh_from_db()
    assert entry.after == {"day": "2026-09-05", "sum": "1.50", "set": ["a", "b"], "list": [1, None, True]}
    with pytest.raises(TypeError, match="cannot hold a User"):
        write(after={"user": User()})


def test_the_entry_and_the_change_stand_or_fall_together(officer: User) -> None:
    n_before = AuditEntry.objects.count()

    def change() -> None:
        User.objects.filter(pk=officer.pk).update(full_name="Khác")
        operations.record(action="accounts.profile_changed", actor=officer, obj=officer)
        raise RuntimeError("planted")

    with pytest.raises(RuntimeError, match="planted"), transaction.atomic():
        change()
    officer.refresh_from_db()
    assert officer.full_name == "Trần Văn Đức"
    assert AuditEntry.objects.count() == n_before


@pytest.mark.django_db(transaction=True)
def test_without_a_transaction_nothing_is_written() -> None:
    with pytest.raises(RuntimeError, match="needs the transaction of the change"):
        operations.record(action="cycles.step_done", actor=None)
    assert not AuditEntry.objects.exists()


def test_an_action_names_its_room() -> None:
    with pytest.raises(ValueError, match=r"room\.what_was_done"):
        write("done")


def test_without_an_audit_room_changes_are_refused(monkeypatch) -> None:
    monkeypatch.setattr(recording, "_recorders", [])
    with pytest.raises(RuntimeError, match="a change without its audit entry is refused"):
        recording.record(action="a.b", actor=None)


def test_the_model_refuses_changes() -> None:
    entry = write()
    entry.action = "cycles.other"
    for attempt in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(action="x"),
        lambda: AuditEntry.objects.bulk_update([entry], ["action"]),
    ):
        with pytest.raises(AppendOnlyError):
            attempt()


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE {triggers.TABLE} SET action = 'x'",
        f"DELETE FROM {triggers.TABLE}",
    ],
)
def test_the_database_refuses_changes(statement: str) -> None:
    write()
    with pytest.raises(DatabaseError, match="never changed or removed"), transaction.atomic():
        connection.cursor().execute(statement)
    assert AuditEntry.objects.get().action == "cycles.step_done"


def test_postgresql_refuses_to_empty_the_table() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite knows no TRUNCATE")
    with pytest.raises(DatabaseError, match="never changed or removed"), transaction.atomic():
        connection.cursor().execute(f"TRUNCATE {triggers.TABLE}")


def test_an_installation_is_never_flushed(monkeypatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "NAME", "/var/dienrong/dienrong.sqlite3")
    with pytest.raises(CommandError, match="never emptied"):
        call_command("flush", interactive=False)


def test_an_untouched_chain_is_whole(officer: User) -> None:
    for n in range(5):
        write(after={"n": n}, actor=officer)
    assert operations.verify_chain() == ()


def tamper(statement: str, parameters: list) -> None:
    """Change the table behind the back of its triggers, as somebody with the database password could."""
    triggers.remove(connection)
    try:
        connection.cursor().execute(statement, parameters)
    finally:
        triggers.install(connection)


def test_a_changed_entry_is_named() -> None:
    entries = [write(after={"n": n}) for n in range(3)]
    tamper(f"UPDATE {triggers.TABLE} SET actor_name = %s WHERE id = %s", ["Somebody", entries[1].pk])
    faults = operations.verify_chain()
    assert [(fault.entry_id, fault.what) for fault in faults] == [
        (entries[1].pk, "its content is not what was written")
    ]


def test_a_removed_entry_leaves_a_gap() -> None:
    entries = [write(after={"n": n}) for n in range(3)]
    tamper(f"DELETE FROM {triggers.TABLE} WHERE id = %s", [entries[1].pk])
    faults = operations.verify_chain()
    assert [(fault.entry_id, fault.what) for fault in faults] == [
        (entries[2].pk, "the entry before it was removed or changed")
    ]


def test_history_of_one_object_is_newest_first(officer: User, colleague: User) -> None:
    write(obj=officer, after={"n": 1})
    write(obj=colleague, after={"n": 2})
    write(obj=officer, after={"n": 3})
    found = queries.history_of(kind="accounts.user", key=str(officer.pk)).filter(action="cycles.step_done")
    assert [entry.after["n"] for entry in found] == [3, 1]


# The page


def test_only_the_ministry_reads_the_log(
    signed_in, visitor, ministry, officer, coordinator, stranger
) -> None:
    assert signed_in(ministry).get("/nhat-ky").status_code == 200
    for user in (officer, coordinator, stranger):
        page = signed_in(user).get("/nhat-ky")
        assert page.status_code == 403
        assert "Người có quyền: Chuyên gia của Bộ." in page.content.decode()
    assert visitor.get("/nhat-ky").headers["Location"] == "/dang-nhap?next=%2Fnhat-ky"


def test_the_log_is_offered_to_those_who_may_read_it(signed_in, ministry, officer) -> None:
    assert 'href="/nhat-ky"' in signed_in(ministry).get("/tai-khoan").content.decode()
    assert 'href="/nhat-ky"' not in signed_in(officer).get("/tai-khoan").content.decode()


def test_entries_are_shown_in_words(signed_in, ministry, officer) -> None:
    html = signed_in(ministry).get("/nhat-ky").content.decode()
    assert "Tạo tài khoản" in html
    assert "Giao vai trò" in html
    assert "Trần Văn Đức" in html
    assert "accounts.person_created" not in html


def test_entries_are_narrowed_by_room_person_and_day(signed_in, ministry, officer) -> None:
    browser = signed_in(ministry)
    write(actor=officer, obj=officer, title="Dấu vết của chuyên viên")

    def shows(**choice: str) -> bool:
        return "Dấu vết của chuyên viên" in browser.get("/nhat-ky", choice).content.decode()

    today = clock.today().strftime("%d/%m/%Y")
    assert shows()
    assert shows(action="cycles")
    assert not shows(action="accounts")
    assert shows(actor="so")
    assert not shows(actor="bo")
    assert shows(day=today)
    assert not shows(day="01/01/2020")
    html = browser.get("/nhat-ky", {"day": "hôm qua"}).content.decode()
    assert "Xin sửa các mục sau" in html


def test_an_empty_choice_says_so(signed_in, ministry) -> None:
    assert (
        "Chưa có dòng nhật ký nào"
        in signed_in(ministry).get("/nhat-ky", {"actor": "nobody"}).content.decode()
    )


def test_the_page_is_one_of_many_and_costs_the_same(
    signed_in, ministry, officer, django_assert_num_queries, bare_shell
) -> None:
    browser = signed_in(ministry)
    with django_assert_num_queries(6):  # session, person, roles, rooms, count, entries
        browser.get("/nhat-ky")
    for n in range(120):
        write(actor=officer, after={"n": n})
    with django_assert_num_queries(6):
        html = browser.get("/nhat-ky", {"page": "2", "actor": "so"}).content.decode()
    assert "51–100 trong 120" in html
    assert 'href="?page=3&amp;actor=so"' in html or 'href="?actor=so&amp;page=3"' in html


def test_actions_of_our_rooms_have_words() -> None:
    from dienrong.accounts.actions import WORDS as ACCOUNTS
    from dienrong.jobs.actions import WORDS as JOBS

    assert set(ACCOUNTS) | set(JOBS) <= recording.known_actions()
