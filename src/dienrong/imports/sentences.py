"""What is wrong with a file or a cell, in words: what, where, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dienrong.core.formats import number_text
from dienrong.core.refusals import Refusal
from dienrong.core.row_changes import CellProblem
from dienrong.imports.columns import Column
from dienrong.imports.numeric.faults import CellFault, FileFault


class FileRefused(Refusal):
    """The file as a whole cannot be taken."""

    code = "imports.file_refused"


FILE_SENTENCES: dict[str, tuple[Any, Any]] = {
    "empty": (
        gettext_lazy("The file “%(file)s” is empty."),
        gettext_lazy("Please open it in Excel, check that the list is there, save it and send it again."),
    ),
    "no_data": (
        gettext_lazy("The file “%(file)s” has a header but no row of data under it."),
        gettext_lazy("Please fill in at least one row under the header and send the file again."),
    ),
    "html": (
        gettext_lazy("The file “%(file)s” is a web page that was named as an Excel file."),
        gettext_lazy(
            "Open it in Excel, choose Save As, type “Excel Workbook (.xlsx)”, and send the new file."
        ),
    ),
    "encrypted": (
        gettext_lazy("The file “%(file)s” is locked with a password, so it cannot be read."),
        gettext_lazy(
            "In Excel choose File, Info, Protect Workbook, Encrypt with Password, clear the password, save and send again."
        ),
    ),
    "other_format": (
        gettext_lazy("The file “%(file)s” is of the kind %(what)s, not an Excel workbook or a CSV text."),
        gettext_lazy("Save the list as “Excel Workbook (.xlsx)” and send that file."),
    ),
    "damaged": (
        gettext_lazy("The file “%(file)s” is damaged or was cut off on its way."),
        gettext_lazy("Open it in Excel and save it under a new name, or export it again from its source."),
    ),
    "zip_bomb": (
        gettext_lazy("Unpacked, the file “%(file)s” is far larger than any list of ours can be."),
        gettext_lazy("Copy the rows with data into a new workbook and send that one."),
    ),
    "too_many_rows": (
        gettext_lazy("The file “%(file)s” has data down to row %(row)s; one file may hold %(limit)s rows."),
        gettext_lazy("Delete the empty rows far below the list, or send the list in several files."),
    ),
    "too_many_cells": (
        gettext_lazy("The sheets of “%(file)s” span more than %(limit)s cells, most of them empty."),
        gettext_lazy("Copy the rows with data into a new workbook and send that one."),
    ),
    "too_many_columns": (
        gettext_lazy(
            "The file “%(file)s” has data out to column %(n)s; a list has %(limit)s columns at most."
        ),
        gettext_lazy("Delete what stands far to the right of the list and send the file again."),
    ),
    "uncalculated": (
        gettext_lazy(
            "The sheet “%(sheet)s” of “%(file)s” holds %(n)s formulas whose results were never saved."
        ),
        gettext_lazy(
            "Open the file in Excel and save it once; or copy the cells and paste them as values (Paste Special, Values)."
        ),
    ),
    "no_such_sheet": (
        gettext_lazy("The file “%(file)s” has no sheet named “%(sheet)s”."),
        gettext_lazy("Choose one of the sheets shown."),
    ),
    "no_header": (
        gettext_lazy("No header row was found in “%(file)s”: the first %(n)s rows hold no names of columns."),
        gettext_lazy(
            "Put the names of the columns into one row above the list, as in our template, and send the file again."
        ),
    ),
    "not_text": (
        gettext_lazy("The file “%(file)s” is neither an Excel workbook nor readable text."),
        gettext_lazy("Save the list as “Excel Workbook (.xlsx)” and send that file."),
    ),
    "unknown_charset": (
        gettext_lazy("The letters of “%(file)s” are in a character set that could not be recognised."),
        gettext_lazy("Choose the character set below, or save the list as .xlsx."),
    ),
    "wrong_charset": (
        gettext_lazy("The letters of “%(file)s” do not fit the character set that was chosen (%(charset)s)."),
        gettext_lazy("Choose another one and look at the samples."),
    ),
    "too_large": (
        gettext_lazy("The file “%(file)s” has %(size)s MB; one file may have %(limit)s MB."),
        gettext_lazy("Send the list in several files, or leave out pictures and other sheets."),
    ),
}

CELL_SENTENCES: dict[str, tuple[Any, Any]] = {
    "missing": (
        gettext_lazy("“%(column)s” is empty, but it is needed."),
        gettext_lazy("Fill in this cell."),
    ),
    "too_long": (
        gettext_lazy("“%(column)s” has %(n)s letters; %(limit)s are the most."),
        gettext_lazy("Shorten the text."),
    ),
    "not_a_code": (
        gettext_lazy("“%(column)s” must be a code, not a number with decimals."),
        gettext_lazy("Format the column as Text and type the code again."),
    ),
    "code_became_date": (
        gettext_lazy("Excel turned the code in “%(column)s” into a date."),
        gettext_lazy("Format the column as Text and type the code again."),
    ),
    "digits_lost": (
        gettext_lazy(
            "“%(column)s” has more than %(limit)s digits as a number; Excel has replaced its last digits by 0."
        ),
        gettext_lazy("Format the column as Text and take the code from its source again."),
    ),
    "power_of_ten": (
        gettext_lazy("Excel turned the code in “%(column)s” into a power of ten."),
        gettext_lazy("Format the column as Text and take the code from its source again."),
    ),
    "code_width": (
        gettext_lazy("“%(column)s” must have exactly %(width)s digits; this one has %(got)s characters."),
        gettext_lazy("Compare it with the decision or the sector database and correct it."),
    ),
    "unknown_word": (
        gettext_lazy("“%(column)s” does not know this word. Known are: %(words)s."),
        gettext_lazy("Choose one of these words from the list in the template."),
    ),
    "not_a_whole_number": (
        gettext_lazy("“%(column)s” must be a whole number."),
        gettext_lazy("Type digits alone, such as 1234."),
    ),
    "not_a_number": (
        gettext_lazy("“%(column)s” must be a number."),
        gettext_lazy("Type it with a decimal comma, such as 12,5."),
    ),
    "out_of_bounds": (
        gettext_lazy("“%(column)s” must lie between %(low)s and %(high)s."),
        gettext_lazy("Compare the number with its source and correct it."),
    ),
    "not_a_date": (
        gettext_lazy("“%(column)s” must be a date."),
        gettext_lazy("Type it as day/month/year, such as 05/09/2015."),
    ),
    "year_alone": (
        gettext_lazy("“%(column)s” holds a year alone; day and month are missing."),
        gettext_lazy("Type the whole date as day/month/year, such as 05/09/2015."),
    ),
    "month_first": (
        gettext_lazy("“%(column)s” seems to hold the month before the day."),
        gettext_lazy("Type it as day/month/year, such as 31/12/2015."),
    ),
    "no_such_day": (
        gettext_lazy("“%(column)s” holds a day that does not exist."),
        gettext_lazy("Type it as day/month/year, such as 05/09/2015."),
    ),
    "not_yes_no": (
        gettext_lazy("“%(column)s” must be yes or no."),
        gettext_lazy("Type “Có” or “Không”; x and 1 also mean yes."),
    ),
    "formula_error": (
        gettext_lazy("The formula in “%(column)s” gives an error instead of a value."),
        gettext_lazy("Correct the formula, or type the value itself."),
    ),
    "twice": (
        gettext_lazy("This row repeats row %(first)s: the same %(columns)s."),
        gettext_lazy("Keep one of the two rows and delete the other."),
    ),
}

REPAIR_WORDS: dict[str, Any] = {
    "zeros": gettext_lazy("Leading zeros of codes restored"),
    "number_text": gettext_lazy("Numbers typed as text read as numbers"),
    "date_text": gettext_lazy("Dates typed as text read as dates"),
    "date_serial": gettext_lazy("Dates kept by Excel as day numbers read as dates"),
    "tcvn3": gettext_lazy("Text in TCVN3 (.VnTime) turned into Unicode"),
    "vni": gettext_lazy("Text in VNI turned into Unicode"),
    "composed": gettext_lazy("Letters and their marks joined (Unicode NFC)"),
    "invisible": gettext_lazy("Invisible characters and hard spaces removed"),
    "blanks": gettext_lazy("Needless spaces removed"),
    "spelling": gettext_lazy("Tone marks placed differently (“hòa”, “hoà”) taken as the same word"),
}

NOTE_WORDS: dict[str, Any] = {
    "titles_above": gettext_lazy(
        "The header was found in row %(row)s; the rows above it are titles and were left out."
    ),
    "merged_header": gettext_lazy(
        "The header has merged cells; its two rows were joined into one name per column."
    ),
    "guide_row": gettext_lazy("The row of instructions under the header was left out."),
    "numbered_row": gettext_lazy("The row of column numbers under the header was left out."),
    "formulas": gettext_lazy("The sheet holds %(n)s formulas; their saved results were taken."),
    "total_rows": gettext_lazy("%(n)s rows that sum up the list (such as “Tổng cộng”) were left out."),
    "other_sheets": gettext_lazy("The sheet “%(sheet)s” was read; other sheets were left out: %(others)s."),
    "charset": gettext_lazy("The text was read as %(charset)s."),
    "merged_cells": gettext_lazy("Merged cells inside the list count for their first row alone."),
}

CHARSET_WORDS: dict[str, Any] = {
    "utf-8": "Unicode UTF-8",
    "utf-16": "Unicode UTF-16",
    "tcvn3": gettext_lazy("TCVN3 (ABC, fonts .VnTime)"),
    "vni": gettext_lazy("VNI (fonts VNI-Times)"),
    "cp1258": "Windows-1258",
    "cp1252": "Windows-1252",
}


def file_refusal(fault: FileFault, file_name: str) -> FileRefused:
    """Word the refusal of a file."""
    sentence, hint = FILE_SENTENCES[fault.code]
    params = {name: _plain(value) for name, value in fault.params.items()}
    if "charset" in params:
        params["charset"] = str(CHARSET_WORDS.get(params["charset"], params["charset"]))
    return FileRefused(str(sentence) % {"file": file_name, **params}, hint=str(hint))


def cell_problem(fault: CellFault, column: Column, value: Any) -> CellProblem:
    """Word the problem of one cell."""
    sentence, hint = CELL_SENTENCES[fault.code]
    params: dict[str, Any] = {name: _plain(number) for name, number in fault.params.items()}
    params["column"] = str(column.title)
    if fault.code == "unknown_word":
        labels = [str(choice.label) for choice in column.choices]
        params["words"] = ", ".join(labels[:12]) + ("…" if len(labels) > 12 else "")
    return CellProblem(
        column=column.code, value=str(value)[:200], sentence=str(sentence) % params, hint=str(hint)
    )


def row_problem(code: str, params: Mapping[str, Any]) -> CellProblem:
    """Word the problem of a whole row."""
    sentence, hint = CELL_SENTENCES[code]
    return CellProblem(column="", value="", sentence=str(sentence) % dict(params), hint=str(hint))


def note_text(note: Mapping[str, Any]) -> str:
    """Word a note about how the file was read."""
    params = {name: _plain(value) for name, value in note.items() if name != "code"}
    if "charset" in params:
        params["charset"] = str(CHARSET_WORDS.get(params["charset"], params["charset"]))
    return str(NOTE_WORDS[note["code"]]) % params


def repair_text(kind: str) -> str:
    """Name a kind of repair."""
    return str(REPAIR_WORDS.get(kind, kind))


def _plain(value: Any) -> Any:
    """Write numbers as people here do."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return number_text(value, 0 if float(value).is_integer() else 2)


def nothing_changed() -> str:
    """Say that a file brings nothing new."""
    return _("Nothing changes: everything in this file is already kept.")
