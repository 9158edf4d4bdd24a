"""Time the estimates of a census that is read in shards, and check them against the table in memory.

Run: ``python benchmarks/bench_estimation_shards.py [--write] [--folder F] [--dask] [--files N] [n_students]``. The data
are those of ``bench_estimation.py``, written as Parquet files of 100,000 students with 10 plausible values and 80 stored
Fay replicates in double precision, 34 provinces. Means and SDs, a regression, levels and seven percentiles are computed
from the files, each in a process of its own whose greatest memory is measured, from the first byte read to standard
errors, kernels compiled before. ``--dask`` runs the means on a local cluster of two workers as well. Up to 600,000
students the same statistics are computed in memory and must agree to 1e-9. Times are wall seconds: reading is
part of the work, and the files were just written, so that most of them lie in the system's cache.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from bench_estimation import BY, CUTS, FORMULA, PERCENTILES, VALUES, as_table, simulate

import lsakit as lk

PER_FILE = 100_000
STATISTICS = ("means", "regression", "levels", "percentiles")


def write_files(folder: Path, n_students: int) -> None:
    """Write the census; each file holds other schools."""
    for k in range(-(-n_students // PER_FILE)):
        path = folder / f"part-{k:04d}.parquet"
        if not path.exists():
            rows = simulate(min(PER_FILE, n_students - k * PER_FILE), seed=2026 + k)
            rows = rows.with_columns(pl.col("school") + 100_000 * k)
            rows.write_parquet(path, compression="zstd", compression_level=1)


def estimated(name: str, table: Any, design: lk.SurveyDesign) -> Any:
    """One statistic of every province."""
    if name == "means":
        return lk.estimate_means(table, VALUES, by=BY, design=design, cluster="school")
    if name == "regression":
        return lk.estimate_regression(table, FORMULA, by=BY, design=design)
    if name == "levels":
        return lk.estimate_levels(table, VALUES, cuts=CUTS, by=BY, design=design)
    return lk.estimate_percentiles(table, VALUES, PERCENTILES, by=BY, design=design)


def run_one(name: str, folder: Path, executor: str, per_shard: int) -> None:
    """Measure one statistic in this process and print what was found as JSON."""
    design = lk.SurveyDesign.read("national")
    small = simulate(2_000)
    with tempfile.TemporaryDirectory() as aside:
        small.write_parquet(Path(aside) / "a.parquet")
        estimated(name, lk.open_shards(aside, executor="serial"), design)  # compiled or loaded from the cache
    start, cpu = time.perf_counter(), time.process_time()
    source = lk.open_shards(folder, executor=executor, rows_per_shard=per_shard)
    result = estimated(name, source, design)
    found = {
        "statistic": name,
        "students": source.height,
        "wall s": time.perf_counter() - start,
        "CPU s": time.process_time() - cpu,
        "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "checksum": float(np.nansum(result.replicate_estimates)),
    }
    print(json.dumps(found))


def apart(name: str, folder: Path, executor: str, per_shard: int) -> dict[str, Any]:
    """Measure one statistic in a process of its own."""
    words = [sys.executable, __file__, "--one", name, "--folder", str(folder), "--executor", executor]
    words += ["--per-shard", str(per_shard)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | {"executor": executor}


def largest_difference(folder: Path) -> float:
    """Largest relative difference of the shards from the table in memory."""
    design = lk.SurveyDesign.read("national")
    table = pl.concat([pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))])
    ready, source, worst = lk.prepare(table, design), lk.open_shards(folder), 0.0
    for name in STATISTICS:
        ours = estimated(name, source, design).replicate_estimates
        theirs = estimated(name, ready, design).replicate_estimates
        worst = max(worst, float(np.nanmax(np.abs(ours - theirs)) / np.nanmax(np.abs(theirs))))
    return worst


def on_a_cluster(folder: Path) -> dict[str, Any]:
    """The means on a local Dask cluster of two workers, started and warmed before."""
    import distributed

    design = lk.SurveyDesign.read("national")
    with (
        warnings.catch_warnings(action="ignore"),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        first = sorted(folder.glob("*.parquet"))[:4]
        estimated("means", lk.open_shards(first, client=client), design)
        start = time.perf_counter()
        source = lk.open_shards(folder, client=client, rows_per_shard=PER_FILE)
        result = estimated("means", source, design)
        wall = time.perf_counter() - start
    checksum = float(np.nansum(result.replicate_estimates))
    found = {"statistic": "means", "students": source.height, "wall s": wall, "checksum": checksum}
    return found | {"executor": "Dask, 2 workers"}


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("n_students", nargs="?", type=int, default=600_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--executor", default="threads")
    parser.add_argument("--per-shard", type=int, default=PER_FILE)
    parser.add_argument("--one", choices=STATISTICS, help="used by the benchmark itself")
    parser.add_argument("--dask", action="store_true")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/estimation_shards.md")
    asked = parser.parse_args()
    if asked.one:
        run_one(asked.one, asked.folder, asked.executor, asked.per_shard)
        return
    with tempfile.TemporaryDirectory() as aside:
        folder = asked.folder or Path(aside)
        folder.mkdir(parents=True, exist_ok=True)
        write_files(folder, asked.n_students)
        size = sum(path.stat().st_size for path in folder.glob("*.parquet")) / 1e9
        rows = [apart(name, folder, "threads", asked.per_shard) for name in STATISTICS]
        rows.append(apart("means", folder, "serial", asked.per_shard))
        if asked.dask:
            rows.append(on_a_cluster(folder))
        sums = [row["checksum"] for row in rows if row["statistic"] == "means"]
        if max(sums) - min(sums) > 1e-9 * abs(sums[0]):
            raise SystemExit(f"The executors differ: {sums}.")
        lines = ["# Estimates from shards: time", "", f"{size:.1f} GB of Parquet files.", "", *as_table(rows)]
        if asked.n_students <= 600_000:
            gap = largest_difference(folder)
            if gap > 1e-9:
                raise SystemExit(f"The shards differ from the table in memory by {gap:.1e}.")
            lines += ["", f"Largest relative difference from the table in memory: {gap:.1e}."]
    text = "\n".join(lines) + "\n"
    print(text)
    if asked.write:
        (Path(__file__).parent / "results" / "estimation_shards.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
