"""RMSD and MD of items by group, empirical curves, and the proposal of what to free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import CalibrationError
from lsakit.io.text_columns import text_column
from lsakit.irt.models import Floats
from lsakit.irt.posteriors import Answered
from lsakit.kernels import item_fit as kernels

ALARM_SHARE = 0.25


def rmsd_and_md(observed: ArrayLike, expected: ArrayLike, density: ArrayLike) -> tuple[float, float]:
    """Compare an observed with a model curve over a density of ability.

    Parameters
    ----------
    observed : array of shape (n_nodes,)
        Observed shares of the highest score.
    expected : array of shape (n_nodes,)
        Those of the model.
    density : array of shape (n_nodes,)
        Probabilities of the nodes; scaled to sum to one.

    Returns
    -------
    rmsd : float
        Root of the mean squared deviation, share of the highest score.
    md : float
        Mean deviation, observed minus expected.

    Raises
    ------
    CalibrationError
        If the three differ in length or the density is negative or all zero.

    Examples
    --------
    >>> rmsd, md = rmsd_and_md([0.3, 0.6], [0.2, 0.6], [0.5, 0.5])
    >>> round(rmsd, 6), round(md, 6)
    (0.070711, 0.05)
    """
    have, want, mass = (np.asarray(one, dtype=float) for one in (observed, expected, density))
    if not (have.shape == want.shape == mass.shape) or (mass < 0.0).any() or not mass.sum() > 0.0:
        raise CalibrationError(
            f"The observed curve, the model's and the density must have one value per node and a positive "
            f"density. Got the shapes {have.shape}, {want.shape} and {mass.shape}.",
            param="density",
        )
    share = mass / mass.sum()
    gap = have - want
    return float(np.sqrt(share @ (gap * gap))), float(share @ gap)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCurves:
    """Observed and model curves of every item in every group.

    Parameters
    ----------
    observed : ndarray of shape (n_groups, n_items, n_nodes)
        Observed shares of the highest score; NaN where no mass is.
    expected : ndarray of shape (n_items, n_nodes)
        Those of the model.
    mass : ndarray of shape (n_groups, n_items, n_nodes)
        Weighted number of students near each node.
    density : ndarray of shape (n_groups, n_nodes)
        Distribution of ability in each group.
    n : ndarray of shape (n_groups, n_items)
        Number of responses.
    """

    observed: Floats
    expected: Floats
    mass: Floats
    density: Floats
    n: NDArray[np.int64]


def posterior_counts(answered: Answered) -> tuple[Floats, Floats]:
    """Sum the students' posteriors by group, and by group and category.

    Parameters
    ----------
    answered : Answered
        Students and items.

    Returns
    -------
    counts : ndarray of shape (n_groups, n_categories, n_nodes)
        Weighted posterior counts by category.
    mass : ndarray of shape (n_groups, n_nodes)
        Sum of the weighted posteriors of each group.
    """
    n_groups, n_nodes = len(answered.groups), len(answered.nodes)
    counts = np.zeros((n_groups, answered.items.n_categories, n_nodes))
    mass = np.zeros((n_groups, n_nodes))
    for rows, posterior in answered.blocks():
        weight, group = answered.weight[rows], answered.group[rows]
        kernels.add_counts(posterior, answered.codes[rows], (group, weight), answered.items.offset, counts)
        heavy = weight[:, None] * posterior
        for place in np.unique(group).tolist():
            mass[place] += heavy[group == place].sum(axis=0)
    return counts, mass


def group_curves(answered: Answered, counts: Floats, posterior_mass: Floats) -> GroupCurves:
    """Turn expected counts into curves.

    Parameters
    ----------
    answered : Answered
        Students and items.
    counts : ndarray of shape (n_groups, n_categories, n_nodes)
        Weighted posterior counts by category.
    posterior_mass : ndarray of shape (n_groups, n_nodes)
        Sum of the weighted posteriors of each group.

    Returns
    -------
    GroupCurves
        The curves.
    """
    offset, highest = answered.items.offset, answered.items.n_steps
    mass = np.add.reduceat(counts, offset, axis=1)
    points = np.add.reduceat(counts * answered.scores[None, :, None], offset, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = points / mass / highest[None, :, None]
    density = posterior_mass / posterior_mass.sum(axis=1, keepdims=True)
    if answered.same_groups:
        density = _prior_of_groups(answered)
    n = np.stack(
        [(answered.codes[answered.group == place] >= 0).sum(axis=0) for place in range(len(answered.groups))]
    )
    return GroupCurves(
        observed=np.where(mass > 0.0, observed, np.nan),
        expected=answered.expected(answered.probability) / highest[:, None],
        mass=mass,
        density=density,
        n=n.astype(np.int64),
    )


def _prior_of_groups(answered: Answered) -> Floats:
    """Normal density of each reported group, which is one of the calibration's."""
    first = [int(np.flatnonzero(answered.group == place)[0]) for place in range(len(answered.groups))]
    return answered.prior[answered.calibrated_group[first]]


def misfit_columns(
    answered: Answered, curves: GroupCurves, *, threshold: float, least_n: int
) -> dict[str, Any]:
    """List RMSD and MD of every item in every group.

    Parameters
    ----------
    answered : Answered
        Students and items.
    curves : GroupCurves
        Observed and model curves.
    threshold : float
        RMSD above which an item is flagged in a group.
    least_n : int
        Responses below which it is not.

    Returns
    -------
    dict of str to array of shape (n_pairs,)
        item, group, n, rmsd, md, flagged; pairs without a response are left out.
    """
    out: dict[str, list[Any]] = {name: [] for name in ("item", "group", "n", "rmsd", "md", "flagged")}
    for item, name in enumerate(answered.items.names):
        for place, group in enumerate(answered.groups):
            n = int(curves.n[place, item])
            there = np.isfinite(curves.observed[place, item])
            if n == 0:
                continue
            rmsd, md = rmsd_and_md(
                curves.observed[place, item, there],
                curves.expected[item, there],
                curves.density[place, there],
            )
            values = (name, group, n, rmsd, md, rmsd > threshold and n >= least_n)
            for head, value in zip(out, values, strict=True):
                out[head].append(value)
    return {name: list(values) for name, values in out.items()}


def propose_release(misfit: dict[str, Any], threshold: float) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Propose what to free in the next round of the calibration.

    Parameters
    ----------
    misfit : dict of str to array of shape (n_pairs,)
        From `misfit_columns`.
    threshold : float
        RMSD above which an item is to be freed in a group.

    Returns
    -------
    release : dict of str to array of shape (n_proposals,)
        item, groups (joined by commas), direction ("easier" or "harder" than the model), rmsd (largest), worst first.
    alarms : tuple of str
        Groups with more than a quarter of their items above the threshold.
    """
    pairs = list(zip(*(misfit[head] for head in ("item", "group", "rmsd", "md", "flagged")), strict=True))
    proposals: dict[tuple[str, bool], list[tuple[float, str]]] = {}
    for item, group, rmsd, md, flagged in pairs:
        if flagged:
            proposals.setdefault((item, md > 0.0), []).append((rmsd, group))
    ranked = sorted(proposals.items(), key=lambda one: (-max(one[1])[0], one[0]))
    release = {
        "item": text_column(key[0] for key, _ in ranked),
        "groups": text_column(",".join(sorted(group for _, group in own)) for _, own in ranked),
        "direction": text_column("easier" if key[1] else "harder" for key, _ in ranked),
        "rmsd": np.array([max(own)[0] for _, own in ranked], dtype=float),
    }
    alarms = []
    for group in sorted({pair[1] for pair in pairs}):
        own_flags = [pair[4] for pair in pairs if pair[1] == group]
        if sum(own_flags) > ALARM_SHARE * len(own_flags):
            alarms.append(
                f"{sum(own_flags)} of {len(own_flags)} items exceed an RMSD of {threshold:g} in {group}: "
                "the group may not be comparable."
            )
    return release, tuple(alarms)


def empirical_curves(answered: Answered, curves: GroupCurves, n_classes: int) -> dict[str, Any]:
    """Average observed and model curves in classes of ability, for a plot.

    Parameters
    ----------
    answered : Answered
        Students and items.
    curves : GroupCurves
        Observed and model curves.
    n_classes : int
        Number of equal intervals of ability.

    Returns
    -------
    dict of str to array of shape (n_points,)
        item, group, theta (logits), observed, expected (shares of the highest score), n (weighted students).
    """
    edge = np.linspace(answered.nodes[0], answered.nodes[-1], n_classes + 1)
    place = np.clip(np.searchsorted(edge, answered.nodes, side="right") - 1, 0, n_classes - 1)
    out: dict[str, list[Any]] = {name: [] for name in ("item", "group", "theta", "observed", "expected", "n")}
    seen = np.where(np.isfinite(curves.observed), curves.observed, 0.0)
    for item, name in enumerate(answered.items.names):
        for number, group in enumerate(answered.groups):
            mass = curves.mass[number, item]
            total = np.bincount(place, weights=mass, minlength=n_classes)
            parts = [
                np.bincount(place, weights=mass * values, minlength=n_classes)
                for values in (answered.nodes, seen[number, item], curves.expected[item])
            ]
            for own in np.flatnonzero(total >= 1.0).tolist():
                values = (name, group, *(float(part[own] / total[own]) for part in parts), float(total[own]))
                for head, value in zip(out, values, strict=True):
                    out[head].append(value)
    return {name: list(values) for name, values in out.items()}
