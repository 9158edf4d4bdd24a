"""Fit of students: mean squares and the standardized log-likelihood corrected for the estimated ability.

Formulas and references: docs/algorithms/item_fit.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import CalibrationError
from lsakit.io.frames import Table, as_table, make_table, nullable_column, strings
from lsakit.irt.ability import score
from lsakit.irt.calibration import Calibration
from lsakit.irt.mean_squares import known_ability_sums, mean_squares
from lsakit.irt.models import Floats
from lsakit.irt.packs import probability_table
from lsakit.irt.posteriors import BLOCK, Answered, read_answered

STEP = 1e-4
SMALLEST = 1e-300


def person_fit(cal: Calibration, responses: Any, method: str = "wle") -> Table:
    """Judge the fit of each student's answers.

    Parameters
    ----------
    cal : Calibration
        Calibrated items.
    responses : table
        Scored responses with a column per calibrated item.
    method : str, default "wle"
        Ability at which fit is judged: "wle" or "mle".

    Returns
    -------
    polars.DataFrame
        One row per row of the responses: student_id (where given), theta, n_items, infit, infit_t, outfit,
        outfit_t, lz (lz*; about standard normal under the model, low values unlike it) and status; null where
        status is "no_responses", "no_finite_maximum" or "too_few_items" (fewer than two).

    Raises
    ------
    CalibrationError
        If the method is neither "wle" nor "mle", or nobody answered.
    ResponseError
        If a response is above an item's highest score.

    References
    ----------
    .. [1] Snijders (2001), Asymptotic null distribution of person fit statistics, Psychometrika 66(3).
    .. [2] Sinharay (2016), Asymptotically correct standardization of person-fit statistics beyond dichotomous
       items, Psychometrika 81(4).

    Examples
    --------
    >>> cal = Calibration.from_items(
    ...     {"item": list("abcde"), "slope": [1.0] * 5, "difficulty": [-2.0, -1.0, 0.0, 1.0, 2.0]})
    >>> rows = {"a": [1, 0], "b": [1, 0], "c": [1, 1], "d": [0, 1], "e": [0, 1]}
    >>> person_fit(cal, rows)["lz"].round(2).to_list()
    [1.01, -4.51]
    """
    if method not in ("wle", "mle"):
        raise CalibrationError(
            f"The 'method' parameter must be 'wle' or 'mle'. Got {method!r}.", param="method", got=method
        )
    table = as_table(responses, param="responses")
    answered = read_answered(cal, table)
    abilities = score(cal, table, method=method)
    theta = abilities.get_column("theta").to_numpy().astype(float)
    own = theta[answered.rows]
    few = (answered.codes >= 0).sum(axis=1) < 2
    own = np.where(few, np.nan, own)
    _, by_student = known_ability_sums(answered, own)
    squares = mean_squares(by_student)
    lz = _standardized(answered, own)
    status = np.array(abilities.get_column("status").to_list(), dtype=object)
    place = answered.rows[few]
    status[place[status[place] == "estimated"]] = "too_few_items"
    columns: dict[str, Any] = {}
    if "student_id" in table.columns:
        columns["student_id"] = strings(table, "student_id", param="responses")
    columns["theta"] = abilities.get_column("theta")
    columns["n_items"] = abilities.get_column("n_items")
    found = {
        "infit": squares.infit,
        "infit_t": squares.infit_t,
        "outfit": squares.outfit,
        "outfit_t": squares.outfit_t,
        "lz": lz,
    }
    for head, values in found.items():
        wide = np.full(table.height, np.nan)
        wide[answered.rows] = values
        columns[head] = nullable_column(wide, ~np.isfinite(wide))
    columns["status"] = status.tolist()
    return make_table(columns)


def _standardized(answered: Answered, theta: Floats) -> Floats:
    """lz* of every student; NaN where there is no ability or the items tell nothing."""
    out = np.full(len(theta), np.nan)
    known = np.flatnonzero(np.isfinite(theta))
    for first in range(0, len(known), BLOCK):
        rows = known[first : first + BLOCK]
        out[rows] = _block(answered, theta[rows], answered.codes[rows])
    return out


def _block(answered: Answered, theta: Floats, codes: NDArray[np.int8]) -> Floats:
    """lz* of some students."""
    items = answered.items
    chance = np.maximum(probability_table(items, theta), SMALLEST)
    slope = (probability_table(items, theta + STEP) - probability_table(items, theta - STEP)) / (2.0 * STEP)
    item_of = answered.item_of
    there = (codes >= 0).T[item_of]
    hit = there & (codes.T[item_of] == answered.scores[:, None].astype(np.int8))
    log_chance = np.log(chance)
    ratio = slope / chance
    heavy = np.where(there, slope, 0.0)
    information = (heavy * ratio).sum(axis=0)
    loading = (heavy * log_chance).sum(axis=0) / np.maximum(information, 1e-12)
    # The estimating equation r0 + sum of (x - P) r = 0 gives r0; it is 0 for the maximum likelihood estimate.
    constant = -np.where(hit, ratio, 0.0).sum(axis=0)
    surprise = (np.where(hit, log_chance, 0.0) - np.where(there, chance * log_chance, 0.0)).sum(axis=0)
    adjusted = log_chance - loading * ratio
    mean = np.add.reduceat(chance * adjusted, items.offset, axis=0)
    square = np.add.reduceat(chance * adjusted**2, items.offset, axis=0)
    variance = np.where((codes >= 0).T, square - mean * mean, 0.0).sum(axis=0)
    good = (variance > 1e-10) & (information > 1e-12)
    return np.where(good, (surprise + loading * constant) / np.sqrt(np.where(good, variance, 1.0)), np.nan)
