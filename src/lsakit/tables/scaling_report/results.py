"""Sections on what comes out: link, population model, plausible values, reporting scale."""

from __future__ import annotations

from typing import Any

import polars as pl

from lsakit.tables.publication import PublicationTable
from lsakit.tables.report import Section
from lsakit.tables.scaling_report import pictures
from lsakit.tables.scaling_report.facts import Sheet
from lsakit.tables.scaling_report.writing import Column, written

SENSIBLE_LINE = (0.5, 2.0)
"""Slopes of a line between two cycles beyond which the link itself says so."""
MOST_TERMS = 40
"""Terms of the population model that still stand on paper."""


def link(sheet: Sheet) -> Section | None:
    """Tell the link to the earlier cycle, its common items and what it costs in precision.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    Section or None
        The section; None where nothing was linked.
    """
    found = sheet.record("link", "link")
    items = sheet.table("link", "link_items")
    if not found or items is None:
        return None
    rows = items.to_dicts()
    dropped = [row for row in rows if row["kept"] is False]
    said = [
        sheet.say(
            "sentence.link",
            method=sheet.word("link", found["method"]),
            n_common=sheet.number(found["n_common"]),
            n_kept=sheet.number(found["n_kept"]),
        ),
        sheet.say(
            "sentence.line",
            slope=sheet.number(found["slope"], 4),
            intercept=sheet.number(found["intercept"], 4),
        ),
    ]
    drift = sheet.facts.options.get("drift")
    if dropped:
        listed = sheet.named(f"{row['item']} ({sheet.number(row['difference'], 2)})" for row in dropped)
        said.append(
            sheet.say(
                "sentence.drift", n=sheet.number(len(dropped)), drift=sheet.number(drift, 2), items=listed
            )
        )
    else:
        said.append(sheet.say("sentence.no_drift", drift=sheet.number(drift, 2)))
    error = found.get("linking_error_item")
    if error is not None:
        points = found.get("linking_error_item_points", found.get("linking_error"))
        key = "sentence.linking_error" if points is None else "sentence.linking_error_points"
        said.append(sheet.say(key, error=sheet.number(error, 4), points=sheet.number(points, 2)))
    unit = found.get("linking_error_unit")
    if unit is not None:
        said.append(sheet.say("sentence.linking_error_unit", error=sheet.number(unit, 4)))
    if found.get("is_comparable") is False:
        said.append(sheet.say("sentence.not_comparable"))
    if not SENSIBLE_LINE[0] <= found["slope"] <= SENSIBLE_LINE[1]:
        low, high = (sheet.number(one, 1) for one in SENSIBLE_LINE)
        said.append(sheet.say("sentence.line_far", low=low, high=high))
    columns = [Column("item"), Column("status", "status")]
    names = ("old_difficulty", "new_difficulty", "transformed_difficulty", "difference")
    columns += [Column(name, "parameter") for name in names]
    columns += [Column("robust_z", "hundredth"), Column("kept")]
    common = [row for row in rows if row.get("difference") is not None] or rows
    tables = [written(sheet, common, columns, caption=sheet.say("caption.link"), note=sheet.say("note.link"))]
    whole = [
        *columns,
        *(Column(name, "parameter") for name in ("old_slope", "new_slope", "transformed_slope")),
    ]
    tables.append(written(sheet, rows, whole, caption=sheet.say("caption.link_whole"), is_printed=False))
    return Section(
        key="link",
        heading=sheet.say("section.link"),
        paragraphs=tuple(said),
        figures=pictures.of_link(sheet),
        tables=tuple(tables),
    )


def population(sheet: Sheet) -> Section | None:
    """Tell the population model: what it conditions on, how much it explains, which groups it holds.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    Section or None
        The section; None without the model.
    """
    found = sheet.record("population", "population")
    terms = sheet.table("population", "coefficients")
    if not found or terms is None:
        return None
    options = sheet.facts.options
    said = _model(sheet, found, terms.height)
    if found.get("n_prior_only"):
        said.append(sheet.say("sentence.prior_only", n=sheet.number(found["n_prior_only"])))
    reported = [sheet.variable(one) for one in options.get("reported") or ()]
    if reported:
        said.append(sheet.say("sentence.reported", variables=sheet.named(reported)))
    tables = [_coefficients(sheet, terms)]
    groups = sheet.table("population", "subgroups")
    if groups is not None:
        columns = [Column("variable"), Column("level"), Column("n", "n"), Column("share", "share")]
        columns += [Column("mean_eap", "parameter"), Column("mean_pv", "parameter")]
        tables.append(
            written(
                sheet,
                [
                    {
                        **row,
                        "variable": sheet.variable(row["variable"]),
                        "level": sheet.level(row["variable"], row["level"]),
                    }
                    for row in groups.to_dicts()
                ],
                columns,
                caption=sheet.say("caption.subgroups"),
                note=sheet.say("note.subgroups"),
            )
        )
    return Section(
        key="population",
        heading=sheet.say("section.population"),
        paragraphs=tuple(said),
        tables=tuple(tables),
    )


def _model(sheet: Sheet, found: dict[str, Any], n_terms: int) -> list[str]:
    """Say what the model holds and how much it explains; with models by group, what holds for all of them."""
    options = sheet.facts.options
    n_models = int(found.get("n_models") or 1)
    own = None if n_models > 1 else options.get("group")
    names = dict.fromkeys(str(one) for one in (own, *(options.get("conditioning") or ())) if one)
    conditioning = [sheet.variable(name) for name in names]
    said = []
    if n_models > 1:
        said.append(
            sheet.say(
                "sentence.per_group", n=sheet.number(n_models), variable=sheet.variable(options.get("group"))
            )
        )
    said.append(
        sheet.say(
            "sentence.conditioning", n=sheet.number(len(conditioning)), variables=sheet.named(conditioning)
        )
        if conditioning
        else sheet.say("sentence.no_conditioning")
    )
    said.append(
        sheet.say(
            "sentence.population",
            n_students=sheet.number(found["n_students"]),
            n_terms=sheet.number(found.get("n_terms", n_terms)),
            residual_sd=sheet.number(found["residual_sd"], 3),
            explained=sheet.share(found.get("r_squared")),
        )
    )
    if found.get("n_components") is not None:
        said.append(
            sheet.say(
                "sentence.components_by_group" if n_models > 1 else "sentence.components",
                n=sheet.number(found["n_components"]),
                share=sheet.share(found.get("pca_share")),
            )
        )
    return said


def _coefficients(sheet: Sheet, terms: pl.DataFrame) -> PublicationTable:
    """Tabulate the coefficients, of each group where each has a model of its own."""
    rows, columns = terms.to_dicts(), [Column("term")]
    group = str(sheet.facts.options.get("group"))
    if group in terms.columns:
        rows = [{**row, "group": sheet.group(row[group])} for row in rows]
        columns = [Column("group"), *columns]
    columns += [Column("estimate", "parameter"), Column("standard_error", "parameter")]
    return written(
        sheet, rows, columns, caption=sheet.say("caption.coefficients"), is_printed=len(rows) <= MOST_TERMS
    )


def values(sheet: Sheet) -> Section | None:
    """Tell the plausible values and every reliability.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    Section or None
        The section; None where there is neither.
    """
    rows = reliabilities(sheet)
    scale = sheet.record("values", "scale")
    if not rows and not scale:
        return None
    said = []
    drawn = sheet.table("values", "plausible_values")
    if drawn is not None:
        said.append(
            sheet.say(
                "sentence.values",
                n_values=sheet.number(scale.get("n_values", len(drawn.columns) - 1)),
                n_students=sheet.number(drawn.height),
                seed=str(sheet.facts.options.get("seed", "–")),
            )
        )
    whole = [row for row in rows if row["group"] is None]
    said += [
        sheet.say("sentence.reliability", method=row["method"], value=sheet.number(row["value"], 3))
        for row in whole
        if row["value"] is not None
    ]
    said += [
        sheet.say("sentence.no_reliability", method=row["method"], reason=str(row["undefined_because"]))
        for row in whole
        if row["value"] is None and row.get("undefined_because")
    ]
    for row in rows:
        row["group"] = sheet.say("word.all") if row["group"] is None else sheet.group(row["group"])
    columns = [
        Column("group"),
        Column("method"),
        Column("value", "parameter", "reliability"),
        Column("variance", "parameter"),
    ]
    columns += [Column("error_variance", "parameter"), Column("n_students", "n")]
    table = written(
        sheet, rows, columns, caption=sheet.say("caption.reliability"), note=sheet.say("note.reliability")
    )
    return Section(
        key="values",
        heading=sheet.say("section.values"),
        paragraphs=tuple(said),
        tables=(table,) if rows else (),
    )


def reliabilities(sheet: Sheet) -> list[dict[str, Any]]:
    """List every reliability that the run knows, in all and by group.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    list of dict
        method, group (None for all), value, variance, error_variance, n_students, undefined_because.
    """
    rows = []
    found = sheet.record("fit", "reliability")
    for method in ("wle", "eap"):
        for group, one in (
            (None, found.get(method)),
            *sorted((found.get(f"{method}_by_group") or {}).items()),
        ):
            if one is not None:
                rows.append({"method": sheet.word("method", method), "group": group, **one})
    model = sheet.record("population", "population")
    for name, method in (("reliability", "model"), ("reliability_pv", "pv")):
        if model.get(name) is not None:
            words = {"method": sheet.word("method", method), "group": None, "value": model[name]}
            rows.append({**words, "n_students": model.get("n_students")})
    return rows


def scale(sheet: Sheet) -> Section | None:
    """Tell the reporting scale, the distribution of groups and the shares at each level.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    Section or None
        The section; None before values are on a scale.
    """
    found = sheet.record("values", "scale")
    table = sheet.table("values", "distribution")
    if not found or table is None:
        return None
    said = [
        sheet.say(
            "sentence.scale_held" if found.get("held") else "sentence.scale_set",
            slope=sheet.number(found["slope"], 4),
            intercept=sheet.number(found["intercept"], 4),
            mean=sheet.number(found.get("mean"), 1),
            sd=sheet.number(found.get("sd"), 1),
            group=sheet.group(found["reference_group"])
            if found.get("reference_group")
            else sheet.say("word.all"),
        )
    ]
    groups = _described(table)
    everyone = next((row for row in groups if row["group"] is None), None)
    if everyone is not None:
        said.append(
            sheet.say(
                "sentence.distribution",
                n=sheet.number(everyone["n"]),
                mean=sheet.number(everyone.get("mean"), 1),
                sd=sheet.number(everyone.get("sd"), 1),
                p5=sheet.number(everyone.get("percentile_5"), 1),
                p95=sheet.number(everyone.get("percentile_95"), 1),
            )
        )
    levels = sorted(
        {name for row in groups for name in row if name.startswith("level_")}, key=lambda name: int(name[6:])
    )
    cuts = [float(cut) for cut in sheet.facts.options.get("cuts") or ()]
    if everyone is not None and levels:
        shares = "; ".join(f"{_level(sheet, name)}: {sheet.share(everyone.get(name))}" for name in levels)
        said.append(
            sheet.say("sentence.levels", cuts="; ".join(sheet.number(cut, 1) for cut in cuts), shares=shares)
        )
    for row in groups:
        row["group"] = sheet.say("word.all") if row["group"] is None else sheet.group(row["group"])
    tables = [_moments(sheet, groups)]
    if levels:
        tables.append(_levels(sheet, groups, levels))
    return Section(
        key="scale",
        heading=sheet.say("section.scale"),
        paragraphs=tuple(said),
        figures=pictures.of_scale(sheet),
        tables=tuple(tables),
    )


def _described(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Lay the distribution out with a row per group: mean, sd, percentiles, shares."""
    rows: dict[str | None, dict[str, Any]] = {}
    for one in table.filter(pl.col("kind") != "at_or_above").to_dicts():
        row = rows.setdefault(one["group"], {"group": one["group"], "n": one["n"]})
        at = one["at"]
        row[one["kind"] if at is None else f"{one['kind']}_{int(at)}"] = one["value"]
    return list(rows.values())


def _moments(sheet: Sheet, rows: list[dict[str, Any]]) -> PublicationTable:
    """Tabulate mean, standard deviation and percentiles."""
    columns = [Column("group"), Column("n", "n"), Column("mean", "score"), Column("sd", "score")]
    percentiles = sorted(
        {name for row in rows for name in row if name.startswith("percentile_")},
        key=lambda name: int(name[11:]),
    )
    columns += [Column(name, "score") for name in percentiles]
    made = written(
        sheet, rows, columns, caption=sheet.say("caption.distribution"), note=sheet.say("note.distribution")
    )
    heads = tuple(
        sheet.texts.say("column.percentile", p=column.name[11:]) if column.name in percentiles else head
        for column, head in zip(columns, made.columns, strict=True)
    )
    return _headed(made, heads)


def _levels(sheet: Sheet, rows: list[dict[str, Any]], levels: list[str]) -> PublicationTable:
    """Tabulate the shares at each level."""
    columns = [Column("group"), Column("n", "n"), *(Column(name, "share") for name in levels)]
    made = written(sheet, rows, columns, caption=sheet.say("caption.levels"))
    return _headed(made, (*made.columns[:2], *(_level(sheet, name) for name in levels)))


def _level(sheet: Sheet, name: str) -> str:
    """Name a level by its number; 0 is below the first."""
    number = int(name[6:])
    return sheet.say("word.level", n=number) if number else sheet.say("word.below_first")


def _headed(table: PublicationTable, heads: tuple[str, ...]) -> PublicationTable:
    """Give a table other headings."""
    return PublicationTable(
        caption=table.caption,
        columns=heads,
        rows=table.rows,
        figure_ids=(),
        note=table.note,
        values=table.values,
        is_printed=table.is_printed,
    )
