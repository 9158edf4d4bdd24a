"""The rules as plain functions, against docs/algorithms/readiness.md: vectors worked out by hand."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dienrong.readiness import judging
from dienrong.readiness.judging import Facts, Norm, Rule
from dienrong.readiness.money_words import dong_in_words

NORM = Norm(
    n_students=35,
    sitting_size=35,
    n_sittings=1,
    spare_percent=10,
    mixed_percent=50,
    checked_percent=30,
    headphones_percent=100,
    n_it_staff=1,
    needs_backup_power=True,
    needs_server=True,
    needs_network=False,
)
GOOD = Facts(
    is_surveyed=True,
    n_students=35,
    n_machines=45,
    n_meeting=40,
    n_passed=12,
    n_failed=1,
    n_headphones=35,
    n_it_staff=1,
    has_backup_power=True,
    has_server=True,
    has_network=True,
)


@pytest.mark.parametrize(
    ("n_students", "n_sittings", "spare", "machines", "rooms", "mixed", "checked", "headphones"),
    [
        (35, 1, 10, 39, 1, 20, 12, 35),  # 35 x 1.10 = 38.5
        (70, 2, 10, 39, 1, 20, 12, 35),
        (70, 1, 10, 77, 2, 39, 24, 70),
        (71, 2, 10, 40, 2, 20, 12, 36),  # 36 x 1.10 = 39.6
        (20, 1, 0, 20, 1, 10, 6, 20),
        (1, 1, 100, 2, 1, 1, 1, 1),
        (0, 1, 10, 0, 0, 0, 0, 0),
    ],
)
def test_the_need_of_a_school(
    n_students, n_sittings, spare, machines, rooms, mixed, checked, headphones
) -> None:
    norm = dataclasses.replace(NORM, n_sittings=n_sittings, spare_percent=spare)
    need = judging.need_of(n_students, norm)
    found = (need.n_machines, need.n_rooms, need.n_mixed, need.n_checked, need.n_headphones)
    assert found == (machines, rooms, mixed, checked, headphones)


@pytest.mark.parametrize(
    ("changes", "mode", "hindrances", "gap"),
    [
        ({}, "computer", set(), {}),
        ({"is_surveyed": False}, "unknown", {"survey_missing"}, {}),
        ({"n_failed": 2}, "mixed", {"machines_short"}, {"lack_machines": 1}),  # 40 - 2 = 38 of 39
        ({"n_meeting": 20, "n_failed": 0}, "mixed", {"machines_short"}, {"lack_machines": 19}),
        ({"n_meeting": 19, "n_failed": 0}, "paper", {"machines_short"}, {"lack_machines": 20}),
        ({"n_passed": 11}, "unknown", {"checked_short"}, {}),
        ({"n_meeting": 0, "n_passed": 39, "n_failed": 9}, "computer", set(), {}),  # 39 told so themselves
        ({"has_backup_power": False}, "paper", {"power_missing"}, {"lack_power": 1}),
        ({"has_server": False}, "paper", {"server_missing"}, {"lack_server": 1}),
        ({"n_it_staff": 0}, "paper", {"staff_short"}, {}),
        ({"n_headphones": 30}, "computer", set(), {"lack_headphones": 5}),
    ],
)
def test_go_or_no_go(changes, mode, hindrances, gap) -> None:
    outcome = judging.judge(dataclasses.replace(GOOD, **changes), NORM)
    names = ("lack_machines", "lack_headphones", "lack_power", "lack_server", "lack_network")
    assert outcome.mode == mode
    assert {one.code for one in outcome.reasons if one.is_hindrance} == hindrances
    assert {name: getattr(outcome, name) for name in names if getattr(outcome, name)} == gap


def test_a_line_counts_where_the_norm_asks_for_one() -> None:
    facts = dataclasses.replace(GOOD, has_network=False)
    assert judging.judge(facts, NORM).mode == "computer"
    outcome = judging.judge(facts, dataclasses.replace(NORM, needs_network=True))
    assert (outcome.mode, outcome.lack_network) == ("paper", 1)


@given(
    n_meeting=some.integers(0, 200), n_passed=some.integers(0, 200), n_failed=some.integers(0, 200),
    n_students=some.integers(1, 300), spare=some.integers(0, 100),
)  # fmt: skip
def test_more_machines_never_worsen_a_school(n_meeting, n_passed, n_failed, n_students, spare) -> None:
    norm = dataclasses.replace(NORM, spare_percent=spare)
    facts = dataclasses.replace(
        GOOD, n_meeting=n_meeting, n_passed=n_passed, n_failed=n_failed, n_students=n_students
    )
    before = judging.judge(facts, norm)
    after = judging.judge(dataclasses.replace(facts, n_meeting=n_meeting + 1), norm)
    assert after.lack_machines <= before.lack_machines
    assert before.n_usable + before.lack_machines >= before.need.n_machines
    worst_first = ("paper", "mixed", "unknown", "computer")
    assert worst_first.index(after.mode) >= worst_first.index(before.mode)
    assert before.need.n_machines * 100 >= before.need.n_per_sitting * (100 + spare)


def rule(measure: str, bound: str, weight: str = "must") -> Rule:
    return Rule(measure=measure, weight=weight, bound=Decimal(bound))


@pytest.mark.parametrize(
    ("machine", "rules", "verdict"),
    [
        (
            {"engine": "chromium", "chromium": 109},
            [rule("chromium", "109"), rule("firefox", "115")],
            "passed",
        ),
        ({"engine": "chromium", "chromium": 108}, [rule("chromium", "109")], "failed"),
        ({"engine": "firefox", "firefox": 115}, [rule("chromium", "109"), rule("firefox", "115")], "passed"),
        ({"engine": "other"}, [rule("chromium", "109")], "failed"),
        ({"engine": "firefox", "memory_gb": None}, [rule("memory_gb", "2")], "warned"),
        ({"engine": "firefox", "clock_skew_s": -301}, [rule("clock_skew_s", "300", "should")], "warned"),
        ({"engine": "firefox", "clock_skew_s": -300}, [rule("clock_skew_s", "300", "should")], "passed"),
        ({"engine": "firefox", "sound_works": False}, [rule("sound_works", "1", "should")], "warned"),
        ({"engine": "firefox", "typing_works": False}, [rule("typing_works", "1")], "failed"),
    ],
)
def test_a_machine_against_the_rules(machine, rules, verdict) -> None:
    assert judging.verdict(judging.findings(machine, rules)) == verdict


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "Không đồng"),
        (1_000_000, "Một triệu đồng"),
        (1_205_000, "Một triệu hai trăm linh năm nghìn đồng"),
        (21_015, "Hai mươi mốt nghìn không trăm mười lăm đồng"),
        (1_500_000_000_000, "Một nghìn năm trăm tỷ đồng"),
        (
            2_345_678_904,
            "Hai tỷ ba trăm bốn mươi lăm triệu sáu trăm bảy mươi tám nghìn chín trăm linh bốn đồng",
        ),
    ],
)
def test_amounts_in_words(amount, words) -> None:
    assert dong_in_words(amount) == words
