"""Which schools and sessions a person sees."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from dienrong.accounts import permissions
from dienrong.accounts.models import Assignment, Role, UnitKind, User
from dienrong.accounts.permissions import Scope
from dienrong.core import clock
from dienrong.fieldwork.models import FieldSchool, Fieldwork, TestSession
from dienrong.registry.models import School
from dienrong.registry.queries.schools import within
from dienrong.rosters import charge


def scope_of(user: Any) -> Scope:
    """Give the units whose fieldwork a person follows."""
    return charge.scope_with(user, "view_fieldwork")


def schools_of(user: Any, fieldwork: Fieldwork) -> QuerySet[FieldSchool]:
    """List the schools of a fieldwork that a person follows."""
    return (
        FieldSchool.objects.filter(within(scope_of(user), "school__"), plan=fieldwork.plan_id)
        .select_related("sampled", "school__province", "school__commune", "plan")
        .order_by("sampled__selection_order", "number")
    )


def fieldworks_of(user: Any) -> QuerySet[Fieldwork]:
    """List the fieldwork in which a person has schools; all of them for the whole country."""
    found = Fieldwork.objects.select_related("plan__cycle")
    scope = scope_of(user)
    if scope.is_national:
        return found
    mine = FieldSchool.objects.filter(within(scope, "school__")).order_by().values("plan")
    return found.filter(plan__in=mine)


def school_of(user: Any, key: int) -> FieldSchool | None:
    """Give one school in the field with all that pages show of it, whoever asks; views demand the scope."""
    return (
        FieldSchool.objects.select_related(
            "plan__fieldwork",
            "sampled__original",
            "school__province",
            "school__commune",
            "replaces__sampled",
            "replaced_by__sampled",
        )
        .filter(pk=key)
        .first()
    )


def may_report(user: Any, session: TestSession) -> bool:
    """Tell whether a person reports a session: it was given to them, or they answer for the school."""
    if session.administrator_id == user.pk and permissions.may(user, "report_session"):
        return True
    return charge.may_at(user, "answer_fieldwork", session.field_school.school)


def sessions_of(user: Any) -> QuerySet[TestSession]:
    """List the sessions that a person reports: given to them, or of the schools they coordinate."""
    found = TestSession.objects.select_related(
        "field_school__sampled", "field_school__school__province", "field_school__school__commune",
        "field_school__plan",
    )  # fmt: skip
    if not permissions.may(user, "report_session"):
        return found.none()
    own = frozenset(
        row.unit_code
        for row in permissions.assignments_of(user)
        if row.role == Role.SCHOOL_COORDINATOR and row.unit_kind == UnitKind.SCHOOL
    )
    return found.filter(Q(administrator=user) | Q(field_school__school__school_id__in=own)).exclude(
        state=TestSession.State.CANCELLED
    )


def session_by_key(key: int) -> TestSession | None:
    """Give a session, whoever asks."""
    return (
        TestSession.objects.select_related(
            "field_school__plan", "field_school__sampled", "field_school__school__province",
            "field_school__school__commune", "administrator",
        )
        .filter(pk=key)
        .first()
    )  # fmt: skip


def administrators_of(school: School) -> list[User]:
    """List the people who hold the role of a test administrator at a school today."""
    today = clock.today()
    rows = Assignment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=today),
        role=Role.TEST_ADMINISTRATOR,
        unit_kind=UnitKind.SCHOOL,
        unit_code=school.school_id,
        valid_from__lte=today,
        user__is_active=True,
    )
    return list(User.objects.filter(pk__in=rows.values("user")))
