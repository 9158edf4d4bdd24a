"""Population models group by group: a model for each country, language or region, beside one for all together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lsakit.errors import EstimationError, LsakitError
from lsakit.io.frames import Table, as_table, make_table, refuse_duplicates, require_columns, strings
from lsakit.irt.calibration import Calibration
from lsakit.population.latent_regression import Population, PopulationOptions, fit_population


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedPopulation:
    """Population models of several groups.

    Parameters
    ----------
    group : str
        Column that names the groups.
    populations : Mapping of str to Population
        One model per group, in the sorted order of their names.
    coefficients : polars.DataFrame
        The columns of `Population.coefficients` behind the group.
    residual_covariance : polars.DataFrame
        Columns group, dimension_1, dimension_2 (subjects; empty for one calibration), estimate, standard_error;
        squared logits.
    students : polars.DataFrame
        The columns of `Population.students` behind student_id and the group, in the order of the background.
    loglik : float
        Sum of the log-likelihoods, weights scaled to mean 1 within each group.
    converged : bool
        Whether every model converged.
    student_ids : tuple of str
        Identifiers in the order of the background.
    schema : str
        Name and version of this form.
    """

    group: str
    populations: Mapping[str, Population]
    coefficients: Table
    residual_covariance: Table
    students: Table
    loglik: float
    converged: bool
    student_ids: tuple[str, ...] = field(repr=False)
    schema: str = "lsakit.grouped_population/1"


def fit_population_by_group(
    cal: Calibration | Mapping[str, Calibration],
    responses: Any,
    background: Any,
    weights: str | None = None,
    *,
    group: str,
    student_id: str = "student_id",
    options: PopulationOptions | None = None,
) -> GroupedPopulation:
    """Fit a latent regression of its own in each group, items held fixed.

    Parameters
    ----------
    cal : Calibration or Mapping of str to Calibration
        Calibrated items, the same for all groups.
    responses : table
        Scored responses, as for `fit_population`.
    background : table
        One row per student with student_id and the group; the group is no covariate.
    weights : str, optional
        Column of the weights, of the background or the responses; scaled to mean 1 within each group.
    group : str
        Column of the background that names the groups.
    student_id : str, default "student_id"
        Identifier column of both tables.
    options : PopulationOptions, optional
        As for `fit_population`; components are those of each group.

    Returns
    -------
    GroupedPopulation
        Models, and one table of all with the group.

    Raises
    ------
    EstimationError
        If a group has fewer than two students with responses, or what `fit_population` refuses; the group is named.
    ConvergenceError
        If the EM of a group does not converge.

    Notes
    -----
    With own coefficients and own residual covariance nothing is borrowed between groups: PISA conditions by country,
    TIMSS and PIRLS too. A group's students do not change another group's values.

    Examples
    --------
    >>> cal = Calibration.from_items({"item": ["a", "b"], "slope": [1.0, 1.0], "difficulty": [0.0, 0.5]})
    >>> ids = [f"s{i}" for i in range(8)]
    >>> answers = {"student_id": ids, "a": [1, 0, 1, 0] * 2, "b": [1, 1, 0, 0] * 2}
    >>> known = {"student_id": ids, "country": ["x"] * 4 + ["y"] * 4}
    >>> few = PopulationOptions(max_iterations=3, on_failure="return")
    >>> fit_population_by_group(cal, answers, known, group="country", options=few).coefficients["country"].to_list()
    ['x', 'y']
    """
    scored = as_table(responses, param="responses")
    known = as_table(background, param="background")
    require_columns(known, [group], param="background")
    refuse_duplicates(known, student_id, param="background")
    labels = strings(known, group, param="background")
    ids = strings(known, student_id, param="background")
    group_of = dict(zip(ids, labels, strict=True))
    scored_ids = strings(scored, student_id, param="responses")
    _refuse_strangers(scored_ids, group_of)
    names = sorted(set(labels))
    number = {name: place for place, name in enumerate(names)}
    own = np.array([number[name] for name in labels], dtype=np.int64)
    answered = np.array([number[group_of[name]] for name in scored_ids], dtype=np.int64)
    without_group = known.drop(group)
    models: dict[str, Population] = {}
    for place, name in enumerate(names):
        try:
            found = fit_population(
                cal,
                scored[np.flatnonzero(answered == place)],
                without_group[np.flatnonzero(own == place)],
                weights,
                student_id=student_id,
                options=options,
            )
        except LsakitError as refusal:
            refusal.what = f"In the group {name!r} of the column {group!r}: {refusal.what}"
            raise
        models[name] = replace(found, group=name)
    return GroupedPopulation(
        group=group,
        populations=models,
        coefficients=_stacked(models, group, "coefficients"),
        residual_covariance=_covariance_table(models, group),
        students=_in_order(_stacked(models, group, "students"), ids),
        loglik=float(sum(model.loglik for model in models.values())),
        converged=all(model.converged for model in models.values()),
        student_ids=tuple(ids),
    )


def _refuse_strangers(scored_ids: list[str], group_of: Mapping[str, str]) -> None:
    """Refuse students with responses whose group is not known."""
    absent = [name for name in scored_ids if name not in group_of]
    if absent:
        raise EstimationError(
            f"{len(absent)} students of the responses are not in the background table.",
            where=absent,
            why="Their group is not known.",
            hint="Add their rows, or leave their responses out.",
            param="background",
        )


def _stacked(models: Mapping[str, Population], group: str, table: str) -> Table:
    """Put one table of all models under another, behind the group."""
    parts = {name: getattr(model, table) for name, model in models.items()}
    columns: dict[str, Any] = {group: [name for name, part in parts.items() for _ in range(part.height)]}
    for column in next(iter(parts.values())).columns:
        columns[column] = [value for part in parts.values() for value in part.get_column(column).to_list()]
    return make_table(columns)


def _in_order(table: Table, ids: list[str]) -> Table:
    """Put the students into the order of the background."""
    row_of = {name: row for row, name in enumerate(table.get_column("student_id").to_list())}
    return table[np.array([row_of[name] for name in ids], dtype=np.int64)]


def _covariance_table(models: Mapping[str, Population], group: str) -> Table:
    """Write the residual covariances of all groups, their lower triangles."""
    rows = [
        (
            name,
            model.subjects[d],
            model.subjects[e],
            model.residual_covariance[d, e],
            model.residual_errors[d, e],
        )
        for name, model in models.items()
        for d in range(len(model.subjects))
        for e in range(d + 1)
    ]
    labels = (group, "dimension_1", "dimension_2")
    columns: dict[str, Any] = {label: [row[place] for row in rows] for place, label in enumerate(labels)}
    columns["estimate"] = np.array([row[3] for row in rows])
    columns["standard_error"] = np.array([row[4] for row in rows])
    return make_table(columns)
