"""Passes over packed responses of one dimension: likelihoods out, posteriors in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from lsakit.kernels.response_packs import _weigh_nodes


@njit(cache=True, nogil=True)
def likelihood_pass(
    packed: Any, table: Any, ones: Any, size: Any, students: Any, out: Any, logs: Any
) -> None:
    """Write each student's likelihood over the nodes, scaled to sum to one, and add the log of the scale.

    ``ones`` is 1 at the nodes and 0 in the padding.
    """
    indptr, rows = packed
    acc = np.empty(len(size))
    for place in range(len(students)):
        student = students[place]
        logs[place] += _weigh_nodes(rows, indptr[student], indptr[student + 1], table, ones, acc, size)
        for q in range(out.shape[1]):
            out[place, q] = acc[q]


@njit(cache=True, nogil=True)
def count_pass(packed: Any, students: Any, posterior: Any, counts: Any) -> None:
    """Add each student's weighted posterior to the rows that he answered."""
    indptr, rows = packed
    for place in range(len(students)):
        student = students[place]
        for filled in range(indptr[student], indptr[student + 1]):
            row = rows[filled]
            for q in range(posterior.shape[1]):
                counts[row, q] += posterior[place, q]
