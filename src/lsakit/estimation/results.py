"""What every estimate returns: a tidy table, and the replicate estimates that comparisons need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lsakit.errors import EstimationError
from lsakit.estimation.combine import Combined, combine, degrees_of_freedom
from lsakit.estimation.explanations import explained
from lsakit.estimation.replication import RESULT_COLUMNS, Groups
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.io.files import write_table
from lsakit.io.frames import Table, floats, make_table, stack_tables, to_pandas
from lsakit.io.latex import latex_table

Floats = NDArray[np.float64]

SCHEMA = "lsakit.estimate/1"


class TidyResult:
    """What every result with a tidy ``table`` can do."""

    __slots__ = ()

    table: Table

    @property
    def standard_error(self) -> Floats:
        """Standard errors in the order of the table, of shape (n_rows,); NaN where undefined."""
        return floats(self.table, "standard_error", nulls=True)

    def to_polars(self) -> Table:
        """Give the table as a Polars DataFrame."""
        return self.table

    def to_pandas(self) -> Any:
        """Give the table as a pandas DataFrame."""
        return to_pandas(self.table)

    def to_excel(self, path: str | Path) -> Path:
        """Write the table as an Excel workbook and give its path."""
        written = Path(path)
        if written.suffix.lower() != ".xlsx":
            raise EstimationError(
                f"A workbook's name ends in .xlsx. Got {written.name!r}.", param="path", got=str(path)
            )
        write_table(self.table, written)
        return written

    def to_latex(self, *, digits: int = 2) -> str:
        """Give the table as LaTeX source."""
        return latex_table(self.table, digits=digits)

    def confidence_intervals(self, *, level: float = 0.95) -> tuple[Floats, Floats]:
        """Bounds of the confidence intervals by the t distribution, each of shape (n_rows,)."""
        if not 0.0 < level < 1.0:
            raise EstimationError(f"The 'level' lies between 0 and 1. Got {level}.", param="level", got=level)
        degrees = floats(self.table, "degrees_of_freedom", nulls=True)
        half = stats.t.ppf(0.5 + level / 2.0, np.where(np.isnan(degrees), np.inf, degrees))
        half = half * self.standard_error
        middle = floats(self.table, "estimate", nulls=True)
        return middle - half, middle + half


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates(TidyResult):
    """Estimates by group and statistic, with their errors.

    Parameters
    ----------
    table : polars.DataFrame
        One row per group and statistic: the break-down columns, ``statistic``, ``n`` (rows, unweighted),
        ``n_schools`` where a cluster column was given, ``estimate``, ``standard_error``,
        ``sampling_variance``, ``imputation_variance`` (between plausible values, divisor M − 1, before the
        factor 1 + 1/M), ``degrees_of_freedom`` (null where the variance is zero) and ``undefined_because``
        (null, or why the standard error is null).
    by : tuple of str
        Break-down columns.
    values : str
        Column or pattern that was analysed.
    design : SurveyDesign
        Design under which the errors were computed.
    replicate_estimates : ndarray of shape (n_rows, n_plausible_values, n_replicates + 1)
        Each row's statistic under the final weight (first) and each replicate weight; read-only. NaN where
        a replicate leaves nothing to compute from.
    n_missing_by : int
        Rows of the input left out because a break-down value is missing.
    n_missing_values : int
        Rows of the input left out because the category is missing (only shares of categories allow that).
    lonely_zones : tuple of str
        Jackknife zones of which only one half is present; they make the variance doubtful.
    schema : str
        Version of this form.
    """

    table: Table
    by: tuple[str, ...]
    values: str
    design: SurveyDesign
    replicate_estimates: Floats
    n_missing_by: int = 0
    n_missing_values: int = 0
    lonely_zones: tuple[str, ...] = ()
    schema: str = SCHEMA

    @property
    def n_plausible_values(self) -> int:
        """Number of plausible values, 1 for a plain column."""
        return int(self.replicate_estimates.shape[1])

    @property
    def n_replicates(self) -> int:
        """Number of replicate weights."""
        return int(self.replicate_estimates.shape[2]) - 1

    @property
    def fraction_missing_information(self) -> Floats:
        """Share of the variance that lies between plausible values, of shape (n_rows,); NaN where undefined."""
        return combine(self.replicate_estimates, self.design).fraction_missing_information

    def degrees_of_freedom(self, rule: str = "johnson_rust") -> Floats:
        """Degrees of freedom of shape (n_rows,), by ``johnson_rust`` (as in the table), ``rubin`` or ``barnard_rubin``."""
        return degrees_of_freedom(self.replicate_estimates, self.design, rule)

    def explain(self, row: int = 0, *, language: str = "en") -> str:
        """Tell in words where the estimate of a row and its standard error come from, in ``"en"`` or ``"vi"``."""
        return explained(self, row, language)


class Designed(Protocol):
    """Rows or their sums, with the design under which they were taken."""

    @property
    def design(self) -> SurveyDesign:
        """Where the weights are."""

    @property
    def lonely_zones(self) -> tuple[str, ...]:
        """Jackknife zones of which only one half is present."""


def gather(
    ready: Designed,
    groups: Groups,
    values: str,
    statistics: Sequence[str],
    replicate_estimates: Floats,
    *,
    labels: dict[str, list[Any]] | None = None,
    n_missing_values: int = 0,
) -> Estimates:
    """Combine the replicate estimates of all groups and statistics into a result.

    Parameters
    ----------
    ready : PreparedTable or GroupSums
        The rows or their sums, and their design.
    groups : Groups
        Groups of the rows.
    values : str
        Column or pattern that was analysed.
    statistics : Sequence of str
        Names of the statistics.
    replicate_estimates : ndarray of shape (n_groups, n_statistics, n_plausible_values, n_replicates + 1)
        The statistics under each weight.
    labels : dict of str to list, optional
        Further columns, one value per statistic.
    n_missing_values : int, default 0
        Rows left out because their value is missing.

    Returns
    -------
    Estimates
        The result, one row per group and statistic.

    Raises
    ------
    EstimationError
        If a break-down column has the name of one of the further columns.
    """
    taken = sorted(set(groups.by) & set(labels or ()))
    if taken:
        raise EstimationError(
            f"The break-down column {taken[0]!r} has the name of a column of the result.",
            hint="Rename it in the table.",
            param="by",
            got=taken[0],
        )
    n_groups, n_statistics = replicate_estimates.shape[:2]
    flat = np.ascontiguousarray(replicate_estimates).reshape(-1, *replicate_estimates.shape[2:])
    flat.setflags(write=False)
    columns: dict[str, Any] = {
        name: [value for value in keys for _ in range(n_statistics)] for name, keys in groups.keys.items()
    }
    columns["statistic"] = list(statistics) * n_groups
    for name, label in (labels or {}).items():
        columns[name] = label * n_groups
    columns["n"] = np.repeat(groups.n, n_statistics)
    if groups.n_schools is not None:
        columns["n_schools"] = np.repeat(groups.n_schools, n_statistics)
    columns |= error_columns(combine(flat, ready.design), undefined_reasons(flat))
    return Estimates(
        table=make_table(columns),
        by=groups.by,
        values=values,
        design=ready.design,
        replicate_estimates=flat,
        n_missing_by=groups.n_missing_by,
        n_missing_values=n_missing_values,
        lonely_zones=ready.lonely_zones,
    )


def identity_columns(result: Estimates) -> list[str]:
    """Name the columns that together tell a row of estimates from every other.

    Parameters
    ----------
    result : Estimates
        The result.

    Returns
    -------
    list of str
        Break-downs, the statistic, and what else describes it, such as a category or a pair of variables.
    """
    described = [name for name in result.table.columns if name not in (*result.by, *RESULT_COLUMNS)]
    own = ["category"] if "category" in result.table.columns and "category" not in result.by else []
    return [*result.by, "statistic", *own, *described]


def joined(parts: Sequence[Estimates], *, values: str) -> Estimates:
    """Put results of one table and design under each other.

    Parameters
    ----------
    parts : Sequence of Estimates
        Results with the same break-downs and columns.
    values : str
        What was analysed.

    Returns
    -------
    Estimates
        All rows; the largest numbers of rows left out. A result without plausible values is repeated for each.
    """
    most = max(part.n_plausible_values for part in parts)
    widened = [
        np.broadcast_to(part.replicate_estimates, (part.table.height, most, part.n_replicates + 1))
        for part in parts
    ]
    replicates = np.concatenate(widened)
    replicates.setflags(write=False)
    return replace(
        parts[0],
        table=stack_tables([part.table for part in parts]),
        values=values,
        replicate_estimates=replicates,
        n_missing_by=max(part.n_missing_by for part in parts),
        n_missing_values=max(part.n_missing_values for part in parts),
    )


def error_columns(combined: Combined, reasons: list[str | None]) -> dict[str, Any]:
    """Lay out estimates and errors as columns, null where they are undefined.

    Parameters
    ----------
    combined : Combined
        Estimates with the parts of their variance.
    reasons : list of (str or None) of shape (n_estimates,)
        Why an error is undefined; None where it is defined.

    Returns
    -------
    dict of str to list
        The columns from ``estimate`` to ``undefined_because``.
    """
    return {
        "estimate": nullable(combined.estimate),
        "standard_error": nullable(combined.standard_error),
        "sampling_variance": nullable(combined.sampling_variance),
        "imputation_variance": nullable(combined.imputation_variance),
        "degrees_of_freedom": nullable(combined.degrees_of_freedom),
        "undefined_because": make_table({"": [*reasons, ""]}).get_column("")[:-1],
    }


def nullable(values: Floats) -> Any:
    """Turn numbers that are not finite into nulls.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Numbers.

    Returns
    -------
    polars.Series
        The numbers as floats, null where they are not finite.
    """
    known = np.isfinite(values).tolist()
    column = [value if keep else None for value, keep in zip(values.tolist(), known, strict=True)]
    return make_table({"": [*column, 0.0]}).get_column("")[:-1]


def undefined_reasons(replicate_estimates: Floats) -> list[str | None]:
    """Say for each estimate why its error is undefined, if it is.

    Parameters
    ----------
    replicate_estimates : ndarray of shape (n_estimates, n_plausible_values, n_replicates + 1)
        Statistics under each weight; NaN where undefined.

    Returns
    -------
    list of (str or None) of shape (n_estimates,)
        A sentence for each estimate with an undefined replicate.
    """
    undefined = np.isnan(replicate_estimates[:, :, 1:]).any(axis=1).sum(axis=1)
    n_replicates = replicate_estimates.shape[2] - 1
    return [
        f"The statistic is undefined in {count} of {n_replicates} replicates, "
        "where no weight is left in the group."
        if count
        else None
        for count in undefined.tolist()
    ]
