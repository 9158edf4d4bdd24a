"""From raw answers to scores, by a named rule for what is missing.

Four missings stay apart: not administered (empty), not reached (96), invalid (98) and omitted (99). A rule says what
each becomes; see docs/algorithms/response_scoring.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import ResponseError, TableError
from lsakit.io.frames import (
    Table,
    as_table,
    floats,
    make_table,
    nullable_column,
    refuse_duplicates,
    require_columns,
    response_codes,
    strings,
    with_columns,
)
from lsakit.io.partly_right import PARTLY_RIGHT
from lsakit.irt.response_data import ID_COLUMNS

NOT_ADMINISTERED = -1
NOT_REACHED = 96
INVALID = 98
OMITTED = 99
FEWEST_OPTIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringRule:
    """What a programme does with missing answers.

    Parameters
    ----------
    name : str
        Name of the rule.
    not_reached_is_wrong : bool
        Whether a not-reached item scores 0; otherwise it counts as not administered.
    recode_trailing_omissions : bool, default False
        Whether omissions after a student's last answer become not reached, all but the first of them.
    blank_is_missing : bool, default False
        Whether omitted and invalid answers count as not administered instead of 0, as in questionnaires.
    omitted_choice_is_partly_right : bool, default False
        Whether an omitted multiple-choice item scores 1 / n_options instead of 0.
    """

    name: str
    not_reached_is_wrong: bool
    recode_trailing_omissions: bool = False
    blank_is_missing: bool = False
    omitted_choice_is_partly_right: bool = False


RULES: dict[str, ScoringRule] = {
    "pisa2015": ScoringRule(name="pisa2015", not_reached_is_wrong=False),
    "pisa2012_calibration": ScoringRule(name="pisa2012_calibration", not_reached_is_wrong=False),
    "pisa2012_scoring": ScoringRule(name="pisa2012_scoring", not_reached_is_wrong=True),
    "wrong": ScoringRule(name="wrong", not_reached_is_wrong=True),
    "timss_calibration": ScoringRule(
        name="timss_calibration", not_reached_is_wrong=False, recode_trailing_omissions=True
    ),
    "timss_scoring": ScoringRule(
        name="timss_scoring", not_reached_is_wrong=True, recode_trailing_omissions=True
    ),
    "naep": ScoringRule(name="naep", not_reached_is_wrong=False, omitted_choice_is_partly_right=True),
    "questionnaire": ScoringRule(name="questionnaire", not_reached_is_wrong=False, blank_is_missing=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredResponses:
    """Scores, and what was missing.

    Parameters
    ----------
    table : polars.DataFrame
        The identifier columns of the raw responses, then one column of scores per item; null where the item was
        not administered or, under rules that say so, not reached.
    summary : polars.DataFrame
        Per item: n_administered, n_answered, n_omitted, n_not_reached, n_invalid, n_not_administered (students),
        n_recoded (omissions recoded to not reached), mean_score (share of the highest score, over students with a
        score) and max_score.
    rule : str
        Name of the rule.
    schema : str
        Name and version of this form.
    """

    table: Table
    summary: Table
    rule: str
    schema: str = "lsakit.scored_responses/1"


def score_responses(
    raw_responses: Any, items: Any, rule: str | ScoringRule = "pisa2015", *, booklets: Any = None
) -> ScoredResponses:
    """Score raw responses.

    Parameters
    ----------
    raw_responses : table
        One row per student; a column per item of `items`: the option chosen or the credit code, 96 not reached,
        98 invalid, 99 omitted, empty where not administered. Other columns may be student_id, school_id, class_id
        and booklet only.
    items : table
        Columns item, format ("mc" or "cr"), key (option, for mc), max_score; n_options (mc, 4 by default); cluster
        and position where a rule needs the order of the items.
    rule : str or ScoringRule, default "pisa2015"
        "pisa2015" and "pisa2012_calibration" (not reached counts as not administered), "pisa2012_scoring" and
        "wrong" (scores 0), "timss_calibration" and "timss_scoring" (the same two, after omissions at the end of the
        test are recoded to not reached). Omitted and invalid answers score 0 under each, except under
        "questionnaire", where they count as not administered, as not reached ones do, and under "naep", where an omitted
        multiple-choice item scores 1 / n_options and a not reached one counts as not administered.
    booklets : table, optional
        Columns booklet, position, cluster: the order of the test, needed by the TIMSS rules where there are
        several booklets.

    Returns
    -------
    ScoredResponses
        Scores and a summary per item.

    Raises
    ------
    ResponseError
        If a code is none of the item's codes; item, code and first rows are named.
    TableError
        If an item lacks a key or highest score, or a column belongs to no item.

    References
    ----------
    .. [1] OECD (2019), PISA 2018 Results, Annex A7, on items not reached.

    Examples
    --------
    >>> raw = {"student_id": ["a", "b"], "M1": [2, 99], "M2": [1, 96]}
    >>> items = {"item": ["M1", "M2"], "format": ["mc", "cr"], "key": [2, None], "max_score": [1, 2]}
    >>> score_responses(raw, items).table.rows()
    [('a', 1, 1), ('b', 0, None)]
    """
    chosen = _rule(rule)
    raw = as_table(raw_responses, param="raw_responses")
    bank = _read_items(as_table(items, param="items"))
    aside = [name for name in raw.columns if name in ID_COLUMNS]
    _refuse_strangers(raw, bank, aside)
    codes = response_codes(raw, bank.names, param="raw_responses")
    _refuse_codes(codes, bank, raw)
    given = codes
    if chosen.recode_trailing_omissions:
        codes = _recode_trailing(codes, _test_order(raw, bank, booklets))
    recoded = ((given == OMITTED) & (codes == NOT_REACHED)).sum(axis=0).astype(np.int64)
    if chosen.omitted_choice_is_partly_right:
        _refuse_unknown_options(codes, bank)
    scores = _scores(codes, bank, chosen)
    table = raw.select(aside)
    columns = {name: _column(scores[:, j], bank, j) for j, name in enumerate(bank.names)}
    return ScoredResponses(
        table=with_columns(table, columns) if aside else make_table(columns),
        summary=_summary(codes, scores, bank, recoded),
        rule=chosen.name,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bank:
    """Items as arrays; ``key`` is −1 for constructed responses."""

    names: tuple[str, ...]
    key: NDArray[np.int64]
    highest_code: NDArray[np.int64]
    max_score: NDArray[np.int64]
    has_options: NDArray[np.bool_]
    table: Table


def _rule(rule: str | ScoringRule) -> ScoringRule:
    """Look a rule up by name."""
    if isinstance(rule, ScoringRule):
        return rule
    if rule not in RULES:
        raise ResponseError(
            f"The 'rule' parameter must be one of {', '.join(RULES)} or a ScoringRule. Got {rule!r}.",
            param="rule",
            got=rule,
        )
    return RULES[rule]


def _read_items(table: Table) -> _Bank:
    """Read keys and highest scores."""
    require_columns(table, ["item", "format", "key", "max_score"], param="items")
    refuse_duplicates(table, "item", param="items")
    names = strings(table, "item", param="items")
    formats = np.array(strings(table, "format", param="items"))
    key = floats(table, "key", param="items", nulls=True)
    max_score = floats(table, "max_score", param="items").astype(np.int64)
    choice = formats == "mc"
    _refuse_items(names, ~np.isin(formats, ["mc", "cr"]), "format", "a format other than 'mc' and 'cr'")
    _refuse_items(names, choice & ~(key >= 1), "key", "no key, though they are multiple choice")
    _refuse_items(names, (max_score < 1) | (max_score > 9), "max_score", "a highest score outside 1 to 9")
    _refuse_items(names, choice & (max_score != 1), "max_score", "a highest score other than 1, though mc")
    options = np.maximum(np.nan_to_num(key), FEWEST_OPTIONS)
    stated = np.zeros(len(names), dtype=bool)
    if "n_options" in table.columns:
        given = floats(table, "n_options", param="items", nulls=True)
        options = np.where(np.isnan(given), options, given)
        stated = given >= 1
    return _Bank(
        names=tuple(names),
        key=np.where(choice, np.nan_to_num(key, nan=-1.0), -1.0).astype(np.int64),
        highest_code=np.where(choice, options, max_score).astype(np.int64),
        max_score=max_score,
        has_options=stated,
        table=table,
    )


def _refuse_items(names: Sequence[str], bad: NDArray[np.bool_], param: str, what: str) -> None:
    """Refuse marked rows of the items table."""
    if bad.any():
        where = [names[place] for place in np.flatnonzero(bad).tolist()]
        raise TableError(
            f"{len(where)} items have {what}.", where=where, hint="Correct the items table.", param=param
        )


def _refuse_strangers(raw: Table, bank: _Bank, aside: Sequence[str]) -> None:
    """Refuse response columns that are no item, and items without a column."""
    require_columns(raw, list(bank.names), param="raw_responses")
    known = {*bank.names, *aside}
    strange = [name for name in raw.columns if name not in known]
    if strange:
        raise TableError(
            f"{len(strange)} columns of the raw responses are no item of the items table.",
            where=strange,
            why="An answer without a key cannot be scored.",
            hint="Add the items to the items table, or drop the columns.",
            param=strange[0],
        )


def _refuse_codes(codes: NDArray[np.int16], bank: _Bank, raw: Table) -> None:
    """Refuse the first item with a code outside its own; name the students."""
    lowest = np.where(bank.key >= 0, 1, 0)
    proper = (codes >= lowest) & (codes <= bank.highest_code)
    missing = np.isin(codes, [NOT_ADMINISTERED, NOT_REACHED, INVALID, OMITTED])
    wrong = ~(proper | missing)
    if not wrong.any():
        return
    item = int(np.flatnonzero(wrong.any(axis=0))[0])
    rows = np.flatnonzero(wrong[:, item]).tolist()
    ids = strings(raw, "student_id", param="raw_responses") if "student_id" in raw.columns else None
    code = int(codes[rows[0], item])
    raise ResponseError(
        f"The code {code} is none of the codes of the item {bank.names[item]!r} "
        f"({int(lowest[item])} to {int(bank.highest_code[item])}, or 96 not reached, 98 invalid, 99 omitted). "
        f"{len(rows)} students have such a code.",
        where=[f"student {ids[row]} (row {row + 1})" if ids else f"row {row + 1}" for row in rows],
        why="It is neither right nor wrong.",
        hint="Correct the code at its source, or correct key, n_options or max_score in the items table.",
        param=bank.names[item],
        got=code,
    )


def _scores(codes: NDArray[np.int16], bank: _Bank, rule: ScoringRule) -> NDArray[np.int8]:
    """Apply keys and the rule."""
    is_choice = bank.key >= 0
    scores = np.where(is_choice, codes == bank.key, codes)
    scores = np.where((codes == INVALID) | (codes == OMITTED), -1 if rule.blank_is_missing else 0, scores)
    if rule.omitted_choice_is_partly_right:
        scores = np.where((codes == OMITTED) & is_choice, PARTLY_RIGHT, scores)
    scores = np.where(codes == NOT_REACHED, 0 if rule.not_reached_is_wrong else -1, scores)
    return np.where(codes == NOT_ADMINISTERED, -1, scores).astype(np.int8)


def _refuse_unknown_options(codes: NDArray[np.int16], bank: _Bank) -> None:
    """Refuse omitted multiple-choice items whose number of options is not stated."""
    omitted = ((codes == OMITTED) & (bank.key >= 0)).any(axis=0)
    _refuse_items(
        bank.names,
        omitted & ~bank.has_options,
        "n_options",
        "no n_options, though students omitted them and the rule scores one over the number of options",
    )


def _column(scores: NDArray[np.int8], bank: _Bank, place: int) -> Any:
    """Write the scores of one item; partly right ones as a share."""
    own = np.ascontiguousarray(scores)
    partly = own == PARTLY_RIGHT
    if not partly.any():
        return nullable_column(own, own < 0)
    share = 1.0 / float(bank.highest_code[place])
    return nullable_column(np.where(partly, share, own.astype(np.float64)), own == NOT_ADMINISTERED)


def _test_order(raw: Table, bank: _Bank, booklets: Any) -> list[tuple[NDArray[np.int64], list[int]]]:
    """Give, per booklet, the rows of its students and the places of its items in the order of the test."""
    everyone = np.arange(raw.height)
    if booklets is None:
        labels = set(strings(raw, "booklet", param="raw_responses")) if "booklet" in raw.columns else set()
        if len(labels) > 1:
            raise TableError(
                f"The rule needs the order of the test, and the responses have {len(labels)} booklets.",
                hint="Pass the table of booklets (booklet, position, cluster).",
                param="booklets",
            )
        return [(everyone, list(range(len(bank.names))))]
    plan = as_table(booklets, param="booklets")
    order = _cluster_order(plan)
    within = _items_by_cluster(bank)
    labels_of = np.array(strings(raw, "booklet", param="raw_responses"))
    absent = sorted(set(labels_of.tolist()) - set(order))
    if absent:
        raise TableError(
            f"{len(absent)} booklets of the responses are not in the table of booklets.",
            where=absent,
            hint="Add their clusters.",
            param="booklets",
        )
    return [
        (everyone[labels_of == label], [j for cluster in clusters for j in within.get(cluster, [])])
        for label, clusters in order.items()
    ]


def _cluster_order(plan: Table) -> dict[str, list[str]]:
    """List each booklet's clusters by position."""
    label = strings(plan, "booklet", param="booklets")
    position = floats(plan, "position", param="booklets")
    cluster = strings(plan, "cluster", param="booklets")
    out: dict[str, list[str]] = {}
    for row in np.argsort(position, kind="stable").tolist():
        out.setdefault(label[row], []).append(cluster[row])
    return out


def _items_by_cluster(bank: _Bank) -> Mapping[str, list[int]]:
    """List each cluster's items by position."""
    cluster = strings(bank.table, "cluster", param="items")
    position = floats(bank.table, "position", param="items")
    out: dict[str, list[int]] = {}
    for place in np.argsort(position, kind="stable").tolist():
        out.setdefault(cluster[place], []).append(place)
    return out


def _recode_trailing(
    codes: NDArray[np.int16], order: Sequence[tuple[NDArray[np.int64], list[int]]]
) -> NDArray[np.int16]:
    """Recode omissions after the last answer: the first stays omitted, the others become not reached."""
    out = codes.copy()
    for rows, places in order:
        block = np.ix_(rows, np.array(places, dtype=np.int64))
        own = codes[block]
        given = (own != NOT_ADMINISTERED) & (own != OMITTED) & (own != NOT_REACHED)
        blank = (own == OMITTED) | (own == NOT_REACHED)
        answers_after = given[:, ::-1].cumsum(axis=1)[:, ::-1]
        trailing = blank & (answers_after == 0)
        first = trailing & (trailing.cumsum(axis=1) == 1)
        out[block] = np.where(first, OMITTED, np.where(trailing, NOT_REACHED, own))
    return out


def _summary(
    codes: NDArray[np.int16], scores: NDArray[np.int8], bank: _Bank, recoded: NDArray[np.int64]
) -> Table:
    """Count each kind of missing per item."""
    counts = {
        "n_not_administered": codes == NOT_ADMINISTERED,
        "n_not_reached": codes == NOT_REACHED,
        "n_invalid": codes == INVALID,
        "n_omitted": codes == OMITTED,
    }
    number = {name: flags.sum(axis=0).astype(np.int64) for name, flags in counts.items()}
    partly = scores == PARTLY_RIGHT
    scored = (scores >= 0) | partly
    n_scored = scored.sum(axis=0)
    share_of = np.where(partly, 1.0 / np.maximum(bank.highest_code, 1), scores)
    total = np.where(scored, share_of, 0).sum(axis=0, dtype=float)
    share = np.divide(total, n_scored * bank.max_score, out=np.zeros(len(total)), where=n_scored > 0)
    administered = codes.shape[0] - number["n_not_administered"]
    missing = number["n_not_reached"] + number["n_invalid"] + number["n_omitted"]
    return make_table(
        {
            "item": list(bank.names),
            "max_score": bank.max_score,
            "n_administered": administered,
            "n_answered": administered - missing,
            **number,
            "n_recoded": recoded,
            "mean_score": nullable_column(share, n_scored == 0),
        }
    )
