"""Distributions: percentile bars of groups and a fan over cycles, each with the interval of the mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from lsakit.tables.chart_parts import text_layer
from lsakit.tables.charts import INK, Spec
from lsakit.tables.figures import Figure
from lsakit.tables.publication import PublicationTable, Row
from lsakit.tables.standard_figures.behind import Behind
from lsakit.tables.standard_figures.cycles import (
    Changes,
    breaks,
    cycle_axes,
    label_share,
    read_changes,
    scale_marks,
    year_of,
)
from lsakit.tables.standard_figures.drawing import (
    chart,
    finished,
    hidden_words,
    names_axis,
    quantity,
    row_height,
    value_range,
    wrapped,
)
from lsakit.tables.standard_figures.scope import ALL, NATION, Scope
from lsakit.tables.standard_figures.wording import (
    UNTESTED,
    amount,
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

PERCENTILES = ("p05", "p25", "p50", "p75", "p95")
OUTER, INNER, MEAN = "#cfe3f5", "#8fbfe6", "#0b4a85"
HEIGHT = 320
Set = dict[str, Row]


def percentile_bars(
    estimates: pl.DataFrame, scope: Scope, *, by: str = "province_code", groups: Sequence[str] | None = None
) -> Figure:
    """Draw percentiles 5, 25, 75 and 95, the median and the interval of the mean of each group.

    Parameters
    ----------
    estimates : polars.DataFrame
        Tidy rows: ``p05``, ``p25``, ``p50``, ``p75``, ``p95`` and ``mean`` of the groups, and of the nation where
        it shall stand first.
    scope : Scope
        Subject, language, names, width.
    by : str, default "province_code"
        Grouping.
    groups : Sequence of str, optional
        Groups in this order; all by code by default.

    Returns
    -------
    Figure
        Bars; a group whose percentiles are suppressed stands with its reason.

    Raises
    ------
    EstimationError
        If no group has percentiles.
    """
    texts = scope.texts
    wanted = [*PERCENTILES, "mean"]
    rows = scope.rows(estimates, by=by, statistics=wanted, groups=groups)
    first = scope.rows(estimates, by=NATION, statistics=wanted) if by != NATION else []
    sets: dict[str, Set] = {}
    for row in (*first, *rows):
        sets.setdefault(scope.label(row["by"], str(row["group"])), {})[row["statistic"]] = row
    whole = {label: own for label, own in sets.items() if set(PERCENTILES) <= set(own)}
    drawn = {label: own for label, own in whole.items() if _is_drawn(own)}
    own_labels = {scope.label(by, str(row["group"])) for row in rows}
    scope.needed([label for label in drawn if label in own_labels], f"percentiles by {by}")
    label, leading = next(iter(drawn.items()))
    title = say(texts, "percentiles_title", **scope.words, place=label, **_middle(leading, scope))
    key = scope.key("percentiles", by)
    named = [(name, row) for name, own in whole.items() for row in _ordered(own)]
    return Figure(
        key=key,
        title=title,
        svg=finished(_bars(whole, scope), key=key, language=scope.language),
        note=note_of(
            say(texts, "percentiles_note"),
            counts([row for name, row in named if name in own_labels], texts),
            hidden_note(named, texts),
        ),
        alternative=sentence(
            say(texts, "percentiles_alternative", count=len(drawn)),
            [_told(name, own, scope) for name, own in whole.items()],
        ),
        table=_percentile_table(named, title, scope),
    )


def _is_drawn(own: Mapping[str, Row]) -> bool:
    """Tell whether all percentiles of a group may be shown."""
    return all(is_published(own.get(name)) for name in PERCENTILES)


def _ordered(own: Mapping[str, Row]) -> list[Row]:
    """Give the rows of a group from low to high, the mean last."""
    return [own[name] for name in (*PERCENTILES, "mean") if name in own]


def _middle(own: Mapping[str, Row], scope: Scope) -> dict[str, str]:
    """Write the ends of the middle half and of the middle nine tenths."""
    names = {"low": "p25", "high": "p75", "bottom": "p05", "top": "p95"}
    return {word: scope.texts.number(own[name]["estimate"]) for word, name in names.items()}


def _told(label: str, own: Mapping[str, Row], scope: Scope) -> str:
    """Tell the distribution of a group."""
    texts = scope.texts
    if not _is_drawn(own):
        return in_words(label, own["p50"], texts)
    numbers = ", ".join(texts.number(own[name]["estimate"]) for name in PERCENTILES)
    mean = own.get("mean")
    end = "" if mean is None else "; " + in_words(say(texts, "mean_of"), mean, texts)
    return f"{label}: {numbers}{end}"


def _bars(whole: Mapping[str, Set], scope: Scope) -> Spec:
    """Declare a bar per group."""
    letters = scope.layout.label_letters
    rows, means, hidden = [], [], []
    for label, own in whole.items():
        name = wrapped(label, letters)
        if not _is_drawn(own):
            hidden.append({"name": name, "word": say(scope.texts, "not_published")})
            continue
        rows.append({"name": name, **{word: own[word]["estimate"] for word in PERCENTILES}})
        mean = own.get("mean")
        if mean is not None and has_interval(mean):
            means.append({"name": name, "low": mean["ci_low"], "high": mean["ci_high"]})
    names = [wrapped(label, letters) for label in whole]
    x = quantity(
        "p05", say(scope.texts, "axis_scale"), value_range([row[p] for row in rows for p in PERCENTILES])
    )
    y = names_axis(names, scope.layout)
    values = {"values": rows}
    layers: list[Spec] = hidden_words(hidden, y)
    for low, high, color, band in (("p05", "p95", OUTER, 0.7), ("p25", "p75", INNER, 0.7)):
        mark = {"type": "bar", "color": color, "height": {"band": band}, "stroke": INK, "strokeWidth": 0.4}
        layers.append(
            {
                "data": values,
                "mark": mark,
                "encoding": {"y": y, "x": {**x, "field": low}, "x2": {"field": high}},
            }
        )
    middle = {"type": "tick", "color": "white", "thickness": 2, "height": {"band": 0.7}, "orient": "vertical"}
    layers.append({"data": values, "mark": middle, "encoding": {"y": y, "x": {**x, "field": "p50"}}})
    if means:
        black = {"type": "bar", "color": MEAN, "height": {"band": 0.34}}
        ends = {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}}
        layers.append({"data": {"values": means}, "mark": black, "encoding": ends})
    return chart(layers, scope.layout, height=row_height(names))


def _percentile_table(
    named: Sequence[tuple[str, Row]], title: str, scope: Scope, *, changes: Sequence[Row] = ()
) -> PublicationTable:
    """Write each percentile and the mean of each group, and the changes of cycles."""
    texts = scope.texts
    extras = [say(texts, "column.linking_error"), say(texts, "column.finding")] if changes else []
    table = Behind(texts=texts, labels=[texts.say("column.group"), say(texts, "column.what")], extras=extras)
    for label, row in named:
        table.add([label, _statistic_word(row, scope)], row)
    for row in changes:
        span = say(texts, "change_span", first=row["from_cycle"], last=row["to_cycle"])
        error = row["linking_error"]
        cells = [texts.number(error, 2) if error else "–", say(texts, f"change.{direction(row)}")]
        table.add([span, _statistic_word(row, scope)], row, cells)
    return table.table(title)


def _statistic_word(row: Row, scope: Scope) -> str:
    """Name a percentile or the mean."""
    name = str(row["statistic"])
    if name == "mean":
        return scope.texts.say("column.mean")
    return scope.texts.say("column.percentile", p=int(name[1:]))


def percentile_fan(
    estimates: pl.DataFrame, changes: pl.DataFrame | None, scope: Scope, *, by: str = NATION, group: str = ALL
) -> Figure:
    """Draw the percentiles of one group over cycles as a fan about the mean with its interval.

    Parameters
    ----------
    estimates : polars.DataFrame
        Tidy rows with ``cycle``: percentiles and mean.
    changes : polars.DataFrame or None
        Changes as for `trend_lines`, of ``mean`` and percentiles; decides what the title may say and which cycles
        are joined. None where there is one cycle.
    scope : Scope
        Subject, language, names, width.
    by : str, default "nation"
        Grouping.
    group : str, default "all"
        Group.

    Returns
    -------
    Figure
        The fan; its title tells significant changes of percentiles 5 and 95, else the middle half.

    Raises
    ------
    EstimationError
        If no cycle has percentiles.
    """
    texts = scope.texts
    wanted = [*PERCENTILES, "mean"]
    rows = scope.rows(estimates, by=by, statistics=wanted, groups=[group], more=["cycle"])
    sets: dict[int, Set] = {}
    for row in rows:
        sets.setdefault(year_of(row["cycle"]), {})[row["statistic"]] = row
    whole = {year: sets[year] for year in sorted(sets) if set(PERCENTILES) <= set(sets[year])}
    drawn = {year: own for year, own in whole.items() if _is_drawn(own)}
    scope.needed(drawn, f"percentiles of {by}/{group} with a cycle")
    found = read_changes(changes, list(drawn), scope, by=by, statistics=wanted)
    title = _fan_title(drawn, found, scope, group=group, place=scope.label(by, group))
    key = scope.key("fan", *([] if by == NATION else [by, group]))
    named = [(str(year), row) for year, own in whole.items() for row in _ordered(own)]
    moved = [change for name in wanted if (change := found.change(group, name)) is not None]
    told = [_told(str(year), own, scope) for year, own in whole.items()]
    broken = say(texts, "break_note") if breaks(found) else ""
    return Figure(
        key=key,
        title=title,
        svg=finished(_fan(drawn, found, scope), key=key, language=scope.language),
        note=note_of(
            say(texts, "fan_note"),
            broken,
            counts([row for _, row in named], texts),
            hidden_note(named, texts),
        ),
        alternative=sentence(say(texts, "fan_alternative", count=len(drawn)), told),
        table=_percentile_table(named, title, scope, changes=moved),
    )


def _fan_title(drawn: Mapping[int, Set], found: Changes, scope: Scope, *, group: str, place: str) -> str:
    """Say how the weakest and the strongest moved, as far as tested; else the middle half of the latest cycle."""
    texts = scope.texts
    values: dict[str, Any] = {**scope.words, "place": place}
    parts, first = [], found.cycles[-1]
    for name in ("p05", "p95"):
        change = found.change(group, name)
        way = direction(change)
        if change is not None and way != UNTESTED:
            first = year_of(change["from_cycle"])
            size = amount(change["estimate"], "score", texts)
            label = texts.say("column.percentile", p=int(name[1:]))
            parts.append(say(texts, f"part_{way}", label=label, size=size))
    last = max(drawn)
    if not parts:
        return say(texts, "fan_title_untested", **values, **_middle(drawn[last], scope), last=last)
    return say(texts, "fan_title", **values, parts="; ".join(parts), first=first, last=found.cycles[-1])


def _fan(drawn: Mapping[int, Set], found: Changes, scope: Scope) -> Spec:
    """Declare the fan: two bands, the median, the mean with its interval, percentiles named at the end."""
    texts = scope.texts
    rows = [
        {"x": year, "piece": str(found.scales[year]), **{word: own[word]["estimate"] for word in PERCENTILES}}
        for year, own in drawn.items()
    ]
    means = [
        {
            "x": year,
            "estimate": own["mean"]["estimate"],
            "low": own["mean"]["ci_low"],
            "high": own["mean"]["ci_high"],
        }
        for year, own in drawn.items()
        if has_interval(own.get("mean"))
    ]
    words = {name: texts.say("column.percentile", p=int(name[1:])) for name in PERCENTILES}
    domain = value_range([row[name] for row in rows for name in PERCENTILES])
    axes = cycle_axes(
        found.cycles, say(texts, "axis_scale"), domain, labels=label_share(scope, list(words.values()))
    )
    x, y = axes
    detail = {"detail": {"field": "piece", "type": "nominal"}}
    values = {"values": rows}
    layers: list[Spec] = scale_marks(found, axes, scope, height=HEIGHT)
    for low, high, color in (("p05", "p95", OUTER), ("p25", "p75", INNER)):
        place = {"x": x, "y": {**y, "field": low}, "y2": {"field": high}, **detail}
        layers.append({"data": values, "mark": {"type": "area", "color": color}, "encoding": place})
        # A cycle alone on its scale has no area; its bar keeps it visible.
        bar = {"type": "bar", "color": color, "size": 14, "stroke": INK, "strokeWidth": 0.4}
        layers.append({"data": values, "mark": bar, "encoding": place})
    for name in PERCENTILES:
        line = {"type": "line", "color": INK, "strokeWidth": 2 if name == "p50" else 0.8}
        layers.append(
            {"data": values, "mark": line, "encoding": {"x": x, "y": {**y, "field": name}, **detail}}
        )
    if means:
        rule = {"type": "bar", "color": MEAN, "size": 7}
        ends = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
        layers.append({"data": {"values": means}, "mark": rule, "encoding": ends})
    last = rows[-1]
    named = [
        {"x": last["x"], "estimate": last[name], "word": words[name], "ink": INK} for name in PERCENTILES
    ]
    numbers = [
        {"x": row["x"], "estimate": row[name], "word": texts.number(row[name]), "ink": INK, "align": "center"}
        for row in rows
        for name in PERCENTILES
    ]
    layers += [*text_layer(named, x, y, dx=26), *text_layer(numbers, x, y, dy=-9)]
    return chart(layers, scope.layout, height=HEIGHT)
