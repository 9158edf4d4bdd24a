"""A small table of estimates in the form that the estimates stage writes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import polars as pl
import pytest

LEVELS = ["below_1", "level_1", "level_2", "level_3", "level_4", "level_5"]
GROUPS = {
    "nation": ["all"],
    "province_code": ["01", "04", "08", "96"],
    "gender": ["F", "M"],
    "area": ["rural", "urban"],
    "ethnicity": ["kinh", "minority"],
    "disadvantaged": ["false", "true"],
    "ses_quarter": ["1", "2", "3", "4"],
    "region6": ["R1", "R2"],
}
MEANS = {"01": 540.0, "04": 470.0, "08": 499.0, "96": 505.0}


def row(
    population: str, subject: str, statistic: str, by: str, group: str, estimate: float, error: float
) -> dict[str, Any]:
    return {
        "figure_id": f"{population}/{subject}/{statistic}/{by}/{group}",
        "population": population,
        "subject": subject,
        "statistic": statistic,
        "by": by,
        "group": group,
        "n": 1234,
        "n_schools": 56,
        "estimate": estimate,
        "standard_error": error,
        "ci_low": estimate - 1.96 * error,
        "ci_high": estimate + 1.96 * error,
        "suppressed_because": None,
    }


def rows() -> list[dict[str, Any]]:
    made = []
    shares = np.array([0.08, 0.17, 0.25, 0.25, 0.15, 0.10])
    for population, subject in itertools.product(["grade5", "grade9"], ["maths", "reading"]):
        for by, groups in GROUPS.items():
            for group in groups:
                mean = MEANS.get(group, 500.0)
                made.append(row(population, subject, "mean", by, group, mean, 4.0))
                made += [
                    row(population, subject, level, by, group, share, 0.01)
                    for level, share in zip(LEVELS, shares, strict=True)
                ]
                made.append(
                    row(population, subject, "at_or_above_2", by, group, float(shares[2:].sum()), 0.012)
                )
                if by == "province_code":
                    made.append(
                        row(population, subject, "difference_to_nation", by, group, mean - 500.0, 4.2)
                    )
        for word, value in {
            "sd": 95.0,
            "p05": 340.0,
            "p25": 435.0,
            "p50": 501.0,
            "p75": 566.0,
            "p95": 655.0,
        }.items():
            made.append(row(population, subject, word, "nation", "all", value, 3.0))
        made.append(row(population, subject, "gap", "gender", "F-M", 12.0, 2.0))
        made.append(row(population, subject, "gap", "area", "urban-rural", -1.0, 3.0))
        for group in ["01+F", "01+M", "04+F", "04+M"]:
            made.append(
                row(population, subject, "mean", "province_code+gender", group, MEANS[group[:2]], 5.0)
            )
    return made


@pytest.fixture
def estimates() -> pl.DataFrame:
    """Give estimates of two grades and two subjects, with four provinces."""
    return pl.DataFrame(rows(), infer_schema_length=None)


@pytest.fixture
def names() -> dict[str, str]:
    """Give the names of the provinces and regions."""
    return {
        "01": "Thành phố Hà Nội",
        "04": "Tỉnh Cao Bằng",
        "08": "Tỉnh Tuyên Quang",
        "96": "Tỉnh Cà Mau",
        "R1": "Trung du và miền núi phía Bắc",
        "R2": "Đồng bằng sông Hồng",
    }
