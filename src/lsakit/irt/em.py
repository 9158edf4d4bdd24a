"""The EM map of marginal maximum likelihood: packs, expectation, maximisation.

One map serves every model of the partial credit family, any number of groups and any booklets. See
docs/algorithms/calibration.md for the derivation and the references.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.models import Floats
from lsakit.irt.packs import Packs, normal_prior, packed_table, pad
from lsakit.irt.response_data import ResponseData
from lsakit.irt.shared_parameters import Binding, ItemCounts, maximise_shared
from lsakit.kernels import item_families, partial_credit, response_packs

BLOCK = 32_768


def _no_items() -> NDArray[np.bool_]:
    """Give the mask of a layout whose items all take the short way."""
    return np.zeros((0, 0), dtype=bool)


def _no_priors() -> Floats:
    """Give the priors of a layout without any."""
    return np.zeros((0, 0, 3))


def _no_groups() -> Floats:
    """Give the group moments of a layout whose groups start at 0 and 1."""
    return np.zeros((0, 2))


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
    native_free : ndarray of shape (n_items, n_most_native), optional
        Free native parameters of the items that take the long way: other models than the partial credit family, or
        with priors. Empty where there are none.
    bindings : tuple of Binding, optional
        Items that share parameters.
    priors : ndarray of shape (n_items, n_most_native, 3), optional
        Prior of each native parameter; empty without priors.
    first_groups : ndarray of shape (n_groups, 2), optional
        Means and standard deviations at which the groups start, logits; empty for 0 and 1.
    """

    start: ItemParameters
    free_slope: NDArray[np.bool_]
    free_intercepts: NDArray[np.bool_]
    free_mean: NDArray[np.bool_]
    free_sd: NDArray[np.bool_]
    nodes: Floats
    native_free: NDArray[np.bool_] = field(default_factory=_no_items)
    bindings: tuple[Binding, ...] = ()
    priors: Floats = field(default_factory=_no_priors)
    first_groups: Floats = field(default_factory=_no_groups)

    @property
    def long_way(self) -> NDArray[np.int64]:
        """Places of the items whose native parameters are free one by one."""
        return np.flatnonzero(self.native_free.any(axis=1)).astype(np.int64)

    @property
    def bound(self) -> NDArray[np.int64]:
        """Places of the items that share parameters."""
        return np.array([item for binding in self.bindings for item in binding.items], dtype=np.int64)

    @property
    def plain(self) -> NDArray[np.bool_]:
        """Mask of shape (n_items,): items of the partial credit family with parameters of their own."""
        out = np.ones(len(self.start.names), dtype=bool)
        out[self.long_way] = False
        out[self.bound] = False
        return out

    @property
    def own_slope(self) -> NDArray[np.bool_]:
        """Mask of shape (n_items,): the slopes that are estimated on the short way."""
        return np.asarray(self.free_slope & self.plain)

    @property
    def own_steps(self) -> NDArray[np.bool_]:
        """Mask of shape (n_items, n_most_steps): the intercepts that are estimated on the short way."""
        steps = np.arange(self.start.intercepts.shape[1]) < self.start.n_steps[:, None]
        return np.asarray(steps & (self.free_intercepts & self.plain)[:, None])

    @property
    def sizes(self) -> tuple[int, ...]:
        """Lengths of the parts of the vector: slopes, intercepts, native, shared, means, log deviations."""
        return (
            int(self.own_slope.sum()),
            int(self.own_steps.sum()),
            int(self.native_free.sum()),
            sum(len(binding.start) for binding in self.bindings),
            int(self.free_mean.sum()),
            int(self.free_sd.sum()),
        )

    def first(self) -> Floats:
        """Give the vector at which the iteration starts.

        Returns
        -------
        ndarray of shape (n_free,)
            Start values of the items, shared parameters and groups.
        """
        shared = [binding.start for binding in self.bindings]
        groups = self.first_groups
        if not len(groups):
            groups = np.tile([0.0, 1.0], (len(self.free_mean), 1))
        return self.pack(self.start, groups[:, 0], groups[:, 1], np.concatenate([[], *shared]))

    def shared_parts(self, vector: Floats) -> list[Floats]:
        """Take the shared parameters of each binding.

        Parameters
        ----------
        vector : ndarray of shape (n_free,)
            The vector.

        Returns
        -------
        list of ndarray of shape (n_shared,)
            Shared parameters.
        """
        begin = sum(self.sizes[:3])
        out = []
        for binding in self.bindings:
            out.append(vector[begin : begin + len(binding.start)])
            begin += len(binding.start)
        return out

    def pack(self, items: ItemParameters, mean: Floats, sd: Floats, shared: Floats | None = None) -> Floats:
        """Join the free parameters into one vector.

        Parameters
        ----------
        items : ItemParameters
            The items.
        mean : ndarray of shape (n_groups,)
            Group means, logits.
        sd : ndarray of shape (n_groups,)
            Group standard deviations, logits.
        shared : ndarray of shape (n_shared,), optional
            Shared parameters of all bindings.

        Returns
        -------
        ndarray of shape (n_free,)
            Slopes, intercepts, native and shared parameters, means, log standard deviations.
        """
        parts = [items.slope[self.own_slope], items.intercepts[self.own_steps]]
        if self.native_free.size:
            parts.append(items.native[self.native_free])
        if shared is not None:
            parts.append(shared)
        return np.concatenate([*parts, mean[self.free_mean], np.log(sd[self.free_sd])])

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
        slopes, intercepts, natives, _, means, log_sds = np.split(vector, np.cumsum(self.sizes[:-1]))
        slope, table = self.start.slope.copy(), self.start.intercepts.copy()
        mean, sd = np.zeros(len(self.free_mean)), np.ones(len(self.free_sd))
        slope[self.own_slope] = slopes
        table[self.own_steps] = intercepts
        mean[self.free_mean] = means
        sd[self.free_sd] = np.exp(log_sds)
        items = replace(self.start, slope=slope, intercepts=table)
        if self.native_free.size or self.bindings:
            native = self.start.native
            native[: len(self.native_free)][self.native_free] = natives
            for binding, shared in zip(self.bindings, self.shared_parts(vector), strict=True):
                binding.native(shared, native)
            items = items.with_native(native, np.concatenate([self.long_way, self.bound]))
        return items, mean, sd


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

    Notes
    -----
    Students are taken in blocks of 32,768, each by one thread, and the blocks are summed in their order: the result
    does not depend on the number of threads.
    """
    table = packed_table(packs, items, nodes)
    wide = table.shape[1]
    prior = pad(normal_prior(nodes, mean, sd), wide)
    size = (0,) * wide

    def one(first: int) -> tuple[float, Floats, Floats]:
        counts, mass = np.zeros_like(table), np.zeros_like(prior)
        here = slice(first, first + BLOCK)
        loglik = response_packs.expectation_pass(
            (packs.indptr[first : first + BLOCK + 1], packs.rows),
            table,
            prior,
            (data.group[here], data.weight[here]),
            size,
            counts,
            mass,
        )
        return float(loglik), counts, mass

    starts = range(0, len(data.weight), BLOCK)
    if len(starts) > 1 and packs.n_threads > 1:
        with ThreadPoolExecutor(packs.n_threads) as pool:
            parts = list(pool.map(one, starts))
    else:
        parts = [one(first) for first in starts]
    loglik, counts, mass = parts[0]
    for more in parts[1:]:
        loglik += more[0]
        counts += more[1]
        mass += more[2]
    folded = np.zeros((items.n_categories + len(packs.shares), wide))
    response_packs.fold_counts(packs.members, counts, folded)
    folded = packs.without_blends(folded)
    kept = len(nodes)
    return Expectation(
        loglik=loglik,
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
        (layout.free_slope, layout.free_intercepts & layout.plain),
    )
    shared = None
    if layout.native_free.size or layout.bindings:
        items, shared = _maximise_long_way(found, layout, items, vector)
    number = found.mass.sum(axis=1)
    average = found.mass @ layout.nodes / number
    mean = np.where(layout.free_mean, average, mean)
    deviation = (found.mass * (layout.nodes - mean[:, None]) ** 2).sum(axis=1) / number
    least = 0.05 * float(layout.nodes[1] - layout.nodes[0])  # below it no node would carry any mass
    sd = np.where(layout.free_sd, np.maximum(np.sqrt(deviation), least), sd)
    return layout.pack(items, mean, sd, shared)


def _maximise_long_way(
    found: Expectation, layout: Layout, items: ItemParameters, vector: Floats
) -> tuple[ItemParameters, Floats]:
    """Maximise the items that the fast kernel does not know, and those that share parameters."""
    native, places = items.native, layout.long_way
    priors = layout.priors if layout.priors.size else np.zeros((*native.shape, 3))
    kinds = items.kinds
    form = (kinds, items.offset, items.n_steps)
    if len(places):
        item_families.maximise_families(
            places, found.counts, layout.nodes, form, native, layout.native_free, priors
        )
    given = ItemCounts(
        counts=found.counts,
        nodes=layout.nodes,
        kinds=kinds,
        offset=items.offset,
        n_steps=items.n_steps,
        priors=priors,
    )
    shared = [
        maximise_shared(binding, own, native, given)
        for binding, own in zip(layout.bindings, layout.shared_parts(vector), strict=True)
    ]
    return items.with_native(native, np.concatenate([places, layout.bound])), np.concatenate([[], *shared])


def log_prior(layout: Layout, items: ItemParameters) -> float:
    """Sum the log densities of the priors of free parameters.

    Parameters
    ----------
    layout : Layout
        What is free, with its priors.
    items : ItemParameters
        The items.

    Returns
    -------
    float
        Log prior density, dimensionless; zero without priors.
    """
    if not layout.priors.size:
        return 0.0
    native = items.native
    total = 0.0
    for item in layout.long_way.tolist():
        for place in np.flatnonzero(layout.native_free[item]).tolist():
            total += item_families.prior_terms(native[item, place], layout.priors[item, place])[0]
    return float(total)
