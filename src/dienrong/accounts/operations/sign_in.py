"""Doors that lock after failures, and the browsers in which people are signed in."""

from __future__ import annotations

import datetime

from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import devices, queries
from dienrong.accounts.models import FailureKind, SignIn, SignInFailure, User, normal_username
from dienrong.core import clock, formats
from dienrong.core.recording import ObjectName, record
from dienrong.core.refusals import Refusal

KEEP_FAILURES = datetime.timedelta(days=2)


class SignInLocked(Refusal):
    """Too many failures; the door is closed for a while."""

    code = "accounts.sign_in_locked"


@transaction.atomic
def note_failure(*, username: str, address: str, kind: str = FailureKind.PASSWORD) -> None:
    """Count a wrong password, code or link; the failure that reaches the limit is audited as a lock."""
    name = normal_username(username)[:150]
    now = clock.now()
    SignInFailure.objects.filter(failed_at__lt=now - KEEP_FAILURES).delete()
    SignInFailure.objects.create(kind=kind, username=name, address=address[:64], failed_at=now)
    ends_at = queries.lock_ends_at(username=name, address=address, kind=kind)
    if ends_at is not None:
        after = {"until": ends_at.isoformat(), "kind": str(kind)}
        record(
            action="accounts.sign_in_locked", actor=None, obj=ObjectName("accounts.user", name), after=after
        )


def refuse_if_locked(*, username: str, address: str, kind: str = FailureKind.PASSWORD) -> None:
    """Refuse an attempt while the door is locked, in the same words whether the account exists or not.

    Raises
    ------
    SignInLocked
        With the time at which the door opens.
    """
    ends_at = queries.lock_ends_at(username=username, address=address, kind=kind)
    if ends_at is not None:
        sentences = {
            FailureKind.PASSWORD: _("Too many wrong passwords. Sign-in opens again at %(moment)s."),
            FailureKind.CODE: _("Too many wrong codes. Sign-in opens again at %(moment)s."),
            FailureKind.LINK: _("Too many wrong links were opened from here. Try again after %(moment)s."),
        }
        raise SignInLocked(sentences[FailureKind(kind)] % {"moment": formats.moment_text(ends_at)})


@transaction.atomic
def note_sign_in(
    *,
    user: User,
    session_key: str,
    address: str,
    device: str,
    way: str = "password",
    second_factor: bool = False,
) -> None:
    """Remember the browser in which a person signed in, and forget the account's failures."""
    SignInFailure.objects.filter(username=user.username).delete()
    SignIn.objects.update_or_create(
        session_key=session_key,
        defaults={
            "user": user,
            "address": address[:64],
            "device": devices.device_name(device),
            "signed_in_at": clock.now(),
        },
    )
    user.last_login = clock.now()
    user.save(update_fields=["last_login"])
    after = {"way": way, "second_factor": second_factor}
    record(action="accounts.signed_in", actor=user, obj=user, after=after)


@transaction.atomic
def note_sign_out(*, user: User, session_key: str) -> None:
    """Forget the browser that a person leaves."""
    SignIn.objects.filter(user=user, session_key=session_key).delete()
    record(action="accounts.signed_out", actor=user, obj=user)


@transaction.atomic
def move_sign_in(*, user: User, old_key: str, new_key: str) -> None:
    """Follow a browser whose session key changed with the password; forget the browsers it signed out."""
    SignIn.objects.filter(user=user).exclude(session_key=old_key).delete()
    SignIn.objects.filter(user=user, session_key=old_key).update(session_key=new_key)


@transaction.atomic
def end_sign_in(*, user: User, sign_in_id: int) -> bool:
    """Sign a person out of one of their browsers; False where it was not theirs."""
    sign_in = SignIn.objects.filter(user=user, pk=sign_in_id).first()
    if sign_in is None:
        return False
    Session.objects.filter(session_key=sign_in.session_key).delete()
    sign_in.delete()
    record(action="accounts.signed_out_elsewhere", actor=user, obj=user)
    return True


@transaction.atomic
def end_all_sign_ins(*, user: User) -> int:
    """Sign a person out everywhere, as part of another change that is audited; give how many browsers."""
    keys = list(SignIn.objects.filter(user=user).values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    SignIn.objects.filter(user=user).delete()
    return len(keys)
