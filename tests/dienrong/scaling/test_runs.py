"""Runs of a study: frozen requests, stages that are kept, decisions that are followed, links."""

from __future__ import annotations

import pytest

from dienrong.scaling import queries

pytestmark = pytest.mark.django_db


def test_a_run_leaves_stages_and_a_summary(scaled) -> None:
    stages = [one.stage for one in queries.stages_of(scaled)]
    assert stages == ["scores", "classical", "calibration", "fit", "dif", "population", "values"]
    assert scaled.summary["n_students"] == 900
    assert scaled.summary["n_items"] == 14
