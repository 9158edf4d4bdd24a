"""Before publication the ministry alone reads; after it everyone; at most one report is in force."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import Conflict, NotAllowed
from dienrong.reporting import operations, queries
from dienrong.reporting.models import ComparisonRow, Publication
from dienrong.reporting.numeric import Comparison

pytestmark = pytest.mark.django_db
PAGES = (
    "/bao-cao/quoc-gia-2026/grade5/maths",
    "/bao-cao/quoc-gia-2026/grade5/maths/tinh/01",
    "/bao-cao/quoc-gia-2026/bao-cao.docx",
    "/bao-cao/quoc-gia-2026/tinh/01/bao-cao.docx",
    "/bao-cao/quoc-gia-2026/bao-cao.xlsx",
    "/bao-cao/quoc-gia-2026/tinh/01/bao-cao.xlsx",
    "/bao-cao/quoc-gia-2026/nguon-goc?figure=grade5/maths/mean/nation/all",
)


def test_before_publication_strangers_find_nothing(
    done_run, visitor, signed_in, ministry, officer, researcher
) -> None:
    for address in PAGES:
        for browser in (visitor, signed_in(officer), signed_in(researcher)):
            assert browser.get(address).status_code == 404, address
        assert signed_in(ministry).get(address).status_code == 200, address
    assert "Chưa có báo cáo nào được công bố" in visitor.get("/bao-cao/").content.decode()
    assert "Kết quả chính" not in signed_in(officer).get("/").content.decode()
    html = signed_in(ministry).get("/bao-cao/").content.decode()
    assert "Chỉ Bộ xem được báo cáo này" in html
    assert "Có báo cáo chờ công bố" in signed_in(ministry).get("/").content.decode()


def test_publishing_opens_the_report_to_everyone(done_run, cycle, visitor, signed_in, ministry) -> None:
    answer = signed_in(ministry).post("/bao-cao/quoc-gia-2026/cong-bo", {"run": "1"}, follow=True)
    assert "Báo cáo đã công bố; từ nay ai cũng đọc được" in answer.content.decode()
    for address in PAGES:
        assert visitor.get(address).status_code == 200, address
    assert "Đọc báo cáo" in visitor.get("/").content.decode()
    states = dict(cycle.steps.values_list("number", "state"))
    assert (states[12], states[13], states[14]) == ("done", "done", "in_progress")
    cycle.refresh_from_db()
    assert cycle.phase == "published"
    entry = AuditEntry.objects.get(action="reporting.published")
    assert (entry.actor, entry.after) == (ministry, {"run": 1})


def test_withdrawing_closes_it_again(published, visitor, signed_in, ministry) -> None:
    signed_in(ministry).post("/bao-cao/quoc-gia-2026/thu-hoi")
    assert visitor.get(PAGES[0]).status_code == 404
    assert Publication.objects.get().withdrawn_by == ministry
    with pytest.raises(Conflict):
        operations.withdraw_report(cycle=published.cycle, by=ministry)


def test_strangers_neither_publish_nor_withdraw(done_run, visitor, signed_in, officer, researcher) -> None:
    for verb in ("cong-bo", "thu-hoi"):
        address = f"/bao-cao/quoc-gia-2026/{verb}"
        for person in (officer, researcher):
            assert signed_in(person).post(address, {"run": "1"}).status_code == 403
        assert visitor.post(address, {"run": "1"}).status_code == 302
    with pytest.raises(NotAllowed):
        operations.publish_report(run=done_run, by=officer)
    assert not Publication.objects.exists()


def test_a_later_publication_replaces_and_keeps_the_first(published, make_run, ministry, signed_in) -> None:
    later = make_run()
    html = signed_in(ministry).get("/bao-cao/").content.decode()
    assert "Lượt phân tích 2 mới hơn" in html
    operations.publish_report(run=later, by=ministry)
    assert Publication.objects.count() == 2
    assert queries.publication_in_force(published.cycle).run == later
    with pytest.raises(Conflict, match="đã được công bố"):
        operations.publish_report(run=later, by=ministry)
    with pytest.raises(IntegrityError), transaction.atomic():
        Publication.objects.create(cycle=later.cycle, run=published, published_at=later.finished_at)


def test_a_later_run_does_not_change_what_is_published(published, make_run, visitor, ministry) -> None:
    make_run()
    report = queries.readable_report(ministry, published.cycle)
    assert report.run == published
    assert "lượt phân tích 1" in visitor.get("/bao-cao/quoc-gia-2026/grade5/maths").content.decode()


def test_a_run_that_failed_is_not_published(done_run, ministry) -> None:
    done_run.state = "failed"
    with pytest.raises(Conflict, match="đã xong"):
        operations.publish_report(run=done_run, by=ministry)


def row(study: str, difference: float) -> Comparison:
    return Comparison(
        study=study, group="FRA", statistic="mean", estimate=495.0, standard_error=2.3,
        reference_estimate=495.0 - difference, reference_standard_error=2.3, difference=difference, peer="BIFIE",
    )  # fmt: skip


def test_the_comparison_shows_the_largest_difference(visitor, db) -> None:
    assert "Chưa lưu kết quả đối chiếu" in visitor.get("/bao-cao/doi-chieu").content.decode()
    rows = [row("PISA 2018", 2.5e-9), row("PISA 2018", -4e-7), row("TIMSS 2011", 0.0)]
    assert operations.store_comparison(rows=rows, by=None) == 3
    assert operations.store_comparison(rows=rows, by=None) == 3
    assert ComparisonRow.objects.count() == 3
    html = visitor.get("/bao-cao/doi-chieu").content.decode()
    assert "4,0 · 10^−7" in html
    assert "PISA 2018" in html
    one = visitor.get("/bao-cao/doi-chieu?study=TIMSS 2011").content.decode()
    assert "Đã đối chiếu 1 chỉ số. Chênh lệch lớn nhất là 0." in one
