"""Schools with their state, findings and last reminder, within a scope."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet

from dienrong.accounts.permissions import Scope
from dienrong.registry.models import School, SchoolEnrolment
from dienrong.registry.queries import schools_in
from dienrong.scorecard.models import Finding, OfficialTotal, Reminder, Severity

ERRORS_FIRST = {Severity.ERROR: 0, Severity.WARNING: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What narrows a list of schools."""

    commune: str = ""
    dimension: str = ""
    rule: str = ""
    text: str = ""
    only_open: bool = False

    @property
    def is_used(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.commune or self.dimension or self.rule or self.text)


def schools_to_nudge(scope: Scope, *, province_code: str = "", filters: Filters) -> QuerySet[School]:
    """Give the open schools of a scope that have something open or did not confirm, the worst first."""
    rows = schools_in(scope, search=filters.text, province_code=province_code, commune_code=filters.commune)
    rows = rows.prefetch_related(None).filter(state__isnull=False)
    if filters.dimension or filters.rule:
        found = Finding.objects.filter(school=OuterRef("pk"), is_open=True)
        if filters.dimension:
            found = found.filter(dimension=filters.dimension)
        if filters.rule:
            found = found.filter(rule=filters.rule)
        rows = rows.filter(Exists(found))
    else:
        rows = rows.filter(
            Q(state__n_errors__gt=0) | Q(state__n_warnings__gt=0) | Q(state__is_confirmed=False)
        )
    return rows.select_related("commune", "state").order_by("state__total", "school_id")


def schools_of_commune(scope: Scope, commune_code: str) -> list[School]:
    """Give the open schools of a commune with their states: those that need work first."""
    rows = (
        schools_in(scope, commune_code=commune_code).prefetch_related(None).select_related("commune", "state")
    )
    return sorted(rows, key=_by_need)


def _by_need(school: School) -> tuple[int, int, str]:
    """Order: errors, no data, waiting for confirmation, confirmed; then by name."""
    state = getattr(school, "state", None)
    if state is None:
        return 2, 0, school.sort_key
    if state.n_errors or not state.has_data:
        return 0, -state.n_errors, school.sort_key
    return (3 if state.is_confirmed else 1), 0, school.sort_key


def attach(schools: Sequence[School]) -> None:
    """Put on each school its open findings, errors first, and its last reminder; two queries."""
    keys = [school.pk for school in schools]
    by_school: dict[int, list[Finding]] = defaultdict(list)
    for finding in Finding.objects.filter(school_id__in=keys, is_open=True):
        by_school[finding.school_id].append(finding)
    last: dict[int, Reminder] = {}
    for reminder in (
        Reminder.objects.filter(school_id__in=keys).select_related("sent_by").order_by("sent_at", "pk")
    ):
        last[reminder.school_id] = reminder
    for school in schools:
        school.open_findings = sorted(by_school[school.pk], key=order)  # type: ignore[attr-defined]
        school.last_reminder = last.get(school.pk)  # type: ignore[attr-defined]


def order(finding: Finding) -> tuple[Any, ...]:
    """Errors first, then as the rules are read, then by row as people count."""
    number = int(finding.row) if finding.row.isdigit() else 0
    return ERRORS_FIRST[Severity(finding.severity)], finding.rule, number, finding.row


def findings_of(school: School) -> list[Finding]:
    """Give the open findings of one school, errors first."""
    return sorted(Finding.objects.filter(school=school, is_open=True), key=order)


def findings_of_province(province_code: str) -> list[Finding]:
    """Give the open findings about a province itself."""
    return sorted(
        Finding.objects.filter(school__isnull=True, province_code=province_code, is_open=True), key=order
    )


def findings_by_rule(scope: Scope) -> dict[str, int]:
    """Count the open findings of a scope by rule."""
    rows = findings_in(scope).order_by().values_list("rule").annotate(n=Count("pk"))
    return dict(rows)


def findings_in(scope: Scope) -> QuerySet[Finding]:
    """Give the open findings about the schools and provinces of a scope."""
    rows = Finding.objects.filter(is_open=True)
    if scope.is_national:
        return rows
    if scope.is_empty:
        return rows.none()
    return rows.filter(
        Q(school__province__code__in=scope.provinces)
        | Q(school__commune__code__in=scope.communes)
        | Q(school__school_id__in=scope.schools)
        | Q(school__isnull=True, province_code__in=scope.provinces)
    )


def findings_of_rule(scope: Scope, rule: str) -> QuerySet[Finding]:
    """Give the open findings of one rule within a scope, by place."""
    rows = findings_in(scope).filter(rule=rule).select_related("school__commune", "school__province")
    return rows.order_by(F("school__school_id").asc(nulls_first=True), "row")


def findings_for_file(scope: Scope, *, province_code: str, commune_code: str = "") -> QuerySet[Finding]:
    """Give the open findings of a province's schools, by commune and school."""
    rows = findings_in(scope).filter(school__province__code=province_code)
    if commune_code:
        rows = rows.filter(school__commune__code=commune_code)
    rows = rows.select_related("school__commune")
    return rows.order_by("school__commune__code", "school__school_id", "severity", "rule", "row")


def school_with_state(school_id: str) -> School | None:
    """Give a school with what its page shows, whoever asks; the caller asks whether it may be shown."""
    counts = SchoolEnrolment.objects.filter(is_current=True).order_by("-school_year", "grade")
    rows = School.objects.select_related("commune", "province", "state", "confirmed_by")
    rows = rows.prefetch_related(Prefetch("enrolments", queryset=counts), "sites__commune")
    return rows.filter(school_id=school_id).first()


def n_unconfirmed(scope: Scope) -> tuple[int, int]:
    """Count the schools of a scope that wait for a confirmation, and all of them."""
    rows = schools_in(scope).prefetch_related(None).select_related(None).order_by()
    counted = rows.aggregate(n=Count("pk"), done=Count("pk", filter=Q(state__is_confirmed=True)))
    return counted["n"] - counted["done"], counted["n"]


def names_of_schools(school_ids: Iterable[str]) -> dict[str, str]:
    """Name schools by their codes."""
    return dict(School.objects.filter(school_id__in=list(school_ids)).values_list("school_id", "name"))


def totals_in(scope: Scope, *, province_code: str = "", school_year: str = "") -> QuerySet[OfficialTotal]:
    """Give the official totals of the provinces of a scope."""
    rows = OfficialTotal.objects.select_related("changed_by")
    if not scope.is_national:
        rows = rows.filter(province_code__in=scope.provinces)
    if province_code:
        rows = rows.filter(province_code=province_code)
    return rows.filter(school_year=school_year) if school_year else rows
