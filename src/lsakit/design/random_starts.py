"""Random numbers in (0, 1] that belong to a stratum or a school, kept as exact integers.

A random start is ``numerator / 2**53``; the integer is what the draw computes with, and the quotient is
exactly representable, so a printed random number repeats the draw bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError
from lsakit.randomness import stable_seeds

START_DENOMINATOR = 2**53


def seed_of(rng: np.random.Generator | int) -> int:
    """Turn the caller's source of chance into one seed.

    Parameters
    ----------
    rng : numpy.random.Generator or int
        A generator, from which one integer is taken, or the seed itself.

    Returns
    -------
    int
        Seed that names all streams of the draw; passing it as ``rng`` repeats the draw.

    Raises
    ------
    DesignError
        If ``rng`` is neither, or a negative integer.

    Examples
    --------
    >>> seed_of(2026)
    2026
    """
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(0, 2**63 - 1))
    if isinstance(rng, (int, np.integer)) and not isinstance(rng, bool) and rng >= 0:
        return int(rng)
    raise DesignError(
        f"The 'rng' parameter must be a numpy random generator or a seed of 0 or more. Got {rng!r}.",
        why="A draw without a recorded source of chance cannot be repeated by anyone.",
        hint="Pass numpy.random.default_rng(seed) or the seed.",
        param="rng",
        got=rng,
    )


def start_numerators(seed: int, purpose: str, unit_ids: Sequence[str]) -> list[int]:
    """Give each unit its own random start in (0, 1], as the numerator over ``2**53``.

    Parameters
    ----------
    seed : int
        Seed of the draw.
    purpose : str
        What the start is for; different purposes never share numbers.
    unit_ids : Sequence of str of shape (n_units,)
        Strata or schools.

    Returns
    -------
    list of int of shape (n_units,)
        Numerators from 1 to ``2**53``; zero is impossible.

    Examples
    --------
    >>> first, second = start_numerators(7, "draw_schools", ["North", "South"])
    >>> first == start_numerators(7, "draw_schools", ["North"])[0]
    True
    """
    seeds: NDArray[np.uint64] = stable_seeds(seed, purpose, unit_ids)
    return [(value >> 11) + 1 for value in seeds.tolist()]
