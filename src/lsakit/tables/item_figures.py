"""Figures of an item: its curves, its options, its differential functioning.

Each takes tables as the steps of `lsakit.pipeline.scaling` write them, and gives a `Figure`: drawing, title that says
the finding, note, text alternative, and the numbers behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from lsakit.errors import EstimationError
from lsakit.irt.em import probability_table
from lsakit.irt.item_parameters import read_item_parameters
from lsakit.irt.item_subsets import items_named
from lsakit.tables import chart_parts, charts, scaling_charts
from lsakit.tables.figures import Figure
from lsakit.tables.publication import PublicationTable
from lsakit.tables.texts import Texts

MOST_COLORED = 6
REACH = 4.0
LEAST_DRAWN = 10
NORMAL_975 = 1.959963984540054
CLASS_WIDTH, FIRST_CLASS = 0.8, -6.0
Names = Mapping[str, str]


def table_behind(
    caption: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], texts: Texts, *, note: str = ""
) -> PublicationTable:
    """Write the numbers behind a figure.

    Parameters
    ----------
    caption : str
        What the table shows.
    columns : Sequence of str
        Headings.
    rows : Sequence of Sequence
        Cells: text, whole numbers, numbers (three decimals), None.
    texts : Texts
        Language.
    note : str, default ""
        Note below.

    Returns
    -------
    PublicationTable
        The table.
    """

    def written(value: Any) -> str:
        if value is None:
            return "–"
        if isinstance(value, str):
            return value
        return texts.number(value, 0 if isinstance(value, int) else 3)

    numbers = {
        (row, column): (float(value), "n" if isinstance(value, int) else "score")
        for row, cells in enumerate(rows)
        for column, value in enumerate(cells)
        if isinstance(value, int | float)
    }
    return PublicationTable(
        caption=caption,
        columns=tuple(columns),
        rows=tuple(tuple(written(value) for value in cells) for cells in rows),
        figure_ids=tuple("" for _ in rows),
        note=note,
        values=numbers,
    )


def _some(table: pl.DataFrame, what: str) -> pl.DataFrame:
    """Refuse to draw nothing."""
    if not table.height:
        raise EstimationError(
            f"There is nothing to draw: the table has no {what}.",
            hint="Choose another item or variable.",
            param="table",
        )
    return table


def _base(items: pl.DataFrame, item: str) -> pl.DataFrame:
    """Parameter sets of one item: its own row and those of groups where it was freed."""
    column = pl.col("column") if "column" in items.columns else pl.col("item")
    return _some(items.filter((column == item) | (pl.col("item") == item)), f"item {item!r}")


def _interval(share: float, n: float) -> tuple[float, float]:
    """Approximate 95 % interval of a share; the widest a score on 0 to 1 can have."""
    half = NORMAL_975 * float(np.sqrt(max(share * (1.0 - share), 0.0) / max(n, 1.0)))
    return max(share - half, 0.0), min(share + half, 1.0)


def _written(texts: Texts, value: float, digits: int = 2) -> str:
    """Write a number of a title."""
    return texts.number(value, digits)


def _ability_range(rows: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Range of the ability axis: at least ±4, wider where many students are beyond."""
    heavy = [abs(row["x"]) for row in rows if row["n"] >= 30]
    return -max(REACH, *heavy, 0.0), max(REACH, *heavy, 0.0)


def item_curve(
    curves: pl.DataFrame,
    items: pl.DataFrame,
    *,
    item: str,
    language: str,
    group_fit: pl.DataFrame | None = None,
    names: Names | None = None,
) -> Figure:
    """Draw the model curve of an item against the observed points of each group.

    Parameters
    ----------
    curves : polars.DataFrame
        Table ``curves`` of the stage "fit".
    items : polars.DataFrame
        Table ``item_parameters`` of the stage "calibration".
    item : str
        Item; where it has own parameters in some groups, all its sets are drawn.
    language : str
        ``"vi"`` or ``"en"``.
    group_fit : polars.DataFrame, optional
        Table ``group_fit`` of the stage "fit": says which groups to color, where there are more than six.
    names : Mapping of str to str, optional
        Names of groups by code.

    Returns
    -------
    Figure
        Points with intervals, sized by their number of students, and the model's lines.

    Raises
    ------
    EstimationError
        If the item is in none of the tables.
    """
    texts, known = Texts(language), names or {}
    sets = _base(items, item)
    labels = sets.get_column("item").to_list()
    own = _some(
        curves.filter(pl.col("item").is_in(labels) & pl.col("category").is_null()), f"curve of {item!r}"
    )
    worst = _worst_groups(group_fit, labels)
    groups = own.get_column("group").unique(maintain_order=True).to_list()
    ordered = [group for group in worst if group in groups] or groups
    shown = ordered[:MOST_COLORED] if len(groups) > MOST_COLORED else groups
    says = {group: _group_name(group, known, texts) for group in groups}
    points = [
        {
            "x": row["theta"],
            "y": row["observed"],
            "n": row["n"],
            "name": says[row["group"]],
            **dict(zip(("low", "high"), _interval(row["observed"], row["n"]), strict=True)),
        }
        for row in own.to_dicts()
        if row["n"] >= LEAST_DRAWN
    ]
    domain = _ability_range(points)
    lines = _model_lines(sets, domain, texts, [says[group] for group in shown], known)
    spec = scaling_charts.curve_chart(
        lines,
        points,
        titles=(texts.say("scaling.theta"), texts.say("scaling.share_of_score")),
        names=[says[group] for group in shown],
        domain=domain,
        labels=_set_labels(lines),
    )
    title = texts.say("scaling.curve_title", item=item)
    if group_fit is not None and worst and len(groups) > 1:
        rmsd = float(group_fit.filter(pl.col("item").is_in(labels)).get_column("rmsd").max())  # type: ignore[arg-type]
        title = texts.say(
            "scaling.curve_title_rmsd",
            item=item,
            group=says.get(worst[0], worst[0]),
            rmsd=_written(texts, rmsd),
        )
    rows = [
        [row["item"], says[row["group"]], row["theta"], round(row["n"]), row["observed"], row["expected"]]
        for row in own.to_dicts()
    ]
    heads = ("item", "group", "theta", "n", "observed", "expected")
    return Figure(
        key=f"item-curve-{item}",
        title=title,
        svg=charts.draw(spec, language=language),
        note=texts.say("scaling.curve_note"),
        alternative=texts.say("scaling.curve_alternative", item=item, count=len(points), groups=len(groups)),
        table=table_behind(title, [texts.say(f"scaling.{head}") for head in heads], rows, texts),
    )


def _set_labels(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Find a place for the word of each line where an item has several: at different heights, outside the curves."""
    words = list(dict.fromkeys(row["line"] for row in lines))
    if len(words) < 2:
        return []
    labels = []
    for number, word in enumerate(words):
        height = 0.88 - 0.1 * number if number % 2 else 0.12 + 0.1 * number
        own = min((row for row in lines if row["line"] == word), key=lambda row: abs(row["y"] - height))
        labels.append({**own, "word": word, "align": "right" if number % 2 else "left"})
    return labels


def _group_name(group: str, names: Names, texts: Texts) -> str:
    """Name a group; a single one is everybody."""
    return names.get(group, texts.say("scaling.all") if group == "all" else group)


def _worst_groups(group_fit: pl.DataFrame | None, labels: Sequence[str]) -> list[str]:
    """Groups of an item from the largest RMSD to the smallest."""
    if group_fit is None:
        return []
    own = group_fit.filter(pl.col("item").is_in(list(labels))).sort("rmsd", descending=True, nulls_last=True)
    return [str(group) for group in own.get_column("group").to_list()]


def _model_lines(
    sets: pl.DataFrame, domain: tuple[float, float], texts: Texts, colored: Sequence[str], names: Names
) -> list[dict[str, Any]]:
    """Expected shares of the highest score of every parameter set."""
    parameters = read_item_parameters(sets, param="items")
    theta = np.linspace(domain[0], domain[1], 81)
    table = probability_table(parameters, theta)
    groups = sets.get_column("groups").to_list() if "groups" in sets.columns else [None] * sets.height
    lines = []
    for place, own in enumerate(parameters.n_steps.tolist()):
        first = int(parameters.offset[place])
        score = np.arange(own + 1) @ table[first : first + own + 1] / own
        held = [names.get(one, one) for one in str(groups[place] or "").split("|") if one]
        is_own = sets.height > 1 and "@" in parameters.names[place]
        word = texts.say("scaling.model_of", groups=", ".join(held)) if is_own else texts.say("scaling.model")
        name = held[0] if is_own and held[0] in colored else ""
        lines += [
            {"x": float(at), "y": float(value), "line": word, "name": name}
            for at, value in zip(theta, score, strict=True)
        ]
    return lines


def category_curve(
    curves: pl.DataFrame, items: pl.DataFrame, *, item: str, language: str, group: str | None = None
) -> Figure:
    """Draw the probability of each score of an item of several points against what was observed.

    Parameters
    ----------
    curves : polars.DataFrame
        Table ``curves`` of the stage "fit".
    items : polars.DataFrame
        Table ``item_parameters`` of the stage "calibration".
    item : str
        Set of item parameters.
    language : str
        ``"vi"`` or ``"en"``.
    group : str, optional
        Group whose points are drawn; all groups together by default.

    Returns
    -------
    Figure
        One line per score with its points.

    Raises
    ------
    EstimationError
        If the item has two categories only, or is in none of the tables.
    """
    texts = Texts(language)
    wanted = (pl.col("item") == item) & pl.col("category").is_not_null()
    if group is not None:
        wanted = wanted & (pl.col("group") == group)
    own = _some(curves.filter(wanted), f"score categories of {item!r}")
    parameters = items_named(read_item_parameters(items, param="items"), [item])
    pooled = _pooled(own)
    points = [
        {**row, **dict(zip(("low", "high"), _interval(row["y"], row["n"]), strict=True))}
        for row in pooled
        if row["n"] >= LEAST_DRAWN
    ]
    domain = _ability_range(points)
    theta = np.linspace(domain[0], domain[1], 81)
    table = probability_table(parameters, theta)
    lines = [
        {"x": float(at), "y": float(value), "line": str(category), "name": str(category)}
        for category, values in enumerate(table)
        for at, value in zip(theta, values, strict=True)
    ]
    categories = [str(category) for category in range(len(table))]
    spec = scaling_charts.curve_chart(
        lines,
        points,
        titles=(texts.say("scaling.theta"), texts.say("scaling.share_of_category")),
        names=categories[: len(chart_parts.COLORS) - 1],
        domain=domain,
        labels=_peaks(lines, categories, domain),
    )
    title = texts.say("scaling.category_title", item=item)
    rows = [[int(row["name"]), row["x"], round(row["n"]), row["y"], row["expected"]] for row in pooled]
    heads = ("category", "theta", "n", "observed", "expected")
    return Figure(
        key=f"category-curve-{item}",
        title=title,
        svg=charts.draw(spec, language=language),
        note=texts.say("scaling.curve_note"),
        alternative=texts.say("scaling.category_alternative", item=item, count=len(categories)),
        table=table_behind(title, [texts.say(f"scaling.{head}") for head in heads], rows, texts),
    )


def _peaks(
    lines: Sequence[Mapping[str, Any]], categories: Sequence[str], domain: tuple[float, float]
) -> list[dict[str, Any]]:
    """Put the word of each category on the top of its line."""
    labels = []
    for category in categories:
        top = max((row for row in lines if row["line"] == category), key=lambda row: row["y"])
        side = {domain[0]: "left", domain[1]: "right"}.get(top["x"], "center")
        labels.append({**top, "word": category, "align": side})
    return labels


def _pooled(own: pl.DataFrame) -> list[dict[str, Any]]:
    """Put the groups' points of each category and class of ability together, weighted by their students."""
    place = ((pl.col("theta") - FIRST_CLASS) / CLASS_WIDTH).floor()
    n = pl.col("n").sum()
    pooled = (
        own.group_by("category", place.alias("class"))
        .agg(
            n=n,
            x=(pl.col("theta") * pl.col("n")).sum() / n,
            y=(pl.col("observed") * pl.col("n")).sum() / n,
            expected=(pl.col("expected") * pl.col("n")).sum() / n,
        )
        .sort("category", "class")
    )
    return [{**row, "name": str(row["category"])} for row in pooled.drop("class").to_dicts()]


def option_plot(
    option_curves: pl.DataFrame, option_statistics: pl.DataFrame, *, item: str, language: str
) -> Figure:
    """Draw how often each option of an item is chosen, from the weakest to the ablest fifth.

    Parameters
    ----------
    option_curves : polars.DataFrame
        Table ``option_curves`` of the stage "classical".
    option_statistics : polars.DataFrame
        Table ``option_statistics`` of the stage "classical".
    item : str
        Item.
    language : str
        ``"vi"`` or ``"en"``.

    Returns
    -------
    Figure
        A line per option, the key thick.

    Raises
    ------
    EstimationError
        If the item is not in the table.
    """
    texts = Texts(language)
    own = _some(option_curves.filter(pl.col("item") == item), f"item {item!r}")
    statistics = option_statistics.filter(pl.col("item") == item)
    keys = statistics.filter(pl.col("is_key")).get_column("option").to_list()
    words = {
        option: _option_word(option, keys, texts) for option in own.get_column("option").unique().to_list()
    }
    rows = [
        {
            "x": row["group_number"],
            "y": row["share"],
            "name": words[row["option"]],
            **dict(zip(("low", "high"), _interval(row["share"], row["n"]), strict=True)),
        }
        for row in own.to_dicts()
    ]
    spec = scaling_charts.option_chart(
        rows,
        titles=(texts.say("scaling.class"), texts.say("scaling.share_of_students")),
        keys=[words[key] for key in keys if key in words],
    )
    if keys:
        share = float(statistics.filter(pl.col("option") == keys[0]).get_column("share").item())
        title = texts.say("scaling.option_title", item=item, option=keys[0], share=texts.share(share))
    else:
        title = texts.say("scaling.option_title_scores", item=item)
    behind = [
        [words.get(row["option"], row["option"]), row["n"], row["share"], row["correlation"]]
        for row in statistics.to_dicts()
    ]
    heads = ("option", "n", "share", "correlation")
    return Figure(
        key=f"options-{item}",
        title=title,
        svg=charts.draw(spec, language=language),
        note=texts.say("scaling.option_note"),
        alternative=texts.say("scaling.option_alternative", item=item, count=len(words)),
        table=table_behind(title, [texts.say(f"scaling.{head}") for head in heads], behind, texts),
    )


def _option_word(option: str, keys: Sequence[str], texts: Texts) -> str:
    """Name an option: the key says so, and missing answers are in words."""
    if option in keys:
        return texts.say("scaling.key_option", option=option)
    return texts.say(f"scaling.{option}") if option in ("omitted", "invalid") else option


def dif_plot(
    dif: pl.DataFrame, *, variable: str, focal: str, language: str, most: int = 40, names: Names | None = None
) -> Figure:
    """Draw the differential functioning of the items between a focal and the reference group.

    Parameters
    ----------
    dif : polars.DataFrame
        Table ``dif`` of the stage "dif".
    variable : str
        Column by which the items were tested.
    focal : str
        Focal group.
    language : str
        ``"vi"`` or ``"en"``.
    most : int, default 40
        Most items drawn, the largest first; the table has all.
    names : Mapping of str to str, optional
        Names of variables and groups by code.

    Returns
    -------
    Figure
        Points with 95 % intervals, class by color and shape.

    Raises
    ------
    EstimationError
        If the variable and group are not in the table.
    """
    texts, known = Texts(language), names or {}
    own = _some(
        dif.filter((pl.col("variable") == variable) & (pl.col("focal") == focal)),
        f"group {focal!r} of {variable!r}",
    )
    drawn = (
        own.filter((pl.col("measure") == "mh_d_dif") & pl.col("statistic").is_not_null())
        .sort(pl.col("statistic").abs(), descending=True)
        .head(most)
        .sort("statistic")
    )
    classes = ("A", "B", "C")
    words = {letter: texts.say(f"scaling.class_{letter}") for letter in classes}
    inks = {"A": ("#5a6675", "circle"), "B": ("#e69f00", "square"), "C": ("#d55e00", "triangle-up")}
    present = [letter for letter in classes if letter in drawn.get_column("category").to_list()]
    rows = [
        {
            "name": row["item"],
            "estimate": row["statistic"],
            "low": row["ci_low"],
            "high": row["ci_high"],
            "state": words[row["category"]],
        }
        for row in drawn.to_dicts()
    ]
    counts = {letter: own.filter(pl.col("category") == letter).height for letter in classes}
    said = known.get(focal, focal)
    spec = scaling_charts.forest_chart(
        rows,
        axis_title=texts.say("scaling.dif_axis", focal=said),
        states=[(words[letter], *inks[letter]) for letter in present],
        marks=(-1.5, -1.0, 1.0, 1.5),
    )
    reference = str(own.get_column("reference").first())
    values = {"large": counts["C"], "middle": counts["B"]}
    title = texts.say(
        "scaling.dif_title", variable=known.get(variable, variable), focal=said,
        reference=known.get(reference, reference), **values,
    )  # fmt: skip
    behind = [
        [
            row["item"],
            row["n"],
            row["statistic"],
            _range(texts, row["ci_low"], row["ci_high"]),
            words.get(row["category"] or "", row["undefined_because"] or texts.say("scaling.class_none")),
        ]
        for row in own.to_dicts()
    ]
    heads = ("item", "n", "statistic", "interval", "class_name")
    note = texts.say("scaling.dif_note", shown=len(rows), count=own.height)
    return Figure(
        key=f"dif-{variable}-{focal}",
        title=title,
        svg=charts.draw(spec, language=language),
        note=note,
        alternative=texts.say("scaling.dif_alternative", shown=len(rows), **values),
        table=table_behind(title, [texts.say(f"scaling.{head}") for head in heads], behind, texts, note=note),
    )


def _range(texts: Texts, low: float | None, high: float | None) -> str | None:
    """Write an interval."""
    return None if low is None or high is None else f"{texts.number(low, 2)} – {texts.number(high, 2)}"
