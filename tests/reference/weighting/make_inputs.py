"""Write the inputs of generate.R: a small clustered sample, a Hadamard matrix, replicates with non-response.

Run: ``python tests/reference/weighting/make_inputs.py``. The files are stored, so that R and the tests read the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lsakit.weighting.final_weights import final_weights
from lsakit.weighting.hadamard import hadamard_matrix
from lsakit.weighting.replicates import replicate_weights
from lsakit.weighting.weighted import FinalWeights

FOLDER = Path(__file__).resolve().parent
N_SCHOOLS, N_STRATA, N_STUDENTS = 24, 4, 8
SCHOOL_FACTS = ("school_id", "stratum", "base_weight", "enrolment")


def students_table() -> pl.DataFrame:
    """Schools in frame order with eight students each; scores are clustered in schools."""
    rng = np.random.default_rng(314)
    school = np.repeat(np.arange(N_SCHOOLS), N_STUDENTS)
    listed = rng.integers(12, 60, N_SCHOOLS)
    base = (rng.integers(200, 900, N_SCHOOLS) / 100.0)[school]
    effect = rng.normal(0, 35, N_SCHOOLS)[school]
    n = len(school)
    return pl.DataFrame(
        {
            "student_id": [f"S{one:02d}-{row % N_STUDENTS}" for row, one in enumerate(school)],
            "school_id": [f"S{one:02d}" for one in school],
            "stratum": [f"H{one // (N_SCHOOLS // N_STRATA)}" for one in school],
            "base_weight": base,
            "enrolment": listed[school],
            "sex": np.where(rng.random(n) < 0.5, "F", "M"),
            "area": np.where(rng.random(N_SCHOOLS) < 0.4, "rural", "urban")[school],
            "region": np.asarray(["a", "b", "c"])[rng.integers(0, 3, n)],
            "books": rng.integers(0, 200, n).astype(float),
            "responded": (rng.random(n) < 0.8).astype(int),
            "score": (500 + effect + rng.normal(0, 80, n)).round(3),
        }
    )


def weights_of(table: pl.DataFrame, *, with_absence: bool) -> FinalWeights:
    """Weight the sample: everybody responds, or those who did and two schools refuse."""
    facts = table.select(SCHOOL_FACTS).unique(maintain_order=True)
    ids = facts["school_id"].to_list()
    away = {"S04", "S15"} if with_absence else set()
    schools: dict[str, Any] = {
        "school_id": ids,
        "participant_id": [None if one in away else one for one in ids],
        "status": [2 if one in away else 1 for one in ids],
        "enrolment": facts["enrolment"].to_list(),
        "enrolment_listed": facts["enrolment"].to_list(),
    }
    people = table.filter(~pl.col("school_id").is_in(list(away)))
    status = np.where(people["responded"].to_numpy() == 1, 10, 20) if with_absence else 10
    people = people.with_columns(status=pl.lit(pl.Series(np.broadcast_to(status, people.height).copy())))
    return final_weights(facts, schools, people, rules="national")


def main() -> None:
    """Write the three files."""
    table = students_table()
    full = weights_of(table, with_absence=False)
    zones = replicate_weights(full, method="fay", n_replicates=20).units
    by_school = {
        school: (zone, role) for school, zone, role in zones.select("school_id", "zone", "role").rows()
    }
    table.with_columns(
        weight=full.table["final_weight"],
        zone=pl.Series([by_school[one][0] for one in table["school_id"]]),
        role=pl.Series([by_school[one][1] for one in table["school_id"]]),
    ).write_csv(FOLDER / "students.csv")
    signs = (hadamard_matrix(20) + 1) // 2
    pl.DataFrame({f"c{k}": signs[:, k].astype(int) for k in range(20)}).write_csv(FOLDER / "hadamard.csv")
    absent = weights_of(table, with_absence=True)
    reps = replicate_weights(absent, method="fay", n_replicates=20)
    scores = dict(table.select("student_id", "score").rows())
    pl.DataFrame(
        {
            "student_id": absent.table["student_id"],
            "score": [scores[one] for one in absent.table["student_id"]],
            "weight": absent.table["final_weight"],
            **{f"r{k + 1}": reps.matrix[:, k].copy() for k in range(20)},
        }
    ).write_csv(FOLDER / "nonresponse.csv")


if __name__ == "__main__":
    main()
