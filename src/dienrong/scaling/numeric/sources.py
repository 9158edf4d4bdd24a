"""Data of a study from a run of the cycle, and tables put into a store under their hashes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from dienrong.scaling.numeric.uploads import counts_of
from lsakit.errors import LsakitError
from lsakit.lineage import Store

WEIGHT = "final_weight"
NOT_BACKGROUND = ("student_id", "school_id")
BACKGROUND = ("gender", "ethnicity", "area", "disadvantaged", "ses")


class SourceRefusedError(Exception):
    """The run lacks something that a study needs; ``code`` says what: "subject" or "store"."""

    def __init__(self, code: str, sentence: str = "") -> None:
        self.code = code
        super().__init__(sentence)


def tables_of_run(store_path: Path, manifests: Mapping[str, str], subject: str) -> dict[str, Any]:
    """Take the tables of one subject from the stages of a cycle's run.

    Parameters
    ----------
    store_path : Path
        Folder of the cycle's store.
    manifests : Mapping of str to str
        Manifest of the stages nation, administration and weights of one grade; "shared": what all grades share, which
        holds the booklets.
    subject : str
        Code of the subject.

    Returns
    -------
    dict of str to object
        ``tables`` by role (raw_responses, items, students, old_items where items are published; booklets, and where they
        hold other subjects too test_responses and test_items), ``roles`` of the columns of the students, ``counts``.

    Raises
    ------
    SourceRefusedError
        If the run has no item of the subject, or the store lost something.
    """
    try:
        store = Store(store_path, create=False)
        items, trend = (
            _table(store, manifests["nation"], "items"),
            _table(store, manifests["nation"], "trend_items"),
        )
        answers = _table(store, manifests["administration"], "raw_responses")
        background = _table(store, manifests["administration"], "background")
        weights = _table(store, manifests["weights"], "weights")
        booklets = _table(store, manifests["shared"], "booklets") if "shared" in manifests else None
    except (LsakitError, KeyError) as error:
        raise SourceRefusedError("store", str(error)) from error
    own = items.filter(pl.col("subject") == subject) if "subject" in items.columns else items
    names = [name for name in own.get_column("item").to_list() if name in answers.columns]
    if not names:
        raise SourceRefusedError("subject")
    responses = answers.select("student_id", *(["booklet"] if "booklet" in answers.columns else []), *names)
    students = background.join(
        weights.select("student_id", WEIGHT), on="student_id", how="left", maintain_order="left"
    ).drop("school_id", strict=False)
    roles = {
        "group": "",
        "weight": WEIGHT,
        "dif": [name for name in ("gender",) if name in students.columns],
        "background": [name for name in BACKGROUND if name in students.columns],
    }
    own = own.filter(pl.col("item").is_in(names))
    tables = {"raw_responses": responses, "items": own, "students": students}
    if booklets is not None:
        tables["booklets"] = booklets
        if own.height < items.height:
            tables |= {"test_responses": answers, "test_items": items}
    published = trend.filter(pl.col("item").is_in(names))
    if published.height:
        tables["old_items"] = published
    return {"tables": tables, "roles": roles, "counts": counts_of(responses, own, students, roles)}


def _table(store: Store, manifest_id: str, role: str) -> pl.DataFrame:
    """Read one table of a manifest."""
    table: pl.DataFrame = store.table(store.manifest(manifest_id).outputs[role].hash)
    return table


def put_tables(store_path: Path, tables: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Put tables into a store; give hash, rows and columns of each by role. The same table again changes nothing."""
    store = Store(store_path)
    out: dict[str, dict[str, Any]] = {}
    for role, table in tables.items():
        kept = store.put(table)
        out[role] = {
            "hash": kept.hash,
            "n_rows": kept.n_rows,
            "n_columns": len(kept.columns),
            "n_bytes": kept.n_bytes,
        }
    return out


def carry_over(source: Path, target: Path, hashes: Mapping[str, str]) -> dict[str, str]:
    """Copy artefacts from one store to another; their hashes stay, as they name the values."""
    here, there = Store(source, create=False), Store(target)
    return {role: there.put(here.load(value)).hash for role, value in hashes.items()}


def columns_of_table(store_path: Path, table_hash: str) -> list[tuple[str, int]]:
    """Name the columns of a stored table with their numbers of levels."""
    table = Store(store_path, create=False).table(table_hash)
    return [(name, table.get_column(name).drop_nulls().n_unique()) for name in table.columns]


def levels_of(store_path: Path, table_hash: str, column: str) -> list[str]:
    """List the levels of a column of a stored table."""
    table = Store(store_path, create=False).table(table_hash)
    if column not in table.columns:
        return []
    return sorted(str(value) for value in table.get_column(column).drop_nulls().unique())
