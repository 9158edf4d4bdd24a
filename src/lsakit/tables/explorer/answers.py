"""Answer a question: suppression first, then estimates, then comparisons; nothing hidden is ever computed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from lsakit.estimation.closed_forms import benjamini_hochberg
from lsakit.estimation.combine import combine
from lsakit.estimation.comparisons import Comparison, compare
from lsakit.estimation.replication import PreparedTable, form_groups, form_pairs, weight_sums
from lsakit.estimation.results import Estimates
from lsakit.lineage.hashing import hash_parameters
from lsakit.tables.explorer.files import SCHOOL, WHOLE, AnalysisFile
from lsakit.tables.explorer.question import (
    MOST_CELLS,
    MOST_PAIRED_GROUPS,
    Question,
    QuestionError,
    settle,
)
from lsakit.tables.explorer.statistics import SHARES, estimated, needed_columns
from lsakit.tables.explorer.variables import Catalogue, Variable
from lsakit.tables.suppression import apply_rules, hidden_cells

SCHEMA = "lsakit.explorer.answer/1"
ROW_NUMBERS = (
    "estimate", "standard_error", "ci_low", "ci_high", "sampling_variance", "measurement_variance",
    "degrees_of_freedom",
)  # fmt: skip
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the explorer found; plain values alone, so that it is kept as it was said.

    Parameters
    ----------
    question : Question
        What was asked, settled.
    rows : tuple of dict
        One row per group and statistic: ``group`` (values of the break-downs; empty for the whole),
        ``statistic``, ``category``, ``n``, ``n_schools``, the estimate with its error and interval,
        ``suppressed_because``, ``flag``.
    comparisons : tuple of dict
        ``group``, ``reference``, ``within`` (values of the other break-downs), ``statistic``, the difference
        with its error, interval, ``t``, ``p_value``, ``is_significant``.
    explanations : Mapping of str to str
        By language, where the first shown number and its error come from.
    facts : Mapping of str to object
        Run, rule set, minima, numbers of replicates and plausible values, groups left out.
    """

    question: Question
    rows: tuple[Row, ...]
    comparisons: tuple[Row, ...]
    explanations: Mapping[str, str]
    facts: Mapping[str, Any]

    def plain(self) -> dict[str, Any]:
        """Give everything as plain values."""
        return {
            "schema": SCHEMA,
            "question": self.question.plain(),
            "rows": list(self.rows),
            "comparisons": list(self.comparisons),
            "explanations": dict(self.explanations),
            "facts": dict(self.facts),
        }

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Answer:
        """Take an answer up from plain values."""
        return cls(
            question=Question.of(values["question"]),
            rows=tuple(values["rows"]),
            comparisons=tuple(values["comparisons"]),
            explanations=values["explanations"],
            facts=values["facts"],
        )

    @property
    def digest(self) -> str:
        """Hash of all of it: the same digits mean the same numbers."""
        return hash_parameters(self.plain()).partition(":")[2]


def answer(question: Question, file: AnalysisFile, offered: Catalogue) -> Answer:
    """Answer a question from the file of its population.

    Parameters
    ----------
    question : Question
        What is asked.
    file : AnalysisFile
        The file.
    offered : Catalogue
        What the reader may ask for.

    Returns
    -------
    Answer
        Estimates of the groups that the rule shows, reasons for the others.

    Raises
    ------
    QuestionError
        If the question makes no sense, or nothing may be shown.
    """
    settled = settle(question, offered)
    measure = offered.measures[settled.measure]
    columns = needed_columns(settled, measure)
    valid = file.is_valid(columns)
    shown, hidden, counts = _decide(settled, file, valid)
    key = "+".join(columns)
    whole_rows = file.shown_rows([WHOLE], [("all",)], valid, key)
    whole = estimated(file, whole_rows, settled, measure, [WHOLE])
    parts = None
    table = _tidy(whole, (WHOLE,), whole_rows, file, valid)
    if settled.by:
        part_rows = file.shown_rows(settled.by, shown, valid, key)
        parts = estimated(file, part_rows, settled, measure, settled.by)
        table = pl.concat([table, _tidy(parts, settled.by, part_rows, file, valid)])
    decided = replace(file.rules, minimum_units=0, minimum_schools=0, minimum_strata=0, complementary=False)
    marked = apply_rules(table, decided)
    rows = [_row(line, settled) for line in marked.to_dicts()]
    compared, family = ([], 0) if parts is None else _compared(settled, parts, file, measure, valid, key)
    source = whole if parts is None else parts
    return Answer(
        question=settled,
        rows=_in_order([*rows, *_hidden_rows(hidden, file.rules.symbols["hidden"])]),
        comparisons=tuple(compared),
        explanations={
            language: source.explain(0, language=language).replace(f"{WHOLE}=all", _all(language))
            for language in ("vi", "en")
        },
        facts={
            "run": file.run,
            "rules": file.rules.name,
            "minimum_units": file.rules.minimum_units,
            "minimum_schools": file.rules.minimum_schools,
            "n_replicates": source.n_replicates,
            "n_plausible_values": source.n_plausible_values,
            "n_groups": counts,
            "n_hidden": len(hidden),
            "n_compared": family,
            "level": file.rules.level,
            "cuts": list(file.cuts),
            "minimum_level": file.minimum_level,
        },
    )


def _in_order(rows: list[Row]) -> tuple[Row, ...]:
    """Put the whole first and the groups in the order of their codes; never by their numbers."""
    return tuple(sorted(rows, key=lambda row: row["group"]))


def _all(language: str) -> str:
    """Name the whole in an explanation."""
    return "all students" if language == "en" else "toàn bộ học sinh"


def _decide(
    question: Question, file: AnalysisFile, valid: Any
) -> tuple[list[tuple[str, ...]], dict[tuple[str, ...], str], int]:
    """Decide which groups are shown, before anything is estimated."""
    cells = file.count(question.by, valid)
    wanted = [cell for cell in cells if {key for key, _ in cell.place} == set(question.by)]
    if len(wanted) > MOST_CELLS:
        raise QuestionError("too_many_groups", "by", n=len(wanted), most=MOST_CELLS)
    reasons = hidden_cells(cells, file.rules, nested=file.nesting, fixed=True)
    if frozenset() in reasons:
        raise QuestionError("nothing_shown", "by", minimum=file.rules.minimum_units)
    keyed = {tuple(dict(cell.place)[name] for name in question.by): cell.place for cell in wanted}
    shown = sorted(values for values, place in keyed.items() if place not in reasons)
    hidden = {values: reasons[place] for values, place in sorted(keyed.items()) if place in reasons}
    if not shown:
        raise QuestionError(
            "nothing_shown", "by", minimum=file.rules.minimum_units, schools=file.rules.minimum_schools
        )
    return shown, hidden, len(wanted)


def _tidy(
    found: Estimates, by: Sequence[str], rows: PreparedTable, file: AnalysisFile, valid: Any
) -> pl.DataFrame:
    """Bring estimates into the columns that the rule of publication reads."""
    table = found.table
    values = [table.get_column(name).cast(pl.String) for name in by]
    error = found.standard_error
    freedom = table.get_column("degrees_of_freedom").fill_null(np.inf).to_numpy()
    half = np.where(error > 0, stats.t.ppf(0.975, freedom) * error, error)
    middle = table.get_column("estimate").cast(pl.Float64).fill_null(np.nan).to_numpy()
    category = table.get_column("category") if "category" in table.columns else pl.lit("")
    is_whole = tuple(by) == (WHOLE,)
    kept = table.select(
        pl.lit("nation" if is_whole else "+".join(by)).alias("by"),
        pl.lit("all").alias("group") if is_whole else pl.concat_str(values, separator="+").alias("group"),
        "statistic",
        pl.Series("category", category).cast(pl.String)
        if isinstance(category, pl.Series)
        else category.alias("category"),
        pl.col("n").cast(pl.Int64),
        pl.col("n_schools").cast(pl.Int64),
        pl.col("estimate").cast(pl.Float64),
        pl.col("standard_error").cast(pl.Float64),
        pl.Series("ci_low", middle - half).fill_nan(None),
        pl.Series("ci_high", middle + half).fill_nan(None),
        pl.col("sampling_variance").cast(pl.Float64),
        ((1.0 + 1.0 / found.n_plausible_values) * pl.col("imputation_variance").cast(pl.Float64)).alias(
            "measurement_variance"
        ),
        pl.col("degrees_of_freedom").cast(pl.Float64),
        pl.col("undefined_because").cast(pl.String),
    )
    return kept.join(_quality(by, rows, file, valid), on="group", how="left", maintain_order="left")


def _quality(by: Sequence[str], rows: PreparedTable, file: AnalysisFile, valid: Any) -> pl.DataFrame:
    """Give for each group the variation of its estimated size, and the share of students with a value."""
    groups = form_groups(rows, list(by), SCHOOL)
    totals = weight_sums(rows, groups, form_pairs(rows, groups))
    error = combine(totals[:, np.newaxis, :], rows.design).standard_error
    names = ["+".join(str(value) for value in key) for key in zip(*groups.keys.values(), strict=True)]
    everyone = file.ready.table.select(
        pl.concat_str([pl.col(name).cast(pl.String) for name in by], separator="+").alias("group"),
        pl.Series("valid", valid),
    )
    shares = everyone.drop_nulls("group").group_by("group").agg(pl.col("valid").mean().alias("share_valid"))
    made = pl.DataFrame({"group": names, "weight_cv": error / totals[:, 0]})
    return made.join(shares, on="group", how="left")


def _row(line: Mapping[str, Any], question: Question) -> Row:
    """Reduce a tidy row to what an answer keeps; shares stay between 0 and 1."""
    is_whole = line["by"] == "nation"
    numbers = {name: line[name] for name in ROW_NUMBERS}
    if question.statistic in SHARES and line["ci_low"] is not None:
        numbers["ci_low"], numbers["ci_high"] = max(line["ci_low"], 0.0), min(line["ci_high"], 1.0)
    return {
        "group": [] if is_whole else str(line["group"]).split("+"),
        "statistic": line["statistic"],
        "category": line["category"] or "",
        "n": line["n"],
        "n_schools": line["n_schools"],
        **numbers,
        "suppressed_because": line["suppressed_because"],
        "flag": line["flag"],
    }


def _hidden_rows(hidden: Mapping[tuple[str, ...], str], mark: str) -> list[Row]:
    """Give one row for each group that is not shown, without any number."""
    empty: Row = dict.fromkeys(("n", "n_schools", *ROW_NUMBERS))
    return [
        {
            "group": list(values),
            "statistic": "",
            "category": "",
            **empty,
            "suppressed_because": reason,
            "flag": mark,
        }
        for values, reason in hidden.items()
    ]


def _compared(
    question: Question,
    parts: Estimates,
    file: AnalysisFile,
    measure: Variable,
    valid: Any,
    key: str,
) -> tuple[list[Row], int]:
    """Compare the groups that are shown; give the rows and how many tests were adjusted together."""
    if question.compare == "none":
        return [], 0
    values = parts.table.get_column(question.compare_by).cast(pl.String).unique().to_list()
    if question.compare == "reference" and question.reference not in values:
        raise QuestionError("reference_not_shown", "reference", name=question.reference)
    if len(values) < 2 and question.compare != "whole":
        raise QuestionError("one_group_shown", "compare")
    if question.compare == "pairs" and len(values) > MOST_PAIRED_GROUPS:
        raise QuestionError("too_many_pairs", "compare", n=len(values), most=MOST_PAIRED_GROUPS)
    if question.compare == "whole":
        found = _against_whole(question, parts, file, measure, valid, key)
    else:
        found = compare(parts, question.compare_by)
    rows = _comparison_rows(found, question)
    return _judged(rows, question, file.rules.level), len(rows)


def _against_whole(
    question: Question, parts: Estimates, file: AnalysisFile, measure: Variable, valid: Any, key: str
) -> Comparison:
    """Compare each group with the whole that contains it, inside each replicate."""
    others = [name for name in question.by if name != question.compare_by]
    if not others:
        rows = file.shown_rows([WHOLE], [("all",)], valid, key)
        whole = estimated(file, rows, question, measure, [WHOLE])
        bare = replace(whole, by=(), table=whole.table.drop(WHOLE))
        return compare(parts, question.compare_by, against=bare)
    cells = file.count(others, valid)
    reasons = hidden_cells(cells, file.rules, nested=file.nesting, fixed=True)
    shown = [
        tuple(dict(cell.place)[name] for name in others)
        for cell in cells
        if {name for name, _ in cell.place} == set(others) and cell.place not in reasons
    ]
    rows = file.shown_rows(others, shown, valid, key)
    whole = estimated(file, rows, question, measure, others)
    held = set(whole.table.select(others).cast(pl.String).rows())
    kept = np.array([row in held for row in parts.table.select(others).cast(pl.String).rows()])
    if not kept.any():
        raise QuestionError("one_group_shown", "compare")
    some = replace(
        parts,
        table=parts.table.filter(pl.Series(kept)),
        replicate_estimates=parts.replicate_estimates[kept],
    )
    return compare(some, question.compare_by, against=whole)


def _comparison_rows(found: Comparison, question: Question) -> list[Row]:
    """Bring comparisons into rows; against a reference each row is group minus reference."""
    low, high = found.confidence_intervals()
    others = [name for name in question.by if name != question.compare_by]
    rows = []
    for line, bottom, top in zip(found.table.to_dicts(), low.tolist(), high.tolist(), strict=True):
        sign = 1.0
        group, reference = line["group"], line["reference"]
        if question.compare == "reference":
            if question.reference not in (group, reference):
                continue
            if group == question.reference:
                group, reference, sign = reference, group, -1.0
        bounds = sorted((sign * bottom, sign * top))
        rows.append(
            {
                "group": group,
                "reference": reference,
                "within": [str(line[name]) for name in others],
                "statistic": line["statistic"],
                "category": str(line.get("category") or ""),
                "estimate": _known(line["estimate"], sign),
                "standard_error": line["standard_error"],
                "ci_low": _known(bounds[0]),
                "ci_high": _known(bounds[1]),
                "t": _known(line["t"], sign),
                "p_value": line["p_value"],
            }
        )
    return rows


def _known(value: float | None, sign: float = 1.0) -> float | None:
    """Give a number, None where it is missing or not finite."""
    return None if value is None or not math.isfinite(value) else sign * value


def _judged(rows: list[Row], question: Question, level: float) -> list[Row]:
    """Say of each comparison whether it is significant, singly or with the false discovery rate of all."""
    p = [row["p_value"] for row in rows]
    known = [place for place, value in enumerate(p) if value is not None]
    held = np.array([p[place] for place in known], dtype=np.float64)
    rejected = benjamini_hochberg(held, level=level) if question.adjust else held < level
    significant = {place for place, is_found in zip(known, rejected.tolist(), strict=True) if is_found}
    return [{**row, "is_significant": place in significant} for place, row in enumerate(rows)]
