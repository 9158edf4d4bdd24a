"""Calibration of weights to known totals of the frame, repeated in every replicate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from lsakit.errors import ConvergenceError, DesignError
from lsakit.io.frames import Table, as_table, floats, make_table, refuse_duplicates, strings
from lsakit.weighting.calibration_solver import Controls, newton, rake, refuse_empty
from lsakit.weighting.replicates import ReplicateWeights
from lsakit.weighting.weighted import FinalWeights

Totals = Mapping[str, Mapping[Any, float] | float]
NO_BOUNDS = (-np.inf, np.inf)
# Margins of one population are counts of the same people: their sums agree to rounding.
SUM_TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedWeights:
    """Hold calibrated weights.

    Parameters
    ----------
    weights : ndarray of shape (n_students,)
        Calibrated final weights, students.
    g_weights : ndarray of shape (n_students,)
        Calibrated over given weight (dimensionless).
    replicates : ReplicateWeights or None
        The replicates, each calibrated to the same totals.
    margins : polars.DataFrame
        control, target, before, after: totals asked for and weighted totals under both weights.
    design_effect : float
        Kish's ``n Σw² / (Σw)²`` of the calibrated weights (dimensionless).
    n_iterations : int
        Rounds or steps for the final weights.
    method : str
        "raking" or "linear".
    bounds : tuple of float or None
        Bounds of the g-weights.
    student_id : tuple of str of shape (n_students,) or None
        The respondents, where the weights came with identifiers.
    schema : str
        Name and version of this result's form.
    """

    weights: NDArray[np.float64]
    g_weights: NDArray[np.float64]
    replicates: ReplicateWeights | None
    margins: Table
    design_effect: float
    n_iterations: int
    method: str
    bounds: tuple[float, float] | None
    student_id: tuple[str, ...] | None
    schema: str = "lsakit.calibrated_weights/1"

    def to_table(self) -> Table:
        """Write the calibrated weights as a table.

        Returns
        -------
        polars.DataFrame
            student_id (where the weights came with identifiers), g_weight, final_weight.
        """
        columns: dict[str, Any] = {"g_weight": self.g_weights, "final_weight": self.weights}
        if self.student_id is not None:
            columns = {"student_id": list(self.student_id), **columns}
        return make_table(columns)


def calibrate_weights(
    weights: FinalWeights | ArrayLike,
    students: Any,
    totals: Totals,
    *,
    method: Literal["raking", "linear"] = "raking",
    bounds: tuple[float, float] | None = (0.3, 3.0),
    replicates: ReplicateWeights | None = None,
) -> CalibratedWeights:
    """Change weights as little as possible so that known totals are met.

    Parameters
    ----------
    weights : FinalWeights or array-like of shape (n_students,)
        Weights of the respondents, students.
    students : table
        The columns named in ``totals``; for `FinalWeights` also student_id, one row for each respondent
        at least; for an array the same rows in the same order.
    totals : Mapping of str to Mapping or float
        For each categorical column the total of each of its values; for a numeric column its total.
    method : {"raking", "linear"}, default "raking"
        ``g = exp(x'λ)`` (iterative proportional fitting where all controls are categorical) or
        ``g = 1 + x'λ`` (generalized regression).
    bounds : tuple of float or None, default (0.3, 3.0)
        Smallest and largest calibrated over given weight; None for no bounds.
    replicates : ReplicateWeights, optional
        Replicates of the same respondents, calibrated to the same totals one by one.

    Returns
    -------
    CalibratedWeights
        Weights, g-weights, replicates, margins.

    Raises
    ------
    DesignError
        If margins add up to different totals, a category has no total or no student, weights are negative,
        or a margin is empty in a replicate.
    ConvergenceError
        If no weights inside the bounds meet the totals.

    Notes
    -----
    Raking without bounds comes first; only where a g-weight leaves the bounds are the bounded equations
    solved. The totals are met to ``1e-10`` of the largest.

    References
    ----------
    .. [1] Deville and Särndal (1992), Calibration estimators in survey sampling, JASA 87(418).
    .. [2] ``docs/algorithms/weights.md``, section 8.

    Examples
    --------
    >>> table = {"sex": ["F", "F", "M"]}
    >>> calibrate_weights([10.0, 10.0, 10.0], table, {"sex": {"F": 24.0, "M": 9.0}}).weights.tolist()
    [12.0, 12.0, 9.0]
    """
    _refuse_options(method, bounds)
    table, given, ids = _rows(weights, students)
    controls, pattern = _controls(table, totals)
    columns = given[:, None]
    g, n_iterations = _solve(columns, pattern, controls, (method, bounds), first=0)
    by_row = g[pattern, 0]
    calibrated = given * by_row
    return CalibratedWeights(
        weights=calibrated,
        g_weights=by_row,
        replicates=_replicates(replicates, ids, pattern, controls, (method, bounds)),
        margins=_margins(controls, pattern, given, calibrated),
        design_effect=float(len(given) * (calibrated**2).sum() / calibrated.sum() ** 2),
        n_iterations=n_iterations,
        method=method,
        bounds=bounds,
        student_id=ids,
    )


def _refuse_options(method: str, bounds: tuple[float, float] | None) -> None:
    """Refuse an unknown method and bounds that leave no room around 1."""
    if method not in ("raking", "linear"):
        raise DesignError(
            f"The 'method' parameter must be 'raking' or 'linear'. Got {method!r}.",
            param="method",
            got=method,
        )
    if bounds is not None and not (len(bounds) == 2 and 0.0 <= bounds[0] < 1.0 < bounds[1]):
        raise DesignError(
            f"The 'bounds' parameter must be a number from 0 to below 1 and one above 1. Got {bounds!r}.",
            why="Negative weights are forbidden, and a weight that is right already must be able to stay.",
            param="bounds",
            got=bounds,
        )


def _rows(
    weights: FinalWeights | ArrayLike, students: Any
) -> tuple[Table, NDArray[np.float64], tuple[str, ...] | None]:
    """Bring the students' rows beside the weights."""
    table = as_table(students, param="students")
    if isinstance(weights, FinalWeights):
        refuse_duplicates(table, "student_id", param="students table")
        place = {one: row for row, one in enumerate(strings(table, "student_id", param="students table"))}
        ids = strings(weights.table, "student_id")
        absent = [one for one in ids if one not in place]
        if absent:
            raise DesignError(
                f"{len(absent)} respondents are not in the students table.",
                where=absent,
                hint="Pass the table from which the weights were made.",
                param="students",
            )
        return table[[place[one] for one in ids]], floats(weights.table, "final_weight"), tuple(ids)
    given = np.asarray(weights, dtype=np.float64)
    if given.ndim != 1 or len(given) != table.height:
        raise DesignError(
            f"Weights and students table must have the same rows. Got {given.shape} weights for "
            f"{table.height} rows.",
            param="weights",
        )
    bad = np.flatnonzero(~(given > 0) | ~np.isfinite(given))
    if len(bad):
        raise DesignError(
            f"The weights must be positive. Got {given[bad[0]]:g} in {len(bad)} of {len(given)} rows.",
            where=[f"row {row + 1}" for row in bad.tolist()],
            hint="Leave out rows without a weight.",
            param="weights",
            got=float(given[bad[0]]),
        )
    return table, given, None


def _controls(table: Table, totals: Totals) -> tuple[Controls, NDArray[np.int64]]:
    """Turn the totals into controls over the patterns of the rows."""
    if not totals:
        raise DesignError(
            "The 'totals' parameter is empty.", hint="Name at least one column.", param="totals"
        )
    _refuse_sums(totals)
    codes: list[NDArray[np.float64]] = []
    labels: list[str] = []
    targets: list[float] = []
    starts: list[int | None] = []
    for name, total in totals.items():
        if isinstance(total, Mapping):
            starts.append(len(labels))
            codes.append(len(labels) + _levels(table, name, total))
            labels += [f"{name}={value}" for value in total]
            targets += [float(value) for value in total.values()]
        else:
            starts.append(None)
            codes.append(floats(table, name, param="students table"))
            labels.append(name)
            targets.append(float(total))
    patterns, pattern = np.unique(np.column_stack(codes), axis=0, return_inverse=True)
    values = np.zeros((len(patterns), len(labels)))
    margins = []
    numeric = (place for place, label in enumerate(labels) if label in totals)
    for column, start in enumerate(starts):
        if start is None:
            values[:, next(numeric)] = patterns[:, column]
        else:
            margins.append(patterns[:, column].astype(np.int64))
            values[np.arange(len(patterns)), margins[-1]] = 1.0
    all_categorical = None not in starts
    return Controls(
        pattern_values=values,
        totals=np.asarray(targets),
        margins=tuple(margins) if all_categorical else (),
        labels=tuple(labels),
    ), pattern.ravel().astype(np.int64)


def _refuse_sums(totals: Totals) -> None:
    """Refuse totals that are not positive, and margins of different populations."""
    sums: dict[str, float] = {}
    for name, total in totals.items():
        if isinstance(total, Mapping):
            bad = [f"{name}={value}" for value, number in total.items() if not 0 < number < np.inf]
            if bad or not total:
                raise DesignError(
                    f"The control totals of {name!r} must be positive.",
                    where=bad,
                    hint="Leave out categories that do not exist, in the table as well.",
                    param="totals",
                )
            sums[name] = float(sum(total.values()))
    if sums and max(sums.values()) - min(sums.values()) > SUM_TOLERANCE * max(sums.values()):
        parts = ", ".join(f"{name} {total:.10g}" for name, total in sums.items())
        raise DesignError(
            f"The margins add up to different totals: {parts}.",
            why="Weights that sum to one of them cannot sum to the other.",
            hint="Take all margins from one count of the population.",
            param="totals",
        )


def _levels(table: Table, name: str, total: Mapping[Any, float]) -> NDArray[np.float64]:
    """Number the values of a categorical column in the order of its totals."""
    texts = strings(table, name, param="students table")
    number = {str(value): place for place, value in enumerate(total)}
    strange = sorted(set(texts) - set(number))
    empty = sorted(set(number) - set(texts))
    if strange or empty:
        words = "values without a control total" if strange else "control totals without any student"
        raise DesignError(
            f"The column {name!r} has {len(strange or empty)} {words}.",
            where=strange or empty,
            hint="Give each value of the table a total, and each total a student; join small categories.",
            param="totals",
        )
    return np.asarray([number[text] for text in texts], dtype=np.float64)


def _solve(
    columns: NDArray[np.float64],
    pattern: NDArray[np.int64],
    controls: Controls,
    options: tuple[str, tuple[float, float] | None],
    *,
    first: int,
) -> tuple[NDArray[np.float64], int]:
    """Find the g-weights of each pattern for each column of weights."""
    method, bounds = options
    n_patterns = len(controls.pattern_values)
    gather = sparse.csr_array(
        (np.ones(len(pattern)), (pattern, np.arange(len(pattern)))), shape=(n_patterns, len(pattern))
    )
    summed = np.asarray(gather @ columns)
    for margin in controls.margins:
        sums = np.zeros((len(controls.totals), summed.shape[1]))
        np.add.at(sums, margin, summed)
        present = np.unique(margin)
        refuse_empty(sums[present], present, controls, first)
    g = np.empty_like(summed)
    if method == "raking" and controls.margins:
        g, n_iterations = rake(summed, controls, first)
        todo = range(0)
    else:
        n_iterations, todo = 0, range(summed.shape[1])
    for column in todo:
        g[:, column], steps = newton(summed[:, column], controls, method, NO_BOUNDS)
        n_iterations = max(n_iterations, steps)
    if bounds is None:
        bounds = (0.0, np.inf)
    outside = ((g < bounds[0]) | (g > bounds[1])).any(axis=0)
    for column in np.flatnonzero(outside).tolist():
        try:
            g[:, column], steps = newton(summed[:, column], controls, method, bounds)
        except ConvergenceError as error:
            if first + column == 0:
                raise
            error.what = f"In replicate {first + column}: {error.what}"
            raise
        n_iterations = max(n_iterations, steps)
    return g, n_iterations


def _replicates(
    replicates: ReplicateWeights | None,
    ids: tuple[str, ...] | None,
    pattern: NDArray[np.int64],
    controls: Controls,
    options: tuple[str, tuple[float, float] | None],
) -> ReplicateWeights | None:
    """Calibrate every replicate to the same totals."""
    if replicates is None:
        return None
    if len(replicates.student_id) != len(pattern) or (ids is not None and replicates.student_id != ids):
        raise DesignError(
            "The replicates are of other respondents than the weights.",
            hint="Pass replicate_weights(w) of the same w.",
            param="replicates",
        )
    g, _ = _solve(replicates.matrix, pattern, controls, options, first=1)
    return replace(replicates, matrix=replicates.matrix * g[pattern])


def _margins(
    controls: Controls,
    pattern: NDArray[np.int64],
    given: NDArray[np.float64],
    calibrated: NDArray[np.float64],
) -> Table:
    """Write targets beside the weighted totals before and after."""
    n_patterns = len(controls.pattern_values)
    before, after = (
        controls.pattern_values.T @ np.bincount(pattern, weights, minlength=n_patterns)
        for weights in (given, calibrated)
    )
    return make_table(
        {"control": list(controls.labels), "target": controls.totals, "before": before, "after": after}
    )
