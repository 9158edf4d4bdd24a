"""How often one network address may ask: counted in memory for a minute, nothing of it is kept.

Each process of the server counts for itself, so with several the bound is that many times as high.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict

from django.utils.translation import gettext as _

from dienrong.core import clock
from dienrong.core.refusals import Refusal

WINDOW_SECONDS = 60
MOST_ADDRESSES = 20_000
QUESTIONS, FILES, KEPT = 60, 30, 10
_salt = secrets.token_bytes(16)
_counts: OrderedDict[tuple[str, int, bytes], int] = OrderedDict()
_lock = threading.Lock()


class TooOften(Refusal):
    """Too many questions came from one address within a minute."""

    code = "explorer.too_often"


def count(what: str, most: int, address: str) -> None:
    """Count one request of an address.

    Raises
    ------
    TooOften
        If it is one too many in this minute.
    """
    minute = int(clock.now().timestamp()) // WINDOW_SECONDS
    digest = hashlib.blake2b(address.encode(), key=_salt, digest_size=12).digest()
    key = (what, minute, digest)
    with _lock:
        n = _counts[key] = _counts.pop(key, 0) + 1
        while len(_counts) > MOST_ADDRESSES or (_counts and next(iter(_counts))[1] < minute):
            _counts.popitem(last=False)
    if n > most:
        raise TooOften(
            _("Too many questions came from here within one minute."),
            hint=_("Please wait a minute. The released files hold the data for larger work."),
        )


def forget() -> None:
    """Begin to count anew."""
    with _lock:
        _counts.clear()
