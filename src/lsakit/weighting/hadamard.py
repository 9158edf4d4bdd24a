"""Hadamard matrices of the orders that balanced repeated replication needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError


def hadamard_matrix(order: int) -> NDArray[np.int8]:
    """Build a Hadamard matrix whose first column is constant.

    Parameters
    ----------
    order : int
        1, 2, or a multiple of 4 that Paley's two constructions over a prime or the square of a prime reach,
        Sylvester's doubling included; 80 and 100 are among them.

    Returns
    -------
    ndarray of shape (order, order)
        Entries 1 and −1, with ``H @ H.T = order * I``; column 0 is all ones, so each other column sums to
        0 and can serve a variance stratum.

    Raises
    ------
    DesignError
        If no construction here gives the order; the next larger order that works is named.

    References
    ----------
    .. [1] Paley (1933), On orthogonal matrices, Journal of Mathematics and Physics 12.
    .. [2] Wolter (2007), Introduction to Variance Estimation, 2nd ed., appendix A.

    Examples
    --------
    >>> H = hadamard_matrix(80).astype(int)
    >>> bool((H @ H.T == 80 * np.eye(80, dtype=int)).all())
    True
    """
    matrix = _construct(order)
    if matrix is None:
        larger = next(size for size in range(max(order, 0) + 1, 4 * max(order, 1) + 8) if _exists(size))
        raise DesignError(
            f"The number of replicates must be the order of a known Hadamard matrix. Got {order}.",
            why="Balanced half-samples need orthogonal columns.",
            hint=f"The next order that works is {larger}; PISA uses 80, TALIS 100.",
            param="n_replicates",
            got=order,
        )
    return np.asarray(matrix * matrix[:, :1], dtype=np.int8)


def _exists(order: int) -> bool:
    """Say whether a construction gives this order, without building it."""
    if order in (1, 2):
        return True
    if order < 1 or order % 4:
        return False
    return (
        _field(order - 1) is not None or _field(order // 2 - 1, residue=1) is not None or _exists(order // 2)
    )


def _construct(order: int) -> NDArray[np.int64] | None:
    """Build by doubling, by Paley's first or by his second construction, in this order."""
    if order == 1:
        return np.ones((1, 1), dtype=np.int64)
    if order != 2 and (order < 1 or order % 4):
        return None
    if order & (order - 1) == 0:
        return _double(order)
    first = _field(order - 1)
    if first is not None and (order - 1) % 4 == 3:
        return _bordered(first, -1) + np.eye(order, dtype=np.int64)
    second = _field(order // 2 - 1, residue=1)
    if second is not None:
        core = _bordered(second, 1)
        eye = np.eye(order // 2, dtype=np.int64)
        ones = np.asarray([[1, 1], [1, -1]])
        return np.asarray(np.kron(core, ones) + np.kron(eye, np.asarray([[1, -1], [-1, -1]])))
    return _double(order)


def _double(order: int) -> NDArray[np.int64] | None:
    """Double a matrix of half the order (Sylvester)."""
    half = _construct(order // 2)
    return None if half is None else np.asarray(np.kron(np.asarray([[1, 1], [1, -1]]), half))


def _bordered(characters: NDArray[np.int64], sign: int) -> NDArray[np.int64]:
    """Border the matrix of quadratic characters by ones, the first column times ``sign``."""
    size = len(characters) + 1
    matrix = np.zeros((size, size), dtype=np.int64)
    matrix[0, 1:] = 1
    matrix[1:, 0] = sign
    matrix[1:, 1:] = characters
    return matrix


def _is_prime(number: int) -> bool:
    """Say whether a small number is prime."""
    return number > 1 and all(number % one for one in range(2, int(number**0.5) + 1))


def _field(size: int, *, residue: int | None = None) -> NDArray[np.int64] | None:
    """Quadratic characters of all differences in the field of this size; None where it is not built here."""
    if size < 3 or size % 2 == 0 or (residue is not None and size % 4 != residue):
        return None
    if _is_prime(size):
        squares = {value * value % size for value in range(1, size)}
        character = np.asarray([0, *(1 if value in squares else -1 for value in range(1, size))])
        places = np.arange(size)
        return np.asarray(character[(places[:, None] - places[None, :]) % size])
    root = round(size**0.5)
    return _square_field(root) if root * root == size and _is_prime(root) else None


def _square_field(prime: int) -> NDArray[np.int64]:
    """Quadratic characters in the field of ``prime**2``: the character of the norm in the prime field."""
    squares = {value * value % prime for value in range(1, prime)}
    nonresidue = next(value for value in range(2, prime) if value not in squares)
    character = np.asarray([0, *(1 if value in squares else -1 for value in range(1, prime))])
    high, low = np.divmod(np.arange(prime * prime), prime)
    real = low[:, None] - low[None, :]
    other = high[:, None] - high[None, :]
    return np.asarray(character[(real * real - nonresidue * other * other) % prime])
