"""The tables of a run on a made-up sample, in the form in which the pipeline leaves them."""

from __future__ import annotations

import numpy as np
import polars as pl

from lsakit.release import RunTables


def run_tables(
    n_schools: int = 60, n_each: int = 12, *, seed: int = 7, n_values: int = 3, n_replicates: int = 8
):
    """Make a run: three regions, provinces, private schools that are few, a rare group of students."""
    rng = np.random.default_rng(seed)
    regions = ("northern_mountains", "red_river_delta", "southeast")
    schools, people = [], []
    for number in range(n_schools):
        region = number % 3
        schools.append(
            {
                "school_id": f"{number:08d}", "province_code": f"{10 * region + 1 + number % 2:02d}",
                "region6": regions[region], "area": "urban" if number % 4 == 0 else "rural",
                "sector": "private" if number % 20 == 7 else "public", "disadvantaged": number % 5 == 0,
                "enrolment": 20 + 7 * number,
            }
        )  # fmt: skip
        people += [(f"{number:08d}05{place:04d}", number) for place in range(n_each)]
    ids = [one for one, _school in people]
    place = np.asarray([school for _one, school in people])
    n = len(ids)
    weight = rng.uniform(20, 40, n_schools)[place] * rng.uniform(0.9, 1.1, n)
    rows = [schools[school] for school in place]
    names = ("province_code", "region6", "area", "sector", "disadvantaged")
    values = {
        f"PV{m}{subject}": 500 + 40 * rng.standard_normal(n_schools)[place] + 80 * rng.standard_normal(n)
        for subject in ("MATHS", "READING")
        for m in range(1, n_values + 1)
    }
    background = pl.DataFrame(
        {
            "student_id": ids, "school_id": [row["school_id"] for row in rows],
            "gender": np.where(rng.random(n) < 0.5, "F", "M").tolist(),
            "ethnicity": np.where(rng.random(n) < 0.04, "minority", "kinh").tolist(),
            "ses": rng.standard_normal(n), **{name: [row[name] for row in rows] for name in names},
        }
    )  # fmt: skip
    signs = rng.choice([0.5, 1.5], size=(n_schools, n_replicates))[place]
    responses = {
        "A1": rng.choice([1, 2, 3, 4, 96, 98, 99], n).tolist(),
        "A2": [None if one % 2 else 1 for one in range(n)],
    }
    frame = pl.DataFrame(schools)
    return RunTables(
        grade=5,
        plausible_values=pl.DataFrame({"student_id": ids, **values}),
        weights=pl.DataFrame(
            {"student_id": ids, "school_id": background["school_id"], "final_weight": weight}
        ),
        replicates=pl.DataFrame(
            {"student_id": ids, **{f"replicate_{r + 1}": weight * signs[:, r] for r in range(n_replicates)}}
        ),
        background=background,
        schools=frame.select(
            pl.col("school_id").alias("participant_id"),
            base_weight=pl.lit(10.0),
            nonresponse_factor=pl.lit(1.1),
        ),
        enrolments=frame.select(pl.col("school_id").alias("participant_id"), "enrolment"),
        responses=pl.DataFrame({"student_id": ids, "booklet": [1] * n, **responses}),
        items=pl.DataFrame(
            {
                "item": ["A1", "A2"],
                "subject": ["maths"] * 2,
                "cluster": ["M1"] * 2,
                "format": ["mc", "cr"],
                "max_score": [1, 2],
            }
        ),
        provinces={f"{code:02d}": f"Tỉnh {code}" for code in (1, 2, 11, 12, 21, 22)},
    )
