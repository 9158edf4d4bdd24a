"""One small demonstration and one Chromium for all browser tests; all are skipped where there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import site_under_test


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Drive Debian's Chromium."""
    reason = site_under_test.missing()
    if reason:
        pytest.skip(reason)
    with site_under_test.browsing() as started:
        yield started


@pytest.fixture(scope="session")
def site(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the demonstration of a tiny nation."""
    with site_under_test.serving(tmp_path_factory.mktemp("site"), "tiny") as address:
        yield address


@pytest.fixture(scope="session")
def pages(chromium: Any, site: str) -> dict[str, dict[str, str]]:
    """Name the pages by person."""
    page = site_under_test.open_page(chromium, site, person="bo")
    found = site_under_test.addresses(page)
    page.context.close()
    return found
