"""Responses under a finished calibration: what every diagnostic reads, and the students' posteriors in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import CalibrationError
from lsakit.io.frames import Table, as_table, floats, strings
from lsakit.irt.ability import item_responses
from lsakit.irt.calibration import Calibration
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.models import Floats
from lsakit.irt.packs import LANE, Packs, normal_prior, pack_responses, packed_table, pad, probability_table
from lsakit.kernels import response_packs

BLOCK = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Students with a response and a positive weight, under calibrated items.

    Parameters
    ----------
    items : ItemParameters
        The items.
    codes : ndarray of shape (n_students, n_items)
        Scores; −1 where there is none.
    weight : ndarray of shape (n_students,)
        Weights with mean 1, dimensionless.
    calibrated_group : ndarray of shape (n_students,)
        Number of the group of the calibration.
    group : ndarray of shape (n_students,)
        Number of the group that fit is reported by.
    groups : tuple of str
        Their names.
    nodes : ndarray of shape (n_nodes,)
        Quadrature nodes of the calibration, logits.
    prior : ndarray of shape (n_calibrated_groups, n_nodes)
        Probabilities of the nodes in each group of the calibration.
    rows : ndarray of shape (n_students,)
        Rows of the table, from 0.
    same_groups : bool
        Whether fit is reported by the groups of the calibration.
    partly : ndarray of shape (n_items,) or None, optional
        How right a partly right answer (code −2) to each item is; None where there are none.
    """

    items: ItemParameters
    codes: NDArray[np.int8]
    weight: Floats
    calibrated_group: NDArray[np.int64]
    group: NDArray[np.int64]
    groups: tuple[str, ...]
    nodes: Floats
    prior: Floats
    rows: NDArray[np.int64]
    same_groups: bool
    partly: Floats | None = None

    @property
    def probability(self) -> Floats:
        """P(category | node) of shape (n_categories, n_nodes)."""
        return probability_table(self.items, self.nodes)

    def expected(self, probability: Floats) -> Floats:
        """Compute expected scores.

        Parameters
        ----------
        probability : ndarray of shape (n_categories, n_nodes)
            Probabilities of all categories.

        Returns
        -------
        ndarray of shape (n_items, n_nodes)
            Expected scores, points.
        """
        return np.add.reduceat(probability * self.scores[:, None], self.items.offset, axis=0)

    @property
    def scores(self) -> Floats:
        """Score of each category row, points, of shape (n_categories,)."""
        return np.concatenate([np.arange(int(own) + 1, dtype=float) for own in self.items.n_steps])

    @property
    def item_of(self) -> NDArray[np.int64]:
        """Item of each category row, of shape (n_categories,)."""
        return np.repeat(np.arange(len(self.items.names)), self.items.n_steps + 1)

    def blocks(self) -> Iterator[tuple[slice, Floats]]:
        """Go through the students' posteriors.

        Yields
        ------
        tuple of (slice, ndarray)
            Which students, and their posteriors of shape (n_block, n_nodes).
        """
        packs: Packs = pack_responses(self.codes, self.items.n_steps, partly=self.partly)
        table = packed_table(packs, self.items, self.nodes)
        prior = pad(self.prior, table.shape[1])
        size = (0,) * (-(-len(self.nodes) // LANE) * LANE)
        for first in range(0, len(self.codes), BLOCK):
            number = min(BLOCK, len(self.codes) - first)
            posterior = np.empty((number, len(self.nodes)))
            response_packs.posterior_pass(
                (packs.indptr, packs.rows), table, prior, self.calibrated_group, size, first, posterior
            )
            yield slice(first, first + number), posterior


def read_answered(
    cal: Calibration,
    responses: Any,
    *,
    group: str | None = None,
    weights: str | ArrayLike | None = None,
) -> Answered:
    """Read responses under a calibration.

    Parameters
    ----------
    cal : Calibration
        Calibrated items and groups.
    responses : table
        Scored responses with a column per calibrated item, and the group columns.
    group : str, optional
        Column to report fit by; the calibration's own by default.
    weights : str or array of shape (n_students,), optional
        Weights, dimensionless.

    Returns
    -------
    Answered
        Students who count.

    Raises
    ------
    CalibrationError
        If a group was not calibrated, nobody answered, or weights are negative or all zero.
    ResponseError
        If a response is above an item's highest score.
    UnknownColumnError
        If an item, the group or the weights are absent.
    """
    table = as_table(responses, param="responses")
    codes, partly = item_responses(table, cal)
    weight = _weights(table, weights)
    rows = np.flatnonzero((codes != -1).any(axis=1) & (weight > 0.0))
    if len(rows) == 0:
        raise CalibrationError(
            "No student of positive weight answered any calibrated item.",
            hint="Check that the item columns hold scores.",
            param="responses",
        )
    calibrated = _calibrated_groups(cal, table)
    shown = group or cal.group
    labels = strings(table, shown, param="responses") if shown else ["all"] * table.height
    names = tuple(sorted({labels[row] for row in rows.tolist()}))
    number = {name: place for place, name in enumerate(names)}
    own = weight[rows]
    nodes = np.linspace(-cal.quadrature[1], cal.quadrature[1], cal.quadrature[0])
    mean = cal.groups.get_column("mean").to_numpy()
    sd = cal.groups.get_column("sd").to_numpy()
    return Answered(
        items=cal.parameters,
        codes=np.ascontiguousarray(codes[rows]),
        weight=own * (len(own) / own.sum()),
        calibrated_group=calibrated[rows],
        group=np.array([number[labels[row]] for row in rows.tolist()], dtype=np.int64),
        groups=names,
        nodes=nodes,
        prior=normal_prior(nodes, mean, sd),
        rows=rows,
        same_groups=shown == cal.group,
        partly=partly,
    )


def _weights(table: Table, weights: str | ArrayLike | None) -> Floats:
    """Weights of all rows, refused where negative or all zero."""
    if weights is None:
        return np.ones(table.height)
    own = (
        floats(table, weights, param="responses")
        if isinstance(weights, str)
        else np.asarray(weights, dtype=float)
    )
    if own.shape != (table.height,) or not np.isfinite(own).all() or (own < 0.0).any() or not own.sum() > 0.0:
        raise CalibrationError(
            f"The weights must give one number per student, none negative and not all zero. Got shape "
            f"{own.shape} for {table.height} students.",
            hint="Use the final or senate weights of the respondents.",
            param="weights",
        )
    return own


def _calibrated_groups(cal: Calibration, table: Table) -> NDArray[np.int64]:
    """Number each student's group as the calibration did."""
    if cal.group is None:
        return np.zeros(table.height, dtype=np.int64)
    known = {name: place for place, name in enumerate(cal.groups.get_column("group").to_list())}
    labels = strings(table, cal.group, param="responses")
    strange = sorted(set(labels) - set(known))
    if strange:
        raise CalibrationError(
            f"{len(strange)} groups of the responses were not calibrated.",
            where=strange,
            why="A student's posterior needs the mean and standard deviation of the group.",
            hint="Leave these students out, or calibrate with their groups.",
            param=cal.group,
        )
    return np.array([known[label] for label in labels], dtype=np.int64)
