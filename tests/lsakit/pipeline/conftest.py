"""One small cycle of grade 5, run once for all tests of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from lsakit.datasets.nation_size import NationSize
from lsakit.lineage import Store
from lsakit.pipeline import CycleOptions, CycleResult, run_cycle
from scaled_study import done, table

__all__ = ["SmallCycle", "cycle", "done", "table"]

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
TINY = NationSize(n_provinces=2, n_schools_5=80, n_schools_9=60, n_pupils_5=9_000, n_pupils_9=7_000)
OPTIONS = CycleOptions(
    size=TINY, seed=7, grades=(5,), n_schools_per_province=20, n_plausible_values=4, with_report_files=False
)


@dataclass(frozen=True)
class SmallCycle:
    """A store and what its cycle gave."""

    store: Store
    options: CycleOptions
    result: CycleResult


@pytest.fixture(scope="session")
def cycle(tmp_path_factory: pytest.TempPathFactory) -> SmallCycle:
    """Run the cycle; tests must not change its store."""
    store = Store(tmp_path_factory.mktemp("cycle") / "store")
    return SmallCycle(store, OPTIONS, run_cycle(store, OPTIONS, now=NOW, who="an expert"))


@pytest.fixture(scope="session")
def two_cycles(tmp_path_factory: pytest.TempPathFactory) -> SmallCycle:
    """Run a cycle that has a previous one; tests must not change its store."""
    store = Store(tmp_path_factory.mktemp("two_cycles") / "store")
    options = OPTIONS.changed(n_earlier_schools_per_province=20)
    return SmallCycle(store, options, run_cycle(store, options, now=NOW, who="an expert"))
