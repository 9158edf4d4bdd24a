"""What several pages share: cards of scores, chips, the trend, the way to where a fault is mended."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import may
from dienrong.core.formats import day_text, percent_text
from dienrong.registry.models import School
from dienrong.scorecard import drawing, rule_set, words
from dienrong.scorecard.models import Dimension, Finding, Score
from dienrong.scorecard.queries import units

WAYS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "traits": (("registry:edit_school", ("school_id",)), ("registry:school", ("school_id",))),
    "contact": (("registry:edit_school", ("school_id",)), ("registry:school", ("school_id",))),
    "place": (("registry:edit_school", ("school_id",)), ("registry:school", ("school_id",))),
    "events": (("registry:school", ("school_id",)),),
    "enrolments": (("imports:start", ("=quy-mo",)), ("registry:school", ("school_id",))),
    "sites": (("imports:start", ("=diem-truong",)), ("registry:school", ("school_id",))),
    "lists": (("rosters:school", ("school_id",)), ("registry:school", ("school_id",))),
    "confirm": (("scorecard:school", ("school_id",)),),
}
"""Pages where a fault is mended, the nearest first; an argument that begins with = stands for itself."""
QUERIES = {"contact": "?part=contacts", "place": "?part=contacts", "confirm": "#xac-nhan"}
OF_THE_PROVINCE = frozenset({"traits", "events"})
"""What only those change who may change schools."""


def score_cards(score: Score | None) -> list[dict[str, str]]:
    """Give the numbers of a unit: total and dimensions."""
    total = score.total if score else None
    cards = [{"title": _("Score"), "number": words.score_text(total), "is_total": "yes"}]
    cards += [
        {"title": str(one.label), "number": words.score_text(getattr(score, one.value) if score else None)}
        for one in Dimension
    ]
    return cards


def trend_context(kind: str, code: str, today: datetime.date) -> dict[str, Any]:
    """Give the chart of a unit's scores and the table behind it; nothing before the first score."""
    rows = [row for row in units.history_of(kind, code, today) if row.total is not None]
    if not rows:
        return {}
    titles = {"total": _("Score"), **{one.value: str(one.label) for one in Dimension}}
    first, last = rows[0].total or 0.0, rows[-1].total or 0.0
    if abs(last - first) < units.SAME:
        title = _("The score stays at %(now)s") % {"now": words.score_text(last)}
    else:
        text = (
            _("The score rose from %(before)s to %(now)s since %(day)s")
            if last > first
            else _("The score fell from %(before)s to %(now)s since %(day)s")
        )
        title = text % {
            "before": words.score_text(first),
            "now": words.score_text(last),
            "day": day_text(rows[0].day),
        }
    return {
        "title": title,
        "drawing": drawing.trend_chart(rows, today, titles),
        "columns": [_("Valid since"), *titles.values(), _("Coverage"), _("Schools")],
        "rows": [
            [
                day_text(row.day),
                *(words.score_text(getattr(row, name)) for name in titles),
                percent_text(row.coverage, 1),
                row.n_schools,
            ]
            for row in reversed(rows)
        ],
        "note": _("Each line holds until the next day on which a number changed."),
    }


def with_words(
    findings: Iterable[Finding], *, school: School | None = None, user: Any = None
) -> list[dict[str, Any]]:
    """Put findings into words, with the way to where the person mends each, or whom to ask."""
    may_change = user is not None and may(user, "change_schools")
    found = []
    for one in findings:
        rule = rule_set.rules().get(one.rule)
        fix = rule.fix if rule else "traits"
        asks = fix in OF_THE_PROVINCE and not may_change
        found.append(
            {
                "finding": one,
                "sentence": words.sentence(one),
                "hint": words.hint(one),
                "cell": words.cell_title(one.cell),
                "row": words.row_title(one),
                "basis": rule.basis if rule else "",
                "is_error": one.severity == "error",
                "url": "" if asks else way_to(fix, school),
                "asks": asks and school is not None,
            }
        )
    return found


def way_to(fix: str, school: School | None) -> str:
    """Give the address where a fault is mended; empty where there is none."""
    if fix == "totals":
        return reverse("scorecard:totals")
    if school is None:
        return ""
    for name, parts in WAYS[fix]:
        arguments = [part[1:] if part.startswith("=") else getattr(school, part) for part in parts]
        try:
            return reverse(name, args=arguments) + QUERIES.get(fix, "")
        except NoReverseMatch:
            continue
    return ""


def message_of(request: HttpRequest, school: School) -> str:
    """Write the message to a school, with the address of its page."""
    address = request.build_absolute_uri(reverse("scorecard:school", args=[school.school_id]))
    return words.message(school, school.open_findings, address)  # type: ignore[attr-defined]


def school_rows(request: HttpRequest, schools: Sequence[School]) -> list[dict[str, Any]]:
    """Give the rows of a list of schools: state in words, message, last reminder."""
    rows = []
    for school in schools:
        state = getattr(school, "state", None)
        shape, word = words.state_of(state, school.confirmed_at)
        rows.append(
            {
                "school": school,
                "state": state,
                "shape": shape,
                "word": word,
                "is_done": shape == "done",
                "message": message_of(request, school),
                "findings": with_words(school.open_findings[:3], school=school),  # type: ignore[attr-defined]
                "reminder": school.last_reminder,  # type: ignore[attr-defined]
                "url": reverse("scorecard:school", args=[school.school_id]),
            }
        )
    return rows


def chips(
    request: HttpRequest, name: str, choices: Iterable[tuple[str, str]], everything: str
) -> list[dict[str, Any]]:
    """Give filter chips of one name of the address."""
    chosen = request.GET.get(name, "")
    kept = {key: value for key, value in request.GET.items() if key not in (name, "page") and value}
    return [
        {
            "title": title,
            "url": "?" + urlencode({**kept, **({name: value} if value else {})}),
            "is_current": value == chosen,
            "count": "",
        }
        for value, title in (("", everything), *choices)
    ]
