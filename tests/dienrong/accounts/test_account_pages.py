"""A person looks after their own account; nobody reaches another's."""

from __future__ import annotations

import pytest
from django.test import Client

from dienrong.accounts.devices import device_name
from dienrong.accounts.models import SignIn, User
from dienrong.audit.models import AuditEntry

PASSWORD = "dien-rong-2026"
NEW = "mùa-xuân-nho-nhỏ-88"
pytestmark = pytest.mark.django_db
PAGES = ("/tai-khoan", "/tai-khoan/mat-khau")


def sign_in(username: str, agent: str = "Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Safari/537.36") -> Client:
    client = Client(headers={"user-agent": agent})
    client.post("/dang-nhap", {"username": username, "password": PASSWORD})
    return client


@pytest.mark.parametrize("page", PAGES)
def test_visitors_are_led_to_the_login_page(visitor: Client, page: str) -> None:
    answer = visitor.get(page)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/dang-nhap?next=")


@pytest.mark.parametrize("page", PAGES)
def test_everyone_sees_their_own_account_alone(
    signed_in, coordinator: User, stranger: User, page: str
) -> None:
    html = signed_in(stranger).get(page).content.decode()
    assert stranger.full_name in html
    assert coordinator.full_name not in html
    assert coordinator.username not in html.split()


def test_the_profile_names_role_and_unit(signed_in, coordinator: User) -> None:
    html = signed_in(coordinator).get("/tai-khoan").content.decode()
    assert "Điều phối viên trường" in html
    assert "Trường TH Hòa Bình" in html


def test_a_person_without_role_is_told_so(signed_in, newcomer: User) -> None:
    assert "Thầy/cô chưa được giao vai trò" in signed_in(newcomer).get("/tai-khoan").content.decode()


def test_a_person_changes_their_name_and_language(signed_in, officer: User) -> None:
    browser = signed_in(officer)
    form = {"full_name": " Trần  Văn\u00a0Đức ", "email": "duc@example.vn", "language": "en"}
    answer = browser.post("/tai-khoan", form, follow=True)
    officer.refresh_from_db()
    assert (officer.full_name, officer.email, officer.language) == ("Trần Văn Đức", "duc@example.vn", "en")
    assert officer.search_key == "tran van duc so"
    assert "Your account was changed." in answer.content.decode()
    entry = AuditEntry.objects.get(action="accounts.profile_changed")
    assert entry.before["email"] == ""
    assert entry.after["email"] == "duc@example.vn"


def test_faults_of_the_form_stand_on_top_and_beside_the_field(signed_in, officer: User) -> None:
    html = (
        signed_in(officer)
        .post("/tai-khoan", {"full_name": "", "email": "x", "language": "vi"})
        .content.decode()
    )
    assert "Xin sửa các mục sau" in html
    assert 'href="#id_email"' in html
    assert html.count("field-error") == 2
    assert 'aria-invalid="true"' in html


def test_a_new_password_keeps_this_browser_and_ends_the_others(officer: User) -> None:
    here, elsewhere = sign_in("so"), sign_in("so")
    form = {"old_password": PASSWORD, "new_password": NEW, "repeated": NEW}
    answer = here.post("/tai-khoan/mat-khau", form, follow=True)
    assert "Đã đổi mật khẩu" in answer.content.decode()
    assert here.get("/tai-khoan").status_code == 200
    assert elsewhere.get("/tai-khoan").status_code == 302
    assert SignIn.objects.get().session_key == here.session.session_key
    officer.refresh_from_db()
    assert officer.check_password(NEW)
    assert AuditEntry.objects.filter(action="accounts.password_changed", actor=officer).count() == 1
    assert NEW not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"old_password": "wrong", "new_password": NEW, "repeated": NEW}, "không phải mật khẩu hiện tại"),
        ({"old_password": PASSWORD, "new_password": NEW, "repeated": "x"}, "Hai mật khẩu mới khác nhau"),
        ({"old_password": PASSWORD, "new_password": "ngan", "repeated": "ngan"}, "10"),
        ({"old_password": PASSWORD, "new_password": "1234567890", "repeated": "1234567890"}, "số"),
        ({"old_password": PASSWORD, "new_password": "Trần Văn Đức", "repeated": "Trần Văn Đức"}, "giống"),
    ],
)
def test_a_weak_or_wrong_password_changes_nothing(
    signed_in, officer: User, form: dict, sentence: str
) -> None:
    html = signed_in(officer).post("/tai-khoan/mat-khau", form).content.decode()
    assert sentence in html
    officer.refresh_from_db()
    assert officer.check_password(PASSWORD)


def test_a_person_ends_their_session_in_another_browser(officer: User) -> None:
    here, elsewhere = sign_in("so"), sign_in("so", "Mozilla/5.0 (X11; Linux x86_64) Firefox/146.0")
    html = here.get("/tai-khoan").content.decode()
    assert "Chrome 142 · Windows" in html
    assert "Firefox 146 · Linux" in html
    other = SignIn.objects.get(session_key=elsewhere.session.session_key)
    here.post(f"/tai-khoan/phien/{other.pk}/ket-thuc")
    assert elsewhere.get("/tai-khoan").status_code == 302
    assert here.get("/tai-khoan").status_code == 200


def test_nobody_ends_the_session_of_somebody_else(signed_in, officer: User, stranger: User) -> None:
    theirs = sign_in("so")
    row = SignIn.objects.get(user=officer)
    assert signed_in(stranger).post(f"/tai-khoan/phien/{row.pk}/ket-thuc").status_code == 404
    assert Client().post(f"/tai-khoan/phien/{row.pk}/ket-thuc").status_code == 302
    assert theirs.get("/tai-khoan").status_code == 200


def test_the_profile_asks_the_database_the_same_however_many_browsers(
    signed_in, officer: User, django_assert_num_queries, bare_shell
) -> None:
    browser = signed_in(officer)
    with django_assert_num_queries(7):  # session, person, roles, delegations, app, keys, browsers
        browser.get("/tai-khoan")
    for n in range(20):
        SignIn.objects.create(user=officer, session_key=f"key{n}", device="Chrome")
    with django_assert_num_queries(7):
        browser.get("/tai-khoan")


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36",
            "Chrome 142 · Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 6.1) coc_coc_browser/117.0 Chrome/111.0 Safari/537.36",
            "Cốc Cốc 117 · Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Safari/537.36 Edg/142.0", "Edge 142 · Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E Safari/604",
            "Safari 18 · iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/142.0 Mobile Safari/537.36", "Chrome 142 · Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", ""),
    ],
)
def test_browsers_are_named_in_few_words(agent: str, name: str) -> None:
    assert device_name(agent) == name
