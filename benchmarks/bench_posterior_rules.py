"""Compare rules for posterior moments in three and four dimensions: adaptive quadrature against corrected Laplace.

    python benchmarks/bench_posterior_rules.py [n_students]

Quadrature with 2 to 7 nodes per dimension, and Laplace's method plain and with the corrections of the next order (third
and fourth derivatives of the log-likelihood: Thomas, 1993), against quadrature with eleven nodes. Laplace is computed here
with arrays; it needs at least the search for the mode, which quadrature with two nodes a dimension needs too.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from bench_population import simulate  # type: ignore[import-not-found]
from threadpoolctl import threadpool_limits

from lsakit.io.frames import as_table
from lsakit.population.posterior import Moments, Posterior, answers_of


def derivatives(theta: np.ndarray, items: tuple[np.ndarray, np.ndarray, np.ndarray]) -> list[np.ndarray]:
    """First to fourth derivative of the log-likelihood of two-category items, shape (n_students,) each."""
    slope, difficulty, codes = items
    given = codes >= 0
    p = 1.0 / (1.0 + np.exp(-slope * (theta[:, None] - difficulty)))
    q = p * (1.0 - p)
    terms = [
        slope * (codes - p),
        -(slope**2) * q,
        -(slope**3) * q * (1.0 - 2.0 * p),
        -(slope**4) * q * (1.0 - 6.0 * q),
    ]
    return [np.where(given, term, 0.0).sum(axis=1) for term in terms]


def laplace(
    items: list[tuple[np.ndarray, np.ndarray, np.ndarray]], sigma: np.ndarray, *, is_corrected: bool
) -> Moments:
    """Moments by Laplace's method around the mode, with or without the corrections of the next order."""
    n, dims = len(items[0][2]), len(sigma)
    precision = np.linalg.inv(sigma)
    theta = np.zeros((n, dims))
    for _ in range(30):
        found = [derivatives(theta[:, d], items[d]) for d in range(dims)]
        gradient = np.column_stack([one[0] for one in found]) - theta @ precision
        hessian = np.repeat(precision[None], n, axis=0)
        for d in range(dims):
            hessian[:, d, d] -= found[d][1]
        theta = theta + np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
    found = [derivatives(theta[:, d], items[d]) for d in range(dims)]
    v = np.linalg.inv(hessian)
    third = np.column_stack([one[2] for one in found])
    fourth = np.column_stack([one[3] for one in found])
    own = np.einsum("ndd->nd", v)
    loglik = 0.5 * np.log(np.linalg.det(v)) - 0.5 * np.log(np.linalg.det(sigma))
    mean, covariance = theta.copy(), v.copy()
    if is_corrected:
        mean += 0.5 * np.einsum("nde,ne,ne->nd", v, third, own)
        covariance += 0.5 * np.einsum("nai,nbi,ni,ni->nab", v, v, fourth, own)
        covariance += 0.5 * np.einsum("nai,nbi,nij,nj,ni,nj->nab", v, v, v, own, third, third)
        covariance += 0.5 * np.einsum("nai,nij,nij,nbj,ni,nj->nab", v, v, v, v, third, third)
        loglik += 0.125 * (fourth * own**2).sum(axis=1)
        loglik += np.einsum("ni,nj,ni,nij,nj->n", third, third, own, v, own) / 8.0
        loglik += np.einsum("ni,nj,nij,nij,nij->n", third, third, v, v, v) / 12.0
    return Moments(loglik=loglik, mean=mean, covariance=covariance)


def worst(one: Moments, truth: Moments) -> str:
    """Say the root mean square and the largest error of means and standard deviations, in posterior SDs."""
    sd = np.sqrt(np.einsum("ndd->nd", truth.covariance))
    means = (one.mean - truth.mean) / sd
    spreads = np.sqrt(np.maximum(np.einsum("ndd->nd", one.covariance), 0.0)) / sd - 1.0
    return (
        f"{np.sqrt((means**2).mean()):.5f} | {np.abs(means).max():.4f} | "
        f"{np.sqrt((spreads**2).mean()):.5f} | {np.abs(spreads).max():.4f}"
    )


def compare(n_students: int, n_dimensions: int) -> None:
    """Print the table of one number of dimensions."""
    cals, responses, _, sigma = simulate(n_students, 1, n_dimensions)
    answers = answers_of(cals, as_table(responses), np.arange(n_students))
    items = []
    for cal in cals.values():
        codes = responses.select(cal.parameters.names).fill_null(-1).to_numpy()
        difficulty = -cal.parameters.intercepts[:, 0] / cal.parameters.slope
        items.append((cal.parameters.slope, difficulty, codes))
    ones, zero = np.ones((n_students, 1)), np.zeros((1, n_dimensions))
    results, seconds = {}, {}
    for nodes in (2, 3, 4, 5, 7, 11):
        posterior = Posterior(answers, nodes)
        posterior.moments(ones, zero, sigma)  # finds the modes, as an earlier step would have
        begin = time.process_time()
        results[nodes], _ = posterior.moments(ones, zero, sigma)
        seconds[nodes] = time.process_time() - begin
    print(f"\n{n_dimensions} dimensions, 24 items each, {n_students:,} students; errors in posterior SDs\n")
    print("| rule | mean, RMS | mean, worst | SD, RMS | SD, worst | us CPU a student |")
    print("|---|---:|---:|---:|---:|---:|")
    for nodes in (2, 3, 4, 5, 7):
        spent = 1e6 * seconds[nodes] / n_students
        print(f"| quadrature, {nodes} nodes | {worst(results[nodes], results[11])} | {spent:.1f} |")
    for name, is_corrected in (("Laplace", False), ("Laplace, corrected", True)):
        found = laplace(items, sigma, is_corrected=is_corrected)
        print(f"| {name} | {worst(found, results[11])} | at least the mode |")


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    with threadpool_limits(1, user_api="blas"):
        for dims in (3, 4):
            compare(size, dims)
