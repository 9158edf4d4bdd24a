"""Stacked bars of proficiency levels that part at the minimum level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from lsakit.errors import EstimationError
from lsakit.tables.charts import INK, MUTED, Spec
from lsakit.tables.figures import LEVELS, Figure, Place
from lsakit.tables.publication import Row
from lsakit.tables.standard_figures.behind import Behind
from lsakit.tables.standard_figures.drawing import (
    chart,
    finished,
    hidden_words,
    is_wide,
    names_axis,
    quantity,
    striped,
    wrapped,
    zero_line,
)
from lsakit.tables.standard_figures.scope import Scope
from lsakit.tables.standard_figures.wording import (
    bounds,
    counts,
    has_interval,
    hidden_note,
    in_words,
    is_published,
    note_of,
    say,
    sentence,
)

# Six grays that differ in print, and stripes for every level below the minimum.
COLORS = ("#a8480a", "#f0a868", "#e3eef8", "#9cc4e6", "#3f86c4", "#0b3f73")
LIGHT_INK = "#ffffff"
LEAST_WRITTEN = {"wide": 4.0, "narrow": 8.0}
STEP = 34


def stacked_levels(
    estimates: pl.DataFrame, scope: Scope, *, places: Sequence[Place], minimum: str = "level_2"
) -> Figure:
    """Draw the shares of students at each level, those below the minimum to the left of zero.

    Parameters
    ----------
    estimates : polars.DataFrame
        Tidy rows: ``below_1``, ``level_1`` … ``level_5`` and ``at_or_above_2`` of the places.
    scope : Scope
        Subject, language, names, width.
    places : Sequence of tuple of (str, str, str)
        Places as (grouping, group, label), top to bottom; an empty label is looked up.
    minimum : str, default "level_2"
        First level to the right of zero.

    Returns
    -------
    Figure
        Bars whose parts bear their shares; striped below the minimum, light to dark above it.

    Raises
    ------
    EstimationError
        If no place has a share, or the minimum is no level.
    """
    texts = scope.texts
    if minimum not in LEVELS[1:]:
        raise EstimationError(
            f"The 'minimum' parameter must be one of {', '.join(LEVELS[1:])}. Got {minimum!r}.",
            param="minimum",
            got=minimum,
        )
    reached_name = f"at_or_above_{minimum.rsplit('_', 1)[-1]}"
    bars: dict[str, dict[str, Row]] = {}
    for by, group, label in places:
        rows = scope.rows(estimates, by=by, statistics=[*LEVELS, reached_name], groups=[group])
        if rows:
            bars[label or scope.label(by, group)] = {row["statistic"]: row for row in rows}
    whole = {label: own for label, own in bars.items() if set(LEVELS) <= set(own)}
    drawn = [label for label, own in whole.items() if _is_drawn(own)]
    scope.needed(drawn, "shares of all levels")
    title = _title(bars, places, scope, reached_name)
    key = scope.key("levels-about-minimum")
    named = [(label, row) for label, own in bars.items() for row in own.values()]
    table = Behind(texts=texts, labels=[texts.say("column.group"), texts.say("section.levels")])
    for label, row in named:
        table.add([label, _word(row, scope)], row)
    told = [in_words(f"{label}, {_word(row, scope)}", row, texts) for label, row in named]
    number = minimum.rsplit("_", 1)[-1]
    return Figure(
        key=key,
        title=title,
        svg=finished(_bars(whole, scope, minimum), key=key, language=scope.language),
        note=note_of(
            say(texts, "levels_note", level=number),
            counts([row for _, row in named], texts),
            hidden_note([(label, own["below_1"]) for label, own in whole.items()], texts),
        ),
        alternative=sentence(say(texts, "levels_alternative", level=number), told),
        table=table.table(title),
    )


def _is_drawn(own: Mapping[str, Row]) -> bool:
    """Tell whether all levels of a place may be shown."""
    return all(is_published(own.get(level)) for level in LEVELS)


def _word(row: Row, scope: Scope) -> str:
    """Name a level or a cumulative share."""
    name = str(row["statistic"])
    if name in LEVELS:
        return scope.texts.say(f"level.{name}")
    return say(scope.texts, "at_or_above", level=name.rsplit("_", 1)[-1])


def _title(
    bars: Mapping[str, Mapping[str, Row]], places: Sequence[Place], scope: Scope, reached_name: str
) -> str:
    """Say the share of the first place that reaches the minimum, with its interval."""
    texts = scope.texts
    label = places[0][2] or scope.label(places[0][0], places[0][1])
    reached = bars.get(label, {}).get(reached_name)
    values = {**scope.words, "place": label, "level": reached_name.rsplit("_", 1)[-1]}
    if reached is None or not is_published(reached):
        return say(texts, "levels_title_untold", **values)
    share = texts.share(reached["estimate"])
    if not has_interval(reached):
        return say(texts, "levels_title_alone", **values, share=share)
    return say(texts, "levels_title", **values, share=share, interval=bounds(reached, "share", texts))


def _parts(label: str, own: Mapping[str, Row], minimum: str, scope: Scope) -> list[dict[str, Any]]:
    """Place the parts of a bar about zero: below the minimum to the left."""
    texts, border = scope.texts, LEVELS.index(minimum)
    at = -100.0 * sum(own[level]["estimate"] for level in LEVELS[:border])
    found = []
    for order, level in enumerate(LEVELS):
        share = 100.0 * own[level]["estimate"]
        dark = order in (0, 4, 5)
        found.append(
            {
                "name": label,
                "level": texts.say(f"level.{level}"),
                "start": at,
                "end": at + share,
                "share": share,
                "middle": at + share / 2,
                "word": texts.number(share),
                "ink": LIGHT_INK if dark and order >= border else INK,
                "is_below": order < border,
            }
        )
        at += share
    return found


def _bars(whole: Mapping[str, Mapping[str, Row]], scope: Scope, minimum: str) -> Spec:
    """Declare the parts, their shares, the sums at both ends."""
    texts, letters = scope.texts, scope.layout.label_letters
    parts, hidden, sums = [], [], []
    for label, own in whole.items():
        name = wrapped(label, letters)
        if not _is_drawn(own):
            hidden.append({"name": name, "word": say(texts, "not_published")})
            continue
        mine = _parts(name, own, minimum, scope)
        parts += mine
        sums.append(
            {
                "name": name,
                "at": mine[0]["start"],
                "word": texts.number(-mine[0]["start"], 1) + "%",
                "side": -1,
            }
        )
        sums.append(
            {"name": name, "at": mine[-1]["end"], "word": texts.number(mine[-1]["end"], 1) + "%", "side": 1}
        )
    names = [wrapped(label, letters) for label in whole]
    low, high = min(part["start"] for part in parts), max(part["end"] for part in parts)
    room = 0.09 * (high - low) if is_wide(scope.layout) else 0.24 * (high - low)
    sign = "format(abs(datum.value), '.0f')"
    x = quantity("start", texts.say("axis.share"), (low - room, high + room), labelExpr=sign, grid=False)
    y = names_axis(names, scope.layout)
    words = [texts.say(f"level.{level}") for level in LEVELS]
    border = LEVELS.index(minimum)
    fills: list[Any] = [*COLORS[:border], *COLORS[border:]]
    fills = [striped(color, upright=True) if at < border else color for at, color in enumerate(fills)]
    color = {"field": "level", "type": "nominal", "sort": words, "scale": {"domain": words, "range": fills}}
    color["legend"] = {
        "symbolType": "square",
        "symbolSize": 170,
        "symbolStrokeColor": MUTED,
        "symbolStrokeWidth": 0.5,
    }
    least = LEAST_WRITTEN[scope.layout.name]
    place = {"y": y, "x": x, "x2": {"field": "end"}}
    bar = {"type": "bar", "stroke": INK, "strokeWidth": 0.5, "height": {"band": 0.74}}
    written = [part for part in parts if part["share"] >= least]
    text = {"y": y, "x": {**x, "field": "middle"}, "text": {"field": "word", "type": "nominal"}}
    layers: list[Spec] = [
        *hidden_words(hidden, y),
        {"data": {"values": parts}, "mark": bar, "encoding": {**place, "color": color}},
        zero_line(x),
        {
            "data": {"values": [part for part in written if part["is_below"]]},
            "mark": {
                "type": "text",
                "fontSize": 11,
                "stroke": "white",
                "strokeWidth": 5,
                "strokeJoin": "round",
            },
            "encoding": text,
        },
        {
            "data": {"values": written},
            "mark": {"type": "text", "fontSize": 11},
            "encoding": {**text, "color": {"field": "ink", "type": "nominal", "scale": None}},
        },
    ]
    for side, align, away in ((-1, "right", -5), (1, "left", 5)):
        mark = {"type": "text", "align": align, "dx": away, "fontSize": 10.5, "fontWeight": 600, "color": INK}
        own_sums = {"values": [row for row in sums if row["side"] == side]}
        ends = {"y": y, "x": {**x, "field": "at"}, "text": {"field": "word", "type": "nominal"}}
        layers.append({"data": own_sums, "mark": mark, "encoding": ends})
    lines = max(name.count("\n") + 1 for name in names)
    step = max(STEP if len(names) <= 12 else 22, 14 * lines + 6)
    return chart([layer for layer in layers if layer["data"]["values"]], scope.layout, height={"step": step})
