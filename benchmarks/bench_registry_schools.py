"""Time and memory of schools with history in SQLite: import, frame, a batch of mergers, lists; numbers checked.

python benchmarks/bench_registry_schools.py [schools ...]

Each size runs in a process of its own, with a new database in a temporary folder. The batch merges 40 per cent of
the schools of one province in pairs.
"""

from __future__ import annotations

import datetime
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from typing import Any

SIZES = (5_300, 53_000)
SEED, PROVINCE = 2026, "01"
COUNTED, MERGED = date(2025, 9, 5), date(2026, 7, 1)
NOW = datetime.datetime(2026, 11, 22, 5, 0, tzinfo=datetime.UTC)
ROWS = 2_000
SHARE = 0.4


def main(words: list[str]) -> None:
    """Run every size."""
    if words[:1] == ["--one"]:
        measure(int(words[1]))
        return
    for size in [int(word) for word in words] or SIZES:
        with tempfile.TemporaryDirectory() as folder:
            environment = os.environ | {
                "DIENRONG_DATA_DIR": folder,
                "DJANGO_SETTINGS_MODULE": "dienrong.settings",
            }
            environment.pop("DIENRONG_DATABASE_URL", None)
            subprocess.run([sys.executable, __file__, "--one", str(size)], env=environment, check=True)


def measure(n_schools: int) -> None:
    """Bring a register in, ask for frames and lists, merge and take back."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    from dienrong.accounts.permissions import Scope
    from dienrong.core import clock
    from dienrong.registry import operations, queries
    from dienrong.registry.models import AdministrativeUnit, School
    from dienrong.registry.numeric import unit_history_rows
    from lsakit import datasets

    nation = Scope(is_national=True)
    register = datasets.full_register(seed=SEED, n_schools=n_schools, n_years=1)
    year = register.school_years[-1]
    operations.load_units(rows=unit_history_rows(), by=None)
    print(f"== {n_schools} schools")
    start = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal start
        now = time.perf_counter()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{name:<44} {now - start:8.2f} s   peak {peak:5.0f} MiB", flush=True)
        start = time.perf_counter()

    with clock.fixed(NOW):
        for rows in parts(register.schools.to_dicts()):
            changes = queries.compare_schools(rows, scope=nation, day=COUNTED)
            operations.write_schools(changes, by=None, on_date=COUNTED)
        lap("schools compared and written")
        counts = register.enrolments.filter(school_year=year)
        n_pupils = int(counts.get_column("n_students").sum())
        columns = ("school_id", "grade", "n_students", "n_classes")
        for rows in parts(counts.select(columns).to_dicts()):
            changes = queries.compare_enrolments(rows, scope=nation, school_year=year, counted_on=COUNTED)
            operations.write_enrolments(changes, by=None, school_year=year, counted_on=COUNTED)
        lap(f"{counts.height} counts compared and written")
        frame = queries.frame_on(MERGED, year)
        lap("frame of a day, every grade")
        queries.frame_on(MERGED, year, [5])
        lap("frame of a day, one grade")
        queries.rows_of(queries.find_schools(nation, queries.SchoolFilter(search="hoa binh"))[:50])
        lap("first page of a search")
        province = AdministrativeUnit.objects.get(level="province", code=PROVINCE, valid_to=None)
        schools = School.objects.filter(province=province).order_by("school_id")
        codes = list(schools.values_list("school_id", flat=True))
        lines = pairs(codes[: int(len(codes) * SHARE)], queries.Line)
        batch = operations.plan_batch(
            province,
            lines,
            title="Đợt sáp nhập",
            decision_number="1/QĐ-UBND",
            decision_date=MERGED,
            effective_date=MERGED,
            by=None,
        )
        start = time.perf_counter()
        plan = queries.preview_batch(batch)
        lap(f"preview of {len(lines)} lines of {len(codes)} schools")
        operations.apply_batch(batch=batch, by=None)
        lap("batch applied")
        after = queries.frame_on(MERGED, year)
        lap("frame of a day after the mergers")
        operations.undo_batch(batch=batch, by=None)
        lap("batch undone")
        again = queries.frame_on(MERGED, year)
    assert plan.keeps_pupils
    assert not plan.problems
    totals = [sum(sum(row.n_students.values()) for row in rows) for rows in (frame, after, again)]
    assert totals == [n_pupils] * 3, f"pupils were lost or counted twice: {totals}, not {n_pupils}"
    sizes = [len(rows) for rows in (frame, after, again)]
    assert sizes == [n_schools, n_schools - len(lines), n_schools], f"the numbers moved: {sizes}"


def parts(rows: list[dict[str, Any]]) -> list[list[tuple[int, dict[str, Any]]]]:
    """Number rows and cut them into calls."""
    plain = [
        {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}
        for row in rows
    ]
    numbered = list(enumerate(plain, 2))
    return [numbered[first : first + ROWS] for first in range(0, len(numbered), ROWS)]


def pairs(codes: list[str], line: Any) -> list[Any]:
    """Merge schools two by two: every other pair into one of them, the rest into new schools."""
    return [
        line(
            line_number=number + 1,
            kind="merge",
            predecessor_codes=(first, second),
            successor_code=first if number % 2 else f"N{number:07d}",
            successor_name=f"Trường hợp nhất {number}",
        )
        for number, (first, second) in enumerate(zip(codes[::2], codes[1::2], strict=False))
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
