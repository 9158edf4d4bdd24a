"""The press note: composed, with the ministry's own part; out with the run it was released for, and no other."""

from __future__ import annotations

import io
import re

import docx
import pytest

from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import Conflict, NotAllowed
from dienrong.reporting import operations
from dienrong.reporting.models import PressNote

pytestmark = pytest.mark.django_db
NOTE = "/bao-cao/quoc-gia-2026/thong-tin-bao-chi"
OWN = "Bộ sẽ làm việc với các địa phương về bồi dưỡng giáo viên."
PARTS = (NOTE, f"{NOTE}.docx", f"{NOTE}.pdf")


def everybody_else(signed_in, visitor, officer, stranger, commune_officer, coordinator, researcher):
    return [
        visitor,
        *(signed_in(one) for one in (officer, stranger, commune_officer, coordinator, researcher)),
    ]


@pytest.fixture
def others(signed_in, visitor, officer, stranger, commune_officer, coordinator, researcher):
    return everybody_else(signed_in, visitor, officer, stranger, commune_officer, coordinator, researcher)


def test_until_it_is_out_the_ministry_alone_reads_it(
    published, registry, signed_in, ministry, others
) -> None:
    for address in PARTS:
        for browser in others:
            assert browser.get(address).status_code == 404, address
        assert signed_in(ministry).get(address).status_code == 200, address


def test_strangers_write_and_release_nothing(published, registry, others, officer) -> None:
    for verb in ("luu", "cong-bo", "rut"):
        for browser in others:
            assert browser.post(f"{NOTE}/{verb}", {"body": OWN, "edition": 0}).status_code in (302, 403)
    with pytest.raises(NotAllowed):
        operations.save_press_note(cycle=published.cycle, body=OWN, edition=0, by=officer)
    with pytest.raises(NotAllowed):
        operations.release_press_note(run=published, by=officer)
    assert not PressNote.objects.exclude(body="").exists()


def test_without_the_ministrys_words_it_does_not_go_out(published, registry, signed_in, ministry) -> None:
    page = signed_in(ministry).post(f"{NOTE}/cong-bo")
    assert page.status_code == 409
    assert "Chưa có phần lời của Bộ" in page.content.decode()
    with pytest.raises(Conflict):
        operations.release_press_note(run=published, by=ministry)


def test_it_goes_out_with_the_report_and_waits_again_with_the_next_run(
    done_run, make_run, registry, signed_in, ministry, visitor
) -> None:
    browser = signed_in(ministry)
    browser.post(f"{NOTE}/luu", {"body": OWN, "edition": 0})
    browser.post(f"{NOTE}/cong-bo")
    assert visitor.get(NOTE).status_code == 404
    operations.publish_report(run=done_run, by=ministry)
    for address in PARTS:
        assert visitor.get(address).status_code == 200
    assert OWN in visitor.get(NOTE).content.decode()
    assert "Thông tin báo chí" in visitor.get("/bao-cao/").content.decode()
    operations.publish_report(run=make_run(), by=ministry)
    assert visitor.get(NOTE).status_code == 404
    browser.post(f"{NOTE}/cong-bo")
    assert visitor.get(NOTE).status_code == 200
    browser.post(f"{NOTE}/rut")
    assert visitor.get(NOTE).status_code == 404
    actions = list(AuditEntry.objects.filter(action__contains="press").values_list("action", flat=True))
    assert sorted(actions) == [
        "reporting.press_held", "reporting.press_released", "reporting.press_released", "reporting.press_written",
    ]  # fmt: skip


def test_changing_the_words_calls_a_note_back(published, registry, signed_in, ministry, visitor) -> None:
    browser = signed_in(ministry)
    browser.post(f"{NOTE}/luu", {"body": OWN, "edition": 0})
    browser.post(f"{NOTE}/cong-bo")
    browser.post(f"{NOTE}/luu", {"body": OWN + " Thêm.", "edition": 1})
    assert visitor.get(NOTE).status_code == 404


def test_two_who_write_at_once_lose_nothing(published, registry, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    browser.post(f"{NOTE}/luu", {"body": "Bản thứ nhất.", "edition": 0})
    page = browser.post(f"{NOTE}/luu", {"body": "Bản thứ hai.", "edition": 0})
    html = page.content.decode()
    assert page.status_code == 409
    assert "Bản thứ nhất." in html
    assert "Bản thứ hai." in html
    assert PressNote.objects.get().body == "Bản thứ nhất."


def test_the_word_file_is_in_the_form_of_the_decree(published, registry, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    browser.post(f"{NOTE}/luu", {"body": OWN, "edition": 0})
    document = docx.Document(io.BytesIO(browser.get(f"{NOTE}.docx").content))
    (section,) = document.sections
    for margin, low, high in (
        (section.top_margin, 20, 25), (section.bottom_margin, 20, 25), (section.left_margin, 30, 35),
        (section.right_margin, 15, 20),
    ):  # fmt: skip
        assert low - 0.02 <= margin.mm <= high + 0.02
    assert document.styles["Normal"].font.name == "Times New Roman"
    assert section.different_first_page_header_footer
    assert "PAGE" in section.header._element.xml
    assert "PAGE" not in section.first_page_header._element.xml
    left, right = (cell.text for cell in document.tables[0].rows[0].cells)
    assert "BỘ GIÁO DỤC VÀ ĐÀO TẠO" in left
    assert right.startswith("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc")
    lines = [one.text for one in document.paragraphs if one.text]
    assert lines[0] == "THÔNG TIN BÁO CHÍ"
    assert OWN in lines
    assert document.tables[-1].rows[0].cells[0].text.startswith("Nơi nhận:")


def test_the_note_ranks_nobody(published, registry, signed_in, ministry) -> None:
    html = signed_in(ministry).get(NOTE).content.decode()
    assert not re.search(r"(?i)\b(xếp thứ|đứng thứ|hạng \d|top \d)", html)
