"""A session of each method on the small cycle, with panelists who can come in."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest

from dienrong.core import clock
from dienrong.standards import operations, sources
from dienrong.standards.models import Panelist, StandardSetting
from small_cycle import cycle, done_run, make_run, published, registry, small_store
from small_scaling import data_folder, frozen, make_scaling, scaled, study

__all__ = [
    "cycle", "data_folder", "done_run", "frozen", "make_run", "make_scaling", "published", "registry", "scaled",
    "small_store", "study",
]  # fmt: skip

LEVELS = (
    operations.LevelText(
        name_vi="Đạt",
        name_en="Basic",
        description_vi="Làm được phép tính một bước.",
        description_en="One step.",
    ),
    operations.LevelText(name_vi="Khá", name_en="Proficient"),
)
NAMES = ("Nguyễn Thị Lan", "Trần Văn Nam", "Lò Thị Mai", "H'Hen Niê")


@pytest.fixture
def open_session(done_run, ministry) -> Callable[..., StandardSetting]:
    """Open sessions on the maths of the small run."""

    def make(method: str = "bookmark", **changes) -> StandardSetting:
        chosen = sources.choices(done_run.cycle, ministry)[0]
        new = {
            "title": "Toán lớp 5",
            "choice": chosen.key,
            "method": method,
            "levels": LEVELS,
            "links_end_on": clock.today() + datetime.timedelta(days=7),
        } | changes
        return operations.open_session(cycle=done_run.cycle, new=operations.NewSession(**new), by=ministry)

    return make


@pytest.fixture
def seat(ministry) -> Callable[..., list[Panelist]]:
    """Seat people on the panels of a session, in turn."""

    def make(setting: StandardSetting, n: int = 4) -> list[Panelist]:
        people = [
            operations.Person(
                full_name=name, position="Giáo viên", unit="Trường TH 1", panel=1 + i % setting.n_panels
            )
            for i, name in enumerate(NAMES[:n])
        ]
        return operations.add_panelists(setting=setting, people=people, by=ministry)

    return make
