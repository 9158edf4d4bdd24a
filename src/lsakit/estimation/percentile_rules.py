"""The rules of percentiles by their names.

See ``docs/algorithms/percentiles.md``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.replication import Groups, group_name
from lsakit.kernels.replication_percentiles import (
    AVERAGE,
    FREQUENCY,
    MIDPOINT,
    STEP,
    STRICT,
    SYMMETRIC,
    UNBIASED,
)

Floats = NDArray[np.float64]

RULES = {
    "step": STEP,
    "rrepest": STRICT,
    "midpoint": MIDPOINT,
    "average": AVERAGE,
    "intsvy": FREQUENCY,
    "edsurvey_symmetric": SYMMETRIC,
    "edsurvey_unbiased": UNBIASED,
}
COUNTING_RULES = ("intsvy", "edsurvey_symmetric", "edsurvey_unbiased")
"""Rules that take a weight for a number of students; they depend on what the weights sum to."""


def refuse_uncountable(groups: Groups, totals: Floats, rule: str) -> None:
    """Refuse a rule that takes weights for numbers of students where they sum to one or less.

    Parameters
    ----------
    groups : Groups
        The groups.
    totals : ndarray of shape (n_groups, n_replicates + 1)
        Sums of weights, the final one first.
    rule : str
        Name of the rule.

    Raises
    ------
    EstimationError
        If there is such a group.
    """
    small = np.flatnonzero(totals[:, 0] <= 1.0) if rule in COUNTING_RULES else np.zeros(0, dtype=np.int64)
    if small.size:
        raise EstimationError(
            f"The rule {rule!r} takes weights for numbers of students and needs weights that sum to more than 1.",
            where=[group_name(groups, int(g)) for g in small],
            hint="Use weights that sum to the population, or another rule.",
            param="rule",
        )
