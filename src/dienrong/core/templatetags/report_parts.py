"""Filters that put lsakit's tables and drawings on a page."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


ROLES = re.compile(r' (?:role|aria-roledescription|aria-label)="[^"]*"')


def as_one_picture(svg: str) -> str:
    """Take the roles of its single marks out of a drawing: what surrounds it calls the whole one picture and names it."""
    return ROLES.sub("", svg)


@register.filter
def drawing(svg: str) -> SafeString:
    """Put a drawing on the page; lsakit drew it, and every text in it was escaped there."""
    return mark_safe(as_one_picture(svg))  # noqa: S308 - see the sentence above


@register.filter
def traced_rows(table: Any) -> list[dict[str, Any]]:
    """Pair the rows of a table with the codes that trace them; each cell knows whether it is a number."""
    codes = table.figure_ids or ("",) * len(table.rows)
    return [
        {"cells": list(zip(cells, table.is_number, strict=True)), "name": cells[0], "figure_id": code}
        for cells, code in zip(table.rows, codes, strict=True)
    ]


@register.filter
def headed(table: Any) -> list[tuple[str, bool]]:
    """Pair the headings of a table with whether their column holds numbers."""
    return list(zip(table.columns, table.is_number, strict=True))
