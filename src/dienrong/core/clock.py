"""The one place that reads the real time; everything else asks here, and tests set it."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone

_lock = threading.Lock()
_fixed: list[datetime.datetime] = []


def now() -> datetime.datetime:
    """Give the present moment, in UTC with its zone."""
    with _lock:
        if _fixed:
            return _fixed[-1]
    return datetime.datetime.now(tz=datetime.UTC)  # noqa: TID251 - the one place


def today() -> datetime.date:
    """Give the present date in the time zone of the pages."""
    return timezone.localtime(now()).date()


def monotonic_seconds() -> float:
    """Give seconds that only grow, for intervals; unrelated to any date."""
    return time.monotonic()


@contextmanager
def fixed(moment: datetime.datetime) -> Iterator[datetime.datetime]:
    """Hold the clock of this process at one moment, in every thread; for tests."""
    if moment.tzinfo is None:
        raise ValueError("moment must carry its time zone")
    with _lock:
        _fixed.append(moment)
    try:
        yield moment
    finally:
        with _lock:
            _fixed.remove(moment)
