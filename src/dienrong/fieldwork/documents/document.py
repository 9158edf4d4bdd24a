"""A document as data: the page, the PDF and the Word file are drawn from the same one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One part of a document: ``kind`` is heading, paragraph, table, figure, signature or page (a new one)."""

    kind: str
    text: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    widths: tuple[float, ...] = ()
    svg: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document ready to be drawn.

    Parameters
    ----------
    title, subtitle : str
        Title and the line below it.
    blocks : tuple of Block
        Parts in order.
    source_line : str
        Printed under every page.
    language : str
        ``"vi"`` or ``"en"``.
    head : tuple of str
        Two lines at the right of an official letter; none elsewhere.
    is_landscape : bool
        Whether the paper lies.
    """

    title: str
    subtitle: str
    blocks: tuple[Block, ...]
    source_line: str
    language: str
    head: tuple[str, ...] = ()
    is_landscape: bool = False


def heading(text: Any) -> Block:
    """Make a heading."""
    return Block(kind="heading", text=str(text))


def paragraph(text: Any) -> Block:
    """Make a paragraph."""
    return Block(kind="paragraph", text=str(text))


def table(
    columns: Sequence[Any], rows: Sequence[Sequence[Any]], *, title: str = "", widths: Sequence[float] = ()
) -> Block:
    """Make a table; ``widths`` are shares of the line, equal where none are given."""
    return Block(
        kind="table",
        text=title,
        columns=tuple(str(one) for one in columns),
        rows=tuple(tuple(str(cell) for cell in row) for row in rows),
        widths=tuple(widths) or tuple(1.0 for _one in columns),
    )


def figure(title: str, svg: str, note: str) -> Block:
    """Make a figure: title, drawing, note."""
    return Block(kind="figure", text=title, svg=svg, rows=((note,),))


def signature(left: Any, right: Any) -> Block:
    """Make two places for signatures."""
    return Block(kind="signature", columns=(str(left), str(right)))


NEW_PAGE = Block(kind="page")
