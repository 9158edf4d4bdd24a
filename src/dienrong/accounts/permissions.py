"""The one place that decides who may do what, and says so in words when the answer is no.

A *permission* is a name in ``HOLDERS``; the roles beside it hold it. A *scope* is the set of units in which a
person holds roles today. ``may_<verb>`` answers; ``requires`` and ``demand`` refuse, naming who may.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from dienrong.accounts import directory
from dienrong.accounts.models import Assignment, Role, UnitKind
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed, SignInFirst

MINISTRY = frozenset({Role.MINISTRY_EXPERT})
OFFICERS = frozenset({Role.MINISTRY_EXPERT, Role.PROVINCE_OFFICER, Role.COMMUNE_OFFICER})
PROVINCIAL = frozenset({Role.MINISTRY_EXPERT, Role.PROVINCE_OFFICER})
DATA_KEEPERS = OFFICERS | {Role.SCHOOL_COORDINATOR}
FIELD = DATA_KEEPERS | {Role.TEST_ADMINISTRATOR}
EVERYONE_AT_WORK = frozenset(Role)

HOLDERS: dict[str, frozenset[Role]] = {
    "view_cycle": EVERYONE_AT_WORK,
    "change_cycle": MINISTRY,
    "run_analysis": MINISTRY,
    "view_analysis": MINISTRY,
    "view_artefacts": MINISTRY,
    "view_standards": MINISTRY,
    "manage_standards": MINISTRY,
    "view_units": EVERYONE_AT_WORK,
    "change_units": MINISTRY,
    "view_schools": FIELD,
    "change_schools": PROVINCIAL,
    "change_contacts": DATA_KEEPERS,
    "apply_mergers": PROVINCIAL,
    "confirm_school": DATA_KEEPERS,
    "import_data": DATA_KEEPERS,
    "view_rosters": DATA_KEEPERS,
    "change_rosters": DATA_KEEPERS,
    "view_identities": frozenset({Role.PROVINCE_OFFICER, Role.SCHOOL_COORDINATOR}),
    "manage_vault": PROVINCIAL,
    "view_fieldwork": DATA_KEEPERS,
    "change_fieldwork": PROVINCIAL,
    "answer_fieldwork": PROVINCIAL | {Role.SCHOOL_COORDINATOR},
    "report_session": frozenset({Role.TEST_ADMINISTRATOR, Role.SCHOOL_COORDINATOR}),
    "compute_weights": MINISTRY,
    "view_tasks": DATA_KEEPERS,
    "change_tasks": OFFICERS,
    "ask_questions": DATA_KEEPERS,
    "answer_questions": OFFICERS,
    "write_frequent_questions": MINISTRY,
    "view_capacity": DATA_KEEPERS,
    "change_people": DATA_KEEPERS,
    "nominate_people": DATA_KEEPERS,
    "change_training": PROVINCIAL,
    "issue_certificates": PROVINCIAL,
    "change_norms": MINISTRY,
    "view_plans": DATA_KEEPERS,
    "change_plans": PROVINCIAL,
    "write_plan_reports": PROVINCIAL,
    "call_plan_reports": MINISTRY,
    "view_readiness": DATA_KEEPERS,
    "answer_readiness": DATA_KEEPERS,
    "review_readiness": OFFICERS,
    "decide_readiness": PROVINCIAL,
    "manage_budgets": PROVINCIAL,
    "set_readiness_norms": MINISTRY,
    "view_scorecard": DATA_KEEPERS,
    "run_scorecard": MINISTRY,
    "view_samples": PROVINCIAL,
    "change_samples": MINISTRY,
    "draw_samples": MINISTRY,
    "use_api": DATA_KEEPERS,
    "view_unpublished_report": MINISTRY,
    "publish_report": MINISTRY,
    "write_provincial_report": frozenset({Role.PROVINCE_OFFICER}),
    "read_approved_texts": DATA_KEEPERS,
    "read_every_province": MINISTRY,
    "manage_datasets": MINISTRY,
    "view_audit": MINISTRY,
    "view_all_jobs": MINISTRY,
    "manage_people": OFFICERS,
}

# Whom each role looks after: it gives, ends and resets these roles inside its own unit, never its own or a higher one.
GIVES: dict[str, frozenset[Role]] = {
    Role.MINISTRY_EXPERT: frozenset(Role),
    Role.PROVINCE_OFFICER: frozenset(
        {Role.COMMUNE_OFFICER, Role.SCHOOL_COORDINATOR, Role.TEST_ADMINISTRATOR, Role.CODER}
    ),
    Role.COMMUNE_OFFICER: frozenset({Role.SCHOOL_COORDINATOR, Role.TEST_ADMINISTRATOR}),
}
SECOND_FACTOR_ROLES = PROVINCIAL


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The units in which a person holds roles today, and the roles."""

    roles: frozenset[str] = frozenset()
    is_national: bool = False
    provinces: frozenset[str] = frozenset()
    communes: frozenset[str] = frozenset()
    schools: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether no unit at all is in scope."""
        return not (self.is_national or self.provinces or self.communes or self.schools)

    def covers(
        self, province_code: str | None = None, commune_code: str | None = None, school_id: str | None = None
    ) -> bool:
        """Tell whether an object that lies in these units is in scope."""
        return (
            self.is_national
            or (province_code is not None and province_code in self.provinces)
            or (commune_code is not None and commune_code in self.communes)
            or (school_id is not None and school_id in self.schools)
        )


NOTHING = Scope()


def assignments_of(user: Any) -> tuple[Assignment, ...]:
    """Give the roles that a person holds today; asked of the database once per person object and day.

    A delegated role holds only while the role it came from holds and the account of who gave it is open.
    """
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return ()
    today = clock.today()
    kept: tuple[Any, tuple[Assignment, ...]] | None = user.__dict__.get("_assignments_today")
    if kept is None or kept[0] != today:
        rows = (
            Assignment.objects.filter(user_id=user.pk, valid_from__lte=today)
            .select_related("delegated_from__user")
            .order_by("id")
        )
        held = tuple(row for row in rows if holds_on(row, today))
        kept = user.__dict__["_assignments_today"] = (today, held)
    return kept[1]


def holds_on(row: Assignment, day: datetime.date) -> bool:
    """Tell whether a role holds on a day; its source, where it is delegated, is asked too."""
    holds = row.valid_from <= day and (row.valid_to is None or row.valid_to > day)
    source = row.delegated_from
    return holds and (source is None or (source.user.is_active and holds_on(source, day)))


def delegators_of(user: Any) -> tuple[str, ...]:
    """Name those by whose delegation a person holds a role today."""
    rows = [row for row in assignments_of(user) if row.delegated_from is not None]
    return tuple(dict.fromkeys(str(row.delegated_from.user) for row in rows if row.delegated_from))


def scope_of(user: Any) -> Scope:
    """Give the scope of a person; nothing for the public.

    A person who comes with an API key narrowed to a unit (``queries.person_of_token``) has that unit alone,
    as far as it still lies in their charge, and only the roles that reach it.
    """
    held = assignments_of(user)
    if not held:
        return NOTHING
    token = user.__dict__.get("api_token")
    if token is not None and token.unit_kind:
        return _narrowed(held, token.unit_kind, token.unit_code)
    # Coders and researchers work with coded answers and released files; no unit's own data are theirs.
    units = [row for row in held if row.role in FIELD]
    return Scope(
        roles=frozenset(row.role for row in held),
        is_national=any(row.unit_kind == UnitKind.NATION for row in units),
        provinces=frozenset(row.unit_code for row in units if row.unit_kind == UnitKind.PROVINCE),
        communes=frozenset(row.unit_code for row in units if row.unit_kind == UnitKind.COMMUNE),
        schools=frozenset(row.unit_code for row in units if row.unit_kind == UnitKind.SCHOOL),
    )


def _narrowed(held: tuple[Assignment, ...], unit_kind: str, unit_code: str) -> Scope:
    """Give the scope of one unit, by the roles whose own scope covers it today."""
    place = directory.place_of(unit_kind, unit_code)
    if place is None:
        return NOTHING
    where = (place.province_code, place.commune_code, place.school_id)
    roles = frozenset(row.role for row in held if row.role in FIELD and unit_scope(row).covers(*where))
    if not roles:
        return NOTHING
    return Scope(
        roles=roles,
        provinces=frozenset({unit_code} if unit_kind == UnitKind.PROVINCE else ()),
        communes=frozenset({unit_code} if unit_kind == UnitKind.COMMUNE else ()),
        schools=frozenset({unit_code} if unit_kind == UnitKind.SCHOOL else ()),
    )


def unit_scope(row: Assignment) -> Scope:
    """Give the scope of one role by itself."""
    code = frozenset({row.unit_code})
    return Scope(
        roles=frozenset({row.role}),
        is_national=row.unit_kind == UnitKind.NATION,
        provinces=code if row.unit_kind == UnitKind.PROVINCE else frozenset(),
        communes=code if row.unit_kind == UnitKind.COMMUNE else frozenset(),
        schools=code if row.unit_kind == UnitKind.SCHOOL else frozenset(),
    )


def may(user: Any, permission: str) -> bool:
    """Tell whether a person holds a permission by one of today's roles."""
    return bool(HOLDERS[permission] & scope_of(user).roles)


def may_view_cycle(user: Any) -> bool:
    """Tell whether a person sees the board of a cycle."""
    return may(user, "view_cycle")


def may_change_cycle(user: Any) -> bool:
    """Tell whether a person moves the steps of a cycle."""
    return may(user, "change_cycle")


def may_run_analysis(user: Any) -> bool:
    """Tell whether a person starts analyses."""
    return may(user, "run_analysis")


def may_publish_report(user: Any) -> bool:
    """Tell whether a person publishes reports."""
    return may(user, "publish_report")


def may_view_audit(user: Any) -> bool:
    """Tell whether a person reads the audit log."""
    return may(user, "view_audit")


def may_view_unit(
    user: Any,
    province_code: str | None = None,
    commune_code: str | None = None,
    school_id: str | None = None,
) -> bool:
    """Tell whether an object lying in these units is in a person's scope.

    Name every unit the object lies in: a school has its province, its commune and itself.
    """
    return scope_of(user).covers(province_code, commune_code, school_id)


def roles_given_by(user: Any) -> tuple[Role, ...]:
    """Name the roles that a person may give in their units."""
    given = {role for row in assignments_of(user) for role in GIVES.get(row.role, ())}
    return tuple(role for role in Role if role in given)


def may_give(user: Any, role: str, unit_kind: str, unit_code: str) -> bool:
    """Tell whether a person may give or end a role in a unit: it is below their own, the unit in their charge."""
    place = directory.place_of(unit_kind, unit_code)
    return place is not None and may_give_at(user, role, place)


def may_give_at(user: Any, role: str, place: directory.Place) -> bool:
    """Tell whether a person may give or end a role at a place that is known already."""
    return any(
        role in GIVES.get(row.role, ())
        and unit_scope(row).covers(place.province_code, place.commune_code, place.school_id)
        for row in assignments_of(user)
    )


def may_see_role(user: Any, row: Assignment) -> bool:
    """Tell whether a role held by somebody is a person's business; a unit that is gone counts by its last place."""
    return may_give_at(user, row.role, last_place(row))


def may_manage_person(user: Any, person: Any, rows: Iterable[Assignment]) -> bool:
    """Tell whether an officer looks after a whole account: switching, resetting.

    Every role that the person holds or will hold must be theirs to give; where nothing is held any more, every
    role ever held. So nobody resets the sign-in of somebody who also works above or elsewhere, nor their own.
    """
    if person.pk == user.pk or not may(user, "manage_people"):
        return False
    today = clock.today()
    every = list(rows)
    open_rows = [row for row in every if row.valid_to is None or row.valid_to > today]
    asked = open_rows or every
    if any(row.role == Role.MINISTRY_EXPERT for row in assignments_of(user)):
        return True
    return bool(asked) and all(may_see_role(user, row) for row in asked)


def last_place(row: Assignment) -> directory.Place:
    """Give the place of a role's unit today; where the unit is gone, the place kept with the role."""
    place = directory.place_of(row.unit_kind, row.unit_code)
    if place is not None:
        return place
    own = directory.own_place(row.unit_kind, row.unit_code)
    return directory.Place(
        province_code=own.province_code or row.province_code or None,
        commune_code=own.commune_code or row.commune_code or None,
        school_id=own.school_id,
    )


def needs_second_factor(user: Any) -> bool:
    """Tell whether one of today's roles asks for a second factor; demonstration accounts are exempt."""
    if not settings.OPTIONS.require_totp or user.is_demo:
        return False
    return any(row.role in SECOND_FACTOR_ROLES for row in assignments_of(user))


def who_may(permission: str) -> tuple[str, ...]:
    """Name the roles that hold a permission."""
    return tuple(str(role.label) for role in Role if role in HOLDERS[permission])


def whom_to_ask(user: Any) -> str:
    """Say whom a person asks for more: the level above, else the ministry."""
    roles = scope_of(user).roles
    if roles & {Role.SCHOOL_COORDINATOR, Role.TEST_ADMINISTRATOR}:
        return _("Please ask the officer of your commune.")
    if Role.COMMUNE_OFFICER in roles:
        return _("Please ask the officer of your province.")
    return _("Please ask the assessment team of the Ministry.")


def refusal_for(user: Any, permission: str) -> NotAllowed:
    """Make the refusal that names who may and whom to ask."""
    sentence = _("This page or action is not open to your role.")
    return NotAllowed(sentence, who_may=who_may(permission), whom_to_ask=whom_to_ask(user))


def demand(user: Any, permission: str) -> None:
    """Refuse a person who lacks a permission.

    Raises
    ------
    SignInFirst
        If nobody is signed in.
    NotAllowed
        If the person's roles do not hold it.
    """
    if may(user, permission):
        return
    if not getattr(user, "is_authenticated", False):
        raise SignInFirst(_("Please sign in first."))
    raise refusal_for(user, permission)


def demand_unit(
    user: Any,
    province_code: str | None = None,
    commune_code: str | None = None,
    school_id: str | None = None,
) -> None:
    """Refuse a person in whose scope the object does not lie."""
    if may_view_unit(user, province_code, commune_code, school_id):
        return
    if not getattr(user, "is_authenticated", False):
        raise SignInFirst(_("Please sign in first."))
    raise NotAllowed(
        _("This belongs to a unit that is not in your charge."),
        who_may=(str(_("Officers of that unit")), str(Role.MINISTRY_EXPERT.label)),
        whom_to_ask=whom_to_ask(user),
    )


View = TypeVar("View", bound=Callable[..., Any])


def requires(permission: str) -> Callable[[View], View]:
    """Guard a view: ``@requires("run_analysis")``; unknown names fail when the module is loaded."""
    if permission not in HOLDERS:
        raise LookupError(f"{permission!r} is not a permission; see HOLDERS in accounts/permissions.py")

    def guard(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            demand(request.user, permission)
            return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return guard


def requires_person(view: View) -> View:
    """Guard a view that any signed-in person may open."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.is_authenticated:
            raise SignInFirst(_("Please sign in first."))
        return view(request, *args, **kwargs)

    guarded.permission = "signed_in"  # type: ignore[attr-defined]
    return guarded  # type: ignore[return-value]
