"""Passes over the matrix of scores: hashes of rows, to find students who answered alike, and counts by category."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def hash_rows(codes: Any, group: Any) -> Any:
    """Give a hash of each row and its group; equal rows have equal hashes."""
    out = np.empty(codes.shape[0], dtype=np.uint64)
    for row in range(codes.shape[0]):
        value = (np.uint64(14695981039346656037) ^ np.uint64(group[row] + 1)) * np.uint64(1099511628211)
        for item in range(codes.shape[1]):
            value = (value ^ np.uint64(codes[row, item] + 1)) * np.uint64(1099511628211)
        out[row] = value
    return out


@njit(cache=True, nogil=True)
def hash_bits(bits: Any) -> Any:
    """Give a hash of each row of bytes."""
    out = np.empty(bits.shape[0], dtype=np.uint64)
    for row in range(bits.shape[0]):
        value = np.uint64(14695981039346656037)
        for place in range(bits.shape[1]):
            value = (value ^ np.uint64(bits[row, place])) * np.uint64(1099511628211)
        out[row] = value
    return out


@njit(cache=True, nogil=True)
def count_categories(codes: Any, weight: Any, out: Any) -> None:
    """Add each student's weight to the category of each item that he answered; rows are summed in their order."""
    for row in range(codes.shape[0]):
        for item in range(codes.shape[1]):
            code = codes[row, item]
            if code >= 0:
                out[item, code] += weight[row]


@njit(cache=True, nogil=True)
def count_by_cell(codes: Any, weight: Any, cell: Any, offset: Any, out: Any) -> None:
    """Add each student's weight to the categories that he answered, in the row of his cell."""
    for row in range(codes.shape[0]):
        for item in range(codes.shape[1]):
            code = codes[row, item]
            if code >= 0:
                out[cell[row], offset[item] + code] += weight[row]
