"""The year of mass mergers: 40 % of a province's schools go into others, seen before, done, and taken back."""

from __future__ import annotations

import datetime
from collections import defaultdict
from time import perf_counter

import pytest

from dienrong.core import clock
from dienrong.registry import operations, queries
from dienrong.registry.models import AdministrativeUnit, School, SchoolEnrolment, SchoolVersion
from dienrong.registry.queries import Line
from lsakit.datasets import full_register
from planted_errors import clean
from register_loading import load_planted

pytestmark = [pytest.mark.web, pytest.mark.django_db]

YEAR = "2025-2026"
COUNTED = datetime.date(2025, 10, 12)
CONFIRMED = datetime.datetime(2025, 10, 20, 3, 0, tzinfo=datetime.UTC)
MERGED = datetime.date(2026, 7, 1)
LATER = datetime.datetime(2026, 11, 24, 5, 0, tzinfo=datetime.UTC)
BEFORE_IT, THE_DAY, TODAY = datetime.date(2026, 6, 30), MERGED, LATER.date()


def state() -> tuple:
    """Everything that a batch may change, row by row."""
    return (
        list(School.objects.order_by("pk").values()),
        list(SchoolVersion.objects.order_by("pk").values()),
        SchoolEnrolment.objects.count(),
    )


def pairs_of(province: AdministrativeUnit, share: float) -> tuple[list[Line], int]:
    """Merge neighbours two by two, every second pair into a new school, until so many schools take part."""
    neighbours = defaultdict(list)
    for school in School.objects.filter(province=province, is_open=True).order_by("commune__code", "pk"):
        neighbours[school.commune.code if share < 0.4 else ""].append(school)
    n_schools = sum(map(len, neighbours.values()))
    lines: list[Line] = []
    for schools in neighbours.values():
        for one, other in zip(schools[::2], schools[1::2], strict=False):
            if 2 * len(lines) >= share * n_schools:
                break
            number = len(lines) + 1
            after = (
                {"successor_code": one.school_id}
                if number % 2
                else {
                    "successor_code": f"9999{number:04d}",
                    "successor_name": f"Trường sáp nhập số {number}",
                    "commune_code": one.commune.code,
                }
            )
            codes = (one.school_id, other.school_id)
            lines.append(Line(line_number=number, kind="merge", predecessor_codes=codes, **after))
    return lines, n_schools


def merge_and_undo(n_schools: int, largest_queries: int, count) -> dict[str, float]:
    """Walk the whole way in the largest province; give the seconds of each part."""
    register = clean(full_register(seed=2026, n_schools=n_schools))
    seconds: dict[str, float] = {}
    with clock.fixed(LATER):
        load_planted(register, data_at=COUNTED, confirmed_at=CONFIRMED)
        province = max(
            AdministrativeUnit.objects.filter(level="province", valid_to__isnull=True),
            key=lambda unit: School.objects.filter(province=unit).count(),
        )
        before, frame = state(), queries.frame_on(BEFORE_IT, YEAR, province_code=province.code)
        pupils = sum(sum(row.n_students.values()) for row in frame)
        lines, n_in_province = pairs_of(province, 0.4)
        assert 2 * len(lines) >= 0.4 * n_in_province
        started = perf_counter()
        batch = operations.plan_batch(
            province,
            lines,
            title="Sắp xếp trường năm học 2026–2027",
            decision_number="123/QĐ-UBND",
            decision_date=datetime.date(2026, 6, 15),
            effective_date=MERGED,
            by=None,
        )
        with count(largest_queries):
            plan = queries.preview_batch(batch)
        seconds["preview"] = perf_counter() - started
        assert plan.problems == ()
        assert plan.keeps_pupils
        assert (plan.schools.before, plan.schools.after) == (n_in_province, n_in_province - len(lines))
        assert state() == before
        started = perf_counter()
        with count(largest_queries):
            operations.apply_batch(batch=batch, by=None)
        seconds["apply"] = perf_counter() - started
        the_day_before, after, now = (
            queries.frame_on(day, YEAR, province_code=province.code) for day in (BEFORE_IT, THE_DAY, TODAY)
        )
        assert the_day_before == frame
        assert after == now
        for rows in (the_day_before, after):
            assert sum(sum(row.n_students.values()) for row in rows) == pupils
            assert len({row.school_id for row in rows}) == len(rows)
        found = {row.school_id: row for row in after}
        assert len(after) == n_in_province - len(lines)
        for line in lines:
            origins = set(line.predecessor_codes)
            assert set(found[line.successor_code].joined) == origins - {line.successor_code}
            assert not (origins - {line.successor_code}) & set(found)
        started = perf_counter()
        with count(largest_queries):
            operations.undo_batch(batch=batch, by=None)
        seconds["undo"] = perf_counter() - started
        assert state() == before
        assert queries.frame_on(TODAY, YEAR, province_code=province.code) == frame
    return seconds


@pytest.fixture
def count():
    """Hold a part of the work to a number of queries that does not grow with the batch."""
    from contextlib import contextmanager

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    @contextmanager
    def counting(most: int):
        with CaptureQueriesContext(connection) as asked:
            yield
        assert len(asked) <= most, f"{len(asked)} queries"

    return counting


@pytest.mark.long
def test_forty_percent_of_a_province_merge_and_come_back(count) -> None:
    merge_and_undo(3_000, 60, count)


@pytest.mark.slow
def test_forty_percent_of_the_largest_province_of_the_nation_merge_and_come_back(count) -> None:
    seconds = merge_and_undo(53_000, 160, count)
    print({part: round(taken, 2) for part, taken in seconds.items()})
