"""What a scaling report must be told beside the tables of the run, and the sheet that its parts share."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lsakit.tables.texts import Texts

MOST_NAMED = 12
"""Items that a sentence names before it counts the others."""
Outputs = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFact:
    """A decision on an item, as the run had it.

    Parameters
    ----------
    item : str
        Item.
    kind : str
        ``"drop"``, ``"collapse"``, ``"free"`` or ``"keep"``.
    scores : Mapping of int to int, optional
        New score of each old score that changes.
    groups : tuple of str, optional
        Groups with own parameters.
    reason : str, default ""
        Why, in the words of who decided.
    who : str, default ""
        Who decided.
    day : datetime.date, optional
        When.
    """

    item: str
    kind: str
    scores: Mapping[int, int] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    reason: str = ""
    who: str = ""
    day: datetime.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFact:
    """What one stage of a run left in the store.

    Parameters
    ----------
    stage : str
        Stage.
    manifest_id : str
        Its manifest.
    step, version : str
        Step and version of the step.
    outputs : Mapping of str to str
        Hash of each output by role.
    """

    stage: str
    manifest_id: str
    step: str
    version: str
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingFacts:
    """What a scaling report must know beside the tables of the run.

    Parameters
    ----------
    title : str
        Title of the study.
    cycle : str
        Name of the cycle.
    subject : str
        Subject.
    run : int
        Number of the run in its study.
    options : Mapping of str to object
        Options of the run, as `lsakit.pipeline.scaling.ScalingOptions` has them.
    software : str
        Software and version.
    data : str, default ""
        Where the responses come from, in words.
    items : polars.DataFrame, optional
        The table of items: item, and where known format, max_score, cluster, domain, label.
    inputs : Mapping of str to str, optional
        Hash of each input by role.
    decisions : tuple of DecisionFact, optional
        Decisions that the run had.
    stages : tuple of StageFact, optional
        What each stage left.
    who : str, default ""
        Who asked for the run.
    day : datetime.date, optional
        When it was done.
    names : Mapping of str to Mapping, optional
        Names of the groups of a column by their codes, such as provinces; gender, area and the like are known.
    """

    title: str
    cycle: str
    subject: str
    run: int
    options: Mapping[str, Any]
    software: str
    data: str = ""
    items: pl.DataFrame | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    decisions: tuple[DecisionFact, ...] = ()
    stages: tuple[StageFact, ...] = ()
    who: str = ""
    day: datetime.date | None = None
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What every part of one scaling report shares.

    Parameters
    ----------
    outputs : Mapping of str to Mapping
        Tables and records by stage and role.
    facts : ScalingFacts
        What is known beside them.
    texts : Texts
        The language.
    """

    outputs: Outputs
    facts: ScalingFacts
    texts: Texts

    def table(self, stage: str, role: str) -> pl.DataFrame | None:
        """Give a table of the run; None where there is none or it is empty."""
        found = self.outputs.get(stage, {}).get(role)
        return found if isinstance(found, pl.DataFrame) and found.height else None

    def record(self, stage: str, role: str) -> dict[str, Any]:
        """Give a record of the run; empty where there is none."""
        found = self.outputs.get(stage, {}).get(role)
        return dict(found) if isinstance(found, Mapping) else {}

    def say(self, key: str, **values: object) -> str:
        """Say a text of scaling reports."""
        return self.texts.say(f"scaling_report.{key}", **values)

    def word(self, kind: str, name: object) -> str:
        """Say what a flag, a column, a model is called; a name without words stands for itself."""
        key = f"scaling_report.{kind}.{name}"
        return self.texts.say(key) if self.texts.has(key) else str(name)

    def number(self, value: Any, digits: int = 0) -> str:
        """Write a number; a dash where there is none."""
        return "–" if value is None or value != value else self.texts.number(value, digits)

    def share(self, value: Any) -> str:
        """Write a share as a percentage; a dash where there is none."""
        return "–" if value is None or value != value else self.texts.share(value)

    def p_value(self, value: Any) -> str:
        """Write a probability with three decimals, a tiny one as a bound."""
        if value is None or value != value:
            return "–"
        return "< " + self.texts.number(0.001, 3) if value < 0.0005 else self.texts.number(value, 3)

    def named(self, names: Iterable[object]) -> str:
        """Name items in a sentence; many are counted after the first."""
        listed = [str(name) for name in names]
        if len(listed) <= MOST_NAMED:
            return ", ".join(listed)
        return self.say("list.more", some=", ".join(listed[:MOST_NAMED]), n=len(listed) - MOST_NAMED)

    def variable(self, name: object) -> str:
        """Name a column of the students; one without words stands for itself."""
        key = f"by.{name}"
        return self.texts.say(key) if self.texts.has(key) else str(name)

    def level(self, variable: object, value: object) -> str:
        """Name a group of a column by its code."""
        own = self.facts.names.get(str(variable), {})
        code = str(value)
        code = {"True": "true", "False": "false"}.get(code, code)
        return own.get(code) or self.texts.group(str(variable), code)

    def group(self, value: object) -> str:
        """Name a group of the calibration."""
        return self.level(self.facts.options.get("group"), value)

    def grouped(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Name the groups of the calibration in rows."""
        return [{**row, "group": self.group(row["group"])} for row in rows]

    def day(self, day: datetime.date | None) -> str:
        """Write a day as dd/mm/yyyy; a dash where it is not known."""
        return day.strftime("%d/%m/%Y") if day else "–"


def ends(
    rows: Sequence[Mapping[str, Any]], column: str
) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Find the rows with the lowest and the highest value of a column.

    Parameters
    ----------
    rows : Sequence of Mapping
        Rows.
    column : str
        A column of numbers.

    Returns
    -------
    tuple of Mapping or None
        The two rows; None where no row has a value.
    """
    known = [row for row in rows if row.get(column) is not None]
    if not known:
        return None
    return min(known, key=lambda row: row[column]), max(known, key=lambda row: row[column])
