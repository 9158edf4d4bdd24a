"""Cells, risk, merging, suppression, swapping: what a plan promises holds, and nothing else moves."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from lsakit.errors import TableError
from lsakit.release import DisclosurePlan, build_microdata, cell_counts, individual_risk, protect
from lsakit.release.cells import merge_cells, rows_to_hide
from lsakit.release.protection import count_suppressed
from lsakit.release.published import compare_tables, published_table
from small_release import run_tables

SMALL = DisclosurePlan.read("public_small")


@pytest.fixture(scope="module")
def data():
    return build_microdata(run_tables())


@pytest.fixture(scope="module")
def made(data):
    return protect(data, SMALL, seed=11)


def test_tv_7_2_small_cells_are_merged_as_stated() -> None:
    """TV-7.2: {R1/all: 10, R2/pub/L: 5}, two recodes in the log."""
    rows = [("R1", "pub", "L", 7), ("R1", "pub", "S", 2), ("R1", "priv", "L", 1), ("R2", "pub", "L", 5)]
    people = [row[:3] for row in rows for _ in range(row[3])]
    table = pl.DataFrame(people, schema=["region", "type", "size"], orient="row")
    assert cell_counts(table, ["region", "type", "size"]).filter(pl.col("n") < 3).height == 2
    merged, log = merge_cells(table, ["region", "type", "size"], k=3, merged={"type": "all", "size": "all"})
    assert cell_counts(merged, ["region", "type", "size"]).rows() == [
        ("R1", "all", "all", 10),
        ("R2", "pub", "L", 5),
    ]
    assert log == [("size", "R1", "pub"), ("type", "R1")]


@pytest.mark.parametrize(
    ("f", "total"), [(1, 100.0), (2, 3.0), (3, 3.5), (7, 200.0), (40, 60.0), (500, 9000.0)]
)
def test_the_individual_risk_is_the_integral_it_stands_for(f: int, total: float) -> None:
    a = total / f - 1.0
    exact = integrate.quad(lambda u: u ** (f - 1) / (1 + a * u), 0, 1, points=[0.9, 0.99], epsabs=1e-13)[0]
    got = individual_risk(np.array([f]), np.array([total]))[0]
    assert got == pytest.approx(exact, rel=1e-9)  # both are exact up to rounding; quad promises 1e-10


def test_a_census_cell_is_found_for_certain_and_bad_counts_are_refused() -> None:
    assert individual_risk(np.array([1, 4]), np.array([1.0, 4.0])).tolist() == [1.0, 0.25]
    with pytest.raises(TableError, match="at least one row"):
        individual_risk(np.array([0]), np.array([5.0]))


def test_the_plan_holds_and_protected_figures_do_not_move(data, made) -> None:
    for need in SMALL.requirements:
        assert cell_counts(made.data.view(need.file), need.keys)["n"].min() >= need.k
    compared = compare_tables(published_table(data), published_table(made.data))
    exact = compared.filter(pl.col("by").is_in(["", "REGION", "ST004D01T"]))
    assert exact.height == 2 * (1 + 3 + 2)
    assert exact["is_exact"].all()
    assert not compared.filter(pl.col("by") == "ETHNIC")["is_exact"].all()
    assert made.data.tables["student"].height == data.tables["student"].height


def test_every_step_is_measured(data, made) -> None:
    assert [one.kind for one in made.steps] == [step.kind for step in SMALL.steps]
    assert made.after["student"].smallest >= 5
    assert made.after["student"].max_risk < made.before["student"].max_risk
    assert sum(one.n_suppressed for one in made.steps) == count_suppressed(made.data) - count_suppressed(data)
    lost = dict(made.loss.select("variable", "state").rows())
    assert (lost["ENROLMENT"], lost["SCHSIZE"], lost["ETHNIC"]) == ("left_out", "new", "changed")


def test_swaps_are_logged_undone_and_belong_to_the_student(data) -> None:
    text = "\n".join(
        [
            "name = 's'", "kind = 'restricted'", "[[step]]", "kind = 'swap'", "file = 'student'",
            "variables = ['ETHNIC', 'ESCS']", "share = 0.1", "keys = ['REGION', 'ETHNIC']", "match = ['REGION']",
        ]
    )  # fmt: skip
    plan = DisclosurePlan.parse(text)
    made = protect(data, plan, seed=3)
    before, after = data.tables["student"], made.data.tables["student"]
    assert 0 < made.swaps["key"].n_unique() <= 0.1 * before.height
    for name in ("ETHNIC", "ESCS"):
        undo = dict(made.swaps.filter(pl.col("variable") == name).select("key", "old").rows())
        back = [undo.get(key, str(value)) for key, value in after.select("CNTSTUID", name).rows()]
        assert back == before[name].cast(pl.String).to_list()
        assert sorted(after[name].to_list()) == sorted(before[name].to_list())
    shuffled = protect(
        data.with_table("student", before.sample(fraction=1.0, shuffle=True, seed=5)), plan, seed=3
    )
    assert shuffled.swaps.sort("key", "variable").equals(made.swaps.sort("key", "variable"))
    assert not protect(data, plan, seed=4).swaps.equals(made.swaps)


@settings(max_examples=60, deadline=None)
@given(
    cells=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), min_size=1, max_size=60),
    k=st.integers(2, 6),
)
def test_hidden_values_are_never_alone_where_others_can_join(cells, k: int) -> None:
    """After hiding, the hidden cell of a group has k rows or is the whole group; it never tells the one small value."""
    table = pl.DataFrame(cells, schema=["g", "v"], orient="row")
    order = np.arange(table.height, dtype=np.uint64)
    rows = rows_to_hide(table, "v", ["g", "v"], k=k, gone=9, order=order, balanced=True)
    mask = np.zeros(table.height, dtype=bool)
    mask[rows] = True
    hidden = table.with_columns(new=pl.when(pl.Series(mask)).then(9).otherwise(pl.col("v")))
    for (group,), part in hidden.group_by("g"):
        gone = part.filter(pl.col("new") == 9)
        kept = part.filter(pl.col("new") != 9)
        if kept.height:
            assert cell_counts(kept, ["v"])["n"].min() >= k, group
        if gone.height and part.height > gone.height:
            assert gone.height >= k
            assert gone["v"].n_unique() > 1


def test_a_plan_that_cannot_hold_gives_nothing(data) -> None:
    text = "name='x'\nkind='restricted'\n[[require]]\nfile='student'\nkeys=['REGION']\nk=100000\n"
    with pytest.raises(TableError, match="fewer than 100000 students"):
        protect(data, DisclosurePlan.parse(text), seed=1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name='x'\nkind='open'", "'public' or 'restricted'"),
        ("name='x'\nkind='public'", "must require k-anonymity"),
        ("name='x'\nkind='restricted'\nsecret=1", "does not know 'secret'"),
        ("name='x'\nkind='restricted'\n[[step]]\nkind='blur'\nfile='student'", "unknown step 'blur'"),
        ("name='x'\nkind='restricted'\n[[step]]\nkind='round'\nfile='student'\nvariables=['ESCS']", "lacks the word 'digits'"),
        (
            "name='x'\nkind='restricted'\nprotect=['ESCS']\n[[step]]\nkind='round'\nfile='student'\n"
            "variables=['ESCS']\ndigits=1",
            "changes the protected variable 'ESCS'",
        ),
    ],
)  # fmt: skip
def test_a_bad_plan_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(TableError, match=words.replace("(", r"\(")):
        DisclosurePlan.parse(text)


def test_an_unknown_variable_is_refused(data) -> None:
    text = "name='x'\nkind='restricted'\n[[step]]\nkind='round'\nfile='student'\nvariables=['NOPE']\ndigits=1"
    with pytest.raises(TableError, match="No file has the variable 'NOPE'"):
        protect(data, DisclosurePlan.parse(text), seed=1)
