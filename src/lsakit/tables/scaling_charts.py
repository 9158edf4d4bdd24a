"""Vega-Lite declarations of the scaling's figures: curves, maps, scatter against a line, intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lsakit.tables.chart_parts import COLORS, OTHERS, SHAPES, WIDTH, axis, named, spread_labels, text_layer
from lsakit.tables.charts import INK, MUTED, Spec, frame


def curve_chart(
    lines: Sequence[Mapping[str, Any]],
    points: Sequence[Mapping[str, Any]],
    *,
    titles: tuple[str, str],
    names: Sequence[str],
    domain: tuple[float, float],
    labels: Sequence[Mapping[str, Any]] = (),
) -> Spec:
    """Declare model lines with empirical points and their intervals.

    Parameters
    ----------
    lines : Sequence of Mapping
        One row per point of a line: ``x``, ``y``, ``line`` (its word), ``name`` (of ``names``, or "").
    points : Sequence of Mapping
        ``x``, ``y``, ``low``, ``high``, ``n``, ``name``.
    titles : tuple of (str, str)
        Titles of the axes.
    names : Sequence of str
        Groups or categories with a color of their own; any other is drawn gray.
    domain : tuple of (float, float)
        Range of the ability axis, logits.
    labels : Sequence of Mapping, optional
        Words on the lines: ``x``, ``y``, ``word``, ``name`` (for the color), ``align``.

    Returns
    -------
    dict
        A Vega-Lite declaration.
    """
    x = axis("x", titles[0], domain=domain)
    y = axis("y", titles[1], domain=(0.0, 1.0))
    y["axis"] = {"format": ".1f"}
    shown = list(names)
    domain_of = [*shown, ""]
    color = named("name", domain_of, [*COLORS[: len(shown)], INK], legend=False)
    shape = named("name", shown, SHAPES[: len(shown)], legend=len(shown) > 1)
    fill = named("name", shown, COLORS[: len(shown)], legend=len(shown) > 1)
    size = {
        "field": "n",
        "type": "quantitative",
        "scale": {"range": [14, 190], "zero": True},
        "legend": None,
    }
    inside = [dict(row) for row in points if row["name"] in shown and domain[0] <= row["x"] <= domain[1]]
    aside = [dict(row) for row in points if row["name"] not in shown and domain[0] <= row["x"] <= domain[1]]
    gray = {"type": "point", "filled": True, "color": OTHERS, "opacity": 0.45, "size": 16}
    rule: Spec = {"type": "rule", "strokeWidth": 1.2, "opacity": 0.55}
    layers: list[Spec] = [
        {"data": {"values": aside}, "mark": gray, "encoding": {"x": x, "y": y}},
        {
            "data": {"values": inside},
            "mark": rule,
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": color},
        },
        {
            "data": {"values": [dict(row) for row in lines]},
            "mark": {"type": "line", "strokeWidth": 2},
            "encoding": {
                "x": x,
                "y": y,
                "detail": {"field": "line", "type": "nominal"},
                "color": color,
                "order": {"field": "x", "type": "quantitative"},
            },
        },
        {
            "data": {"values": inside},
            "mark": {"type": "point", "filled": True, "opacity": 0.95, "stroke": "white", "strokeWidth": 0.6},
            "encoding": {"x": x, "y": y, "size": size, "fill": fill, "shape": shape},
        },
    ]
    inks = dict(zip(domain_of, color["scale"]["range"], strict=True))
    words = [{**label, "ink": inks.get(label["name"], INK)} for label in labels]
    layers += text_layer(words, x, y, dx=8, dy=-9)
    return frame(layers, height=300)


def option_chart(rows: Sequence[Mapping[str, Any]], *, titles: tuple[str, str], keys: Sequence[str]) -> Spec:
    """Declare the shares of the options over classes of ability, each line with its word at the end.

    Parameters
    ----------
    rows : Sequence of Mapping
        ``x`` (class), ``y`` (share), ``low``, ``high``, ``name`` (word of the option).
    titles : tuple of (str, str)
        Titles of the axes.
    keys : Sequence of str
        Words of the right options, drawn thick.

    Returns
    -------
    dict
        A Vega-Lite declaration.
    """
    names = list(dict.fromkeys(row["name"] for row in rows))
    others = [name for name in names if name not in keys]
    palette = [color for color in COLORS if color != COLORS[2]]
    inks = {name: palette[place % len(palette)] for place, name in enumerate(others)}
    inks |= dict.fromkeys(keys, COLORS[2])
    color = named("name", names, [inks[name] for name in names], legend=False)
    shape = named("name", names, [SHAPES[place % len(SHAPES)] for place in range(len(names))], legend=False)
    last = max((row["x"] for row in rows), default=5)
    x = axis("x", titles[0], domain=(0.8, last + 0.9))
    x["axis"] = {"values": list(range(1, int(last) + 1)), "format": "d"}
    y = axis("y", titles[1], domain=(0.0, 1.0))
    y["axis"] = {"format": ".0%"}
    values = {"values": [{**row, "is_key": row["name"] in keys} for row in rows]}
    width = {"condition": {"test": "datum.is_key", "value": 3.5}, "value": 1.6}
    ends = [max((row for row in rows if row["name"] == name), key=lambda row: row["x"]) for name in names]
    places = spread_labels([end["y"] for end in ends], 0.0, 1.0)
    labels = [
        {"x": end["x"], "y": place, "word": end["name"], "ink": inks[end["name"]]}
        for end, place in zip(ends, places, strict=True)
    ]
    layers: list[Spec] = [
        {
            "data": values,
            "mark": {"type": "rule", "opacity": 0.4},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": color},
        },
        {
            "data": values,
            "mark": {"type": "line"},
            "encoding": {"x": x, "y": y, "color": color, "strokeWidth": width},
        },
        {
            "data": values,
            "mark": {"type": "point", "filled": True, "size": 52, "opacity": 1},
            "encoding": {"x": x, "y": y, "color": color, "shape": shape},
        },
        *text_layer(labels, x, y, dx=9),
    ]
    return frame(layers, height=300)


def wright_chart(
    students: Sequence[Mapping[str, Any]],
    items: Sequence[Mapping[str, Any]],
    *,
    titles: tuple[str, str, str],
    domain: tuple[float, float],
) -> Spec:
    """Declare persons on the left and steps of items on the right of one scale.

    Parameters
    ----------
    students : Sequence of Mapping
        ``low``, ``high`` (of the bin, logits) and ``share`` (per cent).
    items : Sequence of Mapping
        ``y`` (location, logits), ``place`` (from 0, within a row), ``word`` ("" for a dot alone).
    titles : tuple of (str, str, str)
        Titles of the scale, of the persons and of the items.
    domain : tuple of (float, float)
        Range of the scale, logits.

    Returns
    -------
    dict
        A Vega-Lite declaration.
    """
    y = axis("y", titles[0], domain=domain)
    widest = max((row["place"] for row in items), default=0) + 1
    has_words = any(row["word"] for row in items)
    left = {
        "width": 170,
        "height": 430,
        "data": {"values": [dict(row) for row in students]},
        "mark": {"type": "rect", "color": "#8fbfe6", "stroke": "white", "strokeWidth": 0.7},
        "encoding": {
            "y": {**y, "field": "low"},
            "y2": {"field": "high"},
            "x": {
                "field": "share",
                "type": "quantitative",
                "title": titles[1],
                "scale": {"reverse": True, "zero": True, "nice": True},
            },
            "x2": {"datum": 0},
        },
    }
    right_y = {**y, "axis": {"labels": False, "ticks": False, "title": None}}
    x = {
        "field": "place",
        "type": "quantitative",
        "title": titles[2],
        "scale": {"domain": [-0.4, max(widest, 4) + (0.5 if has_words else 0.0)], "nice": False},
        "axis": {"labels": False, "ticks": False, "grid": False},
    }
    values = {"values": [dict(row) for row in items]}
    dot = {"type": "point", "filled": True, "size": 26, "color": COLORS[1], "opacity": 1}
    right: Spec = {
        "width": 370,
        "height": 430,
        "layer": [
            {"data": values, "mark": dot, "encoding": {"x": x, "y": right_y}},
            {
                "data": {"values": [dict(row) for row in items if row["word"]]},
                "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 9, "color": INK},
                "encoding": {"x": x, "y": right_y, "text": {"field": "word", "type": "nominal"}},
            },
        ],
    }
    whole = frame([], height=430)
    del whole["layer"], whole["width"], whole["height"]
    return {**whole, "hconcat": [left, right], "spacing": 0}


def scatter_chart(
    rows: Sequence[Mapping[str, Any]],
    *,
    titles: tuple[str, str],
    states: Sequence[tuple[str, str, str]],
    band: float | None,
) -> Spec:
    """Declare two measures of the same items against the line of equality.

    Parameters
    ----------
    rows : Sequence of Mapping
        ``x``, ``y``, ``state`` (its word), ``word`` ("" without label).
    titles : tuple of (str, str)
        Titles of the axes.
    states : Sequence of tuple of (str, str, str)
        Word, color and shape of each state.
    band : float or None
        Half the width of the band about the line, in the unit of the axes.

    Returns
    -------
    dict
        A Vega-Lite declaration.
    """
    numbers = [value for row in rows for value in (row["x"], row["y"])]
    low, high = min(numbers, default=-1.0), max(numbers, default=1.0)
    room = 0.06 * max(high - low, 0.5)
    ends = (low - room, high + room)
    x, y = axis("x", titles[0], domain=ends), axis("y", titles[1], domain=ends)
    line = [{"x": end, "y": end, "low": end - (band or 0.0), "high": end + (band or 0.0)} for end in ends]
    present = [one for one in states if any(row["state"] == one[0] for row in rows)]
    words = [one[0] for one in present]
    color = named("state", words, [one[1] for one in present], legend=len(present) > 1)
    shape = named("state", words, [one[2] for one in present], legend=len(present) > 1)
    layers: list[Spec] = []
    if band is not None:
        layers.append(
            {
                "data": {"values": line},
                "mark": {"type": "area", "color": "#e6e9ee", "opacity": 0.9, "clip": True},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
            }
        )
    layers.append(
        {
            "data": {"values": line},
            "mark": {"type": "line", "color": MUTED, "strokeDash": [4, 3], "clip": True},
            "encoding": {"x": x, "y": y},
        }
    )
    layers.append(
        {
            "data": {"values": [dict(row) for row in rows]},
            "mark": {"type": "point", "filled": True, "size": 48, "opacity": 0.85},
            "encoding": {"x": x, "y": y, "color": color, "shape": shape},
        }
    )
    labels = [{**row, "ink": INK} for row in rows if row["word"]]
    layers += text_layer(labels, x, y, dx=7)
    return frame(layers, height=420, width=420)


def forest_chart(
    rows: Sequence[Mapping[str, Any]],
    *,
    axis_title: str,
    states: Sequence[tuple[str, str, str]],
    marks: Sequence[float],
) -> Spec:
    """Declare one estimate with its interval per row, against zero.

    Parameters
    ----------
    rows : Sequence of Mapping
        Top to bottom: ``name``, ``estimate``, ``low``, ``high`` (None without interval), ``state`` (its word).
    axis_title : str
        Title of the axis.
    states : Sequence of tuple of (str, str, str)
        Word, color and shape of each state.
    marks : Sequence of float
        Places of thin lines beside zero, such as the bounds of classes.

    Returns
    -------
    dict
        A Vega-Lite declaration.
    """
    x = axis("estimate", axis_title)
    y = {"field": "name", "type": "nominal", "sort": None, "title": None}
    words = [one[0] for one in states]
    color = named("state", words, [one[1] for one in states], legend=len(states) > 1)
    shape = named("state", words, [one[2] for one in states], legend=len(states) > 1)
    lines = [{"at": float(at), "dash": [1, 0] if at == 0.0 else [3, 3]} for at in sorted({0.0, *marks})]
    layers: list[Spec] = [
        {
            "data": {"values": [line]},
            "mark": {
                "type": "rule",
                "color": MUTED if line["at"] == 0.0 else "#c4cbd4",
                "strokeDash": line["dash"],
            },
            "encoding": {"x": {**x, "field": "at"}},
        }
        for line in lines
    ]
    whole = [dict(row) for row in rows if row["low"] is not None]
    layers.append(
        {
            "data": {"values": whole},
            "mark": {"type": "rule", "strokeWidth": 2},
            "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": color},
        }
    )
    layers.append(
        {
            "data": {"values": [dict(row) for row in rows]},
            "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
            "encoding": {"y": y, "x": x, "color": color, "shape": shape},
        }
    )
    return frame(layers, height={"step": 17 if len(rows) > 12 else 24})


def spread_chart(
    rows: Sequence[Mapping[str, Any]], *, axis_title: str, marks: Sequence[Mapping[str, Any]] = ()
) -> Spec:
    """Declare a group's spread as a light bar, a darker inner bar, and a point.

    Parameters
    ----------
    rows : Sequence of Mapping
        Top to bottom: ``name``, ``middle``, ``low``, ``high`` (outer bar), ``inner_low``, ``inner_high`` (None without).
    axis_title : str
        Title of the axis.
    marks : Sequence of Mapping, optional
        Vertical lines with ``at`` and ``word``.

    Returns
    -------
    dict
        A Vega-Lite declaration.
    """
    x = axis("middle", axis_title)
    y = {"field": "name", "type": "nominal", "sort": None, "title": None}
    values = {"values": [dict(row) for row in rows]}
    inner = {"values": [dict(row) for row in rows if row["inner_low"] is not None]}
    layers: list[Spec] = [
        {
            "data": values,
            "mark": {"type": "bar", "color": "#cfe3f5", "height": {"band": 0.62}},
            "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}},
        },
        {
            "data": inner,
            "mark": {"type": "bar", "color": "#3f86c4", "height": {"band": 0.26}},
            "encoding": {"y": y, "x": {**x, "field": "inner_low"}, "x2": {"field": "inner_high"}},
        },
        {
            "data": values,
            "mark": {"type": "point", "filled": True, "size": 44, "color": INK, "opacity": 1},
            "encoding": {"y": y, "x": x},
        },
    ]
    if marks:
        own = {"values": [dict(mark) for mark in marks]}
        layers.append(
            {
                "data": own,
                "mark": {"type": "rule", "color": COLORS[1], "strokeDash": [4, 3]},
                "encoding": {"x": {**x, "field": "at"}},
            }
        )
        layers.append(
            {
                "data": own,
                "mark": {"type": "text", "fontSize": 11, "color": COLORS[1], "dy": -7, "baseline": "bottom"},
                "encoding": {
                    "x": {**x, "field": "at"},
                    "y": {"value": 0},
                    "text": {"field": "word", "type": "nominal"},
                },
            }
        )
    return frame(layers, height={"step": 20 if len(rows) > 12 else 28})


def stacked_lines_chart(
    panels: Sequence[tuple[str, Sequence[Mapping[str, Any]]]], *, x_title: str, is_log: bool = False
) -> Spec:
    """Declare panels of lines below one another over one axis, each line with its word.

    Parameters
    ----------
    panels : Sequence of tuple of (str, Sequence of Mapping)
        Title of the panel's axis, and rows with ``x``, ``y``, ``line`` (its word).
    x_title : str
        Title of the common axis.
    is_log : bool, default False
        Whether the panels' axes are logarithmic.

    Returns
    -------
    dict
        A Vega-Lite declaration.
    """
    whole = frame([], height=190)
    del whole["layer"], whole["width"], whole["height"]
    parts = []
    every = [row["x"] for _, rows in panels for row in rows]
    ends = (min(every), max(every))
    for number, (title, rows) in enumerate(panels):
        x = axis("x", x_title if number == len(panels) - 1 else None, domain=ends)
        scale: Spec = {"type": "log"} if is_log else {"zero": True, "nice": True}
        y: Spec = {"field": "y", "type": "quantitative", "title": title, "scale": scale}
        if is_log:
            y["axis"] = {"format": ".0e", "tickCount": 6}
        words = list(dict.fromkeys(row["line"] for row in rows))
        color = named("line", words, COLORS[: len(words)], legend=False)
        dash = named("line", words, ["1,0", "6,3", "2,2"][: len(words)], legend=False)
        dash["scale"]["range"] = [[1, 0], [6, 3], [2, 2]][: len(words)]
        wanted = ends[0] + 0.7 * (ends[1] - ends[0])
        beside = [
            min((row for row in rows if row["line"] == word), key=lambda row: abs(row["x"] - wanted))
            for word in words
        ]
        labels = [
            {**place, "word": word, "ink": ink}
            for place, word, ink in zip(beside, words, COLORS, strict=False)
        ]
        layer: list[Spec] = [
            {
                "data": {"values": [dict(row) for row in rows]},
                "mark": {"type": "line", "strokeWidth": 2},
                "encoding": {"x": x, "y": y, "color": color, "strokeDash": dash},
            }
        ]
        if len(words) > 1:
            layer += text_layer(labels, x, y, dx=4, dy=-10)
        parts.append({"width": WIDTH, "height": 190, "layer": layer})
    return {**whole, "vconcat": parts, "spacing": 14}
