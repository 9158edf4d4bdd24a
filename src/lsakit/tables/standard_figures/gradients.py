"""Achievement by socio-economic index: gradient lines, and means of groups against their mean index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from lsakit.tables import charts
from lsakit.tables.chart_parts import spread_labels, text_layer
from lsakit.tables.charts import INK, MUTED, Spec
from lsakit.tables.figures import DIFFERENCE, Figure, Place
from lsakit.tables.publication import PublicationTable, Row
from lsakit.tables.standard_figures.behind import Behind
from lsakit.tables.standard_figures.drawing import (
    Style,
    by_style,
    chart,
    finished,
    hidden_words,
    interval_layers,
    is_wide,
    names_axis,
    quantity,
    row_height,
    styles,
    value_range,
    wrapped,
)
from lsakit.tables.standard_figures.scope import ALL, JOIN, NATION, Scope
from lsakit.tables.standard_figures.wording import (
    DOWN,
    LEVEL_WITH,
    UNTESTED,
    UP,
    amount,
    bounds,
    counts,
    direction,
    has_interval,
    hidden_note,
    in_words,
    is_published,
    note_of,
    say,
    sentence,
)

QUARTER = "ses_quarter"
SLOPE, STRENGTH, LEVEL, INDEX = "slope", "strength", "level", "ses_mean"
MOST_LINES, MOST_NAMED, HEIGHT = 5, 12, 320


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One place of the gradient: its points, its index means, its slope and strength."""

    label: str
    points: tuple[Row, ...]
    index: Mapping[str, float]
    slope: Row | None
    strength: Row | None


def gradient_lines(
    estimates: pl.DataFrame,
    scope: Scope,
    *,
    places: Sequence[Place] = ((NATION, ALL, ""),),
    by: str = QUARTER,
) -> Figure:
    """Draw the means of the quarters of the socio-economic index, a line per place.

    Parameters
    ----------
    estimates : polars.DataFrame
        Tidy rows. Points: statistic ``"mean"`` by ``ses_quarter`` (of the nation; groups ``1`` … ``4``) and by
        ``<by of the place>+ses_quarter`` (groups such as ``01+1``). Slope and strength, where they are known:
        statistics ``"slope"`` (points per unit of the index) and ``"strength"`` (share of variance, 0 to 1) of the
        place itself. Where every quarter has a ``"ses_mean"``, it is the place on the x axis; else the four quarters
        stand at equal distance.
    scope : Scope
        Subject, language, names, width.
    places : Sequence of tuple of (str, str, str), optional
        Places as (grouping, group, label); the nation by default. An empty label is looked up.
    by : str, default "ses_quarter"
        Grouping of the points.

    Returns
    -------
    Figure
        The title tells the slope of the first place where its interval leaves out 0, says "no significant relation"
        where it does not, and nothing of the kind where no slope is given.

    Raises
    ------
    EstimationError
        If no place has a point.
    """
    texts = scope.texts
    lines = [_line(estimates, scope, place, by) for place in places]
    points = [row for line in lines for row in line.points]
    scope.needed([row for row in points if is_published(row)], f"mean by {by}")
    title = _gradient_title(lines[0], scope)
    many = len(lines) > MOST_LINES
    spec = _rows_of_quarters(lines, scope) if many else _lines_of_quarters(lines, scope)
    key = scope.key("gradient", *([] if places[0][0] == NATION else [places[0][1]]))
    named = [(_point_label(line, row, scope), row) for line in lines for row in line.points]
    facts = [text for line in lines if (text := _facts(line, scope))]
    told = [in_words(label, row, texts) for label, row in named]
    note = say(texts, "gradient_rows_note" if many else "gradient_note")
    return Figure(
        key=key,
        title=title,
        svg=finished(spec, key=key, language=scope.language),
        note=note_of(note, " ".join(facts[:MOST_LINES]), counts(points, texts), hidden_note(named, texts)),
        alternative=sentence(
            say(texts, "gradient_alternative"), [*told, *(fact.rstrip(".") for fact in facts)]
        ),
        table=_gradient_table(lines, title, scope),
    )


def _line(estimates: pl.DataFrame, scope: Scope, place: Place, by: str) -> _Line:
    """Take the rows of one place."""
    own_by, group, label = place
    whole = own_by == NATION
    keys = by if whole else JOIN.join((own_by, by))
    rows = scope.rows(estimates, by=keys, statistics=["mean", INDEX])
    start = "" if whole else group + JOIN
    own = [row for row in rows if str(row["group"]).startswith(start)]
    index = {
        str(row["group"]).removeprefix(start): float(row["estimate"])
        for row in own
        if row["statistic"] == INDEX and is_published(row)
    }
    facts = scope.rows(estimates, by=own_by, statistics=[SLOPE, STRENGTH], groups=[group])
    by_name = {row["statistic"]: row for row in facts}
    return _Line(
        label=label or scope.label(own_by, group),
        points=tuple(row for row in own if row["statistic"] == "mean"),
        index=index,
        slope=by_name.get(SLOPE),
        strength=by_name.get(STRENGTH),
    )


def _quarter(row: Row) -> str:
    """Give the code of the quarter of a point."""
    return str(row["group"]).rsplit(JOIN, 1)[-1]


def _point_label(line: _Line, row: Row, scope: Scope) -> str:
    """Name a point by its place and quarter."""
    return f"{line.label}, {scope.label(QUARTER, _quarter(row))}"


def _gradient_title(line: _Line, scope: Scope) -> str:
    """Say the slope where it is one; nothing of a relation where none was estimated."""
    texts, way = scope.texts, direction(line.slope)
    values = {**scope.words, "place": line.label}
    if way == UNTESTED or line.slope is None:
        return say(texts, "gradient_title_untested", **values)
    if way == LEVEL_WITH:
        return say(texts, "gradient_title_none", **values)
    size = amount(line.slope["estimate"], "score", texts)
    strength = line.strength
    if strength is not None and is_published(strength):
        share = texts.share(strength["estimate"])
        return say(texts, f"gradient_title_{way}_strength", **values, size=size, share=share)
    return say(texts, f"gradient_title_{way}", **values, size=size)


def _facts(line: _Line, scope: Scope) -> str:
    """Write slope and strength of a place with their intervals."""
    texts, parts = scope.texts, []
    for row, word in ((line.slope, SLOPE), (line.strength, STRENGTH)):
        if row is None or not is_published(row):
            continue
        is_share = word == STRENGTH
        number = texts.share(row["estimate"]) if is_share else texts.number(row["estimate"], 1)
        end = bounds(row, "share" if is_share else "score", texts) if has_interval(row) else ""
        parts.append(say(texts, f"fact_{word}", number=number) + (f" ({end})" if end else ""))
    return f"{line.label}: {', '.join(parts)}." if parts else ""


def _has_index(lines: Sequence[_Line]) -> bool:
    """Tell whether every drawn point has a mean index, and so a place of its own on the axis."""
    return all(
        _quarter(row) in line.index for line in lines for row in line.points if is_published(row)
    ) and any(line.index for line in lines)


def _lines_of_quarters(lines: Sequence[_Line], scope: Scope) -> Spec:
    """Declare a line per place with an interval at each quarter."""
    texts, given = scope.texts, styles([line.label for line in lines])
    on_index = _has_index(lines)
    quarters = sorted({_quarter(row) for line in lines for row in line.points})
    points: list[dict[str, Any]] = []
    for place, line in enumerate(lines):
        shift = 0.0 if on_index else 0.07 * (place - (len(lines) - 1) / 2)
        for row in line.points:
            if is_published(row):
                code = _quarter(row)
                at = line.index[code] if on_index else quarters.index(code) + 1 + shift
                points.append({"x": at, "series": line.label, **_numbers(row)})
    ends = [point["x"] for point in points]
    low, high = (min(ends), max(ends)) if on_index else (1.0, float(len(quarters)))
    span = max(high - low, 1.0)
    longest = max((len(line.label) for line in lines), default=0) if len(lines) > 1 else 0
    room = min((6.6 * longest + 20) / (scope.layout.width - 60), 0.48)
    right = high + span * (0.1 + room / (1 - room))
    words = {str(at + 1): _axis_word(code, scope) for at, code in enumerate(quarters)}
    axis: dict[str, Any] = {"grid": False}
    if not on_index:
        chosen = "".join(f"datum.value == {at} ? {list_of(word)} : " for at, word in words.items())
        axis |= {
            "values": list(range(1, len(quarters) + 1)),
            "labelExpr": f"{chosen}''",
            "labelOverlap": False,
        }
    x = quantity(
        "x", say(texts, "axis_index" if on_index else "axis_quarter"), (low - 0.12 * span, right), **axis
    )
    domain = value_range([point[end] for point in points for end in ("estimate", "low", "high")], room=0.1)
    y = quantity("estimate", texts.say("axis.score"), domain)
    return chart(_gradient_layers(points, x, y, given, domain), scope.layout, height=HEIGHT)


def list_of(word: str) -> str:
    """Write lines of words as an array of the drawing library's language.

    Parameters
    ----------
    word : str
        Words with line breaks.

    Returns
    -------
    str
        Such as ``['a', 'b']``.
    """
    quoted = ", ".join("'" + part.replace("'", "\\'") + "'" for part in word.split("\n"))
    return f"[{quoted}]"


def _axis_word(code: str, scope: Scope) -> str:
    """Name a quarter below the axis."""
    return wrapped(scope.label(QUARTER, code), 20 if is_wide(scope.layout) else 11)


def _numbers(row: Row) -> dict[str, Any]:
    """Reduce an estimate to what is drawn."""
    low, high = (row["ci_low"], row["ci_high"]) if has_interval(row) else (None, None)
    return {"estimate": row["estimate"], "low": low, "high": high}


def _gradient_layers(
    points: Sequence[dict[str, Any]], x: Spec, y: Spec, given: Sequence[Style], domain: tuple[float, float]
) -> list[Spec]:
    """Declare lines, intervals, points and the names at the ends."""
    color, shape = by_style(given, legend=False)
    values = {"values": list(points)}
    known = {"values": [point for point in points if point["low"] is not None]}
    layers: list[Spec] = [
        {
            "data": values,
            "mark": {"type": "line", "strokeWidth": 2},
            "encoding": {"x": x, "y": y, "color": color},
        },
        {
            "data": known,
            "mark": {"type": "rule", "strokeWidth": 2.4},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": color},
        },
        {
            "data": values,
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
    if len(given) < 2:
        return layers
    last = [
        (style, max(own, key=lambda point: point["x"]))
        for style in given
        if (own := [point for point in points if point["series"] == style.word])
    ]
    places = spread_labels([end["estimate"] for _, end in last], *domain)
    at = max(end["x"] for _, end in last)
    words = [
        {"x": at, "estimate": place, "word": style.word, "ink": style.color}
        for (style, _), place in zip(last, places, strict=True)
    ]
    return [*layers, *text_layer(words, x, y, dx=11)]


def _rows_of_quarters(lines: Sequence[_Line], scope: Scope) -> Spec:
    """Declare a row per place with a point per quarter."""
    texts, letters = scope.texts, scope.layout.label_letters
    quarters = sorted({_quarter(row) for line in lines for row in line.points})
    words = {code: scope.label(QUARTER, code) for code in quarters}
    rows, hidden = [], []
    for line in lines:
        name = wrapped(line.label, letters)
        for row in line.points:
            if is_published(row):
                rows.append({"name": name, "series": words[_quarter(row)], **_numbers(row)})
        if not any(is_published(row) for row in line.points):
            hidden.append({"name": name, "word": say(texts, "not_published")})
    names = list(dict.fromkeys(wrapped(line.label, letters) for line in lines))
    x = quantity(
        "estimate",
        texts.say("axis.score"),
        value_range([row[e] for row in rows for e in ("estimate", "low", "high")]),
    )
    y = names_axis(names, scope.layout)
    layers = [*hidden_words(hidden, y), *interval_layers(rows, x, y, styles(list(words.values())), size=36)]
    return chart(layers, scope.layout, height=row_height(names, series=len(quarters)))


def _gradient_table(lines: Sequence[_Line], title: str, scope: Scope) -> PublicationTable:
    """Write the points, then slope and strength of each place."""
    texts = scope.texts
    table = Behind(texts=texts, labels=[texts.say("column.group"), say(texts, "column.what")])
    for line in lines:
        for row in line.points:
            table.add([line.label, scope.label(QUARTER, _quarter(row))], row)
        for fact, word in ((line.slope, SLOPE), (line.strength, STRENGTH)):
            if fact is not None:
                table.add([line.label, say(texts, f"column.{word}")], fact)
    return table.table(title)


def scatter_mean_by_ses(
    estimates: pl.DataFrame,
    scope: Scope,
    *,
    by: str = "province_code",
    groups: Sequence[str] | None = None,
    labeled: Sequence[str] | None = None,
) -> Figure:
    """Draw the means of groups against the means of their socio-economic index, both with intervals.

    Parameters
    ----------
    estimates : polars.DataFrame
        Tidy rows: statistics ``"mean"`` and ``"ses_mean"`` of the groups; where known ``"level"`` and ``"slope"`` of
        the nation, which give the trend line (the relation among students, not among groups), and
        ``"difference_to_nation"`` of the groups, which gives shape and color.
    scope : Scope
        Subject, language, names, width.
    by : str, default "province_code"
        Grouping.
    groups : Sequence of str, optional
        Groups; all by code by default.
    labeled : Sequence of str, optional
        Groups named in the drawing; by default all up to twelve, else none by name but every one by its code.

    Returns
    -------
    Figure
        Points with intervals; suppressed groups are named in the note and the table.

    Raises
    ------
    EstimationError
        If no group has both numbers.
    """
    texts = scope.texts
    rows = scope.rows(estimates, by=by, statistics=["mean", INDEX], groups=groups)
    pairs: dict[str, dict[str, Row]] = {}
    for row in rows:
        pairs.setdefault(str(row["group"]), {})[row["statistic"]] = row
    whole = {group: pair for group, pair in pairs.items() if len(pair) == 2}
    drawn = {group: pair for group, pair in whole.items() if all(map(is_published, pair.values()))}
    scope.needed(drawn, f"mean and {INDEX} by {by}")
    line = {row["statistic"]: row for row in scope.rows(estimates, by=NATION, statistics=[LEVEL, SLOPE])}
    tests = {
        str(row["group"]): direction(row) for row in scope.rows(estimates, by=by, statistics=[DIFFERENCE])
    }
    few = list(drawn) if labeled is None and len(drawn) <= MOST_NAMED else list(labeled or ())
    spec = _scatter(drawn, line, tests, scope, by=by, few=few)
    title = _scatter_title(line.get(SLOPE), scope)
    key = scope.key("mean-by-ses", by)
    named = [(scope.label(by, group), row) for group, pair in whole.items() for row in pair.values()]
    told = [in_words(_what(label, row, scope), row, texts) for label, row in named]
    trend = say(texts, "scatter_line_note") if _has_line(line) else ""
    coded = "" if len(few) == len(drawn) else say(texts, "scatter_codes_note")
    table = Behind(texts=texts, labels=[texts.say("column.group"), say(texts, "column.what")])
    for label, row in named:
        table.add([label, say(texts, f"column.{row['statistic']}")], row)
    means = [pair["mean"] for pair in drawn.values()]
    return Figure(
        key=key,
        title=title,
        svg=finished(spec, key=key, language=scope.language),
        note=note_of(
            say(texts, "scatter_note"), trend, coded, counts(means, texts), hidden_note(named, texts)
        ),
        alternative=sentence(say(texts, "scatter_alternative", count=len(drawn)), told),
        table=table.table(title),
    )


def _what(label: str, row: Row, scope: Scope) -> str:
    """Name a number of a group."""
    return f"{label}, {say(scope.texts, 'column.' + str(row['statistic']))}"


def _has_line(line: Mapping[str, Row]) -> bool:
    """Tell whether the trend line is known."""
    return len(line) == 2 and all(map(is_published, line.values()))


def _scatter_title(slope: Row | None, scope: Scope) -> str:
    """Say the relation among students where it is one."""
    way = direction(slope)
    if slope is None or way == UNTESTED:
        return say(scope.texts, "scatter_title_untested", **scope.words)
    size = amount(slope["estimate"], "score", scope.texts)
    return say(scope.texts, f"scatter_title_{way}", **scope.words, size=size)


def _scatter(
    drawn: Mapping[str, Mapping[str, Row]],
    line: Mapping[str, Row],
    tests: Mapping[str, str],
    scope: Scope,
    *,
    by: str,
    few: Sequence[str],
) -> Spec:
    """Declare points with intervals both ways, and the line of the relation among students."""
    texts = scope.texts
    states = {UP: "above", DOWN: "below", LEVEL_WITH: "same", UNTESTED: "untested"}
    points = []
    for group, pair in drawn.items():
        mean, index = _numbers(pair["mean"]), _numbers(pair[INDEX])
        state = texts.say(f"state.{states[tests.get(group, UNTESTED)]}")
        word = scope.label(by, group) if group in few else group
        points.append(
            {
                "x": index["estimate"],
                "x_low": index["low"],
                "x_high": index["high"],
                "series": state,
                "word": word,
            }
            | mean
            | {"ink": INK}
        )
    present = [
        state for state in charts.STATES if any(p["series"] == texts.say(f"state.{state}") for p in points)
    ]
    given = [
        Style(word=texts.say(f"state.{state}"), color=charts.STATES[state][0], shape=charts.STATES[state][1])
        for state in present
    ]
    across = value_range([point[end] for point in points for end in ("x", "x_low", "x_high")], room=0.1)
    upward = value_range([point[end] for point in points for end in ("estimate", "low", "high")], room=0.08)
    x = quantity("x", say(texts, "axis_index_mean"), across)
    y = quantity("estimate", texts.say("axis.score"), upward)
    color, shape = by_style(given, legend=present not in ([], ["untested"]))
    layers: list[Spec] = []
    if _has_line(line):
        level, slope = line[LEVEL]["estimate"], line[SLOPE]["estimate"]
        ends = [{"x": at, "estimate": level + slope * at} for at in across]
        dashed = {"type": "line", "color": MUTED, "strokeDash": [5, 4], "clip": True}
        layers.append({"data": {"values": ends}, "mark": dashed, "encoding": {"x": x, "y": y}})
    thin = {"type": "rule", "strokeWidth": 1.3, "opacity": 0.6}
    standing = [point for point in points if point["low"] is not None]
    lying = [point for point in points if point["x_low"] is not None]
    layers += [
        {
            "data": {"values": standing},
            "mark": thin,
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": color},
        },
        {
            "data": {"values": lying},
            "mark": thin,
            "encoding": {"y": y, "x": {**x, "field": "x_low"}, "x2": {"field": "x_high"}, "color": color},
        },
        {
            "data": {"values": points},
            "mark": {
                "type": "point",
                "filled": True,
                "size": 64,
                "opacity": 1,
                "stroke": "white",
                "strokeWidth": 0.7,
            },
            "encoding": {"x": x, "y": y, "color": color, "shape": shape},
        },
    ]
    words = [{"x": p["x"], "estimate": p["estimate"], "word": p["word"], "ink": INK} for p in points]
    layers += text_layer(words, x, y, dx=8, dy=-8)
    return chart(layers, scope.layout, height=400 if is_wide(scope.layout) else 340)
