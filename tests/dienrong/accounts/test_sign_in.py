"""Signing in and out through HTTP, and the door that closes after wrong passwords."""

from __future__ import annotations

import datetime

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from dienrong.accounts.models import SignIn, SignInFailure, User
from dienrong.audit.models import AuditEntry
from dienrong.core import clock

PASSWORD = "dien-rong-2026"
NOON = datetime.datetime(2026, 11, 22, 5, 0, tzinfo=datetime.UTC)
pytestmark = pytest.mark.django_db


def sign_in(client: Client, username: str, password: str = PASSWORD, address: str = "10.1.1.1", **more):
    return client.post(
        "/dang-nhap", {"username": username, "password": password, **more}, REMOTE_ADDR=address
    )


def is_signed_in(client: Client) -> bool:
    return client.get("/tai-khoan").status_code == 200


def test_a_person_signs_in_and_reaches_the_page_they_wanted(visitor: Client, officer: User) -> None:
    wanted = visitor.get("/tai-khoan/mat-khau")
    assert wanted.status_code == 302
    assert wanted.headers["Location"] == "/dang-nhap?next=%2Ftai-khoan%2Fmat-khau"
    answer = sign_in(visitor, "so", next="/tai-khoan/mat-khau")
    assert answer.headers["Location"] == "/tai-khoan/mat-khau"
    assert is_signed_in(visitor)


def test_user_names_have_no_case_and_no_stray_blanks(visitor: Client, officer: User) -> None:
    assert sign_in(visitor, "  SO ").status_code == 302


def test_the_way_back_never_leads_off_the_site(visitor: Client, officer: User) -> None:
    assert sign_in(visitor, "so", next="https://evil.example/").headers["Location"] == "/"


def test_a_wrong_password_and_an_unknown_name_sound_the_same(visitor: Client, officer: User) -> None:
    wrong = sign_in(visitor, "so", "not-the-password").content.decode()
    unknown = sign_in(visitor, "nobody", "not-the-password").content.decode()
    sentence = "Tên đăng nhập và mật khẩu không khớp"
    assert sentence in wrong
    assert sentence in unknown
    assert not is_signed_in(visitor)


def test_the_password_is_never_sent_back(visitor: Client, officer: User) -> None:
    assert "not-the-password" not in sign_in(visitor, "so", "not-the-password").content.decode()


def test_a_person_who_may_not_sign_in_does_not(visitor: Client, officer: User) -> None:
    officer.is_active = False
    officer.save()
    assert "không khớp" in sign_in(visitor, "so").content.decode()


def test_an_account_that_is_closed_loses_its_open_browsers(signed_in, officer: User) -> None:
    browser = signed_in(officer)
    assert is_signed_in(browser)
    officer.is_active = False
    officer.save()
    assert not is_signed_in(browser)


def test_five_wrong_passwords_lock_the_account_for_fifteen_minutes(visitor: Client, officer: User) -> None:
    with clock.fixed(NOON):
        for _ in range(5):
            sign_in(visitor, "so", "wrong")
        locked = sign_in(visitor, "so", PASSWORD, address="10.9.9.9").content.decode()
        assert "Có thể đăng nhập lại từ 12:15 22/11/2026" in locked
        assert not is_signed_in(visitor)
    with clock.fixed(NOON + datetime.timedelta(minutes=14, seconds=59)):
        assert sign_in(visitor, "so").status_code == 200
    with clock.fixed(NOON + datetime.timedelta(minutes=15)):
        assert sign_in(visitor, "so").status_code == 302


def test_attempts_while_locked_do_not_prolong_the_lock(visitor: Client, officer: User) -> None:
    with clock.fixed(NOON):
        for _ in range(5):
            sign_in(visitor, "so", "wrong")
    with clock.fixed(NOON + datetime.timedelta(minutes=10)):
        for _ in range(5):
            sign_in(visitor, "so", "wrong")
    assert SignInFailure.objects.count() == 5
    with clock.fixed(NOON + datetime.timedelta(minutes=16)):
        assert sign_in(visitor, "so").status_code == 302


def test_failures_that_lie_apart_do_not_lock(visitor: Client, officer: User) -> None:
    for minutes in range(0, 60, 10):
        with clock.fixed(NOON + datetime.timedelta(minutes=minutes)):
            sign_in(visitor, "so", "wrong")
    with clock.fixed(NOON + datetime.timedelta(minutes=55)):
        assert sign_in(visitor, "so").status_code == 302


def test_a_name_that_does_not_exist_is_locked_in_the_same_words(visitor: Client) -> None:
    for _ in range(5):
        sign_in(visitor, "nobody", "wrong")
    assert "Sai mật khẩu quá nhiều lần" in sign_in(visitor, "nobody", "wrong").content.decode()


def test_a_right_password_forgets_the_failures(visitor: Client, officer: User) -> None:
    for _ in range(4):
        sign_in(visitor, "so", "wrong")
    sign_in(visitor, "so")
    for _ in range(4):
        sign_in(visitor, "so", "wrong")
    assert sign_in(visitor, "so").status_code == 302


def test_an_address_that_tries_many_accounts_is_locked_and_others_are_not(
    visitor: Client, officer: User, ministry: User
) -> None:
    for n in range(20):
        sign_in(visitor, f"guess{n}", "wrong", address="10.6.6.6")
    assert "Sai mật khẩu quá nhiều lần" in sign_in(visitor, "so", address="10.6.6.6").content.decode()
    assert sign_in(visitor, "so", address="10.1.1.1").status_code == 302


def test_the_lock_is_written_into_the_log(visitor: Client, officer: User) -> None:
    for _ in range(5):
        sign_in(visitor, "so", "wrong")
    entry = AuditEntry.objects.get(action="accounts.sign_in_locked")
    assert (entry.object_id, entry.actor, entry.address) == ("so", None, "10.1.1.1")


def test_old_failures_are_forgotten(visitor: Client, officer: User) -> None:
    with clock.fixed(NOON):
        sign_in(visitor, "so", "wrong")
    with clock.fixed(NOON + datetime.timedelta(days=3)):
        sign_in(visitor, "so", "wrong")
    assert SignInFailure.objects.count() == 1


def test_signing_in_gives_a_new_session_key(visitor: Client, officer: User) -> None:
    visitor.get("/dang-nhap")
    session = visitor.session
    session["mark"] = 1
    session.save()
    visitor.cookies["dienrong_session"] = session.session_key
    before = session.session_key
    sign_in(visitor, "so")
    assert visitor.cookies["dienrong_session"].value != before
    assert not Session.objects.filter(session_key=before).exists()


def test_signing_out_ends_the_session_and_needs_a_post(visitor: Client, officer: User) -> None:
    sign_in(visitor, "so")
    assert visitor.get("/dang-xuat").status_code == 405
    assert is_signed_in(visitor)
    answer = visitor.post("/dang-xuat", follow=True)
    assert "Đã đăng xuất." in answer.content.decode()
    assert not is_signed_in(visitor)
    assert not SignIn.objects.exists()
    assert AuditEntry.objects.filter(action="accounts.signed_out", actor=officer).count() == 1


def test_the_language_of_the_account_is_spoken_after_sign_in(visitor: Client, officer: User) -> None:
    officer.language = "en"
    officer.save()
    sign_in(visitor, "so")
    assert "My account" in visitor.get("/tai-khoan").content.decode()


def test_demo_accounts_are_shown_in_a_demonstration_alone(visitor: Client, officer: User, settings) -> None:
    import dataclasses

    User.objects.filter(pk=officer.pk).update(is_demo=True)
    assert "Tài khoản trình diễn" not in visitor.get("/dang-nhap").content.decode()
    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, demo=True)
    html = visitor.get("/dang-nhap").content.decode()
    assert "Tài khoản trình diễn" in html
    assert "Chuyên viên Sở (cấp tỉnh)" in html
    assert PASSWORD not in html


def test_passwords_are_kept_by_a_slow_memory_hungry_hash(settings) -> None:
    from importlib import import_module

    assert import_module("dienrong.settings").PASSWORD_HASHERS[0].endswith("ScryptPasswordHasher")


def test_the_login_page_asks_the_database_nothing(visitor: Client, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        visitor.get("/dang-nhap")
