"""Documents and reports as Word files in the form of Decree 30/2020/NĐ-CP.

A document is a title and blocks; a report becomes such a document. The same document gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from docx.oxml import OxmlElement
from docx.shared import Mm

from lsakit.errors import LsakitError
from lsakit.tables import charts
from lsakit.tables.official_form import (
    OfficialForm,
    addressed_lines,
    closed_lines,
    date_line,
    kind_and_summary,
    number_line,
)
from lsakit.tables.publication import natural_widths, numeric_columns
from lsakit.tables.report import Report, in_print
from lsakit.tables.texts import Texts
from lsakit.tables.word_parts import (
    BODY_POINTS,
    MARGINS_MM,
    PAPER_MM,
    add_field,
    add_picture,
    add_rule,
    add_run,
    clean,
    format_paragraph,
    new_document,
    saved,
    table_xml,
    text_width_mm,
)

KINDS = ("heading", "paragraph", "table", "figure", "signature", "page", "room")
HEAD_POINTS, MOTTO_POINTS = 12, 13
LEFT_SHARE = 0.42
"""Share of the line that the issuing agency takes; the nation's name has the rest."""
LONGEST_SET = 40
"""Letters of a word beyond which a justified line would be torn apart."""
ROOM_LINES = 4
"""Empty lines where the unit writes its own words, or signs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordBlock:
    """One part of a document.

    Parameters
    ----------
    kind : str
        ``"heading"``, ``"paragraph"``, ``"table"``, ``"figure"``, ``"signature"`` (two names side by side),
        ``"page"`` (a new one) or ``"room"`` (empty lines to write on).
    text : str, default ""
        The words; of a table or figure its caption.
    columns : tuple of str, default ()
        Headings of a table, or the two names of a signature.
    rows : tuple of tuple of str, default ()
        Cells of a table.
    widths : tuple of float, default ()
        Shares of the line; from the cells where none are given.
    svg : str, default ""
        Drawing of a figure.
    alternative : str, default ""
        The drawing in words.
    note : str, default ""
        What stands below a table or figure.
    is_sourced : bool, default True
        Whether the source line of a report stands below it.

    Raises
    ------
    LsakitError
        If the kind is unknown, a row has not as many cells as there are columns, or a figure has no words.
    """

    kind: str
    text: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    widths: tuple[float, ...] = ()
    svg: str = ""
    alternative: str = ""
    note: str = ""
    is_sourced: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise LsakitError(
                f"The 'kind' of a block must be one of {', '.join(KINDS)}. Got {self.kind!r}.",
                param="kind",
                got=self.kind,
            )
        for number, row in enumerate(self.rows, start=1):
            if self.kind == "table" and len(row) != len(self.columns):
                raise LsakitError(
                    f"Row {number} of the table {self.text!r} has {len(row)} cells for {len(self.columns)} columns.",
                    hint="Give every row as many cells as there are headings, empty ones included.",
                    param="rows",
                )
        if self.kind == "figure" and not self.alternative.strip():
            raise LsakitError(
                f"The figure {self.text!r} has no text alternative.",
                hint="Say in a sentence what the drawing shows; people who do not see it read that.",
                param="alternative",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class WordDocument:
    """A document ready to be written as a Word file.

    Parameters
    ----------
    title : str
        Title.
    blocks : tuple of WordBlock
        Its parts in order.
    language : str
        ``"vi"`` or ``"en"``.
    subtitle : str, default ""
        The line below the title.
    source_line : str, default ""
        Where the numbers come from: below every table and figure of a report, otherwise once at the end.
    form : OfficialForm, optional
        The parts of an official document; without it the file bears a title alone.
    is_landscape : bool, default False
        Whether the paper lies.
    annexes : tuple of WordBlock, default ()
        Parts that stand behind the signature, on a new page.
    is_report : bool, default False
        Whether headings, tables and figures bear numbers, and tables and figures their source.
    """

    title: str
    blocks: tuple[WordBlock, ...]
    language: str
    subtitle: str = ""
    source_line: str = ""
    form: OfficialForm | None = None
    is_landscape: bool = False
    annexes: tuple[WordBlock, ...] = ()
    is_report: bool = False


def report_docx(report: Report, *, form: OfficialForm | None = None) -> bytes:
    """Write a report as a Word file.

    Parameters
    ----------
    report : Report
        The report.
    form : OfficialForm, optional
        Agency, number, date, legal bases, signature and recipients; open places by default.

    Returns
    -------
    bytes
        The file: the same sections, figures and tables as the page and the PDF.
    """
    texts = Texts(report.language)
    return word_file(
        WordDocument(
            title=report.title,
            subtitle=report.subtitle,
            blocks=report_blocks(report),
            language=report.language,
            source_line=report.source_line,
            form=form or OfficialForm(kind=_kind(report.title, texts)),
            is_report=True,
        )
    )


def _kind(title: str, texts: Texts) -> str:
    """Kind of the document by the words that its title begins with; a report where they are no other kind."""
    press_note = texts.say("official.press_note")
    return press_note if title.startswith(press_note) else texts.say("official.report")


def report_blocks(report: Report) -> tuple[WordBlock, ...]:
    """Turn the sections of a report into blocks.

    Parameters
    ----------
    report : Report
        The report.

    Returns
    -------
    tuple of WordBlock
        Heading, sentences, figures and tables of each section, in order.
    """
    blocks: list[WordBlock] = []
    for section in report.sections:
        sentences, tables = in_print(section, report.language)
        blocks.append(WordBlock(kind="heading", text=section.heading))
        blocks += [WordBlock(kind="paragraph", text=sentence) for sentence in sentences]
        if section.left_to_unit:
            blocks.append(WordBlock(kind="room"))
        blocks += [
            WordBlock(
                kind="figure",
                text=figure.title,
                svg=figure.svg,
                alternative=figure.alternative,
                note=figure.note,
            )
            for figure in section.figures
        ]
        blocks += [
            WordBlock(
                kind="table",
                text=table.caption,
                columns=table.columns,
                rows=table.rows,
                note=table.note,
                is_sourced=table.is_sourced,
            )
            for table in tables
        ]
    return tuple(blocks)


def word_file(document: WordDocument) -> bytes:
    """Write a document as a Word file.

    Parameters
    ----------
    document : WordDocument
        The document.

    Returns
    -------
    bytes
        An Office Open XML file: A4, Times New Roman, page number above from the second page on, heading rows
        that repeat, pictures of 300 dots per inch with their words; it carries no date of its making.

    References
    ----------
    .. [1] Decree 30/2020/NĐ-CP of 5 March 2020 on clerical work, Appendix I.
    """
    return _Writer(document).write()


class _Writer:
    """Writes one document from its head to its recipients."""

    def __init__(self, document: WordDocument) -> None:
        """Open the file."""
        self.document = document
        self.texts = Texts(document.language)
        self.file = new_document(
            title=document.title, language=document.language, is_landscape=document.is_landscape
        )
        paper = PAPER_MM[::-1] if document.is_landscape else PAPER_MM
        self.line_mm = float(paper[0] - MARGINS_MM["left"] - MARGINS_MM["right"])
        self.counts = {"heading": 0, "table": 0, "figure": 0}
        self.parts = {
            "heading": self._heading,
            "paragraph": self._sentence,
            "table": self._table,
            "figure": self._figure,
            "signature": self._signature,
            "page": self._page,
            "room": self._room,
        }

    def write(self) -> bytes:
        """Write every part in order."""
        form = self.document.form
        if form is not None:
            self._head(form)
        self._title(form)
        for line in addressed_lines(form, self.texts) if form else ():
            self._paragraph(line, style="Body Text", align="center")
        for basis in closed_lines(form.bases) if form else ():
            paragraph = self._paragraph("", style="Body Text")
            add_run(paragraph, basis, italic=True)
        for block in self.document.blocks:
            self.parts[block.kind](block)
        is_said = self.document.is_report and (self.counts["table"] or self.counts["figure"])
        if self.document.source_line and not is_said:
            self._paragraph(self.document.source_line, style="Quote")
        if form is not None and (form.authority or form.recipients):
            self._closing(form)
        for block in (WordBlock(kind="page"), *self.document.annexes) if self.document.annexes else ():
            self.parts[block.kind](block)
        return saved(self.file)

    def _paragraph(self, text: str, *, style: str = "Normal", align: str = "") -> Any:
        """Write a paragraph of a style."""
        return format_paragraph(self.file.add_paragraph(clean(text), style=style), align=align)

    def _columns(self, left_mm: float) -> tuple[Any, Any]:
        """Open two columns without lines that stay on one page."""
        table = self.file.add_table(rows=1, cols=2)
        table.autofit = False
        widths = (left_mm, self.line_mm - left_mm)
        for column, cell, width in zip(table.columns, table.rows[0].cells, widths, strict=True):
            column.width = cell.width = Mm(width)
        table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        left, right = table.rows[0].cells
        return left, right

    def _head(self, form: OfficialForm) -> None:
        """Write agency and number at the left, the nation's name, motto, place and date at the right."""
        left_mm = self.line_mm * LEFT_SHARE if form.agency else 0.0
        right_mm = self.line_mm - left_mm
        say = self.texts.say
        if form.agency:
            left, right = self._columns(left_mm)
            lines = [(form.parent_agency.upper(), False)] if form.parent_agency else []
            lines.append((form.agency.upper(), True))
            first = True
            for text, bold in lines:
                paragraph = left.paragraphs[0] if first else left.add_paragraph()
                add_run(format_paragraph(paragraph, align="center"), text, points=HEAD_POINTS, bold=bold)
                first = False
            longest = min(text_width_mm(form.agency.upper(), points=HEAD_POINTS), left_mm - 6)
            add_rule(left.add_paragraph(), width_mm=0.42 * longest, available_mm=left_mm - 4)
            if form.symbol or form.number:
                numbered = format_paragraph(left.add_paragraph(), align="center", before=4)
                add_run(numbered, number_line(form, self.texts), points=BODY_POINTS)
        else:
            right = self.file
        nation = right.paragraphs[0] if form.agency else right.add_paragraph()
        add_run(
            format_paragraph(nation, align="center"), say("official.nation"), points=HEAD_POINTS, bold=True
        )
        motto = format_paragraph(right.add_paragraph(), align="center")
        add_run(motto, say("official.motto"), points=MOTTO_POINTS, bold=True)
        width = text_width_mm(say("official.motto"), points=MOTTO_POINTS)
        add_rule(right.add_paragraph(), width_mm=width, available_mm=right_mm - (4 if form.agency else 0))
        if form.place or form.date:
            dated = format_paragraph(right.add_paragraph(), align="center", before=4)
            add_run(dated, date_line(form, self.texts), points=BODY_POINTS, italic=True)

    def _title(self, form: OfficialForm | None) -> None:
        """Write the kind of document and what it is about, with the line below."""
        kind, summary = kind_and_summary(form.kind if form else "", self.document.title)
        if kind:
            self._paragraph(kind.upper(), style="Title")
        title = self._paragraph(summary, style="Title")
        if kind:
            format_paragraph(title, before=0)
        if form is not None and kind:
            longest = min(text_width_mm(summary, points=14), self.line_mm)
            line = self.file.add_paragraph()
            add_rule(line, width_mm=0.4 * longest, available_mm=self.line_mm)
            format_paragraph(line, before=4)
        if self.document.subtitle:
            format_paragraph(self._paragraph(self.document.subtitle, style="Subtitle"), before=6)

    def _number(self, kind: str) -> int:
        """Count headings, tables and figures."""
        self.counts[kind] += 1
        return self.counts[kind]

    def _heading(self, block: WordBlock) -> None:
        """Write a heading."""
        number = f"{self._number('heading')}. " if self.document.is_report else ""
        self._paragraph(number + block.text, style="Heading 1")

    def _sentence(self, block: WordBlock) -> None:
        """Write a paragraph of the text; one with a hash stays ragged, since a word of a line's length cannot be set."""
        has_hash = any(len(word) > LONGEST_SET for word in block.text.split())
        self._paragraph(block.text, style="Body Text", align="left" if has_hash else "")

    def _caption(self, kind: str, text: str) -> None:
        """Write the caption above a table or figure, numbered by a field so that lists of them can be made."""
        number = self._number(kind)
        if not text:
            return
        caption = self._paragraph("", style="Caption")
        if self.document.is_report:
            add_run(caption, self.texts.say(f"official.{kind}") + " ")
            add_field(caption, f"SEQ {kind} \\* ARABIC", str(number))
            add_run(caption, ". ")
        add_run(caption, text)

    def _below(self, block: WordBlock) -> None:
        """Write note and source below a table or figure."""
        source = self.document.source_line if self.document.is_report and block.is_sourced else ""
        written = [line for line in (block.note, source) if line]
        paragraph = self._paragraph("", style="Quote" if written else "Normal")
        for place, line in enumerate(written):
            run = add_run(paragraph, line)
            if place < len(written) - 1:
                run.add_break()
        paragraph.paragraph_format.keep_together = True
        format_paragraph(paragraph, after=8 if written else 0)

    def _table(self, block: WordBlock) -> None:
        """Write a table with its caption and what stands below."""
        self._caption("table", block.text)
        columns = len(block.columns)
        points = 11.0 if columns <= 5 else 10.0 if columns <= 7 else 9.0 if columns <= 9 else 8.0
        sides = ["right" if is_number else "left" for is_number in numeric_columns(block.columns, block.rows)]
        widths = block.widths or natural_widths(block.columns, block.rows)
        total = sum(widths)
        element = table_xml(
            block.columns,
            block.rows,
            widths_mm=[self.line_mm * one / total for one in widths],
            sides=sides,
            points=points,
            title=block.text,
        )
        body = self.file.element.body
        body.insert(list(body).index(body.sectPr), element)
        self._below(block)

    def _figure(self, block: WordBlock) -> None:
        """Write a figure: caption, picture, what stands below."""
        self._caption("figure", block.text)
        paragraph = format_paragraph(self.file.add_paragraph(), align="center", keep=True)
        tallest = 200.0 if not self.document.is_landscape else 120.0
        width = charts.printed_width(block.svg, line_mm=self.line_mm, tallest_mm=tallest)
        add_picture(
            paragraph,
            charts.picture(block.svg, width_mm=width),
            width_mm=width,
            title=block.text or block.alternative,
            alternative=block.alternative,
        )
        self._below(block)

    def _signature(self, block: WordBlock) -> None:
        """Write two places for signatures side by side."""
        for cell, name in zip(self._columns(self.line_mm / 2), block.columns, strict=True):
            add_run(format_paragraph(cell.paragraphs[0], align="center"), name, bold=True)
            for _line in range(ROOM_LINES):
                cell.add_paragraph()

    def _page(self, _block: WordBlock) -> None:
        """Begin a new page."""
        self.file.add_page_break()

    def _room(self, _block: WordBlock) -> None:
        """Leave lines for the unit's own words."""
        for _line in range(ROOM_LINES):
            self._paragraph("", style="Body Text")

    def _closing(self, form: OfficialForm) -> None:
        """Write recipients at the left and, at the right, authority, room to sign and the name."""
        self._paragraph("")
        left, right = self._columns(self.line_mm / 2)
        if form.recipients:
            add_run(
                left.paragraphs[0], self.texts.say("official.recipients"), points=12, bold=True, italic=True
            )
            for line in closed_lines(form.recipients, before="- "):
                add_run(left.add_paragraph(), line, points=11)
        paragraph = right.paragraphs[0]
        for place, line in enumerate(form.authority):
            paragraph = paragraph if place == 0 else right.add_paragraph()
            add_run(format_paragraph(paragraph, align="center"), line.upper(), points=13, bold=True)
        for _line in range(ROOM_LINES):
            right.add_paragraph()
        add_run(format_paragraph(right.add_paragraph(), align="center"), form.signer, points=13, bold=True)
