"""Stage "weights": final weights, replicate weights and response rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from lsakit.lineage import Step, StepCall
from lsakit.weighting.final_weights import final_weights
from lsakit.weighting.profiles import read_rules
from lsakit.weighting.replicates import replicate_weights
from lsakit.weighting.response_rates import ResponseRates, response_rates
from lsakit.weighting.weighted import FinalWeights


def weights_again(tables: Mapping[str, pl.DataFrame], rules: str) -> FinalWeights:
    """Put the stored tables of a weighting together, so that it can explain a student's weight.

    Parameters
    ----------
    tables : Mapping of str to polars.DataFrame
        ``weights``, ``weighted_schools``, ``weighted_students``, ``cells``.
    rules : str
        Name of the rules.

    Returns
    -------
    FinalWeights
        The same weights.
    """
    return FinalWeights(
        table=tables["weights"],
        schools=tables["weighted_schools"],
        students=tables["weighted_students"],
        cells=tables["cells"],
        rules=read_rules(rules),
    )


def rates_as_parameters(rates: ResponseRates) -> dict[str, Any]:
    """Reduce response rates to numbers and words.

    Parameters
    ----------
    rates : ResponseRates
        The rates.

    Returns
    -------
    dict of str to object
        Rates weighted and unweighted (proportions), zone and what it asks for.
    """
    named = {
        "school_before": rates.school_before,
        "school_after": rates.school_after,
        "student": rates.student,
    }
    found: dict[str, Any] = {
        name: {"weighted": rate.weighted, "unweighted": rate.unweighted}
        for name, rate in named.items()
        if rate is not None
    }
    return {
        **found,
        "zone": rates.zone,
        "required_after": rates.required_after,
        "is_student_rate_met": rates.is_student_rate_met,
    }


def run_weights(call: StepCall) -> dict[str, Any]:
    """Weight the respondents of one grade.

    Parameters
    ----------
    call : StepCall
        Inputs ``drawn``, ``schools``, ``students`` (participation; with gender and line_number where known);
        parameters ``rules``, ``n_replicates``, ``fay_factor``; seed of the roles inside pairs.

    Returns
    -------
    dict of str to object
        ``weights``, ``replicates``, ``weighted_schools``, ``weighted_students``, ``cells``,
        ``variance_units``, ``response_rates``.
    """
    settings = call.parameters
    drawn, schools, students = (call.inputs[role] for role in ("drawn", "schools", "students"))
    weights = final_weights(drawn, schools, students, rules=str(settings["rules"]))
    call.progress("replicate weights", 0.4)
    replicates = replicate_weights(
        weights,
        method="fay",
        n_replicates=int(settings["n_replicates"]),
        fay_factor=float(settings["fay_factor"]),
        lonely="collapse",
        seed=call.required_seed,
    )
    base = drawn.select("school_id", "stratum", "base_weight")
    rates = response_rates(
        schools.join(base, on="school_id", how="left", maintain_order="left"),
        students,
        rules=str(settings["rules"]),
    )
    return {
        "weights": weights.table,
        "replicates": replicates.to_table(),
        "weighted_schools": weights.schools,
        "weighted_students": weights.students,
        "cells": weights.cells,
        "variance_units": replicates.units,
        "response_rates": rates_as_parameters(rates),
    }


WEIGHTS = Step(
    name="weights",
    version=3,
    title="final and replicate weights",
    run=run_weights,
    inputs=("drawn", "schools", "students"),
    outputs=(
        "weights",
        "replicates",
        "weighted_schools",
        "weighted_students",
        "cells",
        "variance_units",
        "response_rates",
    ),
)
