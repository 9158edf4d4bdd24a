"""Reminders go out once a day to those who can act; calendars read by a personal address."""

from __future__ import annotations

import datetime
import smtplib

import icalendar
import pytest
from django.core import mail

from dienrong.accounts import operations as accounts
from dienrong.core import clock
from dienrong.followup import operations
from dienrong.followup.models import CalendarKey, Reminder
from dienrong.followup.reminder_texts import Item
from small_followup import DAY, TODAY, a_plan, a_task, handed, in_force

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]


def with_address(person, address: str):
    person.email = address
    person.save()
    return person


@pytest.fixture
def duty(officer):
    plan = a_plan(officer)
    task = a_task(plan, officer, due=40)
    in_force(plan, officer)
    return next(one for one in handed(task, officer, due=3) if one.unit_code == "00004")


@pytest.mark.parametrize(
    ("left", "called"),
    [
        (8, False),
        (7, True),
        (5, False),
        (3, True),
        (1, True),
        (0, True),
        (-1, True),
        (-2, False),
        (-8, True),
        (-15, True),
    ],
)
def test_days_on_which_people_are_reminded(left, called) -> None:
    item = Item(title="a", plan="b", due_on=TODAY + left * DAY, path="/")
    assert item.is_called(TODAY) is called


def test_the_unit_that_has_the_duty_is_reminded_once(
    duty, officer, commune_officer, stranger, settings
) -> None:
    with_address(commune_officer, "xa@example.vn")
    with_address(officer, "so@example.vn")
    with_address(stranger, "la@example.vn")
    settings.OPTIONS = settings.OPTIONS.__class__(
        data_dir=settings.DATA_DIR,
        vault_key="5a" * 32,
        require_totp=False,
        site_url="https://danhgia.example.vn",
    )
    assert operations.remind(today=TODAY) == {"n_sent": 1, "n_failed": 0, "n_without_address": 0}
    (sent,) = mail.outbox
    assert sent.to == ["xa@example.vn"]
    assert "Nộp danh sách" in sent.body
    assert f"https://danhgia.example.vn/cong-viec/viec-giao/{duty.pk}" in sent.body
    assert "25/11/2026" in sent.body
    assert operations.remind(today=TODAY)["n_sent"] == 0
    assert len(mail.outbox) == 1


def test_who_has_no_address_is_counted(duty, commune_officer) -> None:
    assert operations.remind(today=TODAY) == {"n_sent": 0, "n_failed": 0, "n_without_address": 1}


def test_a_mail_that_failed_is_sent_by_the_next_run(duty, commune_officer, monkeypatch) -> None:
    with_address(commune_officer, "xa@example.vn")

    def broken(*_args, **_kwargs):
        raise smtplib.SMTPServerDisconnected("gone")

    with monkeypatch.context() as patched:
        patched.setattr("dienrong.followup.operations.reminding.send_mail", broken)
        assert operations.remind(today=TODAY)["n_failed"] == 1
    assert not Reminder.objects.exists()
    assert operations.remind(today=TODAY)["n_sent"] == 1


def test_a_reported_duty_and_a_closed_account_are_left_in_peace(duty, officer, commune_officer) -> None:
    with_address(commune_officer, "xa@example.vn")
    operations.report_duty(duty=duty, outcome="xong", by=commune_officer)
    assert operations.remind(today=TODAY)["n_sent"] == 0


def test_the_nightly_work_says_that_no_mail_server_is_set(duty, commune_officer) -> None:
    from dienrong.followup import tasks

    class Context:
        lines: list[str] = []

        def log(self, line: str) -> None:
            self.lines.append(line)

    with_address(commune_officer, "xa@example.vn")
    assert tasks.send_reminders(Context())["n_sent"] == 0
    assert "DIENRONG_MAIL_URL" in Context.lines[0]
    assert not mail.outbox


def test_a_calendar_program_reads_what_is_due(duty, commune_officer, signed_in, visitor) -> None:
    page = signed_in(commune_officer).post("/cong-viec/lich/dia-chi")
    address = page.content.decode().split("http://testserver")[1].split("<")[0]
    feed = visitor.get(address)
    assert feed["Content-Type"].startswith("text/calendar")
    found = icalendar.Calendar.from_ical(feed.content)
    (event,) = found.walk("VEVENT")
    assert str(event["summary"]) == "Nộp danh sách"
    assert (event["dtstart"].dt, event["dtend"].dt) == (duty.due_on, duty.due_on + DAY)
    assert event["uid"] == f"duty-{duty.pk}@dienrong"
    assert len(event.walk("VALARM")) == 1
    assert all(len(line) <= 75 for line in feed.content.split(b"\r\n"))


def test_a_guessed_an_ended_and_a_closed_address_are_not_found(duty, commune_officer, visitor) -> None:
    assert visitor.get("/lich/doan-mo.ics").status_code == 404
    first = operations.make_calendar_key(by=commune_officer)
    second = operations.make_calendar_key(by=commune_officer)
    assert visitor.get(f"/lich/{first}.ics").status_code == 404
    assert visitor.get(f"/lich/{second}.ics").status_code == 200
    assert second not in CalendarKey.objects.get().digest
    commune_officer.is_active = False
    commune_officer.save()
    assert visitor.get(f"/lich/{second}.ics").status_code == 404
    commune_officer.is_active = True
    commune_officer.save()
    operations.withdraw_calendar_key(by=commune_officer)
    assert visitor.get(f"/lich/{second}.ics").status_code == 404


def test_a_role_that_ended_empties_the_calendar(duty, commune_officer, visitor) -> None:
    key = operations.make_calendar_key(by=commune_officer)
    accounts.end_role(assignment=commune_officer.assignments.get(), on=TODAY + DAY, by=None)
    with clock.fixed(datetime.datetime(2026, 11, 24, 5, tzinfo=datetime.UTC)):
        assert visitor.get(f"/lich/{key}.ics").status_code == 404
