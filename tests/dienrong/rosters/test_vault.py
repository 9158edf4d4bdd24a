"""The vault: nothing lies open anywhere, every opening leaves its line, deleting leaves the lists."""

from __future__ import annotations

import datetime
import json
import logging

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client

from dienrong.accounts.permissions import Scope
from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed, Refusal
from dienrong.jobs import operations as jobs
from dienrong.jobs.models import Job
from dienrong.registry.models import School
from dienrong.rosters import operations, queries, vault
from dienrong.rosters.models import (
    AppendOnlyError,
    Consent,
    Purpose,
    Student,
    StudentPlace,
    VaultAccess,
    VaultEntry,
)
from small_rosters import DAY, HOA_BINH, NEXT_YEAR, SOUTH, pupil, teacher, write, write_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]
SECRETS = (
    "Ánh",
    "Nguyễn Thị",
    "0100000001",
    "001316000001",
    "2016-03-05",
    "05/03/2016",
    "Đức Trần",
    "GV000001",
)


def school(code: str = HOA_BINH) -> School:
    return School.objects.select_related("province", "commune").get(school_id=code)


def open_names(by, *, reason="check_list", action="list_shown", code=HOA_BINH):
    ids = Student.objects.values_list("study_id", flat=True)
    return operations.open_identities(
        school=school(code), kind="student", study_ids=ids, by=by, action=action, reason=reason
    )


def every_row() -> str:
    """Give every cell of every table but the names of people at work, bytes as text that shows what is in them."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table == "accounts_user":
                continue
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                for cell in row:
                    if isinstance(cell, bytes | memoryview):
                        found.append(bytes(cell).decode("utf-8", errors="replace"))
                    else:
                        found.append(str(cell))
    return "\n".join(found)


def test_no_name_no_code_no_date_lies_open_in_any_table_or_log(officer, signed_in, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    written = write([pupil(1), pupil(2, "Đức Trần")], by=officer)
    write([pupil(1, class_name="5B")], by=officer)
    write_staff([teacher(1)], by=officer)
    browser = signed_in(officer)
    address = f"/danh-sach/{HOA_BINH}"
    browser.post(f"{address}/ho-ten", {"reason": "check_list"})
    assert "Nguyễn Thị Ánh" in browser.get(address).content.decode()
    assert "Nguyễn Thị Ánh" in browser.post(address, {"q": "nguyen anh"}).content.decode()
    assert browser.get(f"/danh-sach/nguoi/{written[0].key}").status_code == 200
    assert browser.post(f"{address}/excel", {}).status_code == 200
    text = every_row()
    assert written[0].key in text
    for secret in SECRETS:
        assert secret not in text, secret
        assert secret not in caplog.text, secret


def test_no_name_lies_in_job_parameters_and_results(officer, django_capture_on_commit_callbacks) -> None:
    write([pupil(1)])
    with clock.fixed(datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)):
        job = jobs.enqueue("rosters.purge", {"provinces": ["01"]}, by=officer)
        claimed = jobs.claim(job_id=job.pk, ticket=job.ticket, worker="test")
        assert jobs.run(claimed, beating=False) == "done"
    done = Job.objects.get()
    assert done.result == {"n_deleted": 1}
    assert not any(secret in json.dumps([done.params, done.result]) for secret in SECRETS)


def test_a_blob_opens_only_under_its_own_study_id() -> None:
    first, second = (item.key for item in write([pupil(1), pupil(2, "Lê Bình")]))
    stolen = bytes(VaultEntry.objects.get(study_id=second).sealed)
    VaultEntry.objects.filter(study_id=first).update(sealed=stolen)
    with pytest.raises(vault.VaultUnreadable) as refusal:
        vault.identity_of(VaultEntry.objects.get(study_id=first))
    assert "Bình" not in str(refusal.value)


def test_another_key_opens_nothing(settings) -> None:
    import dataclasses

    study_id = write([pupil(1)])[0].key
    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, vault_key="ab" * 32)
    with pytest.raises(vault.VaultUnreadable):
        vault.identity_of(VaultEntry.objects.get(study_id=study_id))


def test_opening_names_is_written_down_in_the_same_transaction(officer) -> None:
    write([pupil(1), pupil(2, "Lê Bình")])
    found = open_names(officer)
    assert sorted(identity.full_name for identity in found.values()) == ["Lê Bình", "Nguyễn Thị Ánh"]
    access = VaultAccess.objects.get()
    assert (access.actor, access.school.school_id, access.reason, access.n_entries) == (
        officer,
        HOA_BINH,
        "check_list",
        2,
    )
    assert AuditEntry.objects.get(action="rosters.names_opened").after["n_entries"] == 2
    with transaction.atomic():
        open_names(officer)
        transaction.set_rollback(True)
    assert VaultAccess.objects.count() == 1


def test_only_the_school_and_its_province_open_names(
    ministry, officer, colleague, commune_officer, coordinator, researcher, stranger, newcomer
) -> None:
    write([pupil(1)])
    for person in (officer, colleague, coordinator):
        assert open_names(person)
    for person in (ministry, commune_officer, researcher, stranger, newcomer):
        with pytest.raises(Refusal):
            open_names(person)
    assert VaultAccess.objects.count() == 3


def test_a_role_elsewhere_opens_no_names_here(ministry) -> None:
    from dienrong.accounts import operations as accounts

    accounts.assign_role(
        user=ministry, role="school_coordinator", unit_code=SOUTH, unit_name="Trường TH Hoà Bình", by=None
    )
    write([pupil(1), pupil(2, "Lê Bình", school_id=SOUTH)])
    with pytest.raises(NotAllowed):
        open_names(ministry)
    assert len(open_names(ministry, code=SOUTH)) == 1


def test_names_of_another_school_are_not_opened_through_this_one(coordinator) -> None:
    write([pupil(1), pupil(2, "Lê Bình", school_id=SOUTH)])
    assert [identity.full_name for identity in open_names(coordinator).values()] == ["Nguyễn Thị Ánh"]


def test_names_are_opened_for_a_reason_of_the_list(officer) -> None:
    write([pupil(1)])
    for reason in ("", "for Nguyễn Thị Ánh"):
        with pytest.raises(operations.NoReason):
            open_names(officer, reason=reason)
    assert not VaultAccess.objects.exists()


def test_accesses_are_never_changed_or_removed(officer) -> None:
    write([pupil(1)])
    open_names(officer)
    row = VaultAccess.objects.get()
    for attempt in (row.save, row.delete, VaultAccess.objects.all().delete):
        with pytest.raises(AppendOnlyError):
            attempt()
    with pytest.raises(AppendOnlyError):
        VaultAccess.objects.update(n_entries=0)
    for statement in ("UPDATE rosters_vaultaccess SET n_entries = 0", "DELETE FROM rosters_vaultaccess"):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            connection.cursor().execute(statement)
    assert VaultAccess.objects.get().n_entries == 1


def test_what_is_past_its_time_goes_and_the_lists_stay(monkeypatch) -> None:
    write([pupil(n) for n in range(5)])
    write([pupil(0)], year=NEXT_YEAR)
    write_staff([teacher(1)])
    lists = [
        list(Student.objects.order_by("pk").values()),
        list(StudentPlace.objects.order_by("pk").values()),
    ]
    last = datetime.date(2029, 7, 31)
    assert operations.purge_expired(last) == 0
    monkeypatch.setattr("dienrong.rosters.operations.vault.PURGE_BATCH", 2)
    told: list[tuple[int, int]] = []
    n = operations.purge_expired(
        last + datetime.timedelta(days=1), progress=lambda *shares: told.append(shares)
    )
    assert n == 5
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert VaultEntry.objects.get().retention_until == datetime.date(2030, 7, 31)
    assert [
        list(Student.objects.order_by("pk").values()),
        list(StudentPlace.objects.order_by("pk").values()),
    ] == lists
    entries = AuditEntry.objects.filter(action="rosters.vault_purged")
    assert sum(sum(entry.after["n_deleted"].values()) for entry in entries) == 5
    assert operations.purge_expired(last + datetime.timedelta(days=1)) == 0


def test_a_province_deletes_what_is_past_its_time_in_its_own_schools() -> None:
    write([pupil(1), pupil(2, "Lê Bình", school_id=SOUTH)])
    over = datetime.date(2030, 1, 1)
    assert operations.purge_expired(over, scope=Scope(provinces=frozenset({"79"}))) == 1
    assert VaultEntry.objects.count() == 1
    assert operations.purge_expired(over, scope=Scope()) == 0


def test_the_command_deletes_what_is_past_its_time(capsys) -> None:
    write([pupil(1)])
    with clock.fixed(datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)):
        call_command("purgevault")
    assert capsys.readouterr().out == "1 identities deleted\n"


def test_one_identity_is_deleted_on_request_and_nothing_else(officer, colleague) -> None:
    first = write([pupil(1), pupil(2, "Lê Bình")])[0].key
    operations.delete_identity(study_id=first, school=school(), reason="request", by=officer)
    assert Student.objects.count() == StudentPlace.objects.count() == 2
    assert not VaultEntry.objects.filter(study_id=first).exists()
    entry = AuditEntry.objects.get(action="rosters.identity_deleted")
    assert (entry.object_id, entry.after) == (first, {"reason": "request"})
    with pytest.raises(operations.NoIdentity):
        operations.delete_identity(study_id=first, school=school(), reason="request", by=colleague)


def test_only_those_who_keep_the_vault_delete(coordinator, commune_officer, stranger, ministry) -> None:
    study_id = write([pupil(1)])[0].key
    for person in (coordinator, commune_officer, stranger):
        with pytest.raises(NotAllowed):
            operations.delete_identity(study_id=study_id, school=school(), reason="request", by=person)
    with pytest.raises(operations.NoReason):
        operations.delete_identity(study_id=study_id, school=school(), reason="", by=ministry)
    with pytest.raises(operations.NoIdentity):
        operations.delete_identity(study_id=study_id, school=school(SOUTH), reason="request", by=ministry)
    operations.delete_identity(study_id=study_id, school=school(), reason="mistake", by=ministry)


def test_an_identity_is_corrected_by_the_present_school(coordinator, officer, stranger) -> None:
    first, second = (item.key for item in write([pupil(1), pupil(2, "Lê Bình")]))
    cells = {
        "full_name": "Nguyễn Thị Anh",
        "birth_date": "2015-12-05",
        "sex": "male",
        "personal_id": "001215000009",
    }
    operations.correct_identity(study_id=first, school=school(), cells=cells, by=coordinator)
    identity = vault.identity_of(VaultEntry.objects.get(study_id=first))
    assert (identity.full_name, identity.code, identity.ethnicity) == ("Nguyễn Thị Anh", "0100000001", "01")
    student = Student.objects.get(study_id=first)
    assert (student.sex, student.birth_year, student.birth_month) == ("male", 2015, 12)
    entry = AuditEntry.objects.get(action="rosters.identity_corrected")
    assert entry.after == {"cells": ["birth_date", "full_name", "personal_id", "sex"]}
    taken = {"personal_id": "001215000009"}
    with pytest.raises(operations.IdentityTaken):
        operations.correct_identity(study_id=second, school=school(), cells=taken, by=coordinator)
    with pytest.raises(NotAllowed):
        operations.correct_identity(study_id=first, school=school(), cells=cells, by=stranger)
    write([pupil(2, "Lê Bình", school_id=SOUTH)])
    with pytest.raises(operations.NotThePresentSchool):
        operations.correct_identity(study_id=second, school=school(), cells=cells, by=officer)


def test_a_longer_period_moves_every_last_day_once(ministry, officer) -> None:
    write([pupil(1)])
    write([pupil(2, "Lê Bình")], year=NEXT_YEAR)
    purpose = Purpose.objects.get(code="student-lists")
    with pytest.raises(NotAllowed):
        operations.change_purpose(purpose=purpose, by=officer, retention_months=36)
    operations.change_purpose(purpose=purpose, by=ministry, retention_months=36, basis_text="Căn cứ mới")
    days = sorted(day.isoformat() for day in VaultEntry.objects.values_list("retention_until", flat=True))
    assert days == ["2030-07-31", "2031-07-31"]
    entry = AuditEntry.objects.get(action="rosters.purpose_changed")
    assert entry.after == {"basis_text": "Căn cứ mới", "retention_months": 36, "n_moved": 2}
    operations.change_purpose(purpose=purpose, by=ministry, retention_months=24)
    days = sorted(day.isoformat() for day in VaultEntry.objects.values_list("retention_until", flat=True))
    assert days == ["2029-07-31", "2030-07-31"]


def consent(study_id, by, **changes):
    values = {"given_by": "parent", "given_on": DAY, "evidence": "Tủ 3", "school": school()} | changes
    purpose = Purpose.objects.get(code="student-lists")
    return operations.record_consent(study_id=study_id, purpose=purpose, by=by, **values)


def test_a_consent_stands_once_and_withdrawing_it_deletes_what_rests_on_it(coordinator, stranger) -> None:
    study_id = write([pupil(1)])[0].key
    Purpose.objects.update(basis=Purpose.Basis.CONSENT)
    row = consent(study_id, coordinator)
    with pytest.raises(operations.ConsentStands):
        consent(study_id, coordinator)
    with pytest.raises(NotAllowed):
        operations.withdraw_consent(consent=row, school=school(), withdrawn_on=DAY, by=stranger)
    day = DAY - datetime.timedelta(days=1)
    with pytest.raises(operations.BadDay):
        operations.withdraw_consent(consent=row, school=school(), withdrawn_on=day, by=coordinator)
    operations.withdraw_consent(consent=row, school=school(), withdrawn_on=DAY, by=coordinator)
    assert not VaultEntry.objects.exists()
    assert Student.objects.count() == 1
    assert Consent.objects.get().withdrawn_on == DAY


def test_a_consent_that_cannot_be_is_refused(coordinator) -> None:
    study_id = write([pupil(1)])[0].key
    with pytest.raises(operations.BadDay):
        consent(study_id, coordinator, given_on=DAY + datetime.timedelta(days=1))
    with pytest.raises(operations.NoSuchPerson):
        consent("X" * 16, coordinator)


def test_withdrawing_leaves_an_identity_that_rests_on_law(coordinator) -> None:
    study_id = write([pupil(1)])[0].key
    operations.withdraw_consent(
        consent=consent(study_id, coordinator), school=school(), withdrawn_on=DAY, by=coordinator
    )
    assert VaultEntry.objects.count() == 1


def test_purposes_are_there_from_the_beginning_and_count_within_the_scope() -> None:
    write([pupil(1), pupil(2, "Lê Bình", school_id=SOUTH)])
    states = {state.purpose.code: state for state in queries.purposes(Scope(is_national=True), DAY)}
    assert set(states) == {"student-lists", "staff-lists"}
    assert states["student-lists"].n_kept == 2
    (south, _staff) = queries.purposes(Scope(provinces=frozenset({"79"})), datetime.date(2030, 1, 1))
    assert (south.n_kept, south.n_expired) == (1, 1)
    (nothing, _staff) = queries.purposes(Scope(), DAY)
    assert nothing.n_kept == 0


def test_a_visitor_opens_nothing(visitor: Client) -> None:
    from django.contrib.auth.models import AnonymousUser

    write([pupil(1)])
    with pytest.raises(Refusal):
        open_names(AnonymousUser())
