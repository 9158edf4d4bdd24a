"""Cells: rows share one exactly when their weight ratios agree up to rounding."""

from __future__ import annotations

import numpy as np

from lsakit.kernels.replication import (
    fold_ratios,
    mark_rows_off_their_cell,
    number_hashes,
    spread_over_replicates,
    sum_categories,
    sum_levels,
    sum_moments,
)

WEIGHTS = np.array([[2.0, 4.0, 6.0, 1.0], [1.0, 2.0, 9.0, 0.0]])


def cells_of(weights: np.ndarray, tolerance: float = 2e-14) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    hashes = np.zeros(weights.shape[1], dtype=np.uint64)
    assert all(fold_ratios(column, 1.0 / weights[0], hashes) for column in weights)
    cells, first = number_hashes(hashes)
    off = np.zeros(hashes.size, dtype=np.bool_)
    for column in weights:
        mark_rows_off_their_cell(column, weights[0], cells, column[first] / weights[0][first], tolerance, off)
    return cells, first, off


def test_rows_with_equal_ratios_share_a_cell() -> None:
    cells, first, off = cells_of(WEIGHTS)
    assert cells.tolist() == [0, 0, 1, 2]
    assert first.tolist() == [0, 2, 3]
    assert not off.any()


def test_rounding_noise_of_ratios_does_not_split_a_cell() -> None:
    rng = np.random.default_rng(1)
    scale = rng.uniform(1, 50, 5000)
    factors = rng.uniform(0.5, 1.5, 80)
    weights = np.vstack([scale, scale * factors[:, None] * 1.1 / 1.1])
    _, first, off = cells_of(weights)
    assert first.size == 1
    assert not off.any()


def test_a_difference_below_the_hash_step_is_still_noticed() -> None:
    weights = np.array([[1.0, 1.0], [0.5, 0.5 + 1e-12]])
    cells, _, off = cells_of(weights)
    assert cells.tolist() == [0, 0]
    assert off.tolist() == [False, True]


def test_weights_that_are_no_weights_are_noticed() -> None:
    for bad in (-1.0, np.nan, np.inf):
        assert not fold_ratios(np.array([1.0, bad]), np.ones(2), np.zeros(2, dtype=np.uint64))


def test_levels_by_hand_a_value_on_a_cut_belongs_above() -> None:
    values = np.array([[1.0, 3.0, 5.0, 2.9], [5.0, 5.0, 0.0, 4.0]])
    groups = np.array([0, 0, 1, -1])
    sums = sum_levels(
        values, np.array([3.0, 5.0]), np.array([1.0, 2.0, 4.0, 8.0]), groups, np.array([0, 0, 1, 0]), 2
    )
    assert sums.tolist() == [[1.0, 2.0, 0.0, 0.0, 0.0, 3.0], [0.0, 0.0, 4.0, 4.0, 0.0, 0.0]]


def test_moments_and_categories_by_hand() -> None:
    values = np.array([[1.0, 2.0, 4.0, 99.0]])
    groups = np.array([0, 0, 1, -1])
    pairs = np.array([0, 0, 1, 0])
    scale = np.array([1.0, 2.0, 3.0, 5.0])
    moments = sum_moments(values, np.array([[1.0], [3.0]]), scale, groups, pairs, 2)
    assert moments.tolist() == [[2.0, 2.0], [3.0, 3.0]]
    shares = sum_categories(np.array([[0, 1, 1, 0]]), scale, groups, pairs, (2, 2))
    assert shares.tolist() == [[1.0, 2.0], [0.0, 3.0]]


def test_sums_are_spread_over_replicates_by_the_ratios() -> None:
    sums = np.array([[10.0], [4.0], [1.0]])
    ratios = np.array([[1.0, 2.0], [1.0, 0.0]])
    spread = spread_over_replicates(sums, np.array([0, 0, 1]), np.array([0, 1, 1]), ratios, 2)
    assert spread[:, :, 0].tolist() == [[14.0, 20.0], [1.0, 0.0]]
