"""One-time links: shown once, used once, ended in time, revocable; nobody gives more than they may."""

from __future__ import annotations

import datetime
import re

import pytest
from django.test import Client

from dienrong.accounts import operations, queries
from dienrong.accounts.models import Assignment, Invitation, SignIn, User
from dienrong.audit.models import AuditEntry
from dienrong.core import clock

PASSWORD = "dien-rong-2026"
NEW = "mùa-xuân-nho-nhỏ-88"
PROVINCE, COMMUNE, SCHOOL = "01", "00004", "01000001"
OTHER_COMMUNE, OTHER_SCHOOL = "26734", "79000001"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("register")]


def invite(by: User, **more) -> tuple[Invitation, str]:
    facts = {
        "full_name": "Phạm Thị Hoa",
        "role": "school_coordinator",
        "unit_kind": "school",
        "unit_code": SCHOOL,
    }
    return operations.invite(new=operations.NewPerson(**(facts | more)), by=by)


def choose(client: Client, raw: str, username: str = "hoa.pham", password: str = NEW, **more):
    form = {"username": username, "new_password": password, "repeated": password}
    return client.post(f"/moi/{raw}", form, **more)


def test_an_officer_invites_and_the_person_makes_their_account(signed_in, officer: User) -> None:
    browser = signed_in(officer)
    page = browser.get("/nguoi-dung/moi", {"role": "school_coordinator", "q": "hoa binh"}).content.decode()
    assert "Trường TH Hòa Bình (01000001)" in page
    assert "79000001" not in page
    form = {"unit": f"school:{SCHOOL}", "full_name": "Phạm  Thị Hoa", "until": ""}
    shown = browser.post("/nguoi-dung/moi?role=school_coordinator&q=hoa+binh", form, follow=True)
    html = shown.content.decode()
    raw = re.search(r"http://testserver/moi/([\w-]{43})", html).group(1)
    assert "<svg" in html
    assert "Kính gửi" in html
    welcome = Client().get(f"/moi/{raw}")
    assert welcome.headers["Referrer-Policy"] == "same-origin"
    text = welcome.content.decode()
    for word in ("Phạm Thị Hoa", "Trần Văn Đức", "Điều phối viên trường", "Trường TH Hòa Bình"):
        assert word in text
    newcomer = Client()
    answer = choose(newcomer, raw)
    assert answer.headers["Location"] == "/"
    assert newcomer.get("/tai-khoan").status_code == 200
    user = User.objects.get(username="hoa.pham")
    held = user.assignments.get()
    assert (held.role, held.unit_code, held.unit_name) == (
        "school_coordinator",
        SCHOOL,
        "Trường TH Hòa Bình",
    )
    assert (held.province_code, held.commune_code) == (PROVINCE, COMMUNE)
    assert AuditEntry.objects.get(action="accounts.role_assigned", object_id=str(user.pk)).actor == officer
    assert raw not in str(list(Invitation.objects.values())) + str(list(AuditEntry.objects.values()))


def test_the_link_is_shown_this_once(signed_in, officer: User) -> None:
    browser = signed_in(officer)
    form = {"unit": f"school:{SCHOOL}", "full_name": "Phạm Thị Hoa"}
    first = browser.post("/nguoi-dung/moi?role=school_coordinator&q=hoa", form, follow=True)
    assert "/moi/" in first.content.decode().replace("/nguoi-dung/moi", "")
    second = browser.get(first.redirect_chain[-1][0]).content.decode()
    assert "testserver/moi/" not in second
    assert "không được lưu" in second


def test_a_link_is_used_once(officer: User) -> None:
    _invitation, raw = invite(officer)
    choose(Client(), raw)
    again = choose(Client(), raw, username="other")
    assert again.status_code == 409
    assert "Trần Văn Đức" in again.content.decode()
    assert not User.objects.filter(username="other").exists()


def test_opening_a_link_uses_nothing_up(officer: User) -> None:
    """Messengers open links by themselves to draw a preview."""
    _invitation, raw = invite(officer)
    for _ in range(3):
        assert Client().get(f"/moi/{raw}").status_code == 200
    assert choose(Client(), raw).status_code == 302


def test_a_link_ends_after_its_days_and_says_whom_to_ask(noon, officer: User, settings) -> None:
    _invitation, raw = invite(officer)
    with clock.fixed(noon + datetime.timedelta(days=7, seconds=-1)):
        assert Client().get(f"/moi/{raw}").status_code == 200
    with clock.fixed(noon + datetime.timedelta(days=7)):
        answer = Client().get(f"/moi/{raw}")
    assert answer.status_code == 409
    assert "Trần Văn Đức" in answer.content.decode()


def test_a_revoked_link_opens_nothing(signed_in, officer: User) -> None:
    invitation, raw = invite(officer)
    signed_in(officer).post(f"/nguoi-dung/loi-moi/{invitation.pk}/thu-hoi")
    assert choose(Client(), raw).status_code == 409
    assert not User.objects.filter(username="hoa.pham").exists()
    again = signed_in(officer).post(f"/nguoi-dung/loi-moi/{invitation.pk}/thu-hoi")
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("username", "password", "sentence"),
    [
        ("so", NEW, "đã có người dùng"),
        ("hoa pham", NEW, "hợp lệ"),
        ("hoa.pham", "ngan", "10"),
        ("hoa.pham", "phạm thị hoa", "giống"),
    ],
)
def test_a_bad_choice_leaves_the_link_open(officer: User, username, password, sentence) -> None:
    _invitation, raw = invite(officer)
    answer = choose(Client(), raw, username=username, password=password)
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert choose(Client(), raw).status_code == 302


def test_guessing_links_locks_the_address_and_not_the_office_passwords(officer: User) -> None:
    _invitation, raw = invite(officer)
    for n in range(20):
        assert Client().get(f"/moi/guess{n}", REMOTE_ADDR="10.6.6.6").status_code == 409
    locked = Client().get(f"/moi/{raw}", REMOTE_ADDR="10.6.6.6")
    assert locked.status_code == 422
    assert "quá nhiều" in locked.content.decode()
    assert Client().get(f"/moi/{raw}", REMOTE_ADDR="10.1.1.1").status_code == 200
    form = {"username": "so", "password": PASSWORD}
    assert Client().post("/dang-nhap", form, REMOTE_ADDR="10.6.6.6").status_code == 302


def test_what_the_officer_may_not_give_any_more_the_link_does_not_give(ministry: User, officer: User) -> None:
    _invitation, raw = invite(officer)
    operations.end_role(assignment=officer.assignments.get(), on=clock.today(), by=ministry)
    answer = choose(Client(), raw)
    assert answer.status_code == 409
    assert not User.objects.filter(username="hoa.pham").exists()


def test_a_link_of_an_officer_who_was_switched_off_gives_nothing(officer: User) -> None:
    _invitation, raw = invite(officer)
    User.objects.filter(pk=officer.pk).update(is_active=False)
    assert choose(Client(), raw).status_code == 409


def test_who_is_signed_in_is_asked_to_sign_out_first(signed_in, officer: User) -> None:
    _invitation, raw = invite(officer)
    html = signed_in(officer).get(f"/moi/{raw}").content.decode()
    assert "đăng xuất" in html.lower()
    assert signed_in(officer).post(f"/moi/{raw}", {"username": "x"}).status_code == 200
    assert Invitation.objects.get().used_at is None


@pytest.mark.parametrize(
    ("inviter", "role", "kind", "code", "may"),
    [
        ("ministry", "ministry_expert", "nation", "", True),
        ("ministry", "province_officer", "province", "79", True),
        ("ministry", "province_officer", "province", "99", False),
        ("officer", "province_officer", "province", PROVINCE, False),
        ("officer", "ministry_expert", "nation", "", False),
        ("officer", "researcher", "nation", "", False),
        ("officer", "coder", "nation", "", False),
        ("officer", "coder", "province", PROVINCE, True),
        ("officer", "commune_officer", "commune", COMMUNE, True),
        ("officer", "commune_officer", "commune", OTHER_COMMUNE, False),
        ("officer", "school_coordinator", "school", OTHER_SCHOOL, False),
        ("commune_officer", "commune_officer", "commune", COMMUNE, False),
        ("commune_officer", "school_coordinator", "school", SCHOOL, True),
        ("commune_officer", "school_coordinator", "school", "01000002", False),
        ("coordinator", "test_administrator", "school", SCHOOL, False),
        ("researcher", "school_coordinator", "school", SCHOOL, False),
        ("newcomer", "school_coordinator", "school", SCHOOL, False),
        ("stranger", "school_coordinator", "school", SCHOOL, False),
    ],
)
def test_a_role_is_given_from_above_and_within_the_unit(request, inviter, role, kind, code, may) -> None:
    from dienrong.core.refusals import NotAllowed

    by = request.getfixturevalue(inviter)
    if may:
        invitation, _raw = invite(by, role=role, unit_kind=kind, unit_code=code)
        assert invitation.role == role
    else:
        with pytest.raises(NotAllowed):
            invite(by, role=role, unit_kind=kind, unit_code=code)
        assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "wizard"},
        {"role": "school_coordinator", "unit_kind": "province", "unit_code": "01"},
        {"unit_code": ""},
        {"full_name": " "},
        {"email": "no address"},
        {"role_until": datetime.date(2020, 1, 1)},
    ],
)
def test_a_malformed_invitation_is_refused(ministry: User, wrong: dict) -> None:
    with pytest.raises(operations.InvitationRefused):
        invite(ministry, **wrong)
    assert not Invitation.objects.exists()


def test_a_role_may_have_a_last_day(noon, officer: User) -> None:
    last = datetime.date(2026, 12, 31)
    _invitation, raw = invite(officer, role_until=last)
    choose(Client(), raw)
    held = Assignment.objects.get(user__username="hoa.pham")
    assert (held.valid_to, held.last_day) == (datetime.date(2027, 1, 1), last)


def test_a_new_password_by_link_ends_every_browser_and_opens_a_locked_door(
    officer: User, coordinator: User
) -> None:
    elsewhere = Client()
    elsewhere.post("/dang-nhap", {"username": "truong", "password": PASSWORD})
    for _ in range(5):
        Client().post("/dang-nhap", {"username": "truong", "password": "wrong"})
    _invitation, raw = operations.reset_sign_in(person=coordinator, by=officer)
    page = Client().get(f"/moi/{raw}").content.decode()
    assert "truong" in page
    here = Client()
    answer = here.post(f"/moi/{raw}", {"new_password": NEW, "repeated": NEW})
    assert answer.headers["Location"] == "/"
    assert here.get("/tai-khoan").status_code == 200
    assert elsewhere.get("/tai-khoan").status_code == 302
    assert SignIn.objects.filter(user=coordinator).count() == 1
    assert Client().post(f"/moi/{raw}", {"new_password": NEW, "repeated": NEW}).status_code == 409
    assert Client().post("/dang-nhap", {"username": "truong", "password": NEW}).status_code == 302


def test_a_second_reset_link_revokes_the_first(officer: User, coordinator: User) -> None:
    _first, old = operations.reset_sign_in(person=coordinator, by=officer)
    _second, new = operations.reset_sign_in(person=coordinator, by=officer)
    assert Client().get(f"/moi/{old}").status_code == 409
    assert Client().get(f"/moi/{new}").status_code == 200


def test_a_switched_off_account_is_not_opened_by_a_link(officer: User, coordinator: User) -> None:
    _invitation, raw = operations.reset_sign_in(person=coordinator, by=officer)
    operations.switch_account(person=coordinator, is_active=False, by=officer)
    assert Client().post(f"/moi/{raw}", {"new_password": NEW, "repeated": NEW}).status_code == 409
    with pytest.raises(operations.InvitationRefused):
        operations.reset_sign_in(person=coordinator, by=officer)


def test_a_stranger_sees_no_link_of_another_unit(
    signed_in, officer: User, stranger: User, coordinator: User, researcher: User
) -> None:
    invitation, _raw = invite(officer)
    address = f"/nguoi-dung/loi-moi/{invitation.pk}"
    for other in (stranger, coordinator, researcher):
        browser = signed_in(other)
        assert browser.get(address).status_code == 403
        assert browser.post(f"{address}/thu-hoi").status_code == 403
        assert "Phạm Thị Hoa" not in browser.get("/nguoi-dung/loi-moi").content.decode()
    assert Client().get(address).status_code == 302
    assert Invitation.objects.get().revoked_at is None


def test_the_officer_above_sees_and_revokes_the_links_of_the_commune(
    signed_in, officer: User, commune_officer: User
) -> None:
    invitation, _raw = invite(commune_officer)
    browser = signed_in(officer)
    assert "Phạm Thị Hoa" in browser.get("/nguoi-dung/loi-moi").content.decode()
    assert browser.post(f"/nguoi-dung/loi-moi/{invitation.pk}/thu-hoi").status_code == 302
    assert queries.invitation(invitation.pk).state == "revoked"


def test_the_list_of_links_asks_the_same_however_many(
    signed_in, officer: User, django_assert_num_queries, bare_shell
) -> None:
    browser = signed_in(officer)
    invite(officer)
    browser.get("/nguoi-dung/loi-moi")
    with django_assert_num_queries(5):  # session, person, roles, count, links
        browser.get("/nguoi-dung/loi-moi")
    for _ in range(20):
        invite(officer)
    with django_assert_num_queries(5):
        browser.get("/nguoi-dung/loi-moi")
