"""Documents as Word files (Office Open XML), written with the standard library; pictures are PNG.

Why no library: a letter needs headings, paragraphs, tables and pictures, four of the format's elements; the
packages that write it bring an XML toolkit of their own.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

import vl_convert

from dienrong.fieldwork.documents.document import Block, Document

WORDS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TWIPS_OF_MM, EMU_OF_MM = 56.7, 36_000
UNDATED = (2000, 1, 1, 0, 0, 0)
FONT = "Times New Roman"
"""The typeface that official letters are written in."""


def docx(document: Document) -> bytes:
    """Write a document as a Word file; the same document gives the same bytes."""
    pictures: list[bytes] = []
    width, height = (297, 210) if document.is_landscape else (210, 297)
    line = width - (30 if document.is_landscape else 48)
    parts = [_paragraph(text, bold=True, align="center") for text in document.head]
    parts.append(_paragraph(document.title, style="Title"))
    if document.subtitle:
        parts.append(_paragraph(document.subtitle, italic=True))
    parts += [_block(one, pictures, line) for one in document.blocks]
    parts.append(_paragraph(document.source_line, italic=True, size=16))
    orient = ' w:orient="landscape"' if document.is_landscape else ""
    left = 16 if document.is_landscape else 30
    section = (
        f'<w:sectPr><w:pgSz w:w="{_twips(width)}" w:h="{_twips(height)}"{orient}/>'
        f'<w:pgMar w:top="{_twips(18)}" w:bottom="{_twips(18)}" w:left="{_twips(left)}" w:right="{_twips(width - line - left)}"'
        ' w:header="400" w:footer="400" w:gutter="0"/></w:sectPr>'
    )
    body = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="{WORDS}" xmlns:r="{RELATIONS}" '
        'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture">'
        f"<w:body>{''.join(parts)}{section}</w:body></w:document>"
    )
    return _package(body, pictures, document.language)


def _twips(millimetres: float) -> int:
    """Turn millimetres into twentieths of a point."""
    return round(millimetres * TWIPS_OF_MM)


def _run(text: str, *, bold: bool = False, italic: bool = False, size: int = 0) -> str:
    """Write a run of text; ``size`` is in half points."""
    marks = (
        ("<w:b/>" if bold else "")
        + ("<w:i/>" if italic else "")
        + (f'<w:sz w:val="{size}"/>' if size else "")
    )
    return f'<w:r><w:rPr>{marks}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def _paragraph(
    text: str, *, style: str = "", align: str = "", bold: bool = False, italic: bool = False, size: int = 0
) -> str:
    """Write a paragraph."""
    kind = f'<w:pStyle w:val="{style}"/>' if style else ""
    side = f'<w:jc w:val="{align}"/>' if align else ""
    return f"<w:p><w:pPr>{kind}{side}</w:pPr>{_run(text, bold=bold, italic=italic, size=size)}</w:p>"


def _block(block: Block, pictures: list[bytes], line: float) -> str:
    """Write one part of a document."""
    if block.kind == "heading":
        return _paragraph(block.text, style="Heading1")
    if block.kind == "table":
        title = _paragraph(block.text, bold=True) if block.text else ""
        return title + _table(block.columns, block.rows, block.widths, line)
    if block.kind == "figure":
        pictures.append(bytes(vl_convert.svg_to_png(block.svg, scale=2.0)))
        return (
            _paragraph(block.text, bold=True)
            + _picture(len(pictures), pictures[-1], line)
            + _paragraph(block.rows[0][0], italic=True, size=18)
        )
    if block.kind == "signature":
        blank = ("\u00a0",) * 2
        return _table(block.columns, (blank, blank, blank), (1.0, 1.0), line, border="none")
    if block.kind == "page":
        return '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
    return _paragraph(block.text)


def _table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[float],
    line: float,
    *,
    border: str = "single",
) -> str:
    """Write a table over the whole line; its first row is repeated on each page."""
    total = sum(widths)
    sizes = [_twips(line * one / total) for one in widths]
    edges = "".join(
        f'<w:{side} w:val="{border}" w:sz="4" w:space="0" w:color="7F8B99"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    grid = "".join(f'<w:gridCol w:w="{size}"/>' for size in sizes)
    head = _row(columns, sizes, bold=True, is_head=True)
    body = "".join(_row(row, sizes) for row in rows)
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(sizes)}" w:type="dxa"/><w:tblBorders>{edges}</w:tblBorders>'
        f'<w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{head}{body}</w:tbl><w:p/>'
    )


def _row(cells: Sequence[str], sizes: Sequence[int], *, bold: bool = False, is_head: bool = False) -> str:
    """Write a row of a table."""
    mark = "<w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>" if is_head else "<w:trPr><w:cantSplit/></w:trPr>"
    written = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{size}" w:type="dxa"/></w:tcPr>{_paragraph(cell, bold=bold, size=20)}</w:tc>'
        for cell, size in zip(cells, sizes, strict=True)
    )
    return f"<w:tr>{mark}{written}</w:tr>"


def _picture(number: int, png: bytes, line: float) -> str:
    """Place a picture over the whole line; its size stands in the head of the PNG file."""
    width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    across, down = round(line * EMU_OF_MM), round(line * EMU_OF_MM * height / width)
    return (
        f'<w:p><w:r><w:drawing><wp:inline><wp:extent cx="{across}" cy="{down}"/><wp:docPr id="{number}" name="{number}"/>'
        '<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:nvPicPr>'
        f'<pic:cNvPr id="{number}" name="{number}"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="rId{number + 1}"/>'
        '<a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/>'
        f'<a:ext cx="{across}" cy="{down}"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic>'
        "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
    )


def _styles(language: str) -> str:
    """Write the styles: text of 13 points, a title, a heading."""
    code = "vi-VN" if language == "vi" else "en-US"
    base = f'<w:rFonts w:ascii="{FONT}" w:hAnsi="{FONT}" w:cs="{FONT}"/><w:sz w:val="26"/><w:lang w:val="{code}"/>'
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:styles xmlns:w="{WORDS}"><w:docDefaults>'
        f'<w:rPrDefault><w:rPr>{base}</w:rPr></w:rPrDefault><w:pPrDefault><w:pPr><w:spacing w:after="120"/></w:pPr>'
        '</w:pPrDefault></w:docDefaults><w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/>'
        '</w:style><w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/><w:pPr><w:spacing w:before="240" '
        'w:after="120"/></w:pPr><w:rPr><w:b/><w:sz w:val="32"/></w:rPr></w:style><w:style w:type="paragraph" '
        'w:styleId="Heading1"><w:name w:val="heading 1"/><w:pPr><w:keepNext/><w:spacing w:before="240" w:after="80"/>'
        '<w:outlineLvl w:val="0"/></w:pPr><w:rPr><w:b/><w:sz w:val="28"/></w:rPr></w:style></w:styles>'
    )


def _package(body: str, pictures: Sequence[bytes], language: str) -> bytes:
    """Put the parts into one file."""
    kinds = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>'
        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>'
        '<Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/></Types>'
    )
    root = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{RELATIONS}/officeDocument" Target="word/document.xml"/></Relationships>'
    )
    links = "".join(
        f'<Relationship Id="rId{number + 1}" Type="{RELATIONS}/image" Target="media/{number}.png"/>'
        for number in range(1, len(pictures) + 1)
    )
    inner = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{RELATIONS}/styles" Target="styles.xml"/>{links}</Relationships>'
    )
    files: list[tuple[str, bytes]] = [
        ("[Content_Types].xml", kinds.encode()),
        ("_rels/.rels", root.encode()),
        ("word/document.xml", body.encode()),
        ("word/styles.xml", _styles(language).encode()),
        ("word/_rels/document.xml.rels", inner.encode()),
        *((f"word/media/{number}.png", png) for number, png in enumerate(pictures, start=1)),
    ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files:
            package.writestr(zipfile.ZipInfo(name, UNDATED), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
