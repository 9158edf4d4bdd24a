"""Columns and files by way of lsakit; no ORM here."""

from __future__ import annotations
