"""Hashes of rows of scores, to find students who answered alike."""

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
