"""The communication kit: letters and texts as data, filled for a round and a unit."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from django.utils.translation import get_language

from dienrong.core.formats import day_text
from dienrong.cycles.models import Cycle

PLACES = ("cycle", "programme", "grades", "subjects", "first_day", "unit", "legal_basis")


@dataclass(frozen=True, slots=True, kw_only=True)
class KitText:
    """A letter or text; its words are Vietnamese whatever the reader's language."""

    code: str
    title_vi: str
    title_en: str
    audience: str
    channel: str
    is_letter: bool
    body: str

    @property
    def title(self) -> str:
        """The title in the reader's language."""
        return self.title_en if (get_language() or "vi").startswith("en") else self.title_vi

    def filled(self, cycle: Cycle, unit: str) -> str:
        """Fill the places in braces for a round and a unit."""
        grades = ", ".join(f"lớp {one.grade}" for one in cycle.grades.all())
        basis = cycle.programme.legal_basis
        return self.body.strip().format(
            cycle=cycle.name_vi,
            programme=cycle.programme.name_vi,
            grades=grades,
            subjects=", ".join(one.name_vi for one in cycle.subjects.all()),
            first_day=day_text(cycle.first_test_date),
            unit=unit,
            legal_basis=f"Căn cứ pháp lý: {basis}." if basis else "",
        )


@cache
def kit() -> dict[str, KitText]:
    """Read the kit, by code."""
    raw = tomllib.loads((files("dienrong.support") / "kit" / "texts.toml").read_text("utf-8"))
    return {one["code"]: KitText(**one) for one in raw["text"]}
