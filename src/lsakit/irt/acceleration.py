"""Anderson acceleration of an EM map, guarded so that the log-likelihood never falls.

The same loop drives the calibration of items and the latent regression; see docs/algorithms/calibration.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lsakit.irt.models import Floats

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPoint:
    """Where an accelerated EM ended, and how it got there.

    Parameters
    ----------
    parameters : ndarray of shape (n_parameters,)
        Last parameters, in the map's own metric.
    loglik : float
        Log-likelihood one EM step before the last parameters; it can only be higher there.
    converged : bool
        Whether the last EM step moved no parameter by the tolerance or more.
    n_iterations : int
        Number of expectation steps.
    history : tuple of tuple of (float, float)
        Log-likelihood and largest change of each expectation step.
    """

    parameters: Floats
    loglik: float
    converged: bool
    n_iterations: int
    history: tuple[tuple[float, float], ...]


def accelerate(
    em_step: Callable[[Floats], tuple[float, Floats]],
    start: Floats,
    *,
    tolerance: float,
    max_iterations: int,
    memory: int = 8,
    progress: Progress | None = None,
) -> FixedPoint:
    """Iterate an EM map to its fixed point with Anderson mixing.

    Parameters
    ----------
    em_step : Callable
        Takes parameters of shape (n_parameters,), gives their log-likelihood and the parameters after one
        EM step.
    start : ndarray of shape (n_parameters,)
        First parameters.
    tolerance : float
        Largest change of a parameter by one EM step at which to stop, in the map's own metric.
    max_iterations : int
        Most expectation steps.
    memory : int, default 8
        Number of earlier steps that a mixture uses.
    progress : Callable, optional
        Called with a sentence and the share done after each step; it may raise `CancelledError`.

    Returns
    -------
    FixedPoint
        The last state; ``converged`` says whether it is the fixed point.

    Notes
    -----
    Type-II mixing: the next point is g − (ΔX + ΔF)γ with γ the least-squares solution of ΔF γ = f. Where the
    log-likelihood at the mixture is lower than before or not finite, the plain EM step is taken instead and
    the memory is emptied; an EM step cannot lower it.

    References
    ----------
    .. [1] Walker and Ni (2011), Anderson acceleration for fixed-point iterations, SIAM J. Numer. Anal. 49(4).
    """
    x = np.array(start, dtype=float)
    loglik, mapped = em_step(x)
    history: list[tuple[float, float]] = []
    points: list[Floats] = []
    residuals: list[Floats] = []
    calls = 1
    while True:
        residual = mapped - x
        change = float(np.abs(residual).max(initial=0.0))
        history.append((loglik, change))
        if progress is not None:
            progress(
                f"step {calls}: log-likelihood {loglik:.4f}, change {change:.2e}", _share(change, tolerance)
            )
        if change < tolerance or calls >= max_iterations:
            return FixedPoint(
                parameters=mapped,
                loglik=loglik,
                converged=change < tolerance,
                n_iterations=calls,
                history=tuple(history),
            )
        points.append(x)
        residuals.append(residual)
        del points[: -memory - 1], residuals[: -memory - 1]
        previous = loglik
        candidate = _mix(points, residuals, mapped)
        x = candidate
        loglik, after = _try(em_step, x)
        calls += 1
        if not loglik >= previous - 1e-9 * abs(previous):
            points.clear()
            residuals.clear()
            x = mapped
            loglik, after = em_step(x)
            calls += 1
        mapped = after


def _share(change: float, tolerance: float) -> float:
    """Say how far the change has come down from 1 to the tolerance, on a log scale."""
    if change <= 0.0:
        return 1.0
    return float(np.clip(np.log(min(change, 1.0)) / np.log(min(tolerance, 0.5)), 0.0, 1.0))


def _mix(points: list[Floats], residuals: list[Floats], mapped: Floats) -> Floats:
    """Combine the last steps so that the residual is least."""
    if len(points) < 2:
        return mapped
    difference = np.diff(np.array(residuals), axis=0).T
    moves = np.diff(np.array(points), axis=0).T
    gamma = np.linalg.lstsq(difference, residuals[-1], rcond=1e-10)[0]
    return np.asarray(mapped - (moves + difference) @ gamma, dtype=float)


def _try(em_step: Callable[[Floats], tuple[float, Floats]], x: Floats) -> tuple[float, Floats]:
    """Evaluate the map where a mixture may have left the space of sensible parameters."""
    if not np.all(np.isfinite(x)) or np.abs(x).max() > 50.0:
        return -np.inf, x
    with np.errstate(all="ignore"):
        loglik, after = em_step(x)
    return (loglik, after) if np.isfinite(loglik) and np.all(np.isfinite(after)) else (-np.inf, x)
