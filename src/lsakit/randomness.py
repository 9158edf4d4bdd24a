"""Random streams that belong to a unit, not to its place in a table.

A stream is named by (seed, purpose, unit id) through BLAKE2b, so that removing one pupil never moves another
pupil's draws, and the order of rows never matters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def _digest(seed: int, purpose: str, unit_id: str) -> bytes:
    """Hash the three names of a stream into sixteen bytes."""
    text = f"{seed}\x1f{purpose}\x1f{unit_id}".encode()
    return hashlib.blake2b(text, digest_size=16, person=b"lsakit.stream").digest()


def stable_seeds(seed: int, purpose: str, unit_ids: Sequence[str]) -> NDArray[np.uint64]:
    """Derive one 64-bit seed per unit.

    Parameters
    ----------
    seed : int
        Seed of the whole run.
    purpose : str
        What the stream is for, such as ``"plausible_values"``; different purposes never share draws.
    unit_ids : Sequence of str of shape (n_units,)
        Identifiers of the units.

    Returns
    -------
    ndarray of shape (n_units,)
        Unsigned 64-bit seeds, one per unit, independent of the order of the others.

    Examples
    --------
    >>> bool(stable_seeds(1, "demo", ["a", "b"])[1] == stable_seeds(1, "demo", ["b"])[0])
    True
    """
    raw = b"".join(_digest(seed, purpose, unit_id)[:8] for unit_id in unit_ids)
    return np.frombuffer(raw, dtype="<u8").astype(np.uint64)


def stream(seed: int, purpose: str, unit_id: str = "") -> np.random.Generator:
    """Open the random generator of one unit.

    Parameters
    ----------
    seed : int
        Seed of the whole run.
    purpose : str
        What the stream is for.
    unit_id : str, default ""
        Identifier of the unit; empty for a stream of the whole run.

    Returns
    -------
    numpy.random.Generator
        A PCG64 generator that depends on the three names alone.
    """
    return np.random.default_rng(int.from_bytes(_digest(seed, purpose, unit_id), "little"))
