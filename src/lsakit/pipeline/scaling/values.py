"""Stage "values": plausible values on the reporting scale, and the distribution that panels look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import CalibrationError
from lsakit.lineage import Step, StepCall
from lsakit.pipeline.scaling.link import scale_line
from lsakit.pipeline.scaling.people import WEIGHT, columns_of_students, known_students, study_weights
from lsakit.population.reporting_scale import set_scale

PERCENTILES = (5, 10, 25, 50, 75, 90, 95)
SLACK = 1e-12
DISTRIBUTION = {
    "group": pl.String, "kind": pl.String, "at": pl.Float64, "value": pl.Float64, "n": pl.Int64,
}  # fmt: skip
Floats = NDArray[np.float64]


def run_values(call: StepCall) -> dict[str, Any]:
    """Put the plausible values on the reporting scale, held or set here.

    Parameters
    ----------
    call : StepCall
        Inputs ``draws`` and, where there are such, ``students``, ``old_scale``; parameters ``group``,
        ``reference_group``, ``weight``, ``senate``, ``scale_mean``, ``scale_sd``, ``cuts``.

    Returns
    -------
    dict of str to object
        ``plausible_values`` (logits), ``scaled_values`` (points), ``scale``, ``distribution``.
    """
    parameters, inputs = call.parameters, call.inputs
    draws = inputs["draws"]
    labels, weight = _people(draws, inputs.get("students"), parameters)
    old = inputs.get("old_scale")
    reference = parameters["reference_group"]
    if old is not None:
        slope, intercept = scale_line(old)
        scaled = set_scale(draws, slope=slope, intercept=intercept)
        target = {name: old.get(name) for name in ("mean", "sd")}
    else:
        own = weight if reference is None else np.where(labels == reference, weight, 0.0)
        target = {"mean": float(parameters["scale_mean"]), "sd": float(parameters["scale_sd"])}
        scaled = set_scale(draws, mean=target["mean"], sd=target["sd"], weights=own)
    columns = [name for name in draws.columns if name != "student_id"]
    values = scaled.table.select(columns).to_numpy()
    call.progress("distribution", 0.5)
    return {
        "plausible_values": draws,
        "scaled_values": scaled.table,
        "scale": {
            "slope": scaled.slope,
            "intercept": scaled.intercept,
            **target,
            "held": old is not None,
            "reference_group": None if old is not None else reference,
            "n_values": len(columns),
        },
        "distribution": distribution(values, weight, labels, tuple(parameters["cuts"])),
    }


def _people(
    draws: pl.DataFrame, students: pl.DataFrame | None, parameters: Mapping[str, Any]
) -> tuple[NDArray[np.object_], Floats]:
    """Give group and weight of every student with values."""
    needed = columns_of_students(parameters)
    labels = np.full(draws.height, None, dtype=object)
    if not needed:
        return labels, np.ones(draws.height)
    known = study_weights(known_students(students, needed), parameters)
    table = draws.select("student_id").join(known, on="student_id", how="left", maintain_order="left")
    if parameters["group"]:
        labels = np.array(table.get_column(parameters["group"]).cast(pl.String).to_list(), dtype=object)
    weight = np.ones(draws.height)
    if WEIGHT in table.columns:
        weight = table.get_column(WEIGHT).cast(pl.Float64).to_numpy()
    return labels, weight


def distribution(
    values: Floats, weight: Floats, labels: NDArray[np.object_], cuts: tuple[float, ...]
) -> pl.DataFrame:
    """Describe the distribution of plausible values, in all and by group.

    Parameters
    ----------
    values : ndarray of shape (n_students, n_values)
        Plausible values, points.
    weight : ndarray of shape (n_students,)
        Weights, dimensionless.
    labels : ndarray of shape (n_students,)
        Group of each student; None without groups.
    cuts : tuple of float
        Lower bounds of levels 1, 2, …, points.

    Returns
    -------
    polars.DataFrame
        Columns group (null for all students), kind, at, value, n. Kinds: "mean", "sd" (at null); "percentile" (at:
        5 to 95; value: points); "level" (at: number of the level, 0 below the first; value: share); for all students
        also "cut" (at: number of the level; value: its lower bound) and "at_or_above" (at: every whole point of the scale; value: share at or above it). Each is the mean over
        the plausible values; it has no standard error, which needs replicate weights.

    Raises
    ------
    CalibrationError
        If no student has a positive weight.
    """
    if not weight.sum() > 0.0:
        raise CalibrationError(
            "No student with plausible values has a positive weight.",
            hint="Check the column of the weights.",
            param="weight",
        )
    bounds: list[tuple[str, float | None, float]] = [
        ("cut", float(number + 1), cut) for number, cut in enumerate(cuts)
    ]
    parts = [
        _described(values, weight, None, cuts),
        _rows(None, len(values), bounds),
        _at_or_above(values, weight),
    ]
    for label in sorted({str(one) for one in labels.tolist() if one is not None}):
        rows = labels == label
        if weight[rows].sum() > 0.0:
            parts.append(_described(values[rows], weight[rows], label, cuts))
    return pl.concat(parts)


def _rows(group: str | None, n: int, rows: Sequence[tuple[str, float | None, float]]) -> pl.DataFrame:
    """Make rows of the distribution."""
    return pl.DataFrame(
        [(group, kind, at, value, n) for kind, at, value in rows], schema=DISTRIBUTION, orient="row"
    )


def _described(values: Floats, weight: Floats, group: str | None, cuts: tuple[float, ...]) -> pl.DataFrame:
    """Moments, percentiles and shares at each level of one group."""
    share = weight / weight.sum()
    mean = share @ values
    sd = np.sqrt(share @ (values - mean) ** 2)
    rows: list[tuple[str, float | None, float]] = [
        ("mean", None, float(mean.mean())),
        ("sd", None, float(sd.mean())),
    ]
    points = weighted_percentiles(values, weight, PERCENTILES)
    rows += [("percentile", float(p), float(own)) for p, own in zip(PERCENTILES, points, strict=True)]
    if cuts:
        level = np.searchsorted(np.array(cuts), values, side="right")
        rows += [
            ("level", float(number), float((share @ (level == number)).mean()))
            for number in range(len(cuts) + 1)
        ]
    return _rows(group, len(values), rows)


def _at_or_above(values: Floats, weight: Floats) -> pl.DataFrame:
    """Share of all students at or above every whole point between the lowest and the highest value."""
    grid = np.arange(np.floor(values.min()), np.ceil(values.max()) + 1.0)
    share = weight / weight.sum()
    total = np.zeros(len(grid))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        below = np.concatenate([[0.0], np.cumsum(share[order])])
        total += 1.0 - below[np.searchsorted(column[order], grid, side="left")]
    mean = np.clip(total / values.shape[1], 0.0, 1.0)
    rows = [("at_or_above", float(at), float(own)) for at, own in zip(grid, mean, strict=True)]
    return _rows(None, len(values), rows)


def weighted_percentiles(values: Floats, weight: ArrayLike, percentiles: tuple[float, ...]) -> Floats:
    """Compute weighted percentiles of each plausible value and average them.

    Parameters
    ----------
    values : ndarray of shape (n_students, n_values)
        Plausible values, points.
    weight : array of shape (n_students,)
        Weights, dimensionless.
    percentiles : tuple of float
        Percentiles between 0 and 100.

    Returns
    -------
    ndarray of shape (n_percentiles,)
        First value whose cumulative weight is at least the share of the total (rule "step"), points.

    References
    ----------
    .. [1] docs/algorithms/percentiles.md
    """
    own = np.asarray(weight, dtype=float)
    wanted = np.asarray(percentiles, dtype=float) / 100.0
    found = np.empty((values.shape[1], len(wanted)))
    for place, column in enumerate(values.T):
        order = np.argsort(column, kind="stable")
        reached = np.cumsum(own[order]) / own.sum()
        at = np.searchsorted(reached, wanted - SLACK, side="left")
        found[place] = column[order][np.minimum(at, len(order) - 1)]
    return np.asarray(found.mean(axis=0))


VALUES_OF_SUBJECT = Step(
    name="scaling_values",
    version=1,
    title="values on the reporting scale",
    run=run_values,
    inputs=("draws",),
    optional_inputs=("students", "old_scale"),
    outputs=("plausible_values", "scaled_values", "scale", "distribution"),
)
