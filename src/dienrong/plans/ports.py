"""What rooms beside this one tell it: the state of rooms and machines, and the budget.

They are built apart and plug in when they start; until then the reports say that nothing is known yet::

    ports.plug_annex("readiness", provider)   # (province or None, day) -> Annex | None; asked by each report
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Annex:
    """A part of a report that another room knows: sentences, and one table.

    ``key`` says which part it fills: ``readiness`` or ``budget``. ``numbers`` holds, by (row, column), the unrounded
    value and its kind (``n``, ``share``) of the cells that are numbers.
    """

    key: str
    sentences: tuple[str, ...] = ()
    caption: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    numbers: tuple[tuple[int, int, float, str], ...] = ()


KEYS = ("readiness", "budget")
Provider = Callable[[Any, datetime.date], Annex | None]
_providers: dict[str, Provider] = {}


def plug_annex(key: str, provider: Provider) -> None:
    """Set who tells a part of the reports."""
    if key not in KEYS:
        raise ValueError(f"key must be one of {', '.join(KEYS)}. Got {key!r}.")
    _providers[key] = provider


def annex_of(key: str, unit: Any, day: datetime.date) -> Annex | None:
    """Give a part of the reports; None where nobody tells, or nothing is known of the unit yet."""
    provider = _providers.get(key)
    return provider(unit, day) if provider is not None else None
