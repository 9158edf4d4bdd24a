"""Sums run by run equal those row by row, for rows that stand together and for rows that do not."""

from __future__ import annotations

import numpy as np
import pytest

from lsakit.kernels.replication import sum_levels, sum_moments
from lsakit.kernels.replication_products import sum_outcome_products, sum_products
from lsakit.kernels.replication_runs import (
    LONGEST,
    find_runs,
    run_levels,
    run_moments,
    run_outcome_products,
)

N_PAIRS, N_VALUES = 30, 3


@pytest.fixture(params=["together", "apart", "one long run"])
def rows(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    pairs = np.repeat(np.arange(N_PAIRS), 41)
    if request.param == "apart":
        pairs = rng.permutation(pairs)
    if request.param == "one long run":
        pairs = np.concatenate([np.zeros(2 * LONGEST + 5, dtype=np.int64), np.arange(N_PAIRS)])
    pair_groups = np.arange(N_PAIRS) // 10
    groups = pair_groups[pairs]
    left_out = rng.random(pairs.size) < 0.1
    groups[left_out] = -1
    return {
        "pairs": np.where(left_out, 0, pairs),
        "groups": groups,
        "pair_groups": pair_groups,
        "values": rng.normal(500, 90, (N_VALUES, pairs.size)),
        "scale": rng.uniform(1, 30, pairs.size),
    }


def test_runs_cover_the_rows_and_are_of_one_pair(rows: dict[str, np.ndarray]) -> None:
    starts, owners = find_runs(rows["groups"], rows["pairs"])
    assert starts[0] == 0
    assert starts[-1] == rows["groups"].size
    assert (np.diff(starts) >= 1).all()
    assert (np.diff(starts) <= LONGEST).all()
    of_row = np.repeat(owners, np.diff(starts))
    np.testing.assert_array_equal(of_row, np.where(rows["groups"] >= 0, rows["pairs"], -1))


def test_moments(rows: dict[str, np.ndarray]) -> None:
    runs = find_runs(rows["groups"], rows["pairs"])
    centres = np.full((3, N_VALUES), 490.0)
    found = run_moments(rows["values"], centres, rows["scale"], runs, rows["pair_groups"])
    by_row = sum_moments(rows["values"], centres, rows["scale"], rows["groups"], rows["pairs"], N_PAIRS)
    np.testing.assert_allclose(found, by_row, rtol=1e-11, atol=1e-7)


@pytest.mark.parametrize("n_cuts", [1, 2, 5, 6])
def test_levels_and_exact_zeros(rows: dict[str, np.ndarray], n_cuts: int) -> None:
    runs = find_runs(rows["groups"], rows["pairs"])
    cuts = np.concatenate([np.linspace(420.0, 560.0, n_cuts), [5000.0]])  # nobody is in the last level
    rows["values"][0, :5] = cuts[0]  # on a cut: above it
    found = run_levels(rows["values"], cuts, rows["scale"], runs, N_PAIRS)
    by_row = sum_levels(rows["values"], cuts, rows["scale"], rows["groups"], rows["pairs"], N_PAIRS)
    np.testing.assert_allclose(found, by_row, rtol=1e-12, atol=1e-10)
    assert (found[by_row == 0.0] == 0.0).all()


def test_outcome_products(rows: dict[str, np.ndarray]) -> None:
    rng = np.random.default_rng(8)
    n = rows["groups"].size
    columns = np.stack([np.ones(n), rng.normal(size=n), rng.integers(0, 2, n).astype(float)])
    outcome = (rows["values"], np.array([480.0, 500.0, 520.0]), 90.0)
    runs = find_runs(rows["groups"], rows["pairs"])
    found = run_outcome_products(columns, outcome, rows["scale"], runs, rows["pair_groups"])
    first, second = (index.astype(np.int64) for index in np.tril_indices(3))
    by_row = np.ascontiguousarray(columns.T)
    fixed = sum_products(by_row, first, second, rows["scale"], rows["groups"], rows["pairs"], N_PAIRS)
    moving = sum_outcome_products(by_row, outcome, rows["scale"], rows["groups"], rows["pairs"], N_PAIRS)
    np.testing.assert_allclose(found, np.concatenate([fixed, moving], axis=1), rtol=1e-11, atol=1e-9)
