"""Correlations between columns and plausible values.

See ``docs/algorithms/correlations.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.cross_products import (
    ColumnFrame,
    arranged,
    column_frame,
    common_frame,
    product_sums,
    stated_frame,
)
from lsakit.estimation.group_sums import Breakdown, GroupSums
from lsakit.estimation.replication import Groups, PreparedTable, group_name, prepared
from lsakit.estimation.results import Estimates, gather, joined
from lsakit.estimation.rows import complete_rows
from lsakit.estimation.shard_sums import estimated
from lsakit.estimation.sharded import ShardedTable
from lsakit.estimation.survey_design import SurveyDesign

Floats = NDArray[np.float64]


def estimate_correlations(
    table: Any,
    variables: Sequence[str],
    *,
    by: Sequence[str] | str | None = None,
    design: SurveyDesign | None = None,
    cluster: str | None = None,
) -> Estimates:
    """Estimate the correlation of every two variables, with standard errors.

    Parameters
    ----------
    table : PreparedTable or polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        One row per student.
    variables : Sequence of str
        Two or more columns or patterns of plausible values, such as ``["PV{m}MATH", "ESCS"]``.
    by : Sequence of str or str, optional
        Break-down columns.
    design : SurveyDesign, optional
        Where the weights are; may be left out for a prepared table.
    cluster : str, optional
        Column of the school, to count schools.

    Returns
    -------
    Estimates
        One row per group and pair: statistic ``"correlation"``, dimensionless, with the pair in the columns
        ``variable_1`` and ``variable_2``.

    Raises
    ------
    EstimationError
        If fewer than two variables are named, or one is constant in a group.
    TableError
        If a column is absent or not numeric.
    DesignError
        If no design is given.

    Notes
    -----
    Each pair is taken over the rows that have both variables; ``n`` of the row counts them and
    ``n_missing_values`` is the number left out of the pair with most missing values. Plausible values of two
    patterns are paired by their number.

    References
    ----------
    .. [1] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 8.
    .. [2] docs/algorithms/correlations.md

    Examples
    --------
    >>> rows = {"X": [1.0, 2.0, 3.0, 4.0], "Y": [2.0, 4.0, 6.0, 9.0], "W": [1.0] * 4,
    ...         "ZONE": [1, 1, 2, 2], "HALF": [1, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> round(estimate_correlations(rows, ["X", "Y"], design=design).table["estimate"][0], 6)
    0.994377
    """
    names = list(variables)
    if isinstance(variables, str) or len(names) < 2 or len(set(names)) < len(names):
        raise EstimationError(
            f"Correlations need two or more variables, each once. Got {variables!r}.",
            hint="Such as ['PV{m}MATH', 'ESCS'].",
            param="variables",
            got=variables,
        )
    every = CorrelationSums(names=tuple(names))
    if not isinstance(table, ShardedTable):
        table = prepared(table, design)
        is_complete = not complete_rows(table, names)[2]
        found = estimated(table, every, design, by=by, cluster=cluster) if is_complete else None
    else:
        found = estimated(table, every, design, by=by, cluster=cluster)
    if found is not None and not found.n_missing_values:
        return found
    pairs = [CorrelationSums(names=pair) for pair in combinations(names, 2)]
    parts = [estimated(table, pair, design, by=by, cluster=cluster) for pair in pairs]
    return joined(parts, values=", ".join(names))


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationSums:
    """Correlations of every two variables, over the rows that have them all, as sums of products.

    Parameters
    ----------
    names : tuple of str
        Columns and patterns of plausible values.
    common : tuple of (tuple of float, tuple of float), optional
        Centres and scales for all groups; left out, each group has its own centres.
    """

    names: tuple[str, ...]
    common: tuple[tuple[float, ...], tuple[float, ...]] | None = None

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns and patterns."""
        return self.names

    @property
    def categories(self) -> tuple[str, ...]:
        """None."""
        return ()

    def learned(self, ready: PreparedTable) -> CorrelationSums:
        """The same with the centres and scales of these rows."""
        _, columns, _ = self._columns(ready)
        return replace(self, common=common_frame(columns, is_centred=True))

    def part(self, ready: PreparedTable, breakdown: Breakdown) -> GroupSums:
        """Σ w x y of every two columns."""
        complete, columns, n_missing = self._columns(ready)
        cut = breakdown.cut(complete)
        if self.common is None:
            frame = column_frame(cut.groups, columns, is_centred=True)
        else:
            frame = stated_frame(self.common, cut.groups.n.size)
        sums = product_sums(complete, cut.groups, cut.pairs, columns, frame)
        form = (tuple(column.shape[0] for column in columns), tuple(frame.scales.tolist()))
        return cut.sums(cut.spread(sums), about=frame.centres, form=form, n_missing=n_missing)

    def finish(self, total: GroupSums) -> Estimates:
        """The correlation of every two variables in every group."""
        lines, scales = total.form
        crossed = arranged(total.sums, lines, ColumnFrame(centres=total.about, scales=np.array(scales)))
        weights = np.where(total.totals > 0.0, total.totals, np.nan)[:, :, np.newaxis, np.newaxis, np.newaxis]
        means = crossed.products[..., 1:, 0] / weights[..., 0]
        covariances = crossed.products[..., 1:, 1:] / weights
        covariances = covariances - means[..., :, np.newaxis] * means[..., np.newaxis, :]
        variances = np.maximum(np.einsum("...kk->...k", covariances), 0.0)
        _refuse_constant(total.groups, list(self.names), variances)
        spreads = np.sqrt(np.where(variances > 0.0, variances, np.nan))
        wanted = list(combinations(range(len(self.names)), 2))
        columns = [covariances[..., a, b] / (spreads[..., a] * spreads[..., b]) for a, b in wanted]
        estimates = np.clip(np.stack(columns, axis=1), -1.0, 1.0).transpose(0, 1, 3, 2)
        return gather(
            total,
            total.groups,
            ", ".join(self.names),
            ["correlation"] * len(wanted),
            estimates,
            labels={
                "variable_1": [self.names[a] for a, _ in wanted],
                "variable_2": [self.names[b] for _, b in wanted],
            },
            n_missing_values=total.n_missing_values,
        )

    def _columns(self, ready: PreparedTable) -> tuple[PreparedTable, list[Floats], int]:
        """A constant and the variables, over the rows that have them all."""
        complete, matrices, n_missing = complete_rows(ready, self.names)
        if len({matrix.shape[0] for matrix in matrices} - {1}) > 1:
            raise EstimationError(
                f"The variables {', '.join(self.names)} differ in their number of plausible values.",
                why="Plausible values of two variables are paired by their number.",
                param="variables",
            )
        return complete, [np.ones((1, complete.table.height)), *matrices], n_missing


def _refuse_constant(groups: Groups, names: list[str], variances: Floats) -> None:
    """Refuse groups in which a variable does not vary under the final weight."""
    # The columns were scaled to a spread near 1, so that what rounding leaves of a constant is below 1e-20.
    constant = np.min(variances[:, 0], axis=1) < 1e-20
    for k, name in enumerate(names):
        failed = np.flatnonzero(constant[:, k])
        if failed.size:
            raise EstimationError(
                f"The variable {name!r} does not vary in {failed.size} of {groups.n.size} groups.",
                where=[group_name(groups, int(g)) for g in failed],
                why="A correlation with a constant is not defined.",
                hint="Leave those groups out.",
                param="variables",
            )
