"""The rules and their evaluation over columns: polars in, plain findings out; no ORM here."""

from __future__ import annotations
