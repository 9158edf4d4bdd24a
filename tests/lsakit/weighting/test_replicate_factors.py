"""Hadamard matrices and replicate factors against hand-worked vectors."""

from __future__ import annotations

import numpy as np
import pytest

from lsakit.errors import DesignError
from lsakit.weighting.hadamard import hadamard_matrix
from lsakit.weighting.replicate_factors import fay_factors, jackknife_factors, jk2_factors

# (students, mean, weight) of seven schools: two pairs and a triplet
SCHOOLS = [(10, 48, 2), (10, 52, 2), (12, 60, 1.5), (12, 54, 1.5), (9, 45, 3), (11, 50, 3), (8, 47, 2.5)]
N, MEAN, WEIGHT = (np.asarray(column, dtype=float) for column in zip(*SCHOOLS, strict=True))
TOTAL = N * WEIGHT


def estimates(factors: np.ndarray) -> tuple[float, np.ndarray]:
    n = len(factors)
    weights = TOTAL[:n, None] * factors
    return float((TOTAL[:n] * MEAN[:n]).sum() / TOTAL[:n].sum()), (weights * MEAN[:n, None]).sum(
        0
    ) / weights.sum(0)


@pytest.mark.parametrize(
    "order", [1, 2, 4, 8, 12, 20, 24, 28, 36, 40, 52, 60, 64, 76, 80, 100, 120, 128, 160, 200]
)
def test_hadamard_matrices_are_orthogonal_with_a_constant_first_column(order: int) -> None:
    matrix = hadamard_matrix(order).astype(int)
    assert np.array_equal(matrix @ matrix.T, order * np.eye(order))
    assert (matrix[:, 0] == 1).all()
    assert (matrix[:, 1:].sum(axis=0) == 0).all()


@pytest.mark.parametrize(("order", "larger"), [(92, 96), (6, 8), (81, 84), (0, 1)])
def test_an_order_without_a_construction_names_the_next(order: int, larger: int) -> None:
    with pytest.raises(DesignError, match=f"Got {order}.*next order that works is {larger};"):
        hadamard_matrix(order)


ZONE = np.array([0, 0, 1, 1, 2, 2, 2])
IN_ZONE = np.array([2, 2, 2, 2, 3, 3, 3])


def test_tv_3_5_fay_with_a_triplet() -> None:
    factors = fay_factors(ZONE, np.array([1, 2, 1, 2, 1, 2, 3]), IN_ZONE, n_replicates=8, fay_factor=0.5)
    assert np.unique(factors[4].round(4)).tolist() == [0.2929, 1.7071]
    assert np.unique(factors[5].round(4)).tolist() == [0.6464, 1.3536]
    full, replicates = estimates(factors)
    assert full == pytest.approx(50.365384615, abs=5e-10)
    expected = [49.979238, 51.447166, 50.239300, 49.800157]
    assert sorted(replicates) == pytest.approx(sorted(expected * 2), abs=5e-7)
    variance = ((replicates - full) ** 2).sum() / (8 * 0.5**2)
    assert variance == pytest.approx(1.654739617, abs=5e-10)
    # The vector prints 1.286366829, the root of its own variance is 1.2863668283: one unit of the last digit.
    assert variance**0.5 == pytest.approx(1.286366829, abs=1e-9)


def test_tv_3_6_paired_jackknife() -> None:
    roles = np.array([2, 1, 2, 1, 2, 1])
    full, both = estimates(jk2_factors(ZONE[:6], roles, n_zones=3, both_halves=True))
    assert full == pytest.approx(50.860294118, abs=5e-10)
    expected = [51.448529, 50.272059, 50.066176, 51.654412, 51.774648, 49.861538]
    assert both == pytest.approx(expected, abs=5e-7)
    _, half = estimates(jk2_factors(ZONE[:6], roles, n_zones=3, both_halves=False))
    assert half == pytest.approx(both[::2])
    assert ((half - full) ** 2).sum() ** 0.5 == pytest.approx(1.346360433, abs=5e-10)
    assert (((both - full) ** 2).sum() / 2) ** 0.5 == pytest.approx(1.376016510, abs=5e-10)


@pytest.mark.parametrize(
    ("stratum", "fraction", "error"),
    [
        ([0] * 6, None, 1.965997576),
        ([0, 0, 0, 1, 1, 1], None, 1.954951827),
        ([0, 0, 0, 1, 1, 1], [0.1] * 3 + [0.2] * 3, 1.805492898),
    ],
)
def test_tv_3_7_jackknife_leaving_one_out(
    stratum: list[int], fraction: list[float] | None, error: float
) -> None:
    share = None if fraction is None else np.asarray(fraction)
    factors, coefficients = jackknife_factors(np.asarray(stratum), sampling_fraction=share)
    full, replicates = estimates(factors)
    assert (coefficients * (replicates - full) ** 2).sum() ** 0.5 == pytest.approx(error, abs=5e-10)


def test_a_fay_factor_of_zero_is_plain_half_samples() -> None:
    factors = fay_factors(ZONE[:4], np.array([1, 2, 1, 2]), IN_ZONE[:4], n_replicates=4, fay_factor=0.0)
    assert np.unique(factors).tolist() == [0.0, 2.0]


def test_zones_beyond_the_matrix_share_columns_in_turn() -> None:
    zone = np.repeat(np.arange(80), 2)
    role = np.tile([1, 2], 80)
    factors = fay_factors(zone, role, np.full(160, 2), n_replicates=80, fay_factor=0.5)
    assert np.array_equal(factors[0], factors[158])
    assert len(np.unique(factors[::2], axis=0)) == 79


def test_empty_jackknife_zones_leave_all_weights() -> None:
    factors = jk2_factors(np.array([0, 0]), np.array([1, 2]), n_zones=3, both_halves=False)
    assert factors.tolist() == [[2, 1, 1], [0, 1, 1]]


def test_bad_factors_are_refused() -> None:
    pair = (np.zeros(2, dtype=int), np.array([1, 2]), np.full(2, 2))
    for wrong in (-0.1, 1.0, float("nan")):
        with pytest.raises(DesignError, match="'fay_factor'"):
            fay_factors(*pair, n_replicates=4, fay_factor=wrong)
    with pytest.raises(DesignError, match="at least 4"):
        fay_factors(*pair, n_replicates=2, fay_factor=0.5)
    with pytest.raises(DesignError, match="negative weight"):
        fay_factors(ZONE, np.array([1, 2, 1, 2, 1, 2, 3]), IN_ZONE, n_replicates=8, fay_factor=0.2)
    with pytest.raises(DesignError, match="1 strata have one unit"):
        jackknife_factors(np.array([0, 0, 1]))
