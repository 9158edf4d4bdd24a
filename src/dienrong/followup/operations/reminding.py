"""Reminders by mail, once a day and person at most; personal addresses of calendars."""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import translation

from dienrong.accounts import permissions
from dienrong.accounts.models import User
from dienrong.accounts.permissions import DATA_KEEPERS
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.recording import ObjectName
from dienrong.core.refusals import SignInFirst
from dienrong.followup.models import CalendarKey, Reminder
from dienrong.followup.queries.counting import due_duties, due_tasks
from dienrong.followup.reminder_texts import BEFORE, Item, mail

KEY_BYTES = 24


def items_of(user: Any, today: datetime.date) -> list[Item]:
    """List what is due for a person's units in the next days, and what is late."""
    until = today + datetime.timedelta(days=max(BEFORE))
    found = [
        Item(
            title=task.title,
            plan=task.plan.title,
            due_on=task.due_on,
            path=reverse("followup:task", args=[task.pk]),
        )
        for task in due_tasks(user, until)
    ]
    found += [
        Item(
            title=duty.task.title,
            plan=duty.task.plan.title,
            due_on=duty.due_on,
            path=reverse("followup:report", args=[duty.pk]),
        )
        for duty in due_duties(user, until)
    ]
    return sorted(found, key=lambda item: item.due_on)


def remind(*, today: datetime.date, progress: Callable[[int, int], None] | None = None) -> dict[str, int]:
    """Send the reminders of a day; a second run sends nothing twice, and what failed is tried again by it.

    Returns
    -------
    dict of str to int
        ``n_sent``, ``n_failed``, ``n_without_address``.
    """
    people = User.objects.filter(is_active=True, assignments__role__in=DATA_KEEPERS).distinct().order_by("pk")
    counts = {"n_sent": 0, "n_failed": 0, "n_without_address": 0}
    total = people.count()
    for place, person in enumerate(people.iterator(), start=1):
        if progress is not None and place % 50 == 0:
            progress(place, total)
        with translation.override(person.language or settings.LANGUAGE_CODE):
            items = items_of(person, today)
            if not any(item.is_called(today) for item in items):
                continue
            if not person.email:
                counts["n_without_address"] += 1
                continue
            outcome = _send(person, items, today)
        if outcome:
            counts[outcome] += 1
    if counts["n_sent"] or counts["n_failed"]:
        with transaction.atomic():
            record(
                action="followup.reminded",
                actor=None,
                obj=ObjectName(kind="followup.reminders", key=today.isoformat()),
                after=counts,
            )
    return counts


def _send(person: User, items: list[Item], today: datetime.date) -> str:
    """Send one mail, unless it was sent; give what came of it."""
    try:
        with transaction.atomic():
            claim = Reminder.objects.create(user=person, day=today, n_items=len(items), sent_at=clock.now())
    except IntegrityError:
        return ""
    subject, text = mail(person.full_name, items, today, settings.OPTIONS.site_url)
    try:
        send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [person.email])
    except OSError:  # smtplib's errors are OSErrors; the claim goes, so that the next run tries again
        claim.delete()
        return "n_failed"
    return "n_sent"


@transaction.atomic
def make_calendar_key(*, by: Any) -> str:
    """Make the personal address of a calendar; an earlier one ends. The key is shown this once.

    Raises
    ------
    SignInFirst
        If nobody is signed in.
    """
    if not getattr(by, "is_authenticated", False):
        raise SignInFirst("")
    permissions.demand(by, "view_tasks")
    key = secrets.token_urlsafe(KEY_BYTES)
    CalendarKey.objects.update_or_create(user=by, defaults={"digest": digest_of(key), "made_at": clock.now()})
    record(
        action="followup.calendar_key_made",
        actor=by,
        obj=ObjectName(kind="followup.calendar", key=str(by.pk)),
    )
    return key


def digest_of(key: str) -> str:
    """Give the digest under which a key is kept."""
    return hashlib.sha256(key.encode()).hexdigest()


@transaction.atomic
def withdraw_calendar_key(*, by: Any) -> None:
    """End the personal address of a calendar; calendars that read it stay empty from now on."""
    n_ended, _rows = CalendarKey.objects.filter(user=by).delete()
    if n_ended:
        record(
            action="followup.calendar_key_withdrawn",
            actor=by,
            obj=ObjectName(kind="followup.calendar", key=str(by.pk)),
        )
