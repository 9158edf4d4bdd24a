"""Time and memory of weights, replicates with non-response redone, and calibration, at three sizes, beside R.

Run: ``python benchmarks/bench_weighting.py [--write] [--sizes 6k 60k 600k]``. Each size is measured in a process of its
own, so that the peak of memory is its own. Goals: 80 replicates of 60,000 students in 5 s, of 600,000 in 60 s and
4 GiB. Where ``Rscript`` and survey are installed, R builds Fay replicates of the same students in the same run (everybody
responding: survey does not redo non-response), and its standard error of a total must agree to 1e-9. The benchmark
also fails when the numbers moved.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lsakit.weighting.calibrate_weights import calibrate_weights
from lsakit.weighting.final_weights import final_weights
from lsakit.weighting.replicates import ReplicateWeights, replicate_weights
from lsakit.weighting.weighted import FinalWeights

FOLDER = Path(__file__).resolve().parent
# strata, schools per stratum (even: pairs only, as R's half-samples need), students per school
SIZES = {"6k": (10, 20, 30), "60k": (34, 60, 30), "600k": (200, 100, 30)}
GOALS = {"60k": (5.0, None), "600k": (60.0, 4096)}
# Sum of the final weights, and mean of the replicates' totals over it; they move only when the numbers move.
EXPECTED: dict[str, tuple[float, float]] = {
    "6k": (218269.66694721553, 1.0000011646776317),
    "60k": (2234202.452093424, 1.0000032777863266),
    "600k": (22277621.497641895, 1.0000001428399605),
}
AGREEMENT = 1e-9


def timed(call: Callable[[], Any], times: int = 2) -> tuple[Any, float, float]:
    """Best wall and processor seconds of a few calls."""
    wall, cpu, result = float("inf"), float("inf"), None
    for _ in range(times):
        started, used = time.perf_counter(), time.process_time()
        result = call()
        wall, cpu = min(wall, time.perf_counter() - started), min(cpu, time.process_time() - used)
    return result, wall, cpu


def sample(name: str, *, full: bool) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Draw, schools and students; unless full, 4 % of schools refuse and 5 % of students are absent."""
    n_strata, n_schools, n_students = SIZES[name]
    rng = np.random.default_rng(20)
    n = n_strata * n_schools
    ids = np.asarray([f"S{row:06d}" for row in range(n)])
    listed = rng.integers(30, 300, n)
    took = np.ones(n, dtype=bool) if full else rng.random(n) > 0.04
    drawn = pl.DataFrame(
        {
            "school_id": ids,
            "stratum": np.repeat([f"{row:03d}" for row in range(n_strata)], n_schools),
            "base_weight": rng.uniform(1.5, 12.0, n),
            "implicit_stratum": rng.choice(["rural", "urban"], n),
        }
    )
    schools = pl.DataFrame(
        {
            "school_id": ids,
            "participant_id": [one if yes else None for one, yes in zip(ids.tolist(), took, strict=True)],
            "status": np.where(took, 1, 2),
            "enrolment": listed,
            "enrolment_listed": listed,
        }
    )
    school = np.repeat(np.flatnonzero(took), n_students)
    rows = np.arange(len(school))
    students = pl.DataFrame(
        {
            "school_id": ids[school],
            "student_id": [f"{one:06d}-{row % n_students:02d}" for row, one in enumerate(school.tolist())],
            "line_number": rows % n_students + 1,
            "gender": rng.choice(["F", "M"], len(school)),
            "area": drawn["implicit_stratum"].to_numpy()[school],
            "status": np.full(len(school), 10) if full else np.where(rng.random(len(school)) < 0.95, 10, 20),
            "score": (500 + rng.normal(0, 40, n)[school] + rng.normal(0, 85, len(school))).round(2),
        }
    )
    return drawn, schools, students


def calibrated(weights: FinalWeights, replicates: ReplicateWeights, students: pl.DataFrame) -> Any:
    """Rake weights and replicates to sex and area."""
    total = float(weights.table["final_weight"].sum())
    totals = {
        "gender": {"F": 0.49 * total, "M": 0.51 * total},
        "area": {"rural": 0.5 * total, "urban": 0.5 * total},
    }
    return calibrate_weights(weights, students, totals, replicates=replicates)


def measure(name: str) -> dict[str, Any]:
    """Measure one size in this process."""
    drawn, schools, students = sample(name, full=False)
    weights, weight_wall, _ = timed(lambda: final_weights(drawn, schools, students))
    reps, wall, cpu = timed(lambda: replicate_weights(weights, lonely="collapse"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _, rake_wall, _ = timed(lambda: calibrated(weights, reps, students), times=1)
    total = float(weights.table["final_weight"].sum())
    return {
        "size": name,
        "n": weights.table.height,
        "weights": weight_wall,
        "replicates_wall": wall,
        "replicates_cpu": cpu,
        "peak": peak,
        "rake": rake_wall,
        "sum": total,
        "centre": float(reps.matrix.sum(axis=0).mean() / total),
    }


def beside_r(name: str) -> dict[str, float] | None:
    """Build replicates where everybody responds, in Python and in R; None without R."""
    program = shutil.which("Rscript")
    if program is None:
        return None
    drawn, schools, students = sample(name, full=True)
    weights = final_weights(drawn, schools, students, rules="national")
    score = students["score"].to_numpy()
    weight = weights.table["final_weight"].to_numpy()
    reps, _, build = timed(lambda: replicate_weights(weights))

    def error() -> float:
        deviations = reps.matrix.T @ score - weight @ score
        return float(np.sqrt(reps.coefficients @ deviations**2))

    ours, _, estimate = timed(error)
    units = dict(reps.units.select("school_id", pl.struct("zone", "role")).rows())
    # zones beyond 79 share a column of the matrix, so they are one stratum of two halves
    pairs = [units[one] for one in students["school_id"]]
    table = pl.DataFrame(
        {
            "zone": [one["zone"] % 79 for one in pairs],
            "psu": [one["zone"] % 79 * 10 + one["role"] for one in pairs],
            "weight": weight,
            "score": score,
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "students.csv"
        table.write_csv(path)
        outcome = subprocess.run(
            [program, str(FOLDER / "bench_weighting.R"), str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
    if outcome.returncode:
        print(f"R did not answer: {outcome.stderr.strip()[-200:]}", file=sys.stderr)
        return None
    r_build, r_estimate, _, r_error, r_replicates = (float(word) for word in outcome.stdout.split())
    return {
        "build": build,
        "estimate": estimate,
        "r_build": r_build,
        "r_estimate": r_estimate,
        "r_replicates": r_replicates,
        "difference": abs(r_error / ours - 1.0),
    }


HEAD = [
    "students (respondents)",
    "weights s",
    "80 replicates s",
    "CPU s",
    "peak MiB",
    "raking all s",
    "ours: build + total CPU s",
    "R survey: build + total CPU s",
    "SE differs by",
    "Σw · centre",
]


def line(found: dict[str, Any], peer: dict[str, float] | None) -> list[str]:
    """Write one row of the table."""
    beside = ["", "not installed", ""]
    if peer is not None:
        beside = [
            f"{peer['build']:.2f} + {peer['estimate']:.3f}",
            f"{peer['r_build']:.2f} + {peer['r_estimate']:.3f} ({peer['r_replicates']:.0f} replicates)",
            f"{peer['difference']:.1e}",
        ]
    return [
        f"{found['size']} ({found['n']:,})",
        f"{found['weights']:.2f}",
        f"{found['replicates_wall']:.2f}",
        f"{found['replicates_cpu']:.2f}",
        f"{found['peak']:,.0f}",
        f"{found['rake']:.2f}",
        *beside,
        f"{found['sum']:.3f} · {found['centre']:.9f}",
    ]


def complaints(found: dict[str, Any], peer: dict[str, float] | None) -> list[str]:
    """Say what is too slow, too large, or moved."""
    name = found["size"]
    seconds, mebibytes = GOALS.get(name, (None, None))
    bad = []
    if seconds is not None and found["replicates_wall"] > seconds:
        bad.append(f"{name}: replicates took {found['replicates_wall']:.1f} s, goal {seconds:g} s")
    if mebibytes is not None and found["peak"] > mebibytes:
        bad.append(f"{name}: peak {found['peak']:.0f} MiB, goal {mebibytes} MiB")
    if peer is not None and peer["difference"] > AGREEMENT:
        bad.append(f"{name}: the standard error differs from R's by {peer['difference']:.2g}")
    for key, value in zip(("sum", "centre"), EXPECTED.get(name, ()), strict=False):
        if abs(found[key] / value - 1.0) > AGREEMENT:
            bad.append(f"{name}: {key} was {value!r} and is {found[key]!r}")
    return bad


def alone(word: str, name: str) -> Any:
    """Run a part of this file in a process of its own and read its answer."""
    command = [sys.executable, str(Path(__file__).resolve()), word, name]
    outcome = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(outcome.stdout.splitlines()[-1])


def main() -> int:
    """Measure all sizes, smallest first; the exit code says whether the goals hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/weighting.md")
    parser.add_argument("--sizes", nargs="*", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--measure", choices=list(SIZES))
    parser.add_argument("--beside", choices=list(SIZES))
    asked = parser.parse_args()
    if asked.measure or asked.beside:
        print(json.dumps(measure(asked.measure) if asked.measure else beside_r(asked.beside)))
        return 0
    rows, bad = [HEAD, ["---"] * len(HEAD)], []
    for name in asked.sizes:
        found, peer = alone("--measure", name), alone("--beside", name)
        rows.append(line(found, peer))
        bad += complaints(found, peer)
        print(" | ".join(rows[-1]), flush=True)
    text = "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"
    print(text)
    print("\n".join(bad) or "All goals hold and no number moved.")
    if asked.write:
        target = FOLDER / "results" / "weighting.md"
        target.parent.mkdir(exist_ok=True)
        target.write_text("# Weights and replicates: time and memory\n\n" + text, encoding="utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
