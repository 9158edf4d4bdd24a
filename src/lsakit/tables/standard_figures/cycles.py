"""Estimates over cycles: which cycles share a scale, the interval with the linking error, lines and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lsakit.errors import EstimationError
from lsakit.io.frames import require_columns
from lsakit.tables.chart_parts import spread_labels, text_layer
from lsakit.tables.charts import INK, MUTED, Spec
from lsakit.tables.publication import NEEDED, Row
from lsakit.tables.standard_figures.drawing import Style, by_style, is_wide, quantity
from lsakit.tables.standard_figures.scope import Scope
from lsakit.tables.standard_figures.wording import has_interval, is_published, say

CHANGE_COLUMNS = ("from_cycle", "to_cycle", "linking_error")
NORMAL_975 = 1.959963984540054
BAR = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The changes between cycles of one subject, and what they say of the scale.

    Parameters
    ----------
    cycles : tuple of int
        Cycles drawn, earlier first.
    rows : Mapping of tuple to dict
        Change by (group, statistic, earlier, later).
    scales : Mapping of int to int
        First cycle of the scale on which a cycle stands.
    """

    cycles: tuple[int, ...]
    rows: Mapping[tuple[str, str, int, int], Row] = field(default_factory=dict)
    scales: Mapping[int, int] = field(default_factory=dict)

    def are_joined(self, earlier: int, later: int) -> bool:
        """Tell whether two cycles stand on one scale."""
        return self.scales[earlier] == self.scales[later]

    def change(self, group: str, statistic: str) -> Row | None:
        """Give the change from the first cycle on the scale of the latest to the latest."""
        last = self.cycles[-1]
        for first in self.cycles[:-1]:
            found = self.rows.get((group, statistic, first, last))
            if self.are_joined(first, last) and found is not None:
                return found
        return None

    def linking_error(self, group: str, statistic: str, cycle: int) -> float | None:
        """Give the linking error between a cycle and the latest; None without one."""
        found = self.rows.get((group, statistic, cycle, self.cycles[-1]))
        return None if found is None or not found["linking_error"] else float(found["linking_error"])


def year_of(value: Any) -> int:
    """Read the year of a cycle.

    Parameters
    ----------
    value : object
        As it stands in the table.

    Returns
    -------
    int
        The year.

    Raises
    ------
    EstimationError
        If it is no whole number.
    """
    try:
        return int(str(value))
    except ValueError:
        raise EstimationError(
            f"The column 'cycle' must hold years. Got {value!r}.",
            hint="Name each cycle by its year, such as 2026, so that cycles stand at their distance in time.",
            param="cycle",
            got=value,
        ) from None


def read_changes(
    changes: pl.DataFrame | None, cycles: Sequence[int], scope: Scope, *, by: str, statistics: Sequence[str]
) -> Changes:
    """Read the changes of a grouping, and find which cycles stand on one scale.

    Parameters
    ----------
    changes : polars.DataFrame or None
        Tidy rows with `CHANGE_COLUMNS`.
    cycles : Sequence of int
        Cycles drawn, in any order.
    scope : Scope
        Subject.
    by : str
        Grouping.
    statistics : Sequence of str
        Statistics.

    Returns
    -------
    Changes
        A change of any group or statistic joins its two cycles, also through a third cycle.

    Raises
    ------
    UnknownColumnError
        If a column is absent.
    """
    known = tuple(sorted(set(cycles)))
    scales = {cycle: cycle for cycle in known}
    if changes is None:
        return Changes(cycles=known, scales=scales)
    require_columns(changes, [*NEEDED, *CHANGE_COLUMNS], param="table of changes")
    rows = {}
    for row in scope.rows(changes, by=by, statistics=statistics):
        first, last = year_of(row["from_cycle"]), year_of(row["to_cycle"])
        if first in scales and last in scales:
            rows[str(row["group"]), str(row["statistic"]), first, last] = row
            old, new = max(scales[first], scales[last]), min(scales[first], scales[last])
            scales = {cycle: new if scale == old else scale for cycle, scale in scales.items()}
    return Changes(cycles=known, rows=rows, scales=scales)


def cycle_point(row: Row, series: str, changes: Changes, *, factor: float = 1.0) -> dict[str, Any]:
    """Reduce an estimate of a cycle to what is drawn.

    Parameters
    ----------
    row : dict
        An estimate with ``cycle``.
    series : str
        Its line.
    changes : Changes
        Changes.
    factor : float, default 1.0
        100 for shares drawn as per cent.

    Returns
    -------
    dict
        ``year``, ``estimate``, ``low``, ``high``, and ``outer_low``, ``outer_high``: the interval that also holds
        the linking error to the latest cycle (None without one).
    """
    year = year_of(row["cycle"])
    point: dict[str, Any] = {"series": series, "year": year, "estimate": factor * row["estimate"]}
    point |= {"low": None, "high": None, "outer_low": None, "outer_high": None}
    if not has_interval(row):
        return point
    low, high = row["ci_low"], row["ci_high"]
    point |= {"low": factor * low, "high": factor * high}
    error = changes.linking_error(str(row["group"]), str(row["statistic"]), year)
    if error is not None:
        wide = NORMAL_975 * error
        down = ((row["estimate"] - low) ** 2 + wide**2) ** 0.5
        up = ((high - row["estimate"]) ** 2 + wide**2) ** 0.5
        outer = (row["estimate"] - down, row["estimate"] + up)
        if factor != 1.0:  # a share stays between none and all
            outer = (max(outer[0], 0.0), min(outer[1], 1.0))
        point |= {"outer_low": factor * outer[0], "outer_high": factor * outer[1]}
    return point


def placed_beside(
    points: Sequence[dict[str, Any]], given: Sequence[Style], span: float
) -> list[dict[str, Any]]:
    """Move the points of one year a little apart, so that no interval covers another.

    Parameters
    ----------
    points : Sequence of dict
        Points, as `cycle_point` gives them.
    given : Sequence of Style
        Series.
    span : float
        Years of the axis.

    Returns
    -------
    list of dict
        The points with ``x``.
    """
    order = {style.word: place for place, style in enumerate(given)}
    step = 0.022 * span
    middle = (len(given) - 1) / 2
    return [{**point, "x": point["year"] + step * (order[point["series"]] - middle)} for point in points]


def segments(points: Sequence[dict[str, Any]], changes: Changes) -> list[dict[str, Any]]:
    """Cut the lines where the scale breaks.

    Parameters
    ----------
    points : Sequence of dict
        Points with ``series`` and ``year``.
    changes : Changes
        Which cycles are joined.

    Returns
    -------
    list of dict
        The points with ``line``: a name per unbroken piece of a series.
    """
    return [{**point, "line": f"{point['series']}/{changes.scales[point['year']]}"} for point in points]


def breaks(changes: Changes) -> list[float]:
    """Find the places between neighboring cycles that are not on one scale.

    Parameters
    ----------
    changes : Changes
        Which cycles are joined.

    Returns
    -------
    list of float
        Middle of each such stretch, years.
    """
    pairs = zip(changes.cycles, changes.cycles[1:], strict=False)
    return [(first + last) / 2 for first, last in pairs if not changes.are_joined(first, last)]


def cycle_axes(
    cycles: Sequence[int], y_title: str, domain: tuple[float, float], *, labels: float
) -> tuple[Spec, Spec]:
    """Declare the axis of years, with room for the names of the lines, and the axis of values.

    Parameters
    ----------
    cycles : Sequence of int
        Cycles.
    y_title : str
        Title of the axis of values.
    domain : tuple of (float, float)
        Its range.
    labels : float
        Share of the axis of years kept for names.

    Returns
    -------
    x, y : dict
        Encodings.
    """
    first, last = min(cycles), max(cycles)
    span = max(last - first, 1)
    right = last + span * labels / (1 - labels)
    x = quantity("x", None, (first - 0.09 * span, right), values=list(cycles), format="d", grid=False)
    return x, quantity("estimate", y_title, domain)


def span_of(cycles: Sequence[int]) -> float:
    """Count the years of the axis.

    Parameters
    ----------
    cycles : Sequence of int
        Cycles.

    Returns
    -------
    float
        Years, one at least.
    """
    return float(max(max(cycles) - min(cycles), 1))


def cycle_layers(
    points: Sequence[dict[str, Any]], changes: Changes, axes: tuple[Spec, Spec], given: Sequence[Style]
) -> list[Spec]:
    """Declare lines, points, sampling intervals and outlined intervals with the linking error.

    Parameters
    ----------
    points : Sequence of dict
        Points with ``x``.
    changes : Changes
        Which cycles are joined.
    axes : tuple of dict
        Encodings of the axes.
    given : Sequence of Style
        Series.

    Returns
    -------
    list of dict
        Layers, lowest first.
    """
    x, y = axes
    color, shape = by_style(given, legend=False)
    cut = segments(points, changes)
    known = [point for point in points if point["low"] is not None]
    outer = [point for point in points if point["outer_low"] is not None]
    outline = {"type": "bar", "size": BAR, "filled": False, "strokeWidth": 1.1, "fillOpacity": 0}
    line: Spec = {"x": x, "y": y, "color": color, "detail": {"field": "line", "type": "nominal"}}
    layers: list[Spec] = [
        {"data": {"values": cut}, "mark": {"type": "line", "strokeWidth": 2}, "encoding": line},
        {
            "data": {"values": outer},
            "mark": outline,
            "encoding": {
                "x": x,
                "y": {**y, "field": "outer_low"},
                "y2": {"field": "outer_high"},
                "color": color,
            },
        },
        {
            "data": {"values": known},
            "mark": {"type": "rule", "strokeWidth": 2.6},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": color},
        },
        {
            "data": {"values": list(points)},
            "mark": {
                "type": "point",
                "filled": True,
                "size": 70,
                "opacity": 1,
                "stroke": "white",
                "strokeWidth": 0.7,
            },
            "encoding": {"x": x, "y": y, "fill": color, "shape": shape},
        },
    ]
    return [layer for layer in layers if layer["data"]["values"]]


def scale_marks(
    changes: Changes, axes: tuple[Spec, Spec], scope: Scope, *, height: int, zero: bool = False
) -> list[Spec]:
    """Mark a vertical axis that does not begin at 0, and the places where the scale breaks.

    Parameters
    ----------
    changes : Changes
        Which cycles are joined.
    axes : tuple of dict
        Encodings of the axes.
    scope : Scope
        Language.
    height : int
        Height of the chart, pixels.
    zero : bool, default False
        Whether the axis begins at 0.

    Returns
    -------
    list of dict
        Layers.
    """
    x, _ = axes
    layers: list[Spec] = []
    for at in breaks(changes):
        data = {"values": [{"at": at, "word": say(scope.texts, "scale_break")}]}
        place = {**x, "field": "at"}
        rule = {"type": "rule", "color": INK, "strokeDash": [2, 3], "strokeWidth": 1.2}
        word = {"type": "text", "angle": 270, "align": "left", "dy": -7, "fontSize": 10.5, "color": INK}
        layers.append({"data": data, "mark": rule, "encoding": {"x": place}})
        layers.append(
            {
                "data": data,
                "mark": word,
                "encoding": {
                    "x": place,
                    "y": {"value": height - 4},
                    "text": {"field": "word", "type": "nominal"},
                },
            }
        )
    if not zero:
        # Two slanting strokes on a white gap of the axis: the usual sign of an axis cut below.
        for shift, color, width in ((0, "white", 7), (-4, MUTED, 1.4), (4, MUTED, 1.4)):
            stroke = {"type": "rule", "color": color, "strokeWidth": width}
            y = {"y": {"value": height - 14 + shift + 3}, "y2": {"value": height - 14 + shift - 3}}
            layers.append(
                {
                    "data": {"values": [{}]},
                    "mark": stroke,
                    "encoding": {"x": {"value": -6}, "x2": {"value": 6}, **y},
                }
            )
    return layers


def end_labels(
    points: Sequence[dict[str, Any]],
    given: Sequence[Style],
    axes: tuple[Spec, Spec],
    *,
    domain: tuple[float, float],
) -> list[Spec]:
    """Write the name of each line at its end.

    Parameters
    ----------
    points : Sequence of dict
        Points with ``x``.
    given : Sequence of Style
        Series.
    axes : tuple of dict
        Encodings of the axes.
    domain : tuple of (float, float)
        Range of the vertical axis.

    Returns
    -------
    list of dict
        Layers.
    """
    ends = []
    for style in given:
        own = [point for point in points if point["series"] == style.word]
        if own:
            ends.append((style, max(own, key=lambda point: point["year"])))
    places = spread_labels([end["estimate"] for _, end in ends], *domain)
    rightmost = max((end["x"] for _, end in ends), default=0.0)
    words = [
        {"x": rightmost, "estimate": place, "word": style.word, "ink": style.color}
        for (style, _), place in zip(ends, places, strict=True)
    ]
    x, y = axes
    return text_layer(words, x, y, dx=12)


def value_labels(
    points: Sequence[dict[str, Any]], axes: tuple[Spec, Spec], scope: Scope, *, digits: int
) -> list[Spec]:
    """Write the number above each point.

    Parameters
    ----------
    points : Sequence of dict
        Points with ``x``.
    axes : tuple of dict
        Encodings of the axes.
    scope : Scope
        Language.
    digits : int
        Digits after the decimal mark.

    Returns
    -------
    list of dict
        Layers.
    """
    rows = []
    for point in points:
        tops = [point[end] for end in ("estimate", "high", "outer_high") if point[end] is not None]
        number = scope.texts.number(point["estimate"], digits)
        rows.append({"x": point["x"], "estimate": max(tops), "word": number, "ink": INK, "align": "center"})
    x, y = axes
    return text_layer(rows, x, y, dy=-9)


def label_share(scope: Scope, names: Sequence[str]) -> float:
    """Find the share of the axis that the names of the lines need.

    Parameters
    ----------
    scope : Scope
        Width.
    names : Sequence of str
        Names.

    Returns
    -------
    float
        Between 0.08 and 0.5.
    """
    longest = max((len(name) for name in names), default=0)
    pixels = 6.4 * longest + 26
    inner = scope.layout.width - (60 if is_wide(scope.layout) else 54)
    return min(max(pixels / inner, 0.08), 0.5)


def published(rows: Sequence[Row]) -> list[Row]:
    """Keep the rows that may be drawn.

    Parameters
    ----------
    rows : Sequence of dict
        Estimates.

    Returns
    -------
    list of dict
        Those with a number.
    """
    return [row for row in rows if is_published(row)]
