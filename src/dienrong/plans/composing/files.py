"""A report's content as files: Word in the form of Decree 30/2020, PDF, Excel annexes."""

from __future__ import annotations

import json
from collections.abc import Mapping
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


def blocks_of(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Turn content into the blocks of a document: headings, sentences, own words, figures, tables."""
    blocks: list[dict[str, Any]] = []
    n_tables = 0
    with translation.override(LANGUAGE):
        said = [one for one in content["parts"] if not one["is_annex"]]
        for number, part in enumerate(content["parts"]):
            if part["is_annex"]:
                blocks += [{"kind": "page"}, {"kind": "heading", "text": f"{_('Annex')}. {part['heading']}"}]
            else:
                blocks.append({"kind": "heading", "text": f"{ROMANS[said.index(part)]}. {part['heading']}"})
            blocks += [{"kind": "paragraph", "text": one} for one in part["paragraphs"]]
            blocks += [{"kind": "paragraph", "text": one} for one in own_paragraphs(part["own"])]
            if not (part["paragraphs"] or part["own"] or part["tables"] or number == 0):
                blocks.append({"kind": "room"})
            if part["figure"]:
                figure = part["figure"]
                blocks.append(
                    {
                        "kind": "figure",
                        "text": figure["title"],
                        "svg": figure["svg"],
                        "alternative": figure["alternative"],
                        "note": figure["note"],
                    }
                )
            for one in part["tables"]:
                if len(one["rows"]) > MOST_PRINTED_ROWS or not one["is_printed"]:
                    sentence = _("The table “%(name)s” stands in the Excel annexes.") % {
                        "name": one["caption"]
                    }
                    blocks.append({"kind": "paragraph", "text": sentence})
                    continue
                n_tables += 1
                caption = _("Table %(n)s. %(caption)s") % {"n": n_tables, "caption": one["caption"]}
                names = ("columns", "rows", "note")
                blocks.append({"kind": "table", "text": caption, **{name: one[name] for name in names}})
    return blocks


def own_paragraphs(text: str) -> list[str]:
    """Part the officer's words into paragraphs."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def word(content: Mapping[str, Any]) -> bytes:
    """Write the Word file."""
    return numeric.word_file(title=content["title"], head=content["head"], blocks=blocks_of(content))


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
    import datetime

    return day_text(datetime.date.fromisoformat(iso))


def pdf(content: Mapping[str, Any]) -> bytes:
    """Print the report; the same content gives the same bytes."""
    blocks = blocks_of(content)
    for one in blocks:
        if one["kind"] == "table":
            one["is_number"] = list(numeric.numeric_columns(one["columns"], one["rows"]))
            one["widths"] = list(numeric.natural_widths(one["columns"], one["rows"]))
    data = {
        "title": content["title"],
        "blocks": blocks,
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
