"""Stage "calibration": item and group parameters under the decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from lsakit.io.frames import require_columns, strings
from lsakit.irt.calibration import Calibration, CalibrationOptions, calibrate
from lsakit.lineage import Step, StepCall
from lsakit.pipeline.scaling.decisions import apply_decisions, calibrated_unique, item_names
from lsakit.pipeline.scaling.link import FIXED_BY, compare_with_old, no_trend, record_of_link
from lsakit.pipeline.scaling.people import join_students, weight_column
from lsakit.pipeline.scaling.released import release_by_rule, release_outputs


def run_scaling_calibration(call: StepCall) -> dict[str, Any]:
    """Calibrate the items that stay.

    Parameters
    ----------
    call : StepCall
        Inputs ``scored_responses``, where there are such ``students`` and, for fixed linking, ``old_items`` and ``items``;
        parameters ``model``, ``models``, ``group``, ``reference_group``, ``weight``, ``senate``, ``drop``,
        ``collapse``, ``free``, with old items ``drift``, with an automatic release ``release``.

    Returns
    -------
    dict of str to object
        ``item_parameters``, ``groups``, ``history``, ``convergence``; with old items ``trend_items`` (what became of
        each) and ``trend`` (the line they were judged by), else no row and None; with a release ``release_steps``,
        ``release_shares`` and ``release``, else no row and None.

    Notes
    -----
    Old items are held in two steps: a free calibration is put on the old scale by Stocking and Lord's line, which
    drops the items that drift; those that are left are then held at their old parameters.
    """
    parameters = call.parameters
    scored = apply_decisions(call.inputs["scored_responses"], parameters)
    names = item_names(scored)
    table = join_students(scored, call.inputs.get("students"), parameters)
    old = call.inputs.get("old_items")
    trend, record, fixed = no_trend(), None, None
    if old is not None:
        first = _calibrate(table, names, call, standard_errors="none")
        found, trend = compare_with_old(call.inputs, first.items, FIXED_BY, parameters)
        record = record_of_link(found)
        kept = trend.filter(pl.col("status") == "linked").get_column("item")
        fixed = old.filter(pl.col("item").is_in(kept.to_list()))
    found_release, share = None, None
    if parameters.get("release"):
        share = float(parameters["release"]["alarm_share"])
        found_release = release_by_rule(
            table,
            names,
            models_of(names, parameters),
            weight_column(table),
            parameters=parameters,
            fixed=fixed,
            calibration=_options(call),
        )
        cal = found_release.calibration
    else:
        cal = _calibrate(table, names, call, fixed=fixed)
    released = release_outputs(found_release, share)
    return {**calibration_outputs(cal), "trend_items": trend, "trend": record, **released}


def _options(call: StepCall, **more: Any) -> CalibrationOptions:
    """Set how the items are calibrated."""
    return CalibrationOptions(
        reference_group=call.parameters["reference_group"],
        progress=call.progress,
        **{"standard_errors": "observed", **more},
    )


def _calibrate(
    table: pl.DataFrame,
    names: list[str],
    call: StepCall,
    *,
    fixed: pl.DataFrame | None = None,
    standard_errors: str = "observed",
) -> Calibration:
    """Calibrate with some items held, or none."""
    parameters = call.parameters
    return calibrate(
        table,
        model=models_of(names, parameters),
        group=parameters["group"],
        weights=weight_column(table),
        fixed=fixed,
        items=names,
        options=_options(call, unique=calibrated_unique(parameters), standard_errors=standard_errors),
    )


def models_of(names: list[str], parameters: Mapping[str, Any]) -> dict[str, str]:
    """Give every item its model.

    Parameters
    ----------
    names : list of str
        Items that stay.
    parameters : Mapping of str to object
        model and models; models of items that do not stay are left aside.

    Returns
    -------
    dict of str to str
        Model of each item.
    """
    own = parameters["models"]
    return {name: own.get(name, parameters["model"]) for name in names}


def calibration_outputs(cal: Calibration) -> dict[str, Any]:
    """Lay a calibration out as tables and a record.

    Parameters
    ----------
    cal : Calibration
        The calibration.

    Returns
    -------
    dict of str to object
        ``item_parameters``, ``groups``, ``history``, ``convergence``.
    """
    return {
        "item_parameters": cal.items,
        "groups": cal.groups,
        "history": cal.history,
        "convergence": {
            "log_likelihood": cal.loglik,
            "aic": cal.aic,
            "bic": cal.bic,
            "n_students": cal.n_students,
            "n_left_out": cal.n_left_out,
            "n_parameters": cal.n_parameters,
            "n_iterations": cal.n_iterations,
            "converged": cal.converged,
            "doubtful": list(cal.doubtful),
            "moving": list(cal.moving),
            "standard_errors": cal.standard_errors,
            "n_nodes": cal.quadrature[0],
            "node_range": cal.quadrature[1],
        },
    }


def calibration_again(items: pl.DataFrame, groups: pl.DataFrame, group: str | None) -> Calibration:
    """Put stored item and group parameters together as a calibration.

    Parameters
    ----------
    items : polars.DataFrame
        Item parameters as the stage wrote them.
    groups : polars.DataFrame
        Mean and standard deviation of θ by group.
    group : str or None
        Column of the groups.

    Returns
    -------
    Calibration
        The calibration without its record of convergence.
    """
    require_columns(groups, ["group", "mean", "sd"], param="groups")
    return replace(Calibration.from_items(items, group=group), items=items, groups=groups, group=group)


def base_items(items: pl.DataFrame) -> dict[str, str]:
    """Give the response column of each set of item parameters.

    Parameters
    ----------
    items : polars.DataFrame
        Item parameters.

    Returns
    -------
    dict of str to str
        Column by name; they differ where an item has own parameters in some groups.
    """
    names = strings(items, "item", param="items")
    columns = strings(items, "column", param="items") if "column" in items.columns else names
    return dict(zip(names, columns, strict=True))


CALIBRATION_OF_SUBJECT = Step(
    name="scaling_calibration",
    version=1,
    title="item parameters",
    run=run_scaling_calibration,
    inputs=("scored_responses",),
    optional_inputs=("students", "old_items", "items"),
    outputs=(
        "item_parameters", "groups", "history", "convergence", "trend_items", "trend", "release_steps",
        "release_shares", "release",
    ),
)  # fmt: skip
