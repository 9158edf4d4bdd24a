"""The expectation step where all slopes are 1: students of one booklet and score are alike.

With slopes of 1 the number of points is sufficient for ability given the items answered (Andersen, 1977, Psychometrika
42(1)). So the posterior is computed once per cell (group, items answered, points), and the counts of responses by cell
are summed once, before the iteration. See docs/algorithms/calibration.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsakit.irt.em import Expectation, Layout
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.models import Floats
from lsakit.irt.packs import normal_prior, probability_table
from lsakit.irt.response_data import ResponseData, numbered_rows
from lsakit.kernels import repeated_rows
from lsakit.kernels.item_families import PARTIAL_CREDIT

MOST_ENTRIES = 20_000_000
LEAST_STUDENTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCells:
    """Students by group, items answered and points.

    Parameters
    ----------
    group : ndarray of shape (n_cells,)
        Group of each cell.
    pattern : ndarray of shape (n_cells,)
        Items answered, as a row of ``answered``.
    points : ndarray of shape (n_cells,)
        Sum of scores.
    weight : ndarray of shape (n_cells,)
        Sum of weights.
    answered : ndarray of shape (n_patterns, n_items)
        1 where an item was answered.
    counts : ndarray of shape (n_cells, n_categories)
        Sum of weights of the students with each response.
    """

    group: NDArray[np.int64]
    pattern: NDArray[np.int64]
    points: Floats
    weight: Floats
    answered: Floats
    counts: Floats


def find_cells(data: ResponseData, layout: Layout) -> ScoreCells | None:
    """Sort students into cells, where that is allowed and worth it.

    Parameters
    ----------
    data : ResponseData
        The responses.
    layout : Layout
        What is free.

    Returns
    -------
    ScoreCells or None
        The cells; None where some slope is free or not 1, where another model or a partly right answer stands among the items, or where there
        are fewer than four students per cell.
    """
    start = layout.start
    if (
        data.partly is not None
        or layout.free_slope.any()
        or (start.slope != 1.0).any()
        or (start.kinds != PARTIAL_CREDIT).any()
    ):
        return None
    pattern, rows = numbered_rows(np.packbits(data.codes >= 0, axis=1))
    points = np.where(data.codes > 0, data.codes, 0).sum(axis=1, dtype=np.int64)
    most = int(points.max()) + 1
    key = (data.group * len(rows) + pattern) * most + points
    known, cell = np.unique(key, return_inverse=True)
    too_many = len(known) * LEAST_STUDENTS > len(key) or len(known) * start.n_categories > MOST_ENTRIES
    if too_many:
        return None
    counts = np.zeros((len(known), start.n_categories))
    repeated_rows.count_by_cell(data.codes, data.weight, cell.ravel(), start.offset, counts)
    answered = np.unpackbits(rows, axis=1, count=data.codes.shape[1])
    return ScoreCells(
        group=known // (len(rows) * most),
        pattern=known // most % len(rows),
        points=(known % most).astype(np.float64),
        weight=np.asarray(np.bincount(cell.ravel(), weights=data.weight), dtype=np.float64),
        answered=answered.astype(np.float64),
        counts=counts,
    )


def expect_cells(
    cells: ScoreCells, items: ItemParameters, mean: Floats, sd: Floats, nodes: Floats
) -> Expectation:
    """Run the expectation step over the cells.

    Parameters
    ----------
    cells : ScoreCells
        The students.
    items : ItemParameters
        The items, all of slope 1.
    mean : ndarray of shape (n_groups,)
        Group means, logits.
    sd : ndarray of shape (n_groups,)
        Group standard deviations, logits.
    nodes : ndarray of shape (n_nodes,)
        Quadrature nodes, logits.

    Returns
    -------
    Expectation
        Log-likelihood and expected counts, as `lsakit.irt.em.expect` gives them.
    """
    lowest = np.log(probability_table(items, nodes)[items.offset])
    own = cells.points[:, None] * nodes + (cells.answered @ lowest)[cells.pattern]
    with np.errstate(divide="ignore"):  # a node far from a narrow group has prior zero
        own += np.log(normal_prior(nodes, mean, sd))[cells.group]
    top = own.max(axis=1, keepdims=True)
    np.exp(own - top, out=own)
    total = own.sum(axis=1)
    own /= total[:, None]
    intercepts = np.zeros(items.n_categories)
    for item, first in enumerate(items.offset.tolist()):
        steps = int(items.n_steps[item])
        intercepts[first + 1 : first + steps + 1] = items.intercepts[item, :steps]
    mass = np.zeros((len(mean), len(nodes)))
    np.add.at(mass, cells.group, own * cells.weight[:, None])
    loglik = cells.weight @ (np.log(total) + top[:, 0]) + cells.counts.sum(axis=0) @ intercepts
    return Expectation(loglik=float(loglik), counts=cells.counts.T @ own, mass=mass)
