"""Do replicate intervals cover the truth of a clustered population at the nominal rate?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lsakit.design.options import Design
from lsakit.design.pps import draw_schools
from lsakit.design.within_school import select_students
from lsakit.weighting.final_weights import final_weights
from lsakit.weighting.replicates import replicate_weights

N_SCHOOLS, N_SAMPLES, N_STUDENTS = 1500, 200, 20


def population() -> tuple[dict, dict, np.ndarray]:
    """Schools of three regions with an intra-class correlation near 0.3, and all their students."""
    rng = np.random.default_rng(5)
    size = np.maximum(8, rng.lognormal(3.9, 0.5, N_SCHOOLS)).astype(int)
    region = np.arange(N_SCHOOLS) % 3
    urban = rng.random(N_SCHOOLS) < 0.4
    effect = rng.normal(0, 0.55, N_SCHOOLS) + 0.2 * region + 0.3 * urban
    ids = [f"S{row:04d}" for row in range(N_SCHOOLS)]
    frame = {
        "school_id": ids,
        "region": [f"R{one}" for one in region],
        "area": np.where(urban, "urban", "rural").tolist(),
        "enrolment": size.tolist(),
    }
    school = np.repeat(np.arange(N_SCHOOLS), size)
    lists = {
        "school_id": np.asarray(ids, dtype=object)[school],
        "student_id": np.asarray(
            [f"{ids[one]}-{row}" for one, n in enumerate(size) for row in range(n)], dtype=object
        ),
        "gender": np.where(rng.random(len(school)) < 0.5, "F", "M").astype(object),
    }
    score = effect[school] + 0.1 * (lists["gender"] == "F") + rng.normal(0, 0.85, len(school))
    return frame, lists, score


def one_sample(frame: dict, lists: dict, place: dict[str, int], seed: int) -> tuple:
    rng = np.random.default_rng(seed)
    design = Design(explicit=["region"], implicit=["area"], n_schools=90, n_students=N_STUDENTS)
    drawn = draw_schools(frame, design, rng=seed)
    size = dict(zip(frame["school_id"], frame["enrolment"], strict=True))
    ids = drawn.table["school_id"].to_list()
    took = rng.random(len(ids)) > 0.06
    took[:2] = True
    kept = np.isin(lists["school_id"].astype(str), np.asarray(ids)[took])
    mine = {name: column[kept] for name, column in lists.items()}
    pupils = select_students(mine, drawn, rng=seed).table
    schools = {
        "school_id": ids,
        "participant_id": [one if yes else None for one, yes in zip(ids, took, strict=True)],
        "status": np.where(took, 1, 2),
        "enrolment": [size[one] for one in ids],
        "enrolment_listed": [size[one] if yes else None for one, yes in zip(ids, took, strict=True)],
    }
    rows = [place[one] for one in pupils["student_id"]]
    students = {
        "school_id": pupils["school_id"].to_list(),
        "student_id": pupils["student_id"].to_list(),
        "gender": lists["gender"][rows].tolist(),
        "line_number": pupils["line_number"].to_list(),
        "status": np.where(rng.random(pupils.height) < 0.93, 10, 20),
    }
    return final_weights(drawn, schools, students, rules="national")


METHODS: dict[str, dict[str, Any]] = {
    "fay": {"method": "fay"},
    "brr": {"method": "fay", "fay_factor": 0.0},
    "jk2": {"method": "jk2"},
    "jk2_both": {"method": "jk2_both"},
    "jkn": {"method": "jkn"},
    "bootstrap": {"method": "bootstrap", "n_replicates": 100},
}


@pytest.mark.slow
@pytest.mark.parametrize("method", list(METHODS))
def test_intervals_cover_a_clustered_population(method: str) -> None:
    """Coverage of 200 samples stays within three binomial deviations of 95 %, that is 90.4 to 99.6 %."""
    frame, lists, score = population()
    place = {student: row for row, student in enumerate(lists["student_id"])}
    truth = score.mean()
    estimates, errors = [], []
    for seed in range(N_SAMPLES):
        w = one_sample(frame, lists, place, seed)
        reps = replicate_weights(w, **METHODS[method])
        y = score[[place[one] for one in w.table["student_id"]]]
        weight = w.table["final_weight"].to_numpy()
        full = float(weight @ y / weight.sum())
        replicates = reps.matrix.T @ y / reps.matrix.sum(axis=0)
        estimates.append(full)
        errors.append(float((reps.coefficients * (replicates - full) ** 2).sum() ** 0.5))
    found, spread = np.asarray(estimates), np.asarray(errors)
    covered = float((np.abs(found - truth) <= 1.96 * spread).mean())
    print(
        f"{method}: coverage {covered:.3f}, SE / SD {spread.mean() / found.std(ddof=1):.3f}, bias {found.mean() - truth:.4f}"
    )
    assert abs(covered - 0.95) <= 3 * np.sqrt(0.95 * 0.05 / N_SAMPLES)
    assert abs(found.mean() - truth) <= 4 * found.std(ddof=1) / np.sqrt(N_SAMPLES)
    # Negative control: the error of a simple random sample misses far more often than 5 %.
    naive = score.std() / np.sqrt(len(y))
    assert (np.abs(found - truth) <= 1.96 * naive).mean() < 0.85
