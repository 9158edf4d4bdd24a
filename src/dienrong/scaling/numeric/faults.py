"""What is wrong in files, by code, file, row, column and value; the words are the page's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MOST_KEPT = 200
MOST_OF_A_CODE = 20
FIRST_ROW = 2
"""Row of a file in which the first student stands, below the names of the columns."""


@dataclass(slots=True)
class Faults:
    """Faults found; the first of each code are kept one by one, all are counted."""

    kept: list[dict[str, Any]] = field(default_factory=list)
    n_by_code: dict[str, int] = field(default_factory=dict)

    def add(
        self, code: str, *, file: str = "responses", row: int | None = None, column: str = "", value: str = ""
    ) -> None:
        """Note a fault; ``row`` counts from 0 and is kept as the row of the file."""
        seen = self.n_by_code[code] = self.n_by_code.get(code, 0) + 1
        if seen <= MOST_OF_A_CODE and len(self.kept) < MOST_KEPT:
            self.kept.append(
                {
                    "code": code,
                    "file": file,
                    "row": None if row is None else row + FIRST_ROW,
                    "column": column,
                    "value": value[:60],
                }
            )

    @property
    def n(self) -> int:
        """How many there are."""
        return sum(self.n_by_code.values())

    def to_json(self) -> dict[str, Any]:
        """Write them as plain values."""
        return {"kept": self.kept, "n_by_code": self.n_by_code, "n": self.n}
