"""How groups stand to the nation: means in the order of codes with intervals about the national band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from lsakit.tables import charts
from lsakit.tables.charts import MUTED, Spec
from lsakit.tables.figure import DIFFERENCE, Figure
from lsakit.tables.publication import Row, one, publication_table
from lsakit.tables.standard_figures.drawing import (
    Style,
    chart,
    hidden_row,
    hidden_words,
    interval_layers,
    is_wide,
    names_axis,
    quantity,
    reference_layers,
    row_height,
    value_range,
    wrapped,
)
from lsakit.tables.standard_figures.light_svg import finished
from lsakit.tables.standard_figures.scope import Scope
from lsakit.tables.standard_figures.wording import (
    DOWN,
    LEVEL_WITH,
    UNTESTED,
    UP,
    direction,
    has_interval,
    hidden_note,
    in_words,
    is_published,
    note_of,
    sentence,
)

STATE_OF = {UP: "above", LEVEL_WITH: "same", DOWN: "below", UNTESTED: "untested"}
BY = "province_code"


def standings_of(
    estimates: pl.DataFrame, scope: Scope, *, by: str = BY, groups: Sequence[str] | None = None
) -> Figure:
    """Draw the means of groups with their intervals around the national mean (a caterpillar).

    Parameters
    ----------
    estimates : polars.DataFrame
        The tidy table of estimates: ``"mean"`` of the nation and of the groups, ``"difference_to_nation"`` of the
        groups, estimated within each replicate since a group is part of the nation.
    scope : Scope
        Subject, language, names, width.
    by : str, default "province_code"
        Grouping.
    groups : Sequence of str, optional
        Groups in this order; all by their codes by default, never by their means.

    Returns
    -------
    Figure
        A row per group: sign and color by the test of the difference, not by the overlap of intervals. A group that is
        not published keeps its row, with the reason.

    Raises
    ------
    EstimationError
        If the nation has no mean, or no group has one.
    """
    texts = scope.texts
    nation = one(estimates, population=scope.population, subject=scope.subject, statistic="mean")
    rows = scope.rows(estimates, by=by, statistics=["mean"], groups=groups)
    tests = scope.rows(estimates, by=by, statistics=[DIFFERENCE], groups=groups)
    scope.needed([row for row in rows if is_published(row)], f"mean by {by}")
    ways = {str(row["group"]): direction(row) for row in tests}
    counted = {STATE_OF[way]: sum(found == way for found in ways.values()) for way in (UP, DOWN, LEVEL_WITH)}
    kind = "figure.caterpillar_title" if by == BY else "standard_figures.standings_title"
    title = texts.say(kind, **scope.words, **counted)
    named = [(scope.label(by, str(row["group"])), row) for row in rows]
    key = scope.key("provinces") if by == BY else scope.key("standings", by)
    numbers = {"n": texts.number(nation["n"]), "n_schools": texts.number(nation["n_schools"])}
    note = "figure.caterpillar_note" if by == BY else "standard_figures.standings_note"
    start = texts.say(
        "figure.caterpillar_alternative" if by == BY else "standard_figures.standings_alternative",
        count=sum(is_published(row) for row in rows),
        mean=texts.number(nation["estimate"], 1),
    )
    told = [_told(label, row, ways, scope) for label, row in named]
    names = {str(row["group"]): label for label, row in named}
    return Figure(
        key=key,
        title=title,
        svg=finished(_chart(named, ways, nation, scope), key=key, language=scope.language),
        note=note_of(texts.say(note, **numbers), hidden_note(named, texts)),
        alternative=sentence(start.rstrip("."), told),
        table=publication_table(
            [nation, *rows],
            caption=title,
            texts=texts,
            names=names,
            states={group: texts.say(f"state.{STATE_OF[way]}") for group, way in ways.items()},
        ),
    )


def _told(label: str, row: Row, ways: Mapping[str, str], scope: Scope) -> str:
    """Tell a group: its mean, then how it stands."""
    text = in_words(label, row, scope.texts)
    if not is_published(row):
        return text
    state = STATE_OF[ways.get(str(row["group"]), UNTESTED)]
    return f"{text}, {scope.texts.say(f'state.{state}')}"


def _chart(named: Sequence[tuple[str, Row]], ways: Mapping[str, str], nation: Row, scope: Scope) -> Spec:
    """Declare the rows, the national band and line, and its word above the line."""
    texts, letters = scope.texts, scope.layout.label_letters
    words = {way: texts.say(f"state.{state}") for way, state in STATE_OF.items()}
    rows: list[dict[str, Any]] = []
    hidden: list[dict[str, Any]] = []
    for label, row in named:
        name = wrapped(label, letters)
        if not is_published(row):
            hidden.append(hidden_row(name, row, scope.layout, texts))
            continue
        low, high = (row["ci_low"], row["ci_high"]) if has_interval(row) else (None, None)
        word = words[ways.get(str(row["group"]), UNTESTED)]
        rows.append({"name": name, "series": word, "estimate": row["estimate"], "low": low, "high": high})
    looks = [charts.STATES[STATE_OF[way]] for way in words]
    given = [
        Style(word=word, color=color, shape=shape)
        for word, (color, shape) in zip(words.values(), looks, strict=True)
        if any(row["series"] == word for row in rows)
    ]
    names = [wrapped(label, letters) for label, _ in named]
    drawn = [row[end] for row in rows for end in ("estimate", "low", "high")]
    ends = value_range(drawn, holds=[nation["estimate"], nation["ci_low"], nation["ci_high"]])
    x, y = quantity("estimate", texts.say("axis.score"), ends), names_axis(names, scope.layout)
    reference = {"estimate": nation["estimate"], "low": nation["ci_low"], "high": nation["ci_high"]}
    place = (nation["estimate"] - ends[0]) / (ends[1] - ends[0])
    word_of: Spec = {
        "data": {
            "values": [
                {"at": nation["estimate"], "word": texts.say("figure.reference", mean=_mean(nation, scope))}
            ]
        },
        "mark": {
            "type": "text",
            "align": "center" if 0.2 < place < 0.8 else ("left" if place <= 0.5 else "right"),
            "fontSize": 11 if is_wide(scope.layout) else 10,
            "color": MUTED,
        },
        "encoding": {
            "x": {**x, "field": "at"},
            "y": {"value": -7},
            "text": {"field": "word", "type": "nominal"},
        },
    }
    layers = [
        *reference_layers(reference, x),
        word_of,
        *hidden_words(hidden, y),
        *interval_layers(rows, x, y, given, size=56),
    ]
    return chart(layers, scope.layout, height=row_height(names))


def _mean(nation: Row, scope: Scope) -> str:
    """Write the national mean."""
    return scope.texts.number(nation["estimate"], 1)
