"""Tracking forms against data: who should have answered and who did (checks C1, C3, C10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from lsakit.errors import TableError
from lsakit.io.frames import as_table, refuse_duplicates, require_columns

PRESENT, ABSENT, LEFT = "present", "absent", "left_school"
STATES = (PRESENT, ABSENT, LEFT)
_SCHEMA = {
    "student_id": pl.String, "check": pl.String, "outcome": pl.String, "is_error": pl.Boolean,
    "is_resolved": pl.Boolean, "action": pl.String,
}  # fmt: skip


def reconcile(tracking: Any, data: Any) -> pl.DataFrame:
    """Compare the tracking form with the data.

    Parameters
    ----------
    tracking : polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_listed,)
        ``student_id``, ``status`` ("present", "absent" or "left_school") and ``booklet``.
    data : polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_found,)
        ``student_id``, ``booklet`` as keyed, and ``items_booklet``, the booklet whose items the answers fit.

    Returns
    -------
    polars.DataFrame
        One row per student of either: ``check`` ("C1", "C3" or ""), ``outcome`` ("ok", "data_for_absent", "missing_data",
        "other_booklet", "not_on_form" or "ineligible"), ``is_error``, ``is_resolved`` (an error that the data
        themselves settle) and ``action`` ("keep_data_booklet", "code_23_with_session_report", "ask" or "").

    Raises
    ------
    TableError
        If a student stands twice or a status is unknown.

    Examples
    --------
    >>> form = {"student_id": ["s1", "s2"], "status": ["present", "absent"], "booklet": [1, 2]}
    >>> found = {"student_id": ["s1", "s2"], "booklet": [1, 2], "items_booklet": [1, 2]}
    >>> reconcile(form, found).get_column("outcome").to_list()
    ['ok', 'data_for_absent']
    """
    form, found = as_table(tracking, param="tracking"), as_table(data, param="data")
    require_columns(form, ["student_id", "status", "booklet"], param="tracking form")
    require_columns(found, ["student_id", "booklet", "items_booklet"], param="data")
    refuse_duplicates(form, "student_id", param="tracking form")
    refuse_duplicates(found, "student_id", param="data")
    unknown = [word for word in form.get_column("status").unique().to_list() if word not in STATES]
    if unknown:
        raise TableError(
            f"The status {unknown[0]!r} of the tracking form is unknown.",
            hint=f"Use one of {', '.join(STATES)}.",
            param="status",
            got=unknown[0],
        )
    listed = form.select(
        pl.col("student_id").cast(pl.String), "status", pl.col("booklet").alias("form_booklet")
    )
    held = found.select(
        pl.col("student_id").cast(pl.String), pl.col("booklet").alias("data_booklet"), "items_booklet",
        pl.lit(value=True).alias("has_data"),
    )  # fmt: skip
    joined = listed.join(held, on="student_id", how="full", coalesce=True).sort("student_id")
    return pl.DataFrame([_judge(row) for row in joined.iter_rows(named=True)], schema=_SCHEMA, orient="row")


def _judge(row: Mapping[str, Any]) -> tuple[str, str, str, bool, bool, str]:
    """Judge one student."""
    student, status, has_data = row["student_id"], row["status"], bool(row["has_data"])
    if status is None:
        return student, "C1", "not_on_form", True, False, "ask"
    if not has_data:
        if status == PRESENT:
            return student, "C3", "missing_data", True, False, "code_23_with_session_report"
        return student, "", "ineligible" if status == LEFT else "ok", False, False, ""
    if status != PRESENT:
        return student, "C3", "data_for_absent", True, False, "ask"
    if row["form_booklet"] != row["data_booklet"]:
        fits = row["items_booklet"] is not None and row["items_booklet"] == row["data_booklet"]
        return student, "C3", "other_booklet", True, fits, "keep_data_booklet" if fits else "ask"
    return student, "", "ok", False, False, ""
