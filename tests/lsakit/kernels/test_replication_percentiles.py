"""Percentiles of the block scan equal those of the plain definition, ties and zero weights included."""

from __future__ import annotations

import numpy as np
import pytest

from lsakit.kernels.replication_percentiles import MIDPOINT, STEP, STRICT, replicate_percentiles


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
    return float(np.interp(p * total, cumulative - own / 2, distinct))


@pytest.mark.parametrize("rule", [STEP, STRICT, MIDPOINT])
@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 200, 513])
def test_block_scan_equals_the_definition(rule: int, n: int) -> None:
    rng = np.random.default_rng(n)
    values = rng.integers(0, max(2, n // 3), n).astype(float)
    scale = rng.integers(1, 5, n).astype(float)
    cells = rng.integers(0, 6, n)
    ratios = np.column_stack([np.ones(6), rng.integers(0, 3, (6, 9))]).astype(float)
    probabilities = np.array([0.001, 0.05, 0.25, 0.375, 0.5, 0.75, 0.95, 0.999])
    order = np.argsort(values)
    got = replicate_percentiles(values, order, scale, cells, ratios, probabilities, rule)
    for r in range(ratios.shape[1]):
        weights = scale * ratios[cells, r]
        for k, p in enumerate(probabilities):
            if weights.sum() == 0:
                assert np.isnan(got[k, r])
            else:
                assert got[k, r] == pytest.approx(plain(values, weights, p, rule), rel=1e-12, abs=1e-12)


def test_ten_weights_of_one_tenth_reach_one_half_after_five() -> None:
    values = np.arange(10.0)
    args = (values, np.arange(10), np.full(10, 0.1), np.zeros(10, dtype=np.int64), np.ones((1, 1)))
    assert replicate_percentiles(*args, np.array([0.5]), STEP)[0, 0] == 4.0
    assert replicate_percentiles(*args, np.array([0.5]), STRICT)[0, 0] == 5.0
    assert replicate_percentiles(*args, np.array([0.5]), MIDPOINT)[0, 0] == pytest.approx(4.5)
