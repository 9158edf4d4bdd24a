"""The small cycle and registry, with nothing kept in memory from an earlier test."""

from __future__ import annotations

import pytest

from small_cycle import cycle, done_run, make_run, published, registry, small_store

__all__ = ["cycle", "done_run", "make_run", "published", "registry", "small_store"]


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """Begin each test with no question counted."""
    from dienrong.explorer import limits

    limits.forget()
