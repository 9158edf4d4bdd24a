"""Stage "estimates": every published figure of one grade, with its error and its rule of publication."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from lsakit.estimation.comparisons import compare
from lsakit.estimation.means import estimate_means
from lsakit.estimation.percentiles import estimate_percentiles
from lsakit.estimation.proportions import estimate_levels
from lsakit.estimation.replication import PreparedTable, prepare
from lsakit.estimation.results import Estimates
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.lineage import Step, StepCall
from lsakit.pipeline.figure_ids import figure_id
from lsakit.pipeline.stages.truth import with_truth
from lsakit.tables.suppression import apply_rules, rules_named

GROUPINGS = ("gender", "area", "ethnicity", "disadvantaged", "ses_quarter", "region6")
WITHIN_PROVINCE = ("gender", "area")
GAPS = {"gender": ("F", "M"), "area": ("urban", "rural"), "ethnicity": ("kinh", "minority")}
DIFFERENCE = "difference_to_nation"
N_QUARTERS = 4
COLUMNS = (
    "figure_id", "population", "subject", "statistic", "by", "group", "n", "n_schools", "estimate",
    "standard_error", "ci_low", "ci_high", "sampling_variance", "measurement_variance",
    "degrees_of_freedom", "suppressed_because", "flag", "truth",
)  # fmt: skip


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
        student_id, school_id, the grouping columns as text, ses_quarter, weight, replicate_1 …, PV1MATHS …
    """
    known = ("province_code", "region6", "area", "disadvantaged", "gender", "ethnicity")
    people = weights.select("student_id", "school_id", pl.col("final_weight").alias("weight"))
    for part in (background.select("student_id", *known, "ses"), replicates, plausible_values):
        people = people.join(part, on="student_id", how="left", maintain_order="left")
    quarters = weighted_quarters(people.get_column("ses"), people.get_column("weight"))
    return people.with_columns(*(pl.col(name).cast(pl.String) for name in known), quarters)


def _tidy(table: pl.DataFrame, *, by: str, group: pl.Expr, n_plausible_values: int) -> pl.DataFrame:
    """Bring one table of results into the tidy columns."""
    measurement = (1.0 + 1.0 / n_plausible_values) * pl.col("imputation_variance")
    return table.select(
        pl.lit(by).alias("by"),
        group.alias("group"),
        "statistic",
        pl.col("n").cast(pl.Int64),
        pl.col("n_schools").cast(pl.Int64),
        "estimate",
        "standard_error",
        "sampling_variance",
        measurement.alias("measurement_variance"),
        "degrees_of_freedom",
        "undefined_because",
    )


def _rows(result: Estimates, by: Sequence[str]) -> pl.DataFrame:
    """Bring estimates into the tidy columns, groups joined by ``+``."""
    group = pl.concat_str([pl.col(name) for name in by], separator="+") if by else pl.lit("all")
    return _tidy(
        result.table, by="+".join(by) or "nation", group=group, n_plausible_values=result.n_plausible_values
    )


def _differences_to_nation(part: Estimates, whole: Estimates, by: str) -> pl.DataFrame:
    """Difference of each group's mean to the nation's, inside each replicate."""
    found = compare(part, by, against=whole).table.filter(pl.col("statistic") == "mean")
    counts = part.table.filter(pl.col("statistic") == "mean").select(
        pl.col(by).alias("group"), "n", "n_schools"
    )
    joined = found.join(counts, on="group", how="left", maintain_order="left")
    return _tidy(
        joined.with_columns(statistic=pl.lit(DIFFERENCE)),
        by=by,
        group=pl.col("group"),
        n_plausible_values=part.n_plausible_values,
    )


def _gap(part: Estimates, by: str) -> pl.DataFrame:
    """Difference between two groups' means, inside each replicate; empty where one is absent."""
    first, second = GAPS[by]
    means = part.table.filter(pl.col("statistic") == "mean")
    held = means.filter(pl.col(by).is_in([first, second]))
    if held.height < len(GAPS[by]):
        return _rows(part, [by]).clear()
    found = compare(part, by).table.filter(
        (pl.col("statistic") == "mean")
        & pl.col("group").is_in([first, second])
        & pl.col("reference").is_in([first, second])
    )
    sign = pl.when(pl.col("group") == first).then(1.0).otherwise(-1.0)
    fewest = held.select(
        pl.col("n").min().alias("n_least"), pl.col("n_schools").min().alias("schools_least")
    ).row(0)
    joined = found.with_columns(
        estimate=pl.col("estimate") * sign,
        statistic=pl.lit("gap"),
        n=pl.lit(held.get_column("n").sum()),
        n_schools=pl.lit(fewest[1]),
    )
    return _tidy(joined, by=by, group=pl.lit(f"{first}-{second}"), n_plausible_values=part.n_plausible_values)


def _subject_rows(ready: PreparedTable, subject: str, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Estimate every figure of one subject."""
    values = "PV{m}" + subject.upper()
    cuts = [float(cut) for cut in settings["cuts"]]
    percentiles = [float(p) for p in settings["percentiles"]]
    whole = estimate_means(ready, values, cluster="school_id")
    parts = [
        _rows(whole, []),
        _rows(estimate_percentiles(ready, values, percentiles, cluster="school_id"), []),
        _rows(estimate_levels(ready, values, cuts=cuts, cluster="school_id"), []),
        _rows(
            estimate_percentiles(ready, values, percentiles, by=["province_code"], cluster="school_id"),
            ["province_code"],
        ),
    ]
    for by in ("province_code", *GROUPINGS):
        part = estimate_means(ready, values, by=[by], cluster="school_id")
        kept = part.table.height > 0
        rows = _rows(part, [by])
        parts.append(rows if by == "province_code" else rows.filter(pl.col("statistic") == "mean"))
        parts.append(_rows(estimate_levels(ready, values, cuts=cuts, by=[by], cluster="school_id"), [by]))
        if kept:
            parts.append(_differences_to_nation(part, whole, by))
        if by in GAPS:
            parts.append(_gap(part, by))
    for by in WITHIN_PROVINCE:
        keys = ["province_code", by]
        rows = _rows(estimate_means(ready, values, by=keys, cluster="school_id"), keys)
        parts.append(rows.filter(pl.col("statistic") == "mean"))
    return pl.concat(parts).with_columns(subject=pl.lit(subject))


def _with_intervals(rows: pl.DataFrame) -> pl.DataFrame:
    """Add 95 % intervals by the t distribution; shares stay between 0 and 1."""
    error = rows.get_column("standard_error").to_numpy()
    freedom = rows.get_column("degrees_of_freedom").fill_null(np.inf).to_numpy()
    half = np.where(error > 0, stats.t.ppf(0.975, freedom) * error, error)
    estimate = rows.get_column("estimate").to_numpy()
    low, high = estimate - half, estimate + half
    share = rows.get_column("statistic").str.contains("^(below|level|at_or_above)_").to_numpy()
    low, high = np.where(share, np.maximum(low, 0.0), low), np.where(share, np.minimum(high, 1.0), high)
    return rows.with_columns(
        pl.Series("ci_low", low).fill_nan(None), pl.Series("ci_high", high).fill_nan(None)
    )


def _nesting(table: pl.DataFrame) -> dict[str, tuple[str, dict[str, str]]]:
    """Say which region each province lies in: the provinces of a region add up to it."""
    pairs = table.select("province_code", "region6").drop_nulls().unique(maintain_order=True).rows()
    return {"province_code": ("region6", {str(province): str(region) for province, region in pairs})}


def estimate_figures(
    table: pl.DataFrame, settings: Mapping[str, Any], *, truth: pl.DataFrame | None = None
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

    Returns
    -------
    polars.DataFrame
        Tidy table, one row per figure. Shares are between 0 and 1, scores in points of the reporting scale;
        ``sampling_variance + measurement_variance`` is the square of ``standard_error``.
    """
    rules = rules_named(str(settings.get("suppression_rules", "national"))).with_minima(
        units=int(settings["minimum_students"]), schools=int(settings["minimum_schools"])
    )
    replicates = [name for name in table.columns if name.startswith("replicate_")]
    design = SurveyDesign(
        weight="weight",
        replicates="replicate_{r}",
        n_replicates=len(replicates),
        method="fay",
        fay_factor=float(settings["fay_factor"]),
    )
    ready = prepare(table, design)
    parts = [_subject_rows(ready, subject, settings) for subject in settings["subjects"]]
    rows = _with_intervals(pl.concat(parts)).with_columns(population=pl.lit(str(settings["population"])))
    rows = apply_rules(rows, rules, nested=_nesting(table), keep_counts=True)
    rows = rows.with_columns(figure_id=figure_id())
    return with_truth(rows, truth).select(COLUMNS)


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
        ``truth``; parameters ``population``, ``cuts``, ``percentiles``, ``fay_factor``, ``minimum_students``,
        ``minimum_schools``.

    Returns
    -------
    dict of str to table
        ``estimates`` and ``analysis_groups`` (which student belongs to which group).
    """
    inputs = call.inputs
    table = analysis_table(
        inputs["plausible_values"], inputs["weights"], inputs["replicates"], inputs["background"]
    )
    settings = {**call.parameters, "subjects": subjects_of(inputs["plausible_values"])}
    estimates = estimate_figures(table, settings, truth=inputs.get("truth"))
    groups = table.select("student_id", "school_id", "weight", "province_code", *GROUPINGS)
    return {"estimates": estimates, "analysis_groups": groups}


ESTIMATES = Step(
    name="estimates",
    version=3,
    title="figures with errors",
    run=run_estimates,
    inputs=("plausible_values", "weights", "replicates", "background"),
    optional_inputs=("truth",),
    outputs=("estimates", "analysis_groups"),
)
