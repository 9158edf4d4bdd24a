"""What a population model is fitted to: responses, background and weights, checked and put into one order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.io.frames import Table, as_table, floats, refuse_duplicates, require_columns, strings
from lsakit.irt.calibration import Calibration
from lsakit.population.background import Background, Floats, code_background
from lsakit.population.posterior import Answers, answers_of
from lsakit.population.regressors import ComponentRule, Conditioning, Regressors, make_regressors

MOST_DIMENSIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationData:
    """Students who are fitted, and everyone, in the order of the background.

    Parameters
    ----------
    answers : Answers
        Responses.
    background : Background
        Coded columns.
    regressors : Regressors
        The regressors.
    conditioning : Conditioning
        What the regressors hold.
    weight : ndarray of shape (n_students,)
        Weights with mean 1 over the fitted students, 0 for the others; dimensionless.
    fitted : ndarray of shape (n_students,)
        Who is fitted: students with responses and a positive weight.
    is_weighted : bool
        Whether weights were given.
    cluster : ndarray of shape (n_students,) or None
        Number of each student's sampling cluster; None where students are the units.
    stratum : ndarray of shape (n_clusters,) or None
        Number of each cluster's stratum.
    subjects : tuple of str
        Names of the dimensions.
    ids : tuple of str
        Identifiers.
    """

    answers: Answers
    background: Background
    regressors: Regressors
    conditioning: Conditioning
    weight: Floats
    fitted: NDArray[np.bool_]
    is_weighted: bool
    cluster: NDArray[np.int64] | None
    stratum: NDArray[np.int64] | None
    subjects: tuple[str, ...]
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Columns of the background that are no covariates.

    Parameters
    ----------
    student_id : str
        Identifier.
    weights : str, optional
        Weights.
    stratum : str, optional
        Strata of the sampling clusters.
    cluster : str, optional
        Sampling clusters.
    """

    student_id: str
    weights: str | None = None
    stratum: str | None = None
    cluster: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are given."""
        every = (self.student_id, self.weights, self.stratum, self.cluster)
        return tuple(name for name in every if name is not None)


def read_population(
    named: Mapping[str, Calibration],
    responses: Any,
    background: Any,
    columns: Columns,
    rule: ComponentRule,
) -> PopulationData:
    """Check and align calibrations, responses, background and weights.

    Parameters
    ----------
    named : Mapping of str to Calibration
        One calibration per dimension.
    responses : table
        Scored responses.
    background : table, optional
        Background variables.
    columns : Columns
        Which columns are no covariates.
    rule : ComponentRule
        How columns become regressors.

    Returns
    -------
    PopulationData
        What is fitted.

    Raises
    ------
    EstimationError
        If tables do not fit together, weights are negative or all zero, or columns constant or collinear.
    """
    _refuse_dimensions(named)
    scored = as_table(responses, param="responses")
    refuse_duplicates(scored, columns.student_id, param="responses")
    if background is None:
        extra = [name for name in columns.names[1:] if name in scored.columns]
        known = scored.select([columns.student_id, *extra])
    else:
        known = as_table(background, param="background")
        refuse_duplicates(known, columns.student_id, param="background")
    ids = strings(known, columns.student_id, param="background")
    order = _match(strings(scored, columns.student_id, param="responses"), ids)
    answers = answers_of(named, scored, order)
    weight = _weights(known, scored, order, columns.weights)
    fitted = (answers.n_items.sum(axis=1) > 0) & (weight > 0.0)
    if not fitted.any():
        raise EstimationError(
            "No student of positive weight answered any item.",
            hint="Check identifiers and item columns.",
            param="responses",
        )
    scaled = np.where(fitted, weight, 0.0)
    scaled *= fitted.sum() / scaled.sum()
    covariates = [name for name in known.columns if name not in columns.names]
    _refuse_few(int(fitted.sum()), covariates)
    coded = code_background(known, covariates, scaled)
    regressors, conditioning = make_regressors(coded, scaled, rule)
    cluster, stratum = _clusters(known, columns)
    return PopulationData(
        answers=answers,
        background=coded,
        regressors=regressors,
        conditioning=conditioning,
        weight=scaled,
        fitted=fitted,
        is_weighted=columns.weights is not None,
        cluster=cluster,
        stratum=stratum,
        subjects=tuple(named),
        ids=tuple(ids),
    )


def _refuse_few(n_fitted: int, covariates: list[str]) -> None:
    """Refuse a single student: he has no variance."""
    if n_fitted < 2:
        raise EstimationError(
            f"A population model needs at least two students with responses. Got {n_fitted}.",
            why="One student has no residual variance.",
            hint="Join the group with another, or fit all groups together.",
            param="responses",
            got=n_fitted,
        )


def _refuse_dimensions(named: Mapping[str, Calibration]) -> None:
    """Refuse no calibration, too many, and an item in two of them."""
    if not 1 <= len(named) <= MOST_DIMENSIONS:
        raise EstimationError(
            f"The 'cal' parameter must give one to {MOST_DIMENSIONS} calibrations. Got {len(named)}.",
            why="The quadrature grows with the power of the number of dimensions.",
            hint="Fit the subjects in groups, or a model of one dimension for each.",
            param="cal",
            got=len(named),
        )
    names = [name for one in named.values() for name in one.parameters.names]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise EstimationError(
            f"{len(twice)} items stand in two calibrations.",
            where=twice,
            why="Each item measures one dimension.",
            hint="Calibrate each item with one subject.",
            param="cal",
        )


def _match(scored: list[str], ids: list[str]) -> NDArray[np.int64]:
    """Give each background row the row of its responses, or −1; refuse students without background."""
    if scored == ids:
        return np.arange(len(ids), dtype=np.int64)
    row_of = {name: row for row, name in enumerate(scored)}
    absent = sorted(set(scored) - set(ids))
    if absent:
        raise EstimationError(
            f"{len(absent)} students of the responses are not in the background table.",
            where=absent,
            why="Their part of the population would be left out silently.",
            hint="Add their rows (values may be missing), or leave their responses out.",
            param="background",
        )
    return np.array([row_of.get(name, -1) for name in ids], dtype=np.int64)


def _weights(known: Table, scored: Table, order: NDArray[np.int64], name: str | None) -> Floats:
    """Take the weights in the order of the background."""
    if name is None:
        return np.ones(known.height)
    if name in known.columns:
        weight = floats(known, name, param="background")
    else:
        require_columns(scored, [name], param="responses")
        weight = np.where(order >= 0, floats(scored, name, param="responses")[order], 0.0)
    if (weight < 0.0).any() or not weight.sum() > 0.0:
        rows = np.flatnonzero(weight < 0.0)
        raise EstimationError(
            f"The weights {name!r} must not be negative, nor all zero. {len(rows)} are negative.",
            where=[f"row {row + 1}" for row in rows.tolist()],
            hint="Use the final or senate weights of the respondents.",
            param=name,
        )
    return weight


def _clusters(known: Table, columns: Columns) -> tuple[NDArray[np.int64] | None, NDArray[np.int64] | None]:
    """Number the sampling clusters and their strata; a cluster's name counts within its stratum."""
    if columns.cluster is None:
        if columns.stratum is not None:
            raise EstimationError(
                "The option 'stratum' needs the option 'cluster'.",
                hint="Name the column of the sampling clusters, such as the school.",
                param="cluster",
            )
        return None, None
    cluster = strings(known, columns.cluster, param="background")
    stratum = strings(known, columns.stratum, param="background") if columns.stratum else [""] * len(cluster)
    pairs = list(zip(stratum, cluster, strict=True))
    every = sorted(set(pairs))
    place = {pair: number for number, pair in enumerate(every)}
    strata = {name: number for number, name in enumerate(sorted(set(stratum)))}
    return (
        np.array([place[pair] for pair in pairs], dtype=np.int64),
        np.array([strata[name] for name, _ in every], dtype=np.int64),
    )
