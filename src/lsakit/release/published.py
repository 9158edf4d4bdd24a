"""The table that a release proves: means with their errors, computed from the released file, beside the report's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from lsakit.estimation.means import estimate_means
from lsakit.estimation.replication import prepare
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.release.microdata import MicroData
from lsakit.release.recodes import suppressed_code

EXACT = ("REGION", "ST004D01T")
OTHERS = ("AREA", "SECTOR", "ETHNIC", "DISADV")
TABLE_COLUMNS = ("values", "by", "group", "statistic", "n", "estimate", "standard_error")
REPORT_NAMES = {
    "REGION": "region6", "ST004D01T": "gender", "AREA": "area", "ETHNIC": "ethnicity", "DISADV": "disadvantaged",
}  # fmt: skip


def patterns_of(columns: Sequence[str]) -> list[str]:
    """Name the families of plausible values of a file.

    Parameters
    ----------
    columns : Sequence of str
        Columns by the convention of PISA.

    Returns
    -------
    list of str
        Patterns such as ``"PV{m}MATH"``, in the order of the columns.

    Examples
    --------
    >>> patterns_of(["PV1MATH", "PV2MATH", "PV1READ", "ESCS"])
    ['PV{m}MATH', 'PV{m}READ']
    """
    return ["PV{m}" + name[3:] for name in columns if name.startswith("PV1") and name[3:4].isalpha()]


def release_design(columns: Sequence[str]) -> SurveyDesign:
    """Give the survey design of a released student file.

    Parameters
    ----------
    columns : Sequence of str
        Its columns.

    Returns
    -------
    SurveyDesign
        Fay's method with factor 0.5 over the replicate weights that the file has.
    """
    n_replicates = sum(name.startswith("W_FSTURWT") for name in columns)
    return SurveyDesign.read("pisa", n_replicates=n_replicates)


def published_table(data: MicroData, *, by: Sequence[str] = (*EXACT, *OTHERS)) -> pl.DataFrame:
    """Estimate the table of a release from its files.

    Parameters
    ----------
    data : MicroData
        The files.
    by : Sequence of str
        Break-downs; those that the files lack are passed over, suppressed values are left out.

    Returns
    -------
    polars.DataFrame
        ``values`` (pattern of plausible values), ``by`` ("" for the nation), ``group`` (code as text), ``statistic``,
        ``n``, ``estimate`` and ``standard_error`` in points of the scale.
    """
    students = data.students
    design = release_design(students.columns)
    patterns = patterns_of(students.columns)
    ready = prepare(students, design)
    parts = [_rows(estimate_means(ready, one).table, one, "") for one in patterns]
    for name in by:
        if name not in students.columns:
            continue
        shown = students.filter(pl.col(name) != suppressed_code(data.variable(name)))
        part = ready if shown.height == students.height else prepare(shown, design)
        parts += [_rows(estimate_means(part, one, by=[name]).table, one, name) for one in patterns]
    return pl.concat(parts)


def _rows(table: pl.DataFrame, pattern: str, by: str) -> pl.DataFrame:
    """Bring estimates into the columns of the table."""
    group = pl.col(by).cast(pl.String) if by else pl.lit("")
    return table.filter(pl.col("statistic") == "mean").select(
        pl.lit(pattern).alias("values"),
        pl.lit(by).alias("by"),
        group.alias("group"),
        "statistic",
        pl.col("n").cast(pl.Int64),
        "estimate",
        "standard_error",
    )


def compare_tables(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Put the table of the untouched files beside that of the released ones.

    Parameters
    ----------
    before, after : polars.DataFrame
        Two tables of ``published_table``.

    Returns
    -------
    polars.DataFrame
        The rows of ``after`` with ``n_before``, ``estimate_before``, ``standard_error_before``, ``difference`` and
        ``is_exact`` (estimate and error agree to 1e-9 of their size).
    """
    keys = ["values", "by", "group", "statistic"]
    old = before.rename({name: f"{name}_before" for name in ("n", "estimate", "standard_error")})
    joined = after.join(old, on=keys, how="left", maintain_order="left")
    close: list[pl.Expr] = [
        (pl.col(name) - pl.col(f"{name}_before")).abs() <= 1e-9 * pl.col(name).abs()
        for name in ("estimate", "standard_error")
    ]
    return joined.with_columns(
        difference=pl.col("estimate") - pl.col("estimate_before"),
        is_exact=pl.all_horizontal(close).fill_null(value=False),
    )


def expected_rows(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Give the rows that the shipped scripts reproduce.

    Parameters
    ----------
    table : polars.DataFrame
        Table of ``published_table``.

    Returns
    -------
    list of dict
        One mapping per row.
    """
    return table.select(TABLE_COLUMNS).to_dicts()
