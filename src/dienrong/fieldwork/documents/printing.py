"""Documents as PDF, set by Typst with the fonts of the house; the same document gives the same bytes."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import typst

from dienrong.fieldwork.documents.document import Document


def pdf(document: Document) -> bytes:
    """Print a document."""
    return _compile("document.typ", dataclasses.asdict(document))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label: school and session above, the code, a name where names are printed, class and booklet below."""

    top: str
    code: str
    name: str
    bottom: str


def labels_pdf(labels: Sequence[Label], *, title: str, language: str) -> bytes:
    """Print labels, 24 on a sheet."""
    data = {"title": title, "language": language, "labels": [dataclasses.asdict(one) for one in labels]}
    return _compile("labels.typ", data)


def _compile(template: str, data: Any) -> bytes:
    """Set a template with its data."""
    inputs = {"data": LONG.sub(_breakable, json.dumps(data, ensure_ascii=False))}
    with as_file(files("lsakit.tables").joinpath("fonts")) as fonts:
        make: Any = typst.Compiler
        compiler = make(
            _template(template), font_paths=[str(fonts)], ignore_system_fonts=True, sys_inputs=inputs
        )
        return bytes(compiler.compile(format="pdf", timestamp=0))


LONG = re.compile(r"[0-9a-f]{40,}")


def _breakable(found: re.Match[str]) -> str:
    """Let a hash break over two lines: a space of no width after every 16 digits."""
    digits = found.group()
    return "\u200b".join(digits[start : start + 16] for start in range(0, len(digits), 16))


@cache
def _template(name: str) -> bytes:
    """Read a template."""
    return files("dienrong.fieldwork.documents").joinpath("typst", name).read_bytes()
