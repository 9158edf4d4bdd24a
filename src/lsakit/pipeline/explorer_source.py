"""From the frozen artefacts of a run to the file that the explorer asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from lsakit.errors import LineageError
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.lineage import Manifest, Store
from lsakit.lineage.hashing import hash_parameters
from lsakit.pipeline.stages.estimates import weighted_quarters
from lsakit.tables.explorer.files import STRATUM, AnalysisFile
from lsakit.tables.suppression import rules_named

BACKGROUND = ("province_code", "region6", "area", "disadvantaged", "gender", "ethnicity", "sector")
ROLES = {
    "plausible_values": "values",
    "weights": "weights",
    "replicates": "weights",
    "background": "administration",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorerSource:
    """The manifests of one grade's run that the explorer reads.

    Parameters
    ----------
    values, weights, administration, estimates : str
        Manifest ids.
    rules : str
        Name of the rule set of the cycle.
    """

    values: str
    weights: str
    administration: str
    estimates: str
    rules: str = "national"

    @property
    def name(self) -> str:
        """Name of these frozen artefacts: hexadecimal digits of a hash."""
        return hash_parameters(self).partition(":")[2]


def open_file(store: Store, source: ExplorerSource) -> AnalysisFile:
    """Read the analysis file of one grade; every artefact is checked against its hash.

    Parameters
    ----------
    store : Store
        The store of the cycle.
    source : ExplorerSource
        The run's manifests.

    Returns
    -------
    AnalysisFile
        One row per respondent, prepared.

    Raises
    ------
    LineageError
        If an artefact is absent or was changed.
    """
    manifests = {
        "values": store.manifest(source.values),
        "weights": store.manifest(source.weights),
        "administration": store.manifest(source.administration),
    }
    tables = {role: _table(store, manifests[stage], role) for role, stage in ROLES.items()}
    zones = _zones(store, manifests["weights"])
    parameters = store.manifest(source.estimates).parameters
    table = _joined(tables, zones)
    replicates = [name for name in table.columns if name.startswith("replicate_")]
    design = SurveyDesign(
        weight="weight",
        replicates="replicate_{r}",
        n_replicates=len(replicates),
        method="fay",
        fay_factor=float(parameters["fay_factor"]),
    )
    rules = rules_named(source.rules)
    if source.rules == "national":  # the run was made under these minima of the national rule
        rules = rules.with_minima(
            units=int(parameters.get("minimum_students", rules.minimum_units)),
            schools=int(parameters.get("minimum_schools", rules.minimum_schools)),
        )
    return AnalysisFile.of(
        table,
        design,
        population=str(parameters["population"]),
        rules=rules,
        cuts=tuple(float(cut) for cut in parameters["cuts"]),
        percentiles=tuple(float(p) for p in parameters["percentiles"]),
        minimum_level=2,
        run=source.name,
    )


def _table(store: Store, manifest: Manifest, role: str) -> pl.DataFrame:
    """Read one table of a manifest."""
    if role not in manifest.outputs:
        raise LineageError(f"The manifest {manifest.id[:12]} has no output {role!r}.", param=role)
    found: pl.DataFrame = store.table(manifest.outputs[role].hash)
    return found


def _zones(store: Store, manifest: Manifest) -> pl.DataFrame | None:
    """Read the units of which the replicates were made (pairs of schools), where the run kept them."""
    if "variance_units" not in manifest.outputs:
        return None
    return _table(store, manifest, "variance_units")


def _joined(tables: Mapping[str, pl.DataFrame], zones: pl.DataFrame | None) -> pl.DataFrame:
    """Join values, weights, replicates and background, one row per respondent; the names of students go."""
    background = tables["background"]
    known = [name for name in BACKGROUND if name in background.columns]
    people = tables["weights"].select(
        "student_id", "school_id", "stratum", pl.col("final_weight").alias("weight")
    )
    more: list[Any] = [tables["plausible_values"], tables["replicates"]]
    for part in (background.select("student_id", *known, "ses"), *more):
        people = people.join(part, on="student_id", how="left", maintain_order="left")
    quarters = weighted_quarters(people.get_column("ses"), people.get_column("weight"))
    people = people.with_columns(
        *(pl.col(name).cast(pl.String).cast(pl.Categorical) for name in ("stratum", *known)), quarters
    )
    if zones is not None and {"school_id", "stratum", "zone"} <= set(zones.columns):
        pair = pl.concat_str(pl.col("stratum"), pl.col("zone"), separator=":").alias(STRATUM)
        units = zones.select("school_id", pair).unique("school_id", maintain_order=True)
        people = people.join(units, on="school_id", how="left", maintain_order="left")
    return people.drop("student_id")
