"""Hide what the rule of publication hides, in one place for every output.

The method is described in ``docs/algorithms/suppression.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from lsakit.errors import EstimationError
from lsakit.io.frames import require_columns
from lsakit.tables.suppression_cells import Sum, protect
from lsakit.tables.suppression_rules import SuppressionRules, rule_names, rules_named, rules_of

__all__ = [
    "CellCounts",
    "SuppressionRules",
    "apply_rules",
    "hidden_cells",
    "rule_names",
    "rules_named",
    "rules_of",
]

Place = frozenset[tuple[str, str]]
Nesting = Mapping[str, tuple[str, Mapping[str, str]]]

COMPLEMENTARY = "complementary"
NEEDED = ("statistic", "by", "group", "n", "n_schools", "estimate", "standard_error")
NUMBERS = (
    "estimate", "standard_error", "ci_low", "ci_high", "sampling_variance", "measurement_variance",
    "imputation_variance", "degrees_of_freedom", "t", "p_value", "is_significant",
)  # fmt: skip
ERRORS = tuple(name for name in NUMBERS if name != "estimate")
COUNTS = ("n", "n_schools", "n_strata", "weight_cv", "share_valid")
SHARES = ("below_", "level_", "at_or_above_", "share")
NATION = "nation"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCounts:
    """A cell of a table with what stands behind it.

    Parameters
    ----------
    place : frozenset of (str, str)
        Break-down columns with their values; empty for the whole.
    n : int or None
        Students (teachers); None where the cell has no estimate.
    n_schools : int or None
        Schools.
    n_strata : int or None
        Replicate strata.
    """

    place: Place
    n: int | None
    n_schools: int | None = None
    n_strata: int | None = None


def hidden_cells(
    cells: Iterable[CellCounts],
    rules: SuppressionRules,
    *,
    nested: Nesting | None = None,
    fixed: bool = False,
) -> dict[Place, str]:
    """Decide which cells of crossed and nested tables are hidden, and why.

    Tables are decided from few break-downs to many, so that a table with more of them never changes what a
    table with fewer shows: whoever asks for both learns nothing from their difference.

    Parameters
    ----------
    cells : Iterable of CellCounts
        Cells of one or more tables, totals included.
    rules : SuppressionRules
        The rule.
    nested : Mapping of str to (str, Mapping), optional
        Break-downs inside others, such as ``{"province_code": ("region6", {"01": "1", …})}``.
    fixed : bool, default False
        Whether tables with fewer break-downs stay as they are, even where a hidden cell of a larger one could
        be computed from them; the larger table is then hidden as a whole.

    Returns
    -------
    dict of frozenset to str
        Reason by cell: ``"too_few_students:30"``, …, ``"complementary"``.
    """
    found = list(cells)
    reasons: dict[Place, str] = {}
    for cell in found:
        reason = None if cell.n is None else rules.reason(cell.n, cell.n_schools, cell.n_strata)
        if reason:
            reasons[cell.place] = reason
    if not rules.complementary:
        return reasons
    by_rule = set(reasons)
    sizes = {cell.place: float(cell.n) for cell in found if cell.n is not None}
    tables = _tables(sizes, nested or {})
    known: dict[Place, float] = {}
    hidden: set[Place] = set()
    for table in tables:
        known |= {place: sizes[place] for place in table}
        hidden |= {place for place in table if place in reasons}
        sums = _sums(known, nested or {})
        steps = [set(table)] if fixed else [set(table), set(known) - {frozenset()}, set(known)]
        for may_hide in steps:
            outcome = protect(hidden, sums, known, may_hide=may_hide)
            hidden |= set(outcome.added)
            if not any(place in by_rule for place in outcome.exposed):
                break
        else:
            hidden |= set(table)
        reasons |= {place: COMPLEMENTARY for place in hidden if place not in reasons}
    return reasons


def _tables(sizes: Mapping[Place, float], nested: Nesting) -> list[list[Place]]:
    """Part the cells into tables, from few break-downs to many, outer ones before those nested in them."""
    tables: dict[frozenset[str], list[Place]] = {}
    for place in sizes:
        tables.setdefault(frozenset(key for key, _ in place), []).append(place)

    def depth(keys: frozenset[str]) -> tuple[int, int, str]:
        return len(keys), sum(key in nested for key in keys), "+".join(sorted(keys))

    return [tables[keys] for keys in sorted(tables, key=depth)]


def _sums(sizes: Mapping[Place, float], nested: Nesting) -> list[Sum]:
    """List what adds up to what: over each break-down, and over the parts of each outer unit."""
    parts: dict[tuple[Place, str], list[Place]] = {}
    for place in sizes:
        for key, value in place:
            rest = place - {(key, value)}
            if rest in sizes:
                parts.setdefault((rest, key), []).append(place)
            if key in nested:
                outer, units = nested[key]
                total = rest | {(outer, units[value])} if value in units else None
                if total in sizes and total is not None and total != place:
                    parts.setdefault((total, key), []).append(place)
    return [
        Sum(total, tuple(sorted(places, key=sorted)))
        for (total, _key), places in sorted(parts.items(), key=lambda item: (sorted(item[0][0]), item[0][1]))
    ]


def apply_rules(
    table: pl.DataFrame,
    rules: SuppressionRules,
    *,
    nested: Nesting | None = None,
    keep_counts: bool = False,
) -> pl.DataFrame:
    """Hide and mark the estimates of a tidy table by the rule of publication.

    Parameters
    ----------
    table : polars.DataFrame
        One row per estimate: ``statistic``, ``by`` (break-downs joined by ``+``; ``"nation"`` or null for the
        whole), ``group`` (their values joined by ``+``; ``"F-M"`` for a difference of two), ``n``, ``n_schools``,
        ``estimate``, ``standard_error`` and, where there are such, ``population``, ``subject``, ``n_strata``,
        ``share_valid``, ``weight_cv``, ``undefined_because``, ``withdrawn``.
    rules : SuppressionRules
        The rule.
    nested : Mapping of str to (str, Mapping), optional
        Break-downs inside others; see `hidden_cells`.
    keep_counts : bool, default False
        Whether the counts of hidden rows stay in the table: for artefacts that say why a row is hidden, never
        for what a reader may combine freely.

    Returns
    -------
    polars.DataFrame
        The same rows with ``suppressed_because`` and ``flag`` (marks, in the order hidden, coverage, unstable,
        extreme); numbers of hidden rows are null, and errors of shares near 0 or 1 where the rule says so.

    Raises
    ------
    UnknownColumnError
        If a column is missing.
    EstimationError
        If the rule asks for a count that the table does not hold.
    """
    require_columns(table, NEEDED, param="table of estimates")
    rows = table.to_dicts()
    apart = [name for name in ("population", "subject") if name in table.columns]
    families: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        families.setdefault(tuple(row[name] for name in apart), []).append(row)
    for family in families.values():
        _decide(family, rules, nested)
    reasons = [row["suppressed_because"] for row in rows]
    marks = [_marks(row, rules) for row in rows]
    flags = ["".join(symbol for symbol, _ in found) for found in marks]
    bare = [any(kind == "extreme" for _, kind in found) for found in marks]
    marked = table.with_columns(
        pl.Series("suppressed_because", reasons, dtype=pl.String),
        pl.Series("flag", flags, dtype=pl.String),
        pl.Series("_bare", bare, dtype=pl.Boolean),
    )
    shown = pl.col("suppressed_because").is_null()
    removed = NUMBERS if keep_counts else (*NUMBERS, *COUNTS)
    marked = marked.with_columns(
        pl.when(shown).then(pl.col(name)).alias(name) for name in removed if name in table.columns
    )
    return marked.with_columns(
        pl.when(~pl.col("_bare")).then(pl.col(name)).alias(name) for name in ERRORS if name in table.columns
    ).drop("_bare")


def _decide(rows: Sequence[dict[str, Any]], rules: SuppressionRules, nested: Nesting | None) -> None:
    """Write into each row of one population and subject why it is hidden, or None."""
    places = {_place(row) for row in rows}
    counts: dict[Place, CellCounts] = {}
    for row in rows:
        place = _place(row)
        if row.get("n") is None or _sides(row, places) is not None or place in counts:
            continue
        counts[place] = CellCounts(
            place=place, n=int(row["n"]), n_schools=row.get("n_schools"), n_strata=row.get("n_strata")
        )
    hidden = hidden_cells(counts.values(), rules, nested=nested)
    for row in rows:
        sides = _sides(row, places) or (_place(row),)
        by_rule = [hidden[side] for side in sides if side in hidden]
        by_rule.sort(key=lambda reason: reason == COMPLEMENTARY)
        row["suppressed_because"] = by_rule[0] if by_rule else _other_reason(row)


def _other_reason(row: Mapping[str, Any]) -> str | None:
    """Say why a row is hidden that the minima do not hide."""
    if row.get("withdrawn"):
        return "withdrawn"
    if row.get("undefined_because") is not None:
        return "undefined_in_replicates"
    return "not_available" if row["estimate"] is None else None


def _place(row: Mapping[str, Any]) -> Place:
    """Give the break-downs and values of a row."""
    by = row["by"]
    if by in (None, "", NATION):
        return frozenset()
    keys, values = str(by).split("+"), str(row["group"]).split("+")
    if len(keys) != len(values):
        raise EstimationError(
            f"A row is broken down by {by!r}, but its group {row['group']!r} has {len(values)} values.",
            param="group",
            got=row["group"],
        )
    return frozenset(zip(keys, values, strict=True))


def _sides(row: Mapping[str, Any], places: set[Place]) -> tuple[Place, Place] | None:
    """Give both cells of a difference ``"F-M"`` of one break-down; None for any other row."""
    by, group = str(row["by"] or ""), str(row["group"])
    if not by or "+" in by or "-" not in group or by == NATION:
        return None
    cuts = [k for k, letter in enumerate(group) if letter == "-"]
    for cut in cuts:
        first, second = frozenset({(by, group[:cut])}), frozenset({(by, group[cut + 1 :])})
        if first in places and second in places:
            return first, second
    return None


def _marks(row: Mapping[str, Any], rules: SuppressionRules) -> list[tuple[str, str]]:
    """Give the marks of a row, each with its kind."""
    reason, symbols = row["suppressed_because"], rules.symbols
    if reason == "withdrawn":
        return [(symbols["withdrawn"], "withdrawn")]
    if reason in ("not_available", "undefined_in_replicates"):
        return [(symbols["missing"], "missing")]
    if reason is not None:
        return [(symbols["hidden"], "hidden")]
    marks = []
    valid = row.get("share_valid")
    if valid is not None:
        marks += [(mark.symbol, "coverage") for mark in rules.coverage if valid < mark.below][:1]
    if _is_unstable(row, rules):
        marks.append((symbols["unstable"], "unstable"))
    if _is_extreme(row, rules):
        marks.append((symbols["extreme"], "extreme"))
    return marks


def _is_share(row: Mapping[str, Any]) -> bool:
    """Tell whether a row is a share between 0 and 1."""
    return str(row["statistic"]).startswith(SHARES)


def _is_unstable(row: Mapping[str, Any], rules: SuppressionRules) -> bool:
    """Tell whether the standard error of a row is not to be relied on."""
    variation, error = row.get("weight_cv"), row["standard_error"]
    bound = rules.unstable_weight_cv
    if bound is not None and variation is not None and variation > bound:
        return True
    if rules.unstable_share_error is None or not _is_share(row) or not error:
        return False
    least = min(row["estimate"], 1.0 - row["estimate"])
    return least <= 0.0 or bool(error / least > rules.unstable_share_error)


def _is_extreme(row: Mapping[str, Any], rules: SuppressionRules) -> bool:
    """Tell whether a share is too near 0 or 1 for its error to be shown."""
    if rules.extreme_numerator is None or rules.extreme_plus is None or not _is_share(row):
        return False
    share, error = float(row["estimate"]), row["standard_error"]
    least = min(share, 1.0 - share)
    if least <= 0.0 or not error:
        return True
    effective = min(float(row["n"]), share * (1.0 - share) / float(error) ** 2)
    return least < rules.extreme_numerator / (effective + rules.extreme_plus)
