"""Files that the room gives: templates, data in their layout, refused rows."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from dienrong.accounts.permissions import Scope
from dienrong.core import clock
from dienrong.imports import matching, queries
from dienrong.imports.columns import NO_LABEL, YES_LABEL, Column, Target, Words, target_of
from dienrong.imports.models import Upload
from dienrong.imports.numeric.sheets import Book
from dienrong.imports.numeric.workbooks import SheetTitles, WrittenColumn, write_refused, write_table
from dienrong.imports.operations.receiving import file_of

TITLES = SheetTitles(data="Dữ liệu", codes="Danh mục", guide="Hướng dẫn")
ENGLISH_TITLES = SheetTitles(data="Data", codes="Code lists", guide="Guide")
COMMENT = Words(*matching.COMMENT_TITLES)
CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def template(target: Target) -> bytes:
    """Make the empty template of a target."""
    return _table(target, iter(()))[0]


def present_data(target: Target, scope: Scope, params: Mapping[str, Any]) -> tuple[bytes, int]:
    """Write what is kept in the layout of the template; give the file and the number of rows."""
    assert target.export is not None
    return _table(target, iter(target.export(scope, params)))


def people_data(target: Target, by: Any, asked: Mapping[str, Any]) -> tuple[bytes, int]:
    """Write what is kept of people in the layout of the template; give the file and the number of rows."""
    assert target.export_people is not None
    return _table(target, iter(target.export_people(by, asked)))


def table_of(target: Target, rows: list[Mapping[str, Any]]) -> bytes:
    """Write rows of values in the layout of the template; what is no value of the column stays as it is."""
    return _table(target, iter(rows))[0]


def _table(target: Target, rows: Iterator[Mapping[str, Any]]) -> tuple[bytes, int]:
    """Write rows under the template's header."""
    stream = io.BytesIO()
    cells = ([cell_of(column, row.get(column.code)) for column in target.columns] for row in rows)
    columns = [written_column(column) for column in target.columns]
    titles = TITLES if str(YES_LABEL) == YES_LABEL.vi else ENGLISH_TITLES
    n = write_table(stream, columns, cells, titles=titles, made_at=clock.now())
    return stream.getvalue(), n


def written_column(column: Column) -> WrittenColumn:
    """Say how a column of the target stands in a workbook."""
    words = tuple(str(choice.label) for choice in column.choices)
    if column.kind == "yes_no":
        words = (str(YES_LABEL), str(NO_LABEL))
    return WrittenColumn(
        title=str(column.title),
        guide=str(column.guide),
        is_required=column.is_required or column.is_needed_when_new,
        is_text=column.is_text_in_excel,
        is_date=column.kind == "date",
        words=words,
    )


def cell_of(column: Column, value: Any) -> Any:
    """Write a kept value as a cell: dates as dates, numbers as numbers, codes as the words of their list."""
    if value is None or value == "":
        return None
    if column.kind == "date" and isinstance(value, str):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            return value
    if column.kind in ("integer", "decimal"):
        return value
    return column.shown(value)


def refused_rows(upload: Upload) -> bytes:
    """Give the refused rows of an upload back as the workbook that was sent, with a red column of comments."""
    target = target_of(upload.target)
    seen = queries.inspected(upload)
    assert seen is not None
    assert seen.layout.header is not None
    place_of = {code: int(place) for place, code in upload.mapping.items()}
    comments: dict[int, tuple[str, frozenset[int]]] = {}
    for change in queries.changes_of(queries.staged(upload, "refused").iterator(chunk_size=2_000), target):
        lines = [
            f"{problem_prefix(target, change.values)}{cell.sentence} {cell.hint}".strip()
            for cell in change.problems
        ]
        places = frozenset(place_of[cell.column] for cell in change.problems if cell.column in place_of)
        text, before = comments.get(change.number, ("", frozenset()))
        comments[change.number] = ("\n".join([*filter(None, [text]), *lines]), before | places)
    stream = io.BytesIO()
    write_refused(
        stream,
        Book(file_of(upload), upload.charset),
        sheet_name=seen.layout.sheet,
        first_data_row=seen.layout.header.first_data_row,
        comments=comments,
        title=str(COMMENT),
    )
    return stream.getvalue()


def problem_prefix(target: Target, values: Mapping[str, Any]) -> str:
    """Name the grade of a problem where one row of the file stands for several grades."""
    if target.column("grade") is not None or values.get("grade") is None:
        return ""
    return _("Grade %(grade)s: ") % {"grade": values["grade"]}
