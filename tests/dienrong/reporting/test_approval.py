"""From drafter to head: four eyes, frozen with a hash; a new run marks figures and leaves the words."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import re
import subprocess
import zipfile
from xml.etree import ElementTree

import docx
import pytest
from django.utils import translation

from dienrong.analysis import numeric
from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import Conflict, NotAllowed
from dienrong.reporting import operations, queries
from dienrong.reporting.models import FrozenText, ProvincialText
from dienrong.reporting.operations.approving import hash_of
from dienrong.reporting.queries import evidence, writing
from small_cycle import tiny_options

pytestmark = pytest.mark.django_db
DESK = "/bao-cao/quoc-gia-2026/tinh/01/soan"
PAGE = "/bao-cao/quoc-gia-2026/grade5/maths/tinh/01"
FILES = "/bao-cao/quoc-gia-2026/tinh/01/bao-cao"
OWN = "Một số trường thiếu giáo viên."


def reread(text) -> ProvincialText:
    return ProvincialText.objects.get(pk=text.pk)


@pytest.fixture
def handed_over(ready, report, officer, colleague):
    operations.hand_over(text=ready, to=colleague, report=report, by=officer)
    return reread(ready)


@pytest.fixture
def approved(handed_over, report, colleague) -> FrozenText:
    return operations.approve(text=handed_over, report=report, by=colleague)


def test_an_unfinished_text_is_not_handed_over(text, report, signed_in, officer, colleague) -> None:
    page = signed_in(officer).post(f"{DESK}/trinh", {"to": str(colleague.pk)})
    assert page.status_code == 422
    html = page.content.decode()
    assert "Báo cáo còn 4 điểm chưa xong" in html
    assert html.count("chưa viết gì") == 4
    assert reread(text).state == "draft"


def test_the_drafter_does_not_approve(ready, report, signed_in, officer, colleague, stranger) -> None:
    browser = signed_in(officer)
    for to in ("", str(officer.pk), str(stranger.pk), "999999999", "x"):
        page = browser.post(f"{DESK}/trinh", {"to": to})
        assert page.status_code == 422, to
        assert "Chọn người duyệt" in page.content.decode()
    operations.hand_over(text=ready, to=colleague, report=report, by=officer)
    with pytest.raises(NotAllowed, match="Lê Minh Ánh"):
        operations.approve(text=reread(ready), report=report, by=officer)
    assert browser.post(f"{DESK}/phe-duyet").status_code == 403
    assert not FrozenText.objects.exists()


def test_while_it_waits_only_the_approver_writes(handed_over, signed_in, officer, colleague) -> None:
    save = f"{DESK}/muc/nguyen-nhan/luu"
    edition = writing.sections_of(handed_over)["causes"].edition
    refused = signed_in(officer).post(
        save, {"body": "Sửa.", "edition": edition}, HTTP_ACCEPT="application/json"
    )
    assert refused.status_code == 422
    assert "Lê Minh Ánh" in refused.json()["sentence"]
    assert (
        signed_in(colleague).post(save, {"body": "Sửa của lãnh đạo.", "edition": edition}).status_code == 302
    )
    assert writing.sections_of(handed_over)["causes"].body == "Sửa của lãnh đạo."
    assert "Có báo cáo chờ thầy/cô duyệt" in signed_in(colleague).get("/").content.decode()
    signed_in(officer).post(f"{DESK}/rut-lai")
    assert reread(handed_over).state == "draft"


def test_it_is_given_back_with_a_note(handed_over, signed_in, officer, colleague) -> None:
    head = signed_in(colleague)
    assert head.post(f"{DESK}/tra-lai", {"note": "  "}).status_code == 422
    head.post(f"{DESK}/tra-lai", {"note": "Bổ sung số liệu vùng khó khăn."})
    assert "Bổ sung số liệu vùng khó khăn." in signed_in(officer).get(DESK).content.decode()
    assert reread(handed_over).state == "draft"


def test_approval_freezes_words_and_figures_with_one_hash(
    approved, report, ready, officer, colleague
) -> None:
    whole = {"content": approved.content, "report": report.source.report_id}
    written = json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert approved.sha256 == hashlib.sha256(written.encode()).hexdigest()
    assert approved.sha256 != hash_of(approved.content, "another run")
    assert (approved.frozen_by, approved.drafted_by, approved.run) == (colleague, officer, report.run)
    with pytest.raises(Conflict, match="đã được duyệt"):
        operations.save_section(text=ready, key="causes", body="x", edition=1, by=officer)
    entry = AuditEntry.objects.get(action="reporting.text_approved")
    assert entry.after["sha256"] == approved.sha256


def test_opened_again_it_holds_until_the_next_approval(
    approved, report, signed_in, ministry, officer, colleague
) -> None:
    text = approved.text
    browser = signed_in(officer)
    assert browser.post(f"{DESK}/mo-lai", {"note": ""}).status_code == 422
    browser.post(f"{DESK}/mo-lai", {"note": "Đính chính tên trường."})
    edition = writing.sections_of(text)["causes"].edition
    operations.save_section(
        text=reread(text), key="causes", body="Nguyên nhân mới.", edition=edition, by=officer
    )
    assert OWN in signed_in(ministry).get(PAGE).content.decode()
    assert "Nguyên nhân mới." not in signed_in(ministry).get(PAGE).content.decode()
    assert "Nguyên nhân mới." in browser.get(PAGE).content.decode()
    operations.hand_over(text=reread(text), to=colleague, report=report, by=officer)
    operations.approve(text=reread(text), report=report, by=colleague)
    assert "Nguyên nhân mới." in signed_in(ministry).get(PAGE).content.decode()
    assert list(FrozenText.objects.values_list("number", flat=True)) == [2, 1]


def with_other_values(make_run, monkeypatch):
    """Make a later run that draws four plausible values in place of three, so that its figures differ a little."""
    monkeypatch.setattr(
        numeric, "_options", lambda asked: dataclasses.replace(tiny_options(asked), n_plausible_values=4)
    )
    run = make_run()
    assert run.state == "done"
    return run


def words_in(content: bytes, kind: str) -> str:
    """Read a file back as text."""
    if kind == "docx":
        document = docx.Document(io.BytesIO(content))
        cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
        return "\n".join([one.text for one in document.paragraphs] + cells)
    if kind == "xlsx":
        texts = zipfile.ZipFile(io.BytesIO(content)).read("xl/sharedStrings.xml")
        return "\n".join(ElementTree.fromstring(texts).itertext())
    read = subprocess.run(["pdftotext", "-layout", "-", "-"], input=content, capture_output=True, check=True)
    return " ".join(read.stdout.decode().split())


def test_a_draft_is_read_by_its_department_alone(
    ready,
    signed_in,
    visitor,
    officer,
    colleague,
    stranger,
    ministry,
    commune_officer,
    coordinator,
    researcher,
) -> None:
    for person in (officer, colleague):
        assert OWN in signed_in(person).get(PAGE).content.decode()
        assert OWN in words_in(signed_in(person).get(f"{FILES}.docx").content, "docx")
    others = [signed_in(one) for one in (stranger, ministry, commune_officer, coordinator, researcher)]
    for browser in (visitor, *others):
        assert OWN not in browser.get(PAGE).content.decode()
        for kind in ("docx", "pdf", "xlsx"):
            assert "SL.01" not in words_in(browser.get(f"{FILES}.{kind}").content, kind)
            assert OWN not in words_in(browser.get(f"{FILES}.{kind}").content, kind)


def test_approved_words_are_read_by_the_ministry_and_the_province_and_by_nobody_else(
    approved,
    signed_in,
    visitor,
    officer,
    stranger,
    ministry,
    commune_officer,
    coordinator,
    researcher,
    newcomer,
) -> None:
    for person in (officer, ministry, commune_officer, coordinator):
        assert OWN in signed_in(person).get(PAGE).content.decode(), person.username
    for browser in (visitor, *(signed_in(one) for one in (stranger, researcher, newcomer))):
        assert OWN not in browser.get(PAGE).content.decode()
        assert OWN not in words_in(browser.get(f"{FILES}.docx").content, "docx")
    listed = signed_in(ministry).get("/bao-cao/quoc-gia-2026/cac-tinh").content.decode()
    assert "1 trong 2 tỉnh đã duyệt" in listed
    for person in (officer, stranger, coordinator):
        assert signed_in(person).get("/bao-cao/quoc-gia-2026/cac-tinh").status_code == 403
    assert visitor.get("/bao-cao/quoc-gia-2026/cac-tinh").status_code == 302


def test_the_same_words_stand_in_page_word_pdf_and_excel(approved, ready, signed_in, officer, cited) -> None:
    browser = signed_in(officer)
    page = browser.get(PAGE).content.decode()
    assert OWN in page
    assert "Phần này do đơn vị viết" not in page
    for kind in ("docx", "pdf"):
        found = words_in(browser.get(f"{FILES}.{kind}").content, kind)
        for words in (
            "Một số trường thiếu giáo viên",
            "Bồi dưỡng giáo viên theo cụm",
            "(SL.01)",
            "Số liệu đã dẫn",
        ):
            assert words in found, (kind, words)
        assert "DỰ THẢO" not in found
    book = words_in(browser.get(f"{FILES}.xlsx").content, "xlsx")
    assert cited.sentence in book
    assert cited.figure_id in book


def test_a_draft_says_that_it_is_one(ready, signed_in, officer) -> None:
    for kind in ("docx", "pdf"):
        found = words_in(signed_in(officer).get(f"{FILES}.{kind}").content, kind)
        assert "BẢN DỰ THẢO, chưa được phê duyệt" in found


def test_the_word_file_with_words_keeps_the_form_of_the_decree(approved, signed_in, officer) -> None:
    document = docx.Document(io.BytesIO(signed_in(officer).get(f"{FILES}.docx").content))
    (section,) = document.sections
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
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
    assert left.split("\n")[:3] == ["ỦY BAN NHÂN DÂN", "THÀNH PHỐ HÀ NỘI", "SỞ GIÁO DỤC VÀ ĐÀO TẠO"]
    assert right.split("\n")[:2] == ["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"]
    headings = [one.text for one in document.paragraphs if one.style.name == "Heading 1"]
    names = [re.sub(r"^[\dIVX]+\.\s*", "", one) for one in headings]
    assert names[:5] == ["Kết quả đạt được", "Tồn tại, hạn chế", "Nguyên nhân", "Giải pháp", "Kiến nghị"]
    assert document.tables[-1].rows[0].cells[0].text.startswith("Nơi nhận:")


def test_a_new_run_marks_the_figures_that_changed_and_leaves_the_words(
    ready, cited, make_run, monkeypatch, report, signed_in, officer, colleague, ministry
) -> None:
    before = {key: one.body for key, one in writing.sections_of(ready).items()}
    later = with_other_values(make_run, monkeypatch)
    operations.publish_report(run=later, by=ministry)
    present = queries.readable_report(officer, report.cycle)
    with translation.override("vi"):
        new = evidence.changed_figures(present, "01", writing.citations_of(ready))["SL.01"]
    assert new
    assert new != cited.sentence
    browser = signed_in(officer)
    page = browser.get(f"{DESK}/muc/han-che").content.decode()
    assert "1 số liệu đã trích dẫn đổi theo lượt phân tích 2" in page
    assert f"<del>{cited.sentence}</del>" in page
    assert f"<ins>{new}</ins>" in page
    assert {key: one.body for key, one in writing.sections_of(ready).items()} == before
    with pytest.raises(Conflict):
        operations.hand_over(text=ready, to=colleague, report=present, by=officer)
    browser.post(f"{DESK}/so-lieu/1/cap-nhat", {"heading": "han-che"})
    after = {key: one.body for key, one in writing.sections_of(ready).items()}
    assert after["shortcomings"] == before["shortcomings"].replace(cited.sentence, new)
    assert {key: body for key, body in after.items() if key != "shortcomings"} == {
        key: body for key, body in before.items() if key != "shortcomings"
    }
    operations.hand_over(text=ready, to=colleague, report=present, by=officer)
    frozen = operations.approve(text=reread(ready), report=present, by=colleague)
    assert frozen.run == later


def test_approved_words_stand_with_the_figures_they_were_approved_with(
    approved, make_run, monkeypatch, signed_in, ministry, report
) -> None:
    before = words_in(signed_in(ministry).get(f"{FILES}.docx").content, "docx")
    operations.publish_report(run=with_other_values(make_run, monkeypatch), by=ministry)
    page = signed_in(ministry).get(PAGE).content.decode()
    assert OWN not in page
    assert "Phần lời đã duyệt căn cứ lượt phân tích 1" in page
    assert words_in(signed_in(ministry).get(f"{FILES}.docx").content, "docx") == before


def test_words_of_an_earlier_cycle_are_offered_to_the_same_province_alone(
    approved, text, officer, stranger, report
) -> None:
    import copy

    later = copy.copy(report.cycle)
    later.pk, later.slug, later.store_name = None, "quoc-gia-2028", "quoc-gia-2028"
    later.save()
    mine = operations.begin_text(cycle=later, province="01", by=officer)
    theirs = operations.begin_text(cycle=later, province="79", by=stranger)
    (found,) = writing.earlier_words(mine, "causes")
    assert found["paragraphs"] == (OWN,)
    assert writing.earlier_words(theirs, "causes") == []
    assert writing.earlier_words(text, "causes") == []
