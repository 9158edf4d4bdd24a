"""Stage "population": the distribution of ability given the background, and draws from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.errors import CalibrationError
from lsakit.irt.calibration import Calibration
from lsakit.irt.reliability import reliability
from lsakit.lineage import Step, StepCall
from lsakit.pipeline.scaling.calibration import calibration_again
from lsakit.pipeline.scaling.decisions import apply_decisions
from lsakit.pipeline.scaling.people import (
    WEIGHT,
    columns_of_students,
    join_students,
    known_students,
    study_weights,
)
from lsakit.population.latent_regression import Population, PopulationOptions, fit_population
from lsakit.population.plausible_values import draw_plausible_values

VALUE = r"^PV\d+$"


def run_population(call: StepCall) -> dict[str, Any]:
    """Fit the population model and draw plausible values.

    Parameters
    ----------
    call : StepCall
        Inputs ``item_parameters``, ``groups``, ``scored_responses`` and, where there are such, ``students``; parameters
        ``group``, ``weight``, ``senate``, ``conditioning``, ``categorical``, ``reported``, ``pca_share``, ``n_values``,
        ``drop``, ``collapse``; seed.

    Returns
    -------
    dict of str to object
        ``coefficients``, ``population``, ``subgroups``, ``abilities`` (posterior mean and standard deviation of each
        student), ``draws`` (plausible values, logits).
    """
    parameters, inputs = call.parameters, call.inputs
    cal = calibration_again(inputs["item_parameters"], inputs["groups"], parameters["group"])
    scored = apply_decisions(inputs["scored_responses"], parameters)
    students = inputs.get("students")
    table = join_students(scored, students, {"group": parameters["group"]})
    background = _background(students, scored, parameters)
    call.progress("population model", 0.05)
    fitted = fit_population(
        cal,
        table,
        background=background,
        weights=WEIGHT if WEIGHT in background.columns else None,
        options=_options(parameters, call),
    )
    call.progress("plausible values", 0.75)
    draws = draw_plausible_values(
        fitted, n=int(parameters["n_values"]), seed=call.required_seed, progress=None
    )
    groups = [*([parameters["group"]] if parameters["group"] else []), *_categories(background, parameters)]
    return {
        "coefficients": fitted.coefficients,
        "population": _record(fitted, cal, background, draws),
        "subgroups": _subgroups(fitted, background, draws, list(dict.fromkeys(groups))),
        "abilities": fitted.students,
        "draws": draws,
    }


def _options(parameters: Mapping[str, Any], call: StepCall) -> PopulationOptions:
    """Set how the model is fitted."""
    known = PopulationOptions.__dataclass_fields__
    share = parameters["pca_share"]
    if share is not None and "pca_share" not in known:
        raise CalibrationError(
            f"This version of lsakit has no components of conditioning variables. Got pca_share {share}.",
            hint="Leave 'pca_share' out, or name fewer conditioning variables.",
            param="pca_share",
            got=share,
        )
    extra: dict[str, Any] = {}
    if "pca_share" in known:
        direct = [name for name in (parameters["group"], *parameters["reported"]) if name]
        extra = {
            "pca_share": share,
            "direct": tuple(dict.fromkeys(direct)) if share is not None else (),
            "reported": tuple(parameters["reported"]),
        }
    return PopulationOptions(
        progress=lambda text, share: call.progress(f"population model: {text}", 0.05 + 0.7 * share), **extra
    )


def _background(
    students: pl.DataFrame | None, scored: pl.DataFrame, parameters: Mapping[str, Any]
) -> pl.DataFrame:
    """Lay out the regression's columns: groups and reported variables as categories, the others as they are."""
    group = parameters["group"]
    columns = list(dict.fromkeys([*([group] if group else []), *parameters["conditioning"]]))
    if students is None:
        return scored.select("student_id")
    needed = list(dict.fromkeys([*columns, *columns_of_students(parameters)]))
    known = (
        known_students(students, needed) if needed else students.select(pl.col("student_id").cast(pl.String))
    )
    if needed:
        join_students(scored.select("student_id"), students, {"group": None}, needed)
    else:
        known = scored.select("student_id")
    weighted = study_weights(known, parameters)
    texts = {*([group] if group else []), *parameters["reported"], *parameters["categorical"]}
    kept = weighted.select("student_id", *columns, *([WEIGHT] if WEIGHT in weighted.columns else []))
    return kept.with_columns(pl.col(name).cast(pl.String) for name in columns if name in texts)


def _categories(background: pl.DataFrame, parameters: Mapping[str, Any]) -> list[str]:
    """Name the conditioning variables that are categories."""
    return [name for name in parameters["conditioning"] if not background.schema[name].is_numeric()]


def _weights_of(fitted: Population, background: pl.DataFrame) -> NDArray[np.float64]:
    """Give the weights of all students, zero for those without an item."""
    own = (
        background.get_column(WEIGHT).cast(pl.Float64).to_numpy()
        if WEIGHT in background.columns
        else np.ones(background.height)
    )
    return np.where(fitted.students.get_column("prior_only").to_numpy(), 0.0, own)


def _record(
    fitted: Population, cal: Calibration, background: pl.DataFrame, draws: pl.DataFrame
) -> dict[str, Any]:
    """Say how well the model explains ability."""
    weight = _weights_of(fitted, background)
    means = np.asarray(fitted.means)[:, 0]
    share = weight / weight.sum()
    explained = float(share @ (means - share @ means) ** 2)
    residual = float(fitted.residual_covariance[0, 0])
    values = reliability(draws, method="pv", weights=weight)
    conditioning = getattr(fitted, "conditioning", None)
    return {
        "residual_sd": float(np.sqrt(residual)),
        "loglik": fitted.loglik,
        "converged": fitted.converged,
        "n_iterations": fitted.n_iterations,
        "reliability": float(fitted.reliability[0]),
        "reliability_pv": values.value,
        "n_students": fitted.n_students,
        "n_prior_only": int(fitted.students.get_column("prior_only").sum()),
        "n_terms": fitted.coefficients.height,
        "n_items": len(cal.parameters.names),
        "r_squared": explained / (explained + residual),
        "n_components": getattr(conditioning, "n_components", None),
        "pca_share": getattr(conditioning, "share_reached", None),
    }


def _subgroups(
    fitted: Population, background: pl.DataFrame, draws: pl.DataFrame, variables: Sequence[str]
) -> pl.DataFrame:
    """Average posterior means and plausible values by the levels of the categories in the model."""
    names = [name for name in draws.columns if name != "student_id"]
    weight = _weights_of(fitted, background)
    rows = np.flatnonzero(weight > 0.0)
    eap = fitted.students.get_column("eap").to_numpy()[rows]
    value = draws.select(names).to_numpy().mean(axis=1)[rows]
    parts = [pl.DataFrame(schema=_SUBGROUPS)]
    for variable in variables:
        labels, place = _levels(background.get_column(variable).to_list(), rows)
        # Summed in the order of the rows, by one thread: the same bits in every process.
        mass, sum_eap, sum_value = (
            np.bincount(place, weights=own, minlength=len(labels))
            for own in (weight[rows], weight[rows] * eap, weight[rows] * value)
        )
        columns = {
            "variable": [variable] * len(labels),
            "level": labels,
            "n": np.bincount(place, minlength=len(labels)),
            "share": mass / mass.sum(),
            "mean_eap": sum_eap / mass,
            "mean_pv": sum_value / mass,
        }
        parts.append(pl.DataFrame(columns, schema_overrides=_SUBGROUPS))
    return pl.concat(parts)


def _levels(values: list[Any], rows: NDArray[np.int64]) -> tuple[list[str | None], NDArray[np.int64]]:
    """Number the levels that occur in some rows, sorted, a missing value last."""
    own = [values[row] for row in rows.tolist()]
    labels: list[str | None] = [*sorted({str(one) for one in own if one is not None})]
    if None in own:
        labels.append(None)
    number = {label: place for place, label in enumerate(labels)}
    return labels, np.array([number[None if one is None else str(one)] for one in own], dtype=np.int64)


_SUBGROUPS = {
    "variable": pl.String, "level": pl.String, "n": pl.Int64, "share": pl.Float64, "mean_eap": pl.Float64,
    "mean_pv": pl.Float64,
}  # fmt: skip

POPULATION = Step(
    name="scaling_population",
    version=1,
    title="population model and plausible values",
    run=run_population,
    inputs=("item_parameters", "groups", "scored_responses"),
    optional_inputs=("students",),
    outputs=("coefficients", "population", "subgroups", "abilities", "draws"),
)
