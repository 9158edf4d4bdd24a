"""The small registry on 22 November 2026 with the national project loaded, and files in a folder of the test."""

from __future__ import annotations

import pytest

from small_cycle import cycle, registry, small_store

__all__ = ["cycle", "registry", "small_store"]


@pytest.fixture(autouse=True)
def still_clock(noon) -> None:
    """Every test is on 22 November 2026."""


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    """Files of these tests lie in a folder of their own."""
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    return settings.DATA_DIR


@pytest.fixture
def project(db, ministry):
    """The phases and the national project; the plans of provinces that this registry does not have are left out."""
    from dienrong.plans.operations.documents import load_shipped

    return load_shipped(by=ministry)
