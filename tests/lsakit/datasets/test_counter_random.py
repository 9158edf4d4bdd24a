"""Counter-based random numbers: known vectors, independence of neighbours, uniform and normal in law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lsakit.datasets.counter_random import mix, normals, subkeys, uniforms


def test_mix_gives_the_published_outputs_of_splitmix64() -> None:
    """Seed 1234567: the first three outputs of the reference implementation (Vigna, splitmix64.c)."""
    gamma = 0x9E3779B97F4A7C15
    states = np.array([(1234567 + step * gamma) % 2**64 for step in (1, 2, 3)], dtype=np.uint64)
    assert mix(states).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_a_draw_does_not_depend_on_its_neighbours() -> None:
    keys = np.array([11, 22, 33], dtype=np.uint64)
    together = uniforms(subkeys(keys, np.array([0, 1, 2])), 4)
    alone = uniforms(subkeys(keys[1:2], np.array([1])), 4)
    assert together[1] == alone[0]


def _keys(n: int) -> np.ndarray:
    return subkeys(np.full(n, 987654321, dtype=np.uint64), np.arange(n))


def test_uniforms_are_uniform_and_variables_uncorrelated() -> None:
    keys = _keys(100_000)
    first, second = uniforms(keys, 0), uniforms(keys, 1)
    assert 0.0 < first.min() < first.max() < 1.0
    assert stats.kstest(first, "uniform").pvalue > 1e-3
    assert stats.kstest(second, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(len(keys))
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 4 / np.sqrt(len(keys))


def test_the_test_of_law_notices_a_wrong_law() -> None:
    """Negative control: squares of uniforms are not uniform."""
    assert stats.kstest(uniforms(_keys(100_000), 0) ** 1.02, "uniform").pvalue < 1e-3


@pytest.mark.parametrize("variable", [0, 3, 17])
def test_normals_are_normal(variable: int) -> None:
    assert stats.kstest(normals(_keys(50_000), variable), "norm").pvalue > 1e-3
