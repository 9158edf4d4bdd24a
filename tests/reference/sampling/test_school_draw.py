"""Probabilities and systematic draws agree with the R package `sampling`."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from lsakit.design.systematic import systematic_pps

EXPECTED: dict[str, Any] = json.loads(Path(__file__).with_name("expected.json").read_text(encoding="utf-8"))
LISTS = [name for name in EXPECTED if name != "program"]


@pytest.mark.parametrize("name", LISTS)
def test_probabilities_agree_with_sampling(name: str) -> None:
    case = EXPECTED[name]
    draw = systematic_pps(case["sizes"], case["n"], random_number=Fraction(1, 2))
    assert draw.probability == pytest.approx(case["probability"], rel=1e-12)


@pytest.mark.parametrize("name", LISTS)
def test_draws_agree_with_sampling_school_by_school(name: str) -> None:
    case = EXPECTED[name]
    assert len(case["draws"]) == 20
    for start, places in case["draws"]:
        draw = systematic_pps(case["sizes"], case["n"], random_number=Fraction(start))
        assert [place + 1 for place in draw.selected] == places
