"""Signing in through a real provider of OpenID Connect, which runs as a process of its own on this machine."""

from __future__ import annotations

import dataclasses
import html
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests

from dienrong import options
from dienrong.accounts import oidc, operations
from dienrong.accounts.models import ExternalIdentity, Invitation, User
from dienrong.audit.models import AuditEntry
from dienrong.core.middleware import content_policy
from dienrong.options import OptionsError

from .conftest import code_now

PASSWORD = "dien-rong-2026"
PROVIDER_PASSWORD = "provider-password"
CALLBACK = "/dang-nhap/ngoai/ve"
pytestmark = pytest.mark.django_db(transaction=True)


@dataclasses.dataclass(frozen=True)
class Provider:
    address: str
    site: str

    @property
    def issuer(self) -> str:
        return f"{self.address}/o"


@pytest.fixture(scope="module")
def provider(live_server, tmp_path_factory) -> Iterator[Provider]:
    """Start the provider on a free port and stop it at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("provider")
    address = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO")}
    environment |= {
        "PROVIDER_FOLDER": str(folder),
        "PROVIDER_ADDRESS": address,
        "PYTHONPATH": str(Path(__file__).parent),
    }
    command = [sys.executable, "-m", "oidc_provider", str(port), live_server.url + CALLBACK]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            for _ in range(240):
                if process.poll() is not None:
                    raise RuntimeError((folder / "log").read_text(errors="replace")[-2000:])
                try:
                    requests.get(f"{address}/o/.well-known/openid-configuration", timeout=2)
                    break
                except requests.ConnectionError:
                    time.sleep(0.25)
            yield Provider(address=address, site=live_server.url)
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture(autouse=True)
def configured(settings, provider: Provider) -> None:
    oidc.forget_discovery()
    settings.OPTIONS = dataclasses.replace(
        settings.OPTIONS,
        oidc_issuer=provider.issuer,
        oidc_client_id="dienrong",
        oidc_client_secret="client-secret",
    )


class Browser:
    """A browser without script: follows nothing by itself, fills forms of both sites."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.session = requests.Session()

    def get(self, path: str) -> requests.Response:
        return self.session.get(urljoin(self.provider.site, path), allow_redirects=False, timeout=20)

    def post(self, page: str, action: str, **fields: str) -> requests.Response:
        """Open a page of our site, take its mark, and send a form."""
        mark = hidden(self.get(page).text, "csrfmiddlewaretoken")
        target = urljoin(self.provider.site, action)
        data = {"csrfmiddlewaretoken": mark, **fields}
        return self.session.post(
            target, data=data, allow_redirects=False, timeout=20, headers={"Referer": target}
        )

    def sign_in(self, username: str) -> requests.Response:
        return self.post("/dang-nhap", "/dang-nhap", username=username, password=PASSWORD)

    def begin(self, page: str = "/dang-nhap", **fields: str) -> str:
        """Press the button; give where the browser is sent."""
        answer = self.post(page, "/dang-nhap/ngoai", **fields)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def consent(self, address: str, person: str) -> str:
        """Sign in at the provider and agree; give the callback with its code."""
        page = self.session.get(address, timeout=20)
        if "/login/" in page.url:
            form = {
                "csrfmiddlewaretoken": hidden(page.text, "csrfmiddlewaretoken"),
                "next": html.unescape(hidden(page.text, "next")),
                "username": person,
                "password": PROVIDER_PASSWORD,
            }
            page = self.session.post(page.url, data=form, timeout=20)
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        fields = {name: html.unescape(value) for name, value in fields.items()}
        answer = self.session.post(
            page.url, data=fields | {"allow": "Authorize"}, allow_redirects=False, timeout=20
        )
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def arrive(self, callback: str) -> requests.Response:
        return self.session.get(callback, allow_redirects=False, timeout=20)

    @property
    def name(self) -> str:
        """Who is signed in at our site."""
        found = re.search(r'name="full_name" value="([^"]*)"', self.get("/tai-khoan").text)
        return html.unescape(found.group(1)) if found else ""


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', text)
    assert found, text[:2000]
    return found.group(1)


@pytest.fixture
def browser(provider: Provider) -> Browser:
    return Browser(provider)


@pytest.fixture
def linked(provider: Provider, coordinator: User) -> User:
    """A coordinator whose account is linked to the first person of the provider (subject 1)."""
    operations.link_identity(user=coordinator, issuer=provider.issuer, subject="1")
    return coordinator


def test_a_linked_person_signs_in_and_reaches_the_page_they_wanted(browser: Browser, linked: User) -> None:
    page = browser.get("/dang-nhap")
    assert "Đăng nhập bằng VNeID" in page.text
    address = browser.begin(next="/tai-khoan/mat-khau")
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) >= 32
    assert len(asked["nonce"][0]) >= 32
    assert asked["scope"] == ["openid"]
    answer = browser.arrive(browser.consent(address, "hoa"))
    assert answer.headers["Location"] == "/tai-khoan/mat-khau"
    assert browser.name == linked.full_name
    assert ExternalIdentity.objects.get().last_used_at is not None
    entry = AuditEntry.objects.get(action="accounts.signed_in")
    assert (entry.actor, entry.after) == (linked, {"way": "oidc", "second_factor": False})


def test_signing_out_is_local(browser: Browser, linked: User) -> None:
    browser.arrive(browser.consent(browser.begin(), "hoa"))
    answer = browser.post("/tai-khoan", "/dang-xuat")
    assert answer.headers["Location"] == "/dang-nhap"
    assert browser.name == ""


def test_a_person_links_their_account_and_unlinks_it(browser: Browser, coordinator: User) -> None:
    browser.sign_in("truong")
    answer = browser.arrive(browser.consent(browser.begin("/tai-khoan"), "hoa"))
    assert answer.headers["Location"] == "/tai-khoan"
    identity = ExternalIdentity.objects.get()
    assert (identity.user, identity.subject) == (coordinator, "1")
    assert "đã liên kết ngày" in browser.get("/tai-khoan").text
    browser.post("/tai-khoan", "/tai-khoan/lien-ket/bo")
    assert not ExternalIdentity.objects.exists()
    actions = set(AuditEntry.objects.filter(actor=coordinator).values_list("action", flat=True))
    assert {"accounts.identity_linked", "accounts.identity_unlinked"} <= actions


def test_an_identity_belongs_to_one_account(browser: Browser, linked: User, officer: User) -> None:
    browser.sign_in("so")
    answer = browser.arrive(browser.consent(browser.begin("/tai-khoan"), "hoa"))
    assert answer.status_code == 409
    assert ExternalIdentity.objects.get().user == linked


def test_an_unknown_subject_is_refused_with_a_way_out_and_no_account_is_made(
    browser: Browser, linked: User
) -> None:
    n_people = User.objects.count()
    answer = browser.arrive(browser.consent(browser.begin(), "nobody-here"))
    assert answer.status_code == 403
    assert "chưa liên kết với tài khoản nào" in answer.text
    assert "để được mời" in answer.text
    assert User.objects.count() == n_people
    assert browser.name == ""


def test_a_wrong_state_is_refused(browser: Browser, linked: User) -> None:
    callback = browser.consent(browser.begin(), "hoa")
    forged = re.sub(r"state=[^&]+", "state=forged", callback)
    answer = browser.arrive(forged)
    assert answer.status_code == 422
    assert "Chưa đăng nhập được qua VNeID" in answer.text
    assert browser.name == ""
    assert browser.arrive(callback).status_code == 422, "the flow serves once, even after a forged answer"


def test_the_answer_to_another_browser_is_refused(browser: Browser, provider: Provider, linked: User) -> None:
    """Otherwise an attacker signs a victim in to the attacker's account, or links it."""
    callback = browser.consent(browser.begin(), "hoa")
    victim = Browser(provider)
    victim.begin()
    assert victim.arrive(callback).status_code == 422
    assert victim.name == ""


def test_a_code_sent_again_is_refused(browser: Browser, linked: User) -> None:
    callback = browser.consent(browser.begin(), "hoa")
    assert browser.arrive(callback).status_code == 302
    browser.post("/tai-khoan", "/dang-xuat")
    assert browser.arrive(callback).status_code == 422
    assert browser.name == ""


def test_the_provider_itself_refuses_a_used_code_and_a_wrong_verifier(browser: Browser, provider) -> None:
    address, flow = oidc.start(callback=provider.site + CALLBACK)
    asked = parse_qs(urlsplit(browser.consent(address, "hoa")).query)
    answer = {"state": asked["state"][0], "code": asked["code"][0]}
    with pytest.raises(oidc.ProviderRefused):
        oidc.finish(flow=flow | {"verifier": "x" * 64}, **answer)
    address, flow = oidc.start(callback=provider.site + CALLBACK)
    asked = parse_qs(urlsplit(browser.consent(address, "hoa")).query)
    answer = {"state": asked["state"][0], "code": asked["code"][0]}
    claims = oidc.finish(flow=flow, **answer)
    assert (claims.issuer, claims.subject, claims.has_second_factor) == (provider.issuer, "1", False)
    with pytest.raises(oidc.ProviderRefused):
        oidc.finish(flow=flow, **answer)


def test_the_person_who_declines_is_told(browser: Browser) -> None:
    address = browser.begin()
    state = parse_qs(urlsplit(address).query)["state"][0]
    answer = browser.get(f"{CALLBACK}?error=access_denied&state={state}")
    assert answer.status_code == 422
    assert "bằng tên đăng nhập và mật khẩu" in answer.text


@pytest.fixture
def real_token(browser: Browser, provider: Provider, monkeypatch) -> tuple[str, str, str]:
    """A token that the provider signed for us, with its nonce and access token."""
    address, flow = oidc.start(callback=provider.site + CALLBACK)
    asked = parse_qs(urlsplit(browser.consent(address, "hoa")).query)
    kept = {}

    def keep(raw: str, **more: str) -> oidc.Claims:
        kept["token"] = raw
        kept.update(more)
        return read(raw, **more)

    read = oidc.read_id_token
    monkeypatch.setattr(oidc, "read_id_token", keep)
    oidc.finish(flow=flow, state=asked["state"][0], code=asked["code"][0])
    monkeypatch.setattr(oidc, "read_id_token", read)
    return kept["token"], kept["nonce"], kept["access_token"]


def test_a_token_is_taken_as_it_was_signed_and_not_otherwise(real_token, settings) -> None:
    raw, nonce, access = real_token
    assert oidc.read_id_token(raw, nonce=nonce, access_token=access).subject == "1"
    head, body, signature = raw.split(".")
    flipped = ("B" if signature[10] != "B" else "C").join((signature[:10], signature[11:]))
    other_body = body[:-6] + ("A" if body[-6] != "A" else "B") + body[-5:]
    unsigned = "eyJhbGciOiJub25lIn0." + body + "."
    forged = (
        f"{head}.{body}.{flipped}",
        f"{head}.{other_body}.{signature}",
        unsigned,
        "",
        "a.b.c",
        raw[:-20],
    )
    for wrong in forged:
        with pytest.raises(oidc.ProviderRefused):
            oidc.read_id_token(wrong, nonce=nonce, access_token=access)
    with pytest.raises(oidc.ProviderRefused):
        oidc.read_id_token(raw, nonce="another", access_token=access)
    with pytest.raises(oidc.ProviderRefused):
        oidc.read_id_token(raw, nonce=nonce, access_token="another")


def test_a_token_for_another_site_is_refused(real_token, settings) -> None:
    raw, nonce, access = real_token
    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, oidc_client_id="another-site")
    with pytest.raises(oidc.ProviderRefused):
        oidc.read_id_token(raw, nonce=nonce, access_token=access)


def test_a_token_of_yesterday_is_refused(real_token) -> None:
    import datetime

    from dienrong.core import clock

    raw, nonce, access = real_token
    for days in (1, -1):
        with clock.fixed(clock.now() + datetime.timedelta(days=days)), pytest.raises(oidc.ProviderRefused):
            oidc.read_id_token(raw, nonce=nonce, access_token=access)


def test_a_tampered_answer_is_refused_end_to_end(browser: Browser, linked: User, monkeypatch) -> None:
    read = oidc.read_id_token
    monkeypatch.setattr(oidc, "read_id_token", lambda raw, **more: read(raw[:-12] + "AAAAAAAAAAAA", **more))
    assert browser.arrive(browser.consent(browser.begin(), "hoa")).status_code == 422
    assert browser.name == ""


def test_a_token_signed_by_our_own_secret_or_another_key_is_refused(real_token, settings, provider) -> None:
    """An HMAC of the client's secret, or a key of the attacker's, is no signature of the provider."""
    from joserfc import jwt
    from joserfc.jwk import OctKey, RSAKey

    from dienrong.core import clock

    _raw, nonce, _access = real_token
    now = int(clock.now().timestamp())
    claims = {
        "iss": provider.issuer,
        "aud": "dienrong",
        "sub": "1",
        "nonce": nonce,
        "iat": now,
        "exp": now + 60,
    }
    keys = (
        ("HS256", OctKey.import_key("client-secret-client-secret-1234")),
        ("RS256", RSAKey.generate_key(2048)),
    )
    for algorithm, key in keys:
        forged = jwt.encode({"alg": algorithm}, claims, key, algorithms=[algorithm])
        with pytest.raises(oidc.ProviderRefused):
            oidc.read_id_token(forged, nonce=nonce)


def test_a_switched_off_account_stays_outside(browser: Browser, linked: User) -> None:
    User.objects.filter(pk=linked.pk).update(is_active=False)
    answer = browser.arrive(browser.consent(browser.begin(), "hoa"))
    assert answer.status_code == 403
    assert "đang bị khóa" in answer.text
    assert browser.name == ""


def require_second_factor(settings) -> None:
    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, require_totp=True)


def test_an_officer_shows_the_second_factor_after_a_provider_without_one(
    browser: Browser, provider: Provider, officer: User, settings
) -> None:
    require_second_factor(settings)
    operations.link_identity(user=officer, issuer=provider.issuer, subject="2")
    answer = browser.arrive(browser.consent(browser.begin(), "dung"))
    assert answer.headers["Location"] == "/dang-nhap/thiet-lap-ma"
    assert browser.name == ""
    page = browser.get("/dang-nhap/thiet-lap-ma").text
    secret = re.search(r'key-letters">([A-Z2-7 ]+)<', page).group(1)
    browser.post("/dang-nhap/thiet-lap-ma", "/dang-nhap/thiet-lap-ma", code=code_now(secret))
    assert browser.name == officer.full_name


def test_a_provider_that_vouches_for_a_second_factor_suffices(
    browser: Browser, provider: Provider, officer: User, settings
) -> None:
    require_second_factor(settings)
    operations.link_identity(user=officer, issuer=provider.issuer, subject="3")
    answer = browser.arrive(browser.consent(browser.begin(), "so-mfa"))
    assert answer.headers["Location"] == "/"
    assert browser.name == officer.full_name


def test_an_invited_person_uses_the_provider_instead_of_a_password(
    browser: Browser, commune_officer: User, register
) -> None:
    new = operations.NewPerson(
        full_name="Ngô Thị Sen", role="school_coordinator", unit_kind="school", unit_code="01000001"
    )
    _invitation, raw = operations.invite(new=new, by=commune_officer)
    bad = browser.post(f"/moi/{raw}", f"/moi/{raw}", provider="1", username="xa")
    assert "đã có người dùng" in bad.text
    answer = browser.post(f"/moi/{raw}", f"/moi/{raw}", provider="1", username="sen.ngo")
    done = browser.arrive(browser.consent(answer.headers["Location"], "hoa"))
    assert done.headers["Location"] == "/"
    user = User.objects.get(username="sen.ngo")
    assert not user.has_usable_password()
    assert user.external_identities.get().subject == "1"
    assert user.assignments.get().role == "school_coordinator"
    assert Invitation.objects.get().state == "used"
    refused = browser.post("/tai-khoan", "/tai-khoan/lien-ket/bo")
    assert refused.status_code == 409
    assert user.external_identities.exists()


def test_a_taken_identity_makes_no_account_and_leaves_the_invitation_open(
    browser: Browser, linked: User, commune_officer: User, register
) -> None:
    new = operations.NewPerson(
        full_name="Ngô Thị Sen", role="school_coordinator", unit_kind="school", unit_code="01000001"
    )
    _invitation, raw = operations.invite(new=new, by=commune_officer)
    answer = browser.post(f"/moi/{raw}", f"/moi/{raw}", provider="1", username="sen.ngo")
    assert browser.arrive(browser.consent(answer.headers["Location"], "hoa")).status_code == 409
    assert not User.objects.filter(username="sen.ngo").exists()
    assert Invitation.objects.get().state == "open"


def test_a_provider_that_does_not_answer_is_told_and_passwords_still_work(
    browser: Browser, coordinator: User, settings
) -> None:
    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, oidc_issuer="http://127.0.0.1:9")
    assert browser.post("/dang-nhap", "/dang-nhap/ngoai").status_code == 422
    assert browser.sign_in("truong").status_code == 302


def test_a_description_of_another_provider_is_refused(settings, provider: Provider) -> None:
    settings.OPTIONS = dataclasses.replace(
        settings.OPTIONS, oidc_issuer=provider.issuer.replace("127.0.0.1", "localhost")
    )
    with pytest.raises(oidc.ProviderRefused):
        oidc.discovery()


def test_without_a_provider_there_is_no_button_and_no_way(browser: Browser, settings) -> None:
    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, oidc_issuer="")
    assert "VNeID" not in browser.get("/dang-nhap").text
    assert browser.get(CALLBACK).status_code == 404
    assert browser.post("/dang-nhap", "/dang-nhap/ngoai").status_code == 404
    assert content_policy().count("form-action 'self';") == 1


def test_forms_may_lead_to_the_provider_and_nowhere_else(browser: Browser, provider: Provider) -> None:
    policy = browser.get("/dang-nhap").headers["Content-Security-Policy"]
    assert f"form-action 'self' {provider.address};" in policy


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://dinhdanh.example.vn/realms/x", True),
        ("http://127.0.0.1:8080/o", True),
        ("http://localhost:8080", True),
        ("http://dinhdanh.example.vn", False),
        ("ftp://dinhdanh.example.vn", False),
        ("dinhdanh.example.vn", False),
        ("https://dinhdanh.example.vn/?x=1", False),
    ],
)
def test_an_unencrypted_provider_is_accepted_on_this_machine_alone(address: str, good: bool) -> None:
    environment = {"DIENRONG_OIDC_ISSUER": address, "DIENRONG_OIDC_CLIENT_ID": "x"}
    if good:
        assert options.load(environment).oidc_issuer == address
    else:
        with pytest.raises(OptionsError):
            options.load(environment)
