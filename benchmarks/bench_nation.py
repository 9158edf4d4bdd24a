"""Time and memory of the synthetic nation at national size; checks that its numbers did not move.

python benchmarks/bench_nation.py
"""

from __future__ import annotations

import resource
import time

import polars as pl

import lsakit as lk

EXPECTED = {"schools": 19_433, "pupils of grade 5": 1_800_150}


def main() -> None:
    """Make the nation, its truth, its lists and an administration of about 54,000 pupils."""
    start = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal start
        now = time.perf_counter()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(f"{name:<44} {now - start:7.2f} s   peak {peak:5.2f} GiB")
        start = time.perf_counter()

    nation = lk.datasets.nation(seed=2026)
    lap("nation (register, levels, items)")
    truth = {grade: nation.truth(grade) for grade in (5, 9)}
    lap("truth of both grades, all groups")
    schools = nation.frame(5).get_column("school_id").to_list()[::2]
    lists = nation.lists(schools, 5)
    lap(f"lists of {len(schools)} schools ({lists.height} pupils)")
    chosen = lists.gather_every(max(1, lists.height // 54_000))
    pupils = chosen.with_columns(probability=1.0, booklet=pl.int_range(pl.len()) % 13 + 1)
    start = time.perf_counter()
    day = nation.administer(pupils, 5, seed=1)
    lap(f"administration ({day.raw_responses.height} present)")
    nation.background(day.raw_responses.select("student_id"), 5)
    lap("background")
    found = {"schools": nation.schools.height, "pupils of grade 5": int(truth[5].item(0, "n"))}
    assert found == EXPECTED, f"the numbers moved: {found}, not {EXPECTED}"


if __name__ == "__main__":
    main()
