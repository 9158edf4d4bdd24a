"""Anderson acceleration of an EM map, guarded so that the log-likelihood never falls.

The same loop drives the calibration of items and the latent regression; see docs/algorithms/calibration.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from lsakit.irt.models import Floats

Progress = Callable[[str, float], None]


def _nowhere() -> Floats:
    """Give the last move of an iteration that made none."""
    return np.zeros(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Where an iteration stands, with all that its next step depends on.

    Parameters
    ----------
    x : ndarray of shape (n_parameters,)
        Parameters of the last expectation step.
    mapped : ndarray of shape (n_parameters,)
        Parameters after one EM step from there.
    loglik : float
        Log-likelihood at ``x``.
    points : ndarray of shape (n_kept, n_parameters)
        Earlier points that the next mixture uses.
    residuals : ndarray of shape (n_kept, n_parameters)
        Their EM steps.
    calls : int
        Number of expectation steps done.
    history : tuple of tuple of (float, float)
        Log-likelihood and largest change of the earlier steps.
    """

    x: Floats
    mapped: Floats
    loglik: float
    points: Floats
    residuals: Floats
    calls: int
    history: tuple[tuple[float, float], ...]


class Journal(Protocol):
    """Where an iteration writes its state, and from where it goes on."""

    def load(self) -> Trace | None:
        """Give the state to go on from; None to start."""

    def save(self, trace: Trace) -> None:
        """Keep a state; the journal may keep fewer than it is given."""


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
    last_move : ndarray of shape (n_parameters,), optional
        What the last EM step moved.
    """

    parameters: Floats
    loglik: float
    converged: bool
    n_iterations: int
    history: tuple[tuple[float, float], ...]
    last_move: Floats = field(default_factory=_nowhere)


def accelerate(
    em_step: Callable[[Floats], tuple[float, Floats]],
    start: Floats,
    *,
    tolerance: float,
    max_iterations: int,
    memory: int = 8,
    progress: Progress | None = None,
    journal: Journal | None = None,
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
    journal : Journal, optional
        Where the state is kept. An iteration that goes on from a kept state takes the same steps as one that was
        never stopped.

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
    kept = journal.load() if journal is not None else None
    if kept is None:
        x = np.array(start, dtype=float)
        loglik, mapped = em_step(x)
        history: list[tuple[float, float]] = []
        points: list[Floats] = []
        residuals: list[Floats] = []
        calls = 1
    else:
        x, mapped, loglik, calls = kept.x, kept.mapped, kept.loglik, kept.calls
        history, points, residuals = list(kept.history), list(kept.points), list(kept.residuals)
    while True:
        if journal is not None:
            journal.save(_trace(x, mapped, loglik, (points, residuals), (calls, history)))
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
                last_move=residual,
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


def _trace(
    x: Floats,
    mapped: Floats,
    loglik: float,
    memory: tuple[list[Floats], list[Floats]],
    record: tuple[int, list[tuple[float, float]]],
) -> Trace:
    """Copy the state of an iteration."""
    shape = (-1, len(x))
    points, residuals = (np.array(kept, dtype=float).reshape(shape) for kept in memory)
    calls, history = record
    return Trace(
        x=x,
        mapped=mapped,
        loglik=loglik,
        points=points,
        residuals=residuals,
        calls=calls,
        history=tuple(history),
    )


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
