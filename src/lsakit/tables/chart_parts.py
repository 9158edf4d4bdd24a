"""Parts of the scaling's charts: axes, colors with shapes, words beside points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lsakit.tables.charts import Spec

# Okabe and Ito's colors, which readers of all color vision tell apart, each with a shape of its own.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right")
OTHERS = "#9aa4b1"
WIDTH = 560
LABEL_GAP = 0.055


def axis(field: str, title: str | None, *, domain: Sequence[float] | None = None, **more: Any) -> Spec:
    """Declare a quantitative axis.

    Parameters
    ----------
    field : str
        Field of the data.
    title : str or None
        Title.
    domain : Sequence of float, optional
        Its range; the data's by default.
    **more : object
        Further entries of the scale.

    Returns
    -------
    dict
        An encoding.
    """
    scale: Spec = {"zero": False, "nice": domain is None, **more}
    if domain is not None:
        scale |= {"domain": list(domain)}
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": scale,
        "axis": {"tickCount": 8, "labelOverlap": "greedy"},
    }


def named(field: str, names: Sequence[str], values: Sequence[str], *, legend: bool = True) -> Spec:
    """Declare a nominal encoding with a value for each name.

    Parameters
    ----------
    field : str
        Field of the data.
    names : Sequence of str
        Names in their order.
    values : Sequence of str
        Color or shape of each.
    legend : bool, default True
        Whether a legend stands above.

    Returns
    -------
    dict
        An encoding.
    """
    return {
        "field": field,
        "type": "nominal",
        "scale": {"domain": list(names), "range": list(values)},
        "legend": {"columns": 6} if legend else None,
    }


def text_layer(
    rows: Sequence[Mapping[str, Any]], x: Spec, y: Spec, *, dx: int = 6, dy: int = 0
) -> list[Spec]:
    """Write words beside points, first with a white rim so that they read where they cross a line.

    Parameters
    ----------
    rows : Sequence of Mapping
        One row per word, with the fields of the axes, ``word`` and ``ink``; ``align`` where the word stands at the
        left ("right") or upon the point ("center") and not at its right.
    x, y : dict
        Encodings of the place.
    dx : int, default 6
        Distance from the point, pixels.
    dy : int, default 0
        Distance below the point, pixels.

    Returns
    -------
    list of dict
        Two layers for each alignment.
    """
    layers: list[Spec] = []
    ink = {"field": "ink", "type": "nominal", "scale": None}
    own = {"x": x, "y": y, "text": {"field": "word", "type": "nominal"}}
    for align, away in (("left", dx), ("center", 0), ("right", -dx)):
        some = [dict(row) for row in rows if row.get("align", "left") == align]
        if not some:
            continue
        mark = {"type": "text", "align": align, "baseline": "middle", "dx": away, "dy": dy, "fontSize": 11}
        rim = {**mark, "stroke": "white", "strokeWidth": 4, "color": "white"}
        layers += [
            {"data": {"values": some}, "mark": rim, "encoding": own},
            {"data": {"values": some}, "mark": mark, "encoding": {**own, "color": ink}},
        ]
    return layers


def spread_labels(places: Sequence[float], low: float, high: float) -> list[float]:
    """Move labels apart so that none covers another.

    Parameters
    ----------
    places : Sequence of float
        Wanted places on the axis.
    low, high : float
        Range of the axis.

    Returns
    -------
    list of float
        Places at least a line apart, as near the wanted ones as that allows.

    Examples
    --------
    >>> [round(place, 3) for place in spread_labels([0.5, 0.5, 0.1], 0.0, 1.0)]
    [0.472, 0.527, 0.1]
    """
    gap = LABEL_GAP * (high - low)
    order = sorted(range(len(places)), key=lambda row: (places[row], row))
    found = [float(places[row]) for row in order]
    lowest, highest = low + 0.3 * gap, high - 0.3 * gap
    for _ in range(200):
        moved = False
        for row in range(1, len(found)):
            short = gap - (found[row] - found[row - 1])
            if short > 1e-9:
                found[row - 1] -= short / 2
                found[row] += short / 2
                moved = True
        if not moved:
            break
    for row, place in enumerate(found):
        found[row] = max(place, lowest if row == 0 else found[row - 1] + gap)
    for row in range(len(found) - 1, -1, -1):
        found[row] = min(found[row], highest if row == len(found) - 1 else found[row + 1] - gap)
    out = [0.0] * len(found)
    for row, place in zip(order, found, strict=True):
        out[row] = place
    return out
