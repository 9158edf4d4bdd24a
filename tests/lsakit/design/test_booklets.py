"""Balanced booklets."""

from __future__ import annotations

import numpy as np
import pytest

from lsakit.design.booklets import booklet_design, check_booklets
from lsakit.errors import DesignError, TableError

CLUSTERS = ["M1", "M2", "M3", "M4", "M5", "M6", "M7", "S1", "S2", "R1", "R2", "PS1", "PS2"]
TV_4_3 = """M1 M2 M4 R1 | M2 M3 M5 R2 | M3 M4 M6 PS1 | M4 M5 M7 PS2 | M5 M6 S1 M1 | M6 M7 S2 M2 | M7 S1 R1 M3 |
S1 S2 R2 M4 | S2 R1 PS1 M5 | R1 R2 PS2 M6 | R2 PS1 M1 M7 | PS1 PS2 M2 S1 | PS2 M1 M3 S2"""


def test_tv_4_3_thirteen_booklets() -> None:
    design = booklet_design(CLUSTERS)
    clusters = design.table["cluster"].to_list()
    found = [clusters[start : start + 4] for start in range(0, 52, 4)]
    assert found == [booklet.split() for booklet in TV_4_3.split("|")]
    checks = design.checks
    assert (checks.n_uses == 4).all()
    assert (checks.n_positions == 1).all()
    assert np.array_equal(checks.n_pairs, np.ones((13, 13)) + 3 * np.eye(13))
    assert checks.is_replication_equal
    assert checks.is_pair_balanced
    assert checks.is_position_balanced
    assert checks.is_connected


def test_seven_booklets() -> None:
    design = booklet_design([str(number) for number in range(1, 8)])
    rows = [
        "".join(design.table.filter(design.table["booklet"] == booklet)["cluster"]) for booklet in range(1, 8)
    ]
    assert rows == ["124", "235", "346", "457", "561", "672", "713"]
    assert design.checks.is_pair_balanced


def test_other_offsets_are_checked_not_assumed() -> None:
    checks = booklet_design(list("ABCDEF"), offsets=(0, 1, 2)).checks
    assert checks.is_replication_equal
    assert checks.is_position_balanced
    assert not checks.is_pair_balanced
    assert checks.is_connected


def test_booklets_in_two_parts_are_refused() -> None:
    with pytest.raises(DesignError, match="share no cluster"):
        booklet_design(list("ABCDEF"), offsets=(0, 2))


def test_bad_designs_are_refused() -> None:
    with pytest.raises(DesignError, match="'offsets'"):
        booklet_design(list("ABCDE"))
    with pytest.raises(DesignError, match="each cluster once"):
        booklet_design(["A", "A", "B"], offsets=(0, 1))
    with pytest.raises(TableError, match="holds a cluster twice"):
        check_booklets({"booklet": [1, 1], "position": [1, 2], "cluster": ["A", "A"]})
