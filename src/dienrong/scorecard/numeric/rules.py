"""Rules as files: read, refused where malformed, compiled to expressions over a wide table."""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from dienrong.scorecard.numeric import tables

DIMENSIONS = ("correct", "complete", "clean", "fresh")
SEVERITIES = ("error", "warning")
WEIGHTS = {"error": 3.0, "warning": 1.0}
PLACES = ("traits", "contact", "place", "enrolments", "sites", "lists", "confirm", "totals", "events")
"""Where a fault is mended; the pages know the way."""
LANGUAGES = ("vi", "en")
ID = re.compile(r"[a-z][a-z0-9_]{2,59}")
KEYS = frozenset(
    {
        "id",
        "dimension",
        "severity",
        "entity",
        "cells",
        "where",
        "applies",
        "basis",
        "fix",
        "sentence",
        "hint",
        "examples",
    }
)
REQUIRED = (
    "id",
    "dimension",
    "severity",
    "entity",
    "cells",
    "where",
    "basis",
    "fix",
    "sentence",
    "hint",
    "examples",
)


class RuleError(ValueError):
    """A file of rules is malformed; the sentence names the file, the rule, the key and the way out."""

    def __init__(self, file: str, key: str, what: str, *, way_out: str, rule: str = "") -> None:
        self.file, self.key, self.rule = file, key, rule
        at = f", rule '{rule}'" if rule else ""
        super().__init__(f"{file}{at}, key '{key}': {what} {way_out}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One row that must fail, must pass, or must not be spoken to."""

    row: Mapping[str, Any]
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One declarative rule."""

    id: str
    dimension: str
    severity: str
    entity: str
    cells: tuple[str, ...]
    where: str
    applies: str
    basis: str
    fix: str
    sentence: Mapping[str, str]
    hint: Mapping[str, str]
    examples: tuple[Example, ...]
    file: str = ""
    params: tuple[str, ...] = field(default=())

    @property
    def weight(self) -> float:
        """How much the rule weighs in a score."""
        return WEIGHTS[self.severity]

    def expressions(self) -> tuple[pl.Expr, pl.Expr]:
        """Give (is spoken to, is at fault) as expressions without nulls; at fault implies spoken to."""
        return _compiled(self.applies, self.where)


@cache
def _compiled(applies: str, where: str) -> tuple[pl.Expr, pl.Expr]:
    """Compile the two predicates of a rule, once."""
    asked = pl.sql_expr(applies).fill_null(False) if applies else pl.lit(True)
    return asked, asked & pl.sql_expr(where).fill_null(False)


def read_rules(folders: Iterable[Path]) -> dict[str, Rule]:
    """Read every file of the folders in the order of their names.

    Raises
    ------
    RuleError
        If a file is malformed or two rules share an id.
    """
    rules: dict[str, Rule] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
            for rule in read_file(path):
                if rule.id in rules:
                    raise RuleError(
                        path.name,
                        "id",
                        f"the id stands in {rules[rule.id].file} already.",
                        way_out="Give the rule another id.",
                        rule=rule.id,
                    )
                rules[rule.id] = rule
    return rules


def read_file(path: Path) -> list[Rule]:
    """Read the rules of one file.

    Raises
    ------
    RuleError
        If the file is no TOML, holds no ``[[rule]]``, or a rule is malformed.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleError(
            path.name, "-", f"the file is no TOML in UTF-8 ({error}).", way_out="Correct the place named."
        ) from error
    found = content.pop("rule", None)
    if content or not isinstance(found, list) or not found:
        key = next(iter(content), "rule")
        raise RuleError(
            path.name,
            key,
            "a file of rules holds tables [[rule]] and nothing else.",
            way_out="Begin each rule with a line [[rule]].",
        )
    return [_rule(path.name, one) for one in found]


def _rule(file: str, raw: dict[str, Any]) -> Rule:
    """Make one rule of its table."""
    name = raw.get("id") if isinstance(raw.get("id"), str) else ""

    def refuse(key: str, what: str, way_out: str) -> RuleError:
        return RuleError(file, key, what, way_out=way_out, rule=str(name))

    for key in raw:
        if key not in KEYS:
            raise refuse(key, "the key is not known.", f"Known keys: {', '.join(sorted(KEYS))}.")
    for key in REQUIRED:
        if key not in raw:
            raise refuse(
                key, "the key is missing.", "Every rule has it; see docs/modules/scorecard/concepts.md."
            )
    if not isinstance(raw["id"], str) or not ID.fullmatch(raw["id"]):
        raise refuse(
            "id", f"{raw['id']!r} is no id.", "Use lower-case letters, digits and _, 3 to 60 of them."
        )
    for key, words in (
        ("dimension", DIMENSIONS),
        ("severity", SEVERITIES),
        ("entity", tuple(tables.TABLES)),
        ("fix", PLACES),
    ):
        if raw[key] not in words:
            raise refuse(key, f"{raw[key]!r} is not known.", f"Use one of {', '.join(words)}.")
    known = tables.kinds(raw["entity"])
    if not isinstance(raw["cells"], list) or not raw["cells"] or not set(raw["cells"]) <= set(known):
        raise refuse("cells", "it must list columns of the entity.", "See docs/modules/scorecard/columns.md.")
    params = _texts(raw, known, refuse)
    rule = Rule(
        id=raw["id"],
        dimension=raw["dimension"],
        severity=raw["severity"],
        entity=raw["entity"],
        cells=tuple(raw["cells"]),
        where=str(raw["where"]).strip(),
        applies=str(raw.get("applies", "")).strip(),
        basis=str(raw["basis"]),
        fix=raw["fix"],
        sentence=dict(raw["sentence"]),
        hint=dict(raw["hint"]),
        examples=_examples(raw, known, refuse),
        file=file,
        params=params,
    )
    for key in ("where", "applies"):
        _try(getattr(rule, key), key, rule, refuse)
    return rule


def _texts(raw: dict[str, Any], known: Mapping[str, str], refuse: Any) -> tuple[str, ...]:
    """Check sentence and hint in both languages; give the columns they name."""
    named: set[str] = set()
    for key in ("sentence", "hint"):
        texts = raw[key]
        if not isinstance(texts, dict) or set(texts) != set(LANGUAGES) or not all(texts.values()):
            raise refuse(
                key, "it needs a text in vi and one in en.", f'Write {key}.vi = "…" and {key}.en = "…".'
            )
        for text in texts.values():
            try:
                places = [part[1] for part in string.Formatter().parse(text) if part[1] is not None]
            except ValueError as error:
                raise refuse(key, f"the text is malformed ({error}).", "Write { as {{.") from error
            for place in places:
                if place not in known:
                    raise refuse(
                        key, f"{{{place}}} is no column of the entity.", "Name a column of columns.md."
                    )
            named.update(places)
    return tuple(sorted(named))


def _examples(raw: dict[str, Any], known: Mapping[str, str], refuse: Any) -> tuple[Example, ...]:
    """Read the examples; there is one that fails and one that passes."""
    found = []
    for one in raw["examples"] if isinstance(raw["examples"], list) else ():
        row = dict(one)
        outcome = row.pop("outcome", None)
        if outcome not in ("fails", "passes", "not_asked"):
            raise refuse("examples", "outcome is missing.", "Write outcome = fails, passes or not_asked.")
        nulls = row.pop("empty", [])
        row |= dict.fromkeys(nulls)
        unknown = sorted(set(row) - set(known))
        if unknown:
            raise refuse(
                "examples", f"{unknown[0]} is no column of the entity.", "Name a column of columns.md."
            )
        found.append(Example(row=row, outcome=outcome))
    if {"fails", "passes"} - {one.outcome for one in found}:
        raise refuse(
            "examples", "a row that fails and a row that passes are needed.", "Write [[rule.examples]] twice."
        )
    return tuple(found)


def _try(text: str, key: str, rule: Rule, refuse: Any) -> None:
    """Evaluate a predicate over two good rows: it must give one truth for each row."""
    if not text:
        if key == "where":
            raise refuse(key, "the predicate is empty.", "Write an SQL expression over the columns.")
        return
    rows = [tables.good_row(rule.entity)] * 2
    try:
        given = tables.frame_of(rule.entity, rows).select(pl.sql_expr(text).alias("_given"))
    except Exception as error:
        raise refuse(
            key, f"the predicate cannot be read ({str(error).splitlines()[0]}).", "Correct it."
        ) from error
    if given.height != 2 or given.schema["_given"] != pl.Boolean:
        raise refuse(
            key, "the predicate gives no yes or no for each row.", "Write a comparison, without sums."
        )
