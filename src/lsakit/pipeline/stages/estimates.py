"""Stage "estimates": every published figure of one grade, with its error and its rule of publication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from lsakit.estimation.replication import PreparedTable, prepare
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.lineage import Step, StepCall
from lsakit.pipeline.figure_ids import figure_id
from lsakit.pipeline.stages.changes import change_rows
from lsakit.pipeline.stages.figure_rows import COLUMNS, with_intervals
from lsakit.pipeline.stages.participation import participation_table
from lsakit.pipeline.stages.publication import published
from lsakit.pipeline.stages.subject_figures import (
    GROUPINGS,
    Answers,
    domain_rows,
    index_rows,
    subject_rows,
)
from lsakit.pipeline.stages.truth import with_truth
from lsakit.tables.suppression import rules_named

__all__ = ["COLUMNS", "GROUPINGS"]
N_QUARTERS = 4


def weighted_quarters(values: pl.Series, weights: pl.Series) -> pl.Series:
    """Cut a variable into four quarters of equal weight.

    Parameters
    ----------
    values : polars.Series of shape (n_students,)
        The variable; missing values stay missing.
    weights : polars.Series of shape (n_students,)
        Final weights.

    Returns
    -------
    polars.Series
        ``"1"`` to ``"4"``: the quarter that holds the middle of a student's stretch of cumulative weight;
        equal values share the quarter of the middle of their common stretch.

    Examples
    --------
    >>> weighted_quarters(pl.Series([4.0, 1.0, None, 2.0, 3.0]), pl.Series([1.0] * 5)).to_list()
    ['4', '1', None, '2', '3']
    """
    value = values.cast(pl.Float64).fill_nan(None).to_numpy()
    weight = weights.cast(pl.Float64).to_numpy()
    known = np.flatnonzero(np.isfinite(value))
    _, code = np.unique(value[known], return_inverse=True)
    stretch = np.bincount(code, weights=weight[known])
    middle = np.cumsum(stretch) - stretch / 2.0
    quarter = np.minimum(np.floor(N_QUARTERS * middle / stretch.sum()).astype(np.int64), N_QUARTERS - 1) + 1
    labels: list[str | None] = [None] * len(value)
    for row, which in zip(known.tolist(), quarter[code].tolist(), strict=True):
        labels[row] = str(which)
    return pl.Series("ses_quarter", labels, dtype=pl.String)


def analysis_table(
    plausible_values: pl.DataFrame,
    weights: pl.DataFrame,
    replicates: pl.DataFrame,
    background: pl.DataFrame,
) -> pl.DataFrame:
    """Join what the estimates need, one row per respondent.

    Parameters
    ----------
    plausible_values : polars.DataFrame
        Plausible values on the reporting scale.
    weights : polars.DataFrame
        Final weights.
    replicates : polars.DataFrame
        Replicate weights.
    background : polars.DataFrame
        Questionnaire and register.

    Returns
    -------
    polars.DataFrame
        student_id, school_id, the grouping columns as text (sector where the background has it), ses, ses_quarter,
        weight, replicate_1 …, PV1MATHS …
    """
    known = ["province_code", "region6", "area", "disadvantaged", "gender", "ethnicity"]
    known += ["sector"] if "sector" in background.columns else []
    people = weights.select("student_id", "school_id", pl.col("final_weight").alias("weight"))
    for part in (background.select("student_id", *known, "ses"), replicates, plausible_values):
        people = people.join(part, on="student_id", how="left", maintain_order="left")
    quarters = weighted_quarters(people.get_column("ses"), people.get_column("weight"))
    return people.with_columns(*(pl.col(name).cast(pl.String) for name in known), quarters)


def estimate_figures(
    table: pl.DataFrame,
    settings: Mapping[str, Any],
    *,
    truth: pl.DataFrame | None = None,
    answers: Answers | None = None,
    earlier: tuple[pl.DataFrame, Mapping[str, float]] | None = None,
) -> pl.DataFrame:
    """Estimate every figure of one population.

    Parameters
    ----------
    table : polars.DataFrame
        Analysis table.
    settings : Mapping of str to object
        ``population``, ``subjects``, ``cuts``, ``percentiles``, ``fay_factor``, ``minimum_students``,
        ``minimum_schools`` and, where it is not ``"national"``, the name of the ``suppression_rules``.
    truth : polars.DataFrame, optional
        Exact values of a synthetic population.
    answers : Answers, optional
        Answers and items; with them, and domains in the items, results by domain are estimated.
    earlier : tuple of (polars.DataFrame, Mapping of str to float), optional
        Analysis table of the previous cycle, and the linking error of each subject in points.

    Returns
    -------
    polars.DataFrame
        Tidy table, one row per figure. Shares are between 0 and 1, scores in points of the reporting scale;
        ``sampling_variance + measurement_variance`` is the square of ``standard_error``, for a change with
        ``linking_error`` squared.
    """
    rules = rules_named(str(settings.get("suppression_rules", "national"))).with_minima(
        units=int(settings["minimum_students"]), schools=int(settings["minimum_schools"])
    )
    ready = _prepared(table, settings)
    index = index_rows(ready)
    parts = []
    for subject in settings["subjects"]:
        parts.append(subject_rows(ready, subject, settings))
        if index is not None:
            parts.append(index.with_columns(subject=pl.lit(subject)))
        found = domain_rows(table, ready, answers, subject) if answers else None
        if found is not None:
            parts.append(found.with_columns(subject=pl.lit(subject)))
        if earlier and subject in earlier[1]:
            before, errors = earlier
            old = _prepared(before, settings)
            parts.append(change_rows(old, ready, subject, errors[subject], settings=settings))
    rows = with_intervals(pl.concat(parts)).with_columns(population=pl.lit(str(settings["population"])))
    rows = published(rows, rules, _regions(table)).with_columns(figure_id=figure_id())
    return with_truth(rows, truth).select(COLUMNS)


def _regions(table: pl.DataFrame) -> dict[str, str]:
    """Say which region each province lies in."""
    pairs = table.select("province_code", "region6").drop_nulls().unique(maintain_order=True).rows()
    return {str(province): str(region) for province, region in pairs}


def _prepared(table: pl.DataFrame, settings: Mapping[str, Any]) -> PreparedTable:
    """Read the weights of an analysis table."""
    replicates = [name for name in table.columns if name.startswith("replicate_")]
    design = SurveyDesign(
        weight="weight",
        replicates="replicate_{r}",
        n_replicates=len(replicates),
        method="fay",
        fay_factor=float(settings["fay_factor"]),
    )
    return prepare(table, design)


def subjects_of(plausible_values: pl.DataFrame) -> list[str]:
    """Name the subjects of a table of plausible values.

    Parameters
    ----------
    plausible_values : polars.DataFrame
        With columns PV1MATHS ….

    Returns
    -------
    list of str
        ``["maths", "reading"]``, in the order of the columns.
    """
    return [
        name[3:].lower()
        for name in plausible_values.columns
        if name.startswith("PV1") and name[3:4].isalpha()
    ]


def run_estimates(call: StepCall) -> dict[str, Any]:
    """Estimate every figure of one grade.

    Parameters
    ----------
    call : StepCall
        Inputs ``plausible_values``, ``weights``, ``replicates``, ``background`` and, in a synthetic nation,
        ``truth``; ``scored_responses``, ``items`` and ``item_parameters`` for results by domain; ``frame``, ``drawn``, ``schools`` and ``students``
        for participation; the tables of the previous cycle with ``earlier_`` and ``linking_errors`` for changes. Parameters
        ``population``, ``cuts``, ``percentiles``, ``fay_factor``, ``minimum_students``, ``minimum_schools`` and, for
        participation, ``rules``.

    Returns
    -------
    dict of str to table
        ``estimates``, ``analysis_groups`` (which student belongs to which group) and, where their inputs are there,
        ``earlier_analysis_groups`` and ``participation``.
    """
    inputs = call.inputs
    table = analysis_table(
        inputs["plausible_values"], inputs["weights"], inputs["replicates"], inputs["background"]
    )
    settings = {**call.parameters, "subjects": subjects_of(inputs["plausible_values"])}
    answers = None
    if "scored_responses" in inputs and "items" in inputs:
        answers = Answers(
            scored=inputs["scored_responses"],
            items=inputs["items"],
            parameters=inputs.get("item_parameters"),
            slope=float(settings.get("scale_slope", 100.0)),
            intercept=float(settings.get("scale_intercept", 500.0)),
        )
    earlier = None
    if "linking_errors" in inputs:
        before = ("plausible_values", "weights", "replicates", "background")
        errors = dict(inputs["linking_errors"].select("subject", "linking_error").rows())
        earlier = (analysis_table(*(inputs[f"earlier_{role}"] for role in before)), errors)
    call.progress("figures", 0.1)
    estimates = estimate_figures(table, settings, truth=inputs.get("truth"), answers=answers, earlier=earlier)
    found = {"estimates": estimates, "analysis_groups": _groups(table)}
    if earlier:
        found["earlier_analysis_groups"] = _groups(earlier[0])
    sampled = ("frame", "drawn", "schools", "students")
    if all(role in inputs for role in sampled):
        found["participation"] = participation_table(
            *(inputs[role] for role in sampled),
            population=str(settings["population"]),
            rules=str(settings["rules"]),
        )
    return found


def _groups(table: pl.DataFrame) -> pl.DataFrame:
    """Say which student belongs to which group."""
    names = [name for name in GROUPINGS if name in table.columns]
    return table.select("student_id", "school_id", "weight", "province_code", *names)


ESTIMATES = Step(
    name="estimates",
    version=3,
    title="figures with errors",
    run=run_estimates,
    inputs=("plausible_values", "weights", "replicates", "background"),
    optional_inputs=(
        "truth",
        "scored_responses",
        "items",
        "item_parameters",
        "frame",
        "drawn",
        "schools",
        "students",
        "linking_errors",
        "earlier_plausible_values",
        "earlier_weights",
        "earlier_replicates",
        "earlier_background",
    ),
)
