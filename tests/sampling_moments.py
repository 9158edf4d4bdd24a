"""Moments and words that the tests of the sampling room share."""

from __future__ import annotations

import datetime

NOON = datetime.datetime(2026, 11, 22, 5, 0, tzinfo=datetime.UTC)
DUE = NOON + datetime.timedelta(hours=6)
AFTER = DUE + datetime.timedelta(minutes=10)
YEAR = "2025-2026"
NUMBER = "48213 07 99"
SOURCE = "Xổ số miền Bắc, giải đặc biệt ngày 22/11/2026"
