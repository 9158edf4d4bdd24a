"""Scores of units, their history and who may see them."""

from __future__ import annotations

import dataclasses
import datetime
from collections import defaultdict
from typing import Any

from dienrong.accounts.permissions import Scope
from dienrong.core.text import sort_key
from dienrong.registry.models import AdministrativeUnit
from dienrong.registry.queries import province_names, units_on
from dienrong.scorecard.models import Check, Score, UnitKind

HISTORY_DAYS = 180
SAME = 0.05
"""A difference of scores below which two days are called the same."""
WEEK = datetime.timedelta(days=7)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    """One unit with its present score and how it moved."""

    code: str
    name: str
    score: Score | None
    history: tuple[tuple[datetime.date, float | None], ...] = ()
    trend: str = ""

    @property
    def total(self) -> float | None:
        """The present total."""
        return self.score.total if self.score else None


def score_of(kind: str, code: str = "") -> Score | None:
    """Give the present score of a unit."""
    return Score.objects.filter(unit_kind=kind, unit_code=code, is_current=True).first()


def history_of(kind: str, code: str, today: datetime.date) -> list[Score]:
    """Give the steps of a unit's scores, oldest first."""
    since = today - datetime.timedelta(days=HISTORY_DAYS)
    rows = Score.objects.filter(unit_kind=kind, unit_code=code, day__lte=today).order_by("-day")
    kept = list(rows.filter(day__gte=since))
    before = rows.filter(day__lt=since).first()
    return [*([before] if before else []), *reversed(kept)]


def province_rows(today: datetime.date) -> list[UnitRow]:
    """Give every province in force, the worst first, those without a score last."""
    since = today - datetime.timedelta(days=HISTORY_DAYS)
    by_code: dict[str, list[Score]] = defaultdict(list)
    rows = Score.objects.filter(unit_kind=UnitKind.PROVINCE, day__lte=today)
    for row in rows.filter(day__gte=since).order_by("day") | rows.filter(is_current=True).order_by("day"):
        by_code[row.unit_code].append(row)
    found = [_row(code, name, by_code.get(code, []), today) for code, name in province_names(today).items()]
    return worst_first(found)


def commune_rows(province_code: str, today: datetime.date) -> list[UnitRow]:
    """Give every commune of a province that has a school, the worst first."""
    units = units_on(today, AdministrativeUnit.Level.COMMUNE).filter(parent__code=province_code)
    names = dict(units.values_list("code", "full_name"))
    scores = Score.objects.filter(unit_kind=UnitKind.COMMUNE, unit_code__in=list(names), is_current=True)
    return worst_first(
        [UnitRow(code=one.unit_code, name=names[one.unit_code], score=one) for one in scores if one.n_schools]
    )


def commune_choices(province_code: str, today: datetime.date) -> list[tuple[str, str]]:
    """Give the communes of a province for a choice, by name."""
    units = units_on(today, AdministrativeUnit.Level.COMMUNE).filter(parent__code=province_code)
    return sorted(units.values_list("code", "full_name"), key=lambda unit: sort_key(unit[1]))


def worst_first(rows: list[UnitRow]) -> list[UnitRow]:
    """Sort by the total; units without a score come last."""
    return sorted(rows, key=lambda row: (row.total is None, row.total or 0.0, row.name))


def _row(code: str, name: str, scores: list[Score], today: datetime.date) -> UnitRow:
    """Put a province's scores together."""
    current = next((one for one in scores if one.is_current), None)
    steps = tuple((one.day, one.total) for one in scores)
    return UnitRow(code=code, name=name, score=current, history=steps, trend=trend(steps, today))


def trend(steps: tuple[tuple[datetime.date, float | None], ...], today: datetime.date) -> str:
    """Say how a score moved in a week: ``up``, ``down``, ``same``; empty where it is too young."""
    before = [total for day, total in steps if day <= today - WEEK and total is not None]
    now = [total for _day, total in steps if total is not None]
    if not before or not now:
        return ""
    change = now[-1] - before[-1]
    return "same" if abs(change) < SAME else "up" if change > 0 else "down"


def last_check() -> Check | None:
    """Give the last check of the nation."""
    return Check.objects.first()


def unit_name(level: str, code: str, today: datetime.date) -> Any | None:
    """Give a unit in force by its level and code."""
    return units_on(today, level).select_related("parent").filter(code=code).first()


def unit_names(level: str, codes: list[str], today: datetime.date) -> dict[str, str]:
    """Name units in force by their codes."""
    return dict(units_on(today, level).filter(code__in=codes).values_list("code", "full_name"))


def home_of(scope: Scope) -> tuple[str, str] | None:
    """Give the kind and code of the one page that opens for a person; None where there are several."""
    if scope.is_national:
        return "nation", ""
    kinds = (("province", scope.provinces), ("commune", scope.communes), ("school", scope.schools))
    places = [(kind, code) for kind, codes in kinds for code in sorted(codes)]
    return places[0] if len(places) == 1 else None


def places_of(scope: Scope) -> list[tuple[str, str]]:
    """List the units of a person who has several."""
    kinds = (("province", scope.provinces), ("commune", scope.communes), ("school", scope.schools))
    return [(kind, code) for kind, codes in kinds for code in sorted(codes)]
