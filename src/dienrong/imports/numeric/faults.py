"""What is wrong with a file or a cell, as a code with parameters; ``sentences`` puts it into words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


class FileFault(Exception):  # noqa: N818 - a refusal is no error
    """A whole file cannot be taken.

    Parameters
    ----------
    code : str
        Which fault, such as ``"encrypted"``.
    **params : object
        What the sentence names: sheet, row, limit.
    """

    def __init__(self, code: str, **params: Any) -> None:
        self.code, self.params = code, params
        super().__init__(code)


@dataclasses.dataclass(frozen=True, slots=True)
class CellFault:
    """One cell cannot be taken."""

    code: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Cleaned:
    """A cell after cleaning: its value or its fault, and the repairs that led there."""

    value: Any = None
    repairs: tuple[str, ...] = ()
    fault: CellFault | None = None
