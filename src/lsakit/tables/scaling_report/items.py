"""Sections on the items: classical statistics, parameters, fit, differential functioning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from lsakit.irt.group_misfit import ALARM_SHARE
from lsakit.tables.publication import PublicationTable
from lsakit.tables.report import Section
from lsakit.tables.scaling_report import pictures
from lsakit.tables.scaling_report.facts import Sheet, ends
from lsakit.tables.scaling_report.writing import Column, written

MOST_PAIRS = 20
"""Pairs of items with the largest adjusted Q3 that stand on paper."""
CLEAR = ("B", "C")


def classical(sheet: Sheet) -> Section | None:
    """Tell difficulty, discrimination, reliability and flags before any model.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    Section or None
        The section; None before the analysis.
    """
    found = sheet.table("classical", "item_statistics")
    if found is None:
        return None
    rows = found.to_dicts()
    said = []
    facility, discrimination = ends(rows, "facility"), ends(rows, "discrimination")
    if facility is not None:
        said.append(
            sheet.say(
                "sentence.facility",
                low=sheet.share(facility[0]["facility"]),
                low_item=facility[0]["item"],
                high=sheet.share(facility[1]["facility"]),
                high_item=facility[1]["item"],
                middle=sheet.share(found.get_column("facility").median()),
            )
        )
    if discrimination is not None:
        said.append(
            sheet.say(
                "sentence.discrimination",
                low=sheet.number(discrimination[0]["discrimination"], 2),
                low_item=discrimination[0]["item"],
                high=sheet.number(discrimination[1]["discrimination"], 2),
                high_item=discrimination[1]["item"],
                middle=sheet.number(found.get_column("discrimination").median(), 2),
            )
        )
    consistency = sheet.record("classical", "consistency")
    if consistency:
        said.append(
            sheet.say(
                "sentence.consistency",
                alpha=sheet.number(consistency.get("alpha"), 3),
                omega=sheet.number(consistency.get("omega"), 3),
            )
        )
    if consistency.get("median_alpha") is not None:
        middle = sheet.number(consistency["median_alpha"], 3)
        said.append(sheet.say("sentence.median_alpha", median_alpha=middle))
    said += flag_sentences(sheet, rows)
    columns = [
        Column("item"), Column("n", "n"), Column("max_score", "n"), Column("facility", "share"),
        Column("discrimination", "hundredth"), Column("omitted_rate", "share"), Column("not_reached_rate", "share"),
        Column("flags", "flag"),
    ]  # fmt: skip
    tables = [
        written(
            sheet, rows, columns, caption=sheet.say("caption.classical"), note=sheet.say("note.classical")
        )
    ]
    options = sheet.table("classical", "option_statistics")
    if options is not None:
        wide = [
            Column("item"), Column("option"), Column("is_key"), Column("n", "n"), Column("share", "share"),
            Column("correlation", "hundredth"), Column("mean", "hundredth", "rest_mean"), Column("share_low", "share"),
            Column("share_high", "share"),
        ]  # fmt: skip
        tables.append(
            written(
                sheet,
                options.to_dicts(),
                wide,
                caption=sheet.say("caption.option_statistics"),
                is_printed=False,
            )
        )
    return Section(
        key="classical", heading=sheet.say("section.classical"), paragraphs=tuple(said), tables=tuple(tables)
    )


def flag_sentences(sheet: Sheet, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say which flags were raised on which items.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.
    rows : Sequence of Mapping
        Rows with item and flags, parted by semicolons.

    Returns
    -------
    list of str
        One sentence that counts, and one for each flag.
    """
    raised: dict[str, list[str]] = {}
    for row in rows:
        for flag in str(row.get("flags") or "").split(";"):
            if flag:
                raised.setdefault(flag, []).append(str(row["item"]))
    items = {item for names in raised.values() for item in names}
    if not items:
        return [sheet.say("sentence.no_flags", total=sheet.number(len(rows)))]
    said = [sheet.say("sentence.flags", n=sheet.number(len(items)), total=sheet.number(len(rows)))]
    said += [
        sheet.say(
            "sentence.flag",
            flag=sheet.word("flag", flag),
            n=sheet.number(len(names)),
            items=sheet.named(names),
        )
        for flag, names in raised.items()
    ]
    return said


def parameters(sheet: Sheet) -> Section | None:
    """Tell the parameters of the items.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    Section or None
        The section; None before calibration.
    """
    found = sheet.table("calibration", "item_parameters")
    if found is None:
        return None
    rows = found.to_dicts()
    said = []
    for name in ("slope", "difficulty"):
        both = ends([row for row in rows if row.get(f"se_{name}") is not None] or rows, name)
        if both is not None:
            said.append(
                sheet.say(
                    f"sentence.{name}",
                    low=sheet.number(both[0][name], 2),
                    low_item=both[0]["item"],
                    high=sheet.number(both[1][name], 2),
                    high_item=both[1]["item"],
                )
            )
    free = [row["item"] for row in rows if "@" in str(row["item"])]
    if free:
        said.append(sheet.say("sentence.free", n=sheet.number(len(free)), items=sheet.named(free)))
    held = [row["item"] for row in rows if row.get("fixed")]
    if held:
        said.append(sheet.say("sentence.held", n=sheet.number(len(held))))
    steps = sorted(name for name in found.columns if name.startswith("step_"))
    columns = [Column("item"), Column("model", "short_model"), Column("n", "n")]
    columns += [Column(name, "parameter") for name in ("slope", "se_slope", "difficulty", "se_difficulty")]
    short = [*columns, *(Column(name, "parameter") for name in steps)]
    if any(row.get("guessing") for row in rows):
        short.append(Column("guessing", "parameter"))
    tables = [
        written(
            sheet, rows, short, caption=sheet.say("caption.parameters"), note=sheet.say("note.parameters")
        )
    ]
    errors = [f"se_{name}" for name in (*steps, "guessing") if f"se_{name}" in found.columns]
    whole = [*short, *(Column(name, "parameter") for name in errors), Column("fixed")]
    tables.append(
        written(sheet, rows, whole, caption=sheet.say("caption.parameters_whole"), is_printed=False)
    )
    return Section(
        key="parameters",
        heading=sheet.say("section.parameters"),
        paragraphs=tuple(said),
        figures=pictures.of_items(sheet),
        tables=tuple(tables),
    )


def fit(sheet: Sheet) -> Section | None:
    """Tell how the items fit, in all and by group.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    Section or None
        The section; None before the fit was judged.
    """
    found = sheet.table("fit", "item_fit")
    if found is None:
        return None
    rows = found.to_dicts()
    said = [*release_sentences(sheet), *_fit_sentences(sheet, rows)]
    columns = [
        Column("item"),
        *(Column(name, "hundredth") for name in ("infit", "infit_t", "outfit", "outfit_t")),
    ]
    columns += [Column("s_x2_p", "p"), Column("worst_rmsd", "parameter"), Column("flags", "flag")]
    tables = [written(sheet, rows, columns, caption=sheet.say("caption.fit"), note=sheet.say("note.fit"))]
    groups = sheet.table("fit", "group_fit")
    if groups is not None:
        wide = [
            Column("item"),
            Column("group"),
            Column("n", "n"),
            Column("rmsd", "parameter"),
            Column("md", "parameter"),
        ]
        beyond = sheet.grouped([row for row in groups.to_dicts() if row["exceeds"]])
        if beyond:
            tables.append(written(sheet, beyond, wide, caption=sheet.say("caption.group_misfit")))
        tables.append(
            written(
                sheet,
                sheet.grouped(groups.to_dicts()),
                wide,
                caption=sheet.say("caption.group_fit"),
                is_printed=False,
            )
        )
    tables += [*_release(sheet), *_dependence(sheet)]
    return Section(
        key="fit",
        heading=sheet.say("section.fit"),
        paragraphs=tuple(said),
        figures=pictures.of_fit(sheet),
        tables=tuple(tables),
    )


def release_sentences(sheet: Sheet) -> list[str]:
    """Say what the automatic release freed, why it ended, and which groups have too few common items.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    list of str
        Sentences; none where no release was asked for.
    """
    found = sheet.record("calibration", "release")
    if not found:
        return []
    steps = sheet.table("calibration", "release_steps")
    names = [] if steps is None else list(dict.fromkeys(steps.get_column("item")))
    said = [
        sheet.say(
            "sentence.release",
            n_steps=sheet.number(found["n_steps"]),
            n_items=sheet.number(len(names)),
            items=sheet.named(names) or "–",
            n_rounds=sheet.number(found["n_rounds"]),
            threshold=sheet.number(found["threshold"], 2),
            reason=sheet.word("stopped", found["stopped_because"]),
            n_flagged=sheet.number(found["n_flagged"]),
        )
    ]
    shares = sheet.table("calibration", "release_shares")
    for row in [] if shares is None else shares.to_dicts():
        if row["group"] in found["alarmed"]:
            said.append(
                sheet.say(
                    "sentence.release_alarm",
                    group=sheet.group(row["group"]),
                    n=sheet.number(row["n_shared"] + row["n_own"]),
                    total=sheet.number(row["n_items"]),
                    share=sheet.share(found["alarm_share"]),
                )
            )
    return said


def _release(sheet: Sheet) -> list[PublicationTable]:
    """Tabulate common and released items by group, and the releases one by one."""
    shares, steps = sheet.table("calibration", "release_shares"), sheet.table("calibration", "release_steps")
    tables = []
    if shares is not None:
        columns = [Column("group"), Column("n_items", "n")]
        columns += [Column(name, "n") for name in ("n_common", "n_shared", "n_own")]
        columns += [Column("share_common", "share"), Column("share_unique", "share")]
        tables.append(
            written(
                sheet,
                sheet.grouped(shares.to_dicts()),
                columns,
                caption=sheet.say("caption.release_shares"),
                note=sheet.say("note.release_shares"),
            )
        )
    if steps is not None:
        rows = [
            {
                **row,
                "round": str(row["round"]),
                "groups": ", ".join(sheet.group(one) for one in row["groups"].split(";")),
                "direction": sheet.word("direction", row["direction"]),
            }
            for row in steps.to_dicts()
        ]
        columns = [Column(name) for name in ("round", "item", "groups", "direction")]
        columns += [Column("rmsd", "parameter"), Column("md", "parameter"), Column("joined")]
        tables.append(written(sheet, rows, columns, caption=sheet.say("caption.release_steps")))
    return tables


def _fit_sentences(sheet: Sheet, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say how many items leave their model, and what the release rule proposes."""
    groups = sheet.table("fit", "group_fit")
    beyond = [] if groups is None else [row for row in groups.to_dicts() if row["exceeds"]]
    names = list(dict.fromkeys(row["item"] for row in beyond))
    threshold = sheet.number(sheet.facts.options.get("rmsd_threshold"), 2)
    said = [
        sheet.say(
            "sentence.misfit",
            n=sheet.number(len(names)),
            total=sheet.number(len(rows)),
            threshold=threshold,
            items=sheet.named(names),
        )
        if names
        else sheet.say("sentence.no_misfit", total=sheet.number(len(rows)), threshold=threshold)
    ]
    said += _alarms(sheet)
    said += flag_sentences(sheet, rows)
    pairs = sheet.table("fit", "local_dependence")
    if pairs is not None:
        flagged = pairs.filter(pairs["flagged"]) if "flagged" in pairs.columns else pairs.clear()
        said.append(
            sheet.say("sentence.dependence", n=sheet.number(flagged.height), total=sheet.number(pairs.height))
        )
    proposals = sheet.table("fit", "proposals")
    if proposals is not None:
        listed = "; ".join(
            f"{row['item']} ({', '.join(sheet.group(one) for one in str(row['group']).split(';'))})"
            for row in proposals.to_dicts()
        )
        said.append(sheet.say("sentence.proposals", n=sheet.number(proposals.height), items=listed))
    return said


def _alarms(sheet: Sheet) -> list[str]:
    """Say in which groups so many items misfit that the release rule stops: its own share of a group's items."""
    groups = sheet.table("fit", "group_fit")
    if groups is None or groups.get_column("group").n_unique() < 2:
        return []
    said = []
    for group, own in sorted(groups.group_by("group"), key=lambda one: str(one[0][0])):
        beyond = int(own.get_column("exceeds").sum())
        if beyond > ALARM_SHARE * own.height:
            words = {"n": sheet.number(beyond), "total": sheet.number(own.height)}
            said.append(
                sheet.say(
                    "sentence.alarm", group=sheet.group(group[0]), share=sheet.share(ALARM_SHARE), **words
                )
            )
    return said


def _dependence(sheet: Sheet) -> list[PublicationTable]:
    """Tabulate the pairs of items whose answers hang together most."""
    pairs = sheet.table("fit", "local_dependence")
    if pairs is None:
        return []
    columns = [
        Column("item_1"),
        Column("item_2"),
        Column("n", "n"),
        Column("q3", "parameter"),
        Column("q3_adjusted", "parameter"),
    ]
    rows = pairs.sort("q3_adjusted", descending=True, nulls_last=True).to_dicts()
    return [
        written(
            sheet,
            rows[:MOST_PAIRS],
            columns,
            caption=sheet.say("caption.dependence", n=min(MOST_PAIRS, len(rows))),
        ),
        written(sheet, rows, columns, caption=sheet.say("caption.dependence_whole"), is_printed=False),
    ]


def dif(sheet: Sheet) -> Section | None:
    """Tell which items work differently in groups of equal ability.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    Section or None
        The section; None where nothing was tested.
    """
    found = sheet.table("dif", "dif")
    if found is None:
        return None
    said, tables = [], []
    columns = [
        Column("item"), Column("focal"), Column("reference"), Column("n", "n"), Column("statistic", "hundredth"),
        Column("ci_low", "hundredth"), Column("ci_high", "hundredth"), Column("p", "p"), Column("category"),
    ]  # fmt: skip
    for variable in found.get_column("variable").unique(maintain_order=True):
        named = sheet.variable(variable)
        rows = [
            {**row, **{side: sheet.level(variable, row[side]) for side in ("focal", "reference")}}
            for row in found.to_dicts()
            if row["variable"] == variable
        ]
        classes = Counter(str(row["category"]) for row in rows if row["category"])
        clear = [row for row in rows if row["category"] in CLEAR]
        said.append(
            sheet.say(
                "sentence.dif",
                variable=named,
                tested=sheet.number(sum(classes.values())),
                a=sheet.number(classes["A"]),
                b=sheet.number(classes["B"]),
                c=sheet.number(classes["C"]),
                items=sheet.named(dict.fromkeys(str(row["item"]) for row in clear)) or "–",
            )
        )
        undefined = [row for row in rows if not row["category"]]
        if undefined:
            said.append(sheet.say("sentence.dif_undefined", variable=named, n=sheet.number(len(undefined))))
        if clear:
            tables.append(
                written(
                    sheet,
                    clear,
                    columns,
                    caption=sheet.say("caption.dif_clear", variable=named),
                    note=sheet.say("note.dif"),
                )
            )
        tables.append(
            written(sheet, rows, columns, caption=sheet.say("caption.dif", variable=named), is_printed=False)
        )
    return Section(
        key="dif",
        heading=sheet.say("section.dif"),
        paragraphs=tuple(said),
        figures=pictures.of_dif(sheet),
        tables=tuple(tables),
    )
