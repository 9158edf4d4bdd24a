"""Decisions on items, as parameters of the steps and as changes of the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from lsakit.errors import CalibrationError
from lsakit.irt.response_data import ID_COLUMNS
from lsakit.pipeline.scaling.options import ScalingDecision


def decided_scores(decisions: Sequence[ScalingDecision]) -> dict[str, Any]:
    """Lay out what the decisions change in the scores.

    Parameters
    ----------
    decisions : Sequence of ScalingDecision
        Decisions that stand.

    Returns
    -------
    dict of str to object
        ``drop``: items, sorted; ``collapse``: per item, new score by old score as text.

    Raises
    ------
    CalibrationError
        If an item is dropped and also decided otherwise, or collapsed twice.

    Examples
    --------
    >>> decided_scores([ScalingDecision(item="M1", kind="drop")])
    {'drop': ['M1'], 'collapse': {}}
    """
    drop = sorted({one.item for one in decisions if one.kind == "drop"})
    others = [one for one in decisions if one.kind != "drop"]
    torn = sorted({one.item for one in others} & set(drop))
    if torn:
        raise CalibrationError(
            f"{len(torn)} items are dropped and also decided otherwise.",
            where=torn,
            why="A dropped item has neither categories nor parameters.",
            hint="Withdraw one of the decisions.",
            param="decisions",
        )
    collapsed = [one for one in others if one.kind == "collapse"]
    names = [one.item for one in collapsed]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CalibrationError(
            f"{len(twice)} items are collapsed twice.",
            where=twice,
            hint="Withdraw one of the decisions, or put both into one.",
            param="decisions",
        )
    ordered = sorted(collapsed, key=lambda one: one.item)
    return {
        "drop": drop,
        "collapse": {one.item: {str(old): new for old, new in sorted(one.scores.items())} for one in ordered},
    }


def decided_groups(decisions: Sequence[ScalingDecision]) -> dict[str, list[list[str]]]:
    """Lay out which items have own parameters in which groups.

    Parameters
    ----------
    decisions : Sequence of ScalingDecision
        Decisions that stand.

    Returns
    -------
    dict of str to list of list of str
        Per item, the groups of each set of parameters; items, sets and groups sorted.
    """
    found: dict[str, list[list[str]]] = {}
    for one in decisions:
        if one.kind == "free":
            found.setdefault(one.item, []).append(sorted(one.groups))
    return {item: sorted(sets) for item, sets in sorted(found.items())}


def item_names(table: pl.DataFrame) -> list[str]:
    """Name the item columns of a table of scores.

    Parameters
    ----------
    table : polars.DataFrame
        Scored responses.

    Returns
    -------
    list of str
        All columns but identifiers.
    """
    return [name for name in table.columns if name not in ID_COLUMNS]


def apply_decisions(scored: pl.DataFrame, parameters: Mapping[str, Any]) -> pl.DataFrame:
    """Drop and collapse items of a table of scores.

    Parameters
    ----------
    scored : polars.DataFrame
        Scored responses, identifiers and items.
    parameters : Mapping of str to object
        ``drop`` and ``collapse`` of `decided_scores`.

    Returns
    -------
    polars.DataFrame
        The items that stay, their scores from 0 without a gap.

    Raises
    ------
    CalibrationError
        If an item is not in the responses, no two items stay, or a collapse leaves one category or a gap.
    """
    drop, collapse = list(parameters["drop"]), dict(parameters["collapse"])
    names = item_names(scored)
    strange = [item for item in (*drop, *collapse) if item not in names]
    if strange:
        raise CalibrationError(
            f"{len(strange)} decided items are not among the responses.",
            where=strange,
            hint="Withdraw the decisions, or check the item names.",
            param="decisions",
            got=strange[0],
        )
    if len(names) - len(drop) < 2:
        raise CalibrationError(
            f"The decisions drop {len(drop)} of {len(names)} items.",
            why="A scale needs at least two items.",
            hint="Withdraw some of the decisions.",
            param="decisions",
        )
    kept = scored.drop(drop)
    return kept.with_columns(
        _collapsed(kept.get_column(item), {int(old): int(new) for old, new in scores.items()})
        for item, scores in collapse.items()
    )


def _collapsed(column: pl.Series, scores: Mapping[int, int]) -> pl.Series:
    """Put scores together; the new ones must run from 0 without a gap."""
    present = column.drop_nulls().unique().to_list()
    after = sorted({scores.get(int(score), int(score)) for score in present})
    if len(after) < 2 or after != list(range(len(after))):
        what = "one score only" if len(after) < 2 else "a gap"
        raise CalibrationError(
            f"Collapsing the item {column.name!r} leaves {what}: {', '.join(str(one) for one in after)}.",
            why="The categories of an item are 0, 1, … up to its highest score.",
            hint="Drop the item, or give scores that run from 0 without a gap.",
            param="decisions",
            got=column.name,
        )
    return column.replace(list(scores), list(scores.values()))


def calibrated_unique(parameters: Mapping[str, Any]) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Read the sets of own parameters as the calibration takes them.

    Parameters
    ----------
    parameters : Mapping of str to object
        ``free`` of `decided_groups`.

    Returns
    -------
    dict of str to tuple of tuple of str
        Per item, the groups of each set.
    """
    return {item: tuple(tuple(one) for one in sets) for item, sets in parameters["free"].items()}
