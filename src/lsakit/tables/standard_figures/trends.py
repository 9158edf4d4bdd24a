"""Trends: means and shares of levels over cycles, the linking error apart from the error of sampling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from lsakit.tables.charts import Spec
from lsakit.tables.figures import MINIMUM_PROFICIENCY, Figure
from lsakit.tables.publication import Row
from lsakit.tables.standard_figures.behind import Behind
from lsakit.tables.standard_figures.cycles import (
    Changes,
    breaks,
    cycle_axes,
    cycle_layers,
    cycle_point,
    end_labels,
    label_share,
    placed_beside,
    published,
    read_changes,
    scale_marks,
    span_of,
    value_labels,
    year_of,
)
from lsakit.tables.standard_figures.drawing import (
    Style,
    chart,
    finished,
    hidden_words,
    interval_layers,
    names_axis,
    quantity,
    row_height,
    styles,
    value_range,
    wrapped,
)
from lsakit.tables.standard_figures.scope import ALL, NATION, Scope
from lsakit.tables.standard_figures.wording import (
    DOWN,
    FEW,
    LEVEL_WITH,
    UNTESTED,
    UP,
    amount,
    bounds,
    counts,
    direction,
    hidden_note,
    in_words,
    kind_of,
    note_of,
    say,
    sentence,
)

MOST_LINES = 6
HEIGHT = 300
Named = tuple[str, Row]


def trend_lines(
    estimates: pl.DataFrame,
    changes: pl.DataFrame,
    scope: Scope,
    *,
    by: str = NATION,
    groups: Sequence[str] | None = None,
) -> Figure:
    """Draw the means of one or more groups over cycles.

    Parameters
    ----------
    estimates : polars.DataFrame
        The tidy table of estimates with a further column ``cycle`` (year), statistic ``"mean"``.
    changes : polars.DataFrame
        Tidy rows of the changes with the further columns ``from_cycle``, ``to_cycle`` and ``linking_error``
        (null or 0 without one), statistic ``"mean"``; their ``standard_error`` and interval **hold the linking
        error**, as `lsakit.estimation.trends.trend` computes them. Cycles without a row of change between them
        are not on one scale: no line joins them.
    scope : Scope
        Subject, language, names, width.
    by : str, default "nation"
        Grouping.
    groups : Sequence of str, optional
        Groups in this order; all by code by default.

    Returns
    -------
    Figure
        Lines with direct labels; sampling intervals as thick bars, the interval that also holds the linking error
        to the latest cycle as a thin outlined bar. The title speaks of change from the first cycle that is on the scale
        of the latest, and only where its interval leaves out 0. More than six groups stand in rows instead.

    Raises
    ------
    EstimationError
        If no group has an estimate.
    UnknownColumnError
        If a column is absent.
    """
    rows = scope.rows(estimates, by=by, statistics=["mean"], groups=groups, more=["cycle"])
    scope.needed(published(rows), f"mean by {by} with a cycle")
    named = [(scope.label(by, str(row["group"])), row) for row in rows]
    found = read_changes(changes, [year_of(row["cycle"]) for row in rows], scope, by=by, statistics=["mean"])
    order = {str(row["group"]): label for label, row in named}
    told = [(label, found.change(group, "mean")) for group, label in order.items()]
    title = _title(told, found, scope, what=say(scope.texts, "what.mean"), is_nation=by == NATION)
    series = styles(list(dict.fromkeys(order.values())))
    if len(series) > MOST_LINES:
        spec = _rows_chart(named, found, scope)
        note = say(scope.texts, "trend_rows_note")
    else:
        spec = _lines_chart(named, found, scope, series=series, title=scope.texts.say("axis.score"))
        note = say(scope.texts, "trend_note")
    key = scope.key("trend", *([] if by == NATION else [by]))
    return Figure(
        key=key,
        title=title,
        svg=finished(spec, key=key, language=scope.language),
        note=_note(note, named, found, scope),
        alternative=_alternative("trend_alternative", named, told, scope),
        table=_behind(named, told, title, scope),
    )


def trend_levels(
    estimates: pl.DataFrame,
    changes: pl.DataFrame,
    scope: Scope,
    *,
    by: str = NATION,
    group: str = ALL,
    statistics: Sequence[str] | None = None,
) -> Figure:
    """Draw the shares of students who reach each level over cycles.

    Parameters
    ----------
    estimates : polars.DataFrame
        Tidy rows with ``cycle``, statistics ``at_or_above_1`` … ``at_or_above_5``.
    changes : polars.DataFrame
        Changes of the same statistics, as for `trend_lines`; the linking error of a share is in the unit of the
        share.
    scope : Scope
        Subject, language, names, width.
    by : str, default "nation"
        Grouping.
    group : str, default "all"
        Group.
    statistics : Sequence of str, optional
        Shares to draw; every ``at_or_above_…`` that the table holds by default.

    Returns
    -------
    Figure
        A line per level, labeled at its end; the title speaks of the minimum level (2).

    Raises
    ------
    EstimationError
        If there is no estimate.
    UnknownColumnError
        If a column is absent.
    """
    texts = scope.texts
    wanted = list(statistics or (f"at_or_above_{level}" for level in range(1, 6)))
    rows = scope.rows(estimates, by=by, statistics=wanted, groups=[group], more=["cycle"])
    scope.needed(published(rows), f"share at or above a level of {by}/{group} with a cycle")
    named = [(_level_word(str(row["statistic"]), scope), row) for row in rows]
    found = read_changes(changes, [year_of(row["cycle"]) for row in rows], scope, by=by, statistics=wanted)
    told = [
        (_level_word(name, scope), found.change(group, name))
        for name in wanted
        if any(row["statistic"] == name for row in rows)
    ]
    place = scope.label(by, group)
    minimum = found.change(group, MINIMUM_PROFICIENCY)
    what = say(texts, "what.minimum") if by == NATION else say(texts, "what.minimum_of", place=place)
    title = _title([(place, minimum)], found, scope, what=what, is_nation=True)
    series = styles([label for label, _ in told])
    spec = _lines_chart(named, found, scope, series=series, title=texts.say("axis.share"))
    key = scope.key("trend-levels", *([] if by == NATION else [by, group]))
    return Figure(
        key=key,
        title=title,
        svg=finished(spec, key=key, language=scope.language),
        note=_note(say(texts, "trend_levels_note"), named, found, scope),
        alternative=_alternative("trend_levels_alternative", named, told, scope),
        table=_behind(named, told, title, scope),
    )


def _level_word(statistic: str, scope: Scope) -> str:
    """Name a cumulative share."""
    return say(scope.texts, "at_or_above", level=statistic.rsplit("_", 1)[-1])


def _title(
    told: Sequence[tuple[str, Row | None]], found: Changes, scope: Scope, *, what: str, is_nation: bool
) -> str:
    """Say what changed, by the intervals of the changes alone."""
    texts = scope.texts
    ways = [direction(row) for _, row in told]
    values = {**scope.words, "what": what, "first": found.cycles[0], "last": found.cycles[-1]}
    tested = [row for row in (row for _, row in told) if row is not None]
    if all(way == UNTESTED for way in ways):
        key = "trend_title_one_cycle" if len(found.cycles) == 1 else "trend_title_untested"
        return say(texts, key, **values)
    values["first"] = min(year_of(row["from_cycle"]) for row in tested)
    if is_nation and len(told) == 1:
        change = told[0][1]
        assert change is not None  # a tested direction has its row
        kind = kind_of(str(change["statistic"]))
        size = amount(change["estimate"], kind, texts)
        return say(
            texts, f"trend_title_{ways[0]}", **values, size=size, interval=_bounds(change, kind, scope)
        )
    if len(told) <= FEW:
        parts = [_part(label, row, scope) for label, row in told if direction(row) != UNTESTED]
        return say(texts, "trend_title_groups", **values, parts="; ".join(parts))
    number = {way: ways.count(way) for way in (UP, DOWN, LEVEL_WITH, UNTESTED)}
    key = "trend_title_counts_untested" if number[UNTESTED] else "trend_title_counts"
    numbers = {
        "up": number[UP],
        "down": number[DOWN],
        "same": number[LEVEL_WITH],
        "untested": number[UNTESTED],
    }
    return say(texts, key, **values, **numbers)


def _bounds(row: Row, kind: str, scope: Scope) -> str:
    """Write the interval of a change; of shares in percentage points."""
    if kind != "share":
        return bounds(row, kind, scope.texts)
    low, high = (scope.texts.number(100 * row[end], 1) for end in ("ci_low", "ci_high"))
    return say(scope.texts, "from_to", low=low, high=high)


def _part(label: str, row: Row | None, scope: Scope) -> str:
    """Say the change of one of a few groups."""
    way = direction(row)
    if row is None or way == UNTESTED:
        return label
    size = amount(row["estimate"], kind_of(str(row["statistic"])), scope.texts)
    return say(scope.texts, f"part_{way}", label=label, size=size)


def _lines_chart(
    named: Sequence[Named], found: Changes, scope: Scope, *, series: Sequence[Style], title: str
) -> Spec:
    """Declare lines over the years."""
    factor = 100.0 if any(kind_of(str(row["statistic"])) == "share" for _, row in named) else 1.0
    shown = {style.word for style in series}
    points = [
        cycle_point(row, label, found, factor=factor)
        for label, row in named
        if label in shown and row["estimate"] is not None and not row["suppressed_because"]
    ]
    is_share = factor != 1.0
    ends = ("estimate", "low", "high", "outer_low", "outer_high")
    drawn = [point[end] for point in points for end in ends]
    domain = (0.0, 100.0) if is_share else value_range(drawn, room=0.14)
    placed = placed_beside(points, series, span_of(found.cycles))
    has_labels = len(series) > 1
    room = label_share(scope, [style.word for style in series]) if has_labels else 0.08
    axes = cycle_axes(found.cycles, title, domain, labels=room)
    height = HEIGHT + (60 if is_share else 0)
    layers = [
        *scale_marks(found, axes, scope, height=height, zero=is_share),
        *cycle_layers(placed, found, axes, series),
    ]
    if has_labels:
        layers += end_labels(placed, series, axes, domain=domain)
    if len(series) == 1:
        layers += value_labels(placed, axes, scope, digits=1)
    return chart(layers, scope.layout, height=height)


def _rows_chart(named: Sequence[Named], found: Changes, scope: Scope) -> Spec:
    """Declare rows of many groups, a point per cycle."""
    texts = scope.texts
    letters = scope.layout.label_letters
    cycles = styles([str(cycle) for cycle in found.cycles])
    rows, hidden = [], []
    for label, row in named:
        name, series = wrapped(label, letters), str(year_of(row["cycle"]))
        if row["suppressed_because"] or row["estimate"] is None:
            hidden.append({"name": name, "word": f"{series}: {say(texts, 'not_published')}"})
            continue
        point = cycle_point(row, series, found)
        low = point["low"] if point["outer_low"] is None else point["outer_low"]
        high = point["high"] if point["outer_high"] is None else point["outer_high"]
        rows.append({"name": name, "series": series, "estimate": point["estimate"], "low": low, "high": high})
    names = list(dict.fromkeys(wrapped(label, letters) for label, _ in named))
    ends = [row[end] for row in rows for end in ("estimate", "low", "high")]
    x = quantity("estimate", texts.say("axis.score"), value_range(ends))
    y = names_axis(names, scope.layout)
    first_hidden = list({row["name"]: row for row in reversed(hidden)}.values())
    layers = [*hidden_words(first_hidden, y), *interval_layers(rows, x, y, cycles, size=42)]
    return chart(layers, scope.layout, height=row_height(names, series=len(cycles)))


def _note(start: str, named: Sequence[Named], found: Changes, scope: Scope) -> str:
    """Say how to read the figure, what it rests on, what is not shown."""
    texts = scope.texts
    errors = [row["linking_error"] for row in found.rows.values() if row["linking_error"]]
    linked = say(texts, "linking_note" if errors else "no_linking_note") if found.rows else ""
    broken = say(texts, "break_note") if breaks(found) else ""
    hidden = hidden_note([(f"{label}, {row['cycle']}", row) for label, row in named], texts)
    return note_of(
        start, linked, broken, say(texts, "level_5"), counts([row for _, row in named], texts), hidden
    )


def _alternative(
    key: str, named: Sequence[Named], told: Sequence[tuple[str, Row | None]], scope: Scope
) -> str:
    """Tell the drawing."""
    texts = scope.texts
    parts = [in_words(f"{label}, {row['cycle']}", row, texts) for label, row in named]
    parts += [
        in_words(_change_label(label, row, scope), row, texts) for label, row in told if row is not None
    ]
    return sentence(say(texts, key), parts)


def _change_label(label: str, row: Row, scope: Scope) -> str:
    """Name the row of a change."""
    return say(scope.texts, "change_of", label=label, first=row["from_cycle"], last=row["to_cycle"])


def _behind(named: Sequence[Named], told: Sequence[tuple[str, Row | None]], title: str, scope: Scope) -> Any:
    """Write the estimates of every cycle, then the changes with their linking error."""
    texts = scope.texts
    table = Behind(
        texts=texts,
        labels=[texts.say("column.group"), say(texts, "column.cycle")],
        extras=[say(texts, "column.linking_error"), say(texts, "column.finding")],
    )
    for label, row in named:
        table.add([label, str(row["cycle"])], row)
    for label, change in told:
        if change is None:
            continue
        error, kind = change["linking_error"], kind_of(str(change["statistic"]))
        points = 100 * error if error and kind == "share" else error
        cells = [texts.number(points, 2) if error else "–", say(texts, f"change.{direction(change)}")]
        span = say(texts, "change_span", first=change["from_cycle"], last=change["to_cycle"])
        table.add([label, span], change, cells)
    return table.table(title)
