"""What a cycle may be asked, and the seeds that follow from it."""

from __future__ import annotations

from typing import Any

import pytest

from lsakit.errors import DesignError, LineageError
from lsakit.pipeline import CycleOptions
from lsakit.pipeline.figure_ids import parse_figure_id
from lsakit.pipeline.plan import ORDER, STAGES, plan_grade, plan_languages, plan_nation, plan_report, ref_name
from lsakit.pipeline.plan_earlier import EARLIER_STAGES


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"grades": (5, 5)}, "each once"),
        ({"grades": ()}, "must name grades"),
        ({"grades": (4,)}, r"Got \(4,\)"),
        ({"n_students": 0}, "'n_students' option of the cycle must be at least 1. Got 0"),
        ({"n_schools_per_province": 1}, "at least 2"),
        ({"n_plausible_values": 1}, "at least 2"),
        ({"cuts": (500.0, 400.0)}, "must ascend"),
        ({"size": "huge"}, "'size' of the nation must be one of"),
    ],
)
def test_options_that_no_cycle_can_have_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(DesignError, match=words):
        CycleOptions(**change)


def test_every_stage_and_grade_has_its_own_seed_and_keeps_it() -> None:
    options = CycleOptions(seed=2026)
    seeds = {(stage, grade): options.stage_seed(stage, grade) for stage in STAGES for grade in (None, 5, 9)}
    assert len(set(seeds.values())) == len(seeds)
    assert all(0 <= seed < 2**62 for seed in seeds.values())
    assert seeds["sample", 5] == 3554182044768559062  # written down: a store of today is reused tomorrow
    assert options.changed(seed=1).stage_seed("sample", 5) != seeds["sample", 5]


def test_the_plan_names_each_stage_in_order_and_takes_only_what_is_made_before() -> None:
    options = CycleOptions()
    done = {plan_nation(options).place}
    for grade in options.grades:
        stages = plan_grade(options, grade)
        assert [planned.stage for planned in stages] == list(ORDER[: ORDER.index("estimates") + 1])
        alone = plan_grade(options.changed(n_earlier_schools_per_province=0), grade)
        assert [planned.stage for planned in alone] == [stage for stage in STAGES if stage != "report"]
        for planned in stages:
            assert {source for source, _ in planned.inputs.values()} <= done
            done.add(planned.place)
        assert sum(planned.share for planned in stages) == pytest.approx(1.0)
    for planned in plan_languages(options):
        assert {source for source, _ in planned.inputs.values()} <= done
    done |= {planned.place for planned in plan_languages(options)}
    assert {source for source, _ in plan_report(options).inputs.values()} <= done
    assert set(EARLIER_STAGES) < set(ORDER)
    assert set(STAGES) < set(ORDER)
    assert ref_name(("values", 5)) == "values/grade5"
    assert ref_name(("nation", None)) == "nation"


@pytest.mark.parametrize(
    ("code", "keys"),
    [
        ("grade5/maths/mean/nation/all", {}),
        ("grade5/maths/mean/province_code/01", {"province_code": ("01",)}),
        ("grade9/reading/gap/gender/F-M", {"gender": ("F", "M")}),
        ("grade9/reading/mean/province_code+area/01+rural", {"province_code": ("01",), "area": ("rural",)}),
    ],
)
def test_the_code_of_a_figure_says_whom_it_is_about(code: str, keys: dict[str, tuple[str, ...]]) -> None:
    assert parse_figure_id(code).keys == keys


@pytest.mark.parametrize(
    "text", ["", "mean", "grade5/maths/mean/nation", "nation/maths/mean/nation/all", "grade5/m/mean/a+b/01"]
)
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(LineageError, match=r"is not the code of a figure.*five parts"):
        parse_figure_id(text)
