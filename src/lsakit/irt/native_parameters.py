"""Native parameters of items: the vector that the engine moves, and how users read it.

By model: partial credit (intercept_1 …, slope), 3PL (intercept, slope, logit of guessing), graded (intercept_1 …,
slope), nominal (intercept_1 …, category slope_1 …). See docs/algorithms/item_models.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import CalibrationError
from lsakit.irt.models import Floats, from_intercepts, item_model, reading_jacobian, to_intercepts
from lsakit.kernels.item_families import GRADED, GUESSING, NOMINAL, PARTIAL_CREDIT

DERIVATIVE_STEP = 1e-6


def kinds_of(models: Sequence[str]) -> NDArray[np.int64]:
    """Give the form of each item's probabilities.

    Parameters
    ----------
    models : Sequence of str of shape (n_items,)
        Model names.

    Returns
    -------
    ndarray of shape (n_items,)
        Kinds as `lsakit.kernels.item_families` numbers them.
    """
    return _kinds_of(tuple(models))


@lru_cache(maxsize=64)
def _kinds_of(models: tuple[str, ...]) -> NDArray[np.int64]:
    """Give the forms, once for each set of models; nobody may write into them."""
    kinds = np.array([item_model(name).kind for name in models], dtype=np.int64)
    kinds.setflags(write=False)
    return kinds


def native_sizes(kinds: NDArray[np.int64], n_steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the native parameters of each item.

    Parameters
    ----------
    kinds : ndarray of shape (n_items,)
        Kinds.
    n_steps : ndarray of shape (n_items,)
        Highest scores.

    Returns
    -------
    ndarray of shape (n_items,)
        Numbers of parameters.
    """
    more = np.where(kinds == GUESSING, 2, 1)
    return np.where(kinds == NOMINAL, 2 * n_steps, n_steps + more).astype(np.int64)


def read_native(kind: int, native: Floats, n_steps: int) -> tuple[float, float, Floats, float, Floats]:
    """Turn native parameters into what users read.

    Parameters
    ----------
    kind : int
        Kind of the item.
    native : ndarray of shape (n_native,)
        Native parameters.
    n_steps : int
        Highest score.

    Returns
    -------
    slope : float
        Slope, per logit; of a nominal item that of its highest category, divided by its score.
    difficulty : float
        Difficulty, logits; of a graded item the mean of its thresholds.
    steps : ndarray of shape (n_steps,)
        Steps that sum to zero, logits; difficulty minus step k is threshold k of a graded item.
    guessing : float
        Lower asymptote, a probability.
    scores : ndarray of shape (n_steps,)
        Score of each category above zero; 1, 2 … except for a nominal item.
    """
    intercepts = native[:n_steps]
    natural = np.arange(1.0, n_steps + 1.0)
    if kind == NOMINAL:
        slope = float(native[2 * n_steps - 1]) / n_steps
        difficulty, steps = from_intercepts(slope, intercepts)
        return slope, difficulty, steps, 0.0, native[n_steps : 2 * n_steps] / slope
    slope = float(native[n_steps])
    if kind == GRADED:
        thresholds = -intercepts / slope
        difficulty = float(thresholds.mean())
        return slope, difficulty, difficulty - thresholds, 0.0, natural
    difficulty, steps = from_intercepts(slope, intercepts)
    guessing = float(1.0 / (1.0 + np.exp(-native[n_steps + 1]))) if kind == GUESSING else 0.0
    return slope, difficulty, steps, guessing, natural


def native_from_reading(
    kind: int, slope: float, difficulty: float, steps: Floats, guessing: float, scores: Floats
) -> Floats:
    """Turn what users read into native parameters; the inverse of `read_native`.

    Parameters
    ----------
    kind : int
        Kind of the item.
    slope : float
        Slope, per logit.
    difficulty : float
        Difficulty, logits.
    steps : ndarray of shape (n_steps,)
        Steps that sum to zero, logits; one zero for two categories.
    guessing : float
        Lower asymptote, a probability; used by the 3PL.
    scores : ndarray of shape (n_steps,)
        Scores of the categories; used by the nominal model.

    Returns
    -------
    ndarray of shape (n_native,)
        Native parameters.
    """
    n_steps = len(steps)
    if kind == GRADED:
        return np.append(-slope * (difficulty - steps), slope)
    intercepts = to_intercepts(slope, difficulty, steps, n_steps)
    if kind == NOMINAL:
        return np.concatenate([intercepts, slope * scores])
    if kind == GUESSING:
        return np.concatenate([intercepts, [slope, np.log(guessing / (1.0 - guessing))]])
    return np.append(intercepts, slope)


def native_jacobian(kind: int, native: Floats, n_steps: int) -> Floats:
    """Differentiate the reading in the native parameters, for the delta method.

    Parameters
    ----------
    kind : int
        Kind of the item.
    native : ndarray of shape (n_native,)
        Native parameters.
    n_steps : int
        Highest score.

    Returns
    -------
    ndarray of shape (2 * n_steps + 3, n_native)
        Rows slope, difficulty, step 1 …, guessing, score 1 …

    Notes
    -----
    Analytic for the partial credit family; central differences of the closed form elsewhere (relative step 1e-6,
    error about 1e-10).
    """
    out = np.zeros((2 * n_steps + 3, len(native)))
    if kind == PARTIAL_CREDIT:
        out[: n_steps + 2] = reading_jacobian(float(native[n_steps]), native[:n_steps])
        return out

    def read(vector: Floats) -> Floats:
        slope, difficulty, steps, guessing, scores = read_native(kind, vector, n_steps)
        return np.concatenate([[slope, difficulty], steps, [guessing], scores])

    for place in range(len(native)):
        step = DERIVATIVE_STEP * max(1.0, abs(float(native[place])))
        shift = np.zeros(len(native))
        shift[place] = step
        out[:, place] = (read(native + shift) - read(native - shift)) / (2.0 * step)
    return out


def refuse_flat_nominal(names: Sequence[str], slopes: Floats) -> None:
    """Refuse nominal items whose highest category rises as the lowest does, since their scores are not defined.

    Parameters
    ----------
    names : Sequence of str of shape (n_items,)
        Item names.
    slopes : ndarray of shape (n_items,)
        Their slopes, per logit.

    Raises
    ------
    CalibrationError
        If a slope is zero to six digits.
    """
    flat = [name for name, slope in zip(names, slopes.tolist(), strict=True) if abs(slope) < 1e-6]
    if flat:
        raise CalibrationError(
            f"The highest category of {len(flat)} nominal items has the same slope as the lowest.",
            where=flat,
            why="The scores of the categories are told relative to that difference.",
            hint="Give the highest code to the category that the ablest choose.",
            param=flat[0],
        )
