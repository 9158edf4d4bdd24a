"""The reporting scale: TV-8.6 by name, held lines, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from lsakit.errors import EstimationError, UnknownColumnError
from lsakit.population.reporting_scale import set_scale

VALUES = {"theta": [-1.2, -0.4, 0.1, 0.6, 1.3], "w": [1, 2, 3, 2, 1]}


def test_tv_8_6() -> None:
    scale = set_scale(VALUES, weights="w")
    assert scale.slope == pytest.approx(147.6402, abs=5e-5)
    assert scale.intercept == pytest.approx(486.8764, abs=5e-5)
    expected = [309.708, 427.820, 501.640, 575.461, 678.809]
    assert scale.table["theta"].to_list() == pytest.approx(expected, abs=5e-4)
    assert scale.table["w"].to_list() == VALUES["w"]
    assert scale.was_estimated


def test_tv_8_6_a_held_line() -> None:
    scale = set_scale({"PV1MATH": [0.4]}, slope=135.9030, intercept=514.1848)
    assert scale.table["PV1MATH"][0] == pytest.approx(568.546, abs=5e-4)
    assert not scale.was_estimated
    assert scale.points(0.0) == pytest.approx(514.1848)


def test_several_values_set_one_line() -> None:
    scale = set_scale({"PV1": [-1.0, 1.0], "PV2": [0.0, 4.0], "name": ["a", "b"]})
    # Means 0 and 2, variances 1 and 4: mean 1, spread the root of 2.5.
    assert scale.columns == ("PV1", "PV2")
    assert scale.slope == pytest.approx(100 / 2.5**0.5)
    assert scale.intercept == pytest.approx(500 - 100 / 2.5**0.5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"slope": 100.0}, "needs both"),
        ({"slope": 0.0, "intercept": 500.0}, "must be positive"),
        ({"slope": 100.0, "intercept": 500.0, "weights": "w"}, "no meaning for a scale that is held"),
        ({"weights": [-1.0, 1, 1, 1, 1]}, "none negative"),
    ],
)
def test_what_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(EstimationError, match=words):
        set_scale(VALUES, **options)


def test_values_that_do_not_vary_and_no_values() -> None:
    with pytest.raises(EstimationError, match=r"do not vary"):
        set_scale({"theta": [1.0, 1.0]})
    with pytest.raises(EstimationError, match=r"no column of values"):
        set_scale({"x": [1.0, 2.0]})
    with pytest.raises(UnknownColumnError, match=r"no column 'PV9'"):
        set_scale(VALUES, columns=["PV9"])
