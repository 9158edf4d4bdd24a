"""Time a whole scaling of one subject, and one decision after it.

    python benchmarks/bench_scaling.py [n_students …]

120 items in 7 clusters over 13 booklets of 4 clusters, 12 items of three points, three groups, two variables of DIF, gender and
twenty background variables, ten plausible values. Each size runs in a process of its own, kernels warm: first everything,
then the same study with one item freed in one group, then with the cuts changed. Prints wall and processor seconds and the
peak memory, and ends with an error where the calibration misses the item parameters that were put in.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl

from lsakit.lineage import Store
from lsakit.pipeline.scaling import (
    SCALING_STAGES,
    ScalingDecision,
    ScalingInputs,
    ScalingOptions,
    run_scaling,
)

N_ITEMS, N_CLUSTERS, N_BOOKLETS, IN_BOOKLET = 120, 7, 13, 4
N_BACKGROUND = 20
GROUPS = ("01", "48", "79")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
OPTIONS = ScalingOptions(
    group="province",
    weight="final_weight",
    dif_by=("gender", "area"),
    conditioning=("gender", *(f"x{k:02d}" for k in range(N_BACKGROUND))),
    reported=("gender",),
    cuts=(400.0, 500.0, 600.0),
)
# Largest deviation of a difficulty, in units of what 1,500 answers give (about 0.1 logits), that a right program shows.
MOST_ERRORS = 5.0


def simulate(n: int) -> tuple[pl.DataFrame, pl.DataFrame, np.ndarray]:
    """Make scored responses, students and the difficulties behind them."""
    rng = np.random.default_rng(7)
    difficulty, slope = rng.normal(0.0, 1.0, N_ITEMS), rng.lognormal(0.0, 0.25, N_ITEMS)
    background = rng.normal(size=(n, N_BACKGROUND))
    girl, urban, group = rng.integers(0, 2, n), rng.integers(0, 2, n), np.arange(n) % 3
    theta = background @ np.full(N_BACKGROUND, 0.1) + 0.2 * girl + np.array([0.0, 0.3, -0.3])[group]
    theta = theta + rng.normal(0.0, 0.85, n)
    cluster, booklet = np.arange(N_ITEMS) % N_CLUSTERS, np.arange(n) % N_BOOKLETS
    ids = [f"S{row:07d}" for row in range(n)]
    columns: dict[str, pl.Series] = {"student_id": pl.Series(ids), "booklet": pl.Series(booklet.astype(str))}
    for item in range(N_ITEMS):
        z = slope[item] * (theta - difficulty[item])
        if item % 10 == 9:
            logits = np.column_stack([np.zeros(n), z + 0.4, 2.0 * z])
            share = np.exp(logits - logits.max(axis=1, keepdims=True))
            share /= share.sum(axis=1, keepdims=True)
            score = (rng.random(n)[:, None] > share.cumsum(axis=1)).sum(axis=1).clip(0, 2)
        else:
            score = (rng.random(n) < 1.0 / (1.0 + np.exp(-z))).astype(np.int64)
        seen = (cluster[item] - booklet) % N_CLUSTERS < IN_BOOKLET
        values = pl.Series(score.astype(np.int8))
        columns[f"M{item:03d}"] = pl.select(pl.when(pl.Series(seen)).then(values)).to_series()
    students = {
        "student_id": pl.Series(ids),
        "province": pl.Series([GROUPS[place] for place in group]),
        "gender": pl.Series(np.where(girl == 1, "F", "M")),
        "area": pl.Series(np.where(urban == 1, "urban", "rural")),
        "final_weight": pl.Series(rng.uniform(5.0, 15.0, n)),
    } | {f"x{k:02d}": pl.Series(background[:, k]) for k in range(N_BACKGROUND)}
    return pl.DataFrame(columns), pl.DataFrame(students), difficulty


def timed(
    store: Store, inputs: ScalingInputs, options: ScalingOptions, decisions: list[ScalingDecision]
) -> dict[str, np.ndarray]:
    """Run a scaling and note the seconds (wall, processor) of each stage that was computed."""
    spent: dict[str, np.ndarray] = {}
    stage = ""

    def now() -> np.ndarray:
        return np.array([time.perf_counter(), time.process_time()])

    last = begin = now()

    def watch(text: str, _share: float) -> None:
        nonlocal last, stage
        moment = now()
        if stage:
            spent[stage] = spent.get(stage, np.zeros(2)) + moment - last
        last, stage = moment, text.partition(" · ")[0]

    result = run_scaling(store, inputs, options, decisions, now=NOW, who="benchmark", progress=watch)
    whole = now() - begin
    watch("", 1.0)
    return {"whole": whole} | {one: spent[one] for one in SCALING_STAGES if one in result.computed}


def measure(n: int) -> None:
    """Time one size."""
    scored, students, truth = simulate(n)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder + "/store")
        small = [table.head(600) for table in (scored, students)]
        run_scaling(
            store,
            ScalingInputs(
                scored_responses=store.put_table(small[0]).hash, students=store.put_table(small[1]).hash
            ),
            replace(OPTIONS, n_values=2),
            now=NOW,
            who="benchmark",
        )  # compiles the kernels
        inputs = ScalingInputs(
            scored_responses=store.put_table(scored).hash, students=store.put_table(students).hash
        )
        del scored, students, small
        freed = ScalingDecision(item="M003", kind="free", groups=("48",))
        print(f"{n:>7} students")
        for title, options, decisions in (
            ("everything", OPTIONS, []),
            ("one item freed", OPTIONS, [freed]),
            ("cuts changed", replace(OPTIONS, cuts=(450.0, 550.0)), []),
        ):
            spent = timed(store, inputs, options, decisions)
            wall, own = spent.pop("whole")
            stages = ", ".join(f"{stage} {cpu:.2f}" for stage, (_, cpu) in spent.items())
            print(
                f"    {title:<15} {wall:7.2f} s wall {own:7.2f} s CPU   by stage, CPU: {stages}", flush=True
            )
        result = run_scaling(store, inputs, OPTIONS, now=NOW, who="benchmark")
        items = store.table(store.manifest(result.manifests["calibration"]).outputs["item_parameters"].hash)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    two = items.filter(~pl.col("item").str.ends_with("9"))
    wanted = np.array([truth[int(name[1:])] for name in two["item"]])
    # The metric: the reference group has mean 0 and standard deviation 1; the regression gives the line to the truth.
    slope, intercept = np.polyfit(two["difficulty"], wanted, 1)
    gap = np.abs(intercept + slope * two["difficulty"].to_numpy() - wanted) / (
        slope * two["se_difficulty"].to_numpy()
    )
    print(
        f"    peak {memory:.2f} GiB, largest error of a difficulty {gap.max():.1f} standard errors",
        flush=True,
    )
    if gap.max() > MOST_ERRORS:
        sys.exit(f"A difficulty is {gap.max():.1f} standard errors from the one put in.")


if __name__ == "__main__":
    sizes = [int(text) for text in sys.argv[1:]] or [6000, 60000]
    if len(sizes) == 1:
        measure(sizes[0])
    else:
        failed = [
            size
            for size in sizes
            if subprocess.run([sys.executable, __file__, str(size)], check=False).returncode
        ]
        sys.exit(1 if failed else 0)
