"""From estimates to what people read: publication tables, figures with intervals, reports as Word, PDF and Excel."""

from lsakit.tables.evidence import Evidence, province_evidence
from lsakit.tables.figures import Figure, caterpillar, group_means, level_bars
from lsakit.tables.official_form import OfficialForm
from lsakit.tables.plan_figures import precision_curve
from lsakit.tables.publication import PublicationTable, publication_table
from lsakit.tables.report import Report, Section, build_report
from lsakit.tables.report_files import report_pdf, report_xlsx
from lsakit.tables.texts import Texts
from lsakit.tables.word import WordBlock, WordDocument, report_docx, word_file

__all__ = [
    "Evidence",
    "Figure",
    "OfficialForm",
    "PublicationTable",
    "Report",
    "Section",
    "Texts",
    "WordBlock",
    "WordDocument",
    "build_report",
    "caterpillar",
    "group_means",
    "level_bars",
    "precision_curve",
    "province_evidence",
    "publication_table",
    "report_docx",
    "report_pdf",
    "report_xlsx",
    "word_file",
]
