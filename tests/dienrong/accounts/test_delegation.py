"""A lent role: within the unit, until a day, gone with the role it came from, named in the log."""

from __future__ import annotations

import datetime

import pytest
from django.test import Client

from dienrong.accounts import operations, permissions
from dienrong.accounts.models import Assignment, User
from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed

from .conftest import code_now

PROVINCE, COMMUNE, SCHOOL = "01", "00004", "01000001"
TODAY = datetime.date(2026, 11, 22)
LAST = datetime.date(2026, 12, 31)
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("register", "noon")]


def delegate(by: User, to: User, last_day: datetime.date = LAST) -> Assignment:
    own = by.assignments.filter(delegated_from=None).first()
    return operations.delegate_role(assignment=own, to=to, last_day=last_day, by=by)


def sees_province_on(user: User, day: datetime.date, province: str = PROVINCE) -> bool:
    noon = datetime.datetime.combine(day, datetime.time(5), tzinfo=datetime.UTC)
    with clock.fixed(noon):
        return permissions.may_view_unit(User.objects.get(pk=user.pk), province_code=province)


def test_it_holds_from_today_to_the_last_day_and_ends_by_itself(officer: User, commune_officer: User) -> None:
    delegate(officer, commune_officer)
    day = datetime.timedelta(days=1)
    days = (TODAY - day, TODAY, LAST - day, LAST, LAST + day)
    assert [sees_province_on(commune_officer, when) for when in days] == [False, True, True, True, False]
    assert [sees_province_on(officer, when) for when in (TODAY, LAST, LAST + day)] == [True] * 3
    assert not sees_province_on(commune_officer, LAST, "79")


def test_the_delegate_holds_the_permissions_of_the_role(officer: User, commune_officer: User) -> None:
    assert not permissions.may(commune_officer, "apply_mergers")
    delegate(officer, commune_officer)
    again = User.objects.get(pk=commune_officer.pk)
    assert permissions.may(again, "apply_mergers")
    assert permissions.scope_of(again).roles == {"commune_officer", "province_officer"}


def test_it_is_revoked_at_any_time_by_either(officer: User, commune_officer: User) -> None:
    for by in (officer, commune_officer):
        row = delegate(officer, commune_officer)
        Assignment.objects.filter(pk=row.pk).update(valid_from=TODAY - datetime.timedelta(days=3))
        row.refresh_from_db()
        operations.revoke_delegation(delegated=row, by=by)
        assert not sees_province_on(commune_officer, TODAY)
        assert row.last_day == TODAY - datetime.timedelta(days=1)


def test_nobody_else_revokes_it(
    officer: User, commune_officer: User, stranger: User, colleague: User
) -> None:
    row = delegate(officer, commune_officer)
    for by in (stranger, colleague):
        with pytest.raises(NotAllowed):
            operations.revoke_delegation(delegated=row, by=by)
    with pytest.raises(NotAllowed):
        operations.revoke_delegation(delegated=officer.assignments.get(), by=officer)
    assert sees_province_on(commune_officer, TODAY)


def test_it_ends_with_the_role_it_came_from(ministry: User, officer: User, commune_officer: User) -> None:
    delegate(officer, commune_officer)
    Assignment.objects.filter(user=officer).update(valid_from=TODAY - datetime.timedelta(days=100))
    own = officer.assignments.get()
    operations.end_role(assignment=own, on=TODAY + datetime.timedelta(days=5), by=ministry)
    assert sees_province_on(commune_officer, TODAY + datetime.timedelta(days=4))
    assert not sees_province_on(commune_officer, TODAY + datetime.timedelta(days=5))


def test_it_stops_while_the_account_it_came_from_is_switched_off(
    officer: User, commune_officer: User
) -> None:
    delegate(officer, commune_officer)
    User.objects.filter(pk=officer.pk).update(is_active=False)
    assert not sees_province_on(commune_officer, TODAY)


def test_it_never_outlasts_a_role_that_has_an_end(officer: User, commune_officer: User) -> None:
    officer.assignments.update(valid_to=datetime.date(2026, 12, 1))
    row = delegate(officer, commune_officer)
    assert row.last_day == datetime.date(2026, 11, 30)


@pytest.mark.parametrize(("days", "taken"), [(-1, False), (0, True), (89, True), (90, False), (400, False)])
def test_it_lasts_ninety_days_at_most(officer: User, commune_officer: User, days: int, taken: bool) -> None:
    last_day = TODAY + datetime.timedelta(days=days)
    if taken:
        assert delegate(officer, commune_officer, last_day).last_day == last_day
    else:
        with pytest.raises(operations.DelegationRefused):
            delegate(officer, commune_officer, last_day)


@pytest.mark.parametrize(
    ("by", "to"),
    [
        ("officer", "stranger"), ("officer", "researcher"), ("officer", "newcomer"), ("officer", "officer"),
        ("officer", "ministry"), ("commune_officer", "officer"), ("ministry", "officer"), ("ministry", "coordinator"),
        ("coordinator", "commune_officer"), ("officer", "colleague"),
    ],
)  # fmt: skip
def test_who_does_not_work_in_the_unit_or_holds_the_role_gets_none(request, by: str, to: str) -> None:
    giver, taker = request.getfixturevalue(by), request.getfixturevalue(to)
    with pytest.raises(operations.DelegationRefused):
        delegate(giver, taker)
    assert not Assignment.objects.exclude(delegated_from=None).exists()


def test_a_delegated_role_is_not_delegated_further(
    officer: User, commune_officer: User, coordinator: User
) -> None:
    row = delegate(officer, commune_officer)
    with pytest.raises(operations.DelegationRefused):
        operations.delegate_role(assignment=row, to=coordinator, last_day=LAST, by=commune_officer)


def test_the_role_of_somebody_else_is_not_delegated(officer: User, colleague: User, commune_officer) -> None:
    with pytest.raises(NotAllowed):
        operations.delegate_role(
            assignment=officer.assignments.get(), to=commune_officer, last_day=LAST, by=colleague
        )


def test_a_switched_off_person_gets_no_role(officer: User, commune_officer: User) -> None:
    User.objects.filter(pk=commune_officer.pk).update(is_active=False)
    with pytest.raises(operations.DelegationRefused):
        delegate(officer, User.objects.get(pk=commune_officer.pk))


def test_what_the_delegate_does_is_named_in_the_log(officer: User, commune_officer: User) -> None:
    delegate(officer, commune_officer)
    again = User.objects.get(pk=commune_officer.pk)
    operations.change_profile(user=again, full_name=again.full_name, email="", language="vi")
    entry = AuditEntry.objects.get(action="accounts.profile_changed")
    assert entry.actor == commune_officer
    assert entry.actor_name == "Phạm Thị Đào (được ủy quyền bởi Trần Văn Đức)"
    given = AuditEntry.objects.get(action="accounts.role_delegated")
    assert (given.actor_name, given.after["delegated_by"]) == ("Trần Văn Đức", "so")


@pytest.mark.usefixtures("second_factor_required")
def test_a_delegated_role_asks_for_the_second_factor_too(signed_in, officer, commune_officer: User) -> None:
    browser = signed_in(commune_officer)
    assert browser.get("/tai-khoan").status_code == 200
    delegate(officer, commune_officer)
    assert browser.get("/tai-khoan").headers["Location"] == "/dang-nhap/thiet-lap-ma"
    secret = operations.begin_totp(user=commune_officer)
    browser.post("/dang-nhap/thiet-lap-ma", {"code": code_now(secret)})
    assert browser.get("/tai-khoan").status_code == 200


def test_both_see_it_on_their_pages_and_either_ends_it_there(
    signed_in, officer: User, commune_officer: User, stranger: User
) -> None:
    giver, taker = signed_in(officer), signed_in(commune_officer)
    page = giver.get("/tai-khoan/uy-quyen", {"q": "dao"}).content.decode()
    assert "Phạm Thị Đào" in page
    form = {"person": commune_officer.pk, "last_day": LAST.isoformat()}
    assert giver.post("/tai-khoan/uy-quyen?q=dao", form).headers["Location"] == "/tai-khoan"
    assert "Phạm Thị Đào" in giver.get("/tai-khoan").content.decode()
    html = taker.get("/tai-khoan").content.decode()
    assert "được ủy quyền bởi Trần Văn Đức" in html
    assert "31/12/2026" in html
    row = Assignment.objects.exclude(delegated_from=None).get()
    address = f"/tai-khoan/uy-quyen/{row.pk}/ket-thuc"
    assert signed_in(stranger).post(address).status_code == 404
    assert Client().post(address).status_code == 302
    assert Assignment.objects.filter(pk=row.pk).exists()
    assert giver.post(address).headers["Location"] == "/tai-khoan"
    assert "được ủy quyền bởi" not in taker.get("/tai-khoan").content.decode()


def test_the_page_offers_nobody_of_another_unit_and_takes_no_forged_choice(
    signed_in, officer: User, stranger: User, coordinator: User
) -> None:
    browser = signed_in(officer)
    page = browser.get("/tai-khoan/uy-quyen").content.decode()
    assert stranger.full_name not in page
    assert coordinator.full_name in page
    answer = browser.post("/tai-khoan/uy-quyen", {"person": stranger.pk, "last_day": LAST.isoformat()})
    assert answer.status_code == 200
    assert not Assignment.objects.exclude(delegated_from=None).exists()


def test_who_holds_no_role_of_their_own_has_nothing_to_delegate(signed_in, newcomer: User) -> None:
    assert "không có vai trò để ủy quyền" in signed_in(newcomer).get("/tai-khoan/uy-quyen").content.decode()


def test_the_scope_with_a_delegation_costs_one_query(
    officer: User, commune_officer: User, django_assert_num_queries
) -> None:
    delegate(officer, commune_officer)
    again = User.objects.get(pk=commune_officer.pk)
    with django_assert_num_queries(1):
        permissions.scope_of(again)
        permissions.delegators_of(again)
