"""Random slopes and restricted likelihood against lme4, percentiles by frequencies against Hmisc (what intsvy calls)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lsakit.estimation.multilevel import estimate_multilevel
from lsakit.estimation.percentiles import estimate_percentiles
from lsakit.estimation.survey_design import SurveyDesign

FIXED = ["(Intercept)", "female", "ASBG04"]


@pytest.fixture(scope="module")
def peers(repository: Path) -> dict:
    return json.loads((repository / "tests/reference/estimates/slopes.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def austria(timss_2011_rows: pl.DataFrame) -> pl.DataFrame:
    known = pl.col("ASBG04").is_not_null() & pl.col("female").is_not_null()
    return timss_2011_rows.filter(known).with_columns(one=pl.lit(1.0))


def deviance(table: pl.DataFrame, found: dict[str, float], slopes: list[str], restricted: bool) -> float:
    """Minus twice the (restricted) log-likelihood by the covariance matrix of each school, written out."""
    effects = ["(Intercept)", *slopes]
    covariance = np.zeros((len(effects), len(effects)))
    for a, name in enumerate(effects):
        covariance[a, a] = found["variance_between" if a == 0 else f"variance:{name}"]
        for b in range(a):
            covariance[a, b] = covariance[b, a] = found[f"covariance:{name}:{effects[b]}"]
    beta = np.array([found[name] for name in FIXED])
    total, information = 0.0, np.zeros((3, 3))
    for _, part in table.group_by("idschool"):
        columns = {name: part[name].to_numpy() for name in FIXED[1:]} | {"(Intercept)": np.ones(part.height)}
        x = np.column_stack([columns[name] for name in FIXED])
        z = np.column_stack([columns[name] for name in effects])
        spread = z @ covariance @ z.T + found["variance_within"] * np.eye(part.height)
        residual = part["ASMMAT01"].to_numpy() - x @ beta
        total += np.linalg.slogdet(spread)[1] + residual @ np.linalg.solve(spread, residual)
        information += x.T @ np.linalg.solve(spread, x)
    n = table.height - (3 if restricted else 0)
    return float(total + n * np.log(2 * np.pi) + (np.linalg.slogdet(information)[1] if restricted else 0.0))


@pytest.mark.parametrize(
    ("key", "slopes", "method"),
    [
        ("slope_ml", ["ASBG04"], "ml"),
        ("slope_reml", ["ASBG04"], "reml"),
        ("intercept_reml", [], "reml"),
        ("two_slopes_reml", ["female", "ASBG04"], "reml"),
    ],
)
def test_two_level_models_of_lme4(
    austria: pl.DataFrame, peers: dict, key: str, slopes: list[str], method: str
) -> None:
    design = SurveyDesign.read("timss", weight="one", zone="JKCZONE", half="JKCREP")
    result = estimate_multilevel(
        austria, "ASMMAT01 ~ female + ASBG04", cluster="idschool", design=design, slopes=slopes, method=method
    )
    found = dict(result.table.select("statistic", "estimate").iter_rows())
    theirs = peers[key]
    # The likelihood is flat in the covariances: lme4 ends where it no longer improves by 1e-10 or so, which leaves
    # 1e-4 of a coefficient and, for two slopes, where it warns of its gradient, 1e-3 of a covariance. That ours is
    # the maximum is seen from the likelihood itself.
    assert [found[name] for name in FIXED] == pytest.approx(theirs["coefficients"], rel=1e-4)
    effects = ["(Intercept)", *slopes]
    ours = [found["variance_between"], *(found[f"variance:{name}"] for name in slopes)]
    ours += [found[f"covariance:{b}:{a}"] for i, a in enumerate(effects) for b in effects[i + 1 :]]
    ours.append(found["variance_within"])
    assert ours == pytest.approx(theirs["variances"], rel=2e-3, abs=0.5 if len(slopes) > 1 else 0.0)
    mine = deviance(austria, found, slopes, method == "reml")
    assert mine == pytest.approx(theirs["deviance"], abs=1e-4)
    assert mine <= theirs["deviance"] + 1e-7


def test_percentiles_that_intsvy_takes_from_hmisc(pisa, peers: dict) -> None:
    asked = [5, 10, 25, 50, 75, 90, 95]
    found = estimate_percentiles(pisa, "PV1MATH", asked, by="CNT", rule="intsvy")
    for country, expected in peers["hmisc"].items():
        ours = found.table.filter(pl.col("CNT") == country)["estimate"].to_list()
        assert ours == pytest.approx(expected, rel=1e-12)
