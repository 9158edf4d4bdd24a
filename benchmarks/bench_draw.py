"""Time of the school draw with replacements, of a plan, a public record and its verification, at three sizes.

Run: ``python benchmarks/bench_draw.py [--sizes 2000 12000 53000]``. Where Rscript and its package `sampling` are
installed, it draws from the same frames in the same run. R gets the list sorted and finds no replacements, which
compares with the column "selection alone" (ours in exact whole numbers, R in doubles); the whole draw checks,
sorts, draws, replaces and writes its tables. A probability that differs from R's by more than 1e-12, a sum of probabilities that is
not the number of schools, or a draw of 53,000 schools above one second of processor time ends with an error.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import lsakit as lk
from lsakit.design.draw_record import PublicSource
from lsakit.design.drawn import DrawnSchools
from lsakit.design.systematic import systematic_pps
from lsakit.io.frames import Table, make_table

# frame schools: strata, sampled schools
SIZES = {2_000: (8, 200), 12_000: (34, 2_000), 53_000: (200, 20_000)}
GOAL_SECONDS = 1.0
PEER = Path(__file__).with_name("peers") / "draw_sampling.R"
HEAD = [
    "frame / strata",
    "drawn",
    "draw s",
    "CPU s",
    "selection alone s",
    "R sampling s",
    "plan s",
    "record s",
    "verify s",
    "record MB",
]


def best(call: Callable[[], Any], times: int = 3) -> tuple[Any, float, float]:
    """Best elapsed and best processor seconds of a few calls."""
    elapsed, processor, result = float("inf"), float("inf"), None
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        result = call()
        elapsed = min(elapsed, time.perf_counter() - wall)
        processor = min(processor, time.process_time() - cpu)
    return result, elapsed, processor


def frame_of(n_schools: int, n_strata: int) -> Table:
    """A frame with log-normal sizes, two implicit columns."""
    rng = np.random.default_rng(1)
    return make_table(
        {
            "school_id": [f"S{row:06d}" for row in range(n_schools)],
            "stratum": [f"{row % n_strata:03d}" for row in range(n_schools)],
            "area": rng.choice(["rural", "urban"], n_schools).tolist(),
            "disadvantaged": (rng.random(n_schools) < 0.3).tolist(),
            "enrolment": np.maximum(5, rng.lognormal(4.6, 0.8, n_schools)).astype(int),
        }
    )


def select_alone(drawn: DrawnSchools) -> int:
    """Draw from the sorted strata again, as the peer does: probabilities and selection, nothing else."""
    asked = dict(drawn.strata.select("stratum", "n_schools").iter_rows())
    sizes = {
        stratum[0]: part.get_column("measure_of_size").to_numpy()
        for stratum, part in drawn.frame.group_by("stratum", maintain_order=True)
    }
    return sum(
        len(systematic_pps(size, asked[one], random_number=Fraction(1, 3)).selected)
        for one, size in sizes.items()
    )


def peer_seconds(drawn: DrawnSchools) -> str:
    """Draw from the same sorted frame in R; check that all probabilities agree."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return "no R"
    asked = dict(drawn.strata.select("stratum", "n_schools").iter_rows())
    with tempfile.TemporaryDirectory() as folder:
        frame, out = Path(folder) / "frame.csv", Path(folder) / "probability.txt"
        with frame.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["stratum", "measure_of_size", "n_schools"])
            for stratum, size in drawn.frame.select("stratum", "measure_of_size").iter_rows():
                writer.writerow([stratum, size, asked[stratum]])
        answer = subprocess.run(
            [rscript, str(PEER), str(frame), str(out)], capture_output=True, text=True, check=False
        )
        if answer.returncode:
            return "no package"
        theirs = np.loadtxt(out)
    seconds, n_drawn, version = answer.stdout.split()
    ours = drawn.frame.get_column("probability").to_numpy()
    apart = float(np.abs(theirs / ours - 1).max())
    if apart > 1e-12 or int(n_drawn) != drawn.table.height:
        sys.exit(f"Moved: R sampling {version} differs by {apart:.3g}, draws {n_drawn} schools.")
    return f"{float(seconds):.2f} ({version})"


def measure(n_frame: int) -> list[str]:
    """Run one size and give its row."""
    n_strata, n_schools = SIZES[n_frame]
    frame = frame_of(n_frame, n_strata)
    design = lk.Design(
        explicit=["stratum"], implicit=["area", "disadvantaged"], n_schools=n_schools, n_students=30
    )
    drawn, seconds, processor = best(lambda: lk.draw_schools(frame, design, rng=2026))
    total = float(drawn.frame.get_column("probability").sum())
    if abs(total - n_schools) > 1e-6 or drawn.table.height != n_schools:
        sys.exit(f"Moved: the probabilities add up to {total}, {drawn.table.height} schools were drawn.")
    if processor > GOAL_SECONDS:
        sys.exit(
            f"Slow: {n_frame:,} schools took {processor:.2f} s of processor time, above {GOAL_SECONDS} s."
        )
    _, alone, _ = best(lambda: select_alone(drawn))
    _, planned, _ = best(lambda: lk.plan_precision(design, frame, icc=0.35, sd=100))
    source = PublicSource(name="lottery", text="48213 07")
    record, recorded, _ = best(lambda: lk.draw_record(frame, design, source=source).to_json())
    verified, verification, _ = best(lambda: lk.verify_draw(record, frame))
    if not verified.is_repeated:
        sys.exit(f"Moved: {verified.findings[0]}")
    numbers = [planned, recorded, verification]
    return [
        f"{n_frame:,} / {n_strata}",
        f"{n_schools:,}",
        f"{seconds:.2f}",
        f"{processor:.2f}",
        f"{alone:.2f}",
        peer_seconds(drawn),
        *(f"{number:.2f}" for number in numbers),
        f"{len(record.encode()) / 1e6:.1f}",
    ]


def main() -> None:
    """Measure the sizes, smallest first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", type=int, default=list(SIZES), choices=list(SIZES))
    asked = parser.parse_args()
    for row in [HEAD, ["---"] * len(HEAD), *(measure(size) for size in asked.sizes)]:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
