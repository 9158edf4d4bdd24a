"""Time the calibration of a national cycle, and show that the numbers did not move.

    python benchmarks/bench_calibration.py [n_students ...]

Simulates a thirteen-booklet cycle (13 clusters of 12 items, every sixth item with three categories, four clusters a
student, every fifth student with items not reached) and calibrates it by GPCM, kernels warm, on one thread.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from lsakit.irt.calibration import CalibrationOptions, calibrate
from lsakit.irt.models import category_probabilities

N_CLUSTERS = 13
PER_CLUSTER = 12
OFFSETS = (0, 1, 3, 9)


def simulate(n_students: int, seed: int = 2026) -> tuple[pl.DataFrame, dict[str, np.ndarray]]:
    """Make responses from known items; give them with the true slopes and difficulties."""
    rng = np.random.default_rng(seed)
    n_items = N_CLUSTERS * PER_CLUSTER
    truth = {"slope": rng.lognormal(0.1, 0.25, n_items), "difficulty": rng.normal(0.0, 1.0, n_items)}
    theta = rng.normal(size=n_students)
    booklet = rng.integers(0, N_CLUSTERS, n_students)
    reached = np.where(rng.random(n_students) < 0.2, rng.integers(30, 48, n_students), 48)
    order = np.full((N_CLUSTERS, n_items), 99)
    for start in range(N_CLUSTERS):
        for position, offset in enumerate(OFFSETS):
            first = (start + offset) % N_CLUSTERS * PER_CLUSTER
            order[start, first : first + PER_CLUSTER] = position * PER_CLUSTER + np.arange(PER_CLUSTER)
    columns: dict[str, pl.Series] = {"student_id": pl.Series([f"S{i:07d}" for i in range(n_students)])}
    for item in range(n_items):
        steps = (0.6, -0.6) if item % 6 == 5 else ()
        chance = category_probabilities(
            theta, slope=truth["slope"][item], difficulty=truth["difficulty"][item], steps=steps
        )
        code = (rng.random((n_students, 1)) > np.cumsum(chance, axis=1)[:, :-1]).sum(axis=1).astype(np.int8)
        seen = order[booklet, item] < reached
        name = f"C{item // PER_CLUSTER + 1:02d}Q{item % PER_CLUSTER + 1:02d}"
        columns[name] = pl.select(pl.when(pl.Series(seen)).then(pl.Series(code))).to_series()
    return pl.DataFrame(columns), truth


def measure(n_students: int) -> None:
    """Time one size."""
    responses, truth = simulate(n_students)
    for method in ("none", "cross_product", "observed"):
        options = CalibrationOptions(standard_errors=method)
        begin, begin_cpu = time.perf_counter(), time.process_time()
        cal = calibrate(responses, model="gpcm", options=options)
        wall, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
        away = [
            float(np.sqrt(np.mean((cal.items.get_column(name).to_numpy() - truth[name]) ** 2)))
            for name in ("slope", "difficulty")
        ]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(
            f"{n_students:>7} students, SE {method:<13} {wall:6.2f} s wall {cpu:6.2f} s CPU, "
            f"{cal.n_iterations} E-steps, log-likelihood {cal.loglik:.4f}, "
            f"RMSE slope {away[0]:.4f} difficulty {away[1]:.4f}, peak {memory:.2f} GiB",
            flush=True,
        )


if __name__ == "__main__":
    sizes = [int(text) for text in sys.argv[1:]] or [6_000, 54_000]
    with threadpool_limits(1, user_api="blas"):
        calibrate(simulate(500, seed=1)[0], model="gpcm")
        for size in sizes:
            measure(size)
