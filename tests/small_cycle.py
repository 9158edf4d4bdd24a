"""A cycle of two provinces for the tests of the pages: the real pipeline, on a nation that takes seconds.

The store is made once per test process; each test's run finds its stages there and reuses them.
"""

from __future__ import annotations

import atexit
import datetime
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dienrong.analysis import numeric
from dienrong.analysis import operations as runs
from dienrong.analysis.models import AnalysisRun
from dienrong.cycles import operations as cycles
from dienrong.cycles.models import Cycle
from dienrong.registry import operations as registry_operations
from dienrong.registry.numeric import NationRows
from dienrong.reporting import operations as reports

SLUG = "quoc-gia-2026"
SEED = 2026


@cache
def store_root() -> Path:
    """Make the folder of stores of this test process; it is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="dienrong-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def tiny_options(request: numeric.RunRequest) -> Any:
    """Give the options of a nation of two provinces, all else as asked."""
    from lsakit.datasets import NationSize
    from lsakit.pipeline.options import CycleOptions

    size = NationSize(n_provinces=2, n_schools_5=40, n_schools_9=40, n_pupils_5=2400, n_pupils_9=2400)
    return CycleOptions(
        size=size,
        seed=request.seed,
        grades=request.grades,
        n_schools_per_province=request.n_schools_per_province or 8,
        n_students=request.n_students or 20,
        n_plausible_values=3,
        n_replicates=12,
        with_report_files=False,
    )


@pytest.fixture
def small_store(settings, monkeypatch) -> Path:
    """Put the stores into the folder of this process, and make runs small."""
    settings.STORE = store_root()
    monkeypatch.setattr(numeric, "_options", tiny_options)
    return settings.STORE


@pytest.fixture
def cycle(db, small_store) -> Cycle:
    """A cycle of grade 5."""
    programme = cycles.create_programme(
        code="quoc-gia", name_vi="Cấp quốc gia", name_en="National", legal_basis="TT 08/2026", by=None
    )
    new = cycles.NewCycle(
        slug=SLUG,
        name_vi="Đánh giá diện rộng cấp quốc gia 2026",
        name_en="National large-scale assessment 2026",
        school_year="2025-2026",
        first_test_date=datetime.date(2026, 4, 20),
        grades=(5,),
        subjects=(
            cycles.SubjectNames(code="maths", name_vi="Toán", name_en="Mathematics"),
            cycles.SubjectNames(code="reading", name_vi="Tiếng Việt", name_en="Reading"),
        ),
    )
    return cycles.create_cycle(programme=programme, new=new, by=None)


@pytest.fixture
def make_run(cycle, ministry) -> Callable[..., AnalysisRun]:
    """Make runs of the cycle and carry them out in this process."""

    def make(seed: int = SEED) -> AnalysisRun:
        options = runs.RunOptions(size="small", seed=seed)
        run = runs.request_run(cycle=cycle, options=options, by=ministry, in_background=False)
        return runs.execute_run(run, progress=lambda _text, _share: None)

    return make


@pytest.fixture
def done_run(make_run) -> AnalysisRun:
    """A run that is done."""
    return make_run()


@pytest.fixture
def published(done_run, ministry) -> AnalysisRun:
    """A run whose report is published."""
    reports.publish_report(run=done_run, by=ministry)
    return done_run


def school_row(school_id: str, name: str, commune: str, **changes: Any) -> dict[str, Any]:
    """Write a row of the schools of a nation."""
    row = {
        "school_id": school_id,
        "name": name,
        "province_code": "01" if commune.startswith("0") else "79",
        "commune_code": commune,
        "area": "urban",
        "disadvantaged": False,
        "sector": "public",
        "levels": "TH",
        "boarding": False,
        "minority_share": 0.125,
        "n_satellite_sites": 0,
        "enrolment_5": 120,
        "classes_5": 4,
        "enrolment_9": 0,
        "classes_9": 0,
    }
    return {**row, **changes}


SCHOOLS = (
    school_row("01000001", "Trường TH Hòa Bình", "00004"),
    school_row("01000002", "Trường TH Nguyễn Trãi", "00004", disadvantaged=True),
    school_row("01000003", "Trường THCS Đức Thắng", "00008", enrolment_5=0, enrolment_9=200, classes_9=5),
    school_row("79000001", "Trường TH Hoà Bình", "26734"),
)


def nation(schools: tuple[dict[str, Any], ...] = SCHOOLS, fingerprint: str = "sha256:1") -> NationRows:
    """Give a nation of two provinces and three communes as rows."""
    provinces = (
        {"code": "01", "name": "Hà Nội", "full_name": "Thành phố Hà Nội", "kind": "city"},
        {"code": "79", "name": "Hồ Chí Minh", "full_name": "Thành phố Hồ Chí Minh", "kind": "city"},
    )
    communes = (
        {
            "code": "00004",
            "name": "Ba Đình",
            "full_name": "Phường Ba Đình",
            "kind": "ward",
            "province_code": "01",
        },
        {
            "code": "00008",
            "name": "Ngọc Hà",
            "full_name": "Phường Ngọc Hà",
            "kind": "ward",
            "province_code": "01",
        },
        {
            "code": "26734",
            "name": "Sài Gòn",
            "full_name": "Phường Sài Gòn",
            "kind": "ward",
            "province_code": "79",
        },
    )
    regions = {"01": "red_river_delta", "79": "southeast"}
    provinces = tuple({**row, "region6": regions[row["code"]]} for row in provinces)
    return NationRows(
        source="tests", fingerprint=fingerprint, provinces=provinces, communes=communes, schools=schools
    )


@pytest.fixture
def registry(db):
    """The registry with four schools of two provinces."""
    return registry_operations.load_nation(rows=nation(), school_year="2025-2026", by=None)
