"""The reporting scale: a straight line from logits to points, set once and held in later cycles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lsakit.errors import EstimationError
from lsakit.io.frames import Table, as_table, floats, require_columns, with_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingScale:
    """A reporting scale and the values on it.

    Parameters
    ----------
    table : polars.DataFrame
        The table given, its value columns in points of the scale.
    slope : float
        Points per logit.
    intercept : float
        Points at theta 0.
    columns : tuple of str
        Columns that were transformed.
    was_estimated : bool
        Whether the line was estimated from these values; False where it was held.
    schema : str
        Name and version of this form.
    """

    table: Table
    slope: float
    intercept: float
    columns: tuple[str, ...]
    was_estimated: bool
    schema: str = "lsakit.reporting_scale/1"

    def points(self, theta: ArrayLike) -> Any:
        """Turn logits into points.

        Parameters
        ----------
        theta : array of shape (n_values,)
            Abilities, logits.

        Returns
        -------
        ndarray of shape (n_values,)
            Points of the scale.
        """
        return self.intercept + self.slope * np.asarray(theta, dtype=float)


def set_scale(
    pv: Any,
    *,
    slope: float | None = None,
    intercept: float | None = None,
    mean: float = 500.0,
    sd: float = 100.0,
    weights: str | ArrayLike | None = None,
    columns: Sequence[str] | None = None,
) -> ReportingScale:
    """Put values on the reporting scale, with a line that is held or set here.

    Parameters
    ----------
    pv : table
        Plausible values or abilities, logits.
    slope : float, optional
        Points per logit, held from an earlier cycle; given together with ``intercept``.
    intercept : float, optional
        Points at theta 0, held from an earlier cycle.
    mean : float, default 500.0
        Mean of this population on a scale that is set here, points.
    sd : float, default 100.0
        Its standard deviation, points.
    weights : str or array of shape (n_students,), optional
        Weights of the population on which the scale is set, dimensionless.
    columns : Sequence of str, optional
        Value columns; by default all that begin with PV, and theta. Give the columns of one subject where each
        subject has its own scale.

    Returns
    -------
    ReportingScale
        Slope, intercept and the transformed table.

    Raises
    ------
    EstimationError
        If only one of slope and intercept is given, the slope is not positive, the values do not vary, weights
        are given with a held line, or they are negative or all zero.

    Notes
    -----
    Mean and variance (divisor: sum of weights) are computed for each column and averaged over the columns.

    Examples
    --------
    >>> set_scale({"PV1": [0.0, 0.4]}, slope=100, intercept=500).table["PV1"].to_list()
    [500.0, 540.0]
    """
    table = as_table(pv, param="pv")
    chosen = tuple(columns) if columns is not None else _value_columns(table)
    require_columns(table, list(chosen), param="pv")
    if not chosen:
        raise EstimationError(
            "The table has no column of values.",
            hint="Name them with 'columns', or call them PV1 … or theta.",
            param="columns",
        )
    held = slope is not None or intercept is not None
    line = _held(slope, intercept, weights) if held else _estimated(table, chosen, weights, (mean, sd))
    moved = {name: line[1] + line[0] * floats(table, name, param="pv") for name in chosen}
    return ReportingScale(
        table=with_columns(table, moved),
        slope=line[0],
        intercept=line[1],
        columns=chosen,
        was_estimated=not held,
    )


def _value_columns(table: Table) -> tuple[str, ...]:
    """Find PV1 …, PV1MATHS … and theta."""
    return tuple(
        name for name in table.columns if name == "theta" or (name[:2] == "PV" and name[2:3].isdigit())
    )


def _held(slope: float | None, intercept: float | None, weights: Any) -> tuple[float, float]:
    """Take the line of an earlier cycle."""
    if slope is None or intercept is None:
        raise EstimationError(
            "A held scale needs both 'slope' and 'intercept'.",
            hint="Give the two numbers of the cycle in which the scale was set.",
            param="slope" if slope is None else "intercept",
        )
    if not (slope > 0.0 and np.isfinite(intercept)):
        raise EstimationError(
            f"The 'slope' parameter must be positive and the intercept finite. Got {slope}, {intercept}.",
            param="slope",
            got=slope,
        )
    if weights is not None:
        raise EstimationError(
            "Weights have no meaning for a scale that is held.",
            hint="Leave 'weights' out, or leave 'slope' and 'intercept' out to set the scale here.",
            param="weights",
        )
    return float(slope), float(intercept)


def _estimated(
    table: Table, columns: Sequence[str], weights: str | ArrayLike | None, target: tuple[float, float]
) -> tuple[float, float]:
    """Set the line so that this population has the wanted mean and standard deviation."""
    if weights is None:
        weight = np.ones(table.height)
    elif isinstance(weights, str):
        weight = floats(table, weights, param="pv")
    else:
        weight = np.asarray(weights, dtype=float)
    if weight.shape != (table.height,) or not (np.all(weight >= 0.0) and weight.sum() > 0.0):
        raise EstimationError(
            "The weights must be one number per row, none negative and not all zero.", param="weights"
        )
    weight = weight / weight.sum()
    averages, variances = [], []
    for name in columns:
        values = floats(table, name, param="pv")
        averages.append(float(weight @ values))
        variances.append(float(weight @ (values - averages[-1]) ** 2))
    spread = float(np.sqrt(np.mean(variances)))
    if not spread > 0.0:
        raise EstimationError("The values do not vary, so no scale can be set on them.", param="pv")
    slope = target[1] / spread
    return slope, target[0] - slope * float(np.mean(averages))
