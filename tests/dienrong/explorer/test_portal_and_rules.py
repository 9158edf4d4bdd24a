"""The public portal, its port for files, and the rule of publication of a cycle."""

from __future__ import annotations

import pytest

from dienrong.audit.models import AuditEntry
from dienrong.cycles.models import Cycle
from dienrong.cycles.operations import RulesFrozen, choose_suppression_rules
from dienrong.cycles.words import SUPPRESSION_RULES
from dienrong.explorer import ports
from lsakit.tables.suppression import rule_names, rules_named

pytestmark = pytest.mark.django_db
RULES = "/kham-pha/quoc-gia-2026/quy-tac"


def test_the_portal_tells_main_results_in_plain_words(published, registry, visitor) -> None:
    from dienrong.reporting import numeric, queries

    source = queries.readable_report(None, published.cycle).source
    headline = next(row for row in numeric.headlines(source, "vi") if row.subject == "maths")
    html = visitor.get("/cong-bo/").content.decode()
    assert f"khoảng <strong>{headline.share * 100:.0f}</strong> em đạt từ mức 2 trở lên" in html
    assert "4.1.1 b" in html
    assert "chưa được đối chiếu với mức năng lực tối thiểu toàn cầu" in html
    for address in ("bao-cao.pdf", "bao-cao.docx", "bao-cao.xlsx", "/kham-pha/quoc-gia-2026"):
        assert address in html
    assert visitor.get("/cong-bo/hoi-dap").status_code == 200


def test_the_shares_of_indicator_4_1_1_are_the_published_estimates(published, registry, visitor) -> None:
    import polars as pl

    from dienrong.explorer.numeric import minimum_shares
    from dienrong.reporting import numeric, queries

    table = numeric.estimates(queries.readable_report(None, published.cycle).source)
    lines = minimum_shares(table, "en")
    assert {line.subject for line in lines} == {"maths", "reading"}
    for line in lines:
        wanted = table.filter(
            (pl.col("statistic") == "at_or_above_2")
            & (pl.col("subject") == line.subject)
            & (pl.col("by") == "gender")
            & (pl.col("group") == "F")
        ).row(0, named=True)
        value, interval, reason = line.cells[1]
        assert (value, reason) == (f"{100 * wanted['estimate']:.1f}%", "")
        assert interval == f"{100 * wanted['ci_low']:.1f}% – {100 * wanted['ci_high']:.1f}%"
    hidden = table.with_columns(
        suppressed_because=pl.when(pl.col("group") == "F")
        .then(pl.lit("too_few_students:30"))
        .otherwise("suppressed_because")
    )
    assert minimum_shares(hidden, "en")[0].cells[1] == ("", "", "fewer than 30 students")


def test_other_rooms_offer_files_and_documents(published, registry, visitor, monkeypatch) -> None:
    monkeypatch.setattr(ports, "_downloads", [])
    monkeypatch.setattr(ports, "_documents", [])
    assert "<h2>Tệp dữ liệu</h2>" not in visitor.get("/cong-bo/").content.decode()
    ports.register_downloads(lambda: [ports.Download(title="PUF 2026", url="/x", size="12 MB", text="SPSS")])
    ports.register_documents(lambda cycle: [ports.Download(title=f"Thông cáo {cycle.slug}", url="/y")])
    html = visitor.get("/cong-bo/").content.decode()
    for words in ("Tệp dữ liệu", "PUF 2026", "12 MB", "Thông cáo quoc-gia-2026"):
        assert words in html


def test_visitors_find_both_parts_from_the_first_page_and_the_sign_in(published, registry, visitor) -> None:
    for address in ("/", "/dang-nhap"):
        html = visitor.get(address).content.decode()
        assert 'href="/cong-bo/"' in html, address
        assert 'href="/kham-pha/"' in html, address


def test_people_at_work_find_them_beside_the_reports(published, registry, signed_in, officer) -> None:
    html = signed_in(officer).get("/bao-cao/").content.decode()
    assert 'href="/kham-pha/"' in html
    assert 'href="/cong-bo/"' in html


def test_rules_of_cycles_are_the_rule_sets_of_the_package() -> None:
    assert set(SUPPRESSION_RULES) == set(rule_names())
    for name, title in SUPPRESSION_RULES.items():
        assert str(rules_named(name).minimum_units) in str(title)


def test_the_rule_is_named_before_the_analysis_and_then_frozen(cycle, ministry) -> None:
    assert cycle.suppression_rules == "national"
    choose_suppression_rules(cycle=cycle, rules="naep", by=ministry)
    cycle.refresh_from_db()
    assert cycle.suppression_rules == "naep"
    entry = AuditEntry.objects.get(action="cycles.suppression_rules_chosen")
    assert (entry.before, entry.after) == ({"rules": "national"}, {"rules": "naep"})
    with pytest.raises(RulesFrozen, match="Không có bộ quy tắc"):
        choose_suppression_rules(cycle=cycle, rules="oecd", by=ministry)
    for phase in (Cycle.Phase.ANALYSIS, Cycle.Phase.PUBLISHED):
        Cycle.objects.filter(pk=cycle.pk).update(phase=phase)
        with pytest.raises(RulesFrozen, match="đã được cố định"):
            choose_suppression_rules(cycle=cycle, rules="pisa", by=ministry)
    cycle.refresh_from_db()
    assert cycle.suppression_rules == "naep"


def test_only_the_ministry_names_the_rule(
    cycle, registry, visitor, signed_in, ministry, officer, stranger, newcomer
) -> None:
    assert visitor.get(RULES).status_code == 404
    for person in (officer, stranger, newcomer):
        client = signed_in(person)
        assert client.get(RULES).status_code == 404
        assert client.post(RULES, {"rules": "pisa"}).status_code == 404
    own = signed_in(ministry)
    assert own.post(RULES, {"rules": "pisa"}).status_code == 302
    cycle.refresh_from_db()
    assert cycle.suppression_rules == "pisa"
    assert "Chọn quy tắc này" in own.get(RULES).content.decode()


def test_everyone_reads_the_rule_of_a_published_cycle(
    published, registry, visitor, signed_in, officer
) -> None:
    html = visitor.get(RULES).content.decode()
    assert "Những gì quy tắc không bảo vệ được" in html
    assert "Chọn quy tắc này" not in html
    assert visitor.post(RULES, {"rules": "pisa"}).status_code in {302, 403}
    assert signed_in(officer).post(RULES, {"rules": "pisa"}).status_code == 403
    published.cycle.refresh_from_db()
    assert published.cycle.suppression_rules == "national"


def test_a_cycle_under_another_rule_is_answered_under_it(published, registry, visitor) -> None:
    Cycle.objects.filter(pk=published.cycle_id).update(suppression_rules="naep")
    page = visitor.get("/kham-pha/quoc-gia-2026?do=maths&theo=gender")
    assert page.context["rule"].name == "naep"
    assert page.context["rule"].minimum_units == 62
