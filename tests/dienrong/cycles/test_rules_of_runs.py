"""A cycle names its rule of publication; its runs hide by it."""

from __future__ import annotations

from dienrong.analysis import numeric
from lsakit.pipeline.plan import plan_grade


def test_a_run_hides_by_the_rule_that_its_cycle_names() -> None:
    request = numeric.RunRequest(size="small", seed=1, grades=(5,), suppression_rules="naep")
    options = numeric._options(request)
    assert (options.suppression_rules, options.minimum_students) == ("naep", 62)
    (stage,) = [one for one in plan_grade(options, 5) if one.stage == "estimates"]
    assert stage.parameters["suppression_rules"] == "naep"
