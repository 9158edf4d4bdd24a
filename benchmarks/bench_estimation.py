"""Time the estimates of a national table, as ratios to what the machine can do, and check that no number moved.

Run: ``python benchmarks/bench_estimation.py [--write] [--no-peer] [n_students ...]``. The data are simulated: 34
provinces, 35 students a school, 10 plausible values, 80 Fay replicates whose ratios are constant inside a school up to
rounding; every statistic is broken down by province with all its standard errors. In the same process are measured
the bandwidth of the memory, the sorting of the ten columns, and the sums under stored weights as matrix products
(what a program without cells does at its best). Ratios to these are compared, never seconds: goals are 6 times the
bandwidth limit (means, SDs, levels), 4 times the sorting (percentiles), an eighth of the stored-weight products
(regressions). Where ``Rscript`` with survey and mitools is installed, R computes means of all provinces and a
regression and percentiles of the first province at the smallest size, and means and slopes must agree to 1e-9.
Times are processor seconds, best of three, kernels warm. The benchmark fails when a number moved.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from lsakit.estimation.correlations import estimate_correlations
from lsakit.estimation.means import estimate_means
from lsakit.estimation.multilevel import estimate_multilevel
from lsakit.estimation.percentiles import estimate_percentiles
from lsakit.estimation.proportions import estimate_levels
from lsakit.estimation.quantile_regression import estimate_quantile_regression
from lsakit.estimation.regression import estimate_regression
from lsakit.estimation.replication import prepare
from lsakit.estimation.survey_design import SurveyDesign

FOLDER = Path(__file__).resolve().parent
N_VALUES, N_REPLICATES, N_PROVINCES, PER_SCHOOL = 10, 80, 34, 35
CUTS = [357.77, 420.07, 482.38, 544.68, 606.99]
PERCENTILES = [5, 10, 25, 50, 75, 90, 95]
VALUES, FORMULA = "PV{m}MATHS", "PV{m}MATHS ~ ESCS + C(GENDER)"
BY = ["province_code"]


def simulate(n_students: int, seed: int = 2026) -> pl.DataFrame:
    """Simulate an analysis table."""
    rng = np.random.default_rng(seed)
    school = np.arange(n_students) // PER_SCHOOL
    n_schools = school[-1] + 1
    factors = np.where(rng.random((n_schools, N_REPLICATES)) < 0.5, 0.5, 1.5)
    factors = factors * rng.uniform(0.95, 1.05, factors.shape)
    weight = rng.uniform(5.0, 40.0, n_schools)[school] * rng.uniform(0.8, 1.2, n_students)
    status = rng.normal(0, 0.6, n_schools)[school] + rng.normal(0, 0.8, n_students)
    ability = 500 + 30 * status + rng.normal(0, 50, n_schools)[school] + rng.normal(0, 75, n_students)
    columns: dict[str, Any] = {"province_code": [f"{s % N_PROVINCES + 1:02d}" for s in school.tolist()]}
    columns |= {"school": school, "ESCS": status, "GENDER": rng.integers(1, 3, n_students)}
    columns["final_weight"] = weight
    for r in range(N_REPLICATES):
        columns[f"replicate_{r + 1}"] = weight * factors[school, r]
    for m in range(N_VALUES):
        columns[f"PV{m + 1}MATHS"] = ability + rng.normal(0, 40, n_students)
    return pl.DataFrame(columns)


def best(run: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """Run several times after one warm-up; give the least processor seconds and the last result."""
    run()
    seconds = []
    for _ in range(times):
        start = time.process_time()
        result = run()
        seconds.append(time.process_time() - start)
    return min(seconds), result


def bandwidth() -> float:
    """Bytes a second that one core reads of an array larger than any cache."""
    large = np.ones(40_000_000)
    return large.nbytes / best(large.sum)[0]


def weights_and_values(table: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All weights, all plausible values, and the provinces."""
    weights = table.select("final_weight", *(f"replicate_{r + 1}" for r in range(N_REPLICATES))).to_numpy()
    values = table.select(f"PV{m + 1}MATHS" for m in range(N_VALUES)).to_numpy()
    return weights, values, table.get_column("province_code").to_numpy()


def stored_weight_products(table: pl.DataFrame) -> float:
    """Seconds of the sums of a regression under stored weights, province by province, as matrix products."""
    weights, values, codes = weights_and_values(table)
    x = np.column_stack([np.ones(table.height), table["ESCS"].to_numpy(), table["GENDER"].to_numpy() == 2])
    groups = [np.flatnonzero(codes == code) for code in np.unique(codes)]

    def run() -> None:
        for own in groups:
            z, y = x[own], values[own]
            products = [z[:, a] * z[:, b] for a in range(3) for b in range(a + 1)]
            products += [z[:, a] * y[:, m] for m in range(N_VALUES) for a in range(3)]
            products += [y[:, m] ** 2 for m in range(N_VALUES)]
            weights[own].T @ np.stack(products, axis=1)

    with threadpool_limits(1, user_api="blas"):
        return best(run, 2)[0]


def direct_numbers(table: pl.DataFrame) -> dict[str, np.ndarray]:
    """Means and slopes with standard errors of each province by the formula, weight by weight."""
    weights, values, codes = weights_and_values(table)
    x = np.column_stack([np.ones(table.height), table["ESCS"].to_numpy(), table["GENDER"].to_numpy() == 2])
    found: dict[str, list[tuple[float, float]]] = {"mean": [], "ESCS": []}
    for code in np.unique(codes):
        own = codes == code
        w, y, z = weights[own], values[own] - 500.0, x[own]
        means = (w.T @ y) / w.sum(axis=0)[:, np.newaxis]
        slopes = np.stack(
            [np.linalg.solve(z.T @ (w[:, r : r + 1] * z), z.T @ (w[:, r : r + 1] * y))[1] for r in range(81)]
        )
        for name, grid in (("mean", means), ("ESCS", slopes)):
            sampling = 0.05 * ((grid[1:] - grid[0]) ** 2).sum(axis=0).mean()
            middle = grid[0].mean() + (500.0 if name == "mean" else 0.0)
            found[name].append((middle, np.sqrt(sampling + 1.1 * grid[0].var(ddof=1))))
    return {name: np.array(numbers).T for name, numbers in found.items()}


def moved(table: pl.DataFrame, means: pl.DataFrame, slopes: pl.DataFrame) -> float:
    """Largest relative difference from the direct formula."""
    worst = 0.0
    for name, expected in direct_numbers(table).items():
        own = (means if name == "mean" else slopes).filter(pl.col("statistic") == name)
        for column, numbers in zip(("estimate", "standard_error"), expected, strict=True):
            worst = max(worst, float(np.abs(own[column].to_numpy() / numbers - 1.0).max()))
    return worst


def measured(n_students: int) -> dict[str, Any]:
    """All measurements of one size."""
    table, design = simulate(n_students), SurveyDesign.read("national")
    row: dict[str, Any] = {"students": n_students}
    row["cells s"], ready = best(lambda: prepare(table, design))
    row["from file columns s"], _ = best(lambda: estimate_means(table, VALUES, by=BY, design=design))
    runs = {
        "means": lambda: estimate_means(ready, VALUES, by=BY),
        "levels": lambda: estimate_levels(ready, VALUES, cuts=CUTS, by=BY),
        "percentiles": lambda: estimate_percentiles(ready, VALUES, PERCENTILES, by=BY),
        "correlation": lambda: estimate_correlations(ready, [VALUES, "ESCS"], by=BY),
        "regression": lambda: estimate_regression(ready, FORMULA, by=BY),
        "two-level": lambda: estimate_multilevel(ready, "PV{m}MATHS ~ ESCS", cluster="school", by=BY),
    }
    results = {}
    for name, run in runs.items():
        row[f"{name} s"], results[name] = best(run)
    if n_students <= 60_000:
        run = lambda: estimate_quantile_regression(ready, FORMULA, [50], by=BY)  # noqa: E731
        row["median regression s"], _ = best(run, 1)
        logit = lambda: estimate_regression(  # noqa: E731
            ready, "PV{m}MATHS >= 482.38 ~ ESCS + C(GENDER)", by=BY, family="logistic"
        )
        row["logistic s"], _ = best(logit, 1)
    columns = [table[f"PV{m + 1}MATHS"].to_numpy() for m in range(N_VALUES)]
    sorting = best(lambda: [np.argsort(column) for column in columns])[0]
    limit = (
        (N_VALUES + 3) * 8 * n_students / bandwidth()
    )  # values, weight, group and pair of each row, read once
    row["means ÷ bandwidth limit"] = row["means s"] / limit
    row["means and levels ÷ limit"] = (row["means s"] + row["levels s"]) / limit
    row["percentiles ÷ sorting"] = row["percentiles s"] / sorting
    row["stored-weight products ÷ regression"] = stored_weight_products(table) / row["regression s"]
    row["peak MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row["largest difference"] = moved(table, results["means"].table, results["regression"].table)
    if row["largest difference"] > 1e-9:
        raise SystemExit(f"The numbers moved by {row['largest difference']:.1e} at {n_students} students.")
    return row


def beside_r(n_students: int) -> dict[str, Any] | None:
    """R's survey on the same students; None where it is not installed."""
    program = shutil.which("Rscript")
    if program is None:
        return None
    table, design = simulate(n_students), SurveyDesign.read("national")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "students.csv"
        table.write_csv(path)
        done = subprocess.run(
            [program, str(FOLDER / "bench_estimation.R"), str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        return None
    build, means, slopes, quantiles, *numbers = (float(word) for word in done.stdout.split())
    one = table.filter(pl.col("province_code") == "01")
    ours_means, found = best(lambda: estimate_means(table, VALUES, by=BY, design=design))
    ours_slopes, fit = best(lambda: estimate_regression(one, FORMULA, design=design))
    ours_quantiles, _ = best(lambda: estimate_percentiles(one, VALUES, PERCENTILES, design=design))
    mine = [found.table["estimate"][0], found.table["standard_error"][0]]
    mine += [fit.table["estimate"][1], fit.table["standard_error"][1]]
    gap = float(np.abs(np.array(mine) / np.array(numbers) - 1.0).max())
    if gap > 1e-9:
        raise SystemExit(f"R's survey differs by {gap:.1e}.")
    return {
        "students": n_students,
        "survey: design s": build,
        "means s": means,
        "÷ ours": (build + means) / ours_means,
        "regression of one province s": slopes,
        "÷ ours ": slopes / ours_slopes,
        "percentiles of one province s": quantiles,
        "÷ ours  ": quantiles / ours_quantiles,
        "differs by": gap,
    }


def as_table(rows: list[dict[str, Any]]) -> list[str]:
    """Rows as a Markdown table."""

    def cell(name: str, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, (str, int)):
            return value if isinstance(value, str) else f"{value:,}"
        if "differ" in name:
            return f"{value:.1e}"
        return f"{value:.4f}" if name.endswith("s") and "÷" not in name else f"{value:.1f}"

    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    return lines + ["| " + " | ".join(cell(n, row.get(n)) for n in names) + " |" for row in rows]


def main() -> None:
    """Print the tables, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*", type=int, default=[60_000])
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/estimation.md")
    parser.add_argument("--no-peer", action="store_true", help="leave R out")
    asked = parser.parse_args()
    lines = ["# Estimates: time", "", f"One core reads {bandwidth() / 1e9:.1f} GB/s.", ""]
    lines += as_table([measured(size) for size in asked.sizes])
    peer = None if asked.no_peer else beside_r(min(asked.sizes))
    lines += (
        ["", *as_table([peer])] if peer else ["", "R with survey and mitools was not asked or is not here."]
    )
    text = "\n".join(lines) + "\n"
    print(text)
    if asked.write:
        (FOLDER / "results" / "estimation.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
