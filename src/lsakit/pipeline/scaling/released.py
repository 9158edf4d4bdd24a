"""Items that the calibration itself gives parameters of their own, where the options ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from lsakit.irt.calibration import CalibrationOptions
from lsakit.irt.release import Release, ReleaseOptions, release_items
from lsakit.pipeline.scaling.decisions import calibrated_unique

STEPS = pl.Schema({
    "round": pl.Int64, "item": pl.String, "groups": pl.String, "direction": pl.String, "rmsd": pl.Float64,
    "md": pl.Float64, "joined": pl.String, "n_flagged": pl.Int64, "loglik": pl.Float64,
})  # fmt: skip
SHARES = pl.Schema({
    "group": pl.String, "n_items": pl.Int64, "n_common": pl.Int64, "n_shared": pl.Int64, "n_own": pl.Int64,
    "share_common": pl.Float64, "share_unique": pl.Float64,
})  # fmt: skip


def release_by_rule(
    table: pl.DataFrame,
    names: list[str],
    models: Mapping[str, str],
    weights: str | None,
    *,
    parameters: Mapping[str, Any],
    fixed: pl.DataFrame | None,
    calibration: CalibrationOptions,
) -> Release:
    """Release items until none is above the threshold, beginning with what the decisions freed.

    Parameters
    ----------
    table : polars.DataFrame
        Scores with groups and weights.
    names : list of str
        Items that stay.
    models : Mapping of str to str
        Model of each item.
    weights : str or None
        Column of the weights.
    parameters : Mapping of str to object
        group, free, and release: ``threshold`` and ``alarm_share``.
    fixed : polars.DataFrame or None
        Items held at old parameters.
    calibration : CalibrationOptions
        How each round calibrates, without own parameters.

    Returns
    -------
    Release
        The last calibration and how it came about.
    """
    asked = parameters["release"]
    options = ReleaseOptions(
        most_unique_share=float(asked["alarm_share"]),
        fixed=fixed,
        released=calibrated_unique(parameters),
        calibration=calibration,
    )
    return release_items(
        table,
        parameters["group"],
        model=models,
        weights=weights,
        threshold=float(asked["threshold"]),
        items=names,
        options=options,
    )


def release_outputs(found: Release | None, alarm_share: float | None) -> dict[str, Any]:
    """Lay a release out as tables and a record; no rows and None where none was asked for.

    Parameters
    ----------
    found : Release or None
        The release.
    alarm_share : float or None
        Share of items that are not common above which a group is named.

    Returns
    -------
    dict of str to object
        ``release_steps``, ``release_shares``, ``release``.
    """
    if found is None or alarm_share is None:
        return {
            "release_steps": pl.DataFrame(schema=STEPS),
            "release_shares": pl.DataFrame(schema=SHARES),
            "release": None,
        }
    alarmed = found.shares.filter(pl.col("share_unique") > alarm_share).get_column("group").to_list()
    return {
        "release_steps": _separated(found.steps).cast(STEPS),
        "release_shares": found.shares.cast(SHARES),
        "release": {
            "threshold": found.threshold,
            "alarm_share": alarm_share,
            "n_rounds": found.n_rounds,
            "n_steps": found.steps.height,
            "n_flagged": int(found.misfit.get_column("flagged").sum()),
            "stopped_because": found.stopped_because,
            "is_comparable": found.is_comparable,
            "alarmed": alarmed,
        },
    }


def _separated(steps: pl.DataFrame) -> pl.DataFrame:
    """Part the groups of a step by semicolons, as the other tables of the scaling do."""
    return steps.select(list(STEPS)).with_columns(pl.col("groups").str.replace_all(",", ";"))
