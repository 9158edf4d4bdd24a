"""What the stages of a run left: tables and records by role, read once and kept while the process lives."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from lsakit.errors import LsakitError
from lsakit.lineage import Store


class ResultGoneError(Exception):
    """An artefact of a run is missing or was changed; the sentence is lsakit's."""


@lru_cache(maxsize=96)
def _load(store_path: Path, manifest_id: str, role: str) -> Any:
    """Read one output; the content of an artefact never changes, so it may be kept."""
    store = Store(store_path, create=False)
    outputs = store.manifest(manifest_id).outputs
    return store.load(outputs[role].hash) if role in outputs else None


def output(store_path: Path, manifests: Mapping[str, str], stage: str, role: str) -> Any:
    """Give one output of a run: a table, a record, or None where the run has no such stage or output.

    Raises
    ------
    ResultGoneError
        If the artefact is missing or was changed.
    """
    manifest_id = manifests.get(stage, "")
    if not manifest_id:
        return None
    try:
        return _load(Path(store_path), manifest_id, role)
    except LsakitError as error:
        raise ResultGoneError(error.sentence) from error


def table(store_path: Path, manifests: Mapping[str, str], stage: str, role: str) -> pl.DataFrame | None:
    """Give one output that is a table; None where there is none or it has no rows."""
    found = output(store_path, manifests, stage, role)
    return found if isinstance(found, pl.DataFrame) and found.height else None


def record(store_path: Path, manifests: Mapping[str, str], stage: str, role: str) -> dict[str, Any]:
    """Give one output that is a record; empty where there is none."""
    found = output(store_path, manifests, stage, role)
    return dict(found) if isinstance(found, Mapping) else {}


def item_table(store_path: Path, manifest_id: str) -> Any:
    """Give the item parameters of a calibration by its manifest.

    Returns
    -------
    polars.DataFrame
        The form of ``lsakit``'s calibrated items.

    Raises
    ------
    ResultGoneError
        If the artefact is missing or was changed.
    """
    return output(Path(store_path), {"calibration": manifest_id}, "calibration", "item_parameters")


def impact(store_path: Path, manifest_id: str) -> dict[str, Any]:
    """Give what standard setters are shown of the consequences: the distribution of a run's values.

    Returns
    -------
    dict of str to object
        ``distribution`` (table) and ``scale`` (record with slope and intercept) of the stage "values".

    Raises
    ------
    ResultGoneError
        If the artefact is missing or was changed.
    """
    path, manifests = Path(store_path), {"values": manifest_id}
    return {
        "distribution": output(path, manifests, "values", "distribution"),
        "scale": record(path, manifests, "values", "scale"),
    }


def outputs_of(store_path: Path, manifest_id: str) -> dict[str, tuple[str, str, int | None]]:
    """List what a manifest gave: kind, hash and rows by role."""
    try:
        found = Store(store_path, create=False).manifest(manifest_id).outputs
    except LsakitError as error:
        raise ResultGoneError(error.sentence) from error
    return {role: (one.kind, one.hash, one.n_rows) for role, one in sorted(found.items())}


def summary_of(store_path: Path, manifests: Mapping[str, str]) -> dict[str, Any]:
    """Sum a run up for lists: students, items, iterations, reliability, misfits, the scale."""
    out: dict[str, Any] = {}
    convergence = record(store_path, manifests, "calibration", "convergence")
    for name in ("n_students", "n_parameters", "n_iterations", "log_likelihood", "aic", "bic"):
        if name in convergence:
            out[name] = convergence[name]
    release = record(store_path, manifests, "calibration", "release")
    if release:
        # The last of many calibrations begins at the solution of the one before.
        out["n_rounds"] = release["n_rounds"]
        out.pop("n_iterations", None)
    out["n_doubtful"] = len(convergence.get("doubtful") or [])
    items = table(store_path, manifests, "calibration", "item_parameters")
    if items is not None:
        column = "column" if "column" in items.columns else "item"
        out["n_items"] = items.get_column(column).n_unique()
    reliability = record(store_path, manifests, "fit", "reliability")
    population = record(store_path, manifests, "population", "population")
    eap = reliability.get("eap")
    out["reliability"] = eap.get("value") if isinstance(eap, Mapping) else population.get("reliability")
    misfit = table(store_path, manifests, "fit", "group_fit")
    if misfit is not None and "exceeds" in misfit.columns:
        out["n_misfits"] = int(misfit.get_column("exceeds").sum() or 0)
    scale = record(store_path, manifests, "values", "scale")
    for name in ("slope", "intercept", "mean", "sd", "held"):
        if name in scale:
            out[f"scale_{name}"] = scale[name]
    link = record(store_path, manifests, "link", "link")
    for name in ("n_common", "n_kept"):
        if name in link:
            out[f"link_{name}"] = link[name]
    return out
