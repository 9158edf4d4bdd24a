"""Rows of official totals that were previewed are written, and taken back; one audit entry a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import scope_of
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.recording import ObjectName
from dienrong.core.refusals import Conflict
from dienrong.core.row_changes import RowChange, Written
from dienrong.scorecard.models import OfficialTotal
from dienrong.scorecard.operations.checking import check_provinces
from dienrong.scorecard.operations.keeping import NewTotal, write_all
from dienrong.scorecard.queries.totals import compare_totals, total_values, totals_of

NAMED = 5
COMPARED = ("n_schools", "n_students", "source")


@transaction.atomic
def write_totals(changes: Iterable[RowChange], *, by: Any, school_year: str, source: str) -> list[Written]:
    """Write new and changed totals of a school year; their provinces are checked anew.

    Raises
    ------
    Conflict
        If a row cannot be taken any more; nothing is written.
    """
    asked = [(change.number, change.values) for change in changes if change.verdict in ("new", "changed")]
    again = compare_totals(asked, scope=scope_of(by), school_year=school_year)
    refused = [change for change in again if change.verdict == "refused"]
    if refused:
        raise Conflict(
            _("%(n)d rows cannot be written any more: %(keys)s.")
            % {"n": len(refused), "keys": ", ".join(change.key for change in refused[:NAMED])},
            hint=_("Look at the preview again."),
        )
    fitting = [change for change in again if change.verdict != "unchanged"]
    if not fitting:
        return []
    kept = totals_of([_key(change.values) for change in fitting], school_year)
    before = {key: {**total_values(total), "source": total.source} for key, total in kept.items()}
    rows = write_all([_new(change.values, before, school_year, source) for change in fitting], by)
    return [
        Written(
            number=change.number,
            key=change.key,
            before=before.get(_key(change.values)),
            after={**total_values(row), "source": row.source, "school_year": school_year},
        )
        for change, row in zip(fitting, rows, strict=True)
    ]


@transaction.atomic
def undo_totals(written: Iterable[Written], *, by: Any) -> None:
    """Take back what ``write_totals`` wrote: new totals go, changed ones are what they were.

    Raises
    ------
    Conflict
        If a total is no longer what was written; nothing is undone.
    """
    rows = list(written)
    if not rows:
        return
    school_year = rows[0].after["school_year"]
    kept = totals_of([_key(row.after) for row in rows], school_year)
    changed = [
        row.key
        for row in rows
        if _key(row.after) not in kept
        or any(getattr(kept[_key(row.after)], name) != row.after[name] for name in COMPARED)
    ]
    if changed:
        raise Conflict(
            _("%(n)d totals were changed since: %(keys)s.")
            % {"n": len(changed), "keys": ", ".join(changed[:NAMED])},
            hint=_("Undo what came later first; nothing was undone."),
        )
    gone = [kept[_key(row.after)].pk for row in rows if row.before is None]
    OfficialTotal.objects.filter(pk__in=gone).delete()
    restored = []
    for row in rows:
        if row.before is not None:
            total = kept[_key(row.after)]
            total.n_schools, total.n_students = row.before["n_schools"], row.before["n_students"]
            total.source, total.changed_at, total.changed_by = row.before["source"], clock.now(), by
            restored.append(total)
    OfficialTotal.objects.bulk_update(
        restored, ["n_schools", "n_students", "source", "changed_at", "changed_by"]
    )
    record(
        action="scorecard.totals_unwritten",
        actor=by,
        obj=ObjectName("scorecard.officialtotal", "", school_year),
        after={"n_removed": len(gone), "n_restored": len(restored), "school_year": school_year},
    )
    check_provinces(codes={row.after["province_code"] for row in rows})


def _key(values: Mapping[str, Any]) -> tuple[str, str]:
    """Give province and part."""
    return str(values["province_code"]), str(values["part"])


def _new(
    values: Mapping[str, Any],
    before: Mapping[tuple[str, str], Mapping[str, Any]],
    school_year: str,
    source: str,
) -> NewTotal:
    """Make a total of a row; a number of schools that the row does not tell stays as it is."""
    n_schools = values.get("n_schools")
    if n_schools is None:
        n_schools = before.get(_key(values), {}).get("n_schools")
    return NewTotal(
        province_code=values["province_code"],
        school_year=school_year,
        part=values["part"],
        n_students=values["n_students"],
        n_schools=n_schools,
        source=source,
    )
