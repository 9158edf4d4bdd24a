"""The hash is over values: it moves when a value moves, and not otherwise."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import struct
import time

import numpy as np
import polars as pl
import pytest

from lsakit.errors import LineageError, TableError
from lsakit.lineage import canonical_json, hash_parameters, hash_table


def test_the_hash_of_a_table_is_the_documented_one() -> None:
    column = hashlib.sha256(b"float\n2\n0\n" + struct.pack("<2d", 1.5, 0.0)).hexdigest()
    header = json.dumps([2, [["x", "float", column]]], separators=(",", ":")).encode()
    by_hand = hashlib.sha256(b"lsakit.table/1\n" + header).hexdigest()
    assert hash_table(pl.DataFrame({"x": [1.5, -0.0]})) == f"sha256:{by_hand}"


def test_the_hash_of_text_is_lengths_then_utf8() -> None:
    body = b"text\n3\n1\n" + bytes([0b01000000]) + struct.pack("<3q", 3, 0, 1) + "ộx".encode()
    column = hashlib.sha256(body).hexdigest()
    header = json.dumps([3, [["name", "text", column]]], separators=(",", ":")).encode()
    by_hand = hashlib.sha256(b"lsakit.table/1\n" + header).hexdigest()
    assert hash_table(pl.DataFrame({"name": ["ộ", None, "x"]})) == f"sha256:{by_hand}"


BASE = {"id": ["a", "b", "c"], "n": [1, 2, 3], "x": [0.5, 1.5, None], "day": [dt.date(2026, 9, 5)] * 3}
CHANGED = {
    "one value": {**BASE, "n": [1, 2, 4]},
    "the last digit": {**BASE, "x": [0.5, 1.5000000000000002, None]},
    "a missing value": {**BASE, "x": [0.5, None, None]},
    "missing against NaN": {**BASE, "x": [0.5, 1.5, float("nan")]},
    "row order": {**BASE, "id": ["b", "a", "c"]},
    "column order": dict(reversed(BASE.items())),
    "a column name": {("id2" if name == "id" else name): column for name, column in BASE.items()},
    "where text is cut": {**BASE, "id": ["ab", "", "c"]},
    "a date": {**BASE, "day": [dt.date(2026, 9, 6)] * 3},
    "whole against real": {**BASE, "n": [1.0, 2.0, 3.0]},
    "numbers against text": {**BASE, "n": ["1", "2", "3"]},
    "one row less": {name: column[:2] for name, column in BASE.items()},
}


@pytest.mark.parametrize("change", CHANGED)
def test_the_hash_moves_with(change: str) -> None:
    assert hash_table(pl.DataFrame(CHANGED[change])) != hash_table(pl.DataFrame(BASE))


def test_the_hash_does_not_move_with_the_form_of_storage() -> None:
    table = pl.DataFrame(BASE)
    other = table.with_columns(pl.col("n").cast(pl.UInt8), pl.col("id").cast(pl.Categorical))
    assert hash_table(other) == hash_table(table)
    assert hash_table(pl.concat([table[:1], table[1:]], rechunk=False)) == hash_table(table)
    assert hash_table(pl.concat([table, table])[1:4]) == hash_table(pl.concat([table[1:], table[:1]]))
    assert hash_table({name: list(column) for name, column in BASE.items()}) == (hash_table(table))


def test_all_not_a_numbers_are_one_and_zero_has_no_sign() -> None:
    odd = np.frombuffer(struct.pack("<Q", 0x7FF8000000000123) + struct.pack("<d", -0.0), dtype="<f8")
    assert hash_table({"x": odd}) == hash_table({"x": np.array([np.nan, 0.0])})


def test_moments_of_other_units_are_the_same_moment() -> None:
    moments = pl.DataFrame({"at": [dt.datetime(2026, 11, 22, 8, 30)]})
    assert hash_table(moments.with_columns(pl.col("at").dt.cast_time_unit("ms"))) == hash_table(moments)


@pytest.mark.parametrize("column", [[[1, 2]], [{"a": 1}], [b"x"]], ids=["list", "record", "bytes"])
def test_a_column_without_canonical_form_is_refused(column: list[object]) -> None:
    with pytest.raises(TableError, match=r"'odd' holds .* no canonical form.*Spread it"):
        hash_table(pl.DataFrame({"odd": column}))


def test_whole_numbers_beyond_64_bits_are_refused() -> None:
    with pytest.raises(TableError, match=r"beyond 64 bits.*as text"):
        hash_table(pl.DataFrame({"n": pl.Series([2**63], dtype=pl.UInt64)}))


def test_six_hundred_thousand_rows_of_a_hundred_columns_take_seconds() -> None:
    block = np.random.default_rng(1).random((60_000, 100))  # a tenth of it, so that the tests stay quick
    table = pl.DataFrame(block)
    start = time.perf_counter()
    hash_table(table)
    assert time.perf_counter() - start < 1.0


def test_canonical_parameters() -> None:
    value = {
        "b": (1, 2.0, -0.0),
        "a": np.float64("nan"),
        "c": np.array([1, 2]),
        "d": dt.date(2026, 1, 2),
        "é": None,
    }
    assert canonical_json(value) == (
        '{"a":{"$float":"nan"},"b":[1,2.0,0.0],"c":[1,2],"d":{"$date":"2026-01-02"},"é":null}'
    )
    assert hash_parameters(value) == hash_parameters(dict(reversed(value.items())))
    assert hash_parameters({"a": True}) != hash_parameters({"a": 1})
    assert hash_parameters([]) != hash_table({})


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": [1, object()]}, r"parameters\.a\[1\] is object"),
        ({"n": {3: 1}}, r"key 3 of parameters\.n is int"),
        ({"$float": "nan"}, r"'\$'"),
        ({"t": pl.DataFrame()}, "put tables in as tables"),
    ],
)
def test_parameters_that_have_no_canonical_form_are_refused(value: object, words: str) -> None:
    with pytest.raises(LineageError, match=words):
        hash_parameters(value)
