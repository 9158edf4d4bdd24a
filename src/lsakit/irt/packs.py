"""Responses as rows of a table of products, and the tables of probabilities at the nodes.

See docs/algorithms/calibration.md, "E-step"; the partly right answers of NAEP are in docs/algorithms/partly_right.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.io.partly_right import PARTLY_RIGHT
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.models import Floats
from lsakit.kernels import item_families, response_packs

LANE = 8


def _no_blends() -> NDArray[np.int64]:
    """Give the blends of responses that are right or wrong."""
    return np.zeros((0, 2), dtype=np.int64)


def _no_shares() -> Floats:
    """Give the shares of responses that are right or wrong."""
    return np.zeros(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packs:
    """Responses as rows of a table of products.

    Parameters
    ----------
    indptr : ndarray of shape (n_students + 1,)
        Where each student's rows begin in ``rows``.
    rows : ndarray of shape (n_filled_packs,)
        Table rows.
    members : ndarray of shape (n_rows, n_most_items)
        Category rows that each table row multiplies; −1 for none.
    n_threads : int, default 1
        Threads that the passes may use; the result does not depend on it.
    blends : ndarray of shape (n_blends, 2), optional
        Category rows (right, wrong) of the items with partly right answers; their own rows follow all category rows.
    shares : ndarray of shape (n_blends,), optional
        How right such an answer is.
    """

    indptr: NDArray[np.int64]
    rows: NDArray[Any]
    members: NDArray[np.int32]
    n_threads: int = 1
    blends: NDArray[np.int64] = field(default_factory=_no_blends)
    shares: Floats = field(default_factory=_no_shares)

    def with_blends(self, table: Floats) -> Floats:
        """Add the rows of partly right answers to a table of probabilities.

        Parameters
        ----------
        table : ndarray of shape (n_categories, n_nodes)
            P(category | theta).

        Returns
        -------
        ndarray of shape (n_categories + n_blends, n_nodes)
            The table with P^f (1 − P)^(1 − f) below it.
        """
        if not len(self.shares):
            return table
        right, wrong = table[self.blends[:, 0]], table[self.blends[:, 1]]
        share = self.shares[:, None]
        return np.vstack([table, right**share * wrong ** (1.0 - share)])

    def without_blends(self, counts: Floats) -> Floats:
        """Count partly right answers as right and wrong ones.

        Parameters
        ----------
        counts : ndarray of shape (n_categories + n_blends, n_nodes)
            Expected counts.

        Returns
        -------
        ndarray of shape (n_categories, n_nodes)
            Expected counts by category.
        """
        if not len(self.shares):
            return counts
        n_categories = len(counts) - len(self.shares)
        out = counts[:n_categories].copy()
        for place, share in enumerate(self.shares.tolist()):
            out[self.blends[place, 0]] += share * counts[n_categories + place]
            out[self.blends[place, 1]] += (1.0 - share) * counts[n_categories + place]
        return out


def pack_responses(
    codes: NDArray[np.int8],
    n_steps: NDArray[np.int64],
    *,
    partly: Floats | None = None,
    n_threads: int = 1,
) -> Packs:
    """Pack neighbouring items together, up to sixty-four codes a pack.

    Parameters
    ----------
    codes : ndarray of shape (n_students, n_items)
        Scores; −1 where not administered, −2 where partly right.
    n_steps : ndarray of shape (n_items,)
        Highest score of each item.
    partly : ndarray of shape (n_items,), optional
        How right a partly right answer to each item is; 0 where there are none.
    n_threads : int, default 1
        Threads that the passes over the packs may use.

    Returns
    -------
    Packs
        The packed responses.
    """
    has_blend = np.zeros(len(n_steps), dtype=bool) if partly is None else np.asarray(partly > 0.0)
    radix = n_steps + 2 + has_blend
    start = [0]
    size = 1
    for item, own in enumerate(radix.tolist()):
        if size > 1 and size * own > response_packs.MOST_PACKED_ROWS:
            start.append(item)
            size = 1
        size *= own
    start.append(len(radix))
    offset = np.concatenate([[0], np.cumsum(n_steps + 1)[:-1]])
    blended = np.flatnonzero(has_blend)
    beyond = np.full(len(radix), -1, dtype=np.int64)
    beyond[blended] = int((n_steps + 1).sum()) + np.arange(len(blended))
    stride = np.ones(len(radix), dtype=np.int64)
    row_offset, members = [0], []
    width = max(stop - begin for begin, stop in pairwise(start))
    for begin, stop in pairwise(start):
        own_radix = radix[begin:stop]
        stride[begin:stop] = np.concatenate([[1], np.cumprod(own_radix)[:-1]])
        code = np.arange(int(own_radix.prod()))
        digit = code[:, None] // stride[begin:stop] % own_radix
        block = np.full((len(code), width), -1, dtype=np.int32)
        own = np.where(digit > 0, offset[begin:stop] + digit - 1, -1)
        block[:, : stop - begin] = np.where(digit > n_steps[begin:stop] + 1, beyond[begin:stop], own)
        members.append(block)
        row_offset.append(row_offset[-1] + len(code))
    if len(blended):
        codes = np.where(codes == PARTLY_RIGHT, (n_steps + 1).astype(np.int8), codes)
    pack_start = np.array(start, dtype=np.int64)
    indptr = response_packs.count_packs(codes, pack_start)
    small = np.uint16 if row_offset[-1] <= np.iinfo(np.uint16).max else np.int32
    rows = np.empty(int(indptr[-1]), dtype=small)
    response_packs.list_pack_rows(
        codes, pack_start, stride, np.array(row_offset, dtype=np.int64), indptr, rows
    )
    return Packs(
        indptr=indptr,
        rows=rows,
        members=np.concatenate(members),
        n_threads=n_threads,
        blends=np.column_stack([offset[blended] + 1, offset[blended]]).astype(np.int64),
        shares=np.zeros(0) if partly is None else np.asarray(partly[blended], dtype=np.float64),
    )


def normal_prior(nodes: Floats, mean: Floats, sd: Floats) -> Floats:
    """Put normal densities on the nodes.

    Parameters
    ----------
    nodes : ndarray of shape (n_nodes,)
        Equally spaced nodes, logits.
    mean : ndarray of shape (n_groups,)
        Group means, logits.
    sd : ndarray of shape (n_groups,)
        Group standard deviations, logits.

    Returns
    -------
    ndarray of shape (n_groups, n_nodes)
        Probabilities, each row summing to one.
    """
    z = (nodes - mean[:, None]) / sd[:, None]
    raised = np.exp(-0.5 * z * z)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def pad(array: Floats, n_columns: int) -> Floats:
    """Add columns of zeros up to a number.

    Parameters
    ----------
    array : ndarray of shape (n_rows, n_nodes)
        The array.
    n_columns : int
        Columns wanted.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        A contiguous copy.
    """
    out = np.zeros((array.shape[0], n_columns))
    out[:, : array.shape[1]] = array
    return out


def probability_table(items: ItemParameters, nodes: Floats) -> Floats:
    """Compute P(category | theta) of all items at the nodes.

    Parameters
    ----------
    items : ItemParameters
        The items.
    nodes : ndarray of shape (n_nodes,)
        Abilities, logits.

    Returns
    -------
    ndarray of shape (n_categories, n_nodes)
        One row per item category, items in order.
    """
    out = np.empty((items.n_categories, len(nodes)))
    response_packs.fill_category_table(items.slope, items.intercepts, items.n_steps, items.offset, nodes, out)
    beyond = items.beyond
    if len(beyond):
        form = (items.kinds, items.offset, items.n_steps)
        item_families.fill_family_table(beyond, form, items.native, nodes, out)
    return out


def packed_table(packs: Packs, items: ItemParameters, nodes: Floats) -> Floats:
    """Multiply category probabilities into one table row per pack code, padded to whole lanes.

    Parameters
    ----------
    packs : Packs
        The packing.
    items : ItemParameters
        The items.
    nodes : ndarray of shape (n_nodes,)
        Abilities, logits.

    Returns
    -------
    ndarray of shape (n_rows, n_padded_nodes)
        Products; the padding meets a prior of zero.
    """
    wide = -(-len(nodes) // LANE) * LANE
    table = np.empty((packs.members.shape[0], wide))
    categories = packs.with_blends(probability_table(items, nodes))
    response_packs.expand_table(packs.members, pad(categories, wide), table)
    return table
