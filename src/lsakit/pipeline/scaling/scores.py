"""Stage "scores": raw answers to scores, or scores taken as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.errors import CalibrationError, ResponseError, TableError
from lsakit.io.frames import (
    floats,
    nullable_column,
    refuse_duplicates,
    require_columns,
    response_codes,
    strings,
    with_columns,
)
from lsakit.irt.response_data import ID_COLUMNS
from lsakit.irt.scoring import RULES, score_responses
from lsakit.lineage import Step, StepCall
from lsakit.pipeline.scaling.decisions import item_names
from lsakit.pipeline.scaling.options import MOST_SCORE

NO_SECOND = {"values_responses": None, "values_summary": None}
KINDS = ("not_administered", "not_reached", "invalid", "omitted")


def run_scores(call: StepCall) -> dict[str, Any]:
    """Score the responses of one subject.

    Parameters
    ----------
    call : StepCall
        Input ``raw_responses`` with ``items``, or ``scored_responses``; ``booklets`` where the rule needs the
        order of the test, and ``test_responses`` with ``test_items`` where booklets hold other subjects; parameters ``rule`` and, where the values have a rule of their own, ``rule_of_values``.

    Returns
    -------
    dict of str to object
        ``scored_responses`` (identifiers and items; null where an item does not count) and ``summary``;
        ``values_responses`` and ``values_summary``, the same by the second rule, or None.

    Raises
    ------
    CalibrationError
        If both or neither of the two kinds of responses are given, or raw responses come without items.
    """
    inputs = call.inputs
    raw, scored = inputs.get("raw_responses"), inputs.get("scored_responses")
    if (raw is None) == (scored is None):
        raise CalibrationError(
            "The scaling needs either raw or scored responses, and not both.",
            hint="Give raw_responses with the table of items, or scored_responses.",
            param="raw_responses",
        )
    given: pl.DataFrame = inputs["scored_responses"] if raw is None else raw
    require_columns(given, ["student_id"], param="responses")
    refuse_duplicates(given, "student_id", param="responses")
    given = given.with_columns(pl.col("student_id").cast(pl.String))
    items = inputs.get("items")
    if raw is None:
        return {**_taken(given, items), **NO_SECOND}
    if items is None:
        raise CalibrationError(
            "Raw responses cannot be scored without the table of items.",
            why="It holds the keys and highest scores.",
            hint="Give a table with item, format, key and max_score, or scored responses.",
            param="items",
        )
    second = call.parameters.get("rule_of_values")
    table, summary = _scored(given, items, inputs, str(call.parameters["rule"]))
    out: dict[str, Any] = {"scored_responses": table, "summary": summary, **NO_SECOND}
    if second:
        table, summary = _scored(given, items, inputs, str(second))
        out |= {"values_responses": table, "values_summary": summary}
    return out


def _scored(
    given: pl.DataFrame, items: pl.DataFrame, inputs: Mapping[str, Any], rule: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Score by a rule; within the whole test where it is given and the rule looks at what was answered later."""
    booklets, whole = inputs.get("booklets"), inputs.get("test_responses")
    if whole is None or not RULES[rule].recode_trailing_omissions:
        found = score_responses(given, items, rule=rule, booklets=booklets)
        return found.table, found.summary
    names = strings(items, "item", param="items")
    require_columns(whole, ["student_id", *names], param="test_responses")
    aside = [name for name in given.columns if name not in names]
    if not whole.select(pl.col("student_id").cast(pl.String), *names).equals(
        given.select("student_id", *names)
    ):
        raise CalibrationError(
            "The responses to the whole test differ from those of the subject in students, their order or answers.",
            why="It would not be clear which of the two to score.",
            hint="Take both from one table.",
            param="test_responses",
        )
    found = score_responses(whole, inputs["test_items"], rule=rule, booklets=booklets)
    order = pl.DataFrame({"item": names})
    return (
        pl.concat([given.select(aside), found.table.select(names)], how="horizontal"),
        order.join(found.summary, on="item", how="left", maintain_order="left"),
    )


def _taken(scored: pl.DataFrame, items: pl.DataFrame | None) -> dict[str, pl.DataFrame]:
    """Take scores as they are, the items in the order of the items table."""
    names = item_names(scored)
    if items is not None:
        require_columns(items, ["item"], param="items")
        refuse_duplicates(items, "item", param="items")
        listed = strings(items, "item", param="items")
        strange = [name for name in names if name not in listed]
        if strange:
            raise TableError(
                f"{len(strange)} columns of the responses are no item of the items table.",
                where=strange,
                hint="Add the items to the items table, or drop the columns.",
                param=strange[0],
            )
        require_columns(scored, listed, param="responses")
        names = listed
    codes = response_codes(scored, names, param="responses")
    highest = _highest(codes, names, items)
    aside = [name for name in scored.columns if name in ID_COLUMNS]
    columns = {
        name: nullable_column(np.ascontiguousarray(codes[:, place]).astype(np.int8), codes[:, place] < 0)
        for place, name in enumerate(names)
    }
    table = with_columns(scored.select(aside), columns)
    return {"scored_responses": table, "summary": _summary(codes, names, highest)}


def _highest(codes: NDArray[np.int16], names: list[str], items: pl.DataFrame | None) -> NDArray[np.int64]:
    """Give each item's highest score: the stated one, or the highest that occurs; refuse scores above it."""
    met = codes.max(axis=0, initial=0).astype(np.int64)
    highest = np.full(len(names), float(MOST_SCORE))
    if items is not None and "max_score" in items.columns:
        stated = floats(items, "max_score", param="items", nulls=True)
        highest = np.where(np.isnan(stated), highest, stated)
    above = met > highest
    if above.any():
        place = int(np.flatnonzero(above)[0])
        rows = np.flatnonzero(codes[:, place] > highest[place]).tolist()
        raise ResponseError(
            f"The score {int(met[place])} of the item {names[place]!r} is above its highest score, "
            f"{highest[place]:g}. {int(above.sum())} items have such scores.",
            where=[f"row {row + 1}" for row in rows],
            why="Codes such as 96, 98 and 99 are raw answers, not scores.",
            hint="Give raw responses to be scored, or correct max_score in the items table.",
            param=names[place],
            got=int(met[place]),
        )
    has_stated = items is not None and "max_score" in items.columns
    return np.where(highest < MOST_SCORE, highest, met).astype(np.int64) if has_stated else met


def _summary(codes: NDArray[np.int16], names: list[str], highest: NDArray[np.int64]) -> pl.DataFrame:
    """Count the scores per item, with the columns that the scoring of raw answers gives."""
    scored = codes >= 0
    n = scored.sum(axis=0).astype(np.int64)
    total = np.where(scored, codes, 0).sum(axis=0, dtype=float)
    mean = np.divide(total, n * highest, out=np.zeros(len(total)), where=(n > 0) & (highest > 0))
    unknown = pl.Series([None] * len(names), dtype=pl.Int64)
    kinds = {f"n_{kind}": unknown for kind in KINDS}
    return pl.DataFrame(
        {
            "item": names,
            "max_score": highest,
            "n_administered": unknown,
            "n_answered": n,
            **kinds,
            "n_recoded": unknown,
            "mean_score": nullable_column(mean, n == 0),
        }
    )


SCORES = Step(
    name="scaling_scores",
    version=1,
    title="responses to scores",
    run=run_scores,
    optional_inputs=(
        "raw_responses",
        "scored_responses",
        "items",
        "booklets",
        "test_responses",
        "test_items",
    ),
    outputs=("scored_responses", "summary", "values_responses", "values_summary"),
)
