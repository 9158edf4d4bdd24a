"""Stage "classical": the items as they were administered, before any model and any decision."""

from __future__ import annotations

from typing import Any

import polars as pl

from lsakit.errors import ResponseError
from lsakit.io.frames import floats, strings
from lsakit.irt.classical import classical
from lsakit.irt.scoring import FEWEST_OPTIONS
from lsakit.lineage import Step, StepCall
from lsakit.pipeline.scaling.decisions import item_names
from lsakit.pipeline.scaling.people import join_students, weight_column


def run_classical(call: StepCall) -> dict[str, Any]:
    """Analyze the items classically.

    Parameters
    ----------
    call : StepCall
        Inputs ``scored_responses``, ``summary``, and where there are such ``raw_responses`` with ``items``,
        ``students``; parameters ``group``, ``weight``, ``senate``.

    Returns
    -------
    dict of str to object
        ``item_statistics``, ``option_statistics``, ``option_curves``, ``consistency``.
    """
    inputs, parameters = call.inputs, call.parameters
    scored = inputs["scored_responses"]
    table = join_students(scored, inputs.get("students"), parameters)
    raw, items = inputs.get("raw_responses"), inputs.get("items")
    keys = None
    if raw is not None and items is not None:
        keys = _keys(items)
        table = _with_options(table, raw, keys.get_column("item").to_list())
    found = classical(table, keys=keys, items=item_names(scored), weights=weight_column(table))
    counts = ["n_administered", "n_omitted", "n_not_reached", "n_invalid", "n_not_administered"]
    statistics = found.items.rename({"item_rest": "discrimination"}).with_columns(
        pl.col("flags").str.replace_all(",", ";")
    )
    stated = inputs["summary"].select("item", *counts, pl.col("max_score").alias("stated_max_score"))
    return {
        "item_statistics": statistics.join(stated, on="item", how="left", maintain_order="left"),
        "option_statistics": found.options.rename(
            {"rest_mean": "mean", "point_biserial": "correlation"}
        ).with_columns(pl.col("is_key").cast(pl.Boolean)),
        "option_curves": found.curves.rename({"class": "group_number"}),
        "consistency": {
            "alpha": found.alpha,
            "median_alpha": found.median_alpha,
            "omega": found.omega,
            "rest_unit": found.rest_unit,
            "n_students": found.n_students,
            "n_booklets": found.n_booklets,
            "n_alone": found.n_alone,
            "n_items": found.items.height,
        },
    }


def _keys(items: pl.DataFrame) -> pl.DataFrame:
    """List the keys of the multiple-choice items with all their options."""
    choice = [form == "mc" for form in strings(items, "format", param="items")]
    own = items.filter(pl.Series(choice, dtype=pl.Boolean))
    key = floats(own, "key", param="items").astype(int).tolist()
    n = [max(FEWEST_OPTIONS, one) for one in key]
    if "n_options" in own.columns:
        given = floats(own, "n_options", param="items", nulls=True).tolist()
        n = [other if value != value else int(value) for other, value in zip(n, given, strict=True)]
    return pl.DataFrame(
        {
            "item": strings(own, "item", param="items"),
            "key": [str(one) for one in key],
            "options": [" ".join(str(option + 1) for option in range(most)) for most in n],
        },
        schema={"item": pl.String, "key": pl.String, "options": pl.String},
    )


def _with_options(table: pl.DataFrame, raw: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Put the options chosen in the place of the scores of keyed items; rows are those of the scores."""
    same = raw.get_column("student_id").cast(pl.String) == table.get_column("student_id").cast(pl.String)
    if raw.height != table.height or not same.all():
        raise ResponseError(
            "The raw responses are not those that were scored: their students differ.",
            hint="Score these responses first.",
            param="raw_responses",
        )
    return table.with_columns(raw.get_column(name) for name in names)


CLASSICAL = Step(
    name="scaling_classical",
    version=1,
    title="classical item analysis",
    run=run_classical,
    inputs=("scored_responses", "summary"),
    optional_inputs=("raw_responses", "items", "students"),
    outputs=("item_statistics", "option_statistics", "option_curves", "consistency"),
)
