"""Stage "linking": how far the trend items moved between two cycles, and the linking error that follows."""

from __future__ import annotations

from typing import Any

import polars as pl

from lsakit.errors import CalibrationError
from lsakit.irt.calibration import CalibrationOptions, calibrate
from lsakit.irt.linking_error import item_linking_error
from lsakit.lineage import Step, StepCall


def freed_difficulties(
    item_parameters: pl.DataFrame,
    scored: pl.DataFrame,
    weights: pl.DataFrame,
    trend: list[str],
    *,
    model: str,
) -> pl.DataFrame:
    """Estimate the trend items of one subject anew in one cycle, on the scale that its other items hold.

    Parameters
    ----------
    item_parameters : polars.DataFrame
        Items of the cycle and subject, as calibrated with the trend items held.
    scored : polars.DataFrame
        Scored responses of the cycle.
    weights : polars.DataFrame
        Columns student_id, final_weight.
    trend : list of str
        Trend items.
    model : str
        Item response model.

    Returns
    -------
    polars.DataFrame
        item and difficulty (logits) of the trend items.

    Raises
    ------
    CalibrationError
        If every item is a trend item: nothing would hold the scale.
    """
    others = item_parameters.filter(~pl.col("item").is_in(trend))
    if not others.height:
        raise CalibrationError(
            "Every item is a trend item, so nothing holds the scale while they are estimated anew.",
            hint="A link needs items of the cycle's own beside the trend items.",
            param="trend_items",
        )
    names = [name for name in item_parameters.get_column("item").to_list() if name in scored.columns]
    table = scored.join(weights.select("student_id", "final_weight"), on="student_id", how="inner")
    found = calibrate(
        table,
        model=model,
        weights="final_weight",
        fixed=others,
        items=names,
        options=CalibrationOptions(standard_errors="none", start=item_parameters),
    )
    return found.items.filter(pl.col("item").is_in(trend)).select("item", "difficulty")


def run_linking(call: StepCall) -> dict[str, Any]:
    """Compare the trend items of two cycles, and give the linking error of each subject.

    Parameters
    ----------
    call : StepCall
        Inputs ``trend_items`` and, of each cycle, ``item_parameters``, ``scored_responses``, ``weights`` (those of the
        previous one with ``earlier_``); parameters ``model``, ``scale_slope``.

    Returns
    -------
    dict of str to table
        ``links`` (subject, item, difficulty and earlier_difficulty in logits, shift) and ``linking_errors`` (subject,
        n_items, mean_shift and linking_error_logits in logits, linking_error in points of the scale).

    References
    ----------
    docs/algorithms/linking.md; docs/algorithms/standard_set.md, section "Change between cycles".
    """
    inputs, model = call.inputs, str(call.parameters["model"])
    trend_items = inputs["trend_items"]
    slope = float(call.parameters["scale_slope"])
    links, errors = [], []
    subjects = trend_items.get_column("subject").unique(maintain_order=True).to_list()
    for place, subject in enumerate(subjects):
        call.progress(f"link of {subject}", place / len(subjects))
        names = trend_items.filter(pl.col("subject") == subject).get_column("item").to_list()
        new, old = (
            freed_difficulties(
                inputs[f"{cycle}item_parameters"].filter(pl.col("subject") == subject),
                inputs[f"{cycle}scored_responses"],
                inputs[f"{cycle}weights"],
                names,
                model=model,
            )
            for cycle in ("", "earlier_")
        )
        both = new.join(old.rename({"difficulty": "earlier_difficulty"}), on="item", how="inner")
        shift = both.get_column("difficulty") - both.get_column("earlier_difficulty")
        links.append(both.with_columns(subject=pl.lit(subject), shift=shift))
        error = item_linking_error(shift.to_numpy())
        errors.append((subject, both.height, float(shift.mean()), error, slope * error))  # type: ignore[arg-type]
    columns = ("subject", "n_items", "mean_shift", "linking_error_logits", "linking_error")
    return {
        "links": pl.concat(links).select("subject", "item", "difficulty", "earlier_difficulty", "shift"),
        "linking_errors": pl.DataFrame(errors, schema=columns, orient="row"),
    }


LINKING = Step(
    name="linking",
    version=1,
    title="movement of the trend items between two cycles",
    run=run_linking,
    inputs=(
        "trend_items",
        "item_parameters",
        "scored_responses",
        "weights",
        "earlier_item_parameters",
        "earlier_scored_responses",
        "earlier_weights",
    ),
    outputs=("links", "linking_errors"),
)
