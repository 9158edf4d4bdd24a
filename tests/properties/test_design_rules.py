"""Laws of overlap control, small schools, classes, studies, planning and the public draw, for every input."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lsakit as lk
from lsakit.design.classes import pseudo_classes
from lsakit.design.coverage import PopulationCounts, coverage_indices
from lsakit.design.draw_record import PublicSource
from lsakit.design.overlap import keyfitz_probabilities, pareto_ranks
from lsakit.design.small_schools import equal_small_sizes, size_classes, undersampled_sizes
from lsakit.design.studies import dealing_pattern
from lsakit.design.systematic import UNIT, draw_by_probability
from lsakit.errors import LsakitError

CHANCE = st.floats(0.001, 0.999)


@given(CHANCE, CHANCE, st.sampled_from(["minimize", "maximize"]))
def test_conditional_probabilities_average_to_the_wanted_one(p1: float, p2: float, direction: Any) -> None:
    given_drawn, otherwise = keyfitz_probabilities([p1, p1], [p2, p2], [True, False], direction=direction)
    assert 0 <= given_drawn <= 1
    assert 0 <= otherwise <= 1
    # Two products and a sum of numbers below 1: a few units of the last place.
    assert p1 * given_drawn + (1 - p1) * otherwise == pytest.approx(p2, abs=1e-12)
    common = p1 * given_drawn
    bound = max(0.0, p1 + p2 - 1) if direction == "minimize" else min(p1, p2)
    assert common == pytest.approx(bound, abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.integers(1, UNIT))
def test_a_draw_by_probability_takes_what_is_sure_and_never_what_is_impossible(
    chance: list[float], start: int
) -> None:
    selected, _ = draw_by_probability(chance, random_number=Fraction(start, UNIT))
    assert len(set(selected)) == len(selected)
    assert abs(len(selected) - sum(chance)) < 1 + 1e-9
    assert all(place in selected for place, p in enumerate(chance) if p == 1)
    assert all(round(chance[place] * UNIT) > 0 for place in selected)


@given(st.lists(st.tuples(CHANCE, st.floats(0, 0.999)), min_size=1, max_size=30), CHANCE)
def test_pareto_ranks_rise_with_the_number_and_fall_with_the_probability(
    rows: list[tuple[float, float]], more: float
) -> None:
    p, u = np.asarray([row[0] for row in rows]), np.asarray([row[1] for row in rows])
    ranks = pareto_ranks(p, u)
    assert (ranks >= 0).all()
    higher = np.maximum(p, more)
    assert (pareto_ranks(higher, u) <= ranks * (1 + 1e-12)).all()


@given(st.lists(st.integers(0, 200), min_size=1, max_size=60), st.integers(4, 60))
def test_small_school_sizes_keep_their_classes_and_totals(sizes: list[int], m: int) -> None:
    kinds, measure = size_classes(sizes, m), undersampled_sizes(sizes, m)
    for size, kind, mos in zip(sizes, kinds, measure, strict=True):
        assert (kind == "large") == (size >= m)
        assert mos == (size if kind == "large" else mos)
        assert mos >= m / 4
    equal = equal_small_sizes(sizes, m, np.zeros(len(sizes), dtype=int))
    assert equal.sum() == pytest.approx(sum(sizes), rel=1e-12)
    small = {value for value, size in zip(equal.tolist(), sizes, strict=True) if size < m}
    assert len(small) <= 1


@given(
    st.dictionaries(st.text("5ABCDEFGH", min_size=1, max_size=3), st.integers(1, 60), min_size=1, max_size=9)
)
def test_pseudo_classes_hold_every_class_once_and_none_is_too_small(sizes: dict[str, int]) -> None:
    groups = pseudo_classes(sizes)
    assert sorted(name for group in groups for name in group) == sorted(sizes)
    limit = sum(sizes.values()) / len(sizes) / 2
    assert len(groups) == 1 or all(sum(sizes[name] for name in group) >= limit for group in groups)


@given(st.dictionaries(st.sampled_from("abcde"), st.integers(1, 40), min_size=1))
def test_a_dealing_pattern_is_even_everywhere(counts: dict[str, int]) -> None:
    pattern = dealing_pattern(counts)
    assert {study: pattern.count(study) for study in counts} == counts
    for study, count in counts.items():
        for end in range(len(pattern) + 1):
            # Studies in competition may shift a place by at most one of each other study.
            assert abs(pattern[:end].count(study) - end * count / len(pattern)) <= len(counts)


@given(st.floats(1, 1e6), st.floats(0, 0.5), st.floats(1, 1e6), st.floats(0, 1e5), st.floats(0.1, 50))
def test_coverage_does_not_depend_on_the_unit_of_counting(
    enrolled: float, share: float, participants: float, excluded: float, unit: float
) -> None:
    numbers = {"enrolled": enrolled, "school_excluded": share * enrolled, "participants": participants,
               "within_excluded": excluded, "age_cohort": 2 * enrolled, "eligible_grades": enrolled, "sample_enrolment": enrolled}  # fmt: skip
    one = coverage_indices(PopulationCounts(**numbers))
    other = coverage_indices(PopulationCounts(**{name: unit * value for name, value in numbers.items()}))
    assert other.table["value"].to_list() == pytest.approx(one.table["value"].to_list(), rel=1e-9, abs=1e-12)
    assert 0 <= one.overall_exclusion <= 1
    assert one.ci1 <= 1 - share + 1e-12


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 300), min_size=12, max_size=40), st.floats(0, 1), st.floats(1, 200))
def test_errors_scale_with_the_unit_of_scores(sizes: list[int], icc: float, sd: float) -> None:
    frame = {"school_id": [f"S{row:02d}" for row in range(len(sizes))], "enrolment": sizes}
    design = lk.Design(n_schools=6, n_students=25)
    one = lk.plan_precision(design, frame, icc=icc, sd=1.0).nation
    other = lk.plan_precision(design, frame, icc=icc, sd=sd).nation
    assert other["se"] == pytest.approx(sd * one["se"], rel=1e-9)
    assert other["deff"] == pytest.approx(one["deff"], rel=1e-9)
    assert other["n"] == one["n"]


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("NS"), st.integers(1, 400), st.booleans()), min_size=8, max_size=30),
    st.text(min_size=1).filter(lambda text: bool(text.split())),
    st.randoms(),
    st.data(),
)
def test_a_record_holds_for_any_order_of_rows_and_names_any_changed_size(
    rows: list[tuple[str, int, bool]], text: str, shuffle: Any, data: st.DataObject
) -> None:
    rows = [("N", 5, True), ("N", 6, True), ("S", 5, False), ("S", 6, False), *rows]
    frame = {
        "school_id": [f"S{row:03d}" for row in range(len(rows))],
        "region": [row[0] for row in rows],
        "enrolment": [row[1] for row in rows],
        "urban": [row[2] for row in rows],
    }
    design = lk.Design(explicit=["region"], implicit=["urban"], n_schools=6, n_students=20)
    made = lk.draw_record(frame, design, source=PublicSource(name="dice", text=text))
    order = list(range(len(rows)))
    shuffle.shuffle(order)
    turned = {name: [column[row] for row in order] for name, column in reversed(frame.items())}
    assert lk.verify_draw(json.loads(made.to_json()), turned).is_repeated
    row = data.draw(st.integers(0, len(rows) - 1))
    sizes = list(frame["enrolment"])
    sizes[row] += 1
    found = lk.verify_draw(made, {**frame, "enrolment": sizes})
    assert found.changes.select("school_id", "column").rows() == [(f"S{row:03d}", "enrolment")]


FRAME = {
    "school_id": [f"S{row:02d}" for row in range(12)],
    "region": list("NNNNNNSSSSSS"),
    "enrolment": [60, 50, 40, 30, 80, 90, 20, 25, 35, 45, 55, 65],
}
RECORD = lk.draw_record(
    FRAME,
    lk.Design(explicit=["region"], n_schools={"N": 2, "S": 2}, n_students=20),
    source=PublicSource(name="dice", text="6 1 3"),
).to_json()
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=4), st.just([]), st.just({}), st.just(1.5)
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Name every place of a JSON value."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(places(json.loads(RECORD))[1:]), LEAVES)
def test_a_record_with_any_one_value_replaced_is_found_out_or_refused(
    path: tuple[Any, ...], value: Any
) -> None:
    record = json.loads(RECORD)
    node: Any = record
    for step in path[:-1]:
        node = node[step]
    unchanged = node[path[-1]] == value and type(node[path[-1]]) is type(value)
    node[path[-1]] = value
    # What is said about the source's name and the software is not part of what can be computed.
    free = path[0] == "software" or path == ("source", "name")
    try:
        found = lk.verify_draw(record, FRAME)
    except LsakitError:
        return
    assert found.is_repeated == (unchanged or free), (path, value, found.findings)
