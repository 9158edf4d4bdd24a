"""A report's content as files: Word in the form of Decree 30/2020, PDF, Excel annexes."""

from __future__ import annotations

import datetime
import itertools
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import typst
from django.utils import translation
from django.utils.translation import gettext as _

from dienrong.core.formats import day_text
from dienrong.plans import numeric
from dienrong.plans.composing.content import LANGUAGE
from dienrong.plans.definitions import digest_of

ROMANS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV")
MOST_PRINTED_ROWS = 40


def blocks_of(content: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Turn content into the blocks of a document and those of its annexes, which stand behind the signature."""
    text: list[dict[str, Any]] = []
    annexes: list[dict[str, Any]] = []
    n_tables = itertools.count(1)
    n_parts = iter(ROMANS)
    with translation.override(LANGUAGE):
        word = _("Annex")
        for part in content["parts"]:
            place = annexes if part["is_annex"] else text
            number = word if part["is_annex"] else next(n_parts)
            place.append({"kind": "heading", "text": f"{number}. {part['heading']}"})
            place += _part_blocks(part, n_tables)
    return text, annexes


def _part_blocks(part: Mapping[str, Any], n_tables: Iterator[int]) -> list[dict[str, Any]]:
    """Turn one part into blocks: sentences, the officer's words, the figure, tables; room where nothing is said."""
    blocks: list[dict[str, Any]] = [{"kind": "paragraph", "text": one} for one in part["paragraphs"]]
    blocks += [{"kind": "paragraph", "text": one} for one in own_paragraphs(part["own"])]
    if not (blocks or part["tables"]):
        blocks.append({"kind": "room"})
    if part["figure"]:
        figure = part["figure"]
        names = ("svg", "alternative", "note")
        blocks.append({"kind": "figure", "text": figure["title"], **{name: figure[name] for name in names}})
    for one in part["tables"]:
        if len(one["rows"]) > MOST_PRINTED_ROWS or not one["is_printed"]:
            sentence = _("The table “%(name)s” stands in the Excel annexes.") % {"name": one["caption"]}
            blocks.append({"kind": "paragraph", "text": sentence})
            continue
        caption = _("Table %(n)s. %(caption)s") % {"n": next(n_tables), "caption": one["caption"]}
        names = ("columns", "rows", "note", "widths")
        blocks.append({"kind": "table", "text": caption, **{name: one[name] for name in names}})
    return blocks


def own_paragraphs(text: str) -> list[str]:
    """Part the officer's words into paragraphs."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def word(content: Mapping[str, Any]) -> bytes:
    """Write the Word file."""
    blocks, annexes = blocks_of(content)
    return numeric.word_file(title=content["title"], head=content["head"], blocks=blocks, annexes=annexes)


def workbook(content: Mapping[str, Any]) -> bytes:
    """Write every table as Excel."""
    with translation.override(LANGUAGE):
        source = _("As of %(day)s · content %(hash)s") % {
            "day": _day(content["day"]),
            "hash": digest_of(content)[:23],
        }
    every = [one for part in content["parts"] for one in part["tables"]]
    return numeric.workbook(title=content["title"], tables=every, source=source)


def _day(iso: str) -> str:
    """Write a kept day as people here write it."""
    return day_text(datetime.date.fromisoformat(iso))


def pdf(content: Mapping[str, Any]) -> bytes:
    """Print the report; the same content gives the same bytes."""
    blocks, annexes = blocks_of(content)
    for one in (*blocks, *annexes):
        if one["kind"] == "table":
            one["is_number"] = list(numeric.numeric_columns(one["columns"], one["rows"]))
            one["widths"] = one["widths"] or list(numeric.natural_widths(one["columns"], one["rows"]))
    data = {
        "title": content["title"],
        "blocks": blocks,
        "annexes": annexes,
        **numeric.official_lines(content["head"], content["title"]),
    }
    with as_file(files("lsakit.tables").joinpath("fonts")) as fonts:
        make: Any = typst.Compiler
        compiler = make(
            _template(),
            font_paths=[str(fonts)],
            ignore_system_fonts=True,
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        )
        return bytes(compiler.compile(format="pdf", timestamp=0))


@cache
def _template() -> bytes:
    """Read the template."""
    return files("dienrong.plans").joinpath("typst", "official.typ").read_bytes()
