"""Reliabilities: the figures of TV-8.5 by name, plausible values, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from lsakit.errors import EstimationError
from lsakit.irt.reliability import reliability


def spread(variance: float) -> list[float]:
    """Two values of this variance (divisor n)."""
    return [-float(np.sqrt(variance)), float(np.sqrt(variance))]


def test_tv_8_5_eap_reliability() -> None:
    found = reliability({"theta": spread(0.81), "se": [float(np.sqrt(0.22))] * 2}, "eap")
    assert found.value == pytest.approx(0.7864, abs=5e-5)


def test_tv_8_5_wle_reliability() -> None:
    found = reliability({"theta": spread(1.02), "se": [0.5, 0.5]}, "wle")
    assert found.value == pytest.approx(0.7549, abs=5e-5)


def test_plausible_values_know_their_reliability() -> None:
    rng = np.random.default_rng(1)
    theta = rng.normal(0.0, 0.9, 4000)
    values = {f"PV{m}": theta + rng.normal(0.0, 0.5, 4000) for m in range(1, 11)}
    found = reliability(values, "pv")
    assert found.value == pytest.approx(0.81 / (0.81 + 0.25), abs=0.015)  # 3 standard errors
    assert found.error_variance == pytest.approx(0.25, abs=0.005)


def test_weights_act_as_copies_and_gaps_are_counted() -> None:
    one = {"theta": [0.0, 1.0, None, 2.0], "se": [0.3, 0.4, None, 0.5]}
    heavy = reliability(one, "eap", weights=[2.0, 1.0, 1.0, 1.0])
    copies = reliability({"theta": [0.0, 0.0, 1.0, 2.0], "se": [0.3, 0.3, 0.4, 0.5]}, "eap")
    assert heavy.value == pytest.approx(copies.value)
    assert (heavy.n_students, heavy.n_left_out) == (3, 1)


def test_a_test_without_information_is_doubtful() -> None:
    found = reliability({"theta": spread(0.1), "se": [1.0, 1.0]}, "wle")
    assert found.value < 0
    assert "larger than the spread" in (found.doubtful or "")


@pytest.mark.parametrize(
    ("table", "method", "sentence"),
    [
        ({"theta": [0.0, 1.0], "se": [0.1, 0.1]}, "map", "must be one of eap, wle, mle, pv"),
        ({"theta": [0.0, None], "se": [0.1, None]}, "wle", "at least two students with an estimate. Got 1"),
        ({"theta": [1.0, 1.0], "se": [0.1, 0.1]}, "wle", "do not vary"),
        ({"PV1": [1.0, 2.0]}, "pv", "at least two of them. Got 1"),
    ],
)
def test_what_is_refused(table: dict, method: str, sentence: str) -> None:
    with pytest.raises(EstimationError) as refusal:
        reliability(table, method)
    assert sentence in str(refusal.value)
