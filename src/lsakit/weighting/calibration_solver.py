"""Solve for the g-weights of calibration: iterative proportional fitting and Newton's method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import ConvergenceError, DesignError

# The g-weights move by less than this (dimensionless) when fitting stops.
TOLERANCE = 1e-11
MOST_ITERATIONS = 50
# A control total counts as met when it is met to this share of the largest total.
TOTAL_TOLERANCE = 1e-10
SMALLEST_STEP = 2.0**-20


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """Hold the control totals over the patterns that the rows show.

    Parameters
    ----------
    pattern_values : ndarray of shape (n_patterns, n_controls)
        Value of each control variable in each pattern; 1 or 0 for a level of a margin.
    totals : ndarray of shape (n_controls,)
        Control totals.
    margins : tuple of ndarray of shape (n_patterns,)
        Number of the control of each pattern in each categorical margin; empty if a control is numeric.
    labels : tuple of str of shape (n_controls,)
        Names of the controls.
    """

    pattern_values: NDArray[np.float64]
    totals: NDArray[np.float64]
    margins: tuple[NDArray[np.int64], ...]
    labels: tuple[str, ...]


def rake(weights: NDArray[np.float64], controls: Controls, first: int) -> tuple[NDArray[np.float64], int]:
    """Fit margins in turn until nothing moves.

    Parameters
    ----------
    weights : ndarray of shape (n_patterns, n_columns)
        Summed weights of each pattern under each set of weights.
    controls : Controls
        Categorical margins.
    first : int
        Number of the first column: 0 for the final weights, 1 and on for replicates, for the refusal.

    Returns
    -------
    g_weights : ndarray of shape (n_patterns, n_columns)
        Factors (dimensionless).
    n_iterations : int
        Rounds over all margins.

    Raises
    ------
    DesignError
        If a margin's cell is empty.
    ConvergenceError
        If the factors still move after 50 rounds.

    References
    ----------
    .. [1] Deming and Stephan (1940), Annals of Mathematical Statistics 11(4).
    """
    g = np.ones_like(weights)
    n_controls = len(controls.totals)
    for iteration in range(1, MOST_ITERATIONS + 1):
        before = g.copy()
        for margin in controls.margins:
            sums = np.zeros((n_controls, weights.shape[1]))
            np.add.at(sums, margin, weights * g)
            present = np.unique(margin)
            refuse_empty(sums[present], present, controls, first)
            g *= (controls.totals[present, None] / sums[present])[np.searchsorted(present, margin)]
        if np.abs(g - before).max() < TOLERANCE:
            return g, iteration
    raise ConvergenceError(
        f"Raking did not settle in {MOST_ITERATIONS} rounds: the g-weights still move by "
        f"{np.abs(g - before).max():.3g}.",
        state=g,
        why="The margins contradict each other where the sample has few or no students in common.",
        hint="Join small categories of the margins.",
    )


def refuse_empty(
    sums: NDArray[np.float64], present: NDArray[np.int64], controls: Controls, first: int
) -> None:
    """Refuse a margin with a cell that has no weight.

    Parameters
    ----------
    sums : ndarray of shape (n_present, n_columns)
        Weighted totals.
    present : ndarray of shape (n_present,)
        Numbers of the controls.
    controls : Controls
        The controls.
    first : int
        Number of the first column.

    Raises
    ------
    DesignError
        If a total is 0.
    """
    empty = np.argwhere(sums <= 0)
    if len(empty):
        column = first + int(empty[0, 1])
        raise DesignError(
            "A margin of the calibration has a cell without any weight"
            + (f" in replicate {column}." if column else "."),
            where=sorted({controls.labels[int(present[row])] for row in empty[:, 0].tolist()}),
            why="No factor turns nothing into a control total.",
            hint="Join the category with another one, in the totals and in the table.",
            param="totals",
        )


def newton(
    weights: NDArray[np.float64], controls: Controls, method: str, bounds: tuple[float, float]
) -> tuple[NDArray[np.float64], int]:
    """Solve the calibration equations of one set of weights, with g-weights kept inside the bounds.

    Parameters
    ----------
    weights : ndarray of shape (n_patterns,)
        Summed weights of each pattern.
    controls : Controls
        The controls.
    method : {"raking", "linear"}
        ``g = exp(x'λ)`` or ``g = 1 + x'λ``, cut at the bounds.
    bounds : tuple of float
        Smallest and largest g-weight; ``(-inf, inf)`` for none.

    Returns
    -------
    g_weights : ndarray of shape (n_patterns,)
        Factors (dimensionless).
    n_iterations : int
        Steps.

    Raises
    ------
    ConvergenceError
        If no g-weights inside the bounds meet the totals.

    Notes
    -----
    Newton's steps on ``λ`` in ``Σ w g(x'λ) x = t``, halved until the misfit falls; redundant controls are
    left to the least-norm solution.

    References
    ----------
    .. [1] Deville and Särndal (1992), Calibration estimators in survey sampling, JASA 87(418), cases 1, 2, 6
       and 7.
    """
    values, totals = controls.pattern_values, controls.totals
    scale = np.maximum(np.abs(values).max(axis=0), 1e-300)
    x, target = values / scale, totals / scale
    multiplier = np.zeros(x.shape[1])
    largest = float(np.abs(target).max())
    g, slope = _link(x @ multiplier, method, bounds)
    misfit = target - x.T @ (weights * g)
    for iteration in range(1, MOST_ITERATIONS + 1):
        if np.abs(misfit).max() <= TOTAL_TOLERANCE * largest:
            return g, iteration - 1
        step = np.linalg.lstsq(x.T @ (x * (weights * slope)[:, None]), misfit, rcond=None)[0]
        share = 1.0
        while share >= SMALLEST_STEP:
            trial, trial_slope = _link(x @ (multiplier + share * step), method, bounds)
            trial_misfit = target - x.T @ (weights * trial)
            if np.abs(trial_misfit).max() < np.abs(misfit).max():
                break
            share /= 2.0
        if share < SMALLEST_STEP:
            break
        multiplier = multiplier + share * step
        g, slope, misfit = trial, trial_slope, trial_misfit
    if np.abs(misfit).max() <= TOTAL_TOLERANCE * largest:
        return g, MOST_ITERATIONS
    worst = int(np.argmax(np.abs(misfit)))
    raise ConvergenceError(
        f"No g-weights between {bounds[0]:g} and {bounds[1]:g} meet the control totals; "
        f"{controls.labels[worst]} misses by {misfit[worst] * scale[worst]:.6g}.",
        state=g,
        why="The sample is too far from the totals for weights that stay close to those of the design.",
        hint="Check the totals, join small categories, or pass wider bounds.",
    )


def _link(
    predictor: NDArray[np.float64], method: str, bounds: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn the linear predictor into g-weights and their slopes; the slope is 0 outside the bounds."""
    if method == "raking":
        free = np.exp(np.minimum(predictor, 600.0))
        slope = free
    else:
        free = 1.0 + predictor
        slope = np.ones_like(free)
    inside = (free > bounds[0]) & (free < bounds[1])
    return np.clip(free, *bounds), np.where(inside, slope, 0.0)
