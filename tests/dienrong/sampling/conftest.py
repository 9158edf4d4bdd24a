"""A country of 80 primary schools in two provinces, a cycle, and plans at each step of their life."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from dienrong.core import clock
from dienrong.registry import operations as registry_operations
from dienrong.sampling import operations
from dienrong.sampling.models import Plan
from sampling_moments import AFTER, DUE, NOON, NUMBER, SOURCE, YEAR
from small_cycle import cycle, nation, school_row, small_store

__all__ = ["cycle", "small_store"]


def schools() -> tuple:
    """Give 40 schools in each province; sizes from 12 to 251, one very large."""
    rows = []
    for number in range(1, 41):
        for province, commune in (("01", "00004" if number % 2 else "00008"), ("79", "26734")):
            size = 12 + (number * 37 + int(province)) % 240
            rows.append(
                school_row(
                    f"{province}{number:06d}",
                    f"Trường TH {'Đống Đa' if number % 3 else 'Ánh Dương'} {number}",
                    commune,
                    area="urban" if number % 4 else "rural",
                    disadvantaged=number % 5 == 0,
                    enrolment_5=900 if (number, province) == (40, "79") else size,
                    classes_5=max(1, size // 35),
                )
            )
    return tuple(rows)


@pytest.fixture
def data_dir(settings, tmp_path) -> Path:
    """Give every test a data folder of its own."""
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def at_noon(data_dir):
    """Hold the clock at noon; the folder is made first."""
    with clock.fixed(NOON):
        yield NOON


@pytest.fixture
def country(db, at_noon):
    """The registry with 80 schools of two provinces."""
    return registry_operations.load_nation(rows=nation(schools()), school_year=YEAR, by=None)


@pytest.fixture
def make_plan(cycle, country, ministry) -> Callable[..., Plan]:
    """Make a plan of grade 5 as a draft."""

    def make(title: str = "Lớp 5, khảo sát chính thức", **changes) -> Plan:
        values = {
            "title": title,
            "population": "students",
            "grade": 5,
            "phase": "main_survey",
            "rules": "national",
            "school_year": YEAR,
            "frame_date": datetime.date(2026, 11, 22),
            **changes,
        }
        return operations.create_plan(cycle=cycle, new=operations.NewPlan(**values), by=ministry)

    return make


@pytest.fixture
def draft(make_plan, ministry) -> Plan:
    """A draft with its frame from the registry and its numbers."""
    plan = operations.take_registry(plan=make_plan(), by=ministry)
    values = {"explicit": ["province"], "implicit": ["area"], "n_schools": 12, "n_students": 30}
    return operations.change_design(plan=plan, values=values, by=ministry)


@pytest.fixture
def frozen(draft, ministry) -> Plan:
    """A plan whose frame is frozen."""
    operations.freeze_frame(plan=draft, by=ministry)
    return Plan.objects.get(pk=draft.pk)


@pytest.fixture
def committed(frozen, ministry) -> Plan:
    """A plan whose commitment is published."""
    operations.commit_plan(plan=frozen, source_name=SOURCE, source_due_at=DUE, by=ministry)
    return Plan.objects.get(pk=frozen.pk)


@pytest.fixture
def drawn(committed, ministry) -> Plan:
    """A plan that is drawn."""
    with clock.fixed(AFTER):
        operations.draw_sample(plan=committed, source_text=NUMBER, witnesses=["Lê Thị Ánh"], by=ministry)
    return Plan.objects.get(pk=committed.pk)
