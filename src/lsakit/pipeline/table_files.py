"""Tables of the cycle in plain files: identifiers stay text, whatever they look like."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from lsakit.io.files import read_table, write_table

WIDTHS: dict[str, int | None] = {
    "province_code": 2,
    "commune_code": 5,
    "school_id": None,
    "sampled_school_id": None,
    "participant_id": None,
    "replacement_1": None,
    "replacement_2": None,
    "student_id": None,
    "class_id": None,
    "stratum": None,
    "implicit_stratum": None,
    "group": None,
    "ses_quarter": None,
    "code": None,
    "name": None,
    "unit_id": None,
}


def read_plain_table(path: Path) -> pl.DataFrame:
    """Read a table, keeping the columns that identify as text.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    polars.DataFrame
        The table.

    Raises
    ------
    FileFormatError
        If the file cannot be read, or a code of fixed width has lost its leading zeros.
    """
    table = read_table(path)
    numeric = [name for name in table.columns if name in WIDTHS and table.schema[name].is_numeric()]
    if not numeric:
        return table
    return read_table(path, text_columns={name: WIDTHS[name] for name in numeric})


def write_plain_table(table: pl.DataFrame, path: Path) -> None:
    """Write a table, whole or not at all.

    Parameters
    ----------
    table : polars.DataFrame
        The table.
    path : Path
        The file; its suffix says the form.
    """
    write_table(table, path)
