"""Percentiles of the block scan equal those of the plain definition, ties and zero weights included."""

from __future__ import annotations

import numpy as np
import pytest

from lsakit.kernels.replication_percentiles import (
    AVERAGE,
    FREQUENCY,
    MIDPOINT,
    STEP,
    STRICT,
    SYMMETRIC,
    UNBIASED,
    replicate_percentiles,
    rows_with_weight,
)


def plain(values: np.ndarray, weights: np.ndarray, p: float, rule: int) -> float:
    """Percentile of distinct values by the definition."""
    distinct = np.unique(values[weights > 0])
    own = np.array([weights[values == value].sum() for value in distinct])
    cumulative, total = np.cumsum(own), own.sum()
    if rule == STEP:
        return float(distinct[np.flatnonzero(cumulative >= p * total - 1e-12 * total)[0]])
    if rule == STRICT:
        above = np.flatnonzero(cumulative > p * total + 1e-12 * total)
        return float(distinct[above[0]] if above.size else distinct[-1])
    if rule == AVERAGE:
        place = int(np.flatnonzero(cumulative >= p * total - 1e-12 * total)[0])
        met = abs(cumulative[place] - p * total) <= 1e-12 * total and place + 1 < distinct.size
        return float((distinct[place] + distinct[place + 1]) / 2 if met else distinct[place])
    if rule == FREQUENCY:
        copies = np.repeat(
            distinct, own.astype(int)
        )  # whole weights: Hyndman and Fan's seventh definition of copies
        return float(np.quantile(copies, p, method="linear"))
    if rule in (SYMMETRIC, UNBIASED):
        return by_ranks(values[weights > 0], weights[weights > 0], p, rule)
    return float(np.interp(p * total, cumulative - own / 2, distinct))


def by_ranks(x: np.ndarray, w: np.ndarray, p: float, rule: int) -> float:
    """EdSurvey's interpolating rules, row by row as its help states them: ranks, their bounds, shares."""
    order = np.argsort(x, kind="stable")
    x = x[order]
    w = np.array([w[order][x == value].mean() for value in x])  # rows of one value share its mean weight
    n, total = x.size, w.sum()
    if n < 2 or total <= 1:
        return float("nan")
    start = 0.5 if rule == SYMMETRIC else 1.0
    rank = start + (n - 1) / (total - 1) * (np.cumsum(w) - w + (w - 1) / 2)
    rank = np.clip(rank, 1, n - 1)
    share = rank / n if rule == SYMMETRIC else (rank - 1 / 3) / (n + 1 / 3)
    if rule == UNBIASED:
        x, share = np.concatenate([x[:1], x, x[-1:]]), np.concatenate([[0.0], share, [1.0]])
        share, first = np.unique(share, return_index=True)
        x = x[first]
    if p > share[-1]:
        return float(x[-1])
    k = int(np.flatnonzero(share >= p - 1e-13)[0])
    if k == 0:
        return float(x[0])
    along = (p - share[k - 1]) / (share[k] - share[k - 1])
    return float(x[k - 1] + along * (x[k] - x[k - 1]))


@pytest.mark.parametrize("rule", [STEP, STRICT, MIDPOINT, AVERAGE, FREQUENCY, SYMMETRIC, UNBIASED])
@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 200, 513])
def test_block_scan_equals_the_definition(rule: int, n: int) -> None:
    rng = np.random.default_rng(n)
    values = rng.integers(0, max(2, n // 3), n).astype(float)
    scale = rng.integers(1, 5, n).astype(float)
    cells = rng.integers(0, 6, n)
    ratios = np.column_stack([np.ones(6), rng.integers(0, 3, (6, 9))]).astype(float)
    probabilities = np.array([0.001, 0.05, 0.25, 0.375, 0.5, 0.75, 0.95, 0.999])
    order = np.argsort(values)
    counts = rows_with_weight(order, cells, ratios)
    got = replicate_percentiles(values, order, (scale, cells, ratios), probabilities, rule, counts)
    for r in range(ratios.shape[1]):
        weights = scale * ratios[cells, r]
        for k, p in enumerate(probabilities):
            if weights.sum() == 0:
                assert np.isnan(got[k, r])
            else:
                # ranks are differences of sums of n weights: their rounding, over the smallest distance of two ranks
                close = 1e-9 if rule in (SYMMETRIC, UNBIASED) else 1e-12
                expected = plain(values, weights, p, rule)
                assert got[k, r] == pytest.approx(expected, rel=close, abs=close, nan_ok=True)


@pytest.mark.parametrize(("rule", "method"), [(SYMMETRIC, "hazen"), (UNBIASED, "median_unbiased")])
def test_weights_of_one_give_the_definitions_of_hyndman_and_fan(rule: int, method: str) -> None:
    values = np.random.default_rng(1).normal(size=200)
    weights = (np.ones(200), np.zeros(200, dtype=np.int64), np.ones((1, 1)))
    probabilities = np.linspace(0.02, 0.98, 49)  # EdSurvey bounds the outermost ranks, so not further out
    got = replicate_percentiles(values, np.argsort(values), weights, probabilities, rule, np.array([200.0]))
    np.testing.assert_allclose(got[:, 0], np.quantile(values, probabilities, method=method), rtol=1e-10)


def test_ten_weights_of_one_tenth_reach_one_half_after_five() -> None:
    values = np.arange(10.0)
    args = (values, np.arange(10), (np.full(10, 0.1), np.zeros(10, dtype=np.int64), np.ones((1, 1))))
    assert replicate_percentiles(*args, np.array([0.5]), STEP, np.zeros(0))[0, 0] == 4.0
    assert replicate_percentiles(*args, np.array([0.5]), STRICT, np.zeros(0))[0, 0] == 5.0
    assert replicate_percentiles(*args, np.array([0.5]), MIDPOINT, np.zeros(0))[0, 0] == pytest.approx(4.5)
