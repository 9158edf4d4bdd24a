"""Scores of students: the derivatives of their log-likelihoods, averaged over the posterior, and their products.

Of an item of the partial credit family the score of the slope is ability times a sum of the scores of its intercepts.
So products are formed of intercepts only, once plain, once times ability and once times its square; that is a quarter
of the work for two-category items. See docs/algorithms/calibration.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from lsakit.io.partly_right import PARTLY_RIGHT
from lsakit.irt.em import Layout
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.models import Floats
from lsakit.irt.native_parameters import native_sizes
from lsakit.irt.packs import Packs, normal_prior, packed_table, pad, probability_table
from lsakit.irt.parameter_slots import Slots
from lsakit.irt.response_data import ResponseData
from lsakit.kernels import item_families, partial_credit, response_packs

CHUNK = 2048
LEAST_CHUNK = 256
LEAST_POSTERIOR = 1e-12


@dataclass(frozen=True, slots=True)
class StudentSums:
    """Sums over students of w·E[ss'], w·s̄s̄' and w²·s̄s̄'.

    Parameters
    ----------
    within : ndarray of shape (n_slots, n_slots)
        Weighted sum of the posterior expectations of the squared score.
    scores : ndarray of shape (n_slots, n_slots)
        Weighted sum of the squared mean score.
    squared : ndarray of shape (n_slots, n_slots)
        The same with squared weights.
    """

    within: Floats
    scores: Floats
    squared: Floats


def score_table(items: ItemParameters, layout: Layout) -> Floats:
    """Differentiate log P(category) at the nodes in the native parameters of the items.

    Parameters
    ----------
    items : ItemParameters
        The items.
    layout : Layout
        What is free.

    Returns
    -------
    ndarray of shape (n_nodes, n_categories, n_most_native)
        Derivatives, zero beyond an item's own parameters.
    """
    nodes = layout.nodes
    chance = probability_table(items, nodes)
    kinds, native = items.kinds, items.native
    sizes = native_sizes(kinds, items.n_steps)
    out = np.zeros((len(nodes), items.n_categories, int(sizes.max())))
    form = (kinds, items.offset, items.n_steps)
    for item, first in enumerate(items.offset.tolist()):
        steps = int(items.n_steps[item])
        if not layout.plain[item] or kinds[item] != item_families.PARTIAL_CREDIT:
            block = out[:, first : first + steps + 1, : sizes[item]]
            item_families.fill_family_scores(item, form, native, nodes, block)
            continue
        own = chance[first : first + steps + 1].T
        score = np.arange(steps + 1)
        block = out[:, first : first + steps + 1]
        block[:, :, :steps] = np.eye(steps + 1)[None, :, 1:] - own[:, None, 1:]
        if layout.free_slope[item]:
            block[:, :, steps] = nodes[:, None] * (score - (own @ score)[:, None])
    return out


def blended_scores(scores: Floats, packs: Packs) -> Floats:
    """Add the scores of partly right answers below those of the categories.

    Parameters
    ----------
    scores : ndarray of shape (n_nodes, n_categories, n_most_native)
        Derivatives by category.
    packs : Packs
        The packing, which knows how right such answers are.

    Returns
    -------
    ndarray of shape (n_nodes, n_categories + n_blends, n_most_native)
        Derivatives, f of the right and 1 − f of the wrong category's.
    """
    if not len(packs.shares):
        return scores
    share = packs.shares[:, None]
    mixed = share * scores[:, packs.blends[:, 0]] + (1.0 - share) * scores[:, packs.blends[:, 1]]
    return np.concatenate([scores, mixed], axis=1)


def score_rows(data: ResponseData, items: ItemParameters, packs: Packs) -> NDArray[Any]:
    """Give each response as a row of the scores, counted from its item's first row.

    Parameters
    ----------
    data : ResponseData
        The responses.
    items : ItemParameters
        The items.
    packs : Packs
        The packing.

    Returns
    -------
    ndarray of shape (n_students, n_items)
        Rows; −1 where not administered.
    """
    if data.partly is None:
        return data.codes
    blended = np.flatnonzero(data.partly > 0.0)
    row = np.zeros(len(items.names), dtype=np.int32)
    row[blended] = items.n_categories + np.arange(len(packs.shares)) - items.offset[blended]
    return np.where(data.codes == PARTLY_RIGHT, row, data.codes.astype(np.int32))


def add_students(
    data: ResponseData,
    packs: Packs,
    layout: Layout,
    parameters: tuple[ItemParameters, Floats, Floats],
    slots: Slots,
    sums: StudentSums,
    *,
    within: bool,
) -> None:
    """Add all students to the sums, in chunks of like booklets.

    Parameters
    ----------
    data : ResponseData
        The responses.
    packs : Packs
        Their packing.
    layout : Layout
        What is free.
    parameters : tuple of (ItemParameters, ndarray of shape (n_groups,), ndarray of shape (n_groups,))
        Items, group means and standard deviations.
    slots : Slots
        Rows of the sums.
    sums : StudentSums
        The sums; they change in place. Chunks are added in their order, whatever the number of threads.
    within : bool
        Whether the first of the sums is wanted.
    """
    items, mean, sd = parameters
    table = packed_table(packs, items, layout.nodes)
    prior = pad(normal_prior(layout.nodes, mean, sd), table.shape[1])
    size = (0,) * table.shape[1]
    scores = blended_scores(score_table(items, layout), packs)
    codes = score_rows(data, items, packs)
    extra = [_group_scores(layout, float(mean[g]), float(sd[g])) for g in range(len(mean))]

    def one(given: tuple[int, NDArray[np.int64]]) -> _Products:
        group, students = given
        chunk = _Chunk.of(codes, students, (items, layout), slots, group)
        posterior = np.empty((len(students), len(layout.nodes)))
        response_packs.posterior_rows(
            (packs.indptr, packs.rows), table, prior[group], size, students, posterior
        )
        return chunk.products((data, codes), posterior, scores, extra[group], layout.nodes, within=within)

    jobs = _like_booklets(data, slots)
    with ThreadPoolExecutor(packs.n_threads) as pool, threadpool_limits(1, user_api="blas"):
        while batch := list(islice(jobs, 2 * packs.n_threads)):
            for products in pool.map(one, batch):
                products.add_to(sums)


def _like_booklets(data: ResponseData, slots: Slots) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Split the students of each group into chunks whose items are the same as far as can be."""
    pattern = np.packbits(data.codes[:, slots.item_sizes > 0] >= 0, axis=1)
    order = np.lexsort((*pattern.T[::-1], data.group))
    for group in range(len(data.groups)):
        own = order[data.group[order] == group]
        changes = np.flatnonzero(np.any(np.diff(pattern[own], axis=0) != 0, axis=1)) + 1
        first = 0
        while first < len(own):
            last = min(first + CHUNK, len(own))
            ends = changes[(changes >= first + LEAST_CHUNK) & (changes < last)]
            last = int(ends[0]) if len(ends) else last
            yield group, own[first:last]
            first = last


def _group_scores(layout: Layout, mean: float, sd: float) -> Floats:
    """Derivatives of the log density of the nodes in mean and standard deviation."""
    z = (layout.nodes - mean) / sd
    return np.column_stack([z / sd, (z * z - 1.0) / sd])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Products:
    """What one chunk adds to the sums, and where."""

    columns: NDArray[np.int64]
    within: Floats
    scores: Floats
    squared: Floats

    def add_to(self, sums: StudentSums) -> None:
        """Add the chunk to the sums."""
        place = np.ix_(self.columns, self.columns)
        sums.within[place] += self.within
        sums.scores[place] += self.scores
        sums.squared[place] += self.squared


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """Students of one group and like booklets, and the parameters that their responses inform.

    ``constant`` and ``linear``, of shape (n_basis, n_columns), give all scores from those of the basis: the second is
    multiplied by ability.
    """

    students: NDArray[np.int64]
    items: NDArray[np.int64]
    slot: NDArray[np.int64]
    sizes: NDArray[np.int64]
    columns: NDArray[np.int64]
    group_kept: NDArray[np.int64]
    constant: Floats
    linear: Floats

    @classmethod
    def of(
        cls,
        codes: NDArray[Any],
        students: NDArray[np.int64],
        model: tuple[ItemParameters, Layout],
        slots: Slots,
        group: int,
    ) -> _Chunk:
        """Find the free items that these students met."""
        items, layout = model
        met = np.flatnonzero((codes[students] >= 0).any(axis=0) & (slots.item_sizes > 0))
        sizes = slots.item_sizes[met]
        short = (layout.own_slope & (items.kinds == item_families.PARTIAL_CREDIT))[met]
        basis = sizes - short
        starts = np.concatenate([[0], np.cumsum(basis)]).astype(np.int64)
        columns = [np.arange(size) + slots.item_slots[j] for j, size in zip(met, sizes, strict=True)]
        own = slots.group_slots[group]
        kept = np.flatnonzero(own >= 0)
        shape = (int(basis.sum()) + len(kept), int(sizes.sum()) + len(kept))
        constant, linear = np.zeros(shape), np.zeros(shape)
        column = 0
        for place, (size, row) in enumerate(zip(sizes.tolist(), starts.tolist(), strict=False)):
            own_basis = int(basis[place])
            constant[row : row + own_basis, column : column + own_basis] = np.eye(own_basis)
            if short[place]:
                linear[row : row + own_basis, column + own_basis] = np.arange(1.0, own_basis + 1.0)
            column += size
        constant[shape[0] - len(kept) :, shape[1] - len(kept) :] = np.eye(len(kept))
        return cls(
            students=students,
            items=np.column_stack([met, items.offset[met]]).astype(np.int64),
            slot=starts[:-1],
            sizes=basis.astype(np.int64),
            columns=np.concatenate([*columns, own[kept]]).astype(np.int64),
            group_kept=kept,
            constant=constant,
            linear=linear,
        )

    def products(
        self,
        given: tuple[ResponseData, NDArray[Any]],
        posterior: Floats,
        scores: Floats,
        extra: Floats,
        nodes: Floats,
        *,
        within: bool,
    ) -> _Products:
        """Sum the products of the students' scores over the nodes."""
        data, codes = given
        weight = data.weight[self.students]
        n_basis, n_items = len(self.constant), int(self.sizes.sum())
        moments = np.zeros((3, n_basis, n_basis))
        averages = np.zeros((2, len(self.students), n_basis))
        for q in range(posterior.shape[1]):
            chance = posterior[:, q]
            rows = np.flatnonzero(chance > LEAST_POSTERIOR)
            if not len(rows):
                continue
            part = np.empty((len(rows), n_basis))
            root = np.sqrt(chance[rows])
            partial_credit.fill_scores(
                codes, self.students[rows], self.items, scores[q], (self.slot, self.sizes), root, part
            )
            part[:, n_items:] = root[:, None] * extra[q, self.group_kept]
            mean = root[:, None] * part
            averages[0, rows] += mean
            averages[1, rows] += nodes[q] * mean
            if within:
                part *= np.sqrt(weight[rows])[:, None]
                product = part.T @ part
                for power in range(3):
                    moments[power] += nodes[q] ** power * product
        average = averages[0] @ self.constant + averages[1] @ self.linear
        weighted = average * weight[:, None]
        mixed = self.constant.T @ moments[1] @ self.linear
        square_weight = weight * weight if data.square_weight is None else data.square_weight[self.students]
        return _Products(
            columns=self.columns,
            within=self.constant.T @ moments[0] @ self.constant
            + mixed
            + mixed.T
            + self.linear.T @ moments[2] @ self.linear,
            scores=weighted.T @ average,
            squared=(average * square_weight[:, None]).T @ average,
        )
