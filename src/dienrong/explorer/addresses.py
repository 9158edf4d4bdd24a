"""The state of a question in the address, and back: whoever has the address has the question."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, QueryDict

from dienrong.explorer.numeric import Asked

LONGEST = 40
MOST_BREAK_DOWNS = 4
NEWEST = "moi-nhat"


def asked_in(values: QueryDict) -> Asked:
    """Read a question from an address or a form."""

    def one(name: str) -> str:
        return values.get(name, "").replace("\0", "").strip()[:LONGEST]

    by = [value.replace("\0", "").strip()[:LONGEST] for value in values.getlist("theo")][:MOST_BREAK_DOWNS]
    return Asked(
        population=one("quan-the"),
        measure=one("do"),
        statistic=one("thong-ke"),
        by=tuple(name for name in by if name),
        compare=one("so-sanh") or "none",
        compare_by=one("so-theo"),
        reference=one("moc"),
        adjust=one("dieu-chinh") != "khong",
    )


def address_of(asked: Asked, *, wants_newest: bool = False) -> str:
    """Write a question as the query of an address, in one form."""
    query = QueryDict(mutable=True)
    query["quan-the"], query["do"], query["thong-ke"] = asked.population, asked.measure, asked.statistic
    query.setlist("theo", list(asked.by))
    if asked.compare != "none":
        query["so-sanh"] = asked.compare
        query["so-theo"] = asked.compare_by
        if asked.compare == "reference":
            query["moc"] = asked.reference
        if not asked.adjust:
            query["dieu-chinh"] = "khong"
    if wants_newest:
        query["ban"] = NEWEST
    return query.urlencode()


def wants_newest(values: Any) -> bool:
    """Tell whether the newest run is asked instead of the published one."""
    return str(values.get("ban", "")) == NEWEST


def is_change(request: HttpRequest) -> bool:
    """Tell whether a change of one list sent the form, so that the other lists may no longer fit it."""
    return bool(getattr(request, "htmx", None))
