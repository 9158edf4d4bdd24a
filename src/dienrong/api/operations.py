"""Writes of the API's own: the count of requests, and the calls that are made once."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from dienrong.api.models import MadeCall, RequestCount
from dienrong.core import clock
from dienrong.core.refusals import Refusal

WINDOW_SECONDS = 60
KEPT_MINUTES = 60
CALL_KEPT_DAYS = 7

COUNT = """
INSERT INTO api_requestcount (key, minute, n_requests) VALUES (%s, %s, 1)
ON CONFLICT (key) DO UPDATE SET
    n_requests = CASE WHEN api_requestcount.minute = excluded.minute THEN api_requestcount.n_requests + 1 ELSE 1 END,
    minute = excluded.minute
RETURNING n_requests
"""
"""One statement, so that no two processes count the same request; SQLite and PostgreSQL read it alike."""


class KeyUsedOtherwise(Refusal):
    """The idempotency key was used for a call with other content."""

    code = "api.key_used_otherwise"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a key may still ask in this minute."""

    limit: int
    n_requests: int
    reset_seconds: int

    @property
    def remaining(self) -> int:
        """Requests left until the minute ends."""
        return max(0, self.limit - self.n_requests)

    @property
    def is_used_up(self) -> bool:
        """Whether this request was one too many."""
        return self.n_requests > self.limit

    def headers(self) -> dict[str, str]:
        """Give the headers that tell a client where it stands."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
        }


def count_request(*, key: str, limit: int) -> Allowance:
    """Count one request of a key in the present minute, in one atomic statement.

    Invariant: of requests that arrive together, each gets a count of its own, in every process.
    """
    minute, second = divmod(int(clock.now().timestamp()), WINDOW_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [key[:80], minute])
        n_requests = int(cursor.fetchone()[0])
    if n_requests == 1 and key.startswith("address:"):
        RequestCount.objects.filter(minute__lt=minute - KEPT_MINUTES, key__startswith="address:").delete()
    return Allowance(limit=limit, n_requests=n_requests, reset_seconds=WINDOW_SECONDS - second)


@transaction.atomic
def make_once(*, token_id: int, key: str, fingerprint: str, make: Callable[[], str]) -> tuple[str, bool]:
    """Make a call once per key: give the number of what it made, and whether it was made before.

    Invariant: the key is kept in the transaction of the call; a call that is refused leaves no key behind.

    Raises
    ------
    KeyUsedOtherwise
        If the key was used for other content.
    """
    oldest = clock.now() - datetime.timedelta(days=CALL_KEPT_DAYS)
    MadeCall.objects.filter(made_at__lt=oldest).delete()
    try:
        with transaction.atomic():
            call = MadeCall.objects.create(
                token_id=token_id, key=key, fingerprint=fingerprint, import_id="", made_at=clock.now()
            )
    except IntegrityError:
        earlier = MadeCall.objects.get(token_id=token_id, key=key)
        if earlier.fingerprint != fingerprint:
            raise KeyUsedOtherwise(
                _("This Idempotency-Key was used for a call with other content."),
                hint=_("Use a new key for new content."),
            ) from None
        return earlier.import_id, True
    call.import_id = make()
    call.save(update_fields=["import_id"])
    return call.import_id, False
