"""Every stored result of a peer on items is compared and within its tolerance; the page shows the same list."""

from __future__ import annotations

from pathlib import Path

import pytest

from peers_of_items import FOLDERS, NOT_COMPARED, PAGE, PARTS, Row

FOUND: dict[str, list[Row]] = {}


def rows_of(shared: Path, part: str) -> list[Row]:
    """Comparisons of one part, made once."""
    if part not in FOUND:
        FOUND[part] = list(PARTS[part](shared))
    return FOUND[part]


@pytest.mark.parametrize("part", list(PARTS))
def test_every_difference_is_within_its_tolerance(shared: Path, part: str) -> None:
    rows = rows_of(shared, part)
    assert rows
    beyond = [row for row in rows if not row.difference <= row.tolerance]
    assert not beyond, [f"{row.data}, {row.quantity}, {row.peer}: {row.difference:.2e}" for row in beyond]


def test_no_stored_result_is_left_out(shared: Path) -> None:
    compared = {row.file for part in PARTS for row in rows_of(shared, part)}
    stored = {
        f"{folder}/{path.name}" for folder in FOLDERS for path in (shared / "reference" / folder).iterdir()
    }
    assert stored == compared | set(NOT_COMPARED)


def test_the_page_shows_the_same_comparisons(shared: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    table = text.partition("<!-- table -->")[2].partition("<!-- end -->")[0]
    cells = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")][1:]
    told = [(one[0], one[1], one[2], one[4]) for one in cells]
    rows = [row for part in PARTS for row in rows_of(shared, part)]
    assert told == [(row.data, row.quantity, row.peer, f"{row.tolerance:.0e}") for row in rows]
    for name in NOT_COMPARED:
        assert name in text
