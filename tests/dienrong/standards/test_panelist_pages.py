"""The panelist's pages over HTTP: link and PIN, the form, feedback; strangers, wrong PINs, shared computers."""

from __future__ import annotations

import datetime
import re

import pytest
from django.test import Client

from dienrong.core import clock
from dienrong.standards import operations, queries
from dienrong.standards.models import Entry, Judgment
from dienrong.standards.operations.panel import MOST_WRONG_PINS
from standards_people import code_of, come_in, pin_of, rate, say

FORM = "/dat-chuan/phieu"


@pytest.fixture
def session(open_session, seat, ministry):
    """A Bookmark session with four panelists and an open round."""
    setting = open_session()
    people = seat(setting)
    operations.open_round(setting=setting, by=ministry)
    return setting, people


def text_of(answer) -> str:
    return answer.content.decode()


def test_link_and_pin_let_in_without_an_account(session) -> None:
    _setting, people = session
    browser = Client()
    page = browser.get(f"{FORM}/{code_of(people[0])}")
    assert page.status_code == 200
    assert people[0].full_name not in text_of(page)  # the link alone names nobody
    assert page.headers["Referrer-Policy"] == "same-origin"
    page = come_in(people[0], browser).get(FORM)
    assert page.status_code == 200
    assert people[0].full_name in text_of(page)
    assert page.headers["Cache-Control"].startswith("max-age=0")


def test_a_link_typed_in_capitals_works(session) -> None:
    _setting, people = session
    answer = Client().post(
        f"{FORM}/{code_of(people[0]).upper()}", {"pin": f"{pin_of(people[0])[:3]} {pin_of(people[0])[3:]}"}
    )
    assert answer.status_code == 302


@pytest.mark.parametrize("change", ["another", "guess", "form"])
def test_a_wrong_link_opens_nothing(session, change) -> None:
    _setting, people = session
    code = code_of(people[0])
    wrong = {
        "another": re.sub(r"^\d+", str(people[1].pk), code),
        "guess": code[:-1] + ("a" if code[-1] != "a" else "b"),
        "form": "khong-phai-lien-ket",
    }[change]
    page = Client().get(f"{FORM}/{wrong}")
    assert page.status_code == 409
    assert people[0].full_name not in text_of(page)


def test_without_the_pin_no_page_opens(session) -> None:
    _setting, people = session
    browser = Client()
    browser.get(f"{FORM}/{code_of(people[0])}")
    for address in (FORM, f"{FORM}/phan-hoi"):
        assert browser.get(address).status_code == 409
    for action in ("luu", "nop", "lay-lai"):
        assert browser.post(f"{FORM}/{action}", {"level_1|": "3"}).status_code == 409
    assert not Judgment.objects.exists()


def test_wrong_pins_lock_the_link_for_a_while(session) -> None:
    _setting, people = session
    code, pin = code_of(people[0]), pin_of(people[0])
    wrong = "000000" if pin != "000000" else "111111"
    browser = Client()
    for _time in range(MOST_WRONG_PINS):
        assert browser.post(f"{FORM}/{code}", {"pin": wrong}).status_code == 422
    assert browser.post(f"{FORM}/{code}", {"pin": pin}).status_code == 422  # locked, although it is right
    with clock.fixed(clock.now() + datetime.timedelta(minutes=16)):
        assert browser.post(f"{FORM}/{code}", {"pin": pin}).status_code == 302
    assert Client().post(f"{FORM}/{code_of(people[1])}", {"pin": pin_of(people[1])}).status_code == 302


def test_each_number_is_saved_as_it_is_typed(session) -> None:
    _setting, people = session
    browser = come_in(people[0])
    answer = browser.post(f"{FORM}/luu", {"level_1|": "17"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "1/2" in text_of(answer)
    answer = browser.post(f"{FORM}/luu", {"level_2|": "999"}, headers={"HX-Request": "true"})
    assert "error-text" in text_of(answer)
    assert "999" in text_of(answer)
    assert queries.values_of(Entry.objects.get()) == {("level_1", ""): 17}
    assert 'value="17"' in text_of(come_in(people[0]).get(FORM))  # another device finds the draft


def test_the_form_works_without_script_and_keeps_what_was_typed_wrong(session) -> None:
    _setting, people = session
    browser = come_in(people[0])
    page = browser.post(f"{FORM}/nop", {"level_1|": "17", "level_2|": "abc"})
    assert page.status_code == 422
    assert 'value="abc"' in text_of(page)
    assert browser.post(f"{FORM}/luu", {"level_1|": "17", "level_2|": ""}).status_code == 302
    assert browser.post(f"{FORM}/nop", {"level_1|": "17", "level_2|": "40"}).status_code == 302
    assert Entry.objects.get().submitted_at is not None
    assert browser.post(f"{FORM}/lay-lai").status_code == 302
    assert Entry.objects.get().submitted_at is None


def test_a_person_writes_in_the_own_form_alone(session) -> None:
    _setting, people = session
    browser = come_in(people[0])
    browser.post(f"{FORM}/nop", {"level_1|": "17", "level_2|": "40", "panelist": str(people[1].pk)})
    assert Entry.objects.get().panelist == people[0]


def test_who_leaves_a_shared_computer_is_forgotten_and_the_next_comes_in(session) -> None:
    _setting, people = session
    browser = come_in(people[0])
    assert browser.post(f"{FORM}/ket-thuc").status_code == 200
    assert browser.get(FORM).status_code == 409
    come_in(people[1], browser)
    page = text_of(browser.get(FORM))
    assert people[1].full_name in page
    assert people[0].full_name not in page


def test_an_officer_beside_stays_signed_in(session, signed_in, ministry) -> None:
    setting, people = session
    browser = signed_in(ministry)
    come_in(people[0], browser)
    browser.post(f"{FORM}/ket-thuc")
    assert browser.get(f"/dat-chuan/{setting.pk}").status_code == 200


def test_revoking_and_time_close_an_open_browser(session, ministry) -> None:
    _setting, people = session
    first, second, third = (come_in(one) for one in people[:3])
    operations.revoke_link(panelist=people[0], by=ministry)
    assert first.get(FORM).status_code == 409
    operations.renew_link(panelist=people[1], by=ministry)
    assert second.post(f"{FORM}/luu", {"level_1|": "3"}).status_code == 409
    with clock.fixed(clock.now() + datetime.timedelta(hours=4)):
        assert third.get(FORM).status_code == 409
    assert not Judgment.objects.exists()


def test_feedback_shows_the_own_panel_and_no_other_name(open_session, seat, ministry) -> None:
    setting = open_session(n_panels=2)
    people = seat(setting)
    browser = come_in(people[0])
    operations.open_round(setting=setting, by=ministry)
    for one in people:
        say(one, 13 if one.panel == 1 else 31, 60 + one.number)
    assert browser.get(f"{FORM}/phan-hoi").status_code == 302  # nothing is shown while the round is open
    operations.close_round(setting=setting, leave_out=False, by=ministry)
    page = text_of(browser.get(f"{FORM}/phan-hoi"))
    for other in people[1:]:
        assert other.full_name not in page
        assert other.code not in page
    assert (
        page.count("fill-opacity") + page.count('width="11"') == 4
    )  # two panelists of the own panel, two levels
    assert page.count('width="11"') == 2
    assert ">31<" not in page  # the other panel's page
    assert "%" in page  # the share of students


def test_angoff_on_a_telephone_takes_the_comma(open_session, seat, ministry) -> None:
    setting = open_session("angoff")
    people = seat(setting)
    operations.open_round(setting=setting, by=ministry)
    browser = come_in(people[0])
    item = queries.items_of(setting)[1].item
    browser.post(f"{FORM}/luu", {f"level_1|{item}": "0,65"}, headers={"HX-Request": "true"})
    assert Judgment.objects.get().value == 0.65
    assert 'value="0,65"' in text_of(browser.get(FORM))
    for one in people[:2]:
        if one == people[0]:
            operations.save_judgments(panelist=one, typed={("level_1", item): ""}, by=None)
        rate(one, 0.4, 0.8)
    rate(people[2], 0.6, 0.9)
    operations.close_round(setting=setting, leave_out=True, by=ministry)
    page = text_of(browser.get(f"{FORM}/phan-hoi"))
    assert item in page or "G5M" in page  # items in dispute


def test_after_withdrawal_nothing_is_open(session, ministry) -> None:
    setting, people = session
    browser = come_in(people[0])
    operations.withdraw_session(setting=setting, reason="Sai", by=ministry)
    assert browser.get(FORM).status_code == 200
    assert browser.post(f"{FORM}/nop", {"level_1|": "3", "level_2|": "9"}).status_code == 422
    assert not Entry.objects.filter(submitted_at__isnull=False).exists()
