"""A map of equal tiles: how each province stands to the nation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import polars as pl

from lsakit.errors import EstimationError
from lsakit.tables.chart_parts import text_layer
from lsakit.tables.charts import INK, LINE, MUTED, STATES, Spec
from lsakit.tables.figures import DIFFERENCE, Figure
from lsakit.tables.publication import Row
from lsakit.tables.standard_figures.behind import Behind
from lsakit.tables.standard_figures.drawing import chart, finished, is_wide, quantity, striped, wrapped
from lsakit.tables.standard_figures.scope import NATION, Scope
from lsakit.tables.standard_figures.wording import (
    DOWN,
    LEVEL_WITH,
    UNTESTED,
    UP,
    counts,
    direction,
    hidden_note,
    in_words,
    is_published,
    note_of,
    say,
    sentence,
)

BY = "province_code"
GAP = 0.04
STATE_OF = {UP: "above", DOWN: "below", LEVEL_WITH: "same", UNTESTED: "untested"}
# Dark, white and middle gray in black and white print.
FILLS = {UP: "#0072b2", LEVEL_WITH: "#ffffff", DOWN: "#f5b98d"}
INKS = {UP: "#ffffff", LEVEL_WITH: INK, DOWN: INK, UNTESTED: INK}
# Where the two archipelagos stand beside the tiles: key of the text, code, column, row.
ARCHIPELAGOS = (("hoang_sa", "48", 5.3, 7.0), ("truong_sa", "56", 5.3, 13.0))
COLUMNS, ROWS = 6.6, 16


def province_tiles() -> pl.DataFrame:
    """Read the layout of the tile map.

    Returns
    -------
    polars.DataFrame
        ``code``, ``column`` (from the west), ``row`` (from the north), ``short`` (name on the tile), ``islands``
        (names of archipelagos and island zones that belong to it, empty without).
    """
    content = files("lsakit.tables.standard_figures").joinpath("province_tiles.csv").read_bytes()
    table = pl.read_csv(content, infer_schema=False)
    return table.with_columns(pl.col("column", "row").cast(pl.Int64), pl.col("islands").fill_null(""))


def province_map(estimates: pl.DataFrame, scope: Scope, *, statistic: str = DIFFERENCE) -> Figure:
    """Draw the 34 provinces as tiles: above, not different from, below the nation, or not published.

    Parameters
    ----------
    estimates : polars.DataFrame
        Tidy rows by ``province_code``: the difference to the nation and the ``mean``.
    scope : Scope
        Subject, language, names (of the table; tiles have their own short names), width.
    statistic : str, default "difference_to_nation"
        Statistic of the differences.

    Returns
    -------
    Figure
        The map; each tile bears name, mean, and the sign of its class.

    Raises
    ------
    EstimationError
        If no province has a difference, or a code has no tile.
    """
    texts = scope.texts
    rows = {str(row["group"]): row for row in scope.rows(estimates, by=BY, statistics=[statistic])}
    means = {str(row["group"]): row for row in scope.rows(estimates, by=BY, statistics=["mean"])}
    scope.needed([row for row in rows.values() if is_published(row)], f"{statistic} by {BY}")
    tiles = province_tiles().to_dicts()
    unknown = sorted((set(rows) | set(means)) - {tile["code"] for tile in tiles})
    if unknown:
        raise EstimationError(
            f"No tile of the map stands for {', '.join(unknown)}.",
            hint="The map knows the 34 provinces by their codes of 2025, such as 01 for Hà Nội.",
            param="estimates",
        )
    ways = {tile["code"]: direction(rows.get(tile["code"])) for tile in tiles}
    found = {"up": UP, "down": DOWN, "same": LEVEL_WITH}
    numbers = {word: sum(way == kind for way in ways.values()) for word, kind in found.items()}
    title = say(texts, "map_title", **scope.words, **numbers)
    key = scope.key("map")
    names = {tile["code"]: scope.names.get(tile["code"], tile["short"]) for tile in tiles}
    codes = sorted(set(rows) | set(means))
    named = [(names[code], rows[code]) for code in codes if code in rows]
    nation = scope.rows(estimates, by=NATION, statistics=["mean"])
    hatched = say(texts, "map_hatched_note") if UNTESTED in ways.values() else ""
    absent = [names[code] for code in names if code not in rows]
    missing = say(texts, "map_absent", named=", ".join(absent)) if absent else ""
    told = [_told(names[code], rows.get(code), means.get(code), scope) for code in codes]
    return Figure(
        key=key,
        title=title,
        svg=finished(_map(tiles, ways, means, scope), key=key, language=scope.language),
        note=note_of(
            say(texts, "map_note"),
            hatched,
            counts([*means.values()], texts),
            hidden_note(named, texts),
            missing,
        ),
        alternative=sentence(say(texts, "map_alternative", **numbers), told),
        table=_table(codes, rows, means, nation, names, scope).table(title),
    )


def _told(name: str, row: Row | None, mean: Row | None, scope: Scope) -> str:
    """Tell a province: its mean, then how it stands."""
    texts = scope.texts
    shown = mean if mean is not None else row
    if shown is None:
        return name
    text = in_words(name, shown, texts)
    return f"{text}, {texts.say(f'state.{STATE_OF[direction(row)]}')}" if is_published(row) else text


def _table(
    codes: Sequence[str],
    rows: Mapping[str, Row],
    means: Mapping[str, Row],
    nation: Sequence[Row],
    names: Mapping[str, str],
    scope: Scope,
) -> Behind:
    """Write nation, means and differences in the order of the codes."""
    texts = scope.texts
    table = Behind(
        texts=texts,
        labels=[texts.say("column.group"), say(texts, "column.what")],
        extras=[texts.say("column.state")],
    )
    for row in nation:
        table.add([texts.say("group.nation.all"), texts.say("column.mean")], row)
    for code in codes:
        if code in means:
            table.add([names[code], texts.say("column.mean")], means[code])
        if code in rows:
            row = rows[code]
            state = texts.say(f"state.{STATE_OF[direction(row)]}") if is_published(row) else ""
            table.add([names[code], say(texts, "column.difference_to_nation")], row, [state])
    return table


def _map(
    tiles: Sequence[Mapping[str, Any]], ways: Mapping[str, str], means: Mapping[str, Row], scope: Scope
) -> Spec:
    """Declare tiles, names, means, signs, archipelagos and the legend."""
    wide = is_wide(scope.layout)
    x = quantity("x", None, (0.0, COLUMNS), labels=False, ticks=False, grid=False, domain=False)
    y = quantity("y", None, (0.0, float(ROWS)), labels=False, ticks=False, grid=False, domain=False)
    y["scale"] |= {"reverse": True}
    by_way: dict[str, list[dict[str, Any]]] = {way: [] for way in (UP, LEVEL_WITH, DOWN, UNTESTED)}
    words = []
    for tile in tiles:
        way = ways[tile["code"]]
        left, top = tile["column"], tile["row"]
        box = {"x": left + GAP, "x2": left + 1 - GAP, "y": top + GAP, "y2": top + 1 - GAP}
        by_way[way].append(box)
        name = wrapped(tile["short"], 20 if wide else 8)
        lines = name.split("\n")
        mean = means.get(tile["code"])
        number = scope.texts.number(mean["estimate"]) if mean is not None and is_published(mean) else ""
        middle = {"x": left + 0.5, "ink": INKS[way]}
        steps = [0.33] if len(lines) == 1 else [0.22, 0.46]
        words += [{**middle, "y": top + at, "word": line} for at, line in zip(steps, lines, strict=False)]
        if number:
            words.append({**middle, "x": left + 0.62, "y": top + 0.75, "word": number, "is_number": True})
    layers: list[Spec] = []
    for way, boxes in by_way.items():
        if boxes:
            fill = striped("#c4cbd4") if way == UNTESTED else FILLS[way]
            mark = {"type": "rect", "fill": fill, "stroke": MUTED, "strokeWidth": 0.8}
            place = {"x": x, "x2": {"field": "x2"}, "y": y, "y2": {"field": "y2"}}
            layers.append({"data": {"values": boxes}, "mark": mark, "encoding": place})
    layers += _signs(tiles, ways, scope, x, y)
    size = 11.5 if wide else 9.5
    text = {"type": "text", "align": "center", "baseline": "middle", "fontSize": size}
    ink = {"field": "ink", "type": "nominal", "scale": None}
    hatched = [row for row in words if _is_on(row, by_way[UNTESTED])]
    place = {"x": x, "y": y, "text": {"field": "word", "type": "nominal"}}
    rim = {**text, "stroke": "white", "strokeWidth": 4, "color": "white"}
    if hatched:
        layers.append({"data": {"values": hatched}, "mark": rim, "encoding": place})
    layers.append({"data": {"values": words}, "mark": text, "encoding": {**place, "color": ink}})
    layers += _islands(scope, x, y)
    return chart(layers, scope.layout, height=(42 if wide else 40) * ROWS)


def _is_on(row: Mapping[str, Any], boxes: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a word stands upon one of some tiles."""
    return any(box["x"] < row["x"] < box["x2"] and box["y"] < row["y"] < box["y2"] for box in boxes)


def _signs(
    tiles: Sequence[Mapping[str, Any]], ways: Mapping[str, str], scope: Scope, x: Spec, y: Spec
) -> list[Spec]:
    """Declare the sign of each tile, and the legend of all kinds."""
    texts = scope.texts
    kinds = (UP, LEVEL_WITH, DOWN, UNTESTED)
    letters = 60 if is_wide(scope.layout) else 22
    words = {way: wrapped(texts.say(f"state.{STATE_OF[way]}"), letters) for way in kinds}
    words[UNTESTED] = wrapped(say(texts, "not_published"), letters)
    colors = {UP: STATES["above"][0], LEVEL_WITH: MUTED, DOWN: STATES["below"][0], UNTESTED: MUTED}
    shapes = {UP: "triangle-up", LEVEL_WITH: "circle", DOWN: "triangle-down", UNTESTED: "cross"}
    rows = [
        {"x": tile["column"] + 0.3, "y": tile["row"] + 0.74, "series": words[ways[tile["code"]]]}
        for tile in tiles
    ]
    domain = [words[way] for way in kinds]
    legend = {"labelExpr": "split(datum.label, '\\n')", "columns": 4 if is_wide(scope.layout) else 2}
    color = {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": domain, "range": [colors[way] for way in kinds]},
        "legend": legend,
    }
    shape = {**color, "scale": {"domain": domain, "range": [shapes[way] for way in kinds]}}
    size = 60 if is_wide(scope.layout) else 40
    # The white rim keeps the sign visible on the dark tile of its own color.
    mark = {
        "type": "point",
        "filled": True,
        "size": size,
        "opacity": 1,
        "stroke": "white",
        "strokeWidth": 1.2,
    }
    place = {"x": x, "y": y, "fill": color, "shape": shape}
    return [{"data": {"values": rows}, "mark": mark, "encoding": place}]


def _islands(scope: Scope, x: Spec, y: Spec) -> list[Spec]:
    """Declare the two archipelagos with the province to which they belong; they have no sample of their own."""
    texts = scope.texts
    boxes, words = [], []
    for key, _, column, row in ARCHIPELAGOS:
        boxes.append({"x": column, "x2": column + 1.26, "y": row + 0.1, "y2": row + 1.2})
        lines = wrapped(say(texts, f"island.{key}"), 20 if is_wide(scope.layout) else 13).split("\n")
        for at, line in enumerate(lines):
            words.append(
                {"x": column + 0.63, "y": row + 0.65 + 0.34 * (at - (len(lines) - 1) / 2), "word": line}
            )
    dashed = {"type": "rect", "fill": "white", "stroke": LINE, "strokeDash": [3, 2]}
    box = {"x": x, "x2": {"field": "x2"}, "y": y, "y2": {"field": "y2"}}
    rows = [{**word, "ink": MUTED, "align": "center"} for word in words]
    layers: list[Spec] = [{"data": {"values": boxes}, "mark": dashed, "encoding": box}]
    texts_of = text_layer(rows, x, y)
    for layer in texts_of:
        layer["mark"]["fontSize"] = 10 if is_wide(scope.layout) else 8.5
    return [*layers, *texts_of]
