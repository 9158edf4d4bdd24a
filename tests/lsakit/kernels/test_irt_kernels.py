"""Kernels against plain arithmetic: packs, small solves, and the exponential of the quadrature."""

from __future__ import annotations

import numpy as np
import pytest

from lsakit.irt.em import expect
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.packs import normal_prior, pack_responses, probability_table
from lsakit.irt.response_data import ResponseData
from lsakit.kernels import latent_regression, likelihood_tables, partial_credit
from lsakit.population.posterior import Answers, Posterior


def items_of(n_steps: list[int], seed: int) -> ItemParameters:
    """Items with random parameters."""
    rng = np.random.default_rng(seed)
    most = max(n_steps)
    intercepts = rng.normal(size=(len(n_steps), most)) * (np.arange(most) < np.array(n_steps)[:, None])
    return ItemParameters(
        names=tuple(f"i{j}" for j in range(len(n_steps))),
        models=("gpcm",) * len(n_steps),
        n_steps=np.array(n_steps),
        slope=rng.uniform(0.5, 2.0, len(n_steps)),
        intercepts=intercepts,
    )


@pytest.mark.parametrize("n_steps", [[1] * 7, [1, 2, 1, 4, 1, 1, 2, 9, 1], [70, 1, 1]])
def test_the_packed_pass_is_the_plain_sum(n_steps: list[int]) -> None:
    rng = np.random.default_rng(1)
    items = items_of(n_steps, 2)
    codes = rng.integers(-1, items.n_steps + 1, (50, len(n_steps))).astype(np.int8)
    codes[0] = items.n_steps
    group, weight = rng.integers(0, 2, 50), rng.uniform(0.5, 2.0, 50)
    data = ResponseData(
        items=items.names,
        codes=codes,
        weight=weight,
        group=group,
        groups=("a", "b"),
        n_left_out=0,
        is_weighted=True,
    )
    nodes, mean, sd = np.linspace(-5, 5, 21), np.array([0.0, 0.4]), np.array([1.0, 1.3])
    found = expect(data, pack_responses(codes, items.n_steps), items, mean, sd, nodes)
    table, prior = probability_table(items, nodes), normal_prior(nodes, mean, sd)
    counts, loglik = np.zeros_like(table), 0.0
    for i in range(50):
        value = prior[group[i]].copy()
        rows = [items.offset[j] + codes[i, j] for j in range(len(n_steps)) if codes[i, j] >= 0]
        for row in rows:
            value *= table[row]
        loglik += weight[i] * np.log(value.sum())
        for row in rows:
            counts[row] += weight[i] * value / value.sum()
    assert found.loglik == pytest.approx(loglik, rel=1e-12)
    assert found.counts == pytest.approx(counts, abs=1e-12)
    assert found.mass.sum() == pytest.approx(weight.sum())


def test_a_long_test_does_not_run_out_of_numbers() -> None:
    items = items_of([1] * 900, 3)
    codes = np.random.default_rng(4).integers(0, 2, (3, 900)).astype(np.int8)
    data = ResponseData(
        items=items.names,
        codes=codes,
        weight=np.ones(3),
        group=np.zeros(3, dtype=np.int64),
        groups=("all",),
        n_left_out=0,
        is_weighted=False,
    )
    nodes = np.linspace(-5, 5, 41)
    found = expect(data, pack_responses(codes, items.n_steps), items, np.zeros(1), np.ones(1), nodes)
    log_table = np.log(probability_table(items, nodes))
    value = np.log(normal_prior(nodes, np.zeros(1), np.ones(1))[0]) + np.array(
        [log_table[items.offset + own].sum(axis=0) for own in codes]
    )
    top = value.max(axis=1)
    assert found.loglik == pytest.approx(
        (np.log(np.exp(value - top[:, None]).sum(axis=1)) + top).sum(), rel=1e-12
    )


def test_the_small_solve() -> None:
    rng = np.random.default_rng(5)
    root = rng.normal(size=(4, 4))
    matrix, vector = root @ root.T + np.eye(4), rng.normal(size=4)
    expected = np.linalg.solve(matrix, vector)
    assert partial_credit.solve_positive(matrix.copy(), vector, 4)
    assert vector == pytest.approx(expected, abs=1e-12)
    assert not partial_credit.solve_positive(-np.eye(2), np.ones(2), 2)


def answers_to(items: ItemParameters, scores: list[int], bounds: list[list[int]]) -> Answers:
    """Responses of one student to all items; ``bounds`` parts them into dimensions."""
    return Answers(
        bounds=np.array(bounds, dtype=np.int64),
        rows=(items.offset + np.array(scores)).astype(np.int32),
        kinds=items.kinds,
        native=items.native,
        n_steps=items.n_steps.astype(np.int64),
        partly_right=np.zeros(len(scores)),
        step=0.125,
    )


@pytest.mark.parametrize("far", [1.0, 8.0, 40.0])
def test_the_sum_of_table_rows_is_the_likelihood(far: float) -> None:
    items = items_of([1, 2, 1, 4], 6)
    answers = answers_to(items, [1, 1, 0, 3], [[0, 4]])
    theta = np.linspace(-far, far, 33)
    out = np.empty(33)
    likelihood_tables.sum_rows(answers.rows, 0, 4, answers.log_table(theta), 0, out)
    plain = np.log(probability_table(items, theta))[answers.rows].sum(axis=0)
    assert out == pytest.approx(plain, abs=1e-9)


def test_three_dimensions_factor_where_nothing_joins_them() -> None:
    items = items_of([1] * 6, 7)
    scores = [1, 0, 1, 1, 0, 0]
    sigma, constant = np.diag([1.0, 0.5, 2.0]), np.ones((1, 1))
    together = Posterior(answers_to(items, scores, [[0, 2, 4, 6]]), 15)
    three, _ = together.moments(constant, np.zeros((1, 3)), sigma)
    total = 0.0
    for d in range(3):
        alone = Posterior(answers_to(items, scores, [[2 * d, 2 * d + 2]]), 15)
        one, _ = alone.moments(constant, np.zeros((1, 1)), sigma[d : d + 1, d : d + 1])
        total += one.loglik[0]
        # one dimension by the trapezoid rule, three by 15 adaptive nodes and interpolation to 1e-6
        assert three.mean[0, d] == pytest.approx(one.mean[0, 0], abs=1e-5)
        assert three.covariance[0, d, d] == pytest.approx(one.covariance[0, 0, 0], abs=1e-5)
    assert three.loglik[0] == pytest.approx(total, abs=1e-5)


def test_streams_are_uniform() -> None:
    state = np.array([12345], dtype=np.uint64)
    draws = np.array([latent_regression.uniform(state) for _ in range(20_000)])
    assert draws.min() > 0.0
    assert draws.max() <= 1.0
    counts = np.histogram(draws, bins=50, range=(0, 1))[0]
    assert (
        (counts - 400) ** 2 / 400
    ).sum() < 92.0  # 0.9998 quantile of chi-square with 49 degrees of freedom
