"""What only a browser can tell: no sideways overflow, no console error, axe finds nothing, keyboard alone suffices."""

from __future__ import annotations

import re

import pytest
from site_under_test import FIGURE, PASSWORD, SLUG, open_page, overflow

pytestmark = pytest.mark.browser
VISITS = (("", "desk"), ("", "phone"), ("bo", "desk"), ("bo", "phone"), ("so", "phone"), ("truong", "phone"))


@pytest.mark.long
@pytest.mark.parametrize(("person", "size"), VISITS)
def test_axe_finds_nothing_and_nothing_overflows(chromium, site, pages, person, size) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(chromium, site, person=person, size=size)
    found = {}
    axe = Axe() if size == "desk" or (person, "desk") not in VISITS else None  # once is enough for a page
    for name, address in pages[person].items():
        page.goto(address)
        if overflow(page) > 0:
            found[name, "overflow"] = overflow(page)
        for violation in axe.run(page).response["violations"] if axe else ():
            where = [node["html"][:160] for node in violation["nodes"][:3]]
            found[name, violation["id"]] = where
    expected = [text for text in page.complaints if "403" not in text and "404" not in text]
    page.context.close()
    assert not found
    assert not expected


@pytest.mark.long
@pytest.mark.parametrize("person", ["", "bo"])
def test_english_pages_fit_the_phone_and_hold_no_vietnamese_words(chromium, site, pages, person) -> None:
    page = open_page(chromium, site, person=person, size="phone", language="en")
    words = re.compile(r"\b(Bước|Điểm|Báo cáo|Trường học|khoảng tin cậy|Nguồn gốc|Đã xong)\b")
    for name, address in pages[person].items():
        page.goto(address)
        assert overflow(page) == 0, name
        assert page.locator("html").get_attribute("lang") == "en"
        if name in {"board", "runs", "run-new", "reports", "national", "step", "login"}:
            assert not words.search(page.locator("h1, h2, th, button, label").all_inner_texts().__str__()), (
                name
            )
    page.context.close()


def test_the_keyboard_alone_signs_in_and_reaches_the_report(chromium, site) -> None:
    page = open_page(chromium, site)
    page.goto("/dang-nhap")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#content"
    _tab_to(page, "[name=username]")
    page.keyboard.type("bo")
    _tab_to(page, "[name=password]")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("table.steps")
    _tab_to(page, f"a[href='/ky-danh-gia/{SLUG}/buoc/4']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/ky-danh-gia/{SLUG}/buoc/4")
    page.goto("/")
    _tab_to(page, f"main a[href='/bao-cao/{SLUG}/grade5/maths']")
    page.keyboard.press("Enter")
    page.wait_for_selector("figure.figure")
    button = page.locator("[data-toggle-figure]").first
    _tab_to(page, "[data-toggle-figure]")
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    assert page.locator("[data-figure-table]").first.is_visible()
    assert not page.locator("[data-figure-drawing]").first.is_visible()
    page.context.close()


def _tab_to(page, selector: str, most: int = 120) -> None:
    for _press in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} was not reached by {most} presses of Tab")


def test_a_state_is_changed_by_the_form_and_stands_in_the_history(chromium, site) -> None:
    page = open_page(chromium, site, person="bo")
    page.goto(f"/ky-danh-gia/{SLUG}/buoc/14")
    page.select_option("[name=state]", "attention")
    page.fill("[name=note]", "Còn 3 tỉnh chưa gửi ý kiến")
    page.get_by_role("button", name="Lưu trạng thái").click()
    page.wait_for_selector("text=Đã lưu trạng thái của bước 14")
    page.goto("/")
    assert "Cần chú ý" in page.locator("table.steps tr").last.inner_text()
    page.goto(f"/ky-danh-gia/{SLUG}/buoc/14?tab=happened")
    assert "Còn 3 tỉnh chưa gửi ý kiến" in page.locator("main table").inner_text()
    page.context.close()


def test_on_a_phone_the_steps_are_a_menu(chromium, site) -> None:
    page = open_page(chromium, site, person="bo", size="phone")
    page.goto(f"/ky-danh-gia/{SLUG}/buoc/9")
    menu = page.locator(".rail-menu")
    assert menu.get_attribute("open") is None
    assert "Bước 9" in menu.locator("summary").inner_text()
    menu.locator("summary").click()
    menu.locator("a").nth(9).click()
    page.wait_for_url("**/buoc/10")
    page.context.close()


def test_the_language_switch_keeps_the_page(chromium, site) -> None:
    page = open_page(chromium, site)
    page.goto(f"/bao-cao/{SLUG}/grade5/maths")
    page.get_by_role("button", name="English").click()
    page.wait_for_selector("html[lang=en]")
    assert page.url.endswith(f"/bao-cao/{SLUG}/grade5/maths")
    assert "Mathematics" in page.locator("h1").inner_text()
    page.context.close()


def test_from_a_figure_to_its_origin_and_down_to_a_pupils_answers(chromium, site) -> None:
    page = open_page(chromium, site, person="bo")
    page.goto(f"/bao-cao/{SLUG}/grade5/maths")
    page.locator("main a[href*='mean/nation/all'], main a[href*='mean%2Fnation%2Fall']").first.click()
    page.wait_for_selector("ol.walk")
    assert FIGURE in page.locator("main").inner_text()
    assert page.locator("ol.walk > li").count() >= 9
    page.locator("ol.walk details summary").first.click()
    page.locator("ol.walk details a").first.click()
    page.wait_for_url("**/san-pham/*")
    page.get_by_role("button", name="Kiểm tra tệp").click()
    page.wait_for_selector("text=nguyên như khi ghi")
    page.context.close()


def test_the_first_page_is_light(chromium, site) -> None:
    """At most 150 KB reach a first visitor, fonts aside as they are kept for a year."""
    page = open_page(chromium, site)
    sizes: list[int] = []
    page.on(
        "response", lambda answer: sizes.append(len(answer.body())) if "/fonts/" not in answer.url else None
    )
    page.goto("/", wait_until="networkidle")
    page.context.close()
    assert sum(sizes) <= 150_000


def _slip_of(page, title: str, number: int) -> tuple[str, str]:
    """Read link and PIN of a panelist as the facilitator does."""
    page.goto("/dat-chuan")
    page.locator("main table a", has_text=title).first.click()
    page.goto(f"{page.url.partition('?')[0]}?tab=chuyen-gia")
    page.locator(".do-list").nth(number - 1).evaluate("list => list.parentElement.open = true")
    page.locator("form[action$='/phieu-moi'] button").nth(number - 1).click()
    return page.locator("#slip-link").inner_text().strip(), page.locator("#slip-pin").inner_text().strip()


def test_a_panelist_without_an_account_rates_on_a_telephone(chromium, site) -> None:
    from axe_playwright_python.sync_playwright import Axe

    expert = open_page(chromium, site, person="bo")
    link, pin = _slip_of(expert, "Tiếng Việt lớp 5", 12)
    expert.context.close()
    page = open_page(chromium, site, size="phone")
    page.goto(link)
    assert not Axe().run(page).response["violations"]
    page.fill("[name=pin]", pin)
    page.keyboard.press("Enter")
    page.wait_for_selector(".rating")
    assert overflow(page) == 0
    assert not Axe().run(page).response["violations"]
    first = page.locator(".rating input").first
    first.fill("0,05")
    first.press("Tab")
    page.wait_for_selector(".saved")
    wrong = page.locator(".rating input").nth(1)
    wrong.fill("7")
    wrong.press("Tab")
    page.wait_for_selector(".save-line .error-text")
    page.reload()
    assert page.locator(".rating input").first.input_value() == "0,05"
    page.goto("/dat-chuan/phieu/phan-hoi")
    assert page.locator(".figure-drawing svg").count() == 2
    assert overflow(page) == 0
    assert not Axe().run(page).response["violations"]
    page.goto("/dat-chuan/phieu")
    page.get_by_role("button", name="Thoát").click()
    page.goto("/dat-chuan/phieu")
    assert page.locator(".rating").count() == 0
    # The refusals that were asked for (409) are the only complaints.
    assert not [text for text in page.complaints if "409" not in text]
    page.context.close()


def test_an_invited_person_makes_an_account_in_a_browser(chromium, site) -> None:
    expert = open_page(chromium, site, person="bo")
    expert.goto("/nguoi-dung/moi?role=researcher")
    expert.check("[name=unit]")
    expert.fill("[name=full_name]", "Trần Thị Được Mời")
    expert.get_by_role("button", name="Tạo đường dẫn").click()
    link = re.search(r"http://127[^\s\"<]+/moi/[^\s\"<]+", expert.content())
    assert link, "the page shows the link to send"
    expert.context.close()
    page = open_page(chromium, site)
    page.goto(link.group())
    page.fill("[name=username]", "tran.duoc.moi")
    page.fill("[name=new_password]", "mat-khau-rat-dai-2026")
    page.fill("[name=repeated]", "mat-khau-rat-dai-2026")
    page.locator("[name=repeated]").press("Enter")
    page.wait_for_url(re.compile(r"^(?!.*/moi/).*$"))
    assert "Trần Thị Được Mời" in page.inner_text("body")
    assert not page.complaints
    page.context.close()
