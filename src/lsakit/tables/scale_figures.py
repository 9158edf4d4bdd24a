"""Figures of a whole scale: map of persons and items, information, convergence, link, groups, comparison of runs.

Each takes tables as the steps of `lsakit.pipeline.scaling` write them, and gives a `Figure`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from lsakit.errors import EstimationError
from lsakit.tables import charts, scaling_charts
from lsakit.tables.figures import Figure
from lsakit.tables.item_figures import NORMAL_975, REACH, Names, table_behind
from lsakit.tables.texts import Texts

MOST_WORDS = 70
MOST_NAMED = 10
BIN = 0.3
WORD_BAND = 0.24
BLUE, RED, GRAY = "#0072b2", "#d55e00", "#5a6675"
LEAST_CHANGE = {"difficulty": 0.1, "slope": 0.1}


def wright_map(wright: pl.DataFrame, *, language: str) -> Figure:
    """Draw the distribution of ability and the steps of the items on one scale.

    Parameters
    ----------
    wright : polars.DataFrame
        Table ``wright`` of the stage "fit".
    language : str
        ``"vi"`` or ``"en"``.

    Returns
    -------
    Figure
        Persons on the left, steps on the right; up to seventy steps are named in the drawing, all in the table.

    Raises
    ------
    EstimationError
        If no step of an item has a location.
    """
    texts = Texts(language)
    people = wright.filter((pl.col("kind") == "students") & pl.col("group").is_null()).sort("bin")
    steps = wright.filter(pl.col("kind") == "item").sort("location", "item", "step", nulls_last=True)
    placed = steps.filter(pl.col("location").is_not_null())
    if not placed.height:
        raise EstimationError(
            "There is nothing to draw: no step of an item has a location.",
            hint="Look at the table of item parameters.",
            param="wright",
        )
    bins = people.get_column("bin").to_numpy()
    half = float(np.diff(bins).mean()) / 2 if len(bins) > 1 else BIN / 2
    students = [
        {"low": row["bin"] - half, "high": row["bin"] + half, "share": 100.0 * row["share"]}
        for row in people.to_dicts()
        if row["share"] > 1e-4
    ]
    where = placed.get_column("location").to_numpy()
    low = min(-REACH, *(row["low"] for row in students), float(where.min()) - 0.2)
    high = max(REACH, *(row["high"] for row in students), float(where.max()) + 0.2)
    spec = scaling_charts.wright_chart(
        students,
        _stacked(placed, {row["item"] for row in steps.to_dicts() if row["step"] > 1}),
        titles=(
            texts.say("scaling.theta"), texts.say("scaling.wright_students"), texts.say("scaling.wright_items"),
        ),
        domain=(low, high),
    )  # fmt: skip
    title = texts.say(
        "scaling.wright_title", count=placed.height, middle=texts.number(float(np.median(where)), 2)
    )
    rows = [
        [
            row["item"],
            row["step"],
            texts.say("scaling.no_location") if row["location"] is None else row["location"],
        ]
        for row in steps.to_dicts()
    ]
    return Figure(
        key="wright-map",
        title=title,
        svg=charts.draw(spec, language=language),
        note=texts.say("scaling.wright_note"),
        alternative=texts.say(
            "scaling.wright_alternative",
            count=placed.height,
            low=texts.number(float(where.min()), 1),
            high=texts.number(float(where.max()), 1),
        ),
        table=table_behind(
            title, [texts.say(f"scaling.{head}") for head in ("item", "step", "location")], rows, texts
        ),
    )


def _stacked(placed: pl.DataFrame, stepped: set[str]) -> list[dict[str, Any]]:
    """Put the steps of each row of the map beside one another."""
    has_words = placed.height <= MOST_WORDS
    height = WORD_BAND if has_words else BIN / 2
    taken: dict[int, int] = {}
    rows = []
    for row in placed.to_dicts():
        band = int(np.floor(row["location"] / height))
        place = taken.get(band, 0)
        taken[band] = place + 1
        word = f"{row['item']}.{row['step']}" if row["item"] in stepped else row["item"]
        at = (band + 0.5) * height if has_words else row["location"]
        rows.append({"y": at, "place": place, "word": word if has_words else ""})
    return rows


def test_information(information: pl.DataFrame, *, language: str) -> Figure:
    """Draw the information of the items and the standard error of a student by ability.

    Parameters
    ----------
    information : polars.DataFrame
        Table ``information`` of the stage "fit".
    language : str
        ``"vi"`` or ``"en"``.

    Returns
    -------
    Figure
        Two panels: information above, standard error below (up to 1.5 logits), each for all items and for the mean
        test of a student.
    """
    texts = Texts(language)
    lines = (("", texts.say("scaling.all_items")), ("student_", texts.say("scaling.one_student")))
    rows = information.filter(pl.col("theta").abs() <= REACH + 1.0).to_dicts()
    panels = []
    for head, most in (("information", None), ("se", 1.5)):
        own = [
            {"x": row["theta"], "y": row[f"{prefix}{head}"], "line": word}
            for prefix, word in lines
            for row in rows
            if row[f"{prefix}{head}"] is not None and (most is None or row[f"{prefix}{head}"] <= most)
        ]
        panels.append((texts.say("scaling.information" if head == "information" else "scaling.error"), own))
    spec = scaling_charts.stacked_lines_chart(panels, x_title=texts.say("scaling.theta"))
    student = [row for row in rows if row["student_information"] is not None] or rows
    head = "student_" if student and student[0]["student_information"] is not None else ""
    best = max(student, key=lambda row: row[f"{head}information"] or 0.0)
    theta = texts.number(best["theta"], 1)
    title = texts.say("scaling.information_title", theta=theta, error=texts.number(best[f"{head}se"], 2))
    columns = ("theta", "information", "error")
    behind = [
        [word, row["theta"], row[f"{prefix}information"], row[f"{prefix}se"]]
        for prefix, word in lines
        for row in rows[::5]
    ]
    return Figure(
        key="test-information",
        title=title,
        svg=charts.draw(spec, language=language),
        note=texts.say("scaling.information_note"),
        alternative=texts.say("scaling.information_alternative", theta=theta),
        table=table_behind(title, ["", *(texts.say(f"scaling.{one}") for one in columns)], behind, texts),
    )


def convergence_plot(history: pl.DataFrame, *, language: str) -> Figure:
    """Draw how a calibration came to rest.

    Parameters
    ----------
    history : polars.DataFrame
        Table ``history`` of the stage "calibration": iteration, loglik, change.
    language : str
        ``"vi"`` or ``"en"``.

    Returns
    -------
    Figure
        Largest change of a parameter and distance of the log-likelihood, on logarithmic axes.
    """
    texts = Texts(language)
    rows = history.sort("iteration").to_dicts()
    last = rows[-1]
    changes = [
        {"x": row["iteration"], "y": row["change"], "line": "change"} for row in rows if row["change"] > 0.0
    ]
    gaps = [
        {"x": row["iteration"], "y": last["loglik"] - row["loglik"], "line": "distance"}
        for row in rows
        if last["loglik"] - row["loglik"] > 0.0
    ]
    panels = [(texts.say("scaling.change"), changes), (texts.say("scaling.distance"), gaps)]
    spec = scaling_charts.stacked_lines_chart(
        [panel for panel in panels if panel[1]], x_title=texts.say("scaling.iteration"), is_log=True
    )
    change = f"{last['change']:.1e}"
    title = texts.say(
        "scaling.convergence_title",
        count=len(rows),
        change=change.replace(".", ",") if language == "vi" else change,
    )
    heads = ("iteration", "loglik", "change")
    behind = [[int(row["iteration"]), row["loglik"], f"{row['change']:.2e}"] for row in rows]
    return Figure(
        key="convergence",
        title=title,
        svg=charts.draw(spec, language=language),
        note=texts.say("scaling.convergence_note"),
        alternative=texts.say("scaling.convergence_alternative", count=len(rows)),
        table=table_behind(title, [texts.say(f"scaling.{head}") for head in heads], behind, texts),
    )


def link_plot(
    link_items: pl.DataFrame, link: Mapping[str, Any], *, language: str, drift: float = 0.5
) -> Figure:
    """Draw the difficulties of the common items in both cycles, on the scale of the earlier one.

    Parameters
    ----------
    link_items : polars.DataFrame
        Table ``link_items`` of the stage "link".
    link : Mapping of str to object
        Record ``link`` of the stage "link".
    language : str
        ``"vi"`` or ``"en"``.
    drift : float, default 0.5
        Half the width of the band, logits; 0 draws none.

    Returns
    -------
    Figure
        Points about the line of equality; dropped items are named.

    Raises
    ------
    EstimationError
        If no item is common.
    """
    texts = Texts(language)
    common = link_items.filter(pl.col("status").is_in(["linked", "dropped"]))
    if not common.height:
        raise EstimationError(
            "There is nothing to draw: no item is common to both cycles.", param="link_items"
        )
    words = {"linked": texts.say("scaling.linked"), "dropped": texts.say("scaling.dropped")}
    rows = [
        {
            "x": row["old_difficulty"],
            "y": row["transformed_difficulty"],
            "state": words[row["status"]],
            "word": row["item"] if row["status"] == "dropped" else "",
        }
        for row in common.to_dicts()
    ]
    named = sorted((row for row in rows if row["word"]), key=lambda row: -abs(row["y"] - row["x"]))
    for row in named[MOST_NAMED:]:
        row["word"] = ""
    spec = scaling_charts.scatter_chart(
        rows,
        titles=(texts.say("scaling.link_x"), texts.say("scaling.link_y")),
        states=[(words["linked"], BLUE, "circle"), (words["dropped"], RED, "triangle-up")],
        band=drift if drift > 0.0 else None,
    )
    points = link.get("linking_error_item_points")
    counts = {"kept": int(link["n_kept"]), "common": int(link["n_common"])}
    title = (
        texts.say("scaling.link_title", error=texts.number(link["linking_error_item"], 3), **counts)
        if points is None
        else texts.say("scaling.link_title_points", error=texts.number(points, 2), **counts)
    )
    heads = ("item", "link_x", "link_y", "difference", "state")
    behind = [
        [
            row["item"],
            row["old_difficulty"],
            row["transformed_difficulty"],
            row["difference"],
            words[row["status"]],
        ]
        for row in common.to_dicts()
    ]
    note = (
        texts.say("scaling.link_note", drift=texts.number(drift, 1))
        if drift > 0.0
        else texts.say("scaling.link_note_no_band")
    )
    dropped = counts["common"] - counts["kept"]
    return Figure(
        key="link",
        title=title,
        svg=charts.draw(spec, language=language),
        note=note,
        alternative=texts.say("scaling.link_alternative", common=counts["common"], dropped=dropped),
        table=table_behind(title, [texts.say(f"scaling.{head}") for head in heads], behind, texts),
    )


def run_comparison(
    first: pl.DataFrame,
    second: pl.DataFrame,
    *,
    language: str,
    what: str = "difficulty",
    numbers: Sequence[str] = ("1", "2"),
) -> Figure:
    """Draw an item parameter of two runs against each other.

    Parameters
    ----------
    first, second : polars.DataFrame
        Tables ``item_parameters`` of the two runs.
    language : str
        ``"vi"`` or ``"en"``.
    what : str, default "difficulty"
        "difficulty" or "slope".
    numbers : Sequence of str, default ("1", "2")
        Words for the two runs.

    Returns
    -------
    Figure
        Points about the line of equality; the items that changed most are named.

    Raises
    ------
    EstimationError
        If the runs share no item, or the parameter is neither of the two.
    """
    texts = Texts(language)
    if what not in LEAST_CHANGE:
        raise EstimationError(
            f"The 'what' parameter must be difficulty or slope. Got {what!r}.", param="what", got=what
        )
    joined = first.select("item", x=what).join(
        second.select("item", y=what), on="item", how="inner", maintain_order="left"
    )
    if not joined.height:
        raise EstimationError("There is nothing to draw: the two runs share no item.", param="second")
    least = LEAST_CHANGE[what]
    table = joined.with_columns(change=pl.col("y") - pl.col("x"))
    moved = table.filter(pl.col("change").abs() > least).sort(pl.col("change").abs(), descending=True)
    named = set(moved.head(MOST_NAMED).get_column("item").to_list())
    words = (texts.say("scaling.unchanged"), texts.say("scaling.moved"))
    rows = [
        {
            "x": row["x"],
            "y": row["y"],
            "state": words[abs(row["change"]) > least],
            "word": row["item"] if row["item"] in named else "",
        }
        for row in table.to_dicts()
    ]
    spoken = texts.say(f"scaling.{what}")
    spec = scaling_charts.scatter_chart(
        rows,
        titles=(
            texts.say("scaling.comparison_x", what=spoken, run=numbers[0]),
            texts.say("scaling.comparison_x", what=spoken, run=numbers[1]),
        ),
        states=[(words[0], BLUE, "circle"), (words[1], RED, "triangle-up")],
        band=None,
    )
    names = [set(side.get_column("item").to_list()) for side in (first, second)]
    written = texts.number(least, 1)
    counts = {"moved": moved.height, "count": joined.height, "least": written}
    title = texts.say("scaling.comparison_title", **counts)
    behind = [[row["item"], row["x"], row["y"], row["change"]] for row in table.to_dicts()]
    behind += [[name, texts.say("scaling.only_first"), None, None] for name in sorted(names[0] - names[1])]
    behind += [[name, None, texts.say("scaling.only_second"), None] for name in sorted(names[1] - names[0])]
    return Figure(
        key=f"comparison-{what}",
        title=title,
        svg=charts.draw(spec, language=language),
        note=texts.say(
            "scaling.comparison_note",
            least=written,
            first=len(names[0] - names[1]),
            second=len(names[1] - names[0]),
        ),
        alternative=texts.say("scaling.comparison_alternative", what=spoken, **counts),
        table=table_behind(
            title,
            [texts.say(f"scaling.{head}") for head in ("item", "first_run", "second_run", "difference")],
            behind,
            texts,
        ),
    )


def group_distribution(groups: pl.DataFrame, *, language: str, names: Names | None = None) -> Figure:
    """Draw mean and spread of ability in each group.

    Parameters
    ----------
    groups : polars.DataFrame
        Table ``groups`` of the stage "calibration", or ``linked_groups`` of the stage "link".
    language : str
        ``"vi"`` or ``"en"``.
    names : Mapping of str to str, optional
        Names of groups by code.

    Returns
    -------
    Figure
        Groups in the order of their codes, never ranked.
    """
    texts, known = Texts(language), names or {}
    own = groups.sort("group").to_dicts()
    rows = [
        {
            "name": known.get(
                row["group"], texts.say("scaling.all") if row["group"] == "all" else row["group"]
            ),
            "middle": row["mean"],
            "low": row["mean"] - row["sd"],
            "high": row["mean"] + row["sd"],
            "inner_low": None if row["se_mean"] is None else row["mean"] - NORMAL_975 * row["se_mean"],
            "inner_high": None if row["se_mean"] is None else row["mean"] + NORMAL_975 * row["se_mean"],
        }
        for row in own
    ]
    spec = scaling_charts.spread_chart(rows, axis_title=texts.say("scaling.groups_axis"))
    means = [row["mean"] for row in own]
    low, high = texts.number(min(means), 2), texts.number(max(means), 2)
    title = (
        texts.say("scaling.groups_title", count=len(own), low=low, high=high)
        if len(own) > 1
        else texts.say("scaling.groups_title_one", low=low, sd=texts.number(own[0]["sd"], 2))
    )
    heads = ("group", "n", "mean", "se", "sd")
    behind = [
        [drawn["name"], row["n"], row["mean"], row["se_mean"], row["sd"]]
        for drawn, row in zip(rows, own, strict=True)
    ]
    return Figure(
        key="groups",
        title=title,
        svg=charts.draw(spec, language=language),
        note=texts.say("scaling.groups_note"),
        alternative=texts.say("scaling.groups_alternative", count=len(own)),
        table=table_behind(title, [texts.say(f"scaling.{head}") for head in heads], behind, texts),
    )


def values_distribution(distribution: pl.DataFrame, *, language: str, names: Names | None = None) -> Figure:
    """Draw the percentiles of plausible values on the reporting scale, in all and by group.

    Parameters
    ----------
    distribution : polars.DataFrame
        Table ``distribution`` of the stage "values".
    language : str
        ``"vi"`` or ``"en"``.
    names : Mapping of str to str, optional
        Names of groups by code.

    Returns
    -------
    Figure
        Bars from percentile 5 to 95 and 25 to 75 with the median; the lower bounds of levels as lines.
    """
    texts, known = Texts(language), names or {}
    points: dict[str | None, dict[str, float]] = {}
    for row in distribution.filter(pl.col("kind").is_in(["percentile", "mean", "sd"])).to_dicts():
        key = row["kind"] if row["at"] is None else f"p{row['at']:g}"
        points.setdefault(row["group"], {"n": row["n"]})[key] = row["value"]
    rows = [
        {
            "name": texts.say("scaling.all") if group is None else known.get(group, group),
            "middle": own["p50"],
            "low": own["p5"],
            "high": own["p95"],
            "inner_low": own["p25"],
            "inner_high": own["p75"],
        }
        for group, own in points.items()
    ]
    cuts = distribution.filter(pl.col("kind") == "cut").sort("at").to_dicts()
    spec = scaling_charts.spread_chart(
        rows,
        axis_title=texts.say("scaling.values_axis"),
        marks=[
            {"at": row["value"], "word": texts.say("scaling.level", number=int(row["at"]))} for row in cuts
        ],
    )
    everyone = points[None]
    written = {name: texts.number(everyone[key], 0) for name, key in (
        ("mean", "mean"), ("sd", "sd"), ("low", "p25"), ("high", "p75"),
    )}  # fmt: skip
    title = texts.say("scaling.values_title", **written)
    shown = ("p5", "p25", "p50", "p75", "p95")
    behind = [
        [row["name"], int(own["n"]), own["mean"], own["sd"], *(own[key] for key in shown)]
        for row, own in zip(rows, points.values(), strict=True)
    ]
    columns = [texts.say(f"scaling.{head}") for head in ("group", "n", "mean", "sd")]
    columns += [texts.say("scaling.percentile", p=key[1:]) for key in shown]
    return Figure(
        key="values",
        title=title,
        svg=charts.draw(spec, language=language),
        note=texts.say("scaling.values_note"),
        alternative=texts.say("scaling.values_alternative", count=len(rows)),
        table=table_behind(title, columns, behind, texts),
    )
