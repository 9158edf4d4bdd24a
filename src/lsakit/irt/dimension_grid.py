"""The EM map over a product grid of two to four dimensions.

Given ability the dimensions are independent, so a student's likelihood is a product of one vector per dimension; the
prior of his group, a normal on the grid, joins them. See docs/algorithms/several_dimensions.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from lsakit.irt.em import Expectation, Layout, maximise
from lsakit.irt.item_parameters import ItemParameters, take_items
from lsakit.irt.models import Floats
from lsakit.irt.packs import LANE, Packs, pack_responses, packed_table
from lsakit.irt.response_data import ResponseData
from lsakit.kernels import dimension_passes, response_packs
from lsakit.kernels.item_families import NOMINAL

MOST_CELLS = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionState:
    """Items and group distributions.

    Parameters
    ----------
    items : ItemParameters
        All items.
    mean : ndarray of shape (n_groups, n_dimensions)
        Group means, logits.
    covariance : ndarray of shape (n_groups, n_dimensions, n_dimensions)
        Group covariances, squared logits.
    """

    items: ItemParameters
    mean: Floats
    covariance: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Items, dimensions and groups, and what is free.

    Parameters
    ----------
    data : ResponseData
        The responses.
    layout : Layout
        The items; its groups are not used.
    names : tuple of str
        Names of the dimensions.
    of_item : ndarray of shape (n_items,)
        Dimension of each item.
    free_mean : ndarray of shape (n_groups, n_dimensions)
        Whether each mean is estimated.
    standard : ndarray of shape (n_dimensions,)
        Whether the reference group has standard deviation 1.
    reference : int
        Place of the reference group.
    packs : tuple of Packs
        Responses of each dimension.
    """

    data: ResponseData
    layout: Layout
    names: tuple[str, ...]
    of_item: NDArray[np.int64]
    free_mean: NDArray[np.bool_]
    standard: NDArray[np.bool_]
    reference: int
    packs: tuple[Packs, ...]

    @classmethod
    def of(
        cls,
        data: ResponseData,
        layout: Layout,
        *,
        names: tuple[str, ...],
        of_item: NDArray[np.int64],
        free_mean: NDArray[np.bool_],
        standard: NDArray[np.bool_],
        reference: int,
    ) -> Space:
        """Pack the responses of each dimension.

        Parameters
        ----------
        data : ResponseData
            The responses.
        layout : Layout
            The items.
        names : tuple of str
            Names of the dimensions.
        of_item : ndarray of shape (n_items,)
            Dimension of each item.
        free_mean : ndarray of shape (n_groups, n_dimensions)
            Whether each mean is estimated.
        standard : ndarray of shape (n_dimensions,)
            Whether the reference group has standard deviation 1.
        reference : int
            Place of the reference group.

        Returns
        -------
        Space
            The space.
        """
        steps = layout.start.n_steps
        packs = tuple(
            pack_responses(np.ascontiguousarray(data.codes[:, of_item == d]), steps[of_item == d])
            for d in range(len(names))
        )
        return cls(
            data=data,
            layout=layout,
            names=names,
            of_item=of_item,
            free_mean=free_mean,
            standard=standard,
            reference=reference,
            packs=packs,
        )

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Pairs of dimensions."""
        return list(combinations(range(len(self.names)), 2))

    @property
    def n_items_free(self) -> int:
        """Number of free item parameters."""
        return len(self.layout.first())

    @property
    def free_sd(self) -> NDArray[np.bool_]:
        """Mask of shape (n_groups, n_dimensions): the standard deviations that are estimated."""
        out = np.ones(self.free_mean.shape, dtype=bool)
        out[self.reference] = ~self.standard
        return out

    @property
    def n_free(self) -> int:
        """Number of estimated parameters."""
        n_correlations = len(self.data.groups) * len(self.pairs)
        return self.n_items_free + int(self.free_mean.sum()) + int(self.free_sd.sum()) + n_correlations

    def first(self) -> Floats:
        """Give the vector at which the iteration starts: means 0, spreads 1, correlations one half.

        Returns
        -------
        ndarray of shape (n_vector,)
            Items, free means, and the logarithmic lower root of each covariance.
        """
        n_dimensions = len(self.names)
        matrix = np.full((n_dimensions, n_dimensions), 0.5) + 0.5 * np.eye(n_dimensions)
        n_groups = len(self.data.groups)
        return self.pack(
            self.layout.first(), np.zeros(self.free_mean.shape), np.repeat(matrix[None], n_groups, axis=0)
        )

    def pack(self, items: Floats, mean: Floats, covariance: Floats) -> Floats:
        """Join items, means and covariances into one vector.

        Parameters
        ----------
        items : ndarray of shape (n_free_items,)
            Vector of the items.
        mean : ndarray of shape (n_groups, n_dimensions)
            Group means, logits.
        covariance : ndarray of shape (n_groups, n_dimensions, n_dimensions)
            Group covariances, squared logits.

        Returns
        -------
        ndarray of shape (n_vector,)
            The vector.
        """
        roots = np.linalg.cholesky(covariance)
        lower = np.tril_indices(len(self.names), -1)
        parts = [items, mean[self.free_mean]]
        for root in roots:
            parts += [np.log(np.diag(root)), root[lower]]
        return np.concatenate(parts)

    def unpack(self, vector: Floats) -> DimensionState:
        """Split a vector; the inverse of `pack`.

        Parameters
        ----------
        vector : ndarray of shape (n_vector,)
            The vector.

        Returns
        -------
        DimensionState
            Items and groups.
        """
        n_items, n_means = self.n_items_free, int(self.free_mean.sum())
        mean = np.zeros(self.free_mean.shape)
        mean[self.free_mean] = vector[n_items : n_items + n_means]
        n_dimensions = len(self.names)
        lower = np.tril_indices(n_dimensions, -1)
        rest = vector[n_items + n_means :].reshape(len(self.data.groups), -1)
        roots = np.zeros((len(rest), n_dimensions, n_dimensions))
        for root, part in zip(roots, rest, strict=True):
            root[np.diag_indices(n_dimensions)] = np.exp(part[:n_dimensions])
            root[lower] = part[n_dimensions:]
        items = self.layout.unpack(vector[:n_items])[0]
        return DimensionState(items=items, mean=mean, covariance=roots @ roots.transpose(0, 2, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionExpectation:
    """What one pass over the students gives.

    Parameters
    ----------
    loglik : float
        Log-likelihood.
    counts : ndarray of shape (n_categories, n_nodes)
        Expected weighted responses per category and node of the item's dimension.
    number : ndarray of shape (n_groups,)
        Sums of weights.
    first : ndarray of shape (n_groups, n_dimensions)
        Weighted sums of posterior means.
    second : ndarray of shape (n_groups, n_dimensions, n_dimensions)
        Weighted sums of posterior second moments about zero.
    """

    loglik: float
    counts: Floats
    number: Floats
    first: Floats
    second: Floats


def grid_prior(nodes: Floats, mean: Floats, covariance: Floats) -> Floats:
    """Put a normal density on the product grid.

    Parameters
    ----------
    nodes : ndarray of shape (n_nodes,)
        Nodes of each dimension, logits.
    mean : ndarray of shape (n_dimensions,)
        Means, logits.
    covariance : ndarray of shape (n_dimensions, n_dimensions)
        Covariances, squared logits.

    Returns
    -------
    ndarray of shape (n_nodes ** (n_dimensions - 1), n_nodes)
        Probabilities that sum to one; the last dimension runs along the columns.
    """
    n_dimensions = len(mean)
    axes = np.meshgrid(*([nodes] * n_dimensions), indexing="ij")
    away = np.stack([axis.ravel() for axis in axes], axis=1) - mean
    z = np.linalg.solve(np.linalg.cholesky(covariance), away.T)
    raised = np.exp(-0.5 * (z * z).sum(axis=0))
    return np.asarray((raised / raised.sum()).reshape(-1, len(nodes)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """Posterior moments of some students of one group.

    Parameters
    ----------
    students : ndarray of shape (n_students,)
        Their places.
    loglik : ndarray of shape (n_students,)
        Log marginal likelihoods.
    marginals : tuple of ndarray of shape (n_students, n_nodes)
        Posterior of each dimension over its nodes.
    mean : ndarray of shape (n_students, n_dimensions)
        Posterior means, logits.
    second : ndarray of shape (n_students, n_dimensions, n_dimensions)
        Posterior second moments about zero, squared logits.
    """

    students: NDArray[np.int64]
    loglik: Floats
    marginals: tuple[Floats, ...]
    mean: Floats
    second: Floats


def chunks_of_group(space: Space, group: int) -> list[NDArray[np.int64]]:
    """Split the students of a group so that the product grid of a chunk fits in memory.

    Parameters
    ----------
    space : Space
        The students.
    group : int
        Place of the group.

    Returns
    -------
    list of ndarray of shape (n_chunk,)
        Places of students.
    """
    own = np.flatnonzero(space.data.group == group)
    cells = len(space.layout.nodes) ** (len(space.names) - 1)
    step = max(64, MOST_CELLS // cells)
    return [own[first : first + step] for first in range(0, len(own), step)]


def posterior_of(space: Space, tables: list[Floats], prior: Floats, students: NDArray[np.int64]) -> Posterior:
    """Integrate over the product grid.

    Parameters
    ----------
    space : Space
        Items and dimensions.
    tables : list of ndarray of shape (n_rows, n_padded_nodes)
        Packed table of each dimension.
    prior : ndarray of shape (n_nodes ** (n_dimensions - 1), n_nodes)
        Prior of the students' group.
    students : ndarray of shape (n_students,)
        Their places.

    Returns
    -------
    Posterior
        Log-likelihoods, marginals and moments.
    """
    nodes = space.layout.nodes
    n, n_nodes, n_dimensions = len(students), len(nodes), len(space.names)
    logs = np.zeros(n)
    own = []
    for table, packs in zip(tables, space.packs, strict=True):
        ones = np.zeros(table.shape[1])
        ones[:n_nodes] = 1.0
        out = np.empty((n, n_nodes))
        size = (0,) * table.shape[1]
        dimension_passes.likelihood_pass((packs.indptr, packs.rows), table, ones, size, students, out, logs)
        own.append(out)
    outer = own[0]
    for more in own[1:-1]:
        outer = (outer[:, :, None] * more[:, None, :]).reshape(n, -1)
    last = own[-1]
    joint = outer * (last @ prior.T)
    total = joint.sum(axis=1)
    joint /= total[:, None]
    last_marginal = last * (outer @ prior) / total[:, None]
    with_last = outer * ((last * nodes) @ prior.T) / total[:, None]
    shape = (n, *([n_nodes] * (n_dimensions - 1)))
    marginals, mean = [], np.empty((n, n_dimensions))
    second = np.empty((n, n_dimensions, n_dimensions))
    spread, crossed = joint.reshape(shape), with_last.reshape(shape)
    axes = range(1, n_dimensions)
    for d in range(n_dimensions - 1):
        others = tuple(axis for axis in axes if axis != d + 1)
        marginals.append(spread.sum(axis=others))
        second[:, d, -1] = second[:, -1, d] = crossed.sum(axis=others) @ nodes
        for e in range(d + 1, n_dimensions - 1):
            pair = spread.sum(axis=tuple(axis for axis in axes if axis not in (d + 1, e + 1)))
            second[:, d, e] = second[:, e, d] = np.einsum("ipq,p,q->i", pair, nodes, nodes)
    marginals.append(last_marginal)
    for d, marginal in enumerate(marginals):
        mean[:, d] = marginal @ nodes
        second[:, d, d] = marginal @ (nodes * nodes)
    return Posterior(
        students=students,
        loglik=logs + np.log(total),
        marginals=tuple(marginals),
        mean=mean,
        second=second,
    )


def packed_tables(space: Space, items: ItemParameters) -> list[Floats]:
    """Multiply the category probabilities of each dimension into its packed table.

    Parameters
    ----------
    space : Space
        Items and dimensions.
    items : ItemParameters
        The items.

    Returns
    -------
    list of ndarray of shape (n_rows, n_padded_nodes)
        One table per dimension.
    """
    return [
        packed_table(packs, take_items(items, np.flatnonzero(space.of_item == d)), space.layout.nodes)
        for d, packs in enumerate(space.packs)
    ]


def expect_dimensions(space: Space, state: DimensionState) -> DimensionExpectation:
    """Run the expectation step.

    Parameters
    ----------
    space : Space
        Items, dimensions and groups.
    state : DimensionState
        The parameters.

    Returns
    -------
    DimensionExpectation
        Log-likelihood, counts and moments.
    """
    nodes = space.layout.nodes
    tables = packed_tables(space, state.items)
    filled = [np.zeros_like(table) for table in tables]
    n_groups, n_dimensions = state.mean.shape
    number, first = np.zeros(n_groups), np.zeros((n_groups, n_dimensions))
    second = np.zeros((n_groups, n_dimensions, n_dimensions))
    loglik = 0.0
    for g in range(n_groups):
        prior = grid_prior(nodes, state.mean[g], state.covariance[g])
        for students in chunks_of_group(space, g):
            found = posterior_of(space, tables, prior, students)
            weight = space.data.weight[students]
            loglik += float(weight @ found.loglik)
            number[g] += weight.sum()
            first[g] += weight @ found.mean
            second[g] += np.einsum("i,ide->de", weight, found.second)
            for packs, counts, marginal in zip(space.packs, filled, found.marginals, strict=True):
                weighted = marginal * weight[:, None]
                dimension_passes.count_pass((packs.indptr, packs.rows), students, weighted, counts)
    return DimensionExpectation(
        loglik=loglik,
        counts=_fold(space, state.items, filled),
        number=number,
        first=first,
        second=second,
    )


def _fold(space: Space, items: ItemParameters, filled: list[Floats]) -> Floats:
    """Fold the counts of packed rows to categories of all items in their order."""
    n_nodes = len(space.layout.nodes)
    out = np.zeros((items.n_categories, n_nodes))
    for d, (packs, counts) in enumerate(zip(space.packs, filled, strict=True)):
        places = np.flatnonzero(space.of_item == d)
        rows = np.concatenate(
            [np.arange(items.offset[j], items.offset[j] + items.n_steps[j] + 1) for j in places]
        )
        folded = np.zeros((len(rows), -(-n_nodes // LANE) * LANE))
        response_packs.fold_counts(packs.members, counts, folded)
        out[rows] = folded[:, :n_nodes]
    return out


def maximise_dimensions(space: Space, found: DimensionExpectation, vector: Floats) -> Floats:
    """Run the maximisation step; where the reference group has unit spread, its units go into the slopes.

    Parameters
    ----------
    space : Space
        Items, dimensions and groups.
    found : DimensionExpectation
        Counts and moments.
    vector : ndarray of shape (n_vector,)
        Parameters of the expectation step.

    Returns
    -------
    ndarray of shape (n_vector,)
        Parameters of the next one.
    """
    n_items = space.n_items_free
    counted = Expectation(
        loglik=found.loglik, counts=found.counts, mass=np.ones((1, len(space.layout.nodes)))
    )
    own = maximise(counted, space.layout, vector[:n_items])
    average = found.first / found.number[:, None]
    mean = np.where(space.free_mean, average, 0.0)
    about = found.second / found.number[:, None, None]
    covariance = (
        about
        - mean[:, :, None] * average[:, None, :]
        - average[:, :, None] * mean[:, None, :]
        + mean[:, :, None] * mean[:, None, :]
    )
    covariance = _kept_positive(covariance, float(space.layout.nodes[1] - space.layout.nodes[0]))
    unit = np.where(space.standard, np.sqrt(np.diagonal(covariance[space.reference])), 1.0)
    return space.pack(
        rescale_slopes(space, own, unit), mean / unit, covariance / (unit[:, None] * unit[None, :])
    )


def _kept_positive(covariance: Floats, spacing: float) -> Floats:
    """Lift covariances that are singular to the digits of the grid; others stay as they are."""
    least = (0.05 * spacing) ** 2
    flat = np.linalg.eigvalsh(covariance)[:, 0] < 1e-3 * least
    return np.where(flat[:, None, None], covariance + least * np.eye(covariance.shape[1]), covariance)


def rescale_slopes(space: Space, vector: Floats, unit: Floats) -> Floats:
    """Multiply the slopes of each dimension by its unit.

    Parameters
    ----------
    space : Space
        Items and dimensions.
    vector : ndarray of shape (n_free_items,)
        Vector of the items.
    unit : ndarray of shape (n_dimensions,)
        Units, logits.

    Returns
    -------
    ndarray of shape (n_free_items,)
        The vector with new slopes.
    """
    items, mean, sd = space.layout.unpack(vector)
    native = items.native
    kinds = items.kinds
    moved = np.flatnonzero(space.standard[space.of_item])
    for item in moved.tolist():
        steps = int(items.n_steps[item])
        stop = 2 * steps if kinds[item] == NOMINAL else steps + 1
        native[item, steps:stop] *= unit[space.of_item[item]]
    return space.layout.pack(items.with_native(native, moved), mean, sd, vector[_shared(space)])


def _shared(space: Space) -> slice:
    """Find the shared parameters in the vector of the items."""
    sizes = space.layout.sizes
    return slice(sum(sizes[:3]), sum(sizes[:4]))
