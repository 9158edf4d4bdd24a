"""Server time and queries of the pages over a whole register of five years; checks that queries do not grow.

    python benchmarks/bench_register_pages.py [schools ...]

Each size runs in a process and a database of its own: SQLite, or PostgreSQL where DIENRONG_DATABASE_URL is given.
A page that does not exist yet is said to be missing. Three percent of the schools have planted errors, so that
lists of faults are not empty.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl
from register_site import ask, browser, call, load_site, peak_mib, run_sizes, start_django

SIZES = (3_000, 12_000, 53_000)
PAGE_GOAL, LOOKUP_GOAL = 0.3, 0.005
DAYS = (date(2024, 9, 5), date(2025, 9, 5), date(2026, 9, 5))


def pages(site: Any) -> Iterator[tuple[str, str, str]]:
    """List (what, whose, address)."""
    province, commune, school = site.province_code, site.commune_code, site.school_id
    for role in ("ministry_expert", "province_officer"):
        yield "schools", role, "/truong"
        yield "schools, page 9", role, "/truong?page=9"
        yield "schools searched", role, "/truong?q=hoa+binh"
        yield "data quality", role, "/chat-luong-du-lieu"
        yield "imports", role, "/nhap-du-lieu"
        yield "rosters", role, "/danh-sach"
        yield "mergers", role, "/sap-nhap"
        yield "data quality of a province", role, f"/chat-luong-du-lieu/tinh/{province}"
        yield "data quality of a commune", role, f"/chat-luong-du-lieu/xa/{commune}"
    yield "schools of a province", "ministry_expert", f"/truong?tinh={province}"
    yield "units", "ministry_expert", "/don-vi"
    yield "units searched", "ministry_expert", "/don-vi?q=hoa+binh"
    yield "units in 2024", "ministry_expert", "/don-vi?ngay=2024-09-05"
    yield "rules", "ministry_expert", "/chat-luong-du-lieu/quy-tac"
    yield "data quality", "commune_officer", "/chat-luong-du-lieu"
    yield "schools", "commune_officer", "/truong"
    yield "data quality of a school", "school_coordinator", f"/chat-luong-du-lieu/truong/{school}"
    yield "a school", "school_coordinator", f"/truong/{school}"
    yield "rosters of a school", "school_coordinator", f"/danh-sach/{school}"


def measure(n_schools: int) -> None:
    """Load a register of a size, ask for every page, and print; the last line is for comparing sizes."""
    vendor = start_django()
    site = load_site(n_schools)
    times = ", ".join(f"{name} in {taken:.1f} s" for name, taken in site.seconds.items())
    print(f"== {n_schools} schools, {site.register.enrolments.height} counts, {vendor}: {times}")
    print(f"{'page':<28} {'who':<20} {'status':>6} {'queries':>8} {'ms':>8} {'KiB':>7}")
    counts: dict[str, int] = {}
    slow = []
    for what, who, address in pages(site):
        page = ask(browser(site.people[who]), address)
        if page.status != 200:
            print(f"{what:<28} {who:<20} {'missing' if page.status == 404 else page.status:>6}")
            continue
        counts[f"{what} · {who}"] = page.n_queries
        if page.seconds > PAGE_GOAL:
            slow.append(f"{what} · {who}")
        cost = f"{page.n_queries:>8} {1000 * page.seconds:>8.1f} {page.n_bytes / 1024:>7.0f}"
        print(f"{what:<28} {who:<20} {page.status:>6} {cost}")
    slow += lookups()
    print(f"peak {peak_mib():.0f} MiB; over the goal: {', '.join(slow) or 'nothing'}")
    check_numbers(site)
    print(json.dumps(counts))


def lookups() -> list[str]:
    """Time looking units up as of a day; give those over the goal."""
    from dienrong.registry import queries

    works = {
        "a commune on a day": lambda: queries.unit_on("commune", "00004", DAYS[1]),
        "a version on a day": lambda: queries.version_on("province", "75", DAYS[2]),
        "an old commune resolved": lambda: queries.resolve_old_unit(code="00001"),
        "an old province resolved": lambda: queries.resolve_old_unit(code="15", level="province", on=DAYS[0]),
    }
    slow = []
    for what, work in works.items():
        seconds = call(work)
        print(f"{what:<28} {'(lookup)':<20} {'':>6} {'':>8} {1000 * seconds:>8.2f}")
        if seconds > LOOKUP_GOAL:
            slow.append(what)
    return slow


def check_numbers(site: Any) -> None:
    """Demand that the database holds the counts that the register made."""
    from django.db.models import Sum

    from dienrong.registry.models import SchoolEnrolment

    first = site.register.school_years[0]
    some = site.register.schools.get_column("school_id").to_list()[:500]
    made = site.register.enrolments.filter(pl.col("school_id").is_in(some), pl.col("school_year") == first)
    wanted = made.get_column("n_students").sum()
    rows = SchoolEnrolment.objects.filter(school_year=first, school__school_id__in=some)
    kept = rows.aggregate(n=Sum("n_students"))["n"]
    assert kept == wanted > 0, f"the numbers moved: {kept}, not {wanted}"


def compare(found: list[dict[str, int]]) -> None:
    """Demand that no page asks more queries of a larger register."""
    counts = {name: [one.get(name) for one in found] for name in found[0]}
    grown = {name: numbers for name, numbers in counts.items() if len(set(numbers)) > 1}
    assert not grown, f"queries depend on the size: {grown}"


def main(words: list[str]) -> None:
    """Run every size and compare."""
    if words[:1] == ["--one"]:
        measure(int(words[1]))
        return
    last = run_sizes(__file__, [int(word) for word in words] or SIZES)
    compare([json.loads(line) for line in last])


if __name__ == "__main__":
    main(sys.argv[1:])
