"""Abilities of students under calibrated items: WLE, MLE and EAP, each with its standard error.

These describe a student's test; for a population use plausible values. Formulas: docs/algorithms/ability.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import CalibrationError, ResponseError
from lsakit.io.frames import (
    Table,
    as_table,
    make_table,
    nullable_column,
    response_codes,
    strings,
)
from lsakit.io.partly_right import PARTLY_RIGHT, codes_of, partly_right_items
from lsakit.irt.calibration import Calibration
from lsakit.irt.group_items import place_responses
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.models import Floats
from lsakit.irt.packs import LANE, normal_prior, pack_responses, packed_table, pad
from lsakit.kernels import abilities, mixed_abilities, response_packs

METHODS = ("wle", "mle", "eap")
STATUS = ("estimated", "no_responses", "no_finite_maximum")


def score(cal: Calibration, responses: Any, method: str = "wle", *, n_nodes: int = 121) -> Table:
    """Estimate each student's ability.

    Parameters
    ----------
    cal : Calibration
        Calibrated items; EAP also uses the mean and standard deviation of the student's group.
    responses : table
        Scored responses with a column per calibrated item; empty where not administered. A share between 0 and 1 is
        a partly right answer where the calibration has such.
    method : str, default "wle"
        "wle" (Warm), "mle" or "eap" (posterior mean).
    n_nodes : int, default 121
        Equally spaced nodes of the EAP, over the range of the calibration's.

    Returns
    -------
    polars.DataFrame
        Columns student_id (where given), theta, se (logits), n_items and status; theta and se are null where
        status is "no_responses" (WLE, MLE) or "no_finite_maximum" (MLE of a lowest or highest score; with guessing,
        also of a score below what guessing gives).

    Raises
    ------
    CalibrationError
        If the method is unknown, or a student's group was not calibrated.
    ResponseError
        If a response is above an item's highest score.
    UnknownColumnError
        If an item or the group column is absent.

    Notes
    -----
    SE of WLE and MLE is one over the root of the test information at the estimate; of EAP the posterior
    standard deviation. A student without responses gets his group's mean and standard deviation as EAP, with
    status "no_responses".

    References
    ----------
    .. [1] Warm (1989), Weighted likelihood estimation of ability in item response theory, Psychometrika 54(3).

    Examples
    --------
    >>> cal = Calibration.from_items(
    ...     {"item": ["a", "b", "c"], "slope": [1.0] * 3, "difficulty": [-1.0, 0.0, 1.0]})
    >>> score(cal, {"a": [1], "b": [1], "c": [0]}, method="wle")["theta"].round(4).item()
    0.638
    """
    if method not in METHODS:
        raise CalibrationError(
            f"The 'method' parameter must be one of {', '.join(METHODS)}. Got {method!r}.",
            param="method",
            got=method,
        )
    table = as_table(responses, param="responses")
    codes, partly = item_responses(table, cal)
    n_items = (codes != -1).sum(axis=1).astype(np.int64)
    if method == "eap":
        found = _expected(cal, table, (codes, partly), n_nodes)
    else:
        found = _likely(cal.parameters, values_of(codes, partly), warm=method == "wle")
    status = np.where(n_items == 0, 1, np.where(np.isnan(found[:, 0]), 2, 0))
    gone = np.isnan(found[:, 0])
    columns: dict[str, Any] = {}
    if "student_id" in table.columns:
        columns["student_id"] = strings(table, "student_id", param="responses")
    columns["theta"] = nullable_column(np.ascontiguousarray(found[:, 0]), gone)
    columns["se"] = nullable_column(np.ascontiguousarray(found[:, 1]), gone)
    columns["n_items"] = n_items
    columns["status"] = np.array(STATUS)[status]
    return make_table(columns)


def item_codes(table: Table, items: ItemParameters) -> NDArray[np.int8]:
    """Take the responses to calibrated items, refusing scores that an item does not have and partly right answers.

    Parameters
    ----------
    table : polars.DataFrame
        Scored responses.
    items : ItemParameters
        The items.

    Returns
    -------
    ndarray of shape (n_students, n_items)
        Scores; −1 where not administered.

    Raises
    ------
    ResponseError
        If a score is above the item's highest; item and rows are named.
    """
    columns = list(dict.fromkeys(items.columns or items.names))
    return _checked(table, response_codes(table, columns), items)


def item_responses(table: Table, cal: Calibration) -> tuple[NDArray[np.int8], Floats | None]:
    """Take the responses to calibrated items, partly right answers among them where the calibration has such.

    Parameters
    ----------
    table : polars.DataFrame
        Scored responses.
    cal : Calibration
        The calibrated items; it says whether there may be partly right answers.

    Returns
    -------
    codes : ndarray of shape (n_students, n_items)
        Scores; −1 where not administered, −2 where partly right.
    partly : ndarray of shape (n_items,) or None
        How right such an answer is; None where there are none.

    Raises
    ------
    ResponseError
        If a score is above the item's highest, or a partly right answer is one to an item of several points.
    """
    items = cal.parameters
    if not cal.partly_right:
        return item_codes(table, items), None
    columns = list(dict.fromkeys(items.columns or items.names))
    found = partly_right_items(table, columns)
    codes = _checked(table, codes_of(table, columns, found), items)
    if not found:
        return codes, None
    partly = np.array([found.get(name, 0.0) for name in items.columns or items.names])
    many = np.flatnonzero((partly > 0.0) & (items.n_steps > 1))
    if len(many):
        name = items.names[int(many[0])]
        raise ResponseError(
            f"The item {name!r} has {int(items.n_steps[many[0]])} points; a partly right answer is for items of one.",
            hint="Score it by whole points.",
            param=name,
        )
    return codes, partly


def values_of(codes: NDArray[np.int8], partly: Floats | None) -> NDArray[Any]:
    """Write partly right answers as the share that they are.

    Parameters
    ----------
    codes : ndarray of shape (n_students, n_items)
        Scores; −1 where not administered, −2 where partly right.
    partly : ndarray of shape (n_items,) or None
        How right such an answer is.

    Returns
    -------
    ndarray of shape (n_students, n_items)
        Whole numbers where there are no such answers; else floats, −1 where not administered.
    """
    if partly is None:
        return codes
    return np.where(codes == PARTLY_RIGHT, partly, codes.astype(np.float64))


def _checked(table: Table, codes: NDArray[np.int16], items: ItemParameters) -> NDArray[np.int8]:
    """Give each item its column, and refuse scores above its highest."""
    columns = items.columns or items.names
    if items.columns:
        place = {name: j for j, name in enumerate(dict.fromkeys(columns))}
        codes = _placed(table, codes[:, [place[name] for name in columns]], items)
    above = codes > items.n_steps
    if above.any():
        item = int(np.flatnonzero(above.any(axis=0))[0])
        rows = np.flatnonzero(above[:, item])
        raise ResponseError(
            f"The item {items.names[item]!r} has highest score {int(items.n_steps[item])}. "
            f"Got {int(codes[rows[0], item])} in {len(rows)} rows.",
            where=[f"row {row + 1}" for row in rows.tolist()],
            hint="Score the responses as they were scored for the calibration.",
            param=items.names[item],
            got=int(codes[rows[0], item]),
        )
    return np.ascontiguousarray(codes.astype(np.int8))


def _placed(table: Table, codes: NDArray[np.int16], items: ItemParameters) -> NDArray[np.int16]:
    """Blank the responses to items that do not hold in a student's group."""
    if items.group_column is None:
        raise CalibrationError(
            "Some items hold in some groups only, and the calibration does not say which column has the groups.",
            hint="Use the calibration that freed them, or Calibration.from_items(items, group=...).",
            param="group",
        )
    labels = strings(table, items.group_column, param="responses")
    known = {group for groups in items.groups_of for group in groups}
    strange = sorted(set(labels) - known)
    if strange:
        raise CalibrationError(
            f"{len(strange)} groups of the responses have no parameters of the items that differ by group.",
            where=strange,
            hint="Calibrate with these groups, or leave their students out.",
            param=items.group_column,
        )
    return place_responses(codes, items.groups_of, labels)


def _likely(items: ItemParameters, codes: NDArray[Any], *, warm: bool) -> Floats:
    """WLE or MLE with standard errors; NaN where there is none."""
    out = np.empty((codes.shape[0], 2))
    if len(items.beyond):
        mixed_abilities.estimate_abilities(codes, (items.kinds, items.native, items.n_steps), warm, out)
        return out
    form = (items.slope, items.intercepts, items.n_steps)
    is_single = np.ones(codes.shape[0], dtype=bool)
    if warm:
        patterns = np.packbits(codes >= 0, axis=1)
        _, first, pattern = np.unique(patterns, axis=0, return_index=True, return_inverse=True)
        falls = np.empty(len(first), dtype=bool)
        abilities.falls_everywhere(np.ascontiguousarray(codes[first]), *form, falls)
        is_single = falls[pattern.ravel()]
    abilities.estimate_abilities(codes, form, warm, is_single, out)
    return out


def _group_numbers(cal: Calibration, table: Table) -> NDArray[np.int64]:
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
            why="EAP needs the mean and standard deviation of the student's group.",
            hint="Score with 'wle', or calibrate with these groups.",
            param=cal.group,
        )
    return np.array([known[label] for label in labels], dtype=np.int64)


def _expected(
    cal: Calibration, table: Table, given: tuple[NDArray[np.int8], Floats | None], n_nodes: int
) -> Floats:
    """Posterior mean and standard deviation under the student's group."""
    codes, partly = given
    reach = cal.quadrature[1]
    nodes = np.linspace(-reach, reach, n_nodes)
    group = _group_numbers(cal, table)
    mean, sd = cal.groups.get_column("mean").to_numpy(), cal.groups.get_column("sd").to_numpy()
    packs = pack_responses(codes, cal.parameters.n_steps, partly=partly)
    products = packed_table(packs, cal.parameters, nodes)
    prior = pad(normal_prior(nodes, mean, sd), products.shape[1])
    out = np.empty((codes.shape[0], 2))
    block = 16_384
    for first in range(0, len(out), block):
        posterior = np.empty((min(block, len(out) - first), n_nodes))
        size = (0,) * (-(-n_nodes // LANE) * LANE)
        response_packs.posterior_pass(
            (packs.indptr, packs.rows), products, prior, group, size, first, posterior
        )
        average = posterior @ nodes
        spread = np.einsum("iq,iq->i", posterior, (nodes - average[:, None]) ** 2)
        out[first : first + block, 0] = average
        out[first : first + block, 1] = np.sqrt(spread)
    return out
