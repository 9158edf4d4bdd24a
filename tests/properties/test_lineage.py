"""Laws of hashes, of the store and of comparison, for all inputs."""

from __future__ import annotations

import json
import math
import tempfile

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from lsakit.io.canonical import parquet_bytes, table_differences, table_from_parquet
from lsakit.lineage import Store, canonical_json, hash_parameters, hash_table
from lsakit.lineage.hashing import plain, revive

KINDS = {
    pl.Int64: st.integers(-(2**63), 2**63 - 1),
    pl.Float64: st.floats(),
    pl.String: st.text(max_size=8),
    pl.Boolean: st.booleans(),
    pl.Date: st.dates(),
}
leaves = (
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats() | st.text(max_size=6) | st.dates()
)
keys = st.text(max_size=6).filter(lambda key: not key.startswith("$"))
parameters = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    """Draw a table of a few columns of any kind, with missing values."""
    n_rows = draw(st.integers(0, 6))
    names = draw(st.lists(st.text("abcđ", min_size=1, max_size=3), min_size=1, max_size=4, unique=True))
    columns = {}
    for name in names:
        kind = draw(st.sampled_from(list(KINDS)))
        values = draw(st.lists(st.none() | KINDS[kind], min_size=n_rows, max_size=n_rows))
        columns[name] = pl.Series(name, values, dtype=kind)
    return pl.DataFrame(columns)


@settings(max_examples=60, deadline=None)
@given(tables())
def test_a_table_keeps_its_hash_through_a_file(table: pl.DataFrame) -> None:
    again = table_from_parquet(parquet_bytes(table))
    assert hash_table(again) == hash_table(table)
    assert table_differences(table, again) == ()


@settings(max_examples=60, deadline=None)
@given(tables(), st.data())
def test_the_hash_moves_exactly_when_the_rows_do(table: pl.DataFrame, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(table.height)))
    other = table[order] if table.height else table
    same = table_differences(table, other) == ()
    assert (hash_table(other) == hash_table(table)) == same


@settings(max_examples=60, deadline=None)
@given(tables(), st.data())
def test_one_missing_value_more_is_another_table(table: pl.DataFrame, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(table.columns))
    present = [row for row, value in enumerate(table[name].to_list()) if value is not None]
    if not present:
        return
    row = data.draw(st.sampled_from(present))
    holed = table.with_columns(
        pl.when(pl.int_range(pl.len()) == row).then(None).otherwise(pl.col(name)).alias(name)
    )
    assert hash_table(holed) != hash_table(table)
    (difference,) = table_differences(table, holed)
    assert (difference.column, difference.rows, difference.n_rows) == (name, (row + 1,), 1)


@settings(max_examples=80, deadline=None)
@given(parameters)
def test_parameters_come_back_from_their_json(value: object) -> None:
    text = canonical_json(value)
    again = revive(json.loads(text))
    assert canonical_json(again) == text
    assert hash_parameters(again) == hash_parameters(value)
    assert plain(again) == plain(value)


@settings(max_examples=80, deadline=None)
@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_two_numbers_have_one_hash_exactly_when_they_are_equal(left: float, right: float) -> None:
    assert (hash_parameters(left) == hash_parameters(right)) == (left == right)
    assert (hash_table({"x": [left]}) == hash_table({"x": [right]})) == (left == right)


@settings(max_examples=60, deadline=None)
@given(st.floats(-1e9, 1e9), st.integers(1, 3))
def test_the_size_of_a_difference_is_relative_to_the_number(value: float, steps: int) -> None:
    other = value
    for _ in range(steps):
        other = math.nextafter(other, math.inf)
    (difference,) = table_differences({"x": [value]}, {"x": [other]})
    assert 0.0 < difference.largest <= 1e-15


@settings(max_examples=20, deadline=None)
@given(st.lists(tables(), min_size=1, max_size=3))
def test_a_store_holds_each_table_once_and_is_whole(several: list[pl.DataFrame]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        records = [store.put_table(table) for table in (*several, *several)]
        assert len(list(store.files("artefacts"))) == len({record.hash for record in records})
        for table, record in zip(several, records, strict=False):
            assert hash_table(store.table(record.hash)) == record.hash == hash_table(table)
        assert store.verify() == []
