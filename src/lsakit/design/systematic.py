"""Systematic selection with probability proportional to size, in exact integers.

Nothing is rounded on the way to who is drawn: sizes, the interval, the random start and the selection
numbers are whole numbers on one common scale (``docs/algorithms/school_sampling.md``, section 3).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

import numpy as np
from numpy.typing import ArrayLike

from lsakit.design.options import Certainty
from lsakit.errors import DesignError

UNIT = 2**53  # probabilities that are given are whole multiples of 1 / UNIT


@dataclass(frozen=True, slots=True, kw_only=True)
class SystematicDraw:
    """Hold one systematic draw.

    Parameters
    ----------
    selected : tuple of int
        Places (from 0, in list order) of the units drawn, certainties included, ascending.
    probability : tuple of float of shape (n_units,)
        Inclusion probability of every unit, correctly rounded.
    base_weight : tuple of float of shape (n_units,)
        Its inverse, correctly rounded from the exact quotient.
    is_certainty : tuple of bool of shape (n_units,)
        Units with probability 1.
    interval : Fraction or None
        Sampling interval in units of size; None where every unit is certain.
    selection_numbers : tuple of Fraction
        The numbers on the cumulative scale of the units that are not removed as certainties.
    """

    selected: tuple[int, ...]
    probability: tuple[float, ...]
    base_weight: tuple[float, ...]
    is_certainty: tuple[bool, ...]
    interval: Fraction | None
    selection_numbers: tuple[Fraction, ...]


def systematic_pps(
    sizes: ArrayLike, n_draws: int, *, random_number: Fraction, certainty: Certainty = "recompute"
) -> SystematicDraw:
    """Draw units from a sorted list with probability proportional to size.

    Parameters
    ----------
    sizes : ndarray of shape (n_units,)
        Measure of size of each unit, positive, in list order; any unit of size.
    n_draws : int
        Units to draw, at most ``n_units``.
    random_number : Fraction
        Random start in (0, 1].
    certainty : {"recompute", "cap"}, default "recompute"
        Treatment of units as large as the interval; see `Design`.

    Returns
    -------
    SystematicDraw
        Places drawn, probabilities, weights, interval.

    Raises
    ------
    DesignError
        If a size is not positive, the start is outside (0, 1], or more units are asked than there are.

    Notes
    -----
    Unit ``i`` is drawn when its cumulative size is the first to reach ``(random_number + t) * interval``,
    for ``t = 0, 1, …``; a number that equals a cumulative size belongs to that unit, not to the next.

    References
    ----------
    .. [1] Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, section 3.6.2.

    Examples
    --------
    >>> draw = systematic_pps([60, 30, 20, 10], 2, random_number=Fraction(1, 2))
    >>> draw.selected, draw.is_certainty
    ((0, 1), (True, False, False, False))
    """
    whole, scale = _whole_sizes(sizes)
    _refuse_draw(whole, n_draws)
    _refuse_start(random_number)
    certain, left, total = _certainties(whole, n_draws, certainty)
    scaled = [0 if fixed else min(size * left, total) for size, fixed in zip(whole, certain, strict=True)]
    drawn, numbers = _hits(scaled, total, random_number, left * scale) if left else ([], [])
    capped = [fixed or (left > 0 and size == total) for size, fixed in zip(scaled, certain, strict=True)]
    ratio = [(1, 1) if fixed else (size, total) for size, fixed in zip(scaled, capped, strict=True)]
    return SystematicDraw(
        selected=tuple(sorted({*drawn, *(place for place, fixed in enumerate(certain) if fixed)})),
        probability=tuple(over / under for over, under in ratio),
        base_weight=tuple(under / over for over, under in ratio),
        is_certainty=tuple(capped),
        interval=Fraction(total, left * scale) if left else None,
        selection_numbers=tuple(numbers),
    )


def draw_by_probability(
    probability: ArrayLike, *, random_number: Fraction
) -> tuple[tuple[int, ...], tuple[Fraction, ...]]:
    """Draw units systematically from a sorted list with probabilities that are given.

    Parameters
    ----------
    probability : ndarray of shape (n_units,)
        Probability of each unit, from 0 to 1. It is taken to the nearest multiple of ``2**-53``.
    random_number : Fraction
        Random start in (0, 1].

    Returns
    -------
    selected : tuple of int
        Places drawn, ascending; their number is within one of the sum of the probabilities.
    numbers : tuple of Fraction
        Selection numbers ``random_number + t`` on the scale of the cumulative probabilities.

    Raises
    ------
    DesignError
        If a probability or the start lies outside its range.

    Examples
    --------
    >>> draw_by_probability([0.5, 1.0, 0.0, 0.5], random_number=Fraction(1, 2))[0]
    (0, 1)
    """
    values = np.asarray(probability, dtype=np.float64)
    bad = np.flatnonzero(~((values >= 0) & (values <= 1)))
    if len(bad):
        raise DesignError(
            f"Every probability must lie from 0 to 1. Got {values[bad[0]]!r}.",
            where=[f"place {place + 1}" for place in bad.tolist()],
            param="probability",
        )
    _refuse_start(random_number)
    whole = [round(value * UNIT) for value in values.tolist()]
    if not any(whole):
        return (), ()
    drawn, numbers = _hits(whole, UNIT, random_number, UNIT)
    return tuple(drawn), tuple(numbers)


def _whole_sizes(sizes: ArrayLike) -> tuple[list[int], int]:
    """Scale sizes by one power of two so that all are whole numbers; floats are exact binary fractions."""
    values = np.asarray(sizes, dtype=np.float64)
    bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if len(bad):
        raise DesignError(
            f"Every measure of size must be a positive number. Got {values[bad[0]]!r} at {len(bad)} places.",
            where=[f"place {place + 1}" for place in bad.tolist()],
            hint="Drop those units or correct their sizes.",
            param="sizes",
        )
    ratios = [value.as_integer_ratio() for value in values.tolist()]
    scale = max((under for _, under in ratios), default=1)
    return [over * (scale // under) for over, under in ratios], scale


def _refuse_draw(whole: Sequence[int], n_draws: int) -> None:
    """Refuse an impossible number of draws."""
    if not 1 <= n_draws <= len(whole):
        raise DesignError(
            f"The number of units to draw must be from 1 to {len(whole)}, the units in the list. Got {n_draws}.",
            hint="Ask for fewer, or merge this list with its neighbour.",
            param="n_draws",
            got=n_draws,
        )


def _refuse_start(random_number: Fraction) -> None:
    """Refuse an impossible random start."""
    if not 0 < random_number <= 1:
        raise DesignError(
            f"The random number must lie above 0 and not above 1. Got {random_number}.",
            why="A start of 0 would give the first unit an extra chance.",
            param="random_number",
            got=random_number,
        )


def _certainties(whole: Sequence[int], n_draws: int, certainty: Certainty) -> tuple[list[bool], int, int]:
    """Find units removed as certain; also draws left and total size left."""
    certain = [False] * len(whole)
    left, total = n_draws, sum(whole)
    while certainty == "recompute" and left:
        large = [place for place, size in enumerate(whole) if not certain[place] and size * left >= total]
        if not large:
            break
        for place in large:
            certain[place] = True
        left -= len(large)
        total -= sum(whole[place] for place in large)
    return certain, left, total


def _hits(
    scaled: Sequence[int], interval: int, start: Fraction, unit: int
) -> tuple[list[int], list[Fraction]]:
    """Run the selection numbers over the cumulative sizes, where the interval is whole; give them in units."""
    cumulative = list(accumulate(scaled))
    drawn: list[int] = []
    numbers: list[Fraction] = []
    over, under = start.numerator * interval, start.denominator
    step = interval * under
    while over <= cumulative[-1] * under:
        drawn.append(bisect_left(cumulative, -(-over // under)))
        numbers.append(Fraction(over, under * unit))
        over += step
    return drawn, numbers
