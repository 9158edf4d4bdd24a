"""The words of an answer: what its groups, statistics and marks are called in a language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lsakit.tables.explorer.answers import Answer
from lsakit.tables.explorer.question import Question, variable_name
from lsakit.tables.explorer.statistics import SHARES
from lsakit.tables.publication import reason_of
from lsakit.tables.texts import Texts

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Say the parts of questions and answers in one language.

    Parameters
    ----------
    language : str
        ``"vi"`` or ``"en"``.
    names : Mapping of str to str
        Names of provinces and regions by their codes.
    """

    language: str
    names: Mapping[str, str]

    @property
    def texts(self) -> Texts:
        """The texts of the language."""
        return Texts(self.language)

    def variable(self, name: str, population: str) -> str:
        """Name a variable or a scale."""
        return variable_name(name, population, self.texts)

    def statistic(self, question: Question, kind: str) -> str:
        """Name the statistic of a question, by the kind of its measure."""
        name, texts = question.statistic, self.texts
        if kind == "index" and texts.has(f"explorer.index_statistic.{name}"):
            return texts.say(f"explorer.index_statistic.{name}")
        return texts.say(f"explorer.statistic.{name}")

    def value(self, by: str, value: str) -> str:
        """Name one group of one break-down."""
        named = self.texts.group(by, value)
        return named if named != value else self.names.get(value, value)

    def group(self, by: Sequence[str], values: Sequence[str]) -> str:
        """Name a group of several break-downs; the whole where there is none."""
        parts = [self.value(name, value) for name, value in zip(by, values, strict=False)]
        return " · ".join(parts) if parts else self.texts.say("group.nation.all")

    def row(self, row: Row, question: Question) -> str:
        """Name the statistic of a row."""
        name, texts = str(row["statistic"]), self.texts
        if not name:
            return texts.say("explorer.row.not_shown")
        if question.statistic == "percent":
            return self.value(question.measure, str(row["category"]))
        if texts.has(f"level.{name}"):
            return texts.say(f"level.{name}")
        if name.startswith("at_or_above_"):
            return texts.say("explorer.row.at_or_above", level=name.rpartition("_")[2])
        if name.startswith("p") and name[1:].replace(".", "").isdigit():
            return texts.say("explorer.row.percentile", p=texts.number(float(name[1:])))
        return texts.say(f"explorer.row.{name}") if texts.has(f"explorer.row.{name}") else name

    def reason(self, row: Row) -> str:
        """Say why a row is not shown; empty where it is."""
        return reason_of(row, self.texts)

    def title(self, answer: Answer, kind: str) -> str:
        """Say in one line what an answer is about."""
        question = answer.question
        parts = [
            self.variable(question.measure, question.population),
            self.texts.say(f"population.{question.population}"),
            self.statistic(question, kind),
        ]
        by = [self.variable(name, question.population) for name in question.by]
        return " · ".join(parts) + (f" — {' × '.join(by)}" if by else "")


def is_share(row: Row, question: Question) -> bool:
    """Tell whether a row is a share, to be written as a percentage.

    Parameters
    ----------
    row : Mapping
        Row of an answer.
    question : Question
        Its question.

    Returns
    -------
    bool
        True for shares and for the strength of a gradient.
    """
    return question.statistic in SHARES or row["statistic"] == "strength"


def digits_of(kind: str) -> int:
    """Give how many decimals estimates of a kind of measure are written with.

    Parameters
    ----------
    kind : str
        Kind of the measure.

    Returns
    -------
    int
        1 for scores, 2 for indices.
    """
    return 2 if kind == "index" else 1
