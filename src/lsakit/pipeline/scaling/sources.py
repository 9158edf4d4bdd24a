"""Files of a study as the tables that a scaling starts from, read again from the kept bytes whenever it is asked."""

from __future__ import annotations

import gzip
import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from lsakit.errors import CalibrationError, FileFormatError
from lsakit.io.frames import require_columns, strings
from lsakit.irt.response_data import ID_COLUMNS
from lsakit.lineage import Step, StepCall
from lsakit.pipeline.table_files import read_plain_table

ROLES = ("responses", "items", "students", "booklets", "old_items", "old_scale")
KINDS = ("raw", "scored")
BY_ROW = "row"


def read_bytes(content: bytes, name: str) -> pl.DataFrame:
    """Read a table from the bytes of a file.

    Parameters
    ----------
    content : bytes
        The file.
    name : str
        Its name, whose suffix says the form; ``.gz`` after it is undone.

    Returns
    -------
    polars.DataFrame
        The table; columns that identify are text.

    Raises
    ------
    FileFormatError
        If the file is none of the known forms.
    """
    if name.lower().endswith(".gz"):
        try:
            content, name = gzip.decompress(content), name[:-3]
        except (OSError, EOFError):
            raise FileFormatError(
                f"The file {name!r} is no whole gzip file.", hint="Copy it again from its source.", param=name
            ) from None
    with tempfile.TemporaryDirectory(prefix="lsakit-") as folder:
        path = Path(folder) / Path(name).name
        path.write_bytes(content)
        return read_plain_table(path)


def run_sources(call: StepCall) -> dict[str, Any]:
    """Read the files of a study.

    Parameters
    ----------
    call : StepCall
        Inputs: the bytes of each file by role; parameters ``names`` (file name by role), ``kind``, ``student_id``,
        ``item_columns``, ``student_columns``.

    Returns
    -------
    dict of str to object
        ``raw_responses`` or ``scored_responses``, and ``items``, ``students``, ``booklets``, ``old_items``,
        ``old_scale`` where they are given. Without a file of students its columns come from the responses.

    Raises
    ------
    CalibrationError
        If columns are absent, or the responses hold no item.
    """
    parameters, names = call.parameters, call.parameters["names"]
    tables: dict[str, Any] = {}
    for role in ROLES:
        if role in call.inputs and role != "old_scale":
            tables[role] = read_bytes(call.inputs[role], names[role])
    if "old_scale" in call.inputs:
        tables["old_scale"] = _record(call.inputs["old_scale"], names["old_scale"])
    given = _identified(tables.pop("responses"), str(parameters["student_id"]), names["responses"])
    wanted = list(parameters["student_columns"])
    if "students" in tables:
        tables["students"] = _identified(tables["students"], str(parameters["student_id"]), names["students"])
    elif wanted:
        require_columns(given, wanted, param="responses")
        tables["students"] = given.select("student_id", *wanted)
    columns = _item_columns(given, tables.get("items"), parameters["item_columns"], wanted)
    aside = [name for name in ID_COLUMNS if name in given.columns and name not in wanted]
    tables[f"{parameters['kind']}_responses"] = given.select(
        list(dict.fromkeys(["student_id", *aside, *columns]))
    )
    return tables


def _record(content: bytes, name: str) -> Any:
    """Read the record of a reporting scale."""
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise FileFormatError(
            f"The file {name!r} is no JSON record of a reporting scale.",
            hint='For example: {"slope": 98.2, "intercept": 501.3}.',
            param="old_scale",
        )
    return found


def _identified(table: pl.DataFrame, student_id: str, name: str) -> pl.DataFrame:
    """Call the column that identifies students student_id, or number them by row."""
    if student_id == BY_ROW:
        width = len(str(table.height))
        number = pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(width)
        return table.with_columns(student_id=pl.lit("R") + number)
    if student_id not in table.columns:
        raise CalibrationError(
            f"The file {name!r} has no column {student_id!r} that identifies the students.",
            hint=f"Name it with student_id; student_id = {BY_ROW!r} numbers the rows where there is none.",
            param="student_id",
            got=student_id,
        )
    return table.with_columns(pl.col(student_id).cast(pl.String).alias("student_id"))


def _item_columns(
    given: pl.DataFrame, items: pl.DataFrame | None, named: str | Sequence[str] | None, aside: Sequence[str]
) -> list[str]:
    """Say which columns of the responses are items."""
    if items is not None:
        found = strings(items, "item", param="items")
        require_columns(given, found, param="responses")
        return found
    if isinstance(named, str):
        found = [name for name in given.columns if re.search(named, name)]
    elif named:
        require_columns(given, list(named), param="responses")
        found = list(named)
    else:
        out = {*ID_COLUMNS, *aside}
        found = [name for name in given.columns if name not in out]
    texts = [
        name
        for name in found
        if not given.schema[name].is_numeric() and given[name].null_count() < given.height
    ]
    if not found or texts:
        raise CalibrationError(
            f"{len(texts)} columns of the responses hold text and are no scores."
            if texts
            else "No column of the responses is an item.",
            where=texts,
            hint="Name the item columns with item_columns (a list, or a regular expression), or give a file of items.",
            param="item_columns",
        )
    return found


SOURCES = Step(
    name="scaling_sources",
    version=1,
    title="files of the study",
    run=run_sources,
    inputs=("responses",),
    optional_inputs=ROLES[1:],
)
