"""The flag table of classical analysis: rules as data, one row per flag raised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lsakit.io.text_columns import text_column
from lsakit.irt.item_keys import NO_DISTRACTORS
from lsakit.irt.option_analysis import best_distractor


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRules:
    """Thresholds of the flags; docs/algorithms/classical_analysis.md names their sources.

    Parameters
    ----------
    too_easy : float, default 0.95
        Facility above which an item is too easy.
    too_hard_keyed : float, default 0.25
        Facility below which a keyed item is too hard.
    too_hard : float, default 0.10
        Facility below which another item is too hard.
    low_discrimination : float, default 0.20
        Item-rest correlation below which to warn.
    drop_candidate : float, default 0.10
        Item-rest correlation below which dropping is proposed.
    distractor : float, default 0.05
        Point-biserial above which a distractor attracts able students.
    dead_option : float, default 0.05
        Share below which an option is dead.
    rare_category : float, default 0.05
        Share below which a score category is rare.
    rare_count : int, default 10
        Number of students below which a score category is rare.
    missing : float, default 0.10
        Rate above which omissions, not-reached or invalid answers call for a look.
    """

    too_easy: float = 0.95
    too_hard_keyed: float = 0.25
    too_hard: float = 0.10
    low_discrimination: float = 0.20
    drop_candidate: float = 0.10
    distractor: float = 0.05
    dead_option: float = 0.05
    rare_category: float = 0.05
    rare_count: int = 10
    missing: float = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """Flags raised.

    Parameters
    ----------
    rows : list of tuple of (str, str, float, float)
        Item, flag, value met, threshold.
    """

    rows: list[tuple[str, str, float, float]] = field(default_factory=list)

    def of(self, item: str) -> list[str]:
        """Name the flags of one item.

        Parameters
        ----------
        item : str
            Item.

        Returns
        -------
        list of str
            Flags, each once, in the order they were raised.
        """
        return list(dict.fromkeys(row[1] for row in self.rows if row[0] == item))

    def columns(self) -> dict[str, Any]:
        """Give the flags as columns.

        Returns
        -------
        dict of str to array of shape (n_flags,)
            item, flag, value, threshold.
        """
        return {
            "item": text_column(row[0] for row in self.rows),
            "flag": text_column(row[1] for row in self.rows),
            "value": np.array([row[2] for row in self.rows], dtype=float),
            "threshold": np.array([row[3] for row in self.rows], dtype=float),
        }


def flag_items(
    columns: Mapping[str, Any],
    options: Sequence[dict[str, Any]],
    keys: Mapping[str, str],
    rules: FlagRules,
) -> Flags:
    """Apply the rules to every item.

    Parameters
    ----------
    columns : Mapping of str to array of shape (n_items,)
        Columns of the item table.
    options : Sequence of dict of str to array of shape (n_options,)
        Option statistics of each item.
    keys : Mapping of str to str
        Keys of the keyed items.
    rules : FlagRules
        Thresholds.

    Returns
    -------
    Flags
        What was raised.
    """
    flags = Flags()
    heads = ("facility", "item_rest", "omitted_rate", "not_reached_rate", "invalid_rate")
    listed = {head: [_number(value) for value in columns[head]] for head in heads}
    for place, item in enumerate(columns["item"]):
        values = {head: column[place] for head, column in listed.items()}
        _flag_numbers(flags, item, values, item in keys, rules)
        if item in keys:
            _flag_options(flags, item, options[place], keys[item], rules)
        else:
            _flag_categories(flags, item, options[place], rules)
    return flags


def _number(value: Any) -> float:
    """Give a missing number as NaN, which no comparison holds for."""
    return float("nan") if value is None else float(value)


def _flag_numbers(
    flags: Flags, item: str, values: Mapping[str, float], is_keyed: bool, rules: FlagRules
) -> None:
    """Flag facility, discrimination and missing answers."""
    hard = rules.too_hard_keyed if is_keyed else rules.too_hard
    facility, discrimination = values["facility"], values["item_rest"]
    if facility > rules.too_easy:
        flags.rows.append((item, "too_easy", facility, rules.too_easy))
    if facility < hard:
        flags.rows.append((item, "too_hard", facility, hard))
    if discrimination < rules.low_discrimination:
        flags.rows.append((item, "low_discrimination", discrimination, rules.low_discrimination))
    if discrimination < rules.drop_candidate:
        flags.rows.append((item, "drop_candidate", discrimination, rules.drop_candidate))
    for head in ("omitted_rate", "not_reached_rate", "invalid_rate"):
        if values[head] > rules.missing:
            flags.rows.append((item, "missing", values[head], rules.missing))


def _flag_options(flags: Flags, item: str, found: dict[str, Any], key: str, rules: FlagRules) -> None:
    """Flag distractors that attract the able or nobody."""
    highest, is_abler, rival = best_distractor(found, key, NO_DISTRACTORS)
    if np.isfinite(highest) and (highest > rules.distractor or is_abler):
        flags.rows.append((item, "distractor_positive", highest, rules.distractor))
    own = found["option"].index(key)
    if rival > found["share_high"][own]:
        flags.rows.append((item, "key_not_modal", float(found["share_high"][own]), rival))
    for option, share in zip(found["option"], found["share"].tolist(), strict=True):
        if option not in NO_DISTRACTORS and share < rules.dead_option:
            flags.rows.append((item, "option_dead", float(share), rules.dead_option))


def _flag_categories(flags: Flags, item: str, found: dict[str, Any], rules: FlagRules) -> None:
    """Flag score categories out of order or rare."""
    mean = found["rest_mean"]
    seen = mean[np.isfinite(mean)]
    if len(seen) < len(mean) or np.any(np.diff(seen) <= 0.0):
        worst = float(np.diff(seen).min()) if len(seen) > 1 else 0.0
        flags.rows.append((item, "code_order", worst, 0.0))
    for n, share in zip(found["n"].tolist(), found["share"].tolist(), strict=True):
        if share < rules.rare_category or n < rules.rare_count:
            flags.rows.append((item, "code_order", float(share), rules.rare_category))
