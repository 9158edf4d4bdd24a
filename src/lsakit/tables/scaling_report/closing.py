"""Sections that sum up and that let others check: main results, decisions, lineage."""

from __future__ import annotations

from collections import Counter

from lsakit.tables.report import Section
from lsakit.tables.scaling_report.facts import DecisionFact, Sheet
from lsakit.tables.scaling_report.results import reliabilities
from lsakit.tables.scaling_report.writing import Column, pairs, written


def summary(sheet: Sheet) -> Section | None:
    """Say in a few sentences what the run found.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    Section or None
        The section; None before calibration.
    """
    convergence = sheet.record("calibration", "convergence")
    items = sheet.table("calibration", "item_parameters")
    if not convergence or items is None:
        return None
    names = {str(name).partition("@")[0] for name in items.get_column("item")}
    dropped = sum(one.kind == "drop" for one in sheet.facts.decisions)
    said = [
        sheet.say(
            "sentence.summary",
            n_students=sheet.number(convergence["n_students"]),
            n_items=sheet.number(len(names)),
            dropped=sheet.number(dropped),
            model=sheet.word("model", sheet.facts.options.get("model", "")),
        )
    ]
    known = [row for row in reliabilities(sheet) if row["group"] is None and row["value"] is not None]
    if known:
        listed = "; ".join(f"{row['method']} {sheet.number(row['value'], 3)}" for row in known)
        said.append(sheet.say("sentence.summary_reliability", listed=listed))
    groups = sheet.table("fit", "group_fit")
    if groups is not None:
        beyond = groups.filter(groups["exceeds"])
        said.append(
            sheet.say(
                "sentence.summary_fit",
                n=sheet.number(beyond.get_column("item").n_unique()),
                total=sheet.number(groups.get_column("item").n_unique()),
                threshold=sheet.number(sheet.facts.options.get("rmsd_threshold"), 2),
            )
        )
    tests = sheet.table("dif", "dif")
    if tests is not None:
        clear = tests.filter(tests["category"] == "C")
        said.append(sheet.say("sentence.summary_dif", n=sheet.number(clear.get_column("item").n_unique())))
    linked = sheet.record("link", "link")
    if linked:
        said.append(
            sheet.say(
                "sentence.summary_link",
                kept=sheet.number(linked["n_kept"]),
                common=sheet.number(linked["n_common"]),
            )
        )
    return Section(key="summary", heading=sheet.say("section.summary"), paragraphs=tuple(said))


def decisions(sheet: Sheet) -> Section:
    """List the decisions on items with their reasons and who took them.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    Section
        The section; it says so where nothing was decided.
    """
    taken = sheet.facts.decisions
    heading = sheet.say("section.decisions")
    if not taken:
        return Section(key="decisions", heading=heading, paragraphs=(sheet.say("sentence.no_decisions"),))
    counts = Counter(one.kind for one in taken)
    listed = "; ".join(
        f"{sheet.word('decision', kind)}: {sheet.number(n)}" for kind, n in sorted(counts.items())
    )
    rows = [
        {
            "item": one.item,
            "decision": sheet.word("decision", one.kind),
            "details": _details(sheet, one),
            "reason": one.reason,
            "who": one.who,
            "day": sheet.day(one.day),
        }
        for one in taken
    ]
    columns = [Column(name) for name in ("item", "decision", "details", "reason", "who", "day")]
    return Section(
        key="decisions",
        heading=heading,
        paragraphs=(sheet.say("sentence.decisions", n=sheet.number(len(taken)), kinds=listed),),
        tables=(written(sheet, rows, columns, caption=sheet.say("caption.decisions")),),
    )


def _details(sheet: Sheet, decision: DecisionFact) -> str:
    """Write which scores were joined, or which groups have own parameters."""
    if decision.scores:
        return ", ".join(f"{old} → {new}" for old, new in sorted(decision.scores.items()))
    return ", ".join(decision.groups)


def lineage(sheet: Sheet) -> Section:
    """Name every input, stage and output by its hash.

    Parameters
    ----------
    sheet : Sheet
        The report's shared part.

    Returns
    -------
    Section
        The section.
    """
    facts = sheet.facts
    said = [sheet.say("sentence.lineage")]
    who = sheet.say(
        "sentence.run", run=facts.run, who=facts.who or "–", day=sheet.day(facts.day), software=facts.software
    )
    tables = []
    if facts.inputs:
        rows = [(sheet.word("role", role), digest) for role, digest in sorted(facts.inputs.items())]
        tables.append(pairs(sheet, rows, caption=sheet.say("caption.inputs"), heads=("input", "hash")))
    if facts.stages:
        rows = [
            (
                f"{sheet.word('stage', one.stage)} ({one.step}, {sheet.say('word.version', n=one.version)})",
                one.manifest_id,
            )
            for one in facts.stages
        ]
        tables.append(pairs(sheet, rows, caption=sheet.say("caption.stages"), heads=("stage", "manifest")))
        outputs = [
            {"stage": sheet.word("stage", one.stage), "role": sheet.word("role", role), "hash": digest}
            for one in facts.stages
            for role, digest in sorted(one.outputs.items())
        ]
        columns = [Column("stage"), Column("role"), Column("hash")]
        tables.append(
            written(sheet, outputs, columns, caption=sheet.say("caption.outputs"), is_printed=False)
        )
    return Section(
        key="lineage", heading=sheet.say("section.lineage"), paragraphs=(*said, who), tables=tuple(tables)
    )
