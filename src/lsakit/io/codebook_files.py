"""Codebooks in files of their own, or inside the data files they describe."""

from __future__ import annotations

from pathlib import Path

import python_calamine as calamine

from lsakit.errors import FileFormatError
from lsakit.io.atomic import replacing
from lsakit.io.codebook import Codebook
from lsakit.io.contents import ReadOptions
from lsakit.io.excel import CODEBOOK_SHEET, codebook_of_rows, write_excel
from lsakit.io.sources import SAV_FILES, opened, parquet_codebook, sidecar
from lsakit.io.spss import read_sav_metadata, unreadable
from lsakit.io.stata import read_dta_metadata


def read_codebook(path: Path) -> Codebook:
    """Read the codebook that a file is or carries.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Codebook
        The codebook.

    Raises
    ------
    FileFormatError
        If the file is absent, damaged, or carries none.
    """
    suffix = path.suffix.lower()
    if not path.is_file():
        raise FileFormatError(
            f"There is no file {path.name!r}.", hint="Check its folder and name.", param="path"
        )
    if suffix == ".json":
        return Codebook.from_json(path.read_text(encoding="utf-8"))
    if suffix in SAV_FILES:
        return read_sav_metadata(path)[0]
    if suffix == ".dta":
        return read_dta_metadata(path)
    found = _carried(path, suffix)
    if found is None and suffix in (".csv", ".parquet"):
        with opened(path, stated=None, options=ReadOptions()) as source:
            return source.codebook
    if found is None:
        raise FileFormatError(
            f"The file {path.name!r} carries no codebook.",
            hint=f"Give a .json codebook, an Excel file with a column 'name' or a sheet {CODEBOOK_SHEET!r}, or a "
            ".sav, .dta, .parquet or .csv file.",
            param="path",
        )
    return found


def _carried(path: Path, suffix: str) -> Codebook | None:
    """Look for the codebook that write_table puts into or beside a file."""
    if suffix in (".xlsx", ".xls"):
        return _excel(path)
    if suffix == ".parquet":
        return parquet_codebook(path)
    return sidecar(path) if suffix == ".csv" else None


def _excel(path: Path) -> Codebook | None:
    """Look for a codebook on the sheet of that name, or on the first one."""
    try:
        with calamine.CalamineWorkbook.from_path(str(path)) as workbook:
            names = workbook.sheet_names
            sheet = workbook.get_sheet_by_name(CODEBOOK_SHEET if CODEBOOK_SHEET in names else names[0])
            rows = sheet.to_python(skip_empty_area=False)
    except (calamine.CalamineError, OSError) as error:
        raise unreadable(path, error) from error
    return codebook_of_rows(rows)


def write_codebook(codebook: Codebook, path: Path) -> None:
    """Write a codebook as a file of its own.

    Parameters
    ----------
    codebook : Codebook
        The codebook.
    path : Path
        A ``.json`` or ``.xlsx`` file.

    Raises
    ------
    FileFormatError
        If the extension is another one or the folder cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in (".json", ".xlsx"):
        raise FileFormatError(
            f"A codebook is written as .json or .xlsx, not as {path.suffix or '(none)'!r}.",
            hint="Labels inside a data file are written by write_table(table, path, codebook=…).",
            param="path",
            got=path.suffix,
        )
    with replacing(path) as draft:
        if suffix == ".json":
            draft.write_text(codebook.to_json(), encoding="utf-8")
        else:
            write_excel(codebook.to_table(), draft, None)
