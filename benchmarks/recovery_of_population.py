"""The recovery study of the population model: how often intervals hold the truth, with and without conditioning.

    python benchmarks/recovery_of_population.py --replications 1000

Each replication draws students at random from a known population (an ability that depends on gender, region and a
social index), lets them answer a booklet of known items (3PL, 2PL and partial credit), fits the population model, draws
ten plausible values and combines them by Rubin's rules. Four ways: as it should be; without draws of the residual
covariance and coefficients; conditioned on components; not conditioned. The table is written to
docs/recovery_of_population.md.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
from scipy import stats

from lsakit.irt.calibration import Calibration
from lsakit.irt.models import category_probabilities
from lsakit.population.latent_regression import PopulationOptions, fit_population
from lsakit.population.plausible_values import draw_plausible_values

REPORT = Path(__file__).resolve().parent.parent / "docs" / "recovery_of_population.md"
REGIONS = ("central", "delta", "highland", "north")
SHARES = np.array([0.25, 0.40, 0.10, 0.25])
EFFECTS = {"gender": 0.15, "delta": 0.20, "highland": -0.60, "north": -0.10, "ses": 0.45}
INTERCEPT, VARIANCE = -0.05, 0.6
CUTS = (-0.8, 0.2, 1.2)
N_ITEMS, N_SEEN, N_VALUES = 60, 20, 10
SIZES = (300, 1000, 3000)
WAYS = ("as it should be", "parameters not drawn", "conditioned on components", "not conditioned")
TERMS = ("intercept", "gender", "region=delta", "region=highland", "region=north", "ses")


def items() -> dict[str, np.ndarray]:
    """Known items: half 3PL, three in ten 2PL, two in ten of three categories."""
    rng = np.random.default_rng(20)
    kind = np.array((["3pl"] * 5 + ["2pl"] * 3 + ["gpcm"] * 2) * (N_ITEMS // 10))
    return {
        "item": np.array([f"I{j:02d}" for j in range(N_ITEMS)]),
        "model": kind,
        "slope": np.where(kind == "gpcm", 0.8, 1.0) * rng.lognormal(0.1, 0.25, N_ITEMS),
        "difficulty": rng.normal(0.0, 1.0, N_ITEMS),
        "step_1": np.where(kind == "gpcm", 0.5, np.nan),
        "step_2": np.where(kind == "gpcm", -0.5, np.nan),
        "guessing": np.where(kind == "3pl", 0.2, np.nan),
    }


ITEMS = items()


def calibration() -> Calibration:
    """Give the known items as a calibration."""
    numbers = {name: pl.Series(ITEMS[name]).fill_nan(None) for name in ITEMS if name not in ("item", "model")}
    return Calibration.from_items(
        pl.DataFrame({"item": ITEMS["item"].tolist(), "model": ITEMS["model"].tolist()} | numbers)
    )


def truth() -> dict[str, float]:
    """Give the population's figures, exactly."""
    effect = np.array([0.0, EFFECTS["delta"], EFFECTS["highland"], EFFECTS["north"]])
    mean = INTERCEPT + 0.5 * EFFECTS["gender"] + float(SHARES @ effect)
    between = float(SHARES @ (effect - SHARES @ effect) ** 2)
    variance = VARIANCE + EFFECTS["ses"] ** 2 + 0.25 * EFFECTS["gender"] ** 2 + between
    out = {"mean": mean, "SD": float(np.sqrt(variance)), "residual variance": VARIANCE}
    cells = [(g, r, 0.5 * SHARES[r]) for g in (0, 1) for r in range(4)]
    inner = np.sqrt(VARIANCE + EFFECTS["ses"] ** 2)
    for cut in CUTS:
        out[f"share above {cut}"] = float(
            sum(
                share * stats.norm.sf((cut - INTERCEPT - EFFECTS["gender"] * g - effect[r]) / inner)
                for g, r, share in cells
            )
        )
    for r, name in enumerate(REGIONS):
        out[f"mean of {name}"] = INTERCEPT + 0.5 * EFFECTS["gender"] + float(effect[r])
    out["difference of genders"] = EFFECTS["gender"]
    values = [INTERCEPT, EFFECTS["gender"], *effect[1:].tolist(), EFFECTS["ses"]]
    return out | {f"coefficient {name}": value for name, value in zip(TERMS, values, strict=True)}


TRUTH = truth()


def simulate(rng: np.random.Generator, n: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Draw students and their answers; eight useless covariates stand beside the useful ones."""
    gender, region, ses = rng.integers(0, 2, n), rng.choice(4, n, p=SHARES), rng.normal(size=n)
    effect = np.array([0.0, EFFECTS["delta"], EFFECTS["highland"], EFFECTS["north"]])
    theta = INTERCEPT + EFFECTS["gender"] * gender + effect[region] + EFFECTS["ses"] * ses
    theta = theta + np.sqrt(VARIANCE) * rng.normal(size=n)
    start = rng.integers(0, N_ITEMS, n)
    ids = [f"s{i:05d}" for i in range(n)]
    columns: dict[str, object] = {"student_id": ids}
    for j in range(N_ITEMS):
        steps = (0.5, -0.5) if ITEMS["model"][j] == "gpcm" else ()
        chance = category_probabilities(
            theta,
            slope=ITEMS["slope"][j],
            difficulty=ITEMS["difficulty"][j],
            steps=steps,
            guessing=0.2 if ITEMS["model"][j] == "3pl" else 0.0,
        )
        code = (rng.random((n, 1)) > np.cumsum(chance, axis=1)[:, :-1]).sum(axis=1).astype(np.int8)
        seen = (j - start) % N_ITEMS < N_SEEN
        columns[ITEMS["item"][j]] = pl.Series(code.tolist()).set(pl.Series(~seen), None)
    background = {
        "student_id": ids,
        "gender": gender.astype(float),
        "region": np.array(REGIONS)[region].tolist(),
        "ses": ses,
    }
    books = np.clip(np.round(2 + ses + rng.normal(size=n)), 0, 4)
    extra = {f"q{k}": books * (k < 3) + rng.normal(size=n) for k in range(8)}
    return pl.DataFrame(columns), pl.DataFrame(background | extra)


def combine(values: np.ndarray, within: np.ndarray) -> tuple[float, float, float]:
    """Combine estimates from plausible values by Rubin's rules: estimate, standard error, degrees of freedom."""
    between = values.var(ddof=1)
    total = within.mean() + (1 + 1 / len(values)) * between
    share = (1 + 1 / len(values)) * between / total
    freedom = (len(values) - 1) / share**2 if share > 0 else np.inf
    return float(values.mean()), float(np.sqrt(total)), float(freedom)


def figures(draws: np.ndarray, background: pl.DataFrame) -> dict[str, tuple[float, float, float]]:
    """Estimate the population's figures from plausible values of a simple random sample."""
    n = len(draws)
    mean, sd = draws.mean(axis=0), draws.std(axis=0)
    fourth = ((draws - mean) ** 4).mean(axis=0)
    out = {
        "mean": combine(mean, sd**2 / n),
        "SD": combine(sd, (fourth - sd**4) / (4 * sd**2 * n)),
    }
    for cut in CUTS:
        share = (draws > cut).mean(axis=0)
        out[f"share above {cut}"] = combine(share, share * (1 - share) / n)
    region, gender = background["region"].to_numpy(), background["gender"].to_numpy()
    for name in REGIONS:
        own = draws[region == name]
        out[f"mean of {name}"] = combine(own.mean(axis=0), own.var(axis=0) / len(own))
    one, other = draws[gender == 1], draws[gender == 0]
    out["difference of genders"] = combine(
        one.mean(axis=0) - other.mean(axis=0), one.var(axis=0) / len(one) + other.var(axis=0) / len(other)
    )
    return out


def replicate(job: tuple[int, int]) -> list[tuple[int, str, str, float, float, float]]:
    """Run one replication: rows of (n, way, figure, estimate, standard error, degrees of freedom)."""
    n, seed = job
    responses, background = simulate(np.random.default_rng([n, seed]), n)
    cal = calibration()
    rows = []
    useful = background.select("student_id", "gender", "region", "ses")
    with_components = PopulationOptions(pca_share=0.9, direct=("gender", "region"), n_threads=1)
    plain = PopulationOptions(n_threads=1)
    right = fit_population(cal, responses, background=useful, options=plain)
    for row in right.coefficients.iter_rows(named=True):
        rows.append(
            (n, WAYS[0], f"coefficient {row['term']}", row["estimate"], row["standard_error"], np.inf)
        )
    rows.append(
        (
            n,
            WAYS[0],
            "residual variance",
            right.residual_covariance[0, 0],
            right.residual_errors[0, 0],
            np.inf,
        )
    )
    models = {
        WAYS[0]: (right, True),
        WAYS[1]: (right, False),
        WAYS[2]: (fit_population(cal, responses, background=background, options=with_components), True),
        WAYS[3]: (fit_population(cal, responses, options=plain), True),
    }
    for way, (pop, drawn) in models.items():
        table = draw_plausible_values(pop, n=N_VALUES, seed=seed, draw_parameters=drawn)
        draws = table.drop("student_id").to_numpy()
        rows += [(n, way, name, *found) for name, found in figures(draws, background).items()]
    return rows


def summarize(rows: pl.DataFrame) -> pl.DataFrame:
    """Bias, root mean square error and coverage of each figure, with Monte Carlo errors."""
    reach = stats.t.ppf(0.975, np.maximum(rows["freedom"].to_numpy(), 1.0))
    truth_of = pl.DataFrame({"figure": list(TRUTH), "truth": list(TRUTH.values())})
    marked = rows.with_columns(reach=pl.Series(reach)).join(truth_of, on="figure", maintain_order="left")
    error = pl.col("estimate") - pl.col("truth")
    return marked.group_by(["n", "way", "figure"], maintain_order=True).agg(
        truth=pl.col("truth").first(),
        count=pl.len(),
        bias=error.mean(),
        bias_error=error.std() / pl.len().sqrt(),
        rmse=(error**2).mean().sqrt(),
        ratio=pl.col("error").mean() / error.std(),
        coverage=(error.abs() <= pl.col("reach") * pl.col("error")).mean(),
    )


def write_report(table: pl.DataFrame, arguments: argparse.Namespace) -> None:
    """Write the tables of the study."""
    n = arguments.replications
    lines = [
        "# Recovery of the population model",
        "",
        f"Made by `python benchmarks/recovery_of_population.py --replications {n}` (seeds 1 to {n}). Do not edit "
        "by hand.",
        "",
        f"Known items ({N_ITEMS}: half 3PL with guessing 0.2, three in ten 2PL, two in ten of three categories); each "
        f"student answers {N_SEEN}. Simple random samples; ten plausible values, Rubin's rules with their degrees of "
        "freedom. *Bias* with its Monte Carlo error; *SE ratio*: mean standard error over the standard deviation of the "
        f"estimates; *coverage* of 95 % intervals: {n} replications have a Monte Carlo error of "
        f"{100 * np.sqrt(0.95 * 0.05 / n):.1f} percentage points where 95 % is right.",
    ]
    for size in SIZES:
        lines += [
            "",
            f"## {size:,} students",
            "",
            "| figure | way | truth | bias | RMSE | SE ratio | coverage |",
            "|---|---|---:|---:|---:|---:|---:|",
        ]
        own = table.filter(pl.col("n") == size)
        for name in TRUTH:
            for row in own.filter(pl.col("figure") == name).iter_rows(named=True):
                lines.append(
                    f"| {name} | {row['way']} | {row['truth']:.4f} | {row['bias']:+.4f} ± {row['bias_error']:.4f} | "
                    f"{row['rmse']:.4f} | {row['ratio']:.2f} | {100 * row['coverage']:.1f} % |"
                )
    lines += ["", "## How to read it", "", *READING]
    arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


READING = (
    "* Coefficients, residual variance, means of regions, standard deviation: as it should be and on components, bias within "
    "about two of its Monte Carlo errors and coverage of 92.6 to 97.1 %. The residual variance of the smallest samples is two "
    "percent too small, as maximum likelihood makes it.",
    "* **Parameters not drawn**: the interval of the standard deviation holds the truth in about 90 % of samples, and its "
    "standard error is 0.84 to 0.85 of what it should be, at every size. With the residual covariance drawn it is right. The "
    "study of whole cycles (docs/recovery.md) found the same 0.85 and 88.8 % with values drawn under a fixed residual "
    "covariance, so this is its likely cause; that study has to be run again to say. Means of groups lose one to two "
    "percentage points where the coefficients are not drawn.",
    "* **Not conditioned**: the mean of the weakest region comes out 0.15 logits too high, the difference of genders a "
    "quarter too small, and the intervals do not grow with the bias: with 3,000 students one in four holds the truth. A group "
    "that will be reported belongs in the model (`PopulationOptions.reported`).",
    "* Shares above a cut have standard errors 1.1 to 1.3 times what they should be, and intervals that hold the truth more "
    "often than told: the model is right and knows more about a share than the share itself (Meng, 1994, Statistical Science "
    "9(4)). Means show nothing of it.",
)


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--output", type=Path, default=REPORT)
    parser.add_argument(
        "--rows",
        type=Path,
        help="keep every estimate as Parquet; where it is there, only the table is written",
    )
    arguments = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    jobs = [(n, seed) for seed in range(1, arguments.replications + 1) for n in SIZES]
    begin, rows = time.perf_counter(), []
    if arguments.rows and arguments.rows.exists():
        write_report(summarize(pl.read_parquet(arguments.rows)), arguments)
        return
    with ProcessPoolExecutor(arguments.processes) as pool:
        for done, part in enumerate(pool.map(replicate, jobs, chunksize=3), start=1):
            rows += part
            if done % 150 == 0:
                print(f"{done}/{len(jobs)}, {time.perf_counter() - begin:.0f} s", flush=True)
    table = pl.DataFrame(rows, schema=["n", "way", "figure", "estimate", "error", "freedom"], orient="row")
    if arguments.rows:
        table.write_parquet(arguments.rows)
    write_report(summarize(table), arguments)
    print(f"written: {arguments.output.name}")


if __name__ == "__main__":
    main()
