"""Items whose native parameters are linear in shared ones: rating scales, facets, equal parameters.

The native vector of item j is ``offset_j + design_j @ shared``. The maximisation step climbs in the shared vector by
Fisher scoring, from the items' own gradients; see docs/algorithms/item_models.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsakit.irt.models import Floats
from lsakit.kernels import item_families

MOST_STEPS = 60
MOST_HALVINGS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Items that share parameters.

    Parameters
    ----------
    items : tuple of int
        Places of the items.
    designs : tuple of ndarray of shape (n_native, n_shared)
        Design of each item.
    offsets : tuple of ndarray of shape (n_native,)
        Native parameters where the shared ones are zero.
    names : tuple of str
        Names of the shared parameters.
    start : ndarray of shape (n_shared,)
        Where the iteration starts.
    """

    items: tuple[int, ...]
    designs: tuple[Floats, ...]
    offsets: tuple[Floats, ...]
    names: tuple[str, ...]
    start: Floats

    def native(self, shared: Floats, table: Floats) -> None:
        """Write the items' native parameters into a table.

        Parameters
        ----------
        shared : ndarray of shape (n_shared,)
            Shared parameters.
        table : ndarray of shape (n_items, n_most_native)
            Native parameters of all items; the bound rows change in place.
        """
        for item, design, offset in zip(self.items, self.designs, self.offsets, strict=True):
            table[item, : len(offset)] = offset + design @ shared


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCounts:
    """What the maximisation step needs to know of the items.

    Parameters
    ----------
    counts : ndarray of shape (n_categories, n_nodes)
        Expected counts.
    nodes : ndarray of shape (n_nodes,)
        Quadrature nodes, logits.
    kinds : ndarray of shape (n_items,)
        Kinds.
    offset : ndarray of shape (n_items,)
        First category row of each item.
    n_steps : ndarray of shape (n_items,)
        Highest scores.
    priors : ndarray of shape (n_items, n_most_native, 3)
        Prior of each native parameter: kind and two numbers.
    """

    counts: Floats
    nodes: Floats
    kinds: NDArray[np.int64]
    offset: NDArray[np.int64]
    n_steps: NDArray[np.int64]
    priors: Floats

    def own(self, item: int) -> Floats:
        """Give the counts of one item.

        Parameters
        ----------
        item : int
            Place of the item.

        Returns
        -------
        ndarray of shape (n_steps + 1, n_nodes)
            Counts per category and node.
        """
        first = int(self.offset[item])
        return self.counts[first : first + int(self.n_steps[item]) + 1]


def maximise_shared(binding: Binding, shared: Floats, table: Floats, given: ItemCounts) -> Floats:
    """Move the shared parameters to the maximum of the items' expected log-likelihood.

    Parameters
    ----------
    binding : Binding
        The items.
    shared : ndarray of shape (n_shared,)
        Where to start.
    table : ndarray of shape (n_items, n_most_native)
        Native parameters of all items; the bound rows change in place.
    given : ItemCounts
        Expected counts.

    Returns
    -------
    ndarray of shape (n_shared,)
        Shared parameters at the maximum.
    """
    own = [np.flatnonzero(np.any(design != 0.0, axis=0)) for design in binding.designs]
    value = _objective(binding, shared, table, given)
    for _ in range(MOST_STEPS):
        step = _scoring_step(binding, own, table, given)
        largest = float(np.abs(step).max(initial=0.0))
        factor = min(1.0, 2.0 / largest) if largest > 0.0 else 1.0
        for _half in range(MOST_HALVINGS):
            trial = shared + factor * step
            new = _objective(binding, trial, table, given)
            if new >= value - 1e-12 * abs(value):
                break
            factor *= 0.5
        else:
            break
        shared, value = trial, new
        if largest * factor < 1e-9:
            break
    binding.native(shared, table)
    return shared


def _objective(binding: Binding, shared: Floats, table: Floats, given: ItemCounts) -> float:
    """Sum the items' objectives at these shared parameters."""
    binding.native(shared, table)
    total = 0.0
    for item in binding.items:
        steps = int(given.n_steps[item])
        total += item_families.item_objective(
            int(given.kinds[item]), given.own(item), given.nodes, table[item], steps, given.priors[item]
        )
    return total


def _scoring_step(binding: Binding, own: list[NDArray[np.int64]], table: Floats, given: ItemCounts) -> Floats:
    """Solve for one step of Fisher scoring in the shared parameters; an item informs few of them."""
    n_shared = len(binding.start)
    gradient, information = np.zeros(n_shared), np.zeros((n_shared, n_shared))
    for item, whole, columns in zip(binding.items, binding.designs, own, strict=True):
        steps, design = int(given.n_steps[item]), whole[:, columns]
        first, second = item_families.item_information(
            int(given.kinds[item]),
            given.own(item),
            given.nodes,
            table[item],
            steps,
            given.priors[item],
            False,
        )
        gradient[columns] += design.T @ first
        information[np.ix_(columns, columns)] += design.T @ second @ design
    ridge = 1e-8 * np.diag(information) + 1e-10
    return np.asarray(np.linalg.solve(information + np.diag(ridge), gradient))
