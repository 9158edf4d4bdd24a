"""What every page has: headers, language, error pages with their reference number."""

from __future__ import annotations

import re

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory, override_settings
from django.urls import path

from dienrong import urls
from dienrong.core import requests, shell
from dienrong.core.refusals import Conflict, NotAllowed, Refusal


def breaks(request: HttpRequest):
    raise RuntimeError("planted failure with a password hunter2")


def refuses(request: HttpRequest):
    raise Refusal("The list is not complete.", hint="Add the missing class first.")


def conflicts(request: HttpRequest):
    raise Conflict("The step has already ended.")


def forbids(request: HttpRequest):
    raise NotAllowed("This is not open to you.", who_may=("Role A", "Role B"), whom_to_ask="Ask the office.")


class Planted:
    """The real addresses with a few that fail on purpose."""

    urlpatterns = [
        *urls.urlpatterns,
        path("planted/breaks", breaks),
        path("planted/refuses", refuses),
        path("planted/conflicts", conflicts),
        path("planted/forbids", forbids),
    ]
    handler400, handler403 = urls.handler400, urls.handler403
    handler404, handler500 = urls.handler404, urls.handler500


planted = override_settings(ROOT_URLCONF=Planted)
pytestmark = pytest.mark.django_db
NUMBER = re.compile(r"[2-9a-z]{5}-[2-9a-z]{5}")


def test_security_headers_stand_on_every_answer(visitor: Client) -> None:
    for address in ("/dang-nhap", "/nowhere", "/static/core/base.css"):
        headers = visitor.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert NUMBER.fullmatch(headers["X-Request-Id"])
    assert visitor.get("/dang-nhap").headers["X-Frame-Options"] == "DENY"


def test_pages_hold_no_inline_script_or_style(visitor: Client, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    pages = [visitor.get("/dang-nhap"), *(browser.get(a) for a in ("/tai-khoan", "/nhat-ky", "/viec-nen/"))]
    for page in pages:
        html = page.content.decode()
        assert page.status_code == 200
        assert not re.search(r"<script(?![^>]*\bsrc=)", html)
        assert "<style" not in html
        assert not re.search(r"\s(?:style|on[a-z]+)=", html)
        assert "hx-on" not in html


def test_cookies_are_guarded(visitor: Client) -> None:
    cookie = visitor.get("/dang-nhap").cookies["dienrong_csrf"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_vietnamese_is_spoken_whatever_the_browser_prefers(visitor: Client) -> None:
    page = visitor.get("/dang-nhap", headers={"accept-language": "en-US,en;q=0.9"})
    assert page.headers["Content-Language"] == "vi"
    assert "Đăng nhập" in page.content.decode()
    assert '<html lang="vi">' in page.content.decode()


def test_the_language_switch_keeps_the_page(visitor: Client) -> None:
    answer = visitor.post("/ngon-ngu", {"language": "en", "next": "/dang-nhap?next=/nhat-ky"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/dang-nhap?next=/nhat-ky"
    page = visitor.get("/dang-nhap").content.decode()
    assert "Sign in" in page
    assert "Đăng nhập" not in page


def test_the_language_switch_never_leads_away(visitor: Client) -> None:
    for target in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        assert visitor.post("/ngon-ngu", {"language": "en", "next": target}).headers["Location"] == "/"


def test_an_unknown_language_changes_nothing(visitor: Client) -> None:
    answer = visitor.post("/ngon-ngu", {"language": "xx"})
    assert "dienrong_language" not in answer.cookies


def test_a_person_keeps_the_language_they_chose(signed_in, officer) -> None:
    signed_in(officer).post("/ngon-ngu", {"language": "en"})
    officer.refresh_from_db()
    assert officer.language == "en"


def test_nothing_at_an_address_is_said_with_a_number(visitor: Client) -> None:
    page = visitor.get("/khong-co")
    assert page.status_code == 404
    assert "Không có gì ở địa chỉ này" in page.content.decode()
    assert page.headers["X-Request-Id"] in page.content.decode()


@planted
def test_a_failure_shows_its_number_and_nothing_else(visitor: Client, caplog) -> None:
    visitor.raise_request_exception = False
    page = visitor.get("/planted/breaks")
    html = page.content.decode()
    assert page.status_code == 500
    assert "Hệ thống gặp sự cố" in html
    assert page.headers["X-Request-Id"] in html
    assert "hunter2" not in html
    assert "RuntimeError" not in html


@planted
def test_a_failure_page_asks_no_database(visitor: Client, django_assert_num_queries) -> None:
    visitor.raise_request_exception = False
    with django_assert_num_queries(0):
        visitor.get("/planted/breaks")


@planted
def test_a_refusal_says_the_way_out(visitor: Client) -> None:
    page = visitor.get("/planted/refuses")
    assert page.status_code == 422
    assert "The list is not complete." in page.content.decode()
    assert "Add the missing class first." in page.content.decode()
    assert visitor.get("/planted/conflicts").status_code == 409


@planted
def test_a_refusal_says_who_may_and_whom_to_ask(visitor: Client) -> None:
    page = visitor.get("/planted/forbids")
    html = page.content.decode()
    assert page.status_code == 403
    assert "Người có quyền: Role A, Role B." in html
    assert "Ask the office." in html


def test_a_form_without_its_mark_is_refused_kindly(officer) -> None:
    strict = Client(enforce_csrf_checks=True)
    page = strict.post("/dang-nhap", {"username": "so", "password": "x"})
    assert page.status_code == 403
    assert "Biểu mẫu đã hết hạn" in page.content.decode()


def test_a_damaged_request_is_said_kindly(visitor: Client) -> None:
    page = visitor.get("/dang-nhap", headers={"host": "evil.example"})
    assert page.status_code == 400
    assert "Hệ thống không hiểu được yêu cầu này" in page.content.decode()


def test_addresses_of_proxies_are_believed_only_as_far_as_they_are_ours(settings) -> None:
    import dataclasses

    request = RequestFactory().get(
        "/", headers={"x-forwarded-for": "6.6.6.6, 10.0.0.9"}, REMOTE_ADDR="10.0.0.1"
    )
    assert requests.address_of(request) == "10.0.0.1"
    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, proxies=1)
    assert requests.address_of(request) == "10.0.0.9"
    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, proxies=3)
    assert requests.address_of(request) == "10.0.0.1"


def test_the_rail_draws_every_step_with_its_state_in_words(monkeypatch, signed_in, officer) -> None:
    steps = tuple(
        shell.RailStep(number=n + 1, title=f"Bước thử {n + 1}", state=state, url=f"/b/{n}", is_current=n == 1)
        for n, state in enumerate(shell.STATES)
    )
    monkeypatch.setattr(shell, "_rails", [lambda request: shell.Rail(title="Các bước", steps=steps)])
    html = signed_in(officer).get("/tai-khoan").content.decode()
    for step in steps:
        assert html.count(step.title) >= 2  # the list of the desk and the menu of the phone
        assert step.state_word in html
    assert html.count('aria-current="page"') >= 2
    assert "1/4" in html


def test_a_state_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="state must be one of not_started, in_progress, done, attention"):
        shell.RailStep(number=1, title="x", state="finished")


def test_links_are_sorted_and_parted_between_bar_and_menu(monkeypatch) -> None:
    links = [
        shell.Link(title="c", url="/c", order=3),
        shell.Link(title="m", url="/m", order=1, in_menu=True),
        shell.Link(title="a", url="/a", order=2),
    ]
    monkeypatch.setattr(shell, "_links", [lambda request: links[:2], lambda request: links[2:]])
    drawn = shell.Shell(RequestFactory().get("/"))
    assert [link.title for link in drawn.links] == ["a", "c"]
    assert [link.title for link in drawn.menu_links] == ["m"]


def test_links_of_a_group_share_one_place_and_a_row_of_their_own(monkeypatch) -> None:
    links = [
        shell.Link(title="one", url="/1", order=1, group="data"),
        shell.Link(title="two", url="/2", order=2, group="data", is_current=True),
        shell.Link(title="other", url="/3", order=3),
    ]
    monkeypatch.setattr(shell, "_links", [lambda request: links])
    drawn = shell.Shell(RequestFactory().get("/"))
    assert [(link.url, link.is_current) for link in drawn.links] == [("/1", True), ("/3", False)]
    assert [link.title for link in drawn.sub_links] == ["one", "two"]


def test_a_group_of_one_is_a_plain_link(monkeypatch) -> None:
    links = [shell.Link(title="one", url="/1", order=1, group="data", is_current=True)]
    monkeypatch.setattr(shell, "_links", [lambda request: links])
    drawn = shell.Shell(RequestFactory().get("/"))
    assert [link.title for link in drawn.links] == ["one"]
    assert drawn.sub_links == []


def test_a_group_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="group must be one of data"):
        shell.Link(title="x", url="/x", group="nothing")
