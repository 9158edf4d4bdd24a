"""An answer as a page, a drawing and files show it: written in the reader's language."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lsakit.tables.explorer import Answer
from lsakit.tables.explorer.calls import python_call, r_call
from lsakit.tables.explorer.drawing import alternative, can_draw, draw_answer
from lsakit.tables.explorer.variables import Variable, known_variables
from lsakit.tables.explorer.wording import Words, digits_of, is_share
from lsakit.tables.explorer.workbook import answer_csv, answer_xlsx
from lsakit.tables.suppression import SuppressionRules, rules_named

FAY_FACTOR = 0.5
STATISTICS_ACROSS = ("levels", "at_or_above", "percent", "percentiles", "slope")
VERDICTS = {"higher": "▲", "lower": "▼", "same": "○"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An answer with the words to show it."""

    answer: Answer
    language: str
    names: tuple[tuple[str, str], ...]

    @property
    def words(self) -> Words:
        """The words of its language."""
        return Words(language=self.language, names=dict(self.names))

    @property
    def measure(self) -> Variable:
        """What is measured."""
        name = self.answer.question.measure
        return known_variables().get(name) or Variable(name=name, kind="scale")

    @property
    def title(self) -> str:
        """What it is about, in one line."""
        return self.words.title(self.answer, self.measure.kind)

    @property
    def is_public(self) -> bool:
        """Whether everyone may ask for each of its variables."""
        question = self.answer.question
        named = [known_variables().get(name) for name in (question.measure, *question.by)]
        return all(variable is None or variable.disclosure == "public" for variable in named)

    @property
    def is_across(self) -> bool:
        """Whether the statistics of a group stand in one line, side by side."""
        return self.answer.question.statistic in STATISTICS_ACROSS

    @property
    def has_chart(self) -> bool:
        """Whether it can be drawn."""
        return can_draw(self.answer)

    @property
    def alternative(self) -> str:
        """The chart in words."""
        return alternative(self.answer, self.measure.kind, self.words)

    @property
    def svg(self) -> str:
        """The chart."""
        return draw_answer(self.answer, self.measure.kind, self.words)

    @property
    def explanation(self) -> str:
        """Where its first number comes from."""
        return str(self.answer.explanations[self.language])

    @property
    def python(self) -> str:
        """The call in Python."""
        return python_call(self.answer, self.measure, fay_factor=FAY_FACTOR)

    @property
    def r(self) -> str:
        """The call in R; empty where R defines the statistic otherwise."""
        return r_call(self.answer, self.measure, fay_factor=FAY_FACTOR)

    def headings(self) -> list[str]:
        """Name the columns of the statistics that stand side by side."""
        rows = [row for row in self.answer.rows if row["statistic"]]
        return list(dict.fromkeys(self.words.row(row, self.answer.question) for row in rows))

    def lines(self) -> list[dict[str, Any]]:
        """Write one line per group: its name, counts, cells, marks, or the reason why it is not shown."""
        question, words = self.answer.question, self.words
        headings = self.headings()
        found: dict[tuple[str, ...], dict[str, Any]] = {}
        for row in self.answer.rows:
            line = found.setdefault(
                tuple(row["group"]),
                {
                    "name": words.group(question.by, row["group"]),
                    "is_whole": not row["group"],
                    "n": None if row["n"] is None else words.texts.number(row["n"]),
                    "n_schools": None if row["n_schools"] is None else words.texts.number(row["n_schools"]),
                    "cells": [None] * len(headings),
                    "reason": "",
                    "flags": "",
                },
            )
            if row["suppressed_because"] and not row["statistic"]:
                line["reason"], line["flags"] = words.reason(row), row["flag"]
                continue
            line["cells"][headings.index(words.row(row, question))] = self._cell(row)
            line["flags"] = "".join(dict.fromkeys(line["flags"] + row["flag"]))
        return list(found.values())

    def _cell(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Write one number with its error and interval."""
        if row["estimate"] is None:
            return {"value": "", "error": "", "interval": "", "reason": self.words.reason(row)}
        return {
            "value": self._number(row["estimate"], row),
            "error": self._number(row["standard_error"], row, plain=True),
            "interval": f"{self._number(row['ci_low'], row)} – {self._number(row['ci_high'], row)}"
            if row["ci_low"] is not None
            else "",
            "reason": "",
        }

    def _number(self, value: float | None, row: Mapping[str, Any], *, plain: bool = False) -> str:
        """Write a number of a row in the unit in which it is read."""
        if value is None:
            return "–"
        texts, digits = self.words.texts, digits_of(self.measure.kind)
        if is_share(row, self.answer.question):
            return texts.number(100 * value, 1) if plain else texts.share(value)
        return texts.number(value, max(digits, 2) if plain else digits)

    def comparisons(self) -> list[dict[str, Any]]:
        """Write one line per comparison, with a verdict that needs no color."""
        question, words = self.answer.question, self.words
        others = [name for name in question.by if name != question.compare_by]
        lines = []
        for row in self.answer.comparisons:
            verdict = "same"
            if row["is_significant"]:
                verdict = "higher" if row["estimate"] > 0 else "lower"
            whole = words.group((), ())
            lines.append(
                {
                    "group": words.value(question.compare_by, row["group"]),
                    "reference": whole
                    if row["reference"] == "all"
                    else words.value(question.compare_by, row["reference"]),
                    "within": words.group(others, row["within"]) if others else "",
                    "statistic": words.row(row, question),
                    "difference": self._difference(row["estimate"], row),
                    "error": self._number(row["standard_error"], row, plain=True),
                    "interval": f"{self._difference(row['ci_low'], row)} – {self._difference(row['ci_high'], row)}",
                    "p": _p(row["p_value"], words),
                    "verdict": verdict,
                    "symbol": VERDICTS[verdict],
                }
            )
        return lines

    def _difference(self, value: float | None, row: Mapping[str, Any]) -> str:
        """Write a difference; of shares in percentage points."""
        return self._number(value, row, plain=is_share(row, self.answer.question))

    def xlsx(self, about: Sequence[tuple[str, str]]) -> bytes:
        """Write the workbook."""
        return answer_xlsx(self.answer, self.words, about, self.title)

    def csv(self, about: Sequence[tuple[str, str]]) -> bytes:
        """Write the CSV file."""
        return answer_csv(self.answer, self.words, about)

    def frozen(self) -> str:
        """Write the answer as text that can be kept for years."""
        return json.dumps(self.answer.plain(), ensure_ascii=False, sort_keys=True)


def _p(value: float | None, words: Words) -> str:
    """Write a p value; very small ones as smaller than the least written."""
    if value is None:
        return "–"
    return f"<\u00a0{words.texts.number(0.001, 3)}" if value < 0.001 else words.texts.number(value, 3)


def shown(answer: Answer, language: str, names: Mapping[str, str]) -> Shown:
    """Give an answer with the words of a language."""
    return Shown(answer=answer, language=language, names=tuple(sorted(names.items())))


@lru_cache(maxsize=64)
def taken_up(text: str, digest: str) -> Answer | None:
    """Take a kept answer up; None where its text is not the one that was kept."""
    found = Answer.of(json.loads(text))
    return found if found.digest == digest else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of publication as people read it."""

    name: str
    title: str
    source: str
    is_verified: bool
    unit: str
    minimum_units: int
    minimum_schools: int
    minimum_strata: int
    symbols: tuple[tuple[str, str], ...]
    coverage: tuple[tuple[str, float], ...]
    is_adjusted: bool


def rule_of(name: str, language: str, *, units: int | None = None, schools: int | None = None) -> Rule:
    """Give a rule set as people read it, with the minima under which a run was made where they are known."""
    rules: SuppressionRules = rules_named(name)
    if units is not None and schools is not None:
        rules = rules.with_minima(units=units, schools=schools)
    return Rule(
        name=rules.name,
        title=rules.title(language),
        source=rules.source(language),
        is_verified=rules.is_verified,
        unit=rules.unit,
        minimum_units=rules.minimum_units,
        minimum_schools=rules.minimum_schools,
        minimum_strata=rules.minimum_strata,
        symbols=tuple(rules.symbols.items()),
        coverage=tuple((mark.symbol, mark.below) for mark in reversed(rules.coverage)),
        is_adjusted=rules.adjustment == "false_discovery_rate",
    )
