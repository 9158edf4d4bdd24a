"""Time and memory of item fit, person fit and DIF at three sizes: 156 items, 13 clusters, 13 booklets of four clusters.

Run: ``python benchmarks/bench_diagnostics.py [--write] [--sizes 6k 60k 600k]``. Each size is measured in a process of its
own, kernels warm; seconds are those of the processor. One item in ten has three categories; a sixth of the students stop before the end. The items are
known, so that no calibration is in the times. Beside them stands one pass of this machine's matrix product over the
same responses (students x nodes x categories), and, where ``Rscript`` is installed, base R's ``mantelhaen.test`` of ten items
in the same run, whose chi-squares must agree to 1e-8. The benchmark fails when a number moved or a goal is missed.
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

from lsakit.irt.calibration import Calibration
from lsakit.irt.dif import DifOptions, dif
from lsakit.irt.item_fit import FitOptions, item_fit
from lsakit.irt.packs import probability_table
from lsakit.irt.person_fit import person_fit

FOLDER = Path(__file__).resolve().parent
SIZES = {"6k": 6_000, "60k": 60_000, "600k": 600_000}
N_CLUSTERS, PER_CLUSTER = 13, 12
OFFSETS = (0, 1, 3, 9)
MOST_MEBIBYTES = 4096
AGREEMENT = 1e-8
# Sum of the infits, of RMSD by gender, and of the absolute MH D-DIF; they move only when the numbers move.
EXPECTED: dict[str, tuple[float, float, float]] = {
    "6k": (156.40705374413383, 8.334804105495238, 35.51869952530038),
    "60k": (156.07384797590095, 2.8932161542836163, 14.062402083114556),
    "600k": (156.12690961679505, 1.1630148736417967, 7.295479841527026),
}


def instrument() -> Calibration:
    """156 items, one in ten with two score points."""
    rng = np.random.default_rng(7)
    n = N_CLUSTERS * PER_CLUSTER
    two = np.arange(n) % 10 == 9
    step = rng.uniform(0.2, 0.8, n)
    return Calibration.from_items(
        {
            "item": [f"C{j // PER_CLUSTER + 1:02d}I{j % PER_CLUSTER + 1:02d}" for j in range(n)],
            "slope": rng.uniform(0.7, 1.6, n),
            "difficulty": rng.normal(0.0, 1.0, n),
            "step_1": [float(one) if yes else None for one, yes in zip(step, two, strict=True)],
            "step_2": [-float(one) if yes else None for one, yes in zip(step, two, strict=True)],
        }
    )


def responses(cal: Calibration, n: int) -> pl.DataFrame:
    """Answers of n students under the model; girls find three items harder by half a logit."""
    rng = np.random.default_rng(20)
    items = cal.parameters
    codes = np.full((n, len(items.names)), -1, dtype=np.int8)
    girl = rng.integers(0, 2, n)
    booklet = np.arange(n) % N_CLUSTERS
    stop = np.where(rng.random(n) < 1 / 6, rng.integers(36, 48, n), 48)
    for first in range(0, n, 20_000):
        rows = np.arange(first, min(first + 20_000, n))
        theta = rng.normal(0.0, 1.0, len(rows))
        table = probability_table(items, theta)
        hard = probability_table(items, theta - 0.5)
        for place, offset in enumerate(OFFSETS):
            cluster = (booklet[rows] + offset) % N_CLUSTERS
            for inside in range(PER_CLUSTER):
                item = cluster * PER_CLUSTER + inside
                base = items.offset[item]
                source = np.where(((item < 3) & (girl[rows] == 1))[None, :], 1, 0)[0]
                at = np.arange(len(rows))
                low = np.where(source == 1, hard[base, at], table[base, at])
                second = np.where(source == 1, hard[base + 1, at], table[base + 1, at])
                draw = rng.random(len(rows))
                score = (draw > low).astype(np.int8) + (
                    (draw > low + second) & (items.n_steps[item] == 2)
                ).astype(np.int8)
                reached = place * PER_CLUSTER + inside < stop[rows]
                codes[rows[reached], item[reached]] = score[reached]
    columns: dict[str, Any] = {
        name: pl.Series(codes[:, j]).replace(-1, None) for j, name in enumerate(items.names)
    }
    columns["gender"] = np.where(girl == 1, "F", "M")
    return pl.DataFrame(columns)


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """Result and processor seconds of one call."""
    started = time.process_time()
    result = call()
    return result, time.process_time() - started


def product_seconds(n: int, n_nodes: int, n_categories: int) -> float:
    """Time of the matrix product students x nodes by nodes x categories, in blocks."""
    left, right = np.ones((8192, n_nodes)), np.ones((n_nodes, n_categories))
    out = np.empty((8192, n_categories))
    np.matmul(left, right, out=out)
    started = time.process_time()
    for _ in range(-(-n // 8192)):
        np.matmul(left, right, out=out)
    return time.process_time() - started


def measure(name: str) -> dict[str, Any]:
    """Measure one size in this process."""
    cal = instrument()
    small = responses(cal, 2_000)
    plain = FitOptions(with_score_test=False, with_q3=False)
    for warm in (item_fit, person_fit):
        warm(cal, small)
    dif(small, "gender")
    data = responses(cal, SIZES[name])
    n_categories = cal.parameters.n_categories
    fit, plain_cpu = timed(lambda: item_fit(cal, data, group="gender", options=plain))
    _, full_cpu = timed(lambda: item_fit(cal, data, group="gender"))
    _, person_cpu = timed(lambda: person_fit(cal, data))
    found, mh_cpu = timed(lambda: dif(data, "gender", reference="M"))
    two = [item for item, own in zip(cal.parameters.names, cal.parameters.n_steps, strict=True) if own == 1]
    matched = DifOptions(purification="none", matching="level")
    level = data.with_columns(level=data.select(pl.sum_horizontal(two)).to_series().fill_null(0))
    _, logistic_cpu = timed(
        lambda: dif(
            level.select([*two, "gender", "level"]), "gender", "logistic", reference="M", options=matched
        )
    )
    return {
        "size": name,
        "n": data.height,
        "plain": plain_cpu,
        "full": full_cpu,
        "person": person_cpu,
        "mh": mh_cpu,
        "logistic": logistic_cpu,
        "product": product_seconds(data.height, 41, 3 * n_categories),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "numbers": (
            float(fit.items["infit"].sum()),
            float(fit.groups["rmsd"].sum()),
            float(found.table["d_dif"].abs().sum()),
        ),
    }


def beside_r(name: str) -> dict[str, float] | None:
    """Mantel-Haenszel of ten items in Python and in base R; None without R."""
    program = shutil.which("Rscript")
    if program is None:
        return None
    cal = instrument()
    data = responses(cal, SIZES[name])
    two = [item for item, own in zip(cal.parameters.names, cal.parameters.n_steps, strict=True) if own == 1]
    level = (data.select(pl.sum_horizontal(two)).to_series().fill_null(0) // 2).alias("stratum")
    part = data.select([*two[:10], "gender"]).with_columns(level)
    options = DifOptions(purification="none", matching="stratum")
    dif(part, "gender", reference="M", options=options)
    started = time.process_time()
    ours = dif(part, "gender", reference="M", options=options).table["chi_square"].to_numpy()
    used = (time.process_time() - started) / 10
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.csv"
        part.with_columns(focal=(pl.col("gender") == "F").cast(pl.Int8)).drop("gender").write_csv(path)
        outcome = subprocess.run(
            [program, str(FOLDER / "bench_diagnostics.R"), str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
    if outcome.returncode:
        print(f"R did not answer: {outcome.stderr.strip()[-200:]}", file=sys.stderr)
        return None
    seconds, *values = (float(word) for word in outcome.stdout.split())
    return {"ours": used, "r": seconds, "difference": float(np.abs(np.array(values) / ours - 1.0).max())}


HEAD = [
    "students",
    "mean squares, RMSD by gender CPU s",
    "with S-X² and Q3 CPU s",
    "person fit CPU s",
    "MH, two steps, 156 items CPU s",
    "logistic, 141 items CPU s",
    "matrix product of the same size CPU s",
    "peak MiB",
    "one item's MH: ours · base R, CPU ms",
    "χ² differ by",
]


def line(found: dict[str, Any], peer: dict[str, float] | None) -> list[str]:
    """Write one row of the table."""
    beside = ["R not installed", ""]
    if peer is not None:
        beside = [f"{1000 * peer['ours']:.2f} · {1000 * peer['r']:.1f}", f"{peer['difference']:.1e}"]
    heads = ("plain", "full", "person", "mh", "logistic", "product")
    return [f"{found['n']:,}", *(f"{found[head]:.2f}" for head in heads), f"{found['peak']:,.0f}", *beside]


def complaints(found: dict[str, Any], peer: dict[str, float] | None) -> list[str]:
    """Say what is too large or moved."""
    name, bad = found["size"], []
    if found["peak"] > MOST_MEBIBYTES:
        bad.append(f"{name}: peak {found['peak']:.0f} MiB, goal {MOST_MEBIBYTES} MiB")
    if peer is not None and peer["difference"] > AGREEMENT:
        bad.append(f"{name}: a chi-square differs from R's by {peer['difference']:.2g}")
    for value, expected in zip(found["numbers"], EXPECTED.get(name, ()), strict=False):
        if abs(value / expected - 1.0) > 1e-9:
            bad.append(f"{name}: a sum was {expected!r} and is {value!r}")
    return bad


def alone(word: str, name: str) -> Any:
    """Run a part of this file in a process of its own and read its answer."""
    command = [sys.executable, str(Path(__file__).resolve()), word, name]
    outcome = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(outcome.stdout.splitlines()[-1])


def main() -> int:
    """Measure all sizes, smallest first; the exit code says whether anything moved."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/diagnostics.md")
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
        print(" | ".join(rows[-1]), found["numbers"], flush=True)
    text = "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"
    print(text)
    print("\n".join(bad) or "All goals hold and no number moved.")
    if asked.write:
        target = FOLDER / "results" / "diagnostics.md"
        target.parent.mkdir(exist_ok=True)
        target.write_text("# Fit and DIF: time and memory\n\n" + text, encoding="utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
