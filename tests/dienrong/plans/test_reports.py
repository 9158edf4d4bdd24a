"""Reports: drafted, kept, sent and frozen, corrected, signed; their numbers by hand from the registers."""

from __future__ import annotations

import datetime
import re
import zipfile
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook

from dienrong.audit.models import AuditEntry
from dienrong.capacity.models import Certificate, Enrolment, Kind, Posting
from dienrong.core.refusals import NotAllowed
from dienrong.plans import kept, ports
from dienrong.plans.composing.content import content_of
from dienrong.plans.composing.facts import facts_of
from dienrong.plans.models import Phase, PlanReport, ReportCall, ReportText
from dienrong.plans.operations import reports as operations
from dienrong.plans.operations.refusals import NotNow, PlanRefusal
from dienrong.plans.operations.reports import CallFacts, Sending
from dienrong.plans.queries import reports as queries
from small_capacity import add, hold, issue, make_course, make_training, number_series, on, province, school

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry", "project")]
A = "01000001"
DAY = datetime.date(2026, 11, 30)
PDF = b"%PDF-1.7 signed"


@pytest.fixture
def call(ministry) -> ReportCall:
    phase = Phase.objects.get(code="2022-2026")
    facts = CallFacts(
        kind="phase", phase=phase, first_day=phase.first_day, last_day=phase.last_day,
        due_on=phase.last_day, basis="Công văn 100/BGDĐT-QLCL",
    )  # fmt: skip
    return operations.call_report(facts=facts, by=ministry)


@pytest.fixture
def people(ministry):
    """Five experts of the department, three trained on 25 November, two of these with certificates."""
    experts = [add(number, by=ministry, at=province("01"), kind=Kind.CORE_EXPERT) for number in range(1, 6)]
    course = make_course(ministry, reach="national")
    first = hold(
        make_training(course, ministry, organizer=None, code="C", days=(datetime.date(2026, 11, 25),) * 2),
        experts[:2],
        ministry,
    )
    number_series(ministry, None)
    issue(first, ministry)
    hold(
        make_training(course, ministry, organizer=None, code="T", days=(datetime.date(2026, 11, 26),) * 2),
        experts[2:3],
        ministry,
    )
    return experts


@pytest.fixture
def report(call, officer) -> PlanReport:
    return operations.begin_report(call=call, unit=province("01"), by=officer)


def content(report: PlanReport) -> dict:
    return content_of(facts_of(report), queries.texts_of(report), queries.head_values(report))


def word_text(data: bytes) -> str:
    with zipfile.ZipFile(BytesIO(data)) as file:
        xml = file.read("word/document.xml").decode()
    return re.sub(r"<[^>]+>", " ", xml).replace("\u00a0", " ")


def test_the_numbers_are_those_of_the_registers_by_hand(people, report, officer) -> None:
    """Raw rows: posts in force on the day, certificates not revoked, enrolments completed."""
    with on(DAY):
        found = content(report)
    holders = set(
        Certificate.objects.filter(issued_on__lte=DAY, revoked_on__isnull=True).values_list(
            "person", flat=True
        )
    )
    posts = Posting.objects.filter(kind="core_expert", valid_from__lte=DAY, valid_to__isnull=True)
    everybody = set(posts.filter(unit__code="01").values_list("person", flat=True))
    figures = found["figures"]["core_experts"]
    assert (figures["n_counted"], figures["n_all"]) == (len(everybody & holders), len(everybody)) == (2, 5)
    assert (figures["share"], figures["target"]) == ("40,0%", "100,0%")
    training = next(part for part in found["parts"] if part["key"] == "training")["tables"][0]
    completed = Enrolment.objects.filter(state="completed").count()
    assert training["rows"][-1][4:] == ["3", str(completed), "2"]
    results = next(part for part in found["parts"] if part["key"] == "results")
    assert any(
        "2/5 người, đạt 40%. Để đạt mục tiêu 100% còn thiếu 3 người." in one for one in results["paragraphs"]
    )
    shortcomings = next(part for part in found["parts"] if part["key"] == "shortcomings")
    assert (
        "1 người đã được bồi dưỡng nhưng chưa có giấy chứng nhận còn hiệu lực." in shortcomings["paragraphs"]
    )


def test_words_are_kept_in_versions_and_nobody_overwrites_another(report, officer, colleague) -> None:
    first = operations.save_text(report=report, part="causes", text="Một.", seen_version=0, by=officer)
    same = operations.save_text(
        report=report, part="causes", text="Một. Hai.", seen_version=first.version, by=officer
    )
    assert (first.pk, same.version, same.text) == (same.pk, 1, "Một. Hai.")
    with on(datetime.date(2026, 11, 23)):
        later = operations.save_text(report=report, part="causes", text="Ba.", seen_version=1, by=officer)
    assert later.version == 2
    with pytest.raises(NotNow) as refused:
        operations.save_text(report=report, part="causes", text="Đè", seen_version=1, by=colleague)
    assert "Trần Văn Đức" in refused.value.sentence
    assert queries.texts_of(report) == {"causes": "Ba."}
    with pytest.raises(PlanRefusal):
        operations.save_text(report=report, part="method", text="x", seen_version=None, by=officer)
    with pytest.raises(PlanRefusal):
        operations.save_text(report=report, part="causes", text="x" * 20_001, seen_version=None, by=officer)


def test_words_are_carried_to_the_next_report(report, officer, ministry) -> None:
    operations.save_text(report=report, part="proposals", text="Đề nghị Bộ.", seen_version=None, by=officer)
    phase = Phase.objects.get(code="2022-2026")
    facts = CallFacts(
        kind="phase", phase=phase, first_day=datetime.date(2026, 1, 1), last_day=phase.last_day,
        due_on=phase.last_day, basis="Công văn 2",
    )  # fmt: skip
    second = operations.begin_report(
        call=operations.call_report(facts=facts, by=ministry), unit=province("01"), by=officer
    )
    assert queries.texts_of(second) == {"proposals": "Đề nghị Bộ."}


def test_a_sent_report_is_frozen_with_its_files(people, report, officer) -> None:
    with on(DAY):
        operations.save_text(
            report=report, part="causes", text="Kinh phí giao muộn.", seen_version=None, by=officer
        )
        sent = operations.send_report(report=report, sending=Sending(number="5", signed_on=DAY), by=officer)
    text = word_text(kept.read(sent.files["docx"]))
    for words in (
        "Số: 05/BC-SGDĐT",
        "ngày 30 tháng 11 năm 2026",
        "Kính gửi",
        "Kinh phí giao muộn.",
        "BÁO CÁO",
        "Nơi nhận:",
    ):
        assert words in text, words
    assert "Căn cứ Công văn 100/BGDĐT-QLCL" in text
    assert text.index("GIÁM ĐỐC") < text.index("Phụ lục")
    assert kept.read(sent.files["pdf"]).startswith(b"%PDF-")
    book = CalamineWorkbook.from_filelike(BytesIO(kept.read(sent.files["xlsx"])))
    rows = book.get_sheet_by_name("1").to_python()
    experts = next(row for row in rows if str(row[0]).startswith("Cán bộ cốt cán"))
    assert experts[1:5] == [1.0, 2.0, 5.0, 0.4]
    before = (sent.content_hash, sent.files)
    add(9, by=officer, at=province("01"), kind=Kind.CORE_EXPERT)
    sent.refresh_from_db()
    assert (sent.content_hash, sent.files) == before
    assert sent.content["figures"]["core_experts"]["n_all"] == 5
    with pytest.raises(NotNow):
        operations.save_text(report=report, part="causes", text="Khác", seen_version=None, by=officer)
    with pytest.raises(NotNow):
        operations.send_report(report=report, sending=Sending(), by=officer)
    entry = AuditEntry.objects.get(action="plans.report_sent")
    assert entry.after["hash"] == sent.content_hash


def test_a_past_report_can_be_computed_again_and_late_entries_show(people, report, officer, ministry) -> None:
    with on(DAY):
        sent = operations.send_report(report=report, sending=Sending(), by=officer)
    with on(datetime.date(2027, 2, 1)):
        assert all(one.is_same for one in queries.recompute(sent.snapshot))
        add(9, by=ministry, at=province("01"), kind=Kind.CORE_EXPERT)
        by_code = {one.indicator: one for one in queries.recompute(sent.snapshot)}
    assert by_code["core_experts"].old == (2, 5)
    assert by_code["core_experts"].new == (2, 6)
    assert not by_code["core_experts"].is_same
    assert by_code["testing_staff"].is_same


def test_a_correction_is_a_new_version_that_says_what_changed(people, report, officer, ministry) -> None:
    with on(DAY):
        first = operations.send_report(report=report, sending=Sending(), by=officer)
        operations.reopen_report(report=report, reason="Bổ sung số liệu", by=officer)
        add(9, by=ministry, at=province("01"), kind=Kind.CORE_EXPERT)
        operations.save_text(
            report=report, part="causes", text="Thêm một người.", seen_version=None, by=officer
        )
        with pytest.raises(PlanRefusal):
            operations.send_report(report=report, sending=Sending(), by=officer)
        second = operations.send_report(
            report=report, sending=Sending(reason="Bổ sung một người"), by=officer
        )
    assert (second.number, second.reason) == (2, "Bổ sung một người")
    assert {
        "label": "Cán bộ cốt cán được bồi dưỡng và cấp chứng nhận",
        "old": "2/5 (40,0%; 100,0%)",
        "new": "2/6 (33,3%; 100,0%)",
    } in second.changes["figures"]
    causes = next(one for one in second.changes["words"] if one["heading"] == "Nguyên nhân")
    assert causes == {"heading": "Nguyên nhân", "out": [], "in": ["Thêm một người."]}
    first.refresh_from_db()
    assert kept.read(first.files["docx"]) != kept.read(second.files["docx"])
    assert first.content["figures"]["core_experts"]["n_all"] == 5


def test_the_signed_copy_is_kept_with_its_hash(report, officer, stranger) -> None:
    sent = operations.send_report(report=report, sending=Sending(), by=officer)
    for content_, somebody, expected in (
        (b"no pdf", officer, PlanRefusal), (b"", officer, PlanRefusal), (PDF, stranger, NotAllowed),
    ):  # fmt: skip
        with pytest.raises(expected):
            operations.keep_signed(version=sent, name="a.pdf", content=content_, by=somebody)
    done = operations.keep_signed(version=sent, name="../a/bao cao.pdf", content=PDF, by=officer)
    assert kept.read(done.signed_hash) == PDF
    assert "/" not in done.signed_name
    path = kept._path(done.signed_hash)
    assert PDF not in path.read_bytes(), "sealed"
    path.chmod(0o600)
    path.write_bytes(b"changed")
    with pytest.raises(kept.FileGone):
        kept.read(done.signed_hash)


def test_who_may_ask_begin_write_and_send(
    call, officer, stranger, ministry, coordinator, commune_officer
) -> None:
    north = province("01")
    for somebody in (stranger, coordinator, commune_officer):
        with pytest.raises(NotAllowed):
            operations.begin_report(call=call, unit=north, by=somebody)
    with pytest.raises(NotAllowed):
        operations.begin_report(call=call, unit=None, by=officer)
    with pytest.raises(NotAllowed):
        operations.call_report(facts=_facts(call, "year"), by=officer)
    report = operations.begin_report(call=call, unit=north, by=officer)
    assert operations.begin_report(call=call, unit=north, by=officer).pk == report.pk
    for act in (
        lambda: operations.save_text(report=report, part="causes", text="x", seen_version=None, by=stranger),
        lambda: operations.send_report(report=report, sending=Sending(), by=stranger),
        lambda: operations.set_head(unit=north, values={}, by=stranger),
        lambda: operations.remind(call=call, unit=north, text="x", by=officer),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert not ReportText.objects.exists()
    operations.send_report(report=report, sending=Sending(), by=officer)
    with pytest.raises(NotAllowed):
        operations.reopen_report(report=report, reason="x", by=stranger)
    with pytest.raises(NotNow):
        operations.remind(call=call, unit=north, text="x", by=ministry)
    operations.reopen_report(report=report, reason="Sai số liệu", by=officer)
    with pytest.raises(NotNow):
        operations.remind(call=call, unit=north, text="a report under correction was sent", by=ministry)


def _facts(call: ReportCall, kind: str, **changes) -> CallFacts:
    values = {
        "kind": kind, "phase": call.phase, "first_day": datetime.date(2026, 1, 1),
        "last_day": datetime.date(2026, 12, 31), "due_on": datetime.date(2027, 1, 10), "basis": "Công văn 1",
    }  # fmt: skip
    return CallFacts(**(values | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"first_day": datetime.date(2021, 1, 1)},
        {"last_day": datetime.date(2025, 1, 1)},
        {"due_on": datetime.date(2025, 1, 1)},
        {"basis": " "},
        {"kind": "decade"},
    ],
)
def test_a_call_that_cannot_be_is_refused(call, ministry, changes) -> None:
    with pytest.raises(PlanRefusal):
        operations.call_report(facts=_facts(call, **({"kind": "year"} | changes)), by=ministry)
    assert ReportCall.objects.count() == 1


def test_a_province_opens_one_of_its_own_for_itself_alone(call, officer, stranger) -> None:
    month = _facts(call, "month", first_day=datetime.date(2026, 11, 1), last_day=datetime.date(2026, 11, 30))
    own = operations.call_report(facts=month, unit=province("01"), by=officer)
    with pytest.raises(NotNow):
        operations.call_report(facts=month, unit=province("01"), by=officer)
    with pytest.raises(PlanRefusal):
        operations.begin_report(call=own, unit=province("79"), by=stranger)
    assert own in queries.calls_for(province("01"))
    assert own not in queries.calls_for(province("79"))


def test_the_nation_sums_up_who_sent_and_who_has_not(call, report, people, officer, ministry) -> None:
    nation = operations.begin_report(call=call, unit=None, by=ministry)
    with on(DAY):
        operations.send_report(report=report, sending=Sending(), by=officer)
        found = content(nation)
    part = next(one for one in found["parts"] if one["key"] == "provinces")
    assert part["paragraphs"][0] == "1/2 tỉnh đã gửi báo cáo."
    assert "Hồ Chí Minh" in part["paragraphs"][1]
    rows = {row[0]: row for row in part["tables"][0]["rows"]}
    assert rows["Hà Nội"][2] == "40,0%"
    assert rows["Hồ Chí Minh"][-1] == "chưa gửi"
    assert found["figures"]["core_experts"]["n_all"] == 5


def test_the_head_is_data(report, officer) -> None:
    values = {
        **queries.default_head(province("01")), "signer": "Trần Thế Cương", "symbol": "BC-SGDĐT",
        "recipients": ["Như trên", "", "Lưu: VT, QLCL"], "addressees": ["Ủy ban nhân dân Thành phố"],
    }  # fmt: skip
    operations.set_head(unit=province("01"), values=values, by=officer)
    sent = operations.send_report(report=report, sending=Sending(), by=officer)
    text = word_text(kept.read(sent.files["docx"]))
    assert "Kính gửi: Ủy ban nhân dân Thành phố" in text
    assert "Trần Thế Cương" in text
    assert "- Lưu: VT, QLCL." in text
    with pytest.raises(PlanRefusal):
        operations.set_head(unit=province("01"), values={**values, "agency": " "}, by=officer)


def test_readiness_and_budget_come_through_ports_or_are_said_to_be_unknown(report, monkeypatch) -> None:
    monkeypatch.setattr(ports, "_providers", {})

    def part(key: str) -> dict:
        return next(one for one in content(report)["parts"] if one["key"] == key)

    assert part("readiness")["paragraphs"] == ["Hệ thống chưa có số liệu về nội dung này."]
    asked = []

    def provider(unit, day):
        asked.append((unit.code, day))
        return ports.Annex(
            key="budget", sentences=("Dự toán 100 triệu đồng.",), caption="Dự toán", columns=("Mục", "Số tiền"),
            rows=(("Bồi dưỡng", "100"),), numbers=((0, 1, 100.0, "n"),),
        )  # fmt: skip

    ports.plug_annex("budget", provider)
    assert part("budget")["paragraphs"] == ["Dự toán 100 triệu đồng."]
    assert part("budget")["tables"][0]["numbers"] == [[0, 1, 100.0, "n"]]
    assert asked[0] == ("01", datetime.date(2026, 11, 22))
    with pytest.raises(ValueError, match="key"):
        ports.plug_annex("weather", provider)


def test_the_report_is_vietnamese_whatever_the_language_of_the_page(report) -> None:
    from django.utils import translation

    with translation.override("en"):
        english = content(report)
    with translation.override("vi"):
        assert english == content(report)
    assert english["title"].startswith("Báo cáo kết quả thực hiện Đề án 468")


def test_school_people_are_not_named_in_any_file(people, report, officer) -> None:
    named = add(40, by=officer, at=school(A), name="Y Moan Êban")
    with on(DAY):
        sent = operations.send_report(report=report, sending=Sending(), by=officer)
    text = word_text(kept.read(sent.files["docx"])) + str(sent.content)
    assert named.full_name not in text
    assert all(one.full_name not in text and one.staff_code not in text for one in people)
