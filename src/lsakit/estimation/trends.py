"""Change between cycles, with the linking error of their scale.

See ``docs/algorithms/trends.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.closed_forms import with_discoveries
from lsakit.estimation.combine import Combined
from lsakit.estimation.comparisons import Comparison, against_zero
from lsakit.estimation.explanations import explained_difference
from lsakit.estimation.results import Estimates, TidyResult, identity_columns, nullable
from lsakit.io.frames import Table, floats, make_table, stack_tables

Floats = NDArray[np.float64]

MOVES_WITH_THE_SCALE = re.compile(r"(mean|p\d+(\.\d+)?(:\(Intercept\))?|\(Intercept\)|level)")
"""Statistics that a shift of the scale moves by the shift itself."""
NEEDS_ITS_OWN = re.compile(r"(below|level|at_or_above)_\d+|value.*|threshold:.*")
"""Statistics that a shift of the scale moves in a way of their own."""

OWN_COLUMNS = ("from_cycle", "to_cycle", "linking_error", "standard_error_without_linking", "is_significant")
"""Columns of a trend; a break-down column may not have one of these names."""

LinkingError = float | Mapping[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend(TidyResult):
    """Changes between cycles, with their errors.

    Parameters
    ----------
    table : polars.DataFrame
        One row per pair of cycles, group and statistic: the columns that identify the estimate, ``from_cycle``,
        ``to_cycle``, ``estimate`` (later minus earlier), ``standard_error`` (linking error included),
        ``standard_error_without_linking``, ``linking_error``, ``degrees_of_freedom`` (null where nothing limits
        them), ``t`` and ``p_value`` (two-sided, unadjusted).
    n_unmatched : int
        Rows of one cycle that have no counterpart in the other.
    """

    table: Table
    n_unmatched: int

    def explain(self, row: int = 0, *, language: str = "en") -> str:
        """Tell in words where the change of a row and its standard error come from, in ``"en"`` or ``"vi"``."""
        return explained_difference(self.table, row, language, kind="trend", key="")

    def adjusted(self, *, level: float = 0.05) -> Trend:
        """Add ``is_significant``: rejected with the false discovery rate of the whole table at ``level``."""
        return replace(self, table=with_discoveries(self.table, level))


def trend(
    results: Sequence[Estimates | Comparison],
    *,
    linking_error: LinkingError = 0.0,
    cycles: Sequence[Any] | None = None,
) -> Trend:
    """Compare the estimates of cycles whose samples were drawn apart.

    Parameters
    ----------
    results : Sequence of Estimates or Comparison
        The same statistics of two or more cycles, earlier first; gaps made by `compare` likewise.
    linking_error : float or Mapping
        Linking error in points of the scale. A mapping gives one per statistic, such as
        ``{"mean": 2.24, "at_or_above_2": 0.008}``, or per pair of cycles, such as ``{(2018, 2022): 2.24}``, each a
        number or such a mapping; more than two cycles with linking errors need the latter.
    cycles : Sequence of object, optional
        Name of each cycle, such as its year; ``1``, ``2`` … otherwise.

    Returns
    -------
    Trend
        Later minus earlier for every pair of cycles.

    Raises
    ------
    EstimationError
        If there are fewer than two results, they have no row in common, or a statistic needs a linking error of
        its own that is not given.

    Notes
    -----
    A number applies to what moves with the scale: means, percentiles and intercepts. Standard deviations,
    slopes, correlations and gaps do not move, and get none. Shares of levels and statistics of the user's own move
    in their own way: they need a number of their own (`share_linking_error`).

    References
    ----------
    .. [1] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 13.
    .. [2] docs/algorithms/trends.md

    Examples
    --------
    >>> from lsakit.estimation.means import estimate_means
    >>> from lsakit.estimation.survey_design import SurveyDesign
    >>> rows = {"X": [1.0, 3.0, 5.0, 7.0], "W": [1.0] * 4, "ZONE": [1, 1, 2, 2], "HALF": [1, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> old = estimate_means(rows, "X", design=design)
    >>> new = estimate_means(rows | {"X": [2.0, 4.0, 6.0, 9.0]}, "X", design=design)
    >>> changed = trend([old, new], linking_error=0.5, cycles=[2022, 2025])
    >>> changed.table.select("from_cycle", "to_cycle", "estimate", "linking_error").rows()[0]
    ('2022', '2025', 1.25, 0.5)
    """
    names = [str(name) for name in (cycles or range(1, len(results) + 1))]
    if len(results) < 2 or len(names) != len(results) or len(set(names)) < len(names):
        raise EstimationError(
            f"A trend needs two or more results, each with a name of its own. Got {len(results)} results and "
            f"{len(names)} names.",
            param="results",
        )
    _refuse_other_kinds(results)
    parts, unmatched = [], 0
    for first, second in combinations(range(len(results)), 2):
        given = _of_pair(linking_error, names[first], names[second], n_cycles=len(results))
        part, lost = _change(results[first], results[second], given)
        parts.append({"from_cycle": names[first], "to_cycle": names[second]} | part)
        unmatched += lost
    tables = []
    for part in parts:
        height = len(part["estimate"])
        fixed = {k: [v] * height if isinstance(v, str) else v for k, v in part.items()}
        tables.append(make_table(fixed))
    return Trend(table=stack_tables(tables), n_unmatched=unmatched)


def _refuse_other_kinds(results: Sequence[Estimates | Comparison]) -> None:
    """Refuse results that are not the same statistics."""
    identities = {(type(result).__name__, *_identity(result)) for result in results}
    if len(identities) > 1:
        raise EstimationError(
            "The results of a trend must be of one kind, with the same break-downs.",
            hint="Estimate the same statistics with the same 'by' for every cycle.",
            param="results",
        )
    taken = [name for name in _identity(results[0]) if name in OWN_COLUMNS]
    if taken:
        raise EstimationError(
            f"The break-down column {taken[0]!r} has the name of a column of the trend.",
            hint="Rename it in the tables before estimating.",
            param="by",
            got=taken[0],
        )


def _identity(result: Estimates | Comparison) -> list[str]:
    """Columns that identify a row."""
    if isinstance(result, Estimates):
        return identity_columns(result)
    numbers = ("estimate", "standard_error", "sampling_variance", "imputation_variance", "degrees_of_freedom")
    known = (*numbers, "undefined_because", "t", "p_value", "is_significant")
    return [name for name in result.table.columns if name not in known]


def _of_pair(given: LinkingError, first: str, second: str, *, n_cycles: int) -> LinkingError:
    """The linking error of one pair of cycles."""
    if isinstance(given, Mapping):
        pairs = {tuple(str(c) for c in key): value for key, value in given.items() if isinstance(key, tuple)}
        if pairs:
            if (first, second) not in pairs:
                raise EstimationError(
                    f"The linking errors lack the pair ({first}, {second}).",
                    hint="Give every pair of cycles, 0 where they share one calibration.",
                    param="linking_error",
                )
            value: LinkingError = pairs[first, second]
            return value
    elif given and n_cycles > 2:
        raise EstimationError(
            f"One linking error {given} was given for {n_cycles} cycles.",
            why="Each pair of cycles has its own.",
            hint="Give {(2018, 2022): 2.24, …}, or two cycles.",
            param="linking_error",
        )
    return given


def _change(
    first: Estimates | Comparison, second: Estimates | Comparison, linking_error: LinkingError
) -> tuple[dict[str, Any], int]:
    """Columns of the changes between two cycles, and the number of rows without a counterpart."""
    keys = _identity(first)
    rows = [list(zip(*(r.table.get_column(k).to_list() for k in keys), strict=True)) for r in (first, second)]
    place = {identity: row for row, identity in enumerate(rows[1])}
    shared = [(row, place[identity]) for row, identity in enumerate(rows[0]) if identity in place]
    if not shared:
        raise EstimationError("The cycles have no row in common.", param="results")
    before, after = (np.array(column) for column in zip(*shared, strict=True))
    statistics = [str(first.table.get_column("statistic")[int(row)]) for row in before]
    is_gap = isinstance(first, Comparison)
    linking = np.array([_linking_error(linking_error, name, is_gap=is_gap) for name in statistics])
    combined, sampling = _combined(first, second, before, after, linking)
    columns: dict[str, Any] = {name: [rows[0][int(row)][k] for row in before] for k, name in enumerate(keys)}
    columns |= {
        "estimate": nullable(combined.estimate),
        "standard_error": nullable(combined.standard_error),
        "standard_error_without_linking": nullable(sampling),
        "linking_error": linking,
        "degrees_of_freedom": nullable(combined.degrees_of_freedom),
    }
    return columns | against_zero(combined), len(rows[0]) + len(rows[1]) - 2 * len(shared)


def _combined(
    first: Estimates | Comparison, second: Estimates | Comparison, before: Any, after: Any, linking: Floats
) -> tuple[Combined, Floats]:
    """Differences with their errors, and the errors without linking."""
    parts = []
    for result, rows in ((first, before), (second, after)):
        columns = [floats(result.table, name, nulls=True)[rows] for name in ("estimate", "standard_error")]
        degrees = floats(result.table, "degrees_of_freedom", nulls=True)[rows]
        parts.append((*columns, np.where(np.isnan(degrees), np.inf, degrees)))
    (old, old_error, old_degrees), (new, new_error, new_degrees) = parts
    sampling = old_error**2 + new_error**2
    total = sampling + linking**2
    inverse = old_error**4 / old_degrees + new_error**4 / new_degrees
    degrees = np.divide(total**2, inverse, out=np.full(total.shape, np.inf), where=inverse > 0.0)
    combined = Combined(
        estimate=new - old,
        sampling_variance=sampling,
        imputation_variance=np.zeros(total.shape),
        standard_error=np.sqrt(total),
        degrees_of_freedom=degrees,
    )
    return combined, np.sqrt(sampling)


def _linking_error(given: LinkingError, statistic: str, *, is_gap: bool) -> float:
    """Linking error of one statistic."""
    if isinstance(given, Mapping):
        if statistic in given:
            return _checked(given[statistic])
        if is_gap or not (MOVES_WITH_THE_SCALE.fullmatch(statistic) or NEEDS_ITS_OWN.fullmatch(statistic)):
            return 0.0
    else:
        number = _checked(given)
        if number == 0.0 or MOVES_WITH_THE_SCALE.fullmatch(statistic):
            return 0.0 if is_gap else number
        if is_gap or not NEEDS_ITS_OWN.fullmatch(statistic):
            return 0.0
    raise EstimationError(
        f"The statistic {statistic!r} needs a linking error of its own.",
        why="A shift of the scale does not move it by the shift itself.",
        hint=f"Give linking_error={{'mean': …, {statistic!r}: …}}; share_linking_error makes that of a share.",
        param="linking_error",
        got=statistic,
    )


def _checked(given: Any) -> float:
    """A linking error as a number, finite and not negative."""
    try:
        number = float(given)
    except (TypeError, ValueError):
        number = float("nan")
    if not 0.0 <= number < float("inf"):
        raise EstimationError(
            f"A linking error is a number of 0 or more. Got {given!r}.", param="linking_error", got=given
        )
    return number
