"""What officers find in the demonstration: units with history, data of schools and their faults, lists, a draft.

Each step finds its work done at the second start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from dienrong.core import clock

MISTAKES = 0.06
PIECE = 2_000
N_MERGERS = 8
Say = Callable[[str, float], None]


def load_registry(*, seed: int, size: str, school_year: str, by: Any, say: Say) -> Any:
    """Load units with their history, and the schools of a nation with contacts, sites and counts of several years."""
    from dienrong.registry import operations, queries
    from dienrong.registry.numeric import (
        nation_register_rows,
        nation_register_source,
        unit_history_rows,
    )

    newest = newest_year(school_year)
    last = queries.last_load()
    if last is not None and last.source == nation_register_source(seed=seed, size=size, newest_year=newest):
        return last
    say("Lập danh mục đơn vị hành chính · Making the list of units", 0.0)
    operations.load_units(rows=unit_history_rows(), by=by)
    say("Lập danh mục trường · Making the list of schools", 0.3)
    rows = nation_register_rows(
        seed=seed,
        size=size,
        frame_year=int(school_year[:4]),
        newest_year=newest,
        mistakes=MISTAKES,
    )
    return operations.load_nation(rows=rows, school_year=school_year, by=by)


def newest_year(school_year: str) -> int:
    """Give the year in which the newest school year begins of which counts are due, not before that of the frame."""
    from dienrong.scorecard.numeric.register import expected_year

    return max(int(school_year[:4]), int(expected_year(clock.today())[:4]))


def fill_rosters(*, commune_code: str, seed: int, size: str, school_year: str, by: Any) -> int:
    """Write the class lists of a commune's schools of this school year; give the pupils who are listed."""
    from dienrong.accounts.permissions import scope_of
    from dienrong.registry.models import School
    from dienrong.registry.numeric import nation_student_rows
    from dienrong.rosters import codes, operations, queries
    from dienrong.rosters.models import StudentPlace

    schools = School.objects.filter(commune__code=commune_code, is_open=True)
    present = codes.school_year_on(clock.today())
    listed = StudentPlace.objects.filter(school__in=schools, school_year=present)
    if listed.exists():
        return int(listed.count())
    later = max(0, int(present[:4]) - int(school_year[:4]))
    rows = nation_student_rows(
        seed=seed,
        size=size,
        school_ids=sorted(schools.values_list("school_id", flat=True)),
        years_later=min(later, 9),
    )
    for start in range(0, len(rows), PIECE):
        piece = list(enumerate(rows[start : start + PIECE], start=start + 1))
        changes = queries.compare_students(piece, scope=scope_of(by), school_year=present)
        operations.write_students(changes, by=by, school_year=present)
    return len(rows)


def draft_mergers(*, province: Any, by: Any) -> Any:
    """Write down a batch of mergers of a province as a draft; nothing about the schools is changed."""
    from dienrong.registry import operations
    from dienrong.registry.models import MergerBatch, School
    from dienrong.registry.queries.mergers import Line

    drawn = MergerBatch.objects.filter(province=province).first()
    if drawn is not None:
        return drawn
    schools = School.objects.filter(province=province, is_open=True, sector="public", levels="TH")
    lines = [
        Line(
            line_number=number,
            kind="merge",
            predecessor_codes=(first.school_id, second.school_id),
            successor_code=first.school_id,
            successor_name=first.name,
        )
        for number, (first, second) in enumerate(
            _neighbours(schools.order_by("commune", "school_id")), start=1
        )
    ]
    today = clock.today()
    return operations.plan_batch(
        province,
        lines,
        title="Sắp xếp các trường tiểu học (bản thảo trình diễn)",
        decision_number="2468/QĐ-UBND",
        decision_date=today,
        effective_date=date(today.year, today.month, 1) + timedelta(days=62),
        by=by,
    )


def _neighbours(schools: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Pair the first two schools of each of some communes."""
    by_commune: dict[int, list[Any]] = {}
    for school in schools:
        by_commune.setdefault(school.commune_id, []).append(school)
    pairs = [(group[0], group[1]) for group in by_commune.values() if len(group) > 1]
    return pairs[:N_MERGERS]


def check_data(*, loaded_at: Any, by: Any, say: Say) -> int:
    """Check the data of the nation by the rules, unless that was done since the schools were loaded; give the faults."""
    from dienrong.scorecard import operations
    from dienrong.scorecard.models import Check, Finding

    if not Check.objects.filter(finished_at__gte=loaded_at).exists():
        operations.check_nation(by=by, progress=say)
    return int(Finding.objects.filter(is_open=True).count())
