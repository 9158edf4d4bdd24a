"""Curves of calibrated items: empirical points by category, test information, the distribution of ability.

Formulas and references: docs/algorithms/item_curves.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import CalibrationError
from lsakit.io.frames import Table, as_table, floats, make_table, nullable_column
from lsakit.io.text_columns import text_column
from lsakit.irt.calibration import Calibration
from lsakit.irt.em import probability_table
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.models import Floats
from lsakit.irt.posteriors import Answered, read_answered
from lsakit.kernels import item_fit as kernels
from lsakit.kernels.item_families import GRADED, GUESSING, NOMINAL

N_CLASSES = 15
N_POINTS = 121
TINY = 1e-300


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCurves:
    """Empirical curves, and the distribution of ability behind them.

    Parameters
    ----------
    curves : polars.DataFrame
        Columns item, group, category (null for the score as a share of the highest), theta (logits), n (weighted
        students), observed, expected (shares). Categories for items of several points only.
    abilities : polars.DataFrame
        Columns group, theta (node, logits), n (weighted students), share; the shares of a group sum to one.
    n_students : int
        Students who count.
    """

    curves: Table
    abilities: Table
    n_students: int


def item_curves(
    cal: Calibration,
    responses: Any,
    *,
    weights: str | ArrayLike | None = None,
    n_classes: int = N_CLASSES,
) -> ItemCurves:
    """Compare the categories of calibrated items with their model curves.

    Parameters
    ----------
    cal : Calibration
        Calibrated items and groups.
    responses : table
        The scored responses, with the group column of the calibration if it has groups.
    weights : str or array of shape (n_students,), optional
        Weights, dimensionless.
    n_classes : int, default 15
        Classes of ability of equal width over the range of the nodes.

    Returns
    -------
    ItemCurves
        Points by item, group and category, and the groups' distributions.

    Raises
    ------
    CalibrationError
        If there are fewer than two classes, nobody answered, a group was not calibrated, or weights are negative or
        all zero.
    ResponseError
        If a response is above an item's highest score.
    UnknownColumnError
        If an item, group or weight column is absent.

    References
    ----------
    .. [1] docs/algorithms/item_curves.md.

    Examples
    --------
    >>> cal = Calibration.from_items({"item": ["a", "b"], "slope": [1.0, 1.0], "difficulty": [0.0, 0.5]})
    >>> found = item_curves(cal, {"a": [1, 0, 1, 1], "b": [1, 0, 0, 1]}, n_classes=2)
    >>> found.curves["observed"].round(3).to_list()
    [0.479, 0.892, 0.193, 0.66]
    """
    if n_classes < 2:
        raise CalibrationError(
            f"The 'n_classes' parameter must be at least 2. Got {n_classes}.",
            param="n_classes",
            got=n_classes,
        )
    answered = read_answered(cal, as_table(responses, param="responses"), weights=weights)
    counts, mass = _counts(answered)
    share = mass / mass.sum(axis=1, keepdims=True)
    n_groups, n_nodes = share.shape
    return ItemCurves(
        curves=make_table(_points(answered, counts, n_classes)),
        abilities=make_table(
            {
                "group": [name for name in answered.groups for _ in range(n_nodes)],
                "theta": np.tile(answered.nodes, n_groups),
                "n": mass.ravel(),
                "share": share.ravel(),
            }
        ),
        n_students=len(answered.weight),
    )


def _counts(answered: Answered) -> tuple[Floats, Floats]:
    """Weighted posterior counts by group and category, and posterior mass of the groups, at the nodes."""
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


def _points(answered: Answered, counts: Floats, n_classes: int) -> dict[str, Any]:
    """Average observed and model curves in classes of ability."""
    nodes, items = answered.nodes, answered.items
    edge = np.linspace(nodes[0], nodes[-1], n_classes + 1)
    place = np.clip(np.searchsorted(edge, nodes, side="right") - 1, 0, n_classes - 1)
    into = (place[:, None] == np.arange(n_classes)).astype(float)
    probability = answered.probability
    parts: list[dict[str, Any]] = []
    for item, name in enumerate(items.names):
        own = slice(int(items.offset[item]), int(items.offset[item] + items.n_steps[item] + 1))
        score = np.arange(int(items.n_steps[item]) + 1, dtype=float) / float(items.n_steps[item])
        for number, group in enumerate(answered.groups):
            count = counts[number, own]
            at_node = count.sum(axis=0)
            total = at_node @ into
            kept = np.flatnonzero(total >= 1.0)
            if not len(kept):
                continue
            n = total[kept]
            observed = (count @ into)[:, kept] / n
            expected = ((probability[own] * at_node) @ into)[:, kept] / n
            theta = ((nodes * at_node) @ into)[kept] / n
            lines = [(-1, score @ observed, score @ expected)]
            if len(score) > 2:
                lines += [(k, observed[k], expected[k]) for k in range(len(score))]
            parts += [
                {
                    "item": name,
                    "group": group,
                    "category": k,
                    "theta": theta,
                    "n": n,
                    "observed": a,
                    "expected": b,
                }
                for k, a, b in lines
            ]
    return _columns(parts)


def _columns(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the points of all lines under one another."""
    sizes = [len(part["theta"]) for part in parts]
    category = np.repeat(np.array([part["category"] for part in parts], dtype=np.int64), sizes)
    columns: dict[str, Any] = {
        head: text_column(part[head] for part, size in zip(parts, sizes, strict=True) for _ in range(size))
        for head in ("item", "group")
    }
    columns["category"] = nullable_column(category, category < 0)
    for head in ("theta", "n", "observed", "expected"):
        columns[head] = np.concatenate([part[head] for part in parts]) if parts else np.empty(0)
    return columns


def item_information(items: ItemParameters, theta: ArrayLike) -> Floats:
    """Compute the information of each item.

    Parameters
    ----------
    items : ItemParameters
        The items.
    theta : array of shape (n_values,)
        Abilities, logits.

    Returns
    -------
    ndarray of shape (n_items, n_values)
        Fisher information about ability, per squared logit.

    References
    ----------
    .. [1] Muraki (1993), Information functions of the generalized partial credit model, Applied Psychological
       Measurement 17(4).
    .. [2] docs/algorithms/item_curves.md.

    Examples
    --------
    >>> cal = Calibration.from_items({"item": ["a"], "slope": [2.0], "difficulty": [0.0]})
    >>> item_information(cal.parameters, [0.0]).item()
    1.0
    """
    at = np.asarray(theta, dtype=float).ravel()
    probability = probability_table(items, at)
    rise = np.empty_like(probability)
    for item, own in enumerate(items.n_steps.tolist()):
        first = int(items.offset[item])
        rows = slice(first, first + own + 1)
        rise[rows] = _rise(items, item, at, probability[rows])
    return np.add.reduceat(rise * rise / np.maximum(probability, TINY), items.offset, axis=0)


def _rise(items: ItemParameters, item: int, theta: Floats, probability: Floats) -> Floats:
    """Derivatives of the category probabilities in ability."""
    kind, own = int(items.kinds[item]), int(items.n_steps[item])
    slope = float(items.slope[item])
    if kind == GUESSING:
        solved = _logistic(slope * theta + items.intercepts[item, 0])
        up = (1.0 - _logistic(items.extra[item, :1])) * slope * solved * (1.0 - solved)
        return np.vstack([-up, up])
    if kind == GRADED:
        beyond = _logistic(slope * theta + items.intercepts[item, :own, None])
        steep = np.vstack([0.0 * theta, slope * beyond * (1.0 - beyond), 0.0 * theta])
        return np.asarray(steep[:-1] - steep[1:])
    slopes = np.arange(own + 1, dtype=float) * slope
    if kind == NOMINAL:
        slopes = np.concatenate([[0.0], items.extra[item, :own]])
    return np.asarray(probability * (slopes[:, None] - slopes @ probability))


def _logistic(x: Floats) -> Floats:
    """Give 1 / (1 + exp(-x)) without overflow."""
    raised = np.exp(-np.abs(x))
    return np.where(x >= 0.0, 1.0, raised) / (1.0 + raised)


def information_curve(
    cal: Calibration, theta: ArrayLike | None = None, *, n_students: int | None = None
) -> Table:
    """Compute the information of the items together, and of one student's test.

    Parameters
    ----------
    cal : Calibration
        Calibrated items; ``cal.items`` holds the number of responses of each.
    theta : array of shape (n_values,), optional
        Abilities, logits; 121 over the range of the nodes by default.
    n_students : int, optional
        Students who count, where the calibration does not say.

    Returns
    -------
    polars.DataFrame
        Columns theta, information, se (all items together), student_information, student_se (mean test of a student;
        null where the number of students is not known).

    Raises
    ------
    CalibrationError
        If an item has more responses than there are students.

    Examples
    --------
    >>> cal = Calibration.from_items({"item": ["a", "b"], "slope": [2.0, 2.0], "difficulty": [0.0, 0.0]})
    >>> information_curve(cal, [0.0])["information"].item()
    2.0
    """
    reach = cal.quadrature[1]
    at = np.linspace(-reach, reach, N_POINTS) if theta is None else np.asarray(theta, dtype=float).ravel()
    own = item_information(cal.parameters, at)
    students = n_students or cal.n_students
    n = floats(cal.items, "n", param="items") if students else np.zeros(len(own))
    if students and n.max() > students:
        raise CalibrationError(
            f"An item has {int(n.max())} responses, more than the {students} students.",
            hint="Give the number of students of the calibration.",
            param="n_students",
            got=students,
        )
    each = n / students @ own if students else np.zeros(len(at))
    return make_table({"theta": at, **_with_error(own.sum(axis=0), ""), **_with_error(each, "student_")})


def _with_error(information: Floats, head: str) -> dict[str, Any]:
    """Columns of an information and its standard error; null where there is none."""
    gone: NDArray[np.bool_] = ~(information > 0.0)
    error = 1.0 / np.sqrt(np.where(gone, 1.0, information))
    return {
        f"{head}information": nullable_column(information, gone),
        f"{head}se": nullable_column(error, gone),
    }
