"""A small survey with plausible values, stored Fay replicates and zones, from a fixed seed."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from lsakit.estimation.survey_design import SurveyDesign

N_SCHOOLS, PER_SCHOOL, N_VALUES, N_REPLICATES = 24, 12, 5, 8


@pytest.fixture(scope="session")
def fay() -> SurveyDesign:
    return SurveyDesign(
        weight="W", replicates="R{r}", n_replicates=N_REPLICATES, method="fay", fay_factor=0.5
    )


@pytest.fixture(scope="session")
def survey() -> pl.DataFrame:
    rng = np.random.default_rng(468)
    n = N_SCHOOLS * PER_SCHOOL
    school = np.repeat(np.arange(N_SCHOOLS), PER_SCHOOL)
    weight = rng.uniform(5, 20, N_SCHOOLS)[school] * rng.uniform(0.9, 1.1, n)
    factors = np.where(rng.random((N_SCHOOLS, N_REPLICATES)) < 0.5, 0.5, 1.5)
    ability = 500 + rng.normal(0, 40, N_SCHOOLS)[school] + rng.normal(0, 70, n)
    columns = {
        "SCHOOL": [f"S{s:03d}" for s in school],
        "ZONE": school // 2,
        "HALF": school % 2,
        "GENDER": np.where(rng.random(n) < 0.5, "F", "M"),
        "REGION": np.array(["a", "b", "c"])[school % 3],
        "BOOKS": rng.integers(1, 6, n),
        "W": weight,
        **{f"R{r + 1}": weight * factors[school, r] for r in range(N_REPLICATES)},
        **{f"PV{m + 1}MATH": ability + rng.normal(0, 30, n) for m in range(N_VALUES)},
        **{f"PV{m + 1}READ": ability + rng.normal(0, 30, n) for m in range(N_VALUES)},
    }
    return pl.DataFrame(
        {name: column if isinstance(column, list) else pl.Series(column) for name, column in columns.items()}
    )


class Direct:
    """The formulas of the methods, weight by weight and group by group, without cells."""

    def __init__(self, table: pl.DataFrame, design: SurveyDesign, values: list[str]) -> None:
        names = [design.weight, *design.replicate_columns()]
        self.weights = table.select(names).to_numpy()
        self.values = table.select(values).to_numpy()
        self.coefficients = design.variance_coefficients(len(names) - 1)
        self.first_only = design.sampling_variance == "first_pv"

    def __call__(self, statistic, rows) -> tuple[float, float]:
        x, w = self.values[rows], self.weights[rows]
        grid = np.array([[statistic(x[:, m], w[:, r]) for r in range(w.shape[1])] for m in range(x.shape[1])])
        sampling = ((grid[:, 1:] - grid[:, :1]) ** 2 * self.coefficients).sum(axis=1)
        sampling = sampling[0] if self.first_only else sampling.mean()
        between = grid[:, 0].var(ddof=1) if x.shape[1] > 1 else 0.0
        return float(grid[:, 0].mean()), float(np.sqrt(sampling + (1 + 1 / x.shape[1]) * between))


@pytest.fixture(scope="session")
def direct():
    return Direct
