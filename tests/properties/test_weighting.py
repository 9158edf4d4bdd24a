"""Laws of weighting that hold for every sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lsakit.weighting.cells import merge_small_cells
from lsakit.weighting.final_weights import final_weights
from lsakit.weighting.hadamard import hadamard_matrix
from lsakit.weighting.replicate_factors import bootstrap_factors, fay_factors
from lsakit.weighting.replicates import replicate_weights
from lsakit.weighting.weighted import FinalWeights

ORDERS = [4, 8, 12, 20, 36, 80, 100]


@st.composite
def samples(draw: st.DrawFn) -> dict[str, Any]:
    """Two strata of schools, some of which refuse, with students of whom some are absent."""
    n_schools = draw(st.lists(st.integers(4, 9), min_size=2, max_size=2))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    ids = [f"S{row:02d}" for row in range(sum(n_schools))]
    stratum = np.repeat(["N", "S"], n_schools).tolist()
    took = rng.random(len(ids)) < 0.85
    for label in ("N", "S"):
        inside = [row for row, one in enumerate(stratum) if one == label]
        took[inside[:2]] = True
    listed = rng.integers(12, 60, len(ids))
    rows = []
    for row, school in enumerate(ids):
        if took[row]:
            for number in range(12):
                status = int(rng.choice([10, 20, 31, 40], p=[0.8, 0.12, 0.04, 0.04])) if number > 5 else 10
                rows.append((school, f"{school}-{number}", "FM"[number % 2], status))
    columns = ["school_id", "student_id", "gender", "status"]
    return {
        "drawn": {
            "school_id": ids,
            "stratum": stratum,
            "base_weight": rng.uniform(1, 9, len(ids)).tolist(),
            "selection_order": list(range(1, len(ids) + 1)),
        },
        "schools": {
            "school_id": ids,
            "participant_id": [one if yes else None for one, yes in zip(ids, took, strict=True)],
            "status": [1 if yes else 2 for yes in took],
            "enrolment": listed.tolist(),
            "enrolment_listed": [int(n) if yes else None for n, yes in zip(listed, took, strict=True)],
        },
        "students": dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)),
    }


def weights_of(sample: dict[str, Any]) -> FinalWeights:
    return final_weights(sample["drawn"], sample["schools"], sample["students"], rules="national")


@settings(max_examples=40, deadline=None)
@given(samples())
def test_adjustments_preserve_totals(sample: dict[str, Any]) -> None:
    w = weights_of(sample)
    schools = w.schools
    eligible = schools.filter(schools["outcome"] != "ineligible")
    all_sizes = (eligible["base_weight"] * eligible["size"]).sum()
    reached = eligible.filter(eligible["outcome"] == "participant")
    adjusted = (reached["base_weight"] * reached["size"] * reached["nonresponse_factor"]).sum()
    np.testing.assert_allclose(adjusted, all_sizes, rtol=1e-12)
    factor = dict(
        schools.select(
            "school_id", (schools["base_weight"] * schools["nonresponse_factor"]).alias("f")
        ).rows()
    )
    before = sum(
        factor[school] * weight
        for school, weight in w.students.select("sampled_school_id", "student_base_weight").rows()
    )
    np.testing.assert_allclose(w.table["final_weight"].sum(), before, rtol=1e-12)
    assert (w.table["nonresponse_factor"] >= 1 - 1e-12).all()


@settings(max_examples=20, deadline=None)
@given(samples(), st.floats(0.01, 100))
def test_weights_scale_with_the_base_weights(sample: dict[str, Any], scale: float) -> None:
    one = weights_of(sample)
    drawn = {**sample["drawn"], "base_weight": [scale * weight for weight in sample["drawn"]["base_weight"]]}
    other = weights_of({**sample, "drawn": drawn})
    np.testing.assert_allclose(other.table["final_weight"], scale * one.table["final_weight"], rtol=1e-10)
    matrices = [replicate_weights(w, n_replicates=20).matrix for w in (one, other)]
    np.testing.assert_allclose(matrices[1], scale * matrices[0], rtol=1e-10)


@settings(max_examples=20, deadline=None)
@given(samples())
def test_replicates_are_finite_positive_and_centred(sample: dict[str, Any]) -> None:
    w = weights_of(sample)
    matrix = replicate_weights(w, n_replicates=80).matrix
    assert np.isfinite(matrix).all()
    assert (matrix > 0).all()
    assert abs(matrix.sum(axis=0).mean() / w.table["final_weight"].sum() - 1) < 0.05


@settings(max_examples=15, deadline=None)
@given(samples(), st.sampled_from(["fay", "jk1", "jkn", "jk2", "jk2_both", "bootstrap"]), st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(sample: dict[str, Any], method: Any, seed: int) -> None:
    w = weights_of(sample)
    rng = np.random.default_rng(seed)
    mixed = dict(sample)
    for name in ("schools", "students"):
        order = rng.permutation(len(sample[name]["school_id"]))
        mixed[name] = {key: [column[row] for row in order] for key, column in sample[name].items()}
    other = weights_of(mixed)
    place = {one: row for row, one in enumerate(other.table["student_id"])}
    rows = [place[one] for one in w.table["student_id"]]
    np.testing.assert_allclose(
        other.table["final_weight"].to_numpy()[rows], w.table["final_weight"], rtol=1e-12
    )
    matrices = [replicate_weights(one, method=method).matrix for one in (w, other)]
    np.testing.assert_allclose(matrices[1][rows], matrices[0], rtol=1e-10, atol=1e-12)
    assert (matrices[0] >= 0).all()


@settings(deadline=None)
@given(st.lists(st.integers(2, 9), min_size=1, max_size=6), st.floats(0, 0.9), st.integers(0, 99))
def test_bootstrap_factors_keep_the_number_of_units(sizes: list[int], share: float, seed: int) -> None:
    stratum = np.repeat(np.arange(len(sizes)), sizes)
    names = [f"u{row}" for row in range(len(stratum))]
    fraction = np.full(len(stratum), share)
    factors = bootstrap_factors(stratum, names, n_replicates=30, seed=seed, sampling_fraction=fraction)
    for number, size in enumerate(sizes):
        np.testing.assert_allclose(factors[stratum == number].sum(axis=0), size, rtol=1e-12)
    assert (factors >= -1e-15).all()


@settings(deadline=None)
@given(st.sampled_from(ORDERS), st.integers(1, 120), st.floats(0, 0.99))
def test_factors_of_a_pair_sum_to_two(order: int, n_zones: int, fay_factor: float) -> None:
    zone = np.repeat(np.arange(n_zones), 2)
    role = np.tile([1, 2], n_zones)
    factors = fay_factors(zone, role, np.full(2 * n_zones, 2), n_replicates=order, fay_factor=fay_factor)
    np.testing.assert_allclose(factors[::2] + factors[1::2], 2, rtol=1e-14)
    np.testing.assert_allclose(factors.mean(axis=1), 1, rtol=1e-12)


@settings(deadline=None)
@given(st.sampled_from(ORDERS), st.floats(0.3, 0.99))
def test_factors_of_a_triplet_sum_to_three(order: int, fay_factor: float) -> None:
    role = np.array([1, 2, 3])
    factors = fay_factors(
        np.zeros(3, dtype=int), role, np.full(3, 3), n_replicates=order, fay_factor=fay_factor
    )
    np.testing.assert_allclose(factors.sum(axis=0), 3, rtol=1e-14)
    assert (factors >= 0).all()


@settings(deadline=None)
@given(st.integers(1, 40))
def test_hadamard_of_doubled_orders(power: int) -> None:
    order = 4 * power
    try:
        matrix = hadamard_matrix(order).astype(int)
    except ValueError:
        assert order in {92, 116, 156}
    else:
        assert np.array_equal(matrix @ matrix.T, order * np.eye(order))


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(1, 50), st.floats(0, 1)), min_size=1, max_size=12))
def test_merged_cells_keep_the_limits_or_are_one(cells: list[tuple[int, float, float]]) -> None:
    counts = [count for count, _, _ in cells]
    everyone = [total for _, total, _ in cells]
    reached = [total * share if count else 0.0 for count, total, share in cells]
    groups = np.asarray(merge_small_cells(counts, everyone, reached, minimum=6, maximum_factor=2.0))
    assert (np.diff(groups) >= 0).all()
    assert (np.diff(groups) <= 1).all()
    if groups.max() > 0:
        for group in range(groups.max() + 1):
            inside = groups == group
            assert np.asarray(counts)[inside].sum() >= 6
            assert np.asarray(everyone)[inside].sum() <= 2.0 * np.asarray(reached)[inside].sum() * (1 + 1e-12)
