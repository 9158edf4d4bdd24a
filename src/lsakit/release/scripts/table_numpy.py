"""Recompute the published table from the data file with NumPy and a reader of SPSS files alone.

Tính lại bảng đã công bố từ tệp dữ liệu, chỉ cần numpy và pyreadstat (hoặc tệp CSV, chỉ cần numpy).

    python table_numpy.py [--csv]        ends with 1 if a figure disagrees / kết thúc bằng 1 nếu có số không khớp
"""

import csv
import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent


def read_settings():
    """Read which file and which rule."""
    with (FOLDER / "table_settings.csv").open(encoding="utf-8", newline="") as stream:
        return {row["name"]: row["value"] for row in csv.DictReader(stream)}


def read_columns(settings, names, from_csv):
    """Read columns as floats; what is empty or user-missing is NaN."""
    if not from_csv:
        try:
            import pyreadstat
        except ImportError:
            from_csv = True
    if not from_csv:
        frame, _ = pyreadstat.read_sav(
            str(FOLDER / settings["student_file"]), usecols=names, output_format="dict"
        )
        return {
            name: np.asarray([np.nan if v is None else v for v in frame[name]], dtype=float) for name in names
        }
    with (FOLDER / settings["student_csv"]).open(encoding="utf-8", newline="") as stream:
        rows = csv.reader(stream)
        header = next(rows)
        places = [header.index(name) for name in names]
        cells = np.asarray([[row[place] or "nan" for place in places] for row in rows], dtype=float)
    return {name: cells[:, place] for place, name in enumerate(names)}


def mean_with_error(values, weight, replicates, fay):
    """Give mean and standard error of plausible values, one a column, by Fay's method and Rubin's rule."""
    whole = weight @ values / weight.sum()
    again = replicates.T @ values / replicates.sum(axis=0)[:, None]
    sampling = ((again - whole) ** 2).sum(axis=0) / (replicates.shape[1] * (1.0 - fay) ** 2)
    m = values.shape[1]
    between = whole.var(ddof=1) if m > 1 else 0.0
    return whole.mean(), np.sqrt(sampling.mean() + (1.0 + 1.0 / m) * between)


def main():
    """Recompute every row and compare."""
    settings = read_settings()
    n_replicates, fay = int(settings["n_replicates"]), float(settings["fay_factor"])
    n_values, tolerance = int(settings["n_plausible_values"]), float(settings["tolerance"])
    with (FOLDER / "expected.csv").open(encoding="utf-8", newline="") as stream:
        expected = list(csv.DictReader(stream))
    patterns = sorted({row["values"] for row in expected})
    keys = sorted({row["by"] for row in expected} - {""})
    values = {one: [one.replace("{m}", str(m)) for m in range(1, n_values + 1)] for one in patterns}
    replicates = [f"W_FSTURWT{r}" for r in range(1, n_replicates + 1)]
    wanted = ["W_FSTUWT", *replicates, *keys, *(name for names in values.values() for name in names)]
    data = read_columns(settings, wanted, "--csv" in sys.argv)
    weights = np.column_stack([data[name] for name in replicates])
    matrices = {one: np.column_stack([data[name] for name in names]) for one, names in values.items()}
    n_bad, worst = 0, 0.0
    for row in expected:
        rows = np.ones(len(weights), bool) if not row["by"] else data[row["by"]] == float(row["group"])
        estimate, error = mean_with_error(
            matrices[row["values"]][rows], data["W_FSTUWT"][rows], weights[rows], fay
        )
        off = max(
            abs(estimate - float(row["estimate"])),
            abs(error - float(row["standard_error"])),
            abs(int(rows.sum()) - int(row["n"])),
        )
        worst, is_bad = max(worst, off), not off <= tolerance
        n_bad += is_bad
        mark = "KHÔNG KHỚP / DISAGREES" if is_bad else ""
        print(
            f"{row['values']:10} {row['by']:10} {row['group']:3} n={rows.sum():6} {estimate:9.3f} ({error:.3f}) {mark}"
        )
    print(
        f"{len(expected)} dòng / rows, {n_bad} không khớp / disagree, lệch lớn nhất / largest difference {worst:.2e}"
    )
    return 1 if n_bad or not expected else 0


if __name__ == "__main__":
    sys.exit(main())
