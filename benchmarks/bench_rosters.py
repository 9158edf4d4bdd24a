"""Time and memory of writing rosters by the way every row takes, and of reading one school's; values are checked.

    python benchmarks/bench_rosters.py [rows ...]

Each size runs in a process and a database of its own: SQLite, or PostgreSQL where DIENRONG_DATABASE_URL is given.
Rows are compared and written two thousand at a time, names sealed, each piece with its audit entry.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import polars as pl
from register_site import CONFIRMED, COUNTED, NOON, ask, browser, call, peak_mib, run_sizes, start_django

SIZES = (20_000, 200_000, 1_600_000)
ROWS_PER_SCHOOL = 440
PIECE = 2_000
YEAR = "2025-2026"


def measure(n_rows: int) -> None:
    """Write so many pupils and print what it took."""
    from dienrong.core import clock
    from lsakit.datasets import full_register

    vendor = start_django()
    register = full_register(
        seed=2026, n_schools=max(700, n_rows // ROWS_PER_SCHOOL), n_years=1, first_year=2025
    )
    with clock.fixed(NOON):
        load(register)
        before = peak_mib()
        start, worked = time.perf_counter(), time.process_time()
        n_written, schools = write(register, n_rows)
        seconds, worked = time.perf_counter() - start, time.process_time() - worked
        print(
            f"== {n_written} rows of {len(schools)} schools, {vendor}: written in {seconds:.1f} s "
            f"({n_written / seconds:.0f} rows/s; {worked:.1f} s of a core), peak {peak_mib():.0f} MiB ({before:.0f} before)"
        )
        check_numbers(register, schools, n_written)
        read(register, schools)
        again = time.perf_counter()
        same = write_pieces(register.students(schools[:5], YEAR))
        print(f"{same} rows the second time, nothing written: {time.perf_counter() - again:.2f} s")
        assert_unchanged(register, schools[:5])
    print(json.dumps({"rows": n_written, "seconds": seconds}))


def load(register: Any) -> None:
    """Write the schools."""
    from planted_errors import clean
    from register_loading import load_planted

    load_planted(clean(register), data_at=COUNTED, confirmed_at=CONFIRMED)


def pieces(table: pl.DataFrame) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    """Cut a list into pieces of rows as a file would give them."""
    texts = table.with_columns(pl.col("birth_date").dt.to_string("%Y-%m-%d"))
    for start in range(0, texts.height, PIECE):
        part = texts.slice(start, PIECE)
        yield list(enumerate(part.iter_rows(named=True), start=start + 3))


def write_pieces(table: pl.DataFrame) -> int:
    """Compare and write a list; give the number of rows."""
    from dienrong.accounts.permissions import Scope
    from dienrong.rosters import operations, queries

    nation = Scope(is_national=True)
    for rows in pieces(table):
        changes = queries.compare_students(rows, scope=nation, school_year=YEAR)
        operations.write_students(changes, by=None, school_year=YEAR)
    return table.height


def write(register: Any, n_rows: int) -> tuple[int, list[str]]:
    """Write whole schools until there are enough rows; give the rows and the schools."""
    ids = register.schools.filter(pl.col("levels") != "MN").get_column("school_id").to_list()
    n, schools = 0, []
    for block in register.student_blocks(ids, YEAR, n_rows=20_000):
        n += write_pieces(block)
        schools += block.get_column("school_id").unique(maintain_order=True).to_list()
        if n >= n_rows:
            break
    return n, schools


def check_numbers(register: Any, schools: list[str], n_written: int) -> None:
    """Demand that as many pupils stand there as were counted, and that their names open."""
    from dienrong.rosters.models import StudentPlace, VaultEntry

    wanted = register.enrolments.filter(pl.col("school_id").is_in(schools)).get_column("n_students").sum()
    assert StudentPlace.objects.count() == VaultEntry.objects.count() == n_written == wanted


def assert_unchanged(register: Any, schools: list[str]) -> None:
    """Demand that rows that stand already are found unchanged, names and numbers included."""
    from dienrong.accounts.permissions import Scope
    from dienrong.rosters import queries

    rows = next(pieces(register.students(schools, YEAR)))
    changes = queries.compare_students(rows, scope=Scope(is_national=True), school_year=YEAR)
    verdicts = {change.verdict for change in changes}
    assert verdicts == {"unchanged"}, f"the values moved: {verdicts}"


def read(register: Any, schools: list[str]) -> None:
    """Time reading the roster of the largest school, by query and by page."""
    from dienrong.accounts import operations
    from dienrong.rosters.models import StudentPlace

    sizes = register.enrolments.filter(pl.col("school_id").is_in(schools)).group_by("school_id")
    school = sizes.agg(pl.col("n_students").sum()).sort("n_students", "school_id").row(-1, named=True)
    places = StudentPlace.objects.filter(school__school_id=school["school_id"], school_year=YEAR)
    seconds = call(lambda: list(places.select_related("student")), times=9)
    print(f"roster of a school of {school['n_students']} pupils: {1000 * seconds:.0f} ms by query")
    user = operations.create_person(
        username="truong", full_name="Phạm Thị Hoa", password="dien-rong-2026", by=None
    )
    operations.assign_role(
        user=user, role="school_coordinator", unit_code=school["school_id"], unit_name="Trường", by=None
    )
    for address in ("/danh-sach", f"/danh-sach/{school['school_id']}"):
        page = ask(browser(user), address)
        print(f"{address}: {page.status}, {page.n_queries} queries, {1000 * page.seconds:.0f} ms")


def main(words: list[str]) -> None:
    """Run every size."""
    if words[:1] == ["--one"]:
        measure(int(words[1]))
        return
    run_sizes(__file__, [int(word) for word in words] or SIZES)


if __name__ == "__main__":
    main(sys.argv[1:])
