"""Vega-Lite declarations and their drawing: intervals always, status by word and shape, never by color alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import vl_convert

from lsakit.errors import LsakitError

FONT = "Be Vietnam Pro, Segoe UI, Arial, sans-serif"
INK, MUTED, LINE = "#1b2430", "#5a6675", "#d9dee5"
# Okabe and Ito's colors, which readers of all color vision tell apart.
STATES = {
    "above": ("#0072b2", "triangle-up"),
    "same": ("#5a6675", "circle"),
    "below": ("#d55e00", "triangle-down"),
    "untested": ("#5a6675", "circle"),
}
# One hue from light to dark, which stays in order in black and white print.
LEVEL_COLORS = ("#b3261e", "#f0c9a8", "#cfe3f5", "#8fbfe6", "#3f86c4", "#0b4a85")
LOCALES = {
    "vi": {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", " ₫"]},
    "en": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["$", ""]},
}
Spec = dict[str, Any]


@cache
def _register_fonts() -> None:
    """Make the shipped typeface known to the drawing library, once."""
    with as_file(files("lsakit.tables").joinpath("fonts")) as folder:
        vl_convert.register_font_directory(str(folder))


UNDRAWN = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"></svg>'
_is_drawn: ContextVar[bool] = ContextVar("is_drawn", default=True)


@contextmanager
def undrawn() -> Iterator[None]:
    """Leave drawings empty: for who needs the words and the codes of a report, and not its pictures."""
    before = _is_drawn.set(False)
    try:
        yield
    finally:
        _is_drawn.reset(before)


def draw(spec: Spec, *, language: str) -> str:
    """Draw a Vega-Lite declaration as SVG.

    Parameters
    ----------
    spec : dict
        The declaration.
    language : str
        ``"vi"`` or ``"en"``: decides the decimal mark of the axes.

    Returns
    -------
    str
        The SVG document; it needs nothing from outside.
    """
    if not _is_drawn.get():
        return UNDRAWN
    _register_fonts()
    return str(vl_convert.vegalite_to_svg(spec, format_locale=LOCALES[language]))


def picture(svg: str, *, width_mm: float, dots_per_inch: int = 300) -> bytes:
    """Turn a drawing into a picture that is crisp in print.

    Parameters
    ----------
    svg : str
        The drawing.
    width_mm : float
        Width at which it will stand, in millimeters.
    dots_per_inch : int, default 300
        Dots per inch at that width.

    Returns
    -------
    bytes
        The picture as PNG.
    """
    _register_fonts()
    dots = width_mm / 25.4 * dots_per_inch
    return bytes(vl_convert.svg_to_png(svg, scale=dots / drawing_size(svg)[0]))


def drawing_size(svg: str) -> tuple[float, float]:
    """Read the size of a drawing from its own words.

    Parameters
    ----------
    svg : str
        The drawing.

    Returns
    -------
    width, height : float
        Size in the drawing's units.

    Raises
    ------
    LsakitError
        If it states neither a size nor a box.
    """
    head = svg[: svg.find(">", svg.find("<svg")) + 1]
    sides = [re.search(rf'\b{side}="([0-9.]+)(?:px)?"', head) for side in ("width", "height")]
    box = re.search(r'\bviewBox="[-0-9.]+[ ,]+[-0-9.]+[ ,]+([0-9.]+)[ ,]+([0-9.]+)', head)
    found = [float(side.group(1)) for side in sides if side]
    if len(found) < 2:
        found = [float(side) for side in box.groups()] if box else []
    if len(found) < 2 or min(found) <= 0:
        raise LsakitError(
            "The drawing states neither its width and height nor a viewBox, so no picture can be made of it.",
            hint="Draw it anew; a drawing of lsakit always states both.",
            param="svg",
        )
    return found[0], found[1]


def printed_width(svg: str, *, line_mm: float, tallest_mm: float = 200.0) -> float:
    """Find the width at which a drawing stands on paper: the whole line, less where it would be too tall.

    Parameters
    ----------
    svg : str
        The drawing.
    line_mm : float
        Width of the line in millimeters.
    tallest_mm : float, default 200.0
        Greatest height in millimeters.

    Returns
    -------
    float
        Width in millimeters.
    """
    width, height = drawing_size(svg)
    return min(line_mm, tallest_mm * width / height)


def frame(layers: Sequence[Spec], *, height: int | Spec, width: int = 560) -> Spec:
    """Put layers into a chart of the house's look.

    Parameters
    ----------
    layers : Sequence of dict
        Layers, the lowest first.
    height : int or dict
        Height in pixels, or a step per row.
    width : int, default 560
        Width in pixels.

    Returns
    -------
    dict
        A Vega-Lite declaration.
    """
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": width,
        "height": height,
        "padding": 6,
        "layer": list(layers),
        "config": {
            "font": FONT,
            "background": "white",
            "view": {"stroke": None},
            "axis": {
                "labelColor": INK,
                "titleColor": MUTED,
                "gridColor": "#eceff3",
                "domainColor": LINE,
                "tickColor": LINE,
                "labelFontSize": 12,
                "titleFontSize": 12,
                "titleFontWeight": 400,
                "labelLimit": 240,
            },
            "legend": {
                "labelColor": INK,
                "labelFontSize": 12,
                "symbolSize": 90,
                "orient": "top",
                "title": None,
            },
        },
    }


def intervals_chart(
    rows: Sequence[Mapping[str, Any]],
    *,
    axis_title: str,
    state_names: Mapping[str, str],
    reference: Mapping[str, Any] | None,
) -> Spec:
    """Declare points with their 95 % intervals, against a reference band.

    Parameters
    ----------
    rows : Sequence of Mapping
        One row per group, top to bottom, with ``name``, ``estimate``, ``low``, ``high`` and ``state``.
    axis_title : str
        Title of the score axis.
    state_names : Mapping of str to str
        Words of the states ``above``, ``same``, ``below`` and ``untested``.
    reference : Mapping or None
        ``estimate``, ``low``, ``high`` and ``label`` of the reference, drawn as a line and a band.

    Returns
    -------
    dict
        A Vega-Lite declaration.
    """
    present = [state for state in STATES if any(row["state"] == state for row in rows)]
    data = [{**row, "state": state_names[row["state"]]} for row in rows]
    y = {"field": "name", "type": "nominal", "sort": None, "title": None}
    x_scale = {"zero": False, "nice": True}
    x = {"type": "quantitative", "scale": x_scale, "title": axis_title}
    domain = [state_names[state] for state in present]
    tested = present not in ([], ["untested"])
    color = {
        "field": "state",
        "type": "nominal",
        "scale": {"domain": domain, "range": [STATES[state][0] for state in present]},
        "legend": {} if tested else None,
    }
    shape = {
        "field": "state",
        "type": "nominal",
        "scale": {"domain": domain, "range": [STATES[state][1] for state in present]},
        "legend": {} if tested else None,
    }
    layers: list[Spec] = []
    if reference is not None:
        layers.append(
            {
                "data": {"values": [dict(reference)]},
                "mark": {"type": "rect", "color": "#e6e9ee", "opacity": 0.8},
                "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}},
            }
        )
        layers.append(
            {
                "data": {"values": [dict(reference)]},
                "mark": {"type": "rule", "color": MUTED, "strokeDash": [4, 3]},
                "encoding": {"x": {**x, "field": "estimate"}},
            }
        )
    layers.append(
        {
            "data": {"values": data},
            "mark": {"type": "rule", "strokeWidth": 2},
            "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": color},
        }
    )
    layers.append(
        {
            "data": {"values": data},
            "mark": {"type": "point", "filled": True, "size": 64, "opacity": 1},
            "encoding": {"y": y, "x": {**x, "field": "estimate"}, "color": color, "shape": shape},
        }
    )
    return frame(layers, height={"step": 19 if len(rows) > 12 else 26})


def stacked_levels_chart(
    rows: Sequence[Mapping[str, Any]], *, axis_title: str, level_names: Sequence[str]
) -> Spec:
    """Declare stacked bars of the shares at each proficiency level.

    Parameters
    ----------
    rows : Sequence of Mapping
        One row per group and level with ``name``, ``level`` (its word), ``order`` and ``share`` in per cent.
    axis_title : str
        Title of the share axis.
    level_names : Sequence of str
        Words of the levels, lowest first.

    Returns
    -------
    dict
        A Vega-Lite declaration.
    """
    names = list(dict.fromkeys(row["name"] for row in rows))
    labels = [row for row in _label_places(rows) if row["share"] >= 6]
    y = {"field": "name", "type": "nominal", "sort": names, "title": None}
    scale = {"domain": list(level_names), "range": list(LEVEL_COLORS[: len(level_names)])}
    bars = {
        "data": {"values": [dict(row) for row in rows]},
        "mark": {"type": "bar", "stroke": "white", "strokeWidth": 1},
        "encoding": {
            "y": y,
            "x": {
                "field": "share",
                "type": "quantitative",
                "stack": "zero",
                "title": axis_title,
                "scale": {"domain": [0, 100]},
            },
            "color": {
                "field": "level",
                "type": "nominal",
                "scale": scale,
                "sort": list(level_names),
                "legend": {},
            },
            "order": {"field": "order", "type": "quantitative"},
        },
    }
    text = {
        "data": {"values": labels},
        "mark": {"type": "text", "fontSize": 11},
        "encoding": {
            "y": y,
            "x": {"field": "middle", "type": "quantitative"},
            "text": {"field": "share", "type": "quantitative", "format": ".0f"},
            "color": {"field": "ink", "type": "nominal", "scale": None},
        },
    }
    return frame([bars, text], height={"step": 30})


def curves_chart(rows: Sequence[Mapping[str, Any]], *, x_title: str, y_title: str, mark_title: str) -> Spec:
    """Declare curves of precision against cost, one per kind of line, with the chosen design marked.

    Parameters
    ----------
    rows : Sequence of Mapping
        One row per point with ``x``, ``y``, ``line`` (its word) and ``is_design``.
    x_title, y_title : str
        Titles of the axes.
    mark_title : str
        Word beside the chosen design's point.

    Returns
    -------
    dict
        A Vega-Lite declaration.
    """
    names = list(dict.fromkeys(row["line"] for row in rows))
    shapes = ["circle", "square", "triangle-up", "diamond"]
    x = {
        "field": "x",
        "type": "quantitative",
        "title": x_title,
        "scale": {"zero": False, "nice": True},
        "axis": {"format": ",.0f"},
    }
    y = {"field": "y", "type": "quantitative", "title": y_title, "scale": {"zero": True, "nice": True}}
    line = {
        "field": "line",
        "type": "nominal",
        "scale": {"domain": names, "range": list(LEVEL_COLORS[3:][: len(names)])},
        "legend": {},
    }
    shape = {**line, "scale": {"domain": names, "range": shapes[: len(names)]}}
    values = {"values": [dict(row) for row in rows]}
    chosen = {"values": [{**row, "word": mark_title} for row in rows if row["is_design"]]}
    layers: list[Spec] = [
        {
            "data": values,
            "mark": {"type": "line", "strokeWidth": 2},
            "encoding": {"x": x, "y": y, "color": line},
        },
        {
            "data": values,
            "mark": {"type": "point", "filled": True, "size": 46, "opacity": 1},
            "encoding": {"x": x, "y": y, "color": line, "shape": shape},
        },
        {
            "data": chosen,
            "mark": {"type": "point", "filled": False, "size": 220, "strokeWidth": 2, "color": INK},
            "encoding": {"x": x, "y": y},
        },
    ]
    # Drawn twice, first with a white rim, so that the word reads where it crosses a line.
    for rim in ({"stroke": "white", "strokeWidth": 5}, {}):
        layers.append(
            {
                "data": chosen,
                "mark": {
                    "type": "text",
                    "align": "left",
                    "dx": 13,
                    "dy": -9,
                    "fontSize": 12,
                    "color": INK,
                    **rim,
                },
                "encoding": {"x": x, "y": y, "text": {"field": "word", "type": "nominal"}},
            }
        )
    return frame(layers, height=300)


def _label_places(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Find the middle of each part of each bar, and an ink that reads on its color."""
    placed: list[dict[str, Any]] = []
    reached: dict[str, float] = {}
    for row in sorted(rows, key=lambda part: (str(part["name"]), part["order"])):
        start = reached.get(row["name"], 0.0)
        reached[row["name"]] = start + row["share"]
        dark = row["order"] in (0, 4, 5)
        placed.append({**row, "middle": start + row["share"] / 2, "ink": "#ffffff" if dark else INK})
    return placed
