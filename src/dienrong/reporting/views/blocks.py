"""A report as blocks of a page: contents first, drawings and tables brought when they are looked at.

A national report has dozens of drawings; on a slow line the first load is words and contents alone. Without script
a drawing is a picture, and a table a link.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

SIZE = re.compile(r'viewBox="[-\d.]+ [-\d.]+ (?P<width>[\d.]+) (?P<height>[\d.]+)"')
INLINE_FIGURES = 1
"""Drawings that come with the page: what stands first on the screen is not waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureBlock:
    """A figure with the room that its drawing takes; the drawing itself where it comes with the page."""

    figure: Any
    width: str
    height: str
    narrow_width: str
    narrow_height: str
    is_inline: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionBlock:
    """A section as it stands on a page."""

    key: str
    heading: str
    paragraphs: tuple[str, ...]
    left_to_unit: bool
    figures: tuple[FigureBlock, ...]
    tables: tuple[Any, ...]
    only_in_workbook: tuple[str, ...]


def blocks(sections: Any, *, show_all: bool) -> list[SectionBlock]:
    """Give the sections of a report as blocks; ``show_all`` brings every drawing with the page, for printing."""
    found, n_figures = [], 0
    for section in sections:
        figures = []
        for figure in section.figures:
            n_figures += 1
            (width, height), (narrow_width, narrow_height) = room(figure.svg), room(figure.narrow)
            figures.append(
                FigureBlock(
                    figure=figure,
                    width=width,
                    height=height,
                    narrow_width=narrow_width,
                    narrow_height=narrow_height,
                    is_inline=show_all or n_figures <= INLINE_FIGURES,
                )
            )
        found.append(
            SectionBlock(
                key=section.key,
                heading=section.heading,
                paragraphs=section.paragraphs,
                left_to_unit=section.left_to_unit,
                figures=tuple(figures),
                tables=tuple(table for table in section.tables if table.is_printed),
                only_in_workbook=tuple(table.caption for table in section.tables if not table.is_printed),
            )
        )
    return found


def room(svg: str) -> tuple[str, str]:
    """Give width and height of a drawing, so that the page keeps room for it before it comes."""
    size = SIZE.search(svg)
    return (size["width"], size["height"]) if size else ("720", "400")


def summary(section: SectionBlock) -> str:
    """Say in the contents what a section holds."""
    n_exhibits = len(section.figures) + len(section.tables)
    return _("%(n)s exhibits") % {"n": n_exhibits} if n_exhibits > 1 else ""
