"""From estimates to what people read: publication tables, figures with intervals, reports as PDF and Excel."""

from lsakit.tables.figures import Figure, caterpillar, group_means, level_bars
from lsakit.tables.plan_figures import precision_curve
from lsakit.tables.publication import PublicationTable, publication_table
from lsakit.tables.report import Report, Section, build_report
from lsakit.tables.report_files import report_pdf, report_xlsx
from lsakit.tables.texts import Texts

__all__ = [
    "Figure",
    "PublicationTable",
    "Report",
    "Section",
    "Texts",
    "build_report",
    "caterpillar",
    "group_means",
    "level_bars",
    "precision_curve",
    "publication_table",
    "report_pdf",
    "report_xlsx",
]
