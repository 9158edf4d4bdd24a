"""Which further cells must be hidden so that no hidden one can be computed from what is shown.

The algorithm is described in ``docs/algorithms/suppression.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Cell = Any
"""Whatever names a cell; hashable."""

RANK_TOLERANCE = 1e-9
"""A row of the null space (unit vectors, coefficients 1) shorter than this is a determined cell."""


@dataclass(frozen=True, slots=True)
class Sum:
    """One total and the parts that add up to it.

    Parameters
    ----------
    total : hashable
        Cell of the total.
    parts : tuple of hashable
        Cells of its parts.
    """

    total: Cell
    parts: tuple[Cell, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Total and parts."""
        return (self.total, *self.parts)


def determined_cells(hidden: Set[Cell], sums: Sequence[Sum]) -> set[Cell]:
    """Find the hidden cells that can be computed from the shown ones.

    Parameters
    ----------
    hidden : set of hashable
        Cells that are not shown.
    sums : Sequence of Sum
        What adds up to what.

    Returns
    -------
    set of hashable
        Hidden cells with one value only that agrees with what is shown: first those that are alone in a sum,
        again and again, then those that several sums together determine (a zero row in the null space of the
        sums of the hidden cells).

    Examples
    --------
    >>> determined_cells({"a"}, [Sum("all", ("a", "b", "c"))])
    {'a'}
    >>> determined_cells({"a", "b"}, [Sum("all", ("a", "b", "c"))])
    set()
    """
    unknown, found = set(hidden), set[Cell]()
    open_sums = [sum_ for sum_ in sums if any(cell in unknown for cell in sum_.cells)]
    while True:
        alone = {left[0] for sum_ in open_sums if len(left := [c for c in sum_.cells if c in unknown]) == 1}
        if not alone:
            break
        unknown -= alone
        found |= alone
    return found | _by_elimination(unknown, open_sums)


def _by_elimination(unknown: set[Cell], sums: Sequence[Sum]) -> set[Cell]:
    """Find the cells that only several sums together determine."""
    found: set[Cell] = set()
    for block in _blocks(unknown, sums):
        place = {cell: k for k, cell in enumerate(block)}
        rows = [
            [(place[cell], -1.0 if cell == sum_.total else 1.0) for cell in sum_.cells if cell in place]
            for sum_ in sums
        ]
        rows = [row for row in rows if row]
        if len(rows) < 2:
            continue
        matrix = np.zeros((len(rows), len(block)))
        for line, row in enumerate(rows):
            for column, coefficient in row:
                matrix[line, column] = coefficient
        found |= {block[k] for k in np.flatnonzero(_is_determined(matrix)).tolist()}
    return found


def _is_determined(matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which unknowns of ``matrix @ x = b`` have one value only, of shape (n_unknowns,)."""
    _, singular, right = np.linalg.svd(matrix, full_matrices=True)
    rank = int(np.count_nonzero(singular > RANK_TOLERANCE * max(1.0, singular[0])))
    free = right[rank:]
    determined: NDArray[np.bool_] = np.sqrt((free**2).sum(axis=0)) < RANK_TOLERANCE
    return determined


def _blocks(unknown: set[Cell], sums: Sequence[Sum]) -> list[list[Cell]]:
    """Part the unknown cells into blocks that no sum connects."""
    root = {cell: cell for cell in unknown}

    def top(cell: Cell) -> Cell:
        while root[cell] != cell:
            root[cell] = root[root[cell]]
            cell = root[cell]
        return cell

    for sum_ in sums:
        left = [cell for cell in sum_.cells if cell in unknown]
        for cell in left[1:]:
            root[top(cell)] = top(left[0])
    blocks: dict[Cell, list[Cell]] = {}
    for cell in sorted(unknown, key=_order):
        blocks.setdefault(top(cell), []).append(cell)
    return list(blocks.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What complementary suppression found.

    Parameters
    ----------
    added : tuple of hashable
        Further cells to hide, in the order in which they were chosen.
    exposed : tuple of hashable
        Hidden cells that can still be computed because nothing is left that may be hidden for them.
    """

    added: tuple[Cell, ...]
    exposed: tuple[Cell, ...]


def protect(
    hidden: Set[Cell],
    sums: Sequence[Sum],
    sizes: Mapping[Cell, float],
    *,
    may_hide: Set[Cell],
) -> Protection:
    """Choose further cells to hide until no hidden cell can be computed.

    Parameters
    ----------
    hidden : set of hashable
        Cells that are not shown, by the rule or to protect others.
    sums : Sequence of Sum
        What adds up to what.
    sizes : Mapping of hashable to float
        Size (number of students) of each cell; the smallest is hidden first.
    may_hide : set of hashable
        Cells that may be hidden in addition; totals that are published elsewhere are left out.

    Returns
    -------
    Protection
        The cells that were added, and the hidden ones that stay exposed.

    Examples
    --------
    >>> rows = [Sum("all", ("a", "b", "c"))]
    >>> protect({"a"}, rows, {"a": 41, "b": 300, "c": 90}, may_hide={"a", "b", "c"}).added
    ('c',)
    """
    search = _Search(hidden, sums, sizes, may_hide)
    while search.close_sums() or search.close_blocks():
        pass
    added = [cell for cell in search.added if cell not in search.lost]
    exposed = search.lost & set(hidden)
    return Protection(added=tuple(added), exposed=tuple(sorted(exposed, key=_order)))


class _Search:
    """The state of the search: what is unknown to a reader, what was added, what cannot be protected."""

    def __init__(
        self, hidden: Set[Cell], sums: Sequence[Sum], sizes: Mapping[Cell, float], may_hide: Set[Cell]
    ) -> None:
        self.unknown = set(hidden)
        self.sums = sums
        self.sizes = sizes
        self.may_hide = may_hide
        self.added: list[Cell] = []
        self.lost: set[Cell] = set()

    def close_sums(self) -> bool:
        """Give every sum with one unknown a second one; a cell for which there is none is known from now on."""
        changed = False
        for sum_ in self.sums:
            left = [cell for cell in sum_.cells if cell in self.unknown]
            if len(left) == 1:
                changed = True
                if not self._hide_one(sum_.cells):
                    self._lose(left[0])
        return changed

    def close_blocks(self) -> bool:
        """Do the same for cells that several sums together determine."""
        found = _by_elimination(self.unknown, self.sums)
        if not found:
            return False
        near = [cell for sum_ in self.sums if found & set(sum_.cells) for cell in sum_.cells]
        if not self._hide_one(near):
            for cell in found:
                self._lose(cell)
        return True

    def _hide_one(self, cells: Sequence[Cell]) -> bool:
        """Hide the smallest shown cell among some; False where there is none."""
        free = [
            cell
            for cell in cells
            if cell in self.may_hide and cell not in self.unknown and cell not in self.lost
        ]
        if not free:
            return False
        chosen = min(free, key=lambda cell: (self.sizes.get(cell, 0.0), _order(cell)))
        self.unknown.add(chosen)
        self.added.append(chosen)
        return True

    def _lose(self, cell: Cell) -> None:
        """Take a cell as known."""
        self.unknown.discard(cell)
        self.lost.add(cell)


def _order(cell: Cell) -> str:
    """Give a key by which cells of one size stand in one order, whatever the order of a set."""
    return str(sorted(cell)) if isinstance(cell, frozenset) else str(cell)
