"""Letters, forms and the report as files that other programs open."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
import zipfile
from io import BytesIO

import pytest
from django.utils import translation
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from dienrong.fieldwork.documents import document, forms, letters, printing, word
from dienrong.fieldwork.documents.report import report
from small_fieldwork import bring_to_selected

pytestmark = pytest.mark.django_db
WORDS = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def texts_of(docx: bytes) -> list[str]:
    """Read the paragraphs of a Word file; every part must be well-formed, every picture be there."""
    package = zipfile.ZipFile(BytesIO(docx))
    assert package.testzip() is None
    for name in package.namelist():
        if name.endswith((".xml", ".rels")):
            ElementTree.fromstring(package.read(name))
    links = ElementTree.fromstring(package.read("word/_rels/document.xml.rels"))
    for link in links:
        assert f"word/{link.get('Target')}" in package.namelist()
    root = ElementTree.fromstring(package.read("word/document.xml"))
    return ["".join(one.text or "" for one in line.iter(f"{WORDS}t")) for line in root.iter(f"{WORDS}p")]


def words_of(pdf: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


@pytest.mark.parametrize(
    ("language", "title"), [("vi", "Thư mời tham gia khảo sát"), ("en", "Invitation to the survey")]
)
def test_a_letter_names_the_school_and_its_days_as_pdf_and_word(school, fieldwork, language, title) -> None:
    with translation.override(language):
        made = letters.letter(school, fieldwork, "https://dienrong.example/tham-gia/truong/1")
        pdf, docx = printing.pdf(made), word.docx(made)
    assert title in words_of(pdf)
    for text in (title, school.school.name, "04/12/2026"):
        assert any(text in line for line in texts_of(docx)), text
    assert docx == word.docx(made)
    assert pdf == printing.pdf(made)


def test_signs_of_xml_are_kept(school, fieldwork) -> None:
    school.school.name = "Trường <A> & B"
    docx = word.docx(letters.letter(school, fieldwork, "x"))
    assert any("Trường <A> & B" in line for line in texts_of(docx))


def test_an_attendance_sheet_has_every_code_once_and_places_to_sign(school, officer) -> None:
    bring_to_selected(school, officer, first=1)
    people = forms.people_of(school)
    made = forms.form("diem-danh", school, people, None)
    words = words_of(printing.pdf(made))
    for one in people:
        assert words.count(one.person_code) == 1
    assert "Điều phối viên trường" in words
    assert PdfReader(BytesIO(printing.pdf(made))).pages[0].mediabox.width > 840  # A4 lying, 297 mm


def test_labels_are_24_on_a_sheet() -> None:
    labels = [printing.Label(top="Trường", code=f"{n:014d}", name="", bottom="5A") for n in range(25)]
    pages = PdfReader(BytesIO(printing.labels_pdf(labels, title="x", language="vi"))).pages
    assert len(pages) == 2
    assert pages[0].extract_text().count("5A") == 24


def test_an_excel_form_keeps_codes_as_text(school, officer, signed_in) -> None:
    bring_to_selected(school, officer, first=1)
    page = signed_in(officer).get(f"/tham-gia/truong/{school.pk}/theo-doi.xlsx")
    rows = CalamineWorkbook.from_filelike(BytesIO(page.content)).get_sheet_by_index(0).to_python()
    codes = {one.person_code for one in forms.people_of(school)}
    assert codes == {row[1] for row in rows if isinstance(row[1], str) and row[1].isdigit()}


def test_a_report_without_weights_says_so(fieldwork) -> None:
    made = report(fieldwork)
    assert any("Trọng số được tính khi" in block.text for block in made.blocks)
    assert [one.kind for one in made.blocks].count("heading") == 5
    assert document.table(["a"], [[1]]).rows == (("1",),)
