"""Time questions to the explorer: each kind of answer, warm and cold, at three sizes; and check that no number moved.

Run: ``python benchmarks/bench_explorer.py [n_students ...]``. The data are simulated as in ``bench_estimation.py``: 34
provinces, 35 students a school, 10 plausible values, 80 Fay replicates. "Cold" is the first question after the file is
read from Parquet and prepared; "warm" the best of three with the file in memory and no answer kept (the kept ones cost
nothing). The goal: at most one second for any cell of a 60,000-student file on two cores. Peak memory is that of the
process. Times are processor seconds, as other work runs on the machine. Each mean is compared with a direct call; the benchmark fails when one moved or the goal is missed at 60,000.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lsakit.estimation.means import estimate_means
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.tables.explorer import AnalysisFile, Question, QuestionError, answer, catalogue
from lsakit.tables.suppression import rules_named

CUTS = (357.77, 420.07, 482.38, 544.68, 606.99)
DESIGN = SurveyDesign(
    weight="weight", replicates="replicate_{r}", n_replicates=80, method="fay", fay_factor=0.5
)
GOAL_SECONDS, GOAL_STUDENTS = 1.0, 60_000
ASKED: tuple[dict[str, Any], ...] = (
    {},
    {"by": ("gender",), "compare": "pairs"},
    {"by": ("province_code",), "compare": "whole"},
    {"by": ("province_code", "gender", "ses_quarter")},
    {"by": ("province_code", "gender", "area"), "statistic": "percentiles"},
    {"by": ("province_code", "gender", "ses_quarter"), "statistic": "percentiles"},
    {"by": ("province_code", "ethnicity", "area"), "statistic": "levels", "compare": "whole"},
    {"by": ("province_code", "gender", "area"), "statistic": "slope"},
    {"by": ("province_code", "area"), "measure": "ethnicity", "statistic": "percent"},
)


def simulate(n_students: int) -> pl.DataFrame:
    """Simulate an analysis file."""
    rng = np.random.default_rng(2026)
    school = np.arange(n_students) // 35
    n_schools = int(school[-1]) + 1
    factors = np.where(rng.random((n_schools, 80)) < 0.5, 0.5, 1.5) * rng.uniform(0.95, 1.05, (n_schools, 80))
    weight = rng.uniform(5.0, 40.0, n_schools)[school]
    ses = rng.normal(0, 0.6, n_schools)[school] + rng.normal(0, 0.8, n_students)
    ability = 500 + 30 * ses + rng.normal(0, 50, n_schools)[school] + rng.normal(0, 75, n_students)
    province = school % 34
    columns: dict[str, Any] = {
        "school_id": school.astype(str),
        "province_code": np.char.zfill((province + 1).astype(str), 2),
        "region6": (province // 6).astype(str),
        "area": np.where(school % 3 == 0, "urban", "rural"),
        "gender": np.where(rng.random(n_students) < 0.5, "F", "M"),
        "ethnicity": np.where(rng.random(n_students) < 0.12, "minority", "kinh"),
        "ses": ses,
        "ses_quarter": (np.digitize(ses, np.quantile(ses, [0.25, 0.5, 0.75])) + 1).astype(str),
        "weight": weight,
    }
    columns |= {f"replicate_{r + 1}": weight * factors[school, r] for r in range(80)}
    columns |= {f"PV{m}MATHS": ability + rng.normal(0, 30, n_students) for m in range(1, 11)}
    return pl.DataFrame(columns)


def opened(path: Path) -> AnalysisFile:
    """Read and prepare a file, as the first question does."""
    return AnalysisFile.of(
        pl.read_parquet(path), DESIGN, population="grade5", rules=rules_named("national"), cuts=CUTS, run="b"
    )


def ask(file: AnalysisFile, parts: dict[str, Any]) -> Any:
    """Ask one question; None where so small a file shows no group of it."""
    question = Question(**({"population": "grade5", "measure": "maths", "statistic": "mean"} | parts))
    try:
        return answer(question, file, catalogue(file.columns, populations=("grade5",)))
    except QuestionError:
        return None


def measure(n_students: int, folder: Path) -> tuple[bool, float]:
    """Print the times of one size; tell whether numbers stand and the slowest warm answer."""
    path = folder / f"{n_students}.parquet"
    table = simulate(n_students)
    table.write_parquet(path)
    begin = time.process_time()
    file = opened(path)
    ready = time.process_time() - begin
    print(f"{n_students:>8} students: read and prepared in {ready:.2f} s, {file.n_bytes / 1e6:.0f} MB kept")
    slowest = 0.0
    for parts in ASKED:
        seconds = []
        for turn in range(4):
            file.memory.clear()
            begin = time.process_time()
            found = ask(file, parts)
            seconds.append(time.process_time() - begin)
            if turn == 0:
                first = seconds.pop()
        slowest = max(slowest, min(seconds))
        by = "+".join(parts.get("by", ())) or "nation"
        told = (
            f"{len(found.rows):>5} rows, {found.facts['n_hidden']:>4} hidden"
            if found is not None
            else "nothing may be shown"
        )
        print(
            f"    {parts.get('statistic', 'mean'):<12}{by:<36}first {first:6.3f} s   warm {min(seconds):6.3f} s   {told}"
        )
    direct = estimate_means(table, "PV{m}MATHS", by="province_code", design=DESIGN).table
    wanted = direct.filter(pl.col("statistic") == "mean").get_column("estimate").to_numpy()
    rows = [row for row in ask(file, {"by": ("province_code",)}).rows if row["group"]]
    stands = bool(np.allclose([row["estimate"] for row in rows], wanted, rtol=1e-12, atol=0.0))
    return stands, slowest


def main() -> int:
    """Measure each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[6_000, 60_000, 600_000])
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        ask_first = opened(_tiny(Path(folder)))
        for parts in ASKED[:8]:
            ask(ask_first, {**parts, "by": (), "compare": "none"})  # kernels are loaded
        for n_students in parser.parse_args().sizes:
            stands, slowest = measure(n_students, Path(folder))
            is_late = n_students == GOAL_STUDENTS and slowest > GOAL_SECONDS
            failed |= not stands or is_late
            print(f"    numbers stand: {stands}; slowest warm answer {slowest:.3f} s")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return int(failed)


def _tiny(folder: Path) -> Path:
    """Write a small file for the first call of each kernel."""
    path = folder / "tiny.parquet"
    simulate(3_500).write_parquet(path)
    return path


if __name__ == "__main__":
    sys.exit(main())
