"""What rows of official totals would change: reads alone, two queries whatever the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from dienrong.accounts.permissions import Scope
from dienrong.core import clock
from dienrong.core.row_changes import CellProblem, RowChange
from dienrong.registry.queries import provinces_in
from dienrong.scorecard.models import OfficialTotal

NUMBERS = ("n_schools", "n_students")
Key = tuple[str, str]


def total_values(total: OfficialTotal) -> dict[str, Any]:
    """Give a total as its row in a file would be."""
    return {
        "province_code": total.province_code,
        "part": total.part,
        "n_schools": total.n_schools,
        "n_students": total.n_students,
    }


def totals_of(keys: Iterable[Key], school_year: str) -> dict[Key, OfficialTotal]:
    """Give the totals of a school year by province and part."""
    wanted = set(keys)
    found = OfficialTotal.objects.filter(
        school_year=school_year, province_code__in={province for province, _part in wanted}
    )
    return {
        (total.province_code, total.part): total
        for total in found
        if (total.province_code, total.part) in wanted
    }


def compare_totals(
    rows: Iterable[tuple[int, Mapping[str, Any]]], *, scope: Scope, school_year: str
) -> list[RowChange]:
    """Compare rows with the official totals of a school year; nothing is changed.

    Parameters
    ----------
    rows : iterable of (int, mapping)
        Numbers and cleaned cells: province_code, part, n_students, and n_schools where it is known.
    scope : Scope
        A province outside it is refused in the same words as one that does not exist.
    school_year : str
        The year of all rows.

    Returns
    -------
    list of RowChange
        One for each row, in their order.
    """
    rows = list(rows)
    mine = {unit.code for unit in provinces_in(scope, clock.today())}
    kept = totals_of({_key(values) for _number, values in rows}, school_year)
    return [_compare(number, values, kept.get(_key(values)), mine) for number, values in rows]


def _key(values: Mapping[str, Any]) -> Key:
    """Give province and part of a row."""
    return str(values["province_code"]), str(values["part"])


def _compare(number: int, values: Mapping[str, Any], kept: OfficialTotal | None, mine: set[str]) -> RowChange:
    """Compare one row."""
    province, part = _key(values)
    key = f"{province}/{part}"
    if province not in mine:
        problem = CellProblem(
            column="province_code",
            value=province,
            sentence=_("No province in your charge has code %(code)s.") % {"code": province},
            hint=_("Write the two digits of your province, or leave the row out."),
        )
        return RowChange(number=number, key=key, verdict="refused", values=values, problems=(problem,))
    before = total_values(kept) if kept is not None else {}
    changes = {
        name: (before.get(name), values[name])
        for name in NUMBERS
        if values.get(name) is not None and values[name] != before.get(name)
    }
    if kept is None:
        return RowChange(number=number, key=key, verdict="new", values=values, changes=changes)
    verdict = "changed" if changes else "unchanged"
    return RowChange(number=number, key=key, verdict=verdict, values=values, changes=changes)
