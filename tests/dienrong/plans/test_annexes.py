"""What the room of rooms and machines adds to the reports: schools by mode, what is lacking, estimates of money."""

from __future__ import annotations

import datetime

import pytest

from dienrong.plans import annexes, ports
from dienrong.readiness import operations
from small_readiness import A, B, hand_in, open_all, province, set_norm

pytestmark = pytest.mark.django_db
TODAY = datetime.date(2026, 11, 22)
SINCE = datetime.date(2026, 1, 1)


@pytest.fixture
def lacking(cycle, registry, ministry, officer, coordinator):
    """School A: 30 machines of 39. School B: none. A third school was asked and has not answered."""
    set_norm(cycle, ministry)
    open_all(cycle, officer)
    hand_in(A, coordinator, n_machines=30, backup_power="none")
    hand_in(B, officer, n_machines=0, has_server="no")
    return cycle


def test_nothing_is_told_where_no_school_was_asked(cycle, registry) -> None:
    assert annexes.readiness(province("01"), TODAY) is None
    assert annexes.budget(None, TODAY) is None


def test_schools_are_counted_by_mode_and_what_they_lack(lacking) -> None:
    with pytest.MonkeyPatch.context():
        found = ports.annex_of("readiness", province("01"), TODAY)
    assert found is not None
    ((name, *cells),) = found.rows
    assert name == lacking.name
    # asked 3, handed in 2; no school for computers or mixed, two for paper, one not known; 9 + 39 machines lacking
    assert cells == ["3", "2", "0", "0", "2", "1", "48"]
    assert [number[2] for number in found.numbers] == [3.0, 2.0, 0.0, 0.0, 2.0, 1.0, 48.0]
    assert "2/3" in found.sentences[0]
    assert annexes.readiness(province("79"), TODAY) is None
    assert annexes.readiness(None, TODAY).rows == found.rows


def test_estimates_stand_by_stream_in_dong(lacking, officer) -> None:
    for item, amount in (("machine", 13_500_000), ("power", 9_800_000), ("server", 17_900_000)):
        operations.set_price(
            item=item,
            province=province("01"),
            amount=amount,
            legal_basis="Báo giá",
            from_day=SINCE,
            by=officer,
        )
    budget = operations.begin_budget(
        cycle=lacking, province=province("01"), year=2027, stream="finance", by=officer
    )
    operations.fill_budget(budget=budget, by=officer)
    # 9 + 39 machines, one back-up power, one server; computed by hand
    total = 48 * 13_500_000 + 9_800_000 + 17_900_000
    found = ports.annex_of("budget", province("01"), TODAY)
    assert found is not None
    assert [row[1:] for row in found.rows] == [
        ("Sở Tài chính", "675.700.000", "0"),
        ("Sở Nội vụ (đào tạo, bồi dưỡng)", "0", "0"),
    ]
    assert sum(number[2] for number in found.numbers) == total
    assert "675.700.000" in found.sentences[0]
