"""Time the estimates of a national table, and check that the numbers equal the direct formula.

Run ``python benchmarks/bench_estimation.py [n_students]``. The data are simulated: 34 provinces, 35 students a
school, 10 plausible values, 80 Fay replicates whose ratios are constant inside a school up to rounding.
Times are the best of five, kernels warm. The direct formula (one weighted average per weight, plausible value
and province) is timed in the same run, since absolute seconds mean little on a shared machine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from lsakit.estimation.means import estimate_means
from lsakit.estimation.percentiles import estimate_percentiles
from lsakit.estimation.proportions import estimate_levels
from lsakit.estimation.replication import prepare
from lsakit.estimation.survey_design import SurveyDesign

N_VALUES, N_REPLICATES, N_PROVINCES, PER_SCHOOL = 10, 80, 34, 35
CUTS = [357.77, 420.07, 482.38, 544.68, 606.99]
PERCENTILES = [5, 10, 25, 50, 75, 90, 95]


def simulate(n_students: int) -> pl.DataFrame:
    """Simulate an analysis table."""
    rng = np.random.default_rng(2026)
    school = np.arange(n_students) // PER_SCHOOL
    n_schools = school[-1] + 1
    factors = np.where(rng.random((n_schools, N_REPLICATES)) < 0.5, 0.5, 1.5)
    factors = factors * rng.uniform(0.95, 1.05, factors.shape)
    weight = rng.uniform(5.0, 40.0, n_schools)[school] * rng.uniform(0.8, 1.2, n_students)
    ability = 500 + rng.normal(0, 60, n_schools)[school] + rng.normal(0, 80, n_students)
    columns: dict[str, Any] = {"province_code": [f"{s % N_PROVINCES + 1:02d}" for s in school.tolist()]}
    columns["final_weight"] = weight
    for r in range(N_REPLICATES):
        columns[f"replicate_{r + 1}"] = weight * factors[school, r]
    for m in range(N_VALUES):
        columns[f"PV{m + 1}MATHS"] = ability + rng.normal(0, 40, n_students)
    return pl.DataFrame(columns)


def best(run: Callable[[], Any], times: int = 5) -> tuple[float, Any]:
    """Run several times after one warm-up; give the shortest time and the last result."""
    run()
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def direct_means(table: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard errors of each province by the formula, weight by weight."""
    weights = table.select("final_weight", *(f"replicate_{r + 1}" for r in range(N_REPLICATES))).to_numpy()
    values = table.select(f"PV{m + 1}MATHS" for m in range(N_VALUES)).to_numpy() - 500.0
    codes = table.get_column("province_code").to_numpy()
    estimates, errors = [], []
    for code in np.unique(codes):
        own = codes == code
        w, x = weights[own], values[own]
        replicates = (w.T @ x) / w.sum(axis=0)[:, np.newaxis]
        sampling = 0.05 * ((replicates[1:] - replicates[0]) ** 2).sum(axis=0).mean()
        total = sampling + 1.1 * replicates[0].var(ddof=1)
        estimates.append(500.0 + replicates[0].mean())
        errors.append(np.sqrt(total))
    return np.array(estimates), np.array(errors)


def main(n_students: int) -> None:
    """Print one line per measurement."""
    table = simulate(n_students)
    design = SurveyDesign.read("national")
    by = ["province_code"]
    seconds, ready = best(lambda: prepare(table, design))
    print(f"{n_students} students, {ready.ratios.shape[0]} cells")
    print(f"find the cells                        {seconds:8.3f} s")
    seconds, result = best(lambda: estimate_means(table, "PV{m}MATHS", by=by, design=design))
    print(f"means and SDs, from the stored table  {seconds:8.3f} s")
    for name, run in {
        "means and SDs, prepared": lambda: estimate_means(ready, "PV{m}MATHS", by=by),
        "7 percentiles, prepared": lambda: estimate_percentiles(ready, "PV{m}MATHS", PERCENTILES, by=by),
        "7 percentiles, whole country": lambda: estimate_percentiles(ready, "PV{m}MATHS", PERCENTILES),
        "5 levels, prepared": lambda: estimate_levels(ready, "PV{m}MATHS", cuts=CUTS, by=by),
    }.items():
        print(f"{name:37s} {best(run)[0]:8.3f} s")
    seconds, (estimates, errors) = best(lambda: direct_means(table), 2)
    print(f"direct formula, means only            {seconds:8.3f} s")
    means = result.table.filter(pl.col("statistic") == "mean")
    estimate_gap = np.abs(means["estimate"].to_numpy() / estimates - 1).max()
    error_gap = np.abs(means["standard_error"].to_numpy() / errors - 1).max()
    print(f"largest relative difference: estimates {estimate_gap:.1e}, standard errors {error_gap:.1e}")
    if max(estimate_gap, error_gap) > 1e-12:
        raise SystemExit("The numbers moved.")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60_000)
