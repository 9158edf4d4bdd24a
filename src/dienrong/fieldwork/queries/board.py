"""The participation board: rows are units, columns are states, cells are counts that open lists."""

from __future__ import annotations

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Exists, Min, OuterRef, Q, QuerySet

from dienrong.core.text import search_key, sort_key
from dienrong.fieldwork import numeric
from dienrong.fieldwork.models import FieldEvent, FieldSchool, Fieldwork, ListedPerson, TestSession
from dienrong.fieldwork.queries import outcomes
from dienrong.fieldwork.queries.outcomes import Collected
from dienrong.sampling.models import SampledSchool

State = FieldSchool.State
ORDER = (
    State.TO_NOTIFY,
    State.NOTIFIED,
    State.CONFIRMED,
    State.LISTED,
    State.SELECTED,
    State.TESTED,
    State.CLOSED,
)
REACHED = {
    "confirmed": ORDER[2:],
    "listed": ORDER[3:],
    "selected": ORDER[4:],
    "tested": ORDER[5:],
}
COLUMNS = ("sampled", "called", "confirmed", "listed", "selected", "tested", "declined", "attention")
PEOPLE = ("selected", "respondent", "nonrespondent", "excluded", "ineligible", "open")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """A unit with its schools by state and its people by outcome."""

    code: str
    title: str
    schools: Mapping[str, int]
    people: Mapping[str, int]
    done_share: float | None
    school_keys: tuple[int, ...]


def rows_by(collected: Collected, level: str) -> list[BoardRow]:
    """Group schools by ``"province"``, ``"commune"`` or ``"school"``, in the Vietnamese order of names."""
    names = {
        "province": ("school__province__code", "school__province__name"),
        "commune": ("school__commune__code", "school__commune__full_name"),
        "school": ("pk", "school__name"),
    }[level]
    groups: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    titles: dict[Any, str] = {}
    for row in collected.schools:
        groups[row[names[0]]].append(row)
        titles[row[names[0]]] = row[names[1]]
    found = [_row(collected, str(code), titles[code], rows) for code, rows in groups.items()]
    return sorted(found, key=lambda row: (sort_key(row.title), row.code))


def total(collected: Collected, title: str) -> BoardRow:
    """Add everything up."""
    return _row(collected, "", title, list(collected.schools))


def _row(collected: Collected, code: str, title: str, rows: list[Mapping[str, Any]]) -> BoardRow:
    """Count the schools and people of one unit."""
    people = dict.fromkeys(PEOPLE, 0)
    for row in rows:
        found = outcomes.students_by_treatment(collected.rules, collected.people.get(row["pk"], {}))
        people = {name: people[name] + found.get(name, 0) for name in PEOPLE}
    due = people["respondent"] + people["nonrespondent"] + people["open"]
    return BoardRow(
        code=code,
        title=title,
        schools={name: sum(_is_in(row, name) for row in rows) for name in COLUMNS},
        people=people,
        done_share=people["respondent"] / due if due else None,
        school_keys=tuple(row["pk"] for row in rows),
    )


def _is_in(row: Mapping[str, Any], column: str) -> bool:
    """Tell whether a school counts in a column."""
    if column == "sampled":
        return bool(row["sampled__role"] == SampledSchool.Role.ORIGINAL)
    if column == "called":
        return bool(row["sampled__role"] != SampledSchool.Role.ORIGINAL)
    if column == "declined":
        return bool(row["state"] == State.NOT_TAKING_PART)
    if column == "attention":
        return bool(row["attention"])
    return row["state"] in REACHED[column]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What narrows the list of schools; all of it stands in the address."""

    province: str = ""
    commune: str = ""
    column: str = ""
    people: str = ""
    text: str = ""

    @property
    def is_used(self) -> bool:
        """Whether anything is narrowed."""
        return self != Filters()


def narrowed(schools: QuerySet[FieldSchool], filters: Filters, rules: str) -> QuerySet[FieldSchool]:
    """Narrow schools in the field to what the filters name."""
    if filters.province:
        schools = schools.filter(school__province__code=filters.province)
    if filters.commune:
        schools = schools.filter(school__commune__code=filters.commune)
    schools = _in_column(schools, filters.column)
    if filters.people:
        schools = schools.filter(Exists(_people(filters.people, rules)))
    for word in search_key(filters.text).split():
        schools = schools.filter(Q(school__search_key__contains=word) | Q(sampled__school_code=word))
    return schools


def _in_column(schools: QuerySet[FieldSchool], column: str) -> QuerySet[FieldSchool]:
    """Narrow schools to a column of the board."""
    if column == "sampled":
        return schools.filter(sampled__role=SampledSchool.Role.ORIGINAL)
    if column == "called":
        return schools.exclude(sampled__role=SampledSchool.Role.ORIGINAL)
    if column == "declined":
        return schools.filter(state=State.NOT_TAKING_PART)
    if column == "attention":
        return schools.exclude(attention="")
    if column == "waiting":
        return schools.filter(state__in=(State.TO_NOTIFY, State.NOTIFIED))
    if column == "no_list":
        return schools.filter(state=State.CONFIRMED)
    if column in REACHED:
        return schools.filter(state__in=REACHED[column])
    return schools


def _people(kind: str, rules: str) -> QuerySet[ListedPerson]:
    """Give the selected people of the outer school with an outcome of a kind."""
    people = ListedPerson.objects.filter(field_school=OuterRef("pk"), is_selected=True)
    if kind == "open":
        return people.filter(status__isnull=True)
    codes = [one.code for one in numeric.codes(rules, "student") if one.treatment == kind]
    return people.filter(status__in=codes) if kind != "selected" else people


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A school that somebody should call, why, and since when."""

    school: FieldSchool
    kind: str
    due: datetime.date
    days_late: int
    phone: str
    called: Any = None


def calls_today(schools: QuerySet[FieldSchool], fieldwork: Fieldwork, today: datetime.date) -> list[Call]:
    """List whom to call today: what is overdue first, the oldest first; then what falls due within three days.

    One query; who was called before is put on the page's own rows by `with_last_call`.
    """
    soon = today + datetime.timedelta(days=3)
    planned = Q(test_sessions__state=TestSession.State.PLANNED)
    active = (
        schools.select_related("school__province", "school__commune", "sampled")
        .exclude(state__in=(State.NOT_TAKING_PART, State.CLOSED))
        .annotate(next_session=Min("test_sessions__on_date", filter=planned))
    )
    calls = []
    for school in active:
        kind, due = _due(school, fieldwork, today)
        if kind and due <= soon:
            phone = school.coordinator_phone or school.school.phone
            calls.append(Call(school=school, kind=kind, due=due, days_late=(today - due).days, phone=phone))
    return sorted(calls, key=lambda one: (-one.days_late, one.kind, one.school.school.sort_key))


def with_last_call(calls: Sequence[Call]) -> list[Call]:
    """Put on each call the last one that was noted; one query."""
    keys = [one.school.pk for one in calls]
    noted = FieldEvent.objects.filter(field_school__in=keys, kind="called").order_by("at", "pk")
    last = {one.field_school_id: one for one in noted}
    return [dataclasses.replace(one, called=last.get(one.school.pk)) for one in calls]


def _due(school: Any, fieldwork: Fieldwork, today: datetime.date) -> tuple[str, datetime.date]:
    """Say what a school owes next, and when; the empty text where it owes nothing."""
    if school.attention:
        return "attention", today
    if school.state in (State.TO_NOTIFY, State.NOTIFIED):
        return "answer", fieldwork.answer_due
    if school.state == State.CONFIRMED:
        return "list", fieldwork.list_due
    if school.next_session is not None:
        return "report", school.next_session + datetime.timedelta(days=1)
    if school.state in (State.LISTED, State.SELECTED):
        return "session", max(fieldwork.test_from - datetime.timedelta(days=14), fieldwork.list_due)
    return "", today
