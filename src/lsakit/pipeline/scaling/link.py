"""Stage "link": the scale of an earlier cycle, its trend items, and what linking costs in precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from lsakit.errors import CalibrationError
from lsakit.io.frames import require_columns, strings
from lsakit.irt.linking import Link, LinkOptions, link
from lsakit.lineage import Step, StepCall

FIXED_BY = "stocking_lord"
TREND = {
    "item": pl.String, "status": pl.String, "old_slope": pl.Float64, "old_difficulty": pl.Float64,
    "new_slope": pl.Float64, "new_difficulty": pl.Float64, "transformed_slope": pl.Float64,
    "transformed_difficulty": pl.Float64, "difference": pl.Float64, "robust_z": pl.Float64, "kept": pl.Boolean,
    "reason": pl.String,
}  # fmt: skip


def no_trend() -> pl.DataFrame:
    """Give the table of trend items of a calibration that holds none.

    Returns
    -------
    polars.DataFrame
        No row, all columns.
    """
    return pl.DataFrame(schema=TREND)


def compare_with_old(
    inputs: Mapping[str, Any], new_items: pl.DataFrame, method: str, parameters: Mapping[str, Any]
) -> tuple[Link, pl.DataFrame]:
    """Find the line between two calibrations and what became of each common item.

    Parameters
    ----------
    inputs : Mapping of str to object
        ``old_items``, and ``items`` where their column cluster gives the units of the linking error.
    new_items : polars.DataFrame
        Item parameters of this cycle, on its own scale.
    method : str
        Method of the line.
    parameters : Mapping of str to object
        ``drift``, ``collapse``.

    Returns
    -------
    found : Link
        The line.
    trend : polars.DataFrame
        Per item of either table: old and new parameters, the new ones on the old scale, difference (new less old),
        robust_z, kept, reason.

    Raises
    ------
    CalibrationError
        If fewer than three items are common or remain.
    """
    old_items = inputs["old_items"]
    require_columns(old_items, ["item", "slope", "difficulty"], param="old_items")
    changed = list(parameters["collapse"])
    usable = old_items.filter(~pl.col("item").is_in(changed))
    drift = float(parameters["drift"])
    units = _units(inputs.get("items"))
    common = set(strings(usable, "item", param="old_items")) & set(
        strings(new_items, "item", param="new_items")
    )
    options = LinkOptions(
        drop="drift" if drift > 0.0 else "none",
        most_shift=drift if drift > 0.0 else LinkOptions().most_shift,
        units=units if units and common <= set(units) else None,
    )
    found = link(usable, new_items, method=method, options=options)
    return found, _trend_table(found, old_items, new_items, changed)


def _units(items: pl.DataFrame | None) -> dict[str, str]:
    """Read the cluster of each item that has one."""
    if items is None or "cluster" not in items.columns:
        return {}
    known = items.filter(pl.col("cluster").is_not_null())
    return dict(
        zip(strings(known, "item", param="items"), strings(known, "cluster", param="items"), strict=True)
    )


def _trend_table(
    found: Link, old_items: pl.DataFrame, new_items: pl.DataFrame, changed: list[str]
) -> pl.DataFrame:
    """Lay the items of a link out with their parameters on all three scales."""
    judged = found.items.rename(
        {"slope_new": "transformed_slope", "difficulty_new": "transformed_difficulty", "shift": "difference"}
    ).drop("slope_old", "difficulty_old")
    old = old_items.select("item", old_slope="slope", old_difficulty="difficulty")
    new = new_items.select("item", new_slope="slope", new_difficulty="difficulty")
    table = (
        judged.join(old, on="item", how="left", maintain_order="left")
        .join(new, on="item", how="left", maintain_order="left")
        .with_columns(
            status=pl.when(pl.col("item").is_in(changed)).then(pl.lit("changed")).otherwise(pl.col("status")),
            reason=pl.when(pl.col("item").is_in(changed))
            .then(pl.lit("its categories were collapsed in this cycle"))
            .otherwise(pl.col("reason")),
            kept=pl.when(pl.col("status").is_in(["linked", "dropped"])).then(pl.col("status") == "linked"),
        )
    )
    return table.select(pl.col(name).cast(kind) for name, kind in TREND.items())


def record_of_link(found: Link) -> dict[str, Any]:
    """Lay a link out as a record.

    Parameters
    ----------
    found : Link
        The line.

    Returns
    -------
    dict of str to object
        slope, intercept (old = slope · new + intercept), linking_error_item, linking_error_unit (logits of the old
        scale), is_comparable, doubtful.
    """
    return {
        "slope": found.slope,
        "intercept": found.intercept,
        "linking_error_item": found.linking_error,
        "linking_error_unit": found.unit_linking_error,
        "is_comparable": found.is_comparable,
        "doubtful": list(found.doubtful),
    }


def run_link(call: StepCall) -> dict[str, Any]:
    """Put the calibration on the scale of the earlier cycle.

    Parameters
    ----------
    call : StepCall
        Inputs ``item_parameters``, ``groups``; ``trend_items`` and ``trend`` where the old items were held in the
        calibration, else ``old_items`` and, for their clusters, ``items``; ``old_scale`` where there is one; parameters
        ``link``, ``drift``, ``collapse``.

    Returns
    -------
    dict of str to object
        ``link_items``, ``link``, ``linked_parameters``, ``linked_groups``.

    Raises
    ------
    CalibrationError
        If fewer than three items are common or remain.
    """
    inputs, parameters = call.inputs, call.parameters
    items, groups = inputs["item_parameters"], inputs["groups"]
    if parameters["link"] == "fixed":
        trend, record = inputs["trend_items"], dict(inputs["trend"])
        linked = items
    else:
        found, trend = compare_with_old(inputs, items, parameters["link"], parameters)
        record = record_of_link(found)
        linked = found.transform(items)
        groups = groups.with_columns(
            pl.col("mean") * found.slope + found.intercept,
            *(pl.col(name) * found.slope for name in ("sd", "se_mean", "se_sd")),
        )
    scale = inputs.get("old_scale")
    points = None if scale is None else scale_line(scale)[0]
    for head in ("linking_error_item", "linking_error_unit"):
        value = record[head]
        record[f"{head}_points"] = None if points is None or value is None else points * value
    status = trend.get_column("status").to_list()
    record |= {
        "method": parameters["link"],
        "n_common": status.count("linked") + status.count("dropped"),
        "n_kept": status.count("linked"),
    }
    return {"link_items": trend, "link": record, "linked_parameters": linked, "linked_groups": groups}


def scale_line(scale: Mapping[str, Any]) -> tuple[float, float]:
    """Read the line of a held reporting scale.

    Parameters
    ----------
    scale : Mapping of str to object
        slope (points per logit) and intercept (points at θ 0).

    Returns
    -------
    slope : float
        Points per logit.
    intercept : float
        Points at θ 0.

    Raises
    ------
    CalibrationError
        If one of the two is absent or no number, or the slope is not positive.
    """
    try:
        slope, intercept = float(scale["slope"]), float(scale["intercept"])
    except (KeyError, TypeError, ValueError):
        slope = intercept = float("nan")
    if not (slope > 0.0 and intercept == intercept):
        raise CalibrationError(
            f"The old scale must give a positive 'slope' and an 'intercept'. Got {dict(scale)!r}.",
            hint="Take both from the record 'scale' of the earlier cycle.",
            param="old_scale",
        )
    return slope, intercept


LINK = Step(
    name="scaling_link",
    version=1,
    title="link to the earlier cycle",
    run=run_link,
    inputs=("item_parameters", "groups"),
    optional_inputs=("trend_items", "trend", "old_items", "items", "old_scale"),
    outputs=("link_items", "link", "linked_parameters", "linked_groups"),
)
