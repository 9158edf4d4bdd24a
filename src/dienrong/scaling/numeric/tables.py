"""Tables made for files: the review board as one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import polars as pl

from dienrong.scaling.numeric.board import BoardRow

COLUMNS: dict[str, Any] = {
    "item": pl.String, "label": pl.String, "domain": pl.String, "cluster": pl.String, "max_score": pl.Int64,
    "n": pl.Int64, "facility": pl.Float64, "discrimination": pl.Float64, "slope": pl.Float64, "difficulty": pl.Float64,
    "infit": pl.Float64, "outfit": pl.Float64, "rmsd": pl.Float64, "worst_group": pl.String, "dif": pl.String,
    "variable": pl.String, "flags": pl.String, "decision": pl.String,
}  # fmt: skip
RENAMED = {"rmsd_group": "worst_group", "dif_class": "dif", "dif_by": "variable"}


def board_table(
    rows: Sequence[BoardRow], *, flags: Mapping[str, str], decisions: Mapping[str, str]
) -> pl.DataFrame:
    """Give the board as a table, with flags and decisions in the words given."""
    out = []
    for row in rows:
        one = {RENAMED.get(name, name): value for name, value in asdict(row).items()}
        one["flags"] = "; ".join(flags.get(flag, flag) for flag in row.flags)
        one["decision"] = decisions.get(row.item, "")
        out.append([one[name] for name in COLUMNS])
    return pl.DataFrame(out, schema=COLUMNS, orient="row")


def sorted_table(table: pl.DataFrame, order: str) -> pl.DataFrame:
    """Sort a table by a column of it, "-name" downward; missing cells come last."""
    name = order.removeprefix("-")
    if name not in table.columns:
        return table
    return table.sort(name, descending=order.startswith("-"), nulls_last=True, maintain_order=True)


def found_rows(table: pl.DataFrame, text: str) -> pl.DataFrame:
    """Keep the rows in which a text column holds what was typed, without regard to case."""
    names = [name for name in table.columns if table.schema[name] == pl.String]
    if not text or not names:
        return table
    wanted = text.lower()
    found = pl.any_horizontal(
        pl.col(name).str.to_lowercase().str.contains(wanted, literal=True).fill_null(value=False)
        for name in names
    )
    return table.filter(found)


def without_kinds(table: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Leave out the rows of a kind."""
    return table.filter(pl.col("kind") != kind) if "kind" in table.columns else table
