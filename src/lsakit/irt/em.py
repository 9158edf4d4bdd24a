"""The EM map of marginal maximum likelihood: packs, expectation, maximisation.

One map serves every model of the partial credit family, any number of groups and any booklets. See
docs/algorithms/calibration.md for the derivation and the references.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.models import Floats
from lsakit.irt.response_data import ResponseData
from lsakit.kernels import partial_credit, response_packs

LANE = 8


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
    """

    indptr: NDArray[np.int64]
    rows: NDArray[np.int32]
    members: NDArray[np.int32]


def pack_responses(codes: NDArray[np.int8], n_steps: NDArray[np.int64]) -> Packs:
    """Pack neighbouring items together, up to sixty-four codes a pack.

    Parameters
    ----------
    codes : ndarray of shape (n_students, n_items)
        Scores; −1 where not administered.
    n_steps : ndarray of shape (n_items,)
        Highest score of each item.

    Returns
    -------
    Packs
        The packed responses.
    """
    radix = n_steps + 2
    start = [0]
    size = 1
    for item, own in enumerate(radix.tolist()):
        if size > 1 and size * own > response_packs.MOST_PACKED_ROWS:
            start.append(item)
            size = 1
        size *= own
    start.append(len(radix))
    offset = np.concatenate([[0], np.cumsum(n_steps + 1)[:-1]])
    stride = np.ones(len(radix), dtype=np.int64)
    row_offset, members = [0], []
    width = max(stop - begin for begin, stop in pairwise(start))
    for begin, stop in pairwise(start):
        own_radix = radix[begin:stop]
        stride[begin:stop] = np.concatenate([[1], np.cumprod(own_radix)[:-1]])
        code = np.arange(int(own_radix.prod()))
        digit = code[:, None] // stride[begin:stop] % own_radix
        block = np.full((len(code), width), -1, dtype=np.int32)
        block[:, : stop - begin] = np.where(digit > 0, offset[begin:stop] + digit - 1, -1)
        members.append(block)
        row_offset.append(row_offset[-1] + len(code))
    pack_start = np.array(start, dtype=np.int64)
    indptr = response_packs.count_packs(codes, pack_start)
    rows = response_packs.list_pack_rows(
        codes, pack_start, stride, np.array(row_offset, dtype=np.int64), indptr
    )
    return Packs(indptr=indptr, rows=rows, members=np.concatenate(members))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What is estimated, and where it stands in the vector of free parameters.

    Parameters
    ----------
    start : ItemParameters
        First item parameters; fixed ones stay.
    free_slope : ndarray of shape (n_items,)
        Whether each slope is estimated.
    free_intercepts : ndarray of shape (n_items,)
        Whether each item's intercepts are estimated.
    free_mean : ndarray of shape (n_groups,)
        Whether each group's mean is estimated.
    free_sd : ndarray of shape (n_groups,)
        Whether each group's standard deviation is estimated.
    nodes : ndarray of shape (n_nodes,)
        Quadrature nodes, logits.
    """

    start: ItemParameters
    free_slope: NDArray[np.bool_]
    free_intercepts: NDArray[np.bool_]
    free_mean: NDArray[np.bool_]
    free_sd: NDArray[np.bool_]
    nodes: Floats

    @property
    def own_steps(self) -> NDArray[np.bool_]:
        """Mask of shape (n_items, n_most_steps): the intercepts that are estimated."""
        steps = np.arange(self.start.intercepts.shape[1]) < self.start.n_steps[:, None]
        return np.asarray(steps & self.free_intercepts[:, None])

    def pack(self, items: ItemParameters, mean: Floats, sd: Floats) -> Floats:
        """Join the free parameters into one vector: slopes, intercepts, means, log standard deviations.

        Parameters
        ----------
        items : ItemParameters
            The items.
        mean : ndarray of shape (n_groups,)
            Group means, logits.
        sd : ndarray of shape (n_groups,)
            Group standard deviations, logits.

        Returns
        -------
        ndarray of shape (n_free,)
            The vector.
        """
        return np.concatenate(
            [
                items.slope[self.free_slope],
                items.intercepts[self.own_steps],
                mean[self.free_mean],
                np.log(sd[self.free_sd]),
            ]
        )

    def unpack(self, vector: Floats) -> tuple[ItemParameters, Floats, Floats]:
        """Split a vector of free parameters; the inverse of `pack`.

        Parameters
        ----------
        vector : ndarray of shape (n_free,)
            The vector.

        Returns
        -------
        items : ItemParameters
            The items.
        mean : ndarray of shape (n_groups,)
            Group means, logits.
        sd : ndarray of shape (n_groups,)
            Group standard deviations, logits.
        """
        sizes = [int(self.free_slope.sum()), int(self.own_steps.sum()), int(self.free_mean.sum())]
        slopes, intercepts, means, log_sds = np.split(vector, np.cumsum(sizes))
        slope, table = self.start.slope.copy(), self.start.intercepts.copy()
        mean, sd = np.zeros(len(self.free_mean)), np.ones(len(self.free_sd))
        slope[self.free_slope] = slopes
        table[self.own_steps] = intercepts
        mean[self.free_mean] = means
        sd[self.free_sd] = np.exp(log_sds)
        old = self.start
        items = ItemParameters(
            names=old.names, models=old.models, n_steps=old.n_steps, slope=slope, intercepts=table
        )
        return items, mean, sd


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What one pass over the students gives.

    Parameters
    ----------
    loglik : float
        Log-likelihood.
    counts : ndarray of shape (n_categories, n_nodes)
        Expected weighted number of responses per category and node.
    mass : ndarray of shape (n_groups, n_nodes)
        Expected weighted number of students per group and node.
    """

    loglik: float
    counts: Floats
    mass: Floats


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
    response_packs.expand_table(packs.members, pad(probability_table(items, nodes), wide), table)
    return table


def expect(
    data: ResponseData, packs: Packs, items: ItemParameters, mean: Floats, sd: Floats, nodes: Floats
) -> Expectation:
    """Run the expectation step.

    Parameters
    ----------
    data : ResponseData
        The responses.
    packs : Packs
        Their packing.
    items : ItemParameters
        The items.
    mean : ndarray of shape (n_groups,)
        Group means, logits.
    sd : ndarray of shape (n_groups,)
        Group standard deviations, logits.
    nodes : ndarray of shape (n_nodes,)
        Quadrature nodes, logits.

    Returns
    -------
    Expectation
        Log-likelihood and expected counts.
    """
    table = packed_table(packs, items, nodes)
    wide = table.shape[1]
    prior = pad(normal_prior(nodes, mean, sd), wide)
    counts, mass = np.zeros_like(table), np.zeros_like(prior)
    size = (0,) * wide
    loglik = response_packs.expectation_pass(
        (packs.indptr, packs.rows), table, prior, (data.group, data.weight), size, counts, mass
    )
    folded = np.zeros((items.n_categories, wide))
    response_packs.fold_counts(packs.members, counts, folded)
    kept = len(nodes)
    return Expectation(
        loglik=float(loglik),
        counts=np.ascontiguousarray(folded[:, :kept]),
        mass=np.ascontiguousarray(mass[:, :kept]),
    )


def maximise(found: Expectation, layout: Layout, vector: Floats) -> Floats:
    """Run the maximisation step from the parameters of the expectation step.

    Parameters
    ----------
    found : Expectation
        Expected counts.
    layout : Layout
        What is free.
    vector : ndarray of shape (n_free,)
        Parameters of the expectation step.

    Returns
    -------
    ndarray of shape (n_free,)
        Parameters of the next one.
    """
    items, mean, sd = layout.unpack(vector)
    partial_credit.maximise_items(
        found.counts,
        (items.offset, items.n_steps),
        layout.nodes,
        items.slope,
        items.intercepts,
        (layout.free_slope, layout.free_intercepts),
    )
    number = found.mass.sum(axis=1)
    average = found.mass @ layout.nodes / number
    mean = np.where(layout.free_mean, average, mean)
    deviation = (found.mass * (layout.nodes - mean[:, None]) ** 2).sum(axis=1) / number
    least = 0.05 * float(layout.nodes[1] - layout.nodes[0])  # below it no node would carry any mass
    sd = np.where(layout.free_sd, np.maximum(np.sqrt(deviation), least), sd)
    return layout.pack(items, mean, sd)
