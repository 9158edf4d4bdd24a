"""The second step: asked of officers above the communes, never replayed, locked by itself, recoverable once."""

from __future__ import annotations

import datetime
import re

import pytest
from django.test import Client

from dienrong.accounts import operations, permissions, queries
from dienrong.accounts.models import RecoveryCode, Totp, User
from dienrong.audit.models import AuditEntry
from dienrong.core import clock, sealing

from .conftest import code_now

PASSWORD = "dien-rong-2026"
NEW = "mùa-xuân-nho-nhỏ-88"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("register", "second_factor_required", "noon")]


def sign_in(username: str = "so", client: Client | None = None, **more) -> tuple[Client, object]:
    client = client or Client()
    return client, client.post("/dang-nhap", {"username": username, "password": PASSWORD, **more})


def later(noon: datetime.datetime, **span) -> object:
    return clock.fixed(noon + datetime.timedelta(**span))


def set_up(user: User) -> tuple[str, tuple[str, ...]]:
    secret = operations.begin_totp(user=user)
    return secret, operations.confirm_totp(user=user, code=code_now(secret))


def test_an_officer_is_led_to_set_up_and_can_open_nothing_else(officer: User) -> None:
    client, answer = sign_in(next="/truong")
    assert answer.headers["Location"] == "/dang-nhap/thiet-lap-ma"
    for page in ("/", "/tai-khoan", "/truong", "/nguoi-dung", "/nhat-ky"):
        assert "Trần Văn Đức" not in client.get(page).content.decode()
    assert client.get("/tai-khoan").status_code == 302
    page = client.get("/dang-nhap/thiet-lap-ma").content.decode()
    assert "<svg" in page
    secret = re.search(r'key-letters">([A-Z2-7 ]+)<', page).group(1)
    assert secret in client.get("/dang-nhap/thiet-lap-ma").content.decode(), "reloading keeps the key"
    wrong = client.post("/dang-nhap/thiet-lap-ma", {"code": "000000"}).content.decode()
    assert "Mã chưa đúng" in wrong
    done = client.post("/dang-nhap/thiet-lap-ma", {"code": code_now(secret)})
    assert done.headers["Location"] == "/tai-khoan/ma-du-phong"
    codes = client.get("/tai-khoan/ma-du-phong").content.decode()
    assert len(re.findall(r"<li>[\w]{4}-[\w]{4}-[\w]{4}</li>", codes)) == 10
    assert 'href="/truong"' in codes
    assert "đã hiện trước đó" in client.get("/tai-khoan/ma-du-phong").content.decode()
    assert client.get("/tai-khoan").status_code == 200


def test_the_secret_is_sealed_and_the_recovery_codes_are_digests(officer: User) -> None:
    secret, codes = set_up(officer)
    kept = Totp.objects.get()
    assert secret.encode() not in bytes(kept.sealed_secret)
    assert secret in sealing.open_sealed("accounts.totp", kept.sealed_secret).decode()
    everything = str(list(RecoveryCode.objects.values())) + str(list(AuditEntry.objects.values()))
    assert secret not in everything
    for code in codes:
        assert code not in everything
        assert code.replace("-", "") not in everything


def test_a_secret_moved_to_another_account_does_not_open(officer: User, ministry: User) -> None:
    secret, _codes = set_up(officer)
    Totp.objects.update(user=ministry)
    with pytest.raises(sealing.SealBroken):
        operations.check_code(user=ministry, code=code_now(secret), address="")


def test_signing_in_asks_for_the_code_and_then_leads_on(noon, officer: User) -> None:
    secret, _codes = set_up(officer)
    with later(noon, minutes=5):
        client, answer = sign_in(next="/tai-khoan/mat-khau")
        assert answer.headers["Location"] == "/dang-nhap/ma-xac-thuc"
        assert client.get("/tai-khoan").status_code == 302
        page = client.get("/dang-nhap/ma-xac-thuc").content.decode()
        assert "Trần Văn Đức" in page
        done = client.post("/dang-nhap/ma-xac-thuc", {"code": code_now(secret)})
        assert done.headers["Location"] == "/tai-khoan/mat-khau"
        assert client.get("/tai-khoan").status_code == 200
    entry = AuditEntry.objects.filter(action="accounts.signed_in").first()
    assert entry.after == {"way": "password", "second_factor": True}


@pytest.mark.parametrize(("steps", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_half_a_minute_off(noon, officer: User, steps: int, fits: bool) -> None:
    secret, _codes = set_up(officer)
    with later(noon, minutes=5):
        code = code_now(secret, steps)
        if fits:
            assert operations.check_code(user=officer, code=code, address="") is False
        else:
            with pytest.raises(operations.CodeRefused):
                operations.check_code(user=officer, code=code, address="")


def test_a_code_is_never_taken_twice_nor_an_older_one_after_it(noon, officer: User) -> None:
    secret, _codes = set_up(officer)
    with pytest.raises(operations.CodeRefused):
        operations.check_code(user=officer, code=code_now(secret), address="")  # it confirmed the app
    with later(noon, minutes=5):
        operations.check_code(user=officer, code=code_now(secret), address="")
        for steps in (0, -1):
            with pytest.raises(operations.CodeRefused):
                operations.check_code(user=officer, code=code_now(secret, steps), address="")
        operations.check_code(user=officer, code=code_now(secret, 1), address="")


@pytest.mark.parametrize(
    "code", ["", " ", "12345", "1234567", "abcdef", "１２３４５６", "000000\x00", "x" * 40]
)
def test_what_is_no_code_is_refused(noon, officer: User, code: str) -> None:
    set_up(officer)
    with later(noon, minutes=5), pytest.raises(operations.CodeRefused):
        operations.check_code(user=officer, code=code, address="")


def test_five_wrong_codes_lock_the_second_step_and_a_right_password_does_not_forgive(
    noon, officer: User
) -> None:
    secret, _codes = set_up(officer)
    with later(noon, minutes=5):
        for _ in range(5):
            client, _answer = sign_in()
            client.post("/dang-nhap/ma-xac-thuc", {"code": "000000"})
        client, answer = sign_in()
        assert answer.headers["Location"] == "/dang-nhap/ma-xac-thuc", "the password itself is not locked"
        locked = client.post("/dang-nhap/ma-xac-thuc", {"code": code_now(secret)}).content.decode()
        assert "Sai mã xác thực quá nhiều lần" in locked
        assert "12:20" in locked
    with later(noon, minutes=21):
        client, _answer = sign_in()
        assert client.post("/dang-nhap/ma-xac-thuc", {"code": code_now(secret)}).status_code == 302
        assert client.get("/tai-khoan").status_code == 200
    assert AuditEntry.objects.filter(action="accounts.sign_in_locked").count() == 1


def test_a_recovery_code_opens_once_however_it_is_typed(noon, officer: User) -> None:
    _secret, codes = set_up(officer)
    with later(noon, minutes=5):
        client, _answer = sign_in()
        typed = f"  {codes[3].upper().replace('-', ' ')} "
        answer = client.post("/dang-nhap/ma-xac-thuc", {"code": typed}, follow=True)
        assert "còn 9 mã" in answer.content.decode()
        assert client.get("/tai-khoan").status_code == 200
        with pytest.raises(operations.CodeRefused):
            operations.check_code(user=officer, code=codes[3], address="")
    assert queries.second_factor_of(officer).n_recovery_codes == 9


def test_a_recovery_code_of_somebody_else_opens_nothing(officer: User, ministry: User) -> None:
    _secret, codes = set_up(officer)
    set_up(ministry)
    with pytest.raises(operations.CodeRefused):
        operations.check_code(user=ministry, code=codes[0], address="")


def test_between_the_steps_ten_minutes_pass_at_most(noon, officer: User) -> None:
    secret, _codes = set_up(officer)
    with later(noon, minutes=5):
        client, _answer = sign_in()
    with later(noon, minutes=15, seconds=1):
        answer = client.post("/dang-nhap/ma-xac-thuc", {"code": code_now(secret)})
        assert answer.headers["Location"] == "/dang-nhap"
        assert client.get("/tai-khoan").status_code == 302


def test_a_password_changed_between_the_steps_ends_the_attempt(noon, officer: User) -> None:
    secret, _codes = set_up(officer)
    with later(noon, minutes=5):
        client, _answer = sign_in()
        operations.set_password(user=officer, password=NEW, by=officer)
        assert (
            client.post("/dang-nhap/ma-xac-thuc", {"code": code_now(secret)}).headers["Location"]
            == "/dang-nhap"
        )


def test_without_the_first_step_there_is_no_second(officer: User) -> None:
    secret, _codes = set_up(officer)
    for page in ("/dang-nhap/ma-xac-thuc", "/dang-nhap/thiet-lap-ma"):
        assert Client().get(page).headers["Location"] == "/dang-nhap"
        assert Client().post(page, {"code": code_now(secret)}).headers["Location"] == "/dang-nhap"


@pytest.mark.parametrize(
    ("who", "needed"),
    [
        ("ministry", True), ("officer", True), ("stranger", True), ("commune_officer", False),
        ("coordinator", False), ("researcher", False), ("newcomer", False),
    ],
)  # fmt: skip
def test_the_ministry_and_the_provinces_are_asked(request, settings, who: str, needed: bool) -> None:
    import dataclasses

    user = request.getfixturevalue(who)
    assert permissions.needs_second_factor(user) == needed
    user.is_demo = True
    assert not permissions.needs_second_factor(user)
    user.is_demo = False
    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, require_totp=False)
    assert not permissions.needs_second_factor(user)


def test_a_demonstration_account_signs_in_by_its_password_and_is_told_so(officer: User) -> None:
    User.objects.filter(pk=officer.pk).update(is_demo=True)
    client, answer = sign_in()
    assert answer.headers["Location"] == "/"
    assert "tài khoản trình diễn được miễn" in client.get("/tai-khoan").content.decode()


def test_who_set_an_app_up_freely_is_asked_for_it_too(noon, coordinator: User) -> None:
    set_up(coordinator)
    with later(noon, minutes=5):
        _client, answer = sign_in("truong")
    assert answer.headers["Location"] == "/dang-nhap/ma-xac-thuc"


def test_an_open_session_stops_when_a_role_asks_for_more(noon, coordinator: User) -> None:
    """A coordinator who becomes an officer while signed in must not work on with a password alone."""
    client, _answer = sign_in("truong")
    assert client.get("/tai-khoan").status_code == 200
    operations.assign_role(user=coordinator, role="province_officer", unit_code="01", by=None)
    for page in ("/", "/tai-khoan", "/truong", "/nguoi-dung"):
        assert client.get(page).headers["Location"] == "/dang-nhap/thiet-lap-ma", page
    assert client.post("/tai-khoan", {"full_name": "X"}).headers["Location"] == "/dang-nhap/thiet-lap-ma"
    page = client.get("/dang-nhap/thiet-lap-ma").content.decode()
    secret = re.search(r'key-letters">([A-Z2-7 ]+)<', page).group(1)
    client.post("/dang-nhap/thiet-lap-ma", {"code": code_now(secret)})
    assert client.get("/nguoi-dung").status_code == 200


def test_a_session_without_the_mark_is_sent_to_the_second_step(noon, signed_in, officer: User) -> None:
    secret, _codes = set_up(officer)
    client = signed_in(officer)
    assert client.get("/truong").headers["Location"] == "/dang-nhap/ma-xac-thuc"
    with later(noon, minutes=5):
        client.post("/dang-nhap/ma-xac-thuc", {"code": code_now(secret)})
        assert client.get("/tai-khoan").status_code == 200
    assert signed_in(officer).post("/dang-xuat").headers["Location"] == "/dang-nhap"


def test_an_officer_asks_for_a_fresh_app_and_the_old_one_opens_nothing(noon, ministry, officer: User) -> None:
    secret, codes = set_up(officer)
    ministry_secret, _codes = set_up(ministry)
    with later(noon, minutes=5):
        theirs, _answer = sign_in()
        theirs.post("/dang-nhap/ma-xac-thuc", {"code": code_now(secret)})
        assert theirs.get("/tai-khoan").status_code == 200
        boss, _answer = sign_in("bo")
        boss.post("/dang-nhap/ma-xac-thuc", {"code": code_now(ministry_secret)})
        assert boss.post(f"/nguoi-dung/{officer.pk}/ma-xac-thuc-moi").status_code == 302
        assert theirs.get("/tai-khoan").status_code == 302
        assert not RecoveryCode.objects.filter(user=officer).exists()
        _client, answer = sign_in()
        assert answer.headers["Location"] == "/dang-nhap/thiet-lap-ma"
    for code in (code_now(secret), codes[0]):
        with pytest.raises(operations.CodeRefused):
            operations.check_code(user=officer, code=code, address="")


def test_moving_to_another_phone_asks_for_a_code_of_the_old(noon, coordinator: User) -> None:
    secret, codes = set_up(coordinator)
    with later(noon, minutes=5):
        client, _answer = sign_in("truong")
        client.post("/dang-nhap/ma-xac-thuc", {"code": code_now(secret)})
        assert "Mã chưa đúng" in client.post("/tai-khoan/ma-xac-thuc", {"code": "000000"}).content.decode()
        assert Totp.objects.count() == 1
        made = client.post("/tai-khoan/ma-xac-thuc", {"code": codes[0], "what": "codes"}, follow=True)
        fresh = re.findall(r"<li>([\w]{4}-[\w]{4}-[\w]{4})</li>", made.content.decode())
        assert len(fresh) == 10
        assert not set(fresh) & set(codes)
        moved = client.post("/tai-khoan/ma-xac-thuc", {"code": fresh[0], "what": "phone"})
        assert moved.headers["Location"] == "/dang-nhap/thiet-lap-ma"
        assert not Totp.objects.exists()


def test_a_link_for_a_new_password_does_not_go_around_the_second_step(noon, ministry, officer: User) -> None:
    set_up(officer)
    _invitation, raw = operations.reset_sign_in(person=officer, by=ministry)
    client = Client()
    answer = client.post(f"/moi/{raw}", {"new_password": NEW, "repeated": NEW})
    assert answer.headers["Location"] == "/dang-nhap/ma-xac-thuc"
    assert client.get("/tai-khoan").status_code == 302


def test_an_invited_officer_sets_up_the_app_right_after_the_password(ministry: User) -> None:
    new = operations.NewPerson(
        full_name="Bùi Thị Xuân", role="province_officer", unit_kind="province", unit_code="79"
    )
    _invitation, raw = operations.invite(new=new, by=ministry)
    form = {"username": "xuan.bui", "new_password": NEW, "repeated": NEW}
    answer = Client().post(f"/moi/{raw}", form)
    assert answer.headers["Location"] == "/dang-nhap/thiet-lap-ma"


def test_codes_are_counted_by_person_and_not_by_their_neighbour(noon, officer: User, colleague: User) -> None:
    set_up(officer)
    secret, _codes = set_up(colleague)
    with later(noon, minutes=5):
        for _ in range(5):
            with pytest.raises(operations.CodeRefused):
                operations.check_code(user=officer, code="000000", address="10.0.0.1")
        assert operations.check_code(user=colleague, code=code_now(secret), address="10.0.0.1") is False
