"""Responses packed three items to a byte, and the passes of the EM over them.

A pack joins neighbouring items so that one small code tells what a student did on all of them. For each code
the table holds the product of the items' probabilities at every node, so the likelihood of a student is a
product of a few table rows. What was not administered costs nothing: a pack without an answer is not listed.
See docs/algorithms/calibration.md. The number of nodes enters as the length of a tuple, which the compiler
knows. No kernel here is compiled with relaxed arithmetic: with it the last digit of a sum depended on whether a
called kernel was compiled just now or came from the cache, so that two processes disagreed. Sums run in eight
lanes instead, written out, which the compiler can keep in one register in any case.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

MOST_PACKED_ROWS = 64


@njit(cache=True, nogil=True)
def count_packs(codes: Any, pack_start: Any) -> Any:
    """Count, per student, the packs that hold at least one response."""
    n_students = codes.shape[0]
    n_packs = len(pack_start) - 1
    indptr = np.zeros(n_students + 1, dtype=np.int64)
    for student in range(n_students):
        filled = 0
        for pack in range(n_packs):
            for item in range(pack_start[pack], pack_start[pack + 1]):
                if codes[student, item] >= 0:
                    filled += 1
                    break
        indptr[student + 1] = indptr[student] + filled
    return indptr


@njit(cache=True, nogil=True)
def list_pack_rows(codes: Any, pack_start: Any, stride: Any, row_offset: Any, indptr: Any, rows: Any) -> None:
    """List, per student, the table rows of the packs that hold a response."""
    n_students = codes.shape[0]
    for student in range(n_students):
        place = indptr[student]
        for pack in range(len(pack_start) - 1):
            code = 0
            for item in range(pack_start[pack], pack_start[pack + 1]):
                code += (codes[student, item] + 1) * stride[item]
            if code > 0:
                rows[place] = row_offset[pack] + code
                place += 1


@njit(cache=True, nogil=True)
def fill_category_table(slope: Any, intercepts: Any, n_steps: Any, offset: Any, nodes: Any, out: Any) -> None:
    """Write P(category | theta) of the generalised partial credit model, one row per category."""
    most = intercepts.shape[1] + 1
    logit = np.empty(most)
    for item in range(len(slope)):
        steps = n_steps[item]
        for q in range(len(nodes)):
            top = 0.0
            logit[0] = 0.0
            for k in range(1, steps + 1):
                logit[k] = k * slope[item] * nodes[q] + intercepts[item, k - 1]
                top = max(top, logit[k])
            total = 0.0
            for k in range(steps + 1):
                logit[k] = np.exp(logit[k] - top)
                total += logit[k]
            for k in range(steps + 1):
                out[offset[item] + k, q] = logit[k] / total


@njit(cache=True, nogil=True)
def expand_table(members: Any, categories: Any, out: Any) -> None:
    """Multiply the category rows that each packed row stands for; ``members`` is padded with −1."""
    n_nodes = out.shape[1]
    for row in range(members.shape[0]):
        for q in range(n_nodes):
            out[row, q] = 1.0
        for place in range(members.shape[1]):
            category = members[row, place]
            if category >= 0:
                for q in range(n_nodes):
                    out[row, q] *= categories[category, q]


@njit(cache=True, nogil=True)
def fold_counts(members: Any, counts: Any, out: Any) -> None:
    """Add the expected counts of packed rows to the categories they stand for."""
    for row in range(members.shape[0]):
        for place in range(members.shape[1]):
            category = members[row, place]
            if category >= 0:
                for q in range(out.shape[1]):
                    out[category, q] += counts[row, q]


@njit(cache=True, nogil=True)
def _sum_nodes(acc: Any, size: Any) -> float:
    """Sum over the nodes in eight lanes; the number of nodes is a multiple of eight."""
    a, b, c, d, e, f, g, h = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for block in range(len(size) // 8):
        q = 8 * block
        a += acc[q]
        b += acc[q + 1]
        c += acc[q + 2]
        d += acc[q + 3]
        e += acc[q + 4]
        f += acc[q + 5]
        g += acc[q + 6]
        h += acc[q + 7]
    return ((a + e) + (b + f)) + ((c + g) + (d + h))


@njit(cache=True, nogil=True)
def _weigh_nodes(rows: Any, start: Any, stop: Any, table: Any, prior: Any, acc: Any, size: Any) -> Any:
    """Leave prior times likelihood, summing to one, in ``acc``; return the log of the sum it had."""
    n_nodes = len(size)
    log_scale = 0.0
    for q in range(n_nodes):
        acc[q] = prior[q]
    place = start
    done = 0
    while place + 4 <= stop:
        first, second, third, fourth = rows[place], rows[place + 1], rows[place + 2], rows[place + 3]
        for q in range(n_nodes):
            acc[q] *= table[first, q] * table[second, q] * (table[third, q] * table[fourth, q])
        place += 4
        done += 1
        if done % 2 == 0:
            total = _sum_nodes(acc, size)
            log_scale += np.log(total)
            for q in range(n_nodes):
                acc[q] /= total
    while place < stop:
        row = rows[place]
        for q in range(n_nodes):
            acc[q] *= table[row, q]
        place += 1
    total = _sum_nodes(acc, size)
    factor = 1.0 / total
    for q in range(n_nodes):
        acc[q] *= factor
    return log_scale + np.log(total)


@njit(cache=True, nogil=True)
def expectation_pass(
    packed: Any, table: Any, prior: Any, students: Any, size: Any, counts: Any, mass: Any
) -> float:
    """Add every student's posterior to the rows he answered and to his group; return the log-likelihood.

    ``packed`` is (indptr, rows) and ``students`` is (group, weight).
    """
    indptr, rows = packed
    group, weight = students
    n_nodes = len(size)
    acc = np.empty(n_nodes)
    loglik = 0.0
    for student in range(len(indptr) - 1):
        start, stop = indptr[student], indptr[student + 1]
        own = group[student]
        loglik += weight[student] * _weigh_nodes(rows, start, stop, table, prior[own], acc, size)
        for q in range(n_nodes):
            acc[q] *= weight[student]
            mass[own, q] += acc[q]
        place = start
        while place + 4 <= stop:
            first, second, third, fourth = rows[place], rows[place + 1], rows[place + 2], rows[place + 3]
            for q in range(n_nodes):
                counts[first, q] += acc[q]
                counts[second, q] += acc[q]
                counts[third, q] += acc[q]
                counts[fourth, q] += acc[q]
            place += 4
        while place < stop:
            row = rows[place]
            for q in range(n_nodes):
                counts[row, q] += acc[q]
            place += 1
    return loglik


@njit(cache=True, nogil=True)
def posterior_pass(packed: Any, table: Any, prior: Any, group: Any, size: Any, first: int, out: Any) -> None:
    """Write the posteriors of the students ``first``, ``first + 1`` … over the nodes, one row each."""
    indptr, rows = packed
    acc = np.empty(len(size))
    for place in range(out.shape[0]):
        student = first + place
        _weigh_nodes(rows, indptr[student], indptr[student + 1], table, prior[group[student]], acc, size)
        for q in range(out.shape[1]):
            out[place, q] = acc[q]


@njit(cache=True, nogil=True)
def posterior_rows(packed: Any, table: Any, prior: Any, size: Any, students: Any, out: Any) -> None:
    """Write the posteriors of the listed students, all of one group with this prior, over the nodes."""
    indptr, rows = packed
    acc = np.empty(len(size))
    for place in range(len(students)):
        student = students[place]
        _weigh_nodes(rows, indptr[student], indptr[student + 1], table, prior, acc, size)
        for q in range(out.shape[1]):
            out[place, q] = acc[q]
