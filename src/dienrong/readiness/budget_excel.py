"""The estimate as Excel with live formulas: a changed price, quantity or norm changes every sum."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _
from xlsxwriter.utility import xl_rowcol_to_cell

from dienrong.readiness.models import Budget, BudgetLine, Section, Source

FIRST = 4
"""Row (from 0) at which the lines of a sheet begin."""
MONEY, ONE_DECIMAL = "#,##0", "#,##0.0"


def budget_workbook(budget: Budget, lines: Sequence[BudgetLine], *, source: str) -> bytes:
    """Write three sheets: sums by part and source, lines, unit prices; amounts are formulas with their values beside.

    Parameters
    ----------
    budget : Budget
        Whose lines these are.
    lines : sequence of BudgetLine
        In their order, with their schools.
    source : str
        Where the numbers come from.

    Returns
    -------
    bytes
        An ``.xlsx`` file.
    """
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.set_calc_mode("auto")
        sheets = _Sheets(book, budget)
        sums, details, prices = (book.add_worksheet(name) for name in sheets.names)
        cells = sheets.write_prices(prices, lines)
        sheets.write_lines(details, lines, cells)
        sheets.write_sums(sums, lines, source)
        for sheet in (sums, details, prices):
            sheet.set_paper(9)
            sheet.fit_to_pages(1, 0)
        details.set_landscape()
    return buffer.getvalue()


class _Sheets:
    """What the sheets of one workbook share: names, forms of cells."""

    def __init__(self, book: Any, budget: Budget) -> None:
        self.budget = budget
        self.names = (_("Sums"), _("Lines"), _("Unit prices"))
        self.title = _("Budget estimate %(year)s · %(stream)s · version %(n)s") % {
            "year": budget.year,
            "stream": budget.get_stream_display(),
            "n": budget.version,
        }
        self.bold = book.add_format({"bold": True})
        self.head = book.add_format(
            {"bold": True, "border": 1, "bg_color": "#e8f1fb", "text_wrap": True, "valign": "top"}
        )
        self.text = book.add_format({"border": 1, "text_wrap": True, "valign": "top"})
        self.money = book.add_format({"border": 1, "num_format": MONEY, "valign": "top"})
        self.typed = book.add_format(
            {"border": 1, "num_format": MONEY, "bg_color": "#fff8e1", "valign": "top"}
        )
        self.count = book.add_format({"border": 1, "num_format": ONE_DECIMAL, "valign": "top"})
        self.sum = book.add_format({"border": 1, "bold": True, "num_format": MONEY})
        self.sum_text = book.add_format({"border": 1, "bold": True})
        self.small = book.add_format({"italic": True, "font_size": 9})

    def _begin(self, sheet: Any, columns: Sequence[str], widths: Sequence[int], note: str) -> None:
        """Write title, note and headings."""
        sheet.write_string(0, 0, self.title, self.bold)
        sheet.write_string(1, 0, f"{self.budget.province.full_name} · {self.budget.cycle.name}")
        sheet.write_string(2, 0, note, self.small)
        for place, (column, width) in enumerate(zip(columns, widths, strict=True)):
            sheet.write_string(FIRST - 1, place, column, self.head)
            sheet.set_column(place, place, width)
        sheet.freeze_panes(FIRST, 0)
        sheet.repeat_rows(FIRST - 1)

    def write_prices(self, sheet: Any, lines: Sequence[BudgetLine]) -> dict[tuple[str, str, int], str]:
        """Write each price once; give the cell in which it stands."""
        note = _("Change a price in the yellow column; all sums follow.")
        self._begin(
            sheet,
            (_("Article"), _("Unit"), _("Unit price, dong"), _("Ground of the price")),
            (52, 12, 18, 60),
            note,
        )
        cells: dict[tuple[str, str, int], str] = {}
        for line in lines:
            key = (line.name, line.unit, line.unit_price)
            if key in cells:
                continue
            row = FIRST + len(cells)
            cells[key] = f"'{self.names[2]}'!{xl_rowcol_to_cell(row, 2, row_abs=True, col_abs=True)}"
            sheet.write_string(row, 0, line.name, self.text)
            sheet.write_string(row, 1, line.unit, self.text)
            sheet.write_number(row, 2, line.unit_price, self.typed)
            sheet.write_string(row, 3, line.legal_basis, self.text)
        return cells

    def write_lines(
        self, sheet: Any, lines: Sequence[BudgetLine], cells: dict[tuple[str, str, int], str]
    ) -> None:
        """Write the lines; the amount is quantity × norm × price, rounded to the đồng."""
        columns = (
            _("No."), _("Part"), _("Content of spending"), _("School"), _("Source"), _("Unit"), _("Quantity"),
            _("Norm (days, times)"), _("Unit price, dong"), _("Amount, dong"),
        )  # fmt: skip
        self._begin(
            sheet,
            columns,
            (6, 22, 44, 34, 24, 10, 11, 11, 15, 18),
            _("Amount = quantity × norm × unit price."),
        )
        for number, line in enumerate(lines, start=1):
            row = FIRST + number - 1
            sheet.write_number(row, 0, number, self.text)
            school = f"{line.school.name} ({line.school.school_id})" if line.school else ""
            words = (line.get_section_display(), line.name, school, line.get_source_display(), line.unit)
            for place, word in enumerate(words, start=1):
                sheet.write_string(row, place, str(word), self.text)
            sheet.write_number(row, 6, float(line.quantity), self.count)
            sheet.write_number(row, 7, float(line.norm), self.count)
            price = cells[line.name, line.unit, line.unit_price]
            sheet.write_formula(row, 8, f"={price}", self.money, line.unit_price)
            n = row + 1
            sheet.write_formula(row, 9, f"=ROUND(G{n}*H{n}*I{n},0)", self.money, line.amount)
        last = FIRST + len(lines)
        sheet.write_string(last, 2, _("Total"), self.sum_text)
        total = sum(one.amount for one in lines)
        sheet.write_formula(
            last, 9, f"=SUM(J{FIRST + 1}:J{max(last, FIRST + 1)})" if lines else "=0", self.sum, total
        )

    def write_sums(self, sheet: Any, lines: Sequence[BudgetLine], source: str) -> None:
        """Write sums by part, then by source; both end with the same total."""
        self._begin(sheet, (_("Part or source"), _("Amount, dong")), (52, 22), source)
        row = FIRST
        for letter, words, name in (("B", Section, "section"), ("E", Source, "source")):
            first = row
            for code, word in words.choices:
                amount = sum(one.amount for one in lines if getattr(one, name) == code)
                if not amount:
                    continue
                sheet.write_string(row, 0, str(word), self.text)
                rows = f"${FIRST + 1}:${{letter}}${max(FIRST + len(lines), FIRST + 1)}"
                where = f"'{self.names[1]}'!${letter}{rows.format(letter=letter)}"
                what = f"'{self.names[1]}'!$J{rows.format(letter='J')}"
                sheet.write_formula(row, 1, f"=SUMIF({where},A{row + 1},{what})", self.money, amount)
                row += 1
            sheet.write_string(row, 0, _("Total"), self.sum_text)
            formula = f"=SUM(B{first + 1}:B{row})" if row > first else "=0"
            sheet.write_formula(row, 1, formula, self.sum, sum(one.amount for one in lines))
            row += 2
