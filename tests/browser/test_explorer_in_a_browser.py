"""The explorer by keyboard alone, on a phone, and without scripts."""

from __future__ import annotations

import pytest
from site_under_test import BROWSER, SLUG, open_page, overflow

pytestmark = [pytest.mark.browser, pytest.mark.long]
PAGE = f"/kham-pha/{SLUG}"


def _tab_to(page, selector: str, most: int = 60) -> None:
    for _press in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_the_keyboard_alone_asks_a_question_and_keeps_the_answer(chromium, site) -> None:
    assert BROWSER
    page = open_page(chromium, site)
    page.goto("/cong-bo/")
    _tab_to(page, f"main a[href='{PAGE}']")
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer-title")
    _tab_to(page, "#by-1")
    with page.expect_response(lambda found: "theo=ethnicity" in found.url and found.status == 200):
        page.keyboard.type("D")  # the list of break-downs: ethnicity
    page.wait_for_function("document.querySelector('#answer-title').textContent.includes('Dân tộc')")
    assert "theo=ethnicity" in page.url
    assert page.evaluate("document.activeElement.id") == "by-1"
    _tab_to(page, "main form[action$='/luu'] button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/kham-pha/ket-qua/**")
    assert "không bao giờ thay đổi" in page.inner_text("main")
    assert not page.complaints
    page.context.close()


def test_a_phone_shows_question_and_answer_without_sideways_scrolling(chromium, site) -> None:
    page = open_page(chromium, site, size="phone")
    for query in ("", "?do=maths&thong-ke=levels&theo=gender&so-sanh=pairs", "?do=maths&thong-ke=percent"):
        page.goto(PAGE + query)
        assert overflow(page) == 0, query
    page.goto(f"{PAGE}?do=maths&theo=gender")
    page.wait_for_function("document.querySelector('img.chart').naturalWidth > 0")
    box = page.locator("img.chart").bounding_box()
    assert box["width"] <= 390
    page.context.close()


def test_without_scripts_the_button_asks(chromium, site) -> None:
    context = chromium.new_context(java_script_enabled=False, base_url=site)
    page = context.new_page()
    page.goto(PAGE)
    page.select_option("#by-1", "ethnicity")
    page.click("main form.question button")
    assert "theo=ethnicity" in page.url
    assert "Dân tộc" in page.inner_text("#answer-title")
    context.close()
