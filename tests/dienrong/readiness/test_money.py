"""Prices, estimates, their trail; the workbook recalculated by LibreOffice; the proposal as Word."""

from __future__ import annotations

import datetime
import shutil
import subprocess
import zipfile
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from django.utils import translation
from python_calamine import CalamineWorkbook

from dienrong.audit.models import AuditEntry
from dienrong.capacity import operations as staff
from dienrong.capacity import ports
from dienrong.capacity.operations import NormFacts as StaffFacts
from dienrong.core.refusals import NotAllowed, SignInFirst
from dienrong.readiness import operations
from dienrong.readiness.budget_excel import budget_workbook
from dienrong.readiness.letters import proposal
from dienrong.readiness.models import Budget, BudgetLine
from dienrong.readiness.models.money import amount_of
from dienrong.readiness.operations import LineFacts, NotNow, ReadinessRefusal
from dienrong.readiness.queries import state_of
from dienrong.readiness.queries.money import prices_on, procurement, total_of
from small_readiness import A, B, hand_in, province, survey_of

pytestmark = pytest.mark.django_db
TODAY = datetime.date(2026, 11, 22)
SINCE = datetime.date(2026, 1, 1)


def price(item: str, amount: int, by, *, own: bool = True, day: datetime.date = SINCE):
    place = province("01") if own else None
    return operations.set_price(
        item=item, province=place, amount=amount, legal_basis="Báo giá 12/BG", from_day=day, by=by
    )


@pytest.fixture
def lacking(asked, coordinator, officer):
    """School A: 30 machines of 39, no back-up power, no headphones asked. School B: nothing at all but one staff."""
    hand_in(A, coordinator, n_machines=30, backup_power="none")
    hand_in(B, officer, n_machines=0, has_server="no")
    return asked


@pytest.fixture
def budget(lacking, officer) -> Budget:
    for item, amount in (("machine", 13_500_000), ("power", 9_800_000), ("server", 17_900_000)):
        price(item, amount, officer)
    return operations.begin_budget(
        cycle=lacking, province=province("01"), year=2027, stream="finance", by=officer
    )


def test_procurement_by_hand(budget, officer) -> None:
    lines = procurement(budget.cycle, province("01"), prices_on(TODAY, province("01")))
    found = [(one.item, int(one.quantity), one.amount) for one in lines]
    assert found == [
        ("machine", 9, 121_500_000), ("power", 1, 9_800_000),
        ("machine", 39, 526_500_000), ("server", 1, 17_900_000),
    ]  # fmt: skip
    assert total_of(lines) == 675_700_000


def test_a_school_decided_for_paper_buys_nothing(budget, officer) -> None:
    operations.decide_mode(survey=survey_of(B), mode="paper", reason="", by=officer)
    lines = procurement(budget.cycle, province("01"), prices_on(TODAY, province("01")))
    assert total_of(lines) == 131_300_000


def test_an_own_price_goes_before_that_for_all_and_ends_on_its_day(
    asked, officer, ministry, stranger
) -> None:
    price("machine", 10_000_000, ministry, own=False)
    assert prices_on(TODAY, province("01"))["machine"].amount == 10_000_000
    price("machine", 12_000_000, officer)
    price("machine", 13_000_000, officer, day=datetime.date(2026, 12, 1))
    assert prices_on(TODAY, province("01"))["machine"].amount == 12_000_000
    assert prices_on(datetime.date(2026, 12, 1), province("01"))["machine"].amount == 13_000_000
    assert prices_on(TODAY, province("79"))["machine"].amount == 10_000_000
    with pytest.raises(NotNow):
        price("machine", 1, officer, day=datetime.date(2026, 11, 1))
    for person in (stranger, None):
        with pytest.raises((NotAllowed, SignInFirst)):
            price("machine", 1, person)
    with pytest.raises(NotAllowed):
        price("machine", 1, officer, own=False)


@pytest.mark.parametrize(
    ("item", "amount"), [("machine", 0), ("machine", -5), ("duty", 5), ("house", 5), ("machine", 10**13)]
)
def test_a_price_that_cannot_be_is_refused(asked, officer, item, amount) -> None:
    with pytest.raises(ReadinessRefusal):
        price(item, amount, officer)


def test_lines_are_drawn_anew_and_typed_ones_stay(budget, officer) -> None:
    facts = LineFacts(
        section="other",
        name="In phiếu",
        unit="tờ",
        quantity=Decimal("2.5"),
        norm=Decimal(1),
        unit_price=333,
        source="province",
    )
    operations.add_line(budget=budget, facts=facts, by=officer)
    problems = operations.fill_budget(budget=budget, by=officer)
    assert total_of(budget.lines.all()) == 675_700_000 + 833
    operations.fill_budget(budget=budget, by=officer)
    assert total_of(budget.lines.all()) == 675_700_000 + 833
    assert any("kỳ" in one for one in problems), "the work of the cycle is not known: said, not made up"


def test_amounts_round_half_up() -> None:
    assert [amount_of(Decimal(q), Decimal(1), 1) for q in ("0.5", "1.5", "2.5", "2.4")] == [1, 2, 3, 2]
    assert amount_of(Decimal("0.1"), Decimal("0.1"), 50) == 1


def test_duties_and_training_take_their_quantities_from_the_register(
    lacking, officer, ministry, monkeypatch
) -> None:
    monkeypatch.setattr(
        ports, "_work", [lambda _cycle: {"01": ports.Work(n_schools=4, n_sittings=4, n_students=140)}]
    )
    staff.set_norm(
        facts=StaffFacts(kind="coder", n_people=3, per="school", n_work=2, n_days=Decimal("2.5")), by=ministry
    )
    staff.set_allowance(kind="coder", amount=300_000, legal_basis="TT 69/2021", from_day=SINCE, by=ministry)
    duties = operations.begin_budget(
        cycle=lacking, province=province("01"), year=2027, stream="finance", by=officer
    )
    operations.fill_budget(budget=duties, by=officer)
    line = duties.lines.get(origin="capacity")
    assert (line.quantity, line.norm, line.unit_price, line.amount) == (6, Decimal("2.5"), 300_000, 4_500_000)
    for item, amount in (
        ("learner_day", 150_000),
        ("trainer_day", 1_600_000),
        ("hall_day", 2_500_000),
        ("materials", 60_000),
    ):
        price(item, amount, officer)
    training = operations.begin_budget(
        cycle=lacking, province=province("01"), year=2027, stream="training", by=officer
    )
    operations.fill_budget(budget=training, by=officer)
    # 6 coders are needed, nobody is certified: 6 learners, one class, two days
    assert total_of(training.lines.all()) == 6 * 2 * 150_000 + 2 * 1_600_000 + 2 * 2_500_000 + 6 * 60_000
    assert set(training.lines.values_list("source", flat=True)) == {"province"}


def test_the_trail_of_approval(budget, officer, stranger) -> None:
    def step(action, by=officer, document="45/BC-STC", note=""):
        return operations.move_budget(budget=budget, action=action, document=document, note=note, by=by)

    with pytest.raises(NotNow):
        step("submit")  # empty
    operations.fill_budget(budget=budget, by=officer)
    for person in (stranger, None):
        with pytest.raises((NotAllowed, SignInFirst)):
            step("submit", by=person)
    with pytest.raises(NotNow):
        step("approve")
    step("submit", document="")
    with pytest.raises(NotNow):
        operations.fill_budget(budget=budget, by=officer)
    with pytest.raises(NotNow):
        operations.remove_line(line=budget.lines.first(), by=officer)
    with pytest.raises(ReadinessRefusal):
        step("appraise", document=" ")
    step("appraise")
    with pytest.raises(ReadinessRefusal):
        step("return", note="")
    step("return", note="Giảm đơn giá máy")
    budget.refresh_from_db()
    assert budget.state == "returned"
    with pytest.raises(ReadinessRefusal):
        operations.further_version(budget=budget, change_note="", by=officer)
    second = operations.further_version(budget=budget, change_note="Giảm đơn giá", by=officer)
    assert (second.version, second.state) == (2, "draft")
    assert total_of(second.lines.all()) == total_of(budget.lines.all()) == 675_700_000
    with pytest.raises(NotNow):
        operations.further_version(budget=budget, change_note="x", by=officer)
    for action in ("submit", "appraise", "propose", "approve"):
        operations.move_budget(budget=second, action=action, document="1/QĐ", note="", by=officer)
    assert [one.action for one in second.steps.all()] == ["submit", "appraise", "propose", "approve"]
    assert {one.total for one in second.steps.all()} == {675_700_000}
    third = operations.further_version(budget=second, change_note="Điều chỉnh", by=officer)
    second.refresh_from_db()
    assert second.state == "approved", "what was approved stays approved"
    state = state_of(budget.cycle, province("01"), TODAY)
    assert (state.budgets["finance"], state.approved["finance"]) == (675_700_000, 675_700_000)
    operations.remove_line(line=third.lines.order_by("position").first(), by=officer)
    assert state_of(budget.cycle, province("01"), TODAY).budgets["finance"] == 675_700_000 - 121_500_000
    assert AuditEntry.objects.filter(action="readiness.budget_moved").count() == 7


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": Decimal(0)},
        {"norm": Decimal("-1")},
        {"quantity": Decimal("1.25")},
        {"unit_price": 0},
        {"name": " "},
        {"source": "bank"},
    ],
)
def test_a_line_that_cannot_be_is_refused(budget, officer, changes) -> None:
    facts = {
        "section": "other",
        "name": "In",
        "unit": "tờ",
        "quantity": Decimal(1),
        "norm": Decimal(1),
        "unit_price": 5,
        "source": "province",
    }
    with pytest.raises(ReadinessRefusal):
        operations.add_line(budget=budget, facts=LineFacts(**(facts | changes)), by=officer)
    assert not BudgetLine.objects.exists()


def test_state_of_a_province_by_hand(budget, officer, ministry) -> None:
    state = state_of(budget.cycle, province("01"), TODAY)
    assert (state.n_asked, state.n_submitted, state.n_accepted) == (3, 2, 0)
    assert dict(state.n_by_mode) == {"computer": 0, "mixed": 0, "paper": 2, "unknown": 1}
    assert dict(state.gap) == {
        "lack_machines": 48,
        "lack_headphones": 0,
        "lack_power": 1,
        "lack_server": 1,
        "lack_network": 0,
    }
    operations.decide_mode(survey=survey_of(A), mode="mixed", reason="Xã cho mượn máy phát", by=officer)
    assert state_of(budget.cycle, province("01"), TODAY).n_by_mode["mixed"] == 1
    before = state_of(budget.cycle, province("01"), datetime.date(2026, 11, 21))
    assert (before.n_submitted, before.n_by_mode["mixed"]) == (0, 0)
    assert state_of(budget.cycle, province("79"), TODAY).n_asked == 0
    assert state_of(budget.cycle, None, TODAY).n_asked == 3


def filled(budget: Budget, officer) -> list[BudgetLine]:
    operations.fill_budget(budget=budget, by=officer)
    facts = LineFacts(
        section="other",
        name="In phiếu; =1+1",
        unit="tờ",
        quantity=Decimal("1234.5"),
        norm=Decimal("1.5"),
        unit_price=333,
        source="other",
    )
    operations.add_line(budget=budget, facts=facts, by=officer)
    return list(budget.lines.select_related("school"))


def recalculated(content: bytes, folder: Path) -> CalamineWorkbook:
    """Open a workbook in LibreOffice, which computes every formula anew, and read what it wrote."""
    folder.mkdir()
    source = folder / "du-toan.xlsx"
    source.write_bytes(content)
    command = [
        "soffice",
        "--headless",
        f"-env:UserInstallation=file://{folder}/profile",
        "--convert-to",
        "ods",
        "--outdir",
        str(folder),
        str(source),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    return CalamineWorkbook.from_path(folder / "du-toan.ods")


def without_values(content: bytes) -> bytes:
    """Take the kept values of formulas out, so that what is read was computed."""
    import re

    target = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(content)) as before,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            data = before.read(name)
            if name.startswith("xl/worksheets/"):
                data = re.sub(rb"(</f>)<v>[^<]*</v>", rb"\1", data)
            after.writestr(name, data)
    return target.getvalue()


def test_the_workbook_recalculates_to_our_totals_and_follows_a_price(budget, officer, tmp_path) -> None:
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed; on Debian: apt-get install libreoffice-calc")
    lines = filled(budget, officer)
    total = total_of(lines)
    content = without_values(budget_workbook(budget, lines, source="x"))
    book = recalculated(content, tmp_path / "one")
    sums, details, prices = (book.get_sheet_by_name(name).to_python() for name in book.sheet_names)
    assert [row[9] for row in details if row[2] == "Tổng cộng"] == [total]
    assert [row[1] for row in sums if row[0] == "Tổng cộng"] == [total, total]
    amounts = [row[9] for row in details[4 : 4 + len(lines)]]
    assert amounts == [one.amount for one in lines]
    machine = next(row for row in prices if row[2] == 13_500_000)
    assert machine[0]
    dearer = replaced(content, b"<v>13500000</v>", b"<v>14000000</v>")
    again = recalculated(dearer, tmp_path / "two")
    totals = [
        row[1] for row in again.get_sheet_by_name(again.sheet_names[0]).to_python() if row[0] == "Tổng cộng"
    ]
    assert totals == [total + 48 * 500_000] * 2


def replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    """Change a number in the sheet of prices, as an officer types another."""
    target = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(content)) as before,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            data = before.read(name)
            if name.endswith("sheet3.xml"):
                assert data.count(old) == 1
                data = data.replace(old, new)
            after.writestr(name, data)
    return target.getvalue()


def test_the_proposal_is_vietnamese_in_the_form_of_the_decree(budget, officer) -> None:
    lines = filled(budget, officer)
    with translation.override("en"):
        content = proposal(budget, lines)
    text = zipfile.ZipFile(BytesIO(content)).read("word/document.xml").decode()
    for words in (
        "TỜ TRÌNH",
        "SỞ GIÁO DỤC VÀ ĐÀO TẠO",
        "Căn cứ",
        "Kính gửi: Sở Tài chính",
        "Nơi nhận",
        "TTr-SGDĐT",
        "676.316.633",
    ):
        assert words in text, words
    assert "Pursuant" not in text
