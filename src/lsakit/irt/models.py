"""The item models: names, probabilities, and the way between their two forms.

Users read slope, difficulty and steps; the engine works with slope and intercepts, in which the expected
log-likelihood is concave. Both are on the logit metric (D = 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import CalibrationError
from lsakit.kernels import item_families

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemModel:
    """What a model leaves free.

    Parameters
    ----------
    name : str
        Name that results carry.
    free_slope : bool
        Whether the slope is estimated; otherwise it is 1.
    polytomous : bool
        Whether more than two categories are allowed.
    kind : int, default 0
        Form of the probabilities, as `lsakit.kernels.item_families` numbers them.
    """

    name: str
    free_slope: bool
    polytomous: bool
    kind: int = item_families.PARTIAL_CREDIT


MODELS: dict[str, ItemModel] = {
    "rasch": ItemModel(name="rasch", free_slope=False, polytomous=False),
    "1pl": ItemModel(name="rasch", free_slope=False, polytomous=False),
    "2pl": ItemModel(name="2pl", free_slope=True, polytomous=False),
    "pcm": ItemModel(name="pcm", free_slope=False, polytomous=True),
    "gpcm": ItemModel(name="gpcm", free_slope=True, polytomous=True),
    "rsm": ItemModel(name="rsm", free_slope=False, polytomous=True),
    "3pl": ItemModel(name="3pl", free_slope=True, polytomous=False, kind=item_families.GUESSING),
    "graded": ItemModel(name="graded", free_slope=True, polytomous=True, kind=item_families.GRADED),
    "nominal": ItemModel(name="nominal", free_slope=True, polytomous=True, kind=item_families.NOMINAL),
}


def item_model(name: str) -> ItemModel:
    """Look a model up by its name.

    Parameters
    ----------
    name : str
        One of "rasch" (or "1pl"), "2pl", "pcm", "gpcm", "rsm", "3pl", "graded", "nominal"; case does not matter.

    Returns
    -------
    ItemModel
        The model.

    Raises
    ------
    CalibrationError
        If there is no such model.
    """
    found = MODELS.get(str(name).lower())
    if found is None:
        raise CalibrationError(
            f"The 'model' parameter must be one of {', '.join(MODELS)}. Got {name!r}.",
            hint="Name one of them for all items, or a mapping from item to model.",
            param="model",
            got=name,
        )
    return found


def category_probabilities(
    theta: ArrayLike,
    *,
    slope: float = 1.0,
    difficulty: float = 0.0,
    steps: Sequence[float] = (),
    guessing: float = 0.0,
    scaling: float = 1.0,
) -> Floats:
    """Compute the probability of each score category of one item.

    Parameters
    ----------
    theta : array of shape (n_students,)
        Ability, logits.
    slope : float, default 1.0
        Slope, per logit.
    difficulty : float, default 0.0
        Difficulty, logits.
    steps : Sequence of float of shape (n_steps,), optional
        Steps of a polytomous item, logits, added to ``theta - difficulty``; empty for two categories.
    guessing : float, default 0.0
        Lower asymptote of a two-category item, a probability.
    scaling : float, default 1.0
        The constant D; 1 for the logit metric, 1.7 for parameters published on the normal metric.

    Returns
    -------
    ndarray of shape (n_students, n_categories)
        Probabilities; each row sums to one.

    Raises
    ------
    CalibrationError
        If guessing is given for more than two categories or lies outside [0, 1).

    References
    ----------
    .. [1] Muraki (1992), A generalized partial credit model, Applied Psychological Measurement 16(2), eq. 3-6.

    Examples
    --------
    >>> category_probabilities([0.5], difficulty=-0.3).round(7)[0, 1].item()
    0.6899745
    """
    if not 0.0 <= guessing < 1.0 or (guessing and len(steps) > 1):
        raise CalibrationError(
            f"The 'guessing' parameter must lie in [0, 1) and needs two categories. Got {guessing!r} with "
            f"{max(len(steps), 1)} steps.",
            param="guessing",
            got=guessing,
        )
    shifts = np.asarray(steps, dtype=float) if len(steps) else np.zeros(1)
    position = np.asarray(theta, dtype=float).reshape(-1, 1)
    moves = scaling * slope * (position - difficulty + shifts)
    logits = np.concatenate([np.zeros((len(position), 1)), np.cumsum(moves, axis=1)], axis=1)
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    chance = raised / raised.sum(axis=1, keepdims=True)
    if guessing:
        chance[:, 1] = guessing + (1.0 - guessing) * chance[:, 1]
        chance[:, 0] = 1.0 - chance[:, 1]
    return np.asarray(chance, dtype=float)


def to_intercepts(slope: float, difficulty: float, steps: ArrayLike, n_steps: int) -> Floats:
    """Turn difficulty and steps into intercepts.

    Parameters
    ----------
    slope : float
        Slope, per logit.
    difficulty : float
        Difficulty, logits.
    steps : array of shape (n_steps,)
        Steps that sum to zero, logits; zero for two categories.
    n_steps : int
        Highest score of the item.

    Returns
    -------
    ndarray of shape (n_steps,)
        Intercept of each category above zero, logits.
    """
    shifts = np.cumsum(np.asarray(steps, dtype=float)[:n_steps])
    return np.asarray(slope * (shifts - difficulty * np.arange(1, n_steps + 1)), dtype=float)


def from_intercepts(slope: float, intercepts: ArrayLike) -> tuple[float, Floats]:
    """Turn intercepts into difficulty and steps.

    Parameters
    ----------
    slope : float
        Slope, per logit; not zero.
    intercepts : array of shape (n_steps,)
        Intercept of each category above zero, logits.

    Returns
    -------
    difficulty : float
        Difficulty, logits.
    steps : ndarray of shape (n_steps,)
        Steps, summing to zero, logits.
    """
    own = np.asarray(intercepts, dtype=float)
    difficulty = float(-own[-1] / (slope * len(own)))
    return difficulty, np.diff(own, prepend=0.0) / slope + difficulty


def reading_jacobian(slope: float, intercepts: ArrayLike) -> Floats:
    """Differentiate (slope, difficulty, steps) in (intercepts, slope), for the delta method.

    Parameters
    ----------
    slope : float
        Slope, per logit; not zero.
    intercepts : array of shape (n_steps,)
        Intercept of each category above zero, logits.

    Returns
    -------
    ndarray of shape (n_steps + 2, n_steps + 1)
        Rows slope, difficulty, step 1 …; columns intercept 1 …, slope.
    """
    own = np.asarray(intercepts, dtype=float)
    n_steps = len(own)
    out = np.zeros((n_steps + 2, n_steps + 1))
    out[0, n_steps] = 1.0
    out[1, n_steps - 1] = -1.0 / (slope * n_steps)
    out[1, n_steps] = own[-1] / (slope * slope * n_steps)
    for step in range(n_steps):
        out[2 + step] = out[1]
        out[2 + step, step] += 1.0 / slope
        if step:
            out[2 + step, step - 1] -= 1.0 / slope
        out[2 + step, n_steps] -= (own[step] - (own[step - 1] if step else 0.0)) / slope**2
    return out
