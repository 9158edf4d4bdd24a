"""Reports as Word and Excel files by ``lsakit``; plain values in, bytes out; the ORM is never seen here."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from lsakit.errors import LsakitError
from lsakit.tables import OfficialForm, PublicationTable, Report, Section, WordBlock, WordDocument
from lsakit.tables import report_xlsx as write_workbook
from lsakit.tables import word_file as write_word
from lsakit.tables.official_form import (
    addressed_lines,
    closed_lines,
    date_line,
    kind_and_summary,
    number_line,
)
from lsakit.tables.publication import natural_widths, numeric_columns
from lsakit.tables.texts import Texts

__all__ = ["LsakitError", "natural_widths", "numeric_columns"]
LANGUAGE = "vi"


def form_of(head: Mapping[str, Any]) -> OfficialForm:
    """Give the official form of a head."""
    signed_on = head.get("signed_on")
    return OfficialForm(
        agency=head["agency"],
        parent_agency=head.get("parent_agency", ""),
        number=head.get("number", ""),
        symbol=head.get("symbol", ""),
        place=head.get("place", ""),
        date=datetime.date.fromisoformat(signed_on) if signed_on else None,
        kind=head.get("kind", ""),
        bases=tuple(head.get("bases", ())),
        authority=tuple(head.get("authority", ())),
        signer=head.get("signer", ""),
        recipients=tuple(head.get("recipients", ())),
        addressees=tuple(head.get("addressees", ())),
    )


def word_file(
    *,
    title: str,
    head: Mapping[str, Any],
    blocks: Sequence[Mapping[str, Any]],
    annexes: Sequence[Mapping[str, Any]] = (),
) -> bytes:
    """Write a report as a Word file in the form of official documents; the same content gives the same bytes."""
    document = WordDocument(
        title=title,
        blocks=tuple(_block(one) for one in blocks),
        annexes=tuple(_block(one) for one in annexes),
        language=LANGUAGE,
        form=form_of(head),
    )
    return write_word(document)


def _block(one: Mapping[str, Any]) -> WordBlock:
    """Give a block of the document."""
    values = dict(one)
    for name in ("columns", "widths"):
        values[name] = tuple(values.get(name, ()))
    values["rows"] = tuple(tuple(row) for row in values.get("rows", ()))
    return WordBlock(**values)


def official_lines(head: Mapping[str, Any], title: str) -> dict[str, Any]:
    """Give the lines of the official form as they are printed, for the PDF."""
    form, texts = form_of(head), Texts(LANGUAGE)
    kind, summary = kind_and_summary(form.kind, title)
    return {
        "agency": form.agency.upper(),
        "parent_agency": form.parent_agency.upper(),
        "number": number_line(form, texts),
        "nation": texts.say("official.nation"),
        "motto": texts.say("official.motto"),
        "date": date_line(form, texts),
        "kind": kind.upper(),
        "summary": summary,
        "addressed": list(addressed_lines(form, texts)),
        "bases": list(closed_lines(form.bases)),
        "authority": [line.upper() for line in form.authority],
        "signer": form.signer,
        "recipients_word": texts.say("official.recipients"),
        "recipients": list(closed_lines(form.recipients, before="- ")),
    }


def workbook(*, title: str, tables: Sequence[Mapping[str, Any]], source: str) -> bytes:
    """Write the tables of a report as an Excel workbook, a sheet each, numbers as numbers."""
    section = Section(key="annexes", heading=title, tables=tuple(_table(one) for one in tables))
    report = Report(
        title=title, subtitle="", language=LANGUAGE, province=None, sections=(section,), source_line=source
    )
    return write_workbook(report)


def _table(one: Mapping[str, Any]) -> PublicationTable:
    """Give a table with the numbers behind its cells."""
    return PublicationTable(
        caption=one["caption"],
        columns=tuple(one["columns"]),
        rows=tuple(tuple(row) for row in one["rows"]),
        figure_ids=(),
        note=one.get("note", ""),
        values={(line, place): (value, kind) for line, place, value, kind in one.get("numbers", ())},
    )


def tiles() -> tuple[dict[str, Any], ...]:
    """Give the places of the provinces on a map of equal tiles: code, column, row, short name, islands."""
    from lsakit.tables.standard_figures.maps import province_tiles

    return tuple(province_tiles().to_dicts())
