"""Figures ready for the pattern of pages: the drawing as it is, addresses of its files and of where it comes from."""

from __future__ import annotations

import re
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import mark_safe
from django.utils.translation import get_language

from dienrong.scaling import queries
from dienrong.scaling.addresses import address
from dienrong.scaling.models import ScalingRun
from dienrong.scaling.numeric import drawings

MOST_ROWS = 400
"""Rows of the table behind a figure that a page holds; the Excel file has all."""


ROLES = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')
"""Roles and labels of the parts of a drawing: the element around it carries the alternative, parts would be read twice."""


def language_now() -> str:
    """Give the reader's language as lsakit names it."""
    return "en" if (get_language() or "vi").startswith("en") else "vi"


def figure(run: ScalingRun, drawing: drawings.Drawing, **query: str) -> dict[str, Any]:
    """Give a figure as the page's pattern takes it; ``query`` says of which item or group it is."""
    asked = urlencode({name: value for name, value in query.items() if value})
    more = f"?{asked}" if asked else ""
    return {
        "key": drawing.key,
        "title": drawing.title,
        "note": drawing.note,
        "alternative": drawing.alternative,
        "drawing": mark_safe(ROLES.sub("", drawing.svg)),  # noqa: S308 - drawn by lsakit, which escapes its texts
        "columns": drawing.columns,
        "rows": drawing.rows[:MOST_ROWS],
        "svg_url": address("figure_svg", run.study, run.number, drawing.key) + more,
        "excel_url": address("figure_xlsx", run.study, run.number, drawing.key) + more,
        "lineage_url": reverse(
            "analysis:artefact", args=[run.study.cycle.slug, queries.manifest_of(run, drawing.stage)]
        ),
    }


def run_figures(
    run: ScalingRun, keys: tuple[str, ...], choice: tuple[str, str] = ("", "")
) -> list[dict[str, Any]]:
    """Give the figures of a run that it has something to draw for.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    found = []
    for key in keys:
        drawing = one_figure(run, key, choice)
        if drawing is not None:
            query = {"variable": choice[0], "focal": choice[1]} if key == "dif" else {}
            found.append(figure(run, drawing, **query))
    return found


def one_figure(run: ScalingRun, key: str, choice: tuple[str, str] = ("", "")) -> drawings.Drawing | None:
    """Draw one figure of a run.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    path, manifests = queries.store_path(run.study), queries.manifests_of(run)
    return drawings.run_figure(path, manifests, key, language_now(), choice if key == "dif" else ("", ""))


def item_figures(run: ScalingRun, item: str) -> list[dict[str, Any]]:
    """Give the figures of an item.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    path, manifests = queries.store_path(run.study), queries.manifests_of(run)
    return [
        figure(run, one, item=item) for one in drawings.item_figures(path, manifests, item, language_now())
    ]


def drawing_of(
    run: ScalingRun, key: str, *, item: str = "", choice: tuple[str, str] = ("", "")
) -> drawings.Drawing | None:
    """Give the figure that an address names.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    if not item:
        return one_figure(run, key, choice)
    path, manifests = queries.store_path(run.study), queries.manifests_of(run)
    return next(
        (one for one in drawings.item_figures(path, manifests, item, language_now()) if one.key == key), None
    )


def comparison(old: ScalingRun, new: ScalingRun) -> list[dict[str, Any]]:
    """Give the figure of two runs against each other; it has no files of its own.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    places = [(queries.store_path(run.study), queries.manifests_of(run), run.number) for run in (old, new)]
    drawing = drawings.comparison_figure(places[0], places[1], language_now())
    if drawing is None:
        return []
    return [{**figure(new, drawing), "svg_url": "", "excel_url": ""}]
