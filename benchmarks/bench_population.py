"""Time the population model and ten plausible values of a national cycle.

    python benchmarks/bench_population.py [n_students] [n_covariates] [n_dimensions]

Items are known, 24 a student and dimension of 84; kernels warm, one thread. Prints what was put in and what came out.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from lsakit.irt.calibration import Calibration
from lsakit.population.latent_regression import fit_population
from lsakit.population.plausible_values import draw_plausible_values

SUBJECTS = ("maths", "reading", "science")


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


def measure(n_students: int, n_covariates: int, n_dimensions: int) -> None:
    """Time one size."""
    cals, responses, background, sigma = simulate(n_students, n_covariates, n_dimensions)
    begin, begin_cpu = time.perf_counter(), time.process_time()
    pop = fit_population(cals, responses, background=background)
    middle, middle_cpu = time.perf_counter(), time.process_time()
    draw_plausible_values(pop, n=10, seed=2026)
    end, end_cpu = time.perf_counter(), time.process_time()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    away = float(np.abs(pop.residual_covariance - sigma).max())
    print(
        f"{n_students:>7} students x {n_covariates} covariates x {n_dimensions} dimensions: "
        f"fit {middle - begin:6.2f} s wall {middle_cpu - begin_cpu:6.2f} s CPU ({pop.n_iterations} E-steps), "
        f"10 plausible values {end - middle:6.2f} s wall {end_cpu - middle_cpu:6.2f} s CPU, "
        f"log-likelihood {pop.loglik:.4f}, residual covariance off by {away:.4f}, peak {memory:.2f} GiB",
        flush=True,
    )


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    with threadpool_limits(1, user_api="blas"):
        measure(300, 3, (given or [0, 0, 2])[2])
        measure(*(given or [54_000, 60, 2]))
