"""Stage "population": the distribution of ability given the background, and draws from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

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
from lsakit.population.population_groups import GroupedPopulation, fit_population_by_group

VALUE = r"^PV\d+$"


def run_population(call: StepCall) -> dict[str, Any]:
    """Fit the population model and draw plausible values.

    Parameters
    ----------
    call : StepCall
        Inputs ``item_parameters``, ``groups``, ``scored_responses`` and, where there are such, ``students``; parameters
        ``group``, ``weight``, ``senate``, ``conditioning``, ``categorical``, ``reported``, ``pca_share``, ``per_group``,
        ``n_values``, ``drop``, ``collapse``; seed.

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
    fitted = _fitted(cal, table, background, parameters, _options(parameters, call))
    call.progress("plausible values", 0.75)
    draws = draw_plausible_values(
        fitted.model, n=int(parameters["n_values"]), seed=call.required_seed, progress=None
    )
    groups = [*([parameters["group"]] if parameters["group"] else []), *_categories(background, parameters)]
    return {
        "coefficients": fitted.model.coefficients,
        "population": _record(fitted, cal, background, draws),
        "subgroups": _subgroups(fitted, background, draws, list(dict.fromkeys(groups))),
        "abilities": fitted.model.students.select("student_id", "eap", "sd", "n_items", "prior_only"),
        "draws": draws,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitted:
    """A population model, or one per group, and what both have."""

    model: Population | GroupedPopulation
    parts: Mapping[str, Population]
    means: NDArray[np.float64]

    def averaged(self, value: Callable[[Population], float]) -> float:
        """Average a figure of the models by their numbers of students."""
        total = sum(part.n_students for part in self.parts.values())
        return sum(value(part) * part.n_students for part in self.parts.values()) / total


def _fitted(
    cal: Calibration,
    table: pl.DataFrame,
    background: pl.DataFrame,
    parameters: Mapping[str, Any],
    options: PopulationOptions,
) -> _Fitted:
    """Fit one model of all students, or one in each group."""
    weights = WEIGHT if WEIGHT in background.columns else None
    if not parameters["per_group"]:
        model = fit_population(cal, table, background=background, weights=weights, options=options)
        return _Fitted(model=model, parts={"": model}, means=np.asarray(model.means)[:, 0])
    group = parameters["group"]
    own = replace(
        options,
        direct=tuple(name for name in options.direct if name != group),
        reported=tuple(name for name in options.reported if name != group),
    )
    grouped = fit_population_by_group(cal, table, background, weights, group=group, options=own)
    place = {name: row for row, name in enumerate(grouped.student_ids)}
    means = np.empty(len(place))
    for part in grouped.populations.values():
        means[[place[name] for name in part.student_ids]] = np.asarray(part.means)[:, 0]
    return _Fitted(model=grouped, parts=grouped.populations, means=means)


def _options(parameters: Mapping[str, Any], call: StepCall) -> PopulationOptions:
    """Set how the model is fitted."""
    share = parameters["pca_share"]
    direct = [name for name in (parameters["group"], *parameters["reported"]) if name]
    return PopulationOptions(
        progress=lambda text, done: call.progress(f"population model: {text}", 0.05 + 0.7 * done),
        pca_share=share,
        direct=tuple(dict.fromkeys(direct)) if share is not None else (),
        reported=tuple(parameters["reported"]),
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


def _weights_of(fitted: _Fitted, background: pl.DataFrame) -> NDArray[np.float64]:
    """Give the weights of all students, zero for those without an item."""
    own = (
        background.get_column(WEIGHT).cast(pl.Float64).to_numpy()
        if WEIGHT in background.columns
        else np.ones(background.height)
    )
    return np.where(fitted.model.students.get_column("prior_only").to_numpy(), 0.0, own)


def _record(
    fitted: _Fitted, cal: Calibration, background: pl.DataFrame, draws: pl.DataFrame
) -> dict[str, Any]:
    """Say how well the model explains ability."""
    weight = _weights_of(fitted, background)
    means = fitted.means
    share = weight / weight.sum()
    explained = float(share @ (means - share @ means) ** 2)
    residual = fitted.averaged(lambda part: float(part.residual_covariance[0, 0]))
    values = reliability(draws, method="pv", weights=weight)
    students = fitted.model.students
    return {
        "residual_sd": float(np.sqrt(residual)),
        "loglik": fitted.model.loglik,
        "converged": fitted.model.converged,
        "n_iterations": max(part.n_iterations for part in fitted.parts.values()),
        "reliability": fitted.averaged(lambda part: float(part.reliability[0])),
        "reliability_pv": values.value,
        "n_students": sum(part.n_students for part in fitted.parts.values()),
        "n_prior_only": int(students.get_column("prior_only").sum()),
        "n_terms": fitted.model.coefficients.height,
        "n_items": len(cal.parameters.names),
        "r_squared": explained / (explained + residual),
        "n_components": max(part.conditioning.n_components for part in fitted.parts.values()),
        "pca_share": min(part.conditioning.share_reached for part in fitted.parts.values()),
        "n_models": len(fitted.parts),
    }


def _subgroups(
    fitted: _Fitted, background: pl.DataFrame, draws: pl.DataFrame, variables: Sequence[str]
) -> pl.DataFrame:
    """Average posterior means and plausible values by the levels of the categories in the model."""
    names = [name for name in draws.columns if name != "student_id"]
    weight = _weights_of(fitted, background)
    rows = np.flatnonzero(weight > 0.0)
    eap = fitted.model.students.get_column("eap").to_numpy()[rows]
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
