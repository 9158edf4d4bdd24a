"""The rules of publication: minima, marks, and that no hidden figure can be computed from the shown ones."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest

from lsakit.errors import EstimationError, UnknownColumnError
from lsakit.tables.suppression import CellCounts, apply_rules, hidden_cells, rule_names, rules_named, rules_of
from lsakit.tables.suppression_cells import Sum, determined_cells, protect

PISA, NAEP, NATIONAL = rules_named("pisa"), rules_named("naep"), rules_named("national")


def row(by: str, group: str, n: int, n_schools: int, **more: Any) -> dict[str, Any]:
    estimate = {"statistic": "mean", "estimate": 500.0, "standard_error": 3.0}
    return {"by": by, "group": group, "n": n, "n_schools": n_schools, **estimate, **more}


def reasons(table: pl.DataFrame) -> dict[str, str | None]:
    return dict(table.select("group", "suppressed_because").rows())


def test_tv_9_2_minima_of_students_and_schools() -> None:
    rows = [row("type", "A", 41, 4), row("type", "B", 29, 9), row("type", "C", 30, 5)]
    found = apply_rules(pl.DataFrame(rows), PISA)
    assert reasons(found) == {"A": "too_few_schools:5", "B": "too_few_students:30", "C": None}
    assert found.get_column("flag").to_list() == ["c", "c", ""]
    assert found.get_column("estimate").to_list() == [None, None, 500.0]
    assert found.get_column("n").to_list() == [None, None, 30]


def test_tv_9_2_naep_hides_sixty_students_of_twelve_strata() -> None:
    rows = [row("type", "D", 60, 20, n_strata=12), row("type", "E", 62, 20, n_strata=5)]
    rows.append(row("type", "F", 90, 20, n_strata=4))
    found = apply_rules(pl.DataFrame(rows), NAEP)
    assert reasons(found) == {"D": "too_few_students:62", "E": None, "F": "too_few_strata:5"}
    assert found.get_column("flag").to_list() == ["‡", "", "‡"]


def test_tv_9_2_the_next_smallest_is_hidden_where_the_total_is_shown() -> None:
    rows = [row("type", "A", 41, 4), row("type", "B", 300, 40), row("type", "C", 90, 12)]
    alone = apply_rules(pl.DataFrame(rows), PISA)
    with_total = apply_rules(pl.DataFrame([row("nation", "all", 431, 56), *rows]), PISA)
    assert reasons(alone) == {"A": "too_few_schools:5", "B": None, "C": None}
    assert reasons(with_total) == {
        "all": None,
        "A": "too_few_schools:5",
        "B": None,
        "C": "complementary",
    }


def test_a_difference_is_hidden_with_either_of_its_sides() -> None:
    rows = [row("nation", "all", 431, 56), row("sex", "F", 20, 9), row("sex", "M", 411, 50)]
    rows.append(row("sex", "F-M", 431, 9) | {"statistic": "gap"})
    found = apply_rules(pl.DataFrame(rows), PISA)
    assert reasons(found)["F-M"] == "too_few_students:30"
    assert reasons(found)["M"] == "complementary"
    assert reasons(found)["all"] is None


def test_provinces_of_a_region_protect_each_other() -> None:
    nested = {"province": ("region", {"01": "r1", "02": "r1", "03": "r1", "04": "r2"})}
    rows = [row("nation", "all", 1300, 130), row("region", "r1", 900, 90), row("region", "r2", 400, 40)]
    rows += [row("province", code, n, s) for code, n, s in (("01", 20, 3), ("02", 580, 57), ("03", 300, 30))]
    rows.append(row("province", "04", 400, 40))
    assert {group for group, why in reasons(apply_rules(pl.DataFrame(rows), PISA, nested=nested)).items() if why} == {
        "01", "03",
    }  # fmt: skip


def test_marks_say_coverage_instability_and_nearness_to_zero() -> None:
    share = {"statistic": "level_1", "estimate": 0.5, "standard_error": 0.02}
    rows = [
        row("g", "a", 900, 40, share_valid=0.74, weight_cv=0.1),
        row("g", "b", 900, 40, share_valid=0.49, weight_cv=0.1),
        row("g", "c", 900, 40, share_valid=0.75, weight_cv=0.21),
        row("g", "d", 900, 40, share_valid=1.0, weight_cv=0.2) | share,
        row("g", "e", 900, 40, share_valid=1.0, weight_cv=0.2) | share | {"estimate": 0.05},
    ]
    found = apply_rules(pl.DataFrame(rows), NATIONAL)
    assert found.get_column("flag").to_list() == ["†", "‡", "!", "", "!"]
    near = {
        "statistic": "level_1",
        "estimate": 0.002,
        "standard_error": 0.0015,
        "ci_low": 0.0,
        "ci_high": 0.005,
    }
    naep = apply_rules(pl.DataFrame([row("g", "f", 900, 40, n_strata=40) | near]), NAEP)
    assert naep.select("estimate", "standard_error", "ci_low", "ci_high", "flag").rows() == [
        (0.002, None, None, None, "†")
    ]


def test_withdrawn_missing_and_undefined_rows_lose_their_numbers() -> None:
    rows = [
        row("g", "a", 900, 40, withdrawn=True, undefined_because=None),
        row("g", "b", 900, 40, withdrawn=False, undefined_because="undefined in 1 of 80 replicates"),
        row("g", "c", 900, 40, withdrawn=False, undefined_because=None) | {"estimate": None},
    ]
    found = apply_rules(pl.DataFrame(rows), NATIONAL, keep_counts=True)
    assert found.get_column("suppressed_because").to_list() == [
        "withdrawn", "undefined_in_replicates", "not_available",
    ]  # fmt: skip
    assert found.get_column("flag").to_list() == ["w", "m", "m"]
    assert found.get_column("estimate").null_count() == 3
    assert found.get_column("n").to_list() == [900, 900, 900]


def test_subjects_and_populations_are_decided_apart() -> None:
    rows = [row("nation", "all", 431, 56), row("sex", "F", 20, 9), row("sex", "M", 411, 50)]
    more = [{**line, "n": 431, "subject": "reading"} for line in rows]
    table = pl.DataFrame([{**line, "subject": "maths"} for line in rows] + more)
    found = apply_rules(table, PISA)
    assert found.filter(pl.col("subject") == "reading").get_column("suppressed_because").null_count() == 3
    assert found.filter(pl.col("subject") == "maths").get_column("suppressed_because").null_count() == 1


def test_every_rule_set_is_read_with_its_source() -> None:
    assert set(rule_names()) == {"national", "naep", "pisa", "talis", "timss"}
    for name in rule_names():
        rules = rules_named(name)
        assert rules.name == name
        assert rules.source("vi") != rules.source("en")
        assert rules.title("vi") != rules.title("en")
    assert rules_named("talis").reason(30, 9) == "too_few_schools:10"
    assert rules_named("talis").reason(29, 10) == "too_few_teachers:30"


def test_a_wrong_rule_set_is_refused_by_its_key() -> None:
    good = {
        "name": "x", "title_vi": "a", "title_en": "b", "source_vi": "c", "source_en": "d", "is_verified": True,
        "symbols": dict.fromkeys(("hidden", "missing", "withdrawn", "unstable", "extreme"), "c"),
    }  # fmt: skip
    assert rules_of(good).minimum_units == 30
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"minimum_units": -1}, "minimum_units"),
        ({"minimum_pupils": 3}, "minimum_pupils"),
        ({"unit": "schools"}, "unit"),
        ({"significance": {"level": 1.5}}, "significance.level"),
        ({"significance": {"adjustment": "bonferroni"}}, "significance.adjustment"),
        ({"errors": {"extreme_plus": 2.0}}, "errors.extreme_plus"),
        ({"symbols": {"hidden": "c"}}, "symbols.missing"),
        ({"coverage": [{"below": 0.75, "symbol": "†"}, {"below": 0.5, "symbol": "‡"}]}, "coverage.below"),
    ]
    for change, key in wrong:
        with pytest.raises(EstimationError) as refused:
            rules_of({**good, **change})
        assert refused.value.param == key
    with pytest.raises(EstimationError, match="lacks the key 'source_vi'"):
        rules_of({key: value for key, value in good.items() if key != "source_vi"})
    with pytest.raises(EstimationError, match="There is no rule set 'oecd'"):
        rules_named("oecd")


def test_a_rule_that_needs_strata_refuses_a_table_without_them() -> None:
    with pytest.raises(EstimationError, match="asks for 5 strata"):
        apply_rules(pl.DataFrame([row("g", "a", 900, 40)]), NAEP)
    with pytest.raises(UnknownColumnError):
        apply_rules(pl.DataFrame({"by": ["g"]}), PISA)


def test_several_sums_together_determine_a_cell_that_no_single_one_does() -> None:
    """Rows A and B, columns 1 and 2, hidden a1 a2 b1 b2, and the sum of a1 and b2 known from elsewhere."""
    square = [
        Sum("A", ("a1", "a2", "a3")), Sum("B", ("b1", "b2", "b3")),
        Sum("1", ("a1", "b1", "c1")), Sum("2", ("a2", "b2", "c2")),
    ]  # fmt: skip
    hidden = {"a1", "a2", "b1", "b2"}
    assert determined_cells(hidden, square) == set()
    assert determined_cells(hidden, [*square, Sum("x", ("a1", "b2"))]) == hidden
    outcome = protect(
        hidden, [*square, Sum("x", ("a1", "b2"))], dict.fromkeys("123", 9.0), may_hide={"c1", "c2"}
    )
    assert outcome.exposed == ()
    assert set(outcome.added) <= {"c1", "c2"}


def random_cells(rng: np.random.Generator, keys: dict[str, int]) -> list[CellCounts]:
    """Draw students into the cells of a crossed table and count every margin."""
    n = 1500
    columns = {
        key: rng.choice(size, n, p=rng.dirichlet(np.full(size, 0.6))).astype(str)
        for key, size in keys.items()
    }
    school = rng.integers(0, 60, n)
    cells = []
    for count in range(len(keys) + 1):
        for chosen in combinations(keys, count):
            places: dict[frozenset[tuple[str, str]], list[int]] = {}
            for person in range(n):
                place = frozenset((key, str(columns[key][person])) for key in chosen)
                places.setdefault(place, []).append(person)
            cells += [
                CellCounts(place=place, n=len(who), n_schools=len(set(school[who].tolist())))
                for place, who in places.items()
            ]
    return cells


def solved_by_an_attacker(cells: list[CellCounts], hidden: set[Any]) -> set[Any]:
    """Solve for the hidden counts with every sum of the whole lattice, independently of the program."""
    sizes = {cell.place: float(cell.n or 0) for cell in cells}
    unknown = sorted(hidden, key=lambda place: sorted(place))
    column = {place: k for k, place in enumerate(unknown)}
    lines = []
    for total in sizes:
        keys = {key for place in sizes for key, _ in place} - {key for key, _ in total}
        for key in keys:
            parts = [p for p in sizes if len(p) == len(total) + 1 and total < p and key in dict(p)]
            line = np.zeros(len(unknown))
            for place, sign in [(total, -1.0), *((part, 1.0) for part in parts)]:
                if place in column:
                    line[column[place]] += sign
            lines.append(line)
    matrix = np.array(lines)
    _, singular, right = np.linalg.svd(matrix)
    free = right[int((singular > 1e-9).sum()) :]
    return {unknown[k] for k in range(len(unknown)) if np.abs(free[:, k]).max(initial=0.0) < 1e-9}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("keys", [{"a": 5, "b": 4}, {"a": 4, "b": 3, "c": 2}, {"a": 9}])
@pytest.mark.parametrize("fixed", [False, True])
def test_nobody_can_compute_a_hidden_cell_from_the_shown_ones(
    seed: int, keys: dict[str, int], fixed: bool
) -> None:
    cells = random_cells(np.random.default_rng(seed), keys)
    found = hidden_cells(cells, PISA, fixed=fixed)
    by_rule = {cell.place for cell in cells if PISA.reason(cell.n, cell.n_schools)}
    assert by_rule == {place for place, why in found.items() if why != "complementary"}
    exposed = solved_by_an_attacker(cells, set(found)) if found else set()
    whole_tables = {
        keys_ for keys_ in ({key for key, _ in cell.place} for cell in cells)
        for keys_ in [frozenset(keys_)]
        if all(cell.place in found for cell in cells if {key for key, _ in cell.place} == keys_)
    }  # fmt: skip
    if not fixed:
        assert exposed & by_rule == set()
    else:
        assert {p for p in exposed & by_rule if frozenset(k for k, _ in p) not in whole_tables} == set()


@pytest.mark.parametrize("seed", range(6))
def test_more_break_downs_never_change_what_fewer_show(seed: int) -> None:
    cells = random_cells(np.random.default_rng(seed), {"a": 4, "b": 3, "c": 2})
    small = [cell for cell in cells if {key for key, _ in cell.place} <= {"a", "b"}]
    alone, together = hidden_cells(small, PISA, fixed=True), hidden_cells(cells, PISA, fixed=True)
    assert alone == {place: why for place, why in together.items() if {key for key, _ in place} <= {"a", "b"}}
