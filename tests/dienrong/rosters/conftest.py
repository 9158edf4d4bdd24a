"""The small registry, and a clock that stands still, for the tests of the rosters."""

from __future__ import annotations

import pytest

from small_cycle import registry

__all__ = ["registry"]


@pytest.fixture(autouse=True)
def still_clock(noon) -> None:
    """Every test is on 22 November 2026."""
