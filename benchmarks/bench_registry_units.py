"""Time and memory of the whole history of administrative units in SQLite; checks that its numbers did not move.

python benchmarks/bench_registry_units.py
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date

BEFORE, TODAY = date(2025, 6, 30), date(2026, 11, 22)
MOST_MILLISECONDS = 5.0
EXPECTED = {
    "units": 14_149,
    "versions": 14_151,
    "old communes with a successor": 10_035,
    "divided communes": 471,
}


def main(words: list[str]) -> None:
    """Measure in a process of its own, with a new database in a temporary folder."""
    if words[:1] == ["--one"]:
        measure()
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "DIENRONG_DATA_DIR": folder,
            "DJANGO_SETTINGS_MODULE": "dienrong.settings",
        }
        environment.pop("DIENRONG_DATABASE_URL", None)
        subprocess.run([sys.executable, __file__, "--one"], env=environment, check=True)


def measure() -> None:
    """Load the units, look some up, follow all of them."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    from dienrong.registry import operations, queries
    from dienrong.registry.numeric import unit_history_rows

    start = time.perf_counter()

    def lap(name: str, n: int = 1) -> float:
        nonlocal start
        seconds = (time.perf_counter() - start) / n
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{name:<44} {seconds * 1000:10.2f} ms   peak {peak:4.0f} MiB", flush=True)
        start = time.perf_counter()
        return seconds * 1000

    loaded = operations.load_units(rows=unit_history_rows(), by=None)
    lap("load the whole history")
    operations.load_units(rows=unit_history_rows(), by=None)
    lap("load it again (nothing changes)")
    old = list(queries.units_on(BEFORE, "commune"))
    start = time.perf_counter()
    sample = old[:: len(old) // 1000][:1000]
    for unit in sample:
        assert queries.unit_on("commune", unit.code, BEFORE) is not None
    looked_up = lap("one unit of a day, by its code", len(sample))
    for unit in sample:
        queries.version_on("commune", unit.code, BEFORE)
    looked_up = max(looked_up, lap("its name and parent of that day", len(sample)))
    for unit in sample[:200]:
        queries.present_successors(unit, TODAY)
    lap("where one old unit lies today", 200)
    list(queries.versions_on(BEFORE, "commune"))
    lap("all 10,035 communes of a day")
    resolved = queries.resolve_old_unit(names=("Xã Tân Lập",), today=TODAY)
    lap(f"an old name that {len(resolved)} communes had")
    found = {unit.code: queries.present_successors(unit, TODAY) for unit in old}
    lap("where every old commune lies today")
    moved = {
        "units": loaded.n_units,
        "versions": loaded.n_versions,
        "old communes with a successor": sum(bool(successors) for successors in found.values()),
        "divided communes": sum(len(successors) > 1 for successors in found.values()),
    }
    expected = {name: EXPECTED[name] for name in moved}
    assert moved == expected, f"the numbers moved: {moved}, not {expected}"
    assert looked_up <= MOST_MILLISECONDS, (
        f"a look-up took {looked_up:.1f} ms, not {MOST_MILLISECONDS} or less"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
