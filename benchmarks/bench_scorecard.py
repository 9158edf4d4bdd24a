"""Time and memory of the data checks over whole registers kept in SQLite; checks that a clean nation stays clean.

python benchmarks/bench_scorecard.py [schools ...]

Each size runs in a process of its own, with a new database in a temporary folder.
"""

from __future__ import annotations

import datetime
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SIZES = (2_000, 10_000, 53_000)
SEED, YEARS = 2026, 5
DAY = datetime.date(2026, 1, 15)
CONFIRMED = datetime.datetime(2025, 11, 20, 3, 0, tzinfo=datetime.UTC)
BATCH = 5_000


def main(words: list[str]) -> None:
    """Run every size."""
    if words[:1] == ["--one"]:
        measure(int(words[1]))
        return
    print(
        f"{'schools':>8} {'counts':>9} {'nation, first':>14} {'again':>8} {'one school':>11} {'open':>6} {'peak':>9}"
    )
    for size in [int(word) for word in words] or SIZES:
        with tempfile.TemporaryDirectory() as folder:
            environment = os.environ | {
                "DIENRONG_DATA_DIR": folder,
                "DJANGO_SETTINGS_MODULE": "dienrong.settings",
            }
            environment.pop("DIENRONG_DATABASE_URL", None)
            subprocess.run([sys.executable, __file__, "--one", str(size)], env=environment, check=True)


def measure(n_schools: int) -> None:
    """Load a register of a size, check it three times and print one line."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    n_counts = load(n_schools)
    from dienrong.registry.models import School
    from dienrong.scorecard import operations
    from dienrong.scorecard.models import Finding

    def seconds(work: Any) -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    first = seconds(lambda: operations.check_nation(day=DAY))
    again = seconds(lambda: operations.check_nation(day=DAY))
    keys = list(School.objects.order_by("school_id").values_list("pk", flat=True)[:7])
    ones = [seconds(lambda key=key: operations.check_schools(school_keys=[key], day=DAY)) for key in keys]
    found = Finding.objects.filter(is_open=True, school__isnull=False).count()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    one = sorted(ones)[len(ones) // 2]
    print(
        f"{n_schools:>8} {n_counts:>9} {first:>12.2f} s {again:>6.2f} s {one:>9.3f} s {found:>6} {peak:>5.0f} MiB",
        flush=True,
    )
    assert found == 0, f"{found} findings in a clean nation"


def load(n_schools: int) -> int:
    """Write a whole register into the database, in bulk; give the number of counts."""
    from dienrong.registry.models import (
        AdministrativeUnit,
        School,
        SchoolEnrolment,
        SchoolSite,
        SchoolVersion,
    )
    from lsakit.datasets import full_register, units

    register = full_register(seed=SEED, n_schools=n_schools, n_years=YEARS)
    since = datetime.date(2025, 7, 1)
    keys: dict[str, dict[str, int]] = {}
    for level, table in (("province", units.provinces()), ("commune", units.communes())):
        AdministrativeUnit.objects.bulk_create(
            AdministrativeUnit(
                level=level,
                code=row["code"],
                kind=row["kind"],
                name=row["name"],
                full_name=row["full_name"],
                parent_id=keys["province"][row["province_code"]] if level == "commune" else None,
                valid_from=since,
            )
            for row in table.iter_rows(named=True)
        )
        keys[level] = dict(AdministrativeUnit.objects.filter(level=level).values_list("code", "pk"))
    traits = (
        "name",
        "kind",
        "levels",
        "area",
        "sector",
        "managed_by",
        "is_disadvantaged",
        "is_border",
        "boarding",
    )
    more = (
        "minority_share",
        "n_satellite_sites",
        "address",
        "phone",
        "email",
        "latitude",
        "longitude",
        "founded_date",
    )
    schools = [
        School(
            school_id=row["school_id"],
            commune_id=keys["commune"][row["commune_code"]],
            province_id=keys["province"][row["province_code"]],
            data_at=datetime.date(2025, 10, 1),
            confirmed_at=CONFIRMED,
            search_key=row["school_id"],
            **{name: row[name] for name in (*traits, *more)},
        )
        for row in register.schools.iter_rows(named=True)
    ]
    School.objects.bulk_create(schools, batch_size=BATCH)
    found = dict(School.objects.values_list("school_id", "pk"))
    SchoolVersion.objects.bulk_create(
        (
            SchoolVersion(
                school_id=found[one.school_id],
                code=one.school_id,
                valid_from=since,
                commune_id=one.commune_id,
                province_id=one.province_id,
                **{name: getattr(one, name) for name in traits},
            )
            for one in schools
        ),
        batch_size=BATCH,
    )
    SchoolEnrolment.objects.bulk_create(
        (
            SchoolEnrolment(**{**row, "school_id": found[row["school_id"]]})
            for row in register.enrolments.iter_rows(named=True)
        ),
        batch_size=BATCH,
    )
    SchoolSite.objects.bulk_create(
        (
            SchoolSite(
                school_id=found[row["school_id"]],
                code=row["site_code"],
                name=row["site_name"],
                commune_id=keys["commune"][row["commune_code"]],
                **{
                    name: row[name]
                    for name in ("is_main", "address", "latitude", "longitude", "n_students", "n_classes")
                },
            )
            for row in register.sites.iter_rows(named=True)
        ),
        batch_size=BATCH,
    )
    totals(register)
    return register.enrolments.height


def totals(register: Any) -> None:
    """Write the official totals of a register."""
    from dienrong.scorecard.models import OfficialTotal

    OfficialTotal.objects.bulk_create(
        OfficialTotal(
            province_code=row["province_code"],
            school_year=row["school_year"],
            part=row["level"],
            n_schools=row["n_schools"],
            n_students=row["n_students"],
            source="full_register",
        )
        for row in register.official_totals.iter_rows(named=True)
    )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))
    main(sys.argv[1:])
