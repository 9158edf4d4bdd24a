"""Random numbers by counter: the i-th draw of a unit is a function of its key and i.

A whole nation can so be drawn in a few array operations, one school or one pupil can be drawn alone, and both
give the same values. The mixing function is the finaliser of SplitMix64.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15
_GAMMA_64 = np.uint64(_GAMMA)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _12 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(12)


def mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit states with the finaliser of SplitMix64.

    Parameters
    ----------
    state : ndarray of shape (...)
        Unsigned 64-bit integers.

    Returns
    -------
    ndarray of shape (...)
        Unsigned 64-bit integers, a bijection of the input.

    References
    ----------
    Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators, OOPSLA, fig. 17.
    """
    z = state ^ (state >> _30)
    z *= _FIRST
    z ^= z >> _27
    z *= _SECOND
    z ^= z >> _31
    return z


def subkeys(keys: NDArray[np.uint64], counters: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Derive the key of each member of a unit from the unit's key and the member's number.

    Parameters
    ----------
    keys : ndarray of shape (n_rows,)
        Key of the unit of each row.
    counters : ndarray of shape (n_rows,)
        Number of the member within its unit, from 0.

    Returns
    -------
    ndarray of shape (n_rows,)
        One key per row.
    """
    return mix(keys + (counters.astype(np.uint64) + np.uint64(1)) * _GAMMA_64)


def uniforms(keys: NDArray[np.uint64], variable: int) -> NDArray[np.float64]:
    """Draw one uniform number per key.

    Parameters
    ----------
    keys : ndarray of shape (...)
        Keys of the rows, from ``subkeys``.
    variable : int
        Number of the variable; different variables of one key are independent draws.

    Returns
    -------
    ndarray of shape (...)
        Numbers strictly between 0 and 1, dimensionless, on a grid of 2**-52.
    """
    offset = np.uint64(((variable + 1) * _GAMMA) & _MASK)
    bits = mix(keys + offset)
    bits >>= _12
    return (bits.astype(np.float64) + 0.5) * 2.0**-52


def normals(keys: NDArray[np.uint64], variable: int) -> NDArray[np.float64]:
    """Draw one standard normal number per key, by inversion.

    Parameters
    ----------
    keys : ndarray of shape (...)
        Keys of the rows, from ``subkeys``.
    variable : int
        Number of the variable.

    Returns
    -------
    ndarray of shape (...)
        Standard normal numbers, dimensionless.
    """
    return np.asarray(ndtri(uniforms(keys, variable)))
