"""Gaps in units of the standard deviation, and what a design costs in precision.

See ``docs/algorithms/comparisons.md``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.combine import Combined, combine
from lsakit.estimation.comparisons import Comparison, against_zero, compare
from lsakit.estimation.results import Estimates, error_columns, identity_columns, undefined_reasons
from lsakit.io.frames import Table, floats, make_table, select_rows, with_columns

Floats = NDArray[np.float64]


def effect_sizes(means: Estimates, key: str, *, kind: str = "dependent") -> Comparison:
    """Express the gaps between groups in units of their standard deviation.

    Parameters
    ----------
    means : Estimates
        Result of `estimate_means`, broken down by ``key`` (and perhaps other columns).
    key : str
        Break-down column whose values are compared.
    kind : {"dependent", "independent"}
        Whether the groups come from one sample or from samples drawn apart, as in `compare`.

    Returns
    -------
    Comparison
        Statistic ``"effect_size"``: difference of the means over ``√((SD_a² + SD_b²)/2)``, dimensionless.

    Raises
    ------
    EstimationError
        If the result has no means and SDs, or the key is not one of its break-downs.

    References
    ----------
    .. [1] OECD (2009), PISA Data Analysis Manual, 2nd ed., ch. 16.
    .. [2] docs/algorithms/comparisons.md

    Examples
    --------
    >>> from lsakit.estimation.means import estimate_means
    >>> from lsakit.estimation.survey_design import SurveyDesign
    >>> rows = {"X": [1.0, 3.0, 5.0, 7.0, 2.0, 9.0], "G": ["a", "b"] * 3, "W": [1.0] * 6,
    ...         "ZONE": [1, 1, 2, 2, 3, 3], "HALF": [1, 0, 1, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> means = estimate_means(rows, "X", by="G", design=design)
    >>> round(effect_sizes(means, "G").table["estimate"][0], 4)
    -1.7179
    """
    mean_rows, sd_rows = _means_and_sds(means)
    gaps = compare(
        replace(
            means, table=_part(means, mean_rows), replicate_estimates=means.replicate_estimates[mean_rows]
        ),
        key,
        kind=kind,
    )
    first, second = _pairs(means, mean_rows, key, gaps.table)
    mean = means.replicate_estimates[mean_rows]
    spread = means.replicate_estimates[sd_rows]

    def size(a: Floats, b: Floats, sd_a: Floats, sd_b: Floats) -> Floats:
        pooled = np.sqrt((sd_a**2 + sd_b**2) / 2.0)
        return np.asarray((a - b) / np.where(pooled > 0.0, pooled, np.nan))

    full = [part[:, :, :1] for part in (mean[first], mean[second], spread[first], spread[second])]
    whole = size(mean[first], mean[second], spread[first], spread[second])
    if kind == "dependent":
        combined = combine(whole, means.design)
    else:
        by_first = combine(size(mean[first], full[1], spread[first], full[3]), means.design)
        by_second = combine(size(full[0], mean[second], full[2], spread[second]), means.design)
        combined = _added(combine(whole, means.design), by_first, by_second)
    kept = {name: gaps.table.get_column(name) for name in _labels(gaps)}
    columns: dict[str, Any] = kept | error_columns(combined, undefined_reasons(whole))
    table = make_table(columns | against_zero(combined))
    return replace(gaps, table=with_columns(table, {"statistic": ["effect_size"] * table.height}))


def design_effects(result: Estimates) -> Table:
    """Compare sampling variances with those of a simple random sample of the same size.

    Parameters
    ----------
    result : Estimates
        Result of `estimate_means`, `estimate_levels` or `estimate_proportions`.

    Returns
    -------
    polars.DataFrame
        One row per mean or share: what identifies it, ``n``, ``simple_variance`` (SD²/n or p(1 − p)/n),
        ``design_effect`` (sampling variance over it), ``design_effect_total`` (whole variance over it) and
        ``effective_n`` (n over the design effect); null where the simple variance is zero.

    Raises
    ------
    EstimationError
        If the result has neither means with SDs nor shares.

    References
    ----------
    .. [1] Kish (1965), Survey Sampling, ch. 5 and 8.
    .. [2] docs/algorithms/comparisons.md

    Examples
    --------
    >>> from lsakit.estimation.means import estimate_means
    >>> from lsakit.estimation.survey_design import SurveyDesign
    >>> rows = {"X": [1.0, 3.0, 5.0, 7.0], "W": [1.0] * 4, "ZONE": [1, 1, 2, 2], "HALF": [1, 0, 1, 0]}
    >>> design = SurveyDesign(weight="W", zone="ZONE", half="HALF", method="jk2")
    >>> design_effects(estimate_means(rows, "X", design=design))["design_effect"].round(9).to_list()
    [0.4]
    """
    statistics = np.array(result.table.get_column("statistic").to_list())
    n = floats(result.table, "n")
    estimate = floats(result.table, "estimate", nulls=True)
    starts = ("share", "row_share", "level_", "below_", "at_or_above_")
    shares = np.array([name.startswith(starts) for name in statistics.tolist()])
    if shares.any():
        kept = np.flatnonzero(shares)
        simple = estimate[kept] * (1.0 - estimate[kept]) / n[kept]
    else:
        kept, sds = _means_and_sds(result)
        simple = (result.replicate_estimates[sds, :, 0] ** 2).mean(axis=1) / n[kept]
    sampling = floats(result.table, "sampling_variance", nulls=True)[kept]
    total = floats(result.table, "standard_error", nulls=True)[kept] ** 2
    safe = np.where(simple > 0.0, simple, np.nan)
    part = _part(result, kept)
    named = {name: part.get_column(name) for name in [*identity_columns(result), "n"]}
    with np.errstate(divide="ignore", invalid="ignore"):
        numbers = {
            "simple_variance": simple,
            "design_effect": sampling / safe,
            "design_effect_total": total / safe,
            "effective_n": n[kept] * safe / sampling,
        }
    return make_table(
        named | {k: [x if np.isfinite(x) else None for x in v.tolist()] for k, v in numbers.items()}
    )


def _means_and_sds(result: Estimates) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the means and, for each, of the SD of the same group."""
    statistics = np.array(result.table.get_column("statistic").to_list())
    means, sds = np.flatnonzero(statistics == "mean"), np.flatnonzero(statistics == "sd")
    if not means.size or means.size != sds.size:
        raise EstimationError(
            "The result has no means with their standard deviations.",
            hint="Pass what estimate_means gives.",
            param="means",
        )
    return means, sds


def _part(result: Estimates, rows: NDArray[np.int64]) -> Table:
    """Some rows of a result's table."""
    kept = np.zeros(result.table.height, dtype=np.bool_)
    kept[rows] = True
    return select_rows(result.table, kept)


def _labels(gaps: Comparison) -> list[str]:
    """Columns of a comparison before its numbers."""
    return gaps.table.columns[: gaps.table.columns.index("estimate")]


def _pairs(
    means: Estimates, rows: NDArray[np.int64], key: str, gaps: Table
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which mean is the minuend and which the subtrahend of each gap."""
    part = _part(means, rows)
    others = [name for name in means.by if name != key]
    place = {
        (*(str(v) for v in values), str(own)): row
        for row, (own, *values) in enumerate(
            zip(part.get_column(key).to_list(), *(part.get_column(o).to_list() for o in others), strict=True)
        )
    }
    found = []
    for side in ("group", "reference"):
        names = zip(
            *(gaps.get_column(o).to_list() for o in others), gaps.get_column(side).to_list(), strict=True
        )
        found.append(np.array([place[tuple(str(v) for v in name)] for name in names]))
    return found[0], found[1]


def _added(whole: Combined, first: Combined, second: Combined) -> Combined:
    """An estimate whose variance is the sum of what each sample contributes."""
    variances = first.standard_error**2, second.standard_error**2
    total = variances[0] + variances[1]
    inverse = variances[0] ** 2 / first.degrees_of_freedom + variances[1] ** 2 / second.degrees_of_freedom
    return Combined(
        estimate=whole.estimate,
        sampling_variance=first.sampling_variance + second.sampling_variance,
        imputation_variance=first.imputation_variance + second.imputation_variance,
        standard_error=np.sqrt(total),
        degrees_of_freedom=np.divide(
            total**2, inverse, out=np.full(total.shape, np.inf), where=inverse > 0.0
        ),
        n_plausible_values=whole.n_plausible_values,
    )
