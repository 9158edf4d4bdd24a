"""Time and peak memory of large SPSS files, and proof that the values did not move.

    python benchmarks/bench_files.py [--sizes 60000 200000 600000] [--write]

Each step runs in a process of its own, so that its peak memory (VmHWM of Linux) is its own. The table has 300
columns: two identifiers, 198 answer codes with user-missing codes, 80 replicate weights and 20 plausible values.
``--write`` records the table in benchmarks/results/files.md.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

N_ITEMS, N_WEIGHTS, N_VALUES = 198, 80, 20
RESULTS = Path(__file__).parent / "results" / "files.md"
STEPS = ("make", "parquet_to_sav", "read_sav", "sav_to_parquet", "sav_to_csv", "csv_to_sav", "compare")
MEMORY_GOAL = 1024.0
CSV_UP_TO = 200_000  # typing a text twice as long takes twice as long; memory does not grow


def codebook():
    """Describe the answer columns."""
    from lsakit.io.codebook import Codebook, Variable

    labels = {0: "Sai", 1: "Đúng", 96: "Not reached", 98: "Invalid", 99: "Omitted"}
    missing = {96: "R", 98: "I", 99: "M"}
    return Codebook(
        variables=tuple(
            Variable(
                name=f"ITEM{k}", label=f"Câu {k}", type="integer", width=2, values=labels, missing=missing
            )
            for k in range(N_ITEMS)
        )
    )


def parts(n_rows: int, seed: int = 2026) -> Iterator[pl.DataFrame]:
    """Draw the table part by part."""
    rng = np.random.default_rng(seed)
    codes = np.array([0, 1, 1, 0, 1, 96, 98, 99])
    for start in range(0, n_rows, 10_000):
        n = min(10_000, n_rows - start)
        columns: dict[str, pl.Series] = {
            "student_id": pl.Series([f"{start + k:010d}" for k in range(n)]),
            "school_id": pl.Series([f"{(start + k) // 30:08d}" for k in range(n)]),
        }
        for k in range(N_ITEMS):
            columns[f"ITEM{k}"] = pl.Series(codes[rng.integers(0, 8, n)]).cast(pl.Int64)
        for k in range(N_WEIGHTS):
            columns[f"W_FSTURWT{k + 1}"] = pl.Series(rng.lognormal(3, 0.5, n))
        for k in range(N_VALUES):
            columns[f"PV{k + 1}"] = pl.Series(rng.normal(500, 100, n))
        yield pl.DataFrame(columns)


def make(folder: Path, n_rows: int) -> None:
    """Write the table as Parquet with its codebook."""
    from polars.io.plugins import register_io_source

    from lsakit.io.sources import PARQUET_KEY

    schema = next(parts(1)).schema
    register_io_source(lambda *_: parts(n_rows), schema=schema).sink_parquet(
        folder / "a.parquet", engine="streaming", metadata={PARQUET_KEY: codebook().to_json()}
    )


def compare(folder: Path, n_rows: int) -> None:
    """Compare every value of the converted files with the drawn table."""
    from lsakit.io.codebook import Codebook
    from lsakit.io.streams import iterate_table

    for name in ("b.parquet", "c.sav"):
        if not (folder / name).exists():
            continue
        wanted, found = parts(n_rows), iterate_table(folder / name, rows=10_000)
        n_seen = 0
        for left, right in zip(wanted, found, strict=True):
            same = right.with_columns(pl.col(f"ITEM{k}").cast(pl.Int64) for k in range(N_ITEMS)).equals(left)
            if not same:
                raise SystemExit(f"values moved in {name}")
            n_seen += left.height
        if n_seen != n_rows:
            raise SystemExit(f"{name} has {n_seen} rows")
        kept = Codebook.read(folder / name)["ITEM0"]
        drawn = codebook()["ITEM0"]
        if (kept.values, kept.missing, kept.label) != (drawn.values, drawn.missing, drawn.label):
            raise SystemExit(f"labels moved in {name}")


def run_step(step: str, folder: Path, n_rows: int) -> None:
    """Run one step and print its time and peak memory as JSON."""
    from lsakit.io.streams import convert_table, iterate_table

    started = time.perf_counter()
    if step == "make":
        make(folder, n_rows)
    elif step == "compare":
        compare(folder, n_rows)
    elif step == "read_sav":
        assert sum(part.height for part in iterate_table(folder / "a.sav")) == n_rows
    else:
        source, target = {
            "parquet_to_sav": ("a.parquet", "a.sav"),
            "sav_to_parquet": ("a.sav", "b.parquet"),
            "sav_to_csv": ("a.sav", "c.csv"),
            "csv_to_sav": ("c.csv", "c.sav"),
        }[step]
        convert_table(folder / source, folder / target)
    seconds = time.perf_counter() - started
    peak = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    print(json.dumps({"step": step, "seconds": seconds, "peak_mib": int(peak.split()[1]) / 1024}))


def measured(n_rows: int, folder: Path) -> list[dict]:
    """Run all steps for one size, each in its own process."""
    out = []
    for step in STEPS:
        if "csv" in step and n_rows > CSV_UP_TO:
            continue
        command = [sys.executable, __file__, "--step", step, "--folder", str(folder), "--sizes", str(n_rows)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout.splitlines()[-1]) | {"rows": n_rows}
        print(found, flush=True)
        out.append(found)
    sizes = {path.name: path.stat().st_size / 2**20 for path in folder.iterdir()}
    print({name: round(size, 1) for name, size in sizes.items()}, flush=True)
    return out


def report(found: list[dict]) -> str:
    """Lay the measurements out as Markdown."""
    import pyreadstat

    lines = [
        "# Large files: time, peak memory, values unchanged",
        "",
        "Command: `python benchmarks/bench_files.py --write`. 300 columns: 2 identifiers, 198 answer codes with",
        "labels and three user-missing codes, 80 replicate weights, 20 plausible values. Each step is a process of",
        "its own; peak memory is its VmHWM, interpreter and libraries included. `compare` reads the files after",
        "Parquet → SPSS → Parquet and SPSS → CSV → SPSS and stops at the first value or label that differs. The",
        f"steps with CSV are measured up to {CSV_UP_TO:,} rows.",
        "",
        f"Python {platform.python_version()}, Polars {pl.__version__}, pyreadstat {pyreadstat.__version__}, "
        "2 cores shared with other work: read the seconds as upper bounds.",
        "",
        "| rows | step | seconds | peak MiB | within 1 GiB |",
        "|---:|---|---:|---:|---|",
    ]
    for row in found:
        fits = "yes" if row["peak_mib"] <= MEMORY_GOAL else "**no**"
        lines.append(
            f"| {row['rows']:,} | {row['step'].replace('_', ' ')} | {row['seconds']:.1f} "
            f"| {row['peak_mib']:.0f} | {fits} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run one step or the whole table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[60_000, 200_000, 600_000])
    parser.add_argument("--step", choices=STEPS)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    if asked.step:
        run_step(asked.step, asked.folder, asked.sizes[0])
        return
    found: list[dict] = []
    for n_rows in asked.sizes:
        with tempfile.TemporaryDirectory() as folder:
            found += measured(n_rows, Path(folder))
    text = report(found)
    print(text)
    if asked.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
