"""The small registry on 22 November 2026 with a cycle, its norm, and a survey that is open in the first province."""

from __future__ import annotations

import pytest

from small_cycle import cycle, registry, small_store
from small_readiness import open_all, set_norm

__all__ = ["cycle", "registry", "small_store"]


@pytest.fixture(autouse=True)
def still_clock(noon) -> None:
    """Every test is on 22 November 2026."""


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Counts of probes of one test do not reach the next."""
    from django.core.cache import cache

    cache.clear()


@pytest.fixture
def asked(cycle, registry, ministry, officer):
    """The schools of the first province are asked."""
    set_norm(cycle, ministry)
    open_all(cycle, officer)
    return cycle
