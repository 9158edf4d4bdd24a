"""Scores of communes, provinces and the nation, kept as a step function of the day."""

from __future__ import annotations

import datetime
from typing import Any

from django.db.models import Avg, Case, Count, F, FloatField, Q, Sum, Value, When

from dienrong.core import clock
from dienrong.scorecard.models import Finding, SchoolState, Score, Severity, UnitKind
from dienrong.scorecard.numeric.rules import DIMENSIONS

NUMBERS = ("total", *DIMENSIONS, "coverage", "n_schools", "n_confirmed", "n_errors", "n_warnings")
CODES = {UnitKind.NATION: None, UnitKind.PROVINCE: "province_code", UnitKind.COMMUNE: "commune_code"}


def score_units(
    *, day: datetime.date, communes: set[str] | None = None, provinces: set[str] | None = None
) -> None:
    """Bring the scores of some communes, their provinces and the nation up to date; None is all of them."""
    _score(UnitKind.COMMUNE, communes, day)
    _score(UnitKind.PROVINCE, provinces, day)
    _score(UnitKind.NATION, None, day)


def _share(name: str) -> Any:
    """A truth as 1 or 0, so that its mean is a share."""
    return Case(When(**{name: True}, then=Value(1.0)), default=Value(0.0), output_field=FloatField())


def _score(kind: str, codes: set[str] | None, day: datetime.date) -> None:
    """Write the rows of one kind of unit that changed."""
    now = _numbers(kind, codes)
    kept = Score.objects.filter(unit_kind=kind, is_current=True)
    if codes is not None:
        kept = kept.filter(unit_code__in=codes)
    present = {row.unit_code: row for row in kept}
    for code in set(present) - set(now):
        now[code] = dict.fromkeys(NUMBERS) | dict.fromkeys(
            ("n_schools", "n_confirmed", "n_errors", "n_warnings"), 0
        )
    moment = clock.now()
    new, same_day = [], []
    for code, numbers in now.items():
        row = present.get(code)
        if row is not None and all(getattr(row, name) == numbers[name] for name in NUMBERS):
            continue
        if row is not None and row.day >= day:
            for name in NUMBERS:
                setattr(row, name, numbers[name])
            row.computed_at = moment
            same_day.append(row)
        else:
            new.append(Score(unit_kind=kind, unit_code=code, day=day, computed_at=moment, **numbers))
    Score.objects.bulk_update(same_day, [*NUMBERS, "computed_at"], batch_size=200)
    old = [present[row.unit_code].pk for row in new if row.unit_code in present]
    for start in range(0, len(old), 2000):
        Score.objects.filter(pk__in=old[start : start + 2000]).update(is_current=False)
    Score.objects.bulk_create(new, batch_size=1000)


def _numbers(kind: str, codes: set[str] | None) -> dict[str, dict[str, Any]]:
    """Means over schools by unit; findings about provinces count among the province's and the nation's."""
    column = CODES[kind]
    rows = SchoolState.objects.order_by()
    if codes is not None and column:
        rows = rows.filter(**{f"{column}__in": codes})
    measures = {
        **{f"mean_{name}": Avg(name) for name in ("total", *DIMENSIONS)},
        "coverage": Avg(_share("has_data")),
        "n_schools": Count("pk"),
        "n_confirmed": Count("pk", filter=Q(is_confirmed=True)),
        "errors": Sum("n_errors"),
        "warnings": Sum("n_warnings"),
    }
    if column:
        found = {row.pop("code"): row for row in rows.values(code=F(column)).annotate(**measures)}
    else:
        row = rows.aggregate(**measures)
        found = {"": row} if row["n_schools"] else {}
    own = _own_findings(kind)
    return {code: _row(row, own.get(code, {})) for code, row in found.items()}


def _row(row: dict[str, Any], own: dict[str, int]) -> dict[str, Any]:
    """The numbers of one unit as they are kept."""
    means = {name: row[f"mean_{name}"] for name in ("total", *DIMENSIONS)}
    return {
        **{name: None if value is None else round(value, 4) for name, value in means.items()},
        "coverage": round(row["coverage"], 6),
        "n_schools": row["n_schools"],
        "n_confirmed": row["n_confirmed"],
        "n_errors": row["errors"] + own.get(Severity.ERROR, 0),
        "n_warnings": row["warnings"] + own.get(Severity.WARNING, 0),
    }


def _own_findings(kind: str) -> dict[str, dict[str, int]]:
    """Open findings about provinces: by province, or all together for the nation."""
    if kind == UnitKind.COMMUNE:
        return {}
    rows = Finding.objects.filter(school__isnull=True, is_open=True).order_by()
    found: dict[str, dict[str, int]] = {}
    for code, severity, n in rows.values_list("province_code", "severity").annotate(n=Count("pk")):
        of_unit = found.setdefault(code if kind == UnitKind.PROVINCE else "", {})
        of_unit[severity] = of_unit.get(severity, 0) + n
    return found
