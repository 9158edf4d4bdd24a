"""Classical item analysis: facility, discrimination, options, alpha and omega, and the table of flags.

Formulas, rules and references: docs/algorithms/classical_analysis.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from lsakit.errors import CalibrationError
from lsakit.io.frames import Table, as_table, floats, make_table, nullable_column
from lsakit.io.text_columns import text_column
from lsakit.irt.booklet_patterns import Patterns, correlation, find_patterns, kept_rows, within
from lsakit.irt.classical_flags import FlagRules, flag_items
from lsakit.irt.item_keys import KeyedItems, apply_keys, read_keys
from lsakit.irt.models import Floats
from lsakit.irt.option_analysis import Chosen, middle_ranks, option_curves, option_statistics
from lsakit.irt.reliability import Consistency, complete_alpha, internal_consistency
from lsakit.irt.response_data import ResponseData, item_columns, read_responses

FEWEST_IN_BOOKLET = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicalAnalysis:
    """What classical analysis says of the items.

    Parameters
    ----------
    items : polars.DataFrame
        Per item: n (students with a score), max_score, facility, item_rest, item_total, biserial (null unless two
        categories), alpha_without, omitted_rate, not_reached_rate, invalid_rate (null where the raw codes do not
        tell), undefined_because (null where nothing is undefined), flags (names joined by commas).
    options : polars.DataFrame
        Per option of keyed items and per score of the others: item, option, is_key, n, share, rest_mean,
        point_biserial, share_low, share_high (lowest and highest third).
    curves : polars.DataFrame
        Shares of the options in fifths of the rest score: item, option, class, rest_mean, n, share.
    flags : polars.DataFrame
        One row per flag: item, flag, value, threshold.
    booklets : polars.DataFrame
        Alpha of each set of items given together to thirty students or more: booklet (number by size), n, n_items,
        alpha (null where the sums do not vary).
    alpha : float or None
        Cronbach's alpha of all items; None where it is not defined.
    median_alpha : float or None
        Median of the booklets' alphas, as TIMSS reports it; None without any.
    omega : float or None
        McDonald's omega of one factor; None where there is none.
    consistency : Consistency
        How alpha and omega came about.
    rest_unit : str
        "points" for complete data, "percent" with booklets.
    n_students : int
        Students who count.
    n_booklets : int
        Sets of items given together.
    n_alone : int
        Students whose set of items nobody else has.
    schema : str
        Name and version of this form.
    """

    items: Table
    options: Table
    curves: Table
    flags: Table
    booklets: Table
    alpha: float | None
    median_alpha: float | None
    omega: float | None
    consistency: Consistency
    rest_unit: str
    n_students: int
    n_booklets: int
    n_alone: int
    schema: str = "lsakit.classical/1"


def classical(
    responses: Any,
    keys: Mapping[str, Any] | Any = None,
    *,
    items: Sequence[str] | None = None,
    weights: str | ArrayLike | None = None,
    rules: FlagRules | None = None,
) -> ClassicalAnalysis:
    """Analyze items before any model.

    Parameters
    ----------
    responses : table
        One row per student, one column per item: the option chosen where the item has a key, else the score;
        empty where not administered. Keyed columns may hold 96 (not reached), 98 (invalid) and 99 (omitted).
    keys : Mapping of str to object, or table, optional
        Key of each multiple-choice item, or a table with the columns item and key, and options (all options as a
        text separated by blanks) where codes outside the options are to be refused.
    items : Sequence of str, optional
        Item columns; by default all but student_id, school_id, class_id, booklet and the weights.
    weights : str or array of shape (n_students,), optional
        Sampling weights, dimensionless.
    rules : FlagRules, optional
        Thresholds of the flags.

    Returns
    -------
    ClassicalAnalysis
        Tables of items, options, curves and flags; alpha and omega.

    Raises
    ------
    CalibrationError
        If there are fewer than two items, an item was answered by nobody, or weights are negative or all zero.
    ResponseError
        If a code is not among the item's options, or a score is no whole number from 0.
    UnknownColumnError
        If an item is absent.

    References
    ----------
    .. [1] Lord and Novick (1968), Statistical Theories of Mental Test Scores, ch. 4 and 15.
    .. [2] docs/algorithms/classical_analysis.md.

    Examples
    --------
    >>> found = classical({"a": ["B", "B", "C", "A"], "b": [1, 1, 0, 0], "c": [1, 0, 1, 0]}, keys={"a": "B"})
    >>> found.items["facility"].to_list()
    [0.5, 0.5, 0.5]
    """
    table = as_table(responses, param="responses")
    named = weights if isinstance(weights, str) else None
    chosen = item_columns(table, items, other=(named,))
    if len(chosen) < 2:
        raise CalibrationError(
            f"Classical analysis needs at least two items. Got {len(chosen)}.",
            why="An item is compared with the rest of the test.",
            hint="Give the columns of the whole test.",
            param="items",
        )
    keyed = apply_keys(table, chosen, read_keys(keys))
    data = read_responses(keyed.scores, items=chosen, weights=_plain(table, weights))
    rows = kept_rows(keyed.scores, data, _plain(table, weights))
    _refuse_unanswered(data)
    patterns = find_patterns(data.codes)
    highest = np.maximum(data.codes.max(axis=0).astype(np.int64), 1)
    rest = _Rest.of(data, patterns, highest)
    statistics = [_item(data, patterns, rest, j) for j in range(len(chosen))]
    consistency = internal_consistency(data.codes, data.weight)
    details = [_options(data, patterns, rest, (keyed, rows), j) for j in range(len(chosen))]
    columns = _item_columns(data, highest, statistics, consistency, keyed.missing_rates(rows, data.weight))
    flags = flag_items(columns, [found for found, _ in details], keyed.keys, rules or FlagRules())
    columns["flags"] = [",".join(flags.of(name)) for name in chosen]
    booklets = _booklet_alphas(data, patterns)
    known = [one for one in booklets["alpha"] if one is not None]
    return ClassicalAnalysis(
        items=make_table(columns),
        options=_stack(chosen, [found for found, _ in details], keyed),
        curves=_stack(chosen, [curve for _, curve in details], None),
        flags=make_table(flags.columns()),
        booklets=make_table(booklets),
        alpha=consistency.alpha,
        median_alpha=float(np.median(known)) if len(known) else None,
        omega=consistency.omega,
        consistency=consistency,
        rest_unit="points" if patterns.is_complete else "percent",
        n_students=len(data.weight),
        n_booklets=len(patterns.size),
        n_alone=int((patterns.size == 1).sum()),
    )


def _plain(table: Table, weights: str | ArrayLike | None) -> ArrayLike | None:
    """Take the weights out of the table, since the scored table has item columns only."""
    if isinstance(weights, str):
        return floats(table, weights, param="responses")
    return weights


def _refuse_unanswered(data: ResponseData) -> None:
    """Refuse items that nobody answered."""
    empty = ~(data.codes >= 0).any(axis=0)
    if empty.any():
        raise CalibrationError(
            f"{int(empty.sum())} items have no response.",
            where=[data.items[place] for place in np.flatnonzero(empty).tolist()],
            hint="Leave these items out, or check the booklets.",
            param="responses",
        )


def _booklet_alphas(data: ResponseData, patterns: Patterns) -> dict[str, Any]:
    """Alpha within each booklet that is large enough, the largest first."""
    out: dict[str, list[Any]] = {"booklet": [], "n": [], "n_items": [], "alpha": []}
    order = np.argsort(-patterns.size, kind="stable")
    for number, place in enumerate(order[patterns.size[order] >= FEWEST_IN_BOOKLET].tolist()):
        rows = np.flatnonzero(patterns.number == place)
        own = data.codes[np.ix_(rows, np.flatnonzero(patterns.given[place]))]
        alpha = complete_alpha(own, data.weight[rows])
        for head, value in zip(out, (number + 1, len(rows), own.shape[1], alpha), strict=True):
            out[head].append(value)
    alphas = np.array([np.nan if one is None else one for one in out["alpha"]], dtype=float)
    return {**out, "alpha": nullable_column(alphas, np.isnan(alphas))}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rest:
    """What rest scores are made of; ``most`` is the highest sum of each booklet, ``columns`` the scores by item."""

    total: Floats
    most: Floats
    highest: NDArray[np.int64]
    columns: NDArray[np.int8]
    complete: bool

    @classmethod
    def of(cls, data: ResponseData, patterns: Patterns, highest: NDArray[np.int64]) -> _Rest:
        total = np.where(data.codes >= 0, data.codes, 0).sum(axis=1, dtype=np.int64).astype(float)
        return cls(
            total=total,
            most=(patterns.given @ highest).astype(float),
            highest=highest,
            columns=np.ascontiguousarray(data.codes.T),
            complete=patterns.is_complete,
        )

    def scores(self, score: Floats, booklet: NDArray[np.int64], rows: NDArray[np.int64], item: int) -> Floats:
        """Rest scores of the students with a score on the item: points, or percent with booklets."""
        rest = self.total[rows] - score
        if self.complete:
            return rest
        left = self.most[booklet] - float(self.highest[item])
        return np.divide(100.0 * rest, left, out=np.zeros(len(rest)), where=left > 0.0)


def _item(data: ResponseData, patterns: Patterns, rest: _Rest, item: int) -> dict[str, float]:
    """Facility and correlations of one item."""
    rows = np.flatnonzero(rest.columns[item] >= 0)
    score = rest.columns[item, rows].astype(float)
    weight, booklet = data.weight[rows], patterns.number[rows]
    n_patterns = len(patterns.size)
    own = rest.scores(score, booklet, rows, item)
    total = rest.total[rows] if rest.complete else 100.0 * rest.total[rows] / rest.most[booklet]
    centered = within(score, weight, booklet, n_patterns)
    facility = float(weight @ score / weight.sum()) / float(rest.highest[item])
    item_rest = correlation(centered, within(own, weight, booklet, n_patterns), weight)
    biserial = float("nan")
    if int(score.max()) == 1 and 0.0 < facility < 1.0:
        biserial = item_rest * np.sqrt(facility * (1.0 - facility)) / float(norm.pdf(norm.ppf(facility)))
    return {
        "n": float(len(rows)),
        "facility": facility,
        "item_rest": item_rest,
        "item_total": correlation(centered, within(total, weight, booklet, n_patterns), weight),
        "biserial": biserial,
        "varies": float(score.min() < score.max()),
    }


def _options(
    data: ResponseData,
    patterns: Patterns,
    rest: _Rest,
    source: tuple[KeyedItems, NDArray[np.int64]],
    item: int,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Statistics and curves of the options, or of the score categories of an item without a key."""
    keyed, kept = source
    rows = np.flatnonzero(rest.columns[item] >= 0)
    score = rest.columns[item, rows].astype(float)
    labels, choice = keyed.choices(data.items[item], kept[rows], rest.columns[item, rows])
    weight, booklet = data.weight[rows], patterns.number[rows]
    own = rest.scores(score, booklet, rows, item)
    chosen = Chosen(
        options=labels,
        choice=choice,
        rest=own,
        weight=weight,
        booklet=booklet,
        standing=middle_ranks(within(own, weight, booklet, int(booklet.max(initial=0)) + 1), weight),
    )
    return option_statistics(chosen), option_curves(chosen)


def _item_columns(
    data: ResponseData,
    highest: NDArray[np.int64],
    statistics: list[dict[str, float]],
    consistency: Consistency,
    missing: Mapping[str, Floats],
) -> dict[str, Any]:
    """Columns of the table of items."""
    columns: dict[str, Any] = {"item": list(data.items)}
    columns["n"] = np.array([int(found["n"]) for found in statistics], dtype=np.int64)
    columns["max_score"] = highest
    for name in ("facility", "item_rest", "item_total", "biserial"):
        values = np.array([found[name] for found in statistics])
        columns[name] = nullable_column(values, np.isnan(values))
    without = consistency.alpha_without
    columns["alpha_without"] = nullable_column(without, np.isnan(without))
    for name, values in missing.items():
        columns[name] = nullable_column(values, np.isnan(values))
    reason: list[str | None] = []
    for found in statistics:
        if not found["varies"]:
            reason.append("every score of the item is the same")
        else:
            reason.append("the rest score does not vary" if np.isnan(found["item_rest"]) else None)
    columns["undefined_because"] = text_column(reason)
    return columns


def _stack(names: Sequence[str], parts: Sequence[dict[str, Any]], keyed: KeyedItems | None) -> Table:
    """Put the tables of the items under one another."""
    out: dict[str, list[Any]] = {"item": []}
    if keyed is not None:
        out["option"], out["is_key"] = [], []
    for name, part in zip(names, parts, strict=True):
        own = {head: np.asarray(values).tolist() for head, values in part.items()}
        out["item"] += [name] * len(own["option"])
        for head, values in own.items():
            out.setdefault(head, []).extend(values)
        if keyed is not None:
            out["is_key"] += [keyed.is_key(name, option) for option in own["option"]]
    done = {}
    for head, listed in out.items():
        numbers = head not in ("item", "option", "is_key", "n", "class")
        values = np.array(listed) if numbers else np.empty(0)
        done[head] = nullable_column(values, np.isnan(values)) if numbers else listed
    return make_table(done)
