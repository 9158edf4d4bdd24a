"""From a settled question to estimates: which function of lsakit.estimation answers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lsakit.estimation.equity import estimate_gradient
from lsakit.estimation.means import estimate_means
from lsakit.estimation.percentiles import estimate_percentiles
from lsakit.estimation.proportions import estimate_levels, estimate_proportions
from lsakit.estimation.replication import PreparedTable
from lsakit.estimation.results import Estimates
from lsakit.io.frames import select_rows
from lsakit.tables.explorer.files import SCHOOL, AnalysisFile
from lsakit.tables.explorer.question import SLOPE_ON, Question
from lsakit.tables.explorer.variables import Variable

KEPT = {
    "mean": ("mean",),
    "sd": ("sd",),
    "levels": ("below_", "level_"),
    "at_or_above": ("at_or_above_",),
    "percentiles": ("p",),
    "percent": ("share_",),
    "slope": ("slope", "strength"),
}
SHARES = ("levels", "at_or_above", "percent")


def needed_columns(question: Question, measure: Variable) -> list[str]:
    """Name the columns without which a student does not count.

    Parameters
    ----------
    question : Question
        What is asked.
    measure : Variable
        Its measure.

    Returns
    -------
    list of str
        The first plausible value or the variable; the index of a slope too.
    """
    own = measure.values.format(m=1)
    return [own, SLOPE_ON] if question.statistic == "slope" else [own]


def estimated(
    file: AnalysisFile, rows: PreparedTable, question: Question, measure: Variable, by: Sequence[str]
) -> Estimates:
    """Estimate what is asked in the groups of some columns.

    Parameters
    ----------
    file : AnalysisFile
        The file, for cuts and percentiles.
    rows : PreparedTable
        Its rows with the groups that are shown alone.
    question : Question
        What is asked.
    measure : Variable
        Its measure.
    by : Sequence of str
        Columns of the groups.

    Returns
    -------
    Estimates
        The rows of the statistic asked for alone.
    """
    values, groups = measure.values, list(by)
    if question.statistic == "percentiles":
        found = estimate_percentiles(rows, values, file.percentiles, by=groups, cluster=SCHOOL)
    elif question.statistic in ("levels", "at_or_above"):
        found = estimate_levels(rows, values, cuts=file.cuts, by=groups, cluster=SCHOOL)
    elif question.statistic == "percent":
        found = estimate_proportions(rows, values, by=groups, cluster=SCHOOL)
    elif question.statistic == "slope":
        found = estimate_gradient(rows, values, SLOPE_ON, by=groups, cluster=SCHOOL)
    else:
        found = estimate_means(rows, values, by=groups, cluster=SCHOOL)
    return _only(found, KEPT[question.statistic])


def _only(found: Estimates, starts: tuple[str, ...]) -> Estimates:
    """Keep the rows whose statistic has one of some beginnings."""
    names = found.table.get_column("statistic").to_list()
    kept = np.array([name.startswith(starts) for name in names], dtype=np.bool_)
    if kept.all():
        return found
    return replace(
        found,
        table=select_rows(found.table, kept),
        replicate_estimates=found.replicate_estimates[kept],
    )
