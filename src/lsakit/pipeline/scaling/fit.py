"""Stage "fit": how the calibrated items fit, and what the test measures well."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from lsakit.errors import EstimationError
from lsakit.irt.ability import score
from lsakit.irt.calibration import Calibration
from lsakit.irt.item_curves import information_curve, item_curves
from lsakit.irt.item_fit import FitOptions, item_fit
from lsakit.irt.item_subsets import items_named
from lsakit.irt.reliability import reliability
from lsakit.lineage import Step, StepCall
from lsakit.pipeline.scaling.calibration import calibration_again
from lsakit.pipeline.scaling.decisions import apply_decisions
from lsakit.pipeline.scaling.people import join_students, weight_column
from lsakit.population.item_maps import score_locations

HALF = 0.5
WRIGHT = {
    "kind": pl.String, "group": pl.String, "bin": pl.Float64, "share": pl.Float64, "item": pl.String, "step": pl.Int64,
    "location": pl.Float64,
}  # fmt: skip


def run_fit(call: StepCall) -> dict[str, Any]:
    """Judge the fit of the calibrated items.

    Parameters
    ----------
    call : StepCall
        Inputs ``item_parameters``, ``groups``, ``scored_responses`` and, where there are such, ``students``; parameters
        ``group``, ``weight``, ``senate``, ``drop``, ``collapse``, ``rmsd_threshold``.

    Returns
    -------
    dict of str to object
        ``item_fit``, ``group_fit``, ``curves``, ``information``, ``local_dependence``, ``wright``, ``reliability``,
        ``proposals``, ``alarms``.
    """
    parameters, inputs = call.parameters, call.inputs
    cal = calibration_again(inputs["item_parameters"], inputs["groups"], parameters["group"])
    table = join_students(
        apply_decisions(inputs["scored_responses"], parameters), inputs.get("students"), parameters
    )
    weights = weight_column(table)
    options = FitOptions(rmsd_threshold=float(parameters["rmsd_threshold"]))
    call.progress("fit of items", 0.05)
    found = item_fit(cal, table, weights=weights, options=options)
    call.progress("curves of items", 0.6)
    curves = item_curves(cal, table, weights=weights)
    call.progress("reliability", 0.8)
    has_groups = parameters["group"] is not None
    return {
        "item_fit": found.items.with_columns(pl.col("flags").str.replace_all(",", ";")),
        "group_fit": found.groups.rename({"flagged": "exceeds"}),
        "curves": curves.curves,
        "information": information_curve(cal, n_students=curves.n_students),
        "local_dependence": found.q3,
        "wright": wright_table(cal, curves.abilities),
        "reliability": _reliabilities(cal, table, weights),
        "proposals": _proposals(found.release if has_groups else found.release.clear()),
        "alarms": list(found.alarms) if has_groups else [],
    }


def _proposals(release: pl.DataFrame) -> pl.DataFrame:
    """Name what the release rule would free next; the groups of a row would share one set of parameters."""
    return release.rename({"groups": "group"}).with_columns(pl.col("group").str.replace_all(",", ";"))


def wright_table(cal: Calibration, abilities: pl.DataFrame) -> pl.DataFrame:
    """Put the distribution of ability and the steps of the items on one scale.

    Parameters
    ----------
    cal : Calibration
        The calibrated items.
    abilities : polars.DataFrame
        Columns group, theta, n, share, as `item_curves` gives them.

    Returns
    -------
    polars.DataFrame
        Columns kind ("students" or "item"), group, bin (logits), share, item, step, location (logits at which the step
        is passed with probability .50; null where it never is). Group null: all students.
    """
    theta = abilities.get_column("theta").to_numpy()
    nodes, place = np.unique(theta, return_inverse=True)
    mass = np.bincount(place, weights=abilities.get_column("n").to_numpy())
    everyone = pl.DataFrame(
        {"group": pl.Series([None] * len(nodes), dtype=pl.String), "bin": nodes}
    ).with_columns(share=pl.Series(mass / mass.sum()))
    own = abilities.select("group", "share", bin="theta")
    parts = [everyone, own] if abilities.get_column("group").n_unique() > 1 else [everyone]
    students = pl.concat([part.select("group", "bin", "share") for part in parts])
    return pl.concat(
        [
            students.with_columns(kind=pl.lit("students")),
            item_locations(cal).with_columns(kind=pl.lit("item")),
        ],
        how="diagonal",
    ).select(pl.col(name).cast(kind) for name, kind in WRIGHT.items())


def item_locations(cal: Calibration, probability: float = HALF) -> pl.DataFrame:
    """Find the ability at which each step of each item is passed with a stated probability.

    Parameters
    ----------
    cal : Calibration
        The calibrated items.
    probability : float, default 0.5
        The response probability.

    Returns
    -------
    polars.DataFrame
        Columns item, step, location (logits; null where the step never has this probability).
    """
    rows: list[tuple[str, int, float | None]] = []
    for name, steps in zip(cal.parameters.names, cal.parameters.n_steps.tolist(), strict=True):
        try:
            location, points = score_locations(items_named(cal.parameters, [name]), probability)
        except EstimationError:
            rows += [(name, step + 1, None) for step in range(int(steps))]
        else:
            rows += [(item, step, float(at)) for (item, step), at in zip(points, location, strict=True)]
    return pl.DataFrame(
        rows, schema={"item": pl.String, "step": pl.Int64, "location": pl.Float64}, orient="row"
    )


def _reliabilities(cal: Calibration, table: pl.DataFrame, weights: str | None) -> dict[str, Any]:
    """Reliability of WLE and EAP, in all and by group; null with its reason where it is not defined."""
    found: dict[str, Any] = {}
    for method in ("wle", "eap"):
        estimates = score(cal, table, method=method)
        extra = [name for name in (weights, cal.group) if name]
        joined = estimates.with_columns(table.get_column(name) for name in extra)
        answered = joined.filter(pl.col("n_items") > 0)
        found[method] = _reliability(answered, method, weights)
        if cal.group is not None:
            found[f"{method}_by_group"] = {
                str(group[0]): _reliability(part, method, weights)
                for group, part in sorted(answered.group_by(cal.group), key=lambda one: str(one[0][0]))
            }
    return found


def _reliability(estimates: pl.DataFrame, method: str, weights: str | None) -> dict[str, Any]:
    """One reliability as a record."""
    try:
        one = reliability(estimates, method=method, weights=weights)
    except EstimationError as refusal:
        return {"value": None, "undefined_because": refusal.what, "n_students": estimates.height}
    return {
        "value": one.value,
        "variance": one.variance,
        "error_variance": one.error_variance,
        "n_students": one.n_students,
        "n_left_out": one.n_left_out,
        "doubtful": one.doubtful,
    }


FIT = Step(
    name="scaling_fit",
    version=1,
    title="fit of items",
    run=run_fit,
    inputs=("item_parameters", "groups", "scored_responses"),
    optional_inputs=("students",),
    outputs=(
        "item_fit", "group_fit", "curves", "information", "local_dependence", "wright", "reliability", "proposals",
        "alarms",
    ),
)  # fmt: skip
