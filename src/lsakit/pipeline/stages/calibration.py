"""Stage "calibration": item parameters, with the trend items held so that the scale stays the old one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from lsakit.errors import CalibrationError
from lsakit.irt.calibration import Calibration, CalibrationOptions, calibrate
from lsakit.lineage import Step, StepCall


def calibrate_subjects(
    scored: pl.DataFrame,
    items: pl.DataFrame,
    trend_items: pl.DataFrame | None,
    *,
    model: str,
    weights: pl.DataFrame | None = None,
    options: CalibrationOptions | None = None,
) -> dict[str, Calibration]:
    """Calibrate each subject by itself.

    Parameters
    ----------
    scored : polars.DataFrame
        Scored responses with ``student_id``.
    items : polars.DataFrame
        Columns item, subject.
    trend_items : polars.DataFrame or None
        Published parameters to hold; None to set mean 0 and standard deviation 1.
    model : str
        Item response model.
    weights : polars.DataFrame, optional
        Columns student_id, final_weight; students without a weight are left out.
    options : CalibrationOptions, optional
        Quadrature, tolerance, standard errors, progress.

    Returns
    -------
    dict of str to Calibration
        By subject, in the order of the items table.

    Raises
    ------
    CalibrationError
        If a subject has no trend item, or cannot be calibrated.
    """
    table = scored
    if weights is not None:
        table = scored.join(weights.select("student_id", "final_weight"), on="student_id", how="inner")
    found = {}
    for subject in items.get_column("subject").unique(maintain_order=True).to_list():
        names = items.filter(pl.col("subject") == subject).get_column("item").to_list()
        fixed = _trend_of(trend_items, names, subject)
        found[subject] = calibrate(
            table,
            model=model,
            weights="final_weight" if weights is not None else None,
            fixed=fixed,
            items=[name for name in names if name in table.columns],
            options=options,
        )
    return found


def _trend_of(trend_items: pl.DataFrame | None, names: Sequence[str], subject: str) -> pl.DataFrame | None:
    """Take the trend items of one subject, refusing a subject without any."""
    if trend_items is None:
        return None
    fixed = trend_items.filter(pl.col("item").is_in(list(names)))
    if not fixed.height:
        raise CalibrationError(
            f"The subject {subject!r} has no trend item.",
            why="Without items whose parameters are known the new scale would not be the old one.",
            hint="Name trend items of this subject, or none at all.",
            param="trend_items",
        )
    return fixed


def run_calibration(call: StepCall) -> dict[str, Any]:
    """Calibrate the items of one grade under the final weights.

    Parameters
    ----------
    call : StepCall
        Inputs ``scored_responses``, ``items``, and where there are such ``trend_items``, ``weights``;
        parameter ``model``.

    Returns
    -------
    dict of str to object
        ``item_parameters``, ``groups`` (mean and standard deviation of θ by subject), ``convergence``.
    """
    found = calibrate_subjects(
        call.inputs["scored_responses"],
        call.inputs["items"],
        call.inputs.get("trend_items"),
        model=str(call.parameters["model"]),
        weights=call.inputs.get("weights"),
        options=CalibrationOptions(progress=call.progress),
    )
    parts = [cal.items.with_columns(subject=pl.lit(subject)) for subject, cal in found.items()]
    groups = [cal.groups.with_columns(subject=pl.lit(subject)) for subject, cal in found.items()]
    record = {
        subject: {
            "log_likelihood": cal.loglik,
            "converged": cal.converged,
            "n_iterations": cal.n_iterations,
            "n_students": cal.n_students,
            "n_left_out": cal.n_left_out,
            "n_parameters": cal.n_parameters,
            "standard_errors": cal.standard_errors,
            "doubtful": list(cal.doubtful),
        }
        for subject, cal in found.items()
    }
    return {
        "item_parameters": pl.concat(parts, how="diagonal"),
        "groups": pl.concat(groups, how="diagonal"),
        "convergence": record,
    }


CALIBRATION = Step(
    name="calibration",
    version=2,
    title="item parameters",
    run=run_calibration,
    inputs=("scored_responses", "items"),
    optional_inputs=("trend_items", "weights"),
    outputs=("item_parameters", "groups", "convergence"),
)
