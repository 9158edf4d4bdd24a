"""The chart of an answer: points with their intervals, or stacked shares; never more groups than can be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lsakit.tables import charts
from lsakit.tables.chart_parts import COLORS, SHAPES
from lsakit.tables.explorer.answers import Answer
from lsakit.tables.explorer.question import Question
from lsakit.tables.explorer.wording import Words, is_share

MOST_DRAWN = 40
VERDICTS = ("higher", "lower", "same")
VERDICT_INKS = (charts.STATES["above"][0], charts.STATES["below"][0], charts.MUTED)
VERDICT_SHAPES = ("triangle-up", "triangle-down", "circle")
NARROW = 270


def drawn_rows(answer: Answer) -> list[dict[str, Any]]:
    """Give the rows of an answer that a chart can draw.

    Parameters
    ----------
    answer : Answer
        The answer.

    Returns
    -------
    list of dict
        Shown rows with an interval; of a gradient the slope alone, whose unit differs from the strength's.
    """
    return [
        row
        for row in answer.rows
        if row["suppressed_because"] is None
        and row["estimate"] is not None
        and row["statistic"] != "strength"
    ]


def can_draw(answer: Answer) -> bool:
    """Tell whether an answer has a chart: at least one shown row, and no more groups than can be read.

    Parameters
    ----------
    answer : Answer
        The answer.

    Returns
    -------
    bool
        True where `draw_answer` draws.
    """
    rows = drawn_rows(answer)
    return 0 < len({tuple(row["group"]) for row in rows}) <= MOST_DRAWN


def draw_answer(answer: Answer, kind: str, words: Words) -> str:
    """Draw an answer as SVG.

    Parameters
    ----------
    answer : Answer
        The answer.
    kind : str
        Kind of its measure.
    words : Words
        Language and names.

    Returns
    -------
    str
        The drawing; it stays legible at 340 pixels.
    """
    rows, question = drawn_rows(answer), answer.question
    if question.statistic in ("levels", "percent"):
        spec = _stacked(rows, question, words)
    else:
        spec = _points(rows, question, words, words.statistic(question, kind), _verdicts(answer, words))
    spec["width"] = NARROW
    return charts.draw(spec, language=words.language)


def alternative(answer: Answer, kind: str, words: Words) -> str:
    """Say in words what the chart shows.

    Parameters
    ----------
    answer : Answer
        The answer.
    kind : str
        Kind of its measure.
    words : Words
        Language and names.

    Returns
    -------
    str
        One sentence; the numbers stand in the table beside it.
    """
    question = answer.question
    key = "stacked" if question.statistic in ("levels", "percent") else "alternative"
    count = len({tuple(row["group"]) for row in drawn_rows(answer)})
    return words.texts.say(
        f"explorer.chart.{key}", statistic=words.statistic(question, kind).lower(), count=count
    )


def _stacked(rows: list[dict[str, Any]], question: Question, words: Words) -> charts.Spec:
    """Declare stacked shares."""
    names = list(dict.fromkeys(words.row(row, question) for row in rows))
    drawn = [
        {
            "name": words.group(question.by, row["group"]),
            "level": words.row(row, question),
            "order": names.index(words.row(row, question)),
            "share": 100.0 * row["estimate"],
        }
        for row in rows
    ]
    spec = charts.stacked_levels_chart(drawn, axis_title=words.texts.say("axis.share"), level_names=names)
    _settle(spec, names, is_scale=question.statistic == "levels")
    return spec


def _points(
    rows: list[dict[str, Any]],
    question: Question,
    words: Words,
    axis_title: str,
    verdicts: Mapping[str, str],
) -> charts.Spec:
    """Declare points with intervals; a color and shape for each statistic, or for each verdict of a comparison."""
    times = 100.0 if rows and is_share(rows[0], question) else 1.0
    names, data = _named_points(rows, question, words, verdicts, times)
    title = words.texts.say("axis.share") if times > 1 else axis_title
    y = {"field": "name", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 170}}
    x = {"type": "quantitative", "scale": {"zero": False, "nice": True}, "title": title}
    legend: dict[str, Any] | None = {"columns": 2} if len(names) > 1 else None
    inks, shapes = (VERDICT_INKS, VERDICT_SHAPES) if verdicts else (COLORS, SHAPES)
    color, shape = (
        {
            "field": "statistic",
            "type": "nominal",
            "scale": {"domain": names, "range": [values[k % len(values)] for k in range(len(names))]},
            "legend": legend,
        }
        for values in (inks, shapes)
    )
    whole = [row for row in data if row["name"] == words.group((), ())] if question.by else []
    layers: list[charts.Spec] = []
    if len(whole) == 1:
        layers.append(
            {
                "data": {"values": whole},
                "mark": {"type": "rule", "color": charts.MUTED, "strokeDash": [4, 3]},
                "encoding": {"x": {**x, "field": "estimate"}},
            }
        )
    layers += [
        {
            "data": {"values": data},
            "mark": {"type": "rule", "strokeWidth": 2},
            "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": color},
        },
        {
            "data": {"values": data},
            "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
            "encoding": {"y": y, "x": {**x, "field": "estimate"}, "color": color, "shape": shape},
        },
    ]
    return charts.frame(layers, height={"step": 19 if len(data) > 12 else 26}, width=NARROW)


def _named_points(
    rows: list[dict[str, Any]], question: Question, words: Words, verdicts: Mapping[str, str], times: float
) -> tuple[list[str], list[dict[str, Any]]]:
    """Give the names of the legend and the points, each with one of them."""
    names = list(dict.fromkeys(words.row(row, question) for row in rows))
    if verdicts:
        names = [words.texts.say(f"explorer.verdict.{name}") for name in VERDICTS]
    data = [
        {
            "name": words.group(question.by, row["group"]),
            "statistic": verdicts.get(row["group"][0] if row["group"] else "", names[-1])
            if verdicts
            else words.row(row, question),
            "estimate": times * row["estimate"],
            "low": times * _or(row, "ci_low"),
            "high": times * _or(row, "ci_high"),
        }
        for row in rows
    ]
    return names, data


def _verdicts(answer: Answer, words: Words) -> dict[str, str]:
    """Say for each group of one break-down how it stands to what it is compared with; empty for other tables."""
    question = answer.question
    statistics = {row["statistic"] for row in answer.comparisons}
    if question.compare not in ("whole", "reference") or len(question.by) != 1 or len(statistics) != 1:
        return {}
    found = {}
    for row in answer.comparisons:
        name = ("higher" if row["estimate"] > 0 else "lower") if row["is_significant"] else "same"
        found[row["group"]] = words.texts.say(f"explorer.verdict.{name}")
    return found


def _or(row: Mapping[str, Any], name: str) -> float:
    """Give a bound, or the estimate where the rule withholds its error."""
    return float(row["estimate"] if row[name] is None else row[name])


def _settle(spec: charts.Spec, names: list[str], *, is_scale: bool) -> None:
    """Fit the bars to a phone; categories without an order take colors that say no order."""
    for layer in spec["layer"]:
        encoding = layer["encoding"]
        if encoding["color"].get("legend") == {}:
            encoding["color"]["legend"] = {"columns": 2}
            encoding["x"]["axis"] = {"tickCount": 5}
            if not is_scale:
                inks = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00", "#0072b2")
                encoding["color"]["scale"]["range"] = [inks[k % len(inks)] for k in range(len(names))]
        elif not is_scale:
            encoding["color"] = {"value": charts.INK}
