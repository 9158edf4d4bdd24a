"""Who may do what, and where: decided in one place."""

from __future__ import annotations

import datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import RequestFactory

from dienrong.accounts import operations, permissions
from dienrong.accounts.models import Role, User
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed, SignInFirst

PROVINCE, COMMUNE, SCHOOL = "01", "00004", "01000001"
OTHER_PROVINCE, OTHER_COMMUNE, OTHER_SCHOOL = "79", "26734", "79000001"
HERE = {"province_code": PROVINCE, "commune_code": COMMUNE, "school_id": SCHOOL}
THERE = {"province_code": OTHER_PROVINCE, "commune_code": OTHER_COMMUNE, "school_id": OTHER_SCHOOL}
PUBLIC = AnonymousUser()
pytestmark = pytest.mark.django_db


def test_a_school_is_seen_from_above_and_from_within(
    ministry, officer, colleague, commune_officer, coordinator
) -> None:
    for user in (ministry, officer, colleague, commune_officer, coordinator):
        assert permissions.may_view_unit(user, **HERE), user.username


def test_a_school_is_not_seen_from_elsewhere(stranger, researcher, newcomer) -> None:
    for user in (stranger, researcher, newcomer, PUBLIC):
        assert not permissions.may_view_unit(user, **HERE), str(user)


def test_nobody_below_the_ministry_sees_beyond_their_unit(
    officer, commune_officer, coordinator, ministry
) -> None:
    for user in (officer, commune_officer, coordinator):
        assert not permissions.may_view_unit(user, **THERE), user.username
    assert permissions.may_view_unit(ministry, **THERE)


def test_what_lies_in_the_province_is_not_yet_in_the_commune(commune_officer, coordinator) -> None:
    neighbour = {"province_code": PROVINCE, "commune_code": "00025", "school_id": "01000002"}
    assert not permissions.may_view_unit(commune_officer, **neighbour)
    assert not permissions.may_view_unit(coordinator, **{**HERE, "school_id": "01000002"})
    assert not permissions.may_view_unit(commune_officer, province_code=PROVINCE)


def test_only_the_ministry_runs_analyses_publishes_and_reads_the_log(
    ministry, officer, commune_officer, coordinator, researcher, stranger, newcomer
) -> None:
    others = (officer, commune_officer, coordinator, researcher, stranger, newcomer, PUBLIC)
    for ask in (
        permissions.may_run_analysis,
        permissions.may_publish_report,
        permissions.may_view_audit,
        permissions.may_change_cycle,
    ):
        assert ask(ministry)
        assert not any(ask(user) for user in others)


def test_everyone_with_a_role_sees_the_board(ministry, coordinator, researcher, newcomer) -> None:
    assert permissions.may_view_cycle(ministry)
    assert permissions.may_view_cycle(coordinator)
    assert permissions.may_view_cycle(researcher)
    assert not permissions.may_view_cycle(newcomer)
    assert not permissions.may_view_cycle(PUBLIC)


def test_roles_hold_from_a_day_until_a_day(newcomer: User) -> None:
    start, end = datetime.date(2026, 9, 1), datetime.date(2026, 10, 1)
    operations.assign_role(
        user=newcomer, role="province_officer", unit_code="01", by=None, valid_from=start, valid_to=end
    )

    def sees_at(year: int, month: int, day: int) -> bool:
        with clock.fixed(datetime.datetime(year, month, day, 5, tzinfo=datetime.UTC)):
            return permissions.may_view_unit(newcomer, province_code="01")

    assert [sees_at(2026, 8, 31), sees_at(2026, 9, 1), sees_at(2026, 9, 30), sees_at(2026, 10, 1)] == [
        False, True, True, False,
    ]  # fmt: skip


def test_two_roles_give_two_units(officer: User) -> None:
    operations.assign_role(user=officer, role="province_officer", unit_code="48", by=None)
    scope = permissions.scope_of(officer)
    assert scope.provinces == {"01", "48"}
    assert not scope.is_national
    assert not scope.is_empty


def test_a_role_that_ended_gives_nothing_from_that_day(ministry: User, officer: User) -> None:
    row = officer.assignments.get()
    tomorrow = clock.today() + datetime.timedelta(days=1)
    operations.end_role(assignment=row, on=tomorrow, by=ministry)
    assert permissions.may_view_unit(User.objects.get(pk=officer.pk), province_code="01")
    operations.end_role(assignment=row, on=clock.today(), by=ministry)
    assert permissions.scope_of(User.objects.get(pk=officer.pk)) == permissions.NOTHING


def test_a_closed_account_has_no_scope(officer: User) -> None:
    officer.is_active = False
    assert permissions.scope_of(officer).is_empty


def test_a_coder_and_a_researcher_hold_no_unit(newcomer: User, researcher: User) -> None:
    operations.assign_role(user=newcomer, role="coder", unit_code="01", by=None)
    assert permissions.scope_of(newcomer).is_empty
    assert permissions.scope_of(newcomer).roles == {"coder"}
    assert permissions.scope_of(researcher).is_empty


def test_scope_is_asked_of_the_database_once(officer: User, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        for _ in range(5):
            permissions.may_view_unit(officer, province_code="01")
            permissions.may(officer, "view_schools")


def test_a_refusal_names_who_may_and_whom_to_ask(coordinator, commune_officer, officer) -> None:
    asked = {}
    for user in (coordinator, commune_officer, officer):
        with pytest.raises(NotAllowed) as caught:
            permissions.demand(user, "run_analysis")
        assert caught.value.who_may == ("Chuyên gia của Bộ",)
        asked[user.username] = caught.value.hint
    assert "xã" in asked["truong"]
    assert "Sở" in asked["xa"]
    assert "Bộ" in asked["so"]


def test_visitors_are_asked_to_sign_in(ministry) -> None:
    with pytest.raises(SignInFirst):
        permissions.demand(PUBLIC, "view_cycle")
    with pytest.raises(SignInFirst):
        permissions.demand_unit(PUBLIC, province_code="01")
    permissions.demand(ministry, "view_cycle")
    permissions.demand_unit(ministry, province_code="01")


def test_a_unit_out_of_charge_is_refused(stranger) -> None:
    with pytest.raises(NotAllowed, match="không do thầy/cô phụ trách"):
        permissions.demand_unit(stranger, **HERE)


def test_a_guarded_view_runs_for_holders_alone(ministry, officer) -> None:
    @permissions.requires("view_audit")
    def view(request: HttpRequest) -> str:
        return "seen"

    request = RequestFactory().get("/")
    request.user = ministry
    assert view(request) == "seen"
    request.user = officer
    with pytest.raises(NotAllowed):
        view(request)
    request.user = PUBLIC
    with pytest.raises(SignInFirst):
        view(request)


def test_a_permission_that_does_not_exist_fails_when_the_module_is_loaded() -> None:
    with pytest.raises(LookupError, match="'fly' is not a permission"):
        permissions.requires("fly")
    with pytest.raises(KeyError):
        permissions.may(PUBLIC, "fly")


# Names of children are opened where the children are known, never from the capital: the ministry works with
# study ids alone. A session is reported by whoever held it, or who answers for the school.
NOT_FOR_THE_MINISTRY = {"view_identities", "report_session", "write_provincial_report"}


def test_every_permission_but_names_of_children_and_sessions_given_to_somebody_is_held_by_the_ministry() -> (
    None
):
    for name, holders in permissions.HOLDERS.items():
        assert (Role.MINISTRY_EXPERT in holders) == (name not in NOT_FOR_THE_MINISTRY), name
        assert permissions.who_may(name), name


def test_every_page_of_our_rooms_is_guarded() -> None:
    """Walk all addresses: whatever is neither public by intent nor guarded is a hole."""
    from django.urls import URLPattern, get_resolver

    public = {"core:language", "accounts:login", "accounts:logout", "accounts:open_link"}
    public |= {f"accounts:{name}" for name in ("second_step", "totp_setup", "oidc_start", "oidc_callback")}
    ours = {"core", "accounts", "audit", "jobs"}
    holes = []
    for included in get_resolver().url_patterns:
        room = getattr(included, "app_name", None)
        for pattern in getattr(included, "url_patterns", []):
            name = f"{room}:{pattern.name}"
            if room in ours and isinstance(pattern, URLPattern) and name not in public:
                view = pattern.callback
                while view is not None and not hasattr(view, "permission"):
                    view = getattr(view, "__wrapped__", None)
                if view is None:
                    holes.append(name)
    assert holes == []
