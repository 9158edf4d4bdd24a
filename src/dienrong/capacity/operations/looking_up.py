"""Look-ups by people without an account: counted by address, locked after too many, answered sparingly."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.capacity.models import LookUpAttempt
from dienrong.capacity.operations.refusals import LookUpLocked
from dienrong.capacity.queries.certificates import Answer, address_digest, lock_ends_at, verify
from dienrong.core import clock, formats
from dienrong.core.recording import ObjectName

KEEP = datetime.timedelta(days=1)


def look_up(*, number: str, check_code: str, version: int | None, name: str, address: str) -> Answer | None:
    """Answer somebody who holds a certificate in hand; None where number and check code do not belong together.

    Raises
    ------
    LookUpLocked
        If too many look-ups came from the address.
    """
    refuse_if_locked(address, LookUpAttempt.What.CERTIFICATE)
    answer = verify(number, check_code, version=version, name=name)
    # A name that does not fit counts as a miss: names cannot be tried out on a certificate either.
    is_hit = answer is not None and answer.is_holder is not False
    note_attempt(address, LookUpAttempt.What.CERTIFICATE, was_found=is_hit)
    return answer


@transaction.atomic
def note_attempt(address: str, what: str, *, was_found: bool) -> None:
    """Count a look-up; the one that reaches a limit is audited as a lock. Old ones are forgotten."""
    now = clock.now()
    LookUpAttempt.objects.filter(at__lt=now - KEEP).delete()
    LookUpAttempt.objects.create(
        what=what, address_digest=address_digest(address), at=now, was_found=was_found
    )
    ends_at = lock_ends_at(address, what)
    if ends_at is not None:
        name = ObjectName("capacity.look_up", what)
        record(action="capacity.look_ups_locked", actor=None, obj=name, after={"until": ends_at.isoformat()})


def refuse_if_locked(address: str, what: str) -> None:
    """Refuse look-ups from an address that made too many.

    Raises
    ------
    LookUpLocked
        With the time at which they open again.
    """
    ends_at = lock_ends_at(address, what)
    if ends_at is not None:
        raise LookUpLocked(
            _("Too many look-ups came from here. They open again at %(moment)s.")
            % {"moment": formats.moment_text(ends_at)},
            hint=_("Offices that check many certificates ask the issuer for the list."),
        )
