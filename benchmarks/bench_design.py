"""Time and memory of the school draw, the student draw, the weights and the replicates, at three sizes.

Run: ``python benchmarks/bench_design.py [--write]``. It checks as well that the numbers did not move: sums of
probabilities, sums of weights and the mean of the replicates' totals are printed beside the times.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lsakit.design.options import Design
from lsakit.design.pps import draw_schools
from lsakit.design.within_school import select_students
from lsakit.weighting.final_weights import final_weights
from lsakit.weighting.replicates import replicate_weights

# frame schools, strata, sampled schools, students per school
SIZES = {"6k": (2_000, 8, 200, 30), "60k": (12_000, 34, 2_000, 30), "600k": (53_000, 200, 20_000, 30)}


def timed(call: Callable[[], Any], times: int = 3) -> tuple[Any, float]:
    """Best processor time of a few calls, in seconds (the machine may be shared)."""
    best, result = float("inf"), None
    for _ in range(times):
        started = time.process_time()
        result = call()
        best = min(best, time.process_time() - started)
    return result, best


def frame_of(n_schools: int, n_strata: int) -> dict[str, Any]:
    """A frame with log-normal sizes."""
    rng = np.random.default_rng(1)
    return {
        "school_id": [f"S{row:06d}" for row in range(n_schools)],
        "stratum": [f"{row % n_strata:03d}" for row in range(n_schools)],
        "area": rng.choice(["rural", "urban"], n_schools).tolist(),
        "disadvantaged": (rng.random(n_schools) < 0.3).tolist(),
        "enrolment": np.maximum(5, rng.lognormal(4.6, 0.8, n_schools)).astype(int).tolist(),
    }


def participation(drawn: Any, students: Any, listed: dict[str, int]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Four schools in a hundred refuse, five students in a hundred are absent."""
    rng = np.random.default_rng(2)
    ids = drawn.table["school_id"].to_list()
    took = rng.random(len(ids)) > 0.04
    schools = {
        "school_id": ids,
        "participant_id": [one if yes else None for one, yes in zip(ids, took, strict=True)],
        "status": np.where(took, 1, 2),
        "enrolment": drawn.table["enrolment"].to_list(),
        "enrolment_listed": [listed[one] if yes else None for one, yes in zip(ids, took, strict=True)],
    }
    kept = set(np.asarray(ids, dtype=object)[took])
    table = students.table.filter([school in kept for school in students.table["school_id"]])
    answered = {
        "school_id": table["school_id"].to_list(),
        "student_id": table["student_id"].to_list(),
        "line_number": table["line_number"].to_list(),
        "gender": rng.choice(["F", "M"], table.height),
        "status": np.where(rng.random(table.height) < 0.95, 10, 20),
    }
    return schools, answered


def measure(name: str) -> list[str]:
    """Run one size and give its table row."""
    n_frame, n_strata, n_schools, n_students = SIZES[name]
    frame = frame_of(n_frame, n_strata)
    design = Design(
        explicit=["stratum"], implicit=["area", "disadvantaged"], n_schools=n_schools, n_students=n_students
    )
    drawn, draw_seconds = timed(lambda: draw_schools(frame, design, rng=2026))
    size = dict(zip(frame["school_id"], frame["enrolment"], strict=True))
    sampled = drawn.table["school_id"].to_list()
    counts = [size[one] for one in sampled]
    lists = {
        "school_id": np.repeat(np.asarray(sampled), counts),
        "student_id": [f"{one}-{row}" for one, n in zip(sampled, counts, strict=True) for row in range(n)],
    }
    students, select_seconds = timed(lambda: select_students(lists, drawn, rng=2026), times=1)
    schools, answered = participation(drawn, students, size)
    weights, weight_seconds = timed(lambda: final_weights(drawn, schools, answered))
    reps, replicate_seconds = timed(lambda: replicate_weights(weights, lonely="collapse"))
    total = weights.table["final_weight"].sum()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        name,
        f"{n_frame:,} / {n_strata}",
        f"{draw_seconds:.2f}",
        f"{len(lists['student_id']):,}",
        f"{select_seconds:.2f}",
        f"{weights.table.height:,}",
        f"{weight_seconds:.2f}",
        f"{replicate_seconds:.2f}",
        f"{peak:,.0f}",
        f"{drawn.frame['probability'].sum():.6f} · {total:,.3f} · {reps.matrix.sum(axis=0).mean() / total:.6f}",
    ]


HEAD = [
    "size",
    "frame / strata",
    "draw CPU s",
    "listed",
    "select CPU s",
    "respondents",
    "weights CPU s",
    "80 replicates CPU s",
    "peak MiB",
    "Σp · Σw · replicates",
]


def main() -> None:
    """Measure all sizes, smallest first, and write the table when asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/design.md")
    parser.add_argument("--sizes", nargs="*", default=list(SIZES), choices=list(SIZES))
    asked = parser.parse_args()
    rows = [HEAD, ["---"] * len(HEAD), *(measure(name) for name in asked.sizes)]
    text = "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"
    print(text)
    if asked.write:
        target = Path(__file__).parent / "results" / "design.md"
        target.parent.mkdir(exist_ok=True)
        target.write_text("# Sampling and weighting: time and memory\n\n" + text, encoding="utf-8")


if __name__ == "__main__":
    main()
