"""Stage "values": ten plausible values per student and subject, conditioned on what is reported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from lsakit.irt.ability import score
from lsakit.irt.calibration import Calibration
from lsakit.lineage import Step, StepCall
from lsakit.population.latent_regression import fit_population
from lsakit.population.plausible_values import draw_plausible_values
from lsakit.population.reporting_scale import set_scale

REGISTER = ("gender", "ethnicity", "area", "disadvantaged", "province_code")


def calibrations_again(item_parameters: pl.DataFrame, groups: pl.DataFrame) -> dict[str, Calibration]:
    """Put stored item parameters together as calibrations.

    Parameters
    ----------
    item_parameters : polars.DataFrame
        Items of all subjects, with ``subject``.
    groups : polars.DataFrame
        Mean and standard deviation of θ by subject.

    Returns
    -------
    dict of str to Calibration
        By subject, in the order of the items.
    """
    found = {}
    for subject in item_parameters.get_column("subject").unique(maintain_order=True).to_list():
        items = item_parameters.filter(pl.col("subject") == subject)
        group = groups.filter(pl.col("subject") == subject).row(0, named=True)
        found[subject] = Calibration.from_items(items, mean=group["mean"], sd=group["sd"])
    return found


def school_means(cals: Mapping[str, Calibration], scored: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Average a first estimate of ability in each school, so that schools keep their differences.

    Parameters
    ----------
    cals : Mapping of str to Calibration
        Calibrations by subject.
    scored : polars.DataFrame
        Scored responses.
    people : polars.DataFrame
        student_id, school_id, final_weight.

    Returns
    -------
    polars.DataFrame
        school_id and ``school_mean_<subject>``, logits: the mean of the expected abilities (EAP) under the
        final weights.
    """
    schools, place = np.unique(people.get_column("school_id").to_numpy(), return_inverse=True)
    weight = people.get_column("final_weight").to_numpy()
    means = {"school_id": schools.tolist()}
    for subject, cal in cals.items():
        first = score(cal, scored, method="eap").select("student_id", "theta")
        joined = people.join(first, on="student_id", how="left", maintain_order="left")
        # Summed in the order of the rows, by one thread: the same bits in every process.
        sums = np.bincount(place, weights=weight * joined.get_column("theta").to_numpy())
        means[f"school_mean_{subject}"] = sums / np.bincount(place, weights=weight)
    return pl.DataFrame(means)


def conditioning(
    cals: Mapping[str, Calibration], scored: pl.DataFrame, background: pl.DataFrame, weights: pl.DataFrame
) -> pl.DataFrame:
    """Lay out the conditioning variables: every variable by which results are reported.

    Parameters
    ----------
    cals : Mapping of str to Calibration
        Calibrations by subject.
    scored : polars.DataFrame
        Scored responses.
    background : polars.DataFrame
        Questionnaire and register.
    weights : polars.DataFrame
        student_id, school_id, final_weight.

    Returns
    -------
    polars.DataFrame
        student_id, weight, gender, ethnicity, area, disadvantaged, province_code (as text), ses (0 where it
        is missing), ses_missing, and the school means; one row per student of ``weights``.
    """
    people = weights.select("student_id", "school_id", "final_weight")
    means = school_means(cals, scored, people)
    table = people.join(
        background.select("student_id", *REGISTER, "ses"), on="student_id", how="left", maintain_order="left"
    ).join(means, on="school_id", how="left", maintain_order="left")
    names = [f"school_mean_{subject}" for subject in cals]
    ses = pl.col("ses").fill_nan(None)
    missing = ses.is_null().cast(pl.Float64).alias("ses_missing")
    return table.select(
        "student_id",
        pl.col("final_weight").alias("weight"),
        *(pl.col(name).cast(pl.String) for name in REGISTER),
        ses.fill_null(0.0),
        missing,
        *names,
    )


def constant_columns(table: pl.DataFrame) -> list[str]:
    """Name the conditioning variables that do not vary in this sample.

    Parameters
    ----------
    table : polars.DataFrame
        Conditioning variables.

    Returns
    -------
    list of str
        Their names; a constant is the intercept already.
    """
    fixed = ("student_id", "weight")
    return [name for name in table.columns if name not in fixed and table.get_column(name).n_unique() < 2]


def run_values(call: StepCall) -> dict[str, Any]:
    """Fit the population model of one grade and draw plausible values.

    Parameters
    ----------
    call : StepCall
        Inputs ``item_parameters``, ``groups``, ``scored_responses``, ``background``, ``weights``; parameters
        ``n_plausible_values``, ``scale_slope``, ``scale_intercept``; seed.

    Returns
    -------
    dict of str to object
        ``plausible_values`` (reporting scale), ``conditioning``, ``coefficients``, ``population``.
    """
    settings, inputs = call.parameters, call.inputs
    weights = inputs["weights"]
    cals = calibrations_again(inputs["item_parameters"], inputs["groups"])
    scored = weights.select("student_id").join(
        inputs["scored_responses"], on="student_id", how="left", maintain_order="left"
    )
    call.progress("conditioning", 0.05)
    background = conditioning(cals, scored, inputs["background"], weights)
    background = background.drop(constant_columns(background))
    call.progress("population model", 0.15)
    population = fit_population(cals, scored, background=background, weights="weight")
    call.progress("plausible values", 0.7)
    drawn = draw_plausible_values(
        population,
        n=int(settings["n_plausible_values"]),
        seed=call.required_seed,
        student_id="student_id",
    )
    scaled = set_scale(
        drawn, slope=float(settings["scale_slope"]), intercept=float(settings["scale_intercept"])
    )
    return {
        "plausible_values": scaled.table,
        "conditioning": background,
        "coefficients": population.coefficients,
        "population": {
            "residual_covariance": population.residual_covariance,
            "log_likelihood": population.loglik,
            "converged": population.converged,
        },
    }


VALUES = Step(
    name="values",
    version=2,
    title="population model and plausible values",
    run=run_values,
    inputs=("item_parameters", "groups", "scored_responses", "background", "weights"),
    outputs=("plausible_values", "conditioning", "coefficients", "population"),
)
