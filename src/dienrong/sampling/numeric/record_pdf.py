"""The record of a draw on one page, with places for signatures; words come from whoever asks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import as_file, files
from typing import Any

import typst


def record_pdf(page: Mapping[str, Any]) -> bytes:
    """Print a record.

    Parameters
    ----------
    page : Mapping
        title, subtitle, language, facts (pairs of words), strata (columns and rows), sentences, witnesses
        (names), signature_words, foot.

    Returns
    -------
    bytes
        A PDF document of one A4 page; the same words give the same bytes.
    """
    template = files("dienrong.sampling.numeric").joinpath("record.typ").read_bytes()
    inputs = {"data": json.dumps(dict(page), ensure_ascii=False)}
    with as_file(files("lsakit.tables").joinpath("fonts")) as fonts:
        make: Any = typst.Compiler
        compiler = make(template, font_paths=[str(fonts)], ignore_system_fonts=True, sys_inputs=inputs)
        return bytes(compiler.compile(format="pdf", timestamp=0))
