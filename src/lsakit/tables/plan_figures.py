"""Figures of a sampling plan: cost against precision, with the numbers behind."""

from __future__ import annotations

from typing import Any

from lsakit.design.precision import PrecisionPlan
from lsakit.tables import charts
from lsakit.tables.figures import Figure
from lsakit.tables.publication import PublicationTable
from lsakit.tables.texts import Texts


def precision_curve(plan: PrecisionPlan, *, language: str) -> Figure:
    """Draw what precision costs: the nation's standard error against the cost, or the schools without costs.

    Parameters
    ----------
    plan : PrecisionPlan
        The plan, as `lsakit.design.precision.plan_precision` gives it.
    language : str
        ``"vi"`` or ``"en"``.

    Returns
    -------
    Figure
        One line per number of students in a school, the design marked; the table behind has every point.
    """
    texts = Texts(language)
    nation, has_cost = plan.nation, plan.cost is not None
    rows = plan.curve.to_dicts()
    words = {row["n_students"]: texts.say("plan.line", n=texts.number(row["n_students"])) for row in rows}
    points = [
        {
            "x": row["cost"] if has_cost else row["n_schools"],
            "y": row["se"],
            "line": words[row["n_students"]],
            "is_design": row["is_design"],
        }
        for row in rows
    ]
    counts = {
        "n_schools": texts.number(nation["n_schools"]),
        "n_students": texts.number(plan.design.n_students),
        "error": texts.number(nation["se"], 1),
    }
    title = texts.say("plan.title", **counts)
    x_title = texts.say("plan.cost" if has_cost else "plan.schools")
    spec = charts.curves_chart(
        points, x_title=x_title, y_title=texts.say("plan.error"), mark_title=texts.say("plan.chosen")
    )
    return Figure(
        key="precision-curve",
        title=title,
        svg=charts.draw(spec, language=language),
        note=texts.say("plan.note"),
        alternative=texts.say("plan.alternative", count=len(words), axis=x_title, **counts),
        table=_table(rows, title, texts, has_cost=has_cost),
    )


def _table(rows: list[dict[str, Any]], caption: str, texts: Texts, *, has_cost: bool) -> PublicationTable:
    """Write every point of the figure as a row."""
    heads = [
        "plan.students",
        "plan.schools",
        "plan.tested",
        "plan.error",
        *(["plan.cost"] if has_cost else []),
    ]
    cells: list[tuple[str, ...]] = []
    values: dict[tuple[int, int], tuple[float, str]] = {}
    for number, row in enumerate(rows):
        counts = [row["n_students"], row["n_schools"], row["n"]]
        written = [texts.number(value) for value in counts] + [texts.number(row["se"], 2)]
        for place, value in enumerate(counts):
            values[number, place] = (float(value), "n")
        values[number, 3] = (float(row["se"]), "score")
        if has_cost:
            written.append(texts.number(row["cost"]))
            values[number, 4] = (float(row["cost"]), "n")
        mark = f" ({texts.say('plan.chosen')})" if row["is_design"] else ""
        cells.append((written[0] + mark, *written[1:]))
    return PublicationTable(
        caption=caption,
        columns=tuple(texts.say(head) for head in heads),
        rows=tuple(cells),
        figure_ids=tuple("" for _ in cells),
        note=texts.say("plan.note"),
        values=values,
    )
