"""Differences: the grid of multiple comparisons, and gaps around zero."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from lsakit.errors import EstimationError
from lsakit.estimation.closed_forms import benjamini_hochberg
from lsakit.io.frames import require_columns
from lsakit.tables.charts import LINE, MUTED, STATES, Spec
from lsakit.tables.figures import Figure
from lsakit.tables.publication import NEEDED, Row
from lsakit.tables.standard_figures.behind import Behind
from lsakit.tables.standard_figures.drawing import (
    Style,
    chart,
    finished,
    hidden_words,
    interval_layers,
    is_wide,
    names_axis,
    quantity,
    row_height,
    striped,
    value_range,
    wrapped,
    zero_line,
)
from lsakit.tables.standard_figures.scope import JOIN, Scope
from lsakit.tables.standard_figures.wording import (
    DOWN,
    FEW,
    LEVEL_WITH,
    UNTESTED,
    UP,
    amount,
    counts,
    direction,
    hidden_note,
    in_words,
    is_published,
    kind_of,
    note_of,
    say,
    sentence,
)

CORRECTIONS = ("none", "fdr")
LEVEL = 0.05
MOST_PRINTED = 12
OPPOSITE = {UP: DOWN, DOWN: UP, LEVEL_WITH: LEVEL_WITH, UNTESTED: UNTESTED}
BLUE, ORANGE = STATES["above"][0], STATES["below"][0]
Pair = tuple[str, str]


def comparison_grid(
    differences: pl.DataFrame,
    scope: Scope,
    *,
    by: str = "region6",
    groups: Sequence[str] | None = None,
    statistic: str = "difference",
    correction: str = "none",
) -> Figure:
    """Draw which groups differ significantly from which.

    Parameters
    ----------
    differences : polars.DataFrame
        Tidy rows with the further columns ``reference`` (group compared with) and ``p_value`` (two-sided, not
        adjusted); ``estimate`` is group minus reference. One row per pair is enough, in either direction.
    scope : Scope
        Subject, language, names, width.
    by : str, default "region6"
        Grouping.
    groups : Sequence of str, optional
        Groups in the order of the grid; all by their codes by default. There is no order by score.
    statistic : str, default "difference"
        Statistic of the rows.
    correction : str, default "none"
        ``"none"``: each pair at 5 %; ``"fdr"``: false discovery rate of 5 % over the pairs shown
        (Benjamini and Hochberg).

    Returns
    -------
    Figure
        A cell per pair: triangle up (row significantly higher), triangle down (lower), circle (no significant
        difference), hatched (not published).

    Raises
    ------
    EstimationError
        If no pair is there, a pair stands twice with other numbers, or the correction is unknown.
    UnknownColumnError
        If a column is absent.
    """
    if correction not in CORRECTIONS:
        raise EstimationError(
            f"The 'correction' parameter must be one of {', '.join(CORRECTIONS)}. Got {correction!r}.",
            param="correction",
            got=correction,
        )
    texts = scope.texts
    more = ["reference", *(["p_value"] if correction == "fdr" else [])]
    require_columns(differences, [*NEEDED, *more], param="table of differences")
    rows = scope.rows(differences, by=by, statistics=[statistic])
    chosen = groups or sorted({str(row[end]) for row in rows for end in ("group", "reference")})
    pairs = _pairs(rows, list(chosen))
    scope.needed(pairs, f"{statistic} by {by}")
    ways = _ways(pairs, correction)
    found = {
        "pairs": sum(way != UNTESTED for way in ways.values()),
        "different": sum(way in (UP, DOWN) for way in ways.values()),
    }
    key = scope.key("comparisons", by)
    title = say(texts, "grid_title" if found["pairs"] else "grid_title_untested", **scope.words, **found)
    shown = {**ways, **{(b, a): OPPOSITE[way] for (a, b), way in ways.items()}}
    named = [(f"{scope.label(by, a)} – {scope.label(by, b)}", row) for (a, b), row in pairs.items()]
    table = replace(_grid_table(pairs, ways, scope, by).table(title), is_printed=len(chosen) <= MOST_PRINTED)
    return Figure(
        key=key,
        title=title,
        svg=finished(_grid(list(chosen), shown, scope, by), key=key, language=scope.language),
        note=note_of(
            say(texts, "grid_note"), say(texts, f"grid_rule_{correction}"), hidden_note(named, texts)
        ),
        alternative=sentence(
            say(texts, "grid_alternative", count=len(chosen)), _grid_told(list(chosen), shown, scope, by)
        ),
        table=table,
    )


def _pairs(rows: Sequence[Row], chosen: Sequence[str]) -> dict[Pair, Row]:
    """Keep each pair once, the earlier group of the grid first."""
    order = {group: place for place, group in enumerate(chosen)}
    found: dict[Pair, Row] = {}
    for row in rows:
        first, second = str(row["group"]), str(row["reference"])
        if first not in order or second not in order or first == second:
            continue
        if order[first] > order[second]:
            first, second, row = second, first, _turned(row)
        known = found.setdefault((first, second), row)
        if not _agree(known, row):
            raise EstimationError(
                f"The pair {first} and {second} stands twice in the table of differences, with other numbers.",
                hint="Keep one row per pair, in either direction.",
                param="differences",
            )
    return dict(sorted(found.items(), key=lambda item: (order[item[0][0]], order[item[0][1]])))


def _turned(row: Row) -> Row:
    """Turn a difference round."""
    ends = {"estimate": row["estimate"], "ci_low": row["ci_high"], "ci_high": row["ci_low"]}
    return {**row, **{name: None if value is None else -value for name, value in ends.items()}}


def _agree(known: Row, row: Row) -> bool:
    """Tell whether two rows of one pair say the same."""
    for name in ("estimate", "ci_low", "ci_high"):
        one, other = known[name], row[name]
        if (one is None) != (other is None):
            return False
        if one is not None and not math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9):
            return False
    return bool(known["suppressed_because"] == row["suppressed_because"])


def _ways(pairs: Mapping[Pair, Row], correction: str) -> dict[Pair, str]:
    """Say which way each pair differs."""
    plain = {pair: direction(row) for pair, row in pairs.items()}
    if correction == "none":
        return plain
    tested = [pair for pair, row in pairs.items() if is_published(row) and row["p_value"] is not None]
    values = np.array([float(pairs[pair]["p_value"]) for pair in tested])
    kept = benjamini_hochberg(values, level=LEVEL).tolist() if tested else []
    found = dict.fromkeys(pairs, UNTESTED)
    for pair, is_discovery in zip(tested, kept, strict=True):
        sign = UP if pairs[pair]["estimate"] > 0 else DOWN
        found[pair] = sign if is_discovery else LEVEL_WITH
    return found


def _marks(chosen: Sequence[str]) -> dict[str, str]:
    """Give each group the short mark of its column: its code where it is a number, else its place."""
    if all(group.isdigit() for group in chosen):
        return {group: group for group in chosen}
    return {group: str(place + 1) for place, group in enumerate(chosen)}


def _grid(chosen: Sequence[str], shown: Mapping[Pair, str], scope: Scope, by: str) -> Spec:
    """Declare the cells; each kind of sign is one path, so that a grid of 34 stays light."""
    count, marks = len(chosen), _marks(chosen)
    many = count > MOST_PRINTED
    letters = scope.layout.label_letters - (0 if is_wide(scope.layout) else 1)
    names = [
        f"{marks[group]}  {wrapped(scope.label(by, group), 60 if many else letters)}" for group in chosen
    ]
    step = 17 if many else (34 if is_wide(scope.layout) else 44)
    place = (
        "["
        + ", ".join("split('" + name.replace("'", "").replace("\n", "\\n") + "', '\\n')" for name in names)
        + "]"
    )
    heads = "[" + ", ".join(f"'{marks[group]}'" for group in chosen) + "]"
    middles = [at + 0.5 for at in range(count)]
    size = 9 if many and not is_wide(scope.layout) else (10 if many else scope.layout.font_size)
    shared = {"values": middles, "grid": False, "ticks": False, "labelFontSize": size, "domain": False}
    y_axis = {**shared, "labelExpr": f"{place}[datum.value - 0.5]", "labelLimit": scope.layout.width // 2}
    x_axis = {**shared, "labelExpr": f"{heads}[datum.value - 0.5]", "orient": "top", "labelOverlap": False}
    if many and not is_wide(scope.layout):
        x_axis |= {"labelAngle": -90, "labelFontSize": 6.5}
    x = quantity("x", None, (0.0, float(count)), **x_axis)
    y = quantity("y", None, (0.0, float(count)), **y_axis)
    y["scale"] |= {"reverse": True}
    cells = {pair: (chosen.index(pair[1]), chosen.index(pair[0])) for pair in shown}
    layers = [
        *_squares([(at, at) for at in range(count)], x, y, LINE),
        *_squares(
            [cells[pair] for pair, way in shown.items() if way == UNTESTED], x, y, striped(MUTED, count=5)
        ),
        _lattice(count, x, y),
        *_triangles([cells[pair] for pair, way in shown.items() if way == UP], x, y, BLUE, -1.0),
        *_triangles([cells[pair] for pair, way in shown.items() if way == DOWN], x, y, ORANGE, 1.0),
        *_circles([cells[pair] for pair, way in shown.items() if way == LEVEL_WITH], x, y, many=many),
        *_legend(scope, count, x, y),
    ]
    return chart(layers, scope.layout, height=step * count + 10)


def _squares(cells: Sequence[tuple[int, int]], x: Spec, y: Spec, color: Any) -> list[Spec]:
    """Declare filled cells."""
    if not cells:
        return []
    rows = [{"x": column, "x2": column + 1, "y": row, "y2": row + 1} for column, row in cells]
    place = {"x": x, "x2": {"field": "x2"}, "y": y, "y2": {"field": "y2"}}
    return [{"data": {"values": rows}, "mark": {"type": "rect", "color": color}, "encoding": place}]


def _lattice(count: int, x: Spec, y: Spec) -> Spec:
    """Declare the lines between cells, as one path."""
    rows: list[dict[str, Any]] = []
    for at in range(count + 1):
        for ends in (((at, 0), (at, count)), ((0, at), (count, at))):
            rows += [{"x": column, "y": row} for column, row in ends]
            rows.append({"x": None, "y": None})
    return _path(rows, x, y, stroke=LINE, strokeWidth=0.7)


def _path(rows: list[dict[str, Any]], x: Spec, y: Spec, **mark: Any) -> Spec:
    """Declare one path of several pieces."""
    ordered = [{**row, "at": place} for place, row in enumerate(rows)]
    order = {"field": "at", "type": "quantitative"}
    return {
        "data": {"values": ordered},
        "mark": {"type": "line", "invalid": "break-paths-show-domains", **mark},
        "encoding": {"x": x, "y": y, "order": order},
    }


def _triangles(cells: Sequence[tuple[int, int]], x: Spec, y: Spec, color: str, way: float) -> list[Spec]:
    """Declare triangles that point up (-1) or down (1)."""
    rows: list[dict[str, Any]] = []
    for column, row in cells:
        corners = (
            (0.5, 0.5 + 0.3 * way),
            (0.8, 0.5 - 0.24 * way),
            (0.2, 0.5 - 0.24 * way),
            (0.5, 0.5 + 0.3 * way),
        )
        rows += [{"x": column + dx, "y": row + dy} for dx, dy in corners]
        rows.append({"x": None, "y": None})
    return [_path(rows, x, y, fill=color, stroke=color, strokeWidth=0.5)] if rows else []


def _circles(cells: Sequence[tuple[int, int]], x: Spec, y: Spec, *, many: bool) -> list[Spec]:
    """Declare rings: round ends of strokes without length, a smaller white one upon a gray one."""
    rows: list[dict[str, Any]] = []
    for column, row in cells:
        rows += [{"x": column + 0.5, "y": row + 0.5}] * 2
        rows.append({"x": None, "y": None})
    if not rows:
        return []
    outer, inner = (5.5, 3.5) if many else (12.0, 8.6)
    return [
        _path(rows, x, y, stroke=color, strokeWidth=width, strokeCap="round")
        for color, width in ((MUTED, outer), ("#ffffff", inner))
    ]


def _legend(scope: Scope, count: int, x: Spec, y: Spec) -> list[Spec]:
    """Declare a legend of the signs; its own marks stand outside the grid and are not seen."""
    texts = scope.texts
    words = [say(texts, f"grid.{way}") for way in (UP, DOWN, LEVEL_WITH, UNTESTED)]
    letters = 60 if is_wide(scope.layout) else 24
    wide = [wrapped(word, letters) for word in words]
    rows = [{"x": -9.0, "y": -9.0, "series": word} for word in wide]
    scales = {
        "fill": [BLUE, ORANGE, "#ffffff", striped(MUTED, count=5)],
        "stroke": [BLUE, ORANGE, MUTED, MUTED],
        "shape": ["triangle-up", "triangle-down", "circle", "square"],
    }
    legend = {"labelExpr": "split(datum.label, '\\n')", "columns": 2, "symbolSize": 90}
    given = {
        channel: {
            "field": "series",
            "type": "nominal",
            "scale": {"domain": wide, "range": values},
            "legend": legend,
        }
        for channel, values in scales.items()
    }
    mark = {"type": "point", "clip": True}
    return [{"data": {"values": rows}, "mark": mark, "encoding": {"x": x, "y": y, **given}}]


def _grid_table(pairs: Mapping[Pair, Row], ways: Mapping[Pair, str], scope: Scope, by: str) -> Behind:
    """Write each pair once."""
    texts = scope.texts
    table = Behind(
        texts=texts,
        labels=[texts.say("column.group"), say(texts, "column.reference")],
        extras=[say(texts, "column.p"), say(texts, "column.finding")],
    )
    for (first, second), row in pairs.items():
        p = row.get("p_value")
        word = _p_word(p, scope) if p is not None and is_published(row) else ""
        finding = "" if row["suppressed_because"] else say(texts, f"pair.{ways[first, second]}")
        table.add([scope.label(by, first), scope.label(by, second)], row, [word, finding])
    return table


def _p_word(value: float, scope: Scope) -> str:
    """Write a p-value."""
    return "<" + scope.texts.number(0.001, 3) if value < 0.001 else scope.texts.number(value, 3)


def _grid_told(chosen: Sequence[str], shown: Mapping[Pair, str], scope: Scope, by: str) -> list[str]:
    """Tell each row of the grid: than how many it is higher, lower, not different."""
    told = []
    for group in chosen:
        ways = [shown[group, other] for other in chosen if (group, other) in shown]
        numbers = {"up": ways.count(UP), "down": ways.count(DOWN), "same": ways.count(LEVEL_WITH)}
        told.append(say(scope.texts, "grid_row", label=scope.label(by, group), **numbers))
    return told


def gap_bars(
    estimates: pl.DataFrame, scope: Scope, *, gaps: Sequence[str | tuple[str, str]], statistic: str = "gap"
) -> Figure:
    """Draw gaps between two groups with their intervals around a line at zero.

    Parameters
    ----------
    estimates : polars.DataFrame
        Tidy rows whose group is ``<first>-<second>``, first minus second (within places ``01+F-M``).
    scope : Scope
        Subject, language, names, width.
    gaps : Sequence of str or tuple of (str, str)
        Groupings, all gaps of each, or (grouping, group), top to bottom.
    statistic : str, default "gap"
        Statistic of the rows.

    Returns
    -------
    Figure
        Bars with intervals; the title counts or names only gaps whose interval leaves out 0.

    Raises
    ------
    EstimationError
        If there is no gap.
    """
    texts = scope.texts
    rows: list[Row] = []
    for gap in gaps:
        by, groups = (gap, None) if isinstance(gap, str) else (gap[0], [gap[1]])
        rows += scope.rows(estimates, by=by, statistics=[statistic], groups=groups)
    scope.needed([row for row in rows if is_published(row)], f"{statistic} by {', '.join(map(str, gaps))}")
    one_pair = len({_codes(row) for row in rows}) == 1 and len(rows) > 1
    named = [(_gap_label(row, scope, with_pair=not one_pair), row) for row in rows]
    title = _gap_title(rows, scope, one_pair=one_pair)
    key = scope.key("gaps", *dict.fromkeys(str(row["by"]) for row in rows))
    pair = _pair_words(rows[0], scope)
    axis = say(texts, "axis_gap_of", first=pair[0], second=pair[1]) if one_pair else say(texts, "axis_gap")
    table = Behind(texts=texts, labels=[texts.say("column.group")], extras=[say(texts, "column.finding")])
    for label, row in named:
        table.add([label], row, ["" if row["suppressed_because"] else say(texts, f"gap.{direction(row)}")])
    told = [in_words(label, row, texts) for label, row in named]
    return Figure(
        key=key,
        title=title,
        svg=finished(_gap_chart(named, scope, axis), key=key, language=scope.language),
        note=note_of(say(texts, "gap_note"), counts(rows, texts), hidden_note(named, texts)),
        alternative=sentence(say(texts, "gap_alternative", count=len(rows)), told),
        table=table.table(title),
    )


def _codes(row: Row) -> Pair:
    """Read the two groups of a gap; an own word stands for itself."""
    first, _, second = str(row["group"]).rsplit(JOIN, 1)[-1].partition("-")
    return first, second


def _pair_words(row: Row, scope: Scope) -> Pair:
    """Name the two groups of a gap."""
    by = str(row["by"]).rsplit(JOIN, 1)[-1]
    first, second = _codes(row)
    return scope.label(by, first), scope.label(by, second) if second else ""


def _gap_label(row: Row, scope: Scope, *, with_pair: bool) -> str:
    """Name a row: the place where all rows have one pair, else the pair and its place."""
    by, group = str(row["by"]), str(row["group"])
    place = scope.label(by.rsplit(JOIN, 1)[0], group.rsplit(JOIN, 1)[0]) if JOIN in group else ""
    if place and not with_pair:
        return place
    first, second = _pair_words(row, scope)
    pair = f"{first} – {second}" if second else first
    if place:
        return f"{place}: {pair}"
    return pair if with_pair else scope.texts.say("group.nation.all")


def _gap_title(rows: Sequence[Row], scope: Scope, *, one_pair: bool) -> str:
    """Name or count the gaps whose interval leaves out 0."""
    texts = scope.texts
    ways = [direction(row) for row in rows]
    tested = [(row, way) for row, way in zip(rows, ways, strict=True) if way != UNTESTED]
    if not tested:
        return say(texts, "gap_title_untested", **scope.words)
    numbers = {"up": ways.count(UP), "down": ways.count(DOWN), "same": ways.count(LEVEL_WITH)}
    if len(tested) <= FEW and not one_pair:
        parts = [_gap_part(row, way, scope) for row, way in tested]
        return say(texts, "gap_title", **scope.words, parts="; ".join(parts))
    if one_pair:
        first, second = _pair_words(rows[0], scope)
        return say(texts, "gap_title_places", **scope.words, first=first, second=second, **numbers)
    different = numbers["up"] + numbers["down"]
    return say(texts, "gap_title_counts", **scope.words, different=different, count=len(tested))


def _gap_part(row: Row, way: str, scope: Scope) -> str:
    """Say one gap."""
    texts, (first, second) = scope.texts, _pair_words(row, scope)
    size = amount(row["estimate"], kind_of(str(row["statistic"])), texts)
    return say(texts, f"gap_part_{way}", first=first, second=second, size=size)


def _gap_chart(named: Sequence[tuple[str, Row]], scope: Scope, axis_title: str) -> Spec:
    """Declare bars from zero with intervals; those that hold zero are pale, with an open sign."""
    texts, letters = scope.texts, scope.layout.label_letters
    words = {way: say(texts, f"gap.{way}") for way in (UP, LEVEL_WITH, DOWN, UNTESTED)}
    looks = {
        UP: (BLUE, "triangle-right"), LEVEL_WITH: (MUTED, "circle"), DOWN: (ORANGE, "triangle-left"),
        UNTESTED: (MUTED, "cross"),
    }  # fmt: skip
    rows, hidden = [], []
    for label, row in named:
        name, way = wrapped(label, letters), direction(row)
        if not is_published(row):
            hidden.append({"name": name, "word": say(texts, "not_published")})
            continue
        ends = (row["ci_low"], row["ci_high"])
        low, high = ends if None not in ends else (None, None)
        rows.append(
            {"name": name, "series": words[way], "estimate": row["estimate"], "low": low, "high": high}
        )
    present = [way for way in words if any(row["series"] == words[way] for row in rows)]
    given = [Style(word=words[way], color=looks[way][0], shape=looks[way][1]) for way in present]
    names = list(dict.fromkeys(wrapped(label, letters) for label, _ in named))
    drawn = [row[end] for row in rows for end in ("estimate", "low", "high")]
    x = quantity("estimate", axis_title, value_range(drawn, holds=[0.0]))
    y = names_axis(names, scope.layout)
    fills = {"above": "#bcd9ee", "below": "#f6cfb4", "none": "#e6e9ee"}
    colors = {UP: fills["above"], DOWN: fills["below"], LEVEL_WITH: fills["none"], UNTESTED: fills["none"]}
    fill = {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": [words[way] for way in present], "range": [colors[way] for way in present]},
        "legend": None,
    }
    bar = {
        "data": {"values": [{**row, "zero": 0.0} for row in rows]},
        "mark": {"type": "bar", "height": {"band": 0.66}},
        "encoding": {"y": y, "x": {**x, "field": "zero"}, "x2": {"field": "estimate"}, "fill": fill},
    }
    layers = [*hidden_words(hidden, y), bar, zero_line(x), *_one_series_each(rows, x, y, given)]
    spec = chart(layers, scope.layout, height=row_height(names))
    spec["resolve"] = {"scale": {"fill": "independent"}}
    return spec


def _one_series_each(
    rows: Sequence[Mapping[str, Any]], x: Spec, y: Spec, given: Sequence[Style]
) -> list[Spec]:
    """Declare points with intervals; a legend stands also above a single kind, since its sign means something."""
    layers = interval_layers(rows, x, y, given)
    for layer in layers:
        for channel in ("color", "shape"):
            if channel in layer["encoding"]:
                layer["encoding"][channel] = {**layer["encoding"][channel], "legend": {}}
    return layers
