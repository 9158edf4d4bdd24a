"""A study of one subject for the tests of its scaling: 900 students, twelve items, three provinces, real draws."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl

from lsakit.lineage import Store
from lsakit.pipeline.scaling import ScalingInputs

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
N = 900
PROVINCES = ("01", "48", "79")
DIFFICULTY = np.array([-1.4, -1.0, -0.6, -0.3, 0.0, 0.2, 0.5, 0.8, 1.1, 1.4])
SLOPE = np.array([1.2, 0.9, 1.4, 1.0, 1.1, 0.8, 1.3, 1.0, 1.2, 0.9])
WITH_DIF, WITH_SHIFT = "M03", "M07"


@dataclass(frozen=True)
class Study:
    """Tables of a study."""

    raw: pl.DataFrame
    items: pl.DataFrame
    students: pl.DataFrame

    def inputs(self, store: Store, **more: str) -> ScalingInputs:
        """Put the tables into a store."""
        roles = {"raw_responses": self.raw, "items": self.items, "students": self.students}
        return ScalingInputs(**{role: store.put_table(table).hash for role, table in roles.items()}, **more)


def make_study(seed: int = 5, *, mean: float = 0.0, shifted: str | None = None) -> Study:
    """Draw a study: ten multiple-choice items and two of two points.

    M03 is harder by 1.2 logits for girls; ``shifted`` names an item that is harder by 1.5 logits for everybody.
    """
    rng = np.random.default_rng(seed)
    province = np.repeat(PROVINCES, N // 3)
    theta = rng.normal(mean + np.repeat([0.0, 0.3, -0.4], N // 3), 1.0)
    girl = rng.integers(0, 2, N)
    columns: dict[str, list[int | None]] = {}
    names = [f"M{place + 1:02d}" for place in range(10)]
    for place, name in enumerate(names):
        harder = 1.2 * girl * (name == WITH_DIF) + 1.5 * (name == shifted)
        p = 1.0 / (1.0 + np.exp(-SLOPE[place] * (theta - DIFFICULTY[place] - harder)))
        right = rng.random(N) < p
        wrong_option = rng.choice([1, 3, 4], N, p=[0.5, 0.3, 0.2])
        columns[name] = np.where(right, 2, wrong_option).tolist()
    for place, name in enumerate(("C11", "C12")):
        logits = np.column_stack([np.zeros(N), theta - 0.2, 2.0 * (theta - 0.3 - 0.2 * place)])
        share = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        columns[name] = (rng.random(N)[:, None] > share.cumsum(axis=1)).sum(axis=1).clip(0, 2).tolist()
    for name in columns:
        for row in np.flatnonzero(rng.random(N) < 0.02).tolist():
            columns[name][row] = 99
    for row in np.flatnonzero(rng.random(N) < 0.05).tolist():
        columns["C12"][row] = 96
    ids = [f"S{row:04d}" for row in range(N)]
    items = pl.DataFrame(
        {
            "item": [*names, "C11", "C12"],
            "format": ["mc"] * 10 + ["cr"] * 2,
            "key": [2] * 10 + [None] * 2,
            "max_score": [1] * 10 + [2] * 2,
            "cluster": ["A"] * 4 + ["B"] * 4 + ["C"] * 4,
        }
    )
    students = pl.DataFrame(
        {
            "student_id": ids,
            "province": province,
            "gender": np.where(girl == 1, "F", "M"),
            "books": rng.integers(1, 6, N),
            "final_weight": rng.uniform(5.0, 15.0, N),
        }
    )
    return Study(raw=pl.DataFrame({"student_id": ids, **columns}), items=items, students=students)
