"""Time the population model and ten plausible values of a national cycle.

    python benchmarks/bench_population.py [n_students] [n_covariates] [n_dimensions]

Items are known, 24 a student and dimension of 84; kernels warm. Prints what was put in and what came out, and the
passes over the covariates against the memory's own speed.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import numpy as np
import polars as pl
from numba import njit
from threadpoolctl import threadpool_limits

from lsakit.irt.calibration import Calibration
from lsakit.kernels.latent_regression import add_column_products, row_products
from lsakit.population.latent_regression import fit_population
from lsakit.population.plausible_values import draw_plausible_values
from lsakit.population.posterior import BLOCK

TAM_SECONDS = 520  # wall, 60,000 students and 50 covariates in one dimension, ten plausible values, on this class of machine
SUBJECTS = ("maths", "reading", "science", "digital")


def simulate(
    n_students: int, n_covariates: int, n_dimensions: int
) -> tuple[dict[str, Calibration], pl.DataFrame, pl.DataFrame, np.ndarray]:
    """Make calibrations, responses, background and the residual covariance behind them."""
    rng = np.random.default_rng(5)
    covariates = rng.normal(size=(n_students, n_covariates))
    covariates[:, ::3] = covariates[:, ::3] > 0.5
    effect = rng.normal(size=(n_covariates, n_dimensions)) * (0.5 / np.sqrt(n_covariates))
    sigma = np.full((n_dimensions, n_dimensions), 0.55) + 0.15 * np.eye(n_dimensions)
    theta = covariates @ effect + rng.multivariate_normal(np.zeros(n_dimensions), sigma, n_students)
    ids = pl.Series([f"S{i:07d}" for i in range(n_students)])
    responses: dict[str, pl.Series] = {"student_id": ids}
    cals = {}
    for d in range(n_dimensions):
        slope, difficulty = rng.lognormal(0.0, 0.25, 84), rng.normal(0.0, 1.0, 84)
        names = [f"{SUBJECTS[d][0].upper()}{j:02d}" for j in range(84)]
        cals[SUBJECTS[d]] = Calibration.from_items({"item": names, "slope": slope, "difficulty": difficulty})
        start = rng.integers(0, 84, n_students)
        for j, name in enumerate(names):
            right = rng.random(n_students) < 1 / (1 + np.exp(-slope[j] * (theta[:, d] - difficulty[j])))
            seen = (j - start) % 84 < 24
            code = pl.Series(right.astype(np.int8))
            responses[name] = pl.select(pl.when(pl.Series(seen)).then(code)).to_series()
    background = {"student_id": ids} | {f"x{k:03d}": pl.Series(covariates[:, k]) for k in range(n_covariates)}
    return cals, pl.DataFrame(responses), pl.DataFrame(background), sigma


@njit(cache=True)
def total_of(values: np.ndarray) -> float:
    """Read an array once: the sum of its numbers, in eight lanes."""
    lanes = np.zeros(8)
    for start in range(0, len(values) - 7, 8):
        for lane in range(8):
            lanes[lane] += values[start + lane]
    return float(lanes.sum())


def best(work: Callable[[], object], n: int = 7) -> float:
    """Least wall seconds of several runs."""
    times = []
    for _ in range(n):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def passes(standard: np.ndarray, n_dimensions: int) -> str:
    """Compare the two passes over the covariates with reading the same memory, one thread, in this run."""
    flat = standard.reshape(-1)
    gigabytes = standard.nbytes / 1e9
    across = np.ones((n_dimensions, standard.shape[1]))
    values = np.ones((len(standard), n_dimensions))
    total_of(flat[:100]), row_products(standard[:8], across, values[:8])
    add_column_products(standard[:8], values[:8], across.copy())
    read = best(lambda: total_of(flat))
    rows = best(lambda: row_products(standard, across, values))
    columns = best(lambda: add_column_products(standard, values, across))

    def block_by_block() -> None:
        for first in range(0, len(standard), BLOCK):
            own = standard[first : first + BLOCK]
            row_products(own, across, values[first : first + BLOCK])
            add_column_products(own, values[first : first + BLOCK], across)

    both = best(block_by_block)
    return (
        f"read {gigabytes / read:.1f} GB/s; Xb {gigabytes / rows:.1f} GB/s ({100 * read / rows:.0f} %), "
        f"X'r {gigabytes / columns:.1f} GB/s ({100 * read / columns:.0f} %), both block by block {1000 * both:.0f} ms "
        f"against {2000 * read:.0f} ms of two readings ({standard.dtype}, {1000 * gigabytes:.0f} MB)"
    )


def measure(n_students: int, n_covariates: int, n_dimensions: int, *, is_warm_up: bool = False) -> None:
    """Time one size."""
    cals, responses, background, sigma = simulate(n_students, n_covariates, n_dimensions)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    begin, begin_cpu = time.perf_counter(), time.process_time()
    pop = fit_population(cals, responses, background=background)
    middle, middle_cpu = time.perf_counter(), time.process_time()
    draw_plausible_values(pop, n=10, seed=2026)
    end, end_cpu = time.perf_counter(), time.process_time()
    if is_warm_up:
        return
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    away = float(np.abs(pop.residual_covariance - sigma).max())
    print(
        f"{n_students:>7} students x {n_covariates} covariates x {n_dimensions} dimensions: "
        f"fit {middle - begin:6.2f} s wall {middle_cpu - begin_cpu:6.2f} s CPU ({pop.n_iterations} E-steps), "
        f"10 plausible values {end - middle:6.2f} s wall {end_cpu - middle_cpu:6.2f} s CPU "
        f"({1e6 * (end_cpu - middle_cpu) / (10 * n_students):.2f} us CPU a student's draw), "
        f"log-likelihood {pop.loglik:.4f}, residual covariance off by {away:.4f}, peak {memory:.2f} GiB "
        f"(data alone {before:.2f}); both together {TAM_SECONDS / (end - begin):.0f} times as fast as TAM's {TAM_SECONDS} s",
        flush=True,
    )
    print(passes(pop.background.standard, n_dimensions), flush=True)


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]] or [54_000, 60, 2]
    with threadpool_limits(1, user_api="blas"):
        measure(300, 3, given[2], is_warm_up=True)
        measure(*given)
