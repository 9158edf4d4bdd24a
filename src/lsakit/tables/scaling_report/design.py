"""Sections on what was scaled and how: data and design, options, calibration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from lsakit.irt.calibration import SENSIBLE_SLOPES
from lsakit.tables.publication import PublicationTable
from lsakit.tables.report import Section
from lsakit.tables.scaling_report import pictures
from lsakit.tables.scaling_report.facts import Sheet
from lsakit.tables.scaling_report.writing import Column, pairs, written

ANSWERED, KINDS = "n_answered", ("n_omitted", "n_not_reached", "n_invalid")
OPTIONS = (
    "model", "models", "rule", "rule_of_values", "group", "reference_group", "weight", "senate", "dif_by", "rmsd_threshold",
    "release", "release_alarm", "conditioning", "pca_share", "per_group", "reported", "link", "drift", "n_values", "seed", "scale_mean", "scale_sd", "cuts",
)  # fmt: skip
WORDED = {"model": "model", "rule": "rule", "rule_of_values": "rule", "link": "link", "release": "release"}


def data(sheet: Sheet) -> Section | None:
    """Tell students, items, booklets and what became of the answers.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    Section or None
        The section; None before scoring.
    """
    summary = sheet.table("scores", "summary")
    if summary is None:
        return None
    rows = summary.to_dicts()
    consistency = sheet.record("classical", "consistency")
    responses = sheet.table("scores", "scored_responses")
    said = [
        sheet.say(
            "sentence.data",
            n_students=sheet.number(
                consistency.get("n_students") or (responses.height if responses is not None else None)
            ),
            n_items=sheet.number(len(rows)),
            points=sheet.number(sum(row["max_score"] or 0 for row in rows)),
            n_booklets=sheet.number(consistency.get("n_booklets")),
        )
    ]
    if sheet.facts.data:
        said.insert(0, sheet.say("sentence.source", data=sheet.facts.data))
    formats = _formats(sheet)
    if formats:
        said.append(formats)
    kinds = _kinds(sheet, rows)
    said.append(sheet.say("sentence.kinds_unknown") if kinds is None else kinds[0])
    if consistency.get("n_alone"):
        said.append(sheet.say("sentence.alone", n=sheet.number(consistency["n_alone"])))
    tables = [] if kinds is None else [kinds[1]]
    tables += _domains(sheet)
    counts = ("n_administered", ANSWERED, *KINDS, "n_not_administered", "n_recoded")
    tables.append(
        written(
            sheet,
            rows,
            [
                Column("item"),
                Column("max_score", "n"),
                *(Column(name, "n") for name in counts),
                Column("mean_score", "hundredth"),
            ],
            caption=sheet.say("caption.summary"),
            is_printed=False,
        )
    )
    return Section(
        key="data", heading=sheet.say("section.data"), paragraphs=tuple(said), tables=tuple(tables)
    )


def _formats(sheet: Sheet) -> str:
    """Count items by format, where the table of items tells it."""
    items = sheet.facts.items
    if items is None or "format" not in items.columns:
        return ""
    counts = Counter(str(form) for form in items.get_column("format"))
    listed = "; ".join(
        f"{sheet.word('format', form)}: {sheet.number(n)}" for form, n in sorted(counts.items())
    )
    return sheet.say("sentence.formats", formats=listed)


def _domains(sheet: Sheet) -> list[PublicationTable]:
    """Count items and points by domain and by cluster, where the table of items tells them."""
    items, made = sheet.facts.items, []
    for name in ("domain", "cluster"):
        if items is None or name not in items.columns or items.get_column(name).null_count() == items.height:
            continue
        groups: dict[str, list[float]] = {}
        for row in items.to_dicts():
            groups.setdefault(str(row[name] or "–"), []).append(float(row.get("max_score") or 1))
        rows = [
            {name: key, "n_items": len(points), "points": sum(points)}
            for key, points in sorted(groups.items())
        ]
        columns = [Column(name), Column("n_items", "n"), Column("points", "n")]
        made.append(written(sheet, rows, columns, caption=sheet.say(f"caption.{name}")))
    return made


def _kinds(sheet: Sheet, rows: list[dict[str, Any]]) -> tuple[str, PublicationTable] | None:
    """Count answers and the kinds of missing ones; None where the responses came scored."""
    if any(row["n_administered"] is None or row["n_omitted"] is None for row in rows):
        return None
    given = sum(row["n_administered"] for row in rows)
    counts = {name: sum(row[name] for row in rows) for name in (ANSWERED, *KINDS)}
    made = [
        {"kind": sheet.word("column", name), "n": n, "share": n / given if given else None}
        for name, n in counts.items()
    ]
    by_design = sum(row["n_not_administered"] or 0 for row in rows)
    words = {name.removeprefix("n_"): sheet.share(n / given if given else None) for name, n in counts.items()}
    sentence = sheet.say(
        "sentence.kinds", given=sheet.number(given), by_design=sheet.number(by_design), **words
    )
    table = written(
        sheet,
        made,
        [Column("kind"), Column("n", "n", "n_times"), Column("share", "share", "share_given")],
        caption=sheet.say("caption.kinds"),
    )
    return sentence, table


def options(sheet: Sheet) -> Section:
    """Tell the rules and options of the run.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    Section
        The section.
    """
    given = sheet.facts.options
    rows = [
        (sheet.word("option", name), _option(sheet, name, given[name])) for name in OPTIONS if name in given
    ]
    rule = str(given.get("rule", ""))
    said = [sheet.say("sentence.rule", rule=sheet.word("rule", rule))] if rule else []
    second = str(given.get("rule_of_values") or "")
    if second not in ("", rule):
        said.append(sheet.say("sentence.rule_of_values", rule=sheet.word("rule", second)))
    table = pairs(sheet, rows, caption=sheet.say("caption.options"), heads=("option", "value"))
    return Section(
        key="options", heading=sheet.say("section.options"), paragraphs=tuple(said), tables=(table,)
    )


def _option(sheet: Sheet, name: str, value: Any) -> str:
    """Write the value of an option."""
    if value is None or value == "" or value == {} or (isinstance(value, list | tuple) and not value):
        return "–"
    if isinstance(value, bool):
        return sheet.say("word.yes" if value else "word.no")
    if name in WORDED:
        return sheet.word(WORDED[name], value)
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {sheet.word('model', part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(
            _number(sheet, one) if isinstance(one, int | float) else sheet.variable(one) for one in value
        )
    if name == "seed":
        return str(value)
    if name in ("group", "reference_group"):
        return sheet.variable(value) if name == "group" else sheet.group(value)
    return _number(sheet, value) if isinstance(value, int | float) else str(value)


def _number(sheet: Sheet, value: float) -> str:
    """Write a number with the decimals that it has, three at most."""
    digits = next(
        digits for digits in (0, 1, 2, 3) if digits == 3 or abs(value - round(value, digits)) < 1e-12
    )
    return sheet.number(value, digits)


def calibration(sheet: Sheet) -> Section | None:
    """Tell models, convergence and groups.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    Section or None
        The section; None before calibration.
    """
    found = sheet.record("calibration", "convergence")
    items = sheet.table("calibration", "item_parameters")
    if not found or items is None:
        return None
    models = Counter(str(model) for model in items.get_column("model"))
    said = [
        sheet.say(
            "sentence.models",
            models="; ".join(
                f"{sheet.word('model', name)}: {sheet.number(n)}" for name, n in sorted(models.items())
            ),
        ),
        sheet.say(
            "sentence.converged"
            if found.get("converged", not found.get("moving"))
            else "sentence.not_converged",
            n_iterations=sheet.number(found["n_iterations"]),
            moving=sheet.named(found.get("moving") or ()),
        ),
        sheet.say(
            "sentence.likelihood",
            n_parameters=sheet.number(found["n_parameters"]),
            n_students=sheet.number(found["n_students"]),
            n_left_out=sheet.number(found.get("n_left_out", 0)),
            log_likelihood=sheet.number(found["log_likelihood"], 1),
            aic=sheet.number(found["aic"], 1),
            bic=sheet.number(found["bic"], 1),
        ),
    ]
    said += _doubts(sheet, items.to_dicts(), float(found.get("node_range") or 0.0))
    said.append(
        sheet.say(
            "sentence.method",
            n_nodes=sheet.number(found.get("n_nodes")),
            range=sheet.number(found.get("node_range"), 1),
            errors=sheet.word("errors", found.get("standard_errors")),
        )
    )
    tables = []
    groups = sheet.table("calibration", "groups")
    if groups is not None and groups.height > 1:
        columns = [Column("group"), Column("n", "n")]
        columns += [Column(name, "parameter") for name in ("mean", "se_mean", "sd", "se_sd")]
        tables.append(
            written(
                sheet,
                sheet.grouped(groups.to_dicts()),
                columns,
                caption=sheet.say("caption.groups"),
                note=sheet.say("note.groups"),
            )
        )
    history = sheet.table("calibration", "history")
    if history is not None:
        columns = [Column("iteration", "n"), Column("loglik", "parameter"), Column("change", "parameter")]
        tables.append(
            written(
                sheet, history.to_dicts(), columns, caption=sheet.say("caption.history"), is_printed=False
            )
        )
    return Section(
        key="calibration",
        heading=sheet.say("section.calibration"),
        paragraphs=tuple(said),
        figures=pictures.of_calibration(sheet),
        tables=tuple(tables),
    )


def _doubts(sheet: Sheet, rows: list[dict[str, Any]], reach: float) -> list[str]:
    """Name the items with a free parameter where the data say little: by the rule of the calibration."""
    low, high = SENSIBLE_SLOPES
    free = [row for row in rows if not row.get("fixed")]
    steep = [row for row in free if row["slope"] is not None and not low <= row["slope"] <= high]
    far = [row for row in free if row["difficulty"] is not None and reach and abs(row["difficulty"]) > reach]
    if not steep and not far:
        return [sheet.say("sentence.none_doubtful")]
    said = []
    for key, found, column in (("steep", steep, "slope"), ("far", far, "difficulty")):
        if found:
            listed = sheet.named(f"{row['item']} ({sheet.number(row[column], 2)})" for row in found)
            limits = {
                "low": sheet.number(low, 1),
                "high": sheet.number(high, 1),
                "reach": sheet.number(reach, 1),
            }
            said.append(sheet.say(f"sentence.{key}", n=sheet.number(len(found)), items=listed, **limits))
    return said
