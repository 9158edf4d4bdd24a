"""Parts of Word files: page, styles, fields, rules, tables, pictures; the same parts give the same bytes."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import docx
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Emu, Mm, Pt

FONT = "Times New Roman"
"""Named, never shipped: it is not free; where it is missing, Liberation Serif has the same widths."""
BODY_POINTS, SMALL_POINTS = 13, 10
MARGINS_MM = {"top": 20, "bottom": 20, "left": 30, "right": 18}
"""Decree 30/2020, Appendix I: top and bottom 20-25, left 30-35, right 15-20 mm."""
PAPER_MM = (210, 297)
WHOLE_ROWS = 10
"""A table of so few rows is not parted by the end of a page; of a longer one the last row stays with its note."""
UNDATED = datetime(2000, 1, 1, tzinfo=UTC)
_ZIPPED_AT = (2000, 1, 1, 0, 0, 0)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
ALIGN = {
    "left": WD_ALIGN_PARAGRAPH.LEFT,
    "center": WD_ALIGN_PARAGRAPH.CENTER,
    "right": WD_ALIGN_PARAGRAPH.RIGHT,
    "justify": WD_ALIGN_PARAGRAPH.JUSTIFY,
}
AUTHOR = "Diện Rộng"


def clean(text: str) -> str:
    """Take out of a text what no XML file may hold.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        The text with a space for each such character.
    """
    return _NOT_XML.sub(" ", text)


def new_document(*, title: str, language: str, is_landscape: bool) -> Any:
    """Open an empty document: A4, the margins and typeface of official documents, page numbers above.

    Parameters
    ----------
    title : str
        Title in the properties of the file.
    language : str
        ``"vi"`` or ``"en"``: the language that spelling and screen readers assume.
    is_landscape : bool
        Whether the paper lies.

    Returns
    -------
    docx.document.Document
        The document.
    """
    document = docx.Document()
    section = document.sections[0]
    width, height = PAPER_MM[::-1] if is_landscape else PAPER_MM
    section.page_width, section.page_height = Mm(width), Mm(height)
    section.orientation = WD_ORIENT.LANDSCAPE if is_landscape else WD_ORIENT.PORTRAIT
    section.top_margin, section.bottom_margin = Mm(MARGINS_MM["top"]), Mm(MARGINS_MM["bottom"])
    section.left_margin, section.right_margin = Mm(MARGINS_MM["left"]), Mm(MARGINS_MM["right"])
    section.header_distance, section.footer_distance = Mm(10), Mm(10)
    section.different_first_page_header_footer = True
    number = section.header.paragraphs[0]
    add_field(number, "PAGE", "2", points=BODY_POINTS)
    format_paragraph(number, align="center")
    _set_styles(document, language)
    properties = document.core_properties
    properties.author, properties.language = AUTHOR, _code(language)
    properties.title = clean(title)[:255]  # the format holds no more
    properties.last_modified_by, properties.comments = AUTHOR, ""
    properties.created = properties.modified = UNDATED
    _drop_leftovers(document)
    return document


def _code(language: str) -> str:
    """Give the code of a language as Word writes it."""
    return "vi-VN" if language == "vi" else "en-US"


def _drop_leftovers(document: Any) -> None:
    """Take the library's own picture of an empty page and its empty bibliography out of the package."""
    for links in (document.part.package.rels, document.part.rels):
        for key in [
            key for key, link in links.items() if link.reltype.endswith(("/thumbnail", "/customXml"))
        ]:
            links.pop(key)


def _set_styles(document: Any, language: str) -> None:
    """Set typeface, sizes and spacing of every style that is used."""
    defaults = document.styles.element.find(qn("w:docDefaults")).find(qn("w:rPrDefault")).find(qn("w:rPr"))
    for child in list(defaults):
        defaults.remove(child)
    defaults.append(_typeface())
    language_mark = OxmlElement("w:lang")
    for place in ("w:val", "w:eastAsia"):
        language_mark.set(qn(place), _code(language))
    defaults.append(language_mark)
    wanted: dict[str, dict[str, Any]] = {
        "Normal": {"points": BODY_POINTS},
        "Body Text": {"points": BODY_POINTS, "align": "justify", "before": 0, "after": 6, "indent_mm": 10, "lines": 1.15},
        "Title": {"points": 14, "bold": True, "align": "center", "before": 12, "after": 0, "keep": True},
        "Subtitle": {"points": BODY_POINTS, "align": "center", "before": 0, "after": 6},
        "Heading 1": {"points": 13, "bold": True, "before": 12, "after": 6, "keep": True},
        "Heading 2": {"points": 13, "bold": True, "italic": True, "before": 8, "after": 4, "keep": True},
        "Caption": {"points": 12, "bold": True, "before": 8, "after": 3, "keep": True},
        "Quote": {"points": SMALL_POINTS, "italic": True, "before": 2, "after": 2},
        "Header": {"points": BODY_POINTS, "align": "center"},
    }  # fmt: skip
    for name, form in wanted.items():
        _set_style(document.styles[name], **form)


def _set_style(style: Any, *, points: int, bold: bool = False, italic: bool = False, **form: Any) -> None:
    """Set one style; what the library's own style held of typeface and color is dropped."""
    properties = style.element.get_or_add_rPr()
    for child in list(properties):
        properties.remove(child)
    properties.append(_typeface())
    style.font.size, style.font.bold, style.font.italic = Pt(points), bold, italic
    borders = style.element.get_or_add_pPr().find(qn("w:pBdr"))
    if borders is not None:
        style.element.pPr.remove(borders)
    shape = style.paragraph_format
    shape.space_before, shape.space_after = Pt(form.get("before", 0)), Pt(form.get("after", 0))
    shape.line_spacing = form.get("lines", 1.0)
    shape.alignment = ALIGN[form.get("align", "left")]
    shape.first_line_indent = Mm(form["indent_mm"]) if "indent_mm" in form else None
    shape.keep_with_next = form.get("keep", False)


def _typeface() -> Any:
    """Name the typeface for every script, without a theme's own."""
    fonts = OxmlElement("w:rFonts")
    for script in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(script), FONT)
    return fonts


def format_paragraph(
    paragraph: Any, *, align: str = "", before: float | None = None, after: float | None = None, keep: bool | None = None
) -> Any:  # fmt: skip
    """Set side, spacing in points and whether the next paragraph must stand on the same page.

    Parameters
    ----------
    paragraph : docx.text.paragraph.Paragraph
        The paragraph.
    align : str, default ""
        ``"left"``, ``"center"``, ``"right"`` or ``"justify"``; empty leaves it as the style has it.
    before, after : float, optional
        Spacing in points.
    keep : bool, optional
        Whether it stays with the next.

    Returns
    -------
    docx.text.paragraph.Paragraph
        The paragraph.
    """
    shape = paragraph.paragraph_format
    if align:
        shape.alignment = ALIGN[align]
    if before is not None:
        shape.space_before = Pt(before)
    if after is not None:
        shape.space_after = Pt(after)
    if keep is not None:
        shape.keep_with_next = keep
    return paragraph


def add_run(
    paragraph: Any, text: str, *, points: float = 0, bold: bool | None = None, italic: bool | None = None
) -> Any:
    """Write a run of text; what is not given is as the style has it.

    Parameters
    ----------
    paragraph : docx.text.paragraph.Paragraph
        The paragraph.
    text : str
        The text.
    points : float, default 0
        Size in points.
    bold, italic : bool, optional
        Marks.

    Returns
    -------
    docx.text.run.Run
        The run.
    """
    run = paragraph.add_run(clean(text))
    if points:
        run.font.size = Pt(points)
    run.bold, run.italic = bold, italic
    return run


def add_field(paragraph: Any, instruction: str, shown: str, *, points: float = 0) -> None:
    """Write a field such as the page number, with what it shows until the program counts anew.

    Parameters
    ----------
    paragraph : docx.text.paragraph.Paragraph
        The paragraph.
    instruction : str
        The field's own words, such as ``"PAGE"`` or ``"SEQ Table"``.
    shown : str
        Its value as known now.
    points : float, default 0
        Size in points.
    """
    for part in ("begin", "text", "separate", "shown", "end"):
        run = add_run(paragraph, shown if part == "shown" else "", points=points)
        if part == "text":
            words = OxmlElement("w:instrText")
            words.set(qn("xml:space"), "preserve")
            words.text = f" {instruction} "
            run._r.append(words)
        elif part != "shown":
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), part)
            run._r.append(mark)


def add_rule(paragraph: Any, *, width_mm: float, available_mm: float) -> None:
    """Turn an empty paragraph into a thin line of a width, in the middle of what is available.

    Parameters
    ----------
    paragraph : docx.text.paragraph.Paragraph
        The paragraph.
    width_mm : float
        Length of the line in millimeters.
    available_mm : float
        Width of the column in millimeters.
    """
    inset = max(0.0, (available_mm - width_mm) / 2)
    shape = paragraph.paragraph_format
    shape.left_indent = shape.right_indent = Mm(inset)
    shape.first_line_indent, shape.space_before, shape.space_after = Mm(0), Pt(2), Pt(0)
    shape.line_spacing = Pt(4)
    properties = paragraph._p.get_or_add_pPr()
    borders = parse_xml(
        f'<w:pBdr {nsdecls("w")}><w:top w:val="single" w:sz="6" w:space="1" w:color="000000"/></w:pBdr>'
    )
    properties.insert_element_before(
        borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:kinsoku", "w:wordWrap", "w:overflowPunct",
        "w:topLinePunct", "w:autoSpaceDE", "w:autoSpaceDN", "w:bidi", "w:adjustRightInd", "w:snapToGrid",
        "w:spacing", "w:ind", "w:contextualSpacing", "w:mirrorIndents", "w:suppressOverlap", "w:jc",
        "w:textDirection", "w:textAlignment", "w:textboxTightWrap", "w:outlineLvl", "w:divId", "w:cnfStyle",
        "w:rPr", "w:sectPr", "w:pPrChange",
    )  # fmt: skip


def text_width_mm(text: str, *, points: float, bold: bool = True) -> float:
    """Guess how long a line of text is, from the mean widths of the typeface's letters.

    Parameters
    ----------
    text : str
        The text.
    points : float
        Size in points.
    bold : bool, default True
        Whether it is bold.

    Returns
    -------
    float
        Millimeters, within about a tenth: enough for the lines below names, which have no exact length.
    """
    ems = sum(0.72 if letter.isupper() else 0.27 if letter == " " else 0.49 for letter in text)
    return ems * points * (1.0 if bold else 0.96) * 25.4 / 72


def table_xml(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    widths_mm: Sequence[float],
    sides: Sequence[str],
    points: float,
    title: str = "",
) -> Any:
    """Make a table: single black lines, a heading row repeated on every page, rows never broken.

    Parameters
    ----------
    columns : Sequence of str
        Headings.
    rows : Sequence of Sequence of str
        Cells.
    widths_mm : Sequence of float
        Width of each column in millimeters.
    sides : Sequence of str
        ``"left"`` or ``"right"`` for each column.
    points : float
        Size of the text in points.
    title : str, default ""
        What screen readers say of the table.

    Returns
    -------
    docx.oxml.table.CT_Tbl
        The element, to be put into a document.
    """
    sizes = [round(one * 1440 / 25.4) for one in widths_mm]
    edges = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    grid = "".join(f'<w:gridCol w:w="{size}"/>' for size in sizes)
    made = [_row_xml(columns, sizes, ["center"] * len(sizes), points, is_head=True)]
    kept = range(len(rows) - 1) if len(rows) <= WHOLE_ROWS else range(0)
    made += [
        _row_xml(row, sizes, sides, points, keep=place in kept or place == len(rows) - 1)
        for place, row in enumerate(rows)
    ]
    named = f"<w:tblCaption w:val={quoteattr(clean(title))}/>" if title else ""
    return parse_xml(
        f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblW w:w="{sum(sizes)}" w:type="dxa"/><w:tblBorders>{edges}</w:tblBorders>'
        '<w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="70" w:type="dxa"/><w:right w:w="70" w:type="dxa"/></w:tblCellMar>'
        '<w:tblLook w:val="0020" w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" w:noHBand="1" w:noVBand="1"/>'
        f"{named}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{''.join(made)}</w:tbl>"
    )


def _row_xml(
    cells: Sequence[str],
    sizes: Sequence[int],
    sides: Sequence[str],
    points: float,
    *,
    is_head: bool = False,
    keep: bool = False,
) -> str:
    """Write a row of a table; one that is kept stands on the page of what follows."""
    marks = "<w:cantSplit/><w:tblHeader/>" if is_head else "<w:cantSplit/>"
    bold, middle = ("<w:b/>", '<w:vAlign w:val="center"/>') if is_head else ("", "")
    mark = "<w:keepNext/>" if is_head or keep else ""
    written = []
    for cell, size, side in zip(cells, sizes, sides, strict=True):
        shape = f'<w:pPr>{mark}<w:spacing w:before="20" w:after="20"/><w:jc w:val="{side}"/></w:pPr>'
        text = f'<w:t xml:space="preserve">{escape(clean(cell))}</w:t>'
        run = f'<w:r><w:rPr>{bold}<w:sz w:val="{round(2 * points)}"/></w:rPr>{text}</w:r>'
        written.append(
            f'<w:tc><w:tcPr><w:tcW w:w="{size}" w:type="dxa"/>{middle}</w:tcPr><w:p>{shape}{run}</w:p></w:tc>'
        )
    return f"<w:tr><w:trPr>{marks}</w:trPr>{''.join(written)}</w:tr>"


def add_picture(paragraph: Any, png: bytes, *, width_mm: float, title: str, alternative: str) -> None:
    """Place a picture with its words for those who do not see it.

    Parameters
    ----------
    paragraph : docx.text.paragraph.Paragraph
        The paragraph that holds it.
    png : bytes
        The picture.
    width_mm : float
        Its width in millimeters; the height follows.
    title : str
        Its name.
    alternative : str
        The picture in words.
    """
    picture = paragraph.add_run().add_picture(io.BytesIO(png), width=Emu(round(width_mm * 36_000)))
    words = picture._inline.docPr
    words.set("name", clean(title)[:200])
    words.set("title", clean(title))
    words.set("descr", clean(alternative))


def saved(document: Any) -> bytes:
    """Write a document so that the same document gives the same bytes whenever it is written.

    Parameters
    ----------
    document : docx.document.Document
        The document.

    Returns
    -------
    bytes
        The file.
    """
    first, last = io.BytesIO(), io.BytesIO()
    document.save(first)
    with zipfile.ZipFile(first) as source, zipfile.ZipFile(last, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, _ZIPPED_AT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, source.read(name))
    return last.getvalue()
