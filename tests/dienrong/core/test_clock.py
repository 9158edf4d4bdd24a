"""Time is asked of one place, which tests hold."""

from __future__ import annotations

import ast
import datetime
from pathlib import Path

import pytest

import dienrong
from dienrong.core import clock

ALLOWED = {"clock.py"}


def test_the_clock_can_be_held() -> None:
    moment = datetime.datetime(2026, 9, 4, 18, 0, tzinfo=datetime.UTC)
    with clock.fixed(moment):
        assert clock.now() == moment
        assert clock.today() == datetime.date(2026, 9, 5)  # it is already tomorrow in Hanoi
    assert clock.now() != moment
    assert clock.now().tzinfo is datetime.UTC


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"), clock.fixed(datetime.datetime(2026, 1, 1)):
        pass


def test_nobody_else_reads_the_time() -> None:
    """Look for calls of now(), utcnow() or today() on anything but the core clock, in our own rooms."""
    found = []
    for room in ("core", "accounts", "audit", "jobs"):
        for file in (Path(dienrong.__file__).parent / room).rglob("*.py"):
            if file.name in ALLOWED or "migrations" in file.parts:
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
                    owner = node.value.id if isinstance(node.value, ast.Name) else "?"
                    if owner != "clock":
                        found.append(f"{file.name}:{node.lineno}")
    assert not found
