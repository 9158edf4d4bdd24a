"""What an import is about to do, row by row and cell by cell: the words that importing rooms share.

A room that takes rows offers, in its ``queries``, ``compare_<things>`` (reads, changes nothing) and, in its
``operations``, ``write_<things>`` and ``undo_<things>``. Between them travel the classes of this module.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

Verdict = Literal["new", "changed", "unchanged", "refused"]
VERDICTS: tuple[Verdict, ...] = ("new", "changed", "unchanged", "refused")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CellProblem:
    """Why one cell cannot be taken.

    Parameters
    ----------
    column : str
        Code of the column, such as ``"commune_code"``; empty where the whole row is meant.
    value : str
        The cell as it stood in the file.
    sentence : str
        What is wrong, translated.
    hint : str
        What to do, translated.
    """

    column: str
    value: str
    sentence: str
    hint: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """What would become of one row.

    Parameters
    ----------
    number : int
        Number of the row in the file, as Excel counts.
    key : str
        The natural key by which people know the thing: the school's code, the pupil's code.
    verdict : {"new", "changed", "unchanged", "refused"}
        Outcome of the comparison.
    values : mapping of str to object
        The cleaned values by column code; JSON values alone (dates as ISO text).
    changes : mapping of str to (before, after)
        The cells that differ from what is kept; before is None for a new row.
    problems : tuple of CellProblem
        Why it is refused; empty otherwise.
    """

    number: int
    key: str
    verdict: Verdict
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    changes: Mapping[str, tuple[Any, Any]] = dataclasses.field(default_factory=dict)
    problems: tuple[CellProblem, ...] = ()

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"verdict must be one of {', '.join(VERDICTS)}. Got {self.verdict!r}.")
        if (self.verdict == "refused") != bool(self.problems):
            raise ValueError("a refused row has problems, and only a refused row has them")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written for one row, kept so that it can be taken back.

    Parameters
    ----------
    number : int
        Number of the row in the file.
    key : str
        Natural key of the thing.
    before : mapping or None
        What was kept before, as JSON; None where the row was new.
    after : mapping
        What is kept now, as JSON; undoing is refused where this is no longer so.
    """

    number: int
    key: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]
