"""A machine checks itself in a real browser: today's Chromium, and Chromium 109 where CHROMIUM_109 names it.

The last Chrome of Windows 7 is 109; thousands of school machines have no later one. Typing goes letter by letter as an
input method sends it, the power cut is a page that is gone, the network is taken away and given back.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dienrong.core import clock
from dienrong.readiness import operations
from dienrong.readiness.models import MachineReport
from small_readiness import link_of, open_all, set_norm, survey_of

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.django_db(transaction=True)]
OLD = os.environ.get("CHROMIUM_109", "")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
OLD_FLAGS = [*FLAGS, "--no-zygote", "--single-process"]
COUNT_TONES = """
window.tones = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { window.tones += 1; return start.apply(this, when); };
"""


@pytest.fixture(autouse=True)
def still_clock() -> None:
    """Here the clock runs: browser and site compare theirs."""


@pytest.fixture(params=["today", "109"])
def browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Start a browser; the old one runs where its path is given."""
    sync_api = pytest.importorskip("playwright.sync_api")
    is_old = request.param == "109"
    if is_old and not Path(OLD).is_file():
        pytest.skip("CHROMIUM_109 names no Chromium 109")
    path = OLD if is_old else shutil.which("chromium")
    if path is None:
        pytest.skip("Chromium is not installed; on Debian: apt-get install chromium")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the driver keeps a loop in this thread
    with sync_api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, args=OLD_FLAGS if is_old else FLAGS)
        assert not is_old or started.version.startswith("109.")
        yield started
        started.close()


@pytest.fixture
def link(cycle, registry, ministry, officer, coordinator) -> Any:
    """The open link of a school."""
    set_norm(cycle, ministry)
    until = clock.today() + datetime.timedelta(days=5)
    open_all(cycle, officer, due_on=until)
    return link_of(survey_of(), coordinator, closes_on=until)


def open_check(browser: Any, address: str) -> Any:
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    page.add_init_script(COUNT_TONES)
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.goto(address)
    return page


def type_sentence(page: Any, form: str = "NFC") -> None:
    page.fill("#typing", "")
    page.locator("#typing").press_sequentially(unicodedata.normalize(form, page.inner_text("#sentence")))


def hear(page: Any) -> None:
    page.evaluate("window.tones = 0")
    page.click("#listen")
    page.click(f'[data-tones="{page.evaluate("window.tones")}"]')


def test_a_machine_checks_itself_and_its_report_arrives(browser, live_server, link) -> None:
    page = open_check(browser, f"{live_server.url}/kiem-tra-may/{link.code}")
    assert page.is_hidden("#too-old")
    page.fill("#label", "Máy 05")
    type_sentence(page, "NFD")
    assert "Unicode" in page.inner_text("#typing-word")
    type_sentence(page)
    hear(page)
    page.fill("#draft", "chữ đang viết dở")
    page.click("#cut")
    page.wait_for_load_state()
    page.wait_for_selector("#draft-word.check-good", timeout=60_000)
    assert page.input_value("#draft") == "chữ đang viết dở"
    assert page.input_value("#label") == "Máy 05"
    page.wait_for_selector("#send:not([disabled])", timeout=60_000)
    assert page.get_attribute("#check", "data-verdict") in ("passed", "warned")
    on_the_page = page.get_attribute("#check", "data-verdict")
    page.click("#send")
    page.wait_for_selector("#check[data-sent]", timeout=20_000)
    report = MachineReport.objects.get()
    assert report.verdict == on_the_page
    assert (report.typing, report.sound_works, report.autosave_works) == ("composed", True, True)
    assert (report.engine, report.storage_works, report.screen_width) == ("chromium", True, 1366)
    assert report.browser_version == int(browser.version.split(".")[0])
    assert abs(report.clock_skew_s) <= 2
    assert report.loss_percent == 0
    assert report.down_kbps > 512
    assert report.up_kbps > 256
    assert report.label == "Máy 05"
    assert page.faults == []


def test_without_a_network_the_report_waits_and_is_carried(browser, live_server, link, tmp_path) -> None:
    page = open_check(browser, f"{live_server.url}/kiem-tra-may/{link.code}")
    page.wait_for_selector("#send:not([disabled])", timeout=60_000)
    page.context.set_offline(True)
    page.click("#send")
    page.wait_for_selector("#check[data-waiting]", timeout=20_000)
    page.click("#show-text")
    carried = page.input_value("#text")
    assert not MachineReport.objects.exists()
    kept = operations.receive_for(survey=link.survey, body=carried.encode())
    assert kept.way == "file"
    assert json.loads(carried)["report_id"] == str(kept.report_id)
    page.context.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    page.wait_for_selector("#check[data-sent]", timeout=30_000)
    assert MachineReport.objects.count() == 1, "the same report by two ways counts once"
    assert page.faults == []
