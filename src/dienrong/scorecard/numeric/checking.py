"""Rules over the wide tables: findings and scores."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from dienrong.scorecard.numeric import tables
from dienrong.scorecard.numeric.register import RegisterRows
from dienrong.scorecard.numeric.rules import DIMENSIONS, Rule
from dienrong.scorecard.numeric.wide import Wide, build


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One row at fault: ``school_key`` of the school, or ``province_code`` where the rule is about a province."""

    rule: str
    school_key: int | None
    province_code: str
    row: str
    value: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolScore:
    """The scores of one school, 0 to 100; None where no rule spoke to it."""

    school_key: int
    province_code: str
    commune_code: str
    total: float | None
    dimensions: Mapping[str, float | None]
    n_errors: int
    n_warnings: int
    has_data: bool
    is_confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Everything that one check found."""

    findings: tuple[Found, ...]
    scores: tuple[SchoolScore, ...]


def check(rows: RegisterRows, rules: Iterable[Rule]) -> Checked:
    """Check the registry's rows by the rules."""
    return check_wide(build(rows), tuple(rules))


def check_wide(wide: Wide, rules: Sequence[Rule]) -> Checked:
    """Check wide tables by the rules."""
    findings: list[Found] = []
    tallies: list[pl.DataFrame] = []
    for entity, frame in wide.frames.items():
        mine = [rule for rule in rules if rule.entity == entity]
        if not mine or not frame.height:
            continue
        marked = _marked(frame, mine)
        for rule in mine:
            findings += _findings(frame, marked, rule)
        if entity in tables.SCORED:
            tallies.append(_tally(marked, mine))
    return Checked(findings=tuple(findings), scores=_scores(wide.schools, tallies, rules))


def _marked(frame: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """For each rule two columns: spoken to, at fault."""
    columns = []
    for rule in rules:
        asked, fails = rule.expressions()
        columns += [asked.alias(f"a:{rule.id}"), fails.alias(f"f:{rule.id}")]
    return frame.lazy().select("_key", *columns).collect()


def _findings(frame: pl.DataFrame, marked: pl.DataFrame, rule: Rule) -> list[Found]:
    """The rows at fault under one rule."""
    fails = marked.get_column(f"f:{rule.id}")
    if not fails.any():
        return []
    columns = dict.fromkeys(("_key", *tables.ROW_KEYS[rule.entity], *rule.cells, *rule.params))
    of_a_school = rule.entity in tables.OF_A_SCHOOL
    found = []
    for row in frame.select(*columns).filter(fails).iter_rows(named=True):
        key = row["_key"]
        found.append(
            Found(
                rule=rule.id,
                school_key=key if of_a_school else None,
                province_code="" if of_a_school else key,
                row="/".join(str(row[name]) for name in tables.ROW_KEYS[rule.entity])[:60],
                value=_text(row[rule.cells[0]]),
                params={name: _plain(row[name]) for name in rule.params},
            )
        )
    return found


def _plain(value: Any) -> Any:
    """A value as JSON keeps it."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    return round(value, 4) if isinstance(value, float) else value


def _text(value: Any) -> str:
    """A cell as text; nothing where it is empty."""
    return "" if value is None else str(_plain(value))[:200]


def _tally(marked: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """For each school and rule: share passed, and rows at fault by severity."""
    aggregates = []
    for rule in rules:
        aggregates += [
            pl.col(f"a:{rule.id}").sum().cast(pl.Float64),
            pl.col(f"f:{rule.id}").sum().cast(pl.Int64),
        ]
    sums = marked.group_by("_key").agg(aggregates)
    shares = [
        pl.when(pl.col(f"a:{rule.id}") > 0)
        .then(1 - pl.col(f"f:{rule.id}") / pl.col(f"a:{rule.id}"))
        .alias(f"p:{rule.id}")
        for rule in rules
    ]
    return sums.select("_key", *(f"f:{rule.id}" for rule in rules), *shares)


def _scores(
    schools: pl.DataFrame, tallies: Sequence[pl.DataFrame], rules: Sequence[Rule]
) -> tuple[SchoolScore, ...]:
    """Put the tallies together into one score per school."""
    table = schools
    for tally in tallies:
        table = table.join(tally, on="_key", how="left", maintain_order="left")
    present = set(table.columns)
    scored = [rule for rule in rules if f"p:{rule.id}" in present]
    columns = [_dimension(dimension, scored).alias(dimension) for dimension in DIMENSIONS]
    columns += [
        _faults(severity, scored).alias(name)
        for severity, name in (("error", "n_errors"), ("warning", "n_warnings"))
    ]
    table = table.select(*schools.columns, *columns).with_columns(total=pl.mean_horizontal(*DIMENSIONS))
    return tuple(
        SchoolScore(
            school_key=row["_key"],
            province_code=row["province_code"] or "",
            commune_code=row["commune_code"] or "",
            total=row["total"],
            dimensions={dimension: row[dimension] for dimension in DIMENSIONS},
            n_errors=row["n_errors"],
            n_warnings=row["n_warnings"],
            has_data=row["has_data"],
            is_confirmed=row["is_confirmed"],
        )
        for row in table.iter_rows(named=True)
    )


def _dimension(dimension: str, rules: Sequence[Rule]) -> pl.Expr:
    """100 times the weighted share of checks passed; null where no rule of the dimension speaks."""
    mine = [rule for rule in rules if rule.dimension == dimension]
    if not mine:
        return pl.lit(None, dtype=pl.Float64)
    passed = pl.sum_horizontal(pl.col(f"p:{rule.id}").fill_null(0.0) * rule.weight for rule in mine)
    asked = pl.sum_horizontal(pl.col(f"p:{rule.id}").is_not_null() * rule.weight for rule in mine)
    return pl.when(asked > 0).then(100 * passed / asked)


def _faults(severity: str, rules: Sequence[Rule]) -> pl.Expr:
    """Rows at fault under the rules of a severity."""
    mine = [f"f:{rule.id}" for rule in rules if rule.severity == severity]
    if not mine:
        return pl.lit(0, dtype=pl.Int64)
    return pl.sum_horizontal(pl.col(name).fill_null(0) for name in mine)
