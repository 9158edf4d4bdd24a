"""The known truth of a synthetic nation beside its estimates."""

from __future__ import annotations

import polars as pl

KEYS = ("subject", "statistic", "by", "group")
CROSS, JOIN = "×", "+"


def with_truth(rows: pl.DataFrame, truth: pl.DataFrame | None) -> pl.DataFrame:
    """Add the exact population value of each figure where it is known.

    Parameters
    ----------
    rows : polars.DataFrame
        Figures with subject, statistic, by, group.
    truth : polars.DataFrame or None
        Exact values in the same columns and ``truth``, as :meth:`Nation.truth` gives them; None for a real
        nation.

    Returns
    -------
    polars.DataFrame
        The same rows with ``truth``; null where it is not known. The truth of a difference to the nation is
        the difference of the two true means.
    """
    if truth is None:
        return rows.with_columns(truth=pl.lit(None, dtype=pl.Float64))
    known = truth.select(
        "subject",
        "statistic",
        pl.col("by").fill_null("nation").str.replace_all(CROSS, JOIN, literal=True),
        pl.col("group").str.replace_all(CROSS, JOIN, literal=True),
        pl.col("truth").cast(pl.Float64),
    )
    known = pl.concat([known, _differences(known)])
    return rows.join(known, on=list(KEYS), how="left", maintain_order="left")


def _differences(known: pl.DataFrame) -> pl.DataFrame:
    """True differences of group means to the nation's."""
    means = known.filter((pl.col("statistic") == "mean") & (pl.col("by") != "nation"))
    nation = known.filter((pl.col("statistic") == "mean") & (pl.col("by") == "nation"))
    joined = means.join(
        nation.select("subject", whole="truth"), on="subject", how="inner", maintain_order="left"
    )
    return joined.select(
        "subject",
        pl.lit("difference_to_nation").alias("statistic"),
        "by",
        "group",
        (pl.col("truth") - pl.col("whole")).alias("truth"),
    )
