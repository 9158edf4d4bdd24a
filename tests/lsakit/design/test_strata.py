"""Serpentine order and stratum labels."""

from __future__ import annotations

import numpy as np
import pytest

from lsakit.design.replacements import assign_replacements
from lsakit.design.strata import label_of_key, serpentine_order, stratum_labels
from lsakit.errors import DesignError, TableError
from lsakit.io.frames import make_table


def test_tv_1_2_turns_each_key_when_the_one_before_moves_on() -> None:
    schools = [
        ("U", "pub", 50),
        ("U", "pub", 200),
        ("U", "pri", 80),
        ("U", "pri", 120),
        ("R", "pub", 30),
        ("R", "pub", 90),
        ("R", "pub", 60),
        ("R", "pri", 40),
        ("R", "pri", 25),
    ]
    keys = [np.unique(column, return_inverse=True)[1] for column in zip(*schools, strict=True)]
    found = ["{}-{}-{}".format(*schools[row]) for row in serpentine_order(keys)]
    assert found == [
        "R-pri-25",
        "R-pri-40",
        "R-pub-90",
        "R-pub-60",
        "R-pub-30",
        "U-pub-50",
        "U-pub-200",
        "U-pri-120",
        "U-pri-80",
    ]


def test_ties_keep_their_order() -> None:
    assert serpentine_order([np.array([1, 1, 0, 0])]).tolist() == [2, 3, 0, 1]


def test_labels_join_values() -> None:
    table = make_table({"school_id": ["a", "b"], "region": ["N", "S"], "island": [True, False]})
    assert stratum_labels(table, ["region", "island"]) == ["N / true", "S / false"]
    assert label_of_key(("N", True)) == "N / true"
    assert stratum_labels(table, []) == ["all", "all"]


def test_a_missing_stratum_names_the_school() -> None:
    table = make_table({"school_id": ["a", "b"], "region": ["N", None]})
    with pytest.raises(TableError, match=r"'region'.*1 of 2 schools.*See: b"):
        stratum_labels(table, ["region"])


def test_tv_1_8_replacements() -> None:
    letters = "ABCDEFGHIJKL"
    found = [
        tuple("none" if place is None else letters[place] for place in pair)
        for pair in assign_replacements(12, [0, 2, 4, 8])
    ]
    assert found == [("B", "none"), ("D", "none"), ("F", "G"), ("J", "H")]


def test_the_last_school_takes_the_one_before() -> None:
    assert assign_replacements(4, [3]) == [(2, 1)]


def test_no_replacement_is_invented() -> None:
    assert assign_replacements(2, [0, 1]) == [(None, None), (None, None)]
    assert assign_replacements(5, [2], n_replacements=1) == [(3, None)]
    assert assign_replacements(5, [2], n_replacements=0) == [(None, None)]


def test_a_place_outside_is_refused() -> None:
    with pytest.raises(DesignError, match="list of 3 schools"):
        assign_replacements(3, [3])
