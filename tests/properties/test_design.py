"""Laws of sampling that hold for every frame."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lsakit.design.allocation import AllocationLimits, allocate_schools
from lsakit.design.options import Design
from lsakit.design.pps import draw_schools
from lsakit.design.random_starts import START_DENOMINATOR
from lsakit.design.replacements import assign_replacements
from lsakit.design.strata import serpentine_order
from lsakit.design.systematic import systematic_pps
from lsakit.design.within_school import systematic_lines

SIZES = st.lists(st.integers(1, 3000), min_size=1, max_size=60)
STARTS = st.integers(1, START_DENOMINATOR)


@given(SIZES, STARTS, st.data())
def test_probabilities_sum_to_n_and_exactly_n_are_drawn(
    sizes: list[int], start: int, data: st.DataObject
) -> None:
    n_draws = data.draw(st.integers(1, len(sizes)))
    draw = systematic_pps(sizes, n_draws, random_number=Fraction(start, START_DENOMINATOR))
    assert len(draw.selected) == n_draws
    assert abs(sum(draw.probability) - n_draws) < 1e-9
    assert all(place in draw.selected for place, sure in enumerate(draw.is_certainty) if sure)
    assert all(0 < p <= 1 for p in draw.probability)


@given(SIZES, STARTS, st.data())
def test_capped_draws_are_within_one_of_their_expectation(
    sizes: list[int], start: int, data: st.DataObject
) -> None:
    n_draws = data.draw(st.integers(1, len(sizes)))
    draw = systematic_pps(sizes, n_draws, random_number=Fraction(start, START_DENOMINATOR), certainty="cap")
    assert abs(len(draw.selected) - sum(draw.probability)) < 1 + 1e-9
    assert all(place in draw.selected for place, sure in enumerate(draw.is_certainty) if sure)


@given(SIZES, STARTS, st.data(), st.integers(1, 50))
def test_the_unit_of_size_does_not_matter(
    sizes: list[int], start: int, data: st.DataObject, unit: int
) -> None:
    n_draws = data.draw(st.integers(1, len(sizes)))
    number = Fraction(start, START_DENOMINATOR)
    one = systematic_pps(sizes, n_draws, random_number=number)
    other = systematic_pps([unit * size for size in sizes], n_draws, random_number=number)
    assert one.selected == other.selected
    assert one.probability == other.probability


@given(st.integers(1, 60), st.data())
def test_replacements_are_unique_and_unsampled(n_units: int, data: st.DataObject) -> None:
    selected = sorted(data.draw(st.sets(st.integers(0, n_units - 1), min_size=1)))
    found = [place for pair in assign_replacements(n_units, selected) for place in pair if place is not None]
    assert len(set(found)) == len(found)
    assert not set(found) & set(selected)
    assert all(
        abs(place - one) <= 2
        for one, pair in zip(selected, assign_replacements(n_units, selected), strict=True)
        for place in pair
        if place is not None
    )


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=50))
def test_serpentine_order_is_a_permutation_that_turns_only_one_step(rows: list[tuple[int, int, int]]) -> None:
    keys = [np.asarray(column) for column in zip(*rows, strict=True)]
    order = serpentine_order(keys)
    assert sorted(order.tolist()) == list(range(len(rows)))
    ordered = [rows[row] for row in order]
    outer = [row[0] for row in ordered]
    assert outer == sorted(outer)
    groups = [row[:2] for row in ordered]
    seen = [one for place, one in enumerate(groups) if place == 0 or groups[place - 1] != one]
    assert len(set(seen)) == len(seen), "a group is in one piece"


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=20), st.integers(0, 300), st.integers(0, 3))
def test_allocations_add_up_and_keep_their_limits(sizes: list[int], extra: int, least: int) -> None:
    strata = {f"s{number}": size for number, size in enumerate(sizes)}
    n_schools = max(1, least * len(sizes) + extra)
    most = {name: least + 1 + size % 40 for name, size in strata.items()}
    n_schools = min(n_schools, sum(most.values()))
    limits = AllocationLimits(minimum=least, maximum=most)
    counts = allocate_schools(strata, n_schools, limits=limits).counts
    assert sum(counts.values()) == n_schools
    assert all(least <= counts[name] <= most[name] for name in strata)


@given(st.integers(1, 300), st.integers(1, 60), STARTS)
def test_lines_are_different_and_inside_the_list(n_listed: int, n_students: int, start: int) -> None:
    lines = systematic_lines(n_listed, n_students, start)
    assert len(set(lines)) == len(lines) == min(n_listed, n_students)
    assert lines[0] >= 1
    assert lines[-1] <= n_listed


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("NS"), st.integers(1, 400)), min_size=8, max_size=40),
    st.integers(0, 2**32),
    st.randoms(),
)
def test_the_order_of_the_frame_does_not_matter(
    rows: list[tuple[str, int]], seed: int, shuffle: object
) -> None:
    rows = [("N", 5), ("N", 6), ("S", 5), ("S", 6), *rows]
    frame = [(f"S{row:03d}", region, size) for row, (region, size) in enumerate(rows)]
    design = Design(explicit=["region"], n_schools=6, n_students=20)

    def draw(table: list[tuple[str, str, int]]) -> object:
        columns = dict(
            zip(["school_id", "region", "enrolment"], map(list, zip(*table, strict=True)), strict=True)
        )
        return draw_schools(columns, design, rng=seed)

    one = draw(frame)
    turned = list(frame)
    shuffle.shuffle(turned)  # type: ignore[attr-defined]
    other = draw(turned)
    assert one.table.equals(other.table)  # type: ignore[attr-defined]
    assert abs(one.frame["probability"].sum() - 6) < 1e-9  # type: ignore[attr-defined]
