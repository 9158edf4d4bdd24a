"""Stage "dif": items that work differently in groups of equal ability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from lsakit.errors import CalibrationError
from lsakit.io.frames import strings
from lsakit.irt.ability import score
from lsakit.irt.calibration import CalibrationOptions, calibrate
from lsakit.irt.dif import Dif, DifOptions, dif
from lsakit.irt.response_data import ID_COLUMNS
from lsakit.lineage import Step, StepCall
from lsakit.pipeline.scaling.calibration import models_of
from lsakit.pipeline.scaling.decisions import apply_decisions, item_names
from lsakit.pipeline.scaling.people import known_students

NORMAL_975 = 1.959963984540054
ENOUGH_IN_BOOKLETS, MANY = 0.5, 100
N_STRATA = 20
STRATUM = "ability_stratum"
FEWEST = 2
COLUMNS = {
    "variable": pl.String, "focal": pl.String, "reference": pl.String, "item": pl.String, "n": pl.Int64,
    "n_focal": pl.Int64, "n_reference": pl.Int64, "n_matched": pl.Int64, "matching": pl.String,
    "measure": pl.String, "statistic": pl.Float64, "se": pl.Float64, "ci_low": pl.Float64, "ci_high": pl.Float64,
    "chi_square": pl.Float64, "p": pl.Float64, "category": pl.String, "direction": pl.String,
    "undefined_because": pl.String,
}  # fmt: skip


def run_dif(call: StepCall) -> dict[str, Any]:
    """Test the items for differential functioning by each named column.

    Parameters
    ----------
    call : StepCall
        Inputs ``scored_responses``, ``students``; parameters ``dif_by``, ``model``, ``models``, ``drop``,
        ``collapse``.

    Returns
    -------
    dict of str to table
        ``dif``: one row per variable, focal group and item.
    """
    parameters = call.parameters
    scored = apply_decisions(call.inputs["scored_responses"], parameters)
    names = item_names(scored)
    variables = list(parameters["dif_by"])
    known = known_students(call.inputs["students"], variables)
    strata = None
    if _share_in_booklets(scored, names) < ENOUGH_IN_BOOKLETS:
        strata = _ability_strata(scored, parameters)
    parts: list[pl.DataFrame] = []
    for number, variable in enumerate(variables):
        call.progress(f"by {variable}", number / len(variables))
        table = _with_groups(scored, known, variable)
        if strata is not None:
            table = table.join(strata, on="student_id", how="inner", maintain_order="left")
        options = DifOptions(matching=STRATUM if strata is not None else None)
        found = dif(table, group=variable, items=names, options=options)
        parts.append(_tidy(found, variable, "score" if strata is None else "ability"))
    return {"dif": pl.concat(parts)}


def _share_in_booklets(scored: pl.DataFrame, names: Sequence[str]) -> float:
    """Share of the students whose booklet (or set of items) many others have."""
    given = (
        scored.select("booklet")
        if "booklet" in scored.columns
        else scored.select(pl.col(name).is_not_null() for name in names)
    )
    sizes = given.group_by(given.columns).len().get_column("len")
    return float(sizes.filter(sizes >= MANY).sum()) / max(scored.height, 1)


def _with_groups(scored: pl.DataFrame, known: pl.DataFrame, variable: str) -> pl.DataFrame:
    """Put one variable beside the scores; students without a value of it are left out."""
    if variable in scored.columns:
        raise CalibrationError(
            f"The column {variable!r} of the students has the name of a column of the responses.",
            hint="Rename the column of the students.",
            param=variable,
        )
    labels = known.select("student_id", pl.col(variable).cast(pl.String))
    table = scored.with_columns(pl.col("student_id").cast(pl.String)).join(
        labels, on="student_id", how="left", maintain_order="left"
    )
    kept = table.filter(pl.col(variable).is_not_null() & (pl.col(variable) != ""))
    sizes = kept.group_by(variable).len().filter(pl.col("len") < FEWEST)
    if sizes.height:
        raise CalibrationError(
            f"{sizes.height} groups of {variable!r} have a single student with responses.",
            where=sorted(sizes.get_column(variable).to_list()),
            why="One student says nothing of a group.",
            hint="Join these groups with others, or leave the value empty.",
            param=variable,
        )
    return kept


def _ability_strata(scored: pl.DataFrame, parameters: Mapping[str, Any]) -> pl.DataFrame:
    """Cut all students into strata of equal size by an ability estimated without any group."""
    names = item_names(scored)
    cal = calibrate(
        scored.select(names),
        model=models_of(names, parameters),
        options=CalibrationOptions(standard_errors="none"),
    )
    theta = score(cal, scored.select([name for name in scored.columns if name not in ID_COLUMNS[1:]]))
    known = theta.filter(pl.col("theta").is_not_null())
    rank = (pl.col("theta").rank("average") - 0.5) / known.height
    return known.select(
        "student_id", (rank * N_STRATA).floor().clip(0, N_STRATA - 1).cast(pl.Int64).alias(STRATUM)
    )


def _tidy(found: Dif, variable: str, matching: str) -> pl.DataFrame:
    """Lay the result out with one statistic per item, whatever its number of points."""
    have = found.table
    for head in ("d_dif", "se", "effect", "chi_square", "p", "n_matched"):
        if head not in have.columns:
            have = have.with_columns(pl.lit(None, pl.Float64).alias(head))
    for head in ("undefined_because", "size_class"):
        if head not in have.columns:
            have = have.with_columns(pl.lit(None, pl.String).alias(head))
    size = pl.col("size_class")
    is_two = pl.col("d_dif").is_not_null()
    statistic = pl.when(is_two).then(pl.col("d_dif")).otherwise(pl.col("effect"))
    table = have.with_columns(
        variable=pl.lit(variable),
        matching=pl.lit(matching),
        n=pl.col("n_focal") + pl.col("n_reference"),
        measure=pl.when(is_two)
        .then(pl.lit("mh_d_dif"))
        .when(pl.col("effect").is_not_null())
        .then(pl.lit("smd_over_sd")),
        statistic=statistic,
        ci_low=pl.col("d_dif") - NORMAL_975 * pl.col("se"),
        ci_high=pl.col("d_dif") + NORMAL_975 * pl.col("se"),
        category=pl.when(size != "").then(size.str.slice(0, 1)),
        direction=pl.when(size.str.len_chars() > 1).then(size.str.slice(1, 1)),
        reference=pl.Series(strings(have, "reference"), dtype=pl.String),
    )
    return table.select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())


DIF = Step(
    name="scaling_dif",
    version=1,
    title="differential item functioning",
    run=run_dif,
    inputs=("scored_responses", "students"),
    outputs=("dif",),
)
