"""Overlap between surveys: Keyfitz's conditional probabilities, and permanent random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.design.random_starts import START_DENOMINATOR, start_numerators
from lsakit.errors import DesignError

Direction = Literal["minimize", "maximize"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyfitz:
    """Ask for few or many schools in common with an earlier sample, by conditional probabilities.

    Parameters
    ----------
    previous_probability : str
        Frame column with the probability that a school had in the earlier draw, from 0 to 1.
    previously_drawn : str
        Frame column that says whether the earlier draw took it (truth values, or 0 and 1).
    direction : {"minimize", "maximize"}, default "minimize"
        Whether common schools are to be few or many.

    References
    ----------
    .. [1] Keyfitz (1951), Sampling with probabilities proportional to size: adjustment for changes in the
       probabilities, Journal of the American Statistical Association 46(253).
    """

    previous_probability: str
    previously_drawn: str
    direction: Direction = "minimize"

    def __post_init__(self) -> None:
        """Refuse a direction that is neither."""
        _refuse_direction(self.direction)


@dataclass(frozen=True, slots=True, kw_only=True)
class PermanentNumbers:
    """Draw by permanent random numbers (Pareto sampling) instead of systematically.

    Parameters
    ----------
    column : str
        Frame column with each school's permanent random number, from 0 to below 1.
    shift : float, default 0.0
        Subtracted from every number, modulo 1: surveys with different shifts take different schools.

    References
    ----------
    .. [1] Rosén (1997), On sampling with probability proportional to size, Journal of Statistical Planning
       and Inference 62(2).
    """

    column: str
    shift: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a shift outside [0, 1)."""
        if not 0 <= self.shift < 1:
            raise DesignError(
                f"The 'shift' of permanent random numbers must lie from 0 to below 1. Got {self.shift!r}.",
                param="shift",
                got=self.shift,
            )


Overlap = Keyfitz | PermanentNumbers


def _refuse_direction(direction: object) -> None:
    """Refuse a direction that is neither."""
    if direction not in ("minimize", "maximize"):
        raise DesignError(
            f"The 'direction' of overlap control must be 'minimize' or 'maximize'. Got {direction!r}.",
            param="direction",
            got=direction,
        )


def keyfitz_probabilities(
    previous: ArrayLike, wanted: ArrayLike, was_drawn: ArrayLike, *, direction: Direction = "minimize"
) -> NDArray[np.float64]:
    """Give the probabilities of a new draw, given what the earlier draw took.

    Parameters
    ----------
    previous : ndarray of shape (n_schools,)
        Probability in the earlier draw, dimensionless; 0 for a school that could not be drawn.
    wanted : ndarray of shape (n_schools,)
        Probability that the new draw is to give, dimensionless.
    was_drawn : ndarray of shape (n_schools,)
        Whether the earlier draw took the school.
    direction : {"minimize", "maximize"}, default "minimize"
        Whether common schools are to be few or many.

    Returns
    -------
    ndarray of shape (n_schools,)
        Conditional probability. Averaged over the earlier draw it is ``wanted``, which weights must use.

    Raises
    ------
    DesignError
        If a probability lies outside [0, 1], or a school was drawn that could not be, or not drawn though
        certain.

    References
    ----------
    .. [1] ``docs/algorithms/overlap.md``, section 1.

    Examples
    --------
    >>> keyfitz_probabilities([0.2, 0.2], [0.3, 0.3], [True, False]).tolist()
    [0.0, 0.37499999999999994]
    """
    old, new = np.asarray(previous, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    drawn = np.asarray(was_drawn, dtype=bool)
    _refuse_direction(direction)
    for name, values in (("previous", old), ("wanted", new)):
        _refuse_rows(~((values >= 0) & (values <= 1)), name, "must lie from 0 to 1")
    _refuse_rows(drawn & (old == 0), "previous", "must be above 0 where the school was drawn")
    _refuse_rows(~drawn & (old == 1), "previous", "must be below 1 where the school was not drawn")
    with np.errstate(divide="ignore", invalid="ignore"):
        if direction == "minimize":
            given, otherwise = np.maximum(0.0, (old + new - 1) / old), np.minimum(1.0, new / (1 - old))
        else:
            given, otherwise = np.minimum(1.0, new / old), np.maximum(0.0, (new - old) / (1 - old))
    return np.asarray(np.where(drawn, given, otherwise), dtype=np.float64)


def _refuse_rows(bad: NDArray[np.bool_], name: str, rule: str) -> None:
    """Refuse probabilities in some places."""
    rows = np.flatnonzero(bad)
    if len(rows):
        raise DesignError(
            f"The '{name}' probability {rule}. It does not in {len(rows)} places.",
            where=[f"place {row + 1}" for row in rows.tolist()],
            hint="Take both columns from the record of the earlier draw.",
            param=name,
        )


def permanent_random_numbers(school_ids: Sequence[str], *, seed: int) -> NDArray[np.float64]:
    """Give every school a random number that it keeps for life.

    Parameters
    ----------
    school_ids : Sequence of str of shape (n_schools,)
        Identifiers that never change.
    seed : int
        The nation's seed for these numbers, chosen once.

    Returns
    -------
    ndarray of shape (n_schools,)
        Numbers from 0 to below 1, dimensionless; each depends on the seed and its own identifier alone, so
        a new school gets its number without moving another's.

    Examples
    --------
    >>> one, both = permanent_random_numbers(["B"], seed=1), permanent_random_numbers(["A", "B"], seed=1)
    >>> bool(one[0] == both[1])
    True
    """
    numerators = start_numerators(seed, "permanent_random_number", list(school_ids))
    return np.asarray([(number - 1) / START_DENOMINATOR for number in numerators], dtype=np.float64)


def pareto_ranks(probability: ArrayLike, random_numbers: ArrayLike, *, shift: float = 0.0) -> NDArray[Any]:
    """Give the ranking variable of Pareto sampling: the smallest are drawn.

    Parameters
    ----------
    probability : ndarray of shape (n_schools,)
        Target inclusion probability, above 0 and at most 1.
    random_numbers : ndarray of shape (n_schools,)
        Permanent random numbers, from 0 to below 1.
    shift : float, default 0.0
        Subtracted from the numbers, modulo 1.

    Returns
    -------
    ndarray of shape (n_schools,)
        ``[u / (1 - u)] / [p / (1 - p)]`` with the shifted ``u``, dimensionless; 0 where ``p`` is 1.

    Raises
    ------
    DesignError
        If a number or probability lies outside its range.

    References
    ----------
    .. [1] ``docs/algorithms/overlap.md``, section 2.

    Examples
    --------
    >>> pareto_ranks([0.9, 0.5], [0.62, 0.18]).round(4).tolist()
    [0.1813, 0.2195]
    """
    p, u = np.asarray(probability, dtype=np.float64), np.asarray(random_numbers, dtype=np.float64)
    _refuse_rows(~((p > 0) & (p <= 1)), "target", "must lie above 0 and not above 1")
    rows = np.flatnonzero(~((u >= 0) & (u < 1)))
    if len(rows):
        raise DesignError(
            f"Every permanent random number must lie from 0 to below 1. Got {u[rows[0]]!r}.",
            where=[f"place {row + 1}" for row in rows.tolist()],
            hint="Make them with permanent_random_numbers.",
            param="random_numbers",
        )
    shifted = shifted_numbers(u, shift)
    return np.asarray((shifted / (1 - shifted)) * ((1 - p) / p), dtype=np.float64)


def shifted_numbers(random_numbers: ArrayLike, shift: float) -> NDArray[np.float64]:
    """Shift permanent random numbers around the circle.

    Parameters
    ----------
    random_numbers : ndarray of shape (n_schools,)
        Numbers from 0 to below 1, dimensionless.
    shift : float
        Subtracted, modulo 1.

    Returns
    -------
    ndarray of shape (n_schools,)
        Numbers from 0 to below 1.
    """
    moved = np.asarray(random_numbers, dtype=np.float64) - shift
    moved = np.where(moved < 0, moved + 1, moved)
    return np.asarray(np.minimum(moved, np.nextafter(1.0, 0.0)), dtype=np.float64)
