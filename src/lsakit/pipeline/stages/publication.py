"""The rule of publication applied to the tidy table: this cycle, the earlier one, changes, gaps within places."""

from __future__ import annotations

import polars as pl

from lsakit.pipeline.figure_ids import CHANGE, EARLIER, PAIRED
from lsakit.tables.suppression import SuppressionRules, apply_rules

KEYS = ("subject", "statistic", "by", "group")
NUMBERS = (
    "estimate", "standard_error", "ci_low", "ci_high", "sampling_variance", "measurement_variance",
    "degrees_of_freedom", "p_value", "linking_error",
)  # fmt: skip
JOIN = "+"


def published(rows: pl.DataFrame, rules: SuppressionRules, regions: dict[str, str]) -> pl.DataFrame:
    """Hide what the rule of publication hides; counts stay, since they say why.

    Parameters
    ----------
    rows : polars.DataFrame
        Tidy rows with intervals.
    rules : SuppressionRules
        The rule.
    regions : dict of str to str
        Region of each province: the provinces of a region add up to it.

    Returns
    -------
    polars.DataFrame
        In the same order, with ``suppressed_because`` and ``flag``. The two cycles are decided apart, since each has
        its own students; a change is hidden where either figure is; a gap within a place where either group is; and a
        figure that fewer students bear than its group has (those without an index) by their own number.
    """
    numbered = rows.with_row_index("_row")
    statistic = pl.col("statistic")
    inside = statistic.is_in([*PAIRED, *(EARLIER + name for name in PAIRED)]) & pl.col("by").str.contains(
        JOIN, literal=True
    )
    is_change = statistic.str.starts_with(CHANGE)
    is_earlier = statistic.str.starts_with(EARLIER)
    nested = {"province_code": ("region6", regions)}
    found = [
        apply_rules(numbered.filter(part & ~inside & ~is_change), rules, nested=nested, keep_counts=True)
        for part in (~is_earlier, is_earlier)
    ]
    decided = _few(pl.concat(found), rules)
    changes = _changes(numbered.filter(is_change), decided)
    gaps = _gaps(numbered.filter(inside & ~is_change), decided)
    whole = pl.concat([decided, changes, gaps], how="diagonal_relaxed").sort("_row").drop("_row")
    keep = pl.col("suppressed_because").is_null()
    return whole.with_columns(pl.when(keep).then(pl.col(name)).alias(name) for name in NUMBERS)


def _few(rows: pl.DataFrame, rules: SuppressionRules) -> pl.DataFrame:
    """Hide figures whose own number of students is too small, though their group's is not."""
    few = pl.col("suppressed_because").is_null() & (pl.col("n") < rules.minimum_units)
    reason = f"too_few_{rules.unit}:{rules.minimum_units}"
    return rows.with_columns(
        suppressed_because=pl.when(few).then(pl.lit(reason)).otherwise(pl.col("suppressed_because")),
        flag=pl.when(few).then(pl.lit(rules.symbols["hidden"])).otherwise(pl.col("flag")),
    )


def _reasons(decided: pl.DataFrame, prefix: str, name: str) -> pl.DataFrame:
    """Give the reason of each figure of one cycle under a name, without the prefix of the statistic."""
    own = decided.filter(pl.col("statistic").str.starts_with(prefix)) if prefix else decided
    return own.select(
        "subject",
        pl.col("statistic").str.strip_prefix(prefix),
        "by",
        "group",
        pl.col("suppressed_because").alias(name),
        pl.col("flag").alias(f"{name}_flag"),
    )


def _changes(rows: pl.DataFrame, decided: pl.DataFrame) -> pl.DataFrame:
    """Hide a change where either of its figures is hidden."""
    if not rows.height:
        return rows
    plain = rows.with_columns(statistic=pl.col("statistic").str.strip_prefix(CHANGE))
    for prefix, name in (("", "_now"), (EARLIER, "_before")):
        plain = plain.join(_reasons(decided, prefix, name), on=KEYS, how="left", maintain_order="left")
    undefined = pl.when(pl.col("estimate").is_null()).then(pl.lit("undefined_in_replicates"))
    return plain.with_columns(
        statistic=rows.get_column("statistic"),
        suppressed_because=pl.coalesce("_now", "_before", undefined),
        flag=pl.when(pl.col("_now").is_not_null())
        .then("_now_flag")
        .otherwise(pl.when(pl.col("_before").is_not_null()).then("_before_flag").otherwise(pl.lit(""))),
    ).drop("_now", "_before", "_now_flag", "_before_flag")


def _gaps(rows: pl.DataFrame, decided: pl.DataFrame) -> pl.DataFrame:
    """Hide a gap within a place where either of its groups is hidden."""
    if not rows.height:
        return rows
    split = rows.with_columns(
        _place=pl.col("group").str.extract(r"^(.*)\+[^+]*$"),
        _first=pl.col("group").str.extract(r"\+([^+-]*)-[^+]*$"),
        _second=pl.col("group").str.extract(r"-([^+-]*)$"),
    )
    means = decided.filter(pl.col("statistic") == "mean").select(
        "subject", "by", "group", _reason="suppressed_because", _flag="flag"
    )
    for side in ("_first", "_second"):
        group = pl.concat_str(["_place", side], separator=JOIN)
        split = (
            split.with_columns(group.alias("_side"))
            .join(means, left_on=["subject", "by", "_side"], right_on=["subject", "by", "group"], how="left",
                  maintain_order="left")
            .rename({"_reason": f"{side}_reason", "_flag": f"{side}_flag"})
        )  # fmt: skip
    undefined = pl.when(pl.col("undefined_because").is_not_null()).then(pl.lit("undefined_in_replicates"))
    hidden = pl.col("_first_reason").is_not_null()
    other = pl.col("_second_reason").is_not_null()
    return split.with_columns(
        suppressed_because=pl.coalesce("_first_reason", "_second_reason", undefined),
        flag=pl.when(hidden).then("_first_flag").when(other).then("_second_flag").otherwise(pl.lit("")),
    ).select(*rows.columns, "suppressed_because", "flag")
