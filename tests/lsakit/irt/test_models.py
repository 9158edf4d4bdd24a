"""The item models: TV-8.1, and the way between the two forms of the parameters."""

from __future__ import annotations

import numpy as np
import pytest

from lsakit.errors import CalibrationError
from lsakit.irt.models import (
    category_probabilities,
    from_intercepts,
    item_model,
    reading_jacobian,
    to_intercepts,
)


def test_tv_8_1_rasch_and_2pl_and_3pl() -> None:
    assert category_probabilities([0.5], difficulty=-0.3)[0, 1] == pytest.approx(0.6899745, abs=5e-8)
    two = category_probabilities([0.5], slope=1.2, difficulty=0.4, scaling=1.7)
    assert two[0, 1] == pytest.approx(0.5508239, abs=5e-8)
    three = category_probabilities([0.5], slope=1.2, difficulty=0.4, guessing=0.2, scaling=1.7)
    assert three[0, 1] == pytest.approx(0.6406591, abs=5e-8)


def test_tv_8_1_gpcm_and_pcm() -> None:
    naep = category_probabilities([0.3], slope=0.8, difficulty=0.1, steps=(0.5, -0.5), scaling=1.7)
    assert naep[0] == pytest.approx([0.18819, 0.48758, 0.32423], abs=5e-6)
    # Step difficulties -0.4 and 0.6 are a difficulty of 0.1 with steps 0.5 and -0.5.
    pcm = category_probabilities([0.3], difficulty=0.1, steps=(0.5, -0.5))
    assert pcm[0] == pytest.approx([0.221947, 0.446947, 0.331106], abs=5e-7)


def test_the_two_forms_hold_the_same_item() -> None:
    steps = np.array([0.7, 0.1, -0.8])
    intercepts = to_intercepts(1.3, -0.4, steps, 3)
    difficulty, back = from_intercepts(1.3, intercepts)
    assert difficulty == pytest.approx(-0.4)
    assert back == pytest.approx(steps)
    logits = np.arange(1, 4) * 1.3 * 0.25 + intercepts
    raised = np.exp(np.concatenate([[0.0], logits]))
    expected = category_probabilities([0.25], slope=1.3, difficulty=-0.4, steps=steps)[0]
    assert raised / raised.sum() == pytest.approx(expected)


def test_the_jacobian_is_the_derivative() -> None:
    start = np.array([0.4, 0.9, -0.3, 1.3])

    def read(vector: np.ndarray) -> np.ndarray:
        difficulty, steps = from_intercepts(vector[-1], vector[:-1])
        return np.concatenate([[vector[-1], difficulty], steps])

    h = 1e-6
    numeric = np.column_stack([(read(start + h * e) - read(start - h * e)) / (2 * h) for e in np.eye(4)])
    assert reading_jacobian(1.3, start[:3]) == pytest.approx(numeric, abs=1e-8)


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        CalibrationError, match=r"rasch, 1pl, 2pl, pcm, gpcm, rsm, 3pl, graded, nominal\. Got '5pl'"
    ):
        item_model("5pl")


def test_guessing_with_three_categories_is_refused() -> None:
    with pytest.raises(CalibrationError, match=r"needs two categories"):
        category_probabilities([0.0], steps=(0.5, -0.5), guessing=0.2)
