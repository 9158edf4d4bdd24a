"""Parts of the drawings of this package: widths, names in lines, rows with intervals, stripes that print in gray."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lsakit.tables import charts
from lsakit.tables.chart_parts import COLORS, SHAPES
from lsakit.tables.charts import INK, MUTED, Spec
from lsakit.tables.standard_figures.scope import WIDE, Layout

BREAK = "\n"
LINES_OF = f"split(datum.label, '{chr(92)}n')"
BAND = "#e6e9ee"
STRIPES = 9
Drawn = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a series is drawn: never by color alone.

    Parameters
    ----------
    word : str
        Its name in the legend.
    color : str
        Color.
    shape : str
        Shape of its points.
    """

    word: str
    color: str
    shape: str


def styles(words: Sequence[str]) -> list[Style]:
    """Give each series a color and a shape.

    Parameters
    ----------
    words : Sequence of str
        Names.

    Returns
    -------
    list of Style
        In the same order.
    """
    return [
        Style(word=word, color=COLORS[at % len(COLORS)], shape=SHAPES[at % len(SHAPES)])
        for at, word in enumerate(words)
    ]


def finished(spec: Spec, *, key: str, language: str) -> str:
    """Draw a declaration so that several drawings can stand in one page.

    Parameters
    ----------
    spec : dict
        The declaration.
    key : str
        Key of the figure; what the drawing names inside itself bears it.
    language : str
        ``"vi"`` or ``"en"``.

    Returns
    -------
    str
        The SVG document.
    """
    svg = charts.draw(spec, language=language)
    # Two drawings of one page may not share the names of their stripes and clips, and the drawing library counts
    # them through the life of the process: the same figure would not give the same bytes.
    found = dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg))
    for number, name in enumerate(found):
        svg = re.sub(rf'(\bid="|#){re.escape(name)}(?=["\)])', rf"\g<1>{key}-{number}", svg)
    return svg


def chart(layers: Sequence[Spec], layout: Layout, *, height: int | Spec) -> Spec:
    """Put layers into a chart of a given total width.

    Parameters
    ----------
    layers : Sequence of dict
        Layers, the lowest first.
    layout : Layout
        Width.
    height : int or dict
        Height in pixels, or a step per row.

    Returns
    -------
    dict
        A Vega-Lite declaration.
    """
    spec = charts.frame(layers, height=height, width=layout.width)
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    config = spec["config"]
    # The words for those who do not see stand beside the drawing once; in every mark they only make it heavy.
    config["aria"] = False
    config["axis"] |= {"labelFontSize": layout.font_size, "titleFontSize": layout.font_size}
    config["legend"] |= {
        "labelFontSize": layout.font_size,
        "columns": layout.legend_columns,
        "labelLimit": layout.width - 40,
    }
    return spec


def wrapped(name: str, letters: int) -> str:
    """Break a name into lines.

    Parameters
    ----------
    name : str
        The name.
    letters : int
        Letters of a line.

    Returns
    -------
    str
        The name with line breaks between words.

    Examples
    --------
    >>> wrapped("Trung du và miền núi phía Bắc", 15).split(chr(10))
    ['Trung du và', 'miền núi phía', 'Bắc']
    """
    return BREAK.join(textwrap.wrap(name, letters, break_long_words=False)) or name


def names_axis(names: Sequence[str], layout: Layout) -> Spec:
    """Declare an axis of names, top to bottom, long ones in several lines.

    Parameters
    ----------
    names : Sequence of str
        Names as the data hold them.
    layout : Layout
        Width.

    Returns
    -------
    dict
        An encoding of ``y``.
    """
    axis = {"labelExpr": LINES_OF, "labelLimit": layout.width // 2, "labelPadding": 6, "ticks": False}
    return {"field": "name", "type": "nominal", "sort": list(names), "title": None, "axis": axis}


def value_range(
    values: Sequence[float | None], *, holds: Sequence[float] = (), room: float = 0.06
) -> tuple[float, float]:
    """Find the range of an axis.

    Parameters
    ----------
    values : Sequence of float or None
        What is drawn.
    holds : Sequence of float, optional
        Further numbers that the axis must hold, such as 0.
    room : float, default 0.06
        Free share at either end.

    Returns
    -------
    low, high : float
        The range; never empty.
    """
    known = [float(value) for value in (*values, *holds) if value is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    free = room * (high - low) if high > low else max(1.0, 0.02 * abs(high))
    return low - free, high + free


def quantity(field: str, title: str | None, ends: tuple[float, float], **axis: Any) -> Spec:
    """Declare an axis of numbers with a fixed range.

    Parameters
    ----------
    field : str
        Field of the data.
    title : str or None
        Title.
    ends : tuple of (float, float)
        Range.
    **axis : object
        Entries of the axis.

    Returns
    -------
    dict
        An encoding.
    """
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": {"domain": list(ends), "nice": False, "zero": False},
        "axis": {"tickCount": 6, "labelOverlap": "greedy", **axis},
    }


def by_style(given: Sequence[Style], *, legend: bool) -> tuple[Spec, Spec]:
    """Declare color and shape of series.

    Parameters
    ----------
    given : Sequence of Style
        The series.
    legend : bool
        Whether a legend stands above.

    Returns
    -------
    color, shape : dict
        Encodings of the field ``series``.
    """
    words = [style.word for style in given]
    entries = [
        {
            "field": "series",
            "type": "nominal",
            "scale": {"domain": words, "range": values},
            "legend": {} if legend else None,
        }
        for values in ([style.color for style in given], [style.shape for style in given])
    ]
    return entries[0], entries[1]


def striped(color: str, *, upright: bool = False, count: int = STRIPES) -> Spec:
    """Make a fill of stripes, which tells a part from a plain one in gray print.

    Parameters
    ----------
    color : str
        Color of the stripes, on white.
    upright : bool, default False
        Slanting stripes by default; level ones, equally wide in bars of any length, where True.
    count : int, default 9
        Stripes.

    Returns
    -------
    dict
        A gradient of Vega.
    """
    stops: list[Spec] = []
    for at in range(count):
        ends = (at / count, (at + 0.5) / count, (at + 1) / count)
        stops += [{"offset": round(end, 4), "color": color} for end in ends[:2]]
        stops += [{"offset": round(end, 4), "color": "#ffffff"} for end in ends[1:]]
    way = {"x1": 0, "y1": 0, "x2": 0 if upright else 1, "y2": 1}
    return {"gradient": "linear", **way, "stops": stops}


def reference_layers(reference: Drawn | None, x: Spec) -> list[Spec]:
    """Declare the band and the line of a reference.

    Parameters
    ----------
    reference : Mapping or None
        ``estimate``, and ``low`` and ``high`` where there is an interval.
    x : dict
        Encoding of the axis.

    Returns
    -------
    list of dict
        Layers, lowest first.
    """
    if reference is None:
        return []
    data = {"values": [dict(reference)]}
    layers: list[Spec] = []
    if reference.get("low") is not None:
        layers.append(
            {
                "data": data,
                "mark": {"type": "rect", "color": BAND, "clip": True},
                "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}},
            }
        )
    line = {"type": "rule", "color": MUTED, "strokeDash": [4, 3]}
    layers.append({"data": data, "mark": line, "encoding": {"x": {**x, "field": "estimate"}}})
    return layers


def zero_line(x: Spec) -> Spec:
    """Declare the line at zero.

    Parameters
    ----------
    x : dict
        Encoding of the axis.

    Returns
    -------
    dict
        A layer.
    """
    return {
        "data": {"values": [{"at": 0.0}]},
        "mark": {"type": "rule", "color": INK, "strokeWidth": 1.2},
        "encoding": {"x": {**x, "field": "at"}},
    }


def hidden_words(rows: Sequence[Drawn], y: Spec) -> list[Spec]:
    """Write in the row of a suppressed estimate why it is not there.

    Parameters
    ----------
    rows : Sequence of Mapping
        ``name`` and ``word``.
    y : dict
        Encoding of the names.

    Returns
    -------
    list of dict
        A layer, or none.
    """
    if not rows:
        return []
    mark = {"type": "text", "align": "left", "fontStyle": "italic", "fontSize": 10.5, "color": MUTED}
    encoding = {"y": y, "x": {"value": 6}, "text": {"field": "word", "type": "nominal"}}
    return [{"data": {"values": [dict(row) for row in rows]}, "mark": mark, "encoding": encoding}]


def interval_layers(
    rows: Sequence[Drawn], x: Spec, y: Spec, given: Sequence[Style], *, size: int = 60
) -> list[Spec]:
    """Declare points with intervals in rows, one beside another where a row has several series.

    Parameters
    ----------
    rows : Sequence of Mapping
        ``name``, ``series``, ``estimate``, ``low``, ``high`` (None without interval).
    x, y : dict
        Encodings of the axes.
    given : Sequence of Style
        The series.
    size : int, default 60
        Area of a point, square pixels.

    Returns
    -------
    list of dict
        Layers, lowest first.
    """
    color, shape = by_style(given, legend=len(given) > 1)
    per_name: dict[str, set[str]] = {}
    for row in rows:
        per_name.setdefault(str(row["name"]), set()).add(str(row["series"]))
    beside: Spec = {}
    if any(len(series) > 1 for series in per_name.values()):
        order = [style.word for style in given]
        beside = {"yOffset": {"field": "series", "type": "nominal", "sort": order}}
    whole = [dict(row) for row in rows if row["low"] is not None]
    return [
        {
            "data": {"values": whole},
            "mark": {"type": "rule", "strokeWidth": 2},
            "encoding": {
                "y": y,
                "x": {**x, "field": "low"},
                "x2": {"field": "high"},
                "color": color,
                **beside,
            },
        },
        {
            "data": {"values": [dict(row) for row in rows]},
            "mark": {"type": "point", "filled": True, "size": size, "opacity": 1},
            "encoding": {"y": y, "x": x, "color": color, "shape": shape, **beside},
        },
    ]


def row_height(names: Sequence[str], *, series: int = 1) -> Spec:
    """Choose the height of a row by its lines of words and its series.

    Parameters
    ----------
    names : Sequence of str
        Names as drawn.
    series : int, default 1
        Series beside one another in a row.

    Returns
    -------
    dict
        A step per row.
    """
    lines = max((name.count(BREAK) + 1 for name in names), default=1)
    least = 19 if len(names) > 12 else 26
    return {"step": max(least, 14 * lines + 4, 11 * series + 6), "for": "position"}


def is_wide(layout: Layout) -> bool:
    """Tell whether a drawing has the width of a page.

    Parameters
    ----------
    layout : Layout
        Width.

    Returns
    -------
    bool
        False for a telephone.
    """
    return layout.width >= WIDE.width
