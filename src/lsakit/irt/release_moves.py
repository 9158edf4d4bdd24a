"""Which item to release next, and in which groups: the decision of one round.

The procedure stands in docs/algorithms/item_release.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.irt.group_misfit import GroupCurves, rmsd_and_md
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.models import Floats

Sets = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What is released so far.

    Parameters
    ----------
    sets : dict of str to tuple of tuple of str
        Per item the groups of each set beside the common one.
    seen : dict of str to tuple of tuple of tuple of str
        Per item the partitions that were taken.
    closed : tuple of str
        Groups of which nothing more is released.
    """

    sets: dict[str, Sets] = field(default_factory=dict)
    seen: dict[str, tuple[Sets, ...]] = field(default_factory=dict)
    closed: tuple[str, ...] = ()

    def after(self, move: Move) -> Released:
        """Give what is released after a move.

        Parameters
        ----------
        move : Move
            The move.

        Returns
        -------
        Released
            The new state.
        """
        seen = (*self.seen.get(move.item, ()), move.sets)
        return replace(self, sets={**self.sets, move.item: move.sets}, seen={**self.seen, move.item: seen})


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A release.

    Parameters
    ----------
    item : str
        Response column.
    groups : tuple of str
        Groups that leave their set.
    joined : str or None
        Set that they join; None where it is new.
    rmsd : float
        Largest RMSD among them, share of the highest score.
    md : float
        Its MD.
    sets : tuple of tuple of str
        All sets of the item afterwards, without the common one.
    """

    item: str
    groups: tuple[str, ...]
    joined: str | None
    rmsd: float
    md: float
    sets: Sets


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """RMSD and MD of every set in every group, with the curves behind them.

    Parameters
    ----------
    names : tuple of str
        Names of the sets.
    columns : tuple of str
        Response column of each.
    groups_of : tuple of tuple of str
        Groups of each; empty for all.
    groups : tuple of str
        Groups.
    curves : GroupCurves
        Observed and model curves by group and set.
    rmsd : ndarray of shape (n_groups, n_sets)
        RMSD, share of the highest score; NaN where nobody answered.
    md : ndarray of shape (n_groups, n_sets)
        MD; NaN likewise.
    fixed : ndarray of shape (n_sets,)
        Whether the parameters of the set were held fixed.
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
    groups_of: Sets
    groups: tuple[str, ...]
    curves: GroupCurves
    rmsd: Floats
    md: Floats
    fixed: NDArray[np.bool_]

    def against(self, group: int, observed: int, expected: Floats) -> float:
        """Compare the observed curve of a set in a group with any curve.

        Parameters
        ----------
        group : int
            Place of the group.
        observed : int
            Place of the set whose responses they are.
        expected : ndarray of shape (n_nodes,)
            The curve.

        Returns
        -------
        float
            RMSD, share of the highest score.
        """
        have, there = _observed(self.curves, group, observed)
        return rmsd_and_md(have[there], expected[there], self.curves.density[group, there])[0]

    def flagged(self, threshold: float, least_n: int) -> NDArray[np.bool_]:
        """Mark the pairs above the threshold.

        Parameters
        ----------
        threshold : float
            RMSD above which a pair is marked.
        least_n : int
            Responses below which it is not.

        Returns
        -------
        ndarray of shape (n_groups, n_sets)
            Marks.
        """
        return np.asarray((np.nan_to_num(self.rmsd) > threshold) & (self.curves.n >= least_n))


def _observed(curves: GroupCurves, group: int, place: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Observed curve of a set in a group, and the nodes at which there is one."""
    have = curves.observed[group, place]
    return have, np.isfinite(have)


def misfit_of(
    curves: GroupCurves, items: ItemParameters, groups: tuple[str, ...], fixed: NDArray[np.bool_]
) -> Misfit:
    """Compute RMSD and MD of every set in every group.

    Parameters
    ----------
    curves : GroupCurves
        Observed and model curves.
    items : ItemParameters
        The sets.
    groups : tuple of str
        Groups.
    fixed : ndarray of shape (n_sets,)
        Whether the parameters of the set were held fixed.

    Returns
    -------
    Misfit
        The table.
    """
    rmsd = np.full((len(groups), len(items.names)), np.nan)
    md = np.full_like(rmsd, np.nan)
    for group, place in zip(*np.nonzero(curves.n > 0), strict=True):
        have, there = _observed(curves, int(group), int(place))
        rmsd[group, place], md[group, place] = rmsd_and_md(
            have[there], curves.expected[place, there], curves.density[group, there]
        )
    return Misfit(
        names=items.names,
        columns=items.columns or items.names,
        groups_of=items.groups_of or ((),) * len(items.names),
        groups=groups,
        curves=curves,
        rmsd=rmsd,
        md=md,
        fixed=fixed,
    )


def next_moves(misfit: Misfit, released: Released, *, threshold: float, least_n: int) -> Iterator[Move]:
    """Propose releases of different items, worst first.

    Parameters
    ----------
    misfit : Misfit
        RMSD and MD by set and group.
    released : Released
        What is released so far.
    threshold : float
        RMSD above which an item is released.
    least_n : int
        Responses below which it is not.

    Yields
    ------
    Move
        A release, at most one of each item.
    """
    flagged = misfit.flagged(threshold, least_n)
    flagged[[place for place, name in enumerate(misfit.groups) if name in released.closed]] = False
    flagged &= ~_alone(misfit) | misfit.fixed
    order = np.argsort(-np.where(flagged, misfit.rmsd, -1.0), axis=None, kind="stable")
    taken: set[str] = set()
    for flat in order[: int(flagged.sum())].tolist():
        seed, place = divmod(flat, len(misfit.names))
        if misfit.columns[place] in taken:
            continue
        move = _move(misfit, released, flagged, (seed, place), threshold)
        if move is not None:
            taken.add(move.item)
            yield move


def _alone(misfit: Misfit) -> NDArray[np.bool_]:
    """Mark the pairs whose group holds its set alone."""
    return np.asarray((misfit.curves.n > 0).sum(axis=0) == 1)[None, :] & (misfit.curves.n > 0)


def _move(
    misfit: Misfit,
    released: Released,
    flagged: NDArray[np.bool_],
    pair: tuple[int, int],
    threshold: float,
) -> Move | None:
    """Decide who leaves with the worst group, and whether they join a set that is there."""
    seed, place = pair
    item = misfit.columns[place]
    sign = np.sign(misfit.md[seed, place])
    others = [
        group
        for group in np.argsort(-np.nan_to_num(misfit.rmsd[:, place]), kind="stable").tolist()
        if group != seed and flagged[group, place] and np.sign(misfit.md[group, place]) == sign
    ]
    present = np.flatnonzero(misfit.curves.n[:, place] > 0)
    members, joined = [seed], None
    for other in range(len(misfit.names)):
        is_released = misfit.columns[other] == item and misfit.names[other] != item and other != place
        if is_released and misfit.against(seed, place, misfit.curves.expected[other]) <= threshold:
            joined = other
            fits = [misfit.against(one, place, misfit.curves.expected[other]) <= threshold for one in others]
            members += [one for one, good in zip(others, fits, strict=True) if good]
            break
    else:
        for one in others:
            if _hold_together(misfit, [*members, one], place, threshold):
                members.append(one)
    if len(members) == len(present) and not misfit.fixed[place]:
        members, joined = [seed], None
    sets = _sets_after(misfit, released, pair, members, joined)
    if sets in released.seen.get(item, ()):
        members, joined = [seed], None
        sets = _sets_after(misfit, released, pair, members, joined)
        if sets in released.seen.get(item, ()):
            return None
    return Move(
        item=item,
        groups=tuple(sorted(misfit.groups[one] for one in members)),
        joined=None if joined is None else misfit.names[joined],
        rmsd=float(misfit.rmsd[seed, place]),
        md=float(misfit.md[seed, place]),
        sets=sets,
    )


def _hold_together(misfit: Misfit, members: list[int], place: int, threshold: float) -> bool:
    """Say whether the pooled observed curve of some groups fits each of them."""
    mass = misfit.curves.mass[members, place]
    seen = np.where(
        np.isfinite(misfit.curves.observed[members, place]), misfit.curves.observed[members, place], 0.0
    )
    total = mass.sum(axis=0)
    pooled = np.divide((mass * seen).sum(axis=0), total, out=np.zeros_like(total), where=total > 0.0)
    return all(misfit.against(one, place, pooled) <= threshold for one in members)


def _sets_after(
    misfit: Misfit, released: Released, pair: tuple[int, int], members: list[int], joined: int | None
) -> Sets:
    """List the sets of the item after some groups left theirs."""
    item = misfit.columns[pair[1]]
    leaving = {misfit.groups[one] for one in members}
    target: set[str] = set() if joined is None else set(misfit.groups_of[joined])
    out = []
    for own in released.sets.get(item, ()):
        if set(own) == target:
            continue
        rest = tuple(name for name in own if name not in leaving)
        if rest:
            out.append(rest)
    return tuple(sorted([*out, tuple(sorted(leaving | target))]))


def shares_of(misfit: Misfit) -> dict[str, Any]:
    """Count common, shared and own items per group.

    Parameters
    ----------
    misfit : Misfit
        Sets and groups of a round.

    Returns
    -------
    dict of str to array of shape (n_groups,)
        group, n_items, n_common, n_shared, n_own, share_common, share_unique; items that one group alone was given
        are left out.
    """
    given = misfit.curves.n > 0
    columns = np.array(misfit.columns)
    is_common = np.array([name == column for name, column in zip(misfit.names, columns, strict=True)])
    holders = {column: int(given[:, columns == column].any(axis=1).sum()) for column in set(misfit.columns)}
    counted = given & np.array([holders[column] > 1 for column in misfit.columns])
    alone = _alone(misfit)
    common = (counted & is_common & ~alone).sum(axis=1)
    shared = (counted & ~is_common & ~alone).sum(axis=1)
    own = (counted & alone).sum(axis=1)
    total = counted.sum(axis=1)
    return {
        "group": list(misfit.groups),
        "n_items": total.astype(np.int64),
        "n_common": common.astype(np.int64),
        "n_shared": shared.astype(np.int64),
        "n_own": own.astype(np.int64),
        "share_common": common / np.maximum(total, 1),
        "share_unique": (shared + own) / np.maximum(total, 1),
    }
