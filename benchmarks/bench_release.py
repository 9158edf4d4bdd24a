"""Time and peak memory of a release: disclosure control, pseudonyms, files; and proof that k holds and figures stay.

    python benchmarks/bench_release.py [--sizes 6000 60000 600000] [--write]

Each size runs in a process of its own, so that its peak memory (VmHWM of Linux) is its own. The sample has 80 replicate
weights and 2 × 10 plausible values. ``--write`` records the table in benchmarks/results/release.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "release.md"
TESTS = Path(__file__).parents[1] / "tests"
N_EACH = 30


def peak_megabytes() -> float:
    """Read the peak memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def measure(n_rows: int) -> dict[str, float]:
    """Release a sample of this size and measure each step."""
    sys.path.insert(0, str(TESTS))
    from lsakit.release import (
        Description,
        DisclosurePlan,
        build_microdata,
        cell_counts,
        protect,
        write_release,
    )
    from lsakit.release.pseudonyms import with_pseudonyms
    from lsakit.release.published import published_table
    from small_release import run_tables

    about = Description(
        identifier="b", title_vi="b", title_en="b", kind="public", version="1", year=2026, published_on="2026-01-01",
        publisher_vi="b", publisher_en="b", population_vi="b", population_en="b", license_name="b", license_url="b",
    )  # fmt: skip
    run = run_tables(n_rows // N_EACH, N_EACH, n_values=10, n_replicates=80)
    found: dict[str, float] = {"rows": n_rows}

    def timed(name: str, work):
        start = time.perf_counter()
        result = work()
        found[name] = time.perf_counter() - start
        return result

    data = timed("build", lambda: build_microdata(run))
    plan = DisclosurePlan.read("public_small")
    made = timed("protect", lambda: protect(data, plan, seed=1))
    table = timed("table", lambda: published_table(data))
    released = timed("pseudonyms", lambda: with_pseudonyms(made.data, key=b"k" * 32, purpose="b"))
    with tempfile.TemporaryDirectory() as folder:
        timed(
            "sav",
            lambda: write_release(
                Path(folder) / "r", released, about, protected=made, report_table=table, formats=("sav",)
            ),
        )
    for need in plan.requirements:
        assert cell_counts(made.data.view(need.file), need.keys)["n"].min() >= need.k
    found["megabytes"] = peak_megabytes()
    return found


def main() -> None:
    """Measure each size in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[6_000, 60_000, 600_000])
    parser.add_argument("--one", type=int)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measure(chosen.one)))
        return
    rows = []
    for size in chosen.sizes:
        command = [sys.executable, __file__, "--one", str(size)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
        rows.append(json.loads(done.stdout))
    names = ("build", "protect", "table", "pseudonyms", "sav")
    lines = [
        "# Releases",
        "",
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.",
        "",
    ]
    lines += [f"| rows | {' s | '.join(names)} s | peak MB |", "|---:|" + "---:|" * (len(names) + 1)]
    for row in rows:
        lines.append(
            f"| {row['rows']:,} | "
            + " | ".join(f"{row[one]:.1f}" for one in names)
            + f" | {row['megabytes']:.0f} |"
        )
    text = "\n".join(lines) + "\n"
    print(text)
    if chosen.write:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
