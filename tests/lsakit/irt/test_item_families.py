"""3PL, graded and nominal kernels: probabilities, derivatives, priors, and the way between native and read parameters."""

from __future__ import annotations

import numpy as np
import pytest

from irt_plain_loops import probabilities
from lsakit.errors import CalibrationError
from lsakit.irt.native_parameters import (
    native_from_reading,
    native_jacobian,
    read_native,
    refuse_flat_nominal,
)
from lsakit.kernels import item_families as families

CASES = {
    "gpcm": (families.PARTIAL_CREDIT, 3, np.array([0.8, 0.3, -0.9, 1.3])),
    "3pl": (families.GUESSING, 1, np.array([-0.4, 1.7, -1.2])),
    "graded": (families.GRADED, 3, np.array([1.4, 0.2, -1.1, 1.6])),
    "graded of two": (families.GRADED, 1, np.array([0.2, 1.6])),
    "nominal": (families.NOMINAL, 3, np.array([0.8, 0.3, -0.9, 0.5, 1.9, 2.6])),
}
NOTHING = np.zeros((8, 3))


def logs(kind: int, xi: np.ndarray, steps: int, theta: float) -> np.ndarray:
    out = np.empty(steps + 1)
    assert families.log_probabilities(kind, xi, steps, theta, out)
    return out


def as_read(kind: int, xi: np.ndarray, steps: int) -> dict[str, object]:
    slope, difficulty, own, guessing, scores = read_native(kind, xi, steps)
    read = {"slope": slope, "difficulty": difficulty, "guessing": guessing, "scores": scores[:-1]}
    return read | {"steps": own if steps > 1 else ()}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("theta", [-3.0, 0.4, 5.0])
def test_probabilities_are_those_of_the_plain_formula(case: str, theta: float) -> None:
    kind, steps, xi = CASES[case]
    expected = probabilities(case.split()[0], np.array([theta]), as_read(kind, xi, steps))[0]
    assert np.exp(logs(kind, xi, steps, theta)) == pytest.approx(expected, rel=1e-9, abs=1e-14)


def test_tv_8_1_3pl_from_the_kernel() -> None:
    xi = native_from_reading(families.GUESSING, 1.2 * 1.7, 0.4, np.zeros(1), 0.2, np.ones(1))
    assert np.exp(logs(families.GUESSING, xi, 1, 0.5))[1] == pytest.approx(0.6406591, abs=5e-8)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("theta", [-2.5, 0.3, 3.5])
def test_derivatives_are_those_of_the_log_probabilities(case: str, theta: float) -> None:
    kind, steps, xi = CASES[case]
    size = len(xi)
    assert families.n_native(kind, steps) == size
    first, second = np.zeros((steps + 1, size)), np.zeros((steps + 1, size, size))
    families.log_derivatives(kind, xi, steps, theta, np.empty(steps + 1), first, second)
    h = 1e-5
    for j in range(size):
        move = h * np.eye(size)[j]
        ahead, behind = (logs(kind, xi + sign * move, steps, theta) for sign in (1, -1))
        assert first[:, j] == pytest.approx((ahead - behind) / (2 * h), abs=1e-9)
        slopes = []
        for sign in (1, -1):
            moved = np.zeros_like(first)
            families.log_derivatives(
                kind, xi + sign * move, steps, theta, np.empty(steps + 1), moved, np.zeros_like(second)
            )
            slopes.append(moved)
        assert second[:, :, j] == pytest.approx((slopes[0] - slopes[1]) / (2 * h), abs=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_reading_and_native_are_inverse_and_the_jacobian_is_the_derivative(case: str) -> None:
    kind, steps, xi = CASES[case]
    read = read_native(kind, xi, steps)
    back = native_from_reading(kind, read[0], read[1], read[2], read[3], read[4])
    assert back == pytest.approx(xi, abs=1e-12)
    jacobian = native_jacobian(kind, xi, steps)

    def flat(vector: np.ndarray) -> np.ndarray:
        slope, difficulty, own, guessing, scores = read_native(kind, vector, steps)
        return np.concatenate([[slope, difficulty], own, [guessing], scores])

    h = 1e-5  # another step than the one inside
    numeric = np.column_stack([(flat(xi + h * e) - flat(xi - h * e)) / (2 * h) for e in np.eye(len(xi))])
    assert jacobian == pytest.approx(numeric, abs=1e-7)


def test_graded_intercepts_that_do_not_fall_are_no_item() -> None:
    assert not families.log_probabilities(families.GRADED, np.array([0.1, 0.2, 1.0]), 2, 0.0, np.empty(3))
    counts, nodes = np.ones((3, 5)), np.linspace(-2, 2, 5)
    rising = np.array([0.1, 0.2, 1.0])
    assert families.item_objective(families.GRADED, counts, nodes, rising, 2, NOTHING) == -np.inf


@pytest.mark.parametrize(
    ("prior", "x", "density"),
    [
        (
            (families.NORMAL, -1.0, 0.5),
            -0.3,
            lambda x: np.exp(-2 * (x + 1) ** 2) / (0.5 * np.sqrt(2 * np.pi)),
        ),
        (
            (families.LOGNORMAL, 0.1, 0.4),
            1.3,
            lambda x: np.exp(-0.5 * ((np.log(x) - 0.1) / 0.4) ** 2) / (x * 0.4 * np.sqrt(2 * np.pi)),
        ),
        ((families.BETA, 5.0, 17.0), -1.1, None),
    ],
)
def test_priors_and_their_derivatives(prior: tuple[float, ...], x: float, density: object) -> None:
    row = np.array(prior)
    value, slope, curvature = families.prior_terms(x, row)
    h = 1e-4
    ahead, behind = families.prior_terms(x + h, row)[0], families.prior_terms(x - h, row)[0]
    assert slope == pytest.approx((ahead - behind) / (2 * h), abs=1e-6)
    assert curvature == pytest.approx(-(ahead - 2 * value + behind) / h**2, abs=1e-5)
    if callable(density):
        assert value == pytest.approx(np.log(density(x)))
    else:
        from scipy.stats import beta

        assert value == pytest.approx(beta(5, 17).logpdf(1 / (1 + np.exp(-x))))


def test_a_nominal_item_without_a_direction_is_refused() -> None:
    with pytest.raises(CalibrationError, match=r"1 nominal items has the same slope.*See: q1"):
        refuse_flat_nominal(["q0", "q1"], np.array([0.5, 0.0]))
