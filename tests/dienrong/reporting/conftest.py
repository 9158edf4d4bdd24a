"""The small cycle and the small registry, for the tests of these pages; a text of Hà Nội that is ready."""

from __future__ import annotations

import pytest

from dienrong.reporting import operations, queries
from dienrong.reporting.queries import evidence, writing
from small_cycle import cycle, done_run, make_run, published, registry, small_store

__all__ = ["cycle", "done_run", "make_run", "published", "registry", "small_store"]
WORDS = {
    "shortcomings": "Môn Toán còn hạn chế.",
    "causes": "Một số trường thiếu giáo viên.",
    "solutions": "Bồi dưỡng giáo viên theo cụm.",
    "recommendations": "Đề nghị Ủy ban nhân dân bố trí kinh phí.",
}


@pytest.fixture
def report(published, registry, officer):
    """The published report as the officer reads it."""
    return queries.readable_report(officer, published.cycle)


@pytest.fixture
def text(report, officer):
    """A text of Hà Nội that nobody wrote in yet."""
    return operations.begin_text(cycle=report.cycle, province="01", by=officer)


@pytest.fixture
def cited(text, report, officer):
    """A figure of the text that is quoted under its shortcomings: the mean of mathematics."""
    found = evidence.find(evidence.offered(report, "01", "vi"), "grade5/maths/mean/province_code/01")
    return operations.cite(text=text, offered=found, language="vi", run=report.run, by=officer)


@pytest.fixture
def ready(text, cited, officer):
    """The text with words under every heading, a quotation among them."""
    from dienrong.reporting.quoting import quotation

    for key, words in WORDS.items():
        body = f"{words}\n{quotation(cited.mark, cited.sentence)}" if key == "shortcomings" else words
        edition = writing.sections_of(text)[key].edition
        operations.save_section(text=text, key=key, body=body, edition=edition, by=officer)
    return text
