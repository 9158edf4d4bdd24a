"""Recompute the published table from the data file with lsakit.

Tính lại bảng đã công bố từ tệp dữ liệu bằng gói lsakit.

    python table.py                      ends with 1 if a figure disagrees / kết thúc bằng 1 nếu có số không khớp
"""

import csv
import sys
from pathlib import Path

import polars as pl

import lsakit as lk

FOLDER = Path(__file__).resolve().parent


def main():
    """Recompute every row and compare."""
    with (FOLDER / "table_settings.csv").open(encoding="utf-8", newline="") as stream:
        settings = {row["name"]: row["value"] for row in csv.DictReader(stream)}
    table = lk.read_table(FOLDER / settings["student_file"], user_missing="null")
    design = lk.SurveyDesign.read("pisa", n_replicates=int(settings["n_replicates"]))
    with (FOLDER / "expected.csv").open(encoding="utf-8", newline="") as stream:
        expected = list(csv.DictReader(stream))
    found = {}
    for by in sorted({row["by"] for row in expected}):
        rows = table.filter(pl.col(by).is_not_null()) if by else table
        for values in sorted({row["values"] for row in expected}):
            made = lk.estimate_means(rows, values, by=[by] if by else None, design=design).table
            for one in made.filter(pl.col("statistic") == "mean").iter_rows(named=True):
                group = str(int(one[by])) if by else ""
                found[values, by, group] = (one["estimate"], one["standard_error"], one["n"])
    n_bad, worst = 0, 0.0
    for row in expected:
        made = found.get((row["values"], row["by"], row["group"]))
        wanted = (float(row["estimate"]), float(row["standard_error"]), int(row["n"]))
        off = max(abs(a - b) for a, b in zip(made, wanted)) if made else float("inf")
        is_bad = not off <= float(settings["tolerance"])
        worst, n_bad = max(worst, off), n_bad + is_bad
        mark = "KHÔNG KHỚP / DISAGREES" if is_bad else ""
        shown = made or (float("nan"), float("nan"), 0)
        print(
            f"{row['values']:10} {row['by']:10} {row['group']:3} n={shown[2]:6} {shown[0]:9.3f} ({shown[1]:.3f}) {mark}"
        )
    print(
        f"{len(expected)} dòng / rows, {n_bad} không khớp / disagree, lệch lớn nhất / largest difference {worst:.2e}"
    )
    return 1 if n_bad or not expected else 0


if __name__ == "__main__":
    sys.exit(main())
